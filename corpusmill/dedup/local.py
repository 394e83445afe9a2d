"""All of deduplication in one process, with the same functions that the pipeline runs in a cluster."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpusmill.dedup.group import (
    LARGEST_COMPONENT,
    assignments,
    band_blobs,
    components,
    member_blobs,
    partitions_for,
    spanning_edges,
)
from corpusmill.dedup.settings import DedupSettings
from corpusmill.dedup.verify import twins_table, verify_task

DOCUMENTS_PER_TASK = 20_000  # with 500 shingles each: 40 MB


def find_twins(
    sketches: Sequence[pa.Table],
    kept: Sequence[npt.NDArray[np.bool_]],
    settings: DedupSettings,
    guests: Sequence[tuple[int, pa.Table]] = (),
    largest_component: int = LARGEST_COMPONENT,
) -> list[pa.Table]:
    """The duplicates among the kept documents of all parts: one `schema.TWINS` table per part, in their order.

    sketches: one `schema.SKETCHES` table per part; kept: for each part, one value per row: whether it takes part.
    guests: for each part of other corpora, the index of its corpus in `settings.against`, and the sketches of its
    documents.  largest_component: a component with more documents is divided (`group.member_blobs`).
    """
    n = len(sketches)
    tables = [*sketches, *(table for _, table in guests)]
    taking_part = [*kept, *(np.ones(len(table), np.bool_) for _, table in guests)]
    partitions = partitions_for(sum(map(len, tables)), settings.bands)
    blobs = [band_blobs(table, taking_part[part], part, partitions) for part, table in enumerate(tables)]
    edges = [spanning_edges(received) for received in zip(*blobs, strict=True)]
    tasks: dict[int, list[tuple[int, bytes]]] = defaultdict(list)
    for host, members in assignments(
        components(edges), min(DOCUMENTS_PER_TASK, largest_component), n, largest_component
    ):
        hosted = {part: tables[part] for part in range(len(tables)) if part % n == host}
        for task, _, blob in member_blobs(hosted, members):
            tasks[task].append((host, blob))
    records: list[list[bytes]] = [[] for _ in sketches]
    for received in tasks.values():
        for part, found in verify_task(received, settings, n, [corpus for corpus, _ in guests]):
            records[part].append(found)
    return [twins_table(found, settings) for found in records]
