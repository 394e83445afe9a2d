"""Personal data in columns of text: found and replaced by `<email>` and `<ip>`.

A kernel says which texts may have any: an `@` between characters of words with a dot behind it, digits with three dots,
hexadecimal digits with colons.  `corpusmill.filters.personal` looks for addresses in these, in Python, which is cheap,
because few pages have any.  What is an address, and what is left alone, is said there.

Cost: the kernel reads 1 GB/s on one core; with an e-mail address in nearly every document, all in all .1 to .2 GB/s.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpusmill.arrow import Utf8Column
from corpusmill.filters.personal import (
    ALL_KINDS,
    EMAIL,
    EMAIL_TOKEN,
    IP_TOKEN,
    IPV4,
    IPV6,
    MAX_IPV4,
    MAX_IPV6,
    MIN_IPV4,
    find,
    mask_text,
    replaced,
)
from corpusmill.filters.settings import PiiSettings
from corpusmill.kernels import kernel

__all__ = ["EMAIL_TOKEN", "IP_TOKEN", "mask", "mask_text"]

HYPHEN, DOT, ZERO, TWO, THREE, NINE, COLON, AT = 0x2D, 0x2E, 0x30, 0x32, 0x33, 0x39, 0x3A, 0x40
_TRIGGERS = np.isin(np.arange(256), [*b"@:0123456789"])


def mask(text: pa.Array | pa.ChunkedArray, settings: PiiSettings) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Texts (n; string or large_string) with personal data replaced, and what was found.

    Returns the texts, in the same type, and int64 counts (n) of e-mail addresses and of IP addresses; a count is null
    where the text is null, and everywhere if the settings leave that kind alone.
    """
    array = text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text
    counts = {EMAIL_TOKEN: np.zeros(len(array), np.int64), IP_TOKEN: np.zeros(len(array), np.int64)}
    edited: dict[int, bytes] = {}
    column = Utf8Column.of(array)
    rows = np.arange(len(array))
    while len(rows):  # the rows that the last turn changed
        changed: dict[int, bytes] = {}
        kinds = _kinds(column)
        for row in np.flatnonzero(kinds).tolist():
            content = column.data[column.offsets[row] : column.offsets[row + 1]].tobytes()
            spans = find(content, settings, int(kinds[row]))
            if spans:
                changed[int(rows[row])] = replaced(content, spans)
            for span in spans:
                counts[span.token][rows[row]] += 1
        edited |= changed
        rows = np.fromiter(changed, np.int64)
        column = Utf8Column.of(pa.array(list(changed.values()), pa.large_binary()))

    missing = array.is_null().to_numpy(zero_copy_only=False)
    emails = pa.array(counts[EMAIL_TOKEN], mask=missing | (not settings.emails))
    ips = pa.array(counts[IP_TOKEN], mask=missing | (not settings.ip_addresses))
    return _with_rows(array, edited), emails, ips


def _with_rows(array: pa.Array, edited: dict[int, bytes]) -> pa.Array:
    """The array with some rows replaced; the stretches between them are copied as they are."""
    pieces, start = [], 0
    for row in sorted(edited):
        pieces += [array.slice(start, row - start), pa.array([edited[row].decode()], array.type)]
        start = row + 1
    return pa.concat_arrays([*pieces, array.slice(start)]) if edited else array


def _kinds(column: Utf8Column) -> npt.NDArray[np.uint8]:
    """Of which kinds there may be addresses in each of n texts: uint8 (n)."""
    data = column.data.view()
    data.flags.writeable = False  # numba compiles a kernel twice for arrays that are read-only and those that are not
    kinds = np.zeros(len(column.offsets) - 1, np.uint8)
    _scan(data, column.offsets, _TRIGGERS, kinds)
    return kinds


@kernel
def _is_word_byte(byte: int) -> bool:
    """ASCII letters and digits, and every byte of other characters."""
    return ZERO <= byte <= NINE or 0x41 <= byte <= 0x5A or 0x61 <= byte <= 0x7A or byte >= 0x80


@kernel
def _is_local(byte: int) -> bool:
    """What can stand before an @: %+-._ and bytes of words."""
    return _is_word_byte(byte) or byte == DOT or byte == 0x25 or byte == 0x2B or byte == 0x2D or byte == 0x5F


@kernel
def _is_hexadecimal(byte: int) -> bool:
    """Hexadecimal digits and the colon."""
    return ZERO <= byte <= COLON or 0x41 <= byte <= 0x46 or 0x61 <= byte <= 0x66


@kernel
def _scan(
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    triggers: npt.NDArray[np.bool_],
    kinds: npt.NDArray[np.uint8],
) -> None:
    """Set the kinds of addresses that each text may have."""
    for row in range(len(offsets) - 1):
        first, last = offsets[row], offsets[row + 1]
        found = 0
        i = first
        while found != ALL_KINDS:
            while i < last and not triggers[data[i]]:
                i += 1
            if i == last:
                break
            byte, end = data[i], i + 1
            if byte == AT:
                if i > first and end < last and _is_local(data[i - 1]) and _is_word_byte(data[end]):
                    while end < last and (_is_word_byte(data[end]) or data[end] == HYPHEN):
                        end += 1
                    if (
                        end + 1 < last
                        and data[end] == DOT
                        and (_is_word_byte(data[end + 1]) or data[end + 1] == HYPHEN)
                    ):
                        found |= EMAIL
                    end = i + 1  # there may be numbers in the domain
            elif byte <= NINE:  # the start of a run of digits and dots
                dots = 0
                while end < last and (ZERO <= data[end] <= NINE or data[end] == DOT):
                    dots += data[end] == DOT
                    end += 1
                stop = end
                while data[stop - 1] == DOT:
                    stop -= 1
                if dots - (end - stop) == 3 and MIN_IPV4 <= stop - i <= MAX_IPV4:
                    found |= IPV4
            elif i - first >= 4 and (data[i - 4] == TWO or data[i - 4] == THREE):  # a colon
                start, stop, colons = i - 1, end, 1
                while start > i - 4 and _is_hexadecimal(data[start]):
                    start -= 1
                while stop < last and stop - start <= MAX_IPV6 and (_is_hexadecimal(data[stop]) or data[stop] == DOT):
                    colons += data[stop] == COLON
                    stop += 1
                if start == i - 4 and colons >= 2:
                    found |= IPV6
            i = end
        kinds[row] = found
