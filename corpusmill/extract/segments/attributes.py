"""What attributes mean: flags, words for the classifier, and facts.

The segmenter notes where the values of the attributes in `ATTRIBUTES` are: in `spans`.  Only spans whose bit in `seen`
is set are valid.  If an attribute occurs twice, the first counts.  The functions here interpret the values.
"""

# ruff: noqa: SIM109, SIM905

import numpy as np

from corpusmill.extract.segments.lanes import WIDEST, key_of, letters, lowest_bit
from corpusmill.extract.segments.lean import (
    Bytes,
    Int,
    Key,
    Numbers,
    Rows,
    Words,
    constant,
    inlined_kernel,
    lean_kernel,
    unsigned,
)
from corpusmill.extract.segments.tables import BIT, FactKind
from corpusmill.extract.segments.tags import ROLE_KEYS, ROLE_SHIFT, ROLE_VALUES, TAG, key_table, look_up, name_key

ATTRIBUTES = (
    "class id role itemprop data-testid aria-label hidden style aria-hidden aria-level shadowrootmode itemscope "
    "itemtype href src content datetime name property http-equiv rel hreflang type lang xml:lang"
).split()
NUMBER = {name: constant(number) for number, name in enumerate(ATTRIBUTES, 1)}
N_SPANS = len(ATTRIBUTES) + 1
ATTRIBUTE_KEYS, ATTRIBUTE_VALUES = key_table(NUMBER, 6)
ATTRIBUTE_SHIFT = np.uint64(64 - 6)

NO = constant(0)
CLASS, ID, ROLE, ITEMPROP, TEST_ID, ARIA_LABEL = (
    NUMBER[name] for name in ("class", "id", "role", "itemprop", "data-testid", "aria-label")
)
HIDDEN, STYLE, ARIA_HIDDEN, ARIA_LEVEL = (NUMBER[name] for name in ("hidden", "style", "aria-hidden", "aria-level"))
ITEMSCOPE, ITEMTYPE, HREF, SRC = (NUMBER[name] for name in ("itemscope", "itemtype", "href", "src"))
CONTENT, DATETIME, NAME, PROPERTY = (NUMBER[name] for name in ("content", "datetime", "name", "property"))
HTTP_EQUIV, REL, HREFLANG, TYPE = (NUMBER[name] for name in ("http-equiv", "rel", "hreflang", "type"))
LANG, XML_LANG, SHADOW_ROOT = (NUMBER[name] for name in ("lang", "xml:lang", "shadowrootmode"))


def _mask(*numbers: int) -> int:
    return constant(sum(1 << bit for bit in numbers))


WORDY = _mask(CLASS, ID, ROLE, ITEMPROP, TEST_ID, ARIA_LABEL)
FLAGGING = _mask(ROLE, ITEMPROP, HIDDEN, STYLE, ARIA_HIDDEN)
FACTUAL = _mask(ITEMPROP, ITEMSCOPE, REL, CONTENT, HREF)

# Words are runs of letters.  Bytes beyond ASCII count as letters.  A capital begins a new word, as in camelCase.
MAX_WORDS = 24  # of one attribute
MAX_LABEL_BYTES = 60  # longer labels are running text
PRIME = np.uint64(0x100000001B3)
SEED = np.array([0, *(name_key(name) for name in ATTRIBUTES)], np.uint64)
SEED[ID] = SEED[CLASS]  # the same word means the same in both
TITLE_WORDS = np.array([name_key(word) for word in ("title", "headline", "heading", "subject")], np.uint64)
SHORTEST_TITLE_WORD = len("title")
_8, _32, _56 = np.uint64(8), np.uint64(32), np.uint64(56)
_TITLE_LIKE = BIT["title_like"]


def class_token(word: str) -> int:
    """The token of a word in a class or id, as `read_words` writes it."""
    mixed = ((name_key(word) ^ int(SEED[CLASS])) * int(PRIME)) & 0xFFFFFFFFFFFFFFFF
    return (((mixed ^ (mixed >> 32)) * int(PRIME)) & 0xFFFFFFFFFFFFFFFF) >> 32


