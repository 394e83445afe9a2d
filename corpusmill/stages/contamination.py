"""signals-contamination: what of evaluation sets stands on every page; and the edit that cuts it out.

The spans are measured in the text as it was extracted.  The edit runs on the text after all other edits, just before
masking, and looks again there, so what these edits join or leave is found, too.
"""

from typing import TYPE_CHECKING, Any

from corpusmill.filters.edits import PlacedEdit
from corpusmill.filters.edits.base import Edited
from corpusmill.parts import Made
from corpusmill.reasons import CONTAMINATION_SIGNALS, Stage
from corpusmill.stages.files import content_of
from corpusmill.stages.job import Job
from corpusmill.stages.stage import ARROW, PerPart, Tables, row_for_row

if TYPE_CHECKING:
    import pyarrow as pa

    from corpusmill.filters.contamination import Evaluation
    from corpusmill.schema import Table

VERSION = 1  # of what is found
CUT = "decontaminate"  # name of the edit

_READ: "dict[str, Evaluation]" = {}  # by what it depends on, once in a process


def evaluation_of(job: Job) -> "Evaluation":
    """The recipe's sets, ready to be looked for.  InputError if one cannot be used."""
    key = repr(settings_of(job))
    if key not in _READ:
        from corpusmill.filters.contamination import evaluation, read_set

        settings, items = job.recipe.decontaminate, []
        for path, name in _names(settings.sets).items():
            where = f"recipe: decontaminate.sets '{name}': {path}"
            items += read_set(content_of(job.corpus, job.files[path]), path, name, settings.fields, where)
        _READ.clear()
        _READ[key] = evaluation(items, settings.n)
    return _READ[key]


def _names(paths: list[str]) -> dict[str, str]:
    """What each set is called: its file's name without the ending, or the whole path if two have the same."""
    from pathlib import PurePath

    stems = [PurePath(path).name.split(".", 1)[0] for path in paths]
    return {path: stem if stems.count(stem) == 1 else path for path, stem in zip(paths, stems, strict=True)}


def settings_of(job: Job) -> list[Any]:
    """What the spans depend on."""
    settings = job.recipe.decontaminate
    sets = [[name, job.files[path]] for path, name in _names(settings.sets).items()]
    return [VERSION, sets, settings.n, settings.fields, settings.min_overlap]


def contamination_table() -> "Table":
    """The table of the group."""
    import pyarrow as pa

    from corpusmill.schema import DOC_ID, Column, Table

    span = pa.struct([("start", pa.int64()), ("end", pa.int64()), ("set", pa.string()), ("item", pa.string())])
    return Table(
        "contamination",
        "One row per page: what of evaluation sets stands there. Null for unreadable pages.",
        (
            DOC_ID,
            Column("contaminated_spans", pa.int64(), "number of spans that stand in an evaluation set, too"),
            Column("contaminated_chars", pa.int64(), "number of characters of these spans"),
            Column("contaminated_share", pa.float64(), "share of the characters of the text; null for an empty text"),
            Column(
                "contamination",
                pa.list_(span),
                "each span: start and end in the text of pages, in characters; set and item that stand there",
            ),
        ),
    )


def _measure(job: Job, tables: Tables) -> Made:
    import pyarrow.compute as pc

    from corpusmill.filters.contamination import find_spans

    pages = tables[Stage.PAGES]
    text = pages["text"].combine_chunks()
    found = find_spans(evaluation_of(job), text, job.recipe.decontaminate.min_overlap)
    known, lengths = text.is_valid().to_pylist(), pc.utf8_length(text).to_pylist()
    chars = [sum(span.end - span.start for span in spans) for spans in found]
    columns: dict[str, Any] = {
        "doc_id": pages["doc_id"],
        "contaminated_spans": [len(spans) if is_known else None for spans, is_known in zip(found, known, strict=True)],
        "contaminated_chars": [n if is_known else None for n, is_known in zip(chars, known, strict=True)],
        "contaminated_share": [n / length if length else None for n, length in zip(chars, lengths, strict=True)],
        "contamination": [
            [{"start": span.start, "end": span.end, "set": span.set, "item": span.item} for span in spans]
            if is_known
            else None
            for spans, is_known in zip(found, known, strict=True)
        ],
    }
    return row_for_row(contamination_table().filled(columns), tables, {"contaminated": sum(map(bool, found))})


def contamination_groups(job: Job) -> list[PerPart]:
    """The group, if the recipe names evaluation sets."""
    if not job.recipe.decontaminate.sets:
        return []
    return [
        PerPart(
            name=CONTAMINATION_SIGNALS,
            version=1,
            libraries=(*ARROW, "numba"),
            settings=settings_of,
            reads={Stage.PAGES: ("doc_id", "text")},
            make=_measure,
            table=contamination_table,
            share_of_time=0.2,
        )
    ]


# ---- the edit ------------------------------------------------------------------------------------------------------


def is_cut(job: Job) -> bool:
    """Whether the recipe cuts contaminated lines out."""
    return bool(job.recipe.decontaminate.sets) and job.recipe.decontaminate.action == "cut"


def placed_cut(job: Job) -> PlacedEdit:
    """The edit, which takes out whole lines.  It counts them itself: the end of the last line is no line of its own."""
    return PlacedEdit(
        name=CUT,
        description="lines that stand in an evaluation set",
        version=2,
        libraries=("numba",),
        settings=settings_of(job),
        edit=lambda texts: _cut(job, texts),
    )


def _cut(job: Job, before: "pa.Array") -> Edited:
    """The texts without the lines that evaluation sets hold."""
    import pyarrow as pa

    from corpusmill.filters.contamination import cut_spans, find_spans

    found = find_spans(evaluation_of(job), before, job.recipe.decontaminate.min_overlap)
    lines = [0 if is_known else None for is_known in before.is_valid().to_pylist()]
    chars = list(lines)
    texts = before
    if any(found):
        after = before.to_pylist()
        for row, spans in enumerate(found):
            if spans:
                after[row], lines[row], chars[row] = cut_spans(after[row], spans)
        texts = pa.array(after, pa.large_string())
    return Edited(texts, {"lines": pa.array(lines, pa.int64()), "chars": pa.array(chars, pa.int64())})
