"""Dumps of MediaWiki: the XML of Wikipedia and others, plain or compressed; one record per page.

A page is found by its tags, which cannot occur in the escaped text of a page, and is then read by expat on its own.  So
there is no document type, and no entity that could grow or lead elsewhere.  Of several revisions of a page the last one
is read, and the others are counted.

- A plain file can be cut at any byte: a page belongs to the slice in which its tag begins.  `offset` is that byte.
- A bzip2 file with `multistream` in its name can be cut, too: a page belongs to the slice in which its stream begins.
  `offset` is the first byte of the stream, and `number` the page's place in it.
- Other compressed files are one slice.  For bzip2 the offset is the stream's, for gzip and zstd the page's own in the
  inflated content.

What a page is decides the site: redirects, pages of other namespaces, and pages that are not wikitext are records with
a reason and without text.  Memory is that of one page, whatever the file's size.
"""

# ruff: noqa: SIM905

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import BinaryIO
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree

from corpusmill.collect import bzip2
from corpusmill.collect.bzip2 import Piece
from corpusmill.collect.files import CHUNK
from corpusmill.collect.lines import inflated
from corpusmill.collect.records import DamageError, Record, utc
from corpusmill.page import Site
from corpusmill.reasons import Status

MAX_HEAD = 1 << 20  # bytes before the first page
_PAGE, _END_OF_PAGE, _REVISION = b"<page>", b"</page>", b"<revision>"
_END = b"</mediawiki>"
_ROOT = re.compile(rb"<mediawiki\b[^<>]*>")
_LANG = re.compile(rb"xml:lang\s*=\s*[\"']([\w-]{1,30})")
_SITEINFO = re.compile(rb"<siteinfo>.*?</siteinfo>", re.DOTALL)
_REDIRECT = re.compile(
    r"\s*#\s*(?:redirect|weiterleitung|redirection|redirección|redirecionamento|rinvia|doorverwijzing|patrz|перенаправление|"
    r"перенапр|転送|リダイレクト|重定向|넘겨주기|تحويل|yönlendir|đổi|alih)\s*:?\s*\[\[([^\[\]|\n]+)",
    re.IGNORECASE,
)
# The licence of the texts of the Wikimedia foundation's wikis.
_SHARE_ALIKE = "wikipedia wiktionary wikibooks wikisource wikiquote wikiversity wikivoyage".split()
_WIKITEXT = ("wikitext", "", None)
_TAIL = 64  # last bytes that are remembered, to see how the dump ends
CUT_OFF = "the dump is cut off: it has no </mediawiki>"


@dataclass(frozen=True, slots=True)
class _Info:
    """What a dump states about its wiki."""

    site: Site
    wiki: str | None = None  # the name of its database: enwiki
    articles: str | None = None  # the URL of an article without its title
    licence: str | None = None


