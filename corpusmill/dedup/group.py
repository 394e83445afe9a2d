"""Grouping: which documents share a band, over the whole corpus, through two shuffles.

In the shuffle a document is the 64-bit number `part << 32 | row`.  Every part sends one blob to every partition:
sorted records (hash, document), one for each band and one for the content hash, so that exact duplicates are found by
the same grouping; a partition is a range of hashes, so one sort orders and divides them.  A partition turns runs of
equal hashes into edges and these, by union-find, into a spanning forest of fewer edges than documents; the forests of
all partitions are joined into the connected components of the whole candidate graph.

A component only says which documents must be verified together (`corpusmill.dedup.verify`).  Components are packed
into tasks, every part is told which of its rows are members of which, and sends their sketches there: a part is read
once, however many tasks there are.

The result does not depend on the number of partitions or on the order in which blobs and edges arrive.

Cost, one core: 0.14-0.4 s for a partition of 32 MB (2.1 million records), most of it sorting; 0.3 s to make its blobs.
"""

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpusmill.kernels import kernel

U64 = npt.NDArray[np.uint64]

RECORD = np.dtype([("hash", "<u8"), ("document", "<u8")])
MEMBER = np.dtype([("row", "<u4"), ("task", "<u4"), ("senders", "<u4")])  # senders: parts with members in the task
PARTITION_BYTES = 32_000_000  # what one partition receives, all its blobs together


