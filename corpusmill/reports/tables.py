"""The tables of the catalog: the corpus's own tables as views, and derived tables, with every column described.

The derived tables are SQL over the others.  So a figure in a report, a row in the ledger and a user's query always
agree.  `corpusmill.reasons` says what `stage` and `rule` of a dropped page mean.

A stage's table is described in the module of the stage.  The corpus keeps the descriptions (`tables.json`), so they
also exist for users' stages and signals.  Tables that a corpus does not have yet are shown empty.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

from corpusmill import schema
from corpusmill.filters import register
from corpusmill.filters.profiles import OF_PAGES
from corpusmill.filters.rules import HOST_SQL, PAGE_COLUMNS, seen
from corpusmill.names import identifier
from corpusmill.reasons import (
    CAPS,
    REPEATED_LINES,
    REPEATED_TEXT,
    SAME_URL,
    SEMANTIC,
    SIGNALS,
    Reason,
    Stage,
    Status,
)
from corpusmill.reports.bias import BIAS
from corpusmill.schema import Column, Table

PART = Column("part", pa.string(), "name of the part that holds the row; it is the same in the folder of every stage")
WEIGHT = Column("weight", pa.float64(), "number of times that a document of this source is used per epoch of training")

OWN_TABLES = {  # tables of the product's stages, in order
    Stage.PAGES: schema.PAGES,
    REPEATED_LINES: schema.REPEATED_LINES,
    Stage.TEXTS: schema.TEXTS,
    Stage.LANGUAGE_SIGNALS: register.LANGUAGE_GROUP,
    Stage.TEXT_SIGNALS: register.TEXT_GROUP,
    Stage.VERDICTS: schema.VERDICTS,
    Stage.SKETCHES: schema.SKETCHES,
    CAPS: schema.CAPS,
    SAME_URL: schema.SAME_URL,
    Stage.TWINS: schema.TWINS,
    SEMANTIC: schema.SEMANTIC,
    REPEATED_TEXT: schema.REPEATED_TEXT,
    Stage.DOCS: schema.DOCS,
    Stage.TOKENS: schema.TOKENS,
}

ON_REQUEST = (REPEATED_LINES, CAPS, SAME_URL, SEMANTIC, REPEATED_TEXT)  # stages that only some recipes have


def shown(stage: str, table: Table) -> Table:
    """The table of a stage in the form of its view."""
    match stage:
        case Stage.PAGES:
            return replace(table, columns=(*table.columns, PART))
        case Stage.DOCS | Stage.TOKENS:
            return replace(table, columns=(*table.columns, WEIGHT))
        case _:
            return table


def is_group_of_signals(stage: str) -> bool:
    """Whether a stage is a group of signals that the view `signals` joins."""
    return stage.startswith(SIGNALS)


def signals_table(groups: list[Table], texts: Table) -> Table:
    """The view `signals`: all groups, and the counts of edits."""
    counts = [c for c in texts.columns if c.name not in {"doc_id", "url", "title", "text"}]
    columns = [c for group in groups for c in group.columns if c.name != "doc_id"]
    return Table(
        "signals",
        "One row per page: its language, the built-in signals, the counts of edits, and your own signals. Null for "
        "unreadable pages.",
        (schema.DOC_ID, *columns, *counts),
    )


def judged_table(signals: Table) -> Table:
    """The view `judged`: what rules see of a page, and what they have said of it."""
    return Table(
        "judged",
        "One row per page with a verdict: everything that a rule may read, and what the rules have said.",
        (
            *signals.columns,
            *(replace(c, type=METADATA) if c.name == "metadata" else c for c in PAGE_COLUMNS),
            Column("status", pa.string(), "as in the table pages; rules judge pages whose status is ok"),
            PART,
            Column("kept_by_rules", pa.bool_(), "true if the page was readable and no rule dropped it"),
            Column("dropped_by", pa.list_(pa.string()), "all rules that are true for the page, in their order"),
        ),
    )


METADATA = pa.map_(pa.string(), pa.string())


def judged_sql(judged: Table, rows: str) -> str:
    """The view over `rows`: signals, columns of pages, and the verdicts' kept, rule and also_dropped_by."""
    by = f"CASE WHEN stage = '{Reason.RULE}' THEN list_prepend(rule, also_dropped_by) ELSE [] END"
    decided = f"* EXCLUDE (kept, stage, rule, also_dropped_by), kept AS kept_by_rules, {by} AS dropped_by"
    listed = ", ".join(identifier(column.name) for column in judged.columns)
    made = seen(f"(SELECT {decided} FROM ({rows}))", OF_PAGES)
    return f"SELECT {listed} FROM {made}"


