"""The whole of deduplication in one process, from the functions that the pipeline runs in a cluster."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpusmill.dedup.group import band_blobs, components, partitions_for, spanning_edges, tasks
from corpusmill.dedup.verify import twins_table, verify_task
from corpusmill.recipe import DedupSettings

DOCUMENTS_PER_TASK = 20_000  # of 500 shingles each, 40 MB


def find_twins(
    sketches: Sequence[pa.Table], kept: Sequence[npt.NDArray[np.bool_]], settings: DedupSettings
) -> list[pa.Table]:
    """The duplicates among the kept documents of all parts: one `schema.TWINS` table a part, in the parts' order.

    sketches: one `schema.SKETCHES` table a part; kept: which of its rows take part, one value a row.
    """
    partitions = partitions_for(sum(map(len, sketches)), settings.bands)
    blobs = [band_blobs(table, kept[part], part, partitions) for part, table in enumerate(sketches)]
    edges = [spanning_edges(received, len(sketches)) for received in zip(*blobs, strict=True)]
    records: list[list[bytes]] = [[] for _ in sketches]
    for task in tasks(components(edges), DOCUMENTS_PER_TASK):
        for part, found in verify_task(task, lambda part, rows: sketches[part].take(pa.array(rows)), settings):
            records[part].append(found)
    return [twins_table(found, settings) for found in records]
