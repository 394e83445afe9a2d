"""Text files and Markdown files.  They are kept as they are; only the front matter of Markdown becomes metadata."""

import re

from corpusmill.extract.charset.encoding import to_utf8
from corpusmill.extract.charset.mojibake import condition
from corpusmill.page import Extracted, Page

_FRONT_MATTER = re.compile(r"---[ \t]*\r?\n(.*?)\r?\n(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_ENTRY = re.compile(r"""^([A-Za-z][\w-]*)[ \t]*:[ \t]+(?![|>\[{&*!])(.+)$""", re.MULTILINE)
_HEADING = re.compile(r"^ {0,3}#[ \t]+(.+)$", re.MULTILINE)


def plain_text(page: Page) -> Extracted:
    """A text file."""
    utf8 = to_utf8(page.body, page.charset, markup=False)
    return Extracted(text=utf8.text, metadata=condition(utf8, utf8.text))


def markdown(page: Page) -> Extracted:
    """A Markdown file.  Its YAML front matter is cut off; the lines `key: plain value` in it become metadata.

    The title is that of the front matter.  If there is none, it is the first heading of level 1.
    """
    utf8 = to_utf8(page.body, page.charset, markup=False)
    text = utf8.text
    metadata: dict[str, str] = {}
    if front := _FRONT_MATTER.match(text):
        metadata = {key.lower(): value.strip().strip("\"'") for key, value in _ENTRY.findall(front[1])}
        text = text[front.end() :]
    heading = _HEADING.search(text)
    title = metadata.pop("title", None) or (heading[1].strip().rstrip("#").rstrip() if heading else None)
    licence = metadata.pop("licence", None) or metadata.pop("license", None)
    lang = metadata.pop("lang", None) or metadata.pop("language", None)
    return Extracted(
        text=text, title=title, html_lang=lang, licence=licence, metadata={**metadata, **condition(utf8, text)}
    )
