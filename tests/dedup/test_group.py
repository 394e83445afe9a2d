import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.dedup.group import (
    MEMBER,
    PARTITION_BYTES,
    RECORD,
    assignments,
    band_blobs,
    components,
    partitions_for,
    spanning_edges,
)

DOCUMENTS = st.integers(0, 30).map(lambda n: (n % 3) << 32 | n)
EDGES = st.lists(st.tuples(DOCUMENTS, DOCUMENTS).filter(lambda edge: edge[0] != edge[1]), max_size=30)


def connected(edges):
    """{document: least document of its component}, by relabelling until nothing changes."""
    least = {document: document for edge in edges for document in edge}
    changed = True
    while changed:
        changed = False
        for x, y in edges:
            low = min(least[x], least[y])
            changed |= least[x] != low or least[y] != low
            least[x] = least[y] = low
    return least


@settings(deadline=None)  # kernels may be compiled
@given(EDGES, st.integers(1, 4))
def test_components_are_those_of_the_graph(edges, partitions):
    blobs = [np.array(edges[p::partitions], np.uint64).tobytes() for p in range(partitions)]
    expected = sorted((least, document) for document, least in connected(edges).items())
    assert components(blobs).tolist() == [list(row) for row in expected]


@settings(deadline=None)  # kernels may be compiled
@given(st.lists(st.tuples(st.integers(0, 8), DOCUMENTS), max_size=60), st.integers(1, 5))
def test_a_partition_answers_with_a_spanning_forest(pairs, parts):
    blobs = [np.array(sorted(pairs[p::parts]), RECORD).tobytes() for p in range(parts)]
    edges = np.frombuffer(spanning_edges(blobs), np.uint64).reshape(-1, 2).tolist()
    same_hash = [(x, y) for a, x in pairs for b, y in pairs if a == b and x != y]
    assert connected(edges) == connected(same_hash)
    assert len(edges) <= max(0, len(connected(same_hash)) - 1)


@settings(deadline=None)  # kernels may be compiled
@given(EDGES, st.integers(1, 12), st.integers(1, 8))
def test_tasks_hold_whole_components(edges, documents_per_task, n_parts):
    found = components([np.array(edges, np.uint64).tobytes()])
    where, senders, component = {}, {}, {}
    for host, letter in assignments(found, documents_per_task, n_parts):
        members = np.frombuffer(letter, MEMBER)
        assert members[["part", "row"]].tolist() == sorted(members[["part", "row"]].tolist())
        assert {part % n_parts for part in members["part"].tolist()} == {host}
        for part, row, number, task, pieces, n in members.tolist():
            assert pieces == 1
            where[part << 32 | row], component[part << 32 | row] = task, number
            senders.setdefault(task, set()).add(n)
    least = connected(edges)
    with_own = {root for document, root in least.items() if document >> 32 < n_parts}
    least = {document: root for document, root in least.items() if root in with_own}
    assert sorted(where) == sorted(least)
    assert all(where[document] == where[root] for document, root in least.items())
    assert len({*component.items()}) == len(least)
    assert len({(component[document], root) for document, root in least.items()}) == len({*least.values()})
    for task in set(where.values()):
        documents = [document for document, other in where.items() if other == task]
        assert len(documents) <= documents_per_task or len({least[document] for document in documents}) == 1
        assert senders[task] == {len({(document >> 32) % n_parts for document in documents})}


def test_every_partition_gets_one_blob_of_its_range_and_nothing_is_lost():
    rng = np.random.default_rng(3)
    bands = [rng.integers(0, 2**64, 14, np.uint64).tolist() if row % 5 else [] for row in range(200)]
    content = rng.integers(1, 2**64, 200, np.uint64)
    content[::10] = 0
    table = pa.table({"content_hash": content, "bands": pa.array(bands, pa.list_(pa.uint64()))})
    kept = rng.random(200) < 0.5
    blobs = [np.frombuffer(blob, RECORD) for blob in band_blobs(table, kept, 3, 9)]
    assert len(blobs) == 9
    together = np.concatenate(blobs)
    assert (np.diff(together["hash"].astype(object)) >= 0).all()
    rows, counts = np.unique(together["document"], return_counts=True)
    expected = {3 << 32 | row: len(bands[row]) + (content[row] > 0) for row in np.flatnonzero(kept).tolist()}
    assert dict(zip(rows.tolist(), counts.tolist(), strict=True)) == {d: n for d, n in expected.items() if n}
    assert band_blobs(table[:0], kept[:0], 0, 4) == [b""] * 4


def test_a_partitions_group_stays_within_its_limit():
    assert partitions_for(0, 14) == 1
    for n_documents in (1, 10_000, 140_000, 10**9):
        records = n_documents * 15 * RECORD.itemsize
        assert records / partitions_for(n_documents, 14) <= PARTITION_BYTES
