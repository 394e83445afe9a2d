"""Personal data: e-mail addresses and public IP addresses, found and replaced by `<email>` and `<ip>`.

A kernel finds candidates in the bytes (an `@` between characters of words, digits with three dots, hexadecimal digits
with colons); Python checks each of them exactly, which is cheap, because few pages have any.

What is an address, and what is left alone:

- E-mail: `local@domain.tld` with a top-level domain that exists (Public Suffix List) or is reserved (`example`,
  `local`, ...), so `icon@2x.png`, `a@b.T` and `user@localhost` are none.  Letters of all scripts are allowed on both
  sides (RFC 6531), but where letters with and without spaces between words meet, the address ends: in
  `请联系user@example.com的` it is `user@example.com`.  Words after a sentence's end without a space do not belong to
  it (`a@b.com.Thanks`).  Obfuscated addresses (`user at example dot com`) are left alone.
- IPv4: four numbers up to 255 without leading zeros that are a public unicast address.  Private, loopback and
  multicast addresses and those of documentation identify nobody, nor do networks, which end in `.0`.  Version numbers
  have the same form; taken for one are numbers of six digits or fewer (`1.2.3.4`, `3.36.10.2`; one address in 600),
  what follows a word such as `version` or `v`, a name and `/`, `-` or `_` (`Chrome/120.0.61.9`), what is part of a
  longer number, and what goes on with a letter (`4.19.113.2-rc1`).
- IPv6: what RFC 4291 allows, in 2000::/3 and public, and no network (`2001:4860::`); so no `std::sort`, no times, no
  MAC addresses.

`mask` repeats itself on what it changed until there is nothing left, so masking twice equals masking once.
Cost: the kernel reads .7 GB/s a core; with an e-mail address in nearly every document, all in all .1 to .2 GB/s.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpusmill.arrow import Utf8Column
from corpusmill.filters.characters import CLUSTER, IDEOGRAPH, N_CODE_POINTS, character_classes
from corpusmill.kernels import kernel
from corpusmill.recipe import PiiSettings

EMAIL_TOKEN = "<email>"
IP_TOKEN = "<ip>"

MAX_LOCAL = 64  # characters before the @, RFC 5321
MAX_DOMAIN = 253
RESERVED_DOMAINS = frozenset({"example", "test", "invalid", "local", "onion", "internal", "alt"})
"""Top-level domains that are not in the DNS and yet stand in addresses (RFC 2606, 6761, 6762, 7686, 9476; ICANN)."""

_VERSION_BEFORE = re.compile(
    r"(?:\b(?:v|vers?|versi\w*|vers[aã]o|wersj\w|верси\w|版本号?|バージョン|releases?|rel|rev|revision|build|firmware|kernel"
    r"|driver|section|sect?|chapter|clause)\.?[ \t:=#]*|[A-Za-z][/_-]|[A-Za-z0-9_.§#])$",
    re.IGNORECASE,
)
_NUMBER_GOES_ON = re.compile(r"[-+_]?[A-Za-z]|_|-\d+-?[A-Za-z]|\.\w")
_CONTEXT_BYTES = 24  # that are looked at before and after a number

_EMAIL, _IPV4, _IPV6 = range(3)
DOT, ZERO, NINE, COLON, AT = 0x2E, 0x30, 0x39, 0x3A, 0x40
MIN_IPV4, MAX_IPV6 = 10, 45  # characters; a shorter IPv4 address is taken for a version number
_TRIGGERS = np.isin(np.arange(256), [*b"@:0123456789"])


class _Candidate(NamedTuple):
    row: int
    kind: int
    start: int  # byte in the row; an e-mail address's is that of its @
    end: int


class _Span(NamedTuple):
    start: int  # bytes in the row
    end: int
    token: str


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
        for row, spans in _find(column, settings):
            content = column.data[column.offsets[row] : column.offsets[row + 1]].tobytes()
            changed[int(rows[row])] = _replace(content, spans)
            for span in spans:
                counts[span.token][rows[row]] += 1
        edited |= changed
        rows = np.fromiter(changed, np.int64)
        column = Utf8Column.of(pa.array(list(changed.values()), pa.large_binary()))

    missing = array.is_null().to_numpy(zero_copy_only=False)
    emails = pa.array(counts[EMAIL_TOKEN], mask=missing | (not settings.emails))
    ips = pa.array(counts[IP_TOKEN], mask=missing | (not settings.ip_addresses))
    return _with_rows(array, edited), emails, ips


def mask_text(text: str) -> str:
    """One text with all personal data replaced."""
    masked, _, _ = mask(pa.array([text], pa.large_string()), PiiSettings())
    return str(masked[0].as_py())


def _with_rows(array: pa.Array, edited: dict[int, bytes]) -> pa.Array:
    """The array with some rows replaced; the stretches between them are copied as they are."""
    pieces, start = [], 0
    for row in sorted(edited):
        pieces += [array.slice(start, row - start), pa.array([edited[row].decode()], array.type)]
        start = row + 1
    return pa.concat_arrays([*pieces, array.slice(start)]) if edited else array


def _replace(content: bytes, spans: list[_Span]) -> bytes:
    pieces, start = [], 0
    for span in spans:
        pieces += [content[start : span.start], span.token.encode()]
        start = span.end
    return b"".join([*pieces, content[start:]])


def _find(column: Utf8Column, settings: PiiSettings) -> Iterator[tuple[int, list[_Span]]]:
    """Rows with personal data, ascending, and in each its places: ascending, disjoint, never empty."""
    kinds = [settings.emails, settings.ip_addresses, settings.ip_addresses]
    by_row: dict[int, list[_Candidate]] = {}
    for candidate in map(_Candidate._make, _candidates(column).tolist()):
        if kinds[candidate.kind]:
            by_row.setdefault(candidate.row, []).append(candidate)
    for row, candidates in by_row.items():
        content = column.data.data[column.offsets[row] : column.offsets[row + 1]]
        emails: list[_Span] = []
        for candidate in candidates:
            if candidate.kind == _EMAIL:
                email = _email(content, candidate.start, emails[-1].end if emails else 0)
                emails += [email] if email else []
        spans = emails + [
            span
            for candidate in candidates
            if candidate.kind != _EMAIL and (span := _ip_address(content, candidate))
            if not any(span.start < email.end and email.start < span.end for email in emails)
        ]
        disjoint: list[_Span] = []
        for span in sorted(spans):
            if not disjoint or span.start >= disjoint[-1].end:
                disjoint.append(span)
        if disjoint:
            yield row, disjoint


def _email(content: memoryview, at: int, floor: int) -> _Span | None:
    """The address around the @ at byte `at`, if it is one; it starts at byte `floor` or later."""
    before = str(content[max(floor, at - 4 * MAX_LOCAL - 4) : at], "utf-8", "ignore")
    after = str(content[at + 1 : at + 1 + 4 * MAX_DOMAIN], "utf-8", "ignore")
    local = _local_part(before)
    domain = _domain(after)
    if not local or not domain:
        return None
    return _Span(at - len(local.encode()), at + 1 + len(domain.encode()), EMAIL_TOKEN)


def _local_part(before: str) -> str:
    """The longest end of a text that can stand before an @; empty if it is too long for that."""
    start = len(before)
    spaceless = _is_spaceless(before[-1:])
    while start and (before[start - 1] in "._%+-'" or _is_word(before[start - 1], spaceless)):
        start -= 1
    local = before[start:].lstrip(".%+-'")
    return local if len(local) <= MAX_LOCAL else ""


def _domain(after: str) -> str:
    """The longest start of a text that is a domain with two labels or more and a top-level domain; empty if none."""
    best = position = 0
    while position < len(after):
        start = position
        spaceless = _is_spaceless(after[start])
        while position < len(after) and (after[position] == "-" or _is_word(after[position], spaceless)):
            position += 1
        label = after[start:position]
        if not label or label[0] == "-" or label[-1] == "-":
            break
        if start > 0 and _is_top_level(label):
            best = position
        if after[position : position + 1] != ".":
            break
        position += 1
    return after[:best]


def _is_word(character: str, spaceless: bool) -> bool:
    """Is this a letter, digit or mark, and of a script with or without spaces as wanted?  ASCII goes with both."""
    if character.isascii():
        return character.isalnum()
    return unicodedata.category(character)[0] in "LMN" and (spaceless or not _is_spaceless(character))


def _is_spaceless(character: str) -> bool:
    code = ord(character) if character else 0
    return code < N_CODE_POINTS and bool(character_classes()[code] & (IDEOGRAPH | CLUSTER))


def _is_top_level(label: str) -> bool:
    label = label.lower()
    if label.startswith("xn--"):
        try:
            label = label.encode("ascii").decode("idna")
        except UnicodeError:  # not the encoding of anything
            return False
    return label in _top_level_domains()


@cache
def _top_level_domains() -> frozenset[str]:
    from tldextract import TLDExtract  # takes .2 s, and most corpora's first parts have no candidate

    suffixes = TLDExtract(suffix_list_urls=(), cache_dir=None).tlds  # the list that comes with the library
    return frozenset(suffix.rpartition(".")[2] for suffix in suffixes) | RESERVED_DOMAINS


def _ip_address(content: memoryview, candidate: _Candidate) -> _Span | None:
    start, end = candidate.start, candidate.end
    number = str(content[start:end], "ascii").rstrip(".")
    if candidate.kind == _IPV6 and number.endswith(":") and not number.endswith("::"):
        number = number[:-1]
    end = start + len(number)
    before = str(content[max(0, start - _CONTEXT_BYTES) : start], "utf-8", "ignore")
    after = str(content[end : end + _CONTEXT_BYTES], "utf-8", "ignore")
    public = _is_public_ipv4(number) if candidate.kind == _IPV4 else _is_public_ipv6(number)
    if not public or _VERSION_BEFORE.search(before) or _NUMBER_GOES_ON.match(after):
        return None
    if candidate.kind == _IPV6 and before.endswith(":"):
        return None
    return _Span(start, end, IP_TOKEN)


def _is_public_ipv4(number: str) -> bool:
    if len(number) < MIN_IPV4 or number.endswith(".0"):
        return False
    try:
        address = ipaddress.IPv4Address(number)
    except ValueError:
        return False
    return address.is_global and not address.is_multicast


def _is_public_ipv6(number: str) -> bool:
    if number[0] not in "23" or number.endswith("::"):  # 2000::/3 is all that is assigned to anyone
        return False
    try:
        return ipaddress.IPv6Address(number).is_global
    except ValueError:
        return False


def _candidates(column: Utf8Column) -> npt.NDArray[np.int64]:
    """All candidates, by row and place: int64 (m, 4), columns as in `_Candidate`."""
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
                    kind = _EMAIL
            elif ZERO <= byte <= NINE:  # the start of a run of digits and dots
                dots = 0
                while end < last and (ZERO <= data[end] <= NINE or data[end] == DOT):
                    dots += data[end] == DOT
                    end += 1
                if dots >= 3 and (start == first or data[start - 1] != DOT):
                    kind = _IPV4
            elif i - first >= 4:  # a colon, after the first four digits of an IPv6 address
                start = i
                while start > i - 4 and _is_hexadecimal(data[start - 1]):
                    start -= 1
                stop, colons = end, 1
                while stop < last and stop - start <= MAX_IPV6 and (_is_hexadecimal(data[stop]) or data[stop] == DOT):
                    colons += data[stop] == COLON
                    stop += 1
                if start == i - 4 and colons >= 2:
                    kind = _IPV6
            if kind >= 0:
                if n < len(found):
                    found[n, 0], found[n, 1], found[n, 2] = row, kind, start - first
                    found[n, 3] = (stop if kind == _IPV6 else end) - first
                n += 1
            i = end
    return n
