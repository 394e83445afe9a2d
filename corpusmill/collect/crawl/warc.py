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
from collections.abc import Iterable
from io import BytesIO
from typing import BinaryIO
from urllib.parse import urlsplit

from warcio.recordloader import ArcWarcRecord
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from corpusmill import __version__
from corpusmill.collect.crawl.answer import Answer, Headers

WARC_VERSION = "WARC/1.1"


class WarcFile:
    """Writes the records of one round to an open file."""

    def __init__(self, sink: BinaryIO, round: int) -> None:
        """`sink` is written at its position and not closed."""
        self._writer = WARCWriter(sink, gzip=True, warc_version=WARC_VERSION)
        self._round = round

    def write_info(self, filename: str, date: str, user_agent: str) -> None:
        """Write the first record of a file: which program made the file and how."""
        block = _block("", (
            (b"software", f"corpusmill/{__version__}".encode()),
            (b"format", b"WARC File Format 1.1"),
            (b"robots", b"obey"),
            (b"http-header-user-agent", user_agent.encode()),
        ))  # fmt: skip
        identity = self._identity("warcinfo", filename, date)
        self._write("warcinfo", identity, date, "application/warc-fields", block, [("WARC-Filename", filename)])

    def write(self, answer: Answer) -> None:
        """Write a response record and its request record."""
        date = f"{answer.fetched_at:%Y-%m-%dT%H:%M:%S}.{answer.fetched_at.microsecond // 1000:03d}Z"
        payload_digest = _digest(answer.body)
        identity = self._identity("response", answer.url, payload_digest)
        target = [("WARC-Target-URI", answer.url)]
        digest = [("WARC-Payload-Digest", payload_digest)]
        cut = [("WARC-Truncated", "length")] if answer.truncated else []
        status = f"HTTP/{answer.version} {answer.status} {answer.reason}".rstrip()
        headers = tuple(h for h in answer.headers if h[0].lower() != b"transfer-encoding")
        block = _block(status, headers) + answer.body
        self._write("response", identity, date, "application/http; msgtype=response", block, target + digest + cut)

        parts = urlsplit(answer.url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        request = _block(f"GET {path} HTTP/1.1", answer.request_headers)
        concurrent = [("WARC-Concurrent-To", identity), ("WARC-Payload-Digest", _digest(b""))]
        identity = self._identity("request", answer.url, payload_digest)
        self._write("request", identity, date, "application/http; msgtype=request", request, target + concurrent)

    def _write(
        self, kind: str, identity: str, date: str, content_type: str, block: bytes, more: Iterable[tuple[str, str]]
    ) -> None:
        fields = [("WARC-Type", kind), ("WARC-Record-ID", identity), ("WARC-Date", date), *more]
        headers = StatusAndHeaders("", fields, protocol=WARC_VERSION)
        record = ArcWarcRecord("warc", kind, headers, BytesIO(block), None, content_type, len(block))
        self._writer.write_record(record)

    def _identity(self, *what: str) -> str:
        return f"<urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, chr(0).join((str(self._round), *what)))}>"


def _block(first_line: str, headers: Headers) -> bytes:
    lines = [first_line.encode("utf-8", "surrogateescape")] if first_line else []
    return b"\r\n".join([*lines, *(name + b": " + value for name, value in headers), b"", b""])


def _digest(data: bytes) -> str:
    return f"sha1:{base64.b32encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode()}"
