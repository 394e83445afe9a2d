"""Verification: which of the documents that share a band are duplicates, and of which kept document.

Documents are visited best first: the longest text, then the smallest doc_id.  Each is compared with the documents that
were *kept* before it and share a band with it.  If the true Jaccard similarity of the shingle sets reaches the
threshold with any of them, the document is dropped.  Its twin is the one that is most similar to it; if several are
equal, the one visited first.

Documents of other corpora come first.  They are kept, and not compared with each other.

So every dropped document has a kept twin with a similarity of at least the threshold.  There are no chains from twin to
twin, and the result is a function of the documents only.

Every document of a component is on record with its group: the smallest doc_id of the component.  A component joins
documents that share a band, directly or through others.  So documents of different groups share no band.

Documents with the same text (content hash and length) are visited together, at the turn of the smallest doc_id.  If
that one is kept, the others are its exact duplicates.  If it is dropped, the others are dropped with it, as near
duplicates of its twin.

Cost on one core, for 5,000 documents of 500 words:

    documents in groups of five                        0.06 s
    copies with small edits                            0.1 s: each is compared with one kept document
    exact copies                                       0.02 s: they are one text
    pages of one template, J = 0.7                     3-5 s: up to 12.5 million pairs
    the same, with the cap on comparisons              2 s; 3-7 s for 10,000 pages

To take the first twin that reaches the threshold, instead of the best, saves no measurable time.  Two things bound the
cost of bad inputs:

- A bitmap of a document's shingle hashes gives an upper bound of the similarity with each candidate in 0.23 us.  Only
  candidates that may reach the threshold, or the best similarity so far, are compared exactly, in 1.3 us.
- The number of comparisons has a cap.  A band's bucket lists its best CANDIDATES kept documents.  A document is
  compared with at most CANDIDATES of them: those that share most bands with it.  Documents for which the cap left
  something out are on record (`limited`), dropped or kept.
- A component of more than 500,000 documents is divided (`group.member_blobs`).  Documents of different pieces are not
  compared, and have different groups.  All documents of such a component are on record as limited.

Memory: 1.3 kB for each document of a task.  The shingles of the distinct texts are in an unlinked temporary file that
    is mapped into memory, so the system can page out those of a very large component.
"""

import mmap
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpusmill import schema
from corpusmill.dedup.settings import DedupSettings
from corpusmill.errors import BalanceError
from corpusmill.kernels import kernel
from corpusmill.reasons import Duplicate

U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

TWIN_RECORD = np.dtype(
    [
        ("row", "<u4"),
        ("doc_id", "S24"),
        ("group_id", "S24"),
        ("twin_doc_id", "S24"),  # empty if the document was kept
        ("twin_corpus", "<u4"),  # 0: this one; else 1 + the index in `settings.against`
        ("jaccard", "<f8"),
        ("outcome", "u1"),
        ("limited", "?"),
    ]
)
KEPT, EXACT, NEAR = range(3)  # outcomes
CANDIDATES = 1000  # kept documents that a bucket lists, and that one document is compared with


@dataclass(frozen=True, slots=True)
class _Members:
    """The n documents of a task, by part and row, and their t distinct texts."""

    document: U64  # (n)
    doc_id: npt.NDArray[np.bytes_]  # (n), S24
    component: I64  # (n)
    is_divided: Bools  # (n): whether its component was too large for one task
    text: I64  # index of its distinct text
    n_chars: I64  # (t)
    bands: U64  # (t, bands)
    has_bands: Bools  # (t)
    shingles: U32  # of all texts, each sorted
    ends: I64  # (t + 1)


def verify_task(
    blobs: Sequence[tuple[int, bytes]], settings: DedupSettings, n_parts: int, guests: Sequence[int] = ()
) -> list[tuple[int, bytes]]:
    """Which of a task's documents are duplicates, and of which one.

    blobs: (host, blob of `corpusmill.dedup.group.member_blobs`), in any order.  Documents of parts from `n_parts` on
    are kept in other corpora: those of part n_parts + i in the corpus `settings.against[guests[i]]`.

    Returns (part, TWIN_RECORDs sorted by row, one for each document) for each part of this corpus.
    """
    found = _read(sorted(blobs, key=lambda blob: blob[0]), settings.bands)
    if not len(found.document):  # a piece of a divided component
        return []
    is_guest = found.document >> np.uint64(32) >= n_parts
    by_id = np.lexsort((found.document, found.doc_id, ~is_guest))
    first = np.full(len(found.n_chars), len(by_id))  # for each text, the place of its first document
    np.minimum.at(first, found.text[by_id], np.arange(len(by_id)))
    best = by_id[first]
    is_given = is_guest[best]
    order = np.lexsort((first, -found.n_chars, ~is_given))
    twin, jaccard, limited = _verify_texts(found, order, is_given, settings.threshold)
    corpus = np.concatenate([np.zeros(n_parts, np.int64), 1 + np.array(guests, np.int64)])
    return _records(found, corpus, best, twin, jaccard, limited)


