"""One crawl by one crawler, in a process of its own: `bench/crawl.py`.

    python bench/peers/crawlers.py scrapy FOLDER < SEEDS     a JSON list of URLs; one page links to all others of a host

It prints {"pages", "seconds", "cpu"}.  Of corpusmill, it imports what it needs for its own crawl only.
"""

import json
import sys
import time
from pathlib import Path


def scrapy(seeds: list[str], folder: Path) -> int:
    """Crawl with Scrapy; returns the pages fetched."""
    from scrapy import Request, Spider
    from scrapy.crawler import CrawlerProcess
    from scrapy.linkextractors import LinkExtractor

    n_pages = 0

    class Pages(Spider):
        name = "pages"
        start_urls = seeds
        links = LinkExtractor()

        def parse(self, response):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            nonlocal n_pages
            n_pages += 1
            for link in self.links.extract_links(response):
                yield Request(link.url, self.parse)

    process = CrawlerProcess(
        {
            "ROBOTSTXT_OBEY": True,
            "CONCURRENT_REQUESTS": 256,
            "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
            "DOWNLOAD_DELAY": 0,
            "COOKIES_ENABLED": False,
            "TELNETCONSOLE_ENABLED": False,
            "LOG_LEVEL": "ERROR",
            "USER_AGENT": "bench (+https://bench.example/)",
        }
    )
    process.crawl(Pages)
    process.start()
    return n_pages


def corpusmill(seeds: list[str], folder: Path) -> int:
    """Crawl with corpusmill, into WARC files in a folder; returns the pages fetched."""
    from corpusmill.collect.crawl.rounds import crawl_rounds
    from corpusmill.collect.crawl.state import CrawlFolder
    from corpusmill.recipe import CrawlSettings

    settings = CrawlSettings(
        seeds=seeds,
        contact="https://bench.example/",
        delay_s=0.0,
        max_pages=1_000_000,
        allow_private_addresses=True,
    )
    return crawl_rounds(CrawlFolder(folder / "web"), settings).pages


def main(name: str, folder: str) -> None:
    """Crawl and print."""
    seeds = json.load(sys.stdin)
    if name == "scrapy":
        from scrapy.utils.reactor import install_reactor

        install_reactor("twisted.internet.asyncioreactor.AsyncioSelectorReactor")
    else:
        import pandas  # noqa: F401  # pyarrow imports it at the first table

        import corpusmill.collect.crawl.rounds  # noqa: F401
    started, cpu = time.perf_counter(), time.process_time()
    pages = globals()[name](seeds, Path(folder))
    found = {"pages": pages, "seconds": time.perf_counter() - started, "cpu": time.process_time() - cpu}
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
