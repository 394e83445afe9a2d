r"""Where a record of a WARC or ARC file begins and ends.

A WARC record is a version line, fields, a blank line, a block of Content-Length bytes, and two line ends (ISO 28500).
An ARC record is one line, a block, and a line end
(https://archive.org/web/researcher/ArcFileFormat.php).  The line is

    URL IP-address date type length                                                       (version 1)
    URL IP-address date type status checksum location offset filename length              (version 2)

An ARC record is given the header that it would have in a WARC file.  So only this module knows of ARC.

*A start* is a place where a header can be read whose length leads to the end of a record.  What is a start depends on
the file's bytes only.  A header whose length leads elsewhere is no start.  Its record ends where the next one begins,
after a blank line or at a start.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from corpusmill.collect.files import Bytes, Window
from corpusmill.collect.records import DamageError

MAX_HEAD = 1 << 18  # bytes of a record's own header; an HTTP header may have the same size
VERSION = b"WARC/"
NO_START = "no WARC record starts here"
PIECE = 1 << 16

TYPES = (
    "warcinfo", "response", "resource", "request", "metadata", "revisit", "conversion", "continuation", "removed",
)  # fmt: skip

_VERSION_LINE = re.compile(rb"WARC/\d\.\d{1,3}[ \t]*\r?\n")
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_LENGTH = re.compile(rb"^content-length[ \t]*:[ \t]*(\d{1,18})[ \t]*(?=\r?$)", re.IGNORECASE | re.MULTILINE)
_ANY_LENGTH = re.compile(rb"^content-length[ \t]*:[^\r\n]*\r?\n", re.IGNORECASE | re.MULTILINE)
_FIELD = re.compile(rb"^warc-[\w-]{1,40}[ \t]*:", re.IGNORECASE | re.MULTILINE)
_TYPE = re.compile(rb"^warc-type[ \t]*:[ \t]*([\w-]{1,40})", re.IGNORECASE | re.MULTILINE)
_URL = re.compile(rb"^warc-target-uri[ \t]*:[ \t]*<?([^\r\n>]+)", re.IGNORECASE | re.MULTILINE)
_VERSION = re.compile(rb"WARC/[\d.]+")
_NAME = re.compile(rb"^(?:warc|content)-[\w-]{1,40}+(?=[ \t]*:)", re.IGNORECASE | re.MULTILINE)
_CAPITALS = {each.lower(): each for each in (b"WARC", b"ID", b"URI", b"IP")}
_ARC_LINE = re.compile(
    rb"([a-zA-Z][a-zA-Z0-9+.-]*:[^\r\n]*?) ([\d.]{7,15}|[\da-fA-F:.]*:[\da-fA-F:.]*|-|0) (\d{8,18}) ([^\r\n ]*)"
    rb"(?: [^\r\n]*)?? (-1|\d{1,18})[ \t]*\r?\n"
)
BLANK = b"\r\n\0 \t"  # padding between records


class FramingError(DamageError):
    """No record can be framed at this place, though its bytes could be read."""


@dataclass(frozen=True, slots=True)
class Raw:
    """A record with known bounds, not yet parsed."""

    head: bytes  # as in a WARC file
    block: bytes  # its first bytes, as many as were requested
    length: int  # of the whole block
    end: int  # offset of the first byte after it and the line ends that follow
    declared: int | None = None  # the length in the header, if it is wrong; -1 if there is none
    is_cut: bool = False  # the file ends before the record does

    @property
    def type(self) -> str:
        """The record's type, in lower case.  An HTTP answer is a response, whatever its type is misspelt as."""
        named = record_type(self.head)
        return named if named in TYPES or not self.block.startswith(b"HTTP/") else "response"

    @property
    def url(self) -> str | None:
        """The record's target."""
        return url_of(self.head)


@dataclass(frozen=True, slots=True)
class _Head:
    size: int  # in the file
    length: int | None
    fields: bytes  # as in a WARC file


