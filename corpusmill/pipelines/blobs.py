"""Blobs in a shuffle: packed into few elements, and counted by the receiver.

A grouping sends one blob from every part to every destination: a million blobs for 10,000 parts and 100 destinations.
Most are small, and Beam needs 40 microseconds per element.  So all blobs from one bundle of parts to one destination
are one element, up to ELEMENT_BYTES.  A larger blob is cut, because Flink refuses elements of 32 MB.

Beam's local runner keeps a shuffle in its memory, and sends a worker all data to gather at once.  So there, an element
larger than SPILLED_BYTES is written to a file in the stage's own folder, and only its name is sent.  The files are
deleted when the grouping is done.  The runner of a cluster spills its shuffles itself.

In an element, each piece of a blob follows its header: number of the part, number of the piece, number of pieces of the
blob, and bytes.  The receiver fails unless it has every piece from as many parts as the senders announced.  So nothing
can be lost in the shuffle unnoticed.
"""

import struct
import uuid
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindows
from apache_beam.utils.windowed_value import WindowedValue

from corpusmill.errors import BalanceError
from corpusmill.pipelines.work import marking_errors, set_up
from corpusmill.stages.chain import chain_of
from corpusmill.stages.grouping import SPILL, Grouping, Shuffle
from corpusmill.stages.job import Job
from corpusmill.store import full_disk_is_a_run_error

ELEMENT_BYTES = 4_000_000
BUFFERED_BYTES = 64_000_000  # a bundle that holds more than this sends its blobs
SPILLED_BYTES = 16_384
_HEADER = struct.Struct("<IIIQ")

Key = tuple[int, int]  # destination, and the number of parts that send there


class Scatter(beam.DoFn):
    """(part, its messages) -> (key, packed blobs): the blobs of a round's `scatter`."""

    def __init__(self, job: Job, stage: str, number: int, *, spill: bool) -> None:
        self.job, self.stage, self.number, self.spill = job, stage, number, spill

    def setup(self) -> None:
        """Prepare a worker; called once."""
        set_up(self.job)

    def start_bundle(self) -> None:
        """Start without waiting blobs."""
        self.waiting: dict[Key, list[bytes]] = defaultdict(list)
        self.sizes: dict[Key, int] = defaultdict(int)

    def process(self, element: tuple[str, dict[str, Iterable[bytes]]], shuffle: Shuffle) -> Iterator[tuple[Key, bytes]]:
        """Pack the blobs of one part; they wait until an element is full."""
        part, found = element
        if not shuffle.stale:
            return
        with marking_errors():
            stage = chain_of(self.job)[self.stage]
            assert isinstance(stage, Grouping)
            number, messages = bisect_left(shuffle.parts, part), list(found["messages"])
            scatter = stage.rounds[self.number].scatter
            for blob in scatter(self.job, shuffle, number, stage.reader(self.job, part), messages):
                key = (blob.destination, blob.senders)
                for piece in packed(number, blob.content):
                    self.waiting[key].append(piece)
                    self.sizes[key] += len(piece)
                    if self.sizes[key] >= ELEMENT_BYTES:
                        yield key, self._taken(key)
        if sum(self.sizes.values()) > BUFFERED_BYTES:
            for key in list(self.waiting):
                yield key, self._taken(key)

    def finish_bundle(self) -> Iterator[Any]:
        """Send the blobs that are still waiting."""
        for key in list(self.waiting):
            yield WindowedValue((key, self._taken(key)), 0, [GlobalWindows().assign(None)[0]])

    def _taken(self, key: Key) -> bytes:
        del self.sizes[key]
        content = b"".join(self.waiting.pop(key))
        if not self.spill or len(content) <= SPILLED_BYTES:
            return _INLINE + content
        folder = spill_folder(self.job, self.stage)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / uuid.uuid4().hex
        with full_disk_is_a_run_error(folder):
            path.write_bytes(content)
        return _SPILLED + path.name.encode()


_INLINE, _SPILLED = b"i", b"s"  # the first byte of an element


def spill_folder(job: Job, stage: str) -> Path:
    """The folder of a stage's elements during a shuffle."""
    return job.corpus.workspace / stage / SPILL


def contents(job: Job, stage: str, elements: Iterable[bytes]) -> Iterator[bytes]:
    """The contents of elements, one after the other."""
    for element in elements:
        if element.startswith(_INLINE):
            yield element[1:]
        else:
            yield (spill_folder(job, stage) / element[1:].decode()).read_bytes()


def packed(part: int, content: bytes) -> Iterator[bytes]:
    """A part's blob as one or more pieces with headers."""
    pieces = max(1, -(-len(content) // ELEMENT_BYTES))
    for piece in range(pieces):
        body = content[piece * ELEMENT_BYTES : (piece + 1) * ELEMENT_BYTES]
        yield _HEADER.pack(part, piece, pieces, len(body)) + body


def unpacked(elements: Iterable[bytes], senders: int, what: str) -> list[tuple[int, bytes]]:
    """(part, its blob), sorted by part, from the contents of one destination's elements in any order.

    Raises BalanceError unless there is exactly one complete blob from each of `senders` parts.
    """
    pieces: dict[int, dict[int, bytes]] = defaultdict(dict)
    wanted: dict[int, int] = {}
    n = 0
    for element in elements:
        at = 0
        while at < len(element):
            part, piece, of, length = _HEADER.unpack_from(element, at)
            at += _HEADER.size
            pieces[part][piece] = element[at : at + length]
            wanted[part] = of
            at += length
            n += 1
    whole = sum(wanted.values())
    if len(pieces) != senders or n != whole or sum(map(len, pieces.values())) != whole:
        raise BalanceError(
            f"{what}: blobs of {len(pieces)} of {senders} parts came through the shuffle, {n} pieces of {whole}; "
            "run the same command again"
        )
    return [(part, b"".join(pieces[part][i] for i in range(wanted[part]))) for part in sorted(pieces)]