MIX_GROUPS = Table("mix_groups", "One row per group of the mix: documents that training treats alike.", (
    Column("source", pa.string(), "source of its documents; null: all that have no group of their own"),
    Column("language", pa.string(), "language of its documents; null: all that have no group of their own"),
    Column("bucket", pa.string(), "bucket of a signal (mix.buckets); null: the mix uses none, or as above"),
    Column("length", pa.int32(), "range of mix.lengths, from 0; null unless the order goes by length"),
    Column("place", pa.int32(), "place in the order of the mix, from 0; groups with one place are mixed"),
    Column("documents", pa.int64(), "number of documents of the train split"),
    Column("tokens", pa.int64(), "number of their tokens"),
    Column("weight", pa.float64(), "weight of the source, times that of the rule in the recipe"),
    Column("share", pa.float64(), "share of the rows that the mix asks for, before its limits"),
    Column("repeats", pa.float64(), "how often each document comes in an epoch of the mix"),
    Column("capped", pa.bool_(), "whether epochs or max_tokens leave it less than its share"),
))  # fmt: skip

FILTER_FILES = Table("filter_files", "One row per file that the recipe names for its filters.", (
    Column("kind", pa.string(), "key of the recipe that names it, such as filters.word_lists"),
    Column("name", pa.string(), "name of the filter; of an evaluation set, name of the file"),
    Column("path", pa.string(), "path, as the recipe has it"),
    Column("language", pa.string(), "pages in this language only are measured; null: all"),
    Column("provenance", pa.string(), "who made it and where it comes from, as the recipe says"),
    Column("digest", pa.string(), "128-bit BLAKE2b hash of the file; the corpus has a copy in files/DIGEST"),
    Column("bytes", pa.int64(), "size of the file, in bytes"),
    Column("figures", pa.string(), "JSON object of what was measured when a model was trained; null if unknown"),
))  # fmt: skip

CLASSIFIERS = Table("classifiers", "One row per classifier of the recipe: how good it was on texts held out.", (
    Column("name", pa.string(), "name of the signal"),
    Column("digest", pa.string(), "128-bit BLAKE2b hash of the model's file"),
    Column("label", pa.string(), "label whose probability the figures are about"),
    Column("auc", pa.float64(), "area under the ROC curve: how often a positive text has the higher probability"),
    Column("brier", pa.float64(), "mean squared difference of probability and truth"),
    Column("trained_on", pa.int64(), "number of texts that it was trained on"),
    Column("held_out", pa.int64(), "number of texts that it was measured on"),
))  # fmt: skip

CALIBRATION = Table("calibration", "One row per classifier and tenth of the probability, on texts held out.", (
    Column("name", pa.string(), "name of the signal"),
    Column("lowest", pa.float64(), "lowest probability of the tenth"),
    Column("highest", pa.float64(), "highest probability of the tenth"),
    Column("documents", pa.int64(), "number of texts with such a probability"),
    Column("probability", pa.float64(), "their mean probability"),
    Column("share", pa.float64(), "share of them that is positive; equal to the mean probability if well calibrated"),
))  # fmt: skip


MODEL = Column("model", pa.string(), "name of the model's folder")
OF_MODELS = {  # by the name of the file in a model's folder
    file: replace(table, columns=(MODEL, *table.columns))
    for file, table in (
        ("metrics.parquet", schema.METRICS),
        ("losses.parquet", schema.DOCUMENT_LOSSES),
        ("steps.parquet", schema.STEP_DOCUMENTS),
        ("evaluations.parquet", schema.EVALUATIONS),
        ("evaluation_items.parquet", schema.EVALUATION_ITEMS),
        ("finetune_metrics.parquet", schema.FINETUNE_METRICS),
        ("exports.parquet", schema.EXPORTS),
    )
}

