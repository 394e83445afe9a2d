"""Extractors by name.

`resiliparse` is the baseline: the main content by resiliparse's rules (Bevendorff et al., ECIR 2018), without texts
that stand for pictures, which cost .01 word F1 on WCXB's development split.  Tried there and worse: without comments
(-.004), without dates and authors (-.015), with what class names hide (-.012).
"""

import re
from collections.abc import Callable

from resiliparse.extract.html2text import extract_plain_text

from corpusmill.errors import InputError
from corpusmill.extensions import REGISTRY
from corpusmill.extract.encoding import to_utf8
from corpusmill.extract.head import read_head
from corpusmill.extract.licence import licence_of
from corpusmill.extract.nesting import explodes
from corpusmill.extract.plain import markdown, plain_text
from corpusmill.page import Extracted, Extractor, Page

MainText = Callable[[str, str | None], str | None]
"""(HTML, URL) -> main text; what a user's own extractor is."""

_BLANK_LINES = re.compile(r"\n{3,}")


def resiliparse(html: str, url: str | None) -> str:
    """Main text by resiliparse's rules; paragraphs, lists and preformatted text keep their lines."""
    if explodes(html):
        raise ValueError("the page's elements are nested too deeply")
    text: str = extract_plain_text(html, main_content=True, alt_texts=False)
    return _BLANK_LINES.sub("\n\n", "\n".join(line.rstrip() for line in text.split("\n"))).strip()


BUILT_IN: dict[str, MainText] = {"resiliparse": resiliparse}


def extractor(name: str) -> Extractor:
    """The extractor that a recipe means by `extract.extractor`; InputError if there is none of that name.

    It reads HTML with the named function, and text and Markdown files as they are.
    """
    main_text = BUILT_IN.get(name) or REGISTRY.extractors.get(name)
    if main_text is None:
        known = ", ".join([*BUILT_IN, *sorted(REGISTRY.extractors)])
        raise InputError(f"extract.extractor: there is no extractor '{name}'; there are: {known}")

    def extract(page: Page) -> Extracted:
        match page.media:
            case "text":
                return plain_text(page)
            case "markdown":
                return markdown(page)
            case "html":
                return _from_html(page, main_text)

    return extract


def _from_html(page: Page, main_text: MainText) -> Extracted:
    html = to_utf8(page.body, page.charset).text
    head = read_head(html)
    text = main_text(html, page.url)
    if not isinstance(text, str | None):
        raise TypeError(f"the extractor returned {type(text).__name__}, not text")
    facts = {
        "author": head.first("author", "article:author", "dc.creator"),
        "published": head.first("article:published_time", "date", "dc.date", "datepublished"),
    }
    return Extracted(
        text=text or "",
        title=head.title,
        html_lang=head.html_lang,
        licence=licence_of(html),
        directives=head.metas,
        metadata={key: value for key, value in facts.items() if value},
    )
