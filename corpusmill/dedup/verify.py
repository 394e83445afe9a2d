"""Verification: of the documents that share a band, which ones are duplicates of which kept one.

Documents are visited best first: the longest text, then the least doc_id.  Each is compared with the documents that
were *kept* before it and share a band with it; if the true Jaccard similarity of the shingle sets reaches the
threshold with any of them, it is dropped, and its twin is the one most similar to it (of equals, the one visited
first).  So every dropped document has a kept twin that is as similar as the threshold asks, there are no chains
from twin to twin, and the result is a function of the documents alone.  Documents with the same text (content hash and
length) are visited as one, at the turn of the least doc_id: if that is kept, the others are its exact duplicates; if
it is dropped, they go with it, as near duplicates of its twin.

Cost, one core, of 5,000 documents of 500 words: 0.06 s in groups of five (taking the first twin that reaches the
threshold instead of the best saves nothing that can be measured).  Bad inputs stay cheap, too:

- copies with small edits meet one kept document each: 0.1 s; exact copies are one text: 0.02 s;
- pages of one template with J = .7 are up to 12.5 million pairs, 3-5 s: a bitmap of a document's shingle hashes gives
  each candidate an upper bound of the similarity in 0.23 us, and only what may reach the threshold, or the best so far,
  is compared exactly, in 1.3 us;
- and the work is capped: a band's bucket offers its best CANDIDATES kept documents, and a document is compared with at
  most CANDIDATES, those that share most bands with it (2 s; 3-7 s for 10,000 pages).  Documents for which the cap
  bites are on record (`limited`), dropped or kept.

Memory: 1.3 kB for each document of a task, and the shingles of the distinct texts in an unlinked temporary file that
is mapped into memory, so that the system can page out those of a giant component.
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
        ("twin_doc_id", "S24"),  # empty if the document was kept
        ("jaccard", "<f8"),
        ("outcome", "u1"),
        ("limited", "?"),
    ]
)
KEPT, EXACT, NEAR = range(3)  # outcomes
CANDIDATES = 1000  # kept documents that a bucket offers, and that one document is compared with


@dataclass(frozen=True, slots=True)
class _Members:
    """The n documents of a task, by part and row, and their t distinct texts."""

    document: U64  # (n)
    doc_id: npt.NDArray[np.bytes_]  # (n), S24
    text: I64  # (n): which of the distinct texts
    n_chars: I64  # (t)
    bands: U64  # (t, bands)
    has_bands: Bools  # (t)
    shingles: U32  # of all texts, each sorted
    ends: I64  # (t + 1)


def verify_task(blobs: Sequence[tuple[int, bytes]], settings: DedupSettings) -> list[tuple[int, bytes]]:
    """The duplicates among a task's documents.

    blobs: (part, blob of `corpusmill.dedup.group.member_blobs`), in any order.

    Returns, for every part that something is to be said of, (part, TWIN_RECORDs sorted by row).
    """
    found = _read(sorted(blobs, key=lambda blob: blob[0]), settings.bands)
    by_id = np.argsort(found.doc_id, kind="stable")
    first = np.full(len(found.n_chars), len(by_id))  # of each text, the place of its least doc_id
    np.minimum.at(first, found.text[by_id], np.arange(len(by_id)))
    twin, jaccard, limited = _verify_texts(found, np.lexsort((first, -found.n_chars)), settings.threshold)
    return _records(found, by_id[first], twin, jaccard, limited)


def _records(found: _Members, best: I64, twin: I64, jaccard: F64, limited: Bools) -> list[tuple[int, bytes]]:
    """What became of texts, for their documents.  best: the document that stands for each text."""
    near = twin[found.text] >= 0
    exact = ~near & (best[found.text] != np.arange(len(found.document)))
    outcome = np.where(near, NEAR, np.where(exact, EXACT, KEPT))
    said = np.flatnonzero((outcome != KEPT) | limited[found.text])
    text, outcome = found.text[said], outcome[said]
    records = np.zeros(len(said), TWIN_RECORD)
    records["row"] = found.document[said] & np.uint64(0xFFFFFFFF)
    records["doc_id"] = found.doc_id[said]
    twin_ids = found.doc_id[best[np.where(outcome == NEAR, twin[text], text)]]
    records["twin_doc_id"] = np.where(outcome == KEPT, b"", twin_ids)
    records["jaccard"] = np.where(outcome == NEAR, jaccard[text], 1.0)
    records["outcome"] = outcome
    records["limited"] = limited[text]
    part = (found.document[said] >> np.uint64(32)).astype(np.int64)
    order = np.argsort(part, kind="stable")
    parts, first = np.unique(part[order], return_index=True)
    groups = np.split(records[order], first[1:])
    return [(int(p), group.tobytes()) for p, group in zip(parts, groups, strict=True)] if len(parts) else []


def twins_table(records: Sequence[bytes], settings: DedupSettings) -> pa.Table:
    """One part's records, from any number of tasks in any order -> `schema.TWINS`, sorted by row.

    Raises BalanceError if a row is there twice.
    """
    found = np.frombuffer(b"".join(records), TWIN_RECORD)
    found = found[np.argsort(found["row"], kind="stable")]
    if (found["row"][1:] == found["row"][:-1]).any():
        raise BalanceError("deduplication decided on a document twice; run the same command again")
    kept = found["outcome"] == KEPT
    rules = np.where(found["outcome"] == EXACT, Duplicate.EXACT.value, Duplicate.NEAR.value)
    return pa.table(
        {
            "doc_id": pa.array(found["doc_id"].tolist(), pa.binary()).cast(pa.string()),
            "rule": pa.array(rules, pa.string(), mask=kept),
            "twin_doc_id": pa.array(found["twin_doc_id"].tolist(), pa.binary(), mask=kept).cast(pa.string()),
            "jaccard": pa.array(np.ascontiguousarray(found["jaccard"]), mask=kept),
            "threshold": np.full(len(found), settings.threshold),
            "limited": np.ascontiguousarray(found["limited"]),
        },
        schema=schema.TWINS.arrow,
    )


def _read(blobs: Sequence[tuple[int, bytes]], bands: int) -> _Members:
    """What the parts have sent, keeping the shingles of one copy of each text."""
    numbers: dict[tuple[int, int], int] = {}
    documents, doc_ids, texts, columns = [], [], [], []
    with tempfile.TemporaryFile() as file:
        for part, blob in blobs:
            table = pa.ipc.open_stream(blob).read_all().combine_chunks()
            documents.append(np.uint64(part) << np.uint64(32) | table["row"].to_numpy().astype(np.uint64))
            doc_ids.append(_fixed_width(table["doc_id"]))
            keys = zip(table["content_hash"].to_pylist(), table["n_chars"].to_pylist(), strict=True)
            known = len(numbers)
            text = np.array([numbers.setdefault(key, len(numbers)) for key in keys], np.int64)
            texts.append(text)
            new, where = np.unique(text, return_index=True)
            columns.append(_new_texts(table.take(pa.array(where[new >= known])), bands, file))
        shingles = _mapped(file)
    n_chars, band_hashes, has_bands, sizes = (np.concatenate(column) for column in zip(*columns, strict=True))
    ends = np.concatenate([[0], np.cumsum(sizes)])
    document, doc_id, text = np.concatenate(documents), np.concatenate(doc_ids), np.concatenate(texts)
    return _Members(document, doc_id, text, n_chars, band_hashes, has_bands, shingles, ends)


def _new_texts(table: pa.Table, bands: int, file: IO[bytes]) -> tuple[I64, U64, Bools, I64]:
    """n_chars, band hashes, whether there are any, and the number of shingles, which go to the file."""
    has_bands = pc.list_value_length(table["bands"]).to_numpy() > 0
    band_hashes = np.zeros((len(table), bands), np.uint64)
    band_hashes[has_bands] = table["bands"].combine_chunks().flatten().to_numpy().reshape(-1, bands)
    file.write(table["shingles"].combine_chunks().flatten().to_numpy().data)
    sizes = pc.list_value_length(table["shingles"]).to_numpy().astype(np.int64)
    return table["n_chars"].to_numpy(), band_hashes, has_bands, sizes


def _fixed_width(doc_id: pa.ChunkedArray) -> npt.NDArray[np.bytes_]:
    return np.array(doc_id.cast(pa.binary(24)).to_pylist(), "S24")


def _mapped(file: IO[bytes]) -> U32:
    """The numbers in the file, as an array over a private mapping that outlives the file's closing."""
    file.flush()
    if file.tell() == 0:
        return np.empty(0, np.uint32)
    return np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY), np.uint32)


