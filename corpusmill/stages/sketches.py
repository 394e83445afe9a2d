"""sketches: the data that deduplication compares, from the final text of every page, independent of the rules."""

from corpusmill.parts import Made
from corpusmill.reasons import Stage
from corpusmill.stages.job import Job
from corpusmill.stages.stage import ARROW, PerPart, Tables, in_schema, row_for_row


def _sketch(job: Job, tables: Tables) -> Made:
    import pyarrow as pa
    import pyarrow.compute as pc

    from corpusmill.dedup.sketch import sketch_documents

    texts, settings = tables[Stage.TEXTS], job.recipe.dedup
    if settings.enabled:
        return row_for_row(sketch_documents(texts["doc_id"], texts["text"], settings), tables)
    # nothing is compared but lengths: of pages of a host or of a URL
    nothing = sketch_documents(texts["doc_id"], pa.nulls(texts.num_rows, pa.large_string()), settings)
    n_chars = pc.fill_null(pc.utf8_length(texts["text"]).cast(pa.int64()), 0)
    return row_for_row(nothing.set_column(nothing.column_names.index("n_chars"), "n_chars", n_chars), tables)


def _settings(job: Job) -> object:
    settings = job.recipe.dedup
    found = settings.search(threshold=False)
    return found if settings.enabled else found | {"n_chars": "of the text"}  # once it was 0 without deduplication


SKETCHES = PerPart(
    name=Stage.SKETCHES,
    version=3,
    libraries=(*ARROW, "numba", "datasketch"),
    settings=_settings,
    reads={Stage.TEXTS: ("doc_id", "text")},
    make=_sketch,
    table=in_schema("SKETCHES"),
    share_of_time=0.3,
)
