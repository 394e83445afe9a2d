"""Extractors by name: a page's bytes in, its main text and what it says of itself out.

`corpusmill` is ours, and the default: bytes to UTF-8, tables, a verdict on each block, then whether there is content at
all, and the text of what is kept.  `resiliparse`, `trafilatura` and users' own functions give a page's main text; the
rest, such as title, dates, licence and directives, is read from the same tables as ours for all of them.

Cost of ours, for WCXB's pages of 300 KB on average, in milliseconds: encoding .04, tables .24, verdicts .23, the kind
of page .02, what the page says of itself .26, abstaining .05, text .02, mojibake .02.
"""

from collections.abc import Callable, Mapping

from corpusmill.errors import InputError
from corpusmill.extensions import REGISTRY
from corpusmill.extract.charset.encoding import Utf8, to_utf8
from corpusmill.extract.charset.mojibake import condition
from corpusmill.extract.content.model import shipped_model
from corpusmill.extract.look import judge
from corpusmill.extract.metadata.read import PageMetadata, read_metadata
from corpusmill.extract.others import check_trafilatura, resiliparse, trafilatura
from corpusmill.extract.plain import markdown, plain_text
from corpusmill.extract.segments.segment import segment
from corpusmill.page import NOTHING, Extracted, Extractor, Page, TextFormat
from corpusmill.reasons import Status

MainText = Callable[[str, str | None], str | None]
"""(HTML, URL) -> main text; what a user's own extractor is."""

OURS = "corpusmill"
OTHERS: dict[str, MainText] = {"resiliparse": resiliparse, "trafilatura": trafilatura}


def extractor(name: str, format: TextFormat = "text") -> Extractor:
    """The extractor of a name; InputError if there is none, or it is not installed.

    It reads HTML, and text and Markdown files as they are.  Only `corpusmill` writes HTML as Markdown.
    """
    from_html = _ours(format) if name == OURS else _from_main_text(_main_text(name))

    def extract(page: Page) -> Extracted:
        match page.media:
            case "text":
                return plain_text(page)
            case "markdown":
                return markdown(page)
            case "html":
                return from_html(page)

    return extract


def _ours(format: TextFormat) -> Extractor:
    model = shipped_model()

    def extract(page: Page) -> Extracted:
        utf8 = to_utf8(page.body, page.charset)
        look = judge(utf8, segment(utf8.data), page.url, model)
        text = look.markdown if format == "markdown" else look.text
        kind = {"page_type": look.kind, "page_type_probability": round(float(look.kinds.max()), 3)}
        return _extracted(utf8, look.said, text, look.status, kind)

    return extract


def _main_text(name: str) -> MainText:
    """Somebody else's extractor."""
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
