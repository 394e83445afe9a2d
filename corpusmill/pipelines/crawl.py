"""A crawl in Beam: each round is a separate pipeline, because it depends on what the round before it found.

    round   shards of hosts | Fetch | Group by part of the frontier, that is by host | Merge

asyncio fetches a shard's hosts side by side.  A part of the frontier is merged when all shards are done, because each
of them may have met URLs of its hosts.  The driver plans rounds from the files on disk (`collect.crawl.rounds`) until
nothing is left to fetch.  Elements are names of shards and parts only.  The crawl's folder holds what the shard is to
fetch, and its results.  A shard with a receipt is not fetched again, and a part that is there is not made again.

Measured cost: 0.13 s per round on the local runner, in addition to the time for fetching.
"""

from collections.abc import Iterable, Iterator, Sequence

import apache_beam as beam

from corpusmill.collect.crawl.rounds import Part, Round, crawl_rounds, merge
from corpusmill.collect.crawl.shard import Shard, fetch_shard
from corpusmill.collect.crawl.state import CrawlFolder, CrawlSummary
from corpusmill.collect.formats.crawl import CrawlSource
from corpusmill.pipelines.runner import new_pipeline
from corpusmill.pipelines.work import die_with_the_supervisor, marking_errors


def crawl(source: CrawlSource, folder: str, options: Sequence[str] = (), *, workers: int = 1) -> CrawlSummary:
    """Crawl a source of kind `crawl` into `folder` (corpus/raw/SOURCE), or continue its crawl.

    `options` are Beam's, as in a run.  One worker fetches from many hosts at once.  More workers help only for many
    thousand pages, which have more shards.

    RunError if the disk is full or a shard was lost.  InputError if a seed is not a URL.
    """
    return crawl_rounds(CrawlFolder(folder), source.crawl, lambda round: _run(round, options, workers))


def _run(round: Round, options: Sequence[str], workers: int) -> None:
    """Run the pipeline of one round to its end."""
    pipeline = new_pipeline(options, workers=workers)
    (
        pipeline
        | "Shards" >> beam.Create(round.shards).with_output_types(Shard)
        | "Balance" >> beam.Reshuffle()
        | "Fetch" >> beam.ParDo(_Fetch(), len(round.parts)).with_output_types(tuple[int, int])
        | "By part" >> beam.GroupByKey()
        | "Merge" >> beam.ParDo(_Merge(), round.parts).with_output_types(int)
    )
    pipeline.run().wait_until_finish()


class _Fetch(beam.DoFn):
    """Shards -> (part of the frontier, shard), for every part: a shard may have met URLs of any host."""

    def setup(self) -> None:
        """Prepare a worker; called once."""
        die_with_the_supervisor()

    def process(self, shard: Shard, parts: int) -> Iterator[tuple[int, int]]:
        """Idempotent: a shard that has a receipt is not fetched again."""
        with marking_errors():
            fetch_shard(shard)
        yield from ((part, shard.index) for part in range(parts))


class _Merge(beam.DoFn):
    """(part of the frontier, the shards of the round) -> the part's number.  Everything else is published."""

    def setup(self) -> None:
        """Prepare a worker; called once."""
        die_with_the_supervisor()

    def process(self, grouped: tuple[int, Iterable[int]], parts: Sequence[Part]) -> Iterator[int]:
        """Idempotent: a part that is there is not made again."""
        with marking_errors():
            merge(parts[grouped[0]])
        yield grouped[0]