@inlined_kernel
def read_words(source: Bytes, start: int, end: int, seed: Key, tokens: Words, n_tokens: int) -> tuple[int, int]:
    """Append the hashes of a value's words of two letters or more; (new number of tokens, title_like or 0)."""
    limit = n_tokens + MAX_WORDS
    flags = 0
    while start < end and n_tokens < limit:
        letter, capital = letters(source, start)
        if end - start < WIDEST:
            inside = (unsigned(1) << unsigned(end - start)) - unsigned(1)
            letter, capital = letter & inside, capital & inside
        done: Int = np.int64(0)  # bytes done: the lowest bit of the masks is that of the byte after them
        while True:
            if letter == 0:
                start += WIDEST
                break
            skipped = lowest_bit(letter)
            letter, capital, done = letter >> unsigned(skipped), capital >> unsigned(skipped), done + skipped
            n_capitals = lowest_bit(~capital)
            n = n_capitals
            if n < WIDEST:
                n += lowest_bit(~(letter & ~capital) >> unsigned(n))
            if done + n >= WIDEST:  # the word may continue; a word longer than all these bytes does not count
                start += done if done else WIDEST
                break
            if n > 1:
                key = key_of(source, start + done, n, n_capitals)
                mixed = (key ^ seed) * PRIME
                tokens[n_tokens] = np.uint32((mixed ^ (mixed >> _32)) * PRIME >> _32)
                n_tokens += 1
                if n >= SHORTEST_TITLE_WORD:
                    for word in TITLE_WORDS:
                        if key == word:
                            flags = _TITLE_LIKE
                if n_tokens >= limit:
                    break
            letter, capital, done = letter >> unsigned(n), capital >> unsigned(n), done + n
    return n_tokens, flags


@lean_kernel
def read_key(source: Bytes, start: int, end: int) -> tuple[Key, int]:
    """(key of the first word, in lower case; where it ends).  White space and semicolons separate words."""
    while start < end and (source[unsigned(start)] <= 32 or source[unsigned(start)] == 59):
        start += 1
    key = np.uint64(0)
    while start < end and source[unsigned(start)] > 32 and source[unsigned(start)] != 59:
        byte = source[unsigned(start)]
        if 65 <= byte <= 90:
            byte |= 32
        key = (key << _8) ^ (key >> _56) ^ np.uint64(byte)
        start += 1
    return key, start


_DISPLAY, _VISIBILITY, _NONE, _HIDDEN, _TRUE = (
    np.uint64(name_key(word)) for word in ("display", "visibility", "none", "hidden", "true")
)
_FLAG_HIDDEN, _FLAG_DISPLAY_NONE, _FLAG_ARIA_HIDDEN, _FLAG_ITEMPROP = (
    BIT[name] for name in ("hidden", "display_none", "aria_hidden", "itemprop")
)


@lean_kernel
def attribute_flags(source: Bytes, spans: Numbers, seen: int) -> int:
    """The flags that follow from an element's attributes."""
    flags = 0
    if seen & (1 << ROLE):
        start, end = spans[ROLE, 0], spans[ROLE, 1]
        while start < end:
            key, start = read_key(source, start, end)
            flags |= look_up(ROLE_KEYS, ROLE_VALUES, ROLE_SHIFT, key)
    if seen & (1 << ITEMPROP):
        flags |= _FLAG_ITEMPROP
    if seen & (1 << HIDDEN):
        flags |= _FLAG_HIDDEN
    if seen & (1 << ARIA_HIDDEN) and read_key(source, spans[ARIA_HIDDEN, 0], spans[ARIA_HIDDEN, 1])[0] == _TRUE:
        flags |= _FLAG_ARIA_HIDDEN
    if seen & (1 << STYLE) and _hides(source, spans[STYLE, 0], spans[STYLE, 1]):
        flags |= _FLAG_DISPLAY_NONE
    return flags


@lean_kernel
def _hides(source: Bytes, start: int, end: int) -> bool:
    """Whether a style contains display: none or visibility: hidden."""
    wanted = np.uint64(0)  # the value that hides, after the colon of one of these two properties
    key = np.uint64(0)
    while start <= end:
        byte = source[unsigned(start)] if start < end else np.uint8(59)
        start += 1
        if byte == 58:  # ":"
            wanted = _NONE if key == _DISPLAY else (_HIDDEN if key == _VISIBILITY else np.uint64(0))
            key = np.uint64(0)
        elif byte == 59 or byte == 33:  # ";" or the "!" of !important
            if wanted != 0 and key == wanted:
                return True
            key = wanted = np.uint64(0)
        elif byte > 32:
            if 65 <= byte <= 90:
                byte |= 32
            key = (key << _8) ^ (key >> _56) ^ np.uint64(byte)
    return False


