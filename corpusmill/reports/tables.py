"""What the catalog holds: the corpus's own tables as views, and what is derived from them, with every column described.

The derived tables are SQL over the others, so a figure in a report, a row in the ledger and a query of the user's can
never disagree.  `stage` and `rule` of a dropped page mean what `corpusmill.reasons` says.
"""

from dataclasses import dataclass, replace

import pyarrow as pa

from corpusmill import schema
from corpusmill.filters import register
from corpusmill.reasons import Stage
from corpusmill.schema import Column, Table

PART = Column("part", pa.string(), "name of the row's part, which is the same in every stage's folder")

PAGES = replace(schema.PAGES, columns=(*schema.PAGES.columns, PART))

SIGNALS = Table(
    "signals",
    "one row a page: its language, then one column a signal, the user's own last; null for unreadable pages",
    (schema.DOC_ID, *register.LANGUAGE_COLUMNS, *register.SIGNALS),
)

METRICS = replace(
    schema.METRICS, columns=(Column("model", pa.string(), "name of the model's folder"), *schema.METRICS.columns)
)

OVER_PARTS = {  # views over the Parquet files of a stage
    Stage.PAGES: PAGES,
    Stage.SIGNALS: SIGNALS,
    Stage.VERDICTS: schema.VERDICTS,
    Stage.SKETCHES: schema.SKETCHES,
    Stage.TWINS: schema.TWINS,
    Stage.DOCS: schema.DOCS,
    Stage.TOKENS: schema.TOKENS,
}

RECEIPTS = Table("receipts", "one row a stage and part: the books of each piece of work", (
    Column("stage", pa.string(), "name of the stage"),
    PART,
    Column("rows_in", pa.int64(), "rows that came in"),
    Column("rows_out", pa.int64(), "rows that the part holds"),
    Column("dropped", pa.map_(pa.string(), pa.int64()), "rows that did not go on, by reason"),
    Column("counts", pa.map_(pa.string(), pa.int64()), "what else was counted, such as records of other types"),
    Column("bytes_in", pa.int64(), "bytes that were read: payloads for pages, Arrow buffers for the other stages"),
    Column("bytes", pa.int64(), "bytes of the part's file"),
    Column("checksum", pa.string(), "BLAKE2b of the part's file, 128 bits"),
    Column("fingerprint", pa.string(), "hash of everything that the part's content depends on"),
    Column("seconds", pa.float64(), "wall time of the work"),
    Column("finished_at", pa.timestamp("ms"), "when the part was published, UTC"),
))  # fmt: skip


@dataclass(frozen=True)
class Derived:
    """A view that is a query over other tables of the catalog."""

    table: Table
    sql: str


LEDGER = Derived(
    Table("ledger", "the whole story, one row a page: kept, or dropped by which rule at which value for which twin", (
        schema.DOC_ID,
        schema.URL,
        schema.SOURCE,
        Column("kept", pa.bool_(), "whether the page is in the corpus; null: not decided yet"),
        Column("stage", pa.string(), "what dropped it: pages (unreadable), verdicts (a rule), twins (a duplicate)"),
        Column("rule", pa.string(), "the status, the first rule or the kind of duplicate that dropped it"),
        Column("value", pa.float64(), "the signal's value, or the Jaccard similarity; null for free SQL rules"),
        Column("threshold", pa.float64(), "the threshold that the value was compared with"),
        Column("also_dropped_by", pa.list_(pa.string()), "the other rules that would have dropped the page"),
        Column("twin_doc_id", pa.string(), "the kept document that it duplicates; null unless stage is twins"),
        Column("jaccard", pa.float64(), "similarity with the twin; null unless stage is twins"),
    )),
    # twins holds dropped documents only: a page without a row there is kept once its part has been through that stage
    """
    SELECT p.doc_id, p.url, p.source,
        CASE WHEN NOT v.kept OR t.doc_id IS NOT NULL THEN false
             WHEN v.kept AND d.part IS NOT NULL THEN true END AS kept,
        CASE WHEN t.doc_id IS NOT NULL THEN 'twins' ELSE v.stage END AS stage,
        CASE WHEN t.doc_id IS NOT NULL THEN t.rule ELSE v.rule END AS rule,
        CASE WHEN t.doc_id IS NOT NULL THEN t.jaccard ELSE v.value END AS value,
        CASE WHEN t.doc_id IS NOT NULL THEN t.threshold ELSE v.threshold END AS threshold,
        v.also_dropped_by, t.twin_doc_id, t.jaccard
    FROM pages p
    LEFT JOIN verdicts v ON v.doc_id = p.doc_id
    LEFT JOIN twins t ON t.doc_id = p.doc_id AND v.kept
    LEFT JOIN (SELECT DISTINCT part FROM receipts WHERE stage IN ('twins', 'docs')) d ON d.part = p.part""",
)  # fmt: skip

