"""What the kernels know of a character: one word of flags a code point, from Python's own Unicode tables.

Properties that Python does not have are written out here: Sentence_Terminal (Unicode's PropList.txt, plus the Tibetan
shad), the blocks of the scripts that are written without spaces (after UAX #14, classes ID and SA), word separators
that are not white space, and bullets.  The table costs 0.1 s and 410 KB, once a process; what lies in it depends on
`unicodedata.unidata_version`.
"""

import unicodedata
from functools import cache

import numpy as np
import numpy.typing as npt

from corpusmill.filters.scripts import CLUSTERS, IDEOGRAPHS

LETTER = 1
NUMBER = 2
MARK = 4
UPPERCASE = 8
SPACE = 16  # Python's str.isspace
SEPARATOR = 32  # ends a word without being white space
TERMINAL = 64  # ends a sentence
CLOSER = 128  # quotes, brackets and emphasis that may follow what ends a sentence
WIDE = 256  # takes two columns
IDEOGRAPH = 512  # letter of a script without spaces, about two to a word
CLUSTER = 1024  # letter of a script without spaces, about four to a word
BULLET = 2048

N_CODE_POINTS = 0x32400  # all that are assigned, but for tags and variation selectors; a higher one has no flags

TERMINALS = (
    "!.?։؝؞؟۔܀܁܂߹࠷࠹࠽࠾।॥၊။።፧፨᙮᜵᜶᠃᠉᥄᥅᪨᪩᪪᪫᭚᭛᭞᭟᭽᭾᰻᰼᱾᱿‼‽⁇⁈⁉⸮⸼⹓⹔。꓿꘎꘏꛳꛷꡶꡷꣎꣏꤯꧈꧉꩝꩞꩟꫰꫱꯫﹒﹖﹗！．？｡"
    "𐩖𐩗𐽕𐽖𐽗𐽘𐽙𐾆𐾇𐾈𐾉𑁇𑁈𑂾𑂿𑃀𑃁𑅁𑅂𑅃𑇅𑇆𑇍𑇞𑇟𑈸𑈹𑈻𑈼𑊩𑑋𑑌𑗂𑗃𑗉𑗊𑗋𑗌𑗍𑗎𑗏𑗐𑗑𑗒𑗓𑗔𑗕𑗖𑗗𑙁𑙂𑜼𑜽𑜾𑥄𑥆𑩂𑩃𑪛𑪜𑱁𑱂𑻷𑻸𖩮𖩯𖫵𖬷𖬸𖭄𖺘𛲟𝪈"
    "។៕"  # Khmer khan and bariyoosan
    "།༎"  # Tibetan shad and nyis shad: they end phrases, too, but nothing else ends a sentence
)
CLOSERS = "\"'*_"  # and every character of category Pe, Pf, Pi
SEPARATORS = "་༌፡"  # Tibetan tsheg (between syllables) and its unbreakable twin, Ethiopic word space
BULLETS = "•‣▶◀◦■□▪▫●○◆◇➢➤❖·・⁃✓✔"
ASCII_BULLETS = "-*+–"  # these need white space after them

CHARACTERS_PER_WORD = {IDEOGRAPH: 2, CLUSTER: 4}
"""How long a word is where no space says so, in letters (marks not counted).

Measured on the Universal Declaration of Human Rights, whose translations have about 1,650 words where words can be
counted: Chinese 1.6, Yi 1.8, Japanese 2.3; Khmer 3.7, Burmese 3.9, Thai 4.3, Lao 4.7 letters for each of them.
"""


@cache
def character_classes() -> npt.NDArray[np.uint16]:
    """The flags of each code point: uint16 (N_CODE_POINTS)."""
    flags = np.zeros(N_CODE_POINTS, np.uint16)
    uniform = ((0x3400, 0x4DBF), (0x4E00, 0x9FFC), (0xAC00, 0xD7A3), (0xD800, 0xF8FF), (0x20000, N_CODE_POINTS - 1))
    start = 0
    for first, last in uniform:  # large blocks of one kind: looked up once
        for code in range(start, first):
            flags[code] = _flags(chr(code))
        flags[first : last + 1] = _flags(chr(first))
        start = last + 1
    for blocks, flag in ((IDEOGRAPHS, IDEOGRAPH), (CLUSTERS, CLUSTER)):
        for first, last in blocks:
            block = flags[first : last + 1]
            block[block & LETTER != 0] |= flag
    return flags


def _flags(character: str) -> int:
    category = unicodedata.category(character)
    flags = {"L": LETTER, "N": NUMBER, "M": MARK}.get(category[0], 0)
    flags |= UPPERCASE * (category in ("Lu", "Lt"))
    flags |= SPACE * character.isspace()
    flags |= SEPARATOR * (character in SEPARATORS)
    flags |= TERMINAL * (character in TERMINALS)
    flags |= CLOSER * (category in ("Pe", "Pf", "Pi") or character in CLOSERS)
    flags |= WIDE * (unicodedata.east_asian_width(character) in "WF")
    return flags | BULLET * (character in BULLETS)