@dataclass(slots=True)
class DumpReader:
    """The records of one slice of one dump; `others` counts older revisions."""

    file: BinaryIO
    path: str
    start: int
    end: int | None
    namespaces: frozenset[int]
    max_page_bytes: int
    others: Counter[str]
    _info: _Info = field(default=_Info(Site(language="en", namespaces={})))

    def __iter__(self) -> Iterator[Record]:
        head, damage = self._head()
        root = _ROOT.search(head)
        if root is None:
            if self.start == 0:
                yield Record.broken(self.path, 0, self._no_dump(damage))
            return
        self._info = _info_of(root[0], head)
        yield from self._records()

    def _no_dump(self, damage: str | None) -> str:
        """Why the file is no dump."""
        self.file.seek(0)
        if not self.file.read(1):
            return "the file is empty"
        if damage:
            return f"{damage}: the file is garbled or of another kind"
        return "this is no dump of MediaWiki: it has no <mediawiki>"

    @property
    def _stop(self) -> int:
        return 1 << 62 if self.end is None else self.end

    @property
    def _has_streams(self) -> bool:
        return self.path.lower().endswith(".bz2")

    def _pieces(self, start: int) -> Iterator[Piece]:
        """The content from `start` on, with the place in the file that each piece belongs to."""
        if self._has_streams:
            yield from bzip2.streams(self.file, start)
            return
        is_packed = self.path.lower().endswith((".gz", ".zst"))
        if is_packed and start:
            return
        self.file.seek(start)
        packed = inflated(self.file, self.path) if is_packed else None
        at = start
        while True:
            try:
                content = self.file.read(CHUNK) if packed is None else packed.read1(CHUNK)
            except DamageError as error:
                yield Piece(at, b"", str(error))
                return
            if not content:
                return
            yield Piece(at, content)
            at += len(content)

    def _head(self) -> tuple[bytes, str | None]:
        """The file's first bytes, all before the first page if they are not very many; and what is wrong there."""
        head, damage = b"", None
        for piece in self._pieces(0):
            head += piece.content
            damage = piece.error
            if damage or len(head) > MAX_HEAD or _PAGE in head or b"</siteinfo>" in head:
                break
        return head[:MAX_HEAD], damage

    def _records(self) -> Iterator[Record]:
        before = b""
        if self.start and not self._has_streams:
            self.file.seek(max(self.start - _TAIL, 0))
            before = self.file.read(min(_TAIL, self.start))
        scanner = _Scanner(self._pieces(self.start), self._stop, self._has_streams, self.max_page_bytes, before)
        for found in scanner.pages():
            self.others["older revision"] += found.n_dropped
            if found.error is not None:
                yield self._numbered(Record.broken(self.path, found.offset, found.error), found.number)
            elif found.is_too_large:
                record = Record(origin_path=self.path, offset=found.offset, status=Status.TOO_LARGE)
                yield self._numbered(record, found.number)
            else:
                yield self._numbered(self._page(found), found.number)
        if not self.others["older revision"]:
            del self.others["older revision"]

    @staticmethod
    def _numbered(record: Record, number: int) -> Record:
        if not number:
            return record
        return replace(record, number=number, metadata={**record.metadata, "record_number": number})

    def _page(self, found: "_Found") -> Record:
        try:
            page = ElementTree.fromstring(found.content)  # without a document type, as the module says
        except ElementTree.ParseError:
            return Record.broken(self.path, found.offset, "the XML of the page cannot be read")
        title, namespace = page.findtext("title"), page.findtext("ns") or "0"
        revisions = page.findall("revision")
        self.others["older revision"] += max(len(revisions) - 1, 0)
        if title is None or not revisions:
            return Record.broken(self.path, found.offset, "the page has no title or no revision")
        revision = revisions[-1]
        redirect, element = page.find("redirect"), revision.find("text")
        text = (element.text if element is not None else None) or ""
        # deleted by an administrator, or a dump of stubs, which states sizes only
        is_missing = not text and (element is None or "deleted" in element.attrib or element.get("bytes", "0") != "0")
        said = redirect.get("title") if redirect is not None else None
        if said is None and (match := _REDIRECT.match(text)) is not None:
            said = match[1].strip()
        model = revision.findtext("model")
        body = text.encode("utf-8", "replace")
        metadata = {
            "wiki": self._info.wiki,
            "page_id": _number(page.findtext("id")),
            "revision_id": _number(revision.findtext("id")),
            "namespace": _number(namespace),
            "redirect_to": said,
            "model": model if model not in _WIKITEXT else None,
        }
        status = self._status(int(namespace) if namespace.lstrip("-").isdigit() else 0, said, model)
        status = Status.NO_TEXT_FIELD if status is Status.OK and is_missing else status
        return Record(
            origin_path=self.path,
            offset=found.offset,
            status=status,
            url=self._info.articles + quote(title.replace(" ", "_"), safe="/:;@$!*(),~")
            if self._info.articles
            else None,
            fetched_at=_time(revision.findtext("timestamp")),
            content_type="text/x-wiki" if model in _WIKITEXT else revision.findtext("format"),
            media="wikitext" if status is Status.OK else None,
            body=body if status is Status.OK else None,
            site=self._info.site,
            title=title,
            licence=self._info.licence,
            html_lang=self._info.site.language,
            metadata={name: value for name, value in metadata.items() if value is not None},
            n_bytes=len(body),
        )

    def _status(self, namespace: int, redirect: str | None, model: str | None) -> Status:
        if namespace not in self.namespaces:
            return Status.OTHER_NAMESPACE
        if redirect is not None:
            return Status.REDIRECT
        return Status.OK if model in _WIKITEXT else Status.CONTENT_TYPE


