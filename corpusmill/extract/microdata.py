"""The objects in a page's microdata (https://html.spec.whatwg.org/multipage/microdata.html), as JSON-LD has them.

An element with `itemscope` is an object, one with `itemprop` a property of the nearest object around it; `itemref` is
not followed.  Only properties that say something of a page are read.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import zip_longest
from typing import Any

from corpusmill.extract.facts import Fact, Reader
from corpusmill.extract.tables import FactKind

Object = dict[str, Any]

MAX_KEY_BYTES = 100
_SCOPE = int(FactKind.SCOPE)
MAX_FACTS = 2000  # more are not a page's own properties
_NAMES = (
    "headline name author creator datePublished dateCreated datePosted dateModified uploadDate inLanguage license "
    "publisher isPartOf description url mainEntity mainEntityOfPage blogPost"
)
_PROPERTIES = {name.lower().encode(): name for name in _NAMES.split()}
_STANDING = frozenset(("mainEntity", "mainEntityOfPage", "blogPost"))


def objects(facts: Sequence[Fact], reader: Reader) -> list[Object]:
    """The objects that stand for themselves, in the page's order.

    facts: those of the kinds SCOPE, ITEM and META, in the page's order
    """
    facts = facts[:MAX_FACTS]
    scopes: dict[int, Object] = {
        fact.node: {"@type": reader.value(fact).split()} for fact in facts if fact.kind == _SCOPE
    }
    if not scopes:
        return []
    owners = _Owners(scopes, reader)
    parts: set[int] = set()
    for fact, after in zip_longest(facts, facts[1:]):
        if fact.kind == _SCOPE:
            continue
        names = _wanted(reader.raw(fact.key_start, min(fact.key_end, fact.key_start + MAX_KEY_BYTES)))
        is_object = after is not None and after.kind == _SCOPE and after.node == fact.node
        if is_object and _STANDING.isdisjoint(names):
            parts.add(fact.node)
        if names and (owner := owners.of(fact.node, beyond=is_object)) is not None:
            value = scopes[fact.node] if is_object else reader.value(fact) or reader.node_text(fact.node)
            for name in names:
                owner.setdefault(name, []).append(value)
    return [item for node, item in scopes.items() if node not in parts]


@lru_cache(maxsize=1024)
def _wanted(key: bytes) -> tuple[str, ...]:
    """The properties, of those that are read, that a value of itemprop or name stands for."""
    return tuple(_PROPERTIES[name] for name in key.lower().split() if name in _PROPERTIES)


class _Owners:
    """Finds the object that a node is in; every node is passed once."""

    def __init__(self, scopes: dict[int, Object], reader: Reader) -> None:
        self._reader = reader
        self._known: dict[int, Object | None] = {-1: None, **scopes}

    def of(self, node: int, *, beyond: bool) -> Object | None:
        """The nearest object around a node, or beyond the object that it is itself."""
        if beyond:
            node = self._reader.parent(node)
        passed = []
        while node not in self._known:
            passed.append(node)
            node = self._reader.parent(node)
        self._known.update(dict.fromkeys(passed, self._known[node]))
        return self._known[node]
