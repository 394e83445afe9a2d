# ruff: noqa: SIM109, SIM110  # numba compiles comparisons and loops best
"""Where personal data is in columns of text: kernels that decide as `corpusmill.filters.private.plain` defines it.

One pass from left to right.  A table of 256 bytes says at which bytes something may begin; between these, the loop
does nothing else.  What is looked at around a trigger is bounded, or not looked at again, so time is linear.
Numbers are read digit by digit into a scratch array, which the rule's checks then read.

Functions return the span that they found as (start, end), with start -1 if there is none.
"""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from corpusmill.filters.characters import CLUSTER, IDEOGRAPH, LETTER, MARK, N_CODE_POINTS, NUMBER
from corpusmill.filters.private import forms, kinds, plain, secrets, tables
from corpusmill.filters.private.tables import LONGEST_BLOCK, ByteMap, Bytes, Flags, Integers, States, Steps, Tables
from corpusmill.filters.private.words import GROUPS
from corpusmill.kernels import kernel, lean_kernel

Int: TypeAlias = Any  # int64; as mypy sees them, numba's int and numpy's are two
Flag: TypeAlias = Any  # bool
Found: TypeAlias = Any  # start and end

EMAIL, IP, PHONE, CARD, IBAN, NATIONAL_ID, CREDENTIALS, KEY = range(len(kinds.KINDS))
NOTHING = (-1, -1)
LNM, SPACELESS = LETTER | NUMBER | MARK, IDEOGRAPH | CLUSTER
MAX_LOCAL, MAX_DOMAIN, MIN_IPV4 = plain.MAX_LOCAL, plain.MAX_DOMAIN, plain.MIN_IPV4
VERSION_REACH, LEAST_PHONE, MOST_PHONE = plain.VERSION_REACH, plain.LEAST_PHONE, plain.MOST_PHONE
MOST_NAMED = plain.MOST_NAMED
REACH, PHONE_REACH, ASIAN, ZERO_MODE = forms.REACH, forms.PHONE_REACH, forms.ASIAN, forms.ZERO
MINUS, KOREAN, PLUS = forms.MINUS, forms.KOREAN, forms.PLUS
CARD_NUMBER, PHONE_NUMBER, LUHN, VERHOEFF, ISO_11_10 = (
    *(forms.CARD_NUMBER, forms.PHONE_NUMBER, forms.LUHN, forms.VERHOEFF, forms.ISO_11_10),
)  # fmt: skip
US, FRENCH, BELGIAN, SPANISH, ITALIAN, HONG_KONG = (
    *(forms.US, forms.FRENCH, forms.BELGIAN, forms.SPANISH, forms.ITALIAN, forms.HONG_KONG),
)  # fmt: skip
SINGAPORE, FINNISH, TAIWAN, BRITISH, INDIAN_PAN, TURKISH = (
    *(forms.SINGAPORE, forms.FINNISH, forms.TAIWAN, forms.BRITISH, forms.INDIAN_PAN, forms.TURKISH),
)  # fmt: skip
BALTIC, RUSSIAN, CHINESE, SWEDISH_LONG = forms.BALTIC, forms.RUSSIAN, forms.CHINESE, forms.SWEDISH_LONG
PHONE_WORDS, VERSION_WORDS, SECRET_WORDS = GROUPS["phone"], GROUPS["version"], GROUPS["secret"]
LONGEST_NAME, MOST_VALUE, MOST_AUTHORITY = secrets.LONGEST_NAME, secrets.MOST_VALUE, secrets.MOST_AUTHORITY
LEAST_SECRET, LEAST_VAGUE, WORD_REACH = secrets.LEAST_SECRET, secrets.LEAST_VAGUE, secrets.WORD_REACH
LEAST_RANDOM, LEAST_HEX, MOST_RANDOM = secrets.LEAST_RANDOM, secrets.LEAST_HEX, secrets.MOST_RANDOM
LEAST_ENTROPY, LEAST_HEX_ENTROPY = secrets.LEAST_ENTROPY, secrets.LEAST_HEX_ENTROPY
LEAST_CHANGES, RANDOM_LEAST = secrets.LEAST_CHANGES, 16
PEM_NAME_REACH, PEM_REACH = secrets.PEM_NAME_REACH, secrets.PEM_REACH
MEMBER = secrets.ALNUM
PEM_BEGIN, PEM_NAME, PEM_END = (
    np.frombuffer(text, np.uint8) for text in (secrets.PEM_BEGIN, secrets.PEM_NAME, secrets.PEM_END)
)
EARER, ASIC, OKEN = (np.frombuffer(text, np.uint8) for text in (b"earer ", b"asic ", b"oken "))  # Bearer, Basic, Token

_WORDS = tables.word_tables()
BYTE_CLASS, ENDS, SHORTER = _WORDS.byte_class, _WORDS.ends, _WORDS.shorter
WORD_LENGTH, WORD_GROUPS, WORD_EDGE = _WORDS.length, _WORDS.groups, _WORDS.edge
_FORMS = tables.form_tables()
LEADS, LEAD_STARTS, BY_LENGTH = _FORMS.leads, _FORMS.lead_starts, _FORMS.by_length
FORM_ORDER, ORDER_NEXT = _FORMS.order, _FORMS.next
PATTERN, PATTERN_STARTS, FORM_RULE = _FORMS.pattern, _FORMS.pattern_starts, _FORMS.rule
FORM_NEEDS, FORM_RAW, FORM_SPACED, RULES, SUMS = _FORMS.needs, _FORMS.raw, _FORMS.spaced, _FORMS.rules, _FORMS.sums
_CHECKS = tables.check_tables()
VERHOEFF_TABLES, LETTERS, ITALIAN_ODD = _CHECKS.verhoeff, _CHECKS.letters, _CHECKS.italian
CARDS, IBANS = _CHECKS.cards, _CHECKS.ibans
_SECRETS = tables.secret_tables()
PREFIX, PREFIX_STARTS, PREFIX_RULES = _SECRETS.prefix, _SECRETS.prefix_starts, _SECRETS.prefix_rules
BY_TRIGGER, CHARACTERS_OF_KEYS, ENTROPY = _SECRETS.by_trigger, _SECRETS.characters, _SECRETS.entropy
NAMES, NAME_IS_SECRET = _SECRETS.names, _SECRETS.name_is_secret
TRIGGERS = tables.triggers()
"""All of this comes from Python sources, so it may be compiled into the kernels; `Tables` holds what does not."""


@lean_kernel
def _stands_at(data: Bytes, i: Int, last: Int, text: Bytes) -> Flag:
    if i + len(text) > last:
        return False
    for k in range(len(text)):
        if data[i + k] != text[k]:
            return False
    return True


@lean_kernel
def _is_digit(byte: Int) -> Flag:
    return 0x30 <= byte <= 0x39


@lean_kernel
def _is_alpha(byte: Int) -> Flag:
    return 0x41 <= byte <= 0x5A or 0x61 <= byte <= 0x7A


@lean_kernel
def _is_alnum(byte: Int) -> Flag:
    return 0x30 <= byte <= 0x39 or 0x41 <= byte <= 0x5A or 0x61 <= byte <= 0x7A


@lean_kernel
def _is_word_byte(byte: Int) -> Flag:
    return byte >= 0x80 or _is_alnum(byte)


@lean_kernel
def _lower(byte: Int) -> Int:
    return byte + 32 if 0x41 <= byte <= 0x5A else byte


@lean_kernel
def _is_space(byte: Int) -> Flag:
    return byte == 0x20 or 9 <= byte <= 13


