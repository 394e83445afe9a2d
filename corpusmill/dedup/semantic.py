"""Documents with similar embeddings, verified like near-duplicates: one is dropped only for a kept document.

Documents are visited from the longest to the shortest.  One is dropped if the cosine with a document that was kept
before reaches the threshold, so there are no chains.  All pairs are compared, by products of matrices.  The cosine of a
pair near the threshold or above is computed once more with 64 bits and rounded to 9 digits, so that it does not depend
on how a library multiplies matrices.

Cost on one core: 4 s for 20,000 vectors of 384 numbers, and 4 times as much for twice as many.
"""

import io
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpusmill import schema
from corpusmill.errors import InputError
from corpusmill.reasons import Duplicate

DOCUMENT = np.dtype([("doc_id", "S24"), ("n_chars", "<i8")])
GONE = np.dtype([("doc_id", "S24"), ("twin_doc_id", "S24"), ("value", "<f8")])
MOST_DOCUMENTS = 200_000
BLOCK = 512  # documents that are compared with all kept ones together
SLACK = 1e-4  # more than what 32 bits lose
DIGITS = 9

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]


def read_embeddings(content: bytes, where: str) -> tuple[npt.NDArray[np.bytes_], F32]:
    """doc_ids (n), ascending, and their vectors (n, dimension), of length 1.  InputError if the file is not so.

    A vector of zeros has no direction, so it is left out.
    """
    try:
        table = pq.read_table(io.BytesIO(content), columns=["doc_id", "vector"])
        doc_ids = table["doc_id"].cast(pa.string())
        vector = table["vector"].cast(pa.list_(pa.float64()))
        lengths = pc.unique(pc.list_value_length(vector)).to_pylist()
        values = pc.list_flatten(vector).to_numpy()
    except (pa.ArrowException, OSError, NotImplementedError) as error:
        said = str(error).splitlines()[0]
        raise InputError(f"{where} is no Parquet file with the columns doc_id and vector: {said}") from None
    if doc_ids.null_count or pc.count_distinct(doc_ids).as_py() < len(doc_ids):
        raise InputError(f"{where}: a doc_id is missing, or there twice")
    if not len(table):
        return np.zeros(0, "S24"), np.zeros((0, 1), np.float32)
    if len(lengths) != 1 or not lengths[0] or len(values) != len(table) * lengths[0]:
        raise InputError(f"{where}: all vectors must have the same dimension, and no value may be missing")
    vectors = values.reshape(len(table), -1)
    if not np.isfinite(vectors).all():
        raise InputError(f"{where}: a vector has values that are not finite")
    norms = np.sqrt(np.square(vectors).sum(axis=1, keepdims=True))
    has_one, ids = norms[:, 0] > 0, np.array(doc_ids.to_pylist(), np.bytes_)
    order = np.flatnonzero(has_one)[np.argsort(ids[has_one])]
    return ids[order], (vectors[order] / norms[order]).astype(np.float32)


def semantic_twins(vectors: F32, threshold: float) -> tuple[I64, F64]:
    """For each document (n, in the order of visits): the kept document that it is a duplicate of or -1, the cosine."""
    n = len(vectors)
    twin, cosine = np.full(n, -1), np.zeros(n)
    kept = np.zeros(0, np.int64)
    for start in range(0, n, BLOCK):
        block = vectors[start : start + BLOCK]
        near = [*np.argwhere(block @ vectors[kept].T >= threshold - SLACK)] if len(kept) else []
        candidates: dict[int, list[int]] = {}
        for row, place in near:
            candidates.setdefault(int(row), []).append(int(kept[place]))
        for row, other in np.argwhere(np.tril(block @ block.T, -1) >= threshold - SLACK):
            candidates.setdefault(int(row), []).append(start + int(other))
        for row, others in sorted(candidates.items()):
            places = np.array([other for other in others if twin[other] < 0], np.int64)
            values = _cosines(vectors[places], block[row])
            if len(values) and values.max() >= threshold:
                best = int(np.argmax(values))  # of equals the first
                twin[start + row], cosine[start + row] = places[best], values[best]
        kept = np.flatnonzero(twin[: start + len(block)] < 0)
    return twin, cosine


def _cosines(vectors: F32, one: F32) -> F64:
    exact = vectors.astype(np.float64)
    norms = np.sqrt(np.square(exact).sum(axis=1) * np.square(one.astype(np.float64)).sum())
    found: F64 = np.round((exact * one.astype(np.float64)).sum(axis=1) / norms, DIGITS)
    return found


def semantic_duplicates(
    blobs: Sequence[tuple[int, bytes]], embeddings: tuple[npt.NDArray[np.bytes_], F32], threshold: float, where: str
) -> Iterator[tuple[int, bytes]]:
    """The DOCUMENTs of all parts -> to each part, those that go (GONE).

    InputError if there are too many with an embedding, or none.
    """
    found = [np.frombuffer(content, DOCUMENT) for _, content in blobs]
    documents = np.concatenate([np.zeros(0, DOCUMENT), *found])
    parts = np.repeat([number for number, _ in blobs], [len(each) for each in found]).astype(np.int64)
    ids, vectors = embeddings
    places = np.searchsorted(ids, documents["doc_id"])
    has_one = ids[np.minimum(places, max(len(ids) - 1, 0))] == documents["doc_id"] if len(ids) else places < 0
    if len(documents) and not has_one.any():
        raise InputError(f"{where} has a vector for none of the documents; take its doc_ids from the table docs")
    if has_one.sum() > MOST_DOCUMENTS:
        raise InputError(
            f"{where} has vectors for {has_one.sum():,} documents; all pairs are compared, so {MOST_DOCUMENTS:,} are "
            "the most that is possible"
        )
    documents, parts, places = documents[has_one], parts[has_one], places[has_one]
    order = np.lexsort((documents["doc_id"], -documents["n_chars"]))
    documents, parts = documents[order], parts[order]
    twin, cosine = semantic_twins(vectors[places[order]], threshold)
    gone = np.zeros(len(documents), GONE)
    gone["doc_id"], gone["twin_doc_id"], gone["value"] = documents["doc_id"], documents["doc_id"][twin], cosine
    for number in np.unique(parts[twin >= 0]):
        yield int(number), gone[(twin >= 0) & (parts == number)].tobytes()


def semantic_table(found: Sequence[bytes], threshold: float) -> pa.Table:
    """The documents of a part that go, as `schema.SEMANTIC`, by doc_id."""
    records = np.concatenate([np.zeros(0, GONE), *(np.frombuffer(content, GONE) for content in found)])
    records = records[np.argsort(records["doc_id"], kind="stable")]
    return schema.SEMANTIC.filled(
        {
            "doc_id": records["doc_id"].astype(str),
            "rule": [Duplicate.SEMANTIC.value] * len(records),
            "twin_doc_id": records["twin_doc_id"].astype(str),
            "value": np.ascontiguousarray(records["value"]),
            "threshold": np.full(len(records), threshold),
        }
    )
