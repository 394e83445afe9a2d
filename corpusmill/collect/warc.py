"""WARC files, gzipped or not: every content record is read once for any slicing, and damage loses only damaged records.

A slice holds the gzip members whose first byte lies in it.  In a file that is not compressed, it holds the records
instead.  Every slicing of a file gives the same rows, because of two rules:

- *What is a start* depends on the file's bytes only.  It is a gzip member that really inflates to `WARC/`, or a record
  whose header can be read and whose Content-Length leads to a line end.  A slice begins at its first start.
- *Which slice reports damage*: if the content of a start is damaged, the slice in which the start lies.  If the bytes
  after a readable record are not a start, the slice of that record.  At byte 0, the first slice.

After damage, reading continues at the next start.  A member is damaged in three cases: inflating fails (its checksum
covers every byte), it ends early, or a record in it is shorter than its Content-Length.  Some records have only a block
digest as a check: those that are not compressed, and those that are not the last of their member.  Such a record is
also damaged if the digest does not match.

`offset` of a record is the byte where it or its gzip member starts.  `number` is its place in that member, from 0.  A
record with a number has it in its metadata, too, as `record_number`.

Known limit: a `.warc.gz` that was itself archived is stored unchanged inside its member.  So a slice that begins there
takes the inner records for records of the outer file.

Cost: inflating takes two thirds of the time.
"""

import re
from collections import Counter
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from io import BytesIO
from typing import BinaryIO

from fastwarc.warc import WarcRecord

from corpusmill.collect import http, members
from corpusmill.collect.files import Bytes, Window
from corpusmill.collect.members import Member
from corpusmill.collect.records import DamageError, Record, utc
from corpusmill.reasons import Status

CONTENT_TYPES = ("response", "resource", "conversion")
MAX_HEAD = 1 << 18  # bytes of a record's own header; an HTTP header may have the same size
VERSION = b"WARC/"
_VERSION_LINE = re.compile(rb"WARC/\d\.\d{1,3}\r?\n")
NO_START = "no WARC record starts here"
REMOVED = "removed"  # type of a record that was erased from a crawl's file (`crawl/erase.py`)
REMOVAL_FIELD = "Corpusmill-Removal"  # in its header: id of the entry, size of the payload, media type
OPT_OUT_HEADERS = ("x-robots-tag", "tdm-reservation")

_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,18})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_TYPE = re.compile(rb"^warc-type:[ \t]*([\w-]{1,40})", re.IGNORECASE | re.MULTILINE)
_REMOVAL = re.compile(
    rb"^corpusmill-removal:[ \t]*([0-9a-f]{16}) (\d{1,18})(?: ([^\r\n]+))?\r?$", re.IGNORECASE | re.MULTILINE
)
_URL = re.compile(rb"^warc-target-uri:[ \t]*<?([^\r\n>]+)", re.IGNORECASE | re.MULTILINE)
_HEADERS_KEPT = ("location", "last-modified", "content-language", "x-robots-tag", "tdm-reservation", "tdm-policy")
_FIELDS_KEPT = ("WARC-Record-ID", "WARC-Payload-Digest", "WARC-Truncated", "WARC-Identified-Content-Language")


@dataclass(frozen=True, slots=True)
class _Raw:
    """A record with known bounds, not yet parsed."""

    head: bytes
    block: bytes  # its first bytes, as many as were requested
    length: int  # of the whole block
    end: int  # offset of the first byte after it and the line ends that follow

    @property
    def type(self) -> str:
        return record_type(self.head)

    @property
    def url(self) -> str | None:
        match = _URL.search(self.head)
        return match[1].decode("utf-8", "replace").strip() if match else None


