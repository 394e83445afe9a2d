"""What the catalog holds: the corpus's own tables as views, and what is derived from them, with every column described.

The derived tables are SQL over the others, so a figure in a report, a row in the ledger and a query of the user's can
never disagree.  `stage` and `rule` of a dropped page mean what `corpusmill.reasons` says.

A stage's table is described where the stage is; the corpus keeps the descriptions (`tables.json`), so that they are
there for stages and signals of the user's, too.  Tables that a corpus does not have yet are shown empty.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

from corpusmill import schema
from corpusmill.filters import register
from corpusmill.reasons import SIGNALS, Reason, Stage, Status
from corpusmill.schema import Column, Table

PART = Column("part", pa.string(), "name of the part that holds the row; it is the same in the folder of every stage")
WEIGHT = Column("weight", pa.float64(), "number of times that a document of this source is used per epoch of training")

OWN_TABLES = {  # of the product's stages, in order
    Stage.PAGES: schema.PAGES,
    Stage.TEXTS: schema.TEXTS,
    Stage.LANGUAGE_SIGNALS: register.LANGUAGE_GROUP,
    Stage.TEXT_SIGNALS: register.TEXT_GROUP,
    Stage.VERDICTS: schema.VERDICTS,
    Stage.SKETCHES: schema.SKETCHES,
    Stage.TWINS: schema.TWINS,
    Stage.DOCS: schema.DOCS,
    Stage.TOKENS: schema.TOKENS,
}


def shown(stage: str, table: Table) -> Table:
    """The table of a stage as its view shows it."""
    match stage:
        case Stage.PAGES:
            return replace(table, columns=(*table.columns, PART))
        case Stage.DOCS | Stage.TOKENS:
            return replace(table, columns=(*table.columns, WEIGHT))
        case _:
            return table


def is_group_of_signals(stage: str) -> bool:
    """Whether a stage is one of the groups that the view `signals` joins."""
    return stage.startswith(SIGNALS)


def signals_table(groups: list[Table], texts: Table) -> Table:
    """The view `signals`: all groups, and what edits counted."""
    counts = [c for c in texts.columns if c.name not in {"doc_id", "url", "title", "text"}]
    columns = [c for group in groups for c in group.columns if c.name != "doc_id"]
    return Table(
        "signals",
        "One row per page: its language, the built-in signals, the counts of edits, and your own signals. Null for "
        "unreadable pages.",
        (schema.DOC_ID, *columns, *counts),
    )


METRICS = replace(
    schema.METRICS, columns=(Column("model", pa.string(), "name of the model's folder"), *schema.METRICS.columns)
)

RECEIPTS = Table("receipts", "One row per stage and part: what came in, what went out, and when.", (
    Column("stage", pa.string(), "name of the stage"),
    PART,
    Column("rows_in", pa.int64(), "number of rows that came in"),
    Column("rows_out", pa.int64(), "number of rows that the part holds"),
    Column("dropped", pa.map_(pa.string(), pa.int64()), "number of rows that were dropped, by reason"),
    Column("counts", pa.map_(pa.string(), pa.int64()), "other counts, such as records of other types"),
    Column("bytes_in", pa.int64(), "bytes that were read: payloads for pages, Arrow buffers for other stages"),
    Column("bytes", pa.int64(), "size of the file, in bytes"),
    Column("checksum", pa.string(), "128-bit BLAKE2b hash of the file"),
    Column("fingerprint", pa.string(), "hash of everything that decides the content of the part"),
    Column("seconds", pa.float64(), "elapsed time of the work"),
    Column("finished_at", pa.timestamp("ms"), "when the part was published, UTC"),
    Column("is_current", pa.bool_(), "false if the part was made from data that has been replaced since"),
))  # fmt: skip

LEDGER = Table("ledger", "One row per page: whether it is in the corpus, and what decided this.", (
    schema.DOC_ID,
    schema.URL,
    schema.SOURCE,
    Column("kept", pa.bool_(), "whether the page is in the corpus; null if this is not decided yet"),
    Column("stage", pa.string(), "stage that dropped it: pages (unreadable), verdicts (a rule), twins (a duplicate)"),
    Column("rule", pa.string(), "what dropped it: the status, the first rule, or the kind of duplicate"),
    Column("value", pa.float64(), "value of the signal, or the Jaccard similarity; null for rules with when"),
    Column("threshold", pa.float64(), "threshold that the value was compared with"),
    Column("also_dropped_by", pa.list_(pa.string()), "other rules that were true for the page, too"),
    Column("twin_doc_id", pa.string(), "the kept document that it is a duplicate of; null unless stage is twins"),
    Column("jaccard", pa.float64(), "Jaccard similarity with the twin; null unless stage is twins"),
    Column("limited", pa.bool_(), "true if it was not compared with every candidate; null if not decided yet"),
    PART,
))  # fmt: skip

SEPARATOR = 31  # a control character, "unit separator", that stands in no name


def flat(table: Table, name: str) -> Table:
    """The table as the catalog stores it: lists and maps as text, which DuckDB 1.0 can read also if all are empty.

    A list is its items, with SEPARATOR between them.  A map is two columns: its keys, and its values as `_numbers`.
    """
    columns: list[Column] = []
    for column in table.columns:
        if pa.types.is_nested(column.type):
            columns.append(replace(column, type=pa.string()))
            if pa.types.is_map(column.type):
                columns.append(Column(f"{column.name}_numbers", pa.string(), f"the numbers of {column.name}"))
        else:
            columns.append(column)
    return Table(name, f"what the view {table.name} shows, lists as text", tuple(columns))


def flat_map(name: str, values: Mapping[str, int]) -> dict[str, str]:
    """A map as the columns of `flat`."""
    return {name: chr(SEPARATOR).join(values), f"{name}_numbers": chr(SEPARATOR).join(map(str, values.values()))}


def as_shown(table: Table, stored: Table) -> str:
    """The query that makes the table out of what is stored of it."""
    return f"SELECT {', '.join(map(_as_shown, table.columns))} FROM {stored.name}"


def _as_shown(column: Column) -> str:
    name, kind = column.name, duckdb_type(column.type)
    items = f"string_split({name}, chr({SEPARATOR}))"
    if pa.types.is_map(column.type):
        numbers = f"string_split({name}_numbers, chr({SEPARATOR}))::BIGINT[]"
        return f"CASE WHEN {name} = '' THEN MAP([], [])::{kind} ELSE MAP({items}, {numbers}) END AS {name}"
    if pa.types.is_list(column.type):
        return f"CASE WHEN {name} = '' THEN []::{kind} ELSE {items} END AS {name}"
    return name


ROW = "_row"  # number of a row in its file, to see that files which are laid side by side still belong together


def aligned(tables: Sequence[str]) -> str:
    """A condition that fails unless these tables, laid side by side, have the same rows of their parts there."""
    first, *others = tables
    same = " AND ".join(f"{first}.{ROW} = {other}.{ROW}" for other in others) or "true"
    return f"CASE WHEN {same} THEN true ELSE error('a run has changed the corpus meanwhile: open it again') END"


LEDGER_ROWS = flat(LEDGER, "ledger_rows")
RECEIPT_ROWS = flat(RECEIPTS, "receipt_rows")

# What decides about a page lies in tables that have its rows in the same order, so no join is needed: `judged` are the
# parts that have verdicts, `grouped` those that deduplication has been through.
LEDGER_SQL = f"""
    SELECT p.doc_id, p.url, p.source,
        CASE WHEN NOT v.kept OR t.rule IS NOT NULL THEN false WHEN g.part IS NOT NULL THEN true END AS kept,
        CASE WHEN t.rule IS NOT NULL THEN '{Reason.DUPLICATE}' ELSE v.stage END AS stage,
        coalesce(t.rule, v.rule) AS rule,
        CASE WHEN t.rule IS NOT NULL THEN t.jaccard ELSE v.value END AS value,
        CASE WHEN t.rule IS NOT NULL THEN t.threshold ELSE v.threshold END AS threshold,
        array_to_string(v.also_dropped_by, chr({SEPARATOR})) AS also_dropped_by, t.twin_doc_id, t.jaccard,
        CASE WHEN g.part IS NOT NULL THEN coalesce(t.limited, false) END AS limited,
        p.part
    FROM ({{judged_pages}}) p POSITIONAL JOIN ({{verdicts}}) v
    LEFT JOIN ({{twins}}) t ON t.doc_id = p.doc_id AND v.kept
    LEFT JOIN grouped g ON g.part = p.part
    WHERE {aligned("pv")}
    UNION ALL
    SELECT doc_id, url, source, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, part FROM ({{other_pages}})"""

TOTALS = Table("totals", "One row per outcome: how many documents, bytes, characters and tokens had it.", (
    Column("kept", pa.bool_(), "as in the table ledger"),
    Column("stage", pa.string(), "as in the table ledger"),
    Column("rule", pa.string(), "as in the table ledger"),
    Column("documents", pa.int64(), "number of pages with this outcome"),
    Column("n_bytes", pa.int64(), "size of their payloads before extraction, in bytes"),
    Column("n_chars", pa.int64(), "number of characters of their final text; null before the stage sketches"),
    Column("n_tokens", pa.int64(), "number of tokens of their text; null unless they are in the table tokens"),
))  # fmt: skip

TOTALS_SQL = """
    SELECT l.kept, l.stage, l.rule, count(*) AS documents, sum(p.n_bytes)::BIGINT AS n_bytes,
        sum(s.n_chars)::BIGINT AS n_chars, sum(k.n_tokens)::BIGINT AS n_tokens
    FROM ledger l
    JOIN pages p ON p.doc_id = l.doc_id
    LEFT JOIN sketches s ON s.doc_id = l.doc_id
    LEFT JOIN tokens k ON k.doc_id = l.doc_id
    GROUP BY ALL"""

UNUSABLE = Table("unusable", "One row per source and status: the records of which there is no text, with an example.", (
    schema.SOURCE,
    Column("status", pa.string(), "as in the table pages"),
    Column("records", pa.int64(), "number of records with this status"),
    Column("of_source", pa.int64(), "number of all records of the source"),
    Column("origin_path", pa.string(), "as in the table pages, of the example: the first in order of path and offset"),
    Column("origin_offset", pa.int64(), "as in the table pages, of the example"),
    Column("metadata", pa.string(), "as in the table pages, of the example"),
))  # fmt: skip

UNUSABLE_SQL = f"""
    SELECT source, status, records, of_source,
        example.origin_path AS origin_path, example.origin_offset AS origin_offset, example.metadata AS metadata
    FROM (
        SELECT source, status, count(*) AS records,
            (sum(count(*)) OVER (PARTITION BY source))::BIGINT AS of_source,
            min({{'origin_path': origin_path, 'origin_offset': origin_offset, 'metadata': metadata}}) AS example
        FROM pages GROUP BY source, status)
    WHERE status <> '{Status.OK}'"""

STAGES = Table("stages", "One row per stage: the sums of its receipts.", (
    Column("stage", pa.string(), "name of the stage"),
    Column("place", pa.int32(), "position in the order of the stages, from 0"),
    Column("parts", pa.int64(), "number of published parts"),
    Column("rows_in", pa.int64(), "number of rows that came in"),
    Column("rows_out", pa.int64(), "number of rows that its parts hold"),
    Column("bytes_in", pa.int64(), "bytes that were read"),
    Column("bytes", pa.int64(), "size of its files, in bytes"),
    Column("seconds", pa.float64(), "elapsed time of the work, summed over all workers"),
    Column("finished_at", pa.timestamp("ms"), "time when its last part was published, UTC"),
))  # fmt: skip

STAGES_SQL = """
    SELECT stage, any_value(o.place) AS place, count(*) AS parts, sum(rows_in)::BIGINT AS rows_in,
        sum(rows_out)::BIGINT AS rows_out, sum(bytes_in)::BIGINT AS bytes_in, sum(bytes)::BIGINT AS bytes,
        round(sum(seconds), 3) AS seconds, max(finished_at) AS finished_at
    FROM receipts LEFT JOIN stage_order o USING (stage) GROUP BY stage ORDER BY place"""

MACRO = r"""
    CREATE MACRO url_host(url) AS
    lower(nullif(regexp_extract(url, '^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#]*@)?([^/?#]*)', 1), ''))"""

SIGNALS_TABLE = signals_table([register.LANGUAGE_GROUP, register.TEXT_GROUP], schema.TEXTS)
TABLES = (
    *(shown(stage, table) for stage, table in OWN_TABLES.items()),
    SIGNALS_TABLE,
    schema.URLS,
    METRICS,
    RECEIPTS,
    LEDGER,
    TOTALS,
    UNUSABLE,
    STAGES,
)


def duckdb_type(kind: object) -> str:
    """DuckDB's name of an Arrow type, or of the name of one; VARCHAR for one that has no name here."""
    name = str(kind)
    if name.startswith("list<"):
        return f"{duckdb_type(name.removeprefix('list<').removesuffix('>').partition(': ')[2])}[]"
    if name.startswith("map<"):
        key, _, item = name.removeprefix("map<").removesuffix(">").partition(", ")
        return f"MAP({duckdb_type(key)}, {duckdb_type(item)})"
    return _SCALARS.get(name, "VARCHAR")


_SCALARS = {
    "string": "VARCHAR",
    "large_string": "VARCHAR",
    "bool": "BOOLEAN",
    "double": "DOUBLE",
    "float": "FLOAT",
    "int8": "TINYINT",
    "int16": "SMALLINT",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "uint8": "UTINYINT",
    "uint16": "USMALLINT",
    "uint32": "UINTEGER",
    "uint64": "UBIGINT",
    "timestamp[ms]": "TIMESTAMP_MS",
    "date32[day]": "DATE",
}
