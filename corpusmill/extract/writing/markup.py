"""Elements as in the source: names without a number in the tables, and attributes that the tables do not contain."""

import html
import re
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from corpusmill.extract.segments.tables import Segments
from corpusmill.extract.segments.tags import NAMES, UNKNOWN

T = TypeVar("T")

_ATTRIBUTE = re.compile(rb"""[\s/]*([^\s/>][^\s/>=]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]*)))?""")
_NAME = re.compile(rb"<([A-Za-z][^\s/>]*)")
_REFERENCE = re.compile(r"&(?:#\d+|#[xX][0-9a-fA-F]+|\w+);")  # without ";" it can be a parameter of an address


class Elements:
    """The elements of one page, by node."""

    def __init__(self, segments: Segments) -> None:
        self.source = segments.data
        self.parents = _column(segments.nodes["parent"])
        self.tags = _column(segments.nodes["tag"])
        self.starts = _column(segments.nodes["source"])

    def name(self, node: int) -> str:
        """The name in lower case."""
        return NAMES[self.tags[node]] if self.tags[node] > UNKNOWN else self._written(node)[0]

    def attribute(self, node: int, name: bytes) -> str | None:
        """The value of an attribute, with references resolved; None if the element does not have it."""
        written, at = self._written(node)
        if written != self.name(node):  # an implied element: the tag at this place belongs to another element
            return None
        while match := _ATTRIBUTE.match(self.source, at):
            if match[1].lower() == name:
                value = (match[2] or match[3] or match[4] or b"").decode("utf-8", "replace")
                return _REFERENCE.sub(lambda reference: html.unescape(reference[0]), value)
            at = match.end()
        return None

    def _written(self, node: int) -> tuple[str, int]:
        """(the name in the tag where the element starts, where the name ends)."""
        match = _NAME.match(self.source, self.starts[node])
        return (match[1].decode("utf-8", "replace").lower(), match.end()) if match else ("", len(self.source))


def inherited(node: int, parents: Sequence[int], known: dict[int, T], handed_down: Callable[[int, T], T]) -> T:
    """The value of a node that follows from its parent's: `handed_down(node, value of parent)`; `known` is a cache."""
    path = []
    while node not in known:
        path.append(node)
        node = parents[node]
    value = known[node]
    for node in reversed(path):
        value = known[node] = handed_down(node, value)
    return value


def _column(values: npt.NDArray[np.int32]) -> list[int]:
    column: list[int] = values.tolist()
    return column
