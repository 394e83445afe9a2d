"""The rows of one group, without end: pass after pass over its documents.

    pass     the row groups that have documents of the group, in a random order, divided into windows
    window   consecutive row groups of a pass with about `window_tokens` tokens

How many rows a window has follows from the index of the manifest, so any row is found without reading a shard.
"""

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np

from corpusmill.draws import Ints, shuffled
from corpusmill.loader.packing import n_rows


@dataclass(frozen=True, slots=True, eq=False)
class Pass:
    """The windows of a pass: for each the entries of the index, and the rows before it."""

    windows: list[Ints]
    before: list[int]  # one more than windows


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row is."""

    epoch: int  # number of the pass
    window: int
    row: int


class Stream:
    """The passes over a group.  documents, tokens: of the group in each row group that has some (n)."""

    def __init__(
        self, documents: Ints, tokens: Ints, *, key: tuple[int, ...], row_length: int, window_tokens: int
    ) -> None:
        self._lengths = documents + tokens  # in the stream, each document with its boundary
        self._key, self._row_length, self._window_tokens = key, row_length, window_tokens
        self._passes: dict[int, Pass] = {}
        self._totals = [0]  # rows before each pass
        self.is_empty = self.pass_of(0).before[-1] == 0

    def pass_of(self, number: int) -> Pass:
        """A pass; the last few are kept."""
        if number not in self._passes:
            order = shuffled((*self._key, number), len(self._lengths))
            ends = np.cumsum(self._lengths[order])
            window = (ends - 1) // self._window_tokens
            starts = np.flatnonzero(np.diff(window, prepend=-1))
            windows = np.split(order, starts[1:]) if len(order) else []
            lengths = [int(self._lengths[each].sum()) for each in windows]
            rows = [n_rows(length, self._row_length) for length in lengths]
            if len(self._passes) >= 4:
                del self._passes[min(self._passes)]
            self._passes[number] = Pass(windows, [0, *np.cumsum(rows, dtype=np.int64).tolist()])
        return self._passes[number]

    def rows_before(self, number: int) -> int:
        """The rows of all passes before one."""
        while len(self._totals) <= number:
            self._totals.append(self._totals[-1] + self.pass_of(len(self._totals) - 1).before[-1])
        return self._totals[number]

    def rows_in(self, passes: float) -> int:
        """The rows of so many passes from the beginning on."""
        whole = int(passes)
        rest = passes - whole
        return self.rows_before(whole) + (round(rest * self.pass_of(whole).before[-1]) if rest else 0)

    def place(self, row: int) -> Place:
        """Where a row of the stream is.  The stream must have rows."""
        number = max(0, bisect_right(self._totals, row) - 1)
        while self.rows_before(number + 1) <= row:
            number += 1
        before = self.pass_of(number).before
        row -= self.rows_before(number)
        window = bisect_right(before, row) - 1
        return Place(number, window, row - before[window])
