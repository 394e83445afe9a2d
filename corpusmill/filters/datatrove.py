"""Signals as datatrove's four filters define them: Gopher quality and repetition, C4, FineWeb (version 0.10, English).

They differ from ours in what is a word (spaCy's tokens, see `english`), what is divided by what (all characters, not
those of words), and what is counted: overlapping occurrences of the most frequent n-gram twice, repeated n-grams
from left to right without overlap, lines by `str.splitlines` here and by newlines there.  C4's signals are of the
lines that its filter keeps, so of an edited text; so are those of TFDS, its model, which want five words to a line
instead of three, and which count sentences by another program.

One pass decodes a document and finds the tokens; the rest are short loops over characters, tokens and lines.  Hashes
are polynomials modulo 2^64, so that the hash of any piece, or of several joined, takes a multiplication.

An n-gram of datatrove is a string of joined words, so `ab c` repeats `a bc`.  Two n-grams of REACH or more characters
can only be equal if the first REACH of them are: those that share them with no other are passed over, at one look-up
for all six lengths.
"""

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpusmill.arrow import Utf8Column
from corpusmill.filters import english as e
from corpusmill.filters.batches import batches, ratio
from corpusmill.filters.repetition import entry_of, mix
from corpusmill.filters.utf8 import character_at
from corpusmill.kernels import inner_kernel, kernel

U8 = npt.NDArray[np.uint8]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]

(
    CHARACTERS,
    TOKENS,
    WORDS,  # tokens that are not only punctuation
    WORD_CHARACTERS,
    ALPHABETIC_TOKENS,
    HASHES,
    ELLIPSES,
    STOP_WORDS,
    LINES,  # of str.splitlines
    BULLET_LINES,
    ELLIPSIS_LINES,
    PARAGRAPHS,
    DUPLICATE_PARAGRAPHS,
    DUPLICATE_PARAGRAPH_CHARACTERS,
    RUNS,  # what lies between runs of newlines
    DUPLICATE_RUNS,
    DUPLICATE_RUN_CHARACTERS,
    FULL_LINES,  # that are not blank
    TERMINAL_LINES,
    SHORT_LINES,
    DUPLICATE_FULL_LINES,
    DUPLICATE_FULL_LINE_CHARACTERS,
    NEWLINES,
    SENTENCES,  # in the lines that the C4 filter keeps
    LOREM_IPSUM,
    CURLY_BRACKETS,
    TFDS_SENTENCES,
    TFDS_LOREM_IPSUM,
    TFDS_CURLY_BRACKETS,
    TOP,  # and the following two: characters in the most frequent 2-, 3-, 4-gram
) = range(30)
DUPLICATES = TOP + 3  # and the following five: characters in repeated 5- to 10-grams
N_COUNTS = DUPLICATES + 6

PRIME = np.uint64(0x9E3779B97F4A7C15)
REACH = 12
LONGEST_EXCEPTION = 24  # characters
MAX_WORD_LENGTH = 1000  # C4
SHORT_LINE = 30
_NEWLINE, _SPACE, _QUOTE, _HASH, _PLUS, _HYPHEN, _DOT, _SLASH = (ord(character) for character in '\n "#+-./')
_ELLIPSIS, _BULLET, _OPEN, _CLOSE, _BRACE, _APOSTROPHE = (ord(character) for character in "…•[]{'")
_MASK = 0xFFFFFFFFFFFFFFFF


def measure_datatrove(text: pa.Array) -> dict[str, pa.Array]:
    """The signals of the group `signals_datatrove`, of n texts; null where the text is null."""
    count = _counts(text, everything=True)
    columns: dict[str, Any] = {
        "n_words_datatrove": count[WORDS],
        "mean_word_length_datatrove": ratio(count[WORD_CHARACTERS], count[WORDS]),
        "hash_word_ratio_datatrove": ratio(count[HASHES], count[TOKENS]),
        "ellipsis_word_ratio_datatrove": ratio(count[ELLIPSES], count[TOKENS]),
        "bullet_line_share_datatrove": ratio(count[BULLET_LINES], count[LINES]),
        "ellipsis_line_share_datatrove": ratio(count[ELLIPSIS_LINES], count[LINES]),
        "alphabetic_word_share_datatrove": ratio(count[ALPHABETIC_TOKENS], count[TOKENS]),
        "stop_word_count_datatrove": count[STOP_WORDS],
        "duplicate_paragraph_share_datatrove": ratio(count[DUPLICATE_PARAGRAPHS], count[PARAGRAPHS]),
        "duplicate_paragraph_char_share_datatrove": ratio(count[DUPLICATE_PARAGRAPH_CHARACTERS], count[CHARACTERS]),
        "duplicate_line_share_datatrove": ratio(count[DUPLICATE_RUNS], count[RUNS]),
        "duplicate_line_char_share_datatrove": ratio(count[DUPLICATE_RUN_CHARACTERS], count[CHARACTERS]),
        "terminal_punctuation_line_share_datatrove": ratio(count[TERMINAL_LINES], count[FULL_LINES]),
        "short_line_share_datatrove": ratio(count[SHORT_LINES], count[FULL_LINES]),
        "fineweb_duplicate_line_char_share_datatrove": ratio(
            count[DUPLICATE_FULL_LINE_CHARACTERS], count[CHARACTERS] - count[NEWLINES]
        ),
        "newline_word_ratio_datatrove": ratio(count[NEWLINES], count[TOKENS]),
        "c4_lines_n_sentences_datatrove": count[SENTENCES],
        "c4_lines_lorem_ipsum_datatrove": count[LOREM_IPSUM] > 0,
        "c4_lines_curly_bracket_datatrove": count[CURLY_BRACKETS] > 0,
    }
    for i, n in enumerate((2, 3, 4)):
        too_few = np.where(count[TOKENS] >= n, count[CHARACTERS], 0)
        columns[f"top_{n}_gram_char_share_datatrove"] = ratio(count[TOP + i], too_few)
    for i, n in enumerate((5, 6, 7, 8, 9, 10)):
        columns[f"duplicate_{n}_gram_char_share_datatrove"] = ratio(count[DUPLICATES + i], count[CHARACTERS])
    return _where_readable(columns, text)