def _records(
    found: _Members, corpus: I64, best: I64, twin: I64, jaccard: F64, limited: Bools
) -> list[tuple[int, bytes]]:
    """The outcome of texts, as records of this corpus's documents.

    corpus: by part, as in TWIN_RECORD.  best: the document that represents each text.
    """
    of_part = (found.document >> np.uint64(32)).astype(np.int64)
    is_own = corpus[of_part] == 0
    near = twin[found.text] >= 0
    exact = ~near & (best[found.text] != np.arange(len(found.document)))
    text, outcome = found.text, np.where(near, NEAR, np.where(exact, EXACT, KEPT))
    records = np.zeros(len(text), TWIN_RECORD)
    records["row"] = found.document & np.uint64(0xFFFFFFFF)
    records["doc_id"], records["group_id"] = found.doc_id, _group_ids(found, is_own)
    twins = best[np.where(outcome == NEAR, twin[text], text)]
    records["twin_doc_id"] = np.where(outcome == KEPT, b"", found.doc_id[twins])
    records["twin_corpus"] = corpus[of_part[twins]]
    records["jaccard"] = np.where(outcome == NEAR, jaccard[text], 1.0)
    records["outcome"] = outcome
    records["limited"] = limited[text] | found.is_divided
    records, part = records[is_own], of_part[is_own]
    order = np.argsort(part, kind="stable")
    parts, first = np.unique(part[order], return_index=True)
    groups = np.split(records[order], first[1:])
    return [(int(p), group.tobytes()) for p, group in zip(parts, groups, strict=True)] if len(parts) else []


def _group_ids(found: _Members, is_own: Bools) -> npt.NDArray[np.bytes_]:
    """For each document, the smallest doc_id of its component, if possible one of this corpus."""
    order = np.lexsort((found.doc_id, ~is_own, found.component))
    _, first, group = np.unique(found.component[order], return_index=True, return_inverse=True)
    group_ids = np.empty_like(found.doc_id)
    group_ids[order] = found.doc_id[order][first][group]
    return group_ids


def twins_table(records: Sequence[bytes], settings: DedupSettings) -> pa.Table:
    """One part's records, from any number of tasks in any order -> `schema.TWINS`, sorted by row.

    Raises BalanceError if a row occurs twice.
    """
    found = np.frombuffer(b"".join(records), TWIN_RECORD)
    found = found[np.argsort(found["row"], kind="stable")]
    if (found["row"][1:] == found["row"][:-1]).any():
        raise BalanceError("deduplication decided on a document twice; run the same command again")
    kept = found["outcome"] == KEPT
    corpora = [None, *(each.name for each in settings.against)]
    names = [corpora[number] for number in found["twin_corpus"].tolist()]
    rules = np.where(found["outcome"] == EXACT, Duplicate.EXACT.value, Duplicate.NEAR.value)
    return pa.table(
        {
            "doc_id": pa.array(found["doc_id"].tolist(), pa.binary()).cast(pa.string()),
            "group_id": pa.array(found["group_id"].tolist(), pa.binary()).cast(pa.string()),
            "rule": pa.array(rules, pa.string(), mask=kept),
            "twin_doc_id": pa.array(found["twin_doc_id"].tolist(), pa.binary(), mask=kept).cast(pa.string()),
            "twin_corpus": pa.array(names, pa.string(), mask=kept),
            "jaccard": pa.array(np.ascontiguousarray(found["jaccard"]), mask=kept),
            "threshold": np.full(len(found), settings.threshold),
            "limited": np.ascontiguousarray(found["limited"]),
        },
        schema=schema.TWINS.arrow,
    )


