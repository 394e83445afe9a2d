"""A record: one page, document or row of an input, readable or not, before extraction.

Every reader of an input format yields records.  Input that cannot be read is a record, too: its status says why, and
its metadata say where and how.  So every piece of input has a row.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from corpusmill.page import Media, Site
from corpusmill.reasons import Status

EMPTY = "the file is empty"


class DamageError(Exception):
    """A container cannot be read at this place.  The message does not depend on a library's version."""

    def __init__(self, message: str, url: str | None = None) -> None:
        super().__init__(message)
        self.url = url  # of the record there, if it is known


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """One content record.  `body` is set if it needs extraction; `text` is set if it is text already."""

    origin_path: str
    offset: int  # each reader defines what it counts
    number: int = 0  # position among the records at this offset
    status: Status = Status.OK
    url: str | None = None
    fetched_at: datetime | None = None  # in UTC, without tzinfo
    http_status: int | None = None
    content_type: str | None = None  # as declared, in lower case, without parameters
    charset: str | None = None  # as the HTTP header declares it
    media: Media | None = None  # how `body` is to be read
    body: bytes | None = None
    site: Site | None = None  # of a page of a wiki
    text: str | None = None
    title: str | None = None
    licence: str | None = None
    html_lang: str | None = None
    directives: tuple[tuple[str, str], ...] = ()  # (name, value) of HTTP headers that may forbid its use
    metadata: dict[str, Any] = field(default_factory=dict)
    n_bytes: int = 0

    @classmethod
    def broken(cls, origin_path: str, offset: int, error: str, url: str | None = None) -> "Record":
        """The record for a place that cannot be read."""
        status = Status.BROKEN_RECORD
        return cls(origin_path=origin_path, offset=offset, status=status, url=url, metadata={"error": error})

    @classmethod
    def without_text(cls, origin_path: str, error: str, n_rows: int | None = None) -> "Record":
        """The record for a whole file of rows that has no column for the text.

        n_rows: how many rows it has, if that is known without reading them.
        """
        metadata = {"error": error} | ({} if n_rows is None else {"rows": n_rows})
        return cls(origin_path=origin_path, offset=0, status=Status.NO_TEXT_FIELD, metadata=metadata)


def document_id(source: str, record: Record) -> str:
    """The stable identity of a record: 24 hexadecimal digits, from its source's name and its place in the input."""
    place = f"{source}\0{record.origin_path}\0{record.offset}"
    if record.number:
        place += f"\0{record.number}"
    return blake2b(place.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def numbered(record: Record, number: int) -> Record:
    """The record with its number among several at the same offset."""
    return replace(record, number=number, metadata={"record_number": number, **record.metadata}) if number else record


def utc(moment: datetime | None) -> datetime | None:
    """A time in UTC without tzinfo, as the tables store it.  A time without a time zone counts as UTC.

    None if the time in UTC is outside the years 1 to 9999.
    """
    try:
        return moment.astimezone(UTC).replace(tzinfo=None) if moment is not None and moment.tzinfo else moment
    except OverflowError:
        return None
