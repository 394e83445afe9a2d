"""What a page declares itself to be: its og:type, and the schema.org types in its microdata and JSON-LD.

The types are grouped by the kinds of page that they indicate.  JSON is not parsed, only searched: a type is the string
after "@type":.

Cost: 9 microseconds per average page.
"""

from collections.abc import Mapping
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from corpusmill.extract.content.title_overlap import hash_name, name_hashes
from corpusmill.extract.segments.arithmetic import f32, i64
from corpusmill.extract.segments.lean import lean_kernel
from corpusmill.extract.segments.tables import FactKind
from corpusmill.kernels import inner_kernel

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
F32 = npt.NDArray[np.float32]
Table = npt.NDArray[np.void]


class Declared(IntEnum):
    """Schema.org types, by the kind of page that they indicate, and values of og:type."""

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


N_DECLARED = len(Declared)
MOST_DECLARED = 20.0
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
    """Hashes of names, and what each name declares."""
    pairs = [(name, row) for row, several in names.items() for name in several.split()]
    return name_hashes(*(name for name, _ in pairs)), np.array([row for _, row in pairs])


TYPES, TYPE_KINDS = _declarations(_TYPES)
OG_VALUES, OG_KINDS = _declarations(_OG_VALUES)
OG_TYPE, TYPE_KEY = name_hashes("og:type", "@type")
QUOTE, COLON, SPACE, SLASH = ord('"'), ord(":"), ord(" "), ord("/")


@inner_kernel
def read_declarations(source: U8, facts: Table) -> F32:
    """How often a page declares each of these, (len(Declared),); at most `MOST_DECLARED`."""
    declared = np.zeros(N_DECLARED, np.float32)
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
    return declared


@lean_kernel
def _count_type(source: U8, start: int, end: int, declared: F32) -> None:
    """Count a type: the text after the last slash of an address, or a name."""
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
    """Count the types in JSON-LD: the string after every "@type":."""
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
