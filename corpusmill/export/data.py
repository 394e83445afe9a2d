"""What a corpus says of itself, for a model card: counts by source, language and licence, what was dropped and why."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpusmill.corpus import Corpus, checksum_of, digest
from corpusmill.reasons import Stage
from corpusmill.reports.catalog import damage_is_named, open_catalog, rows_of

MOST = 20  # languages, licences and rules in a table; the rest is one row


@dataclass(frozen=True, slots=True)
class DataCard:
    """A corpus in figures.  Rows are dicts with the names of their columns."""

    sources: list[dict[str, Any]]
    languages: list[dict[str, Any]]
    licences: list[dict[str, Any]]
    outcomes: list[dict[str, Any]]  # what became of the pages
    masked: dict[str, int]  # personal data, by kind
    recipe: str  # fingerprints
    tokenizer: str
    tokens: str
    n_parts: int


GROUPED = """
    SELECT {what} AS name, count(*) AS documents, sum(t.n_bytes)::BIGINT AS bytes, sum(t.n_tokens)::BIGINT AS tokens
    FROM tokens t LEFT JOIN docs d USING (doc_id) GROUP BY ALL ORDER BY tokens DESC, name"""
SOURCES = """
    SELECT source AS name, any_value(weight) AS weight, count(*) AS documents,
        count(*) FILTER (split = 'validation') AS held_out, sum(n_bytes)::BIGINT AS bytes,
        sum(n_tokens)::BIGINT AS tokens
    FROM tokens GROUP BY source ORDER BY tokens DESC, name"""
OUTCOMES = "SELECT kept, stage, rule AS name, documents FROM totals ORDER BY kept DESC, documents DESC, name"
COUNTED = """
    SELECT column_name FROM duckdb_columns()
    WHERE database_name = 'catalog' AND table_name = 'texts' AND column_name LIKE 'pii_%' ORDER BY column_index"""


def data_card(place: Path) -> DataCard:
    """The figures of a corpus, from its catalog."""
    corpus = Corpus(place)
    receipts = corpus.receipts(Stage.TOKENS)
    checksums = [(name, receipt.checksum) for name, receipt in receipts.items()]
    catalog = open_catalog(place)
    with damage_is_named(place):
        names = [row["column_name"] for row in rows_of(catalog, COUNTED)]
        sums = ", ".join(f"coalesce(sum({name}), 0)::BIGINT AS {name.removeprefix('pii_')}" for name in names)
        masked = rows_of(catalog, f"SELECT {sums} FROM texts SEMI JOIN docs USING (doc_id)")[0] if names else {}
        return DataCard(
            sources=rows_of(catalog, SOURCES),
            languages=_shortened(rows_of(catalog, GROUPED.format(what="d.language"))),
            licences=_shortened(rows_of(catalog, GROUPED.format(what="d.licence"))),
            outcomes=rows_of(catalog, OUTCOMES),
            masked={kind: n for kind, n in masked.items() if n},
            recipe=checksum_of(corpus.store.read("recipe.toml")) if corpus.store.entry("recipe.toml") else "",
            tokenizer=checksum_of(corpus.read_file(Stage.TOKENIZER, Stage.TOKENIZER)),
            tokens=digest("tokens", checksums),
            n_parts=len(receipts),
        )


def _shortened(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first rows, and one row with the sums of the rest."""
    rest = rows[MOST:]
    if len(rest) < 2:
        return rows
    sums = {name: sum(row[name] for row in rest) for name in ("documents", "bytes", "tokens")}
    return [*rows[:MOST], {"name": f"{len(rest)} others", **sums}]
