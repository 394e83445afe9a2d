"""The records of a slice, for every format."""

from collections.abc import Iterator
from itertools import islice

from corpusmill.collect.formats import format_of
from corpusmill.collect.formats.base import Reading
from corpusmill.collect.records import Record
from corpusmill.collect.settings import Source
from corpusmill.collect.slices import Slice
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
        return islice(format.read(self.reading), self.reading.slice.limit)


def read_slice(slice: Slice, source: Source, max_page_bytes: int = ExtractSettings().max_page_bytes) -> SliceReader:
    """The records of a slice.  InputError if its file is missing or lacks the columns that the recipe names."""
    return SliceReader(slice, source, max_page_bytes)
