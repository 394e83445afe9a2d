"""A slice's records, whatever the format of its files."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import cast, get_args

from corpusmill.collect.files import UNREADABLE, location, open_binary
from corpusmill.collect.lines import LineReader
from corpusmill.collect.parquet import ParquetReader
from corpusmill.collect.plan import Slice
from corpusmill.collect.records import Record
from corpusmill.collect.trees import TreeReader
from corpusmill.collect.user import UserReader
from corpusmill.collect.warc import WarcReader
from corpusmill.errors import InputError
from corpusmill.extensions import REGISTRY
from corpusmill.page import Media
from corpusmill.recipe import ExtractSettings, Source


@dataclass(slots=True)
class SliceReader:
    """The content records of a slice, in the input's order.

    When they have been read, `other_records` counts, by kind, what is no content: requests, revisits, blank lines, ...
    """

    slice: Slice
    source: Source
    max_page_bytes: int
    other_records: Counter[str] = field(default_factory=Counter)

    def __iter__(self) -> Iterator[Record]:
        self.other_records.clear()
        return islice(self._records(), self.slice.limit)

    def _records(self) -> Iterator[Record]:
        piece = self.slice
        if piece.kind in get_args(Media):
            yield from TreeReader(piece.root, piece.files, cast(Media, piece.kind), self.max_page_bytes)
            return
        (path,) = piece.files
        where = location(piece.root, path)
        if piece.kind in REGISTRY.sources:
            yield from UserReader(REGISTRY.sources[piece.kind], where, path, self.source.options)
            return
        try:
            file = open_binary(piece.root, path)
        except UNREADABLE as error:
            reason = error.strerror or type(error).__name__
            raise InputError(f"{where}: cannot be read ({reason}); check the file and run again") from None
        with file:
            readers: dict[str, Iterable[Record]] = {
                "warc": WarcReader(file, path, piece.start, piece.end, self.max_page_bytes, self.other_records),
                "jsonl": LineReader(
                    file, path, piece.start, piece.end, self.source.columns, self.max_page_bytes, self.other_records
                ),
                "parquet": ParquetReader(file, path, piece.start, piece.end, self.source.columns),
            }
            yield from readers[piece.kind]


def read_slice(slice: Slice, source: Source, max_page_bytes: int = ExtractSettings().max_page_bytes) -> SliceReader:
    """The records of a slice; InputError if its file is gone, or has not the columns that the recipe names."""
    return SliceReader(slice, source, max_page_bytes)