def _read(blobs: Sequence[tuple[int, bytes]], bands: int) -> _Members:
    """The members that the parts have sent, with the shingles of one copy of each text."""
    numbers: dict[tuple[int, int], int] = {}
    documents, doc_ids, components, divided, texts, columns = [], [], [], [], [], []
    with tempfile.TemporaryFile() as file:
        for _, blob in blobs:
            table = pa.ipc.open_stream(blob).read_all().combine_chunks()
            documents.append(table["document"].to_numpy())
            doc_ids.append(_fixed_width(table["doc_id"]))
            components.append(table["component"].to_numpy().astype(np.int64))
            divided.append(table["is_divided"].to_numpy())
            keys = zip(table["content_hash"].to_pylist(), table["n_chars"].to_pylist(), strict=True)
            known = len(numbers)
            text = np.array([numbers.setdefault(key, len(numbers)) for key in keys], np.int64)
            texts.append(text)
            new, where = np.unique(text, return_index=True)
            columns.append(_new_texts(table.take(pa.array(where[new >= known])), bands, file))
        shingles = _mapped(file)
    n_chars, band_hashes, has_bands, sizes = (np.concatenate(column) for column in zip(*columns, strict=True))
    ends = np.concatenate([[0], np.cumsum(sizes)])
    columns_of_documents = (documents, doc_ids, components, divided, texts)
    document, doc_id, component, is_divided, text = map(np.concatenate, columns_of_documents)
    return _Members(document, doc_id, component, is_divided, text, n_chars, band_hashes, has_bands, shingles, ends)


def _new_texts(table: pa.Table, bands: int, file: IO[bytes]) -> tuple[I64, U64, Bools, I64]:
    """n_chars, band hashes, whether there are any, and the number of shingles; the shingles go to the file."""
    has_bands = pc.list_value_length(table["bands"]).to_numpy() > 0
    band_hashes = np.zeros((len(table), bands), np.uint64)
    band_hashes[has_bands] = table["bands"].combine_chunks().flatten().to_numpy().reshape(-1, bands)
    file.write(table["shingles"].combine_chunks().flatten().to_numpy().data)
    sizes = pc.list_value_length(table["shingles"]).to_numpy().astype(np.int64)
    return table["n_chars"].to_numpy(), band_hashes, has_bands, sizes


def _fixed_width(doc_id: pa.ChunkedArray) -> npt.NDArray[np.bytes_]:
    return np.array(doc_id.cast(pa.binary(24)).to_pylist(), "S24")


def _mapped(file: IO[bytes]) -> U32:
    """The numbers in the file, as an array over a private mapping, which stays valid after the file is closed."""
    file.flush()
    if file.tell() == 0:
        return np.empty(0, np.uint32)
    return np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY), np.uint32)


def _verify_texts(found: _Members, order: I64, given: Bools, threshold: float) -> tuple[I64, F64, Bools]:
    """For each text (twin or -1, Jaccard similarity, whether the cap left out a candidate).

    given: texts that are kept without comparing them.
    """
    if not found.has_bands.any():  # texts without words are similar to nothing
        return np.full(len(order), -1), np.zeros(len(order)), np.zeros(len(order), np.bool_)
    order = order[found.has_bands[order]]
    _, bucket = np.unique(found.bands, return_inverse=True)
    bucket = bucket.reshape(found.bands.shape)
    twins: tuple[I64, F64, Bools] = _visit(order, bucket, given, found.shingles, found.ends, threshold, CANDIDATES)
    return twins


@kernel
def _visit(
    order: I64, bucket: I64, given: Bools, values: U32, ends: I64, threshold: float, cap: int
) -> tuple[I64, F64, Bools]:
    """Visit texts in order -> (twin or -1, Jaccard, limited).  bucket (t, bands): a dense number of (band, hash)."""
    n, bands = bucket.shape
    twin, jaccard, limited = np.full(n, -1), np.zeros(n), np.zeros(n, np.bool_)
    # A bucket lists its kept texts: the entry is text * bands + band, and entries are linked in the order of visit.
    n_buckets = bucket.max() + 1
    head, tail = np.full(n_buckets, -1), np.full(n_buckets, -1)
    listed, full = np.zeros(n_buckets, np.int64), np.zeros(n_buckets, np.bool_)
    link = np.full(n * bands, -1)
    visit, shared, candidates = np.empty(n, np.int64), np.zeros(n, np.int64), np.empty(n, np.int64)
    bitmap = np.zeros(1 << _bitmap_bits((ends[1:] - ends[:-1]).max()) >> 6, np.uint64)
    for turn in range(len(order)):
        text = order[turn]
        visit[text] = turn
        compared = 0
        if not given[text]:
            found, is_full = _gather(bucket[text], full, head, link, shared, candidates)
            limited[text] = is_full or found > cap
            compared = _most_shared(candidates, found, shared, bands, cap)
        if compared > 0:
            x = values[ends[text] : ends[text + 1]]
            bits = _bitmap_bits(len(x))
            _fill_bitmap(x, bits, bitmap)
            best, limit = -1, threshold
            for c in range(compared):
                other = candidates[c]
                y = values[ends[other] : ends[other + 1]]
                if _ratio(_in_bitmap(y, bits, bitmap), len(x), len(y)) < limit:
                    continue
                similarity = _ratio(_in_both(x, y), len(x), len(y))
                if similarity > limit or (similarity == limit and (best < 0 or visit[other] < visit[best])):
                    best, limit = other, similarity
            if best >= 0:
                twin[text], jaccard[text] = best, limit
                continue
        for band in range(bands):
            b = bucket[text, band]
            if listed[b] == cap:
                full[b] = True
                continue
            entry = text * bands + band
            if head[b] < 0:
                head[b] = entry
            else:
                link[tail[b]] = entry
            tail[b] = entry
            listed[b] += 1
    return twin, jaccard, limited


