"""repeated_text: pieces of text that stand in several documents, for a recipe with `dedup.repeats.units`.

Compared are the final texts of the documents that are left after all other deduplication.  So no text is cut because it
stands in a document that is not in the corpus.  The stage docs makes the cuts, and masks what they join.

sieves        every part sends the hashes that equal pieces share, and learns which of them are there twice
occurrences   every part sends its pieces that have one of these; where equal ones meet, all but one are to be cut
cuts          every part writes down the cuts of its texts
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from corpusmill.parts import Made
from corpusmill.reasons import REPEATED_TEXT, Stage
from corpusmill.stages.drops import is_on, reads_before, still_there
from corpusmill.stages.grouping import Blob, Grouping, Message, Round, Shuffle
from corpusmill.stages.job import Job
from corpusmill.stages.stage import ARROW, ReadTable, in_schema

if TYPE_CHECKING:
    import pyarrow as pa

    from corpusmill.filters.repeats.texts import Repeats

READS = ("doc_id", "text")
BYTES_PER_BYTE = {
    "line": 0.4,
    "paragraph": 0.2,
    "sentences": 0.3,
    "substring": 1.0,
    "characters": 1.0,
}  # sent in the larger round


def _repeats(job: Job) -> "Repeats":
    from corpusmill.filters.repeats.texts import Repeats

    settings = job.recipe.dedup.repeats
    least = {"substring": settings.substring_words, "characters": settings.substring_chars}
    units = tuple((unit, least.get(unit, settings.min_words)) for unit in settings.units)
    return Repeats(units=units, min_words_left=settings.min_words_left)


def _destinations(job: Job, shuffle: Shuffle) -> int:
    from corpusmill.filters.repeats.counting import destinations_for

    share = sum(BYTES_PER_BYTE[unit] for unit in job.recipe.dedup.repeats.units)
    return destinations_for(len(shuffle.parts) * job.recipe.run.slice_bytes, share)


def _texts(job: Job, read: ReadTable) -> "tuple[pa.Array, list[str]]":
    """The final texts of the documents that are left, and their doc_ids."""
    import pyarrow as pa

    texts = read(Stage.TEXTS, READS)
    before = {name: read(name, columns) for name, columns in reads_before(job, REPEATED_TEXT).items()}
    kept = still_there(read(Stage.VERDICTS, ("kept",))["kept"].to_numpy(), texts["doc_id"], before)
    left = texts.filter(pa.array(kept))
    return left["text"].combine_chunks(), left["doc_id"].to_pylist()


def _scatter_sieves(job: Job, shuffle: Shuffle, _: int, read: ReadTable, __: list[bytes]) -> Iterator[Blob]:
    from corpusmill.filters.repeats.counting import count_blobs
    from corpusmill.filters.repeats.texts import count_sieves

    counts = count_sieves(_texts(job, read)[0], _repeats(job))
    for destination, blob in enumerate(count_blobs([counts], _destinations(job, shuffle))):
        yield Blob(destination, len(shuffle.parts), blob)


def _gather_sieves(_: Job, __: Shuffle, blobs: list[tuple[int, bytes]]) -> Iterator[Message]:
    from corpusmill.filters.repeats.counting import frequent

    for part, counts in frequent(blobs):
        yield Message(part, counts)


def _scatter_occurrences(job: Job, shuffle: Shuffle, _: int, read: ReadTable, messages: list[bytes]) -> Iterator[Blob]:
    from corpusmill.filters.repeats.counting import known
    from corpusmill.filters.repeats.texts import candidate_blobs

    destinations = _destinations(job, shuffle)
    blobs = candidate_blobs(*_texts(job, read), _repeats(job), known(messages), destinations)
    for destination, blob in enumerate(blobs):
        yield Blob(destination, len(shuffle.parts), blob)


def _gather_occurrences(_: Job, __: Shuffle, blobs: list[tuple[int, bytes]]) -> Iterator[Message]:
    from corpusmill.filters.repeats.firsts import firsts

    for part, answers in firsts(blobs):
        yield Message(part, answers)


def _scatter_cuts(job: Job, _: Shuffle, number: int, read: ReadTable, messages: list[bytes]) -> Iterable[Blob]:
    from corpusmill.arrow import to_stream
    from corpusmill.filters.repeats.firsts import answers_of
    from corpusmill.filters.repeats.texts import cuts_table

    if not messages:
        return []
    return [Blob(number, 1, to_stream(cuts_table(*_texts(job, read), _repeats(job), answers_of(messages))))]


def _gather_cuts(_: Job, __: Shuffle, blobs: list[tuple[int, bytes]]) -> Iterator[Message]:
    for part, content in blobs:
        yield Message(part, content)


def _make(_: Job, messages: list[bytes]) -> Made:
    import pyarrow.compute as pc

    from corpusmill import schema
    from corpusmill.arrow import from_streams

    table = from_streams(messages, schema.REPEATED_TEXT.arrow)
    counts = {
        "dropped": table["rule"].drop_null().length(),
        "cut_chars": int(pc.sum(table["cut_chars"]).as_py() or 0),
    }
    return Made(table=table, rows_in=table.num_rows, bytes_in=sum(map(len, messages)), counts=counts)


def repeated_text(job: Job) -> list[Grouping]:
    """The stage, if the recipe has it."""
    if not is_on(job, REPEATED_TEXT):
        return []
    return [
        Grouping(
            name=REPEATED_TEXT,
            version=1,
            libraries=(*ARROW, "numba"),
            settings=lambda job: job.recipe.dedup.repeats.model_dump(),
            reads={Stage.TEXTS: READS, Stage.VERDICTS: ("kept",), **reads_before(job, REPEATED_TEXT)},
            rounds=(
                Round(name="sieves", scatter=_scatter_sieves, gather=_gather_sieves),
                Round(name="occurrences", scatter=_scatter_occurrences, gather=_gather_occurrences),
                Round(name="cuts", scatter=_scatter_cuts, gather=_gather_cuts),
            ),
            make=_make,
            table=in_schema("REPEATED_TEXT"),
            share_of_time=0.2,
        )
    ]