_ABLATION = Column("ablation", pa.string(), "name of the ablation's folder")
ABLATIONS = tuple(
    replace(table, columns=(_ABLATION, *table.columns)) for table in (*schema.ABLATIONS, schema.ABLATION_LOSSES)
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
    Column("stage", pa.string(), "what dropped it: pages (no text), verdicts (a rule), caps, twins (any duplicate)"),
    Column("rule", pa.string(), "what dropped it: the status, the first rule, or the kind of duplicate"),
    Column("value", pa.float64(), "value of the signal, pages of the host, similarity, or words left; or null"),
    Column("threshold", pa.float64(), "threshold that the value was compared with"),
    Column("also_dropped_by", pa.list_(pa.string()), "other rules that were true for the page, too"),
    Column("twin_doc_id", pa.string(), "the document that it is a duplicate of; null unless stage is twins"),
    Column("twin_corpus", pa.string(), "name of the other corpus that has this document; null: this one"),
    Column("jaccard", pa.float64(), "Jaccard similarity with the twin; null unless twins has it"),
    Column("group_id", pa.string(), "smallest doc_id of its group in twins; null if no other document shares a band"),
    Column("limited", pa.bool_(), "true if it was not compared with every candidate; null if not decided yet"),
    PART,
))  # fmt: skip

SEPARATOR = 31  # the control character "unit separator", which occurs in no name