class Dialect:
    """WARC: how its headers are read and found."""

    needle = VERSION
    shift = 0  # from the needle to the record
    n_sniffed = 16  # bytes that show whether a record begins

    def begins(self, start: bytes) -> bool:
        """Whether a record's first bytes look like one."""
        return start.startswith(VERSION)

    def head(self, data: Bytes, at: int) -> _Head | None:
        """The header at a place; None if there is none, or it does not end."""
        head = data.there(at, 1 << 12)
        if not _VERSION_LINE.match(head):
            return None
        end = _END_OF_HEAD.search(head) or _END_OF_HEAD.search(head := data.there(at, MAX_HEAD))
        if end is None:
            return None
        head = head[: end.end()]
        length = _LENGTH.search(head)
        return _Head(len(head), int(length[1]) if length else None, head)

    def follows(self, tail: bytes) -> bool:
        """Whether these bytes may stand after a block: a line end or the half of one, another record, or nothing."""
        return tail in (b"", b"\r") or tail.startswith((b"\n", b"\r\n", VERSION))

    def is_after_blank(self, before: bytes) -> bool:
        """Whether a record may begin after these bytes, of which there are at most four."""
        return before.endswith((b"\n\r\n", b"\n\n"))

    def is_whole(self, head: _Head) -> bool:
        """Whether a header whose length is wrong is a record's nevertheless, and no text about WARC."""
        return _TYPE.search(head.fields) is not None

    def without_end(self, block: bytes) -> bytes:
        """A block without the line ends that follow it."""
        return block.removesuffix(b"\r\n\r\n") if block.endswith(b"\r\n\r\n") else block.removesuffix(b"\n\n")

    def starts(self) -> Callable[[Window, int], bool]:
        """A function that says whether a record starts at a place in a file that is not compressed."""
        return _Starts().is_record


class Arc(Dialect):
    """ARC: one line per header."""

    needle = b"\n"
    shift = 1
    n_sniffed = 1 << 12

    def begins(self, start: bytes) -> bool:
        """Whether a record's first bytes look like one."""
        return _ARC_LINE.match(start) is not None

    def head(self, data: Bytes, at: int) -> _Head | None:
        """The header at a place; None if there is none."""
        line = _ARC_LINE.match(data.there(at, 1 << 13))
        if line is None:
            return None
        url, _, date, kind, length = line.groups()
        fields = [
            b"WARC/1.0",
            b"WARC-Type: " + (b"warcinfo" if url.startswith(b"filedesc:") else b"response"),
            b"WARC-Target-URI: " + url,
            *_date_field(date),
            b"Content-Type: " + kind,
            b"Content-Length: " + length,
        ]
        return _Head(line.end(), int(length) if int(length) >= 0 else None, b"\r\n".join([*fields, b"", b""]))

    def follows(self, tail: bytes) -> bool:
        """Whether these bytes may stand after a block."""
        return tail in (b"", b"\r") or tail.startswith((b"\n", b"\r\n"))

    def is_after_blank(self, before: bytes) -> bool:
        """Whether a record may begin after these bytes."""
        return before.endswith(b"\n")

    def is_whole(self, head: _Head) -> bool:
        """Always: the line has five parts, two of which are numbers."""
        return True

    def without_end(self, block: bytes) -> bytes:
        """A block without the line end that follows it."""
        return block.removesuffix(b"\n").removesuffix(b"\r")

    def starts(self) -> Callable[[Window, int], bool]:
        """A function that says whether a record starts at a place in a file that is not compressed."""

        def is_record(window: Window, at: int) -> bool:
            head = self.head(window, at)
            if head is None or head.length is None:
                return False
            after = at + head.size + head.length
            if head.length and not window.peek(after - 1, 1):
                return False
            return self.follows(window.peek(after, 2))

        return is_record


WARC, ARC = Dialect(), Arc()


