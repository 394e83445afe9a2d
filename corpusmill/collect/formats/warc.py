"""`warc`, `wet` and `wat`: WARC and ARC files, and what Common Crawl derives from them."""

from collections.abc import Iterator

from corpusmill.collect.files import opened
from corpusmill.collect.formats.base import Format, Reading
from corpusmill.collect.records import Record


class Warc(Format):
    """WARC and ARC files, plain, gzipped or zstd-compressed: see `collect/warc.py`."""

    kind = "warc"
    endings: tuple[str, ...] = (".warc", ".warc.gz", ".warc.zst", ".arc", ".arc.gz", ".arc.zst")
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


class Wet(Warc):
    """The texts of pages, as Common Crawl extracts them: the conversion records of WARC files."""

    kind = "wet"
    endings: tuple[str, ...] = (".wet", ".wet.gz", ".wet.zst")
    has_html = False

    def read(self, reading: Reading) -> Iterator[Record]:
        """The records of the slice's range."""
        from corpusmill.collect.warc import WarcReader

        piece = reading.slice
        with opened(piece.root, piece.files[0], reading.trace) as file:
            yield from WarcReader(
                file, piece.files[0], piece.start, piece.end, reading.max_page_bytes, reading.others, ("conversion",)
            )


class Wat(Warc):
    """What Common Crawl finds out about pages: titles, descriptions, links.  See `collect/wat.py`."""

    kind = "wat"
    endings: tuple[str, ...] = (".wat", ".wat.gz", ".wat.zst")
    has_html = False

    def read(self, reading: Reading) -> Iterator[Record]:
        """The records of the slice's range."""
        from corpusmill.collect.wat import WatReader

        piece = reading.slice
        with opened(piece.root, piece.files[0], reading.trace) as file:
            yield from WatReader(
                file, piece.files[0], piece.start, piece.end, reading.max_page_bytes, reading.others, ("metadata",)
            )
