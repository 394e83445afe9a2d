"""Extractors of other projects, to compare with or to use.  Pages that would take them minutes are refused.

`resiliparse` is the main content by resiliparse's rules (Bevendorff et al., ECIR 2018), without the alternative texts
of pictures.  With these texts, word F1 on WCXB's development split would be 0.01 lower.  Other options were tried
there:

    option                          change of F1
    without comments                -0.004
    without dates and authors       -0.015
    with what class names hide      -0.012

`trafilatura` (Barbaresi, ACL 2021) runs with its standard settings.  It has a time limit only in its command line.  Its
time grows with the size of the tree, so the check for exploding trees is the only protection that it needs.
"""

import logging
import re

from resiliparse.extract.html2text import extract_plain_text

from corpusmill.errors import InputError
from corpusmill.extract.segments.nesting import explodes

_BLANK_LINES = re.compile(r"\n{3,}")


def resiliparse(html: str, url: str | None) -> str:
    """Main text by resiliparse's rules.  Paragraphs, lists and preformatted text keep their lines."""
    _refuse_exploding(html)
    text: str = extract_plain_text(html, main_content=True, alt_texts=False)
    return _BLANK_LINES.sub("\n\n", "\n".join(line.rstrip() for line in text.split("\n"))).strip()


def trafilatura(html: str, url: str | None) -> str:
    """Main text by trafilatura's rules."""
    from trafilatura import extract

    _refuse_exploding(html)
    return extract(html, url=url) or ""


def check_trafilatura() -> None:
    """Raise InputError if trafilatura is not installed.  Else silence its message about each page without text."""
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
