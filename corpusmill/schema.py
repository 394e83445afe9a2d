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
URL = Column("url", pa.string(), "address of the page, as the record gives it; null where there is none")
LANGUAGE = Column("language", pa.string(), "language code by fastText lid.176 (ISO 639-1 where there is one)")
LICENCE = Column("licence", pa.string(), "licence that the page or the recipe states; null if unknown")

PAGES = Table("pages", "one row per content record of the input, readable or not, in the input's order", (
    DOC_ID,
    SOURCE,
    URL,
    Column("fetched_at", pa.timestamp("ms"), "when the record was fetched or written, UTC"),
    Column("title", pa.string(), "title of the page"),
    Column("text", pa.large_string(), "text as extracted, personal data not masked; null unless status is ok"),
    Column("html_lang", pa.string(), "language that the page or its headers declare"),
    Column("content_type", pa.string(), "media type as declared, without parameters"),
    LICENCE,
    Column("metadata", pa.string(), "the input's other columns, headers, what the page says of itself: a JSON object"),
    Column("n_bytes", pa.int64(), "bytes of the payload before extraction"),
    Column("origin_path", pa.string(), "file that holds the record, relative to its source's root"),
    Column("origin_offset", pa.int64(), "where the record starts: byte, or row of a Parquet file; 0 for whole files"),
    Column("status", pa.string(), "ok, or why there is no text"),
))  # fmt: skip

EMAILS = Column("pii_emails", pa.int64(), "e-mail addresses that were masked; null if the recipe leaves them")
IP_ADDRESSES = Column("pii_ip_addresses", pa.int64(), "public IP addresses that were masked; null if it leaves them")

TEXTS = Table("texts", "one row per page: its text after all edits, and how much each edit changed", (
    DOC_ID,
    URL,
    Column("title", pa.string(), "title of the page, personal data masked"),
    Column("text", pa.large_string(), "final text; null for unreadable pages"),
    EMAILS,
    IP_ADDRESSES,
))  # fmt: skip

VERDICTS = Table("verdicts", "one row per page: kept by the rules, or what dropped it", (
    DOC_ID,
    Column("kept", pa.bool_(), "true if the page was readable and no rule dropped it"),
    Column("stage", pa.string(), "pages (unreadable) or verdicts (a rule); null if kept"),
    Column("rule", pa.string(), "first rule that dropped the page, or the status that made it unreadable"),
    Column("value", pa.float64(), "the signal's value for this page; null for free SQL rules"),
    Column("threshold", pa.float64(), "the rule's threshold; null for free SQL rules"),
    Column("also_dropped_by", pa.list_(pa.string()), "the other rules that would have dropped the page"),
))  # fmt: skip

SKETCHES = Table("sketches", "one row per page: what deduplication compares; empty for unreadable pages", (
    DOC_ID,
    Column("content_hash", pa.uint64(), "BLAKE2b-64 of the final text; 0 for a page without text"),
    Column("n_chars", pa.int64(), "characters of the final text; the longer copy is kept"),
    Column("bands", pa.list_(pa.uint64()), "one hash a band of MinHash values; empty if there are no words"),
    Column("shingles", pa.list_(pa.uint32()), "sorted distinct 32-bit shingle hashes"),
))  # fmt: skip

TWINS = Table(
    "twins", "one row per document that deduplication dropped, or kept without all comparisons (rule is null then)", (
    DOC_ID,
    Column("rule", pa.string(), "exact_duplicate or near_duplicate; null if the document was kept"),
    Column("twin_doc_id", pa.string(), "the kept document that this one duplicates; null if it was kept"),
    Column("jaccard", pa.float64(), "true Jaccard similarity of the two shingle sets; 1 for exact duplicates"),
    Column("threshold", pa.float64(), "the similarity from which a document is dropped"),
    Column("limited", pa.bool_(), "true if the document shares bands with more kept ones than it was compared with"),
))  # fmt: skip

DOCS = Table("docs", "the corpus: one row per kept document, personal data masked", (
    DOC_ID,
    SOURCE,
    URL,
    LANGUAGE,
    LICENCE,
    Column("title", pa.string(), "title of the page, personal data masked"),
    Column("text", pa.large_string(), "final text"),
    Column("split", pa.string(), "train or validation"),
))  # fmt: skip

TOKENS = Table("tokens", "one row per document of docs, same order: its token ids", (
    DOC_ID,
    SOURCE,
    Column("split", pa.string(), "train or validation"),
    Column("n_bytes", pa.int64(), "bytes of the document's UTF-8 text, for bits per byte"),
    Column("n_tokens", pa.int32(), "number of ids, readable without them"),
    Column("ids", pa.list_(pa.uint16()), "token ids, no special tokens (uint32 from 65,536 vocabulary entries on)"),
))  # fmt: skip

URLS = Table("urls", "one row per URL that a crawl met, fetched or not", (
    SOURCE,
    Column("url", pa.string(), "the URL, normalised"),
    Column("host", pa.string(), "its host, with the port unless it is the scheme's default"),
    Column("round", pa.int32(), "round of the crawl in which its fate was decided, from 1"),
    Column("depth", pa.int32(), "links away from the nearest seed"),
    Column("found_on", pa.string(), "the URL on which it was first met; null for seeds"),
    Column("fate", pa.string(), "fetched, or why it was not"),
    Column("http_status", pa.int32(), "status code of the answer; null without one"),
    Column("redirect_to", pa.string(), "target of a redirect"),
    Column("error", pa.string(), "what went wrong, in words; the robots.txt rule that forbids; null otherwise"),
    Column("fetched_at", pa.timestamp("ms"), "time of the request, UTC"),
    Column("warc_file", pa.string(), "file under raw/ that holds the record"),
))  # fmt: skip

METRICS = Table("metrics", "one row per figure measured while a model was trained; one file per model", (
    Column("step", pa.int64(), "optimizer steps done when it was measured; 0 before the first"),
    Column("seconds", pa.float64(), "seconds of training until then, over all resumed runs"),
    Column("tokens", pa.int64(), "training tokens seen until then"),
    Column("metric", pa.string(), "name of the figure: loss, validation_loss, validation_bits_per_byte, ..."),
    Column("source", pa.string(), "the source whose documents were measured; null: all of them"),
    Column("value", pa.float64(), "the figure; losses and entropies are in nats a token"),
))  # fmt: skip
