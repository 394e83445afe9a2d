"""caps: at most so many pages of a host, for a recipe with `filters.max_pages_per_host`.

Counted are the pages that the rules keep, before deduplication: so a duplicate that is dropped later always has its
twin in the corpus.  `filters/caps.py` has the algorithm.

hosts     every part sends the first pages of each of its hosts; where a host's parts come together, the last page that
          stays is known
pages     every part compares its pages with that one
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from corpusmill.parts import Made
from corpusmill.reasons import CAPS, Stage
from corpusmill.stages.grouping import Blob, Grouping, Message, Round, Shuffle
from corpusmill.stages.job import Job
from corpusmill.stages.stage import ARROW, ReadTable, in_schema

if TYPE_CHECKING:
    from corpusmill.filters.caps import Records

PAGES_PER_DESTINATION = 500_000


def most_of(job: Job) -> int:
    """How many pages of a host may stay."""
    most = job.recipe.filters.max_pages_per_host
    assert most is not None, "the stage is there only with a cap"
    return most


def _pages(read: ReadTable) -> "Records":
    from corpusmill.filters.caps import pages_of

    urls = read(Stage.PAGES, ("url",))["url"]
    sketches = read(Stage.SKETCHES, ("doc_id", "n_chars"))
    kept = read(Stage.VERDICTS, ("kept",))["kept"]
    columns = (urls, sketches["n_chars"], sketches["doc_id"], kept)
    return pages_of(*(column.combine_chunks() for column in columns))


def _scatter_hosts(job: Job, shuffle: Shuffle, _: int, read: ReadTable, __: list[bytes]) -> Iterator[Blob]:
    from corpusmill.filters.caps import first_blobs

    destinations = 1 + shuffle.rows // PAGES_PER_DESTINATION
    for destination, blob in enumerate(first_blobs(_pages(read), most_of(job), destinations)):
        yield Blob(destination, len(shuffle.parts), blob)


def _gather_hosts(job: Job, _: Shuffle, blobs: list[tuple[int, bytes]]) -> Iterator[Message]:
    from corpusmill.filters.caps import last_that_stay

    for part, last in last_that_stay(blobs, most_of(job)):
        yield Message(part, last)


def _scatter_pages(_: Job, __: Shuffle, number: int, read: ReadTable, messages: list[bytes]) -> Iterable[Blob]:
    from corpusmill.filters.caps import over

    return [Blob(number, 1, over(_pages(read), messages))] if messages else []


def _gather_pages(_: Job, __: Shuffle, blobs: list[tuple[int, bytes]]) -> Iterator[Message]:
    for part, content in blobs:
        yield Message(part, content)


def _make(job: Job, messages: list[bytes]) -> Made:
    from corpusmill.filters.caps import caps_table

    table = caps_table(messages, most_of(job))
    return Made(table=table, rows_in=table.num_rows, bytes_in=sum(map(len, messages)))


HOST_CAPS = Grouping(
    name=CAPS,
    version=1,
    libraries=ARROW,
    settings=lambda job: most_of(job),
    reads={Stage.SKETCHES: ("doc_id", "n_chars"), Stage.VERDICTS: ("kept",), Stage.PAGES: ("url",)},
    rounds=(
        Round(name="hosts", scatter=_scatter_hosts, gather=_gather_hosts),
        Round(name="pages", scatter=_scatter_pages, gather=_gather_pages),
    ),
    make=_make,
    table=in_schema("CAPS"),
    share_of_time=0.02,
)