def measure_c4(text: pa.Array) -> dict[str, pa.Array]:
    """The signals of the group `signals_c4`, of n texts; null where the text is null."""
    count = _counts(text, everything=False)
    columns = {
        "c4_lines_n_sentences_tfds": count[TFDS_SENTENCES],
        "c4_lines_lorem_ipsum_tfds": count[TFDS_LOREM_IPSUM] > 0,
        "c4_lines_curly_bracket_tfds": count[TFDS_CURLY_BRACKETS] > 0,
    }
    return _where_readable(columns, text)


def tokens_of(text: str) -> list[str]:
    """The words of a text, for tests and for a look at them."""
    data = np.frombuffer(text.encode("utf-8", "surrogatepass") + b"\n", np.uint8)
    codes, flags, hashes = (
        np.empty(len(data), np.int32),
        np.empty(len(data), np.uint32),
        np.empty(len(data) + 1, np.uint64),
    )
    classes, *tables = _tables()
    size = decode(data, 0, len(data), classes, codes, flags, hashes)
    starts, ends = np.empty((2, len(data) + 1), np.int32)
    powers = powers_of(len(data) + 2)
    keys, lengths, units, currencies = tables[:4]
    n = _tokenize(codes, flags, hashes, powers, keys, lengths, units, currencies, 0, size, starts, ends)
    return [text[start:end] for start, end in zip(starts[:n].tolist(), ends[:n].tolist(), strict=True)]


def _where_readable(columns: dict[str, Any], text: pa.Array) -> dict[str, pa.Array]:
    readable = text.is_valid()
    return {
        name: pc.if_else(readable, values if isinstance(values, pa.Array) else pa.array(values), None)
        for name, values in columns.items()
    }


def _counts(text: pa.Array, *, everything: bool) -> I64:
    """What the kernel counts in n texts: int64 (N_COUNTS, n)."""
    column = Utf8Column.of(text)
    counts = np.zeros((len(column), N_COUNTS), np.int64)
    tables = _tables()
    for start, end in batches(column.offsets):
        _measure(*(column.data, column.offsets[start : end + 1], *tables, everything, counts[start:end]))
    return counts.T


@cache
def _tables() -> tuple[Any, ...]:
    """Character flags; exceptions as a hash table with the lengths of their tokens; units; stop words; phrases."""
    words = e.exceptions()
    size = 8192
    keys, lengths = np.zeros(size, np.uint64), np.zeros((size, 3), np.int8)
    for word, parts in words.items():
        key = _hash(word)
        slot = key % size
        while lengths[slot, 0]:
            slot = (slot + 1) % size
        keys[slot] = key
        lengths[slot, : len(parts)] = [len(part) for part in parts]
    assert max(map(len, words)) <= LONGEST_EXCEPTION
    units = np.sort(np.array([_hash(unit) for unit in e.UNITS.split()], np.uint64))
    currencies = np.sort(np.array([_hash(name) for name in ("US$", "C$", "A$")], np.uint64))
    stop_words = np.array([_hash(word) for word in e.STOP_WORDS], np.uint64)
    phrases = ("javascript", "lorem ipsum", *_POLICIES)
    codes = np.zeros((len(phrases), max(map(len, phrases))), np.int32)
    for row, phrase in enumerate(phrases):
        codes[row, : len(phrase)] = [ord(character) for character in phrase]
    abbreviations = np.sort(np.array([_hash(f"{word}.") for word in _ABBREVIATIONS.split()], np.uint64))
    return e.character_classes(), keys, lengths, units, currencies, stop_words, codes, abbreviations


_POLICIES = ("terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies")
_JAVASCRIPT, _LOREM = 0, 1
_CITATIONS = np.zeros((2, 18), np.int32)
for _row, _words in enumerate(("[edit]", "[citation needed]")):
    _CITATIONS[_row, : len(_words)] = [ord(_character) for _character in _words]
_ABBREVIATIONS = "mr mrs ms dr prof st jr sr vs etc e.g i.e u.s inc ltd co corp no gen sen rep gov mt ft fig vol"


def _hash(text: str) -> int:
    value = 0
    for character in text:
        value = (value * int(PRIME) + ord(character) + 1) & _MASK
    return value


@kernel
def powers_of(n: int) -> U64:
    """PRIME to the power of 0 to n - 1."""
    powers = np.empty(n, np.uint64)
    powers[0] = 1
    for i in range(1, n):
        powers[i] = powers[i - 1] * PRIME
    return powers


