"""`jsonl`: a JSON object on each line, plain, gzipped or zstd-compressed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from corpusmill.collect.files import opened
from corpusmill.collect.formats.base import Format, Reading
from corpusmill.collect.records import Record
from corpusmill.collect.settings import Columns, Source

if TYPE_CHECKING:
    from corpusmill.collect.lines import LineReader

COMPRESSED = (".gz", ".zst")


class JsonlSource(Source):
    """A source of JSON lines."""

    kind: Literal["jsonl"]
    columns: Columns = Columns()


class JsonLines(Format):
    """JSON lines: see `collect/lines.py`."""

    kind = "jsonl"
    settings = JsonlSource
    endings = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz", ".jsonl.zst", ".ndjson.zst")
    libraries = ("isal", "zstandard")

    def can_be_cut(self, path: str) -> bool:
        """Yes, at any byte, unless the file is compressed."""
        return not path.lower().endswith(COMPRESSED)

    def misfit(self, reading: Reading) -> str | None:
        """Why no line at the beginning of a file has the column for the text."""
        with self._reader(reading) as reader:
            return reader.misfit()

    def read(self, reading: Reading) -> Iterator[Record]:
        """The lines that begin in the slice's range."""
        with self._reader(reading) as reader:
            yield from reader

    @contextmanager
    def _reader(self, reading: Reading) -> "Iterator[LineReader]":
        from corpusmill.collect.lines import LineReader

        piece = reading.slice
        with opened(piece.root, piece.files[0], reading.trace) as file:
            yield LineReader(
                file,
                piece.files[0],
                piece.start,
                piece.end,
                reading.source.columns,
                reading.max_page_bytes,
                reading.others,
            )
