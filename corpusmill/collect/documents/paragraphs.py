"""Lines of printed pages become paragraphs: words that a line end divides are joined, running heads are left out.

A line goes on in the next one if it is nearly as long as the lines of its page, and the next one does not begin a list.
So the last line of a paragraph, headings and lines of tables and verse stay lines of their own.  Between Chinese or
Japanese characters no space is put.

A hyphen at the end of a line divides a word, or it belongs to the word (well-known, COVID-19).  PDFium gives both the
same sign, so the other words of the document decide: the form that it has more often elsewhere is taken.  If it has
neither, the hyphen stays beside a digit, before a capital after a small letter, and in a word with another hyphen.
Before a conjunction it stands for a part that is left out (pre- and post-war).
"""

import re
from collections import Counter
from functools import reduce
from statistics import quantiles

NEARLY = 0.75  # of the length of long lines
NEARLY_AFTER_STOP = 0.95  # if a sentence ends with the line
_STOPS = (".", "!", "?", ":", "。", "！", "？", "：", ".”", "”")
LONG = 30  # characters; pages of shorter lines are tables or titles
_ITEM = re.compile(r"(?:[-•‣▪●○*·–—]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)])\s")
_DIGITS = re.compile(r"\d+")
_WIDE = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]")
# PDFium's signs for a hyphen at the end of a line, and the soft hyphen
DIVIDED = "\x02"
_DIVIDED = re.compile("(?<=\\w)[\x02\ufffe\u00ad]\\s*")
_HYPHEN_AT_END = re.compile(r"(?<=[^\W_])[-‐]$")
_WORD = r"[\w'’-]+"
_DIVIDED_WORD = re.compile(f"{_WORD}(?:{DIVIDED}{_WORD})+")
_WHOLE_WORD = re.compile(f"(?<![\\w{DIVIDED}]){_WORD}(?![\\w{DIVIDED}])")
_CONJUNCTIONS = frozenset(("and", "or", "und", "oder", "bis", "sowie", "et", "ou", "y", "o"))
_FIRST_PARTS = frozenset(("self", "well"))  # of compounds, if no mere ending follows
_ENDING = 4  # letters
HEADS = 3  # pages that must share a running head


def document_text(pages: list[str]) -> str:
    """The text of a document from the texts of its pages."""
    lines = [_lines(page) for page in pages]
    heads = _running(lines, 0), _running(lines, -1)
    kept = [page[_head(page[:1], heads[0]) : len(page) - _head(page[1:][-1:], heads[1])] for page in lines]
    return _without_divisions("\n\n".join(text for page in kept if (text := _paragraphs(page))))


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


def _paragraphs(lines: list[str]) -> str:
    """The lines of a page as paragraphs, each on a line.  Words that a line end divides have a mark there."""
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
    return "\n".join(joined)


def _width(line: str) -> int:
    return len(line) + len(_WIDE.findall(line))


def _joined(before: str, line: str) -> str:
    if _HYPHEN_AT_END.search(before) and line[:1].isalnum():
        return before[:-1] + DIVIDED + line
    gap = "" if _WIDE.match(before[-1:]) and _WIDE.match(line[:1]) else " "
    return before + gap + line


def _without_divisions(text: str) -> str:
    """The text with each divided word whole, with a hyphen or without."""
    if DIVIDED not in text:
        return text
    words = Counter(_WHOLE_WORD.findall(text.lower()))

    def whole(found: re.Match[str]) -> str:
        first, *others = found[0].split(DIVIDED)
        return reduce(lambda left, right: _put_together(left, right, words), others, first)

    return _DIVIDED_WORD.sub(whole, text).replace(DIVIDED, "")


def _put_together(left: str, right: str, words: Counter[str]) -> str:
    for hyphen, other in (("", "-"), ("-", "")):
        if words[f"{left}{hyphen}{right}".lower()] > words[f"{left}{other}{right}".lower()]:
            return f"{left}{hyphen}{right}"
    last, first = left.rpartition("-")[2], right.partition("-")[0]
    if words[f"{last}{first}".lower()]:
        return left + right
    if right.lower() in _CONJUNCTIONS:
        return f"{left}- {right}"
    is_compound = (
        not (left[-1].isalpha() and right[0].isalpha())
        or "-" in left + right
        or (right[0].isupper() and not left[-1].isupper())
        or (left.lower() in _FIRST_PARTS and len(right) > _ENDING)
    )
    return f"{left}-{right}" if is_compound else left + right