@inner_kernel
def span(hashes: U64, powers: U64, start: int, end: int) -> np.uint64:
    """The hash of the characters from start to end."""
    return np.uint64(hashes[end] - hashes[start] * powers[end - start])


@inner_kernel
def _among(key: np.uint64, known: U64) -> bool:
    place = np.searchsorted(known, key)
    return bool(place < len(known) and known[place] == key)


@kernel
def decode(data: U8, i: int, end: int, classes: U32, codes: I32, flags: U32, hashes: U64) -> int:
    """UTF-8 from i to end -> code points, their flags, and hashes of all that lies before each; their number."""
    n = 0
    value = np.uint64(0)
    hashes[0] = value
    while i < end:
        width, code = character_at(data, i, end)
        if width == 0:
            width, code = 1, 0xFFFD
        i += width
        codes[n] = code
        flags[n] = classes[code] if code < len(classes) else np.uint32(0)
        value = value * PRIME + np.uint64(code + 1)
        n += 1
        hashes[n] = value
    return n


@inner_kernel
def _exception(hashes: U64, powers: U64, keys: U64, lengths: npt.NDArray[np.int8], start: int, end: int) -> int:
    """The place of an exception in its table, or -1."""
    if end - start > LONGEST_EXCEPTION or end <= start:
        return -1
    key = span(hashes, powers, start, end)
    last = len(keys) - 1
    slot = int(key) & last
    while lengths[slot, 0]:
        if keys[slot] == key:
            return slot
        slot = (slot + 1) & last
    return -1


@inner_kernel
def _prefix(codes: I32, flags: U32, hashes: U64, powers: U64, currencies: U64, start: int, end: int) -> int:
    """How many characters are split off at the start."""
    if start >= end:
        return 0
    code = codes[start]
    if code == _DOT:
        n = 1
        while start + n < end and codes[start + n] == _DOT:
            n += 1
        return n if n > 1 else 0
    if code == _PLUS:
        return 0 if start + 1 < end and flags[start + 1] & e.DIGIT else 1
    if flags[start] & (e.PREFIX | e.ICON):
        return 1
    for n in range(2, 4):
        ends_in_dollar = start + n <= end and codes[start + n - 1] == 0x24
        if ends_in_dollar and _among(span(hashes, powers, start, start + n), currencies):
            return n
    return 0


@inner_kernel
def _suffix(codes: I32, flags: U32, hashes: U64, powers: U64, units: U64, currencies: U64, start: int, end: int) -> int:
    """How many characters are split off at the end: the longest suffix that there is."""
    if start >= end:
        return 0
    last = end - 1
    code = codes[last]
    before = flags[last - 1] if last > start else np.uint32(0)
    if code == _DOT:
        if last > start and codes[last - 1] == _DOT:
            n = 2
            while last - n >= start and codes[last - n] == _DOT:
                n += 1
            return n
        if before & e.DOTTABLE:
            return 1
        if before & e.UPPER and last - 2 >= start and flags[last - 2] & e.UPPER:
            return 1
        if last - 2 >= start and codes[last - 2] == 0xB0 and codes[last - 1] in (0x46, 0x66, 0x43, 0x63, 0x4B, 0x6B):
            return 1
        return 0
    if code == _ELLIPSIS:
        return 2 if last > start and codes[last - 1] == _ELLIPSIS else 1
    if (
        (code == 0x73 or code == 0x53)
        and last > start
        and (codes[last - 1] == _APOSTROPHE or codes[last - 1] == 0x2019)
    ):
        return 2
    place = last  # a unit or a currency after the last digit
    while place > start and last - place < 5 and flags[place - 1] & e.DIGIT == 0:
        place -= 1
    if place > start and flags[place - 1] & e.DIGIT and flags[last] & e.DIGIT == 0:
        key = span(hashes, powers, place, end)
        if _among(key, units) or _among(key, currencies):
            return end - place
        if last == place and (flags[last] & e.CURRENCY or code == _PLUS):
            return 1
    return 1 if flags[last] & (e.SUFFIX | e.ICON) else 0


@inner_kernel
def _is_public(codes: I32, start: int, end: int) -> bool:
    """Whether four numbers with dots between are an address that spaCy takes for one of the web."""
    octets = np.zeros(4, np.int64)
    n = 0
    for i in range(start, end):
        if codes[i] == _DOT:
            n += 1
        else:
            octets[n] = min(octets[n] * 10 + codes[i] - 0x30, 999)
    first, second, third, fourth = octets
    if first in (10, 127) or (first == 169 and second == 254) or (first == 192 and second == 168):
        return False
    if first == 172 and 16 <= second <= 31:
        return False
    in_range = 1 <= first <= 223 and second <= 255 and third <= 255 and 1 <= fourth <= 254
    return bool(in_range and codes[start] != 0x30)


