"""Characters: references to them in HTML (`&eacute;`, `&#8212;`), reading and writing UTF-8, and character classes.

References follow the HTML standard.  The longest matching name counts.  Only old names may lack their semicolon.
Numbers 128 to 159 are read as windows-1252.  Numbers that are not a character become U+FFFD.

A name is stored by its 64-bit key, in a hash table with open addressing.  No name contains a semicolon.  So two kinds
of look-up are enough: the whole run of letters and digits if a semicolon follows, then its first two to six letters
among the old names.
"""

import unicodedata
from html.entities import html5

import numpy as np

from corpusmill.extract.segments.lean import Bytes, Int, lean_kernel
from corpusmill.extract.segments.tables import CharClass
from corpusmill.extract.segments.tags import key_table, look_up
from corpusmill.scripts import WITHOUT_SPACES

DROP = 14  # neither visible nor a space: left out of the text
MARK = 15  # part of the character before it: kept, and not counted

_DROPPED = [0x00, 0x7F, *range(0x80, 0x85), *range(0x86, 0xA0), 0xAD, 0x61C, 0x180E, 0x200B, 0x200E, 0x200F]
_DROPPED += [*range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF, 0xFFF9, 0xFFFA, 0xFFFB]
_STOPS = ".!?…‽⁇⁈⁉‼。！？．｡؟۔।॥։።፧။៕܀܁܂\u037e"
_COMMAS = ",;，；、､،؛՝፣፤၊៖·\u0387"  # U+0387 is Greek; pages write U+00B7, which elsewhere is a separator
_COMMAS = _COMMAS.replace("\u00b7", "")
_COLONS = ":：︓﹕∶"


_CATEGORIES = [unicodedata.category(chr(code)) for code in range(0x10000)]


def _classes() -> Bytes:
    """The class of each code point below 2^16."""
    of_category = {"L": CharClass.LETTER, "M": MARK, "N": CharClass.OTHER, "Z": CharClass.SPACE}
    classes = np.array([of_category.get(category[0], CharClass.OTHER) for category in _CATEGORIES], np.uint8)
    classes[[code for code, category in enumerate(_CATEGORIES) if category == "Nd"]] = CharClass.DIGIT
    classes[[code for code, category in enumerate(_CATEGORIES) if category == "Nl"]] = CharClass.LETTER
    letters = (classes == CharClass.LETTER) | (classes == MARK)
    for first, last in WITHOUT_SPACES:
        classes[first : last + 1][letters[first : last + 1]] = CharClass.IDEOGRAPH
    classes[[0x200C, 0x200D, *range(0xFE00, 0xFE10)]] = MARK  # (non-)joiners in Persian, Indic scripts, emoji
    classes[1:0x20] = CharClass.SPACE
    classes[0x85] = CharClass.SPACE
    classes[ord("a") : ord("z") + 1] = CharClass.LOWER
    classes[ord("A") : ord("Z") + 1] = CharClass.UPPER
    for characters, kind in ((_STOPS, CharClass.STOP), (_COMMAS, CharClass.COMMA), (_COLONS, CharClass.COLON)):
        classes[[ord(character) for character in characters]] = kind
    classes[_DROPPED] = DROP
    return classes


CLASS_OF = _classes()

# If an element ends and another begins directly after it, a capital after a small letter begins a new word.
SMALL, CAPITAL, DIGIT, CLOSING = 1, 2, 3, 4
_SEAMS = {"Ll": SMALL, "Lu": CAPITAL, "Lt": CAPITAL, "Nd": DIGIT, "Pe": CLOSING, "Pf": CLOSING}
SEAM_OF = np.array([_SEAMS.get(category, 0) for category in _CATEGORIES], np.uint8)
SEAM_OF[(CLASS_OF == CharClass.STOP) | (CLASS_OF == CharClass.COMMA) | (CLASS_OF == CharClass.COLON)] = CLOSING


@lean_kernel
def closes(code: int) -> bool:
    """Whether a character belongs to the word before it: a stop, a comma, a colon, a bracket or quote that closes."""
    return code < 0x10000 and SEAM_OF[code] == CLOSING


@lean_kernel
def parts_words(before: int, after: int) -> Int:
    """Whether a space belongs between these two characters, the last of an element and the first of the next."""
    if after >= 0x10000 or before >= 0x10000:
        return False
    last, first = SEAM_OF[before], SEAM_OF[after]
    if first == CAPITAL:
        return 0 < last != CAPITAL
    return first == DIGIT and last == SMALL


_LETTER, _OTHER, _IDEOGRAPH = int(CharClass.LETTER), int(CharClass.OTHER), int(CharClass.IDEOGRAPH)


@lean_kernel
def class_of(code: int) -> Int:
    """The class of a character: CharClass, DROP or MARK."""
    if code < 0x10000:
        return np.int64(CLASS_OF[code])
    if 0x20000 <= code < 0x40000:
        return _IDEOGRAPH
    if 0x1F000 <= code < 0x20000:  # emoji and other pictures
        return _OTHER
    if code >= 0xE0000:  # variation selectors, tags, private use
        return MARK
    return _LETTER