@kernel
def _gather(buckets: I64, full: Bools, head: I64, link: I64, shared: I64, candidates: I64) -> tuple[int, bool]:
    """Collect what the buckets list, and in how many buckets -> (their number, whether a bucket left some out)."""
    found, is_full = 0, False
    for band in range(len(buckets)):
        is_full |= full[buckets[band]]
        entry = head[buckets[band]]
        while entry >= 0:
            other = entry // len(buckets)
            if shared[other] == 0:
                candidates[found] = other
                found += 1
            shared[other] += 1
            entry = link[entry]
    return found, is_full


@kernel
def _most_shared(candidates: I64, found: int, shared: I64, bands: int, cap: int) -> int:
    """Move the at most `cap` candidates that share most bands to the front, reset `shared` to 0 -> their number."""
    least, room = 1, found
    if found > cap:
        counts = np.zeros(bands + 2, np.int64)
        for c in range(found):
            counts[shared[candidates[c]]] += 1
        least, above = bands, 0
        while above + counts[least] < cap:
            above += counts[least]
            least -= 1
        room = cap - above  # for those that share exactly `least` bands, in the order of their buckets
    chosen = 0
    for c in range(found):
        other = candidates[c]
        bands_shared, shared[other] = shared[other], 0
        if bands_shared > least or (bands_shared == least and room > 0):
            room -= bands_shared == least
            candidates[chosen] = other
            chosen += 1
    return chosen


@kernel
def _ratio(both: int, n: int, m: int) -> float:
    """Jaccard similarity of sets of n and m elements, `both` of them common; at most min(n, m) / max(n, m).

    Division rounds monotonically, so an upper bound of `both` gives an upper bound of the similarity, also in floats.
    """
    both = min(both, n, m)
    return both / (n + m - both)


@kernel
def _bitmap_bits(n: int) -> int:
    """The logarithm (base 2) of the size of a bitmap for n hashes.

    It has 64 or more bits per hash, so 1.5 % of other hashes hit it by chance.
    """
    bits = 12
    while bits < 26 and 1 << bits < 64 * n:
        bits += 1
    return bits


@kernel
def _fill_bitmap(x: U32, bits: int, bitmap: U64) -> None:
    bitmap[: 1 << bits >> 6] = 0
    shift = np.uint32(32 - bits)
    for i in range(len(x)):
        position = x[i] >> shift
        bitmap[position >> np.uint32(6)] |= np.uint64(1) << np.uint64(position & np.uint32(63))


@kernel
def _in_bitmap(y: U32, bits: int, bitmap: U64) -> int:
    """How many of y's hashes the bitmap may contain: never less than the true number."""
    shift = np.uint32(32 - bits)
    hits = np.int64(0)
    for i in range(len(y)):
        position = y[i] >> shift
        hits += np.int64(bitmap[position >> np.uint32(6)] >> np.uint64(position & np.uint32(63)) & np.uint64(1))
    return int(hits)


@kernel
def _in_both(x: U32, y: U32) -> int:
    """The size of the intersection of two sorted sets."""
    i, j, both = 0, 0, 0
    while i < len(x) and j < len(y):
        both += x[i] == y[j]
        first, second = x[i] <= y[j], y[j] <= x[i]
        i += first
        j += second
    return both