def frame(dialect: Dialect, data: Bytes, start: int, keep: int) -> Raw:
    """The record at `start`, with at most `keep` bytes of its block; FramingError if none can be read there."""
    head = dialect.head(data, start)
    if head is None:
        begins = data.there(start, 1 << 12)
        error = "the record's header does not end" if dialect.begins(begins) else NO_START
        raise FramingError(error, glimpse(begins))
    url = url_of(head.fields)
    if head.length is None:
        raise FramingError("the record's header has no Content-Length", url)
    n, body = head.length, start + head.size
    try:
        block = data.view(body, min(n, keep))
        is_short = len(block) < min(n, keep) or (n > keep and not data.view(body + n - 1, 1))
    except DamageError as error:
        raise DamageError(str(error), url) from None
    if is_short:
        raise FramingError("the record is shorter than its Content-Length", url)
    tail = data.there(body + n, 16)
    if not dialect.follows(tail):
        raise FramingError("the record is longer than its Content-Length", url)
    return Raw(head.fields, block, n, body + n + len(tail) - len(tail.lstrip(b"\r\n")))


def resync(
    dialect: Dialect, data: Bytes, start: int, keep: int, is_start: Callable[[int], bool], *, may_be_cut: bool
) -> tuple[Raw | None, int | None]:
    """The record at `start` as far as the next one, whatever its length says; and where the next one is.

    The record is None if there is no header.  The place of the next one is None at the end of the data.

    is_start: whether a record starts at a place, also one that follows no blank line
    may_be_cut: whether the data may end before the record does
    """
    head = dialect.head(data, start)
    if head is not None and not dialect.is_whole(head):
        head = None
    body = start + (head.size if head is not None else 1)
    block, n, following = _to_next(dialect, data, body, keep if head is not None else 0, is_start)
    if head is None:
        return None, following
    length = head.length if head.length is not None else -1
    is_cut = may_be_cut and following is None and length > n
    if len(block) == n:
        block = dialect.without_end(block)
        n = len(block)
    declared = length if length != n else None
    fields = _with_length(head.fields, n)
    return Raw(fields, block, n, following if following is not None else body + n, declared, is_cut), following


def _to_next(
    dialect: Dialect, data: Bytes, body: int, keep: int, is_start: Callable[[int], bool]
) -> tuple[bytes, int, int | None]:
    """(the first `keep` bytes before the next record, the number of bytes before it, where it is).

    Data is only read forward.
    """
    kept, needle = bytearray(), dialect.needle
    at = body  # all before this place was looked at
    last = b""  # the last bytes before `at`
    while True:
        piece = data.view(at, PIECE)
        is_end = len(piece) < PIECE
        searched = len(piece) if is_end else len(piece) - len(needle) + 1
        found = 0
        while 0 <= (found := piece.find(needle, found)) < searched:
            place = at + found + dialect.shift
            before = (last + piece[: found + dialect.shift])[-4:]
            if place >= body and (
                (dialect.is_after_blank(before) and _is_whole(dialect, data, place)) or is_start(place)
            ):
                kept += piece[: min(place - at, max(0, keep - len(kept)))]
                return bytes(kept), place - body, place
            found += 1
        kept += piece[: min(searched, max(0, keep - len(kept)))]
        last = (last + piece[:searched])[-4:]
        at += searched
        if is_end:
            return bytes(kept), at - body, None


def _is_whole(dialect: Dialect, data: Bytes, at: int) -> bool:
    head = dialect.head(data, at)
    return head is not None and dialect.is_whole(head)


def after_blank(data: Bytes, at: int) -> int:
    """The offset of the first byte at or after `at` that is no white space and no zero, or the end of the data."""
    while (first := data.view(at, 1)) and first in BLANK:
        piece = data.there(at, 1 << 10)
        rest = piece.lstrip(BLANK)
        at += len(piece) - len(rest)
    return at


def record_type(head: bytes) -> str:
    """The type of a record, in lower case, from its header."""
    match = _TYPE.search(head)
    return match[1].decode().lower() if match else "unknown"