_names = {name.rstrip(";"): value for name, value in html5.items()}
_LEGACY = 1 << 48  # a name with this bit may lack its semicolon
ENTITY_KEYS, ENTITY_VALUES = key_table(
    {
        name: ord(value[0]) | (ord(value[1]) << 24 if len(value) > 1 else 0) | (_LEGACY if name in html5 else 0)
        for name, value in _names.items()
    },
    13,
)
ENTITY_SHIFT = np.uint64(64 - 13)
LONGEST_NAME = max(map(len, _names))
LONGEST_LEGACY = max(len(name) for name in html5 if not name.endswith(";"))
WINDOWS_1252 = np.array([ord(bytes([code]).decode("cp1252", "replace")) for code in range(128, 160)], np.int64)
WINDOWS_1252[WINDOWS_1252 == 0xFFFD] = np.flatnonzero(WINDOWS_1252 == 0xFFFD) + 128
IS_ALNUM = np.array([chr(code).isascii() and chr(code).isalnum() for code in range(256)], np.uint8)

_8, _56 = np.uint64(8), np.uint64(56)


@lean_kernel
def read_reference(source: Bytes, start: int, end: int) -> tuple[Int, Int, int]:
    """(character, second character or 0, where it ends) of the reference at source[start] = "&", or of "&" itself."""
    position = start + 1
    if position < end and source[position] == 35:  # "#"
        code, position = _read_number(source, start, end)
        return code, 0, position
    key = np.uint64(0)
    while position < end and position - start <= LONGEST_NAME and IS_ALNUM[source[position]]:
        key = (key << _8) ^ (key >> _56) ^ np.uint64(source[position])
        position += 1
    value = 0
    if position < end and source[position] == 59:  # ";"
        value = look_up(ENTITY_KEYS, ENTITY_VALUES, ENTITY_SHIFT, key)
        position += 1
    if value == 0:
        position = min(position, start + 1 + LONGEST_LEGACY)
        while position - start > 2:
            key = np.uint64(0)
            for index in range(start + 1, position):
                key = (key << _8) ^ (key >> _56) ^ np.uint64(source[index])
            value = look_up(ENTITY_KEYS, ENTITY_VALUES, ENTITY_SHIFT, key)
            if value & _LEGACY:
                break
            value = 0
            position -= 1
    if value == 0:
        return 38, 0, start + 1
    return value & 0xFFFFFF, (value >> 24) & 0xFFFFFF, position


@lean_kernel
def _read_number(source: Bytes, start: int, end: int) -> tuple[Int, int]:
    """(character, where it ends) of the reference that begins with "&#", or of "&" itself."""
    position = start + 2
    base = 10
    if position < end and source[position] | 32 == 120:  # "x"
        base = 16
        position += 1
    first_digit = position
    code: Int = 0
    while position < end:
        byte = np.int64(source[position])
        if 48 <= byte <= 57:
            digit = byte - 48
        elif base == 16 and 97 <= byte | 32 <= 102:
            digit = (byte | 32) - 87
        else:
            break
        code = min(code * base + digit, 0x110000)
        position += 1
    if position == first_digit:
        return 38, start + 1
    if position < end and source[position] == 59:
        position += 1
    if 128 <= code < 160:
        code = WINDOWS_1252[code - 128]
    elif code == 0 or code > 0x10FFFF or 0xD800 <= code < 0xE000:
        code = 0xFFFD
    return code, position


@lean_kernel
def read_utf8(source: Bytes, start: int, end: int) -> tuple[Int, int]:
    """(code point, where it ends) at source[start] >= 128; U+FFFD for a byte that does not begin a valid sequence."""
    first = np.int64(source[start])
    if first < 0xE0:
        length, code, least = 2, first & 0x1F, 0x80
        if first < 0xC2:
            return 0xFFFD, start + 1
    elif first < 0xF0:
        length, code, least = 3, first & 0x0F, 0x800
    else:
        length, code, least = 4, first & 0x07, 0x10000
    if first > 0xF4 or start + length > end:
        return 0xFFFD, start + 1
    for position in range(start + 1, start + length):
        byte = np.int64(source[position])
        if byte & 0xC0 != 0x80:
            return 0xFFFD, start + 1
        code = code << 6 | byte & 0x3F
    if code < least or code > 0x10FFFF or 0xD800 <= code < 0xE000:
        return 0xFFFD, start + 1
    return code, start + length


@lean_kernel
def write_utf8(text: Bytes, end: int, code: int) -> int:
    """Write a code point at text[end]; the new end of the text."""
    if code < 0x80:
        text[end] = code
        return end + 1
    if code < 0x800:
        text[end] = 0xC0 | code >> 6
        text[end + 1] = 0x80 | code & 0x3F
        return end + 2
    if code < 0x10000:
        text[end] = 0xE0 | code >> 12
        text[end + 1] = 0x80 | code >> 6 & 0x3F
        text[end + 2] = 0x80 | code & 0x3F
        return end + 3
    text[end] = 0xF0 | code >> 18
    text[end + 1] = 0x80 | code >> 12 & 0x3F
    text[end + 2] = 0x80 | code >> 6 & 0x3F
    text[end + 3] = 0x80 | code & 0x3F
    return end + 4
