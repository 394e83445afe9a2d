"""WARC and ARC files, plain, gzipped or zstd-compressed: every content record is read once for any slicing.

Damage loses only damaged records, and each of them is a row.

A slice holds the members (gzip) or frames (zstd) whose first byte lies in it.  In a file that is not compressed, it
holds the records instead.  Every slicing of a file gives the same rows, because of two rules:

- *What is a start* depends on the file's bytes only (`framing.py`).  In a compressed file, it is a member that really
  inflates to the beginning of a record.  A slice begins at its first start.
- *Which slice reports damage*: if the content of a start is damaged, the slice in which the start lies.  If what
  follows a readable record is not a start, the slice of that record, up to the next start.  At byte 0, the first slice.

After damage, reading continues at the next start.

- A record whose Content-Length is wrong ends where the next record begins, or where its member ends.  It is read, and
  its metadata have the wrong number as `declared_length`.
- A member is damaged if inflating fails (its checksum covers every byte), or if it ends early.
- A record is damaged if it does not match its block digest (SHA-1), however it is packed.  Before that, the record up
  to the next one is tried, because a wrong length can lead to a line end by chance.
- White space and zeros between records, and members with nothing else in them, are padding.
- A member that does not begin with a record continues the one before: bgzip cuts without regard to records.

Crawlers write records about themselves: logs, screenshots, answers of name servers.  They have URIs with schemes of
their own.  Such records are counted, and they are no documents.

`offset` of a record is the byte where it or its member starts.  `number` is its place in that member, from 0.  A
record with a number has it in its metadata, too, as `record_number`.

Known limit: a `.warc.gz` that was itself archived is stored unchanged inside its member.  So a slice that begins there
takes the inner records for records of the outer file.

Cost: inflating takes two thirds of the time.
"""

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from io import BytesIO
from typing import BinaryIO

from fastwarc.warc import WarcRecord

from corpusmill.collect import frames, http, members
from corpusmill.collect.files import Bytes, Window
from corpusmill.collect.framing import (
    ARC,
    MAX_HEAD,
    NO_START,
    WARC,
    Dialect,
    FramingError,
    Raw,
    after_blank,
    frame,
    glimpse,
    record_field,
    resync,
    usual,
    with_length,
    without_beginning,
)
from corpusmill.collect.members import Member
from corpusmill.collect.records import EMPTY, DamageError, Record, numbered, utc
from corpusmill.reasons import Status

CONTENT_TYPES = ("response", "resource", "conversion")
REMOVED = "removed"  # type of a record that was erased from a crawl's file (`crawl/erase.py`)
REMOVAL_FIELD = "Corpusmill-Removal"  # in its header: id of the entry, size of the payload, media type
OPT_OUT_HEADERS = ("x-robots-tag", "tdm-reservation")
MOST_OPENED = 16  # times that a member is read again from its start, because of lengths that lead far
OWN = "crawler's own"  # how records of crawlers about themselves are counted
OWN_SCHEMES = (  # of their targets.  wget, wpull, Browsertrix, Heritrix, Brozzler and warcprox use these
    "metadata", "urn", "dns", "whois", "filedesc", "warcinfo", "screenshot", "thumbnail", "youtube-dl", "yt-dlp",
    "about", "data", "blob", "javascript", "mailto",
)  # fmt: skip

