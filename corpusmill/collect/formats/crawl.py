"""`crawl`: what a crawl of the product's own has fetched; its WARC files under `raw/SOURCE` are read as any other."""

from pathlib import Path
from typing import Any, ClassVar, Literal

from corpusmill.collect.formats.warc import Warc
from corpusmill.collect.settings import CrawlSettings, Source


class CrawlSource(Source):
    """A source that is crawled first."""

    needs_paths: ClassVar[bool] = False
    kind: Literal["crawl"]
    crawl: CrawlSettings


class Crawl(Warc):
    """See above."""

    kind = "crawl"
    settings = CrawlSource

    def patterns(self, source: Any, corpus_folder: Path) -> list[str]:
        """The folder that the crawl writes."""
        return [str(corpus_folder / "raw" / source.name)]

    def user_agents(self, source: Any) -> list[str]:
        """The crawl's own."""
        return [source.crawl.user_agent]

    def identity(self, source: Any) -> object:
        """How it was crawled is in the WARC files; who asked decides which opt-outs are meant."""
        return [source.name, source.licence, source.crawl.user_agent]
