"""sketches: what deduplication compares, of the final text of every page, whatever rules say."""

from corpusmill.parts import Made
from corpusmill.reasons import Stage
from corpusmill.stages.job import Job
from corpusmill.stages.stage import ARROW, PerPart, Tables, in_schema, row_for_row


def _sketch(job: Job, tables: Tables) -> Made:
    import pyarrow as pa

    from corpusmill.dedup.sketch import sketch_documents

    texts, settings = tables[Stage.TEXTS], job.recipe.dedup
    final = texts["text"] if settings.enabled else pa.nulls(texts.num_rows, pa.large_string())  # nothing to compare
    return row_for_row(sketch_documents(texts["doc_id"], final, settings), tables)


SKETCHES = PerPart(
    name=Stage.SKETCHES,
    version=2,
    libraries=(*ARROW, "numba", "datasketch"),
    settings=lambda job: job.recipe.dedup.model_dump(exclude={"threshold"}),
    reads={Stage.TEXTS: ("doc_id", "text")},
    make=_sketch,
    table=in_schema("SKETCHES"),
    share_of_time=0.3,
)
