"""`wikipedia`: XML dumps of Wikipedia and other wikis of MediaWiki."""

from collections.abc import Iterator
from typing import Literal

from corpusmill.collect.files import opened
from corpusmill.collect.formats.base import Format, Reading
from corpusmill.collect.records import Record
from corpusmill.collect.settings import Source


class WikipediaSource(Source):
    """A source of dumps."""

    kind: Literal["wikipedia"]
    namespaces: list[int] = [0]  # numbers of the namespaces whose pages are wanted; 0: articles


class MediaWiki(Format):
    """Dumps: see `collect/mediawiki.py`."""

    kind = "wikipedia"
    settings = WikipediaSource
    endings = (".xml", ".xml.bz2", ".xml.gz", ".xml.zst")
    libraries = ("isal", "zstandard")
    has_markup = True

    def can_be_cut(self, path: str) -> bool:
        """A plain file anywhere; a bzip2 file whose name says that it has many streams."""
        name = path.lower()
        return name.endswith(".xml") or (name.endswith(".bz2") and "multistream" in name)

    def read(self, reading: Reading) -> Iterator[Record]:
        """The pages that begin in the slice's range."""
        from corpusmill.collect.mediawiki import DumpReader

        piece = reading.slice
        with opened(piece.root, piece.files[0], reading.trace) as file:
            yield from DumpReader(
                file,
                piece.files[0],
                piece.start,
                piece.end,
                frozenset(reading.source.namespaces),
                reading.max_page_bytes,
                reading.others,
            )
