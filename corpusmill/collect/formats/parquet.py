"""`parquet`: one record per row; slices are cut at row groups."""

from collections.abc import Iterator
from typing import Literal

from corpusmill.collect.files import opened
from corpusmill.collect.formats.base import Format, Reading
from corpusmill.collect.records import Record
from corpusmill.collect.settings import Columns, Source


class ParquetSource(Source):
    """A source of Parquet files."""

    kind: Literal["parquet"]
    columns: Columns = Columns()


class Parquet(Format):
    """Parquet files: see `collect/parquet.py`."""

    kind = "parquet"
    settings = ParquetSource
    endings = (".parquet",)
    libraries = ("pyarrow",)

    def can_be_cut(self, path: str) -> bool:
        """Yes, at any byte: a row group belongs to the slice in which it begins."""
        return True

    def misfit(self, reading: Reading) -> str | None:
        """Why no column of a file is the text."""
        from corpusmill.collect.parquet import parquet_misfit

        piece = reading.slice
        with opened(piece.root, piece.files[0], reading.trace) as file:
            return parquet_misfit(file, reading.source.columns)

    def read(self, reading: Reading) -> Iterator[Record]:
        """The rows of the row groups that begin in the slice's range."""
        from corpusmill.collect.parquet import ParquetReader

        piece = reading.slice
        with opened(piece.root, piece.files[0], reading.trace) as file:
            yield from ParquetReader(file, piece.files[0], piece.start, piece.end, reading.source.columns)
