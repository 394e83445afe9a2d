"""How much of a block's text the page repeats where it speaks of itself: title, description, JSON-LD.

A page that names its headline, sums itself up for search engines or carries its whole article as JSON-LD says in plain
words which of its blocks are meant.  The words of `<title>`, of the description and title of meta elements, and of
JSON-LD's strings `articleBody`, `description`, `headline`, `name` and their like go into one hash set, each with the
kinds of statement that it was found in; then every block's words are looked up.  JSON is scanned for strings, not
parsed: a string before a colon is a key, any other one belongs to the last key.

Cost: linear in the statements and the text; 14 microseconds an average page.
"""

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from corpusmill.extract.arithmetic import f32, i64
from corpusmill.extract.buckets import add_bits, look_up
from corpusmill.extract.lean import lean_entry, lean_kernel
from corpusmill.extract.tables import FactKind
from corpusmill.extract.words import Words, hash_words
from corpusmill.kernels import kernel

U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
F32 = npt.NDArray[np.float32]
Table = npt.NDArray[np.void]

PRIME = np.uint64(0x100000001B3)
BASIS = np.uint64(0xCBF29CE484222325)
MOST_WORDS = i64(4096)  # of one statement
MOST_SLOTS = 1 << 14

QUOTE, BACKSLASH, COLON, SPACE = ord('"'), ord("\\"), ord(":"), ord(" ")
LETTER_U, LETTER_N, LETTER_R, LETTER_T = ord("u"), ord("n"), ord("r"), ord("t")


IN_TITLE, IN_DESCRIPTION, IN_BODY, IN_NAME = i64(1), i64(2), i64(4), i64(8)  # kinds of statements


class Overlap(IntEnum):
    """Rows of what is known of a block: shares of its words that the page said in ..."""

    TITLE = 0
    DESCRIPTION = 1
    BODY = 2
    NAME = 3
    RUN = 4  # most words on end that description or body have, of all


def name_hashes(*names: str) -> U64:
    """FNV-1a of lower-case names, as `hash_name` has it."""
    hashes = []
    for name in names:
        value = int(BASIS)
        for byte in name.encode():
            value = (value ^ byte) * int(PRIME) & 0xFFFFFFFFFFFFFFFF
        hashes.append(value)
    return np.array(hashes, np.uint64)


META_TITLES = name_hashes("og:title", "twitter:title")
META_DESCRIPTIONS = name_hashes("description", "og:description", "twitter:description")
JSON_BODIES = name_hashes("articlebody", "reviewbody", "text")
JSON_DESCRIPTIONS = name_hashes("description", "abstract")
JSON_NAMES = name_hashes("headline", "name", "alternativeheadline")


