"""Training rows from token parts: packed, shuffled, resumable, traceable.  numpy and pyarrow only.

Every row is a pure function of (parts, seed, epoch, window, row length):

    epoch    the row groups of all parts, in a random order, dealt into
    window   consecutive row groups of at most WINDOW_TOKENS tokens; all that is in memory at a time.  Its documents,
             in a random order, each behind a boundary token, make a stream; the stream is cut into
    row      row_length + 1 tokens, the last of which is also the first of the stream's next row, so that every token
             is predicted once.  A window gives its rows in a random order; the rest of its stream, shorter than a row,
             is left out (another one each epoch).

So the loader's state is the Position of the next row, three integers, whatever the number of readers: resuming costs
the reading of one window, any number of ranks can go on from it, and the documents of a step are found again from its
number alone, reading only the small columns of the windows before it.  How often a document comes in an epoch is the
weight of its source in the mix manifest (`corpusmill.mix`).

Random orders are sorts by a hash (splitmix64, Steele et al. 2014) of seed and position, which no library's next
version changes.

Cost, one core: opening a window of 16 M tokens takes .25 s (65 M tokens/s, nearly all of it Parquet decoding), its
rows come at 199 M tokens/s with 2,048 tokens each and 65 M with 512: together 46 M and 33 M tokens/s.
Tried and left: best-fit packing, which crops a third of the tokens (nanochat); the document mask makes it needless.
"""

import os
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpusmill.errors import CorruptPartError, is_of_the_system

WINDOW_TOKENS = 1 << 24

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, order=True, slots=True)
class Position:
    """Where the next row comes from."""

    epoch: int = 0
    window: int = 0
    row: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """A file of tokens, as it was when it was opened first."""

    path: Path
    version: tuple[int, int, int]  # size, time and number of the file

    @classmethod
    def of(cls, path: Path) -> "Part":
        """CorruptPartError if there is no such file."""
        try:
            return cls(path, _version(path.stat()))
        except FileNotFoundError:
            raise CorruptPartError(f"{path}: is gone{ADVICE}") from None

    @contextmanager
    def opened(self) -> Iterator[pq.ParquetFile]:
        """The file, for reading.  CorruptPartError if it is gone, another one by now, or damaged where it is read."""
        try:
            with pq.ParquetFile(self.path, page_checksum_verification=True) as file:
                yield file
            if _version(self.path.stat()) != self.version:
                raise CorruptPartError(f"{self.path}: a run has changed it meanwhile; start training again")
        except FileNotFoundError:
            raise CorruptPartError(f"{self.path}: is gone{ADVICE}") from None
        except (OSError, pa.ArrowException) as error:
            if is_of_the_system(error):
                raise
            raise CorruptPartError(f"{self.path}: is damaged{ADVICE}") from error


ADVICE = ": find what is damaged with 'corpusmill verify', and run the recipe again"


def _version(stat: os.stat_result) -> tuple[int, int, int]:
    return stat.st_size, stat.st_mtime_ns, stat.st_ino


@dataclass(frozen=True, slots=True)
class RowGroup:
    """A row group of a part."""

    part: Part
    index: int
    n_tokens: int

    def read(self, columns: Sequence[str]) -> pa.Table:
        """Its rows.  CorruptPartError if they are damaged, or no longer those of the part that was opened."""
        with self.part.opened() as file:
            return file.read_row_group(self.index, columns=list(columns), use_threads=False)


class Piece(NamedTuple):
    """A run of a row's tokens that belong to one document, its boundary token included."""

    document: int  # in the window's stream
    first: int  # the row's tokens [first, first + n_tokens)
    n_tokens: int


