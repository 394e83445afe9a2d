"""Find where comments, raw text, tags and their attributes end.  This is the part of HTML's tokenizer that skips.

Bytes are searched with the C library's memchr, which is about ten times as fast as a loop.  This matters because
scripts are most of a page.  A construct without an end takes the rest of the page, as in browsers.  So nothing is
scanned twice.
"""

# ruff: noqa: SIM109

from typing import Any

import numpy as np
from numba import types

from corpusmill.extract.segments.attributes import ATTRIBUTE_KEYS, ATTRIBUTE_SHIFT, ATTRIBUTE_VALUES
from corpusmill.extract.segments.lanes import NAME, key_of, name_length
from corpusmill.extract.segments.lean import Bytes, Int, Key, Numbers, constant, inlined_kernel, lean_kernel, unsigned
from corpusmill.extract.segments.tags import look_up, name_key

PADDING = 64  # zero bytes after every source, so that reading ahead needs no check
LT, GT, SLASH, BANG, QUESTION, DASH, EQUALS, LF, CR, BRACKET_OPEN, BRACKET = (
    constant(byte) for byte in b"<>/!?-=\n\r[]"
)
DOUBLE_QUOTE, SINGLE_QUOTE = b"\"'"
IS_LETTER = np.array([chr(code).isascii() and chr(code).isalpha() for code in range(256)], np.uint8)
IS_MARKUP = IS_LETTER | np.isin(np.arange(256), list(b"/!?"))  # bytes that begin markup after "<"
IS_BLANK = np.array([code in b" \t\n\r\f" for code in range(256)], np.uint8)


def _name_bytes(terminators: bytes) -> Bytes:
    """For each byte its lower case, if it belongs to names; 0 if it ends a name."""
    table = np.arange(256, dtype=np.uint8)
    table[ord("A") : ord("Z") + 1] += 32
    table[0] = 1
    table[list(terminators)] = 0
    return table


TAG_BYTE = _name_bytes(b" \t\n\r\f/>")
ATTRIBUTE_BYTE = _name_bytes(b" \t\n\r\f/>=")
_8, _56 = np.uint64(8), np.uint64(56)
_SCRIPT = np.uint64(name_key("script"))
_LONGEST_RAW_NAME = len("plaintext")
NO_CAPITALS, NO_KEY = constant(0), np.uint64(0)

memchr: Any = types.ExternalFunction("memchr", types.intp(types.intp, types.int32, types.intp))


@lean_kernel
def find(source: Bytes, byte: int, start: int, end: int) -> Int:
    """The next place of `byte`, or `end`."""
    if start >= end:
        return end
    base = source.ctypes.data
    place = memchr(base + start, np.int32(byte), end - start)
    return place - base if place else end


@lean_kernel
def after_pair(source: Bytes, byte: int, start: int, end: int) -> Int:
    """The place after the next ">" with `byte` twice before it.  The search for ">" begins at `start`."""
    while True:
        start = find(source, GT, start, end) + 1
        if start > end:
            return end
        if source[start - 2] == byte and source[start - 3] == byte:
            return start


@lean_kernel
def after_comment(source: Bytes, start: int, end: int) -> Int:
    """The place after the comment whose "<!--" ends at `start`.  Its end is "-->", "--!>", or at once ">" or "->"."""
    if source[start] == GT:
        return start + 1
    if source[start] == DASH and source[start + 1] == GT:
        return start + 2
    position = start
    while True:
        position = find(source, GT, position, end) + 1
        if position > end:
            return end
        dashes = position - 2 if source[position - 2] == BANG else position - 1
        if dashes - 2 >= start and source[dashes - 1] == DASH and source[dashes - 2] == DASH:
            return position


@lean_kernel
def read_name(source: Bytes, position: int, end: int, name_bytes: Bytes, key: Key) -> tuple[Key, int]:
    """(key of the name at `position`, where it ends).  `key` is the key of the bytes before it, 0 if there are none."""
    length = name_length(source, position)
    if 0 < length < NAME and key == 0 and name_bytes[source[unsigned(position + length)]] == 0:  # nearly always
        return key_of(source, position, length, NO_CAPITALS), position + length
    while position < end:
        byte = name_bytes[source[unsigned(position)]]
        if byte == 0:
            break
        key = (key << _8) ^ (key >> _56) ^ np.uint64(byte)
        position += 1
    return key, position