# rel: statements about the page as a whole, and statements of an <a> about its target
_OF_PAGE, _ALTERNATE, _OF_ANCHOR = 1, 2, 4
_RELS = dict.fromkeys(["canonical", "amphtml", "shortlink", "publisher", "next", "prev", "copyright"], _OF_PAGE)
_RELS |= {"alternate": _ALTERNATE, "tag": _OF_ANCHOR, "license": _OF_PAGE | _OF_ANCHOR, "author": _OF_PAGE | _OF_ANCHOR}
REL_KEYS, REL_VALUES = key_table(_RELS, 5)
REL_SHIFT = np.uint64(64 - 5)


@lean_kernel
def _rels(source: Bytes, spans: Numbers) -> int:
    """The bits of all words in rel."""
    bits = 0
    start, end = spans[REL, 0], spans[REL, 1]
    while start < end:
        key, start = read_key(source, start, end)
        bits |= look_up(REL_KEYS, REL_VALUES, REL_SHIFT, key)
    return bits


DEED_HOST = np.frombuffer(b"creativecommons.org/", np.uint8)
LONGEST_START = len("https://www.")


@lean_kernel
def _is_deed(source: Bytes, spans: Numbers) -> bool:
    """Whether href links to Creative Commons."""
    last = min(spans[HREF, 0] + LONGEST_START, spans[HREF, 1] - len(DEED_HOST))
    for first in range(spans[HREF, 0], last + 1):
        length = 0
        while length < len(DEED_HOST) and source[first + length] == DEED_HOST[length]:
            length += 1
        if length == len(DEED_HOST):
            return True
    return False


@lean_kernel
def add_fact(
    facts: Rows,
    n_facts: int,
    kind: int,
    node: int,
    spans: Numbers,
    seen: int,
    key: Key,
    value: int,
    extra: int,
) -> int:
    """Append a fact made of the attributes `key`, `value` and `extra` (0: none); the new number of facts."""
    fact = facts[n_facts]
    fact.kind = kind
    fact.node = node
    fact.key_start = fact.key_end = fact.value_start = fact.value_end = fact.extra_start = fact.extra_end = 0
    if seen >> key & 1:
        fact.key_start, fact.key_end = spans[key, 0], spans[key, 1]
    if seen >> value & 1:
        fact.value_start, fact.value_end = spans[value, 0], spans[value, 1]
    if seen >> extra & 1:
        fact.extra_start, fact.extra_end = spans[extra, 0], spans[extra, 1]
    return n_facts + 1


_T_META, _T_LINK, _T_A, _T_AREA, _T_TIME, _T_HTML = (
    TAG[name] for name in ("meta", "link", "a", "area", "time", "html")
)
_F_HTML, _F_META, _F_LINK, _F_ANCHOR = (
    constant(kind) for kind in (FactKind.HTML, FactKind.META, FactKind.LINK, FactKind.ANCHOR)
)
_F_ITEM, _F_SCOPE, _F_TIME = (constant(kind) for kind in (FactKind.ITEM, FactKind.SCOPE, FactKind.TIME))