_REMOVAL = re.compile(
    rb"^corpusmill-removal:[ \t]*([0-9a-f]{16}) (\d{1,18})(?: ([^\r\n]+))?\r?$", re.IGNORECASE | re.MULTILINE
)
_INTERIM = re.compile(  # answers that came before the answer: 1xx, and those of proxies
    rb"(?:\r?\n)*+(?:HTTP/\d(?:\.\d)? (?:1\d\d\b|200 connection established)[^\n]*+\n"
    rb"(?:[^\r\n]++\r?\n)*+\r?\n)*+(?=HTTP/)",
    re.IGNORECASE,
)
_BLOCK_DIGEST = re.compile(rb"^warc-block-digest[ \t]*:[ \t]*sha1:([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_HEADERS_KEPT = ("location", "last-modified", "content-language", "x-robots-tag", "tdm-reservation", "tdm-policy")
_FIELDS_KEPT = ("WARC-Record-ID", "WARC-Payload-Digest", "WARC-Truncated", "WARC-Identified-Content-Language")


@dataclass(frozen=True, slots=True)
class _Packing:
    """How a file is compressed."""

    magic: bytes
    beginning: Callable[[Window, int, int], bytes]  # (file, offset, n) -> the first bytes of a member's content
    open: Callable[..., Member]
    first: int  # where the first member begins


@dataclass(slots=True)
class WarcReader:
    """The records of one slice of one file; `others` counts the records without content."""

    file: BinaryIO
    path: str
    start: int
    end: int | None
    max_page_bytes: int
    others: Counter[str]
    content_types: tuple[str, ...] = CONTENT_TYPES
    _dialect: Dialect = WARC
    _packing: _Packing | None = None
    _starts: Callable[[Window, int], bool] = field(init=False)
    _seen: tuple[int, bool] = (-1, False)  # the last place that was looked at, and whether a member starts there

    def __iter__(self) -> Iterator[Record]:
        window = Window(self.file)
        if self.start == 0 and not window.view(0, 1):
            yield Record.broken(self.path, 0, EMPTY)
            return
        self._look(window)
        stop = 1 << 62 if self.end is None else self.end
        at: int | None
        if self.start == 0 < stop:
            at = self._after_padding(window, self._packing.first if self._packing else 0)
            if not window.view(at, 1) and window.view(0, at).strip(b"\r\n"):
                yield Record.broken(self.path, 0, NO_START)  # nothing but zeros
        else:
            at = self._next_start(window, self.start, stop)
        while at is not None and window.view(at, 1):
            if not self._is_start(window, at):
                at = yield from self._gap(window, at)
            elif at >= stop:
                return
            else:
                after = yield from (self._member if self._packing else self._plain)(window, at)
                at = self._next_start(window, at + 1, stop) if after is None else self._after_padding(window, after)

    def _look(self, window: Window) -> None:
        """See how the file is compressed, and whether it is WARC or ARC.  Names are believed if nothing can be seen."""
        head, name = window.view(0, 16), self.path.lower()
        first = after_blank(window, 0)
        if WARC.begins(window.view(first, 16)):
            pass
        elif head.startswith(members.MAGIC) or name.endswith(".gz"):
            self._packing = _Packing(members.MAGIC, members.beginning, Member, 0)
        elif head.startswith((frames.MAGIC, frames.DICTIONARY)) or name.endswith(".zst"):
            dictionary, at = frames.dictionary_of(window)
            self._packing = _Packing(
                frames.MAGIC,
                lambda window, offset, n: frames.beginning(window, offset, n, dictionary),
                lambda window, start, follows: frames.Frame(window, start, follows, dictionary),
                at,
            )
        if self._packing is not None:
            begins = self._packing.beginning(window, self._packing.first, ARC.n_sniffed).lstrip(b"\r\n")
        else:
            begins = window.view(first, ARC.n_sniffed)
        named = re.search(r"\.arc(\.gz|\.zst)?$", name) is not None
        if ARC.begins(begins) or (named and not WARC.begins(begins)):
            self._dialect = ARC
        self._starts = self._is_member if self._packing else self._dialect.starts()

    def _is_start(self, window: Window, at: int) -> bool:
        """Whether a record, or a member with records, starts at a place."""
        if at != self._seen[0]:
            self._seen = at, self._starts(window, at)
        return self._seen[1]

    def _is_member(self, window: Window, at: int) -> bool:
        assert self._packing is not None
        start = self._packing.beginning(window, at, self._dialect.n_sniffed)
        return self._dialect.begins(start.lstrip(b"\r\n"))

    def _next_start(self, window: Window, at: int, stop: int) -> int | None:
        """The first start in [at, stop)."""
        needle, shift = (self._packing.magic, 0) if self._packing else (self._dialect.needle, self._dialect.shift)
        at = max(at, self._packing.first if self._packing else 0) - shift
        if at < 0:
            if self._is_start(window, 0):
                return 0
            at = 0
        while (at := window.find(needle, at, stop - shift)) >= 0:
            if self._is_start(window, at + shift):
                return at + shift
            at += 1
        return None

    def _after_padding(self, window: Window, at: int) -> int:
        """The offset after line ends, zeros and members without content."""
        at = after_blank(window, at)
        while self._packing is not None and window.view(at, 8).startswith(self._packing.magic):
            if self._is_start(window, at):
                break
            member = self._packing.open(window, at, lambda end: None)
            try:
                if member.view(0, 64).strip(b"\r\n\0") or member.view(64, 1):
                    break
            except DamageError:
                break
            at = after_blank(window, member.end)
        return at

    def _gap(self, window: Window, at: int) -> Generator[Record, None, int | None]:
        """The records of a place that is no start, up to the next start.  It returns where that is."""
        if self._packing is not None:
            yield Record.broken(self.path, at, NO_START)
            return self._next_start(window, at + 1, 1 << 62)
        raw, following = self._resync(window, at, window)
        if raw is None:
            yield Record.broken(self.path, at, NO_START, _glimpse_before(window, at, following))
        elif raw.is_cut and not _matches_digest(raw) and not _is_whole_answer(raw):
            yield Record.broken(self.path, at, "the record is shorter than its Content-Length", raw.url)
        else:
            yield from self._content(raw, at, 0, vouched=False)
        return following

    def _plain(self, window: Window, at: int) -> Generator[Record, None, int | None]:
        """The record at a start.  It returns where the next record should start."""
        raw = frame(self._dialect, window, at, self._keep)
        after = after_blank(window, raw.end)
        follows = not window.view(after, 1) or self._is_start(window, after)
        is_doubtful = not follows or (self._is_content(raw) and _can_be_checked(raw))
        is_intact = is_doubtful and _matches_digest(raw)
        if is_doubtful and not is_intact:
            other, _ = self._resync(window, at, window)
            raw = other if other is not None and _is_better(other, raw) else raw
        yield from self._content(raw, at, 0, vouched=is_intact)
        return raw.end

    def _member(self, window: Window, start: int) -> Generator[Record, None, int | None]:
        """The records of the member at a start.  It returns where the next one should start, or None after damage."""
        member = self._open(window, start)
        goes_on = is_intact = (
            False  # whether a record goes on in the next member; whether all of the content was checked
        )
        at = number = n_opened = 0
        raw: Raw | None = None
        following: int | None
        try:
            at = after_blank(member, 0)
            while True:
                raw, following, is_vouched = None, 0, False
                member.held = at
                try:
                    raw = frame(self._dialect, member, at, self._keep)
                except FramingError as error:
                    if not goes_on and (longer := self._longer(window, start, at)) is not None:
                        member, goes_on = longer, True
                        continue
                    if not is_intact:  # in damaged content, what looks like a record may be none
                        self._open(window, start, goes_on=goes_on).check()
                        is_intact = True
                    if member.held is None:  # far behind the record's start
                        n_opened += 1
                        if n_opened > MOST_OPENED:
                            raise DamageError(f"{error}, and so are many others of the {member.kind}") from None
                        member = self._open(window, start, goes_on=goes_on)
                    raw, following = self._resync(member, at)
                    if following is None and not goes_on:
                        member, goes_on = self._open(window, start, goes_on=True), True
                        raw, following = self._resync(member, at)
                    if raw is None:
                        is_held = member.held == at
                        url = _glimpse_before(member, at, following) if is_held else error.url
                        yield numbered(Record.broken(self.path, start, str(error), url), number)
                        if following is None:
                            return member.end
                        at, number = following, number + 1
                        continue
                else:
                    is_vouched = not (self._is_content(raw) and _can_be_checked(raw)) or _matches_digest(raw)
                    if not is_vouched and n_opened < MOST_OPENED:
                        if not goes_on:
                            member, goes_on = self._open(window, start, goes_on=True), True
                            member.held = at
                        raw, following = self._tried(member, at, raw)
                        if member.held is None:
                            n_opened += 1
                            member = self._open(window, start, goes_on=goes_on)
                last = following is None or member.ends(raw.end)  # this reads the checksum if there is one record
                yield from self._content(raw, start, number, vouched=is_vouched)
                if last or member.ends(at := after_blank(member, raw.end)):
                    return member.end
                number += 1
        except DamageError as error:
            if raw is not None and raw.length == len(raw.block) and _is_cut(error) and _is_complete(raw):
                yield from self._content(raw, start, number, vouched=False)  # only the checksum is missing
            else:
                url = raw.url if raw is not None else error.url or self._glimpse(window, start, at)
                yield numbered(Record.broken(self.path, start, str(error), url), number)
            return None

    def _tried(self, member: Member, at: int, raw: Raw) -> tuple[Raw, int | None]:
        """The record at a place of a member, up to the next one if its length is wrong; and where the next one is."""
        try:
            other, following = self._resync(member, at)
        except DamageError:
            return raw, 0
        return (other, following) if other is not None and _is_better(other, raw) else (raw, 0)

    def _open(self, window: Window, start: int, *, goes_on: bool = False) -> Member:
        """The member at a start; if it goes on, with the content of those after it in which no record begins."""
        assert self._packing is not None
        packing = self._packing

        def following(end: int) -> int | None:
            at = members.after_padding(window, end)
            is_more = packing.beginning(window, at, 1) and not self._is_start(window, at)
            return at if is_more else None

        return packing.open(window, start, following if goes_on else lambda end: None)

    def _longer(self, window: Window, start: int, at: int) -> Member | None:
        """The member with those that continue it, if this makes the record at `at` whole."""
        member = self._open(window, start, goes_on=True)
        try:
            frame(self._dialect, member, at, self._keep)
        except DamageError:
            return None
        return self._open(window, start, goes_on=True)

    def _glimpse(self, window: Window, start: int, at: int) -> str | None:
        """The target of the record at a place of a damaged member, if its header can be read."""
        return glimpse(self._open(window, start).there(at, MAX_HEAD))

    def _resync(self, data: Bytes, at: int, window: Window | None = None) -> tuple[Raw | None, int | None]:
        """See `framing.resync`; with a window, in a file that is not compressed."""

        def is_start(place: int) -> bool:
            return window is not None and self._is_start(window, place)

        raw, following = resync(self._dialect, data, at, self._keep, is_start, may_be_cut=window is not None)
        if raw is not None and raw.declared is not None and 0 <= raw.declared < raw.length == len(raw.block):
            shorter = with_length(raw, raw.declared)
            if _matches_digest(shorter):  # the length is right, and something else stands after the record
                raw = shorter
        return raw, following

    @property
    def _keep(self) -> int:
        return self.max_page_bytes + MAX_HEAD

    def _is_content(self, raw: Raw) -> bool:
        return raw.type in self.content_types and not _is_own(raw)

    def _content(self, raw: Raw, offset: int, number: int, *, vouched: bool) -> Iterator[Record]:
        if raw.type == REMOVED and (said := _REMOVAL.search(raw.head)) is not None:
            yield numbered(self._removed(raw, offset, said), number)
            return
        if not self._is_content(raw):
            self.others[OWN if _is_own(raw) else raw.type] += 1
            return
        try:
            if raw.declared is not None and raw.url is None:
                raise DamageError("the record's header is damaged")
            record = self._parse(raw, offset, vouched=vouched)
        except DamageError as error:
            record = Record.broken(self.path, offset, str(error), raw.url)
        yield numbered(record, number)

    def _removed(self, raw: Raw, offset: int, said: re.Match[bytes]) -> Record:
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

    def _parse(self, raw: Raw, offset: int, *, vouched: bool) -> Record:
        parsed = _parsed(raw, vouched=vouched)
        wrong = {} if raw.declared is None else {"declared_length": raw.declared if raw.declared >= 0 else None}
        kept = {name.removeprefix("WARC-").replace("-", "_").lower(): parsed.headers.get(name) for name in _FIELDS_KEPT}
        record = Record(
            origin_path=self.path,
            offset=offset,
            url=raw.url,
            fetched_at=utc(parsed.record_date),
            metadata={**wrong, **{name: value for name, value in kept.items() if value is not None}},
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
        if (status := http.status_of(code)) is not Status.OK:
            return replace(record, status=status)
        body = http.decode_body(
            raw_body,
            http.codings(headers.get_multiple("Transfer-Encoding")),
            http.codings(headers.get_multiple("Content-Encoding")),
            self.max_page_bytes,
        )
        return _with_body(record, replace(body, too_large=True) if missing else body)


def _glimpse_before(data: Bytes, at: int, following: int | None) -> str | None:
    """The target in what may be a damaged header, and not that of the next record."""
    return glimpse(data.there(at, 1 << 12 if following is None else min(1 << 12, following - at)))


def _is_own(raw: Raw) -> bool:
    """Whether a crawler wrote the record about itself.  A conversion may have any name."""
    scheme = (raw.url or "").partition(":")[0].lower()
    return scheme in OWN_SCHEMES and raw.type in ("response", "resource")


def _is_whole_answer(raw: Raw) -> bool:
    """Whether the record is an HTTP answer with as many bytes as the server announced, and no digest says otherwise."""
    head, blank, _ = raw.block[:MAX_HEAD].partition(b"\r\n\r\n")
    if not blank:
        head, blank, _ = raw.block[:MAX_HEAD].partition(b"\n\n")
    announced = record_field(head, "Content-Length")
    n = raw.length - len(head) - len(blank)
    return head.startswith(b"HTTP/") and announced == str(n) and not _has_digest(raw)


def _is_better(other: Raw, raw: Raw) -> bool:
    """Whether a record that ends at the next one is to be read, and not as its length says.

    A length that is too large hides records; one that is too small, a part of its own.
    """
    return _matches_digest(other) or other.end < raw.end


def _is_complete(raw: Raw) -> bool:
    return _matches_digest(raw) or not _has_digest(raw)


def _has_digest(raw: Raw) -> bool:
    return _BLOCK_DIGEST.search(raw.head) is not None


def _can_be_checked(raw: Raw) -> bool:
    """Whether there is a digest, and all of the block to compare with it."""
    return raw.length == len(raw.block) and _has_digest(raw)


def _matches_digest(raw: Raw) -> bool:
    """Whether the block was kept whole, and is the one that was written."""
    written = _BLOCK_DIGEST.search(raw.head) if raw.length == len(raw.block) else None
    if written is None:
        return False
    found = hashlib.sha1(raw.block, usedforsecurity=False)
    return written[1].strip().upper() in (base64.b32encode(found.digest()), found.hexdigest().upper().encode())


def _is_cut(error: DamageError) -> bool:
    return str(error).endswith("cut off")


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


def _parsed(raw: Raw, *, vouched: bool) -> WarcRecord:
    if not vouched and _can_be_checked(raw) and not _matches_digest(raw):
        raise DamageError("the record does not match its block digest")
    if raw.type == "response" and (before := _INTERIM.match(raw.block)) is not None and before[0]:
        raw = without_beginning(raw, len(before[0]))
    try:
        parsed = WarcRecord.from_reader(BytesIO(usual(raw.head) + raw.block), quirks_mode=True)
    except OSError:
        raise DamageError("the record's header cannot be read") from None
    if raw.type == "response" and raw.block.startswith(b"HTTP/"):
        parsed.is_http = True
    return parsed
