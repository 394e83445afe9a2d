"""What counts as the same word: one table from code points to folded letters.

Copies of a text differ in case, punctuation, white space, accents and compatibility forms long before they differ in
what they say; so a document is compared as a sequence of *tokens*, made in one pass over its UTF-8 bytes:

- letters, digits and marks make words; everything else (white space, punctuation, pictures) ends one;
- an operator is a token by itself: `a + b` is no copy of `a * b`, nor $5 of €5, nor -5 of 5.  See below;
- a letter is folded: NFKD, accents removed, case folded, so "Élan", "e\u0301lan" and "ＥＬＡＮ" are one word;
- accents, Hebrew and Arabic points, nuktas, soft hyphens, joiners and other invisible characters are skipped, inside of
  words, too; vowel signs and tone marks that change a word (Indic scripts, Thai, ...) stay;
- in scripts without spaces each letter is a token by itself, with the marks that follow it.

The last rule makes the n-grams of such languages character n-grams, of mixed texts mixed ones, with no language
detection and no share at which a text flips from one kind to the other.  Tibetan is not among these scripts: its
syllables are divided by a sign.  Digits are kept as they are: tables that differ in all their numbers are not copies.

Operators are the symbols of mathematics and currency (categories Sm and Sc) and `% & ^`; and, where a look at the
neighbours says so, some that are punctuation elsewhere:

| character | is an operator | and not |
|---|---|---|
| hyphen, en dash | before a number and after no word: a sign | in compounds and dates, as a dash |
| `*` | between two operands | in emphasis |
| `/` | with spaces on both sides, or beside a parenthesis | in and/or, dates, paths, URLs |
| vertical bar | twice, or without spaces between two operands | between cells of a table or items of a menu |
| `!` | before an operand or `=` | at the end of a sentence |

No operators are: runs of four and more, which are drawn lines; and what begins a line and has a space behind it, which
is a bullet or the mark of a quotation.  A hyphen between two operands leaves no token, since prose has it for a dash in
many forms; as the other operators do leave one, `a - b` is no copy of `a + b`.

So texts that differ in operators only are told apart, and copies are found as before: of 1,349 web pages in two forms
(main text by a person, and by our extractor), 1,043 pairs have a Jaccard similarity of .75 or more, 1,052 without
operators; in plain text and in Markdown 1,113 and 1,113.  Tried and left: every slash and bar (1,022; 1,054).

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
OPERATOR = 1 << 29  # a token by itself, unless it is a part of a drawn line or of a list
SIGN, STAR, BANG, BAR, SLASH = (1 << bit for bit in (28, 27, 26, 25, 24))  # with OPERATOR: those in some places only
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

_IN_PLACES = {"*": STAR, "!": BANG, "|": BAR, "/": SLASH}
_ASCII_OPERATORS = "%&^"  # besides those of category Sm and Sc: + < = > ~ $
_SIGNS = "-\u2010\u2011\u2012\u2013\ufe63\uff0d"  # hyphens, and the en dash, which many take for a minus
_PUNCTUATION = "\uff5e\uff5c"  # of category Sm: a dash in Japanese, and a bar between items
_SAME_OPERATOR = {"\u2212": "-", "\u2044": "/", "\u2215": "/", "\u2217": "*"}


@functools.cache
def fold_table() -> npt.NDArray[np.uint32]:
    """One entry a code point below TABLE_SIZE: SEPARATOR, SKIPPED, or the folded character and its flags; uint32."""
    table = np.zeros(TABLE_SIZE, np.uint32)
    for code_point in range(TABLE_SIZE):
        table[code_point] = _entry(chr(code_point))
    folded, is_letter = table & LETTER_BITS, (table > SKIPPED) & (table & (MARK | OPERATOR) == 0)
    for first, last in _SCRIPTS_WITHOUT_SPACES:
        table[is_letter & (folded >= first) & (folded <= last)] |= np.uint32(ALONE)
    table.flags.writeable = False
    return table


def _entry(char: str) -> int:
    category = unicodedata.category(char)
    if _skipped(char, category):
        return SKIPPED
    if char in _SIGNS:
        return ord("-") | OPERATOR | SIGN
    if char in _IN_PLACES:
        return ord(char) | OPERATOR | _IN_PLACES[char]
    if (category in ("Sm", "Sc") and char not in _PUNCTUATION) or char in _ASCII_OPERATORS:
        form = unicodedata.normalize("NFKC", char)
        form = form if len(form) == 1 else char
        return ord(_SAME_OPERATOR.get(form, form)) | OPERATOR
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
