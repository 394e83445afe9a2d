"""Training rows of a corpus: mixed, packed, shuffled, resumable, traceable.  Uses numpy and pyarrow only.

Which row comes when is a pure function of (manifest, seed, epoch, row, row length, window, packing):

    epoch    of the mix: each group gives the rows that its repeats ask for, and goes on in the next epoch where it
             stopped (`stream`)
    row      of the epoch: the schedule says which group's row it is (`schedule`), so that shares hold everywhere
    window   of a group: its documents are packed into rows (`packing`)

So the loader's state is the Position of the next row, two integers, for any number of readers, with a fingerprint of
everything else.  To resume, the present window of each group is read.  The documents of a step are found from its
number.

Windows of all groups together have about WINDOW_TOKENS tokens, each by its share, but one row group at least.  The next
window of a group is read ahead by a thread.

Cost on one core, documents of 600 tokens: see bench/loader.py.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Self, TypeVar, overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpusmill.corpus import Corpus, digest
from corpusmill.draws import Ints
from corpusmill.errors import InputError
from corpusmill.loader import packing as packings
from corpusmill.loader.manifest import COLUMNS, HELD_OUT, TRAIN, VALIDATION, Manifest, manifest_of
from corpusmill.loader.packing import Ids, Packed
from corpusmill.loader.schedule import Schedule
from corpusmill.loader.shards import Shards, as_numpy
from corpusmill.loader.stream import Place, Stream

Value = TypeVar("Value")

WINDOW_TOKENS = 1 << 23
VERSION = 1  # of the order of rows; raise it when the same manifest and seed give another one


@dataclass(frozen=True, order=True, slots=True)
class Position:
    """The place of the next row."""

    epoch: int = 0
    row: int = 0


@dataclass(frozen=True, slots=True)
class RowDocument:
    """Consecutive tokens of one document in one of the asked rows."""

    row: int  # number among the asked rows
    first: int  # index in the row, from 0; the document's boundary token counts if the row contains it
    n_tokens: int
    doc_id: str
    source: str
    document_tokens: int  # of the whole document
    document_bytes: int


class once(Generic[Value]):  # noqa: N801
    """A property that is computed once, as `functools.cached_property` does, but without a lock.

    In Python 3.11, that lock is one for all objects of a class.  Workers of a DataLoader that were forked while a
    thread of their parent computed such a property would wait for it for ever.
    """

    def __init__(self, function: Callable[[Any], Value]) -> None:
        self._function, self.__doc__ = function, function.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: object, owner: type) -> Value: ...

    def __get__(self, instance: object | None, owner: type) -> Self | Value:
        if instance is None:
            return self
        value = instance.__dict__[self._function.__name__] = self._function(instance)
        return value


class Window:
    """The documents of a group in some row groups, and their rows."""

    def __init__(self, rows: "Rows", group: int, entries: Ints, key: tuple[int, ...]) -> None:
        self._rows, self._group, self._entries, self._key = rows, group, entries, key

    @once
    def _members(self) -> list[npt.NDArray[np.bool_] | None]:
        """For each row group which documents are of the group; None: all."""
        return [self._rows.members(entry, self._group) for entry in self._entries.tolist()]

    @once
    def texts(self) -> tuple[list[Ids], Ints]:
        """The documents' tokens, one array per row group, and the number of tokens of each document."""
        ids, sizes = [], [np.zeros(0, np.int64)]
        for entry, members in zip(self._entries.tolist(), self._members, strict=True):
            column = self._rows.read(entry, ["ids"])["ids"].combine_chunks()
            if members is not None:
                column = column.filter(pa.array(members))
            column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
            ids.append(as_numpy(column.flatten()))
            sizes.append(np.diff(as_numpy(column.offsets)).astype(np.int64))
        return ids, np.concatenate(sizes)

    @once
    def packed(self) -> Packed:
        """The rows."""
        rows = self._rows
        made = Packed(*self.texts, self._key, row_length=rows.row_length, boundary=rows.boundary, packing=rows.packing)
        del self.__dict__["texts"]  # the rows have the tokens now
        return made

    @once
    def facts(self) -> pa.Table:
        """doc_id, source, n_tokens and n_bytes of the documents."""
        found = []
        for entry, members in zip(self._entries.tolist(), self._members, strict=True):
            table = self._rows.read(entry, ["doc_id", "source", "n_tokens", "n_bytes"])
            found.append(table if members is None else table.filter(pa.array(members)))
        return pa.concat_tables(found).combine_chunks()


