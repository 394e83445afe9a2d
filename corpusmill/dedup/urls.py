"""Pages with the same URL, of which one stays: found through one shuffle of URLs' hashes.

A hash has 128 bits: among 10 billion URLs, two have the same one by chance with a probability of 1.5e-19.
"""

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpusmill import schema
from corpusmill.reasons import Duplicate

PAGE = np.dtype([("high", "<u8"), ("low", "<u8"), ("rank", "<f8"), ("n_chars", "<i8"), ("doc_id", "S24")])
"""A page: the hash of its URL, and what decides which one stays, the highest first."""
GONE = np.dtype([("doc_id", "S24"), ("twin_doc_id", "S24")])
Records = npt.NDArray[np.void]


def pages_of(
    keys: Sequence[str | None], ranks: npt.NDArray[np.float64], n_chars: pa.Array, doc_ids: pa.Array
) -> Records:
    """The pages of a part that have a URL.  keys: normalised URLs; ranks: NaN comes last."""
    places = np.array([place for place, key in enumerate(keys) if key is not None], np.int64)
    digests = [hashlib.blake2b(key.encode(), digest_size=16).digest() for key in keys if key is not None]
    hashes = np.frombuffer(b"".join(digests), "<u8").reshape(-1, 2)
    records = np.zeros(len(places), PAGE)
    records["high"], records["low"] = hashes[:, 0], hashes[:, 1]
    records["rank"] = np.where(np.isnan(ranks), -np.inf, ranks)[places]
    records["n_chars"] = n_chars.to_numpy(zero_copy_only=False)[places]
    records["doc_id"] = np.array(doc_ids.to_pylist(), "S24")[places]
    return records


def url_blobs(pages: Records, destinations: int) -> list[bytes]:
    """What a part sends to each destination."""
    return [pages[pages["high"] % np.uint64(destinations) == number].tobytes() for number in range(destinations)]


def same_urls(blobs: Sequence[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    """A destination's blobs with the numbers of their parts -> to each part, its pages that go (GONE)."""
    found = [np.frombuffer(content, PAGE) for _, content in blobs]
    pages = np.concatenate([np.zeros(0, PAGE), *found])
    parts = np.repeat([number for number, _ in blobs], [len(each) for each in found]).astype(np.int64)
    order = np.lexsort((pages["doc_id"], -pages["n_chars"], -pages["rank"], pages["low"], pages["high"]))
    pages, parts = pages[order], parts[order]
    is_first = np.ones(len(pages), np.bool_)
    is_first[1:] = (pages["high"][1:] != pages["high"][:-1]) | (pages["low"][1:] != pages["low"][:-1])
    first = np.flatnonzero(is_first)[np.cumsum(is_first) - 1]
    gone = np.zeros(len(pages), GONE)
    gone["doc_id"], gone["twin_doc_id"] = pages["doc_id"], pages["doc_id"][first]
    for number in np.unique(parts[~is_first]):
        yield int(number), gone[~is_first & (parts == number)].tobytes()


def same_url_table(found: Sequence[bytes]) -> pa.Table:
    """The pages of a part that go, as `schema.SAME_URL`, by doc_id."""
    records = np.concatenate([np.zeros(0, GONE), *(np.frombuffer(content, GONE) for content in found)])
    records = records[np.argsort(records["doc_id"], kind="stable")]
    return schema.SAME_URL.filled(
        {
            "doc_id": records["doc_id"].astype(str),
            "rule": [Duplicate.URL.value] * len(records),
            "twin_doc_id": records["twin_doc_id"].astype(str),
        }
    )
