"""texts: the final text of every page, after named edits in order, each counted.

An edit is a function of a page's text, title and URL.  Users' edits come first and change the text only; masking of
personal data comes last, so that nothing can undo it.  Deduplication and documents read this table; signals read the
text as extracted.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from corpusmill.errors import InputError, said
from corpusmill.extensions import Edit, UserModule, name_of
from corpusmill.parts import Made
from corpusmill.reasons import Stage
from corpusmill.stages.job import Job
from corpusmill.stages.stage import ARROW, PerPart, Tables, row_for_row

if TYPE_CHECKING:
    import pyarrow as pa

    from corpusmill.schema import Column, Table

MASKING = ("numba", "tldextract")  # an e-mail address ends in a known top-level domain


@dataclass(frozen=True, kw_only=True)
class TextEdit:
    """One edit: texts in (columns url, title, text), texts out, with a column for each of its counts."""

    name: str
    version: int
    libraries: tuple[str, ...]
    settings: Callable[[Job], object]
    counts: "Callable[[], tuple[Column, ...]]"
    apply: "Callable[[Job, pa.Table], pa.Table]"


def _mask(job: Job, texts: "pa.Table") -> "pa.Table":
    """Personal data masked in all three columns; counted in the text."""
    import pyarrow as pa

    from corpusmill.filters.pii import mask

    settings = job.recipe.pii
    text, emails, addresses = mask(texts["text"], settings)
    title, *_ = mask(texts["title"], settings)
    url, *_ = mask(texts["url"], settings)
    table = pa.table({**dict(zip(texts.column_names, texts.columns, strict=True)), "url": url, "title": title})
    table = table.set_column(table.column_names.index("text"), "text", text)
    return table.append_column("pii_emails", emails).append_column("pii_ip_addresses", addresses)


def _masked_columns() -> "tuple[Column, ...]":
    from corpusmill import schema

    return (schema.EMAILS, schema.IP_ADDRESSES)


MASK = TextEdit(
    name="mask",
    version=2,
    libraries=MASKING,
    settings=lambda job: job.recipe.pii.model_dump(),
    counts=_masked_columns,
    apply=_mask,
)


def own_edit(module: UserModule, edit: Edit) -> TextEdit:
    """An edit of the user's."""
    column = f"edit_{edit.name}"

    def counts() -> "tuple[Column, ...]":
        import pyarrow as pa

        from corpusmill.schema import Column

        return (Column(column, pa.bool_(), f"whether this changed the text: {edit.description}"),)

    def apply(_: Job, texts: "pa.Table") -> "pa.Table":
        import pyarrow.compute as pc

        before = texts["text"].combine_chunks()
        after = _edited(edit, before)
        changed = pc.fill_null(pc.not_equal(before, after), False)
        return texts.set_column(texts.column_names.index("text"), "text", after).append_column(column, changed)

    return TextEdit(
        name=edit.name, version=1, libraries=(), settings=lambda _: module.digest, counts=counts, apply=apply
    )


def _edited(edit: Edit, before: "pa.Array") -> "pa.Array":
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
    except (Exception, SystemExit) as error:  # whatever the user's code raises is the user's to see
        raise InputError(f"{where} fails: {said(error)}") from error
    if len(after) != len(before):
        raise InputError(f"{where} returns {len(after)} texts; it must return one for each page")
    if not after.is_null().equals(before.is_null()):
        raise InputError(f"{where} makes a text of null, or null of a text; an empty text is ''")
    return after


def texts(job: Job) -> PerPart:
    """The stage with the edits of a recipe."""
    edits = (*(own_edit(module, edit) for module, edit in job.edits()), MASK)

    def make(job: Job, tables: Tables) -> Made:
        import pyarrow.compute as pc

        pages = tables[Stage.PAGES]
        table = pages.select(["url", "title", "text"])
        for edit in edits:
            table = edit.apply(job, table)
        columns = [column for edit in edits for column in edit.counts()]
        counts = {c.name: int(pc.sum(table[c.name]).as_py() or 0) for c in columns}
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
        version=1,
        libraries=(*ARROW, *dict.fromkeys(library for edit in edits for library in edit.libraries)),
        settings=lambda job: [[edit.name, edit.version, edit.settings(job)] for edit in edits],
        reads={Stage.PAGES: ("doc_id", "url", "title", "text")},
        make=make,
        table=lambda: _with_counts(edits),
        share_of_time=0.1,
    )


def _with_counts(edits: tuple[TextEdit, ...]) -> "Table":
    from dataclasses import replace

    from corpusmill import schema

    known = {column.name for column in schema.TEXTS.columns}
    more = [column for edit in edits for column in edit.counts() if column.name not in known]
    return replace(schema.TEXTS, columns=(*schema.TEXTS.columns, *more))


def count_columns(job: Job) -> tuple[str, ...]:
    """The columns of texts that rules may read as signals."""
    return ("pii_emails", "pii_ip_addresses", *(f"edit_{edit.name}" for _, edit in job.edits()))