@inner_kernel
def _is_address(codes: I32, flags: U32, start: int, end: int) -> bool:
    """Whether the characters are a web address as a whole: a host with a top-level domain, and what may be around."""
    host = start
    i = start  # after a scheme
    while i < end and (flags[i] & (e.ALPHA | e.DECIMAL) or codes[i] in (_PLUS, _HYPHEN, _DOT, 0x5F)):
        i += 1
    if i - start >= 2 and i + 2 < end and codes[i] == 0x3A and codes[i + 1] == _SLASH and codes[i + 2] == _SLASH:
        host = i + 3
    stop = host
    while stop < end and codes[stop] != _SLASH and codes[stop] != 0x3F and codes[stop] != _HASH:
        if codes[stop] == 0x40 and stop > host:
            host = stop + 1
        stop += 1
    name_end = stop
    for i in range(host, stop):
        if codes[i] == 0x3A:
            name_end = i
            break
    if name_end < stop:  # a port
        if not 2 <= stop - name_end - 1 <= 5:
            return False
        for i in range(name_end + 1, stop):
            if flags[i] & e.DECIMAL == 0:
                return False
    labels, label, numeric = 0, host, True
    for i in range(host, name_end + 1):
        if i < name_end and codes[i] != _DOT:
            code = codes[i]
            is_letter = 0x30 <= code <= 0x39 or 0x41 <= code <= 0x5A or 0x61 <= code <= 0x7A or 0xA1 <= code <= 0xFFFF
            inner = (code == 0x5F or code == _HYPHEN) and i > label and i + 1 < name_end and codes[i + 1] != _DOT
            if not is_letter and not inner:
                return False
            numeric = numeric and 0x30 <= code <= 0x39
        else:
            if i == label or i - label > 64:
                return False
            labels += 1
            if i < name_end:
                label = i + 1
    if labels < 2:
        return False
    if numeric:
        return labels == 4 and _is_public(codes, host, name_end)
    if not 2 <= name_end - label <= 63:
        return False
    n_lower = 0
    for i in range(label, name_end):
        n_lower += flags[i] & e.LOWER != 0
    return n_lower == name_end - label


@inner_kernel
def _infix(codes: I32, flags: U32, start: int, end: int, i: int) -> int:
    """How many characters are a token of their own at i, within start to end; 0 for none."""
    code = codes[i]
    if code == _DOT and i + 1 < end and codes[i + 1] == _DOT:
        n = 2
        while i + n < end and codes[i + n] == _DOT:
            n += 1
        return n
    if code == _ELLIPSIS or flags[i] & e.ICON:
        return 1
    if i == start or i + 1 >= end:
        return 0
    before, after = flags[i - 1], flags[i + 1]
    letter = np.uint32(e.LOWER | e.UPPER)
    if code == _DOT:
        return 1 if before & (e.LOWER | e.QUOTE) and after & (e.UPPER | e.QUOTE) else 0
    if code == 0x2C:
        return 1 if before & letter and after & letter else 0
    is_operator = code in (_PLUS, _HYPHEN, 0x2A, 0x5E)
    if is_operator and before & e.DIGIT and (after & e.DIGIT or codes[i + 1] == _HYPHEN):
        return 1
    if before & (letter | np.uint32(e.DIGIT)) == 0:
        return 0
    if code == 0x3A or code == 0x3C or code == 0x3E or code == 0x3D or code == _SLASH:
        return 1 if after & letter else 0
    if code == _HYPHEN or code == 0x2013 or code == 0x2014 or code == 0x7E:
        if after & letter:
            return 1
        longest = 3 if code == _HYPHEN else 2 if code == 0x2014 else 1
        for n in range(2, longest + 1):
            if i + n < end and codes[i + n - 1] == code:
                if flags[i + n] & letter:
                    return n
            else:
                break
    return 0


@inner_kernel
def _join(
    hashes: U64,
    powers: U64,
    keys: U64,
    lengths: npt.NDArray[np.int8],
    first: int,
    last: int,
    starts: I32,
    ends: I32,
) -> int:
    """Tokens of a chunk, from first to last, that are an exception together become what it says -> their new end."""
    n = k = first
    while k < last:
        found, after = -1, k + 1
        for m in range(k + 1, last):
            if ends[m] - starts[k] > LONGEST_EXCEPTION:
                break
            longer = _exception(hashes, powers, keys, lengths, starts[k], ends[m])
            if longer >= 0 and m - k + 1 >= (lengths[longer] > 0).sum():
                found, after = longer, m + 1
        if found < 0:
            starts[n], ends[n] = starts[k], ends[k]
            n += 1
        else:
            low = starts[k]
            for part in range(3):
                if lengths[found, part]:
                    starts[n], ends[n] = low, low + lengths[found, part]
                    low += lengths[found, part]
                    n += 1
        k = after
    return n


