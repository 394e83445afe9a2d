"""`warc`: WARC files, plain or with each record as its own gzip member; they can be cut at any byte."""

from collections.abc import Iterator

from corpusmill.collect.files import opened
from corpusmill.collect.formats.base import Format, Reading
from corpusmill.collect.records import Record


class Warc(Format):
    """WARC files: see `collect/warc.py`."""

    kind = "warc"
    endings = (".warc", ".warc.gz")
    libraries = ("fastwarc", "isal", "zstandard")
    has_html = True

    def can_be_cut(self, path: str) -> bool:
        """Yes, anywhere: a reader finds the next record by itself."""
        return True

    def read(self, reading: Reading) -> Iterator[Record]:
        """The records of the slice's range."""
        from corpusmill.collect.warc import WarcReader

        piece = reading.slice
        with opened(piece.root, piece.files[0], reading.trace) as file:
            yield from WarcReader(file, piece.files[0], piece.start, piece.end, reading.max_page_bytes, reading.others)