def partitions_for(n_documents: int, bands: int) -> int:
    """How many partitions the shuffle needs, so that none receives more than about PARTITION_BYTES."""
    return max(1, -(-n_documents * (bands + 1) * RECORD.itemsize // PARTITION_BYTES))


def band_blobs(sketches: pa.Table, kept: npt.NDArray[np.bool_], part_index: int, partitions: int) -> list[bytes]:
    """The records of one part's kept documents (kept: one value a row), as one blob a partition, in their order.

    Of `sketches` only content_hash and bands are read.
    """
    bands = sketches["bands"].combine_chunks()
    content = sketches["content_hash"].to_numpy()
    has_text = np.flatnonzero(content)
    rows = np.concatenate([has_text, pc.list_parent_indices(bands).to_numpy()])
    hashes = np.concatenate([_mixed(content[has_text]), bands.flatten().to_numpy()])
    chosen = kept[rows]
    hashes, rows = hashes[chosen], rows[chosen].astype(np.uint64)
    order = np.argsort(hashes, kind="stable")
    records = np.empty(len(order), RECORD)
    records["hash"], records["document"] = hashes[order], np.uint64(part_index) << np.uint64(32) | rows[order]
    bounds = np.array([(partition << 64) // partitions for partition in range(1, partitions)], np.uint64)
    return [blob.tobytes() for blob in np.split(records, np.searchsorted(records["hash"], bounds))]


def _mixed(content_hashes: U64) -> U64:
    """Content hashes as one more band: told apart from the same number as a band's hash."""
    return (content_hashes ^ np.uint64(0x5851F42D4C957F2D)) * np.uint64(0x9E3779B97F4A7C15)


def spanning_edges(blobs: Sequence[bytes]) -> bytes:
    """One partition's blobs, in any order -> edges, pairs of uint64: (least document of a component, another of it)."""
    records = np.concatenate([np.frombuffer(blob, RECORD) for blob in blobs] or [np.empty(0, RECORD)])
    order = np.argsort(records["hash"], kind="stable")  # merges the blobs, which are sorted: twice as fast as sorting
    hashes, documents = records["hash"][order], records["document"][order]
    same = np.flatnonzero(hashes[1:] == hashes[:-1])
    found = _components(np.stack([documents[same], documents[same + 1]], axis=1))
    edges: bytes = found[found[:, 0] != found[:, 1]].tobytes()
    return edges


def components(edges: Sequence[bytes]) -> U64:
    """The edges of all partitions, in any order -> (m, 2) rows (component, document), sorted.

    A component is named by its least document; documents without an edge are in none.
    """
    return _components(np.frombuffer(b"".join(edges), np.uint64).reshape(-1, 2))


def _components(edges: U64) -> U64:
    documents, dense = np.unique(edges, return_inverse=True)
    root = documents[_roots(dense.reshape(-1, 2), len(documents))]
    order = np.lexsort((documents, root))
    return np.stack([root[order], documents[order]], axis=1)


@kernel
def _roots(edges: npt.NDArray[np.int64], n: int) -> npt.NDArray[np.int64]:
    """Union-find over n nodes -> the least node of each node's component."""
    parent = np.arange(n)
    for e in range(len(edges)):
        x, y = edges[e, 0], edges[e, 1]
        while parent[x] != x:
            parent[x] = parent[parent[x]]
            x = parent[x]
        while parent[y] != y:
            parent[y] = parent[parent[y]]
            y = parent[y]
        parent[max(x, y)] = min(x, y)
    for i in range(n):
        parent[i] = parent[parent[i]]  # parents come first and point at their root already
    return parent


def assignments(grouped: U64, documents_per_task: int) -> list[tuple[int, bytes]]:
    """Whole components (the rows of `components`) packed into tasks: (part, MEMBERs sorted by row) of every part.

    A task holds at most `documents_per_task` documents, unless it is one component that is larger.
    """
    starts = np.flatnonzero(np.diff(grouped[:, 0], prepend=grouped[:1, 0] + np.uint64(1))).tolist()
    bounds, begin = [], 0
    for start, end in itertools.pairwise([*starts, len(grouped)]):
        if end - begin > documents_per_task and start > begin:
            bounds.append(start)
            begin = start
    members = np.empty(len(grouped), MEMBER)
    task = np.zeros(len(grouped), np.uint32)
    task[bounds] = 1
    members["task"] = np.cumsum(task)
    members["row"] = grouped[:, 1] & np.uint64(0xFFFFFFFF)
    part = (grouped[:, 1] >> np.uint64(32)).astype(np.int64)
    pairs = np.unique(np.stack([members["task"], part], axis=1), axis=0)
    senders = np.bincount(pairs[:, 0]) if len(pairs) else np.zeros(1, np.int64)
    members["senders"] = senders[members["task"]]
    order = np.lexsort((members["row"], part))
    members, part = members[order], part[order]
    parts, first = np.unique(part, return_index=True)
    pieces = np.split(members, first[1:])
    return [(int(each), piece.tobytes()) for each, piece in zip(parts, pieces, strict=False)]


def member_blobs(sketches: pa.Table, members: bytes) -> list[tuple[int, int, bytes]]:
    """(task, parts that send something to it, blob) for the members of one part.

    A blob holds their sketches and rows as an Arrow stream.  Of texts that occur several times, the first brings its
    shingles along.
    """
    found = np.frombuffer(members, MEMBER)
    blobs = []
    for task in np.unique(found["task"]):
        chosen = found[found["task"] == task]
        rows = chosen["row"].astype(np.int64)
        table = sketches.take(pa.array(rows))
        keys = np.stack([table["content_hash"].to_numpy(), table["n_chars"].to_numpy().astype(np.uint64)], axis=1)
        _, first = np.unique(keys, axis=0, return_index=True)
        is_first = np.zeros(len(rows), np.bool_)
        is_first[first] = True
        shingles = table["shingles"].combine_chunks()
        nothing = pa.scalar([], shingles.type)
        table = table.set_column(
            table.column_names.index("shingles"), "shingles", pc.if_else(pa.array(is_first), shingles, nothing)
        )
        table = table.append_column("row", pa.array(rows))
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table.combine_chunks())
        blobs.append((int(task), int(chosen["senders"][0]), sink.getvalue().to_pybytes()))
    return blobs
