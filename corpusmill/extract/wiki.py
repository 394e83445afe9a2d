"""Pages of a wiki: wikitext to text or Markdown.  The writers are those of HTML pages, and every block is content."""

from corpusmill.extract.complete import written
from corpusmill.extract.wikitext.convert import to_html
from corpusmill.page import NO_SITE, Extracted, Page, TextFormat
from corpusmill.reasons import Status


def wikitext(page: Page, format: TextFormat) -> Extracted:
    """A page of a wiki.  Its categories are metadata; a disambiguation page has no text."""
    site = page.site or NO_SITE
    found = to_html(page.body.decode("utf-8", "replace"), site.language, site.namespaces)
    metadata: dict[str, object] = {"categories": found.categories} if found.categories else {}
    if found.n_templates_left_out:
        metadata["templates_left_out"] = found.n_templates_left_out
    if found.is_disambiguation:
        return Extracted(text="", status=Status.DISAMBIGUATION, metadata=metadata)
    return Extracted(text=written(found.html.encode("utf-8", "replace"), format), metadata=metadata)
