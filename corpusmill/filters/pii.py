"""Personal data in columns of text: found and replaced by `<email>` and `<ip>`.

A kernel finds candidates in the bytes (an `@` between characters of words, digits with three dots, hexadecimal digits
with colons); `corpusmill.filters.personal` checks each of them exactly in Python, which is cheap, because few pages
have any.  What is an address, and what is left alone, is said there.

Cost: the kernel reads .7 GB/s on one core; with an e-mail address in nearly every document, all in all .1 to .2 GB/s.
"""

from collections.abc import Iterator
from itertools import groupby

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpusmill.arrow import Utf8Column
from corpusmill.filters.personal import (
    EMAIL,
    EMAIL_TOKEN,
    IP_TOKEN,
    IPV4,
    IPV6,
    MAX_IPV6,
    Candidate,
    find,
    mask_text,
    replaced,
)
from corpusmill.filters.settings import PiiSettings
from corpusmill.kernels import kernel

__all__ = ["EMAIL_TOKEN", "IP_TOKEN", "mask", "mask_text"]

DOT, ZERO, NINE, COLON, AT = 0x2E, 0x30, 0x39, 0x3A, 0x40
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
        for row, candidates in _by_row(column):
            content = column.data[column.offsets[row] : column.offsets[row + 1]].tobytes()
            spans = find(content, candidates, settings)
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


def _by_row(column: Utf8Column) -> Iterator[tuple[int, list[Candidate]]]:
    """Rows with candidates, ascending, and these in the order of their places."""
    for row, found in groupby(_candidates(column).tolist(), key=lambda candidate: int(candidate[0])):
        yield row, [Candidate(*candidate[1:]) for candidate in found]


def _candidates(column: Utf8Column) -> npt.NDArray[np.int64]:
    """All candidates, by row and place: int64 (m, 4), columns row and those of `Candidate`."""
    data = column.data.view()
    data.flags.writeable = False  # numba compiles a kernel twice for arrays that are read-only and those that are not
    capacity = 1024 + len(column.data) // 4096
    while True:
        found = np.empty((capacity, 4), np.int64)
        n = _scan(data, column.offsets, _TRIGGERS, found)
        if n <= capacity:
            return found[:n]
        capacity = n


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
    found: npt.NDArray[np.int64],
) -> int:
    """Write as many candidates as there is room for; return how many there are."""
    n = 0
    for row in range(len(offsets) - 1):
        first, last = offsets[row], offsets[row + 1]
        i = first
        while True:
            while i < last and not triggers[data[i]]:
                i += 1
            if i == last:
                break
            byte = data[i]
            kind, start, end = -1, i, i + 1
            if byte == AT:
                if i > first and end < last and _is_local(data[i - 1]) and _is_word_byte(data[end]):
                    kind = EMAIL
            elif ZERO <= byte <= NINE:  # the start of a run of digits and dots
                dots = 0
                while end < last and (ZERO <= data[end] <= NINE or data[end] == DOT):
                    dots += data[end] == DOT
                    end += 1
                if dots >= 3 and (start == first or data[start - 1] != DOT):
                    kind = IPV4
            elif i - first >= 4:  # a colon, after the first four digits of an IPv6 address
                start = i
                while start > i - 4 and _is_hexadecimal(data[start - 1]):
                    start -= 1
                stop, colons = end, 1
                while stop < last and stop - start <= MAX_IPV6 and (_is_hexadecimal(data[stop]) or data[stop] == DOT):
                    colons += data[stop] == COLON
                    stop += 1
                if start == i - 4 and colons >= 2:
                    kind = IPV6
            if kind >= 0:
                if n < len(found):
                    found[n, 0], found[n, 1], found[n, 2] = row, kind, start - first
                    found[n, 3] = (stop if kind == IPV6 else end) - first
                n += 1
            i = end
    return n
