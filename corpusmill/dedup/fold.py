"""Which characters make the same word: one table from code points to folded letters.

Copies of a text often differ in case, punctuation, white space, accents and compatibility forms, although the words are
the same.  So a document is compared as a sequence of *tokens*, made in one pass over its UTF-8 bytes:

- letters, digits and marks make words; everything else (white space, punctuation, pictures) ends a word;
- an operator is a token of its own: `a + b` is not a copy of `a * b`, nor $5 of €5, nor -5 of 5.  See below;
- a letter is folded: NFKD, accents removed, case folded, so "Élan", "élan" and "ＥＬＡＮ" are one word;
- accents, Hebrew and Arabic points, nuktas, soft hyphens, joiners and other invisible characters are skipped, inside of
  words, too.  Vowel signs and tone marks that change a word (Indic scripts, Thai, ...) stay;
- in scripts without spaces (`corpusmill.scripts`) each letter is a token of its own, with the marks that follow it.

So n-grams of such languages are character n-grams, and those of mixed texts are mixed.  This needs no language
detection, and no share of letters at which a text changes from one kind to the other.  Tibetan is not among these
scripts, because a sign divides its syllables.  Digits are kept as they are: tables that differ in all their numbers are
not copies.

Operators are the symbols of mathematics and currency (categories Sm and Sc) and `% & ^`.  Some characters are operators
only beside certain neighbours, and punctuation elsewhere:

    character            is an operator                                   is not an operator
    -------------------  -----------------------------------------------  ----------------------------------------
    hyphen, en dash      before a number and after no word: a sign        in compounds and dates, as a dash
    `*`                  between two operands                             in emphasis
    `/`                  with spaces on both sides, or at a parenthesis   in and/or, dates, paths, URLs
    vertical bar         twice, or without spaces between two operands    between cells of a table or menu items
    `!`                  before an operand or `=`                         at the end of a sentence

Two kinds are never operators: runs of four and more, because these are drawn lines; and a character at the start of a
line with a space after it, because it is a bullet or marks a quotation (`>`).  A hyphen between two operands makes no
token, because prose often uses it as a dash.  The other operators do make one, so `a - b` is not a copy of `a + b`.

So texts that differ in operators only are distinct, and copies are still found.  This was measured on 1,349 web pages,
each in two forms: the number of pairs with a Jaccard similarity of 0.75 or more.

    the two forms of a page                             these rules   no operators   every slash and bar
    --------------------------------------------------  -----------   ------------   -------------------
    main text by a person, main text by our extractor         1,043          1,052                 1,022
    plain text, Markdown                                      1,113          1,113                 1,054

A letter is never folded to more than one letter ("ß" to "ss", ligatures).  The table has 2^17 entries (512 kB).  It is
built once per process in 0.15 s from Python's own Unicode database, and depends on the version of that
(`unicodedata.unidata_version`).
"""

import functools
import unicodedata

import numpy as np
import numpy.typing as npt

from corpusmill.scripts import WITHOUT_SPACES

SEPARATOR = 0  # characters that are not letters
SKIPPED = 1
LETTER_BITS = 0x1FFFFF  # the rest of an entry: the folded code point, with these flags
ALONE = 1 << 31  # a letter of a script without spaces: a token of its own
MARK = 1 << 30  # continues the token before it
OPERATOR = 1 << 29  # a token of its own, unless it belongs to a drawn line or starts a list item
# with OPERATOR: characters that are operators only at some places
SIGN, STAR, BANG, BAR, SLASH = (1 << bit for bit in (28, 27, 26, 25, 24))
TABLE_SIZE = 0x20000  # higher code points are not in the table: rare Han letters, which are ALONE
BEYOND_HAN = 0x40000  # code points from here on are invisible, and SKIPPED

_IN_PLACES = {"*": STAR, "!": BANG, "|": BAR, "/": SLASH}
_ASCII_OPERATORS = "%&^"  # in addition to those of category Sm and Sc: + < = > ~ $
_SIGNS = "-\u2010\u2011\u2012\u2013\ufe63\uff0d"  # hyphens, and the en dash, which is often used as a minus
_PUNCTUATION = "\uff5e\uff5c"  # of category Sm, but a dash in Japanese, and a bar between items
_SAME_OPERATOR = {"\u2212": "-", "\u2044": "/", "\u2215": "/", "\u2217": "*"}


@functools.cache
def fold_table() -> npt.NDArray[np.uint32]:
    """One entry per code point below TABLE_SIZE: SEPARATOR, SKIPPED, or the folded character and its flags; uint32."""
    table = np.zeros(TABLE_SIZE, np.uint32)
    for code_point in range(TABLE_SIZE):
        table[code_point] = _entry(chr(code_point))
    folded, is_letter = table & LETTER_BITS, (table > SKIPPED) & (table & (MARK | OPERATOR) == 0)
    for first, last in WITHOUT_SPACES:  # all take three bytes or more, see `_sketch`
        for code_point in np.flatnonzero(is_letter & (folded >= first) & (folded <= last)).tolist():
            if unicodedata.category(chr(code_point)) != "Nd":  # digits make a number, as in other scripts
                table[code_point] |= np.uint32(ALONE)
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
    """Whether a character is skipped: accents and points, enclosing marks, and invisible characters.

    Accents and points are recognised by their combining class (Unicode, table 4-3).
    """
    if category in ("Cf", "Me") or char == "\u034f" or "\ufe00" <= char <= "\ufe0f":
        return True
    points = unicodedata.combining(char)  # 1 overlays, 7 nuktas, 10-36 Hebrew and Arabic, from 200 accents by position
    return points in (1, 7) or 10 <= points <= 36 or points >= 200


def _fold(char: str) -> str:
    """The letter that replaces `char`: the simplest form that is still one code point."""
    decomposed = unicodedata.normalize("NFKD", char)
    bare = "".join(c for c in decomposed if not _skipped(c, unicodedata.category(c)))
    forms = (bare.casefold(), unicodedata.normalize("NFKC", char).casefold(), char.lower(), char)
    return next(form for form in forms if len(form) == 1)
