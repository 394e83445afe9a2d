"""Other people's extractors, to compare with or to choose, kept from pages that would take them minutes.

`resiliparse` is the main content by resiliparse's rules (Bevendorff et al., ECIR 2018), without texts that stand for
pictures, which cost .01 word F1 on WCXB's development split.  Tried there and worse: without comments (-.004), without
dates and authors (-.015), with what class names hide (-.012).

`trafilatura` (Barbaresi, ACL 2021) runs with its standard settings.  Outside its command line it has no time limit of
its own; its time goes with the size of the tree, so the guard against exploding trees is the one that it needs.
"""

import logging
import re

from resiliparse.extract.html2text import extract_plain_text

from corpusmill.errors import InputError
from corpusmill.extract.segments.nesting import explodes

_BLANK_LINES = re.compile(r"\n{3,}")


def resiliparse(html: str, url: str | None) -> str:
    """Main text by resiliparse's rules; paragraphs, lists and preformatted text keep their lines."""
    _refuse_exploding(html)
    text: str = extract_plain_text(html, main_content=True, alt_texts=False)
    return _BLANK_LINES.sub("\n\n", "\n".join(line.rstrip() for line in text.split("\n"))).strip()


def trafilatura(html: str, url: str | None) -> str:
    """Main text by trafilatura's rules."""
    from trafilatura import extract

    _refuse_exploding(html)
    return extract(html, url=url) or ""


def check_trafilatura() -> None:
    """InputError if trafilatura is not installed; else make it say nothing of every page without text."""
    try:
        import trafilatura as _  # noqa: F401
    except ImportError:
        raise InputError(
            "extract.extractor: 'trafilatura' is not installed; run: pip install 'corpusmill[trafilatura]'"
        ) from None
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)


def _refuse_exploding(html: str) -> None:
    if explodes(html):
        raise ValueError("the page's elements are nested too deeply")
