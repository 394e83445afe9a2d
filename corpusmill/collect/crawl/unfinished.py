"""What a crawl that is not finished knows about a URL: it waits, or must not be fetched."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from corpusmill.collect.crawl.state import CrawlFolder
from corpusmill.collect.crawl.urls import host_of
from corpusmill.reasons import Fate
from corpusmill.schema import URLS


def known_urls(corpus: Path, urls: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Rows like those of the table urls, for some URLs: those that unfinished crawls of a corpus know."""
    for path in sorted((corpus / "raw").glob("*/frontier")):
        crawl = CrawlFolder(path.parent)
        rounds = sorted({file.stem[:10] for file in path.glob("round-*.parquet")})
        for file in sorted(path.glob(f"{rounds[-1]}-*.parquet")) if rounds and crawl.summary() is None else []:
            for row in pq.read_table(file, use_threads=False, filters=[("url", "in", list(urls))]).to_pylist():
                known = {**row, "source": crawl.source, "host": host_of(row["url"]), "round": row["met_in"]}
                known["fate"] = row["fate"] or Fate.WAITING
                yield {column.name: known.get(column.name) for column in URLS.columns}
