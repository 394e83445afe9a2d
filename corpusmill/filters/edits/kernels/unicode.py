"""`unicode` at work: mojibake by ftfy, invisible characters in one pass over the bytes, then NFC.

**Mojibake.** ftfy's `fix_encoding` with its default settings: restore_byte_a0, replace_lossy_sequences,
decode_inconsistent_utf8, fix_c1_controls.  It is given the lines in which its own heuristic (`ftfy.badness`) finds
something, each by itself, in pieces of at most PIECE characters.  A kernel says first which lines can be such: the
heuristic reads 5 MB/s.

**Control characters.** Removed: the categories Cc without white space, noncharacters, and the codes that colour a
terminal (ESC [ ... letter).

**Invisible characters.**  What they mean depends on what stands beside them:

    U+200C, U+200D (joiners)          stay beside a letter or mark of a script in which letters join or stack: Arabic
                                      and its relatives, Mongolian, the scripts of India and South East Asia.
                                      U+200D also stays between two symbols, as in emoji
    U+200B (zero width space)         stays beside a letter of Thai, Khmer and other scripts without spaces
    U+200E, U+200F, U+061C,           stay in a text that has letters written from right to left
    U+202A-202E, U+2066-2069 (bidi)
    U+E0020-E007F (tags)              stay in a flag: after U+1F3F4
    U+00AD, U+2060-2064, U+206A-206F, removed
    U+FEFF, U+FFF9-FFFB, U+E0000-E001F

Variation selectors stay: they choose between two forms of a sign.

**NFC.** By Python's tables.  A text with more than MOST_MARKS marks in a row is left as it is: to put n marks in order
takes time in the square of n, and no language needs so many (UAX #15 allows 30).
"""

import unicodedata
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpusmill.arrow import Bytes, Utf8Column
from corpusmill.filters.characters import LETTER, MARK, character_classes
from corpusmill.filters.edits.kernels.lines import Flags, Lines, Places, strings
from corpusmill.filters.edits.unicode import Unicode
from corpusmill.filters.utf8 import code_at, width_at
from corpusmill.kernels import inner_kernel, kernel
from corpusmill.scripts import CLUSTERS

if TYPE_CHECKING:
    from ftfy import TextFixerConfig

PIECE = 100_000  # characters
MOST_MARKS = 30
JOINING = (  # scripts in which joiners have a meaning; only letters and marks in these blocks count
    *((0x0600, 0x08FF), (0x0900, 0x0DFF), (0x0F00, 0x109F), (0x1700, 0x18AF), (0x1900, 0x1AAF), (0x1B00, 0x1C7F)),
    *((0x1CD0, 0x1CFF), (0xA800, 0xA82F), (0xA840, 0xA8FF), (0xA900, 0xAAFF), (0xABC0, 0xABFF), (0xFB50, 0xFDFF)),
    *((0xFE70, 0xFEFE), (0x10A00, 0x10A5F), (0x10AC0, 0x10FFF), (0x11000, 0x11FFF), (0x1E900, 0x1E95F)),
)
RIGHT_TO_LEFT = ((0x0590, 0x08FF), (0xFB1D, 0xFDFF), (0xFE70, 0xFEFE), (0x10800, 0x10FFF), (0x1E800, 0x1EFFF))
NOTHING, CONTROL, JOINER, NON_JOINER, SPACE, DIRECTION, TAG, DROPPED = range(8)  # what a character is here
ESCAPE, BRACKET, FLAG = 0x1B, 0x5B, 0x1F3F4
JOINS, IS_RIGHT_TO_LEFT, IS_SYMBOL, IS_CLUSTER = 1, 2, 4, 8


def repair(texts: pa.Array, settings: Unicode) -> pa.Array:
    """Texts (n) with their characters repaired."""
    if settings.mojibake:
        texts = _without_mojibake(texts)
    if settings.control_characters or settings.invisible:
        texts = _cleaned(texts, settings)
    return _composed(texts) if settings.nfc else texts


def _replaced(texts: pa.Array, rows: dict[int, str]) -> pa.Array:
    """The texts with some rows replaced; the stretches between them are copied as they are."""
    pieces, start = [], 0
    for row, text in sorted(rows.items()):
        pieces += [texts.slice(start, row - start), pa.array([text], texts.type)]
        start = row + 1
    return pa.concat_arrays([*pieces, texts.slice(start)]) if rows else texts


def _is_ascii(texts: pa.Array) -> npt.NDArray[np.bool_]:
    """Whether each text (n) is ASCII; true for null."""
    column = Utf8Column.of(texts)
    high = np.concatenate([[0], np.cumsum(column.data[: column.offsets[-1]] >= 0x80, dtype=np.int64)])
    found: Flags = high[column.offsets[1:]] == high[column.offsets[:-1]]
    return found


