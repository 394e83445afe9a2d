"""In how many places a unit is, over all parts: every part counts its own, and a destination adds them up.

A destination gets a range of hashes.  It answers each part with those of its units that are frequent enough.  So a part
sends each of its units once, however often it has it, and no place sees all units.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from corpusmill.filters.repeats.units import U64, by_part, runs

COUNT = np.dtype([("hash", "<u8"), ("count", "<u4"), ("least", "<u4")])
"""A unit, how often it is there, and from which count on it is frequent."""
DESTINATION_BYTES = 32_000_000  # received by one destination in all blobs, about
Records = npt.NDArray[np.void]


def destinations_for(text_bytes: int, bytes_per_byte: float) -> int:
    """How many destinations are needed if as many bytes are sent per byte of text."""
    return 1 + int(text_bytes * bytes_per_byte) // DESTINATION_BYTES


def bounds_of(destinations: int) -> U64:
    """The first hash of each destination's range but the first."""
    return np.array([(number << 64) // destinations for number in range(1, destinations)], np.uint64)


def counted(hashes: U64, least: int) -> Records:
    """COUNTs of a part's hashes (n, in any order), ascending."""
    different, counts = np.unique(hashes, return_counts=True)
    records = np.zeros(len(different), COUNT)
    records["hash"], records["count"], records["least"] = different, counts, least
    return records


def count_blobs(records: Sequence[Records], destinations: int) -> list[bytes]:
    """What a part sends to each destination."""
    joined = np.concatenate([np.zeros(0, COUNT), *records])
    joined = joined[np.argsort(joined["hash"], kind="stable")]
    return [blob.tobytes() for blob in np.split(joined, np.searchsorted(joined["hash"], bounds_of(destinations)))]


def frequent(blobs: Sequence[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    """A destination's blobs with the numbers of their parts -> to each part, its frequent COUNTs with their totals."""
    found = [np.frombuffer(content, COUNT) for _, content in blobs]
    records = np.concatenate([np.zeros(0, COUNT), *found])
    parts = np.repeat([number for number, _ in blobs], [len(each) for each in found]).astype(np.int64)
    order = np.argsort(records["hash"], kind="stable")
    records, parts = records[order], parts[order]
    starts, sizes = runs(records["hash"])
    totals = np.repeat(np.add.reduceat(records["count"].astype(np.int64), starts), sizes) if len(starts) else sizes
    chosen = totals >= records["least"]
    records["count"] = np.minimum(totals, np.iinfo(np.uint32).max)
    for number, own in by_part(parts[chosen], records[chosen]):
        yield number, own.tobytes()


def known(messages: Sequence[bytes]) -> Records:
    """The COUNTs that a part was sent, ascending."""
    records = np.concatenate([np.zeros(0, COUNT), *(np.frombuffer(content, COUNT) for content in messages)])
    return records[np.argsort(records["hash"], kind="stable")]


def places_in(hashes: U64, of: U64) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """For each of `hashes` whether it is in `of` (ascending), and where."""
    if not len(of):
        return np.zeros(len(hashes), np.bool_), np.zeros(len(hashes), np.int64)
    places = np.minimum(np.searchsorted(of, hashes), len(of) - 1)
    return of[places] == hashes, places
