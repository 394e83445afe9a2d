"""Find one page to show: in a file, in standard input, or by its URL in WARC files."""

import difflib
import gzip
import sys
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from corpusmill.collect.crawl.urls import normalise
from corpusmill.collect.files import UNREADABLE, Trace, open_binary
from corpusmill.collect.framing import VERSION
from corpusmill.collect.members import MAGIC
from corpusmill.collect.records import Record
from corpusmill.collect.warc import WarcReader
from corpusmill.errors import InputError
from corpusmill.filters.personal import mask_text
from corpusmill.page import ExtractSettings, Page
from corpusmill.reasons import STATUSES
from corpusmill.sniff import media_of, sniffed
from corpusmill.store import is_url

MAX_BYTES = ExtractSettings().max_page_bytes
MOST_HINTS = 3


def find(page: str, warcs: Sequence[str]) -> Page:
    """The page in a file (gzipped or not) or, for "-", in standard input; with WARC files, the page of this URL.

    InputError if there is no such page, or it is not HTML.
    """
    if warcs:
        return _in_warcs(page, warcs)
    if is_url(page):
        raise InputError(f"{page}: this command fetches nothing; after the URL, name the WARC files that hold it")
    if page == "-":
        return Page(body=_limited(sys.stdin.buffer.read(MAX_BYTES + 1), "standard input"))
    try:
        with Path(page).open("rb") as file:
            packed = file.read(len(MAGIC)) == MAGIC
            file.seek(0)
            body = gzip.GzipFile(fileobj=file).read(MAX_BYTES + 1) if packed else file.read(MAX_BYTES + 1)
    except UNREADABLE as error:
        raise InputError(f"{page}: cannot be read ({error.strerror}); give an HTML file") from None
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise InputError(f"{page}: cannot be decompressed; give an HTML file") from None
    if body.startswith(VERSION):
        raise InputError(f"{page}: a WARC file; say which page of it: corpusmill extract URL {page}")
    found = sniffed(body)
    if media_of(found) is None:
        raise InputError(f"{page}: it is {found}, and only HTML is extracted")
    return Page(body=_limited(body, page))


def _limited(body: bytes, where: str) -> bytes:
    if len(body) > MAX_BYTES:
        raise InputError(f"{where}: larger than a page may be, which is {MAX_BYTES:,} bytes")
    return body


def _in_warcs(url: str, warcs: Sequence[str]) -> Page:
    """The first record of this URL that contains HTML."""
    wanted = {
        form for each in (url, normalise(url) or url) for form in (each, each.rstrip("/"), each.rstrip("/") + "/")
    }
    host, others = urlsplit(url).netloc, set[str]()
    found: Record | None = None
    for record in _records(warcs):
        if record.url not in wanted:
            if record.url is not None and urlsplit(record.url).netloc == host:
                others.add(record.url)
        elif record.body is not None and record.media == "html" and media_of(sniffed(record.body)) is not None:
            return Page(body=record.body, charset=record.charset, url=record.url)
        else:
            found = found or record
    if found is not None:
        why = STATUSES.get(found.status) or f"its type is {found.content_type}, and only HTML is extracted"
        raise InputError(f"{mask_text(url)}: the record has no page to show: {why}")
    close = [mask_text(other) for other in difflib.get_close_matches(url, sorted(others), MOST_HINTS)]
    hint = f"close to it: {', '.join(close)}" if close else "check the URL and the files"
    raise InputError(f"{mask_text(url)}: not in {', '.join(warcs)}; {hint}")


def _records(warcs: Sequence[str]) -> Iterator[Record]:
    for warc in warcs:
        root, _, name = (warc if is_url(warc) else str(Path(warc).absolute())).rpartition("/")
        try:
            with open_binary(root, name, Trace()) as file:
                yield from WarcReader(file, name, 0, None, MAX_BYTES, Counter())
        except UNREADABLE as error:
            reason = error.strerror or type(error).__name__
            raise InputError(f"{warc}: cannot be read ({reason}); give a WARC file") from None
