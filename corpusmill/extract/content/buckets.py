"""Hash tables that are read without branches, from a 32-bit key to a 16-bit number.

A bucket is two adjacent entries.  The lower bits of a key choose the bucket, and the upper 16 bits identify the key in
it.  Reading a number takes two comparisons in all cases.  There are no chains of entries, and no branches that the
processor could predict wrongly.

The table is not exact: a third key has no room in a bucket, and one in 65,536 keys is taken for another.  This is
enough for the weight of a word, or for its presence in a headline.

Cost: 5 ns per word.  Open addressing took more than twice as long.
"""

import numpy as np
import numpy.typing as npt

from corpusmill.extract.segments.arithmetic import i64
from corpusmill.extract.segments.lean import lean_entry

U32 = npt.NDArray[np.uint32]


def build(keys: U32, numbers: npt.NDArray[np.integer], importance: npt.NDArray[np.floating]) -> U32:
    """A table of distinct keys (n,) and their numbers (n,), of which the lower 16 bits are kept -> its entries.

    If there is no room for all keys, the most important ones get it.  The number of all other keys is 0.
    """
    n_buckets = 16
    while n_buckets < 2 * len(keys):
        n_buckets *= 2
    bucket, mark = (keys & np.uint32(n_buckets - 1)).astype(np.int64), np.maximum(keys >> 16, 1)
    order = np.lexsort((keys, -importance))
    order = order[np.sort(np.unique(bucket[order] << 16 | mark[order], return_index=True)[1])]  # one per mark
    order = order[np.argsort(bucket[order], kind="stable")]
    place = np.arange(len(order))
    is_first = np.diff(bucket[order], prepend=-1) != 0
    rank = place - np.maximum.accumulate(np.where(is_first, place, 0))
    kept, rank = order[rank < 2], rank[rank < 2]
    entries = np.zeros(2 * n_buckets, np.uint32)
    entries[2 * bucket[kept] + rank] = mark[kept] << 16 | (numbers[kept] & 0xFFFF).astype(np.uint32)
    return entries


@lean_entry
def look_up(entries: U32, key: np.uint32) -> int:
    """The number of a key, or 0 if it has none."""
    at = 2 * (i64(key) & (len(entries) // 2 - 1))
    mark = max(i64(key) >> 16, 1)
    first, second = i64(entries[at]), i64(entries[at + 1])
    return (first if first >> 16 == mark else second if second >> 16 == mark else 0) & 0xFFFF


@lean_entry
def add_bits(entries: U32, key: np.uint32, bits: int) -> bool:
    """Set bits (below 2^16) in the number of a key -> whether there was room for the key."""
    at = 2 * (i64(key) & (len(entries) // 2 - 1))
    mark = max(i64(key) >> 16, 1)
    for k in range(at, at + 2):
        if entries[k] == 0 or i64(entries[k]) >> 16 == mark:
            entries[k] = mark << 16 | i64(entries[k]) & 0xFFFF | bits
            return True
    return False
