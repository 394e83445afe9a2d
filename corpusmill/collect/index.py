"""Common Crawl by its index: the index says which records there are, and only those that are wanted are fetched.

Three forms of index are read (https://commoncrawl.org/cdxj-index and https://commoncrawl.org/columnar-index):

- CDXJ lines: a key, a time and a JSON object per line;
- CDX lines of eleven fields, after a line ` CDX N b a m s k r M S V g`;
- the columnar index, in Parquet files.

A row is selected by host, language, media type and HTTP status, before anything else is read.  Rows that are not wanted
are counted.  For the others, a range of bytes of a WARC file is read, which holds one record.  Several ranges are read
at a time, and the records come in the order of the index.

A record's place is the name of its WARC file in the index, and the offset there.  What an index names and cannot be
read is a row with the reason and the URL.  A plain index can be cut at any byte, and a columnar one at row groups; a
compressed index is one slice.
"""

import json
import re
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from io import BytesIO
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from corpusmill.collect.files import UNREADABLE, Trace, open_binary
from corpusmill.collect.framing import MAX_HEAD
from corpusmill.collect.lines import first_line, inflated
from corpusmill.collect.records import EMPTY, DamageError, Record
from corpusmill.collect.remote import joined, read_range
from corpusmill.collect.warc import WarcReader
from corpusmill.reasons import Status
from corpusmill.store import is_url

