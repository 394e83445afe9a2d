"""`citations` at work: lines that hold a bracket are looked at with a pattern; all others are not touched.

A mark goes together with one blank before it.  Not taken for a mark:

    what begins a line, if it is a number or a note: it is an entry of a list of references, or defines a link
    what `(` follows: it is a link of Markdown
    what stands in code, in a fenced block or between backticks
    a number of 0: it is an index in code

A line that was nothing but marks is dropped.

The pattern looks at most 64 characters ahead of a bracket, so the time is linear.
"""

import re
from functools import lru_cache

import numpy as np
import pyarrow as pa

from corpusmill.filters.edits.citations import DOUBT, EDIT, NOTE, Citations
from corpusmill.filters.edits.kernels.lines import Lines

_MARK = re.compile(r"[ \u00a0]?\\?\[([^\[\]\n]{1,64})\](?!\()")
_NUMBERS = re.compile(r"[1-9]\d{0,3}(?: ?[,;–-] ?[1-9]\d{0,3}){0,12}")
_NOTE = re.compile(r"[a-z]|(?:" + "|".join(map(re.escape, NOTE)) + r") ?[0-9]{1,3}")
BRACKET = 0x5B


def without_citations(texts: pa.Array, settings: Citations) -> pa.Array:
    """Texts (n) without marks of citations and of editing."""
    lines = Lines.of(texts)
    blocks = lines.blocks()
    end = lines.ends[-1] if len(lines.ends) else 0
    begin = lines.starts[0] if len(lines.starts) else 0
    brackets = np.flatnonzero(lines.data[begin:end] == BRACKET) + begin
    chosen = np.zeros(len(blocks), np.bool_)
    chosen[np.searchsorted(lines.starts, brackets, "right") - 1] = True
    places = np.flatnonzero(chosen & ~blocks)
    words = _words(settings.words, tuple(settings.more))
    found = {}
    for place in places.tolist():
        line = lines.data[lines.starts[place] : lines.ends[place]].tobytes().decode()
        after = _without_marks(line, settings, words)
        if after != line:
            found[place] = after
    if not found:
        return texts
    keep = np.ones(len(blocks), np.bool_)
    keep[[place for place, line in found.items() if not line.strip()]] = False
    changed = lines.with_texts(np.array(list(found), np.int64), pa.array(found.values(), pa.large_string()))
    return changed.joined(keep, texts)


@lru_cache(maxsize=8)
def _words(built_in: bool, more: tuple[str, ...]) -> frozenset[str]:
    return frozenset(word.casefold() for word in ((*EDIT, *DOUBT) if built_in else ())) | {
        word.casefold() for word in more
    }


def _without_marks(line: str, settings: Citations, words: frozenset[str]) -> str:
    """The line without its marks, code between backticks excepted."""
    pieces = line.split("`")
    last = len(pieces) - 1
    first = next((place for place, piece in enumerate(pieces) if piece.strip()), last)

    def is_text(place: int) -> bool:
        return place % 2 == 0 or place == last

    cut = [
        _cut(piece, place <= first, settings, words) if is_text(place) else piece for place, piece in enumerate(pieces)
    ]
    return "`".join(cut)


def _cut(piece: str, begins_line: bool, settings: Citations, words: frozenset[str]) -> str:
    start = len(piece) - len(piece.lstrip()) if begins_line else -1  # what begins here is no mark of a citation

    def replacement(match: re.Match[str]) -> str:
        content = match[1].removesuffix("\\").strip().casefold()
        is_mark = _is_words(content, words)
        if not is_mark and match.start() > start:
            is_mark = settings.numbers and _NUMBERS.fullmatch(content) is not None
            is_mark = is_mark or (settings.notes and _NOTE.fullmatch(content) is not None)
        return "" if is_mark else match[0]

    return _MARK.sub(replacement, piece)


def _is_words(content: str, words: frozenset[str]) -> bool:
    """Whether it is one of the words, or several between bars: [edit | edit source]."""
    return content in words or ("|" in content and all(part.strip() in words for part in content.split("|")))
