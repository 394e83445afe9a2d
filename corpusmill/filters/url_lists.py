"""Lists of hosts and URLs: whether a page's address is on a list.

The format is that of UT1's black lists (Université Toulouse Capitole): a folder with the files `domains` and `urls`, or
one plain file with lines of either kind.  Upper and lower case, scheme, port, user and fragment do not matter.

    example.org             a host: it and all hosts below it, such as www.example.org
    example.org/a/b         the beginning of a URL of these hosts, which ends there or before one of / ? & ; = .
    *.example.org, ex*/bad  a pattern, in which * stands for anything: of the host, or of host and path

Hosts and beginnings are 64-bit hashes in a table: 4.6 million hosts take 134 MB.  Each URL is read once per label of
its host.  Patterns are one regular expression, so few of them are quick.
"""

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpusmill.arrow import Utf8Column
from corpusmill.errors import InputError
from corpusmill.filters.tokens import mixed, slot_of
from corpusmill.kernels import inner_kernel, kernel

MOST_PATTERNS = 10_000
LONGEST_HOST = 253  # bytes; DNS knows no longer one

_SCHEME = r"^[a-z][a-z0-9+.\-]*://"
_ADDRESS = rf"(?s){_SCHEME}(?:[^/?#]*@)?(?P<host>\[[^\]/?#]*\]|[^/?#:]*)(?::[^/?#]*)?(?P<rest>[^#]*)"  # RFC 3986


@dataclass(frozen=True, slots=True, eq=False)
class Addresses:
    """A list, ready to be looked for.  hosts, beginnings: uint64 (slots), hashes, 0 where empty."""

    hosts: npt.NDArray[np.uint64]
    beginnings: npt.NDArray[np.uint64]
    host_patterns: re.Pattern[str] | None
    url_patterns: re.Pattern[str] | None
    entries: int


def read_url_list(content: bytes, where: str) -> Addresses:
    """The list in a file.  InputError if it is not UTF-8, or empty."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: the list is not UTF-8: {error.reason} at byte {error.start}") from None
    lines = pc.split_pattern(pa.array([text], pa.large_string()), "\n").values.cast(pa.large_string())
    lines = pc.utf8_trim_whitespace(pc.utf8_lower(lines))
    lines = pc.replace_substring_regex(lines, rf"{_SCHEME}|^//", "")
    lines = lines.filter(pc.not_equal(lines, ""))
    if not len(lines):
        raise InputError(f"{where}: the list is empty")
    with_star = pc.match_substring(lines, "*")
    plain, starred = lines.filter(pc.invert(with_star)), lines.filter(with_star).to_pylist()
    if len(starred) > MOST_PATTERNS:
        raise InputError(f"{where}: the list has {len(starred)} lines with '*'; at most {MOST_PATTERNS} are allowed")
    whole = pc.replace_substring_regex(plain, r"/$", "")  # a host alone, as squidGuard takes it
    is_host = pc.invert(pc.match_substring(whole, "/"))
    hosts = pc.utf8_trim(_in_dns(whole.filter(is_host)), ".")
    return Addresses(
        _table(hosts.filter(pc.not_equal(hosts, ""))),
        _table(plain.filter(pc.invert(is_host))),
        _pattern([line for line in starred if "/" not in line]),
        _pattern([line for line in starred if "/" in line]),
        len(lines),
    )


def are_listed(addresses: Addresses, urls: pa.Array) -> pa.Array:
    """Whether each of n URLs is on the list: bool (n); null for null and for what has no host."""
    parts = pc.extract_regex(pc.utf8_lower(urls.cast(pa.large_string())), _ADDRESS)
    hosts, rests = pc.struct_field(parts, "host"), pc.struct_field(parts, "rest")
    hosts = pc.utf8_rtrim(_in_dns(hosts), ".")
    whole = pc.binary_join_element_wise(hosts, rests, pa.scalar("", pa.large_string()))
    column, lengths = Utf8Column.of(whole), np.array(pc.binary_length(hosts).fill_null(0), np.int64)
    found = np.zeros(len(urls), np.bool_)
    _look(column.data, column.offsets, lengths, addresses.hosts, addresses.beginnings, found)
    for pattern, texts in ((addresses.host_patterns, hosts), (addresses.url_patterns, whole)):
        if pattern is not None:
            found |= np.array(
                [text is not None and pattern.fullmatch(text) is not None for text in texts.to_pylist()], np.bool_
            )
    return pa.array(found, mask=np.array(lengths == 0))


def _in_dns(hosts: pa.Array) -> pa.Array:
    """Hosts as they stand in DNS."""
    if pc.all(pc.string_is_ascii(hosts), min_count=0).as_py():
        return hosts
    return pa.array([host and _ascii_host(host) for host in hosts.to_pylist()], pa.large_string())


def _ascii_host(host: str) -> str:
    """A host as it stands in DNS; as it is if it cannot stand there."""
    try:
        return host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        return host


def _pattern(patterns: list[str]) -> re.Pattern[str] | None:
    if not patterns:
        return None
    return re.compile("|".join(re.escape(pattern).replace(r"\*", ".*") for pattern in patterns), re.DOTALL)


def _table(texts: pa.Array) -> npt.NDArray[np.uint64]:
    """Hashes of texts in a table with open addressing."""
    slots = 16
    while slots < 2 * len(texts):
        slots *= 2
    table = np.zeros(slots, np.uint64)
    column = Utf8Column.of(texts)
    _fill(column.data, column.offsets, table)
    return table


_SEED, _PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x9E3779B97F4A7C15)


@inner_kernel
def _hash(value: np.uint64) -> np.uint64:
    return mixed(value) | np.uint64(1)


@kernel
def _fill(data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64], table: npt.NDArray[np.uint64]) -> None:
    for row in range(len(offsets) - 1):
        value = _SEED
        for i in range(offsets[row], offsets[row + 1]):
            value = (value ^ np.uint64(data[i])) * _PRIME
        hashed = _hash(value)
        table[slot_of(table, hashed)] = hashed


@kernel
def _look(
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    host_lengths: npt.NDArray[np.int64],
    hosts: npt.NDArray[np.uint64],
    beginnings: npt.NDArray[np.uint64],
    found: npt.NDArray[np.bool_],
) -> None:
    for row in range(len(offsets) - 1):
        start, end = offsets[row], offsets[row + 1]
        host_end = start + host_lengths[row]
        first = start
        while host_end - first > LONGEST_HOST:  # else a host of many labels would take quadratic time
            while first < host_end and data[first] != 0x2E:
                first += 1
            first += 1
        while first < host_end and not found[row]:
            value = _SEED
            i = first
            while i < host_end:
                value = (value ^ np.uint64(data[i])) * _PRIME
                i += 1
            hashed = _hash(value)
            if hosts[slot_of(hosts, hashed)] == hashed:
                found[row] = True
            while i < end and not found[row]:
                byte = data[i]
                value = (value ^ np.uint64(byte)) * _PRIME
                i += 1
                if _parts(byte) or i == end or _parts(data[i]):
                    hashed = _hash(value)
                    if beginnings[slot_of(beginnings, hashed)] == hashed:
                        found[row] = True
            while first < host_end and data[first] != 0x2E:
                first += 1
            first += 1


@inner_kernel
def _parts(byte: int) -> bool:
    """Whether a beginning of a URL may end before or after this sign: one of / ? & ; = ."""
    return byte == 0x2F or byte == 0x3F or byte == 0x26 or byte == 0x3B or byte == 0x3D or byte == 0x2E
