"""The crawl's own tables, and the rows of `schema.URLS`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from corpusmill.collect.crawl.robots import PolicyFile
from corpusmill.collect.crawl.state import publishing
from corpusmill.parts import write_parquet
from corpusmill.reasons import Fate
from corpusmill.schema import Column, Table

ORIGIN = Column("origin", pa.string(), "scheme, host and port")
DEPTH = Column("depth", pa.int32(), "links away from the nearest seed, by this way")
REDIRECTS = Column("redirects", pa.int32(), "redirects in a row that led here; 0 for a link")

LINKS = Table("links", "one row per URL that the pages of a round's shard name, by its best way there", (
    Column("url", pa.string(), "the URL, normalised"),
    DEPTH,
    REDIRECTS,
    Column("found_on", pa.string(), "the page that names it"),
    Column("nofollow", pa.bool_(), "the page or the link asks not to follow it"),
))  # fmt: skip

PLAN = Table("plans", "one row per URL that a round may fetch, in the order in which its host is asked", (
    Column("shard", pa.int32(), "shard of the round, from 0"),
    Column("host", pa.string(), "host, with the port unless it is the scheme's default"),
    Column("quota", pa.int32(), "pages that the round may fetch from the host"),
    Column("url", pa.string(), "the URL, normalised"),
    DEPTH,
    REDIRECTS,
    Column("found_on", pa.string(), "the URL on which it was met; null for seeds"),
))  # fmt: skip

ROBOTS = Table("robots", "one row per robots.txt, ai.txt or tdmrep.json that was asked for", (
    ORIGIN,
    Column("path", pa.string(), "which file"),
    Column("fetched_at", pa.timestamp("ms"), "time of the request, UTC"),
    Column("http_status", pa.int32(), "status code of the last answer; null without one"),
    Column("text", pa.string(), "the file as text; null if there is none"),
    Column("fate", pa.string(), "fate of every URL of the origin if the file could not be had; null otherwise"),
    Column("error", pa.string(), "why it could not be had"),
))  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class UrlRow:
    """What happened to one URL: a row of `schema.URLS`."""

    source: str
    url: str
    host: str
    round: int
    depth: int
    found_on: str | None
    fate: Fate
    http_status: int | None = None
    redirect_to: str | None = None
    error: str | None = None
    fetched_at: datetime | None = None
    warc_file: str | None = None


def table_of(rows: Sequence[object], table: Table) -> pa.Table:
    """A table from objects whose attributes have its columns' names; times are written as UTC."""
    columns = {column.name: [getattr(row, column.name) for row in rows] for column in table.columns}
    return pa.table(columns, schema=table.arrow)


def policy_files(table: pa.Table) -> list[PolicyFile]:
    """The policy files from which a table of ROBOTS was made."""
    utc = pa.field("fetched_at", pa.timestamp("ms", "UTC"))
    index = table.schema.get_field_index("fetched_at")
    rows = table.set_column(index, utc, table["fetched_at"].cast(utc.type)).to_pylist()
    return [PolicyFile(**{**row, "fate": Fate(row["fate"]) if row["fate"] else None}) for row in rows]


def publish_table(table: pa.Table, final: Path) -> None:
    """Write a table as Parquet, in one rename."""
    with publishing(final) as temporary, temporary.open("wb") as file:
        write_parquet(table.combine_chunks(), file)


def read_table(path: Path) -> pa.Table:
    """The table that `publish_table` wrote."""
    return pq.read_table(path, use_threads=False)
