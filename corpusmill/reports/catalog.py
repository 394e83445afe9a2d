"""`catalog.duckdb`: the whole corpus as one DuckDB database, a few hundred KB of views over the Parquet parts.

The catalog is built under a temporary name and renamed into place, so it can be read at any time, also by a process
that has the old one open; a corpus that is still growing shows what is published so far, a stage without parts as an
empty table.  Only parts with a receipt are in it.  `open_catalog` looks at directory listings alone to see whether the
catalog is still true (names, sizes and times of the receipts), and builds it anew if not.

Paths are absolute, so that plain `duckdb catalog.duckdb` works from any folder.  (DuckDB's `file_search_path` would
allow relative ones, but it is a setting of the session and not of the file: every reader would have to know it.)  The
catalog records its root, and a corpus that was moved gets a new one when it is next opened through corpusmill.

`open_catalog` attaches the file to an in-memory database instead of connecting to it, because DuckDB keeps one instance
a path in a process: after a rebuild, `connect` would go on showing the old catalog while any connection is open.

Cost: 0.8 s of CPU to build over 1,000 parts in 7 stages, half of it reading receipts; 0.1 s to open.
"""

import hashlib
import time
import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from corpusmill import __version__, schema
from corpusmill.corpus import Corpus, Receipt
from corpusmill.errors import InputError, RunError
from corpusmill.extensions import REGISTRY
from corpusmill.reasons import Stage
from corpusmill.reports import tables
from corpusmill.schema import Column, Table

FILE = "catalog.duckdb"
ATTEMPTS = 3  # at looking at a corpus whose parts a run is deleting


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a corpus holds at one moment, from directory listings alone."""

    root: Path
    receipts: dict[Stage, list[Path]]  # of parts whose Parquet file is there, by name
    urls: list[Path]
    metrics: list[Path]
    state: str  # changes when any of the files does

    @classmethod
    def of(cls, folder: Path) -> "Snapshot":
        """InputError if the folder is no corpus."""
        corpus = Corpus(folder.resolve())  # one spelling of the path, since the catalog holds it
        root = corpus.folder
        receipts = {
            stage: [root / stage / f"{part}.json" for part in corpus.parts(stage)] for stage in tables.OVER_PARTS
        }
        urls = [path for path in sorted(root.glob("raw/*/urls/*.parquet")) if _is_published(path)]
        metrics = sorted(root.glob("models/*/metrics.parquet"))
        if not (any(receipts.values()) or urls or (root / "recipe.toml").is_file()):
            hint = "give the folder that `corpusmill run` wrote"
            raise InputError(f"{folder}: {'not a corpus' if root.is_dir() else 'there is no such folder'}; {hint}")
        files = [*(path for paths in receipts.values() for path in paths), *urls, *metrics]
        return cls(root, receipts, urls, metrics, _state(files))


def _is_published(urls: Path) -> bool:
    """Whether a crawl's file of URLs has its receipt: its shard's, or the crawl's for what was not fetched."""
    crawl = urls.parent.parent
    return (crawl / ("crawl.json" if urls.stem == "unfetched" else f"receipts/{urls.stem}.json")).is_file()


def _state(files: Iterable[Path]) -> str:
    """A digest of names, sizes and times; and of what writes the catalog."""
    state = hashlib.blake2b(f"{__version__} {duckdb.__version__}".encode(), digest_size=16)
    for path in files:
        try:
            stat = path.stat()
        except FileNotFoundError:  # a run deleted it since it was listed
            continue
        state.update(f"\n{path} {stat.st_size} {stat.st_mtime_ns}".encode())
    return state.hexdigest()


def build(corpus: Path) -> Path:
    """Write the corpus's catalog and return its path.

    InputError if the folder is no corpus, RunError if the catalog can't be written there.
    """
    root = Snapshot.of(corpus).root
    _clear_leftovers(root)
    temporary = root / f".{FILE}.{uuid.uuid4().hex}.tmp"
    try:
        with duckdb.connect(str(temporary)) as connection:
            _define(connection, root)
        temporary.rename(root / FILE)
    except (OSError, duckdb.IOException) as error:
        raise RunError(f"{root / FILE}: cannot be written: {' '.join(str(error).split())}") from error
    finally:
        for leftover in (temporary, temporary.with_name(f"{temporary.name}.wal")):
            leftover.unlink(missing_ok=True)
    return root / FILE


def _clear_leftovers(root: Path) -> None:
    """Delete what builds that were killed left behind; what is younger than an hour may be one at work."""
    for path in root.glob(f".{FILE}.*"):
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > 3600:
                path.unlink()


def open_catalog(corpus: Path) -> duckdb.DuckDBPyConnection:
    """A read-only connection to the corpus's catalog, which is built anew first if the corpus has changed.

    Where the corpus can't be written the same catalog is made in memory.  InputError if the folder is no corpus.
    """
    snapshot = Snapshot.of(corpus)
    connection = _attach(snapshot)
    if connection is None:
        try:
            build(corpus)
        except RunError:
            return _in_memory(snapshot.root)
        connection = _attach(Snapshot.of(corpus))
    return connection or _in_memory(snapshot.root)


