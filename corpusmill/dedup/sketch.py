"""Sketches: the data about a document that deduplication needs, computed from its final text only.

A document's tokens (`corpusmill.dedup.fold`) make overlapping n-grams, *shingles*.  Each is hashed to 32 bits, and
Jaccard similarity compares the sets of these hashes.  For each set, MinHash [1] keeps bands x rows minima under
permutations h -> a*h + b mod 2^32.  The rows of a band are mixed into one 64-bit hash.  Two documents are candidates
for each other if the hash of a band is equal [2].  With similarity J, that happens with probability 1 - (1 -
J^rows)^bands.  For the default 14 x 8:

    J              0.7    0.75   0.8    0.85
    probability    56 %   77 %   92 %   98.8 %

The permutations come from datasketch 2 at run time.  The minima equal those of its scheme "affine32" for the same
shingle hashes.  So the sketches depend on datasketch's version, on `unicodedata.unidata_version` (fold.py), and on the
settings ngram, bands, rows and seed.  They do not depend on the threshold.

Cost on one core: 176 MB/s on web pages.  BLAKE2b and the tokens take 60 % of the time, the 112 minima 11 %.  datasketch
reaches 6 MB/s from strings, and 33 MB/s from given shingle hashes (bench/minhash.py).  Three things made it fast:

- for ASCII, the ends of words are found without branches (twice as fast);
- sets of shingles are sorted by a radix sort;
- each minimum is one vectorised pass over a padded set.

A text with fewer tokens than `ngram` is one shingle.  A text without any token (for example only punctuation) has no
shingles and no bands: only its content hash can make it a duplicate.  A missing or empty text is never a duplicate.

[1] Broder, On the resemblance and containment of documents, 1997.
[2] Leskovec, Rajaraman, Ullman: Mining of Massive Datasets, chapter 3.
"""

import functools
import hashlib
import itertools

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpusmill import schema
from corpusmill.arrow import Utf8Column
from corpusmill.dedup.fold import (
    ALONE,
    BEYOND_HAN,
    LETTER_BITS,
    MARK,
    OPERATOR,
    SEPARATOR,
    SIGN,
    SKIPPED,
    TABLE_SIZE,
    fold_table,
)
from corpusmill.dedup.operators import count_operators, is_sign
from corpusmill.dedup.settings import DedupSettings
from corpusmill.kernels import kernel

U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]

PADDING = 64  # sets of shingles are filled up to a multiple of this by repetition, so that SIMD can compute the minima


def sketch_documents(doc_id: pa.Array, text: pa.Array, settings: DedupSettings) -> pa.Table:
    """Sketch n final texts (any string type; null for unreadable pages) -> n rows of `schema.SKETCHES`, in order."""
    column = Utf8Column.of(text)
    if not settings.near:
        return _content_alone(doc_id, text, column, settings)
    a, b = permutations(settings.bands * settings.rows, settings.seed)
    shingles, ends, bands = _sketch(column.data, column.offsets, fold_table(), settings.ngram, a, b, settings.rows)
    has_bands = np.diff(ends) > 0
    band_ends = np.concatenate([[0], np.cumsum(has_bands * settings.bands)])
    return pa.table(
        {
            "doc_id": doc_id,
            "content_hash": _content_hashes(column),
            "n_chars": pc.fill_null(pc.utf8_length(text).cast(pa.int64()), 0),
            "bands": pa.ListArray.from_arrays(band_ends.astype(np.int32), bands[has_bands].ravel()),
            "shingles": pa.ListArray.from_arrays(ends.astype(np.int32), shingles),
        },
        schema=schema.SKETCHES.arrow,
    )


def _content_alone(doc_id: pa.Array, text: pa.Array, column: Utf8Column, settings: DedupSettings) -> pa.Table:
    compared = Utf8Column.of(normalised(text)) if settings.exact == "normalised" else column
    nothing = pa.array([[]], pa.list_(pa.uint64())).take(pa.array(np.zeros(len(column), np.int64)))
    return pa.table(
        {
            "doc_id": doc_id,
            "content_hash": _content_hashes(compared),
            "n_chars": pc.fill_null(pc.utf8_length(text).cast(pa.int64()), 0),
            "bands": nothing,
            "shingles": nothing.cast(pa.list_(pa.uint32())),
        },
        schema=schema.SKETCHES.arrow,
    )


