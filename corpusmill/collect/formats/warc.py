"""`warc`, `wet` and `wat`: WARC and ARC files, and what Common Crawl derives from them."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal

from corpusmill.collect.files import opened
from corpusmill.collect.formats.base import Format, Reading
from corpusmill.collect.records import Record
from corpusmill.collect.settings import Source

COMMON_CRAWL = "https://data.commoncrawl.org/"
LISTS = (".paths", ".paths.gz", ".paths.txt")


class WarcSource(Source):
    """A source of WARC files, or of what is derived from them.

    A path that ends in .paths or .paths.gz is a list of files, one per line, as Common Crawl publishes them.
    """

    kind: Literal["warc", "wet", "wat"]
    base: str = COMMON_CRAWL  # folder or URL that the lines of such a list are relative to


class Warc(Format):
    """WARC and ARC files, plain, gzipped or zstd-compressed: see `collect/warc.py`."""

    kind = "warc"
    settings: type[Source] = WarcSource
    endings: tuple[str, ...] = (".warc", ".warc.gz", ".warc.zst", ".arc", ".arc.gz", ".arc.zst")
    libraries: tuple[str, ...] = ("fastwarc", "isal", "zstandard")
    has_html = True

    def patterns(self, source: Any, corpus_folder: Path, folder: Path) -> list[str]:
        """Where the source's files are, with the files of lists in the place of the lists."""
        from corpusmill.collect.pathlist import files_of

        found: list[str] = []
        for path in source.paths:
            is_list = path.lower().endswith(LISTS)
            found += files_of(path, source.base, folder, f"source '{source.name}'") if is_list else [path]
        return found

    def identity(self, source: Any) -> object:
        """The source's settings without the places of its files."""
        return source.model_dump(mode="json", exclude={"paths", "weight", "base"})

    def can_be_cut(self, path: str) -> bool:
        """Yes, anywhere: a reader finds the next record by itself."""
        return True

    def read(self, reading: Reading) -> Iterator[Record]:
        """The records of the slice's range."""
        piece, reader = reading.slice, self._reader()
        with opened(piece.root, piece.files[0], reading.trace) as file:
            yield from reader(file, piece.files[0], piece.start, piece.end, reading.max_page_bytes, reading.others)

    def _reader(self) -> Callable[..., Iterable[Record]]:
        from corpusmill.collect.warc import WarcReader

        return WarcReader


class Wet(Warc):
    """The texts of pages, as Common Crawl extracts them: the conversion records of WARC files."""

    kind = "wet"
    endings: tuple[str, ...] = (".wet", ".wet.gz", ".wet.zst")
    has_html = False

    def _reader(self) -> Callable[..., Iterable[Record]]:
        from corpusmill.collect.warc import WarcReader

        return partial(WarcReader, content_types=("conversion",))


class Wat(Warc):
    """What Common Crawl finds out about pages: titles, descriptions, links.  See `collect/wat.py`."""

    kind = "wat"
    endings: tuple[str, ...] = (".wat", ".wat.gz", ".wat.zst")
    has_html = False

    def _reader(self) -> Callable[..., Iterable[Record]]:
        from corpusmill.collect.wat import WatReader

        return partial(WatReader, content_types=("metadata",))
