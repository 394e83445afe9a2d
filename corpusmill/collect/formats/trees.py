"""`html`, `markdown`, `rst`, `latex`, `text` and `code`: folders of whole files.  Each file is a record."""

from collections.abc import Iterator

from corpusmill.collect.formats.base import Format, Reading
from corpusmill.collect.languages import LANGUAGES, LICENCE_FILES, is_licence_file
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


class RestructuredText(_Tree):
    """reStructuredText files."""

    kind = "rst"
    media: Media = "rst"
    endings = (".rst", ".rest")


class Latex(_Tree):
    """LaTeX files."""

    kind = "latex"
    media: Media = "latex"
    endings = (".tex", ".ltx", ".latex")


class Code(_Tree):
    """Source code: see `collect/code.py`."""

    kind = "code"
    media: Media = "text"
    endings = (*LANGUAGES, *LICENCE_FILES)

    def is_shared(self, path: str) -> bool:
        """Whether a file is the licence of what stands beside and below it."""
        return is_licence_file(path)

    def read(self, reading: Reading) -> Iterator[Record]:
        """The slice's files, with language and licence."""
        from corpusmill.collect.code import CodeReader

        piece = reading.slice
        yield from CodeReader(piece.root, piece.files, reading.max_page_bytes, reading.trace)