class Window:
    """One window of one epoch: what its stream is made of, and, once rows are asked for, the tokens.

    Arrays have one element a document of the stream, in its order: `source` (str), `n_bytes`, `n_tokens`.
    """

    def __init__(self, rows: "TokenRows", groups: Sequence[RowGroup], key: tuple[int, ...]) -> None:
        self._rows, self._groups = rows, groups
        columns = ("source", "split", "n_bytes", "n_tokens")
        table = pa.concat_tables([group.read(columns) for group in groups])
        self._in_split = pc.equal(table["split"], rows.split)
        table = table.filter(self._in_split)
        weight = np.array([rows.weights.get(source, 1.0) for source in table["source"].to_pylist()])
        copies = np.floor(weight) + (uniform((*key, 0), table.num_rows) < weight % 1)
        documents = np.repeat(np.arange(table.num_rows), copies.astype(np.int64))
        self._documents = documents[shuffled((*key, 1), len(documents))]  # index among the split's documents
        self.source = table["source"].to_numpy(zero_copy_only=False)[self._documents]
        self.n_bytes: Ints = table["n_bytes"].to_numpy()[self._documents]
        self._sizes: Ints = table["n_tokens"].to_numpy().astype(np.int64)
        self.n_tokens = self._sizes[self._documents]
        self._ends = np.cumsum(self.n_tokens + 1)  # of each document in the stream
        length = int(self._ends[-1]) if len(documents) else 0
        whole, rest = divmod(max(length - 1, 0), rows.row_length)
        self.n_rows = whole + (rows.keep_rest and rest > 0)
        self._order = shuffled((*key, 2), self.n_rows)

    @cached_property
    def _ids(self) -> npt.NDArray[np.uint16 | np.uint32]:
        """Tokens of the split's documents, in the order of the files."""
        tables = [group.read(["ids"]) for group in self._groups]
        lists = pa.concat_tables(tables).filter(self._in_split)["ids"].combine_chunks()
        ids: npt.NDArray[np.uint16 | np.uint32] = lists.flatten().to_numpy()
        return ids

    @cached_property
    def _places(self) -> tuple[list[int], list[int]]:
        """Of each document of the stream: where it ends there, and where its first token is among `_ids`."""
        starts = np.cumsum(self._sizes) - self._sizes
        return self._ends.tolist(), starts[self._documents].tolist()  # plain ints: indexed one by one, numpy is slower

    def pieces(self, row: int) -> list[Piece]:
        """The documents of a row, in order.  Their tokens fill it, except at the end of a stream's last row."""
        ends, _ = self._places
        begin = int(self._order[row]) * self._rows.row_length
        end = min(begin + self._rows.row_length + 1, ends[-1])
        pieces = []
        at, document = begin, bisect_right(ends, begin)
        while at < end:
            stop = min(end, ends[document])
            pieces.append(Piece(document, at - begin, stop - at))
            at, document = stop, document + 1
        return pieces

    def fill(self, row: int, out: Ints) -> None:
        """Write the tokens of a row to `out` (row_length + 1), which holds boundary tokens already."""
        ends, starts = self._places
        begin = int(self._order[row]) * self._rows.row_length
        for document, first, n_tokens in self.pieces(row):
            left = ends[document] - begin - first  # of the document in the stream, its boundary counted
            skip = int(self.n_tokens[document]) - left  # tokens of its text before this row; -1: its boundary is here
            n, source = n_tokens - (skip < 0), starts[document] + max(skip, 0)
            out[first + n_tokens - n : first + n_tokens] = self._ids[source : source + n]

    def doc_ids(self, documents: Sequence[int]) -> list[str]:
        """The doc_id of documents of the stream."""
        table = pa.concat_tables([group.read(["doc_id"]) for group in self._groups]).filter(self._in_split)
        names: list[str] = table["doc_id"].take(pa.array(self._documents[list(documents)])).to_pylist()
        return names

    def token_counts(self, vocab_size: int, boundary: int) -> Ints:
        """How often each token is in the stream (vocab_size)."""
        copies = np.bincount(self._documents, minlength=len(self._sizes))
        counts = np.zeros(vocab_size, np.int64)
        for n in np.unique(copies[copies > 0]):
            chosen = np.repeat(copies == n, self._sizes)
            counts += n * np.bincount(self._ids[chosen], minlength=vocab_size)
        counts[boundary] += len(self._documents)
        return counts