@lean_kernel
def is_name(source: Bytes, start: int, end: int, key: Key) -> Int:
    """Whether a complete tag name with this key is at `start`."""
    found, stop = read_name(source, start, end, TAG_BYTE, NO_KEY)
    return stop < end and found == key


@lean_kernel
def raw_end(source: Bytes, start: int, end: int, key: Key) -> int:
    """The place of the "<" of the end tag of the raw text that begins at `start`, or `end`."""
    while True:
        start = find(source, LT, start, end)
        if start >= end:
            return end
        if source[start + 1] == SLASH and is_name(source, start + 2, min(end, start + 3 + _LONGEST_RAW_NAME), key):
            return start
        start += 1


@lean_kernel
def script_end(source: Bytes, start: int, end: int) -> int:
    """The same for a script.  Inside <!-- -->, an inner <script> ... </script> does not end it."""
    comment = start  # the place where the comment ends
    nested = False
    while True:
        start = find(source, LT, start, end)
        if start >= end:
            return end
        if start >= comment:
            nested = False
        following = source[start + 1]
        if following == SLASH:
            if is_name(source, start + 2, min(end, start + 3 + _LONGEST_RAW_NAME), _SCRIPT):
                if not nested:
                    return start
                nested = False
        elif following == BANG:
            if start >= comment and source[start + 2] == DASH and source[start + 3] == DASH:
                comment = after_pair(source, DASH, start + 4, end)
        elif start < comment and not nested:
            nested = is_name(source, start + 1, min(end, start + 3 + _LONGEST_RAW_NAME), _SCRIPT)
        start += 1


@lean_kernel
def skip_attributes(source: Bytes, position: int, end: int) -> tuple[int, bool]:
    """(place after the ">" of a tag whose name ends at `position`, is it self-closing?); more than `end` if no ">"."""
    named = False
    while position < end:
        byte = source[unsigned(position)]
        if byte == GT:
            return position + 1, source[unsigned(position - 1)] == SLASH and not named
        if byte == EQUALS and named:
            position += 1
            while IS_BLANK[source[unsigned(position)]]:
                position += 1
            quote = np.int64(source[unsigned(position)])
            if quote == DOUBLE_QUOTE or quote == SINGLE_QUOTE:
                position = find(source, quote, position + 1, end) + 1
                named = False
            else:
                while position < end and source[unsigned(position)] != GT and not IS_BLANK[source[unsigned(position)]]:
                    position += 1
                named = position < end and source[unsigned(position)] == GT  # here a "/" belongs to the value
            continue
        if byte == SLASH:
            named = False
        elif not IS_BLANK[byte]:
            named = True
        position += 1
    return end + 1, False


@inlined_kernel
def read_attributes(source: Bytes, position: int, end: int, spans: Numbers) -> tuple[int, int, bool]:
    """(place after the ">", bits of those `ATTRIBUTES` that are there, is it self-closing?); `spans` gets values."""
    seen: Int = np.int64(0)
    self_closing = False
    while True:
        while IS_BLANK[source[unsigned(position)]] or source[unsigned(position)] == SLASH:
            self_closing = source[unsigned(position)] == SLASH
            position += 1
        if position >= end:
            return end + 1, seen, False
        if source[unsigned(position)] == GT:
            return position + 1, seen, self_closing
        self_closing = False
        name = NO_KEY
        if source[unsigned(position)] == EQUALS:
            name = np.uint64(EQUALS)
            position += 1
        name, position = read_name(source, position, end, ATTRIBUTE_BYTE, name)
        while IS_BLANK[source[unsigned(position)]]:
            position += 1
        first = last = position
        if source[unsigned(position)] == EQUALS:
            position += 1
            while IS_BLANK[source[unsigned(position)]]:
                position += 1
            first = position
            quote = np.int64(source[unsigned(position)])
            if quote == DOUBLE_QUOTE or quote == SINGLE_QUOTE:
                first += 1
                last = find(source, quote, first, end)
                position = last + 1
            else:
                while position < end and source[unsigned(position)] != GT and not IS_BLANK[source[unsigned(position)]]:
                    position += 1
                last = position
        number = look_up(ATTRIBUTE_KEYS, ATTRIBUTE_VALUES, ATTRIBUTE_SHIFT, name)
        if number and not seen >> number & 1:
            seen |= 1 << number
            spans[number, 0] = first
            spans[number, 1] = last
