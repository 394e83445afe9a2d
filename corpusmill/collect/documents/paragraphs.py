"""Lines of printed pages become paragraphs: words that a hyphen divides are joined, running heads are left out.

A line goes on in the next one if it is nearly as long as the lines of its page, and the next one does not begin a list.
So the last line of a paragraph, headings and lines of tables and verse stay lines of their own.  Between Chinese or
Japanese characters no space is put.
"""

import re
from collections import Counter
from statistics import quantiles

NEARLY = 0.75  # of the length of long lines
NEARLY_AFTER_STOP = 0.95  # if a sentence ends with the line
_STOPS = (".", "!", "?", ":", "。", "！", "？", "：", ".”", "”")
LONG = 30  # characters; pages of shorter lines are tables or titles
_ITEM = re.compile(r"(?:[-•‣▪●○*·–—]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)])\s")
_DIGITS = re.compile(r"\d+")
_WIDE = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]")
# PDFium's signs for a hyphen at the end of a line, and the soft hyphen
DIVIDED = "\x02"
_DIVIDED = re.compile("(?<=\\w)[\x02\ufffe\u00ad]\\s*")
_HYPHEN_AT_END = re.compile(r"(?<=[^\W\d_])[-‐]$")
HEADS = 3  # pages that must share a running head


def document_text(pages: list[str]) -> str:
    """The text of a document from the texts of its pages."""
    lines = [_lines(page) for page in pages]
    heads = _running(lines, 0), _running(lines, -1)
    kept = [page[_head(page[:1], heads[0]) : len(page) - _head(page[1:][-1:], heads[1])] for page in lines]
    return "\n\n".join(text for page in kept if (text := paragraphs(page)))


def _lines(page: str) -> list[str]:
    text = _DIVIDED.sub(DIVIDED, page.replace("\r\n", "\n").replace("\r", "\n"))
    lines = [" ".join(line.split()) for line in text.split("\n")]
    while lines and not lines[0]:
        del lines[0]
    while lines and not lines[-1]:
        del lines[-1]
    return lines


def _running(pages: list[list[str]], place: int) -> frozenset[str]:
    """The first or last lines that many pages share, apart from their digits."""
    found = Counter(_DIGITS.sub("#", page[place]) for page in pages if len(page) > 1)
    return frozenset(line for line, n in found.items() if n >= HEADS and 2 * n >= len(pages) - 1)


def _head(line: list[str], running: frozenset[str]) -> int:
    return int(bool(line) and _DIGITS.sub("#", line[0]) in running)


def paragraphs(lines: list[str]) -> str:
    """The lines of a page as paragraphs, each on a line."""
    lengths = [_width(piece) for line in lines for piece in line.split(DIVIDED) if piece]
    usual = quantiles(lengths, n=10)[7] if len(lengths) > 1 else 0.0  # most lines are not longer
    joined: list[str] = []
    goes_on = False
    for line in lines:
        if not line:
            goes_on = False
            continue
        if goes_on and not _ITEM.match(line):
            joined[-1] = _joined(joined[-1], line)
        else:
            joined.append(line)
        nearly = NEARLY_AFTER_STOP if line.endswith(_STOPS) else NEARLY
        goes_on = usual >= LONG and _width(line.rpartition(DIVIDED)[2]) >= nearly * usual
    return "\n".join(joined).replace(DIVIDED, "")


def _width(line: str) -> int:
    return len(line) + len(_WIDE.findall(line))


def _joined(before: str, line: str) -> str:
    if _HYPHEN_AT_END.search(before) and line[:1].islower():
        return before[:-1] + line
    gap = "" if _WIDE.match(before[-1:]) and _WIDE.match(line[:1]) else " "
    return before + gap + line
