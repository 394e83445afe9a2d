"""Personal data in columns of text: found and replaced by placeholders, in compiled code.

`corpusmill.filters.private.scan` finds, and decides as `corpusmill.filters.private.plain` defines it.  What was changed
is looked at again, until nothing is found: that happens once or twice, because what stands beside a placeholder and
was not personal data before seldom becomes it.
"""

import numpy as np
import pyarrow as pa

from corpusmill.arrow import Utf8Column
from corpusmill.filters.personal import mask_text, wanted_kinds
from corpusmill.filters.private.kinds import KINDS, TOKENS
from corpusmill.filters.private.scan import find_all, replace_all
from corpusmill.filters.private.tables import tables
from corpusmill.filters.settings import PiiSettings

__all__ = ["mask", "mask_text"]

_TOKENS = np.frombuffer(b"".join(TOKENS), np.uint8).copy()
_TOKEN_STARTS = np.cumsum([0, *map(len, TOKENS)]).astype(np.int64)


def mask(text: pa.Array | pa.ChunkedArray, settings: PiiSettings) -> tuple[pa.Array, dict[str, pa.Array]]:
    """Texts (n; string or large_string) with personal data replaced, and what was found.

    Returns the texts, in the same type, and int64 counts (n) by the setting of each kind; a count is null where the
    text is null, and everywhere if the settings leave that kind alone.
    """
    array = text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text
    wanted = wanted_kinds(settings)
    bits = sum(1 << kind for kind in wanted)
    column = Utf8Column.of(array)
    counts = np.zeros((len(KINDS), len(array)), np.int64)
    rows = np.arange(len(array))
    changed = False
    while len(rows) and bits:
        spans = find_all(column.data, column.offsets, rows, bits, tables())
        if not len(spans):
            break
        changed = True
        np.add.at(counts, (spans[:, 3], spans[:, 0]), 1)
        column = Utf8Column(*replace_all(column.data, column.offsets, spans, _TOKENS, _TOKEN_STARTS))
        rows = np.unique(spans[:, 0])

    missing = array.is_null().to_numpy(zero_copy_only=False)
    found = {
        kind.setting: pa.array(counts[number], mask=missing | (number not in wanted))
        for number, kind in enumerate(KINDS)
    }
    return (_of(column, array) if changed else array), found


def _of(column: Utf8Column, like: pa.Array) -> pa.Array:
    """A column of the type of another, with nulls where that one has them."""
    offsets = column.offsets if pa.types.is_large_string(like.type) else column.offsets.astype(np.int32)
    valid = pa.array(like.is_valid().to_numpy(zero_copy_only=False)).buffers()[1] if like.null_count else None
    size = int(column.offsets[-1])
    return pa.Array.from_buffers(like.type, len(like), [valid, pa.py_buffer(offsets), pa.py_buffer(column.data[:size])])
