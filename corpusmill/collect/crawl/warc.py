"""WARC records of what was fetched (ISO 28500), written with warcio.  Each record is its own gzip member.

A response record holds the status line, the headers and the body as received.  Only a Transfer-Encoding header is left
out: the body is stored without that framing, and readers would try to undo it again.  A Content-Encoding header stays,
because the body is still compressed.

The record's id is a UUID of version 5 made from round, URL and digest of the payload.  So the id is the same whenever
the same answer is stored again.  warcio writes and digests the record.  The block is made here, because warcio
percent-encodes headers that are not ASCII.
"""

import base64
import hashlib
import uuid
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from warcio.recordloader import ArcWarcRecord
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from corpusmill import __version__
from corpusmill.collect.crawl.answer import Answer, Headers

WARC_VERSION = "WARC/1.1"


@dataclass(frozen=True, kw_only=True, slots=True)
class Earlier:
    """The answer of an earlier crawl for a URL."""

    digest: str  # of its payload
    date: str  # of its record: WARC-Date
    etag: str | None
    last_modified: str | None
    warc_file: str  # the path of the file that holds it
    offset: int  # of its record in the file


class WarcFile:
    """Writes the records of one round to an open file."""

    def __init__(self, sink: BinaryIO, round: int) -> None:
        """`sink` is written at its position and not closed."""
        self._writer = WARCWriter(sink, gzip=True, warc_version=WARC_VERSION)
        self._round = round

    def write_info(self, filename: str, date: str, user_agent: str, operator: str) -> None:
        """Write the first record of a file: which program made the file, how, and for whom."""
        block = _block("", (
            (b"software", f"corpusmill/{__version__}".encode()),
            (b"format", b"WARC File Format 1.1"),
            (b"operator", operator.encode()),
            (b"robots", b"obey"),
            (b"http-header-user-agent", user_agent.encode()),
        ))  # fmt: skip
        identity = self._identity("warcinfo", filename, date)
        self._write("warcinfo", identity, date, "application/warc-fields", block, [("WARC-Filename", filename)])

    def write(self, answer: Answer, earlier: Earlier | None = None) -> None:
        """Write a response record and its request record.

        If the answer says that the page is the same as in an earlier crawl (status 304 or the same bytes), `earlier` is
        the answer of then.  A revisit record, which refers to it, is written in place of the response.
        """
        date = f"{answer.fetched_at:%Y-%m-%dT%H:%M:%S}.{answer.fetched_at.microsecond // 1000:03d}Z"
        digest = _digest(answer.body) if earlier is None else earlier.digest
        kind = "response" if earlier is None else "revisit"
        identity = self._identity(kind, answer.url, digest)
        fields = [("WARC-Target-URI", answer.url), ("WARC-Payload-Digest", digest)]
        if earlier is not None:
            profile = "server-not-modified" if answer.status == 304 else "identical-payload-digest"
            fields += [
                ("WARC-Profile", f"http://netpreserve.org/warc/1.1/revisit/{profile}"),
                ("WARC-Refers-To-Target-URI", answer.url),
                ("WARC-Refers-To-Date", earlier.date),
            ]
        if answer.truncated or earlier is not None:
            fields.append(("WARC-Truncated", "length"))
        status = f"HTTP/{answer.version} {answer.status} {answer.reason}".rstrip()
        headers = tuple(h for h in answer.headers if h[0].lower() != b"transfer-encoding")
        block = _block(status, headers) + (answer.body if earlier is None else b"")
        self._write(kind, identity, date, "application/http; msgtype=response", block, fields)

        path = answer.url[answer.url.index("/", answer.url.index("://") + 3) :]
        request = _block(f"GET {path} HTTP/1.1", answer.request_headers)
        concurrent = [
            ("WARC-Target-URI", answer.url),
            ("WARC-Concurrent-To", identity),
            ("WARC-Payload-Digest", _digest(b"")),
        ]
        identity = self._identity("request", answer.url, digest)
        self._write("request", identity, date, "application/http; msgtype=request", request, concurrent)

    def _write(
        self, kind: str, identity: str, date: str, content_type: str, block: bytes, more: Iterable[tuple[str, str]]
    ) -> None:
        fields = [("WARC-Type", kind), ("WARC-Record-ID", identity), ("WARC-Date", date), *more]
        headers = StatusAndHeaders("", fields, protocol=WARC_VERSION)
        written_as = "response" if kind == "revisit" else kind  # warcio would leave out the block of a revisit record
        record = ArcWarcRecord("warc", written_as, headers, BytesIO(block), None, content_type, len(block))
        self._writer.write_record(record)

    def _identity(self, *what: str) -> str:
        return f"<urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, chr(0).join((str(self._round), *what)))}>"


def read_answer(member: bytes) -> Answer:
    """The answer that `WarcFile.write` wrote, from the gzip members of its records.  It has no request headers."""
    record = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(member)
    fields_text, _, block = record.partition(b"\r\n\r\n")
    fields = dict(line.split(": ", 1) for line in fields_text.decode().split("\r\n")[1:])
    head, _, body = block[: int(fields["Content-Length"])].partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    version, status, *reason = first.split(b" ", 2)
    pairs = [line.partition(b": ") for line in lines]
    return Answer(
        url=fields["WARC-Target-URI"],
        fetched_at=datetime.fromisoformat(fields["WARC-Date"]),
        status=int(status),
        reason=reason[0].decode("utf-8", "surrogateescape") if reason else "",
        version=version.removeprefix(b"HTTP/").decode(),
        headers=tuple((name, value) for name, _, value in pairs),
        body=body,
        truncated="WARC-Truncated" in fields,
        request_headers=(),
    )


def read_member(path: Path, offset: int) -> bytes:
    """A record of a WARC file, still compressed.  OSError if it cannot be read."""
    with path.open("rb") as file:
        file.seek(offset)
        inflate, member = zlib.decompressobj(zlib.MAX_WBITS | 16), b""
        while not inflate.eof and (piece := file.read(1 << 16)):
            inflate.decompress(piece)
            member += piece
    return member


def payload_digest(answer: Answer) -> str:
    """The digest of an answer's body, as WARC files write it."""
    return _digest(answer.body)


def _block(first_line: str, headers: Headers) -> bytes:
    lines = [first_line.encode("utf-8", "surrogateescape")] if first_line else []
    return b"\r\n".join([*lines, *(name + b": " + value for name, value in headers), b"", b""])


def _digest(data: bytes) -> str:
    return f"sha1:{base64.b32encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode()}"
