"""semantic: documents with similar embeddings, for a recipe with `dedup.semantic.embeddings`.

Compared are the documents that are left after twins.  `dedup/semantic.py` has the search.
"""

from collections.abc import Iterator

from corpusmill.parts import Made
from corpusmill.reasons import SEMANTIC, Stage
from corpusmill.stages.drops import is_on, reads_before, still_there
from corpusmill.stages.files import content_of
from corpusmill.stages.grouping import Blob, Grouping, Message, Round, Shuffle
from corpusmill.stages.job import Job
from corpusmill.stages.stage import ARROW, ReadTable, in_schema


def _settings(job: Job) -> object:
    settings = job.recipe.dedup.semantic
    return [job.files[str(settings.embeddings)], settings.threshold]


def _scatter(job: Job, shuffle: Shuffle, _: int, read: ReadTable, __: list[bytes]) -> Iterator[Blob]:
    import numpy as np

    from corpusmill.dedup.semantic import DOCUMENT

    sketches = read(Stage.SKETCHES, ("doc_id", "n_chars"))
    kept = read(Stage.VERDICTS, ("kept",))["kept"].to_numpy()
    before = {name: read(name, columns) for name, columns in reads_before(job, SEMANTIC).items()}
    kept = still_there(kept, sketches["doc_id"], before)
    documents = np.zeros(int(kept.sum()), DOCUMENT)
    documents["doc_id"] = np.array(sketches["doc_id"].to_pylist(), "S24")[kept]
    documents["n_chars"] = sketches["n_chars"].to_numpy()[kept]
    yield Blob(0, len(shuffle.parts), documents.tobytes())


def _gather(job: Job, _: Shuffle, blobs: list[tuple[int, bytes]]) -> Iterator[Message]:
    from corpusmill.dedup.semantic import read_embeddings, semantic_duplicates

    settings = job.recipe.dedup.semantic
    path = str(settings.embeddings)
    where = f"recipe: dedup.semantic.embeddings: {path}"
    embeddings = read_embeddings(content_of(job.corpus, job.files[path]), where)
    for part, gone in semantic_duplicates(blobs, embeddings, settings.threshold, where):
        yield Message(part, gone)


def _make(job: Job, messages: list[bytes]) -> Made:
    from corpusmill.dedup.semantic import semantic_table

    table = semantic_table(messages, job.recipe.dedup.semantic.threshold)
    return Made(table=table, rows_in=table.num_rows, bytes_in=sum(map(len, messages)))


def semantic(job: Job) -> list[Grouping]:
    """The stage, if the recipe has it."""
    if not is_on(job, SEMANTIC):
        return []
    return [
        Grouping(
            name=SEMANTIC,
            version=1,
            libraries=ARROW,
            settings=_settings,
            reads={
                Stage.SKETCHES: ("doc_id", "n_chars"),
                Stage.VERDICTS: ("kept",),
                **reads_before(job, SEMANTIC),
            },
            rounds=(Round(name="embeddings", scatter=_scatter, gather=_gather),),
            make=_make,
            table=in_schema("SEMANTIC"),
            share_of_time=0.02,
        )
    ]
