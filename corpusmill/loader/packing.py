"""How the documents of a window become rows of row_length + 1 tokens.

The documents, each after a boundary token, make a stream, which is cut into rows.  The last token of a row is also the
first of the next row of the stream, so every token is predicted once.  The end of the window's last row is filled with
boundary tokens.  The rows come in a random order.

`stream`: the documents are in a random order.

`best-fit`: they are in an order in which few are cut.  A row takes the longest document that fits into its room, again
and again.  What is then left of the row takes the beginning of a document that is longer than a row, or else of the
longest one.  So rows are full and nothing is cropped, unlike with the packing of arXiv 2404.10830.  Among documents of
one length, and among the long ones, the order is random.

Cost of a window of 8 M tokens, documents of 600 tokens, rows of 2,048: 0.03 s for `stream`, 0.06 s for `best-fit`.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from corpusmill.draws import Ints, shuffled

Ids = npt.NDArray[np.uint16] | npt.NDArray[np.uint32]
STREAM, BEST_FIT = "stream", "best-fit"
PACKINGS = (STREAM, BEST_FIT)


class Piece(NamedTuple):
    """Consecutive tokens of a row that belong to one document, including its boundary token."""

    document: int  # number in the window, in the order of the files
    first: int  # the tokens [first, first + n_tokens) of the row
    n_tokens: int


def n_rows(length: int, row_length: int) -> int:
    """The rows of a window, whose documents have this many tokens with their boundaries."""
    return -(-max(length - 1, 0) // row_length)


class Packed:
    """The rows of a window.

    ids: arrays of tokens, one per row group; sizes: of the documents in them, in the same order.
    """

    def __init__(
        self, ids: list[Ids], sizes: Ints, key: tuple[int, ...], *, row_length: int, boundary: int, packing: str
    ) -> None:
        self._row_length = row_length
        order = shuffled((*key, 1), len(sizes))
        self._order = order if packing == STREAM else best_fit(sizes + 1, order, row_length)
        self._ends = np.cumsum(sizes[self._order] + 1)
        self.n_rows = n_rows(int(self._ends[-1]) if len(sizes) else 0, row_length)
        self._rows = shuffled((*key, 2), self.n_rows)
        self._stream = np.full(self.n_rows * row_length + 1, boundary, ids[0].dtype if ids else np.uint16)
        self._lay(ids, sizes)

    def _lay(self, ids: list[Ids], sizes: Ints) -> None:
        """Copy documents to their places; boundary tokens are there already."""
        starts = np.cumsum(sizes) - sizes
        bounds = np.cumsum([0, *(len(each) for each in ids)])
        # a document without tokens may stand at the end of an array
        group = np.minimum(np.searchsorted(bounds, starts, side="right") - 1, max(len(ids) - 1, 0))
        where = (group[self._order], (starts - bounds[group])[self._order], sizes[self._order], self._ends)
        # plain ints and a loop of copies: three times as fast as one gather, which needs an index per token
        stream = self._stream
        for number, start, size, end in zip(*(each.tolist() for each in where), strict=True):
            stream[end - size : end] = ids[number][start : start + size]

    def rows(self, numbers: Ints) -> npt.NDArray[np.uint16] | npt.NDArray[np.uint32]:
        """Rows: (len(numbers), row_length + 1)."""
        view = np.lib.stride_tricks.sliding_window_view(self._stream, self._row_length + 1)
        rows: npt.NDArray[np.uint16] | npt.NDArray[np.uint32] = view[self._rows[numbers] * self._row_length]
        return rows

    def pieces(self, number: int) -> list[Piece]:
        """The documents of a row, in order.  Their tokens fill it, except at the end of a window."""
        begin = int(self._rows[number]) * self._row_length
        end = min(begin + self._row_length + 1, int(self._ends[-1]))
        at, place = begin, int(np.searchsorted(self._ends, begin, side="right"))
        pieces = []
        while at < end:
            stop = min(end, int(self._ends[place]))
            pieces.append(Piece(int(self._order[place]), at - begin, stop - at))
            at, place = stop, place + 1
        return pieces


def best_fit(lengths: Ints, order: Ints, row_length: int) -> Ints:
    """An order of documents in which few are cut.  lengths: with boundaries; order: a random one."""
    by_length: list[list[int]] = [[] for _ in range(row_length + 1)]
    too_long: list[int] = []
    of = lengths.tolist()
    for document in order.tolist():
        (by_length[of[document]] if of[document] <= row_length else too_long).append(document)
    there = sum(1 << length for length, documents in enumerate(by_length) if documents)  # bit n: some have length n
    below = [(2 << room) - 1 for room in range(row_length + 1)]  # the lengths that fit into a room
    chosen, room = [], row_length
    while there or too_long:
        fitting = there & below[room]
        if fitting:
            length = fitting.bit_length() - 1
        elif too_long:
            document = too_long.pop()
            chosen.append(document)
            room = row_length - (of[document] - room) % row_length
            continue
        else:
            length = there.bit_length() - 1
        chosen.append(by_length[length].pop())
        if not by_length[length]:
            there ^= 1 << length
        room = room - length if length < room else row_length - (length - room)
    return np.array(chosen, np.int64)