def url_of(head: bytes) -> str | None:
    """The target of a record, from its header."""
    match = _URL.search(head)
    return match[1].decode("utf-8", "replace").strip() if match else None


def record_field(head: bytes, name: str) -> str | None:
    """The value of a field in a record's header."""
    match = re.search(rb"^%s[ \t]*:[ \t]*([^\r\n]*)" % re.escape(name).encode(), head, re.IGNORECASE | re.MULTILINE)
    return match[1].decode("utf-8", "replace").strip() if match else None


def glimpse(start: bytes) -> str | None:
    """The target in what may be a damaged header."""
    end = _END_OF_HEAD.search(start)
    return url_of(start[: end.start()] if end else start)


def with_length(raw: Raw, n: int) -> Raw:
    """The record with the first `n` bytes of its block."""
    return replace(raw, head=_with_length(raw.head, n), block=raw.block[:n], length=n, declared=None)


def without_beginning(raw: Raw, n: int) -> Raw:
    """The record without the first `n` bytes of its block."""
    return replace(raw, head=_with_length(raw.head, raw.length - n), block=raw.block[n:], length=raw.length - n)


def usual(head: bytes) -> bytes:
    """A header as parsers know it: names with their usual capitals, and a version that exists."""
    version, names = b"WARC/1.0", (b"WARC-Type", b"WARC-Date", b"Content-Type", b"Content-Length")
    if head.startswith((version, b"WARC/1.1")) and all(b"\n%b:" % name in head for name in names):
        return head
    head = _VERSION.sub(version, head, count=1)
    return _NAME.sub(
        lambda name: b"-".join(_CAPITALS.get(w, w.capitalize()) for w in name[0].lower().split(b"-")), head
    )


def _with_length(head: bytes, n: int) -> bytes:
    """A header with another Content-Length."""
    bare = _ANY_LENGTH.sub(b"", head)
    first = bare.index(b"\n") + 1
    return bare[:first] + b"Content-Length: %d\r\n" % n + bare[first:]


def _date_field(date: bytes) -> list[bytes]:
    """The field with an ARC date, which has 14 digits, or 8 or 12 in old files."""
    digits = date[:14].decode().ljust(14, "0")
    try:
        return [f"WARC-Date: {datetime.strptime(digits, '%Y%m%d%H%M%S'):%Y-%m-%dT%H:%M:%SZ}".encode()]
    except ValueError:
        return []


class _Starts:
    """Where records start in a WARC file that is not compressed.

    A malicious file may contain many texts that look like a header.  Each is checked in little time: no place is
    searched twice for the end of a header, and only the bytes at the end of a block are read.
    """

    def __init__(self) -> None:
        self._begin = self._end = 0  # [begin, end) contains no blank line

    def is_record(self, window: Window, at: int) -> bool:
        """Whether a record starts at `at`: a header that can be read, and whose length leads to a line end."""
        if not _VERSION_LINE.match(window.view(at, 32)):
            return False
        known = self._end if self._begin <= at < self._end else at
        head = window.view(at, 1 << 12) if known < at + (1 << 12) else b""
        end = _END_OF_HEAD.search(head)
        if end is None:
            rest = window.peek(max(known - 3, at), at + MAX_HEAD - max(known - 3, at))
            if _END_OF_HEAD.search(rest) is None:
                self._begin = self._begin if known > at else at
                self._end = max(known, at + MAX_HEAD)
                return False
            head = window.view(at, MAX_HEAD)
            end = _END_OF_HEAD.search(head)
        if end is None:
            return False
        head = head[: end.end()]
        length = _LENGTH.search(head)
        if length is None or _FIELD.search(head) is None:
            return False
        after = at + end.end() + int(length[1])
        if int(length[1]) and not window.peek(after - 1, 1):
            return False
        return WARC.follows(window.peek(after, 5))