def _without_mojibake(texts: pa.Array) -> pa.Array:
    lines = Lines.of(texts)
    found = {}
    for place in np.flatnonzero(suspects(lines)).tolist():
        line = lines.data[lines.starts[place] : lines.ends[place]].tobytes().decode()
        fixed = _fixed(line)
        if fixed != line:
            found[place] = fixed
    if not found:
        return texts
    fixed_lines = pa.array(found.values(), pa.large_string())
    return lines.with_texts(np.array(list(found), np.int64), fixed_lines).joined(
        np.ones(len(lines.starts), np.bool_), texts
    )


def suspects(lines: Lines) -> Flags:
    """Which lines ftfy may find bad: bool (number of lines).

    All but a few of its patterns need two characters in a row that are not ASCII and not East Asian, and that are not
    both plain letters of Cyrillic or of Greek.  The others need a control character of Latin-1, or one of Â Ã Œ œ.
    """
    found = np.zeros(len(lines.starts), np.bool_)
    _find_suspects(lines.data, lines.starts, lines.ends, found)
    return found


@cache
def _config() -> "TextFixerConfig":
    from ftfy import TextFixerConfig

    return TextFixerConfig(
        unescape_html=False,
        restore_byte_a0=True,
        replace_lossy_sequences=True,
        decode_inconsistent_utf8=True,
        fix_c1_controls=True,
        explain=False,
    )


def _fixed(line: str) -> str:
    """A line with its mojibake repaired."""
    from ftfy import fix_encoding
    from ftfy.badness import is_bad

    if line.isascii() or not is_bad(line):
        return line
    config = _config()
    return "".join(fix_encoding(line[i : i + PIECE], config) for i in range(0, len(line), PIECE))


def _composed(texts: pa.Array) -> pa.Array:
    changed = {}
    column = Utf8Column.of(texts)
    runs = np.zeros(len(texts), np.int64)
    _longest_runs_of_marks(column.data, column.offsets, character_classes(), runs)
    for row in np.flatnonzero(~_is_ascii(texts) & (runs <= MOST_MARKS)).tolist():
        text = texts[row].as_py()
        if not unicodedata.is_normalized("NFC", text):
            changed[row] = unicodedata.normalize("NFC", text)
    return _replaced(texts, changed)


@cache
def _kinds() -> npt.NDArray[np.uint8]:
    """What each code point is: uint8 (0x110000)."""
    kinds = np.zeros(0x110000, np.uint8)
    for first, last in ((0x00, 0x08), (0x0E, 0x1B), (0x7F, 0x84), (0x86, 0x9F), (0xFDD0, 0xFDEF)):
        kinds[first : last + 1] = CONTROL
    kinds[0xFFFE::0x10000] = kinds[0xFFFF::0x10000] = CONTROL
    dropped = ((0xAD, 0xAD), (0x2060, 0x2064), (0x206A, 0x206F), (0xFEFF, 0xFEFF), (0xFFF9, 0xFFFB), (0xE0000, 0xE001F))
    for first, last in dropped:
        kinds[first : last + 1] = DROPPED
    for first, last in ((0x200E, 0x200F), (0x061C, 0x061C), (0x202A, 0x202E), (0x2066, 0x2069)):
        kinds[first : last + 1] = DIRECTION
    kinds[0x200B], kinds[0x200C], kinds[0x200D] = SPACE, NON_JOINER, JOINER
    kinds[0xE0020:0xE0080] = TAG
    return kinds


@cache
def _beside() -> npt.NDArray[np.uint8]:
    """What each code point means for its neighbours: uint8 (0x110000)."""
    classes = character_classes()
    beside = np.zeros(0x110000, np.uint8)
    for first, last in JOINING:
        block = classes[first : last + 1] & (LETTER | MARK) != 0
        beside[first : last + 1][block] |= JOINS
    for first, last in RIGHT_TO_LEFT:
        beside[first : last + 1] |= IS_RIGHT_TO_LEFT
    for first, last in ((0x2190, 0x2BFF), (0x1F000, 0x1FAFF), (0xFE0F, 0xFE0F)):  # symbols, skin tones among them
        beside[first : last + 1] |= IS_SYMBOL
    for first, last in CLUSTERS:
        block = classes[first : last + 1] & (LETTER | MARK) != 0
        beside[first : last + 1][block] |= IS_CLUSTER
    return beside


