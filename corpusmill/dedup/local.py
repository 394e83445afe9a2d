"""The whole of deduplication in one process, from the functions that the pipeline runs in a cluster."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpusmill.dedup.group import assignments, band_blobs, components, member_blobs, partitions_for, spanning_edges
from corpusmill.dedup.settings import DedupSettings
from corpusmill.dedup.verify import twins_table, verify_task

DOCUMENTS_PER_TASK = 20_000  # of 500 shingles each, 40 MB


def find_twins(
    sketches: Sequence[pa.Table], kept: Sequence[npt.NDArray[np.bool_]], settings: DedupSettings
) -> list[pa.Table]:
    """The duplicates among the kept documents of all parts: one `schema.TWINS` table for each part, in their order.

    sketches: one `schema.SKETCHES` table for each part; kept: which of its rows take part, one value for each row.
    """
    partitions = partitions_for(sum(map(len, sketches)), settings.bands)
    blobs = [band_blobs(table, kept[part], part, partitions) for part, table in enumerate(sketches)]
    edges = [spanning_edges(received) for received in zip(*blobs, strict=True)]
    tasks: dict[int, list[tuple[int, bytes]]] = defaultdict(list)
    for part, members in assignments(components(edges), DOCUMENTS_PER_TASK):
        for task, _, blob in member_blobs(sketches[part], members):
            tasks[task].append((part, blob))
    records: list[list[bytes]] = [[] for _ in sketches]
    for received in tasks.values():
        for part, found in verify_task(received, settings):
            records[part].append(found)
    return [twins_table(found, settings) for found in records]
