"""What an edit did to each text, counted by comparing the texts before and after it: the same for every edit.

    lines   lines of the text before that are not in the text after.  A line that occurs several times counts as often
            as it became rarer.  So a removed line and a changed line count 1; an edit that only moves lines counts 0.
    chars   characters of the text before, less those of the text after.  So the counts of all edits add up: they are
            the characters of the extracted text less those of the edited text.

Lines are what lies between newlines.  An empty text has none.  Lines are compared by hashes of 64 bits, in a hash table
for each text that changed, with no search for the shortest difference: the time is linear in the size of these texts.
Cost: 300 MB/s.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpusmill.arrow import Bytes, Utf8Column
from corpusmill.filters.edits.base import Edited, PlacedEdit
from corpusmill.filters.edits.kernels.lines import Places
from corpusmill.kernels import inner_kernel, kernel

NEWLINE = 0x0A
SEED, PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x9E3779B97F4A7C15)


def counted(before: pa.Array, edit: PlacedEdit) -> tuple[pa.Array, dict[str, pa.Array]]:
    """Texts (n, large_string) after the edit, and its counts (n); null where the text is null."""
    found = edit.edit(before)
    after, more = (found.texts, found.counts) if isinstance(found, Edited) else (found, {})
    chars = pc.subtract(pc.cast(pc.utf8_length(before), pa.int64()), pc.cast(pc.utf8_length(after), pa.int64()))
    return after, {
        edit.lines_column: changed_lines(before, after),
        edit.chars_column: chars,
        **{f"edit_{edit.name}_{name}": values for name, values in more.items()},
    }


def changed_lines(before: pa.Array, after: pa.Array) -> pa.Array:
    """How many lines of each text before are not in the text after: int64 (n)."""
    counts = np.zeros(len(before), np.int64)
    missing = before.is_null().to_numpy(zero_copy_only=False)
    if before is not after:
        changed = pc.fill_null(pc.not_equal(before, after), False)
        rows = np.flatnonzero(changed.to_numpy(zero_copy_only=False))
        old, new = Utf8Column.of(before), Utf8Column.of(after)
        _count(old.data, old.offsets, new.data, new.offsets, rows, counts)
    return pa.array(counts, mask=missing)


def lines_of(text: str) -> list[str]:
    """The lines of a text, blank ones included."""
    return text.split("\n") if text else []


@inner_kernel
def _line_end(data: Bytes, start: int, end: int) -> tuple[int, np.uint64]:
    """Where the line that begins at `start` ends, and its hash, which is not 0."""
    found = SEED
    while start < end and data[start] != NEWLINE:
        found = (found ^ np.uint64(data[start])) * PRIME
        start += 1
    found ^= found >> np.uint64(32)
    return start, found | np.uint64(1)


@inner_kernel
def _slot(keys: npt.NDArray[np.uint64], mask: int, key: np.uint64) -> int:
    """Where a key is in a hash table, or would be."""
    slot = int(key >> np.uint64(1)) & mask
    while keys[slot] != 0 and keys[slot] != key:
        slot = (slot + 1) & mask
    return slot


@kernel
def _count(before: Bytes, starts: Places, after: Bytes, after_starts: Places, rows: Places, counts: Places) -> None:
    """For each of the rows, the number of lines before that have no partner after."""
    keys, numbers = np.zeros(16, np.uint64), np.zeros(16, np.int64)
    for row in rows:
        start, end = starts[row], starts[row + 1]
        n_lines = 1
        for i in range(start, end):
            n_lines += before[i] == NEWLINE
        size = 16
        while size < 2 * n_lines:
            size *= 2
        if size > len(keys):
            keys, numbers = np.zeros(size, np.uint64), np.zeros(size, np.int64)
        keys[:size] = 0
        numbers[:size] = 0
        if start == end:
            continue
        while start <= end:
            start, key = _line_end(before, start, end)
            slot = _slot(keys, size - 1, key)
            keys[slot] = key
            numbers[slot] += 1
            start += 1
        start, end = after_starts[row], after_starts[row + 1]
        while start <= end and end > after_starts[row]:
            start, key = _line_end(after, start, end)
            slot = _slot(keys, size - 1, key)
            if numbers[slot] > 0:
                numbers[slot] -= 1
                n_lines -= 1
            start += 1
        counts[row] = n_lines