@kernel
def _tokenize(
    codes: I32,
    flags: U32,
    hashes: U64,
    powers: U64,
    keys: U64,
    lengths: npt.NDArray[np.int8],
    units: U64,
    currencies: U64,
    start: int,
    end: int,
    token_starts: I32,
    token_ends: I32,
) -> int:
    """The tokens of the characters from start to end, in order -> how many they are.

    Suffixes come from the end inwards, so they wait at the end of the token arrays, which have room for a token to each
    character.
    """
    n = n_suffixes = 0
    capacity = len(token_starts)
    i = start
    while i < end:
        while i < end and flags[i] & e.SPACE:
            i += 1
        low = i
        seen = np.uint32(0)
        while i < end and flags[i] & e.SPACE == 0:
            seen |= flags[i]
            i += 1
        high = i
        if low == high:
            break
        chunk = n
        found = _exception(hashes, powers, keys, lengths, low, high)
        simple = seen & e.OTHER == 0 and (seen & e.DIGIT == 0 or seen & (e.LOWER | e.UPPER) == 0)
        if not simple and found < 0:
            size = 0
            while low < high and high - low != size:  # affixes, one at each end at a time
                if size and _exception(hashes, powers, keys, lengths, low, high) >= 0:
                    break
                size = high - low
                before = _prefix(codes, flags, hashes, powers, currencies, low, high)
                if before and _exception(hashes, powers, keys, lengths, low + before, high) >= 0:
                    token_starts[n], token_ends[n] = low, low + before
                    n += 1
                    low += before
                    break
                after = _suffix(codes, flags, hashes, powers, units, currencies, low + before, high)
                is_exception = after > 0 and _exception(hashes, powers, keys, lengths, low, high - after) >= 0
                if after:
                    place = capacity - 1 - n_suffixes
                    token_starts[place], token_ends[place] = high - after, high
                    n_suffixes += 1
                high -= after
                if is_exception:
                    break
                if before:
                    token_starts[n], token_ends[n] = low, low + before
                    n += 1
                low += before
            found = _exception(hashes, powers, keys, lengths, low, high)
        if found >= 0:
            for k in range(3):
                if lengths[found, k]:
                    token_starts[n], token_ends[n] = low, low + lengths[found, k]
                    n += 1
                    low += lengths[found, k]
        elif low < high:
            first = low
            if not simple:
                any_infix, k = False, low
                while k < high and not any_infix:
                    any_infix = _infix(codes, flags, low, high, k) > 0
                    k += 1
                if any_infix and not _is_address(codes, flags, low, high):
                    k = low
                    while k < high:
                        size = _infix(codes, flags, low, high, k)
                        if size == 0 or k == low:  # an infix at the very start is passed over
                            k += max(size, 1)
                            continue
                        if k > first:
                            token_starts[n], token_ends[n] = first, k
                            n += 1
                        token_starts[n], token_ends[n] = k, k + size
                        n += 1
                        k += size
                        first = k
            if first < high:
                token_starts[n], token_ends[n] = first, high
                n += 1
        while n_suffixes:
            n_suffixes -= 1
            suffix = token_starts[capacity - 1 - n_suffixes]
            token_starts[n], token_ends[n] = suffix, token_ends[capacity - 1 - n_suffixes]
            n += 1
        if n - chunk > 1 and not simple:
            n = _join(hashes, powers, keys, lengths, chunk, n, token_starts, token_ends)
    return n


@inner_kernel
def _count_repeats(keys: U64, sizes: I64, n: int) -> tuple[int, int]:
    """Of n pieces, how many occurred before, and how many characters they have."""
    size = 4
    while size < 2 * n:
        size *= 2
    table, entries = np.full(size, -1, np.int32), np.empty(max(n, 1), np.uint64)
    n_entries = repeats = characters = 0
    for i in range(n):
        if entry_of(mix(keys[i]), table, entries, n_entries) == n_entries:
            n_entries += 1
        else:
            repeats += 1
            characters += sizes[i]
    return repeats, characters


@inner_kernel
def _top_n_grams(words: U64, sizes: I64, powers: U64, top: I64) -> None:
    """top[n - 2]: characters of the most frequent n-gram, spaces included, times its occurrences; n is 2, 3, 4.

    An n-gram that occurs once is the first of all if none occurs more often.  A longer one can only occur twice if both
    shorter ones in it do, so only those positions go on.
    """
    n_words = len(words)
    grams, lengths = words.copy(), sizes.copy()
    going = np.ones(n_words + 1, np.bool_)  # may the n-gram here occur twice?
    size = 4
    while size < 2 * n_words:
        size *= 2
    table, entries = np.empty(size, np.int32), np.empty(max(n_words, 1), np.uint64)
    occurrences, firsts = np.empty(max(n_words, 1), np.int32), np.empty(max(n_words, 1), np.int32)
    place = np.empty(max(n_words, 1), np.int32)
    for n in range(1, 5):
        if n_words < n:
            break
        table[:] = -1
        n_entries = 0
        for i in range(n_words - n + 1):
            if n > 1:
                following = i + n - 1
                grams[i] = (grams[i] * PRIME + np.uint64(_SPACE + 1)) * powers[sizes[following]] + words[following]
                lengths[i] += 1 + sizes[following]
            place[i] = -1
            if going[i]:
                entry = entry_of(mix(grams[i]), table, entries, n_entries)
                place[i] = entry
                if entry == n_entries:
                    n_entries += 1
                    occurrences[entry], firsts[entry] = 0, i
                occurrences[entry] += 1
        best, most = 0, 1
        for entry in range(n_entries):
            if occurrences[entry] > most:
                best, most = firsts[entry], occurrences[entry]
        if n > 1:
            top[n - 2] = lengths[best] * most
        for i in range(n_words - n + 1):
            going[i] = place[i] >= 0 and occurrences[place[i]] > 1
        for i in range(n_words - n + 1, n_words + 1):
            going[i] = False
        for i in range(n_words):
            going[i] = going[i] and going[i + 1]


