"""One pass over the text of each document: what can be counted of its characters, words, lines and paragraphs.

    character   a Unicode code point
    chunk       a maximal run of characters that are not white space, as by `str.split()`
    word        a maximal run within a chunk without separators and without letters of scripts that have no spaces,
                if it holds a letter or a number.  Its length is that of its letters, numbers and marks; of its other
                characters nothing is kept, so that `end`, `"end"` and `end.` are one word in two lines
    unit        a word, or a letter of a script without spaces together with the marks that follow it
    line        what lies between newlines, with the white space at its ends removed and each run of it within the line
                made one space; a line without characters is blank and not counted
    paragraph   a run of lines between blank lines
    sentence    ends at a character of Unicode's property Sentence_Terminal (`.`, `!` and `?` only before white space,
                closing quotes and brackets in between) or with its paragraph, if it holds a letter or a number

The kernel is a state machine over bytes.  It writes counts, and hashes of all units, lines and paragraphs, which is
all that `corpusmill.filters.repetition` needs.  Cost: 170-185 MB/s a core on English, 205 on 387 languages
(bench/signals.py); most of it is branches that cannot be predicted, at the ends of words.  A loop of its own for runs
of lower-case ASCII letters made English 2 times faster; that it might start a word as well made no difference.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from corpusmill.filters.characters import (
    BULLET,
    CLOSER,
    CLUSTER,
    IDEOGRAPH,
    LETTER,
    MARK,
    NUMBER,
    SEPARATOR,
    SPACE,
    TERMINAL,
    UPPERCASE,
    WIDE,
    character_classes,
)
from corpusmill.kernels import kernel

SHORT_LINE_COLUMNS = 30  # FineWeb's 30 characters; wide characters take two columns and marks none

(
    CHARACTERS,
    LETTERS,
    NUMBERS,
    UPPERCASES,
    GARBLED,
    IDEOGRAPHS,
    CLUSTERS,
    WORDS,  # outside the scripts without spaces
    WORD_CHARACTERS,
    ALPHABETIC_WORDS,
    SYMBOL_CHUNKS,  # chunks without letters and numbers
    HASHES,
    ELLIPSES,
    CURLY_BRACES,
    NEWLINES,
    LINES,
    LINE_CHARACTERS,
    BULLET_LINES,
    ELLIPSIS_LINES,
    TERMINAL_LINES,
    SHORT_LINES,
    SENTENCES,
    N_COUNTS,
) = range(23)

SEED = np.uint64(0xCBF29CE484222325)
PRIME = np.uint64(0x9E3779B97F4A7C15)
NEWLINE, SPACE_CODE, HASH, DOT, LOWER_A, LOWER_Z, CURLY_BRACE, ELLIPSIS = (
    0x0A,
    0x20,
    0x23,
    0x2E,
    0x61,
    0x7A,
    0x7B,
    0x2026,
)


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """Units, lines or paragraphs of n documents: those of document i are [ends[i - 1], ends[i]).

    hashes: uint64, lengths: int32 (characters), ends: int64 (n)
    """

    hashes: npt.NDArray[np.uint64]
    lengths: npt.NDArray[np.int32]
    ends: npt.NDArray[np.int64]

    @classmethod
    def empty(cls, capacity: int, n: int) -> Self:
        """Room for `capacity` pieces of n documents."""
        return cls(np.empty(capacity, np.uint64), np.empty(capacity, np.int32), np.zeros(n, np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """What one pass finds in n documents.  counts: int64 (n, N_COUNTS)."""

    counts: npt.NDArray[np.int64]
    units: Pieces
    lines: Pieces
    paragraphs: Pieces


def measure_shape(data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> Shape:
    """Counts and pieces of the n documents data[offsets[i]:offsets[i + 1]], UTF-8."""
    data = data.view()
    data.flags.writeable = False  # numba compiles a kernel twice for arrays that are read-only and those that are not
    n = len(offsets) - 1
    n_bytes = int(offsets[-1] - offsets[0])
    n_newlines = int(np.count_nonzero(data[offsets[0] : offsets[-1]] == ord("\n")))
    counts = np.zeros((n, N_COUNTS), np.int64)
    units = Pieces.empty(n_bytes // 2 + n, n)  # a unit and the space after it have two bytes or more
    lines = Pieces.empty(n_newlines + n, n)
    paragraphs = Pieces.empty(n_newlines + n, n)
    _scan(
        *(data, offsets, character_classes(), counts, units.hashes, units.lengths, units.ends),
        *(lines.hashes, lines.lengths, lines.ends, paragraphs.hashes, paragraphs.lengths, paragraphs.ends),
    )
    return Shape(counts, units, lines, paragraphs)


@kernel
def _scan(
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    classes: npt.NDArray[np.uint16],
    counts: npt.NDArray[np.int64],
    unit_hashes: npt.NDArray[np.uint64],
    unit_lengths: npt.NDArray[np.int32],
    unit_ends: npt.NDArray[np.int64],
    line_hashes: npt.NDArray[np.uint64],
    line_lengths: npt.NDArray[np.int32],
    line_ends: npt.NDArray[np.int64],
    paragraph_hashes: npt.NDArray[np.uint64],
    paragraph_lengths: npt.NDArray[np.int32],
    paragraph_ends: npt.NDArray[np.int64],
) -> None:
    n_units = n_lines = n_paragraphs = 0
    for row in range(len(offsets) - 1):
        count = counts[row]
        i, end = offsets[row], offsets[row + 1]
        characters = letters = numbers = uppercases = ideographs = clusters = 0
        previous = 0
        word_hash, word_length, word_flags = SEED, 0, 0
        in_unit = False  # directly after a letter of a script without spaces, or after its marks
        in_chunk, chunk_has_word = False, False
        sentence_has_word, sentence_may_end = False, False
        line_hash, line_length, line_columns = SEED, 0, 0
        line_first, line_last, line_flags = 0, 0, 0  # line_flags: of its last character that is no closer
        dots = 0  # in a row, up to here
        paragraph_hash, paragraph_length = SEED, 0

        while i <= end:
            if in_chunk and i < end and LOWER_A <= data[i] <= LOWER_Z:  # the usual case: two thirds of English text
                start = i
                while i < end and LOWER_A <= data[i] <= LOWER_Z:
                    word_hash = (word_hash ^ np.uint64(data[i])) * PRIME
                    line_hash = (line_hash ^ np.uint64(data[i])) * PRIME
                    i += 1
                run = i - start
                characters += run
                letters += run
                word_length += run
                line_length += run
                line_columns += run
                word_flags |= LETTER
                line_flags = LETTER
                line_last = previous = LOWER_A
                dots = 0
                in_unit, sentence_may_end = False, False
                chunk_has_word, sentence_has_word = True, True

            if i == end:  # every text ends with a newline, even if it is not there
                code = NEWLINE
                i += 1
            else:
                byte = int(data[i])
                i += 1
                if byte < 0x80:
                    code = byte
                elif byte < 0xE0 and i < end:
                    code = (byte & 0x1F) << 6 | int(data[i]) & 0x3F
                    i += 1
                elif byte < 0xF0 and i + 1 < end:
                    code = (byte & 0x0F) << 12 | (int(data[i]) & 0x3F) << 6 | int(data[i + 1]) & 0x3F
                    i += 2
                elif i + 2 < end:
                    code = (byte & 0x07) << 18 | (int(data[i]) & 0x3F) << 12
                    code |= (int(data[i + 1]) & 0x3F) << 6 | int(data[i + 2]) & 0x3F
                    i += 3
                else:
                    code = 0xFFFD
            flags = int(classes[code]) if code < len(classes) else 0

            characters += 1
            if code >= 0x80:
                if code < 0xA0 or code == 0xFFFD:
                    count[GARBLED] += 1
                elif (0xA0 < code < 0xC0 and 0xC2 <= previous <= 0xC3) or (code == 0x20AC and previous == 0xE2):
                    count[GARBLED] += 2  # UTF-8 that was read as Latin-1 or windows-1252

            # words and units
            if flags & (SPACE | SEPARATOR | IDEOGRAPH | CLUSTER):
                if word_flags & (LETTER | NUMBER):
                    unit_hashes[n_units] = word_hash
                    unit_lengths[n_units] = word_length
                    n_units += 1
                    count[WORDS] += 1
                    count[WORD_CHARACTERS] += word_length
                    count[ALPHABETIC_WORDS] += word_flags & LETTER
                word_hash, word_length, word_flags = SEED, 0, 0
                in_unit = flags & LETTER != 0
                if in_unit:
                    unit_hashes[n_units] = (SEED ^ np.uint64(code)) * PRIME
                    unit_lengths[n_units] = 1
                    n_units += 1
                    ideographs += flags & IDEOGRAPH != 0
                    clusters += flags & CLUSTER != 0
            elif flags & MARK and in_unit:
                unit_hashes[n_units - 1] = (unit_hashes[n_units - 1] ^ np.uint64(code)) * PRIME
                unit_lengths[n_units - 1] += 1
            elif flags & (LETTER | NUMBER | MARK):
                word_hash = (word_hash ^ np.uint64(code)) * PRIME
                word_length += 1
                word_flags |= flags
                in_unit = False
            else:
                in_unit = False

            if flags & SPACE == 0:
                letters += flags & LETTER
                numbers += flags & NUMBER != 0
                uppercases += flags & UPPERCASE != 0
                if line_length == 0:
                    line_first = code
                    count[BULLET_LINES] += flags & BULLET != 0
                elif not in_chunk:
                    line_hash = (line_hash ^ np.uint64(SPACE_CODE)) * PRIME
                    line_columns += 1
                    if line_length == 1:
                        count[BULLET_LINES] += (
                            line_first == 0x2D or line_first == 0x2A or line_first == 0x2B or line_first == 0x2013
                        )
                    line_length += 1
                line_hash = (line_hash ^ np.uint64(code)) * PRIME
                line_length += 1
                line_columns += 0 if flags & MARK else 2 if flags & WIDE else 1
                line_last = code
                if flags & CLOSER == 0:
                    line_flags = flags
                if flags & (LETTER | NUMBER):
                    chunk_has_word = True
                    sentence_has_word = True
                    dots = 0
                elif code == DOT:
                    dots = dots + 1 if in_chunk else 1
                    count[ELLIPSES] += dots % 3 == 0
                else:
                    dots = 0
                    count[ELLIPSES] += code == ELLIPSIS
                    count[HASHES] += code == HASH
                    count[CURLY_BRACES] += code == CURLY_BRACE
                if flags & TERMINAL == 0:
                    sentence_may_end = sentence_may_end and flags & CLOSER != 0
                elif code < 0x80:
                    sentence_may_end = True
                elif sentence_has_word:
                    count[SENTENCES] += 1
                    sentence_has_word = False
                in_chunk = True
            else:
                count[SYMBOL_CHUNKS] += in_chunk and not chunk_has_word
                in_chunk, chunk_has_word = False, False
                if sentence_may_end and sentence_has_word:
                    count[SENTENCES] += 1
                    sentence_has_word = False
                sentence_may_end = False

            if code == NEWLINE:
                count[NEWLINES] += 1
                blank = line_length == 0
                if not blank:
                    line_hashes[n_lines] = line_hash
                    line_lengths[n_lines] = line_length
                    n_lines += 1
                    count[LINES] += 1
                    count[LINE_CHARACTERS] += line_length
                    count[ELLIPSIS_LINES] += line_last == ELLIPSIS or dots >= 3
                    count[TERMINAL_LINES] += line_flags & TERMINAL != 0
                    count[SHORT_LINES] += line_columns <= SHORT_LINE_COLUMNS
                    paragraph_hash = (paragraph_hash ^ line_hash) * PRIME
                    paragraph_length += line_length
                    line_hash, line_length, line_columns = SEED, 0, 0
                    line_flags, dots = 0, 0
                if (blank or i > end) and paragraph_length > 0:
                    paragraph_hashes[n_paragraphs] = paragraph_hash
                    paragraph_lengths[n_paragraphs] = paragraph_length
                    n_paragraphs += 1
                    paragraph_hash, paragraph_length = SEED, 0
                    count[SENTENCES] += sentence_has_word
                    sentence_has_word = False
            previous = code

        count[CHARACTERS] = characters - 1  # without the newline that is not there
        count[NEWLINES] -= 1
        count[LETTERS] = letters
        count[NUMBERS] = numbers
        count[UPPERCASES] = uppercases
        count[IDEOGRAPHS] = ideographs
        count[CLUSTERS] = clusters
        unit_ends[row] = n_units
        line_ends[row] = n_lines
        paragraph_ends[row] = n_paragraphs
