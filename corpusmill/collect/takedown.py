"""Taking pages down: which rows of a page part the list of removals names, and what is left of them.

A removed row keeps what says where the record lies in the input: doc_id, source, origin_path, origin_offset, n_bytes,
content_type, fetched_at.  Its status is `removed`.  Its metadata hold only the id of the entry that named it first.
Everything else is null, the URL too.  So a row that was removed once has no address any more, and stays as it is.

URLs are compared in their normal form (`crawl/urls.py`).  `http` and `https` are the same here, and so is a URL with
and without a slash at its end.  A host names itself and all hosts below it; a name without a dot only itself.  Ports
count for URLs and not for hosts.

Cost: the hosts of a part's URLs are found by Arrow, and each different host is looked up once.  Only the URLs of hosts
that an entry for a URL names are brought to normal form, at 12 microseconds per URL.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpusmill.collect.columns import encodable
from corpusmill.errors import InputError
from corpusmill.reasons import Status
from corpusmill.removals import DOC_ID, Entry, Kind, Removals
from corpusmill.schema import PAGES

ADDRESS = ("doc_id", "url")  # columns that entries are compared with
KEPT = {"doc_id", "source", "fetched_at", "content_type", "n_bytes", "origin_path", "origin_offset"}
REMOVAL = "removal"  # key in a removed row's metadata: the id of the entry

_AUTHORITY = r"^(?:(?:[A-Za-z][A-Za-z0-9+.\-]*:)?//)?(?P<authority>[^/?#\\]*)"
_HAS_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://")
_HTTP = re.compile("https?://")
NOTHING = 1 << 30  # place in the list for what no entry names

Places = npt.NDArray[np.int64]


class Matched(NamedTuple):
    """What the list names of a table's rows: for each row the place of the first entry; ids of all that name one."""

    first: Places
    ids: set[str]


class Takedown:
    """A list of removals, ready to be compared with pages."""

    def __init__(self, removals: Removals) -> None:
        self.removals = removals
        self._doc_ids: dict[str, int] = {}
        self._urls: dict[str, int] = {}
        self._hosts: dict[str, int] = {}
        self._hosts_of_urls: set[str | None] = set()
        by_kind = {Kind.DOC_ID: self._doc_ids, Kind.URL: self._urls, Kind.HOST: self._hosts}
        for place, entry in enumerate(removals.entries):
            by_kind[entry.kind].setdefault(entry.value, place)
            if entry.kind is Kind.URL:
                self._hosts_of_urls.add(entry.host)
        self._wanted = pa.array(self._doc_ids, pa.string())

    def match(self, pages: pa.Table) -> Matched:
        """Which entries name each of n pages (columns: ADDRESS)."""
        first, hit = np.full(len(pages), NOTHING), set[int]()
        rows = np.flatnonzero(pc.is_in(pages["doc_id"], self._wanted).to_numpy())
        for row, doc_id in zip(rows.tolist(), pages["doc_id"].take(pa.array(rows)).to_pylist(), strict=True):
            _note(first, hit, row, self._doc_ids[doc_id])
        if self._urls or self._hosts:
            self._match_urls(pages["url"].combine_chunks(), first, hit)
        return Matched(first, {self.removals.ids[place] for place in hit})

    def _match_urls(self, urls: pa.Array, first: Places, hit: set[int]) -> None:
        trimmed = pc.utf8_trim_whitespace(urls)
        authorities = pc.struct_field(pc.extract_regex(trimmed, pattern=_AUTHORITY), "authority").dictionary_encode()
        hosts = [_host(authority) for authority in authorities.dictionary.to_pylist()]
        of_host = [self._places_of_host(host) for host in hosts]
        in_question = np.array([host in self._hosts_of_urls for host in hosts], np.bool_)
        codes = authorities.indices.fill_null(-1).to_numpy()
        for code, named in enumerate(of_host):
            if named:
                hit.update(named)
                first[codes == code] = np.minimum(first[codes == code], min(named))
        if not in_question.any():
            return
        rows = np.flatnonzero(np.append(in_question, False)[codes])
        for row, url in zip(rows.tolist(), urls.take(pa.array(rows)).to_pylist(), strict=True):
            place = self._urls.get(url_hash(url))
            if place is not None:
                _note(first, hit, row, place)

    def _places_of_host(self, host: str | None) -> list[int]:
        """The entries that name a host: itself, or a name above it."""
        labels = host.split(".") if host else []
        names = [".".join(labels[start:]) for start in range(len(labels))]
        return [self._hosts[name] for name in names if name in self._hosts and ("." in name or name == names[0])]

    def __call__(self, pages: pa.Table) -> pa.Table:
        """The pages (columns: `schema.PAGES`, n rows) after the list was applied: the same rows in the same order."""
        first = self.match(pages).first
        before = pc.equal(pages["status"], Status.REMOVED).combine_chunks()
        named = pc.and_(pa.array(first != NOTHING), pc.invert(before))
        gone = pc.or_(named, before)
        if not pc.any(gone).as_py():
            return pages
        ids = [_metadata(self.removals.ids[place]) if place != NOTHING else None for place in first]
        columns = {
            field.name: pages[field.name] if field.name in KEPT else pc.if_else(gone, None, pages[field.name])
            for field in PAGES.arrow
        }
        columns["status"] = pc.if_else(gone, str(Status.REMOVED), pages["status"])
        columns["metadata"] = pc.if_else(named, pa.array(ids, pa.string()), pages["metadata"])
        return PAGES.filled(columns)


