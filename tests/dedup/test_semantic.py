"""Embeddings: every pair in plain Python, the order of visits, and files that cannot be used."""

import io
import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.dedup import semantic
from corpusmill.dedup.semantic import DOCUMENT, read_embeddings, semantic_duplicates, semantic_table, semantic_twins
from corpusmill.errors import InputError

VECTOR = st.tuples(*[st.integers(-2, 2)] * 3).filter(any)


def parquet(doc_ids, vectors, names=("doc_id", "vector")):
    sink = io.BytesIO()
    pq.write_table(pa.table(dict(zip(names, (doc_ids, vectors), strict=True))), sink)
    return sink.getvalue()


def hexadecimal(number):
    return f"{number:024x}"


def cosine(x, y):
    return sum(a * b for a, b in zip(x, y, strict=True)) / math.sqrt(sum(a * a for a in x) * sum(b * b for b in y))


def plainly(vectors, threshold):
    """(twin or None, cosine) of each, in the order of visits."""
    kept, found = [], []
    for number, vector in enumerate(vectors):
        near = [(round(cosine(vector, vectors[other]), 6), -other) for other in kept]
        best = max(near, default=(-1, 0))
        found.append((-best[1], best[0]) if best[0] >= threshold else None)
        if found[-1] is None:
            kept.append(number)
    return found


@settings(max_examples=100, deadline=None)
@given(st.lists(VECTOR, max_size=30), st.sampled_from([0.3, 0.65, 0.93, 1.0]), st.integers(1, 7))
def test_a_document_goes_only_for_a_kept_one(vectors, threshold, block):
    expected = plainly(vectors, threshold)
    unit = np.array(vectors, np.float64).reshape(-1, 3)
    unit = (unit / np.linalg.norm(unit, axis=1, keepdims=True)).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(semantic, "BLOCK", block)
        twin, value = semantic_twins(unit, threshold - 1e-7)  # vectors have 32 bits
    assert [None if t < 0 else t for t in twin.tolist()] == [each and each[0] for each in expected]
    for each, got in zip(expected, value.tolist(), strict=True):
        assert each is None or got == pytest.approx(each[1], abs=1e-5)


def test_longest_first_then_by_doc_id_in_any_order_of_parts():
    documents = np.array(
        [(hexadecimal(n).encode(), length) for n, length in ((5, 10), (1, 10), (2, 30), (9, 99))], DOCUMENT
    )
    ids, vectors = read_embeddings(parquet([hexadecimal(n) for n in (5, 1, 2)], [[1.0, 0], [1.0, 0], [0, 2.0]]), "here")
    for parts in ([(0, documents[:2]), (1, documents[2:])], [(1, documents[2:]), (0, documents[:2])]):
        blobs = [(number, each.tobytes()) for number, each in parts]
        ((part, gone),) = semantic_duplicates(blobs, (ids, vectors), 0.9, "here")
        (row,) = semantic_table([gone], 0.9).to_pylist()
        assert (part, row["doc_id"], row["twin_doc_id"]) == (0, hexadecimal(5), hexadecimal(1))
        assert (row["rule"], row["value"], row["threshold"]) == ("semantic_duplicate", 1.0, 0.9)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"no parquet", "no Parquet file with the columns"),
        (parquet(["a"], [[1.0]], ("id", "vector")), "no Parquet file with the columns doc_id and vector"),
        (parquet(["a"], [1.0]), "no Parquet file with the columns doc_id and vector"),
        (parquet(["a", "a"], [[1.0], [2.0]]), "there twice"),
        (parquet([None], [[1.0]]), "a doc_id is missing"),
        (parquet(["a", "b"], [[1.0], [2.0, 1.0]]), "the same dimension"),
        (parquet(["a"], [[]]), "the same dimension"),
        (parquet(["a"], [None]), "the same dimension"),
        (parquet(["a"], [[float("nan")]]), "not finite"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_sentence(content, says):
    with pytest.raises(InputError, match=says) as caught:
        read_embeddings(content, "recipe: dedup.semantic.embeddings: x.parquet")
    assert "\n" not in str(caught.value)


def test_an_empty_file_and_too_many_documents(monkeypatch):
    ids, vectors = read_embeddings(parquet(pa.array([], pa.string()), pa.array([], pa.list_(pa.float32()))), "x")
    assert (len(ids), len(vectors)) == (0, 0)
    some, _ = read_embeddings(parquet(["b", "a", "c"], [[1.0, 0], [2.0, 0.0], [0.0, 0.0]]), "x")
    assert some.tolist() == [b"a", b"b"]
    assert list(semantic_duplicates([(0, b"")], (ids, vectors), 0.9, "x")) == []
    monkeypatch.setattr(semantic, "MOST_DOCUMENTS", 1)
    documents = np.array([(b"a", 1), (b"b", 1)], DOCUMENT)
    with pytest.raises(InputError, match="1 are the most"):
        list(
            semantic_duplicates(
                [(0, documents.tobytes())], read_embeddings(parquet(["a", "b"], [[1.0], [1.0]]), "x"), 0.9, "x"
            )
        )
