"""What the kernels know of a character: one word of flags a code point, from Python's own Unicode tables.

Properties that Python does not have are written out here: Sentence_Terminal (Unicode's PropList.txt, plus the Tibetan
shad), the blocks of scripts, word separators that are not white space, and bullets.  The table costs 0.2 s and 820 KB,
once a process; what lies in it depends on `unicodedata.unidata_version`.

A Han letter is *simplified* if GB 2312 has it and Big5 has not, and *traditional* if it is of Big5's first level, the
frequent letters, and GB 2312 has it not.  Most letters are the same in both.  Of the letters that differ, the Universal
Declaration of Human Rights in simplified Chinese has 611 simplified and 0 traditional ones, and the one in traditional
Chinese 624 traditional and 0 simplified ones.
"""

import unicodedata
from functools import cache

import numpy as np
import numpy.typing as npt

from corpusmill.scripts import CLUSTERED, CLUSTERS, IDEOGRAPHIC, IDEOGRAPHS, Blocks

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
LOWERCASE = 4096
TRADITIONAL = 8192  # Han letters that only one of the two ways to write Chinese has
SIMPLIFIED = 16384
SCRIPT_SHIFT = 16  # four bits: the script of a letter, a place in SCRIPTS, 0 for what is no letter
ENDING_SHIFT = 20  # four bits: which of KOREAN_ENDINGS it is, counted from 1

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


KOREAN_ENDINGS = "은는이가을를의에도로서고와과다"
"""Syllables of the particles and endings with which Korean words end: they do what stop words do elsewhere."""

SCRIPTS: dict[str, Blocks] = {
    "latin": (
        *((0x41, 0x24F), (0x250, 0x2AF), (0x1D00, 0x1DBF), (0x1E00, 0x1EFF), (0x2C60, 0x2C7F), (0xA722, 0xA7FF)),
        *((0xAB30, 0xAB64), (0xFB00, 0xFB06), (0xFF21, 0xFF5A)),
    ),
    "greek": ((0x370, 0x3FF), (0x1F00, 0x1FFF)),
    "cyrillic": ((0x400, 0x52F), (0x1C80, 0x1C8F), (0xA640, 0xA69F)),
    "hebrew": ((0x590, 0x5FF), (0xFB1D, 0xFB4F)),
    "arabic": ((0x600, 0x6FF), (0x750, 0x77F), (0x870, 0x8FF), (0xFB50, 0xFDFF), (0xFE70, 0xFEFE)),
    "indic": ((0x900, 0xDFF), (0xA8E0, 0xA8FF)),
    "thai": CLUSTERED["Thai"],
    "lao": CLUSTERED["Lao"],
    "myanmar": CLUSTERED["Myanmar"],
    "khmer": CLUSTERED["Khmer"],
    "hangul": ((0x1100, 0x11FF), (0x3131, 0x318E), (0xA960, 0xA97F), (0xAC00, 0xD7FB), (0xFFA0, 0xFFDC)),
    "kana": IDEOGRAPHIC["Kana"],
    "han": IDEOGRAPHIC["Han"],
}
"""Scripts whose share among the letters is a signal, by their blocks; a letter of no other is of "other scripts"."""
OTHER_SCRIPT = len(SCRIPTS) + 1


IDEOGRAPHIC_PLANES = (0x20000, 0x323B0)


@cache
def character_classes() -> npt.NDArray[np.uint32]:
    """The flags of each code point: uint32 (N_CODE_POINTS)."""
    flags = np.zeros(N_CODE_POINTS, np.uint32)
    uniform = ((0x3400, 0x4DBF), (0x4E00, 0x9FFC), (0xAC00, 0xD7A3), (0xD800, 0xF8FF), (0x20000, 0x323AF))
    start = 0
    for first, last in uniform:  # large blocks of one kind: looked up once
        for code in range(start, first):
            flags[code] = _flags(chr(code))
        flags[first : last + 1] = _flags(chr(first))
        start = last + 1
    for code in range(*IDEOGRAPHIC_PLANES):  # their blocks have gaps
        if unicodedata.category(chr(code)) == "Cn":
            flags[code] = _flags(chr(code))
    for blocks, flag in ((IDEOGRAPHS, IDEOGRAPH), (CLUSTERS, CLUSTER)):
        for first, last in blocks:
            block = flags[first : last + 1]
            block[block & LETTER != 0] |= np.uint32(flag)
    scripts = np.full(N_CODE_POINTS, OTHER_SCRIPT, np.uint32)
    for number, script in enumerate(SCRIPTS.values(), 1):
        for first, last in script:
            scripts[first : last + 1] = number
    flags |= np.where(flags & LETTER, scripts, 0) << SCRIPT_SHIFT
    for number, syllable in enumerate(KOREAN_ENDINGS, 1):
        flags[ord(syllable)] |= number << ENDING_SHIFT
    for characters, flag in zip(_one_way_to_write_chinese(), (SIMPLIFIED, TRADITIONAL), strict=True):
        flags[[ord(character) for character in characters]] |= np.uint32(flag)
    return flags


def _one_way_to_write_chinese() -> tuple[set[str], set[str]]:
    """Letters that only simplified Chinese has, and letters that only traditional Chinese has."""
    rows, cells = range(0xB0, 0xF8), range(0xA1, 0xFF)  # GB 2312's letters
    simplified = {bytes((row, cell)).decode("gb2312", "ignore") for row in rows for cell in cells}
    places = [*range(0x40, 0x7F), *range(0xA1, 0xFF)]  # Big5's, of which the first level holds the frequent letters
    frequent = {bytes((row, place)).decode("big5", "ignore") for row in range(0xA4, 0xC7) for place in places}
    rare = {bytes((row, place)).decode("big5", "ignore") for row in range(0xC9, 0xFA) for place in places}
    han = {chr(code) for code in range(0x4E00, 0xA000)}
    return (simplified - frequent - rare) & han, (frequent - simplified) & han


def _flags(character: str) -> int:
    category = unicodedata.category(character)
    flags = {"L": LETTER, "N": NUMBER, "M": MARK}.get(category[0], 0)
    flags |= UPPERCASE * (category in ("Lu", "Lt")) | LOWERCASE * (category == "Ll")
    flags |= SPACE * character.isspace()
    flags |= SEPARATOR * (character in SEPARATORS)
    flags |= TERMINAL * (character in TERMINALS)
    flags |= CLOSER * (category in ("Pe", "Pf", "Pi") or character in CLOSERS)
    flags |= WIDE * (unicodedata.east_asian_width(character) in "WF")
    return flags | BULLET * (character in BULLETS)
