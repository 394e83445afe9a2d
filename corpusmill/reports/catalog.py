"""`catalog.duckdb`: the whole corpus as one DuckDB database, with views over the Parquet parts and derived tables.

Three things are stored as tables when the catalog is built: the ledger, the totals, and the records that could not be
used.  Building takes 13 s for 10 million pages; after that, a query takes a tenth of a second.  Everything else is a
view.  Tables with the rows of pages, in the same order, are combined by position (`POSITIONAL JOIN`), which takes a
tenth of the time of a join by doc_id.

The catalog is built under a temporary name and renamed into place.  So it can be read at any time, also by a process
that has the old one open.  While a corpus is still growing, the catalog shows what is published so far, and a stage
without parts is an empty table.  Only parts with a receipt are in it, and only those that belong together
(`corpusmill.belonging`).  `open_catalog` compares directory listings (names, sizes and times of the receipts) to see
whether the catalog is up to date.  If not, it builds the catalog again.

Paths are absolute, so that `duckdb catalog.duckdb` works from any folder.  (DuckDB's `file_search_path` would allow
relative paths.  But it is a setting of the session and not of the file, so every reader would have to know it.)  The
catalog records its root.  After a corpus was moved, corpusmill builds a new catalog at the next opening.

Other programs open the file with DuckDB 1.0 or later.  DuckDB 2 can write it for them, with one exception: 1.0 cannot
read a table in which all lists or maps are empty.  So `tables.flat` writes them as text, and the views `ledger` and
`receipts` show them as lists and maps.

`open_catalog` attaches the file to an in-memory database instead of connecting to it.  DuckDB keeps one instance per
path in a process, so after a rebuild, `connect` would still show the old catalog while any connection is open.
"""

import hashlib
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any

import duckdb
import pyarrow as pa

from corpusmill import __version__, schema
from corpusmill.belonging import TABLES as TABLES_FILE
from corpusmill.belonging import Described, belonging, described, digest_of_ids
from corpusmill.corpus import FILTERS, RECEIPTS, Corpus, Place
from corpusmill.errors import CorruptPartError, InputError, RunError
from corpusmill.filters.profiles import OF_PAGES
from corpusmill.loader.manifest import MANIFEST, groups_of
from corpusmill.mix import MIX, read_weights
from corpusmill.names import identifier
from corpusmill.reasons import CAPS, Stage, Status
from corpusmill.receipts import Receipt
from corpusmill.removals import FILE as REMOVALS_FILE
from corpusmill.removals import read_removals
from corpusmill.reports import bias, tables
from corpusmill.reports.filter_files import filter_rows
from corpusmill.schema import Column, Table
from corpusmill.store import RemoteStore, is_url
from corpusmill.tokenize.study_file import rows_of as rows_of_study

FILE = "catalog.duckdb"
VERSION = 5  # raise it when a table or view of the catalog changes: older catalogs are then made again
OLDEST = "v1.0.0"  # the oldest DuckDB that must be able to open the file
ATTEMPTS = 3  # at reading a corpus while a run deletes parts
ABLATIONS = {  # table -> where its files are, in the folder of an ablation
    **{table.name: f"{table.name.removeprefix('ablation_')}-*.parquet" for table in schema.ABLATIONS},
    schema.ABLATION_LOSSES.name: "corpora/*/models/*/losses/*.parquet",
}
OWN = {"doc_id", "url", "title", "text"}  # columns of texts that are not counts


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The files of a corpus at one moment, from directory listings only."""

    corpus: Corpus
    stages: list[Described]
    urls: list[Path]
    of_models: dict[str, list[Path]]  # by the name of the file, one for each model that has it
    ablations: dict[str, list[Path]]  # by table
    state: str  # changes when any of the files changes

    @property
    def file(self) -> Path:
        """The path of the catalog: in the corpus, or on this machine if the corpus is on object storage."""
        return self.corpus.workspace / FILE

    @classmethod
    def of(cls, place: Place) -> "Snapshot":
        """The snapshot of a corpus.  InputError if there is no corpus."""
        # the catalog always contains the same spelling of it
        corpus = Corpus(place if is_url(str(place)) else Path(place).resolve())
        root = corpus.workspace
        stages = described(corpus) or [Described(stage, "") for stage in (*tables.OWN_TABLES, Stage.VOCABULARY)]
        urls = [path for path in sorted(root.glob("raw/*/urls/*.parquet")) if _is_published(path)]
        of_models = {name: sorted(root.glob(f"models/*/{name}")) for name in tables.OF_MODELS}
        ablations = {table: sorted(root.glob(f"ablations/*/{files}")) for table, files in ABLATIONS.items()}
        of_folders = chain.from_iterable([*of_models.values(), *ablations.values()])
        state, has_parts = _state(corpus, stages, [*urls, *of_folders])
        if not (has_parts or urls or corpus.store.entry("recipe.toml")):
            hint = "give the folder that `corpusmill run` wrote"
            is_there = corpus.is_remote or root.is_dir()
            raise InputError(f"{place}: {'not a corpus' if is_there else 'there is no such folder'}; {hint}")
        return cls(corpus, stages, urls, of_models, ablations, state)


def _is_published(urls: Path) -> bool:
    """Whether a crawl's file of URLs has its receipt: that of its shard, or that of the crawl for unfetched URLs."""
    crawl = urls.parent.parent
    return (crawl / ("crawl.json" if urls.stem.startswith("unfetched") else f"receipts/{urls.stem}.json")).is_file()


