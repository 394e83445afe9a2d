"""`refinedweb_lines` at work: what each line consists of is measured in one pass; phrases are searched by RE2.

A line is dropped if it is mostly in capitals, if it is a number, if it is a counter ("1.2K likes"), or if it has too
few words.  In a short line, phrases are removed at its start, at its end, and anywhere, in this order.  The line is
dropped if it has no word after that, or is a number.  Blank lines and blocks of Markdown stay.

    word      as in the signals: 2 letters of Chinese, or 4 of Thai, count as one
    capitals  upper-case letters among the characters that are not white space
    number    at least one number, and besides numbers only white space and . , : ; / % # ( ) - – + $ € £ ¥

Phrases begin and end at the border of a word, and case makes no difference.  RE2 takes time linear in the text; only
short lines are given to it, which are cut out of the texts as an Arrow column.
"""

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpusmill.arrow import Bytes
from corpusmill.filters.characters import (
    CLUSTER,
    IDEOGRAPH,
    LETTER,
    NUMBER,
    SEPARATOR,
    SPACE,
    UPPERCASE,
    character_classes,
)
from corpusmill.filters.edits.kernels.lines import Flags, Lines, Places
from corpusmill.filters.edits.refinedweb_lines import RefinedWebLines
from corpusmill.filters.utf8 import code_at, width_at
from corpusmill.kernels import kernel

IN_NUMBERS = ".,:;/%#()-–+$€£¥"
N_WORDS, N_CHARS, N_UPPER, N_NUMBERS, N_OTHERS, N_MEASURES = range(6)
_NO_WORD = r"[^\pL\pN\pM]"

_IN_NUMBERS = np.array(sorted(map(ord, IN_NUMBERS)), np.int64)


def correct_lines(texts: pa.Array, settings: RefinedWebLines) -> tuple[pa.Array, pa.Array]:
    """Texts (n) after the corrections, and the share of their words that are in corrected lines: float64 (n)."""
    lines = Lines.of(texts)
    measured = _measured(lines)
    n_words, n_chars = measured[N_WORDS], measured[N_CHARS]
    judged = n_chars > 0
    if settings.keep_blocks:
        judged &= ~lines.blocks()
    drop = judged & (n_words < settings.min_words)
    drop |= judged & (measured[N_UPPER] > settings.max_uppercase_share * n_chars)
    if settings.numbers:
        drop |= judged & (measured[N_NUMBERS] > 0) & (measured[N_OTHERS] == 0)
    short = np.flatnonzero(judged & ~drop & (n_words <= settings.max_words_short))
    before = lines.texts(_flags(short, len(judged)))
    if settings.counters and len(short):
        counters = _truth(pc.match_substring_regex(before, _counter(settings.counters)))
        drop[short[counters]] = True
        short, before = short[~counters], before.filter(pa.array(~counters))
    after = _without_phrases(before, settings)
    changed = _truth(pc.not_equal(before, after))
    places = short[changed]
    cut = _flags(places, len(judged))
    if len(places):
        rest = pc.utf8_rtrim_whitespace(after.filter(pa.array(changed)))
        lines = lines.with_texts(places, rest)
        left = _measured(Lines.of(rest))
        drop[places[(left[N_WORDS] == 0) | (settings.numbers & (left[N_OTHERS] == 0))]] = True
    share = _share(n_words, drop | cut, lines.rows)
    return lines.joined(~drop, texts), pa.array(share[0], mask=(share[1] == 0) | _truth(texts.is_null()))


def _share(
    n_words: npt.NDArray[np.int64], flagged: Flags, rows: Places
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """The share of words in flagged lines of each text, and the number of its words."""
    total = np.diff(np.concatenate([[0], np.cumsum(n_words)])[rows])
    part = np.diff(np.concatenate([[0], np.cumsum(n_words * flagged)])[rows])
    return part / np.maximum(total, 1), total


def _flags(places: npt.NDArray[np.intp], n: int) -> Flags:
    flags = np.zeros(n, np.bool_)
    flags[places] = True
    return flags


def _truth(values: pa.Array) -> Flags:
    found: Flags = values.to_numpy(zero_copy_only=False).astype(np.bool_)
    return found


def _any_of(phrases: Sequence[str]) -> str:
    """A pattern for the phrases, the longest first; a space in one is any run of blanks."""
    escaped = [r"[\s\x{A0}]+".join(map(re.escape, phrase.split())) for phrase in phrases]
    return "(?:" + "|".join(sorted(escaped, key=len, reverse=True)) + ")"


def _counter(words: Sequence[str]) -> str:
    return rf"(?i)^{_NO_WORD}*\pN[\pN.,]*\s?(?:k|m|b|thousand|million)?\s+{_any_of(words)}{_NO_WORD}*$"


def _without_phrases(lines: pa.Array, settings: RefinedWebLines) -> pa.Array:
    """Lines (n) without the phrases; white space beside them goes with them."""
    if settings.at_start:
        pattern = rf"(?i)^{_NO_WORD}*{_any_of(settings.at_start)}(?:[\s:|]+|$)"
        lines = pc.replace_substring_regex(lines, pattern, "")
    if settings.at_end:
        pattern = rf"(?i)(?:^|[\s|]+){_any_of(settings.at_end)}[\s.…>»→|]*$"
        lines = pc.replace_substring_regex(lines, pattern, "")
    if settings.anywhere:
        pattern = rf"(?i)(^|{_NO_WORD}){_any_of(settings.anywhere)}($|{_NO_WORD})"
        lines = pc.replace_substring_regex(lines, pattern, r"\1\2")
    return lines


def _measured(lines: Lines) -> npt.NDArray[np.int64]:
    """What each line consists of: int64 (N_MEASURES, number of lines)."""
    measured = np.zeros((N_MEASURES, len(lines.starts)), np.int64)
    _measure(lines.data, lines.starts, lines.ends, character_classes(), _IN_NUMBERS, measured)
    return measured


@kernel
def _measure(
    data: Bytes,
    starts: Places,
    ends: Places,
    classes: npt.NDArray[np.uint32],
    in_numbers: Places,
    measured: npt.NDArray[np.int64],
) -> None:
    for line in range(len(starts)):
        n_words = ideographs = clusters = n_chars = n_upper = n_numbers = n_others = word = 0
        i = starts[line]
        while i < ends[line]:
            code = code_at(data, i)
            i += width_at(data, i)
            flags = int(classes[code]) if code < len(classes) else 0
            if flags & (SPACE | SEPARATOR | IDEOGRAPH | CLUSTER):
                n_words += word != 0
                word = 0
                ideographs += flags & IDEOGRAPH != 0
                clusters += flags & CLUSTER != 0
            else:
                word |= flags & (LETTER | NUMBER)
            if flags & SPACE:
                continue
            n_chars += 1
            n_upper += flags & UPPERCASE != 0
            if flags & NUMBER:
                n_numbers += 1
            else:
                is_other = True
                for each in in_numbers:
                    is_other = is_other and code != each
                n_others += is_other
        n_words += word != 0
        measured[N_WORDS, line] = n_words - (-ideographs // 2) - (-clusters // 4)
        measured[N_CHARS, line] = n_chars
        measured[N_UPPER, line] = n_upper
        measured[N_NUMBERS, line] = n_numbers
        measured[N_OTHERS, line] = n_others
