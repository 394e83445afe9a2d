"""What the language's kernels know of a character: one word for each code point, from Python's own Unicode tables.

Bits of a trait:

    0..3    letter, upper-case letter, white space, not surely in normal form C
    8..15   canonical combining class
    16..23  script, by its number in SCRIPTS; 0 for none
    24, 25  Chinese character that is written in simplified, in traditional writing only

Scripts are Unicode's (`script_ranges.py`), and a few that ISO 15924 has for what is written in several or in one of
several ways: Jpan is kana with or without Chinese characters, Hans and Hant are simplified and traditional Chinese.
The two ways of writing are told apart by 2,660 and 3,132 characters that OpenCC maps, and that exist in one only.
The table costs 0.3 s and 0.8 MB, once a process.
"""

import unicodedata
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from corpusmill.filters.characters import LETTER, N_CODE_POINTS, SPACE, UPPERCASE, character_classes
from corpusmill.filters.script_ranges import RANGES

IS_LETTER, IS_UPPERCASE, IS_SPACE, IS_SUSPECT = 1, 2, 4, 8
IS_SIMPLIFIED, IS_TRADITIONAL = 1 << 24, 1 << 25


def _ranges() -> dict[str, list[tuple[int, int]]]:
    found: dict[str, list[tuple[int, int]]] = {}
    name = ""
    for line in RANGES.splitlines():
        words = line.split()
        if not line.startswith(" "):
            name, *words = words
        for word in words:
            first, _, last = word.partition("-")
            found.setdefault(name, []).append((int(first, 16), int(last or first, 16)))
    return found


_RANGES = _ranges()
SCRIPTS = ("", *_RANGES, "Jpan", "Hans", "Hant")
"""ISO 15924 codes by number; number 0 is no script."""


@cache
def character_traits() -> npt.NDArray[np.uint32]:
    """The traits of each code point: uint32 (N_CODE_POINTS)."""
    classes = character_classes()
    traits = np.zeros(N_CODE_POINTS, np.uint32)
    for flag, bit in ((LETTER, IS_LETTER), (UPPERCASE, IS_UPPERCASE), (SPACE, IS_SPACE)):
        traits[classes & flag != 0] |= np.uint32(bit)
    traits[0] |= np.uint32(IS_SPACE)  # fastText, too, reads NUL as a space
    for code, bits in _normal_form_bits():
        traits[code] |= np.uint32(bits)
    for number, name in enumerate(SCRIPTS):
        for first, last in _RANGES.get(name, ()):
            traits[first : last + 1] |= np.uint32(number << 16)
    for bit, characters in zip((IS_SIMPLIFIED, IS_TRADITIONAL), han_variants(), strict=True):
        traits[np.frombuffer(characters.encode("utf-32-le"), np.uint32)] |= np.uint32(bit)
    traits.flags.writeable = False
    return traits


def _normal_form_bits() -> list[tuple[int, int]]:
    """Code point -> combining class, and whether a text with it needs a closer look (UAX #15, quick check).

    Maybe: what is the second of two characters that are composed.  No: what is not its own normal form.
    """
    classes: dict[int, int] = {}
    suspects = {*range(0x1161, 0x1176), *range(0x11A8, 0x11C3)}  # vowels and last consonants of Hangul
    for code in (*range(0xC0, 0x3400), *range(0xA000, 0xAC00), *range(0xF900, 0x20000), *range(0x2F800, 0x2FA20)):
        character = chr(code)
        if combining := unicodedata.combining(character):
            classes[code] = combining
        parts = unicodedata.decomposition(character).split()
        if not parts or parts[0].startswith("<"):
            continue
        if unicodedata.normalize("NFC", character) != character:
            suspects.add(code)
        elif len(parts) == 2:
            suspects.add(int(parts[1], 16))
    return [(code, classes.get(code, 0) << 8 | IS_SUSPECT * (code in suspects)) for code in classes.keys() | suspects]


def han_variants() -> tuple[str, str]:
    """Characters of simplified, and of traditional writing only."""
    content = files("corpusmill.filters").joinpath("han_variants.txt").read_text("utf-8")
    _, simplified, traditional = content.split("\n\n")
    return "".join(simplified.split()[1:]), "".join(traditional.split()[1:])