def _state(corpus: Corpus, stages: Sequence[Described], files: Iterable[Path]) -> tuple[str, bool]:
    """A digest of names, sizes and times, and of the code that writes the catalog; and whether there is any receipt."""
    state = hashlib.blake2b(f"{__version__} {VERSION} {duckdb.__version__}".encode(), digest_size=16)
    has_parts = False
    for stage in stages:
        for folder in (f"{stage.stage}/{RECEIPTS}", stage.stage):
            version = corpus.store.folder_version(folder)
            if version is None:
                version = repr(sorted(corpus.store.entries(folder).items()))
            has_parts |= version not in ("none", "[]")
            state.update(f"\n{folder} {version}".encode("utf-8", "surrogatepass"))
    for path in files:
        with suppress(FileNotFoundError):  # a run may have deleted it after it was listed
            stat = path.stat()
            state.update(f"\n{path} {stat.st_size} {stat.st_mtime_ns}".encode("utf-8", "surrogatepass"))
    for name in (TABLES_FILE, MIX, MANIFEST, FILTERS, REMOVALS_FILE):
        state.update(f"\n{name} {corpus.store.entry(name)}".encode())
    return state.hexdigest(), has_parts


def build(corpus: Place) -> Path:
    """Write the corpus's catalog and return its path.

    InputError if there is no corpus, RunError if the catalog cannot be written there.
    """
    snapshot = Snapshot.of(corpus)
    file = snapshot.file
    temporary = file.with_name(f".{FILE}.{uuid.uuid4().hex}.tmp")
    try:
        if snapshot.corpus.is_remote:
            file.parent.mkdir(parents=True, exist_ok=True)
        _clear_leftovers(file.parent)
        with _connected(snapshot.corpus) as connection:
            connection.execute(f"ATTACH {_quote(str(temporary))} AS catalog (STORAGE_VERSION '{OLDEST}'); USE catalog")
            _define(connection, corpus)
            connection.execute("USE memory; DETACH catalog")
        temporary.rename(file)
    except (OSError, duckdb.IOException, duckdb.TransactionException, duckdb.FatalException) as error:
        raise RunError(f"{file}: cannot be written: {' '.join(str(error).split())}") from error
    finally:
        for leftover in (temporary, temporary.with_name(f"{temporary.name}.wal")):
            with suppress(OSError):  # a read-only file system refuses to delete a file even if it does not exist
                leftover.unlink(missing_ok=True)
    return file


def _connected(corpus: Corpus) -> duckdb.DuckDBPyConnection:
    """A connection that can read the corpus's files."""
    connection = duckdb.connect(config={"autoinstall_known_extensions": False})
    if isinstance(corpus.store, RemoteStore):
        connection.register_filesystem(corpus.store.fs)
    return connection


@contextmanager
def damage_is_named(corpus: Place) -> Iterator[None]:
    """Turn DuckDB's errors on files of the corpus into a RunError that says what to do."""
    try:
        yield
    except duckdb.Error as error:
        raise RunError(f"{corpus}: cannot be read; 'corpusmill verify' says what is damaged ({told(error)})") from error


def told(error: duckdb.Error) -> str:
    """DuckDB's message on one line, without its excerpt of the query."""
    return " ".join(str(error).split("\n\n")[0].split())


