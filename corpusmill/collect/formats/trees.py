"""`html`, `markdown` and `text`: folders of whole files.  Each file is a record."""

from collections.abc import Iterator

from corpusmill.collect.formats.base import Format, Reading
from corpusmill.collect.records import Record
from corpusmill.page import Media


class _Tree(Format):
    """Whole files, many per slice."""

    media: Media
    in_buckets = True

    def read(self, reading: Reading) -> Iterator[Record]:
        """The slice's files; a file that cannot be read is a record with a reason."""
        from corpusmill.collect.trees import TreeReader

        piece = reading.slice
        yield from TreeReader(piece.root, piece.files, self.media, reading.max_page_bytes, reading.trace)


class Html(_Tree):
    """HTML pages as files."""

    kind = "html"
    media: Media = "html"
    endings = (".html", ".htm", ".xhtml")
    has_html = True


class Markdown(_Tree):
    """Markdown files."""

    kind = "markdown"
    media: Media = "markdown"
    endings = (".md", ".markdown")


class Text(_Tree):
    """Text files."""

    kind = "text"
    media: Media = "text"
    endings = (".txt", ".text")
