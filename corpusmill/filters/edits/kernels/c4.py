"""`c4_lines` at work: which lines are kept, and C4's marks of citations taken out of them.

    tfds          the code of C4: a line ends in one of . ? ! " and not in ...; words are what `str.split` gives; the
                  marks are removed before words are counted
    datatrove     its C4QualityFilter: ' ends a line, too; 3 words are enough; words are counted with the marks
    every_script  final punctuation of every script (Unicode's Sentence_Terminal), after which quotes and brackets may
                  close; quotes alone end a line, as in C4; an ellipsis does not.  Words are those of the signals:
                  2 letters of Chinese, or 4 of Thai, count as one.  Thai and Lao have no final punctuation, so lines
                  that are mostly in these need none.

Upper and lower case of ASCII letters make no difference in phrases.  A line is looked at once, twice if it has marks:
how long its words are is measured with them, as C4 does.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpusmill.arrow import Bytes, read_only
from corpusmill.filters.characters import (
    CLOSER,
    CLUSTER,
    IDEOGRAPH,
    LETTER,
    MARK,
    NUMBER,
    SEPARATOR,
    SPACE,
    TERMINAL,
    character_classes,
)
from corpusmill.filters.edits.c4_lines import C4Lines
from corpusmill.filters.edits.kernels.lines import Flags, Lines, Places, is_blank, strings
from corpusmill.filters.utf8 import code_at, width_at
from corpusmill.kernels import inner_kernel, kernel

JAVASCRIPT = ("javascript",)
POLICIES = ("terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies")
MARKS = ("[edit]", "[citation needed]")  # and [ digits ]
VARIANTS = {"every_script": 0, "tfds": 1, "datatrove": 2}
EVERY_SCRIPT, TFDS, DATATROVE = 0, 1, 2
N_WORDS, LONGEST, LAST, N_DOTS, MARKED, SCRIPT = range(6)  # what is measured of a line

BRACKET, CLOSING, DOT, QUOTE, APOSTROPHE, ELLIPSIS = 0x5B, 0x5D, 0x2E, 0x22, 0x27, 0x2026
QUESTION, EXCLAMATION, ZERO, NINE, UPPER_A, UPPER_Z = 0x3F, 0x21, 0x30, 0x39, 0x41, 0x5A
QUOTES = np.array(sorted(map(ord, '"”»」』“’›')), np.int64)  # that may end a line of their own
THAI, LAO_END = 0x0E01, 0x0EDF  # Thai and Lao follow each other

_MARKS = np.frombuffer("".join(MARKS).encode(), np.uint8)
_MARK_LENGTHS = np.array([len(mark) for mark in MARKS], np.int64)


def keep_lines(texts: pa.Array, settings: C4Lines) -> pa.Array:
    """Texts (n) with the lines that C4 keeps."""
    lines = Lines.of(texts)
    n = len(lines.starts)
    keep = lines.blocks() if settings.keep_blocks else np.zeros(n, np.bool_)
    phrases = [*(JAVASCRIPT if settings.javascript else ()), *(POLICIES if settings.policies else ())]
    table, phrase_ends, firsts = _table([phrase.encode().lower() for phrase in [*phrases, *settings.phrases]])
    _judge(
        lines.data,
        lines.starts,
        lines.ends,
        character_classes(),
        VARIANTS[settings.variant],
        settings.fewest_words,
        settings.max_word_length,
        settings.terminal_punctuation,
        settings.citations,
        table,
        phrase_ends,
        firsts,
        _MARKS,
        _MARK_LENGTHS,
        keep,
    )
    kept = lines.joined(keep, texts)
    return _without_marks(kept, settings) if settings.citations else kept


def _table(phrases: Sequence[bytes]) -> tuple[Bytes, Places, Flags]:
    """Phrases one after another, where each ends, and which bytes one may begin with."""
    firsts = np.zeros(256, np.bool_)
    for phrase in phrases:
        firsts[list(phrase[:1].upper() + phrase[:1])] = True
    ends = np.cumsum([0, *map(len, phrases)]).astype(np.int64)
    table: Bytes = np.frombuffer(b"".join(phrases) or b"\0", np.uint8)
    return read_only(table), ends, firsts


def _without_marks(texts: pa.Array, settings: C4Lines) -> pa.Array:
    lines = Lines.of(texts)
    blocks = lines.blocks() if settings.keep_blocks else np.zeros(len(lines.starts), np.bool_)
    out = np.empty(len(lines.data) + len(lines.starts), np.uint8)
    offsets = np.zeros(len(lines.rows), np.int64)
    n_marks = _cut_marks(lines.data, lines.starts, lines.ends, lines.rows, blocks, _MARKS, _MARK_LENGTHS, out, offsets)
    return strings(out, offsets, texts) if n_marks else texts


@inner_kernel
def mark_end(data: Bytes, i: int, end: int, marks: Bytes, lengths: Places) -> int:
    """Where the mark of a citation that begins at i ends; i if there is none."""
    at = i + 1
    while at < end and ZERO <= data[at] <= NINE:
        at += 1
    if at < end and data[at] == CLOSING:
        return at + 1
    start = 0
    for length in lengths:
        if i + length <= end:
            same = 0
            while same < length and data[i + same] == marks[start + same]:
                same += 1
            if same == length:
                return i + int(length)
        start += length
    return i


@inner_kernel
def _holds(data: Bytes, start: int, end: int, phrases: Bytes, ends: Places, firsts: Flags) -> bool:
    """Whether a phrase, in lower case, is in the bytes, where upper case counts as lower case."""
    for i in range(start, end):
        if firsts[data[i]]:
            for phrase in range(len(ends) - 1):
                begin, length = ends[phrase], ends[phrase + 1] - ends[phrase]
                if i + length <= end:
                    same = 0
                    while same < length:
                        byte = data[i + same]
                        if UPPER_A <= byte <= UPPER_Z:
                            byte += 32
                        if byte != phrases[begin + same]:
                            break
                        same += 1
                    if same == length:
                        return True
    return False


@inner_kernel
def _measure(
    data: Bytes,
    start: int,
    end: int,
    classes: npt.NDArray[np.uint32],
    variant: int,
    skip_marks: bool,
    marks: Bytes,
    mark_lengths: Places,
    found: Places,
) -> None:
    """Measure a line.

    found: the number of its words; the length of its longest one; its last character, without white space and what
    closes quotes and brackets if the variant is for every script; the dots before and in it; whether a mark was met;
    whether most of its letters are Thai or Lao.
    """
    n_words = longest = length = ideographs = clusters = thai = letters = 0
    flags_of_word = 0
    last, last_quote, n_dots = 0, 0, 0
    marked = False
    i = start
    while i < end:
        code = code_at(data, i)
        if code == BRACKET:
            after = mark_end(data, i, end, marks, mark_lengths)
            if after > i:
                marked = True
                if skip_marks:
                    i = after
                    continue
        i += width_at(data, i)
        flags = int(classes[code]) if code < len(classes) else 0
        if variant != EVERY_SCRIPT:
            if flags & SPACE:
                length = 0
            else:
                n_words += length == 0
                length += 1
                longest = max(longest, length)
            n_dots = n_dots + 1 if code == DOT else 0
            last = code
            continue
        letters += flags & LETTER
        if flags & (SPACE | SEPARATOR | IDEOGRAPH | CLUSTER):
            n_words += flags_of_word != 0
            flags_of_word, length = 0, 0
            ideographs += flags & IDEOGRAPH != 0
            clusters += flags & CLUSTER != 0
            thai += flags & CLUSTER != 0 and THAI <= code <= LAO_END
        else:
            flags_of_word |= flags & (LETTER | NUMBER)
            length += flags & MARK == 0
            longest = max(longest, length)
        if flags & SPACE:
            continue
        if flags & CLOSER == 0:
            n_dots = n_dots + 1 if code == DOT else 0
            last, last_quote = code, 0
        else:
            for quote in QUOTES:
                if code == quote:
                    last_quote = code
    if variant == EVERY_SCRIPT:
        n_words += flags_of_word != 0
        n_words -= -ideographs // 2
        n_words -= -clusters // 4
        if last_quote != 0 and last != DOT and last != ELLIPSIS:
            last = last_quote
    found[N_WORDS], found[LONGEST], found[LAST], found[N_DOTS] = n_words, longest, last, n_dots
    found[MARKED], found[SCRIPT] = marked, 2 * thai > letters


@kernel
def _judge(
    data: Bytes,
    starts: Places,
    ends: Places,
    classes: npt.NDArray[np.uint32],
    variant: int,
    min_words: int,
    max_word_length: int,
    needs_terminal: bool,
    skip_marks: bool,
    phrases: Bytes,
    phrase_ends: Places,
    firsts: Flags,
    marks: Bytes,
    mark_lengths: Places,
    keep: Flags,
) -> None:
    """Mark the lines to be kept; those that are marked already, and blank ones, stay."""
    found, raw = np.zeros(6, np.int64), np.zeros(6, np.int64)
    for line in range(len(starts)):
        start, end = starts[line], ends[line]
        if keep[line] or is_blank(data, start, end):
            keep[line] = True
            continue
        while end > start:  # white space at the end, as str.strip removes it
            i = end - 1
            while i > start and data[i] & 0xC0 == 0x80:
                i -= 1
            code = code_at(data, i)
            if code >= len(classes) or classes[code] & SPACE == 0:
                break
            end = i
        _measure(data, start, end, classes, variant, skip_marks, marks, mark_lengths, found)
        longest, n_words = found[LONGEST], found[N_WORDS]
        if found[MARKED] and skip_marks:
            _measure(data, start, end, classes, variant, False, marks, mark_lengths, raw)
            longest = raw[LONGEST]
            if variant == DATATROVE:
                n_words = raw[N_WORDS]
        if longest > max_word_length or n_words < min_words:
            continue
        if needs_terminal:
            last = found[LAST]
            is_final = last in (DOT, QUESTION, EXCLAMATION, QUOTE)
            if variant == DATATROVE:
                is_final = is_final or last == APOSTROPHE
            elif variant == EVERY_SCRIPT:
                if last < len(classes):
                    is_final = is_final or classes[last] & TERMINAL != 0
                is_final = is_final or found[SCRIPT] != 0
                for quote in QUOTES:
                    is_final = is_final or last == quote
            if not is_final or found[N_DOTS] >= 3:
                continue
        keep[line] = not _holds(data, start, end, phrases, phrase_ends, firsts)


@kernel
def _cut_marks(
    data: Bytes,
    starts: Places,
    ends: Places,
    rows: Places,
    blocks: Flags,
    marks: Bytes,
    mark_lengths: Places,
    out: Bytes,
    offsets: Places,
) -> int:
    """Write the texts without C4's marks of citations, those in blocks excepted; returns how many there were."""
    at = n_marks = 0
    for row in range(len(rows) - 1):
        for line in range(rows[row], rows[row + 1]):
            if line > rows[row]:
                out[at] = 0x0A
                at += 1
            i, end = starts[line], ends[line]
            while i < end:
                if data[i] == BRACKET and not blocks[line]:
                    after = mark_end(data, i, end, marks, mark_lengths)
                    if after > i:
                        n_marks += 1
                        i = after
                        continue
                out[at] = data[i]
                at += 1
                i += 1
        offsets[row + 1] = at
    return n_marks
