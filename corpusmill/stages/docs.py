"""docs: the corpus: the final rows of what rules and deduplication kept."""

from collections import Counter
from typing import TYPE_CHECKING

from corpusmill.parts import Made
from corpusmill.reasons import Reason, Stage
from corpusmill.stages.job import Job
from corpusmill.stages.stage import ARROW, PerPart, Tables, in_schema

if TYPE_CHECKING:
    import pyarrow as pa


def keep_documents(job: Job, tables: Tables) -> Made:
    """Pages, texts, languages, verdicts (n rows each, same order) and twins of one part -> its docs, and the books."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from corpusmill import schema

    pages, texts, verdicts = tables[Stage.PAGES], tables[Stage.TEXTS], tables[Stage.VERDICTS]
    twins = tables[Stage.TWINS].filter(tables[Stage.TWINS]["rule"].is_valid())
    kept = verdicts["kept"].combine_chunks()
    duplicate = pc.is_in(pages["doc_id"].combine_chunks(), twins["doc_id"].combine_chunks())
    chosen = pc.and_(kept, pc.invert(duplicate))
    docs, final = pages.filter(chosen), texts.filter(chosen)
    table = pa.table(
        {
            **{name: docs[name] for name in ("doc_id", "source", "licence")},
            **{name: final[name] for name in ("url", "title", "text")},
            "language": tables[Stage.LANGUAGE_SIGNALS]["language"].filter(chosen),
            "split": split_of(docs["doc_id"].to_pylist(), job.recipe.split.validation_share),
        }
    ).select(schema.DOCS.arrow.names)
    dropped = Counter(verdicts["stage"].drop_null().to_pylist())
    if twins.num_rows:
        dropped[Reason.DUPLICATE] = twins.num_rows
    return Made(
        table=table.cast(schema.DOCS.arrow),
        rows_in=pages.num_rows,
        bytes_in=sum(t.nbytes for t in tables.values()),
        dropped=dict(dropped),
        counts={"text_bytes": pc.sum(pc.binary_length(table["text"])).as_py() or 0},
    )


def split_of(doc_ids: list[str], validation_share: float) -> "pa.Array":
    """Train or validation for each document, by the leading 32 bits of its doc_id."""
    import numpy as np
    import pyarrow as pa

    leading = np.array([int(doc_id[:8], 16) for doc_id in doc_ids], np.uint64)
    held_out = leading < np.uint64(validation_share * 2**32)
    return pa.array(np.where(held_out, "validation", "train"), pa.string())


DOCS = PerPart(
    name=Stage.DOCS,
    version=2,
    libraries=ARROW,
    settings=lambda job: job.recipe.split.model_dump(),
    reads={
        Stage.PAGES: ("doc_id", "source", "licence"),
        Stage.TEXTS: ("url", "title", "text"),
        Stage.LANGUAGE_SIGNALS: ("language",),
        Stage.VERDICTS: ("kept", "stage"),
        Stage.TWINS: ("doc_id", "rule"),
    },
    make=keep_documents,
    table=in_schema("DOCS"),
    share_of_time=0.1,
)
