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

RefinedWeb (Penedo et al. 2023, arXiv:2306.01116, table 13 of its appendix) flags lines of five kinds; here:

    upper case      more than half of the characters are upper-case letters
    numeric         every character is a number
    counter         two words, of which the first begins with a digit and the second is one of COUNTED: `3 likes`
    one word        it has one word; in scripts without spaces, what counts as one
    boilerplate     at most 10 words, and one of PHRASES at its start, at its end or anywhere

The kernel is a state machine over bytes.  It writes counts, and hashes of all units, lines and paragraphs, which is
all that `corpusmill.filters.repetition` needs.  Cost: 132 MB/s per core on web pages in English (bench/filters.py, a
busy machine).  Most of it is branches that cannot be predicted, at the ends of words.  A loop of its own for runs of
lower-case ASCII letters made English 2 times faster; that it might start a word as well made no difference.
"""

from dataclasses import dataclass
from functools import cache
from typing import Self

import numpy as np
import numpy.typing as npt

from corpusmill.arrow import read_only
from corpusmill.filters.characters import (
    BULLET,
    CLOSER,
    CLUSTER,
    ENDING_SHIFT,
    IDEOGRAPH,
    LETTER,
    LOWERCASE,
    MARK,
    NUMBER,
    OTHER_SCRIPT,
    SCRIPT_SHIFT,
    SEPARATOR,
    SIMPLIFIED,
    SPACE,
    TERMINAL,
    TRADITIONAL,
    UPPERCASE,
    WIDE,
    character_classes,
)
from corpusmill.filters.utf8 import character_at
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
    CLOSING_BRACES,
    UPPERCASE_WORDS,
    KOREAN_WORDS,  # that end in one of KOREAN_ENDINGS
    KOREAN_ENDING_SET,  # a bit for each of KOREAN_ENDINGS that occurs
    TRADITIONALS,
    SIMPLIFIEDS,
    LONG_LINES,
    JAVASCRIPT_LINES,
    LINE_WORDS,
    UPPERCASE_LINES,
    NUMERIC_LINES,
    COUNTER_LINES,
    ONE_WORD_LINES,
    BOILERPLATE_LINES,
    FLAGGED_LINE_WORDS,
    SCRIPTS,  # this and the following: letters of each script; the first counts what is no letter
) = range(38)
N_COUNTS = SCRIPTS + OTHER_SCRIPT + 1
UPPERCASE_SUM, NUMBER_SUM = 0, 1  # sums over lines, of shares

LONG_LINE = 200  # characters, as in mC4
SHORT_PHRASE_LINE = 10  # words, as in RefinedWeb
JAVASCRIPT = ("javascript", "JavaScript", "Javascript", "JAVASCRIPT")
COUNTED = (
    "like likes share shares comment comments retweet retweets repost reposts quote quotes bookmark bookmarks upvote "
    "upvotes downvote downvotes download downloads view views follower followers reply replies"
)
START, END, ANYWHERE = 0, 1, 2
PHRASES = {"sign-in": START, "sign in": START, "read more": END, "item in cart": ANYWHERE, "items in cart": ANYWHERE}
"""What a line of few words holds that is no content, and where; the examples that RefinedWeb gives."""
LONGEST_PHRASE = 3

_LOREM_IPSUM = np.frombuffer(b"lorem ipsum", np.uint8)

SEED = np.uint64(0xCBF29CE484222325)
PRIME = np.uint64(0x9E3779B97F4A7C15)
NEWLINE, SPACE_CODE, HASH, DOT, LOWER_A, LOWER_Z, CURLY_BRACE, CLOSING_BRACE, ELLIPSIS = (
    0x0A,
    0x20,
    0x23,
    0x2E,
    0x61,
    0x7A,
    0x7B,
    0x7D,
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
    """What one pass finds in n documents.  counts: int64 (n, N_COUNTS); line_sums: float64 (n, 2)."""

    counts: npt.NDArray[np.int64]
    line_sums: npt.NDArray[np.float64]
    units: Pieces
    lines: Pieces
    paragraphs: Pieces


def measure_shape(data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> Shape:
    """Counts and pieces of the n documents data[offsets[i]:offsets[i + 1]], UTF-8."""
    data = read_only(data)
    n = len(offsets) - 1
    n_bytes = int(offsets[-1] - offsets[0])
    n_newlines = int(np.count_nonzero(data[offsets[0] : offsets[-1]] == ord("\n")))
    counts, line_sums = np.zeros((n, N_COUNTS), np.int64), np.zeros((n, 2))
    units = Pieces.empty(n_bytes // 2 + n, n)  # a unit and the space after it have two bytes or more
    lines = Pieces.empty(n_newlines + n, n)
    paragraphs = Pieces.empty(n_newlines + n, n)
    _scan(
        *(data, offsets, character_classes(), *_known(), counts, line_sums, units.hashes, units.lengths, units.ends),
        *(lines.hashes, lines.lengths, lines.ends, paragraphs.hashes, paragraphs.lengths, paragraphs.ends),
    )
    return Shape(counts, line_sums, units, lines, paragraphs)


def count_lorem_ipsum(data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """How often each of n documents holds 'lorem ipsum', in upper or lower case of ASCII: int64 (n)."""
    counts = np.zeros(len(offsets) - 1, np.int64)
    _count_lorem_ipsum(read_only(data), offsets, _LOREM_IPSUM, counts)
    return counts


@kernel
def _count_lorem_ipsum(
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    wanted: npt.NDArray[np.uint8],
    counts: npt.NDArray[np.int64],
) -> None:
    """Looks at the byte where `lorem` would end, and goes on by as many bytes as that one allows."""
    n = len(wanted)
    for row in range(len(counts)):
        i, end = offsets[row], offsets[row + 1] - n
        while i <= end:
            byte = data[i + 4] | 0x20
            if byte == 0x6D:  # m
                matching = 0
                while matching < n and (
                    data[i + matching] == wanted[matching]
                    or (wanted[matching] > 0x40 and data[i + matching] | 0x20 == wanted[matching])
                ):
                    matching += 1
                if matching == n:
                    counts[row] += 1
                    i += n
                else:
                    i += 1
            elif byte == 0x65:  # e
                i += 1
            elif byte == 0x72:  # r
                i += 2
            elif byte == 0x6F:  # o
                i += 3
            elif byte == 0x6C:  # l
                i += 4
            else:
                i += 5


def word_hash(word: str) -> int:
    """The hash of a unit of letters and numbers, as the kernel makes it."""
    value = int(SEED)
    for character in word:
        value = (value ^ ord(character)) * int(PRIME) & 0xFFFFFFFFFFFFFFFF
    return value


@cache
def _known() -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64], npt.NDArray[np.uint64], npt.NDArray[np.int8]]:
    """Hashes of JAVASCRIPT, of COUNTED, and of PHRASES (phrases, LONGEST_PHRASE; 0 for none) with their places."""
    counted = [word_hash(form) for word in COUNTED.split() for form in (word, word.capitalize(), word.upper())]
    rows, places = [], []
    for phrase, place in PHRASES.items():
        for form in dict.fromkeys((phrase, phrase.capitalize(), phrase.title(), phrase.upper())):
            hashes = [word_hash(word.replace("-", "")) for word in form.split()]
            rows.append(hashes + [0] * (LONGEST_PHRASE - len(hashes)))
            places.append(place)
    javascript = [word_hash(word) for word in JAVASCRIPT]
    known = (np.array(javascript, np.uint64), np.sort(np.array(counted, np.uint64)), np.array(rows, np.uint64))
    return *known, np.array(places, np.int8)


@kernel
def _has_phrase(units: npt.NDArray[np.uint64], phrases: npt.NDArray[np.uint64], places: npt.NDArray[np.int8]) -> bool:
    """Whether the units of a line hold one of the phrases, where it must stand."""
    n = len(units)
    for k in range(len(phrases)):
        length = 1
        while length < LONGEST_PHRASE and phrases[k, length] != 0:
            length += 1
        first, last = 0, n - length
        if places[k] == START:
            last = min(last, 0)
        elif places[k] == END:
            first = last
        for start in range(max(first, 0), last + 1):
            matching = 0
            while matching < length and units[start + matching] == phrases[k, matching]:
                matching += 1
            if matching == length:
                return True
    return False


@kernel
def _scan(
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    classes: npt.NDArray[np.uint32],
    javascript: npt.NDArray[np.uint64],
    counted: npt.NDArray[np.uint64],
    phrases: npt.NDArray[np.uint64],
    phrase_places: npt.NDArray[np.int8],
    counts: npt.NDArray[np.int64],
    line_sums: npt.NDArray[np.float64],
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
        word_hash, word_length, word_flags, word_ending = SEED, 0, 0, 0
        in_unit = False  # directly after a letter of a script without spaces, or after its marks
        in_chunk, chunk_has_word = False, False
        sentence_has_word, sentence_may_end = False, False
        line_hash, line_length, line_columns = SEED, 0, 0
        line_first, line_last, line_flags = 0, 0, 0  # line_flags: of its last character that is no closer
        dots = 0  # in a row, up to here
        line_units = n_units  # and the following: as they were when the line began
        line_words = line_ideographs = line_clusters = line_uppercases = line_numbers = 0
        line_has_javascript = False
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
                word_flags |= LETTER | LOWERCASE
                word_ending = 0
                line_flags = LETTER
                line_last = previous = LOWER_A
                dots = 0
                in_unit, sentence_may_end = False, False
                chunk_has_word, sentence_has_word = True, True

            if i == end:  # every text ends with a newline, even if it is not there
                code = NEWLINE
                i += 1
            else:
                width, code = 1, int(data[i])
                if code >= 0x80:
                    width, code = character_at(data, i, end)
                    if width == 0:
                        width, code = 1, 0xFFFD
                i += width
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
                    count[UPPERCASE_WORDS] += word_flags & (UPPERCASE | LOWERCASE) == UPPERCASE
                    if word_ending:
                        count[KOREAN_WORDS] += 1
                        count[KOREAN_ENDING_SET] |= 1 << word_ending
                    if word_length == 10:
                        for k in range(len(javascript)):
                            line_has_javascript |= word_hash == javascript[k]
                word_hash, word_length, word_flags, word_ending = SEED, 0, 0, 0
                in_unit = flags & LETTER != 0
                if in_unit:
                    unit_hashes[n_units] = (SEED ^ np.uint64(code)) * PRIME
                    unit_lengths[n_units] = 1
                    n_units += 1
                    ideographs += flags & IDEOGRAPH != 0
                    clusters += flags & CLUSTER != 0
                    count[TRADITIONALS] += flags & TRADITIONAL != 0
                    count[SIMPLIFIEDS] += flags & SIMPLIFIED != 0
            elif flags & MARK and in_unit:
                unit_hashes[n_units - 1] = (unit_hashes[n_units - 1] ^ np.uint64(code)) * PRIME
                unit_lengths[n_units - 1] += 1
            elif flags & (LETTER | NUMBER | MARK):
                word_hash = (word_hash ^ np.uint64(code)) * PRIME
                word_length += 1
                word_flags |= flags
                word_ending = flags >> ENDING_SHIFT
                in_unit = False
            else:
                in_unit = False

            if flags & SPACE == 0:
                letters += flags & LETTER
                count[SCRIPTS + (flags >> SCRIPT_SHIFT & 15)] += 1
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
                    count[CLOSING_BRACES] += code == CLOSING_BRACE
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
                    count[LONG_LINES] += line_length >= LONG_LINE
                    count[JAVASCRIPT_LINES] += line_has_javascript
                    units_here = n_units - line_units
                    words_here = count[WORDS] - line_words
                    if ideographs + clusters > line_ideographs + line_clusters:  # two or four letters to a word
                        words_here += (ideographs - line_ideographs + 1) // 2 + (clusters - line_clusters + 3) // 4
                    is_uppercase = 2 * (uppercases - line_uppercases) > line_length
                    is_numeric = numbers - line_numbers == line_length
                    is_counter = False
                    if units_here == 2 and words_here == 2 and 0x30 <= line_first <= 0x39:
                        place = np.searchsorted(counted, unit_hashes[n_units - 1])
                        is_counter = place < len(counted) and counted[place] == unit_hashes[n_units - 1]
                    is_boilerplate = 0 < words_here <= SHORT_PHRASE_LINE and _has_phrase(
                        unit_hashes[line_units:n_units], phrases, phrase_places
                    )
                    count[LINE_WORDS] += words_here
                    count[UPPERCASE_LINES] += is_uppercase
                    count[NUMERIC_LINES] += is_numeric
                    count[COUNTER_LINES] += is_counter
                    count[ONE_WORD_LINES] += words_here == 1
                    count[BOILERPLATE_LINES] += is_boilerplate
                    if is_uppercase or is_numeric or is_counter or words_here == 1 or is_boilerplate:
                        count[FLAGGED_LINE_WORDS] += words_here
                    line_sums[row, UPPERCASE_SUM] += (uppercases - line_uppercases) / line_length
                    line_sums[row, NUMBER_SUM] += (numbers - line_numbers) / line_length
                    line_units, line_words, line_has_javascript = n_units, count[WORDS], False
                    line_ideographs, line_clusters = ideographs, clusters
                    line_uppercases, line_numbers = uppercases, numbers
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

        count[SCRIPTS + 1] = letters  # the first script is Latin, whose letters are not counted one by one
        for script in range(SCRIPTS + 2, SCRIPTS + OTHER_SCRIPT + 1):
            count[SCRIPTS + 1] -= count[script]
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
