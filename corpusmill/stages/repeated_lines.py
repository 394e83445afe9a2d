"""repeated_lines: lines and paragraphs that stand in many documents, for a recipe with `[[dedup.lines]]`; and the edit.

They are counted in the texts as the edit sees them: after all other edits, before masking.  All readable pages count,
also those that the rules drop later, because rules may read what was cut.

lines       every part sends its lines with their counts to ranges of hashes, and learns which of them are frequent
examples    every part looks up how these stand on its pages, and how often

The edit then cuts all of them.  `filters/repeats/lines.py` has the work.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from corpusmill.filters.edits import PlacedEdit, apply_edits
from corpusmill.filters.edits.base import Edited
from corpusmill.parts import Made
from corpusmill.reasons import REPEATED_LINES, Stage
from corpusmill.stages.grouping import Blob, Grouping, Message, Round, Shuffle
from corpusmill.stages.job import Job
from corpusmill.stages.stage import ARROW, ReadTable, in_schema

if TYPE_CHECKING:
    import pyarrow as pa

    from corpusmill.filters.repeats.lines import Sought

READS = ("hash",)  # what the edit needs of the table
BYTES_PER_BYTE = 0.4  # a count of 16 bytes per 40 bytes of text
_VERSION = 1


def has_lines(job: Job) -> bool:
    """Whether the recipe has the stage."""
    return bool(job.recipe.dedup.lines)


def _settings(job: Job) -> object:
    return [_VERSION, *(each.model_dump() for each in job.recipe.dedup.lines)]


def _sought(job: Job) -> "list[Sought]":
    from corpusmill.filters.repeats.lines import Sought

    return [Sought(**each.model_dump()) for each in job.recipe.dedup.lines]


def placed_lines(job: Job, urls: "pa.Array | None" = None, found: "pa.Table | None" = None) -> PlacedEdit:
    """The edit, for the pages of a part with these URLs.

    found: the part's table, with the columns of `READS`.  Without it nothing is cut, and the counts are null.
    """
    return PlacedEdit(
        name=REPEATED_LINES,
        description="lines or paragraphs that stand in many documents",
        version=_VERSION,
        libraries=("numba",),
        settings=_settings(job),
        edit=lambda texts: _cut(job, texts, urls, found),
    )


def _cut(job: Job, texts: "pa.Array", urls: "pa.Array | None", found: "pa.Table | None") -> "pa.Array | Edited":
    import numpy as np
    import pyarrow as pa

    from corpusmill.filters.repeats.lines import cut_units

    if urls is None or found is None:
        unknown = pa.nulls(len(texts), pa.int64())
        return Edited(texts, {"lines": unknown, "chars": unknown})
    return cut_units(texts, urls, _sought(job), np.unique(found["hash"].to_numpy()))


def repeated_lines(job: Job, edits: Sequence[PlacedEdit]) -> list[Grouping]:
    """The stage, if the recipe has it.  edits: those that come before."""
    if not has_lines(job):
        return []

    def texts_of(read: ReadTable) -> "tuple[pa.Array, pa.Array]":
        pages = read(Stage.PAGES, ("url", "text"))
        return apply_edits(pages["text"], edits)[0], pages["url"].combine_chunks()

    def scatter_lines(job: Job, shuffle: Shuffle, _: int, read: ReadTable, __: list[bytes]) -> Iterator[Blob]:
        from corpusmill.filters.repeats.counting import count_blobs, destinations_for
        from corpusmill.filters.repeats.lines import count_units

        text_bytes = len(shuffle.parts) * job.recipe.run.slice_bytes * len(job.recipe.dedup.lines)
        counts = count_units(*texts_of(read), _sought(job))
        for destination, blob in enumerate(count_blobs(counts, destinations_for(text_bytes, BYTES_PER_BYTE))):
            yield Blob(destination, len(shuffle.parts), blob)

    def scatter_examples(job: Job, _: Shuffle, number: int, read: ReadTable, messages: list[bytes]) -> Iterable[Blob]:
        from corpusmill.arrow import to_stream
        from corpusmill.filters.repeats.counting import known
        from corpusmill.filters.repeats.lines import table_of

        if not messages:
            return []
        table = table_of(*texts_of(read), _sought(job), known(messages), job.recipe.pii)
        return [Blob(number, 1, to_stream(table))]

    libraries = dict.fromkeys(library for edit in edits for library in edit.libraries)
    return [
        Grouping(
            name=REPEATED_LINES,
            version=1,
            libraries=(*dict.fromkeys((*ARROW, "numba", "tldextract", *libraries)),),
            settings=lambda job: [
                _settings(job),
                job.recipe.pii.model_dump(),
                [[edit.name, edit.version, edit.settings] for edit in edits],
            ],
            reads={Stage.PAGES: ("url", "text")},
            rounds=(
                Round(name="lines", scatter=scatter_lines, gather=_gather_lines),
                Round(name="examples", scatter=scatter_examples, gather=_gather_examples),
            ),
            make=_make,
            table=in_schema("REPEATED_LINES"),
            share_of_time=0.1,
        )
    ]


def _gather_lines(_: Job, __: Shuffle, blobs: list[tuple[int, bytes]]) -> Iterator[Message]:
    from corpusmill.filters.repeats.counting import frequent

    for part, counts in frequent(blobs):
        yield Message(part, counts)


def _gather_examples(_: Job, __: Shuffle, blobs: list[tuple[int, bytes]]) -> Iterator[Message]:
    for part, content in blobs:
        yield Message(part, content)


def _make(_: Job, messages: list[bytes]) -> Made:
    from corpusmill import schema
    from corpusmill.arrow import from_streams

    table = from_streams(messages, schema.REPEATED_LINES.arrow)
    return Made(table=table, rows_in=table.num_rows, bytes_in=sum(map(len, messages)))
