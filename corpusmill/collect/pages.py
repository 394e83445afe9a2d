"""The stage `pages`: one row for each record of a slice, with its text or the reason why there is none.

The rows of a slice come in tables of a bounded size.  Most slices fill one table.  A compressed file that cannot be
read from the middle can fill several, and so can a Parquet file that is strongly compressed.  Where a table ends
depends on the records only.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa

from corpusmill.collect.columns import encodable, plain
from corpusmill.collect.files import Trace
from corpusmill.collect.formats import format_of
from corpusmill.collect.optout import OUR_NAME, opted_out, product
from corpusmill.collect.reader import read_slice
from corpusmill.collect.records import Record, document_id
from corpusmill.collect.settings import Source
from corpusmill.collect.slices import Slice
from corpusmill.collect.text import normalise, one_line
from corpusmill.errors import said
from corpusmill.extensions import raised
from corpusmill.page import Extracted, Extractor, ExtractSettings, Page, UndecodableError
from corpusmill.reasons import Status
from corpusmill.schema import PAGES

MOST_ROWS = 50_000  # per table: a row takes a kilobyte of memory besides its text


class PageReader:
    """The pages of a slice, in tables.  `others` and `trace` are complete after all tables were read."""

    def __init__(self, slice: Slice, source: Source, settings: ExtractSettings, extract: Extractor) -> None:
        format = format_of(slice.kind)
        assert format is not None, "the recipe has checked the kind"
        self._records = read_slice(slice, source, settings.max_page_bytes)
        self._rows = _Rows(source, settings, extract, {OUR_NAME, *map(product, format.user_agents(source))})

    @property
    def others(self) -> Counter[str]:
        """How many records of other kinds the slice holds."""
        return self._records.reading.others

    @property
    def trace(self) -> Trace:
        """Which bytes of the slice's files were read."""
        return self._records.reading.trace

    def tables(self, table_bytes: int) -> Iterator[pa.Table]:
        """The rows (columns: `schema.PAGES`), at least one table.

        A table ends after `table_bytes` of text or `MOST_ROWS` rows.
        """
        rows: list[dict[str, Any]] = []
        size, first = 0, True
        for record in self._records:
            if size >= table_bytes or len(rows) == MOST_ROWS:
                yield pa.Table.from_pylist(rows, schema=PAGES.arrow)
                rows, size, first = [], 0, False
            row = self._row(record)
            size += sum(len(value.encode()) for value in row.values() if isinstance(value, str))
            rows.append(row)
        if rows or first:
            yield pa.Table.from_pylist(rows, schema=PAGES.arrow)

    def _row(self, record: Record) -> dict[str, Any]:
        """The row of a record.  A record with unexpected values becomes a broken record; others are not affected."""
        try:
            return self._rows.row(record)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001  # the row records the error
            broken = Record.broken(record.origin_path, record.offset, said(error))
            return self._rows.row(replace(broken, number=record.number))


def read_pages(
    slice: Slice, source: Source, settings: ExtractSettings, extract: Extractor
) -> tuple[pa.Table, Counter[str]]:
    """The pages of a slice as one table, and how many records of other kinds it holds.

    Every content record is exactly one row.  InputError if the file is missing.
    """
    reader = PageReader(slice, source, settings, extract)
    return pa.concat_tables(reader.tables(sys.maxsize)), reader.others


class _Rows:
    """Makes rows from the records of one source."""

    def __init__(self, source: Source, settings: ExtractSettings, extract: Extractor, agents: set[str]) -> None:
        self.source = source
        self.settings = settings
        self.extract = extract
        self.agents = agents
        self.wanted = frozenset(directive.lower() for directive in settings.opt_outs)

    def row(self, record: Record) -> dict[str, Any]:
        """The row of a record, whatever its status is."""
        record, extracted = self._text_of(record)
        found = extracted or Extracted(text="")
        text = normalise(found.text) if record.status is Status.OK else None
        return {
            "doc_id": document_id(self.source.name, record),
            "source": self.source.name,
            "url": encodable(record.url) if record.url is not None else None,
            "fetched_at": record.fetched_at,
            "title": one_line(record.title or found.title),
            "text": text,
            "html_lang": one_line(found.html_lang or record.html_lang),
            "content_type": encodable(record.content_type) if record.content_type is not None else None,
            "licence": one_line(record.licence or found.licence or self.source.licence),
            "metadata": to_json({**found.metadata, **record.metadata}),
            "n_bytes": record.n_bytes,
            "origin_path": encodable(record.origin_path),
            "origin_offset": record.offset,
            "status": str(record.status),
        }

    def _text_of(self, record: Record) -> tuple[Record, Extracted | None]:
        """The record with its final status, and what the extractor found in it."""
        if record.status is not Status.OK:
            return record, None
        if record.n_bytes > self.settings.max_page_bytes:
            return replace(record, status=Status.TOO_LARGE), None
        if (directive := self._opted_out(record.directives)) is not None:
            return _dropped(record, Status.OPTED_OUT, opted_out_by=directive), None
        if record.text is not None:
            return record, Extracted(text=record.text)
        assert record.body is not None
        assert record.media is not None
        try:
            extracted = self.extract(
                Page(body=record.body, media=record.media, charset=record.charset, url=record.url, site=record.site)
            )
        except UndecodableError as error:
            return _dropped(record, Status.UNDECODABLE, error=str(error)), None
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001  # the row records the error; other pages are not affected
            return _dropped(record, Status.EXTRACTOR_FAILED, error=raised(error)), None
        if (directive := self._opted_out(extracted.directives)) is not None:
            return _dropped(record, Status.OPTED_OUT, opted_out_by=directive), extracted
        return replace(record, status=extracted.status), extracted

    def _opted_out(self, directives: tuple[tuple[str, str], ...]) -> str | None:
        return opted_out(directives, self.wanted, self.agents)


def _dropped(record: Record, status: Status, **why: str) -> Record:
    return replace(record, status=status, metadata={**record.metadata, **why})


def to_json(metadata: Mapping[str, Any]) -> str:
    """Metadata as one JSON object with sorted keys."""
    return json.dumps(plain(metadata), ensure_ascii=False, sort_keys=True, allow_nan=False, separators=(",", ":"))