@dataclass(slots=True)
class WarcReader:
    """The records of one slice of one file; `others` counts the records without content."""

    file: BinaryIO
    path: str
    start: int
    end: int | None
    max_page_bytes: int
    others: Counter[str]

    def __iter__(self) -> Iterator[Record]:
        window = Window(self.file)
        head = window.view(0, 16)
        packed = not _VERSION_LINE.match(head) and (head.startswith(members.MAGIC) or self.path.lower().endswith(".gz"))
        is_start, read = (_is_member, self._member) if packed else (_Starts().is_record, self._plain)
        needle = members.MAGIC if packed else VERSION
        stop = 1 << 62 if self.end is None else self.end

        def next_start(at: int) -> int | None:
            while (at := window.find(needle, at, stop)) >= 0:
                if is_start(window, at):
                    return at
                at += 1
            return None

        at = next_start(self.start)
        if self.start == 0 < stop and at != 0 and head:
            yield Record.broken(self.path, 0, NO_START)
        while at is not None:
            after = yield from read(window, at)
            if after is None:
                at = next_start(at + 1)
                continue
            following = members.after_padding(window, after) if packed else after
            if is_start(window, following):
                at = following if following < stop else None
            elif window.view(following, 1):
                yield Record.broken(self.path, after, NO_START)
                at = next_start(after + 1)
            else:
                return

    def _plain(self, window: Window, at: int) -> Generator[Record, None, int | None]:
        """The record at a start.  It returns where the next record should start."""
        raw = _frame(window, at, self._keep)
        yield from self._content(raw, at, 0, vouched=False)
        return raw.end

    def _member(self, window: Window, start: int) -> Generator[Record, None, int | None]:
        """The records of the member at a start.  It returns where the next one should start, or None after damage."""
        member = Member(window, start)
        at = number = 0
        raw: _Raw | None = None
        try:
            while True:
                raw = None
                raw = _frame(member, at, self._keep)
                last = not member.view(raw.end, 1)  # this reads the member's checksum if it has one record
                yield from self._content(raw, start, number, vouched=last)
                if last:
                    return member.end
                at, number = raw.end, number + 1
        except DamageError as error:
            yield _numbered(Record.broken(self.path, start, str(error), raw.url if raw else None), number)
            return None

    @property
    def _keep(self) -> int:
        return self.max_page_bytes + MAX_HEAD

    def _content(self, raw: _Raw, offset: int, number: int, *, vouched: bool) -> Iterator[Record]:
        if raw.type == REMOVED and (said := _REMOVAL.search(raw.head)) is not None:
            yield _numbered(self._removed(raw, offset, said), number)
            return
        if raw.type not in CONTENT_TYPES:
            self.others[raw.type] += 1
            return
        try:
            record = self._parse(raw, offset, vouched=vouched)
        except DamageError as error:
            record = Record.broken(self.path, offset, str(error), raw.url)
        yield _numbered(record, number)

    def _removed(self, raw: _Raw, offset: int, said: re.Match[bytes]) -> Record:
        """The record in the place of one that was erased."""
        removal, n_bytes, content_type = said.groups()
        try:
            fetched_at = utc(datetime.fromisoformat(record_field(raw.head, "WARC-Date") or ""))
        except ValueError:
            fetched_at = None
        return Record(
            origin_path=self.path,
            offset=offset,
            status=Status.REMOVED,
            fetched_at=fetched_at,
            content_type=content_type.decode("utf-8", "replace") if content_type else None,
            metadata={"removal": removal.decode()},
            n_bytes=int(n_bytes),
        )

    def _parse(self, raw: _Raw, offset: int, *, vouched: bool) -> Record:
        parsed = _parsed(raw, vouched=vouched)
        kept = {name.removeprefix("WARC-").replace("-", "_").lower(): parsed.headers.get(name) for name in _FIELDS_KEPT}
        record = Record(
            origin_path=self.path,
            offset=offset,
            url=raw.url,
            fetched_at=utc(parsed.record_date),
            metadata={name: value for name, value in kept.items() if value is not None},
            n_bytes=raw.length,
        )
        if parsed.is_http:
            return self._answer(record, parsed, missing=raw.length - len(raw.block))
        content_type, charset = http.media_type(parsed.headers.get("Content-Type"))
        body = http.Body(raw.block[: self.max_page_bytes], True, raw.length > self.max_page_bytes)
        if raw.type == "conversion" and content_type in ("text/plain", None) and not body.too_large:
            text = body.content.decode("utf-8", "replace")
            return replace(record, content_type=content_type, text=text)
        return _with_body(replace(record, content_type=content_type, charset=charset), body)

    def _answer(self, record: Record, parsed: WarcRecord, *, missing: int) -> Record:
        """A record whose block is an HTTP answer.  The last `missing` bytes of a long answer were not kept."""
        try:
            parsed.parse_http(quirks_mode=True, max_header_len=MAX_HEAD)
        except OSError:
            raise DamageError("the HTTP header cannot be read") from None
        headers, code = parsed.http_headers, parsed.http_headers.status_code
        if code is None:
            raise DamageError("the answer has no HTTP status line")
        content_type, charset = http.media_type(", ".join(headers.get_multiple("Content-Type")))
        kept = {name.replace("-", "_"): ", ".join(headers.get_multiple(name)) for name in _HEADERS_KEPT}
        raw_body: bytes = parsed.reader.read()
        record = replace(
            record,
            http_status=code,
            content_type=content_type,
            charset=charset,
            html_lang=headers.get("Content-Language"),
            directives=tuple((name, value) for name in OPT_OUT_HEADERS for value in headers.get_multiple(name)),
            metadata={**record.metadata, "http_status": code, **{name: v for name, v in kept.items() if v}},
            n_bytes=len(raw_body) + missing,
        )
        if code // 100 != 2:
            return replace(record, status=Status.REDIRECT if code // 100 == 3 else Status.HTTP_ERROR)
        body = http.decode_body(
            raw_body,
            http.codings(headers.get_multiple("Transfer-Encoding")),
            http.codings(headers.get_multiple("Content-Encoding")),
            self.max_page_bytes,
        )
        return _with_body(record, replace(body, too_large=True) if missing else body)


def record_type(head: bytes) -> str:
    """The type of a record, in lower case, from its header."""
    match = _TYPE.search(head)
    return match[1].decode().lower() if match else "unknown"


def record_field(head: bytes, name: str) -> str | None:
    """The value of a field in a record's header."""
    match = re.search(rb"^%s:[ \t]*([^\r\n]*)" % re.escape(name).encode(), head, re.IGNORECASE | re.MULTILINE)
    return match[1].decode("utf-8", "replace").strip() if match else None


def _numbered(record: Record, number: int) -> Record:
    """The record with its number among several at the same offset."""
    return replace(record, number=number, metadata={**record.metadata, "record_number": number}) if number else record


def _with_body(record: Record, body: http.Body) -> Record:
    """The record with its body, or with the status that says why there is none: its type, or its size."""
    media, found = http.media_of(record.content_type, body.content)
    if found is not None:
        record = replace(record, metadata={**record.metadata, "sniffed_type": found})
    if media is None:
        return replace(record, status=Status.CONTENT_TYPE)
    if body.too_large:
        return replace(record, status=Status.TOO_LARGE)
    metadata = record.metadata if body.complete else {**record.metadata, "incomplete_body": True}
    return replace(record, media=media, body=body.content, n_bytes=len(body.content), metadata=metadata)


def _is_member(window: Window, at: int) -> bool:
    return members.starts_with(window, at, VERSION)


class _Starts:
    """Where records start in a file that is not compressed.

    A malicious file may contain many texts that look like a header.  Each is checked in little time: no place is
    searched twice for the end of a header, and only the bytes at the end of a block are read.
    """

    def __init__(self) -> None:
        self._begin = self._end = 0  # [begin, end) contains no blank line

    def is_record(self, window: Window, at: int) -> bool:
        """Whether a record starts at `at`: a header that can be read, and whose length leads to a line end."""
        if not _VERSION_LINE.match(window.view(at, 16)):
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
        length = _LENGTH.search(head[: end.end()])
        if length is None:
            return False
        after = at + end.end() + int(length[1])
        if int(length[1]) and not window.peek(after - 1, 1):
            return False
        tail = window.peek(after, 2)
        return not tail or tail.startswith((b"\n", b"\r\n"))


def _frame(data: Bytes, start: int, keep: int) -> _Raw:
    """The record at `start`, with at most `keep` bytes of its block; DamageError if none can be read there."""
    head = data.view(start, 1 << 12)
    if not _VERSION_LINE.match(head):
        raise DamageError(NO_START)
    end = _END_OF_HEAD.search(head) or _END_OF_HEAD.search(head := data.view(start, MAX_HEAD))
    if end is None:
        raise DamageError("the record's header does not end")
    head = head[: end.end()]
    length = _LENGTH.search(head)
    if length is None:
        raise DamageError("the record's header has no Content-Length")
    n, body = int(length[1]), start + len(head)
    block = data.view(body, min(n, keep))
    if len(block) < min(n, keep) or (n > keep and not data.view(body + n - 1, 1)):
        raise DamageError("the record is shorter than its Content-Length")
    tail = data.view(body + n, 16)
    if tail and not tail.startswith((b"\n", b"\r\n")):
        raise DamageError("the record is longer than its Content-Length")
    return _Raw(head, block, n, body + n + len(tail) - len(tail.lstrip(b"\r\n")))


def _parsed(raw: _Raw, *, vouched: bool) -> WarcRecord:
    try:
        parsed = WarcRecord.from_reader(BytesIO(raw.head + raw.block), quirks_mode=True)
    except OSError:
        raise DamageError("the record's header cannot be read") from None
    digest = parsed.headers.get("WARC-Block-Digest") or ""
    whole = len(raw.block) == raw.length
    if whole and not vouched and digest.lower().startswith("sha1:") and not parsed.verify_block_digest():
        raise DamageError("the record does not match its block digest")
    if raw.type == "response" and raw.block.startswith(b"HTTP/"):
        parsed.is_http = True
    return parsed
