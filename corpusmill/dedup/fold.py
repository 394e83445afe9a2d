"""What counts as the same word: one table from code points to folded letters.

Copies of a text differ in case, punctuation, white space, accents and compatibility forms long before they differ in
what they say; so a document is compared as a sequence of *tokens*, made in one pass over its UTF-8 bytes:

- letters, digits and marks make words; everything else (white space, punctuation, symbols) ends one;
- a letter is folded: NFKD, accents removed, case folded, so "Élan", "e\u0301lan" and "ＥＬＡＮ" are one word;
- accents, Hebrew and Arabic points, nuktas, soft hyphens, joiners and other invisible characters are skipped, inside of
  words, too; vowel signs and tone marks that change a word (Indic scripts, Thai, ...) stay;
- in scripts without spaces each letter is a token by itself, with the marks that follow it.

The last rule makes the n-grams of such languages character n-grams, of mixed texts mixed ones, with no language
detection and no share at which a text flips from one kind to the other.  Tibetan is not among these scripts: its
syllables are divided by a sign.  Digits are kept as they are: tables that differ in all their numbers are not copies.

A folding to more than one letter ("ß" to "ss", ligatures) is not made.  The table has 2^17 entries (512 kB), built once
a process in 0.15 s from Python's own Unicode database, whose version (`unicodedata.unidata_version`) it depends on.
"""

import functools
import unicodedata

import numpy as np
import numpy.typing as npt

SEPARATOR = 0  # table entries that are not letters
SKIPPED = 1
LETTER_BITS = 0x1FFFFF  # the rest of an entry: the folded code point, with these flags
ALONE = 1 << 31  # a letter of a script without spaces: a token by itself
MARK = 1 << 30  # continues the token before it
TABLE_SIZE = 0x20000  # code points from here on are not in the table: rare Han letters, which are ALONE, and
BEYOND_HAN = 0x40000  # from here on invisible ones, which are SKIPPED

_SCRIPTS_WITHOUT_SPACES = (  # first and last code point; all take three bytes or more, see `_sketch`
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x1950, 0x19FF),  # Tai Le, New Tai Lue
    (0x1A20, 0x1AAF),  # Tai Tham
    (0x1B00, 0x1B7F),  # Balinese
    (0x2E80, 0x2FDF),  # Han radicals
    (0x3005, 0x3007),  # iteration mark, zero
    (0x3021, 0x3029),  # Hangzhou numerals
    (0x3040, 0x312F),  # Hiragana, Katakana, Bopomofo
    (0x31A0, 0x31FF),  # extensions of the same
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0x9FFF),  # Han
    (0xA000, 0xA4CF),  # Yi
    (0xA980, 0xA9FF),  # Javanese, Myanmar
    (0xAA60, 0xAADF),  # Myanmar, Tai Viet
    (0xF900, 0xFAFF),  # Han, compatibility forms
    (0x16F00, 0x18DFF),  # Miao, Tangut, Khitan, Nushu
    (0x1AFF0, 0x1B2FF),  # Kana, Nushu
)


@functools.cache
def fold_table() -> npt.NDArray[np.uint32]:
    """One entry a code point below TABLE_SIZE: SEPARATOR, SKIPPED, or the folded letter and its flags; uint32."""
    table = np.zeros(TABLE_SIZE, np.uint32)
    for code_point in range(TABLE_SIZE):
        table[code_point] = _entry(chr(code_point))
    folded, is_letter = table & LETTER_BITS, (table > SKIPPED) & (table & MARK == 0)
    for first, last in _SCRIPTS_WITHOUT_SPACES:
        table[is_letter & (folded >= first) & (folded <= last)] |= np.uint32(ALONE)
    table.flags.writeable = False
    return table


def _entry(char: str) -> int:
    category = unicodedata.category(char)
    if _skipped(char, category):
        return SKIPPED
    if category[0] not in "LNM":
        return SEPARATOR
    return ord(_fold(char)) | (MARK if category[0] == "M" else 0)


def _skipped(char: str, category: str) -> bool:
    """Accents and points by their combining class (Unicode, table 4-3), enclosing marks, and what is invisible."""
    if category in ("Cf", "Me") or char == "\u034f" or "\ufe00" <= char <= "\ufe0f":
        return True
    points = unicodedata.combining(char)  # 1 overlays, 7 nuktas, 10-36 Hebrew and Arabic, from 200 accents by position
    return points in (1, 7) or 10 <= points <= 36 or points >= 200


def _fold(char: str) -> str:
    """The letter that stands for `char`: the simplest form that is still one code point."""
    decomposed = unicodedata.normalize("NFKD", char)
    bare = "".join(c for c in decomposed if not _skipped(c, unicodedata.category(c)))
    forms = (bare.casefold(), unicodedata.normalize("NFKC", char).casefold(), char.lower(), char)
    return next(form for form in forms if len(form) == 1)
