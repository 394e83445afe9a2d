"""same_url: pages with the same URL, of which one stays, for a recipe with `dedup.urls.enabled`.

Compared are the pages that the rules and the cap of hosts keep, before texts are.  `collect/crawl/urls.py` says which
URLs are the same, `dedup/urls.py` which page stays.  A page without a URL is no duplicate.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from corpusmill.errors import InputError
from corpusmill.names import did_you_mean
from corpusmill.parts import Made
from corpusmill.reasons import SAME_URL, Stage
from corpusmill.stages.drops import is_on, reads_before, still_there
from corpusmill.stages.grouping import Blob, Grouping, Message, Round, Shuffle
from corpusmill.stages.job import Job
from corpusmill.stages.stage import ARROW, PerPart, ReadTable, in_schema

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

PAGES_PER_DESTINATION = 500_000


def _make(_: Job, messages: list[bytes]) -> Made:
    from corpusmill.dedup.urls import same_url_table

    table = same_url_table(messages)
    return Made(table=table, rows_in=table.num_rows, bytes_in=sum(map(len, messages)))


def _gather(_: Job, __: Shuffle, blobs: list[tuple[int, bytes]]) -> Iterator[Message]:
    from corpusmill.dedup.urls import same_urls

    for part, gone in same_urls(blobs):
        yield Message(part, gone)


def _scatter(ranked: tuple[str, str] | None) -> "Callable[[Job, Shuffle, int, ReadTable, list[bytes]], Iterator[Blob]]":
    """What every part sends.  ranked: stage and column whose highest value stays; without it, the longest text does."""

    def scatter(job: Job, shuffle: Shuffle, _: int, read: ReadTable, __: list[bytes]) -> Iterator[Blob]:
        import pyarrow as pa

        from corpusmill.collect.crawl.urls import names_like, page_of
        from corpusmill.dedup.urls import pages_of, url_blobs

        sketches = read(Stage.SKETCHES, ("doc_id", "n_chars"))
        kept = read(Stage.VERDICTS, ("kept",))["kept"].to_numpy()
        before = {name: read(name, columns) for name, columns in reads_before(job, SAME_URL).items()}
        kept = still_there(kept, sketches["doc_id"], before)
        chosen, ignored = pa.array(kept), names_like(job.recipe.dedup.urls.ignore)
        urls = read(Stage.PAGES, ("url",))["url"].filter(chosen).to_pylist()
        sketches = sketches.filter(chosen)
        pages = pages_of(
            [None if url is None else page_of(url, ignored) for url in urls],
            _ranks(read, ranked, len(kept))[kept],
            sketches["n_chars"].combine_chunks(),
            sketches["doc_id"].combine_chunks(),
        )
        destinations = 1 + shuffle.rows // PAGES_PER_DESTINATION
        for destination, blob in enumerate(url_blobs(pages, destinations)):
            yield Blob(destination, len(shuffle.parts), blob)

    return scatter


def _ranks(read: ReadTable, ranked: tuple[str, str] | None, n: int) -> "npt.NDArray[np.float64]":
    import numpy as np
    import pyarrow as pa

    if ranked is None:
        return np.zeros(n)
    stage, column = ranked
    values: Any = read(stage, (column,))[column]
    if pa.types.is_timestamp(values.type):
        values = values.cast(pa.int64())
    found: npt.NDArray[np.float64] = values.cast(pa.float64()).fill_null(float("nan")).to_numpy()
    return found


def _ranked(job: Job, groups: Sequence[PerPart]) -> tuple[str, str] | None:
    """Stage and column of what decides which page stays.  InputError if there is no such signal of numbers."""
    settings = job.recipe.dedup.urls
    if settings.keep != "best":
        return (Stage.PAGES, "fetched_at") if settings.keep == "newest" else None
    import pyarrow as pa

    there = {}
    for group in groups:
        assert group.table is not None
        for column in group.table().columns:
            kind = column.type
            if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
                there[column.name] = group.name
    signal = str(settings.signal)
    if signal not in there:
        raise InputError(
            f"recipe: dedup.urls.signal: there is no signal '{signal}' with numbers; {did_you_mean(signal, [*there])}"
            "a group of signals that no rule reads is measured if filters.signals names it"
        )
    return there[signal], signal


def same_url(job: Job, groups: Sequence[PerPart]) -> list[Grouping]:
    """The stage, if the recipe has it.  groups: the groups of signals."""
    if not is_on(job, SAME_URL):
        return []
    ranked = _ranked(job, groups)
    reads: dict[str, tuple[str, ...]] = {
        Stage.SKETCHES: ("doc_id", "n_chars"),
        Stage.VERDICTS: ("kept",),
        Stage.PAGES: ("url",),
        **reads_before(job, SAME_URL),
    }
    if ranked is not None:
        reads[ranked[0]] = (*reads.get(ranked[0], ()), ranked[1])
    return [
        Grouping(
            name=SAME_URL,
            version=2,
            libraries=(*ARROW, "ada-url"),
            settings=lambda job: job.recipe.dedup.urls.model_dump(),
            reads=reads,
            rounds=(Round(name="urls", scatter=_scatter(ranked), gather=_gather),),
            make=_make,
            table=in_schema("SAME_URL"),
            share_of_time=0.02,
        )
    ]