@inner_kernel
def _repeated_n_grams(stream: U64, places: I64, powers: U64, duplicates: I64) -> None:
    """duplicates[n - 5]: characters of n-grams that occurred before, from left to right and without overlap.

    stream: hashes of all that lies before each character of the joined words; places: where the words begin in it, and
    its end.
    """
    n_words = len(places) - 1
    size = 4
    while size < 2 * n_words:
        size *= 2
    table, entries = np.full(size, -1, np.int32), np.empty(max(n_words, 1), np.uint64)
    first = np.empty(max(n_words, 1), np.int32)
    going = np.zeros(n_words + 1, np.bool_)
    n_entries = 0
    for i in range(n_words):
        if places[i] + REACH > places[n_words]:
            going[i] = True
            continue
        key = mix(span(stream, powers, places[i], places[i] + REACH))
        entry = entry_of(key, table, entries, n_entries)
        if entry == n_entries:
            n_entries += 1
            first[entry] = i
        else:
            going[i] = going[first[entry]] = True
    for n in range(5, 11):
        if n_words < n:
            break
        table[:] = -1
        n_entries = i = 0
        while i < n_words - n + 1:
            length = places[i + n] - places[i]
            if not going[i] and length >= REACH:
                i += 1
                continue
            key = mix(span(stream, powers, places[i], places[i + n]) ^ (np.uint64(length) * PRIME))
            if entry_of(key, table, entries, n_entries) == n_entries:
                n_entries += 1
                i += 1
            else:
                duplicates[n - 5] += length
                i += n


@inner_kernel
def _phrases_in(codes: I32, start: int, end: int, phrases: I32) -> int:
    """Which phrases the characters hold, in upper or lower case: a bit for each."""
    found = 0
    for i in range(start, end):
        code = _lower(codes[i])
        if code in (0x63, 0x6A, 0x6C, 0x70, 0x74, 0x75):  # c, j, l, p, t, u: one of them begins each phrase
            for row in range(len(phrases)):
                k = 0
                while k < phrases.shape[1] and phrases[row, k]:
                    if i + k >= end or _lower(codes[i + k]) != phrases[row, k]:
                        k = -1
                        break
                    k += 1
                if k > 0:
                    found |= 1 << row
    return found


@inner_kernel
def _lower(code: int) -> int:
    return code + 32 if 0x41 <= code <= 0x5A else 0x6B if code == 0x212A else code


@inner_kernel
def _citation(codes: I32, flags: U32, i: int, end: int) -> int:
    """How many characters a citation at i has: [12], [], [edit] or [citation needed]; 0 if there is none."""
    k = i + 1
    while k < end and flags[k] & e.DECIMAL:
        k += 1
    if k < end and codes[k] == _CLOSE:
        return k + 1 - i
    for row in range(len(_CITATIONS)):
        k = 0
        while k < _CITATIONS.shape[1] and _CITATIONS[row, k]:
            if i + k >= end or codes[i + k] != _CITATIONS[row, k]:
                k = -1
                break
            k += 1
        if k > 0:
            return k
    return 0


@inner_kernel
def _n_words(flags: U32, start: int, end: int) -> tuple[int, int]:
    """How many runs without white space there are, and how long the longest is."""
    n = longest = length = 0
    for i in range(start, end):
        if flags[i] & e.SPACE:
            length = 0
        else:
            n += length == 0
            length += 1
            longest = max(longest, length)
    return n, longest


@inner_kernel
def _sentences(codes: I32, flags: U32, starts: I32, ends: I32, first: int, last: int) -> int:
    """Sentences of the tokens first to last of a line, as spaCy's sentencizer has them."""
    n, ended = 1, False
    for k in range(first, last):
        gap = k > first and (starts[k] - ends[k - 1] > 1 or (starts[k] > ends[k - 1] and codes[ends[k - 1]] != _SPACE))
        if ended and gap:  # white space other than one space is a token
            n += 1
            ended = False
        is_stop = ends[k] == starts[k] + 1 and flags[starts[k]] & e.FULL_STOP
        punctuation = True
        for i in range(starts[k], ends[k]):
            punctuation = punctuation and flags[i] & e.PUNCTUATION != 0
        if ended and not punctuation and not is_stop:
            n += 1
            ended = False
        elif is_stop:
            ended = True
    return n


@inner_kernel
def _simple_sentences(
    codes: I32, flags: U32, hashes: U64, powers: U64, abbreviations: U64, start: int, end: int
) -> int:
    """Sentences of a line, about as NLTK's punkt has them: an end mark and white space, but after abbreviations."""
    n, word = 1, start
    for i in range(start, end):
        if flags[i] & e.SPACE:
            k = i - 1
            while k > word and (
                codes[k] == _QUOTE or codes[k] == _APOSTROPHE or codes[k] == 0x29 or codes[k] == _CLOSE
            ):
                k -= 1
            if k >= word:
                ends = codes[k] == 0x3F or codes[k] == 0x21
                if codes[k] == _DOT:
                    value = np.uint64(0)
                    for m in range(word, k + 1):
                        value = value * PRIME + np.uint64(_lower(codes[m]) + 1)
                    initial = k - word == 1 and flags[word] & e.UPPER != 0
                    ends = not initial and not _among(value, abbreviations)
                n += ends and i + 1 < end
            word = i + 1
    return n


