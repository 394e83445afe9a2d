"""The one table of scripts that are written without spaces between words (after UAX #14, classes ID and SA).

Extraction, signals, masking of personal data and deduplication read it.  A block holds letters, marks and sometimes
digits or signs; readers take from it what is a letter.  `IDEOGRAPHS` have about two letters per word, `CLUSTERS` about
four (`corpusmill.filters.characters` says how that was measured).  Tibetan is not here: a sign divides its syllables.
"""

Blocks = tuple[tuple[int, int], ...]  # first and last code point

IDEOGRAPHIC: dict[str, Blocks] = {
    "Han": (
        *((0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3021, 0x3029), (0x3038, 0x303B), (0x3400, 0x4DBF), (0x4E00, 0x9FFF)),
        *((0xF900, 0xFAFF), (0x20000, 0x323AF)),
    ),
    "Kana": (
        *((0x3031, 0x3035), (0x303C, 0x303C), (0x3041, 0x30FA), (0x30FC, 0x30FF), (0x31F0, 0x31FF), (0xFF66, 0xFF9F)),
        *((0x1AFF0, 0x1B16F),),
    ),
    "Bopomofo": ((0x3100, 0x312F), (0x31A0, 0x31BF)),
    "Yi": ((0xA000, 0xA48C),),
    "Tangut, Khitan, Nushu": ((0x16FE0, 0x18DFF), (0x1B170, 0x1B2FF)),
}
CLUSTERED: dict[str, Blocks] = {
    "Thai": ((0x0E01, 0x0E4E),),
    "Lao": ((0x0E81, 0x0EDF),),
    "Myanmar": ((0x1000, 0x109F), (0xA9E0, 0xA9FE), (0xAA60, 0xAA7F)),
    "Khmer": ((0x1780, 0x17DD),),
    "Tai Le, New Tai Lue": ((0x1950, 0x19DF),),
    "Tai Tham": ((0x1A20, 0x1AAD),),
    "Balinese": ((0x1B00, 0x1B4C),),
    "Javanese": ((0xA980, 0xA9DF),),
    "Tai Viet": ((0xAA80, 0xAADF),),
    "Ahom": ((0x11700, 0x1172B), (0x11740, 0x11746)),
}
IDEOGRAPHS: Blocks = tuple(block for blocks in IDEOGRAPHIC.values() for block in blocks)
CLUSTERS: Blocks = tuple(block for blocks in CLUSTERED.values() for block in blocks)
WITHOUT_SPACES: Blocks = tuple(sorted(IDEOGRAPHS + CLUSTERS))
"""All of them, ascending and disjoint."""
