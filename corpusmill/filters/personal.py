"""Personal data in one text: e-mail addresses and public IP addresses, checked exactly, in plain Python.

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

Regular expressions over the text's bytes find candidates, of the form of an address as far as that goes; what they find
is checked exactly.  Masking repeats itself on what it changed until there is nothing left, so masking twice equals
masking once.  `mask_text` masks one text, `corpusmill.filters.pii` whole columns, of which a kernel leaves few texts.

Cost: 0.02 s per MB without candidates; 0.9 s per MB of nothing but addresses, 0.3 of what only looks like them.

Imports neither numba nor pyarrow, so that showing a single document stays quick.
"""

import ipaddress
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from corpusmill.filters.scripts import CLUSTERS, IDEOGRAPHS
from corpusmill.filters.settings import PiiSettings

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

EMAIL, IPV4, IPV6 = 1, 2, 4  # kinds of candidates
ALL_KINDS = EMAIL | IPV4 | IPV6
MIN_IPV4, MAX_IPV4, MAX_IPV6 = 10, 15, 45  # characters; a shorter IPv4 address is taken for a version number

_EVERYTHING = PiiSettings()
_EMAIL = re.compile(
    rb"@(?<=[0-9A-Za-z\x80-\xff.%+_-]@)(?=([0-9A-Za-z\x80-\xff][0-9A-Za-z\x80-\xff-]*+(?:\.[0-9A-Za-z\x80-\xff-]++)++))"
)
_IPV4 = re.compile(rb"[0-9](?<![0-9.][0-9])[0-9]{0,2}(?:\.[0-9]{1,3}){3}\.*+(?![0-9])")
_IPV6 = re.compile(rb"[23](?<![0-9A-Za-z_.#:][23])[0-9A-Fa-f]{3}:[0-9A-Fa-f:.]{0,41}")  # the first is that of 2000::/3
_ASCII_LOCAL = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._%+-'"


class Span(NamedTuple):
    """A place where an address is."""

    start: int  # bytes in the text
    end: int
    token: str


def mask_text(text: str, settings: PiiSettings = _EVERYTHING) -> str:
    """One text with personal data replaced, as `corpusmill.filters.pii.mask` does it for columns."""
    content = text.encode("utf-8", "surrogatepass")
    while spans := find(content, settings):
        content = replaced(content, spans)
    return content.decode("utf-8", "surrogatepass")


def find(content: bytes, settings: PiiSettings, kinds: int = ALL_KINDS) -> list[Span]:
    """The addresses in a text: ascending, disjoint, never empty.  kinds: those that may be there."""
    emails: list[Span] = []
    if settings.emails and kinds & EMAIL:
        for found in _EMAIL.finditer(content):
            email = _email(content, found.start(), found.end(1), emails[-1].end if emails else 0)
            emails += [email] if email else []
    numbers: list[Span] = []
    if settings.ip_addresses:
        forms = [form for kind, form in ((IPV4, _IPV4), (IPV6, _IPV6)) if kinds & kind]
        found_numbers = (found for form in forms for found in form.finditer(content))
        numbers = [span for found in found_numbers if (span := _ip_address(content, found)) is not None]
    starts = [email.start for email in emails]
    free = [span for span in numbers if not _overlaps(span, emails, starts)]
    disjoint: list[Span] = []
    for span in sorted(emails + free):
        if not disjoint or span.start >= disjoint[-1].end:
            disjoint.append(span)
    return disjoint


def _overlaps(span: Span, others: Sequence[Span], starts: Sequence[int]) -> bool:
    """Whether a span shares bytes with one of others, which are ascending and disjoint and start at `starts`."""
    before = bisect_left(starts, span.end) - 1
    return before >= 0 and others[before].end > span.start


def replaced(content: bytes, spans: Iterable[Span]) -> bytes:
    """A text with its addresses replaced."""
    pieces, start = [], 0
    for span in spans:
        pieces += [content[start : span.start], span.token.encode()]
        start = span.end
    return b"".join([*pieces, content[start:]])


def _email(content: bytes, at: int, end: int, floor: int) -> Span | None:
    """The address around the @ at byte `at`, if it is one; it starts at byte `floor` or later and ends before `end`."""
    domain_length = _domain_length(content[at + 1 : min(end, at + 1 + 4 * MAX_DOMAIN)])
    if not domain_length:
        return None
    local_length = _local_length(content[max(floor, at - 4 * MAX_LOCAL - 4) : at])
    return Span(at - local_length, at + 1 + domain_length, EMAIL_TOKEN) if local_length else None


def _local_length(before: bytes) -> int:
    """Bytes of the longest end of a text that can stand before an @."""
    rest = before.rstrip(_ASCII_LOCAL)
    if rest and rest[-1] >= 0x80:
        return len(_local_part(str(before, "utf-8", "ignore")).encode())
    local = before[len(rest) :].lstrip(b".%+-'")
    return len(local) if len(local) <= MAX_LOCAL else 0


def _domain_length(after: bytes) -> int:
    """Bytes of the longest start of a text, labels with dots between them, that is a domain; 0 if there is none."""
    if not after.isascii():
        return len(_domain(str(after, "utf-8", "ignore")).encode())
    labels = after.decode().lower().split(".")
    best = position = 0
    for number, label in enumerate(labels):
        if not label or label[0] == "-" or label[-1] == "-":
            break
        if number > 0 and _is_top_level(label):
            best = position + len(label)
        position += len(label) + 1
    return best


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
        if start > 0 and _is_top_level(label.lower()):
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


@cache
def _is_spaceless(character: str) -> bool:
    """Is this a letter of a script that is written without spaces?"""
    if not character or unicodedata.category(character)[0] != "L":
        return False
    return any(first <= ord(character) <= last for first, last in (*IDEOGRAPHS, *CLUSTERS))


def _is_top_level(label: str) -> bool:
    """Whether a label in small letters is a top-level domain."""
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


def _ip_address(content: bytes, candidate: re.Match[bytes]) -> Span | None:
    start, end = candidate.span()
    number = str(candidate[0], "ascii").rstrip(".")
    is_v6 = candidate.re is _IPV6
    if is_v6 and number.endswith(":") and not number.endswith("::"):
        number = number[:-1]
    if not (_is_public_ipv6(number) if is_v6 else _is_public_ipv4(number)):
        return None
    end = start + len(number)
    before = str(content[max(0, start - _CONTEXT_BYTES) : start], "utf-8", "ignore")
    after = str(content[end : end + _CONTEXT_BYTES], "utf-8", "ignore")
    if _VERSION_BEFORE.search(before) or _NUMBER_GOES_ON.match(after):
        return None
    return Span(start, end, IP_TOKEN)


@lru_cache(maxsize=1 << 12)
def _is_public_ipv4(number: str) -> bool:
    if len(number) < MIN_IPV4 or number.endswith(".0"):
        return False
    try:
        address = ipaddress.IPv4Address(number)
    except ValueError:
        return False
    return address.is_global and not address.is_multicast


@lru_cache(maxsize=1 << 12)
def _is_public_ipv6(number: str) -> bool:
    if number.count(":") < 2 or number.endswith("::"):
        return False
    try:
        return ipaddress.IPv6Address(number).is_global
    except ValueError:
        return False
