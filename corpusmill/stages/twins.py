"""twins: duplicates among what the rules kept, in two shuffles.

bands     every part sends its documents' band hashes to ranges of hashes; equal ones make edges, all edges make
          connected components, and components are packed into tasks
members   every part sends the sketches of its members to their tasks; a task verifies its documents against the
          kept ones, and tells each part what became of its own

A document is dropped only if its true Jaccard similarity with a document that is kept reaches the threshold.
"""

from collections.abc import Iterable, Iterator

from corpusmill.parts import Made
from corpusmill.reasons import Stage
from corpusmill.stages.grouping import Blob, Grouping, Message, Round, Shuffle
from corpusmill.stages.job import Job
from corpusmill.stages.stage import ARROW, ReadTable, in_schema

SKETCH_COLUMNS = ("doc_id", "content_hash", "n_chars", "bands", "shingles")


def _scatter_bands(job: Job, shuffle: Shuffle, number: int, read: ReadTable, _: list[bytes]) -> Iterator[Blob]:
    from corpusmill.dedup.group import band_blobs, partitions_for

    partitions = partitions_for(shuffle.rows, job.recipe.dedup.bands)
    kept = read(Stage.VERDICTS, ("kept",))["kept"].to_numpy()
    blobs = band_blobs(read(Stage.SKETCHES, ("content_hash", "bands")), kept, number, partitions)
    for partition, blob in enumerate(blobs):
        yield Blob(partition, len(shuffle.parts), blob)


def _gather_bands(_: Job, blobs: list[tuple[int, bytes]]) -> Iterator[Message]:
    from corpusmill.dedup.group import spanning_edges

    yield Message(0, spanning_edges([content for _, content in blobs]))


def _join_edges(_: Job, edges: list[bytes]) -> Iterator[Message]:
    from corpusmill.dedup.group import assignments, components
    from corpusmill.dedup.local import DOCUMENTS_PER_TASK

    for part, members in assignments(components(edges), DOCUMENTS_PER_TASK):
        yield Message(part, members)


def _scatter_members(_: Job, shuffle: Shuffle, number: int, read: ReadTable, messages: list[bytes]) -> Iterable[Blob]:
    from corpusmill.dedup.group import member_blobs

    if not messages:
        return []
    (members,) = messages
    return [Blob(*blob) for blob in member_blobs(read(Stage.SKETCHES, SKETCH_COLUMNS), members)]


def _gather_members(job: Job, blobs: list[tuple[int, bytes]]) -> Iterator[Message]:
    from corpusmill.dedup.verify import verify_task

    for part, records in verify_task(blobs, job.recipe.dedup):
        yield Message(part, records)


def _make(job: Job, messages: list[bytes]) -> Made:
    import pyarrow.compute as pc

    from corpusmill.dedup.verify import twins_table

    table = twins_table(messages, job.recipe.dedup)
    limited = pc.sum(table["limited"]).as_py() or 0
    counts = {"limited": int(limited), "dropped": table["rule"].drop_null().length()}
    return Made(table=table, rows_in=table.num_rows, bytes_in=sum(map(len, messages)), counts=counts)


TWINS = Grouping(
    name=Stage.TWINS,
    version=2,
    libraries=(*ARROW, "numba"),
    settings=lambda job: job.recipe.dedup.model_dump(),
    reads={Stage.SKETCHES: SKETCH_COLUMNS, Stage.VERDICTS: ("kept",)},
    rounds=(
        Round(name="bands", scatter=_scatter_bands, gather=_gather_bands, join=_join_edges),
        Round(name="members", scatter=_scatter_members, gather=_gather_members),
    ),
    make=_make,
    table=in_schema("TWINS"),
    share_of_time=0.1,
)