@kernel
def _measure(
    data: U8,
    offsets: I64,
    classes: U32,
    keys: U64,
    lengths: npt.NDArray[np.int8],
    units: U64,
    currencies: U64,
    stop_words: U64,
    phrases: I32,
    abbreviations: U64,
    everything: bool,
    counts: I64,
) -> None:
    longest = 1
    for row in range(len(counts)):
        longest = max(longest, offsets[row + 1] - offsets[row])
    codes, flags, hashes = np.empty(longest, np.int32), np.empty(longest, np.uint32), np.empty(longest + 1, np.uint64)
    powers = powers_of(longest + 2)
    starts, ends = np.empty(longest + 1, np.int32), np.empty(longest + 1, np.int32)
    for row in range(len(counts)):
        count = counts[row]
        size = decode(data, offsets[row], offsets[row + 1], classes, codes, flags, hashes)
        count[CHARACTERS] = size
        n = _tokenize(codes, flags, hashes, powers, keys, lengths, units, currencies, 0, size, starts, ends)
        if everything:
            _count_tokens(codes, flags, hashes, powers, stop_words, starts, ends, n, count)
            _count_n_grams(codes, starts, ends, n, powers, count)
            _count_lines(codes, flags, hashes, powers, size, count)
        tables = (keys, lengths, units, currencies)
        _count_c4(codes, flags, hashes, powers, tables, phrases, abbreviations, size, starts, ends, n, count)


@inner_kernel
def _count_tokens(
    codes: I32, flags: U32, hashes: U64, powers: U64, stop_words: U64, starts: I32, ends: I32, n: int, count: I64
) -> None:
    seen = 0
    for k in range(n):
        is_word = is_alphabetic = False
        for i in range(starts[k], ends[k]):
            is_word = is_word or flags[i] & e.SYMBOL == 0
            is_alphabetic = is_alphabetic or flags[i] & e.ALPHA != 0
            if is_word and is_alphabetic:
                break
        length = ends[k] - starts[k]
        count[WORDS] += is_word
        count[WORD_CHARACTERS] += length if is_word else 0
        count[ALPHABETIC_TOKENS] += is_alphabetic
        if 2 <= length <= 4:
            key = span(hashes, powers, starts[k], ends[k])
            for word in range(len(stop_words)):
                if key == stop_words[word]:
                    seen |= 1 << word
    while seen:
        count[STOP_WORDS] += seen & 1
        seen >>= 1
    count[TOKENS] = n


@inner_kernel
def _count_n_grams(codes: I32, starts: I32, ends: I32, n: int, powers: U64, count: I64) -> None:
    words, sizes, places = np.empty(n, np.uint64), np.empty(n, np.int64), np.empty(n + 1, np.int64)
    places[0] = 0
    for k in range(n):
        sizes[k] = ends[k] - starts[k]
        places[k + 1] = places[k] + sizes[k]
    stream = np.empty(places[n] + 1, np.uint64)
    value = np.uint64(0)
    stream[0] = value
    m = 0
    for k in range(n):
        for i in range(starts[k], ends[k]):
            value = value * PRIME + np.uint64(codes[i] + 1)
            m += 1
            stream[m] = value
        words[k] = span(stream, powers, places[k], places[k + 1])
    _top_n_grams(words, sizes, powers, count[TOP : TOP + 3])
    _repeated_n_grams(stream, places, powers, count[DUPLICATES : DUPLICATES + 6])


@inner_kernel
def _ends_in_dots(codes: I32, start: int, end: int) -> bool:
    return bool(end - start >= 3 and codes[end - 1] == _DOT and codes[end - 2] == _DOT and codes[end - 3] == _DOT)


@inner_kernel
def _count_lines(codes: I32, flags: U32, hashes: U64, powers: U64, size: int, count: I64) -> None:
    n_newlines = dots = 0
    for i in range(size):
        code = codes[i]
        n_newlines += code == _NEWLINE
        count[HASHES] += code == _HASH
        dots = dots + 1 if code == _DOT else 0
        count[ELLIPSES] += code == _ELLIPSIS or (dots > 0 and dots % 3 == 0)
    count[NEWLINES] = n_newlines

    start = 0  # lines of str.splitlines
    while start < size:
        end = start
        while end < size and flags[end] & e.BREAK == 0:
            end += 1
        low, high = start, end
        while low < high and flags[low] & e.SPACE:
            low += 1
        while low < high and flags[high - 1] & e.SPACE:
            high -= 1
        count[LINES] += 1
        if low < high:
            count[BULLET_LINES] += codes[low] == _BULLET or codes[low] == _HYPHEN
            count[ELLIPSIS_LINES] += codes[high - 1] == _ELLIPSIS or _ends_in_dots(codes, low, high)
        start = end + 1
        if end + 1 < size and codes[end] == 0x0D and codes[end + 1] == _NEWLINE:
            start += 1

    keys, sizes = np.empty(n_newlines + 1, np.uint64), np.empty(n_newlines + 1, np.int64)
    m = start = 0  # lines between newlines, those that are not blank
    while start <= size:
        end, blank = start, True
        while end < size and codes[end] != _NEWLINE:
            blank = blank and flags[end] & e.SPACE != 0
            end += 1
        if not blank:
            keys[m] = span(hashes, powers, start, end) ^ np.uint64(end - start) * PRIME
            sizes[m] = end - start
            m += 1
            count[TERMINAL_LINES] += flags[end - 1] & e.TERMINAL != 0
            count[SHORT_LINES] += end - start <= SHORT_LINE
        start = end + 1
    count[FULL_LINES] = m
    count[DUPLICATE_FULL_LINES], count[DUPLICATE_FULL_LINE_CHARACTERS] = _count_repeats(keys, sizes, m)

    if size:
        m = _pieces(codes, hashes, powers, 0, size, 1, keys, sizes)
        count[RUNS] = m
        count[DUPLICATE_RUNS], count[DUPLICATE_RUN_CHARACTERS] = _count_repeats(keys, sizes, m)
        low, high = 0, size
        while low < high and flags[low] & e.SPACE:
            low += 1
        while low < high and flags[high - 1] & e.SPACE:
            high -= 1
        m = _pieces(codes, hashes, powers, low, high, 2, keys, sizes)
        count[PARAGRAPHS] = m
        count[DUPLICATE_PARAGRAPHS], count[DUPLICATE_PARAGRAPH_CHARACTERS] = _count_repeats(keys, sizes, m)