TOTALS = Derived(
    Table("totals", "one row an outcome: what became of how many documents, bytes, characters and tokens", (
        Column("kept", pa.bool_(), "as in ledger"),
        Column("stage", pa.string(), "as in ledger"),
        Column("rule", pa.string(), "as in ledger"),
        Column("documents", pa.int64(), "how many pages had this outcome"),
        Column("n_bytes", pa.int64(), "bytes of their payloads before extraction"),
        Column("n_chars", pa.int64(), "characters of their final text; null before the sketches stage"),
        Column("n_tokens", pa.int64(), "tokens of their text; null unless they are in tokens"),
    )),
    """
    SELECT l.kept, l.stage, l.rule, count(*) AS documents, sum(p.n_bytes)::BIGINT AS n_bytes,
        sum(s.n_chars)::BIGINT AS n_chars, sum(k.n_tokens)::BIGINT AS n_tokens
    FROM ledger l
    JOIN pages p ON p.doc_id = l.doc_id
    LEFT JOIN sketches s ON s.doc_id = l.doc_id
    LEFT JOIN tokens k ON k.doc_id = l.doc_id
    GROUP BY ALL""",
)  # fmt: skip

STAGES = Derived(
    Table("stages", "one row a stage: its receipts added up", (
        Column("stage", pa.string(), "name of the stage"),
        Column("parts", pa.int64(), "published parts"),
        Column("rows_in", pa.int64(), "rows that came in"),
        Column("rows_out", pa.int64(), "rows that its parts hold"),
        Column("bytes_in", pa.int64(), "bytes that were read"),
        Column("bytes", pa.int64(), "bytes of its files"),
        Column("seconds", pa.float64(), "wall time of the work, all workers added up"),
        Column("finished_at", pa.timestamp("ms"), "when its last part was published, UTC"),
    )),
    """
    SELECT stage, count(*) AS parts, sum(rows_in)::BIGINT AS rows_in, sum(rows_out)::BIGINT AS rows_out,
        sum(bytes_in)::BIGINT AS bytes_in, sum(bytes)::BIGINT AS bytes, round(sum(seconds), 3) AS seconds,
        max(finished_at) AS finished_at
    FROM receipts GROUP BY stage""",
)  # fmt: skip

DERIVED = (LEDGER, TOTALS, STAGES)

MACRO = r"""
    CREATE MACRO url_host(url) AS
    lower(nullif(regexp_extract(url, '^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?([^/?#]*)', 1), ''))"""

TABLES = (*OVER_PARTS.values(), schema.URLS, METRICS, RECEIPTS, *(derived.table for derived in DERIVED))


def duckdb_type(kind: pa.DataType) -> str:
    """DuckDB's name of an Arrow type that a schema of ours uses."""
    if pa.types.is_list(kind):
        return f"{duckdb_type(kind.value_type)}[]"
    if pa.types.is_map(kind):
        return f"MAP({duckdb_type(kind.key_type)}, {duckdb_type(kind.item_type)})"
    return _SCALARS[str(kind)]


_SCALARS = {
    "string": "VARCHAR",
    "large_string": "VARCHAR",
    "bool": "BOOLEAN",
    "double": "DOUBLE",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "uint16": "USMALLINT",
    "uint32": "UINTEGER",
    "uint64": "UBIGINT",
    "timestamp[ms]": "TIMESTAMP_MS",
}
