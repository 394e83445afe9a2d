"""What kind of page it is: features of the page as a whole, for the forest that tells article from forum from product.

They are the page's totals (`position.Total`), what the probable content is made of, by the blocks'
probabilities, and what the page declares: its og:type, and the schema.org types of its microdata and JSON-LD, sorted
into the kinds that they speak for.

Cost: 5 microseconds an average page.
"""

from collections.abc import Mapping
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from corpusmill.extract.arithmetic import f32, i64
from corpusmill.extract.features import Measured
from corpusmill.extract.lean import lean_kernel
from corpusmill.extract.position import N_TOTAL, Total
from corpusmill.extract.said import hash_name, name_hashes
from corpusmill.extract.tables import BIT, FactKind, Segments
from corpusmill.kernels import kernel

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
F32 = npt.NDArray[np.float32]
Table = npt.NDArray[np.void]

KINDS = ("article", "collection", "documentation", "forum", "listing", "product", "service")


class Content(IntEnum):
    """What the probable content is made of: means over blocks, or shares of words, by p."""

    WORDS = 0  # sum
    SHARE = 1  # of the page's words
    BLOCKS = 2  # sum
    WORDS_PER_BLOCK = 3
    LINK_SHARE = 4
    STOPS = 5  # a word
    DIGITS = 6  # of characters
    IMAGES = 7  # a block
    HEADINGS = 8  # of blocks
    PARAGRAPHS = 9
    ITEMS = 10
    CELLS = 11
    PREFORMATTED = 12
    QUOTES = 13
    TIMES = 14
    BUTTONS = 15
    CLUSTERS = 16  # of blocks, how many are the first of their cluster


class Declared(IntEnum):
    """Schema.org types, by the kind that they speak for, and og:type."""

    ARTICLE = 0
    COLLECTION = 1
    DOCUMENTATION = 2
    FORUM = 3
    LISTING = 4
    PRODUCT = 5
    SERVICE = 6
    OG_ARTICLE = 7
    OG_PRODUCT = 8
    OG_WEBSITE = 9


N_CONTENT = len(Content)
PAGE_FEATURES: tuple[str, ...] = (
    *(f"page_{row.name.lower()}" for row in Total),
    *(f"content_{row.name.lower()}" for row in Content),
    *(f"declared_{row.name.lower()}" for row in Declared),
)
N_PAGE = len(PAGE_FEATURES)
MOST_DECLARED = 20.0

FIRST_FLAG = Content.HEADINGS
FLAGS = np.array(
    [BIT[name] for name in ["heading", "paragraph", "item", "cell", "preformatted", "quote", "time", "button"]]
)
_TYPES = {
    Declared.ARTICLE: "article newsarticle blogposting reportagenewsarticle liveblogposting report",
    Declared.COLLECTION: "collectionpage blog searchresultspage",
    Declared.DOCUMENTATION: "techarticle apireference howto softwaresourcecode faqpage",
    Declared.FORUM: "discussionforumposting qapage question answer comment",
    Declared.LISTING: "itemlist offercatalog productcollection",
    Declared.PRODUCT: "product productgroup offer aggregateoffer review book",
    Declared.SERVICE: "service localbusiness professionalservice softwareapplication course event",
}
_OG_VALUES = {
    Declared.OG_ARTICLE: "article blog news story",
    Declared.OG_PRODUCT: "product product.item product.group og:product",
    Declared.OG_WEBSITE: "website",
}


def _declarations(names: Mapping[Declared, str]) -> tuple[U64, I64]:
    """Hashes of names, and what each declares."""
    pairs = [(name, row) for row, several in names.items() for name in several.split()]
    return name_hashes(*(name for name, _ in pairs)), np.array([row for _, row in pairs])


TYPES, TYPE_KINDS = _declarations(_TYPES)
OG_VALUES, OG_KINDS = _declarations(_OG_VALUES)
OG_TYPE, TYPE_KEY = name_hashes("og:type", "@type")
QUOTE, COLON, SPACE, SLASH = ord('"'), ord(":"), ord(" "), ord("/")