@lean_kernel
def _digit(data: Bytes, i: Int, last: Int) -> Found:
    """The value and width of the digit at a byte; width 0 if there is none."""
    if i >= last:
        return 0, 0
    byte = data[i]
    if 0x30 <= byte <= 0x39:
        return byte - 0x30, 1
    if byte == 0xEF and i + 2 < last and data[i + 1] == 0xBC and 0x90 <= data[i + 2] <= 0x99:
        return data[i + 2] - 0x90, 3
    if byte == 0xD9 and i + 1 < last and 0xA0 <= data[i + 1] <= 0xA9:
        return data[i + 1] - 0xA0, 2
    if byte == 0xDB and i + 1 < last and 0xB0 <= data[i + 1] <= 0xB9:
        return data[i + 1] - 0xB0, 2
    return 0, 0


@lean_kernel
def _digit_before(data: Bytes, first: Int, i: Int) -> Flag:
    if i > first and _is_digit(data[i - 1]):
        return True
    if i - 2 >= first and (
        (data[i - 2] == 0xD9 and 0xA0 <= data[i - 1] <= 0xA9) or (data[i - 2] == 0xDB and 0xB0 <= data[i - 1] <= 0xB9)
    ):
        return True
    return i - 3 >= first and data[i - 3] == 0xEF and data[i - 2] == 0xBC and 0x90 <= data[i - 1] <= 0x99


@lean_kernel
def _space_width(data: Bytes, i: Int, last: Int) -> Int:
    """Bytes of the space at a byte, 0 if there is none."""
    if i >= last:
        return 0
    if data[i] == 0x20:
        return 1
    if data[i] == 0xC2 and i + 1 < last and data[i + 1] == 0xA0:
        return 2
    if i + 2 < last:
        if data[i] == 0xE2 and data[i + 1] == 0x80 and data[i + 2] == 0xAF:
            return 3
        if data[i] == 0xE3 and data[i + 1] == 0x80 and data[i + 2] == 0x80:
            return 3
    return 0


@lean_kernel
def _hyphen_width(data: Bytes, i: Int, last: Int) -> Int:
    if i >= last:
        return 0
    if data[i] == 0x2D:
        return 1
    if i + 2 < last:
        if data[i] == 0xE2 and data[i + 1] == 0x80 and 0x90 <= data[i + 2] <= 0x94:
            return 3
        if data[i] == 0xEF and data[i + 1] == 0xBC and data[i + 2] == 0x8D:
            return 3
    return 0


@lean_kernel
def _separator_width(data: Bytes, i: Int, last: Int) -> Int:
    """Bytes of what may stand between digits of a telephone number."""
    if i >= last:
        return 0
    byte = data[i]
    if byte == 0x2E or byte == 0x2F or byte == 0x28 or byte == 0x29:
        return 1
    if byte == 0xEF and i + 2 < last and data[i + 1] == 0xBC and 0x88 <= data[i + 2] <= 0x89:
        return 3
    return max(_space_width(data, i, last), _hyphen_width(data, i, last))


@lean_kernel
def _look_up(slots: Integers, starts: Integers, content: Bytes, data: Bytes, start: Int, end: Int) -> Int:
    """The number of a byte string in a table of `tables.ByteMap`, ASCII letters taken as small, or -1."""
    value = np.uint64(2166136261)
    for i in range(start, end):
        value = ((value ^ np.uint64(_lower(data[i]))) * np.uint64(16777619)) & np.uint64(0xFFFFFFFF)
    mask = len(slots) - 1
    slot = np.int64(value) & mask
    while slots[slot] >= 0:
        number = slots[slot]
        base = starts[number]
        if starts[number + 1] - base == end - start:
            same = True
            for k in range(end - start):
                if content[base + k] != _lower(data[start + k]):
                    same = False
                    break
            if same:
                return number
        slot = (slot + 1) & mask
    return np.int64(-1)


@lean_kernel
def _word_ends(data: Bytes, first: Int, i: Int, end: Int, state: Int, groups: Int) -> Flag:
    """Whether a word of some groups ends behind byte `i`, in this state; what is read ends at `end`."""
    word = ENDS[state]
    while word >= 0:
        if WORD_GROUPS[word] & groups:
            edge, start = WORD_EDGE[word], i + 1 - WORD_LENGTH[word]
            if edge == 0:
                return True
            before = data[start - 1] if start > first else np.uint8(0x20)
            after = data[i + 1] if i + 1 < end else np.uint8(0x20)
            fits = not (_is_alnum(before) or before == 0x5F or before == 0x3C)
            if edge == 1 and fits and not _is_alpha(after):
                return True
            if edge == 2 and fits and before < 0x80 and after < 0x80:
                return True
        word = SHORTER[word]
    return False


@lean_kernel
def _named(data: Bytes, first: Int, start: Int, groups: Int, reach: Int, step: Steps) -> Flag:
    """Whether a word of some groups stands before a number."""
    state = 0
    for i in range(max(first, start - reach), start):
        state = step[state, BYTE_CLASS[data[i]]]
        if ENDS[state] >= 0 and _word_ends(data, first, i, start, state, groups):
            return True
    return False


@lean_kernel
def _ends_in(data: Bytes, first: Int, begin: Int, end: Int, groups: Int, step: Steps) -> Flag:
    """Whether a word of some groups ends at `end` and begins at `begin` or later."""
    if end <= begin:
        return False
    state = 0
    for i in range(begin, end):
        state = step[state, BYTE_CLASS[data[i]]]
    return ENDS[state] >= 0 and _word_ends(data, first, end - 1, end, state, groups)


# E-mail


@lean_kernel
def _code_point(data: Bytes, i: Int, last: Int) -> Found:
    """The code point at a byte and its width; (-1, 1) if it is not whole."""
    byte = np.int64(data[i])
    if byte < 0x80:
        return byte, 1
    width = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2
    if byte < 0xC0 or i + width > last:
        return np.int64(-1), 1
    code = byte & (0x7F >> width)
    for k in range(1, width):
        if data[i + k] & 0xC0 != 0x80:
            return np.int64(-1), 1
        code = code << 6 | np.int64(data[i + k] & 0x3F)
    return code, width


@lean_kernel
def _code_point_before(data: Bytes, first: Int, i: Int) -> Found:
    """The code point that ends before a byte and its width; (-1, 1) if it is not whole."""
    start = i - 1
    while start > first and i - start < 4 and data[start] & 0xC0 == 0x80:
        start -= 1
    code, width = _code_point(data, start, i)
    return (code, width) if start + width == i else (np.int64(-1), 1)


@lean_kernel
def _flags(code: Int, characters: Flags) -> Int:
    return np.int64(characters[code]) if 0 <= code < N_CODE_POINTS else np.int64(0)


@lean_kernel
def _is_in_word(code: Int, spaceless: Flag, characters: Flags) -> Flag:
    if code < 0x80:
        return code >= 0 and _is_alnum(code)
    flags = _flags(code, characters)
    return flags & LNM != 0 and (spaceless or not flags & SPACELESS)


@lean_kernel
def _is_domain_byte(byte: Int) -> Flag:
    return _is_word_byte(byte) or byte == 0x2D


@lean_kernel
def _domain_end(data: Bytes, start: Int, last: Int, characters: Flags, domains: ByteMap) -> Int:
    """The end of the domain at a byte; 0 if there is none."""
    if start >= last or not _is_word_byte(data[start]):
        return 0
    stop = start
    while stop < last and _is_domain_byte(data[stop]):
        stop += 1
    if not (stop + 1 < last and data[stop] == 0x2E and _is_domain_byte(data[stop + 1])):
        return 0
    while stop + 1 < last and data[stop] == 0x2E and _is_domain_byte(data[stop + 1]):
        stop += 1
        while stop < last and _is_domain_byte(data[stop]):
            stop += 1
    stop = min(stop, start + 4 * MAX_DOMAIN)
    best, position = 0, start
    while position < stop:
        label = position
        code, width = _code_point(data, position, stop)
        spaceless = _flags(code, characters) & SPACELESS != 0
        while position < stop:
            code, width = _code_point(data, position, stop)
            if not (code == 0x2D or _is_in_word(code, spaceless, characters)):
                break
            position += width
        if position == label or data[label] == 0x2D or data[position - 1] == 0x2D:
            break
        if label > start and _look_up(domains.slots, domains.starts, domains.content, data, label, position) >= 0:
            best = position
        if position >= stop or data[position] != 0x2E:
            break
        position += 1
    return best


