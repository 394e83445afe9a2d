"""The facts of a page as Python values, each read only when asked for."""

import html
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from corpusmill.extract.tables import FactKind, Segments

MAX_FACTS = 5000
MAX_CHARS = 2000  # of a value; longer ones are cut


class Fact(NamedTuple):
    """A row of `tables.FACT`: spans are offsets in the source."""

    kind: int
    node: int
    key_start: int
    key_end: int
    value_start: int
    value_end: int
    extra_start: int
    extra_end: int


class Reader:
    """Reads spans of a page's source and texts of its nodes."""

    def __init__(self, segments: Segments) -> None:
        self.segments = segments
        self._source = segments.source.data
        self._text = segments.text.data
        self._nodes = segments.nodes
        self._parents = segments.nodes["parent"]

    def facts(self) -> Iterator[Fact]:
        """The first MAX_FACTS facts in the page's order, and after them as many of meta elements."""
        rows = self.segments.facts.view(np.int32).reshape(-1, len(Fact._fields))
        if len(rows) > MAX_FACTS:
            late = rows[MAX_FACTS:]
            rows = np.concatenate([rows[:MAX_FACTS], late[late[:, 0] == FactKind.META][:MAX_FACTS]])
        return map(Fact._make, rows.tolist())

    def raw(self, start: int, end: int) -> bytes:
        """A span as it is."""
        return bytes(self._source[start:end])

    def text(self, start: int, end: int) -> str:
        """A span with entities resolved and white space collapsed."""
        text = bytes(self._source[start : min(end, start + 4 * MAX_CHARS)]).decode("utf-8", "replace")
        return " ".join((html.unescape(text) if "&" in text else text).split())[:MAX_CHARS]

    def value(self, fact: Fact) -> str:
        """A fact's value."""
        return self.text(fact.value_start, fact.value_end)

    def script(self, fact: Fact) -> str:
        """A fact's value as it is."""
        return self.raw(fact.value_start, fact.value_end).decode("utf-8", "replace")

    def block_texts(self, start: int, end: int) -> list[str]:
        """The texts of the blocks [start, end)."""
        starts, ends = (self.segments.blocks[name][start:end].tolist() for name in ("start", "end"))
        return [self._shown(start, end) for start, end in zip(starts, ends, strict=True)]

    def node_text(self, node: int) -> str:
        """What a node shows, on one line."""
        return " ".join(self._shown(*self._text_of(node)).split())[:MAX_CHARS]

    def first_line(self, node: int) -> str:
        """The first line of what a node shows."""
        return self._shown(*self._text_of(node)).strip().partition("\n")[0]

    def _text_of(self, node: int) -> tuple[int, int]:
        row = self._nodes[node]
        return int(row["text_start"]), int(row["text_end"])

    def _shown(self, start: int, end: int) -> str:
        return bytes(self._text[start : min(end, start + 4 * MAX_CHARS)]).decode("utf-8", "replace")

    def parent(self, node: int) -> int:
        """The node around a node; -1 for the page."""
        return int(self._parents.item(node))
