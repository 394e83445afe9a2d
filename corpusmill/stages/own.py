"""Stages that users add: each is a table with one row for each row of another table."""

from typing import TYPE_CHECKING, Any

from corpusmill.errors import InputError
from corpusmill.extensions import OwnStage, UserModule, name_of, raised
from corpusmill.parts import Made
from corpusmill.stages.job import Job
from corpusmill.stages.stage import ARROW, PerPart, Tables, row_for_row

if TYPE_CHECKING:
    import pyarrow as pa

    from corpusmill.schema import Table


def own_stage(module: UserModule, own: OwnStage) -> PerPart:
    """The stage for a user's function."""
    first = next(iter(own.reads))
    reads = dict(own.reads)
    reads[first] = tuple(dict.fromkeys(("doc_id", *reads[first])))

    def table() -> "Table":
        from corpusmill.schema import DOC_ID, Column, Table

        columns = [Column(name, type, description) for name, type, description in own.columns]
        return Table(own.name.replace("-", "_"), own.description, (DOC_ID, *columns))

    def make(_: Job, tables: Tables) -> Made:
        found = _called(own, tables, tables[first].num_rows)
        columns = {"doc_id": tables[first]["doc_id"], **found}
        return row_for_row(table().filled(columns), tables)

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
    """The columns that the user's function returns, checked."""
    import pyarrow as pa

    where = f"stage '{own.name}' ({name_of(own.function)}, {rows} rows)"
    try:
        given: Any = own.function(tables)
        names = {name for name, *_ in own.columns}
        if set(given) != names:
            raise InputError(f"{where} returns the columns {sorted(given)}, but was registered with {sorted(names)}")
        found = {}
        for name, kind, _ in own.columns:
            values = given[name]
            values = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
            found[name] = (values if isinstance(values, pa.Array) else pa.array(values, kind)).cast(kind)
    except InputError:
        raise
    except (Exception, SystemExit) as error:  # show the user any error of their code
        raise InputError(f"{where} fails: {raised(error)}") from error
    for name, values in found.items():
        if len(values) != rows:
            raise InputError(f"{where}: column '{name}' has {len(values)} values; it must have one for each row")
    return found
