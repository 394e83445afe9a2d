"""WARC files for tests, written by warcio."""

import random
import uuid
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from corpusmill.collect.reader import read_slice
from corpusmill.collect.records import Record
from corpusmill.collect.slices import Slice
from tests.collect.sources import a_source

CONTENT = ("response", "resource", "conversion")
HTML = (("Content-Type", "text/html; charset=utf-8"),)


def page(i: int, size: int = 300) -> bytes:
    words = random.Random(i).choices(["mill", "grain", "flour", "stone", "wheel", "Mühle", "粉"], k=size // 6)
    return (
        f"<html><head><title>Page {i}</title></head><body><main><p>{' '.join(words)}</p></main></body></html>".encode()
    )


class Warc:
    """A WARC in memory."""

    def __init__(self, *, packed: bool = True) -> None:
        self.file = BytesIO()
        self.writer = WARCWriter(self.file, gzip=packed)
        self.n = 0

    def _fields(self, date: str | None = None) -> dict[str, str]:
        """Id and date of the next record: the same in every run, so that a test of damage is, too."""
        self.n += 1
        identity = f"<urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, str(self.n))}>"
        return {"WARC-Record-ID": identity, "WARC-Date": date or "2026-01-02T03:04:05Z"}

    def response(
        self,
        url: str,
        body: bytes,
        headers: Sequence[tuple[str, str]] = HTML,
        status: str = "200 OK",
        date: str | None = None,
    ) -> "Warc":
        http = StatusAndHeaders(status, list(headers), protocol="HTTP/1.1")
        record = self.writer.create_warc_record(
            url,
            "response",
            payload=BytesIO(body),
            length=len(body),
            http_headers=http,
            warc_headers_dict=self._fields(date),
        )
        self.writer.write_record(record)
        return self

    def other(self, kind: str, url: str, body: bytes, content_type: str = "text/plain") -> "Warc":
        record = self.writer.create_warc_record(
            url,
            kind,
            payload=BytesIO(body),
            length=len(body),
            warc_content_type=content_type,
            warc_headers_dict=self._fields(),
        )
        self.writer.write_record(record)
        return self

    @property
    def data(self) -> bytes:
        return self.file.getvalue()


def mixed(*, packed: bool, n: int = 8) -> bytes:
    """Records of every type, `n` of them responses of different sizes, some incompressible."""
    warc = Warc(packed=packed).other("warcinfo", "", b"software: tests\r\n", "application/warc-fields")
    for i in range(n):
        url = f"http://host.example/{i}"
        warc.other("request", url, b"GET / HTTP/1.1\r\nHost: host.example\r\n\r\n", "application/http; msgtype=request")
        warc.response(url, page(i, 100 * 3**i if i < 5 else 300) + random.Random(i).randbytes(50 * i))
        warc.other("metadata", url, b"fetchTimeMs: 1\r\n", "application/warc-fields")
    warc.other("resource", "http://host.example/notes.txt", b"some notes on milling")
    warc.other("conversion", "http://host.example/wet", "Text already: Mühle".encode())
    return warc.data


def by_warcio(data: bytes) -> list[tuple[int, str]]:
    """(offset, type) of every record, read by warcio."""
    records = ArchiveIterator(BytesIO(data), check_digests=False)
    return [(records.get_record_offset(), record.rec_type) for record in records]


def content_offsets(data: bytes) -> list[int]:
    return [offset for offset, kind in by_warcio(data) if kind in CONTENT]


def write(folder: Path, data: bytes, *, packed: bool) -> Slice:
    name = "a.warc.gz" if packed else "a.warc"
    (folder / name).write_bytes(data)
    return Slice(name="p", source="s", kind="warc", root=str(folder), files=(name,))


SOURCE = a_source(name="s", kind="warc", paths=["*"])


def read(piece: Slice, max_page_bytes: int = 1_000_000) -> list[Record]:
    return list(read_slice(piece, SOURCE, max_page_bytes))
