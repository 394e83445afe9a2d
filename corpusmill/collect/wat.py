"""WAT files: what Common Crawl writes about each page, as JSON in metadata records.

The text of a record is what the page says of itself and of others: its description, and the texts of its links and
images, one per line.  The title is the page's.  Status, headers and number of links are metadata.  Only records about
answers are read; those about requests and others are counted.

Format: https://commoncrawl.org/get-started, and the files themselves.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from corpusmill.collect import http
from corpusmill.collect.framing import Raw, record_field
from corpusmill.collect.lines import has_too_many_values, parse
from corpusmill.collect.records import DamageError, Record, utc
from corpusmill.collect.warc import WarcReader
from corpusmill.reasons import Status

_DESCRIPTIONS = ("description", "og:description", "twitter:description")


@dataclass(slots=True)
class WatReader(WarcReader):
    """The records of one slice of one WAT file."""

    _said: dict[str, Any] | None = None  # of the present record

    def _content(self, raw: Raw, offset: int, number: int, *, vouched: bool) -> Iterator[Record]:
        self._said = None
        if self._is_content(raw) and not self._is_too_large(raw):
            try:
                self._said = parse(raw.block)
            except ValueError:
                pass  # `_parse` says why
            else:
                envelope = _at(self._said, "Envelope")
                kind = _at(envelope, "WARC-Header-Metadata", "WARC-Type")
                if isinstance(envelope, dict) and kind != "response":
                    self.others["metadata of other records"] += 1
                    return
        yield from WarcReader._content(self, raw, offset, number, vouched=vouched)

    def _is_too_large(self, raw: Raw) -> bool:
        return raw.length > len(raw.block) or raw.length > self.max_page_bytes or has_too_many_values(raw.block)

    def _parse(self, raw: Raw, offset: int, *, vouched: bool) -> Record:
        record = Record(
            origin_path=self.path,
            offset=offset,
            url=raw.url,
            fetched_at=_date(record_field(raw.head, "WARC-Date")),
            metadata={},
            n_bytes=raw.length,
        )
        if self._is_too_large(raw):
            return replace(record, status=Status.TOO_LARGE)
        try:
            said = self._said or parse(raw.block)
        except ValueError as error:
            raise DamageError(str(error)) from None
        if not isinstance(_at(said, "Envelope"), dict):
            raise DamageError("not the metadata of a record: it has no Envelope")
        answer = _at(said, "Envelope", "Payload-Metadata", "HTTP-Response-Metadata")
        page = _at(answer, "HTML-Metadata")
        head, links = _at(page, "Head"), _at(page, "Links")
        links = links if isinstance(links, list) else []
        code = str(_at(answer, "Response-Message", "Status") or "")
        headers = {str(name).lower(): value for name, value in _items(_at(answer, "Headers"))}
        content_type, charset = http.media_type(_text(headers.get("content-type")))
        found = [meta.get("content") for meta in _metas(head) if _name(meta) in _DESCRIPTIONS]
        found += [link.get(key) for link in links if isinstance(link, dict) for key in ("text", "alt", "title")]
        lines = [" ".join(text.split()) for text in found if isinstance(text, str) and text.strip()]
        status = http.status_of(int(code) if code.isdecimal() and len(code) == 3 else 0)
        return replace(
            record,
            status=status if page or status is not Status.OK else Status.CONTENT_TYPE,
            http_status=int(code) if code.isdecimal() and len(code) == 3 else None,
            content_type=content_type,
            charset=charset,
            title=_text(_at(head, "Title")),
            text="\n".join(dict.fromkeys(lines)),
            html_lang=_text(headers.get("content-language")),
            metadata={
                "http_status": code,
                "n_links": len(links),
                "warc_path": _at(said, "Container", "Filename"),
                "warc_offset": _at(said, "Container", "Offset"),
            },
        )


def _at(value: Any, *names: str) -> Any:
    """What stands in nested objects under these names; None if an object or a name is missing."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _items(value: Any) -> Iterable[tuple[Any, Any]]:
    return value.items() if isinstance(value, dict) else ()


def _metas(head: Any) -> list[dict[str, Any]]:
    metas = _at(head, "Metas")
    return [meta for meta in metas if isinstance(meta, dict)] if isinstance(metas, list) else []


def _name(meta: dict[str, Any]) -> str:
    return str(meta.get("name") or meta.get("property") or "").lower()


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _date(value: str | None) -> datetime | None:
    try:
        return utc(datetime.fromisoformat(value or ""))
    except ValueError:
        return None
