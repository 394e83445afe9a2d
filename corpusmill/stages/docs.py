"""docs: the corpus, which is the final rows of the pages that rules and deduplication kept."""

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from corpusmill.parts import Made
from corpusmill.reasons import REPEATED_TEXT, Stage
from corpusmill.stages.drops import REASONS, dropped_in, is_on, reads_before, still_there
from corpusmill.stages.job import Job
from corpusmill.stages.split import TWINS, splits
from corpusmill.stages.stage import ARROW, PerPart, Tables, in_schema
from corpusmill.stages.texts import MASK

if TYPE_CHECKING:
    import pyarrow as pa


def keep_documents(job: Job, tables: Tables) -> Made:
    """Pages, texts, languages, verdicts (n rows each, same order) and what dropped pages of one part -> its docs."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from corpusmill import schema

    pages, texts, verdicts = tables[Stage.PAGES], tables[Stage.TEXTS], tables[Stage.VERDICTS]
    chosen = pa.array(still_there(verdicts["kept"].to_numpy(), pages["doc_id"], tables))
    docs, final = pages.filter(chosen), texts.filter(chosen)
    if REPEATED_TEXT in tables:
        final = final.set_column(2, "text", _without_cuts(job, final["text"], docs["doc_id"], tables[REPEATED_TEXT]))
    table = pa.table(
        {
            **{name: docs[name] for name in ("doc_id", "source", "licence")},
            **{name: final[name] for name in ("url", "title", "text")},
            "language": tables[Stage.LANGUAGE_SIGNALS]["language"].filter(chosen),
            "split": splits(job, docs["doc_id"].to_pylist(), tables[Stage.TWINS]),
        }
    ).select(schema.DOCS.arrow.names)
    dropped = Counter(verdicts["stage"].drop_null().to_pylist())
    for stage, reason in REASONS.items():
        if stage in tables and (n := len(dropped_in(tables[stage]))):
            dropped[reason] += n
    return Made(
        table=table.cast(schema.DOCS.arrow),
        rows_in=pages.num_rows,
        bytes_in=sum(t.nbytes for t in tables.values()),
        dropped=dict(dropped),
        counts={"text_bytes": pc.sum(pc.binary_length(table["text"])).as_py() or 0},
    )


def _without_cuts(job: Job, text: "pa.ChunkedArray", doc_id: "pa.ChunkedArray", cuts: "pa.Table") -> "pa.Array":
    """The texts without what is repeated.  What that joins is masked, too."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from corpusmill.filters.pii import mask
    from corpusmill.filters.repeats.texts import without_cuts

    texts, changed = without_cuts(text.combine_chunks(), doc_id, cuts)
    mask_of_changed = pa.array(changed)
    masked, _ = mask(texts.filter(mask_of_changed), job.recipe.pii)
    return pc.replace_with_mask(texts, mask_of_changed, masked)


DOCS = PerPart(
    name=Stage.DOCS,
    version=3,
    libraries=ARROW,
    reads={
        Stage.PAGES: ("doc_id", "source", "licence"),
        Stage.TEXTS: ("url", "title", "text"),
        Stage.LANGUAGE_SIGNALS: ("language",),
        Stage.VERDICTS: ("kept", "stage"),
        Stage.TWINS: TWINS,
    },
    singletons=(Stage.SPLIT,),
    make=keep_documents,
    table=in_schema("DOCS"),
    share_of_time=0.1,
)


def docs(job: Job) -> PerPart:
    """The stage: what the rules and the stages after them keep."""
    reads = {**DOCS.reads, **reads_before(job), Stage.TWINS: TWINS}
    if not is_on(job, REPEATED_TEXT):
        return replace(DOCS, reads=reads)
    return replace(
        DOCS,
        libraries=(*ARROW, *MASK.libraries),
        settings=lambda job: [MASK.version, job.recipe.pii.model_dump()],
        reads={**reads, REPEATED_TEXT: ("doc_id", "rule", "cuts")},
    )
