"""The facts of a page as Python values.  Each value is read only when it is needed."""

import html
import struct
from collections.abc import Iterable
from itertools import repeat
from typing import NamedTuple

import numpy as np

from corpusmill.extract.segments.tables import FactKind, Segments

MAX_FACTS = 3000  # the highest number in 1,900 pages is 815
MAX_CHARS = 2000  # of a value; longer ones are cut
MAX_BYTES = 4 * MAX_CHARS
MAX_KEY_BYTES = 100  # no known name is longer


class Fact(NamedTuple):
    """A row of `tables.FACT`.  Spans are offsets in the source."""

    kind: int
    node: int
    key_start: int
    key_end: int
    value_start: int
    value_end: int
    extra_start: int
    extra_end: int


_ROW = struct.Struct(f"{len(Fact._fields)}i")


class Reader:
    """Reads spans of a page's source, and texts of its nodes."""

    def __init__(self, segments: Segments) -> None:
        self.segments = segments
        self._data = segments.data
        self._text = segments.text.data
        self._starts, self._ends = segments.nodes["text_start"], segments.nodes["text_end"]

    def facts(self) -> list[Fact]:
        """The first MAX_FACTS facts in the page's order.  Of the rest, the first MAX_FACTS of meta elements follow."""
        rows = self.segments.facts
        if len(rows) > MAX_FACTS:
            late = rows[MAX_FACTS:]
            rows = np.concatenate([rows[:MAX_FACTS], late[late["kind"] == FactKind.META][:MAX_FACTS]])
        # the same as Fact._make(row) for row in rows.tolist(), in a third of the time
        return list(map(tuple.__new__, repeat(Fact), _ROW.iter_unpack(rows.tobytes())))

    def keys(self, facts: Iterable[Fact]) -> list[bytes]:
        """The keys of facts, unchanged.  A longer key is cut after MAX_KEY_BYTES + 1 bytes."""
        data, limit = self._data, MAX_KEY_BYTES + 1
        return [data[start : end if end - start <= limit else start + limit] for _, _, start, end, _, _, _, _ in facts]

    def key(self, fact: Fact) -> bytes:
        """One key."""
        return self.keys((fact,))[0]

    def text(self, start: int, end: int) -> str:
        """A span of the source, with entities resolved and white space collapsed."""
        text = self._data[start : end if end - start <= MAX_BYTES else start + MAX_BYTES].decode("utf-8", "replace")
        return " ".join((html.unescape(text) if "&" in text else text).split())[:MAX_CHARS]

    def value(self, fact: Fact) -> str:
        """A fact's value."""
        return self.text(fact.value_start, fact.value_end)

    def raw(self, fact: Fact) -> str:
        """A fact's value, unchanged."""
        return self.segments.span(fact.value_start, fact.value_end)

    def block_texts(self, start: int, end: int) -> list[str]:
        """The texts of the blocks [start, end)."""
        starts, ends = (self.segments.blocks[name][start:end].tolist() for name in ("start", "end"))
        return [self.shown(start, end) for start, end in zip(starts, ends, strict=True)]

    def node_text(self, node: int) -> str:
        """The visible text of a node, on one line."""
        return " ".join(self.shown(*self._text_of(node)).split())[:MAX_CHARS]

    def first_line(self, node: int) -> str:
        """The first line of a node's visible text."""
        return self.shown(*self._text_of(node)).strip().partition("\n")[0]

    def _text_of(self, node: int) -> tuple[int, int]:
        return self._starts.item(node), self._ends.item(node)

    def shown(self, start: int, end: int) -> str:
        """A span of the visible text."""
        return str(self._text[start : min(end, start + MAX_BYTES)], "utf-8", "replace")
