"""Losses of documents under a model: measured once, and kept in the model's folder (`losses.parquet`).

The file has one row per document, of whatever was asked for so far: a split, the documents of a step, or pages that
rules dropped.  It is thrown away when the weights or the corpus's tokens have changed.

Documents stream from the catalog in blocks, so memory does not grow with the corpus.  Only their losses are kept.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import duckdb
import numpy as np
import pyarrow as pa

from corpusmill import schema
from corpusmill.corpus import Corpus, digest
from corpusmill.errors import InputError
from corpusmill.evaluate import files
from corpusmill.evaluate.intervals import Estimate, ratio
from corpusmill.evaluate.subject import Subject
from corpusmill.reasons import Reason, Stage
from corpusmill.reports.catalog import damage_is_named, open_catalog
from corpusmill.tokenize.encode import Encoder

if TYPE_CHECKING:
    from corpusmill.evaluate.scorer import Scorer

FILE = "losses.parquet"
VERSION = 1  # of how a document is measured
BLOCK = 512  # documents at a time
Split = Literal["train", "validation", "dropped"]
Progress = Callable[[int, int], None]  # documents done, documents in total

_TOKENS = "SELECT doc_id, source, split, n_bytes, ids FROM tokens SEMI JOIN todo USING (doc_id)"
_DROPPED = f"""
    SELECT doc_id, l.source, 'dropped' AS split, octet_length(t.text::BLOB)::BIGINT AS n_bytes, t.text
    FROM texts t JOIN ledger l USING (doc_id) SEMI JOIN todo USING (doc_id)
    WHERE l.stage = '{Reason.RULE}' AND t.text IS NOT NULL"""
_KIND = "coalesce(p.metadata->>'$.types[0]', p.metadata->>'$.og_type')"
_DESCRIBED = rf"""
    SELECT m.doc_id, m.source, m.split, coalesce(d.language, s.language) AS language,
        CASE WHEN regexp_full_match({_KIND}, '[\w.:-]{{1,40}}') THEN {_KIND} END AS kind,
        m.n_tokens, m.n_targets, m.n_bytes, m.loss, m.bits_per_byte
    FROM measured m LEFT JOIN docs d USING (doc_id) LEFT JOIN signals s USING (doc_id) LEFT JOIN pages p USING (doc_id)
    ORDER BY m.doc_id"""


@dataclass(frozen=True, slots=True)
class Group:
    """Documents that have something in common, and how well they are predicted."""

    name: str | None  # None: it is not known
    documents: int
    loss: Estimate  # nats per target
    bits_per_byte: Estimate | None  # None unless every token is predicted


class Documents:
    """The documents of a corpus, and their losses under a model."""

    def __init__(self, subject: Subject, corpus: Path, device: str = "cpu") -> None:
        self.subject, self.corpus, self._device = subject, corpus, device
        self.changes = subject.changes(corpus)
        tokens = digest([(name, receipt.checksum) for name, receipt in Corpus(corpus).receipts(Stage.TOKENS).items()])
        self._made_of = digest(VERSION, files.weights_of(subject.folder), tokens)

    def of_split(self, split: Split, at_most: int | None, progress: Progress) -> pa.Table:
        """Losses of a split; or of pages that rules dropped, at most `at_most` of each rule.

        A sample is drawn by a hash of doc_id, so it is the same each time.
        """
        if split == "dropped":
            limit = f"QUALIFY row_number() OVER (PARTITION BY rule ORDER BY md5(doc_id)) <= {at_most or 1000}"
            query = f"SELECT doc_id FROM ledger SEMI JOIN texts USING (doc_id) WHERE stage = '{Reason.RULE}' {limit}"
        else:
            limit = "" if at_most is None else f"ORDER BY md5(doc_id) LIMIT {at_most}"
            query = f"SELECT doc_id FROM tokens WHERE split = '{split}' {limit}"
        with damage_is_named(self.corpus), open_catalog(self.corpus) as catalog:
            wanted = catalog.sql(query).to_arrow_table()
        if not len(wanted):
            what = "page that rules dropped" if split == "dropped" else f"document of the split '{split}'"
            raise InputError(f"{self.corpus}: has no {what}")
        return self._measured(wanted["doc_id"].combine_chunks(), _DROPPED if split == "dropped" else _TOKENS, progress)

    def of_names(self, doc_ids: list[str], progress: Progress) -> pa.Table:
        """Losses of these documents, which are in the corpus."""
        return self._measured(pa.array(sorted(set(doc_ids)), pa.string()), _TOKENS, progress)

    def _measured(self, wanted: pa.Array, query: str, progress: Progress) -> pa.Table:
        path = self.subject.folder / FILE
        known = files.read(path, schema.DOCUMENT_LOSSES, self._made_of)
        todo = wanted.filter(pa.compute.invert(pa.compute.is_in(wanted, known["doc_id"])))
        if len(todo):
            with damage_is_named(self.corpus), open_catalog(self.corpus) as catalog:
                known = pa.concat_tables([known, self._measure(catalog, todo, query, progress)])
            files.write(path, known, self._made_of)
        return known.filter(pa.compute.is_in(known["doc_id"], wanted)).combine_chunks()

    def _measure(self, catalog: duckdb.DuckDBPyConnection, todo: pa.Array, query: str, progress: Progress) -> pa.Table:
        from corpusmill.evaluate.scorer import Scorer
        from corpusmill.train.trained import load

        trained = load(self.subject.folder, self._device)
        seed = self.subject.settings.seed if self.subject.settings else 1
        scorer = Scorer(trained, self.subject.objective(trained.kind), seed)
        catalog.register("todo", pa.table({"doc_id": todo}))
        found, done = [], 0
        for block in self._blocks(catalog, query):
            found.append(_losses(scorer, block))
            done += len(block)
            progress(done, len(todo))
        catalog.register("measured", pa.concat_tables(found))
        return catalog.sql(_DESCRIBED).to_arrow_table().cast(schema.DOCUMENT_LOSSES.arrow)

    def _blocks(self, catalog: duckdb.DuckDBPyConnection, query: str) -> Iterator[pa.Table]:
        """The documents of a query in blocks, with their ids."""
        encoder = Encoder.load(Corpus(self.corpus).folder / Stage.TOKENIZER / "tokenizer.json")
        for batch in catalog.sql(query).to_arrow_reader(BLOCK):
            for start in range(0, len(batch), BLOCK):
                block = pa.Table.from_batches([batch.slice(start, BLOCK)])
                if "text" in block.column_names:
                    ids = pa.array([encoder.encode(text.as_py()) for text in block["text"]], pa.list_(pa.uint32()))
                    block = block.append_column("ids", ids)
                yield block


def _losses(scorer: "Scorer", block: pa.Table) -> pa.Table:
    documents = [ids.values.to_numpy() for ids in block["ids"]]
    sums, counts = scorer.document_losses(block["doc_id"].to_pylist(), documents)
    n_bytes = block["n_bytes"].to_numpy()
    bits = sums / np.log(2) / np.maximum(n_bytes, 1)
    return block.select(["doc_id", "source", "split", "n_bytes"]).append_column(
        "n_tokens", pa.array([len(ids) for ids in documents], pa.int64())
    ).append_column("n_targets", pa.array(counts)).append_column(
        "loss", pa.array(sums / np.maximum(counts, 1), mask=counts == 0)
    ).append_column(
        "bits_per_byte", pa.array(bits, mask=(n_bytes == 0) | (not scorer.predicts_every_token))
    )  # fmt: skip


def groups(losses: pa.Table, by: str | None) -> list[Group]:
    """The documents by `source`, `language` or `kind`, the highest loss first; or all of them as one group."""
    losses = losses.filter(pa.compute.is_valid(losses["loss"]))
    names = losses[by].to_pylist() if by else ["all"] * len(losses)
    columns = {name: losses[name].to_numpy() for name in ("loss", "n_targets", "bits_per_byte", "n_bytes")}
    rows: dict[str | None, list[int]] = {}
    for row, name in enumerate(names):
        rows.setdefault(name, []).append(row)
    found = [_group(name, {key: values[chosen] for key, values in columns.items()}) for name, chosen in rows.items()]
    return sorted(found, key=lambda group: -group.loss.value)


def _group(name: str | None, columns: dict[str, np.ndarray]) -> Group:
    bits, sizes = columns["bits_per_byte"], columns["n_bytes"]
    known = ~np.isnan(bits)
    return Group(
        name=name,
        documents=len(bits),
        loss=ratio(columns["loss"] * columns["n_targets"], columns["n_targets"]),
        bits_per_byte=ratio((bits * sizes)[known], sizes[known]) if known.any() else None,
    )