@lean_kernel
def read_facts(
    source: Bytes,
    tag: int,
    node: int,
    spans: Numbers,
    seen: int,
    facts: Rows,
    n_facts: int,
) -> int:
    """Append the facts that an element's attributes state about the page; the new number of facts."""
    if tag == _T_META:
        if seen >> CONTENT & 1:
            for name in (PROPERTY, NAME, ITEMPROP, HTTP_EQUIV):
                if seen >> name & 1:
                    n_facts = add_fact(facts, n_facts, _F_META, node, spans, seen, name, CONTENT, NO)
        return n_facts
    if tag == _T_HTML:
        if seen & (1 << LANG | 1 << XML_LANG):
            language = LANG if seen >> LANG & 1 else XML_LANG
            n_facts = add_fact(facts, n_facts, _F_HTML, node, spans, seen, NO, language, NO)
    elif tag == _T_LINK and seen >> REL & 1:
        rels = _rels(source, spans)
        if rels & _OF_PAGE or (rels & _ALTERNATE and seen >> HREFLANG & 1):
            n_facts = add_fact(facts, n_facts, _F_LINK, node, spans, seen, REL, HREF, HREFLANG)
    elif tag == _T_A or tag == _T_AREA:
        if (seen >> REL & 1 and _rels(source, spans) & _OF_ANCHOR) or (seen >> HREF & 1 and _is_deed(source, spans)):
            n_facts = add_fact(facts, n_facts, _F_ANCHOR, node, spans, seen, REL, HREF, NO)
    elif tag == _T_TIME:
        n_facts = add_fact(facts, n_facts, _F_TIME, node, spans, seen, NO, DATETIME, NO)
    if seen >> PROPERTY & 1 and seen >> CONTENT & 1:  # RDFa
        n_facts = add_fact(facts, n_facts, _F_META, node, spans, seen, PROPERTY, CONTENT, NO)
    if seen >> ITEMPROP & 1:
        value = SRC
        for name in (HREF, DATETIME, CONTENT):  # the first of content, datetime, href and src that is there
            if seen >> name & 1:
                value = name
        n_facts = add_fact(facts, n_facts, _F_ITEM, node, spans, seen, ITEMPROP, value, NO)
    if seen >> ITEMSCOPE & 1:
        n_facts = add_fact(facts, n_facts, _F_SCOPE, node, spans, seen, NO, ITEMTYPE, NO)
    return n_facts


_HEADING = BIT["heading"]


@lean_kernel
def heading_level(source: Bytes, spans: Numbers, seen: int) -> Int:
    """The level of an element whose role is heading: aria-level, or else 2."""
    if seen >> ARIA_LEVEL & 1:
        level = np.int64(source[spans[ARIA_LEVEL, 0]]) - 48
        if spans[ARIA_LEVEL, 1] == spans[ARIA_LEVEL, 0] + 1 and 1 <= level <= 6:
            return level
    return 2


_TEX, _MAT, _EQU, _MUL = (np.int64(int.from_bytes(letters)) for letters in (b"tex", b"mat", b"equ", b"mul"))
MAX_ADDRESS_BYTES = 1000


@lean_kernel
def is_formula(source: Bytes, spans: Numbers, seen: int) -> bool:
    """Whether the class of an <img> may say that it is a formula ("tex", "math", "equation"), or its address "tex"."""
    if seen >> CLASS & 1:
        three = np.int64(0)
        for i in range(spans[CLASS, 0], spans[CLASS, 1]):
            three = three << 8 & 0xFFFFFF | source[unsigned(i)] | 32
            if three == _TEX or three == _MAT or three == _EQU or three == _MUL:
                return True
    if seen >> SRC & 1:
        three = np.int64(0)
        for i in range(spans[SRC, 0], min(spans[SRC, 1], spans[SRC, 0] + MAX_ADDRESS_BYTES)):
            three = three << 8 & 0xFFFFFF | source[unsigned(i)] | 32
            if three == _TEX:
                return True
    return False


_NOT_FILLED = dict.fromkeys(["hidden", "submit", "button", "image", "reset"], 1)
TYPE_KEYS, TYPE_VALUES = key_table(
    {**_NOT_FILLED, "password": 2, "application/ld+json": 3, "math/tex": 4, "math/mml": 4}, 5
)
TYPE_SHIFT = np.uint64(64 - 5)
NOT_FILLED, PASSWORD, JSON_LD_TYPE, TEX_TYPE = 1, 2, 3, 4


@lean_kernel
def type_of(source: Bytes, spans: Numbers, seen: int) -> Int:
    """NOT_FILLED, PASSWORD, JSON_LD_TYPE or TEX_TYPE (also MathML), by the type of an <input> or <script>; else 0."""
    if seen >> TYPE & 1 == 0:
        return 0
    key = read_key(source, spans[TYPE, 0], spans[TYPE, 1])[0]
    return look_up(TYPE_KEYS, TYPE_VALUES, TYPE_SHIFT, key)