def normalised(text: pa.Array) -> pa.Array:
    """Texts in NFC and lower case, with one space for white space of any length, and none at both ends."""
    lower = pc.utf8_lower(pc.utf8_normalize(text, "NFC"))
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(lower, r"[\pZ\s]+", " "))


@functools.cache
def permutations(count: int, seed: int) -> tuple[U32, U32]:
    """The parameters a, b (each `count`) of datasketch's "affine32" permutations for this seed."""
    from datasketch import MinHash  # imports scipy, which takes 0.9 s; only sketching needs it

    a, b = MinHash(num_perm=count, seed=seed, scheme="affine32").permutations
    return np.ascontiguousarray(a), np.ascontiguousarray(b)


def _content_hashes(column: Utf8Column) -> U64:
    """BLAKE2b with a digest of 8 bytes, little-endian, of each text; 0 for an empty one."""
    data = column.data.data
    digests = b"".join(
        hashlib.blake2b(data[start:end], digest_size=8).digest() if end > start else bytes(8)
        for start, end in itertools.pairwise(column.offsets.tolist())
    )
    return np.frombuffer(digests, "<u8")


@kernel
def _sketch(data: U8, offsets: I64, fold: U32, ngram: int, a: U32, b: U32, rows: int) -> tuple[U32, I64, U64]:
    """Sketch all documents: sorted distinct shingle hashes (total), ends (n + 1), band hashes (n, len(a) // rows)."""
    n = len(offsets) - 1
    longest = 0
    for d in range(n):
        longest = max(longest, offsets[d + 1] - offsets[d])
    # a token takes at least one byte; one more for the token that is being made
    tokens = np.empty(longest + 1, np.uint64)
    scratch = np.empty(longest + PADDING, np.uint32)
    shingles = np.empty(offsets[n] - offsets[0] + PADDING, np.uint32)
    ends = np.zeros(n + 1, np.int64)
    bands = np.zeros((n, len(a) // rows), np.uint64)
    total = 0
    for d in range(n):
        n_tokens = _hash_tokens(data, offsets[d], offsets[d + 1], fold, tokens)
        own = shingles[total:]
        size = _hash_shingles(tokens, n_tokens, ngram, own)
        size = _sort_distinct(own, size, scratch)
        if size > 0:
            _hash_bands(own, size, a, b, rows, scratch, bands[d])
        total += size
        ends[d + 1] = total
    return shingles[:total].copy(), ends, bands


@kernel
def _hash_tokens(data: U8, start: int, end: int, fold: U32, tokens: U64) -> int:
    """Write the 64-bit FNV-1a hashes, by code point, of the tokens of data[start:end]; return their number."""
    prime, basis = np.uint64(0x100000001B3), np.uint64(0xCBF29CE484222325)
    # inside: h belongs to a token that has begun; alone: only marks can continue that token
    n, h, inside, alone = 0, basis, False, False
    i = start
    while i < end:
        byte = np.int64(data[i])
        if byte < 0x80:  # no branches at the ends of words, because processors cannot predict them: twice as fast
            if alone:
                tokens[n] = h
                n, h, inside, alone = n + 1, basis, False, False
            entry, i = np.int64(fold[byte]), i + 1
            if entry & OPERATOR:
                tokens[n] = h
                n, h, inside = n + inside, basis, False
                count, i = count_operators(data, start, i - 1, end, fold)
                for _ in range(count):
                    tokens[n] = (basis ^ np.uint64(entry & LETTER_BITS)) * prime
                    n += 1
                continue
            separator = entry == SEPARATOR
            tokens[n] = h
            n += inside & separator
            h = basis if separator else (h ^ np.uint64(entry)) * prime
            inside = not separator
            continue
        first = i
        if byte < 0xE0:
            code, i = (byte & 0x1F) << 6 | data[i + 1] & 0x3F, i + 2
        elif byte < 0xF0:
            code, i = (byte & 0xF) << 12 | (data[i + 1] & 0x3F) << 6 | data[i + 2] & 0x3F, i + 3
        else:
            code = (byte & 7) << 18 | (data[i + 1] & 0x3F) << 12 | (data[i + 2] & 0x3F) << 6 | data[i + 3] & 0x3F
            i += 4
        if code < TABLE_SIZE:
            entry = np.int64(fold[code])
        elif code < BEYOND_HAN:
            entry = np.int64(code | ALONE)
        else:
            continue
        if entry == SKIPPED:
            continue
        if entry & OPERATOR:
            tokens[n] = h
            n, h, inside, alone = n + inside, basis, False, False
            if entry & SIGN == 0 or is_sign(data, start, first, i, end, fold):
                tokens[n] = (basis ^ np.uint64(entry & LETTER_BITS)) * prime
                n += 1
            continue
        if inside and (entry == SEPARATOR or entry & ALONE or (alone and not entry & MARK)):
            tokens[n] = h
            n, h, inside, alone = n + 1, basis, False, False
        if entry != SEPARATOR:
            if not inside:
                alone = entry & ALONE != 0
            h = (h ^ np.uint64(entry & LETTER_BITS)) * prime
            inside = True
    tokens[n] = h
    return n + inside


@kernel
def _hash_shingles(tokens: U64, n: int, ngram: int, out: U32) -> int:
    """Write the 32-bit hashes of the n-grams of n tokens, by a rolling polynomial; return their number.

    A text with fewer than `ngram` tokens is one n-gram.
    """
    if n == 0:
        return 0
    base, mix = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)
    width = min(n, ngram)
    leaving = np.uint64(1)
    for _ in range(width):
        leaving *= base
    h = np.uint64(0)
    for i in range(n):
        h = h * base + tokens[i]
        if i >= width:
            h -= tokens[i - width] * leaving
        if i >= width - 1:
            mixed = (h ^ h >> np.uint64(32)) * mix
            out[i - width + 1] = np.uint32(mixed >> np.uint64(32))
    return n - width + 1


@kernel
def _sort_distinct(values: U32, n: int, scratch: U32) -> int:
    """Sort values[:n] (radix sort, 4 passes of 8 bits) and remove repetitions in place; return their number."""
    counts = np.zeros((4, 256), np.int64)
    for i in range(n):
        for p in range(4):
            counts[p, values[i] >> np.uint32(8 * p) & np.uint32(255)] += 1
    source, target = values, scratch
    for p in range(4):
        position = 0
        for digit in range(256):
            count = counts[p, digit]
            counts[p, digit] = position
            position += count
        for i in range(n):
            digit = source[i] >> np.uint32(8 * p) & np.uint32(255)
            target[counts[p, digit]] = source[i]
            counts[p, digit] += 1
        source, target = target, source
    size = min(n, 1)
    for i in range(1, n):
        if values[i] != values[i - 1]:
            values[size] = values[i]
            size += 1
    return size


@kernel
def _hash_bands(shingles: U32, n: int, a: U32, b: U32, rows: int, scratch: U32, out: U64) -> None:
    """The band hashes of one set of n > 0 shingles: datasketch's premix, minima of a*h + b, rows mixed into one."""
    for i in range(n):
        h = shingles[i]
        h = np.uint32((h ^ h >> np.uint32(16)) * np.uint32(0x85EBCA6B))  # numba computes products in 64 bits
        h = np.uint32((h ^ h >> np.uint32(13)) * np.uint32(0xC2B2AE35))
        scratch[i] = h ^ h >> np.uint32(16)
    padded = (n + PADDING - 1) // PADDING * PADDING
    scratch[n:padded] = scratch[0]
    hashes = scratch[:padded]
    golden = np.uint64(0x9E3779B97F4A7C15)
    for band in range(len(out)):
        mixed = np.uint64(band)
        for j in range(band * rows, (band + 1) * rows):
            lowest = np.uint32(0xFFFFFFFF)
            for i in range(padded):
                lowest = min(lowest, np.uint32(a[j] * hashes[i] + b[j]))
            mixed = (mixed ^ np.uint64(lowest)) * golden
            mixed ^= mixed >> np.uint64(32)
        out[band] = mixed
