"""The objects in a page's microdata (https://html.spec.whatwg.org/multipage/microdata.html), as JSON-LD has them.

An element with `itemscope` is an object, one with `itemprop` a property of the nearest object around it; `itemref` is
not followed.  Only properties that say something of a page are read, and only those of objects that may: most pages
with microdata have nothing but headers, menus and breadcrumbs in it.
"""

from collections.abc import Iterable
from functools import lru_cache
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from corpusmill.extract.metadata.schemaorg import tells
from corpusmill.extract.segments.facts import Fact, Reader
from corpusmill.extract.segments.tables import FactKind

Object = dict[str, Any]

MAX_FACTS = 2000  # more are not a page's own properties
_SCOPE = int(FactKind.SCOPE)
_KINDS = frozenset((_SCOPE, int(FactKind.ITEM), int(FactKind.META)))
_NAMES = (
    "headline name author creator datePublished dateCreated datePosted dateModified uploadDate inLanguage license "
    "publisher isPartOf description url mainEntity mainEntityOfPage blogPost"
)
_PROPERTIES = {name.lower().encode(): name for name in _NAMES.split()}
_STANDING = frozenset(("mainEntity", "mainEntityOfPage", "blogPost"))


def objects(facts: Iterable[Fact], reader: Reader) -> list[Object]:
    """The objects that stand for themselves and may say something of the page, in its order; `facts` are all of it."""
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
    first = min(scopes)  # elements before it, most often those in the head, are in none
    for fact in own:
        if fact.node < first or fact.kind == _SCOPE or not (names := _wanted(reader.key(fact))):
            continue
        is_object = fact in objects_of
        if (owner := owners.of(fact.node, beyond=is_object)) is not None:
            value = scopes[fact.node] if is_object else reader.value(fact) or reader.node_text(fact.node)
            for name in names:
                owner.setdefault(name, []).append(value)
    return [item for node, item in telling.items() if node not in parts]


@lru_cache(maxsize=1024)
def _wanted(key: bytes) -> tuple[str, ...]:
    """The properties, of those that are read, that a value of itemprop or name stands for."""
    return tuple(_PROPERTIES[name] for name in key.lower().split() if name in _PROPERTIES)


class _Owners:
    """Finds the object that a node is in, None for one that says nothing; every node is passed once."""

    def __init__(self, scopes: dict[int, Object | None], parents: npt.NDArray[np.int32]) -> None:
        self._parents = parents
        self._known: dict[int, Object | None] = {-1: None, **scopes}

    def of(self, node: int, *, beyond: bool) -> Object | None:
        """The nearest object around a node, or beyond the object that it is itself."""
        if beyond:
            node = self._parents.item(node)
        passed = []
        while node not in self._known:
            passed.append(node)
            node = self._parents.item(node)
        self._known.update(dict.fromkeys(passed, self._known[node]))
        return self._known[node]