AT_ONCE = 8  # ranges that are read at a time
LONGEST_LINE = 1 << 20
_CDX_FIELDS = (
    "key",
    "timestamp",
    "url",
    "mime",
    "status",
    "digest",
    "redirect",
    "meta",
    "length",
    "offset",
    "filename",
)
_COLUMNS = {  # of the columnar index -> as in CDXJ
    "url": "url",
    "url_host_name": "host",
    "content_languages": "languages",
    "content_mime_type": "mime",
    "content_mime_detected": "mime-detected",
    "fetch_status": "status",
    "warc_filename": "filename",
    "warc_record_offset": "offset",
    "warc_record_length": "length",
}
_NEEDED = ("url", "warc_filename", "warc_record_offset", "warc_record_length")


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Which rows of an index are wanted; an empty tuple stands for all."""

    hosts: tuple[str, ...] = ()  # names, or patterns such as *.example.org
    languages: tuple[str, ...] = ()  # of which a page must have one, as the index names them: deu
    mime_types: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()

    def __call__(self, row: dict[str, Any]) -> bool:
        """Whether a row is wanted."""
        if self.statuses and str(row.get("status")) not in self.statuses:
            return False
        if self.mime_types and not {row.get("mime-detected"), row.get("mime")} & set(self.mime_types):
            return False
        if self.languages and not set(str(row.get("languages") or "").split(",")) & set(self.languages):
            return False
        if not self.hosts:
            return True
        host = str(row.get("host") or _host(str(row.get("url"))))
        return any(fnmatchcase(host, pattern) for pattern in self.hosts)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


@dataclass(slots=True)
class IndexReader:
    """The records that one slice of one index names."""

    file: BinaryIO
    path: str
    start: int
    end: int | None
    base: str  # folder or URL that the names of the WARC files are relative to
    wanted: Wanted
    max_page_bytes: int
    others: Counter[str]

    def __iter__(self) -> Iterator[Record]:
        rows = self._columnar() if self.path.lower().endswith(".parquet") else self._lines()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            waiting = deque[Future[Record] | Record]()
            for row in rows:
                if isinstance(row, Record):
                    waiting.append(row)
                elif self.wanted(row):
                    waiting.append(pool.submit(self._fetch, row))
                else:
                    self.others["not selected"] += 1
                if len(waiting) >= AT_ONCE:
                    yield _done(waiting.popleft())
            while waiting:
                yield _done(waiting.popleft())

    def _lines(self) -> Iterator[dict[str, Any] | Record]:
        packed = self.path.lower().endswith((".gz", ".zst"))
        if packed and self.start > 0:
            return
        with inflated(self.file, self.path) as file:
            at = 0 if packed else first_line(file, self.start)
            while packed or self.end is None or at < self.end:
                try:
                    line = file.readline(LONGEST_LINE)
                except DamageError as error:
                    yield Record.broken(self.path, at, f"{error}; nothing can be read from here on")
                    return
                if not line:
                    if at == 0:
                        yield Record.broken(self.path, 0, EMPTY)
                    return
                yield from self._row(line, at)
                at += len(line)

    def _row(self, line: bytes, at: int) -> Iterator[dict[str, Any] | Record]:
        text = line.decode("utf-8", "replace").strip()
        if not text or text.startswith(("CDX ", "!")):
            self.others["line of no record"] += 1
            return
        _, brace, rest = text.partition("{")
        fields = text.split(" ")
        row: Any = None
        if brace:
            try:
                row = json.loads(brace + rest)
            except (ValueError, RecursionError):
                row = None
        elif len(fields) == len(_CDX_FIELDS):
            row = dict(zip(_CDX_FIELDS, fields, strict=True))
        yield row if isinstance(row, dict) else Record.broken(self.path, at, "not a line of an index")

    def _columnar(self) -> Iterator[dict[str, Any] | Record]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        from corpusmill.collect.parquet import groups_of
        from corpusmill.errors import is_of_the_system

        row = 0
        try:
            parquet = pq.ParquetFile(self.file)
            names = [name for name in _COLUMNS if name in parquet.schema_arrow.names]
            missing = [name for name in _NEEDED if name not in names]
            if missing:
                if self.start == 0:
                    error = f"it is no columnar index: there is no column '{missing[0]}'"
                    yield Record.broken(self.path, 0, error)
                return
            for group, row in groups_of(parquet, self.start, self.end):
                for batch in parquet.iter_batches(1000, row_groups=[group], columns=names, use_threads=False):
                    for values in batch.to_pylist():
                        yield {_COLUMNS[name]: value for name, value in values.items()}
                        row += 1
        except (OSError, pa.ArrowException) as error:
            if is_of_the_system(error):
                raise
            if self.start == 0 or row:
                yield Record.broken(self.path, row, "the index is damaged from here on")

    def _fetch(self, row: dict[str, Any]) -> Record:
        """The record that a row of the index names."""
        url = row.get("url")
        url = url if isinstance(url, str) else None
        name = str(row.get("filename"))
        try:
            offset, length = int(str(row.get("offset"))), int(str(row.get("length")))
        except ValueError:
            return Record.broken(self.path, 0, "the index has no offset and length for it", url)
        if re.search(r"(^|/)\.\.(/|$)|^/|://|\\", name) or offset < 0 or length <= 0:
            return Record.broken(self.path, 0, "the index names no file below the base", url)
        if length > self.max_page_bytes + MAX_HEAD:
            return Record(origin_path=name, offset=offset, status=Status.TOO_LARGE, url=url, n_bytes=length)
        try:
            content = self._bytes(name, offset, length)
        except UNREADABLE as error:
            reason = error.strerror or type(error).__name__
            return Record.broken(name, offset, f"the WARC file cannot be read ({reason})", url)
        if len(content) < length:
            return Record.broken(name, offset, "the WARC file ends before the record", url)
        records = iter(WarcReader(BytesIO(content), name, 0, None, self.max_page_bytes, Counter()))
        record = next(records, None)
        if record is None:
            return Record.broken(name, offset, "the record there has no content", url)
        return replace(record, offset=offset, url=record.url or url)

    def _bytes(self, name: str, offset: int, length: int) -> bytes:
        if is_url(self.base):
            return read_range(joined(self.base, name), offset, length)
        with open_binary(self.base, name, Trace()) as file:
            file.seek(offset)
            return file.read(length)


def _done(result: "Future[Record] | Record") -> Record:
    return result if isinstance(result, Record) else result.result()
