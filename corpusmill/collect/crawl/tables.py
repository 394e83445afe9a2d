"""The crawl's own tables, and the rows of `schema.URLS`."""

from collections.abc import Collection, Sequence
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
URL = Column("url", pa.string(), "the URL, normalised")
HOST = Column("host", pa.string(), "host, with the port unless it is the scheme's default")
KEY = Column("key", pa.int64(), "hash of the host's registered domain: `frontier.key_of`")
DEPTH = Column("depth", pa.int32(), "links away from the nearest seed, by this way")
REDIRECTS = Column("redirects", pa.int32(), "redirects in a row that led here; 0 for a link")
FOUND_ON = Column("found_on", pa.string(), "the URL on which it was met; null for seeds")
NOFOLLOW = Column("nofollow", pa.bool_(), "the page or the link asks not to follow it")
ATTEMPTS = Column("attempts", pa.int32(), "rounds in which it was tried")
FATE = Column("fate", pa.string(), "what became of the last attempt, or why there was none; null if there is no reason")
ERROR = Column("error", pa.string(), "the same in words")

LINKS = Table("links", "one row per URL that the pages of a round's shard name, by its best way there; sorted by key", (
    URL, DEPTH, REDIRECTS, FOUND_ON, NOFOLLOW, KEY,
))  # fmt: skip

RETRIES = Table("retries", "one row per URL whose attempt failed and that is tried in a later round", (
    URL, ATTEMPTS, FATE, ERROR,
))  # fmt: skip

HOSTS = Table("hosts", "one row per host that a shard asked in its round", (
    HOST,
    Column("requests", pa.int64(), "URLs that were asked for, policy files not counted"),
    Column("pages", pa.int64(), "records in the WARC file"),
    Column("bytes", pa.int64(), "of their bodies, as received"),
    Column("seconds", pa.float64(), "from the first request to the last answer, waits included"),
    Column("errors", pa.int64(), "requests that failed"),
    Column("given_up", pa.string(), "why the host was asked no more in this round; null if it answered"),
    Column("not_before", pa.float64(), "when the next request may be made, in seconds since 1970"),
))  # fmt: skip

FRONTIER = Table("frontier", "one row per URL of a part of the frontier that was met before a round, sorted", (
    URL, DEPTH, REDIRECTS, FOUND_ON, NOFOLLOW,
    Column("met_in", pa.int32(), "number of the round in which it was met"),
    Column("state", pa.int8(), "0: waits; 1: must not be fetched, because of its fate; 2: its row is in urls"),
    ATTEMPTS, FATE, ERROR,
))  # fmt: skip

ACCOUNTS = Table("accounts", "one row per host of a part of the frontier: what it was asked before a round", (
    HOST,
    Column("pages", pa.int64(), "as in hosts, of all rounds"),
    Column("bytes", pa.int64(), "as in hosts, of all rounds"),
    Column("seconds", pa.float64(), "as in hosts, of all rounds"),
    Column("strikes", pa.int32(), "rounds in a row in which it was given up without a page"),
    Column("given_up", pa.string(), "the reason of the last one; null if it answers"),
    Column("not_before", pa.float64(), "when the next request may be made, in seconds since 1970"),
))  # fmt: skip

OFFERS = Table("offers", "one row per URL that a round may fetch, by host and in the order in which it is asked", (
    HOST,
    KEY,
    Column("turn", pa.int32(), "place of the URL in the queue of its host, from 0"),
    Column("most", pa.int32(), "pages that the round may fetch from the host"),
    Column("strikes", pa.int32(), "of the host"),
    Column("not_before", pa.float64(), "of the host"),
    Column("bytes_left", pa.int64(), "of the host's budget; null without a limit"),
    Column("seconds_left", pa.float64(), "of the host's budget; null without a limit"),
    URL, DEPTH, REDIRECTS, FOUND_ON, ATTEMPTS,
))  # fmt: skip

PLAN = Table("plans", "one row per host that a round asks", (
    HOST,
    KEY,
    Column("quota", pa.int32(), "pages that the round may fetch from the host"),
))  # fmt: skip

VALIDATORS = Table("validators", "one row per page of a shard that a later crawl can ask for on condition", (
    URL,
    Column("digest", pa.string(), "of the payload, as in the WARC file"),
    Column("date", pa.string(), "WARC-Date of the record"),
    Column("etag", pa.string(), "header of the answer"),
    Column("last_modified", pa.string(), "header of the answer"),
    Column("warc_file", pa.string(), "name of the WARC file"),
    Column("offset", pa.int64(), "of the record in the WARC file"),
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
    attempts: int = 0
    n_bytes: int | None = None
    canonical: str | None = None
    opt_out: str | None = None


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


def publish_table(table: pa.Table, final: Path, note: str | None = None) -> None:
    """Write a table as Parquet, in one rename.  `note` says for which settings it is valid."""
    if note is not None:
        table = table.replace_schema_metadata({"corpusmill": note})
    with publishing(final) as temporary, temporary.open("wb") as file:
        write_parquet(table.combine_chunks(), file)


def read_table(
    path: Path,
    columns: Sequence[str] | None = None,
    *,
    keys: tuple[int, int] | None = None,
    urls: Collection[str] | None = None,
) -> pa.Table:
    """The table that `publish_table` wrote: all of it, or some columns, or the rows with a key within [first, last).

    urls: only the rows of these URLs
    """
    filters: list[tuple[str, str, object]] | None = None
    if keys:
        filters = [("key", ">=", keys[0]), ("key", "<", keys[1])]
    elif urls is not None:
        filters = [("url", "in", sorted(urls))]
    return pq.read_table(path, columns=columns and list(columns), use_threads=False, filters=filters)


def note_of(path: Path) -> str | None:
    """The note of a table; None if there is no such table."""
    try:
        metadata = pq.read_schema(path).metadata or {}
    except (FileNotFoundError, pa.ArrowInvalid):
        return None
    return str(metadata.get(b"corpusmill", b"").decode())