def _attach(snapshot: Snapshot) -> duckdb.DuckDBPyConnection | None:
    """The catalog's file if it is there, readable, and tells of this state of this folder."""
    path = snapshot.root / FILE
    if not path.is_file():
        return None
    connection = duckdb.connect()
    try:
        connection.execute(f"ATTACH {_quote(str(path))} AS catalog (READ_ONLY); USE catalog")
        found = connection.execute("SELECT root, state FROM catalog_state").fetchall()
    except duckdb.Error:  # of another version of DuckDB, damaged, or locked by someone who writes to it
        found = []
    if found == [(str(snapshot.root), snapshot.state)]:
        return connection
    connection.close()
    return None


def _in_memory(root: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("ATTACH ':memory:' AS catalog; USE catalog")
    _define(connection, root)
    return connection


def _define(connection: duckdb.DuckDBPyConnection, root: Path) -> None:
    """Create everything in an empty database."""
    for attempt in range(1, ATTEMPTS + 1):
        snapshot = Snapshot.of(root)
        try:
            connection.begin()
            _create(connection, snapshot)
            connection.commit()
            return
        except duckdb.IOException:  # a file that was listed is gone: a run tidies up
            connection.rollback()
            if attempt == ATTEMPTS:
                raise


def _create(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot) -> None:
    connection.execute(
        "CREATE TABLE catalog_state AS SELECT ? AS root, ? AS state", [str(snapshot.root), snapshot.state]
    )
    connection.execute("COMMENT ON TABLE catalog_state IS 'which corpus, and in which state, the catalog tells of'")
    connection.execute(tables.MACRO)
    receipts = _create_receipts(connection, snapshot)
    for stage, table in tables.OVER_PARTS.items():
        found = [receipt for receipt in receipts if receipt.stage == stage]
        files = [snapshot.root / stage / f"{receipt.part}.parquet" for receipt in found]
        columns = [tuple(receipt.columns) for receipt in found]
        select = "*, parse_filename(filename, true) AS part" if tables.PART in table.columns else "*"
        if stage is Stage.SIGNALS:
            table = _with_user_signals(table, columns)
        _create_view(connection, table, _over_files(table, files, select, columns))
    _create_view(connection, schema.URLS, _over_files(schema.URLS, snapshot.urls))
    model = "parse_path(filename)[-2] AS model, *"
    _create_view(connection, tables.METRICS, _over_files(tables.METRICS, snapshot.metrics, model))
    for derived in tables.DERIVED:
        _create_view(connection, derived.table, derived.sql)


def _create_receipts(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot) -> list[Receipt]:
    paths = (path for stage in snapshot.receipts.values() for path in stage)
    receipts = [receipt for path in paths if (receipt := Receipt.read(path)) is not None]
    rows = [
        {name: getattr(receipt, name) for name in tables.RECEIPTS.arrow.names}
        | {
            "dropped": list(receipt.dropped.items()),
            "counts": list(receipt.counts.items()),
            "finished_at": datetime.fromtimestamp(receipt.finished_at, UTC),
        }
        for receipt in receipts
    ]
    connection.register("new_receipts", pa.Table.from_pylist(rows, schema=tables.RECEIPTS.arrow))
    connection.execute("CREATE TABLE receipts AS FROM new_receipts")
    connection.unregister("new_receipts")
    _comment(connection, "TABLE", tables.RECEIPTS)
    return receipts


def _with_user_signals(table: Table, columns: Iterable[tuple[str, ...]]) -> Table:
    """The signals table with the columns that modules of the user's added."""
    names = dict.fromkeys(name for part in columns for name in part if name not in table.arrow.names)
    known = REGISTRY.signals
    describe = {name: known[name].description if name in known else "signal of the user's own" for name in names}
    return replace(table, columns=(*table.columns, *(Column(name, pa.null(), describe[name]) for name in names)))


def _over_files(table: Table, files: list[Path], select: str = "*", columns: Sequence[tuple[str, ...]] = ()) -> str:
    """The query of a view over Parquet files; `columns` are those of each file, where known."""
    if not files:
        empty = ", ".join(f'NULL::{tables.duckdb_type(c.type)} AS "{c.name}"' for c in table.columns)
        return f"SELECT {empty} WHERE false"
    present = {name for names in columns for name in names} or set(table.arrow.names)
    for column in table.columns:  # that parts of an earlier version lack
        if column.name not in present and f"AS {column.name}" not in select:
            select += f', NULL::{tables.duckdb_type(column.type)} AS "{column.name}"'
    # union_by_name opens every file to bind; it is only needed while parts of different settings lie side by side
    union = len(set(columns)) > 1
    listed = ", ".join(_quote(str(path)) for path in files)
    return f"SELECT {select} FROM read_parquet([{listed}], hive_partitioning=false, union_by_name={union})"


def _create_view(connection: duckdb.DuckDBPyConnection, table: Table, sql: str) -> None:
    connection.execute(f"CREATE VIEW {table.name} AS {sql}")
    _comment(connection, "VIEW", table)


def _comment(connection: duckdb.DuckDBPyConnection, kind: str, table: Table) -> None:
    statements = [f"COMMENT ON {kind} {table.name} IS {_quote(table.description)}"]
    statements += [f'COMMENT ON COLUMN {table.name}."{c.name}" IS {_quote(c.description)}' for c in table.columns]
    connection.execute(";".join(statements))


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
