"""At most so many pages of a host: which pages are over the cap, found without bringing all pages of a host together.

Of a host the pages with the longest final text stay; of two equally long ones, the one with the smaller doc_id.  Every
part sends for each of its hosts how many pages it has, and the first of them in this order, at most as many as may
stay.  Where the parts of a host come together, its last page that stays is known.  Every part then compares its own
pages with that page.  So a place receives at most `most` pages for each host and part, however large a host is.
"""

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpusmill import schema
from corpusmill.filters.profiles import BEFORE_HOST
from corpusmill.reasons import HOST_CAP

PAGE = np.dtype([("host", "<u8"), ("n_chars", "<i8"), ("doc_id", "S24"), ("pages", "<u4")])
"""A page, or the last page of a host that stays; pages: how many the host has, in the part or in all."""
OVER = np.dtype([("doc_id", "S24"), ("pages", "<u4")])
Records = npt.NDArray[np.void]

_HOST = rf"{BEFORE_HOST}(?P<host>[^/?#]*)"


def hosts_of(urls: pa.Array) -> pa.Array:
    """The host of each URL, with its port, in lower case; null where there is none."""
    hosts = pc.utf8_lower(pc.struct_field(pc.extract_regex(urls, pattern=_HOST), "host"))
    return pc.if_else(pc.equal(hosts, ""), None, hosts)


def pages_of(urls: pa.Array, n_chars: pa.Array, doc_ids: pa.Array, kept: pa.Array) -> Records:
    """The pages of a part that the rules keep and that have a host: PAGE, in the order in which they stay."""
    hosts = hosts_of(urls)
    chosen = pc.and_(kept, hosts.is_valid())
    encoded = hosts.filter(chosen).dictionary_encode()
    hashes = np.array([_hash(host) for host in encoded.dictionary.to_pylist()], np.uint64)
    records = np.zeros(len(encoded), PAGE)
    records["host"] = hashes[encoded.indices.to_numpy()] if len(encoded) else 0
    records["n_chars"] = n_chars.filter(chosen).to_numpy()
    records["doc_id"] = np.array(doc_ids.filter(chosen).to_pylist(), "S24")
    records = _ordered(records)
    _, sizes = _runs(records["host"])
    records["pages"] = np.repeat(sizes, sizes)
    return records


def _hash(host: str) -> int:
    return int.from_bytes(hashlib.blake2b(host.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def _ordered(records: Records) -> Records:
    return records[np.lexsort((records["doc_id"], -records["n_chars"], records["host"]))]


def _runs(hosts: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Where each run of equal hosts starts, and how long it is."""
    starts = np.flatnonzero(np.r_[True, hosts[1:] != hosts[:-1]]) if len(hosts) else np.zeros(0, np.int64)
    return starts, np.diff(np.r_[starts, len(hosts)])


def _ranks(hosts: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """The place of each record in its run, from 0."""
    starts, sizes = _runs(hosts)
    return np.arange(len(hosts)) - np.repeat(starts, sizes)


def first_blobs(pages: Records, most: int, destinations: int) -> list[bytes]:
    """What a part sends to each destination: of each host its first pages, at most so many."""
    first = pages[_ranks(pages["host"]) < most]
    return [first[first["host"] % np.uint64(destinations) == number].tobytes() for number in range(destinations)]


def last_that_stay(blobs: Sequence[tuple[int, bytes]], most: int) -> Iterator[tuple[int, bytes]]:
    """Blobs with the numbers of their parts -> to each part, of its hosts over the cap the last page that stays."""
    found = [np.frombuffer(content, PAGE) for _, content in blobs]
    records = np.concatenate([np.zeros(0, PAGE), *found])
    parts = np.repeat([number for number, _ in blobs], [len(each) for each in found]).astype(np.int64)
    order = np.lexsort((records["doc_id"], -records["n_chars"], records["host"]))
    records, parts = records[order], parts[order]
    pairs, first = np.unique(np.stack([records["host"], parts.astype(np.uint64)]), axis=1, return_index=True)
    hosts, place = np.unique(pairs[0], return_inverse=True)
    totals = np.zeros(len(hosts), np.int64)
    np.add.at(totals, place.ravel(), records["pages"][first])
    ranks = _ranks(records["host"])
    last = records[ranks == most - 1]
    last["pages"] = totals[np.searchsorted(hosts, last["host"])]
    last = last[last["pages"] > most]
    for number in np.unique(parts):
        own = last[np.isin(last["host"], pairs[0][pairs[1] == number])]
        if len(own):
            yield int(number), own.tobytes()


def over(pages: Records, lasts: Sequence[bytes]) -> bytes:
    """The pages of a part that come after the last page of their host that stays: OVER."""
    last = np.concatenate([np.zeros(0, PAGE), *(np.frombuffer(content, PAGE) for content in lasts)])
    if not len(last):
        return b""
    last = last[np.argsort(last["host"])]
    place = np.minimum(np.searchsorted(last["host"], pages["host"]), len(last) - 1)
    its = last[place]
    after = (pages["n_chars"] < its["n_chars"]) | (
        (pages["n_chars"] == its["n_chars"]) & (pages["doc_id"] > its["doc_id"])
    )
    gone = (its["host"] == pages["host"]) & after
    found = np.zeros(int(gone.sum()), OVER)
    found["doc_id"], found["pages"] = pages["doc_id"][gone], its["pages"][gone]
    return found.tobytes()


def caps_table(found: Sequence[bytes], most: int) -> pa.Table:
    """The pages over the cap as `schema.CAPS`, by doc_id."""
    records = np.concatenate([np.zeros(0, OVER), *(np.frombuffer(content, OVER) for content in found)])
    records = records[np.argsort(records["doc_id"])]
    return pa.table(
        {
            "doc_id": records["doc_id"].astype(str),
            "rule": [HOST_CAP] * len(records),
            "value": records["pages"].astype(np.float64),
            "threshold": np.full(len(records), most, np.float64),
        },
        schema=schema.CAPS.arrow,
    )
