"""Where personal data is in one text: the definition, in plain Python.

A text is read once from left to right.  Triggers (`@`, `:`, a digit, ...) say where something may be; each kind then
looks around the trigger with regular expressions, and checks what it found exactly.  `corpusmill.filters.private.scan`
does the same in compiled code, and the tests compare the two.

What stands in the way of another is decided so: a span begins behind the one before it, but an e-mail address replaces
the numbers that it covers.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from corpusmill.filters.private import kinds, secrets, words
from corpusmill.filters.private.checks import automaton, holds
from corpusmill.filters.private.domains import top_level_domains
from corpusmill.filters.private.forms import ASIAN, IBAN_LENGTHS, PHONE_REACH, REACH, Form, by_beginning
from corpusmill.scripts import CLUSTERS, IDEOGRAPHS

MAX_LOCAL = 64  # characters before the @, RFC 5321
MAX_DOMAIN = 253
MIN_IPV4, MAX_IPV4, MAX_IPV6 = 10, 15, 45  # characters; a shorter IPv4 address is taken for a version number
VERSION_REACH = 24  # bytes before a number in which a word such as `version` is looked for
NO_IPV4 = tuple(map(ipaddress.IPv4Network, (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
)))  # fmt: skip
NO_IPV6 = tuple(map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
"""Networks that identify nobody: private, of documentation, multicast (IANA's special-purpose registries)."""

DIGIT = rb"(?:[0-9]|\xef\xbc[\x90-\x99]|\xd9[\xa0-\xa9]|\xdb[\xb0-\xb9])"
SPACE = rb"(?: |\xc2\xa0|\xe2\x80\xaf|\xe3\x80\x80)"
HYPHEN = rb"(?:-|\xe2\x80[\x90-\x94]|\xef\xbc\x8d)"
LEAST_PHONE, MOST_NAMED, MOST_PHONE = (
    7,
    13,
    15,
)  # digits; the first two behind a word such as `Tel.`

_TRIGGER = re.compile(rb"[@:=+_\-IJG]|\xef\xbc\x8b|" + DIGIT)
_DIGITS = re.compile(DIGIT + rb"+")
_ONE_DIGIT = re.compile(DIGIT)
_DOMAIN = re.compile(rb"[0-9A-Za-z\x80-\xff][0-9A-Za-z\x80-\xff-]*+(?:\.[0-9A-Za-z\x80-\xff-]++)++")
_BEFORE_AT = re.compile(rb"[0-9A-Za-z\x80-\xff.%+_-]")
_ASCII_LOCAL = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._%+-'"
_IPV4 = re.compile(rb"[0-9]{1,3}(?:\.[0-9]{1,3}){3}\.*+(?![0-9])")
_IPV6 = re.compile(rb"[23][0-9A-Fa-f]{3}:[0-9A-Fa-f:.]{0,41}")  # the first is that of 2000::/3
_NO_IP_BEFORE = re.compile(rb"(?:[A-Za-z][/_-]|[A-Za-z0-9_.#]|\xc2\xa7)\Z")
_NUMBER_GOES_ON = re.compile(rb"[-+_]?[A-Za-z]|_|-[0-9]{1,20}+-?[A-Za-z]|\.[0-9A-Za-z_\x80-\xff]")
_VERSION = words.pattern(words.GROUPS["version"], at_end=True)
_AFTER_VERSION = b" \t:=#"
_SEPARATOR = rb"(?:" + SPACE + rb"|" + HYPHEN + rb"|[./()]|\xef\xbc[\x88\x89])"
_BLOCKS = re.compile(rb"(" + _SEPARATOR + rb"{0,3}?)(" + DIGIT + rb"+)")
_ASIAN_BEFORE = re.compile(
    rb"(?:[\xe3-\xed][\x80-\xbf]{2}|\xef\xbc[\x81-\xbf])[ :(\[]{0,2}\Z"  # U+3000 to U+DFFF, full-width punctuation
)
_ASIAN_AFTER = re.compile(rb" ?(?:[\xe3-\xed][\x80-\xbf]{2}|\xef\xbc[\x81-\xbf])")
_AUTHORITY = re.compile(rb"//([^\s/?#<>\"'@\\]*(?:@[^\s/?#<>\"'@\\]+)*)@(?=[0-9A-Za-z\x80-\xff\[])")
_ARGUMENT_NAME = re.compile(rb"[?&;#]([0-9A-Za-z_.-]{1,%d})\Z" % secrets.LONGEST_NAME)
_ARGUMENT = re.compile(rb"[^\s&;#?\"'<>()\[\]|,`\\]{1,%d}+" % secrets.MOST_VALUE)
_CHARACTERS = {
    secrets.UPPER: rb"[0-9A-Z]",
    secrets.ALNUM: rb"[0-9A-Za-z]",
    secrets.WORD: rb"[0-9A-Za-z_-]",
    secrets.DOTTED: rb"[0-9A-Za-z_.-]",
    secrets.HEX: rb"[0-9a-f]",
}
_RUNS = {name: re.compile(characters + rb"*+") for name, characters in _CHARACTERS.items()}
_QUOTES = b" \t\"'`]"
_ASSIGNED = re.compile(
    rb"[ \t\"'=>:`]{0,4}(?:(?:[Bb]earer|[Bb]asic|[Tt]oken) )?([0-9A-Za-z+/_-]{16,%d}+={0,2})" % secrets.MOST_RANDOM
)
_SECRET_WORD = words.pattern(words.GROUPS["secret"], at_end=True)
_HEX = re.compile(rb"[0-9A-Fa-f-]+")
_IBAN_REST = re.compile(rb" ?([0-9A-Z])")


class Span(NamedTuple):
    """A place where personal data is."""

    start: int  # bytes in the text
    end: int
    kind: int  # of `kinds`


def find(content: bytes, wanted: frozenset[int]) -> list[Span]:
    """The personal data in a text: ascending, disjoint, never empty.  wanted: numbers of kinds."""
    found = _Found(content, wanted)
    position = 0
    while trigger := _TRIGGER.search(content, position):
        position = found.at(trigger.start())
    return found.spans


class _Found:
    """What was found up to a place in a text."""

    def __init__(self, content: bytes, wanted: frozenset[int]) -> None:
        self.content = content
        self.wanted = wanted
        self.spans: list[Span] = []

    @property
    def floor(self) -> int:
        """Where the next span may begin."""
        return self.spans[-1].end if self.spans else 0

    def at(self, i: int) -> int:
        """Look around a trigger; returns where to go on."""
        content = self.content
        byte = content[i : i + 1]
        if byte == b"@":
            return self._email(i)
        if byte in b":=":
            return (
                self._add(_userinfo(content, i), kinds.CREDENTIALS)
                or self._add(_argument(content, i), kinds.CREDENTIALS)
                or self._add(_assigned(content, i), kinds.KEY)
                or i + 1
            )
        if byte in secrets.TRIGGERS:
            return self._add(_pem(content, i), kinds.KEY) or self._add(_prefixed(content, i), kinds.KEY) or i + 1
        if byte == b"+" or content[i : i + 3] == "＋".encode():
            width = 1 if byte == b"+" else 3
            return self._add(_international(content, i, i + width), kinds.PHONE) or i + width
        return self._number(i)

    def _add(self, span: tuple[int, int] | None, kind: int) -> int:
        """Keep a span if it is wanted and free; its end, or 0."""
        if span is None or kind not in self.wanted or span[0] < self.floor:
            return 0
        self.spans.append(Span(*span, kind))
        return span[1]

    def _email(self, at: int) -> int:
        solid = next((s.end for s in reversed(self.spans) if s.kind in (kinds.EMAIL, kinds.CREDENTIALS, kinds.KEY)), 0)
        email = _email(self.content, at, solid) if kinds.EMAIL in self.wanted else None
        if email is None:
            return at + 1
        while self.spans and self.spans[-1].end > email[0]:
            self.spans.pop()
        self.spans.append(Span(*email, kinds.EMAIL))
        return email[1]

    def _number(self, i: int) -> int:
        content = self.content
        block = _DIGITS.match(content, i)
        assert block is not None
        end = self._add(_ipv6(content, i), kinds.IP) or self._add(_ipv4(content, i), kinds.IP)
        end = end or self._add(_iban(content, i), kinds.IBAN)
        end = end or self._add(_prefixed(content, i), kinds.KEY)
        for form, start, stop in _formed(content, i, block.end(), self.floor) if not end else ():
            end = self._add((start, stop), form.rule.kind)
            if end:
                break
        return end or self._add(_named_phone(content, i), kinds.PHONE) or block.end()


# E-mail


def _email(content: bytes, at: int, floor: int) -> tuple[int, int] | None:
    """The address around the @ at byte `at`, if it is one; it starts at byte `floor` or later."""
    domain = _DOMAIN.match(content, at + 1)
    if at == 0 or not _BEFORE_AT.match(content, at - 1) or domain is None:
        return None
    domain_length = _domain_length(content[at + 1 : min(domain.end(), at + 1 + 4 * MAX_DOMAIN)])
    if not domain_length:
        return None
    local_length = _local_length(content[max(floor, at - 4 * MAX_LOCAL - 4) : at])
    return (at - local_length, at + 1 + domain_length) if local_length else None


def _local_length(before: bytes) -> int:
    """Bytes of the longest end of a text that can stand before an @."""
    rest = before.rstrip(_ASCII_LOCAL)
    if rest and rest[-1] >= 0x80:
        return len(_local_part(str(before, "utf-8", "surrogateescape")).encode("utf-8", "surrogateescape"))
    local = before[len(rest) :].lstrip(b".%+-'")
    return len(local) if len(local) <= MAX_LOCAL else 0


def _domain_length(after: bytes) -> int:
    """Bytes of the longest start of a text, labels with dots between them, that is a domain; 0 if there is none."""
    return len(_domain(str(after, "utf-8", "surrogateescape")).encode("utf-8", "surrogateescape"))


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
        if start > 0 and label.encode("utf-8", "surrogateescape").lower() in top_level_domains():
            best = position
        if after[position : position + 1] != ".":
            break
        position += 1
    return after[:best]


def _is_word(character: str, spaceless: bool) -> bool:
    """Is this a letter, digit or mark, and of a script with or without spaces as wanted?  ASCII goes with both."""
    if character.isascii():
        return character.isalnum()
    return _category(character) in "LMN" and (spaceless or not _is_spaceless(character))


def _category(character: str) -> str:
    """The first letter of Unicode's category; ideographs beyond the basic plane are letters, what follows is none."""
    code = ord(character)
    return unicodedata.category(character)[0] if code < 0x20000 else "L" if code < 0x32400 else "C"


@cache
def _is_spaceless(character: str) -> bool:
    """Is this a letter of a script that is written without spaces?"""
    if not character or _category(character) != "L":
        return False
    return any(first <= ord(character) <= last for first, last in (*IDEOGRAPHS, *CLUSTERS))


# IP addresses


def _ipv4(content: bytes, start: int) -> tuple[int, int] | None:
    candidate = _IPV4.match(content, start)
    if candidate is None or content[max(0, start - 1) : start] == b".":
        return None
    number = candidate[0].rstrip(b".")
    if len(number) < MIN_IPV4 or number.endswith(b".0"):
        return None
    try:
        address = ipaddress.IPv4Address(number.decode())
    except ValueError:
        return None
    end = start + len(number)
    return None if any(address in network for network in NO_IPV4) or _is_version(content, start, end) else (start, end)


def _ipv6(content: bytes, start: int) -> tuple[int, int] | None:
    candidate = _IPV6.match(content, start)
    if candidate is None or content[max(0, start - 1) : start] == b":":
        return None
    number = candidate[0].rstrip(b".")
    if number.endswith(b":") and not number.endswith(b"::"):
        number = number[:-1]
    if number.count(b":") < 2 or number.endswith(b"::"):
        return None
    try:
        address = ipaddress.IPv6Address(number.decode())
    except ValueError:
        return None
    end = start + len(number)
    return None if any(address in network for network in NO_IPV6) or _is_version(content, start, end) else (start, end)


def _is_version(content: bytes, start: int, end: int) -> bool:
    """Whether what stands around a number says that it is a version, a section, or a part of a name."""
    if _NO_IP_BEFORE.search(content, max(0, start - 2), start) or _NUMBER_GOES_ON.match(content, end):
        return True
    stop = start
    while stop > max(0, start - VERSION_REACH) and content[stop - 1] in _AFTER_VERSION:
        stop -= 1
    if stop > max(0, start - VERSION_REACH) and content[stop - 1 : stop] == b".":
        stop -= 1
    return _ends_in(_VERSION, content, max(0, start - VERSION_REACH), stop)


def _ends_in(pattern: re.Pattern[bytes], content: bytes, first: int, end: int) -> bool:
    """Whether one of some words ends at a place, and begins at `first` or later."""
    return pattern.search(content, first, end) is not None


# Numbers of a fixed form


def _expression(pattern: str) -> bytes:
    parts = {
        **{"N": DIGIT, "A": rb"[A-Z]", "X": rb"(?:" + DIGIT + rb"|[Xx])", "K": rb"(?:" + DIGIT + rb"|[Kk])"},
        **{" ": SPACE, "-": HYPHEN},
    }
    return b"".join(b"(%b)" % parts[c] if c in "NAXK" else _literal(c, parts) for c in pattern)


def _literal(character: str, parts: dict[str, bytes]) -> bytes:
    if character.isdigit():
        others = [chr(base + int(character)).encode() for base in (0xFF10, 0x660, 0x6F0)]
        return b"(" + b"|".join([character.encode(), *others]) + b")"
    return parts.get(character) or re.escape(character.encode())


class _Compiled(NamedTuple):
    form: Form
    expression: re.Pattern[bytes]
    symbols: str  # the pattern without separators


@cache
def _index() -> tuple[tuple[str, re.Pattern[bytes], dict[int, list[_Compiled]]], ...]:
    """Each beginning of patterns before the first digit, and its forms by length of the first block of digits."""
    return tuple(
        (
            lead,
            re.compile(_expression(lead)),
            {length: [_compiled(form) for form in forms] for length, forms in by.items()},
        )
        for lead, by in by_beginning().items()
    )


def _compiled(form: Form) -> _Compiled:
    return _Compiled(form, re.compile(_expression(form.pattern)), re.sub(r"[-. ()/]", "", form.pattern))


def _formed(content: bytes, i: int, block_end: int, floor: int) -> list[tuple[Form, int, int]]:
    """The numbers of a fixed form whose first digit is at byte `i`: at most one for each beginning."""
    n_digits = len(_ONE_DIGIT.findall(content, i, block_end))
    found = []
    for lead, expression, forms in _index():
        for start in (start for start in _starts(lead, expression, content, i) if start >= floor):
            fits = (_fits(each, content, start, floor) for each in forms.get(n_digits, ()))
            found += [(form, start, stop) for form, stop in filter(None, fits)]
    return found


def _starts(lead: str, expression: re.Pattern[bytes], content: bytes, i: int) -> list[int]:
    """Where a beginning stands that ends at byte `i`."""
    return [
        at for at in range(max(0, i - 3 * len(lead)), i + 1) if (m := expression.match(content, at, i)) and m.end() == i
    ]


def _fits(compiled: _Compiled, content: bytes, start: int, floor: int) -> tuple[Form, int] | None:
    form = compiled.form
    match = compiled.expression.match(content, start)
    if match is None:
        return None
    end = match.end()
    if not _free_before(content[floor:start], content[start : start + 1].isalnum(), form) or not _free_after(
        content, end, form
    ):
        return None
    if not holds(form.rule, [_value(*each) for each in zip(match.groups(), compiled.symbols, strict=True)]):
        return None
    if form.needs == ASIAN:
        near = _ASIAN_BEFORE.search(content, max(0, start - 5), start) or _ASIAN_AFTER.match(content, end)
        return (form, end) if near else None
    if form.needs and not _named(content, start, form.needs, REACH):
        return None
    return form, end


def _value(character: bytes, symbol: str = "N") -> int:
    text = character.decode()
    if text.isdigit():
        return unicodedata.digit(text)
    return 10 if symbol in "XK" else ord(text) - ord("A") + 10


def _named(content: bytes, start: int, groups: int, reach: int) -> bool:
    """Whether one of some groups' words stands before a number."""
    return words.pattern(groups, at_end=False).search(content, max(0, start - reach), start) is not None


def _free_before(before: bytes, begins_with_digit: bool, form: Form) -> bool:
    """Whether a number may begin behind some bytes, which begin behind the last number that was found."""
    byte, backwards = before[-1:], before[:-3:-1]
    if byte.isalnum() or byte in (b"_", b"$") or re.search(DIGIT + rb"\Z", before[-3:]):
        return False
    if re.match(rb"[.+][0-9]|-[0-9A-Za-z]", backwards):
        return False
    if form.is_spaced and begins_with_digit and re.match(rb" [0-9]", backwards):
        return False
    if form.is_raw and ((byte in b"/&?%#\\@" and byte) or re.match(rb"[,:'][0-9]", backwards)):
        return False
    return not (form.is_raw and byte == b"=" and form.needs in (0, ASIAN))


def _free_after(content: bytes, end: int, form: Form) -> bool:
    after = content[end : end + 4]
    if re.match(rb"[0-9A-Za-z_]|[.+][0-9]|-[0-9A-Za-z]|" + DIGIT, after) or (
        form.is_spaced and re.match(rb" [0-9]", after)
    ):
        return False
    return not (form.is_raw and re.match(rb"[/&?%=\\@]|[,:'][0-9]", after))


# Telephone numbers


def _blocks(content: bytes, start: int) -> list[tuple[list[int], int]]:
    """The digits up to the end of each block of digits from a place on, and where the block ends."""
    found: list[tuple[list[int], int]] = []
    digits: list[int] = []
    position = start
    while (match := _BLOCKS.match(content, position)) and len(digits) <= MOST_PHONE:
        values = [_value(digit) for digit in _ONE_DIGIT.findall(match[2])]
        position = match.end()
        if values == [0] and digits and match[1].endswith(b"(") and content[position : position + 1] == b")":
            continue  # +49 (0)30: the 0 is not dialled
        if len(values) > MOST_PHONE:
            break
        digits = digits + values
        found.append((digits, position))
    return found


def _international(content: bytes, start: int, after: int) -> tuple[int, int] | None:
    """A number with + and its country code."""
    before = content[max(0, start - 1) : start]
    if before.isalnum() or before in (b"_", b"+") or content[after : after + 1] not in b"(0123456789\xef\xd9\xdb":
        return None
    rows = automaton()
    best = None
    for digits, end in _blocks(content, after):
        state = 1
        for digit in digits:
            state = rows[10 * state + digit]
            if state == 0:
                break
        if state == 0:
            break
        if state >= rows[0] and not re.match(rb"[A-DF-WYZa-df-wyz_]|[.+][0-9]|-[A-Za-z]", content[end : end + 2]):
            best = end
    return None if best is None else (start, best)


def _named_phone(content: bytes, i: int) -> tuple[int, int] | None:
    """A number of any form behind a word such as `Tel.`, from its first digit or the bracket before it."""
    start = i - (content[max(0, i - 1) : i] == b"(")
    before = content[max(0, start - 1) : start]
    if (
        before.isalnum()
        or before in (b"_", b"+", b"$", b"-", b".")
        or re.search(DIGIT + rb"\Z", content[max(0, start - 4) : start])
    ):
        return None
    best, lengths = None, []
    n_before = 0
    for digits, end in _blocks(content, start):
        lengths.append(len(digits) - n_before)
        n_before = len(digits)
        if n_before > MOST_NAMED:
            break
        free = not re.match(rb"[0-9A-Za-wyz_]|[.+,:'][0-9]|[-/][0-9A-Za-z]|" + DIGIT, content[end : end + 4])
        if n_before >= LEAST_PHONE and free and _could_be_dialled(digits, lengths):
            best = end
    if best is None or not _named(content, start, words.GROUPS["phone"], PHONE_REACH):
        return None
    return start, best


def _could_be_dialled(digits: Sequence[int], lengths: Sequence[int]) -> bool:
    """Neither a date nor years nor a count."""
    if len(lengths) == 1:
        return len(digits) >= 9 or digits[0] == 0
    year = digits[0] in (1, 2) and digits[1] in (9, 0)
    if lengths[0] == 4 and year and (len(lengths) == 3 or all(length == 4 for length in lengths)):
        return False
    return not (len(lengths) == 3 and lengths[2] == 4 and lengths[0] <= 2 and lengths[1] <= 2)


# Bank accounts


def _iban(content: bytes, i: int) -> tuple[int, int] | None:
    """A number of an account whose check digits begin at byte `i`."""
    start = i - 2
    if start < 0 or (content[start - 1 : start].isalnum() and start > 0):
        return None
    length = IBAN_LENGTHS.get(content[start:i].decode("latin-1"), 0)
    if not length or not content[i : i + 2].isdigit() or len(content[i : i + 2]) < 2:
        return None
    collected, position = content[start : i + 2], i + 2
    while len(collected) < length and (match := _IBAN_REST.match(content, position)):
        collected, position = collected + match[1], match.end()
    if len(collected) < length or re.match(rb"[0-9A-Za-z_]", content[position : position + 1]):
        return None
    value = int("".join(str(int(chr(c), 36)) for c in collected[4:] + collected[:4]))
    return (start, position) if value % 97 == 1 else None


# Credentials and keys


def _userinfo(content: bytes, i: int) -> tuple[int, int] | None:
    """`user:password` of a URL whose `://` begins at byte `i`."""
    match = _AUTHORITY.match(content, i + 1, i + secrets.MOST_AUTHORITY)
    if match is None or content[i : i + 1] != b":":
        return None
    _, colon, password = match[1].partition(b":")
    return match.span(1) if colon and password.strip(b"*") else None


def _argument(content: bytes, i: int) -> tuple[int, int] | None:
    """The value of a secret argument of a URL whose `=` is at byte `i`."""
    if content[i : i + 1] != b"=":
        return None
    name = _ARGUMENT_NAME.search(content, max(0, i - secrets.LONGEST_NAME - 1), i)
    value = _ARGUMENT.match(content, i + 1)
    if name is None or value is None or not value[0].strip(b"*"):
        return None
    secret, length = name[1].lower(), len(value[0])
    is_vague = secret in secrets.VAGUE_NAMES and length >= secrets.LEAST_VAGUE and re.search(rb"[0-9]", value[0])
    is_secret = secret in secrets.SECRET_NAMES and length >= secrets.LEAST_SECRET
    return value.span() if is_secret or is_vague else None


def _assigned(content: bytes, i: int) -> tuple[int, int] | None:
    """A random value behind a word such as `secret` and the `:` or `=` at byte `i`."""
    match = _ASSIGNED.match(content, i + 1)
    if match is None or content[match.end() : match.end() + 1] in (
        b"(",
        b"[",
        b".",
        b"<",
        b"{",
        b"+",
        b"/",
        b"_",
        b"-",
    ):
        return None
    first = stop = max(0, i - secrets.WORD_REACH)
    stop = i
    while stop > first and content[stop - 1] in _QUOTES:
        stop -= 1
    value = match[1].rstrip(b"=")
    return match.span(1) if is_random(value) and _ends_in(_SECRET_WORD, content, first, stop) else None


def is_random(value: bytes) -> bool:
    """Whether a value has the entropy of a key, and not of a name."""
    n = len(value)
    entropy = secrets.ENTROPY[n] - sum(secrets.ENTROPY[value.count(byte)] for byte in set(value))
    classes = [0 if 48 <= c <= 57 else 1 if c < 128 and chr(c).isalpha() else 2 for c in value]
    changes = sum(a + b == 1 for a, b in pairwise(classes))
    if _HEX.fullmatch(value):
        return n >= secrets.LEAST_HEX and entropy >= secrets.LEAST_HEX_ENTROPY * n and changes >= secrets.LEAST_CHANGES
    return n >= secrets.LEAST_RANDOM and entropy >= secrets.LEAST_ENTROPY * n and changes >= secrets.LEAST_CHANGES


def _prefixed(content: bytes, i: int) -> tuple[int, int] | None:
    """A key with a known prefix, of which the byte at `i` is the first trigger."""
    for prefix in secrets.PREFIXES:
        start = i - trigger_of(prefix.text)
        if start < 0 or not content.startswith(prefix.text, start):
            continue
        before = content[max(0, start - 1) : start]
        if before.isalnum() or before in (b"_", b"-", b"."):
            continue
        run = _RUNS[prefix.characters].match(content, start + len(prefix.text))
        assert run is not None
        value = run[0].rstrip(b".")
        if not prefix.least <= len(value) <= prefix.most or value.count(b".") < prefix.dots:
            continue
        if re.search(rb"[0-9]", value) and re.search(rb"[A-Za-z]", value):
            return start, start + len(prefix.text) + len(value)
    return None


def trigger_of(prefix: bytes) -> int:
    """Where in a prefix the first trigger is."""
    return next(i for i, byte in enumerate(prefix) if byte in secrets.TRIGGERS or chr(byte).isdigit())


def _pem(content: bytes, i: int) -> tuple[int, int] | None:
    """A private key from `-----BEGIN` to the end of `-----END ...-----`."""
    if not content.startswith(secrets.PEM_BEGIN, i):
        return None
    first = i + len(secrets.PEM_BEGIN)
    name_end = content.find(secrets.PEM_LINE, first, first + secrets.PEM_NAME_REACH)
    if name_end < 0 or secrets.PEM_NAME not in content[first:name_end]:
        return None
    end = content.find(secrets.PEM_LINE, name_end + 5, name_end + secrets.PEM_REACH)
    if end < 0 or not content.startswith(secrets.PEM_END, end):
        return None
    last = content.find(secrets.PEM_LINE, end + 5, end + 5 + secrets.PEM_NAME_REACH)
    return None if last < 0 else (i, last + 5)