def _clear_leftovers(folder: Path) -> None:
    """Delete the files of builds that were killed.  Files younger than an hour may belong to a running build."""
    for path in folder.glob(f".{FILE}.*"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > 3600:
                path.unlink()


def open_catalog(corpus: Place) -> duckdb.DuckDBPyConnection:
    """A read-only connection to the corpus's catalog, which is built again first if the corpus has changed.

    If the corpus cannot be written, the same catalog is made in memory.  InputError if there is no corpus.
    """
    snapshot = Snapshot.of(corpus)
    connection = _attach(snapshot)
    with damage_is_named(corpus):
        if connection is None:
            try:
                build(corpus)
            except RunError:
                return _in_memory(snapshot.corpus)
            connection = _attach(Snapshot.of(corpus))
        return connection or _in_memory(snapshot.corpus)


def rows_of(
    catalog: duckdb.DuckDBPyConnection, query: str, values: Sequence[object] | Mapping[str, object] = ()
) -> list[dict[str, Any]]:
    """The rows of a query, by the names of their columns."""
    cursor = catalog.execute(query, values)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _attach(snapshot: Snapshot) -> duckdb.DuckDBPyConnection | None:
    """Attach the catalog's file if it exists, is readable, and describes this state of this folder; else None."""
    path = snapshot.file
    if not path.is_file():
        return None
    connection = _connected(snapshot.corpus)
    try:
        connection.execute(f"ATTACH {_quote(str(path))} AS catalog (READ_ONLY); USE catalog")
        found = connection.execute("SELECT root, state FROM catalog_state").fetchall()
    except duckdb.Error:  # from another version of DuckDB, damaged, or locked by a process that writes it
        found = []
    if found == [(snapshot.corpus.place, snapshot.state)]:
        return connection
    connection.close()
    return None


def _in_memory(corpus: Corpus) -> duckdb.DuckDBPyConnection:
    connection = _connected(corpus)
    connection.execute("ATTACH ':memory:' AS catalog; USE catalog")
    _define(connection, corpus.place)
    return connection


def _define(connection: duckdb.DuckDBPyConnection, corpus: Place) -> None:
    """Create everything in an empty database."""
    for attempt in range(1, ATTEMPTS + 1):
        snapshot = Snapshot.of(corpus)
        try:
            connection.begin()
            _Catalog(connection, snapshot).create()
            connection.commit()
            return
        except duckdb.IOException:  # a listed file is gone because a run deletes old files
            connection.rollback()
            if attempt == ATTEMPTS:
                raise


Receipts = Mapping[str, Receipt]  # by part


class _Catalog:
    """A catalog that is being created."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, snapshot: Snapshot) -> None:
        self.connection, self.snapshot = connection, snapshot
        corpus = snapshot.corpus
        self.published = {stage.stage: corpus.receipts(stage.stage) for stage in snapshot.stages}
        self.current: Mapping[str, Receipts] = belonging(corpus) or self.published
        self.tables = {stage.stage: table for stage in snapshot.stages if (table := _table_of(stage)) is not None}

    def create(self) -> None:
        """Create all tables and views."""
        run = self.connection.execute
        state = [self.snapshot.corpus.place, self.snapshot.state]
        run("CREATE TABLE catalog_state AS SELECT ? AS root, ? AS state", state)
        run("COMMENT ON TABLE catalog_state IS 'which corpus, and in which state, the catalog tells of'")
        run(tables.MACRO)
        self._receipts()
        self._mix()
        self._filters()
        self._tokenizers()
        for stage, table in self.tables.items():
            self._view(tables.shown(stage, table), self._shown(stage))
        for stage in tables.ON_REQUEST:
            if stage not in self.tables:
                self._view(tables.OWN_TABLES[stage], _select([], tables.OWN_TABLES[stage].columns))
        self._signals()
        self._view(schema.URLS, _select(self.snapshot.urls, schema.URLS.columns))
        for name, table in tables.OF_MODELS.items():
            files = self.snapshot.of_models[name]
            self._view(table, _select(files, table.columns, computed={"model": MODEL_OF_FILE}))
        for table in tables.ABLATIONS:
            name = ABLATION_OF_LOSSES if table.name == schema.ABLATION_LOSSES.name else MODEL_OF_FILE
            self._view(table, _select(self.snapshot.ablations[table.name], table.columns, computed={"ablation": name}))
        self._ledger()
        self._table(tables.TOTALS, tables.TOTALS_SQL)
        self._table(tables.UNUSABLE, tables.UNUSABLE_SQL)
        self._removals()
        self._view(tables.STAGES, tables.STAGES_SQL)
        self._view(bias.BIAS, bias.BIAS_SQL)

    def _receipts(self) -> None:
        rows = [
            {
                **{name: getattr(receipt, name) for name in ("stage", "part", "rows_in", "rows_out", "bytes_in")},
                **{name: getattr(receipt, name) for name in ("checksum", "fingerprint", "seconds")},
                "bytes": receipt.size,
                **tables.flat_map("dropped", receipt.dropped),
                **tables.flat_map("counts", receipt.counts),
                "finished_at": datetime.fromtimestamp(receipt.finished_at, UTC),
                "is_current": part in self.current.get(stage, {}),
            }
            for stage, receipts in self.published.items()
            for part, receipt in receipts.items()
        ]
        self._fill(f"TABLE {tables.RECEIPT_ROWS.name}", pa.Table.from_pylist(rows, schema=tables.RECEIPT_ROWS.arrow))
        self._comment("TABLE", tables.RECEIPT_ROWS)
        self._view(tables.RECEIPTS, tables.as_shown(tables.RECEIPTS, tables.RECEIPT_ROWS))
        names = [stage.stage for stage in self.snapshot.stages]
        order = {"stage": pa.array(names, pa.string()), "place": pa.array(range(len(names)), pa.int32())}
        self._fill("TABLE stage_order", pa.table(order))
        self.connection.execute("COMMENT ON TABLE stage_order IS 'the stages in order'")

    def _mix(self) -> None:
        weights = read_weights(self.snapshot.corpus)
        columns = {"source": pa.array(weights, pa.string()), "weight": pa.array(weights.values(), pa.float64())}
        self._fill("TABLE mix", pa.table(columns))
        self.connection.execute("COMMENT ON TABLE mix IS 'weight of each source in training'")
        rows = groups_of(self.snapshot.corpus)
        self._fill(f"TABLE {tables.MIX_GROUPS.name}", pa.Table.from_pylist(rows, schema=tables.MIX_GROUPS.arrow))
        self._comment("TABLE", tables.MIX_GROUPS)

    def _filters(self) -> None:
        """The files that filters use, and the figures of models, from what the last run wrote down of them."""
        files, classifiers, calibration = filter_rows(self.snapshot.corpus)
        for table, rows in (
            (tables.FILTER_FILES, files),
            (tables.CLASSIFIERS, classifiers),
            (tables.CALIBRATION, calibration),
        ):
            self._fill(f"TABLE {table.name}", pa.Table.from_pylist(rows, schema=table.arrow))
            self._comment("TABLE", table)

    def _tokenizers(self) -> None:
        """What the tokenizer does with the corpus, if that was measured on the tokens that are published."""
        rows: dict[str, list[dict[str, Any]]] = {}
        if Stage.VOCABULARY in self.published.get(Stage.VOCABULARY, {}):
            with suppress(CorruptPartError):  # `corpusmill verify` names it; the other tables can be read
                content = self.snapshot.corpus.read_file(Stage.VOCABULARY, Stage.VOCABULARY)
                rows = rows_of_study(content, digest_of_ids(self.current.get(Stage.TOKENS, {})))
        for table in schema.OF_TOKENIZERS:
            self._fill(f"TABLE {table.name}", pa.Table.from_pylist(rows.get(table.name, []), schema=table.arrow))
            self._comment("TABLE", table)

    def _removals(self) -> None:
        """The list of removals, with the number of pages that each entry removed."""
        entries = read_removals(self.snapshot.corpus).entries
        rows = [asdict(e) | {"removal": e.id, "added": datetime.fromisoformat(e.added)} for e in entries]
        listed = [field for field in tables.REMOVALS.arrow if field.name != "pages"]
        self._fill("TEMP TABLE removal_entries", pa.Table.from_pylist(rows, schema=pa.schema(listed)))
        pages = self.current.get(Stage.PAGES, {})
        parts = [part for part, receipt in pages.items() if receipt.counts.get(f"status_{Status.REMOVED}")]
        removed = self._query(Stage.PAGES, parts, ["status", "metadata"])
        self._table(tables.REMOVALS, tables.REMOVALS_SQL.format(pages=removed))
        self.connection.execute("DROP TABLE removal_entries")

    def _fill(self, what: str, rows: pa.Table) -> None:
        """Create a table with these rows."""
        self.connection.register("rows_to_fill", rows)
        self.connection.execute(f"CREATE {what} AS FROM rows_to_fill")
        self.connection.unregister("rows_to_fill")

    def _query(self, stage: str, parts: Iterable[str] | None = None, columns: Sequence[str] | None = None) -> str:
        """A query over the published parts of a stage: all of them or some, with all columns or some."""
        receipts = self.current.get(stage, {})
        if parts is not None:
            receipts = {part: receipts[part] for part in parts}
        table = self.tables[stage]
        known = {column.name: column for column in (*table.columns, tables.PART, ROW_COLUMN)}
        others = {name: Column(name, "string", "") for receipt in receipts.values() for name in receipt.columns}
        wanted = columns or [*dict.fromkeys((*(column.name for column in table.columns), *others))]
        return _select(
            [f"{self.snapshot.corpus.place}/{stage}/{receipt.file}" for receipt in receipts.values()],
            [known.get(name) or others[name] for name in wanted],
            [tuple(receipt.columns) for receipt in receipts.values()],
            {name: made for name, made in MADE.items() if name in wanted},
        )

    def _shown(self, stage: str) -> str:
        """A query for a stage in the form of its view."""
        names = [column.name for column in self.tables[stage].columns]
        match stage:
            case Stage.PAGES:
                return self._query(stage, columns=[*names, "part"])
            case Stage.DOCS | Stage.TOKENS:
                weighted = "coalesce(m.weight, 1.0) AS weight"
                return f"SELECT d.*, {weighted} FROM ({self._query(stage)}) d LEFT JOIN mix m ON m.source = d.source"
            case _:
                return self._query(stage)

    def _signals(self) -> None:
        """The groups of signals side by side, and these with what rules see of pages and have said of them."""
        groups = [stage for stage in self.tables if tables.is_group_of_signals(stage)]
        table = tables.signals_table([self.tables[group] for group in groups], self.tables[Stage.TEXTS])
        measured = [*groups, Stage.TEXTS]
        self._view(table, self._side_by_side(measured) if groups else _select([], table.columns))
        judged = tables.judged_table(table)
        seen_of_pages: dict[str, list[str]] = {
            Stage.PAGES: [*OF_PAGES, "status", "part"],
            Stage.VERDICTS: ["kept", "stage", "rule", "also_dropped_by"],
        }
        rows = self._side_by_side([Stage.PAGES, *measured, Stage.VERDICTS], seen_of_pages)
        self._view(judged, tables.judged_sql(judged, rows) if groups else _select([], judged.columns))

    def _side_by_side(self, stages: Sequence[str], chosen: Mapping[str, list[str]] = MappingProxyType({})) -> str:
        """The columns of tables that have the same rows, for the parts that all of them have.

        chosen: by stage the columns that are wanted, if not all.
        """
        common = self._aligned(stages)
        pieces: list[str] = []
        names = ["doc_id"]
        for stage in stages:
            own = {"doc_id"} if stage != Stage.TEXTS else OWN
            found = [name for part in common for name in self.current[stage][part].columns]
            columns = [*dict.fromkeys((*(column.name for column in self.tables[stage].columns), *found))]
            columns = chosen.get(stage) or [name for name in columns if name not in own]
            names += columns
            columns = [*columns, tables.ROW] if pieces else ["doc_id", *columns, tables.ROW]
            pieces.append(f"({self._query(stage, common, columns)}) s{len(pieces)}")
        listed = ", ".join(map(identifier, names))
        aligned = tables.aligned([f"s{i}" for i in range(len(pieces))])
        return f"SELECT {listed} FROM {' POSITIONAL JOIN '.join(pieces)} WHERE {aligned}"

    def _aligned(self, stages: Sequence[str]) -> list[str]:
        """The parts that all of these stages have with the same number of rows, in order."""
        receipts = [self.current.get(stage, {}) for stage in stages]
        common = set.intersection(*(set(each) for each in receipts)) if receipts else set()
        return sorted(part for part in common if len({each[part].rows_out for each in receipts}) == 1)

    def _ledger(self) -> None:
        judged = self._aligned([Stage.PAGES, Stage.VERDICTS])
        others = sorted(self.current.get(Stage.PAGES, {}).keys() - set(judged))
        columns = ["doc_id", "url", "source", "part"]
        decided = [column.name for column in self.tables[Stage.VERDICTS].columns if column.name != "doc_id"]
        of_this_corpus = [stage.stage for stage in self.snapshot.stages if stage.kind]
        last = [Stage.TWINS, *(stage for stage in tables.DUPLICATES_SQL if stage in of_this_corpus)]
        grouped = pa.array(sorted(set.intersection(*(set(self.current.get(stage, {})) for stage in last))), pa.string())
        self._fill("TEMP TABLE grouped", pa.table({"part": grouped}))
        sql = tables.LEDGER_SQL.format(
            judged_pages=self._query(Stage.PAGES, judged, [*columns, tables.ROW]),
            verdicts=self._query(Stage.VERDICTS, judged, [*decided, tables.ROW]),
            caps=self._query(CAPS) if CAPS in self.tables else _select([], schema.CAPS.columns),
            twins=self._query(Stage.TWINS),
            duplicates=" UNION ALL ".join(
                sql.format(rows=self._query(stage) if stage in self.tables else _select([], table.columns))
                for stage, sql in tables.DUPLICATES_SQL.items()
                for table in [tables.OWN_TABLES[stage]]
            ),
            other_pages=self._query(Stage.PAGES, others, columns),
        )
        self._table(tables.LEDGER_ROWS, sql)
        self._view(tables.LEDGER, tables.as_shown(tables.LEDGER, tables.LEDGER_ROWS))
        self.connection.execute("DROP TABLE grouped")

    def _view(self, table: Table, sql: str) -> None:
        self.connection.execute(f"CREATE VIEW {identifier(table.name)} AS {sql}")
        self._comment("VIEW", table)

    def _table(self, table: Table, sql: str) -> None:
        self.connection.execute(f"CREATE TABLE {identifier(table.name)} AS {sql}")
        self._comment("TABLE", table)

    def _comment(self, kind: str, table: Table) -> None:
        name = identifier(table.name)
        statements = [f"COMMENT ON {kind} {name} IS {_quote(table.description)}"]
        statements += [
            f"COMMENT ON COLUMN {name}.{identifier(column.name)} IS {_quote(column.description)}"
            for column in table.columns
        ]
        self.connection.execute(";".join(statements))


def _table_of(stage: Described) -> Table | None:
    """The table of a stage as the corpus describes it; without that, as the product describes it."""
    own = tables.OWN_TABLES.get(stage.stage)
    if stage.table is None:
        return own if stage.kind == "" else None
    known = {column.name: column.type for column in own.columns} if own is not None else {}
    columns = [Column(name, known.get(name, kind), text) for name, kind, text in stage.table["columns"]]
    return Table(stage.table["name"], stage.table["description"], tuple(columns))


ROW_COLUMN = Column(tables.ROW, "int64", "")
MADE = {"part": "parse_filename(filename, true)", tables.ROW: "file_row_number"}
MODEL_OF_FILE = "parse_path(filename)[-2]"  # and the ablation of its own files
ABLATION_OF_LOSSES = "parse_path(filename)[-7]"


def _select(
    files: Sequence[Path | str],
    columns: Sequence[Column],
    present: Sequence[tuple[str, ...]] = (),
    computed: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """A query over Parquet files for these columns, in this order.

    present: the columns of each file, if known; a column that no file has is null.
    computed: expressions for columns that are made from the file's name.
    """
    there = {name for names in present for name in names} if present else {column.name for column in columns}
    chosen = []
    for column in columns:
        if not files or (column.name not in there and column.name not in computed):
            chosen.append(f"NULL::{tables.duckdb_type(column.type)} AS {identifier(column.name)}")
        elif column.name in computed:
            chosen.append(f"{computed[column.name]} AS {identifier(column.name)}")
        else:
            chosen.append(identifier(column.name))
    if not files:
        return f"SELECT {', '.join(chosen)} WHERE false"
    # union_by_name opens every file when the view is bound; it is needed only if parts were made with different
    # settings
    options = f"hive_partitioning=false, union_by_name={len(set(present)) > 1}"
    options += f", filename={bool(computed)}, file_row_number={tables.ROW in computed}"
    listed = ", ".join(_quote(str(path)) for path in files)
    return f"SELECT {', '.join(chosen)} FROM read_parquet([{listed}], {options})"


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
