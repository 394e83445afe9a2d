"""twins: duplicates among the pages that the rules kept, found in two shuffles.

    bands     every part sends its documents' band hashes to ranges of hashes.  Equal hashes make edges, edges make
              connected components, and components are packed into tasks
    members   every part sends the sketches of its members to their tasks.  A task verifies its documents against the
              kept ones, and sends the results to each part

Every document that shares a band with another one is on record with its group.  A document is dropped only if
its true Jaccard similarity with a kept document reaches the threshold.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from corpusmill.parts import Made
from corpusmill.reasons import Stage
from corpusmill.stages.against import guests, of_host
from corpusmill.stages.drops import reads_before, still_there
from corpusmill.stages.grouping import Blob, Grouping, Message, Round, Shuffle
from corpusmill.stages.guests import key_of
from corpusmill.stages.job import Job
from corpusmill.stages.stage import ARROW, ReadTable, in_schema

if TYPE_CHECKING:
    import pyarrow as pa

BAND_COLUMNS = ("doc_id", "content_hash", "bands")
SKETCH_COLUMNS = ("doc_id", "content_hash", "n_chars", "bands", "shingles")


def _scatter_bands(job: Job, shuffle: Shuffle, number: int, read: ReadTable, _: list[bytes]) -> Iterator[Blob]:
    import numpy as np

    from corpusmill.dedup.group import band_blobs, partitions_for

    partitions = partitions_for(shuffle.rows + sum(guest.rows for _, guest in guests(job)), job.recipe.dedup.bands)
    kept = read(Stage.VERDICTS, ("kept",))["kept"].to_numpy()
    sketches = read(Stage.SKETCHES, BAND_COLUMNS)
    before = {name: read(name, columns) for name, columns in reads_before(job, Stage.TWINS).items()}
    kept = still_there(kept, sketches["doc_id"], before)
    blobs = [band_blobs(sketches, kept, number, partitions)]
    for at, guest in of_host(job, number, len(shuffle.parts)):
        sketches = guest.read_sketches(BAND_COLUMNS)
        kept = np.isin(sketches["doc_id"].to_numpy(), guest.doc_ids().to_numpy())
        blobs.append(band_blobs(sketches, kept, at, partitions))
    for partition, content in enumerate(zip(*blobs, strict=True)):
        yield Blob(partition, len(shuffle.parts), b"".join(content))


def _gather_bands(_: Job, __: Shuffle, blobs: list[tuple[int, bytes]]) -> Iterator[Message]:
    from corpusmill.dedup.group import spanning_edges

    yield Message(0, spanning_edges([content for _, content in blobs]))


def _join_edges(_: Job, shuffle: Shuffle, edges: list[bytes]) -> Iterator[Message]:
    from corpusmill.dedup.group import assignments, components
    from corpusmill.dedup.local import DOCUMENTS_PER_TASK

    for host, members in assignments(components(edges), DOCUMENTS_PER_TASK, len(shuffle.parts)):
        yield Message(host, members)


def _scatter_members(job: Job, shuffle: Shuffle, number: int, read: ReadTable, messages: list[bytes]) -> Iterable[Blob]:
    from corpusmill.dedup.group import member_blobs

    if not messages:
        return []
    (members,) = messages
    sketches = {number: read(Stage.SKETCHES, SKETCH_COLUMNS)}
    sketches |= {at: guest.read_sketches(SKETCH_COLUMNS) for at, guest in of_host(job, number, len(shuffle.parts))}
    compared = {at: as_compared(job, table) for at, table in sketches.items()}
    return [Blob(*blob) for blob in member_blobs(compared, members)]


def as_compared(job: Job, sketches: "pa.Table") -> "pa.Table":
    """SKETCH_COLUMNS as they are compared: if texts are normalised, texts of other lengths are the same, too."""
    import numpy as np
    import pyarrow as pa

    if job.recipe.dedup.exact != "normalised":
        return sketches
    return sketches.set_column(2, "n_chars", pa.array(np.zeros(sketches.num_rows, np.int64)))


def _gather_members(job: Job, shuffle: Shuffle, blobs: list[tuple[int, bytes]]) -> Iterator[Message]:
    from corpusmill.dedup.verify import verify_task

    corpora = [corpus for corpus, _ in guests(job)]
    for part, records in verify_task(blobs, job.recipe.dedup, len(shuffle.parts), corpora):
        yield Message(part, records)


def _make(job: Job, messages: list[bytes]) -> Made:
    import pyarrow.compute as pc

    from corpusmill.dedup.verify import twins_table

    table = twins_table(messages, job.recipe.dedup)
    limited = pc.sum(table["limited"]).as_py() or 0
    counts = {"limited": int(limited), "dropped": table["rule"].drop_null().length()}
    return Made(table=table, rows_in=table.num_rows, bytes_in=sum(map(len, messages)), counts=counts)


def _settings(job: Job) -> list[object]:
    against = [[each.name, job.files[key_of(each)]] for each in job.recipe.dedup.against]
    return [job.recipe.dedup.search(), against]


TWINS = Grouping(
    name=Stage.TWINS,
    version=3,
    libraries=(*ARROW, "numba"),
    settings=_settings,
    reads={Stage.SKETCHES: SKETCH_COLUMNS, Stage.VERDICTS: ("kept",)},
    rounds=(
        Round(name="bands", scatter=_scatter_bands, gather=_gather_bands, join=_join_edges),
        Round(name="members", scatter=_scatter_members, gather=_gather_members),
    ),
    make=_make,
    table=in_schema("TWINS"),
    share_of_time=0.1,
)


def twins(job: Job) -> Grouping:
    """The stage: duplicates among what the rules and the stages before it keep.

    InputError if a corpus of `dedup.against` cannot be compared.
    """
    guests(job)
    return replace(TWINS, reads={**TWINS.reads, **reads_before(job, Stage.TWINS)})
