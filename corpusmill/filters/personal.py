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

`mask_text` masks one text; `corpusmill.filters.pii` finds candidates in whole columns with a kernel and asks here.
Both repeat themselves on what they changed until there is nothing left, so masking twice equals masking once.

Imports neither numba nor pyarrow, so that showing a single document stays quick.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
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

EMAIL, IPV4, IPV6 = range(3)  # kinds of candidates
MIN_IPV4, MAX_IPV6 = 10, 45  # characters; a shorter IPv4 address is taken for a version number

_EVERYTHING = PiiSettings()
_TRIGGERS = re.compile(rb"[0-9][0-9.]*|[@:]")
_LOCAL = re.compile(rb"[0-9A-Za-z\x80-\xff.%+_-]")
_WORD = re.compile(rb"[0-9A-Za-z\x80-\xff]")
_HEXADECIMAL = re.compile(rb"[0-9A-Fa-f:]+")
_GOES_ON = re.compile(rb"[0-9A-Fa-f:.]*")


class Candidate(NamedTuple):
    """A place where an address may be."""

    kind: int
    start: int  # byte in the text; an e-mail address's is that of its @
    end: int


class Span(NamedTuple):
    """A place where an address is."""

    start: int  # bytes in the text
    end: int
    token: str


def mask_text(text: str, settings: PiiSettings = _EVERYTHING) -> str:
    """One text with personal data replaced, as `corpusmill.filters.pii.mask` does it for columns."""
    content = text.encode("utf-8", "surrogatepass")
    while spans := find(content, _candidates(content), settings):
        content = replaced(content, spans)
    return content.decode("utf-8", "surrogatepass")


def _candidates(content: bytes) -> Iterator[Candidate]:
    """What the kernel of `corpusmill.filters.pii` finds in a text, by regular expressions."""
    for trigger in _TRIGGERS.finditer(content):
        start, end = trigger.span()
        match content[start : start + 1]:
            case b"@":
                if start > 0 and _LOCAL.match(content, start - 1) and _WORD.match(content, end):
                    yield Candidate(EMAIL, start, end)
            case b":":
                if start >= 4 and _HEXADECIMAL.fullmatch(content, start - 4, start):
                    goes_on = _GOES_ON.match(content, end, start - 4 + MAX_IPV6 + 1)
                    assert goes_on is not None, "it also matches nothing"
                    if content.count(b":", start, goes_on.end()) >= 2:
                        yield Candidate(IPV6, start - 4, goes_on.end())
            case _:
                if content.count(b".", start, end) >= 3 and content[start - 1 : start] != b".":
                    yield Candidate(IPV4, start, end)


def find(content: bytes, candidates: Iterable[Candidate], settings: PiiSettings) -> list[Span]:
    """The addresses among a text's candidates (in the order of their places): ascending, disjoint, never empty."""
    wanted = [settings.emails, settings.ip_addresses, settings.ip_addresses]
    chosen = [candidate for candidate in candidates if wanted[candidate.kind]]
    view = memoryview(content)
    emails: list[Span] = []
    for candidate in chosen:
        if candidate.kind == EMAIL:
            email = _email(view, candidate.start, emails[-1].end if emails else 0)
            emails += [email] if email else []
    spans = emails + [
        span
        for candidate in chosen
        if candidate.kind != EMAIL and (span := _ip_address(view, candidate))
        if not any(span.start < email.end and email.start < span.end for email in emails)
    ]
    disjoint: list[Span] = []
    for span in sorted(spans):
        if not disjoint or span.start >= disjoint[-1].end:
            disjoint.append(span)
    return disjoint


def replaced(content: bytes, spans: Iterable[Span]) -> bytes:
    """A text with its addresses replaced."""
    pieces, start = [], 0
    for span in spans:
        pieces += [content[start : span.start], span.token.encode()]
        start = span.end
    return b"".join([*pieces, content[start:]])


def _email(content: memoryview, at: int, floor: int) -> Span | None:
    """The address around the @ at byte `at`, if it is one; it starts at byte `floor` or later."""
    before = str(content[max(floor, at - 4 * MAX_LOCAL - 4) : at], "utf-8", "ignore")
    after = str(content[at + 1 : at + 1 + 4 * MAX_DOMAIN], "utf-8", "ignore")
    local = _local_part(before)
    domain = _domain(after)
    if not local or not domain:
        return None
    return Span(at - len(local.encode()), at + 1 + len(domain.encode()), EMAIL_TOKEN)


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


@cache
def _is_spaceless(character: str) -> bool:
    """Is this a letter of a script that is written without spaces?"""
    if not character or unicodedata.category(character)[0] != "L":
        return False
    return any(first <= ord(character) <= last for first, last in (*IDEOGRAPHS, *CLUSTERS))


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


def _ip_address(content: memoryview, candidate: Candidate) -> Span | None:
    start, end = candidate.start, candidate.end
    number = str(content[start:end], "ascii").rstrip(".")
    if candidate.kind == IPV6 and number.endswith(":") and not number.endswith("::"):
        number = number[:-1]
    end = start + len(number)
    before = str(content[max(0, start - _CONTEXT_BYTES) : start], "utf-8", "ignore")
    after = str(content[end : end + _CONTEXT_BYTES], "utf-8", "ignore")
    public = _is_public_ipv4(number) if candidate.kind == IPV4 else _is_public_ipv6(number)
    if not public or _VERSION_BEFORE.search(before) or _NUMBER_GOES_ON.match(after):
        return None
    if candidate.kind == IPV6 and before.endswith(":"):
        return None
    return Span(start, end, IP_TOKEN)


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