class Rows:
    """The rows of one split of a corpus.

    split: train, or validation: then all documents are one group, each once in an epoch.
    packing: stream or best-fit (`packing`).
    ahead: whether a thread reads the next windows.
    """

    def __init__(
        self,
        corpus: Corpus,
        manifest: Manifest,
        *,
        row_length: int,
        seed: int,
        split: str = TRAIN,
        packing: str = packings.STREAM,
        window_tokens: int = WINDOW_TOKENS,
        ahead: bool = True,
    ) -> None:
        if packing not in packings.PACKINGS:
            raise InputError(f"there is no packing '{packing}'; there are {', '.join(packings.PACKINGS)}")
        if split not in (TRAIN, VALIDATION):
            raise InputError(f"there is no split '{split}'; there are {TRAIN} and {VALIDATION}")
        self.manifest, self.row_length, self.boundary, self.seed = manifest, row_length, manifest.boundary, seed
        self.split, self.packing, self.window_tokens, self._ahead = split, packing, window_tokens, ahead
        self._corpus = corpus
        self._shards = Shards(corpus, manifest.shards)
        index = manifest.index
        self._shard, self._row_group = as_numpy(index["shard"]), as_numpy(index["row_group"])
        self._whole = as_numpy(index["documents"]) == as_numpy(index["rows"])
        group, documents = as_numpy(index["group"]), as_numpy(index["documents"]).astype(np.int64)
        tokens = as_numpy(index["tokens"])
        is_train = split == TRAIN
        numbers = range(len(manifest.groups)) if is_train else [HELD_OUT]
        self._repeats = [each.repeats for each in manifest.groups] if is_train else [1.0]
        self._stages = [each.stage for each in manifest.groups] if is_train else [0]
        self._entries = [np.flatnonzero(group == number) for number in numbers]
        weights = [
            repeats * float((documents[e] + tokens[e]).sum())
            for repeats, e in zip(self._repeats, self._entries, strict=True)
        ]
        self._streams = [
            Stream(
                documents[entries],
                tokens[entries],
                key=(seed, int(is_train), number),
                row_length=row_length,
                window_tokens=max(1, round(window_tokens * weight / max(sum(weights), 1e-300))),
            )
            for number, (entries, weight) in enumerate(zip(self._entries, weights, strict=True))
        ]
        self._schedules: dict[int, list[Schedule]] = {}
        self._windows: dict[tuple[int, int, int], Window] = {}
        self._coming: dict[tuple[int, int, int], Future[Window]] = {}
        self._pool: tuple[int, ThreadPoolExecutor] | None = None

    @property
    def fingerprint(self) -> str:
        """Of everything that decides the order of rows."""
        of = [self.manifest.fingerprint, self.seed, self.row_length, self.split, self.packing, self.window_tokens]
        return digest("rows", VERSION, *of)

    # ---- order -----------------------------------------------------------------------------------------------------

    def counts(self, epoch: int) -> Ints:
        """The rows of each group in an epoch."""
        counts = [
            0 if stream.is_empty else stream.rows_in((epoch + 1) * repeats) - stream.rows_in(epoch * repeats)
            for stream, repeats in zip(self._streams, self._repeats, strict=True)
        ]
        return np.array(counts, np.int64)

    def rows_of_epoch(self, epoch: int) -> int:
        """How many rows an epoch of the mix has."""
        return sum(each.n_rows for each in self._schedule(epoch))

    def _schedule(self, epoch: int) -> list[Schedule]:
        """One schedule per stage of the curriculum."""
        if epoch not in self._schedules:
            counts, stages = self.counts(epoch), np.array(self._stages, np.int64)
            if len(self._schedules) >= 4:
                del self._schedules[min(self._schedules)]
            self._schedules[epoch] = [
                Schedule(np.where(stages == stage, counts, 0).tolist()) for stage in np.unique(stages).tolist()
            ]
        return self._schedules[epoch]

    def _order(self, position: Position, n: int) -> Iterator[tuple[int, int]]:
        """Group and place in its stream of each of the next rows."""
        epoch, row = position.epoch, position.row
        while n > 0:
            total = self.rows_of_epoch(epoch)
            if total == 0:
                raise InputError(f"{self._corpus.place}: its {self.split} tokens fill no row")
            before = [
                0 if stream.is_empty else stream.rows_in(epoch * repeats)
                for stream, repeats in zip(self._streams, self._repeats, strict=True)
            ]
            for schedule in self._schedule(epoch):
                if row < schedule.n_rows and n > 0:
                    stop = min(row + n, schedule.n_rows)
                    groups, numbers = schedule.rows(row, stop)
                    for group, number in zip(groups.tolist(), numbers.tolist(), strict=True):
                        yield group, before[group] + number
                    n, row = n - (stop - row), stop
                row -= schedule.n_rows
            epoch, row = epoch + 1, max(row, 0)

    def n_rows(self, at_most: int) -> int:
        """The number of rows of the first epoch, but at most `at_most`."""
        return min(at_most, self.rows_of_epoch(0))

    def advance(self, position: Position, n: int) -> Position:
        """The position `n` rows later."""
        epoch, row = position.epoch, position.row + n
        while row > (total := self.rows_of_epoch(epoch)):
            if total == 0:
                raise InputError(f"{self._corpus.place}: its {self.split} tokens fill no row")
            epoch, row = epoch + 1, row - total
        return Position(epoch, row)

    def rows_by_group(self, n: int) -> Ints:
        """How many of the first `n` rows are of each group."""
        found, epoch = np.zeros(len(self._streams), np.int64), 0
        while n > 0 and self.rows_of_epoch(epoch):
            for schedule in self._schedule(epoch):
                taken = min(n, schedule.n_rows)
                found += schedule.counts(taken)
                n -= taken
            epoch += 1
        return found

    # ---- rows ------------------------------------------------------------------------------------------------------

    def take(self, position: Position, n: int, *, rank: int = 0, ranks: int = 1) -> Ints:
        """The tokens of this rank's part of the next `n` rows: (n / ranks, row_length + 1)."""
        first, last = rank * n // ranks, (rank + 1) * n // ranks
        ids = np.empty((last - first, self.row_length + 1), np.int64)
        for key, places, numbers in self._by_window(self.advance(position, first), last - first):
            ids[places] = self._window(key).packed.rows(numbers)
        self._read_ahead()  # not before: it would delay the first rows
        return ids

    def documents(self, position: Position, n: int) -> list[RowDocument]:
        """The documents of the next `n` rows, row by row."""
        found: list[list[RowDocument]] = [[] for _ in range(n)]
        for key, places, numbers in self._by_window(position, n):
            window = self._window(key)
            pieces = [
                (at, piece)
                for at, row in zip(places.tolist(), numbers.tolist(), strict=True)
                for piece in window.packed.pieces(row)
            ]
            facts = window.facts.take(pa.array([piece.document for _, piece in pieces], pa.int64())).to_pylist()
            for (at, piece), fact in zip(pieces, facts, strict=True):
                found[at].append(
                    RowDocument(
                        at,
                        piece.first,
                        piece.n_tokens,
                        fact["doc_id"],
                        fact["source"],
                        fact["n_tokens"],
                        fact["n_bytes"],
                    )
                )
        return [document for row in found for document in row]

    def first_windows(self) -> list[tuple[int, list[Ids], Ints]]:
        """By group: rows of the first epoch, and tokens and sizes of the first window's documents; groups with rows."""
        counts = self.counts(0).tolist()
        return [(count, *self._make(group, Place(0, 0, 0)).texts) for group, count in enumerate(counts) if count]

    def _by_window(self, position: Position, n: int) -> Iterator[tuple[tuple[int, int, int], Ints, Ints]]:
        """The next rows by window: the window, the rows' places among them, and their numbers in the window."""
        wanted: dict[tuple[int, int, int], tuple[list[int], list[int]]] = {}
        for at, (group, number) in enumerate(self._order(position, n)):
            place = self._streams[group].place(number)
            places, numbers = wanted.setdefault((group, place.epoch, place.window), ([], []))
            places.append(at)
            numbers.append(place.row)
        for key, (places, numbers) in sorted(wanted.items()):
            yield key, np.array(places, np.int64), np.array(numbers, np.int64)

    def _window(self, key: tuple[int, int, int]) -> Window:
        """A window.  Of each group the last one is kept, and the next one is read ahead."""
        if key not in self._windows:
            group = key[0]
            for old in [each for each in self._windows if each[0] == group]:
                del self._windows[old]
            coming = self._coming.pop(key, None) if self._mine() else None
            window = coming.result() if coming is not None else self._make(group, Place(key[1], key[2], 0))
            self._windows[key] = window
        return self._windows[key]

    def _make(self, group: int, place: Place) -> Window:
        entries = self._entries[group][self._streams[group].pass_of(place.epoch).windows[place.window]]
        key = (self.seed, int(self.split == TRAIN), group, place.epoch, place.window)
        return Window(self, self._number(group), entries, key)

    def _number(self, group: int) -> int:
        """The group's number in the manifest."""
        return group if self.split == TRAIN else HELD_OUT

    def _read_ahead(self) -> None:
        """Read the window after the present one of each group, unless that was begun."""
        if not self._ahead:
            return
        if self._pool is None or not self._mine():
            self._pool, self._coming = (os.getpid(), ThreadPoolExecutor(1, "corpusmill-loader")), {}
        for group, epoch, number in self._windows:
            windows = self._streams[group].pass_of(epoch).windows
            after = Place(epoch, number + 1, 0) if number + 1 < len(windows) else Place(epoch + 1, 0, 0)
            key = (group, after.epoch, after.window)
            if key not in self._coming:
                for old in [each for each in self._coming if each[0] == group]:
                    self._coming.pop(old).cancel()
                window = self._make(group, after)  # here, because streams are not for several threads
                self._coming[key] = self._pool[1].submit(_packed, window)

    def _mine(self) -> bool:
        """Whether the thread is of this process: a fork has none."""
        return self._pool is not None and self._pool[0] == os.getpid()

    def __getstate__(self) -> dict[str, object]:
        """For processes that are started anew: without windows and threads."""
        kept = {name: value for name, value in self.__dict__.items() if name != "_labels"}
        return {**kept, "_windows": {}, "_coming": {}, "_pool": None}

    # ---- shards ----------------------------------------------------------------------------------------------------

    def read(self, entry: int, columns: Sequence[str]) -> pa.Table:
        """Columns of the row group of an entry of the index."""
        return self._shards.read(int(self._shard[entry]), int(self._row_group[entry]), columns)

    def members(self, entry: int, group: int) -> npt.NDArray[np.bool_] | None:
        """Which documents of a row group are of a group; None: all."""
        if self._whole[entry]:
            return None
        if group == HELD_OUT or len(self.manifest.groups) == 1:
            split = self.read(entry, ["split"])["split"]
            wanted = VALIDATION if group == HELD_OUT else TRAIN
            return as_numpy(pc.equal(split, wanted))
        found: npt.NDArray[np.bool_] = (
            self.manifest.group_numbers(self.read(entry, COLUMNS), self._buckets(entry)) == group
        )
        return found

    def _buckets(self, entry: int) -> pa.Array | None:
        if not self.manifest.settings.uses_buckets:
            return None
        shard, row_group = int(self._shard[entry]), int(self._row_group[entry])
        sizes = self._shards.row_group_sizes(shard)
        labels = self._labels.read_row_group(shard, use_threads=False)["bucket"]
        return labels.slice(sum(sizes[:row_group]), sizes[row_group]).combine_chunks()

    @once
    def _labels(self) -> pq.ParquetFile:
        assert self.manifest.buckets is not None, "only a mix with buckets asks"
        return pq.ParquetFile(pa.BufferReader(self.manifest.buckets))


def _packed(window: Window) -> Window:
    _ = window.packed
    return window


def open_rows(
    place: str | Path | Corpus,
    *,
    row_length: int,
    seed: int,
    split: str = TRAIN,
    packing: str = packings.STREAM,
    window_tokens: int = WINDOW_TOKENS,
) -> Rows:
    """The rows of the corpus in a folder, or at a URL, in the mix of its recipe.

    split: train or validation.  packing: stream, or best-fit, which cuts fewer documents.
    InputError if the corpus has no tokens, or if they do not belong to its documents and tokenizer.
    """
    corpus = place if isinstance(place, Corpus) else Corpus(place)
    return Rows(
        corpus,
        manifest_of(corpus),
        row_length=row_length,
        seed=seed,
        split=split,
        packing=packing,
        window_tokens=window_tokens,
    )
