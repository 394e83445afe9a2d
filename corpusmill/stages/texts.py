"""texts: the final text of every page, after named edits in order, each of them counted.

The recipe's list `edits` names built-in edits (`corpusmill.filters.edits`) and the user's own.  They change the text
only.  Masking of personal data comes last, so that nothing can undo it; it reads title and URL, too.  Deduplication and
documents read this table; signals read the text as extracted.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from corpusmill.errors import InputError
from corpusmill.extensions import Edit, UserModule, name_of, raised
from corpusmill.filters.edits import PlacedEdit, apply_edits, placed
from corpusmill.filters.private.kinds import KINDS
from corpusmill.parts import Made
from corpusmill.reasons import REPEATED_LINES, Stage
from corpusmill.stages.contamination import is_cut, placed_cut
from corpusmill.stages.job import Job
from corpusmill.stages.repeated_lines import READS, has_lines, placed_lines
from corpusmill.stages.stage import ARROW, PerPart, Tables, row_for_row

if TYPE_CHECKING:
    import pyarrow as pa

    from corpusmill.schema import Column, Table

MASKING = ("numba", "tldextract")  # an e-mail address ends in a known top-level domain


@dataclass(frozen=True, kw_only=True)
class TextEdit:
    """One edit: texts in (columns url, title, text), texts out, with a column for each of its counts.

    It may look at all tables of the part.
    """

    name: str
    version: int
    libraries: tuple[str, ...]
    settings: Callable[[Job], object]
    counts: "Callable[[], tuple[Column, ...]]"
    apply: "Callable[[Job, pa.Table, Tables], pa.Table]"


def _mask(job: Job, texts: "pa.Table", _: Tables) -> "pa.Table":
    """The three columns with personal data masked; the counts are those of the text."""
    import pyarrow as pa

    from corpusmill.filters.pii import mask
    from corpusmill.schema import PERSONAL_DATA

    settings = job.recipe.pii
    text, counts = mask(texts["text"], settings)
    title, _ = mask(texts["title"], settings)
    url, _ = mask(texts["url"], settings)
    table = pa.table({**dict(zip(texts.column_names, texts.columns, strict=True)), "url": url, "title": title})
    table = table.set_column(table.column_names.index("text"), "text", text)
    for setting, column in PERSONAL_DATA.items():
        table = table.append_column(column.name, counts[setting])
    return table


def _masked_columns() -> "tuple[Column, ...]":
    from corpusmill import schema

    return tuple(schema.PERSONAL_DATA.values())


MASK = TextEdit(
    name="mask",
    version=3,
    libraries=MASKING,
    settings=lambda job: job.recipe.pii.model_dump(),
    counts=_masked_columns,
    apply=_mask,
)


def recipe_edits(job: Job) -> list[PlacedEdit]:
    """The edits of a recipe in order: those of the list `edits`, then the user's that are not in it.

    InputError if two have one name.
    """
    own = {edit.name: (module, edit) for module, edit in job.edits()}
    listed = job.recipe.edits
    rest = own.keys() - {settings.kind for settings in listed}
    found = [
        own_edit(*own[settings.kind], settings.label) if settings.kind in own else placed(settings)
        for settings in listed
    ]
    found += [own_edit(module, edit, name) for name, (module, edit) in own.items() if name in rest]
    names = [edit.name.lower() for edit in found] + [REPEATED_LINES] * has_lines(job)
    for edit in found:
        if names.count(edit.name.lower()) > 1:
            raise InputError(f"recipe: two edits are named '{edit.name}'; give one of them another name")
    return found


def text_edits(job: Job) -> list[PlacedEdit]:
    """The edits of a text by itself, in order: those of the recipe, then the cut of what evaluation sets hold.

    The cut of what other documents hold follows, and masking.
    """
    return [*recipe_edits(job), *([placed_cut(job)] if is_cut(job) else [])]


def own_edit(module: UserModule, edit: Edit, name: str) -> PlacedEdit:
    """An edit of the user's, in its place."""
    return PlacedEdit(
        name=name,
        description=edit.description,
        version=2,
        libraries=(),
        settings=[edit.name, module.digest],
        edit=lambda texts: edited(edit, texts),
    )


def _as_text_edit(edit: PlacedEdit) -> TextEdit:
    """One that changes nothing but the text."""

    def apply(_: Job, texts: "pa.Table", __: Tables) -> "pa.Table":
        return _edited_table(texts, edit)

    return TextEdit(
        name=edit.name,
        version=edit.version,
        libraries=edit.libraries,
        settings=lambda _: edit.settings,
        counts=edit.columns,
        apply=apply,
    )


