"""`csv`, `arrow` and `dataset`: tables, and folders of them as the Hugging Face Hub has them."""

import codecs
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, field_validator

from corpusmill.collect.files import opened
from corpusmill.collect.formats.base import Format, Reading
from corpusmill.collect.formats.jsonl import JsonLines
from corpusmill.collect.formats.parquet import Parquet
from corpusmill.collect.records import Record
from corpusmill.collect.settings import Columns, Source

if TYPE_CHECKING:
    from corpusmill.collect.separated import SeparatedReader


class CsvSource(Source):
    """A source of CSV or TSV files."""

    kind: Literal["csv"]
    columns: Columns = Columns()
    delimiter: str | None = Field(None, min_length=1, max_length=1)  # by default a tab in .tsv files, else a comma
    encoding: str = "utf-8"

    @field_validator("encoding")
    @classmethod
    def _is_a_superset_of_ascii(cls, encoding: str) -> str:
        try:
            known = codecs.lookup(encoding)
            fits = known.encode("a,\n")[0] == b"a,\n"
        except (LookupError, TypeError, ValueError):
            fits = False
        if not fits:
            raise ValueError(f"'{encoding}' is no encoding that contains ASCII; write it as cp1252 or shift_jis")
        return encoding


class Csv(Format):
    """CSV and TSV files: see `collect/separated.py`."""

    kind = "csv"
    settings: type[Source] = CsvSource
    endings = (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".csv.zst", ".tsv.zst")
    libraries = ("isal", "zstandard")

    def misfit(self, reading: Reading) -> str | None:
        """Why no column of a file is the text."""
        with self._reader(reading) as reader:
            return reader.misfit()

    def read(self, reading: Reading) -> Iterator[Record]:
        """The rows of a file."""
        with self._reader(reading) as reader:
            yield from reader

    @contextmanager
    def _reader(self, reading: Reading) -> "Iterator[SeparatedReader]":
        from corpusmill.collect.separated import SeparatedReader

        piece, source = reading.slice, reading.source
        is_tsv = re.search(r"\.tsv(\.gz|\.zst)?$", piece.files[0].lower()) is not None
        with opened(piece.root, piece.files[0], reading.trace) as file:
            yield SeparatedReader(
                file,
                piece.files[0],
                getattr(source, "delimiter", None) or ("\t" if is_tsv else ","),
                getattr(source, "encoding", "utf-8"),
                source.columns,
                reading.max_page_bytes,
                reading.others,
            )


class ArrowSource(Source):
    """A source of Arrow files."""

    kind: Literal["arrow"]
    columns: Columns = Columns()


class Arrow(Format):
    """Arrow files: see `collect/arrow.py`."""

    kind = "arrow"
    settings: type[Source] = ArrowSource
    endings = (".arrow", ".feather", ".ipc")
    libraries = ("pyarrow",)

    def can_be_cut(self, path: str) -> bool:
        """Yes, at any byte: a record batch belongs to the slice in which it begins.  A stream is read by the first."""
        return True

    def misfit(self, reading: Reading) -> str | None:
        """Why no column of a file is the text."""
        from corpusmill.collect.arrow import arrow_misfit

        piece = reading.slice
        with opened(piece.root, piece.files[0], reading.trace) as file:
            return arrow_misfit(file, reading.source.columns)

    def read(self, reading: Reading) -> Iterator[Record]:
        """The rows of the record batches that begin in the slice's range."""
        from corpusmill.collect.arrow import ArrowReader

        piece = reading.slice
        with opened(piece.root, piece.files[0], reading.trace) as file:
            yield from ArrowReader(file, piece.files[0], piece.start, piece.end, reading.source.columns)


class DatasetSource(Source):
    """A source of folders of data sets."""

    kind: Literal["dataset"]
    columns: Columns = Columns()
    splits: list[str] = []  # such as "train"; empty: all


class Dataset(Format):
    """Folders as the Hub or `save_to_disk` has them: every file is read by its ending.

    A file belongs to a split if the split's name is that of one of its folders, or the first word of its own name.  The
    caches of `datasets` (`cache-*.arrow`) are left out, and so are the JSON files that describe a data set.
    """

    kind = "dataset"
    settings: type[Source] = DatasetSource
    members: tuple[Format, ...] = (Parquet(), JsonLines(), Csv(), Arrow())
    endings = (*(ending for member in members for ending in member.endings), ".json")
    libraries = ("isal", "pyarrow", "zstandard")

    def is_wanted(self, source: Any, path: str) -> bool:
        """Whether a file holds rows, and is of a split that the recipe names."""
        parts = PurePosixPath(path).parts
        name = parts[-1].lower()
        if name in _DESCRIPTIONS or re.match(r"cache-.*\.arrow$", name):
            return False
        words = {*parts[:-1], re.split(r"[-_.]", parts[-1])[0]}
        return not source.splits or not words.isdisjoint(source.splits)

    def can_be_cut(self, path: str) -> bool:
        """As the file's own format says."""
        return self._member(path).can_be_cut(path)

    def misfit(self, reading: Reading) -> str | None:
        """Why no column of a file is the text."""
        return self._member(reading.slice.files[0]).misfit(reading)

    def read(self, reading: Reading) -> Iterator[Record]:
        """The rows of a slice."""
        yield from self._member(reading.slice.files[0]).read(reading)

    def _member(self, path: str) -> Format:
        found = (member for member in self.members if path.lower().endswith(member.endings))
        return next(found, self.members[1])


_DESCRIPTIONS = (
    "dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json", "metadata.json", "croissant.json",
)  # fmt: skip