@dataclass(frozen=True, slots=True)
class _Found:
    """A page as it is in the dump, or a place where nothing can be read."""

    offset: int
    number: int
    content: bytes = b""
    error: str | None = None
    is_too_large: bool = False
    n_dropped: int = 0  # older revisions that were left out before the page was complete


class _Scanner:
    """Finds pages in a flow of pieces.  The buffer holds one page, and at most a piece more."""

    def __init__(
        self, pieces: Iterator[Piece], stop: int, has_streams: bool, max_page_bytes: int, before: bytes = b""
    ) -> None:
        self._pieces = pieces
        self._before = before  # the slice's start, which may be in the end tag of the dump
        self._stop = stop
        self._has_streams = has_streams
        self._longest = 4 * max_page_bytes + CHUNK  # space for escapes
        self._buffer = bytearray()
        self._base = 0  # bytes of content before the buffer
        self._marks: list[tuple[int, int]] = []  # (bytes of content before it, origin) of each piece in the buffer
        self._last: Piece | None = None
        self._is_at_end = False
        self._n_in_stream = 0
        self._stream = -1
        self._tail = b""
        self._error: Piece | None = None

    def pages(self) -> Iterator[_Found]:
        """The pages that begin before the stop, in order, and places of damage."""
        at = 0  # in the buffer
        while True:
            start = self._buffer.find(_PAGE, at)
            if start >= 0:
                if self._origin(start) >= self._stop:
                    return
                found, at = self._one(start)
                yield found
                continue
            keep = _begun(self._buffer)
            self._forget(max(len(self._buffer) - keep, 0))
            at = 0
            if keep and self._origin(0) >= self._stop:
                return
            if self._error is None and self._more(only_before_stop=not keep):
                continue
            if self._error is None:
                yield from self._at_end()
                return
            if self._error.owner >= self._stop:
                return
            yield self._damage(self._error)

    def _one(self, start: int) -> tuple[_Found, int]:
        """The page at `start`, and where to go on."""
        self._forget(start)
        offset, number = self._place()
        searched = n_dropped = 0
        is_too_large = False
        while (end := self._buffer.find(_END_OF_PAGE, max(searched - len(_END_OF_PAGE), 0))) < 0:
            searched = len(self._buffer)
            if searched > self._longest and not is_too_large:
                n_dropped += self._drop_older_revisions()
                is_too_large = len(self._buffer) > self._longest
                searched = len(self._buffer)
            if is_too_large:
                self._forget(max(len(self._buffer) - len(_END_OF_PAGE), 0))
                searched = 0
            if not self._more(only_before_stop=False):
                error = self._error.error if self._error is not None else "the dump is cut off in this page"
                if self._error is not None and self._error.origin == offset:
                    self._damage(self._error)  # one record for one damage
                self._forget(len(self._buffer))
                return _Found(offset, number, error=error, n_dropped=n_dropped), 0
        following = self._buffer.find(_PAGE, len(_PAGE), end)
        if following >= 0:
            error = "the page has no end"
            return _Found(offset, number, error=error, n_dropped=n_dropped), following
        end += len(_END_OF_PAGE)
        content = b"" if is_too_large else bytes(self._buffer[:end])
        return _Found(offset, number, content, is_too_large=is_too_large, n_dropped=n_dropped), end

    def _drop_older_revisions(self) -> int:
        """Leave out all but the last revision of the page at the buffer's start; their number."""
        first, last = self._buffer.find(_REVISION), self._buffer.rfind(_REVISION)
        if first == last:
            return 0
        n = self._buffer.count(_REVISION) - 1
        del self._buffer[first:last]
        self._base += last - first
        return n

    def _place(self) -> tuple[int, int]:
        """Offset and number of the page at the buffer's start."""
        origin = self._origin(0)
        if not self._has_streams:
            return origin, 0
        self._n_in_stream = self._n_in_stream + 1 if origin == self._stream else 0
        self._stream = origin
        return origin, self._n_in_stream

    def _origin(self, at: int) -> int:
        """The place in the file of a byte of the buffer: of its stream, or its own."""
        position = self._base + at
        begin, origin = next(mark for mark in reversed(self._marks) if mark[0] <= position)
        return origin if self._has_streams else origin + position - begin

    def _forget(self, n: int) -> None:
        if n:
            self._tail = (self._tail + bytes(self._buffer[max(n - _TAIL, 0) : n]))[-_TAIL:]
            del self._buffer[:n]
            self._base += n
            while len(self._marks) > 1 and self._marks[1][0] <= self._base:
                del self._marks[0]

    def _more(self, *, only_before_stop: bool) -> bool:
        """Read another piece; False at the end, at damage, and if the next piece starts at the stop or later."""
        piece = next(self._pieces, None)
        self._is_at_end = piece is None
        if piece is None or (only_before_stop and piece.owner >= self._stop):
            return False
        self._last = piece
        if piece.error is not None:
            self._error = piece
            return False
        self._marks.append((self._base + len(self._buffer), piece.origin))
        self._buffer += piece.content
        return True

    def _damage(self, piece: Piece) -> _Found:
        self._error = None
        self._forget(len(self._buffer))
        self._tail = _END  # what follows is on record with it
        number = self._next_number(piece.origin)
        if self._has_streams:
            self._stream, self._n_in_stream = piece.origin, number
        return _Found(piece.origin, number, error=piece.error)

    def _next_number(self, origin: int) -> int:
        return self._n_in_stream + 1 if self._has_streams and origin == self._stream else 0

    def _at_end(self) -> Iterator[_Found]:
        """A record if the file ends without the end of the dump, in the slice that holds the last stream or byte."""
        if self._last is None or not self._is_at_end:
            return
        end = self._last.origin if self._has_streams else self._last.origin + len(self._last.content)
        is_owner = end < self._stop if self._has_streams else end <= self._stop
        tail = self._before + self._tail + bytes(self._buffer)
        is_in_tag = self._has_streams and _END.endswith(tail.strip())  # the tag began in the stream before
        if is_owner and _END not in tail and not is_in_tag:
            yield _Found(end, self._next_number(end), error=CUT_OFF)