def _edited_table(texts: "pa.Table", edit: PlacedEdit) -> "pa.Table":
    after, counts = apply_edits(texts["text"], [edit])
    texts = texts.set_column(texts.column_names.index("text"), "text", after)
    for name, values in counts.items():
        texts = texts.append_column(name, values)
    return texts


def _cut_of_lines(job: Job) -> TextEdit:
    """The cut of what other documents hold, too, as an edit."""
    edit = placed_lines(job)

    def apply(job: Job, texts: "pa.Table", tables: Tables) -> "pa.Table":
        placed = placed_lines(job, texts["url"].combine_chunks(), tables.get(REPEATED_LINES))
        return _edited_table(texts, placed)

    return replace(_as_text_edit(edit), apply=apply)


def edited(edit: Edit, before: "pa.Array") -> "pa.Array":
    """The texts after a user's edit, checked."""
    import pyarrow as pa

    where = f"edit '{edit.name}' ({name_of(edit.function)}, {len(before)} pages)"
    try:
        after: Any = edit.function(before)
        if isinstance(after, pa.ChunkedArray):
            after = after.combine_chunks()
        elif not isinstance(after, pa.Array):
            after = pa.array(after, pa.large_string())
        after = after.cast(pa.large_string())
    except (Exception, SystemExit) as error:  # show the user any error of their code
        raise InputError(f"{where} fails: {raised(error)}") from error
    if len(after) != len(before):
        raise InputError(f"{where} returns {len(after)} texts; it must return one for each page")
    if not after.is_null().equals(before.is_null()):
        raise InputError(f"{where} changes null to a text, or a text to null; give '' for an empty text")
    return after


def texts(job: Job) -> PerPart:
    """The stage with the edits of a recipe."""
    edits = (*map(_as_text_edit, text_edits(job)), *([_cut_of_lines(job)] if has_lines(job) else []), MASK)

    def make(job: Job, tables: Tables) -> Made:
        import pyarrow as pa
        import pyarrow.compute as pc

        pages = tables[Stage.PAGES]
        table = pages.select(["url", "title", "text"])
        for edit in edits:
            table = edit.apply(job, table, tables)
        columns = [column for edit in edits for column in edit.counts()]
        summed = [c.name for c in columns if not pa.types.is_floating(c.type)]  # a share has no sum
        counts = {name: int(pc.sum(table[name]).as_py() or 0) for name in summed}
        text_bytes = pc.sum(pc.binary_length(table["text"])).as_py() or 0
        table = table.add_column(0, "doc_id", pages["doc_id"])
        wanted = _table(columns)
        return row_for_row(table.select(wanted.names).cast(wanted), tables, {**counts, "text_bytes": text_bytes})

    def _table(columns: "list[Column]") -> "pa.Schema":
        import pyarrow as pa

        from corpusmill import schema

        fields = {c.name: c.type for c in (*schema.TEXTS.columns, *columns)}
        return pa.schema(list(fields.items()))

    return PerPart(
        name=Stage.TEXTS,
        version=2,
        libraries=(*ARROW, *dict.fromkeys(library for edit in edits for library in edit.libraries)),
        settings=lambda job: [[edit.name, edit.version, edit.settings(job)] for edit in edits],
        reads={
            Stage.PAGES: ("doc_id", "url", "title", "text"),
            **({REPEATED_LINES: READS} if has_lines(job) else {}),
        },
        make=make,
        table=lambda: _with_counts(edits),
        share_of_time=0.1,
    )


def _with_counts(edits: tuple[TextEdit, ...]) -> "Table":
    from corpusmill import schema

    known = {column.name for column in schema.TEXTS.columns}
    more = [column for edit in edits for column in edit.counts() if column.name not in known]
    return replace(schema.TEXTS, columns=(*schema.TEXTS.columns, *more))


def count_columns(job: Job) -> tuple[str, ...]:
    """The columns of texts that rules may read as signals."""
    edits = [*text_edits(job), *([placed_lines(job)] if has_lines(job) else [])]
    of_edits = [name for edit in edits for name in edit.count_names()]
    return (*(f"pii_{kind.setting}" for kind in KINDS), *of_edits)  # without pyarrow, which planning does not need
