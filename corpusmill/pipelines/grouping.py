"""twins: what surrounds the grouping of deduplication.  Its receipt covers all its inputs; no Beam here.

A part after a grouping is fingerprinted by the rows that it receives, so a change elsewhere that leaves its rows alone
leaves the part alone; whether the grouping must run again is decided by one receipt, `twins.json`, over the sketches
and verdicts of all parts.
"""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass

from corpusmill.collect.plan import Slice
from corpusmill.corpus import Made, Receipt, digest, library_version
from corpusmill.pipelines.job import Job
from corpusmill.reasons import Stage

VERSION = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Grouping:
    """What the grouping stage knows before it starts: the parts in order, and how the shuffle is divided."""

    parts: tuple[str, ...]  # a part's position here is its number in the shuffle
    partitions: int
    stale: bool  # False: the receipt covers exactly these inputs, and there is nothing to do

    @classmethod
    def plan(cls, job: Job, slices: Sequence[Slice]) -> "Grouping":
        """Called when all sketches and verdicts are published."""
        from corpusmill.dedup.group import partitions_for

        parts = tuple(sorted(piece.part for piece in slices))
        rows = sum(_receipt(job, Stage.SKETCHES, part).rows_out for part in parts)
        partitions = partitions_for(rows, job.recipe.dedup.bands)
        return cls(parts=parts, partitions=partitions, stale=not is_current(job, parts))


def _receipt(job: Job, stage: Stage, part: str) -> Receipt:
    receipt = job.corpus.receipt(stage, part)
    assert receipt is not None, f"{stage} of {part} is not published"
    return receipt


def _fingerprint(job: Job, parts: Sequence[str]) -> str | None:
    inputs = []
    for part in parts:
        sketches, verdicts = job.corpus.receipt(Stage.SKETCHES, part), job.corpus.receipt(Stage.VERDICTS, part)
        if sketches is None or verdicts is None:
            return None
        inputs.append([part, sketches.columns, verdicts.columns["kept"]])
    versions = [library_version(name) for name in ("numba", "numpy", "pyarrow")]
    return digest("grouping", VERSION, job.recipe.dedup.model_dump(), versions, inputs)


def is_current(job: Job, parts: Sequence[str]) -> bool:
    """Whether the twins that are there were made from exactly what is there now."""
    record = job.corpus.read_json(job.corpus.folder / "twins.json")
    return record is not None and record == _record(job, sorted(parts))


def _record(job: Job, parts: Sequence[str]) -> dict[str, object]:
    twins = [job.corpus.receipt(Stage.TWINS, part) for part in parts]
    return {"fingerprint": _fingerprint(job, parts), "twins": [receipt and receipt.checksum for receipt in twins]}


def band_blobs(job: Job, grouping: Grouping, piece: Slice) -> list[tuple[tuple[int, int], bytes]]:
    """((partition, blobs that it must receive), blob) of one part: one for every partition, also an empty one."""
    from corpusmill.dedup.group import band_blobs as blobs_of

    sketches = job.corpus.read(Stage.SKETCHES, piece.part, ["content_hash", "bands"])
    kept = job.corpus.read(Stage.VERDICTS, piece.part, ["kept"])["kept"].to_numpy()
    blobs = blobs_of(sketches, kept, grouping.parts.index(piece.part), grouping.partitions)
    return [((partition, len(grouping.parts)), blob) for partition, blob in enumerate(blobs)]


def publish_twins(job: Job, part: str, records: Sequence[bytes]) -> Receipt:
    """The twins of one part from the records that verification sent it, in any order."""
    from corpusmill.dedup.verify import twins_table

    started = time.time()
    table = twins_table(records, job.recipe.dedup)
    content = hashlib.blake2b(b"".join(sorted(records)), digest_size=16).hexdigest()
    fingerprint = digest(Stage.TWINS, VERSION, job.recipe.dedup.threshold, content)
    receipt = job.corpus.receipt(Stage.TWINS, part)
    if receipt is not None and receipt.fingerprint == fingerprint:
        return receipt
    made = Made(table=table, rows_in=table.num_rows, bytes_in=sum(map(len, records)))
    return job.corpus.publish(Stage.TWINS, part, made, fingerprint=fingerprint, started=started)


def commit(job: Job, grouping: Grouping) -> None:
    """The grouping's own receipt, when all its parts are published."""
    job.corpus.write_json(job.corpus.folder / "twins.json", _record(job, grouping.parts))
