"""Blobs on their way through a shuffle: packed into few elements, and counted at the other end.

A grouping sends one blob from every part to every destination, most of them small: a million for 10,000 parts and 100
destinations.  Beam costs 40 microseconds for an element, so what a bundle of parts sends to one destination travels as
one element, up to ELEMENT_BYTES.  A larger blob is cut; Flink refuses elements of 32 MB.

Beam's local runner keeps a shuffle in its memory, and sends a worker all that it shall gather at once.  So here an
element larger than SPILLED_BYTES is a file in the stage's own folder, and its name travels; a cluster's runner has a
shuffle that spills by itself.  The files go when the grouping is done.

In an element each piece of a blob stands behind its header: number of the part, of the piece, how many pieces the blob
has, and bytes.  The receiver fails unless it has every piece of the blobs of as many parts as the senders announced, so
that the books balance across the shuffle.
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
BUFFERED_BYTES = 64_000_000  # that a bundle keeps before it sends what it has
SPILLED_BYTES = 16_384
_HEADER = struct.Struct("<IIIQ")

Key = tuple[int, int]  # destination, and how many parts send something there


class Scatter(beam.DoFn):
    """(part, its messages) -> (key, packed blobs): what a round's `scatter` sends."""

    def __init__(self, job: Job, stage: str, number: int, *, spill: bool) -> None:
        self.job, self.stage, self.number, self.spill = job, stage, number, spill

    def setup(self) -> None:
        """Once in a worker."""
        set_up(self.job)

    def start_bundle(self) -> None:
        """Nothing is waiting."""
        self.waiting: dict[Key, list[bytes]] = defaultdict(list)
        self.sizes: dict[Key, int] = defaultdict(int)

    def process(self, element: tuple[str, dict[str, Iterable[bytes]]], shuffle: Shuffle) -> Iterator[tuple[Key, bytes]]:
        """One part's blobs wait until there are enough for an element."""
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
        """The rest."""
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


_INLINE, _SPILLED = b"i", b"s"  # how an element begins


def spill_folder(job: Job, stage: str) -> Path:
    """Where a stage's elements lie while they are on their way."""
    return job.corpus.workspace / stage / SPILL


def contents(job: Job, stage: str, elements: Iterable[bytes]) -> Iterator[bytes]:
    """What elements hold, one after the other."""
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
    """(part, its blob), by part, from the contents of one destination's elements in any order.

    Raises BalanceError unless the blobs of `senders` parts are there, each whole and once.
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