@lean_kernel
def _local_start(data: Bytes, floor: Int, at: Int, characters: Flags) -> Int:
    """Where the local part before an @ starts; `at` if there is none, or it is too long."""
    floor = max(floor, at - 4 * MAX_LOCAL - 4)
    start, n = at, 0
    code, width = (np.int64(-1), 1) if at <= floor else _code_point_before(data, floor, at)
    spaceless = _flags(code, characters) & SPACELESS != 0
    while start > floor:
        code, width = _code_point_before(data, floor, start)
        if not (_is_local_sign(code) or code == 0x5F or _is_in_word(code, spaceless, characters)):
            break
        start -= width
        n += 1
    while start < at and _is_local_sign(data[start]):
        start += 1
        n -= 1
    return start if n <= MAX_LOCAL else at


@lean_kernel
def _is_local_sign(code: Int) -> Flag:
    """One of .%+-' (an underscore may also begin a local part)."""
    return code == 0x2E or code == 0x25 or code == 0x2B or code == 0x2D or code == 0x27


@lean_kernel
def _email(data: Bytes, first: Int, last: Int, floor: Int, at: Int, characters: Flags, domains: ByteMap) -> Found:
    if at == first:
        return NOTHING
    before = data[at - 1]
    if not (
        _is_word_byte(before) or before == 0x2E or before == 0x25 or before == 0x2B or before == 0x2D or before == 0x5F
    ):
        return NOTHING
    end = _domain_end(data, at + 1, last, characters, domains)
    if end == 0:
        return NOTHING
    start = _local_start(data, max(first, floor), at, characters)
    return (start, end) if start < at else NOTHING


# IP addresses


@lean_kernel
def _is_version(data: Bytes, first: Int, last: Int, start: Int, end: Int, step: Steps) -> Flag:
    if start > first:
        before = data[start - 1]
        if _is_alnum(before) or before == 0x5F or before == 0x2E or before == 0x23:
            return True
        if start - 1 > first:
            earlier = data[start - 2]
            if before == 0xA7 and earlier == 0xC2:
                return True
            if (before == 0x2F or before == 0x2D) and _is_alpha(earlier):
                return True
    if end < last:
        after = data[end]
        if _is_alpha(after) or after == 0x5F:
            return True
        if end + 1 < last:
            behind = data[end + 1]
            if (after == 0x2D or after == 0x2B) and _is_alpha(behind):
                return True
            if after == 0x2E and (_is_word_byte(behind) or behind == 0x5F):
                return True
            if after == 0x2D and _is_digit(behind):
                i = end + 1
                while i < last and i < end + 21 and _is_digit(data[i]):
                    i += 1
                if i < last and data[i] == 0x2D:
                    i += 1
                if i < last and _is_alpha(data[i]):
                    return True
    begin, stop = max(first, start - VERSION_REACH), start
    while stop > begin and (
        data[stop - 1] == 0x20
        or data[stop - 1] == 9
        or data[stop - 1] == 0x3A
        or data[stop - 1] == 0x3D
        or data[stop - 1] == 0x23
    ):
        stop -= 1
    if stop > begin and data[stop - 1] == 0x2E:
        stop -= 1
    return _ends_in(data, first, begin, stop, VERSION_WORDS, step)


@lean_kernel
def _octets(data: Bytes, start: Int, last: Int) -> Found:
    """Four numbers with dots between them: their value (-1: none) and their end."""
    value, i = 0, start
    for number in range(4):
        if number > 0:
            if i >= last or data[i] != 0x2E:
                return -1, i
            i += 1
        octet: Int = 0
        digits = 0
        while i < last and digits < 3 and _is_digit(data[i]):
            octet = 10 * octet + data[i] - 0x30
            digits += 1
            i += 1
        if digits == 0 or octet > 255 or (digits > 1 and data[i - digits] == 0x30):
            return -1, i
        value = value << 8 | octet
    return value, i


@lean_kernel
def _ipv4(data: Bytes, first: Int, last: Int, start: Int, step: Steps) -> Found:
    value, end = _octets(data, start, last)
    if value < 0 or (start > first and data[start - 1] == 0x2E):
        return NOTHING
    stop = end
    while stop < last and data[stop] == 0x2E:
        stop += 1
    if (stop < last and _is_digit(data[stop])) or end - start < MIN_IPV4 or value & 255 == 0:
        return NOTHING
    a, b, c = value >> 24, value >> 16 & 255, value >> 8 & 255
    if a == 0 or a == 10 or a == 127 or a >= 224 or (a == 100 and 64 <= b < 128) or (a == 169 and b == 254):
        return NOTHING
    if (a == 172 and 16 <= b < 32) or (a == 192 and b == 168) or (a == 192 and b == 0 and (c == 0 or c == 2)):
        return NOTHING
    if (a == 198 and (b == 18 or b == 19)) or (a == 198 and b == 51 and c == 100) or (a == 203 and b == 0 and c == 113):
        return NOTHING
    return NOTHING if _is_version(data, first, last, start, end, step) else (start, end)


@lean_kernel
def _hexadecimal(byte: Int) -> Int:
    """The value of a digit, or -1."""
    if 0x30 <= byte <= 0x39:
        return byte - 0x30
    byte = _lower(byte)
    return byte - 0x57 if 0x61 <= byte <= 0x66 else -1


@lean_kernel
def _ipv6(data: Bytes, first: Int, last: Int, start: Int, step: Steps) -> Found:
    if start + 4 >= last or data[start + 4] != 0x3A or not (data[start] == 0x32 or data[start] == 0x33):
        return NOTHING
    for i in range(start + 1, start + 4):
        if _hexadecimal(data[i]) < 0:
            return NOTHING
    if start > first and data[start - 1] == 0x3A:
        return NOTHING
    end, colons = start + 5, 1
    while end < last and end < start + 46 and (_hexadecimal(data[end]) >= 0 or data[end] == 0x3A or data[end] == 0x2E):
        end += 1
    while data[end - 1] == 0x2E:
        end -= 1
    if data[end - 1] == 0x3A and data[end - 2] != 0x3A:
        end -= 1
    for i in range(start + 5, end):
        colons += data[i] == 0x3A
    if end <= start + 4 or colons < 2 or (data[end - 1] == 0x3A and data[end - 2] == 0x3A):
        return NOTHING
    leading = _public_groups(data, start, end)
    return NOTHING if not leading or _is_version(data, first, last, start, end, step) else (start, end)


@lean_kernel
def _public_groups(data: Bytes, start: Int, end: Int) -> Flag:
    """Whether the bytes are an address of RFC 4291, not in a network that identifies nobody."""
    n, skip, i = 0, -1, start
    group0 = group1 = 0
    while True:
        group, digits, begin = 0, 0, i
        while i < end and digits < 5 and _hexadecimal(data[i]) >= 0:
            group = group << 4 | _hexadecimal(data[i])
            digits += 1
            i += 1
        if i < end and data[i] == 0x2E:
            value, stop = _octets(data, begin, end)
            if value < 0 or stop != end:
                return False
            if n == 1 and skip < 0:
                group1 = value >> 16
            n += 2
            break
        if digits == 0 or digits > 4:
            return False
        if n == 0:
            group0 = group
        if n == 1 and skip < 0:
            group1 = group
        n += 1
        if n > 8:
            return False
        if i == end:
            break
        if data[i] != 0x3A:
            return False
        i += 1
        if i < end and data[i] == 0x3A:
            if skip >= 0:
                return False
            skip = n
            i += 1
        if i == end:
            return False
    if n > 8 or (skip < 0 and n != 8) or (skip >= 0 and n > 7):
        return False
    if skip == 1:
        group1 = 0
    return not (
        (group0 == 0x2001 and (group1 < 0x200 or group1 == 0xDB8))
        or group0 == 0x2002
        or (group0 == 0x3FFF and group1 < 0x1000)
    )