def _begun(buffer: bytearray) -> int:
    """How many bytes at the end may be the beginning of a page's tag."""
    return next((n for n in range(len(_PAGE) - 1, 0, -1) if buffer.endswith(_PAGE[:n])), 0)


def _info_of(root: bytes, head: bytes) -> _Info:
    lang = _LANG.search(root)
    language = lang[1].decode() if lang else "en"
    match = _SITEINFO.search(head)
    try:
        info = ElementTree.fromstring(match[0]) if match else None  # without a document type
    except ElementTree.ParseError:
        info = None
    if info is None:
        return _Info(Site(language=language, namespaces={}))
    names = {
        " ".join((name.text or "").replace("_", " ").lower().split()): int(name.get("key", "0"))
        for name in info.iter("namespace")
        if name.text and (name.get("key") or "").lstrip("-").isdigit()
    }
    base = info.findtext("base") or ""
    host = urlsplit(base).hostname or ""
    query = base.find("title=")
    start = query + len("title=") if query >= 0 else base.rfind("/") + 1
    articles = base[:start] if urlsplit(base).path.count("/") else None
    is_share_alike = any(host == f"{name}.org" or host.endswith(f".{name}.org") for name in _SHARE_ALIKE)
    licence = "CC-BY-SA-4.0" if is_share_alike else None
    return _Info(Site(language=language, namespaces=names), info.findtext("dbname"), articles, licence)


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.lstrip("-").isdigit() and len(text) < 19 else None


def _time(text: str | None) -> datetime | None:
    try:
        return utc(datetime.fromisoformat(text)) if text else None
    except ValueError:
        return None
