"""`crawl`: the pages that the product's crawler fetched.  Its WARC files in `raw/SOURCE` are read like any others."""

from pathlib import Path
from typing import Any, ClassVar, Literal

from corpusmill.collect.crawl.state import CrawlFolder
from corpusmill.collect.formats.warc import Warc
from corpusmill.collect.settings import CrawlSettings, Source


class CrawlSource(Source):
    """A source that is crawled first."""

    needs_paths: ClassVar[bool] = False
    kind: Literal["crawl"]
    crawl: CrawlSettings


class Crawl(Warc):
    """Pages that the crawler of this product fetched: their WARC files in `raw/SOURCE`."""

    kind = "crawl"
    settings: type[Source] = CrawlSource

    def patterns(self, source: Any, corpus_folder: Path, folder: Path) -> list[str]:
        """The folder that the crawl writes; none if the crawl fetched nothing."""
        crawl = CrawlFolder(corpus_folder / "raw" / source.name)
        summary = crawl.summary()
        return [] if summary is not None and not summary.pages else [str(crawl.path)]

    def user_agents(self, source: Any) -> list[str]:
        """The crawl's user agent."""
        return [source.crawl.user_agent]

    def identity(self, source: Any) -> object:
        """The source's name, licence and user agent.

        The WARC files record how pages were crawled.  The user agent counts, because opt-outs may be addressed to it.
        """
        return [source.name, source.licence, source.crawl.user_agent]