# Numbers of a fixed form


@lean_kernel
def _match(pattern: Bytes, begin: Int, stop: Int, data: Bytes, start: Int, last: Int, values: Integers) -> Found:
    """Match a pattern at a byte: its end, or -1, and how many values were read into `values`."""
    i, n = start, 0
    for p in range(begin, stop):
        symbol = pattern[p]
        if i >= last:
            return -1, n
        value: Int = -1
        width: Int = 0
        if symbol == 0x4E or symbol == 0x58 or symbol == 0x4B or _is_digit(symbol):  # N, X, K, a digit
            value, width = _digit(data, i, last)
            if width == 0 and (symbol == 0x58 or symbol == 0x4B) and (data[i] == symbol or data[i] == symbol + 32):
                value, width = 10, 1
            if _is_digit(symbol) and value != symbol - 0x30:
                return -1, n
        elif symbol == 0x41:  # A
            if 0x41 <= data[i] <= 0x5A:
                value, width = np.int64(data[i]) - 0x41 + 10, 1
        elif symbol == 0x20:
            width = _space_width(data, i, last)
        elif symbol == 0x2D:
            width = _hyphen_width(data, i, last)
        elif data[i] == symbol:
            width = 1
        if width == 0:
            return -1, n
        if value >= 0:
            values[n] = value
            n += 1
        i += width
    return i, n


@lean_kernel
def _start_of_lead(data: Bytes, first: Int, i: Int, row: Int) -> Int:
    """Where what stands before the first digit begins, if it is this beginning of patterns; else -1."""
    start = i
    for p in range(LEAD_STARTS[row + 1] - 1, LEAD_STARTS[row] - 1, -1):
        symbol, width = LEADS[p], 0
        if start <= first:
            return -1
        if symbol == 0x41:
            width = 1 if 0x41 <= data[start - 1] <= 0x5A else 0
        elif symbol == 0x20 or symbol == 0x2D:
            for k in range(1, 4):
                if start - k >= first and width == 0:
                    found = (
                        _space_width(data, start - k, start)
                        if symbol == 0x20
                        else _hyphen_width(data, start - k, start)
                    )
                    if found == k:
                        width = k
        elif data[start - 1] == symbol:
            width = 1
        if width == 0:
            return -1
        start -= width
    return start


@lean_kernel
def _first_lead(data: Bytes, first: Int, i: Int) -> Int:
    """The first row of beginnings that can stand before byte `i`; the last row is that of none."""
    if i == first:
        return len(LEAD_STARTS) - 2
    before = data[i - 1]
    if before == 0x28 or 0x41 <= before <= 0x5A or before >= 0x80:
        return 0
    if (before == 0x20 or before == 0x2D) and i - 2 >= first and 0x41 <= data[i - 2] <= 0x5A:
        return 0
    return len(LEAD_STARTS) - 2


@lean_kernel
def _may_follow(data: Bytes, end: Int, last: Int, symbol: Int) -> Flag:
    """Whether what stands behind the first block of digits may be what a pattern has there; a quick test."""
    if symbol == 0:
        return end >= last or not _is_alnum(data[end])
    if symbol == 1 or end >= last:
        return end < last
    return data[end] == symbol or data[end] >= 0x80


@lean_kernel
def _free_before(data: Bytes, first: Int, start: Int, raw: Flag, spaced: Flag, strict: Flag) -> Flag:
    """Whether a number may begin here.  strict: its form alone must show what it is."""
    if start == first:
        return True
    byte = data[start - 1]
    if _is_alnum(byte) or byte == 0x5F or byte == 0x24 or _digit_before(data, first, start):
        return False
    earlier = data[start - 2] if start - 2 >= first else np.uint8(0)
    if (byte == 0x2E or byte == 0x2B) and _is_digit(earlier):
        return False
    if byte == 0x2D and _is_alnum(earlier):
        return False
    if spaced and byte == 0x20 and _is_digit(earlier):
        return False
    if raw:
        if byte == 0x2F or byte == 0x26 or byte == 0x3F or byte == 0x25 or byte == 0x23 or byte == 0x5C or byte == 0x40:
            return False
        if (byte == 0x2C or byte == 0x3A or byte == 0x27) and _is_digit(earlier):
            return False
        if byte == 0x3D and strict:
            return False
    return True


@lean_kernel
def _free_after(data: Bytes, last: Int, end: Int, raw: Flag, spaced: Flag) -> Flag:
    if end >= last:
        return True
    byte = data[end]
    if _is_alnum(byte) or byte == 0x5F or _digit(data, end, last)[1] > 0:
        return False
    behind = data[end + 1] if end + 1 < last else np.uint8(0)
    if (byte == 0x2E or byte == 0x2B) and _is_digit(behind):
        return False
    if byte == 0x2D and _is_alnum(behind):
        return False
    if spaced and byte == 0x20 and _is_digit(behind):
        return False
    if raw:
        if byte == 0x2F or byte == 0x26 or byte == 0x3F or byte == 0x25 or byte == 0x3D or byte == 0x5C or byte == 0x40:
            return False
        if (byte == 0x2C or byte == 0x3A or byte == 0x27) and _is_digit(behind):
            return False
    return True


@lean_kernel
def _is_asian(data: Bytes, i: Int) -> Flag:
    """Whether three bytes are a character from U+3000 to U+DFFF, or of full width."""
    if data[i + 1] & 0xC0 != 0x80 or data[i + 2] & 0xC0 != 0x80:
        return False
    return 0xE3 <= data[i] <= 0xED or (data[i] == 0xEF and data[i + 1] == 0xBC and data[i + 2] >= 0x81)


@lean_kernel
def _near_asian(data: Bytes, first: Int, last: Int, start: Int, end: Int) -> Flag:
    stop = start
    while (
        stop > first
        and start - stop < 2
        and (data[stop - 1] == 0x20 or data[stop - 1] == 0x3A or data[stop - 1] == 0x28 or data[stop - 1] == 0x5B)
    ):
        stop -= 1
    if stop - 3 >= first and _is_asian(data, stop - 3):
        return True
    begin = end + 1 if end < last and data[end] == 0x20 else end
    return begin + 2 < last and _is_asian(data, begin)


@lean_kernel
def _number(values: Integers, start: Int, end: Int) -> Int:
    total = 0
    for i in range(start, end):
        total = 10 * total + values[i]
    return total


@lean_kernel
def _luhn(values: Integers, start: Int, n: Int) -> Flag:
    total = 0
    for i in range(start, n):
        value = values[n - 1 - (i - start)]
        if (i - start) % 2 == 1:
            value = 2 * value - (9 if value > 4 else 0)
        total += value
    return total % 10 == 0


@lean_kernel
def _weighted(values: Integers, start: Int, n: Int, weight: Int, step: Int) -> Int:
    total = 0
    for i in range(start, n):
        total += weight * values[i]
        weight += step
    return total


@lean_kernel
def _is_card(values: Integers, n: Int) -> Flag:
    for row in range(len(CARDS)):
        prefix = _number(values, 0, CARDS[row, 2])
        if CARDS[row, 0] <= prefix <= CARDS[row, 1] and CARDS[row, 3 + n]:
            return _luhn(values, 0, n)
    return False