def _verify_texts(found: _Members, order: I64, threshold: float) -> tuple[I64, F64, Bools]:
    """For each text (twin or -1, Jaccard similarity, whether the cap has bitten)."""
    if not found.has_bands.any():  # texts without words: near to nothing
        return np.full(len(order), -1), np.zeros(len(order)), np.zeros(len(order), np.bool_)
    order = order[found.has_bands[order]]
    _, bucket = np.unique(found.bands, return_inverse=True)
    bucket = bucket.reshape(found.bands.shape)
    twins: tuple[I64, F64, Bools] = _visit(order, bucket, found.shingles, found.ends, threshold, CANDIDATES)
    return twins


@kernel
def _visit(order: I64, bucket: I64, values: U32, ends: I64, threshold: float, cap: int) -> tuple[I64, F64, Bools]:
    """Visit texts in order.  bucket (t, bands): dense number of (band, hash).  -> (twin or -1, Jaccard, limited)."""
    n, bands = bucket.shape
    twin, jaccard, limited = np.full(n, -1), np.zeros(n), np.zeros(n, np.bool_)
    # A bucket lists the kept texts in it: entry text * bands + band, linked in the order of visit.
    n_buckets = bucket.max() + 1
    head, tail = np.full(n_buckets, -1), np.full(n_buckets, -1)
    listed, full = np.zeros(n_buckets, np.int64), np.zeros(n_buckets, np.bool_)
    link = np.full(n * bands, -1)
    visit, shared, candidates = np.empty(n, np.int64), np.zeros(n, np.int64), np.empty(n, np.int64)
    bitmap = np.zeros(1 << _bitmap_bits((ends[1:] - ends[:-1]).max()) >> 6, np.uint64)
    for turn in range(len(order)):
        text = order[turn]
        visit[text] = turn
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
    """Collect what the buckets list, and in how many of them -> (their number, whether a bucket has left some out)."""
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
    """Move the at most `cap` candidates that share most bands to the front, set `shared` back to 0 -> their number."""
    least, room = 1, found
    if found > cap:
        counts = np.zeros(bands + 2, np.int64)
        for c in range(found):
            counts[shared[candidates[c]]] += 1
        least, above = bands, 0
        while above + counts[least] < cap:
            above += counts[least]
            least -= 1
        room = cap - above  # for those that share exactly `least`, in the order of their buckets
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
    """Jaccard similarity of sets of n and m elements, `both` of them common; at most that of the smaller in the other.

    Division rounds monotonically: an upper bound of `both` gives an upper bound of the similarity, also in floats.
    """
    both = min(both, n, m)
    return both / (n + m - both)


@kernel
def _bitmap_bits(n: int) -> int:
    """A bitmap for n hashes has 2^this bits: 64 or more a hash, so that 1.5 % of other hashes hit it by chance."""
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
    """How many of y's hashes the bitmap may hold: at least as many as it does."""
    shift = np.uint32(32 - bits)
    hits = np.int64(0)
    for i in range(len(y)):
        position = y[i] >> shift
        hits += np.int64(bitmap[position >> np.uint32(6)] >> np.uint64(position & np.uint32(63)) & np.uint64(1))
    return int(hits)


@kernel
def _in_both(x: U32, y: U32) -> int:
    """Size of the intersection of two sorted sets."""
    i, j, both = 0, 0, 0
    while i < len(x) and j < len(y):
        both += x[i] == y[j]
        first, second = x[i] <= y[j], y[j] <= x[i]
        i += first
        j += second
    return both