def _cleaned(texts: pa.Array, settings: Unicode) -> pa.Array:
    column = Utf8Column.of(texts)
    out = np.empty(int(column.offsets[-1] - column.offsets[0]) + 1, np.uint8)
    offsets = np.zeros(len(column.offsets), np.int64)
    tables = _kinds(), _beside()
    wanted = settings.control_characters, settings.invisible
    n_removed = _clean(column.data, column.offsets, *tables, *wanted, out, offsets)
    return strings(out, offsets, texts) if n_removed else texts


@kernel
def _longest_runs_of_marks(
    data: Bytes, offsets: Places, classes: npt.NDArray[np.uint32], longest: npt.NDArray[np.int64]
) -> None:
    """The largest number of marks in a row in each text."""
    for row in range(len(offsets) - 1):
        run = 0
        i = offsets[row]
        while i < offsets[row + 1]:
            if data[i] < 0x80:
                run = 0
                i += 1
                continue
            code = code_at(data, i)
            run = run + 1 if code < len(classes) and classes[code] & MARK else 0
            longest[row] = max(longest[row], run)
            i += width_at(data, i)


@kernel
def _find_suspects(data: Bytes, starts: Places, ends: Places, found: Flags) -> None:
    for line in range(len(starts)):
        i, end = starts[line], ends[line]
        before = 0  # the character before, if it is not ASCII and not East Asian
        while i < end:
            if data[i] < 0x80:
                i += 1
                before = 0
                continue
            code = code_at(data, i)
            i += width_at(data, i)
            if code < 0xA0 or code in (0xC2, 0xC3, 0x152, 0x153):
                found[line] = True
                break
            if 0x3000 <= code < 0xF8FF or code > 0xFFFF:
                before = 0
                continue
            if before != 0:
                are_cyrillic = 0x410 <= code <= 0x44F and 0x410 <= before <= 0x44F
                are_greek = 0x391 <= code <= 0x3C9 and 0x391 <= before <= 0x3C9
                if not are_cyrillic and not are_greek:
                    found[line] = True
                    break
            before = code


@inner_kernel
def _escape_end(data: Bytes, i: int, end: int) -> int:
    """Where the code for a terminal that begins at i ends; i + 1 if there is none: the character alone goes."""
    at = i + 1
    if at >= end or data[at] != BRACKET:
        return at
    at += 1
    while at < end and (0x30 <= data[at] <= 0x3F):
        at += 1
    is_letter = at < end and (0x41 <= data[at] <= 0x5A or 0x61 <= data[at] <= 0x7A)
    return at + 1 if is_letter else i + 1


@kernel
def _clean(
    data: Bytes,
    starts: Places,
    kinds: npt.NDArray[np.uint8],
    beside: npt.NDArray[np.uint8],
    control_characters: bool,
    invisible: bool,
    out: Bytes,
    offsets: Places,
) -> int:
    """Write the texts without what means nothing; returns the number of characters that were removed."""
    at = n_removed = 0
    for row in range(len(starts) - 1):
        start, end = starts[row], starts[row + 1]
        has_right_to_left, knows = False, False
        before = 0  # what the last visible character means for its neighbours
        following, until = 0, start  # the same of the next one, for every place before `until`
        in_flag = False
        i = start
        while i < end:
            byte = data[i]
            if 0x20 <= byte < 0x7F:
                out[at] = byte
                at += 1
                i += 1
                before, in_flag = 0, False
                continue
            code, width = code_at(data, i), width_at(data, i)
            kind = kinds[code]
            stays = True
            if kind == NOTHING:
                before = beside[code]
                in_flag = code == FLAG
            elif kind == CONTROL:
                if control_characters:
                    stays = False
                    if code == ESCAPE:
                        width = _escape_end(data, i, end) - i
            elif invisible:
                if i >= until:
                    until = i
                    while until < end and kinds[code_at(data, until)] != NOTHING:
                        until += width_at(data, until)
                    following = beside[code_at(data, until)] if until < end else 0
                if kind == DROPPED:
                    stays = False
                elif kind == SPACE:
                    stays = (before | following) & IS_CLUSTER != 0
                elif kind == NON_JOINER:
                    stays = (before | following) & JOINS != 0
                elif kind == JOINER:
                    stays = (before | following) & JOINS != 0 or before & following & IS_SYMBOL != 0
                elif kind == TAG:
                    stays = in_flag
                else:
                    if not knows:
                        place = start
                        while place < end and not has_right_to_left:
                            other = code_at(data, place)
                            has_right_to_left = beside[other] & IS_RIGHT_TO_LEFT != 0 and kinds[other] == NOTHING
                            place += width_at(data, place)
                        knows = True
                    stays = has_right_to_left
            if stays:
                for k in range(width):
                    out[at] = data[i + k]
                    at += 1
            else:
                n_removed += 1
            i += width
        offsets[row + 1] = at
    return n_removed
