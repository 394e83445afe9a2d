"""Stages that users add: a table of their own, row for row."""

from typing import TYPE_CHECKING, Any

from corpusmill.errors import InputError, said
from corpusmill.extensions import OwnStage, UserModule, name_of
from corpusmill.parts import Made
from corpusmill.stages.job import Job
from corpusmill.stages.stage import ARROW, PerPart, Tables, row_for_row

if TYPE_CHECKING:
    import pyarrow as pa

    from corpusmill.schema import Table


def own_stage(module: UserModule, own: OwnStage) -> PerPart:
    """A stage of the user's."""
    first = next(iter(own.reads))
    reads = dict(own.reads)
    reads[first] = tuple(dict.fromkeys(("doc_id", *reads[first])))

    def table() -> "Table":
        from corpusmill.schema import DOC_ID, Column, Table

        columns = [Column(name, type, description) for name, type, description in own.columns]
        return Table(own.name.replace("-", "_"), own.description, (DOC_ID, *columns))

    def make(_: Job, tables: Tables) -> Made:
        import pyarrow as pa

        found = _called(own, tables, tables[first].num_rows)
        columns = {"doc_id": tables[first]["doc_id"], **found}
        wanted = table().arrow
        return row_for_row(pa.table([columns[name] for name in wanted.names], schema=wanted), tables)

    return PerPart(
        name=own.name,
        version=1,
        libraries=ARROW,
        settings=lambda _: module.digest,
        reads=reads,
        make=make,
        table=table,
    )


def _called(own: OwnStage, tables: Tables, rows: int) -> "dict[str, pa.Array]":
    """The columns that the user's function gives, checked."""
    import pyarrow as pa

    where = f"stage '{own.name}' ({name_of(own.function)}, {rows} rows)"
    try:
        given: Any = own.function(tables)
        names = {name for name, *_ in own.columns}
        if set(given) != names:
            raise InputError(f"{where} gives the columns {sorted(given)}, and is registered with {sorted(names)}")
        found = {}
        for name, kind, _ in own.columns:
            values = given[name]
            values = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
            found[name] = (values if isinstance(values, pa.Array) else pa.array(values, kind)).cast(kind)
    except InputError:
        raise
    except (Exception, SystemExit) as error:  # whatever the user's code raises is the user's to see
        raise InputError(f"{where} fails: {said(error)}") from error
    for name, values in found.items():
        if len(values) != rows:
            raise InputError(f"{where}: column '{name}' has {len(values)} values; it must have one for each row")
    return found