def _note(first: Places, hit: set[int], row: int, place: int) -> None:
    first[row] = min(first[row], place)
    hit.add(place)


def _metadata(removal: str) -> str:
    return json.dumps({REMOVAL: removal}, separators=(",", ":"))


def removal_of(metadata: str) -> str:
    """The id of the entry in a removed row's metadata."""
    return str(json.loads(metadata)[REMOVAL])


# ---- entries from what a user gives --------------------------------------------------------------------------------


def now() -> str:
    """The present time, as entries have it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def entries_of(kind: Kind, given: Iterable[str], where: str, added: str, reason: str) -> dict[Entry, str]:
    """The entries for lines of a user's file, each with the line.  Empty lines and those with # first are left out.

    InputError, which names the line, for a doc_id or a host that cannot be one; or if there is no line at all.
    """
    found, reason = {}, encodable(reason)
    for number, line in enumerate(given, 1):
        text = line.strip()
        if text and not text.startswith("#"):
            value, host = _VALUES[kind](text, f"{where}: line {number}")
            found[Entry(kind=kind, value=value, host=host, added=added, reason=reason)] = text
    if not found:
        raise InputError(f"{where}: names nothing to remove")
    return found


def _doc_id(text: str, where: str) -> tuple[str, str | None]:
    if not DOC_ID.fullmatch(text.lower()):
        raise InputError(f"{where}: '{text}' is no doc_id: it has 24 hexadecimal digits, as in the table pages")
    return text.lower(), None


def _url(text: str, where: str) -> tuple[str, str | None]:
    authority = re.match(_AUTHORITY, text)
    return url_hash(text), _host(authority["authority"]) if authority else None


def _only_host(text: str, where: str) -> tuple[str, str | None]:
    host = None if re.search(r"[/?#@\s]|:[0-9]+$", text) else _host(text.removeprefix("*."))
    if host is None:
        raise InputError(f"{where}: '{text}' is no name of a host, such as example.org; --urls takes URLs")
    return host, None


_VALUES = {Kind.DOC_ID: _doc_id, Kind.URL: _url, Kind.HOST: _only_host}


def url_hash(url: str) -> str:
    """The hash under which the list has a URL: the same for all spellings that count as one URL."""
    from corpusmill.collect.crawl.urls import normalise  # most corpora have no list

    normal = normalise(_with_scheme(url))
    key = url.strip() if normal is None else _HTTP.sub("", normal, count=1).rstrip("/")
    return hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _with_scheme(url: str) -> str:
    bare = url.strip()
    return bare if _HAS_SCHEME.match(bare) else f"http://{bare.removeprefix('//')}"


def _host(authority: str) -> str | None:
    """The name of the host in what stands between // and the path of a URL, without its port; None if it is no name."""
    from corpusmill.collect.crawl.urls import host_name, host_of, normalise

    normal = normalise(f"http://{authority}/")
    return None if normal is None else host_name(host_of(normal)).strip(".")