@lean_kernel
def _dialled(state: Int, value: Int, phones: States) -> Int:
    return np.int64(phones[state, value]) if state > 0 else np.int64(0)


@lean_kernel
def _is_phone(values: Integers, n: Int, country_code: Int, trunk: Int, phones: States) -> Flag:
    state, power = np.int64(1), 1
    while country_code // power >= 10:
        power *= 10
    while power > 0:
        state = _dialled(state, country_code // power % 10, phones)
        power //= 10
    for i in range(trunk, n):
        state = _dialled(state, values[i], phones)
    return state >= phones[0, 0]


@lean_kernel
def _date_holds(values: Integers, month: Int, day: Int, month_modulus: Int, day_modulus: Int) -> Flag:
    number = _number(values, month, month + 2) % month_modulus
    return 1 <= number <= 12 and 1 <= _number(values, day, day + 2) % day_modulus <= 31


@lean_kernel
def _sum_holds(values: Integers, row: Int) -> Flag:
    total, n, modulus, mode = 0, SUMS[row, 0], SUMS[row, 1], SUMS[row, 2]
    for i in range(n):
        total += SUMS[row, 4 + i] * values[i]
    if mode == ZERO_MODE:
        return total % modulus == SUMS[row, 3]
    last = values[n]
    if mode == MINUS:
        return last == (-total) % modulus % 10
    if mode == KOREAN:
        return last == (11 - total % 11) % 10
    if mode == PLUS:
        return last == total % modulus % 10
    return last == (1 if total % 11 == 10 else total % 11)


@lean_kernel
def _holds(rule: Int, values: Integers, n: Int, phones: States) -> Flag:
    """Whether a rule holds for n digits and letters."""
    special = RULES[rule, 1]
    if special == PHONE_NUMBER:
        return _is_phone(values, n, RULES[rule, 8], RULES[rule, 9], phones)
    same = RULES[rule, 0] == NATIONAL_ID
    for i in range(1, min(n, 9)):
        same &= values[i] == values[0]
    if same:
        return False
    if RULES[rule, 2] >= 0 and not _date_holds(values, RULES[rule, 2], RULES[rule, 3], RULES[rule, 4], RULES[rule, 5]):
        return False
    for row in range(RULES[rule, 6], RULES[rule, 7]):
        if not _sum_holds(values, row):
            return False
    return _special_holds(special, values, n)


@lean_kernel
def _special_holds(special: Int, values: Integers, n: Int) -> Flag:
    if special == CARD_NUMBER:
        return _is_card(values, n)
    if special == LUHN:
        return _luhn(values, 0, n)
    if special == VERHOEFF:
        check = 0
        for i in range(n):
            check = VERHOEFF_TABLES[0, check, VERHOEFF_TABLES[1, i % 8, values[n - 1 - i]]]
        return check == 0 and values[0] > 1
    if special == ISO_11_10:
        check = 5
        for i in range(n):
            check = ((check if check else 10) * 2 % 11 + values[i]) % 10
        return check == 1
    if special == US:
        area, group, serial = _number(values, 0, 3), _number(values, 3, 5), _number(values, 5, 9)
        whole = _number(values, 0, 9)
        return (
            area != 0
            and area != 666
            and area < 900
            and group > 0
            and serial > 0
            and whole != 78051120
            and whole != 219099999
        )
    if special == FRENCH:
        month = _number(values, 3, 5)
        kind = values[0] == 1 or values[0] == 2 or values[0] == 7 or values[0] == 8
        return (
            kind and (1 <= month <= 12 or month >= 20) and 97 - _number(values, 0, 13) % 97 == _number(values, 13, 15)
        )
    if special == BELGIAN:
        number, pair = _number(values, 0, 9), _number(values, 9, 11)
        fits = pair == 97 - number % 97 or pair == 97 - (2_000_000_000 + number) % 97
        return fits and _number(values, 2, 4) % 20 <= 12
    if special == SPANISH:
        head = values[0]
        if head >= 10:
            head -= 33  # X, Y, Z are 0, 1, 2
            if head < 0:
                return False
        number = head * 10 ** (n - 2) + _number(values, 1, n - 1)
        return LETTERS[0, number % 23] == values[n - 1] + 55
    if special == ITALIAN:
        total = 0
        for i in range(15):
            value = values[i]
            total += ITALIAN_ODD[value] if i % 2 == 0 else value if value < 10 else value - 10
        month = values[8] + 55
        known = (
            (0x41 <= month <= 0x45)
            or month == 0x48
            or month == 0x4C
            or month == 0x4D
            or (month == 0x50 or (0x52 <= month <= 0x54))
        )
        return total % 26 == values[15] - 10 and known and 1 <= _number(values, 9, 11) % 40 <= 31
    if special == HONG_KONG:
        if values[7] > 10:
            return False
        return (9 * 36 + _weighted(values, 0, 8, 8, -1)) % 11 == 0
    if special == SINGAPORE:
        head = values[0] + 55
        if not (head == 0x53 or head == 0x54 or head == 0x46 or head == 0x47):
            return False
        total = 2 * values[1] + _weighted(values, 2, 8, 7, -1) + (4 if head == 0x54 or head == 0x47 else 0)
        return LETTERS[2 if head >= 0x53 else 3, total % 11] == values[8] + 55
    if special == FINNISH:
        if n == 11:
            century = values[6] + 55
            if not (0x41 <= century <= 0x46 or 0x55 <= century <= 0x59):
                return False
        serial = n - 4
        number = _number(values, 0, 6) * 1000 + _number(values, serial, serial + 3)
        check = values[n - 1] + (0x30 if values[n - 1] < 10 else 55)
        return LETTERS[1, number % 31] == check and _number(values, serial, serial + 3) >= 2
    if special == TAIWAN:
        head = np.int64(LETTERS[4, values[0] - 10])
        total = head // 10 + 9 * (head % 10) + _weighted(values, 1, 9, 8, -1) + values[9]
        return total % 10 == 0 and (values[1] == 1 or values[1] == 2 or values[1] == 8 or values[1] == 9)
    if special == BRITISH:
        return _is_british(values[0] + 55, values[1] + 55, values[8] + 55)
    if special == INDIAN_PAN:
        return values[3] == 25 and _number(values, 5, 9) > 0
    if special == TURKISH:
        odd = values[0] + values[2] + values[4] + values[6] + values[8]
        even = values[1] + values[3] + values[5] + values[7]
        return values[0] > 0 and (7 * odd - even) % 10 == values[9] and (odd + even + values[9]) % 10 == values[10]
    if special == BALTIC:
        check = (_weighted(values, 0, 9, 1, 1) + values[9]) % 11
        if check == 10:
            check = (_weighted(values, 0, 7, 3, 1) + _weighted(values, 7, 10, 1, 1)) % 11 % 10
        return check == values[10] and values[0] > 0
    if special == RUSSIAN:
        total = _weighted(values, 0, 9, 9, -1)
        return total % 101 % 100 == _number(values, 9, 11) and _number(values, 0, 9) > 1_001_998
    if special == CHINESE:
        century, province = _number(values, 6, 8), _number(values, 0, 2)
        return 18 <= century <= 20 and (
            11 <= province <= 15
            or 21 <= province <= 23
            or 31 <= province <= 37
            or 41 <= province <= 46
            or 50 <= province <= 54
            or 61 <= province <= 65
            or province == 71
            or province == 81
            or province == 82
        )
    if special == SWEDISH_LONG:
        return _luhn(values, 2, n) and _date_holds(values, 4, 6, 100, 60) and 18 <= _number(values, 0, 2) <= 20
    return True


@lean_kernel
def _is_british(head: Int, second: Int, last: Int) -> Flag:
    if head == 0x44 or head == 0x46 or head == 0x49 or head == 0x51 or head == 0x55 or head == 0x56:
        return False
    if second == 0x44 or second == 0x46 or second == 0x49 or second == 0x4F or second == 0x51 or second == 0x55:
        return False
    if second == 0x56 or not 0x41 <= last <= 0x44:
        return False
    pair = head << 8 | second
    return not (
        pair == 0x4247 or pair == 0x4742 or pair == 0x4B4E or pair == 0x4E4B or pair == 0x4E54 or pair == 0x544E
        or pair == 0x5A5A
    )  # fmt: skip


@lean_kernel
def _formed(
    data: Bytes,
    first: Int,
    last: Int,
    floor: Int,
    i: Int,
    block_end: Int,
    length: Int,
    wanted: Int,
    values: Integers,
    phones: States,
    step: Steps,
) -> tuple[Int, Int, Int]:
    """A number of a fixed form whose first block of digits is at byte `i` and has `length` digits: span and kind."""
    for row in range(_first_lead(data, first, i), len(LEAD_STARTS) - 1):
        begin, stop = BY_LENGTH[row, length], BY_LENGTH[row, length + 1]
        if begin == stop:
            continue
        start = _start_of_lead(data, first, i, row)
        if start < floor or start < first:
            continue
        for k in range(begin, stop):
            if not _may_follow(data, block_end, last, ORDER_NEXT[k]):
                continue
            form = FORM_ORDER[k]
            rule = FORM_RULE[form]
            if not wanted >> RULES[rule, 0] & 1:
                continue
            end, n = _match(PATTERN, PATTERN_STARTS[form], PATTERN_STARTS[form + 1], data, start, last, values)
            if end < 0:
                continue
            raw, spaced, needs = FORM_RAW[form], FORM_SPACED[form], FORM_NEEDS[form]
            if not _free_before(
                data, floor, start, raw, spaced and _is_alnum(data[start]), needs == 0 or needs == ASIAN
            ):
                continue
            if not _free_after(data, last, end, raw, spaced) or not _holds(rule, values, n, phones):
                continue
            if needs == ASIAN:
                if not _near_asian(data, first, last, start, end):
                    continue
            elif needs != 0 and not _named(data, first, start, needs, REACH, step):
                continue
            return start, end, np.int64(RULES[rule, 0])
    return -1, -1, 0


# Telephone numbers


@lean_kernel
def _next_block(data: Bytes, i: Int, last: Int, n: Int, values: Integers) -> tuple[Int, Int, bool]:
    """Read separators and a block of digits behind n digits.

    Returns the block's end (-1: there is none, or it is too long), the number of digits until there, and whether the
    block is a zero in brackets, which is not dialled.
    """
    separators, bracket = 0, False
    while separators < 3:
        width = _separator_width(data, i, last)
        if width == 0:
            break
        bracket = data[i] == 0x28
        i += width
        separators += 1
    begin = n
    while True:
        value, width = _digit(data, i, last)
        if width == 0:
            break
        if n - begin >= MOST_PHONE:
            return -1, n, False
        values[n] = value
        n += 1
        i += width
    if n == begin:
        return -1, n, False
    if (
        n == begin + 1
        and begin > 0
        and values[begin] == 0
        and bracket
        and separators > 0
        and i < last
        and data[i] == 0x29
    ):
        return i, begin, True
    return i, n, False


@lean_kernel
def _international(
    data: Bytes, first: Int, last: Int, start: Int, after: Int, values: Integers, phones: States
) -> Found:
    if start > first:
        before = data[start - 1]
        if _is_alnum(before) or before == 0x5F or before == 0x2B:
            return NOTHING
    state, n, best, i = np.int64(1), 0, -1, after
    if i < last and _separator_width(data, i, last) > 0 and data[i] != 0x28 and data[i] != 0xEF:
        return NOTHING
    while n <= MOST_PHONE:
        end, m, is_zero = _next_block(data, i, last, n, values)
        if end < 0:
            break
        i = end
        if is_zero:
            continue
        for k in range(n, m):
            state = _dialled(state, values[k], phones)
        n = m
        if state == 0:
            break
        if state >= phones[0, 0] and _ends_dialled(data, last, end):
            best = end
    return NOTHING if best < 0 else (start, best)


@lean_kernel
def _ends_dialled(data: Bytes, last: Int, end: Int) -> Flag:
    """Whether an international number may end here; x and ext. of an extension may follow."""
    if end >= last:
        return True
    byte = data[end]
    if byte == 0x5F or (_is_alpha(byte) and _lower(byte) != 0x65 and _lower(byte) != 0x78):
        return False
    if end + 1 >= last:
        return True
    behind = data[end + 1]
    return not (((byte == 0x2E or byte == 0x2B) and _is_digit(behind)) or (byte == 0x2D and _is_alpha(behind)))


@lean_kernel
def _letter_before(data: Bytes, first: Int, start: Int) -> Flag:
    """Whether a letter stands near before a number: without one, there is no word."""
    for i in range(start - 1, max(first, start - PHONE_REACH) - 1, -1):
        if _is_alpha(data[i]) or data[i] >= 0x80:
            return True
    return False


@lean_kernel
def _named_phone(data: Bytes, first: Int, last: Int, i: Int, values: Integers, step: Steps) -> Found:
    start = i - 1 if i > first and data[i - 1] == 0x28 else i
    if start > first:
        before = data[start - 1]
        if _is_alnum(before) or before == 0x5F or before == 0x2B or before == 0x24 or before == 0x2D or before == 0x2E:
            return NOTHING
        if _digit_before(data, first, start):
            return NOTHING
    if not _letter_before(data, first, start):
        return NOTHING
    n, best, position, blocks = 0, -1, start, 0
    length0 = length1 = length2 = 0
    all_four = True
    while n <= MOST_PHONE:
        end, m, is_zero = _next_block(data, position, last, n, values)
        if end < 0:
            break
        position = end
        if is_zero:
            continue
        length = m - n
        if blocks == 0:
            length0 = length
        elif blocks == 1:
            length1 = length
        elif blocks == 2:
            length2 = length
        blocks += 1
        all_four &= length == 4
        n = m
        if n > MOST_NAMED:
            break
        if n < LEAST_PHONE or not _ends_named(data, last, end):
            continue
        if blocks == 1:
            if n < 9 and values[0] != 0:
                continue
        else:
            year = 1 <= values[0] <= 2 and (values[1] == 9 or values[1] == 0)
            if length0 == 4 and year and (blocks == 3 or all_four):
                continue
            if blocks == 3 and length2 == 4 and length0 <= 2 and length1 <= 2:
                continue
        best = end
    if best < 0 or not _named(data, first, start, PHONE_WORDS, PHONE_REACH, step):
        return NOTHING
    return start, best


@lean_kernel
def _ends_named(data: Bytes, last: Int, end: Int) -> Flag:
    if end >= last:
        return True
    byte = data[end]
    if byte == 0x5F or (_is_alnum(byte) and byte != 0x78):
        return False
    if end + 1 >= last:
        return True
    behind = data[end + 1]
    if (byte == 0x2E or byte == 0x2B or byte == 0x2C or byte == 0x3A or byte == 0x27) and _is_digit(behind):
        return False
    return not ((byte == 0x2D or byte == 0x2F) and _is_alnum(behind))


# Bank accounts


@lean_kernel
def _iban(data: Bytes, first: Int, last: Int, i: Int) -> Found:
    start = i - 2
    if start < first or i + 1 >= last or not (0x41 <= data[start] <= 0x5A and 0x41 <= data[start + 1] <= 0x5A):
        return NOTHING
    if start > first and _is_alnum(data[start - 1]):
        return NOTHING
    length = IBANS[(np.int64(data[start]) - 0x41) * 26 + data[start + 1] - 0x41]
    if length == 0 or not _is_digit(data[i]) or not _is_digit(data[i + 1]):
        return NOTHING
    n, position, rest = 4, i + 2, 0
    while n < length:
        at = position + 1 if position < last and data[position] == 0x20 else position
        if at >= last or not (_is_digit(data[at]) or 0x41 <= data[at] <= 0x5A):
            return NOTHING
        rest = _joined(rest, data[at])
        n, position = n + 1, at + 1
    for k in range(start, i + 2):
        rest = _joined(rest, data[k])
    if position < last and (_is_alnum(data[position]) or data[position] == 0x5F):
        return NOTHING
    return (start, position) if rest == 1 else NOTHING


@lean_kernel
def _joined(rest: Int, byte: Int) -> Int:
    """The rest modulo 97 of a number with another digit or letter behind it."""
    return (rest * 10 + byte - 0x30) % 97 if byte <= 0x39 else (rest * 100 + byte - 55) % 97


# Credentials and keys


@lean_kernel
def _ends_authority(byte: Int) -> Flag:
    """White space, slashes, quotes and ?#<> ."""
    return (
        _is_space(byte) or byte == 0x2F or byte == 0x3F or byte == 0x23 or byte == 0x3C or byte == 0x3E
        or byte == 0x22 or byte == 0x27 or byte == 0x5C
    )  # fmt: skip


@lean_kernel
def _userinfo(data: Bytes, last: Int, i: Int) -> Found:
    if i + 2 >= last or data[i] != 0x3A or data[i + 1] != 0x2F or data[i + 2] != 0x2F:
        return NOTHING
    limit, base, at, colon = min(last, i + MOST_AUTHORITY), i + 3, -1, -1
    p = base
    while p < limit and not _ends_authority(data[p]):
        if data[p] == 0x40:
            if p + 1 < limit and (_is_word_byte(data[p + 1]) or data[p + 1] == 0x5B):
                at = p
            if p + 1 < limit and data[p + 1] == 0x40:
                break
        elif data[p] == 0x3A and colon < 0:
            colon = p
        p += 1
    if at < 0 or colon < 0 or colon + 1 >= at:
        return NOTHING
    for k in range(colon + 1, at):
        if data[k] != 0x2A:
            return base, at
    return NOTHING


@lean_kernel
def _ends_argument(byte: Int) -> Flag:
    """White space, quotes, brackets, backslashes and &;#?|, ."""
    return (
        _is_space(byte) or byte == 0x26 or byte == 0x3B or byte == 0x23 or byte == 0x22 or byte == 0x27 or byte == 0x3C
        or byte == 0x3E or byte == 0x28 or byte == 0x29 or byte == 0x5B or byte == 0x5D or byte == 0x7C or byte == 0x2C
        or byte == 0x60 or byte == 0x5C or byte == 0x3F
    )  # fmt: skip


@lean_kernel
def _argument(data: Bytes, first: Int, last: Int, i: Int) -> Found:
    if data[i] != 0x3D:
        return NOTHING
    name = i
    while (
        name > first
        and i - name < LONGEST_NAME
        and (_is_alnum(data[name - 1]) or data[name - 1] == 0x5F or data[name - 1] == 0x2E or data[name - 1] == 0x2D)
    ):
        name -= 1
    if name == i or name == first:
        return NOTHING
    before = data[name - 1]
    if not (before == 0x3F or before == 0x26 or before == 0x3B or before == 0x23):
        return NOTHING
    found = _look_up(NAMES.slots, NAMES.starts, NAMES.content, data, name, i)
    if found < 0:
        return NOTHING
    end, stars, digits = i + 1, 0, 0
    while end < last and end - i <= MOST_VALUE and not _ends_argument(data[end]):
        stars += data[end] == 0x2A
        digits += _is_digit(data[end])
        end += 1
    length = end - i - 1
    if length == 0 or stars == length:
        return NOTHING
    if NAME_IS_SECRET[found]:
        return (i + 1, end) if length >= LEAST_SECRET else NOTHING
    return (i + 1, end) if length >= LEAST_VAGUE and digits > 0 else NOTHING


@lean_kernel
def _is_quote(byte: Int) -> Flag:
    """Space, tab, quotes."""
    return byte == 0x20 or byte == 9 or byte == 0x22 or byte == 0x27 or byte == 0x60


@lean_kernel
def _scheme_width(data: Bytes, i: Int, last: Int) -> Int:
    """Bytes of `Bearer `, `Basic ` or `Token ` at a byte."""
    if i >= last:
        return 0
    head = _lower(data[i])
    if head == 0x62 and _stands_at(data, i + 1, last, EARER):
        return 7
    if (head == 0x62 and _stands_at(data, i + 1, last, ASIC)) or (head == 0x74 and _stands_at(data, i + 1, last, OKEN)):
        return 6
    return 0


@lean_kernel
def _assigned(data: Bytes, first: Int, last: Int, i: Int, counts: Integers, step: Steps) -> Found:
    begin = i + 1
    while (
        begin < last
        and begin - i <= 4
        and (_is_quote(data[begin]) or data[begin] == 0x3D or data[begin] == 0x3E or data[begin] == 0x3A)
    ):
        begin += 1
    begin += _scheme_width(data, begin, last)
    end = begin
    while (
        end < last
        and end - begin < MOST_RANDOM
        and (
            CHARACTERS_OF_KEYS[data[end]] & MEMBER
            or data[end] == 0x2B
            or data[end] == 0x2F
            or data[end] == 0x5F
            or data[end] == 0x2D
        )
    ):
        end += 1
    if end - begin < RANDOM_LEAST:
        return NOTHING
    value_end = end
    while end < last and end - value_end < 2 and data[end] == 0x3D:
        end += 1
    if end < last:
        after = data[end]
        if (
            after == 0x28 or after == 0x5B or after == 0x2E or after == 0x3C or after == 0x7B or after == 0x2B
            or after == 0x2F or after == 0x5F or after == 0x2D
        ):  # fmt: skip
            return NOTHING
    stop, lowest = i, max(first, i - WORD_REACH)
    while stop > lowest and (_is_quote(data[stop - 1]) or data[stop - 1] == 0x5D):
        stop -= 1
    if not _ends_in(data, first, lowest, stop, SECRET_WORDS, step):
        return NOTHING
    return (begin, end) if _is_random(data, begin, value_end, counts) else NOTHING


@lean_kernel
def _is_random(data: Bytes, begin: Int, end: Int, counts: Integers) -> Flag:
    counts[:] = 0
    changes, previous, is_hex = 0, 2, True
    for i in range(begin, end):
        byte = data[i]
        counts[byte] += 1
        kind = 0 if _is_digit(byte) else 1 if _is_alpha(byte) else 2
        changes += i > begin and kind + previous == 1
        previous = kind
        is_hex &= _hexadecimal(byte) >= 0 or byte == 0x2D
    n = end - begin
    entropy = ENTROPY[n]
    for byte in range(128):
        entropy -= ENTROPY[counts[byte]]
    if is_hex:
        return n >= LEAST_HEX and entropy >= LEAST_HEX_ENTROPY * n and changes >= LEAST_CHANGES
    return n >= LEAST_RANDOM and entropy >= LEAST_ENTROPY * n and changes >= LEAST_CHANGES


@lean_kernel
def _prefixed(data: Bytes, first: Int, last: Int, i: Int) -> Found:
    for row in range(BY_TRIGGER[data[i]], BY_TRIGGER[data[i] + 1]):
        start = i - PREFIX_RULES[row, 0]
        base, length = PREFIX_STARTS[row], PREFIX_STARTS[row + 1] - PREFIX_STARTS[row]
        if start < first or start + length > last:
            continue
        same = True
        for k in range(length):
            if data[start + k] != PREFIX[base + k]:
                same = False
                break
        if not same:
            continue
        if start > first:
            before = data[start - 1]
            if _is_alnum(before) or before == 0x5F or before == 0x2D or before == 0x2E:
                continue
        member, begin = PREFIX_RULES[row, 1], start + length
        end = begin
        while end < last and CHARACTERS_OF_KEYS[data[end]] & member:
            end += 1
        while end > begin and data[end - 1] == 0x2E:
            end -= 1
        if not PREFIX_RULES[row, 2] <= end - begin <= PREFIX_RULES[row, 3]:
            continue
        dots = digits = letters = 0
        for k in range(begin, end):
            dots += data[k] == 0x2E
            digits += _is_digit(data[k])
            letters += _is_alpha(data[k])
        if dots >= PREFIX_RULES[row, 4] and digits > 0 and letters > 0:
            return start, end
    return NOTHING


@lean_kernel
def _find_dashes(data: Bytes, begin: Int, end: Int) -> Int:
    """Where five dashes stand between two places, or -1."""
    run = 0
    for i in range(begin, end):
        run = run + 1 if data[i] == 0x2D else 0
        if run == 5:
            return i - 4
    return -1


@lean_kernel
def _pem(data: Bytes, last: Int, i: Int) -> Found:
    if i + 10 >= last or data[i + 5] != 0x42 or not _stands_at(data, i, last, PEM_BEGIN):
        return NOTHING
    begin = i + 11
    name_end = _find_dashes(data, begin, min(last, begin + PEM_NAME_REACH))
    if name_end < 0:
        return NOTHING
    named = False
    for k in range(begin, name_end - 10):
        if data[k] == 0x50 and _stands_at(data, k, name_end, PEM_NAME):
            named = True
    if not named:
        return NOTHING
    end = _find_dashes(data, name_end + 5, min(last, name_end + PEM_REACH))
    if end < 0 or not _stands_at(data, end, last, PEM_END):
        return NOTHING
    stop = _find_dashes(data, end + 5, min(last, end + 5 + PEM_NAME_REACH))
    return NOTHING if stop < 0 else (i, stop + 5)


# The pass over a column


@lean_kernel
def _around_digit(
    data: Bytes, first: Int, last: Int, floor: Int, i: Int, wanted: Int, values: Integers, phones: States, step: Steps
) -> tuple[Int, Int, Int, Int]:
    """A number whose first digit is at byte `i`: span, kind, and where to go on."""
    block_end, length = i, 0
    while True:
        _, width = _digit(data, block_end, last)
        if width == 0:
            break
        block_end += width
        length += 1
    if wanted >> IP & 1:
        start, end = _ipv6(data, first, last, i, step)
        if start < floor:
            start, end = _ipv4(data, first, last, i, step)
        if start >= floor:
            return start, end, IP, end
    if wanted >> IBAN & 1:
        start, end = _iban(data, first, last, i)
        if start >= floor:
            return start, end, IBAN, end
    if wanted >> KEY & 1:
        start, end = _prefixed(data, first, last, i)
        if start >= floor:
            return start, end, KEY, end
    if length <= LONGEST_BLOCK:
        start, end, kind = _formed(data, first, last, floor, i, block_end, length, wanted, values, phones, step)
        if start >= 0:
            return start, end, kind, end
    if wanted >> PHONE & 1:
        start, end = _named_phone(data, first, last, i, values, step)
        if start >= floor:
            return start, end, PHONE, end
    return -1, -1, 0, block_end


@kernel
def find_all(data: Bytes, offsets: Integers, rows: Integers, wanted: Int, t: Tables) -> npt.NDArray[np.int64]:
    """The personal data in some rows of a column: (n, 4) of row, start, end (bytes in data), kind; ascending.

    wanted: a bit for each kind.
    """
    characters, domains, phones, step = t.characters, t.domains, t.phones, t.step
    out = np.empty((64, 4), np.int64)
    values = np.zeros(64, np.int64)
    counts = np.zeros(256, np.int64)
    n = 0
    for row in rows:
        first, last = offsets[row], offsets[row + 1]
        row_start, floor, solid = n, first, first
        i = first
        while True:
            while i < last and not TRIGGERS[data[i]]:
                i += 1
            if i >= last:
                break
            byte = data[i]
            start, end, kind, go_on = -1, -1, 0, i + 1
            if byte == 0x40:
                if wanted >> EMAIL & 1:
                    start, end = _email(data, first, last, solid, i, characters, domains)
                    kind = EMAIL
                    while start >= 0 and n > row_start and out[n - 1, 2] > start:
                        n -= 1
            elif byte == 0x3A or byte == 0x3D:
                if wanted >> CREDENTIALS & 1:
                    start, end = _userinfo(data, last, i)
                    if start < floor:
                        start, end = _argument(data, first, last, i)
                    kind = CREDENTIALS
                if start < floor and wanted >> KEY & 1:
                    start, end = _assigned(data, first, last, i, counts, step)
                    kind = KEY
                if start < floor:
                    start = -1
            elif byte == 0x5F or byte == 0x2D or byte == 0x49 or byte == 0x4A or byte == 0x47:
                if wanted >> KEY & 1:
                    if byte == 0x2D:
                        start, end = _pem(data, last, i)
                    if start < floor:
                        start, end = _prefixed(data, first, last, i)
                    kind = KEY
                    if start < floor:
                        start = -1
            elif byte == 0x2B or (byte == 0xEF and i + 2 < last and data[i + 1] == 0xBC and data[i + 2] == 0x8B):
                width = 1 if byte == 0x2B else 3
                go_on = i + width
                if wanted >> PHONE & 1 and i >= floor:
                    start, end = _international(data, first, last, i, i + width, values, phones)
                    kind = PHONE
            elif _digit(data, i, last)[1] > 0:
                start, end, kind, go_on = _around_digit(data, first, last, floor, i, wanted, values, phones, step)
            if start >= 0:
                if n == len(out):
                    longer = np.empty((2 * n, 4), np.int64)
                    longer[:n] = out
                    out = longer
                out[n, 0], out[n, 1], out[n, 2], out[n, 3] = row, start, end, kind
                n += 1
                floor = go_on = end
                if kind == EMAIL or kind == CREDENTIALS or kind == KEY:
                    solid = end
            i = go_on
    return out[:n].copy()


@kernel
def replace_all(
    data: Bytes, offsets: Integers, spans: npt.NDArray[np.int64], tokens: Bytes, token_starts: Integers
) -> tuple[Bytes, Integers]:
    """A column with spans replaced: new data and offsets."""
    size = offsets[-1] - offsets[0]
    for k in range(len(spans)):
        kind = spans[k, 3]
        size += token_starts[kind + 1] - token_starts[kind] - (spans[k, 2] - spans[k, 1])
    out = np.empty(max(size, 1), np.uint8)
    new_offsets = np.empty_like(offsets)
    new_offsets[0] = 0
    position, k, source = 0, 0, offsets[0]
    for row in range(len(offsets) - 1):
        while k < len(spans) and spans[k, 0] == row:
            length = spans[k, 1] - source
            out[position : position + length] = data[source : spans[k, 1]]
            position += length
            kind = spans[k, 3]
            for p in range(token_starts[kind], token_starts[kind + 1]):
                out[position] = tokens[p]
                position += 1
            source = spans[k, 2]
            k += 1
        length = offsets[row + 1] - source
        out[position : position + length] = data[source : offsets[row + 1]]
        position += length
        source = offsets[row + 1]
        new_offsets[row + 1] = position
    return out, new_offsets
