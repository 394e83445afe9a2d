"""The objects in a page's microdata (https://html.spec.whatwg.org/multipage/microdata.html), in the form of JSON-LD.

An element with `itemscope` is an object.  An element with `itemprop` is a property of the nearest object around it.
`itemref` is not supported.  Only objects and properties that can describe a page are read: in most pages with
microdata, the microdata contains only headers, menus and breadcrumbs.
"""

import re
from collections.abc import Iterable, Iterator, Sequence, Set
from functools import lru_cache
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from corpusmill.extract.metadata.schemaorg import tells
from corpusmill.extract.segments.facts import Fact, Reader
from corpusmill.extract.segments.tables import FactKind
from corpusmill.extract.segments.tags import TAG

Object = dict[str, Any]

MAX_ALONE = 5  # properties of one name that are in no object; if there are more, they belong to a list
MAX_FACTS = 2000  # if there are more, they are not properties of the page itself
_SCOPE = int(FactKind.SCOPE)
_KINDS = frozenset((_SCOPE, int(FactKind.ITEM), int(FactKind.META)))
_NAMES = (
    "headline name author creator datePublished dateCreated datePosted dateModified uploadDate inLanguage license "
    "publisher isPartOf description url mainEntity mainEntityOfPage blogPost givenName familyName"
)
_PROPERTIES = {name.lower().encode(): name for name in _NAMES.split()}
_TEXTS = frozenset(("headline", "name", "author", "creator"))
_ADDRESS = re.compile(r"(?:https?:)?/|[#?]|\S*/\S*$|\S+\.html?$|mailto:|javascript:", re.IGNORECASE)
_MAKERS = frozenset(("author", "creator"))
_NAMED = frozenset(("name", "familyName"))
_A = TAG["a"]
_STANDING = frozenset(("mainEntity", "mainEntityOfPage", "blogPost"))


def objects(facts: Iterable[Fact], reader: Reader) -> list[Object]:
    """The independent objects that may describe the page, in its order; `facts` are all facts of the page."""
    own = list(islice((fact for fact in facts if fact.kind in _KINDS), MAX_FACTS))
    places = [place for place, fact in enumerate(own) if fact.kind == _SCOPE]
    scopes: dict[int, Object] = {own[place].node: {"@type": reader.value(own[place]).split()} for place in places}
    telling = {node: item for node, item in scopes.items() if tells(item)}
    if not telling:
        return []
    before = ((own[place - 1], own[place]) for place in places if place)
    objects_of = {fact for fact, scope in before if fact.node == scope.node and fact.kind != _SCOPE}
    parts = {fact.node: scopes[fact.node] for fact in objects_of if _STANDING.isdisjoint(_wanted(reader.key(fact)))}
    owners = _Owners({**dict.fromkeys(scopes), **telling, **parts}, reader.segments.nodes["parent"])
    first = min(scopes)  # elements before it (usually those in the head) are in no object
    for fact, names in zip(own, map(_wanted, reader.keys(own)), strict=True):
        if not names or fact.node < first or fact.kind == _SCOPE:
            continue
        is_object = fact in objects_of
        if (owner := owners.of(fact.node, beyond=is_object)) is not None:
            for name in names:
                owner.setdefault(name, []).append(scopes[fact.node] if is_object else _value(fact, name, reader))
    for fact in objects_of:
        maker = scopes[fact.node]
        if not _MAKERS.isdisjoint(_wanted(reader.key(fact))) and _NAMED.isdisjoint(maker):
            maker["name"] = [reader.first_line(fact.node)]
    return [item for node, item in telling.items() if node not in parts]


def without_object(items: Sequence[Fact], scopes: Iterable[Fact], reader: Reader, names: Set[bytes]) -> list[str]:
    """The values of the properties with these names (in lower case) that are in no object.

    items, scopes: all facts of the page of these kinds
    """
    keys = reader.keys(items)
    own = [fact for fact, key in zip(items, keys, strict=True) if not names.isdisjoint(key.lower().split())]
    if not own or len(own) > MAX_ALONE:
        return []
    objects_at = {fact.node for fact in scopes}
    return [_value(fact, "", reader) for fact in own if objects_at.isdisjoint(around(fact.node, reader))]


def around(node: int, reader: Reader) -> Iterator[int]:
    """A node and the nodes around it."""
    parents = reader.segments.nodes["parent"]
    while node >= 0:
        yield node
        node = parents.item(node)


def _value(fact: Fact, name: str, reader: Reader) -> str:
    """A property's value.  The name of something is the text of a link, and not the address, as the standard has it."""
    value = reader.value(fact)
    if name in _TEXTS and (not value or _ADDRESS.match(value) or reader.segments.nodes["tag"].item(fact.node) == _A):
        return reader.node_text(fact.node) or value
    return value or reader.node_text(fact.node)


@lru_cache(maxsize=1024)
def _wanted(key: bytes) -> tuple[str, ...]:
    """The properties that a value of itemprop or name stands for; only those that are read."""
    return tuple(_PROPERTIES[name] for name in key.lower().split() if name in _PROPERTIES)


class _Owners:
    """Finds the object that a node is in; None if that object is not read.  Every node is visited once."""

    def __init__(self, scopes: dict[int, Object | None], parents: npt.NDArray[np.int32]) -> None:
        self._parents = parents
        self._known: dict[int, Object | None] = {-1: None, **scopes}

    def of(self, node: int, *, beyond: bool) -> Object | None:
        """The nearest object around a node.  If `beyond`, the object that the node itself is does not count."""
        if beyond:
            node = self._parents.item(node)
        passed = []
        while node not in self._known:
            passed.append(node)
            node = self._parents.item(node)
        self._known.update(dict.fromkeys(passed, self._known[node]))
        return self._known[node]
