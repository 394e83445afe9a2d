"""Groupings: stages whose parts are made from all parts, through one shuffle or several.

Every part scatters blobs to destinations.  Each destination gathers the blobs from all parts, and answers with messages
to parts.  After the last round, a part is made from the messages that it has received.
"""

import hashlib
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from corpusmill.corpus import RECEIPTS, digest
from corpusmill.parts import Made
from corpusmill.receipts import GROUPED, Receipt
from corpusmill.stages.job import Job
from corpusmill.stages.stage import Published, ReadTable, Snapshot, Stage

SPILL = "_shuffle"  # folder of a grouping for data that is being sent between parts


class Blob(NamedTuple):
    """Bytes that a part sends to one destination, and the number of parts that send there."""

    destination: int
    senders: int
    content: bytes


class Message(NamedTuple):
    """Bytes that a destination sends back to one part, by the part's number."""

    part: int
    content: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Shuffle:
    """What a grouping knows before it starts."""

    parts: tuple[str, ...]  # the index of a part is its number
    rows: int  # number of rows of the first stage that it reads, over all parts
    stale: bool  # False: the present result was made from exactly these parts, so nothing is left to do


@dataclass(frozen=True, kw_only=True)
class Round:
    """One shuffle of a grouping.

    scatter: every part sends blobs.  It receives the messages that the previous round has sent to it, and a function
        that reads its tables.  The receiver fails unless as many blobs arrive as the senders have announced, so nothing
        can be lost in the shuffle unnoticed.
    gather: one destination's blobs, with the numbers of the parts that sent them -> messages to parts.
    join: if given, the results of all destinations are joined in one place, and it returns the messages.  Then only the
        content of gathered messages counts.
    """

    name: str
    scatter: Callable[[Job, Shuffle, int, ReadTable, list[bytes]], Iterable[Blob]]
    gather: Callable[[Job, Shuffle, list[tuple[int, bytes]]], Iterable[Message]]
    join: Callable[[Job, Shuffle, list[bytes]], Iterable[Message]] | None = None


@dataclass(frozen=True, kw_only=True)
class Grouping(Stage):
    """A stage that makes parts from all parts.

    A part's fingerprint depends on the messages that it receives.  So a change elsewhere that does not change these
    messages does not renew the part.  One record over all inputs says whether the grouping must run again.
    """

    rounds: tuple[Round, ...]
    make: Callable[[Job, list[bytes]], Made]  # it receives the messages of the last round, in any order

    def wanted(self, job: Job, published: Published, parts: Sequence[str]) -> str | None:
        """The fingerprint of the whole grouping; None if one of its inputs does not exist yet."""
        inputs = self._made_from(published, parts)
        return None if inputs is None else self.fingerprint(job, inputs)

    def _made_from(self, published: Published, parts: Sequence[str]) -> str | None:
        found = [(part, self.inputs_of(published, part)) for part in sorted(parts)]
        return None if any(inputs is None for _, inputs in found) else digest(found)

    def is_current(self, job: Job, published: Published, parts: Sequence[str]) -> bool:
        """Whether the present parts were made from exactly the present inputs."""
        record = job.corpus.read_json(f"{self.name}/{RECEIPTS}/{GROUPED}")
        return record is not None and record == self._record(job, published, parts)

    def _record(self, job: Job, published: Published, parts: Sequence[str]) -> dict[str, Any] | None:
        receipts = [published.receipt(self.name, part) for part in sorted(parts)]
        wanted = self.wanted(job, published, parts)
        if wanted is None or any(receipt is None for receipt in receipts):
            return None
        return {
            "fingerprint": wanted,
            "made_from": self._made_from(published, parts),
            "parts": digest([receipt.checksum for receipt in receipts if receipt]),
        }

    def plan(self, job: Job, parts: Sequence[str]) -> Shuffle:
        """The plan of the shuffle; called when everything that it reads is published."""
        snapshot, first = Snapshot(job.corpus), next(iter(self.reads))
        rows = sum(receipt.rows_out for part in parts if (receipt := snapshot.receipt(first, part)) is not None)
        stale = not self.is_current(job, snapshot, parts)
        return Shuffle(parts=tuple(sorted(parts)), rows=rows, stale=stale)

    def publish(self, job: Job, part: str, messages: Sequence[bytes]) -> Receipt:
        """Make and publish the part that follows from the messages of the last round."""
        started = time.time()
        content = hashlib.blake2b(digest_size=16)
        for message in sorted(messages):
            content.update(len(message).to_bytes(8, "little") + message)
        fingerprint = self.fingerprint(job, content.hexdigest())
        receipt = job.corpus.receipt(self.name, part)
        if receipt is not None and receipt.fingerprint == fingerprint:
            return receipt
        made = self.make(job, list(messages))
        return job.corpus.publish(self.name, part, made, fingerprint=fingerprint, started=started)

    def commit(self, job: Job, shuffle: Shuffle) -> None:
        """Write the record of the whole grouping; called when all its parts are published."""
        record = self._record(job, Snapshot(job.corpus), shuffle.parts)
        assert record is not None, f"{self.name}: a part is missing"
        job.corpus.record(self.name, record)
        self.clear(job)

    def clear(self, job: Job) -> None:
        """Delete the remaining files of a shuffle."""
        shutil.rmtree(job.corpus.workspace / self.name / SPILL, ignore_errors=True)
