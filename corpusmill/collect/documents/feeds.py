"""RSS and Atom feeds, by feedparser: each entry is a record with its title, link, date and content.

The content is HTML that is content throughout: the full text if the feed has it, else the summary.  A title is text
without markup.  A relative link is resolved by xml:base, as feedparser does, or else by the link of the feed.
"""

import calendar
import io
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

from corpusmill.collect.documents.archive import declares_entities
from corpusmill.collect.records import DamageError, Record, utc
from corpusmill.errors import InputError
from corpusmill.reasons import Status

_HTML = ("text/html", "application/xhtml+xml")
_POWER = re.compile(r"(?<=[^\W_]|\))<sup>([+−-]?\d+)</sup>")  # not a mark such as 1<sup>st</sup>
_BREAKS = ("br", "p", "div", "li")


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
    url = _link(entry, feed)
    metadata = {
        "entry_id": entry.get("id"),
        "author": entry.get("author"),
        "feed_title": _title(feed),
        "tags": [tag["term"] for tag in entry.get("tags", []) if tag.get("term")] or None,
        "record_number": number or None,
        "relative_link": entry.get("link") if url is None else None,
    }
    return Record(
        origin_path=path,
        offset=0,
        number=number,
        status=Status.OK if html.strip() else Status.NO_MAIN_CONTENT,
        url=url,
        fetched_at=_time(moment),
        charset="utf-8",
        media="content",
        body=b"<!doctype html><body>" + body,
        title=_title(entry),
        licence=entry.get("license") or feed.get("license") or entry.get("rights") or feed.get("rights"),
        html_lang=detail.get("language") or feed.get("language"),
        metadata={name: value for name, value in metadata.items() if value is not None},
        n_bytes=len(body),
    )


def _title(entry: Any) -> str | None:
    """The title of an entry or a feed as text.  feedparser says whether it is HTML, also where the feed does not."""
    title: str | None = entry.get("title")
    if title is None or (entry.get("title_detail") or {}).get("type") not in _HTML:
        return title
    text = _Text()
    text.feed(_POWER.sub(r"^\1", title))
    text.close()
    return " ".join("".join(text.found).split()) or None


class _Text(HTMLParser):
    """The text of HTML in a line."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag that ends a line is a space."""
        if tag in _BREAKS:
            self.found.append(" ")

    def handle_endtag(self, tag: str) -> None:
        """As for the start of an element."""
        self.handle_starttag(tag, [])

    def handle_data(self, data: str) -> None:
        """Text, with its entities decoded."""
        self.found.append(data)


def _link(entry: Any, feed: Any) -> str | None:
    """The address of an entry; None if its link is relative, and nothing says to what."""
    link: str | None = entry.get("link")
    if link is None or _is_absolute(link):
        return link
    if not entry.get("links") and not link.startswith("/"):  # an identifier that is not said to be no link
        return None
    bases = [feed.get("link"), *(each.get("href") for each in feed.get("links", []))]
    base = next((base for base in bases if base and _is_absolute(base)), None)
    try:
        return urljoin(base, link) if base is not None else None
    except ValueError:
        return None


def _is_absolute(link: str) -> bool:
    try:
        return bool(urlsplit(link).scheme)
    except ValueError:
        return False


def _time(moment: time.struct_time | None) -> datetime | None:
    try:
        return utc(datetime.fromtimestamp(calendar.timegm(moment), UTC)) if moment else None
    except (OverflowError, ValueError, OSError):
        return None
