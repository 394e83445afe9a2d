"""Texts without some of their units: whole pieces are cut, and the white space around them becomes one gap."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from corpusmill.arrow import Utf8Column
from corpusmill.filters.repeats.units import I64, runs

Span = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Cuts:
    """What units cover, as spans that neither overlap nor touch, in the order of rows and places: int64 (n) each.

    first, after: the units [first, after) of a span, if they are in this order, too.
    """

    rows: I64
    starts: I64
    stops: I64
    first: I64
    after: I64

    @classmethod
    def of(cls, rows: I64, starts: I64, stops: I64) -> "Cuts":
        """Of units in any order."""
        order = np.lexsort((stops, starts, rows))
        rows, starts, stops = rows[order], starts[order], stops[order]
        width = int(stops.max(initial=0)) + 1
        reached = np.maximum.accumulate(rows * width + stops)  # as one number, which grows from row to row
        is_new = np.ones(len(rows), np.bool_)
        is_new[1:] = (rows * width + starts)[1:] > reached[:-1]
        first = np.flatnonzero(is_new)
        ends = np.maximum.reduceat(stops, first) if len(first) else stops
        return cls(rows[first], starts[first], ends, first, np.append(first[1:], len(rows))[: len(first)])

    def by_row(self) -> Iterator[tuple[int, slice]]:
        """For each row that has spans, its number and where its spans are."""
        begins, sizes = runs(self.rows)
        for begin, size in zip(begins.tolist(), sizes.tolist(), strict=True):
            yield int(self.rows[begin]), slice(begin, begin + size)


def without_units(texts: pa.Array, column: Utf8Column, rows: I64, starts: I64, stops: I64) -> pa.Array:
    """Texts (n, large_string) without the units.  column: of the same texts; units as in `Units`."""
    if not len(rows):
        return texts
    after = texts.to_pylist()
    cuts = Cuts.of(rows, starts, stops)
    for row, spans in cuts.by_row():
        places = zip(cuts.starts[spans].tolist(), cuts.stops[spans].tolist(), strict=True)
        after[row] = joined(_pieces(column, row, [*places]))
    return pa.array(after, pa.large_string())


def _pieces(column: Utf8Column, row: int, spans: Sequence[Span]) -> Iterator[str]:
    at = int(column.offsets[row])
    for start, stop in [*spans, (int(column.offsets[row + 1]), 0)]:
        yield column.data[at:start].tobytes().decode()
        at = stop


def without_spans(text: str, spans: Iterable[Span]) -> str:
    """A text without these spans, in characters, ascending."""
    ends = [end for span in spans for end in span]
    places = [0, *ends, len(text)]
    return joined(text[start:end] for start, end in zip(places[::2], places[1::2], strict=True))


def joined(pieces: Iterable[str]) -> str:
    """What is left of a text.  Of the line breaks on both sides of a cut, those of the side that has more stay."""
    all_pieces = [*pieces]
    if len(all_pieces) == 1:
        return all_pieces[0]
    out: list[str] = []
    gap = end = ""  # white space since the last content; the same if no cut follows
    for number, piece in enumerate(all_pieces):
        content = piece.lstrip()
        before = piece[: len(piece) - len(content)]
        content = content.rstrip()
        if not content:
            gap, end = _gap(gap, piece), ""
            continue
        out += [_gap(gap, before) if out else before if number == 0 else "", content]
        gap = end = piece[len(before) + len(content) :]
    return "".join(out) + end


def _gap(before: str, after: str) -> str:
    if "\n" not in after:
        return before if "\n" in before else after or before
    indentation = after.rpartition("\n")[2]  # of the line that begins after the cut
    return "\n" * max(before.count("\n"), after.count("\n")) + indentation
