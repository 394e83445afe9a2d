"""The records of a slice, for every format."""

from collections.abc import Iterator
from itertools import islice

from corpusmill.collect.formats import format_of
from corpusmill.collect.formats.base import Format, Reading
from corpusmill.collect.records import Record
from corpusmill.collect.settings import Source
from corpusmill.collect.slices import Slice
from corpusmill.errors import InputError
from corpusmill.page import ExtractSettings


class SliceReader:
    """The content records of a slice, in the input's order.

    After they were read, `reading.others` counts by kind what is not content (requests, revisits, blank lines), and
    `reading.trace` knows which bytes of the files were read.
    """

    def __init__(self, slice: Slice, source: Source, max_page_bytes: int) -> None:
        self.reading = Reading(slice, source, max_page_bytes)

    def __iter__(self) -> Iterator[Record]:
        format = format_of(self.reading.slice.kind)
        assert format is not None, "the recipe has checked the kind"
        self.reading.others.clear()
        return islice(self._records(format), self.reading.slice.limit)

    def _records(self, format: Format) -> Iterator[Record]:
        """The records.  An InputError about the slice's file names the source, too."""
        piece = self.reading.slice
        try:
            yield from format.read(self.reading)
        except InputError as error:
            if not str(error).startswith(f"{piece.files[0]}: "):
                raise
            raise InputError(f"source '{piece.source}': {error}") from None


def read_slice(slice: Slice, source: Source, max_page_bytes: int = ExtractSettings().max_page_bytes) -> SliceReader:
    """The records of a slice.  InputError if its file is missing."""
    return SliceReader(slice, source, max_page_bytes)
