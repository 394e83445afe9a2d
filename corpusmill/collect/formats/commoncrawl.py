"""`commoncrawl`: pages of Common Crawl that its index names."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from corpusmill.collect.files import opened
from corpusmill.collect.formats.base import Reading
from corpusmill.collect.formats.warc import COMMON_CRAWL, Warc
from corpusmill.collect.records import Record
from corpusmill.collect.settings import Source
from corpusmill.store import is_url


class CommonCrawlSource(Source):
    """A source of Common Crawl's pages; its paths are files of the index."""

    kind: Literal["commoncrawl"]
    # folder or URL that the index's names of WARC files are relative to.  A relative folder is relative to the index's
    base: str = COMMON_CRAWL
    hosts: list[str] = []  # names or patterns such as *.example.org; empty: all
    languages: list[str] = []  # as the index names them (ISO 639-3), such as deu; empty: all
    mime_types: list[str] = ["text/html", "application/xhtml+xml"]  # empty: all
    statuses: list[int] = Field([200])  # empty: all


class CommonCrawl(Warc):
    """Pages by index: see `collect/index.py`."""

    kind = "commoncrawl"
    settings: type[Source] = CommonCrawlSource
    endings: tuple[str, ...] = (".cdx", ".cdxj", ".cdx.gz", ".cdxj.gz", ".gz", ".parquet")
    libraries: tuple[str, ...] = ("fastwarc", "isal", "pyarrow", "zstandard")

    def can_be_cut(self, path: str) -> bool:
        """An index of lines at any byte, and one in Parquet at row groups; not if it is compressed."""
        return not path.lower().endswith((".gz", ".zst"))

    def patterns(self, source: Any, corpus_folder: Path, folder: Path) -> list[str]:
        """Where the files of the index are."""
        paths: list[str] = source.paths
        return paths

    def identity(self, source: Any) -> object:
        """The source's settings without the place of the WARC files."""
        return source.model_dump(mode="json", exclude={"paths", "weight", "base"})

    def read(self, reading: Reading) -> Iterator[Record]:
        """The records that the slice of an index names."""
        from corpusmill.collect.index import IndexReader, Wanted

        piece, source = reading.slice, reading.source
        wanted = Wanted(
            hosts=tuple(source.hosts),
            languages=tuple(source.languages),
            mime_types=tuple(source.mime_types),
            statuses=tuple(map(str, source.statuses)),
        )
        with opened(piece.root, piece.files[0], reading.trace) as file:
            yield from IndexReader(
                file,
                piece.files[0],
                piece.start,
                piece.end,
                source.base if is_url(source.base) else str(Path(piece.root) / source.base),
                wanted,
                reading.max_page_bytes,
                reading.others,
            )