@kernel
def collect_statements(source: U8, facts: Table) -> U32:
    """The words of a page's statements about itself, as a table of `buckets`: their numbers are bits of IN_..."""
    room, longest = 0, 0
    for f in range(len(facts)):
        kind = facts[f]["kind"]
        if kind == FactKind.TITLE or kind == FactKind.META or kind == FactKind.JSON_LD:
            size = i64(facts[f]["value_end"] - facts[f]["value_start"])
            room += min(size // 2 + 1, MOST_WORDS)
            if kind == FactKind.JSON_LD:
                longest = max(longest, size)
    slots = 64
    while slots < min(4 * room, MOST_SLOTS):
        slots *= 2
    said = np.zeros(slots, np.uint32)
    hashes, decoded = np.empty(MOST_WORDS, np.uint32), np.empty(longest, np.uint8)
    for f in range(len(facts)):
        kind, start, end = facts[f]["kind"], i64(facts[f]["value_start"]), i64(facts[f]["value_end"])
        if kind == FactKind.TITLE:
            _add(source, start, end, IN_TITLE, said, hashes)
        elif kind == FactKind.META:
            key = hash_name(source, i64(facts[f]["key_start"]), i64(facts[f]["key_end"]))
            if is_in(key, META_TITLES):
                _add(source, start, end, IN_TITLE, said, hashes)
            elif is_in(key, META_DESCRIPTIONS):
                _add(source, start, end, IN_DESCRIPTION, said, hashes)
        elif kind == FactKind.JSON_LD:
            _add_json(source, start, end, said, hashes, decoded)
    return said


@lean_entry
def overlap(words: Words, said: U32, scores: F32) -> None:
    """How much of every block's text the page says of itself -> scores (len(Overlap), n_blocks)."""
    for i in range(len(words.ptr) - 1):
        title, description, body, name, run, longest = 0, 0, 0, 0, 0, 0
        start, end = words.ptr[i], words.ptr[i + 1]
        for k in range(start, end):
            bits = look_up(said, words.hashes[k])
            title += bits & 1
            description += bits >> 1 & 1
            body += bits >> 2 & 1
            name += bits >> 3 & 1
            run = run + 1 if bits & 6 else 0
            longest = max(longest, run)
        share = f32(1) / f32(max(1, end - start))
        scores[Overlap.TITLE, i] = title * share
        scores[Overlap.DESCRIPTION, i] = description * share
        scores[Overlap.BODY, i] = body * share
        scores[Overlap.NAME, i] = name * share
        scores[Overlap.RUN, i] = longest * share


@lean_kernel
def _add(text: U8, start: int, end: int, statement: int, said: U32, hashes: U32) -> None:
    """Add the words of text[start:end]."""
    n = hash_words(text, start, end, MOST_WORDS, hashes, i64(0))
    for k in range(n):
        add_bits(said, hashes[k], statement)


@lean_kernel
def _add_json(source: U8, start: int, end: int, said: U32, hashes: U32, decoded: U8) -> None:
    """Add the words of the strings of source[start:end] whose keys are of interest."""
    statement = i64(0)
    i = start
    while i < end:
        if source[i] != QUOTE:
            i += 1
            continue
        first = i + 1
        i = first
        while i < end and source[i] != QUOTE:
            i += 2 if source[i] == BACKSLASH else 1
        last = min(i, end)
        i += 1
        after = i
        while after < end and source[after] <= SPACE:
            after += 1
        if after < end and source[after] == COLON:
            key = hash_name(source, first, last)
            statement = i64(0)
            if is_in(key, JSON_BODIES):
                statement = IN_BODY
            elif is_in(key, JSON_DESCRIPTIONS):
                statement = IN_DESCRIPTION
            elif is_in(key, JSON_NAMES):
                statement = IN_NAME
            i = after
        elif statement != 0:
            size = _decode(source, first, last, decoded)
            _add(decoded, i64(0), size, statement, said, hashes)


@lean_kernel
def _decode(source: U8, start: int, end: int, decoded: U8) -> int:
    """The JSON string source[start:end] as UTF-8, escapes read -> its size, never more than end - start."""
    n = 0
    i = start
    while i < end:
        byte = source[i]
        i += 1
        if byte != BACKSLASH or i >= end:
            decoded[n] = byte
            n += 1
            continue
        escape = source[i]
        i += 1
        if escape == LETTER_U and i + 4 <= end:
            code = 0
            for k in range(i, i + 4):
                code = code << 4 | _hex_digit(source[k])
            i += 4
            if code < 0x80:
                decoded[n] = code
                n += 1
            elif code < 0x800:
                decoded[n], decoded[n + 1] = 0xC0 | code >> 6, 0x80 | code & 0x3F
                n += 2
            else:  # halves of pairs, too: no letters in common use, and they part words as well as any
                decoded[n], decoded[n + 1], decoded[n + 2] = (
                    0xE0 | code >> 12,
                    0x80 | code >> 6 & 0x3F,
                    0x80 | code & 0x3F,
                )
                n += 3
        else:
            blank = escape in (LETTER_N, LETTER_R, LETTER_T)
            decoded[n] = SPACE if blank else escape
            n += 1
    return n


@lean_kernel
def _hex_digit(byte: np.uint8) -> int:
    """Its value; garbage for what is no hexadecimal digit."""
    value = i64(byte)
    return value & 15 if value < 58 else (value & 7) + 9


@lean_kernel
def hash_name(source: U8, start: int, end: int) -> np.uint64:
    """FNV-1a of source[start:end] in lower case."""
    h = BASIS
    for i in range(start, end):
        byte = source[i]
        if 65 <= byte <= 90:
            byte |= np.uint8(32)
        h = (h ^ np.uint64(byte)) * PRIME
    return h


@lean_kernel
def is_in(key: np.uint64, keys: U64) -> bool:
    """Whether a hash is one of some."""
    found = False
    for k in range(len(keys)):
        found |= keys[k] == key
    return found