class TokenRows:
    """The rows of one split of token parts.

    `weights`: how often documents come in an epoch, by source; 1 for a source that is not there.
    `keep_rest`: also give the last, shorter row of a stream, filled up with boundary tokens (for validation).
    """

    def __init__(
        self,
        parts: Sequence[Path],
        *,
        split: str,
        row_length: int,
        boundary: int,
        seed: int,
        weights: Mapping[str, float] = MappingProxyType({}),
        keep_rest: bool = False,
        window_tokens: int = WINDOW_TOKENS,
    ) -> None:
        self.split, self.row_length, self.boundary, self.keep_rest = split, row_length, boundary, keep_rest
        self.weights = weights
        self._seed, self._window_tokens = seed, window_tokens
        self._groups = [group for path in sorted(parts) for group in _row_groups(path)]
        self._opened: tuple[tuple[int, int], Window] | None = None  # the window in use
        self._dealt: tuple[int, list[list[RowGroup]]] | None = None  # the windows of the epoch in use

    def windows(self, epoch: int) -> list[list[RowGroup]]:
        """The row groups of each window of an epoch."""
        if self._dealt is not None and self._dealt[0] == epoch:
            return self._dealt[1]
        windows: list[list[RowGroup]] = []
        free = 0
        for index in shuffled((self._seed, epoch), len(self._groups)):
            group = self._groups[index]
            if group.n_tokens > free or not windows:
                windows.append([])
                free = self._window_tokens
            windows[-1].append(group)
            free -= group.n_tokens
        self._dealt = epoch, windows
        return windows

    def window(self, epoch: int, window: int) -> Window:
        """A window; the one asked for last is kept."""
        if self._opened is None or self._opened[0] != (epoch, window):
            self._opened = None  # its memory goes before the next one's comes
            groups = self.windows(epoch)[window]
            self._opened = (epoch, window), Window(self, groups, (self._seed, epoch, window))
        return self._opened[1]

    def n_rows(self, at_most: int) -> int:
        """Rows of the first epoch; counting stops when `at_most` is reached."""
        n = 0
        for index in range(len(self.windows(0))):
            n += self.window(0, index).n_rows
            if n >= at_most:
                return at_most
        return n

    def advance(self, position: Position, n: int) -> Position:
        """The position `n` rows later."""
        for _, _, after in self._runs(position, n):
            position = after
        return position

    def runs(self, position: Position, n: int) -> Iterator[tuple[Window, range]]:
        """The next `n` rows, as runs within a window."""
        for window, rows, _ in self._runs(position, n):
            yield window, rows

    def _runs(self, position: Position, n: int) -> Iterator[tuple[Window, range, Position]]:
        """Runs of rows and the position after each; needs at least one row in an epoch."""
        epoch, index, row = position.epoch, position.window, position.row
        while n > 0:
            if index == len(self.windows(epoch)):
                epoch, index, row = epoch + 1, 0, 0
            window = self.window(epoch, index)
            rows = range(row, min(row + n, window.n_rows))
            n -= len(rows)
            row = rows.stop
            if rows:
                yield window, rows, Position(epoch, index, row)
            if n > 0:
                index, row = index + 1, 0

    def take(self, position: Position, n: int, *, rank: int = 0, ranks: int = 1) -> Ints:
        """Tokens of this rank's share of the next `n` rows: (n / ranks, row_length + 1)."""
        share = range(rank * n // ranks, (rank + 1) * n // ranks)
        ids = np.full((len(share), self.row_length + 1), self.boundary, np.int64)
        at = 0
        for window, rows in self.runs(position, n):
            for i in range(max(share.start, at), min(share.stop, at + len(rows))):
                window.fill(rows[i - at], ids[i - share.start])
            at += len(rows)
        return ids


def _row_groups(path: Path) -> list[RowGroup]:
    """The row groups of a token part; their sizes are in the file's footer."""
    part = Part.of(path)
    with part.opened() as file:
        metadata = file.metadata
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    column = next((i for i in range(metadata.num_columns) if metadata.schema.column(i).path.startswith("ids.")), 0)
    return [RowGroup(part, i, group.column(column).num_values) for i, group in enumerate(groups)]


def _bits(key: tuple[int, ...], n: int) -> npt.NDArray[np.uint64]:
    """Pseudo-random 64-bit numbers (n), a function of `key` only."""
    start = np.zeros(1, np.uint64)
    for number in key:
        start = _mix(start + np.uint64(number & 0xFFFF_FFFF_FFFF_FFFF))
    return _mix(start + np.arange(n, dtype=np.uint64) * np.uint64(0x9E37_79B9_7F4A_7C15))


def _mix(x: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The finalizer of splitmix64."""
    x = x + np.uint64(0x9E37_79B9_7F4A_7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58_476D_1CE4_E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D0_49BB_1331_11EB)
    return x ^ (x >> np.uint64(31))


def uniform(key: tuple[int, ...], n: int) -> npt.NDArray[np.float64]:
    """Numbers in [0, 1) (n), a function of `key` only."""
    return (_bits(key, n) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def shuffled(key: tuple[int, ...], n: int) -> Ints:
    """The numbers 0 to n - 1 in a random order, a function of `key` only."""
    return np.argsort(_bits(key, n), kind="stable")
