"""Grouping: find which documents share a band, over the whole corpus, through two shuffles.

In the shuffle a document is the 64-bit number `part << 32 | row`.  Every part sends one blob to every partition.  A
blob holds sorted records (hash, document): one for each band, and one for the content hash, which finds exact
duplicates in the same way.  A partition is a range of hashes, so one sort both orders and divides the records.

A partition turns runs of equal hashes into edges.  Union-find then reduces them to a spanning forest, which has fewer
edges than documents.  The forests of all partitions are joined into the connected components of the whole candidate
graph.

A component only says which documents must be verified together (`corpusmill.dedup.verify`).  Components are packed into
tasks.  Every part receives the list of its rows in each task, and sends their sketches to the tasks.  So a part is read
once, for any number of tasks.

The result does not depend on the number of partitions or on the order in which blobs and edges arrive.

Cost on one core: 0.14-0.4 s for a partition of 32 MB (2.1 million records), mostly for sorting; 0.3 s to make its
blobs.
"""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpusmill.kernels import kernel

U64 = npt.NDArray[np.uint64]

RECORD = np.dtype([("hash", "<u8"), ("document", "<u8")])
# component: its number in the corpus; task: the first of its tasks; pieces: number of these tasks; senders: number of
# hosts with members in them
MEMBER = np.dtype([(name, "<u4") for name in ("part", "row", "component", "task", "pieces", "senders")])
LARGEST_COMPONENT = 500_000  # documents that one task verifies; with 500 shingles each, 2 GB
PARTITION_BYTES = 32_000_000  # received by one partition in all its blobs


