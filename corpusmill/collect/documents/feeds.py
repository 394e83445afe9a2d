"""RSS and Atom feeds, by feedparser: each entry is a record with its title, link, date and content.

The content is HTML that is content throughout: the full text if the feed has it, else the summary.
"""

import calendar
import io
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from corpusmill.collect.documents.archive import declares_entities
from corpusmill.collect.records import DamageError, Record, utc
from corpusmill.errors import InputError
from corpusmill.reasons import Status


def require_feedparser() -> None:
    """InputError if feedparser is not installed."""
    try:
        import feedparser  # noqa: F401
    except ImportError:
        raise InputError(
            "kind 'feed' needs feedparser, which is not installed: pip install 'corpusmill[documents]'"
        ) from None


def entries(path: str, content: bytes, max_page_bytes: int) -> Iterator[Record]:
    """The entries of a feed, in its order."""
    import feedparser

    if declares_entities(content):
        raise DamageError("the feed declares entities")
    feed = feedparser.parse(io.BytesIO(content))  # never a string, which would be taken for an address
    if not feed.version:
        raise DamageError("it is neither an RSS nor an Atom feed, or it is damaged before its first entry")
    for number, entry in enumerate(feed.entries):
        yield _entry(path, number, entry, feed.feed)
    if feed.bozo and isinstance(feed.get("bozo_exception"), _broken_xml()):
        number = len(feed.entries)
        record = Record.broken(path, 0, "the feed is damaged; entries after the damage may be missing")
        yield Record(**{**{name: getattr(record, name) for name in record.__slots__}, "number": number})


def _broken_xml() -> type[Exception]:
    from xml.sax import SAXException

    return SAXException


def _entry(path: str, number: int, entry: Any, feed: Any) -> Record:
    parts = [part for part in entry.get("content", []) if part.get("value")]
    detail = parts[0] if parts else entry.get("summary_detail") or {}
    html = detail.get("value") or ""
    if detail.get("type") == "text/plain":
        import html as escapes

        html = "<p>" + escapes.escape(html, quote=False).replace("\n\n", "<p>").replace("\n", "<br>")
    body = html.encode("utf-8", "replace")
    moment = entry.get("published_parsed") or entry.get("updated_parsed")
    metadata = {
        "entry_id": entry.get("id"),
        "author": entry.get("author"),
        "feed_title": feed.get("title"),
        "tags": [tag["term"] for tag in entry.get("tags", []) if tag.get("term")] or None,
        "record_number": number or None,
    }
    return Record(
        origin_path=path,
        offset=0,
        number=number,
        status=Status.OK if html.strip() else Status.NO_MAIN_CONTENT,
        url=entry.get("link"),
        fetched_at=_time(moment),
        charset="utf-8",
        media="content",
        body=b"<!doctype html><body>" + body,
        title=entry.get("title"),
        licence=entry.get("license") or feed.get("license") or entry.get("rights") or feed.get("rights"),
        html_lang=detail.get("language") or feed.get("language"),
        metadata={name: value for name, value in metadata.items() if value is not None},
        n_bytes=len(body),
    )


def _time(moment: time.struct_time | None) -> datetime | None:
    try:
        return utc(datetime.fromtimestamp(calendar.timegm(moment), UTC)) if moment else None
    except (OverflowError, ValueError, OSError):
        return None
