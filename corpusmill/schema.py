"""The tables of a corpus: every column with its type and a one-line description.

Writers take their Arrow schema from here; the catalog's comments and the reference in the docs are made from the same
lines.  Names of tables and columns are a promise to other people's scripts: add columns, never rename one.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Column:
    """One column: name, Arrow type (or the name of one), what it holds in one line."""

    name: str
    type: Any
    description: str


@dataclass(frozen=True)
class Table:
    """A table of the corpus: its folder's name, what one row is, its columns."""

    name: str
    description: str
    columns: tuple[Column, ...]

    @cached_property
    def arrow(self) -> pa.Schema:
        """The Arrow schema, without metadata."""
        return pa.schema([(c.name, c.type) for c in self.columns])


DOC_ID = Column("doc_id", pa.string(), "stable identity of the document: 24 hexadecimal digits")
SOURCE = Column("source", pa.string(), "name of the source in the recipe")
URL = Column("url", pa.string(), "address of the page, as the record has it; null if it has none")
LANGUAGE = Column("language", pa.string(), "language code by fastText lid.176 (ISO 639-1 where there is one)")
LICENCE = Column("licence", pa.string(), "licence that the page or the recipe states; null if none is stated")

PAGES = Table("pages", "One row per content record of the input, readable or not, in the order of the input.", (
    DOC_ID,
    SOURCE,
    URL,
    Column("fetched_at", pa.timestamp("ms"), "when the record was fetched or written, UTC"),
    Column("title", pa.string(), "title of the page"),
    Column("text", pa.large_string(), "extracted text; personal data is not masked; null unless status is ok"),
    Column("html_lang", pa.string(), "language that the page or its HTTP headers declare"),
    Column("content_type", pa.string(), "declared media type, without parameters"),
    LICENCE,
    Column("metadata", pa.string(), "JSON object: other columns, HTTP headers, metadata that the page states"),
    Column("n_bytes", pa.int64(), "size of the payload before extraction, in bytes"),
    Column("origin_path", pa.string(), "file that holds the record, relative to its source's root"),
    Column("origin_offset", pa.int64(), "first byte of the record, or its row in a Parquet file; 0 for whole files"),
    Column("status", pa.string(), "ok, or the reason why there is no text"),
))  # fmt: skip

EMAILS = Column("pii_emails", pa.int64(), "number of masked e-mail addresses; null if they are not masked")
IP_ADDRESSES = Column(
    "pii_ip_addresses", pa.int64(), "number of masked public IP addresses; null if they are not masked"
)

TEXTS = Table("texts", "One row per page: its text after all edits, and what each edit counted.", (
    DOC_ID,
    URL,
    Column("title", pa.string(), "title of the page; personal data is masked"),
    Column("text", pa.large_string(), "text after all edits; null for unreadable pages"),
    EMAILS,
    IP_ADDRESSES,
))  # fmt: skip

VERDICTS = Table("verdicts", "One row per page: whether the rules kept it, or which rule dropped it.", (
    DOC_ID,
    Column("kept", pa.bool_(), "true if the page was readable and no rule dropped it"),
    Column("stage", pa.string(), "pages (unreadable) or verdicts (a rule); null if kept"),
    Column("rule", pa.string(), "first rule that dropped the page, or the status of an unreadable page"),
    Column("value", pa.float64(), "value of the rule's signal for this page; null for rules with when"),
    Column("threshold", pa.float64(), "threshold of the rule; null for rules with when"),
    Column("also_dropped_by", pa.list_(pa.string()), "other rules that were true for the page, too"),
))  # fmt: skip

SKETCHES = Table("sketches", "One row per page: what deduplication compares. Empty for unreadable pages.", (
    DOC_ID,
    Column("content_hash", pa.uint64(), "64-bit BLAKE2b hash of the final text; 0 for a page without text"),
    Column("n_chars", pa.int64(), "number of characters of the final text; of two duplicates, the longer one is kept"),
    Column("bands", pa.list_(pa.uint64()), "one hash per band of MinHash values; empty if there are no words"),
    Column("shingles", pa.list_(pa.uint32()), "32-bit hashes of the shingles, sorted, each once"),
))  # fmt: skip

TWINS = Table(
    "twins", "One row per document that deduplication dropped, or kept without all comparisons (rule is null).", (
    DOC_ID,
    Column("rule", pa.string(), "exact_duplicate or near_duplicate; null if the document was kept"),
    Column("twin_doc_id", pa.string(), "the kept document that this one is a duplicate of; null if this one was kept"),
    Column("jaccard", pa.float64(), "true Jaccard similarity of the two shingle sets; 1 for exact duplicates"),
    Column("threshold", pa.float64(), "a document with at least this similarity is dropped"),
    Column("limited", pa.bool_(), "true if the document was not compared with all kept ones that share a band"),
))  # fmt: skip

DOCS = Table("docs", "The corpus: one row per kept document. Personal data is masked.", (
    DOC_ID,
    SOURCE,
    URL,
    LANGUAGE,
    LICENCE,
    Column("title", pa.string(), "title of the page; personal data is masked"),
    Column("text", pa.large_string(), "text after all edits"),
    Column("split", pa.string(), "train or validation"),
))  # fmt: skip

TOKENS = Table("tokens", "One row per document of docs, in the same order: its token ids.", (
    DOC_ID,
    SOURCE,
    Column("split", pa.string(), "train or validation"),
    Column("n_bytes", pa.int64(), "size of the document's text in UTF-8, in bytes"),
    Column("n_tokens", pa.int32(), "number of token ids"),
    Column("ids", pa.list_(pa.uint16()), "token ids, no special tokens; uint32 from 65,536 vocabulary entries on"),
))  # fmt: skip

URLS = Table("urls", "One row per URL that a crawl met, fetched or not.", (
    SOURCE,
    Column("url", pa.string(), "the URL in normal form"),
    Column("host", pa.string(), "host of the URL, with the port unless it is the default port of the scheme"),
    Column("round", pa.int32(), "number of the round of the crawl in which its fate was decided, from 1"),
    Column("depth", pa.int32(), "number of links from the nearest seed"),
    Column("found_on", pa.string(), "page on which the URL was first found; null for seeds"),
    Column("fate", pa.string(), "fetched, or the reason why it was not fetched"),
    Column("http_status", pa.int32(), "status code of the answer; null if there was no answer"),
    Column("redirect_to", pa.string(), "target of a redirect"),
    Column("error", pa.string(), "what went wrong, or the rule of robots.txt that forbids the URL; else null"),
    Column("fetched_at", pa.timestamp("ms"), "time of the request, UTC"),
    Column("warc_file", pa.string(), "file under raw/ that holds the record"),
))  # fmt: skip

METRICS = Table("metrics", "One row per figure that was measured while a model was trained. One file per model.", (
    Column("step", pa.int64(), "number of optimizer steps before the measurement; 0 before the first step"),
    Column("seconds", pa.float64(), "seconds of training until then, of all resumed runs together"),
    Column("tokens", pa.int64(), "training tokens seen until then"),
    Column("metric", pa.string(), "name of the figure: loss, validation_loss, validation_bits_per_byte, ..."),
    Column("source", pa.string(), "source whose documents were measured; null for all sources"),
    Column("value", pa.float64(), "the figure; losses and entropies are in nats per token"),
))  # fmt: skip