def flat(table: Table, name: str) -> Table:
    """The table as the catalog stores it: lists and maps as text, which DuckDB 1.0 can read even if all are empty.

    A list becomes its items with SEPARATOR between them.  A map becomes two columns: its keys, and its values as
    `_numbers`.
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
    """The query that makes the table from its stored form."""
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


ROW = "_row"  # number of a row in its file, to check that files combined by position still have matching rows


def aligned(tables: Sequence[str]) -> str:
    """A condition that fails unless these tables, combined by position, have the same rows of their parts."""
    first, *others = tables
    same = " AND ".join(f"{first}.{ROW} = {other}.{ROW}" for other in others) or "true"
    return (
        f"CASE WHEN {same} THEN true ELSE error('a run has changed the corpus since it was opened: open it again') END"
    )


LEDGER_ROWS = flat(LEDGER, "ledger_rows")
RECEIPT_ROWS = flat(RECEIPTS, "receipt_rows")

# The tables that decide about a page have the rows of pages in the same order, so no join is needed.  `judged` are the
# parts that have verdicts; `grouped` are those after deduplication.
LEDGER_SQL = f"""
    SELECT p.doc_id, p.url, p.source,
        CASE WHEN NOT v.kept OR t.rule IS NOT NULL OR d.rule IS NOT NULL OR c.rule IS NOT NULL THEN false
            WHEN g.part IS NOT NULL THEN true END AS kept,
        CASE WHEN t.rule IS NOT NULL OR d.rule IS NOT NULL THEN '{Reason.DUPLICATE}'
            WHEN c.rule IS NOT NULL THEN '{Reason.CAP}' ELSE v.stage END AS stage,
        coalesce(t.rule, d.rule, c.rule, v.rule) AS rule,
        CASE WHEN t.rule IS NOT NULL THEN t.jaccard WHEN d.rule IS NOT NULL THEN d.value
            ELSE coalesce(c.value, v.value) END AS value,
        CASE WHEN t.rule IS NOT NULL THEN t.threshold WHEN d.rule IS NOT NULL THEN d.threshold
            ELSE coalesce(c.threshold, v.threshold) END AS threshold,
        array_to_string(v.also_dropped_by, chr({SEPARATOR})) AS also_dropped_by,
        coalesce(t.twin_doc_id, d.twin_doc_id) AS twin_doc_id, t.twin_corpus, t.jaccard, t.group_id,
        CASE WHEN g.part IS NOT NULL THEN coalesce(t.limited, false) END AS limited,
        p.part
    FROM ({{judged_pages}}) p POSITIONAL JOIN ({{verdicts}}) v
    LEFT JOIN ({{twins}}) t ON t.doc_id = p.doc_id AND v.kept
    LEFT JOIN ({{duplicates}}) d ON d.doc_id = p.doc_id AND v.kept
    LEFT JOIN ({{caps}}) c ON c.doc_id = p.doc_id AND v.kept
    LEFT JOIN grouped g ON g.part = p.part
    WHERE {aligned("pv")}
    UNION ALL
    SELECT doc_id, url, source, {", ".join(["NULL"] * 11)}, part FROM ({{other_pages}})"""

# By stage, what `duplicates` are of its rows.
DUPLICATES_SQL = {
    SAME_URL: "SELECT doc_id, rule, twin_doc_id, NULL::DOUBLE AS value, NULL::DOUBLE AS threshold FROM ({rows})",
    SEMANTIC: "SELECT doc_id, rule, twin_doc_id, value, threshold FROM ({rows})",
    REPEATED_TEXT: "SELECT doc_id, rule, NULL AS twin_doc_id, words_left AS value, threshold FROM ({rows}) "
    "WHERE rule IS NOT NULL",
}
REMOVALS = Table("removals", "One row per entry of the list of removals: what was taken down, when and why.", (
    Column("removal", pa.string(), "id of the entry; it stands in the metadata of the pages that were removed for it"),
    Column("kind", pa.string(), "doc_id, url or host"),
    Column("value", pa.string(), "the doc_id, the host, or a 128-bit BLAKE2b hash of the URL's normal form"),
    Column("host", pa.string(), "host of the URL; null unless kind is url"),
    Column("added", pa.timestamp("ms"), "when it was put on the list, UTC"),
    Column("reason", pa.string(), "the reason that was given; empty if none was"),
    Column("pages", pa.int64(), "number of pages that were removed for it; a page counts for the first entry only"),
))  # fmt: skip

REMOVALS_SQL = f"""
    SELECT e.*, coalesce(n, 0)::BIGINT AS pages FROM removal_entries e LEFT JOIN (
        SELECT json_extract_string(metadata, '$.removal') AS removal, count(*) AS n
        FROM ({{pages}}) WHERE status = '{Status.REMOVED}' GROUP BY ALL) p USING (removal)"""

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

UNUSABLE = Table("unusable", "One row per source and status: records without text, but not removed; with an example.", (
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

MACRO = f"CREATE MACRO url_host(url) AS {HOST_SQL.format(url='url')}"

SIGNALS_TABLE = signals_table([register.LANGUAGE_GROUP, register.TEXT_GROUP], schema.TEXTS)
TABLES = (
    *(shown(stage, table) for stage, table in OWN_TABLES.items()),
    *schema.OF_TOKENIZERS,
    SIGNALS_TABLE,
    judged_table(SIGNALS_TABLE),
    BIAS,
    schema.URLS,
    *OF_MODELS.values(),
    *ABLATIONS,
    RECEIPTS,
    LEDGER,
    TOTALS,
    UNUSABLE,
    REMOVALS,
    STAGES,
    MIX_GROUPS,
    FILTER_FILES,
    CLASSIFIERS,
    CALIBRATION,
)


def duckdb_type(kind: object) -> str:
    """DuckDB's name of an Arrow type, or of a type's name; VARCHAR for a type that is not listed.

    Names of fields are in quotes: one may be a word of SQL, such as `end`.
    """
    name = str(kind).removesuffix(" not null")
    if name.startswith("list<"):
        return f"{duckdb_type(name.removeprefix('list<').removesuffix('>').partition(': ')[2])}[]"
    if name.startswith("struct<"):
        fields = [field.partition(": ") for field in name.removeprefix("struct<").removesuffix(">").split(", ")]
        return f"STRUCT({', '.join(f'{identifier(field)} {duckdb_type(kind)}' for field, _, kind in fields)})"
    if name.startswith("map<"):
        key, _, item = name.removeprefix("map<").removesuffix(">").partition(", ")
        return f"MAP({duckdb_type(key)}, {duckdb_type(item)})"
    return _SCALARS.get(name, "VARCHAR")


def plain_type(kind: object) -> str:
    """The same for people to read, without quotes."""
    return duckdb_type(kind).replace('"', "")


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