def page_features(segments: Segments, measured: Measured, p: F32) -> F32:
    """Features of the page as a whole, (N_PAGE,), names as in `PAGE_FEATURES`; p (n_blocks,) is of its blocks."""
    return fill_page_features(segments.source, segments.blocks, segments.facts, measured, p)


@kernel
def fill_page_features(source: U8, blocks: Table, facts: Table, measured: Measured, p: F32) -> F32:
    """The same, from arrays."""
    features = np.zeros(N_PAGE, np.float32)
    for k in range(N_TOTAL):
        features[k] = measured.totals[k]
    _describe_content(blocks, measured, p, features[N_TOTAL : N_TOTAL + N_CONTENT])
    _read_declarations(source, facts, features[N_TOTAL + N_CONTENT :])
    return features


@lean_kernel
def _describe_content(blocks: Table, measured: Measured, p: F32, content: F32) -> None:
    words, chars, total = 0.0, 0.0, 0.0
    for i in range(len(blocks)):
        block = blocks[i]
        words += p[i] * block["n_words"]
        chars += p[i] * block["n_chars"]
        total += p[i]
        content[Content.LINK_SHARE] += p[i] * block["link_words"]
        content[Content.STOPS] += p[i] * block["n_stops"]
        content[Content.DIGITS] += p[i] * block["n_digits"]
        content[Content.IMAGES] += p[i] * block["n_images"]
        if measured.clusters[i] == i:
            content[Content.CLUSTERS] += p[i]
        for k in range(len(FLAGS)):
            if block["flags"] & FLAGS[k]:
                content[FIRST_FLAG + k] += p[i]
    a_word, a_char, a_block = 1 / max(words, 1.0), 1 / max(chars, 1.0), 1 / max(total, 1.0)
    content[Content.WORDS] = words
    content[Content.SHARE] = words / max(measured.totals[Total.WORDS], f32(1))
    content[Content.BLOCKS] = total
    content[Content.WORDS_PER_BLOCK] = words * a_block
    content[Content.LINK_SHARE] *= a_word
    content[Content.STOPS] *= a_word
    content[Content.DIGITS] *= a_char
    content[Content.IMAGES] *= a_block
    for k in range(Content.HEADINGS, N_CONTENT):
        content[k] *= a_block


@lean_kernel
def _read_declarations(source: U8, facts: Table, declared: F32) -> None:
    for f in range(len(facts)):
        kind, start, end = facts[f]["kind"], i64(facts[f]["value_start"]), i64(facts[f]["value_end"])
        if kind == FactKind.META:
            key = hash_name(source, i64(facts[f]["key_start"]), i64(facts[f]["key_end"]))
            if key == OG_TYPE:
                _count(hash_name(source, start, end), OG_VALUES, OG_KINDS, declared)
        elif kind == FactKind.SCOPE:
            _count_type(source, start, end, declared)
        elif kind == FactKind.JSON_LD:
            _count_json_types(source, start, end, declared)
    for k in range(len(declared)):
        declared[k] = min(declared[k], f32(MOST_DECLARED))


@lean_kernel
def _count_type(source: U8, start: int, end: int, declared: F32) -> None:
    """Count a type: what follows the last slash of an address, or a name."""
    first = end
    while first > start and source[first - 1] != SLASH:
        first -= 1
    _count(hash_name(source, first, end), TYPES, TYPE_KINDS, declared)


@lean_kernel
def _count(name: np.uint64, names: U64, kinds: I64, declared: F32) -> None:
    for k in range(len(names)):
        if names[k] == name:
            declared[kinds[k]] += f32(1)


@lean_kernel
def _count_json_types(source: U8, start: int, end: int, declared: F32) -> None:
    """Count the types that JSON-LD gives: the string after every "@type":."""
    i, wanted = start, False
    while i < end:
        if source[i] != QUOTE:
            i += 1
            continue
        first = i + 1
        i = first
        while i < end and source[i] != QUOTE:
            i += 1
        last, i = i, i + 1
        if wanted:
            _count_type(source, first, last, declared)
        after = i
        while after < end and source[after] <= SPACE:
            after += 1
        wanted = after < end and source[after] == COLON and hash_name(source, first, last) == TYPE_KEY
