"""A crawl in Beam: rounds, each a pipeline of its own, since the work of one follows from what the one before found.

    round   shards of hosts | Fetch        (one element a shard; a shard's hosts are fetched side by side by asyncio)

The driver plans rounds from what is on disk (`collect.crawl.rounds`) until there is nothing left to fetch.  An element
only names its shard; what the shard is to fetch, and what it brought, lies in the crawl's folder.  A shard with a
receipt is not fetched again.

Cost as measured: 0.13 s a round on the local runner, on top of the fetching.
"""

from collections.abc import Iterator, Sequence

import apache_beam as beam

from corpusmill.collect.crawl.rounds import crawl_rounds
from corpusmill.collect.crawl.shard import Shard, fetch_shard
from corpusmill.collect.crawl.state import CrawlFolder, CrawlSummary
from corpusmill.collect.formats.crawl import CrawlSource
from corpusmill.pipelines.runner import new_pipeline
from corpusmill.pipelines.work import die_with_the_supervisor, marking_errors


def crawl(source: CrawlSource, folder: str, options: Sequence[str] = (), *, workers: int = 1) -> CrawlSummary:
    """Crawl a source of kind `crawl` into `folder` (corpus/raw/SOURCE), or go on with it; Beam options as in a run.

    One worker fetches from many hosts at once; more make sense for many thousand pages, which have more shards.

    RunError if not one page could be fetched, the disk is full or a shard was lost; InputError if a seed is no URL.
    """
    return crawl_rounds(CrawlFolder(folder), source.crawl, lambda shards: _run(shards, options, workers))


def _run(shards: list[Shard], options: Sequence[str], workers: int) -> None:
    """One round: its pipeline, to the end."""
    pipeline = new_pipeline(options, workers=workers)
    (
        pipeline
        | "Shards" >> beam.Create(shards).with_output_types(Shard)
        | "Balance" >> beam.Reshuffle()
        | "Fetch" >> beam.ParDo(_Fetch()).with_output_types(int)
    )
    pipeline.run().wait_until_finish()


class _Fetch(beam.DoFn):
    """Shards in, the number of pages of each out; everything else is published."""

    def setup(self) -> None:
        """Once in a worker."""
        die_with_the_supervisor()

    def process(self, shard: Shard) -> Iterator[int]:
        """Idempotent: a shard that has a receipt is not fetched again."""
        with marking_errors():
            yield fetch_shard(shard).pages