def partitions_for(n_documents: int, bands: int) -> int:
    """How many partitions the shuffle needs, so that none receives more than about PARTITION_BYTES."""
    return max(1, -(-n_documents * (bands + 1) * RECORD.itemsize // PARTITION_BYTES))


def band_blobs(sketches: pa.Table, kept: npt.NDArray[np.bool_], part_index: int, partitions: int) -> list[bytes]:
    """The records of one part's kept documents, as one blob per partition, in the order of partitions.

    kept: one value per row.  Only content_hash and bands of `sketches` are read.
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
    """Content hashes as one more band, changed so that they differ from an equal hash of a band."""
    return (content_hashes ^ np.uint64(0x5851F42D4C957F2D)) * np.uint64(0x9E3779B97F4A7C15)


def spanning_edges(blobs: Sequence[bytes]) -> bytes:
    """One partition's blobs, in any order -> edges, pairs of uint64: (smallest document of a component, another)."""
    records = np.concatenate([np.frombuffer(blob, RECORD) for blob in blobs] or [np.empty(0, RECORD)])
    # merges the blobs, which are sorted already: twice as fast as sorting
    order = np.argsort(records["hash"], kind="stable")
    hashes, documents = records["hash"][order], records["document"][order]
    same = np.flatnonzero(hashes[1:] == hashes[:-1])
    found = _components(np.stack([documents[same], documents[same + 1]], axis=1))
    edges: bytes = found[found[:, 0] != found[:, 1]].tobytes()
    return edges


def components(edges: Sequence[bytes]) -> U64:
    """The edges of all partitions, in any order -> (m, 2) rows (component, document), sorted.

    A component has the number of its smallest document.  Documents without an edge belong to no component.
    """
    return _components(np.frombuffer(b"".join(edges), np.uint64).reshape(-1, 2))


def _components(edges: U64) -> U64:
    documents, dense = np.unique(edges, return_inverse=True)
    root = documents[_roots(dense.reshape(-1, 2), len(documents))]
    order = np.lexsort((documents, root))
    return np.stack([root[order], documents[order]], axis=1)


@kernel
def _roots(edges: npt.NDArray[np.int64], n: int) -> npt.NDArray[np.int64]:
    """Union-find over n nodes -> the smallest node of each node's component."""
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
        parent[i] = parent[parent[i]]  # parents come first, and already point to their root
    return parent


def assignments(
    grouped: U64, documents_per_task: int, n_parts: int, largest: int = LARGEST_COMPONENT
) -> list[tuple[int, bytes]]:
    """Pack whole components (rows of `components`) into tasks: for each host, (host, its MEMBERs by part and row).

    A task holds at most `documents_per_task` documents, unless it is one component that is larger.  A component with
    more than `largest` documents gets several tasks (`member_blobs`).  Parts from `n_parts` on are guests from other
    corpora: the host of part p is p modulo n_parts.  A component of guests only is left out.
    """
    is_start = np.diff(grouped[:, 0], prepend=grouped[:1, 0] + np.uint64(1)) != 0
    is_own = grouped[:, 1] >> np.uint64(32) < n_parts
    if not is_own.all():
        of_component = np.cumsum(is_start) - 1
        grouped = grouped[np.isin(of_component, of_component[is_own])]
        is_start = np.diff(grouped[:, 0], prepend=grouped[:1, 0] + np.uint64(1)) != 0
    bounds, begin = [], 0
    for start, end in itertools.pairwise([*np.flatnonzero(is_start).tolist(), len(grouped)]):
        if end - begin > documents_per_task and start > begin:
            bounds.append(start)
            begin = start
    members = np.empty(len(grouped), MEMBER)
    bundle = np.zeros(len(grouped), np.int64)  # of components, for one task or, if it is one large one, several
    bundle[bounds] = 1
    bundle, members["component"] = np.cumsum(bundle), np.cumsum(is_start) - 1
    sizes = np.bincount(bundle)
    pieces = np.where(sizes > max(largest, documents_per_task), -(-sizes // max(largest, 1)), 1)
    members["task"], members["pieces"] = (np.cumsum(pieces) - pieces)[bundle], pieces[bundle]
    members["row"] = grouped[:, 1] & np.uint64(0xFFFFFFFF)
    members["part"] = grouped[:, 1] >> np.uint64(32)
    host = members["part"].astype(np.int64) % n_parts
    pairs = np.unique(np.stack([members["task"], host], axis=1), axis=0)
    senders = np.bincount(pairs[:, 0]) if len(pairs) else np.zeros(1, np.int64)
    members["senders"] = senders[members["task"]]
    order = np.lexsort((members["row"], members["part"], host))
    members, host = members[order], host[order]
    hosts, first = np.unique(host, return_index=True)
    of_hosts = np.split(members, first[1:])
    return [(int(each), of_host.tobytes()) for each, of_host in zip(hosts, of_hosts, strict=False)]


def member_blobs(sketches: Mapping[int, pa.Table], members: bytes) -> list[tuple[int, int, bytes]]:
    """(task, number of hosts that send to it, blob) for the members of one host.  sketches: by number of the part.

    A blob holds their sketches, documents and components as an Arrow stream.  If several members have the same text,
    only the first has its shingles in the blob.

    A component that is too large for one task is divided by the smallest shingle hash of each document.  A pair with
    similarity J has the same one with probability J.  So most similar documents stay together.  A host sends a blob to
    each of the tasks, even an empty one.
    """
    found = np.frombuffer(members, MEMBER)
    starts = dict(zip(sketches, np.cumsum([0, *(len(table) for table in sketches.values())]).tolist(), strict=False))
    whole = pa.concat_tables(sketches.values())
    blobs = []
    for task in np.unique(found["task"]):
        chosen = found[found["task"] == task]
        rows = chosen["row"].astype(np.int64)
        table = whole.take(pa.array(rows + np.array([starts[part] for part in chosen["part"].tolist()])))
        keys = np.stack([table["content_hash"].to_numpy(), table["n_chars"].to_numpy().astype(np.uint64)], axis=1)
        _, first = np.unique(keys, axis=0, return_index=True)
        is_first = np.zeros(len(rows), np.bool_)
        is_first[first] = True
        shingles, pieces = table["shingles"].combine_chunks(), int(chosen["pieces"][0])
        piece = _smallest(shingles) * np.uint64(pieces) >> np.uint64(32)
        nothing = pa.scalar([], shingles.type)
        table = table.set_column(
            table.column_names.index("shingles"), "shingles", pc.if_else(pa.array(is_first), shingles, nothing)
        )
        document = chosen["part"].astype(np.uint64) << np.uint64(32) | chosen["row"].astype(np.uint64)
        component = np.ascontiguousarray(chosen["component"])
        is_divided = np.full(len(rows), pieces > 1)
        for name, values in (("document", document), ("component", component), ("is_divided", is_divided)):
            table = table.append_column(name, pa.array(values))
        blobs += [
            (int(task) + number, int(chosen["senders"][0]), _stream(table.filter(pa.array(piece == number))))
            for number in range(pieces)
        ]
    return blobs


def _smallest(shingles: pa.ListArray) -> U64:
    """The smallest hash of each sorted set; 0 for an empty one."""
    ends, hashes = np.cumsum(pc.list_value_length(shingles).to_numpy()), shingles.flatten().to_numpy()
    starts = np.concatenate([[0], ends[:-1]]).astype(np.int64)
    smallest = np.zeros(len(shingles), np.uint64)
    smallest[starts < ends] = hashes[starts[starts < ends]]
    return smallest


def _stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table.combine_chunks())
    content: bytes = sink.getvalue().to_pybytes()
    return content
