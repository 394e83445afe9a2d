"""Documents: EPUB, Word, PDF, feeds, mail, threads of Stack Exchange, parallel texts."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from corpusmill.collect.files import opened
from corpusmill.collect.formats.base import Format, Reading
from corpusmill.collect.records import Record
from corpusmill.collect.settings import Source

if TYPE_CHECKING:
    from corpusmill.collect.documents.whole import Convert

COMPRESSED = (".gz", ".zst")


def _of_whole_files(reading: Reading, convert: "Convert") -> Iterator[Record]:
    """The records of a slice's files, each of which is read whole."""
    from corpusmill.collect.documents.whole import WholeFileReader

    piece = reading.slice
    yield from WholeFileReader(piece.root, piece.files, reading.max_page_bytes, reading.trace, convert)


class _WholeFiles(Format):
    """Files that are read whole, many per slice."""

    in_buckets = True
    has_markup = True

    def read(self, reading: Reading) -> Iterator[Record]:
        """The documents of the slice."""
        yield from _of_whole_files(reading, self._convert())

    def _convert(self) -> "Convert":
        raise NotImplementedError


class Epub(_WholeFiles):
    """Books: see `collect/documents/epub.py`."""

    kind = "epub"
    endings = (".epub",)

    def _convert(self) -> "Convert":
        from corpusmill.collect.documents.epub import books

        return books


class Docx(_WholeFiles):
    """Word files: see `collect/documents/docx.py`."""

    kind = "docx"
    endings = (".docx",)
    libraries = ("mammoth",)

    def _convert(self) -> "Convert":
        from corpusmill.collect.documents.docx import documents, require_mammoth

        require_mammoth()
        return documents


class Pdf(Format):
    """PDF files: see `collect/documents/pdf.py`."""

    kind = "pdf"
    endings = (".pdf",)
    libraries = ("pypdfium2",)
    in_buckets = True

    def read(self, reading: Reading) -> Iterator[Record]:
        """The documents of the slice."""
        from corpusmill.collect.documents.pdf import PdfText, require_pdfium

        require_pdfium()
        text = PdfText()
        try:
            yield from _of_whole_files(reading, text.documents)
        finally:
            text.close()


class Feed(_WholeFiles):
    """RSS and Atom feeds: see `collect/documents/feeds.py`."""

    kind = "feed"
    endings = (".rss", ".atom", ".xml", ".rdf")
    libraries = ("feedparser",)

    def _convert(self) -> "Convert":
        from corpusmill.collect.documents.feeds import entries, require_feedparser

        require_feedparser()
        return entries


class Mbox(Format):
    """Mail: see `collect/documents/mbox.py`."""

    kind = "mbox"
    endings = (".mbox", ".mbx", ".mbox.gz", ".mbox.zst")
    libraries = ("isal", "zstandard")
    has_markup = True

    def can_be_cut(self, path: str) -> bool:
        """Yes, at any byte, unless the file is compressed."""
        return not path.lower().endswith(COMPRESSED)

    def read(self, reading: Reading) -> Iterator[Record]:
        """The messages that begin in the slice's range."""
        from corpusmill.collect.documents.mbox import MailReader

        piece = reading.slice
        with opened(piece.root, piece.files[0], reading.trace) as file:
            yield from MailReader(file, piece.files[0], piece.start, piece.end, reading.max_page_bytes, reading.others)


class StackExchangeSource(Source):
    """A source of threads."""

    kind: Literal["stackexchange"]
    site: str | None = None  # such as https://stackoverflow.com: for the URLs of questions


class StackExchange(Format):
    """Threads: see `collect/documents/stackexchange.py`."""

    kind = "stackexchange"
    settings = StackExchangeSource
    endings = ("posts.xml",)
    advice = (
        "unpack the dump's Posts.xml there: questions and answers are in it, and not in Comments.xml or other files"
    )
    has_markup = True

    def misfit(self, reading: Reading) -> str | None:
        """Whether a file is another one of the dump."""
        from corpusmill.collect.documents.stackexchange import other_file

        piece = reading.slice
        with opened(piece.root, piece.files[0], reading.trace) as file:
            return other_file(file)

    def read(self, reading: Reading) -> Iterator[Record]:
        """The threads of a file."""
        from corpusmill.collect.documents.stackexchange import ThreadReader

        piece = reading.slice
        with opened(piece.root, piece.files[0], reading.trace) as file:
            yield from ThreadReader(file, piece.files[0], reading.source.site, reading.max_page_bytes, reading.others)


class TmxSource(Source):
    """A source of parallel texts."""

    kind: Literal["tmx"]
    languages: list[str] = []  # the languages that every unit must have, in this order; empty: all, as they stand
    units_per_record: int = Field(100, ge=1)


class Tmx(Format):
    """Parallel texts: see `collect/documents/tmx.py`."""

    kind = "tmx"
    settings = TmxSource
    endings = (".tmx", ".tmx.gz", ".tmx.zst")
    libraries = ("isal", "zstandard")

    def read(self, reading: Reading) -> Iterator[Record]:
        """The units of a file."""
        from corpusmill.collect.documents.tmx import TmxReader

        piece, source = reading.slice, reading.source
        with opened(piece.root, piece.files[0], reading.trace) as file:
            yield from TmxReader(
                file,
                piece.files[0],
                source.units_per_record,
                tuple(source.languages),
                reading.max_page_bytes,
                reading.others,
            )
