"""Extractors by name.  An extractor takes a page's bytes, and returns its main text and metadata.

`corpusmill` is our own extractor, and the default.  It converts bytes to UTF-8, and UTF-8 to tables.  It judges each
block, decides whether the page has main content at all, and writes the text of what is kept.

`resiliparse`, `trafilatura` and users' own functions give only the main text of a page.  The metadata (title, dates,
licence, directives and so on) is read from the same tables for all extractors.

Cost of `corpusmill` in milliseconds per page, for the pages of WCXB (300 KB on average):

    encoding           0.12        metadata                   0.44
    tables             0.41        is there main content?     0.07
    block decisions    0.36        marks and text             0.16
    kind of page       0.03        mojibake                   0.02
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from corpusmill.errors import InputError
from corpusmill.extensions import REGISTRY
from corpusmill.extract.charset.encoding import Utf8, to_utf8
from corpusmill.extract.charset.mojibake import condition
from corpusmill.extract.complete import complete
from corpusmill.extract.content.model import shipped_model
from corpusmill.extract.inspection import judge
from corpusmill.extract.metadata.read import PageMetadata, read_metadata
from corpusmill.extract.others import check_trafilatura, resiliparse, trafilatura
from corpusmill.extract.plain import latex, markdown, plain_text, restructured_text
from corpusmill.extract.segments.readable import readable
from corpusmill.extract.segments.segment import segment
from corpusmill.extract.wiki import wikitext
from corpusmill.page import NOTHING, Extracted, Extractor, Page, TextFormat
from corpusmill.reasons import Status
from corpusmill.sniff import media_of, sniffed

MainText = Callable[[str, str | None], str | None]
"""(HTML, URL) -> main text; the type of users' own extractors."""

OURS = "corpusmill"
OTHERS: dict[str, MainText] = {"resiliparse": resiliparse, "trafilatura": trafilatura}


def extractor(name: str, format: TextFormat = "text") -> Extractor:
    """The extractor with this name; InputError if there is none, or if it is not installed.

    It reads HTML, unless the body turns out to be something else.  It returns text files and Markdown files as they
    are.  Only `corpusmill` writes HTML as Markdown.  Wikitext and HTML that is content throughout are read by our own
    code, whatever the name is.
    """
    from_html = _ours(format) if name == OURS else _from_main_text(_main_text(name))

    def extract(page: Page) -> Extracted:
        match page.media:
            case "text":
                return plain_text(page)
            case "markdown":
                return markdown(page)
            case "rst":
                return restructured_text(page)
            case "latex":
                return latex(page)
            case "wikitext":
                return wikitext(page, format)
            case "content":
                return complete(page, format)
            case "html":
                found = sniffed(page.body)
                return from_html(page) if found == "text/html" else _no_html(page, found)

    return extract


def _no_html(page: Page, found: str) -> Extracted:
    """A body that is labelled as HTML and is something else: text is read, and nothing in other types."""
    labelled = {"sniffed_type": found}
    if media_of(found) is None:
        return Extracted(text="", status=Status.CONTENT_TYPE, metadata=labelled)
    read = plain_text(page)
    return replace(read, metadata={**read.metadata, **labelled})


def _ours(format: TextFormat) -> Extractor:
    model = shipped_model()

    def extract(page: Page) -> Extracted:
        utf8 = to_utf8(page.body, page.charset)
        inspected = judge(utf8, readable(utf8.data), page.url, model)
        text = inspected.markdown if format == "markdown" else inspected.text
        found: dict[str, object] = {
            "page_type": inspected.kind,
            "page_type_probability": round(float(inspected.kinds.max()), 3),
        }
        if inspected.classified.cut_chars:
            found["cut_chars"] = inspected.classified.cut_chars
        return _extracted(utf8, inspected.said, text, inspected.status, found)

    return extract


def _main_text(name: str) -> MainText:
    """The function of an extractor that is not our own."""
    if name == "trafilatura":
        check_trafilatura()
    own = REGISTRY.extractors.get(name)
    found = OTHERS.get(name) or (own.function if own is not None else None)
    if found is None:
        known = ", ".join([OURS, *OTHERS, *sorted(REGISTRY.extractors)])
        raise InputError(f"extract.extractor: there is no extractor '{name}'; there are: {known}")
    return found


def _from_main_text(main_text: MainText) -> Extractor:
    def extract(page: Page) -> Extracted:
        utf8 = to_utf8(page.body, page.charset)
        text = main_text(utf8.text, page.url)
        if not isinstance(text, str | None):
            raise TypeError(f"the extractor returned {type(text).__name__}, not text")
        return _extracted(utf8, read_metadata(segment(utf8.data), page.url), text or "")

    return extract


def _extracted(
    utf8: Utf8,
    said: PageMetadata,
    text: str,
    status: Status = Status.OK,
    more: Mapping[str, object] = NOTHING,
) -> Extracted:
    return Extracted(
        text=text,
        status=status,
        title=said.title,
        html_lang=said.html_lang,
        licence=said.licence,
        directives=said.directives,
        metadata={**said.as_mapping(), **more, **condition(utf8, text)},
    )