@inner_kernel
def _pieces(codes: I32, hashes: U64, powers: U64, start: int, end: int, newlines: int, keys: U64, sizes: I64) -> int:
    """What lies between runs of `newlines` newlines or more -> how many pieces there are, empty ones included."""
    m, i = 0, start
    while True:
        low, run = i, 0
        while i < end:
            if codes[i] == _NEWLINE:
                run = 1
                while i + run < end and codes[i + run] == _NEWLINE:
                    run += 1
                if run >= newlines:
                    break
                i += run
                run = 0
            else:
                i += 1
        keys[m] = span(hashes, powers, low, i) ^ np.uint64(i - low) * PRIME
        sizes[m] = i - low
        m += 1
        if run == 0:
            return m
        i += run


@inner_kernel
def _count_c4(
    codes: I32,
    flags: U32,
    hashes: U64,
    powers: U64,
    tables: tuple[U64, npt.NDArray[np.int8], U64, U64],
    phrases: I32,
    abbreviations: U64,
    size: int,
    starts: I32,
    ends: I32,
    n_tokens: int,
    count: I64,
) -> None:
    """C4's filter, line by line: what is in the lines that it keeps."""
    token = start = 0
    while start < size:
        end, has_bracket = start, False
        while end < size and flags[end] & e.BREAK == 0:
            has_bracket = has_bracket or codes[end] == _OPEN
            end += 1
        low, high = start, end
        start = end + 1
        if end + 1 < size and codes[end] == 0x0D and codes[end + 1] == _NEWLINE:
            start += 1
        while low < high and flags[low] & e.SPACE:
            low += 1
        while low < high and flags[high - 1] & e.SPACE:
            high -= 1
        n_words, longest = _n_words(flags, low, high)
        if n_words < 3 or longest > MAX_WORD_LENGTH:
            continue
        if not has_bracket:
            while token < n_tokens and starts[token] < low:
                token += 1
            first = token
            while token < n_tokens and starts[token] < high:
                token += 1
            _judge_line(
                codes,
                flags,
                hashes,
                powers,
                phrases,
                abbreviations,
                low,
                high,
                n_words,
                starts,
                ends,
                first,
                token,
                count,
            )
            continue
        line, n = np.empty(high - low, np.int32), 0  # without citations
        line_flags, line_hashes = np.empty(high - low, np.uint32), np.empty(high - low + 1, np.uint64)
        value = np.uint64(0)
        line_hashes[0] = value
        i = low
        while i < high:
            skipped = _citation(codes, flags, i, high) if codes[i] == _OPEN else 0
            if skipped:
                i += skipped
                continue
            line[n], line_flags[n] = codes[i], flags[i]
            value = value * PRIME + np.uint64(codes[i] + 1)
            n += 1
            line_hashes[n] = value
            i += 1
        line_starts, line_ends = np.empty(n + 1, np.int32), np.empty(n + 1, np.int32)
        keys, lengths, units, currencies = tables
        m = _tokenize(
            *(line, line_flags, line_hashes, powers, keys, lengths, units, currencies, 0, n, line_starts, line_ends)
        )
        _judge_line(
            *(line, line_flags, line_hashes, powers, phrases, abbreviations, 0, n, n_words, line_starts, line_ends),
            *(0, m, count),
        )


@inner_kernel
def _judge_line(
    codes: I32,
    flags: U32,
    hashes: U64,
    powers: U64,
    phrases: I32,
    abbreviations: U64,
    low: int,
    high: int,
    n_words: int,
    starts: I32,
    ends: I32,
    first: int,
    last: int,
    count: I64,
) -> None:
    """A line of three words or more, from which citations are gone; n_words: before they were."""
    if low == high or _ends_in_dots(codes, low, high):
        return
    mark = codes[high - 1]
    by_tfds = mark in (_DOT, 0x3F, 0x21, _QUOTE)
    if not by_tfds and mark != _APOSTROPHE:
        return
    by_tfds = by_tfds and _n_words(flags, low, high)[0] >= 5
    phrases_here = _phrases_in(codes, low, high, phrases)
    if phrases_here & 1 << _LOREM:
        count[LOREM_IPSUM] += 1
        count[TFDS_LOREM_IPSUM] += by_tfds
        return
    if phrases_here & 1 << _JAVASCRIPT:
        return
    for i in range(low, high):
        if codes[i] == _BRACE:
            count[CURLY_BRACKETS] += 1
            count[TFDS_CURLY_BRACKETS] += by_tfds
            return
    if phrases_here:
        return
    count[SENTENCES] += _sentences(codes, flags, starts, ends, first, last)
    if by_tfds:
        count[TFDS_SENTENCES] += _simple_sentences(codes, flags, hashes, powers, abbreviations, low, high)
