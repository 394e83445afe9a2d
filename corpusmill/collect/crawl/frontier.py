"""The frontier: every URL that the crawl has met, and which of them the next round may fetch.

It is a pure function of the settings and of what the earlier rounds wrote.  So a crawl that was stopped continues with
the same plan.  A round takes up to PAGES pages from every host that has URLs to fetch, so a killed crawl loses at most
one round of work.  Within a host, the URLs with the smallest depth come first, then the order is by name.  The hosts
take pages of `max_pages` in turns, so no host uses all of them.

Limits are exact, although hosts are fetched side by side.  The plan gives each host a quota of pages, and the quotas
together never exceed the rest of `max_pages`.  Besides its quota a host gets spare candidates.  They replace those that
robots.txt forbids or that fail.  Spares that are not needed wait for the next round.

Whether a URL may be fetched depends on the best way that leads to it.  A way that may be followed is better than
nofollow; then fewer links are better, then fewer redirects.  The reason why a URL is not fetched is written only when
the crawl ends, because a better way may be found until then.

Measured cost, with 200,000 URLs: 8 microseconds per link, from a page's links to the frontier; 4 microseconds per
waiting URL for a plan; 360 bytes per URL.  All of it is in the memory of one process, which is enough for a few million
URLs.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b

import pyarrow as pa
import tldextract

from corpusmill.collect.crawl.tables import LINKS, UrlRow, table_of
from corpusmill.collect.crawl.urls import host_name, host_of, in_scope, normalise, scope_of
from corpusmill.collect.settings import CrawlSettings
from corpusmill.errors import BalanceError, InputError
from corpusmill.reasons import Fate

PAGES = 64  # per host and round
CANDIDATES = 1024  # per host and round, spares included
MAX_SHARDS = 8
PAGES_PER_SHARD = 5000  # of `max_pages`; a crawl with fewer pages has one shard

PAGE_FATES = (Fate.FETCHED, Fate.TOO_LARGE)  # fates of URLs with a record in a WARC file

_suffixes = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)  # the list that comes with the package


@dataclass(frozen=True, slots=True)
class Met:
    """A URL, and the best way that leads to it."""

    url: str
    depth: int
    redirects: int
    found_on: str | None
    nofollow: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A URL that a round may fetch: a row of PLAN."""

    shard: int
    host: str
    quota: int
    url: str
    depth: int
    redirects: int
    found_on: str | None


class Frontier:
    """What a crawl knows about its URLs after some rounds."""

    def __init__(self, settings: CrawlSettings) -> None:
        """The state before the first round: the seeds.  InputError if one of them is not a URL."""
        self._settings = settings
        seeds = [_seed(text) for text in settings.seeds]
        self._scope = scope_of(settings.hosts, seeds)
        self._met: dict[str, Met] = {}
        self._met_in: dict[str, int] = {}  # the number of the round
        self._settled: set[str] = set()
        self._waiting: dict[str, Met] = {}  # may be fetched, but was not fetched yet
        self._closed: set[str] = set()  # hosts that want no more requests
        self._pages: Counter[str] = Counter()  # by host
        for seed in seeds:
            self._meet(Met(seed, 0, 0, None, False), 1)

    def __len__(self) -> int:
        """Number of URLs met."""
        return len(self._met)

    @property
    def pending(self) -> int:
        """Number of URLs that wait to be fetched."""
        return len(self._waiting)

    def add(self, round: int, urls: pa.Table, links: pa.Table) -> None:
        """Add what one shard of a round did (`schema.URLS`) and found (LINKS)."""
        columns = (urls[name].to_pylist() for name in ("url", "depth", "found_on", "host", "fate", "error"))
        for url, depth, found_on, host, fate, error in zip(*columns, strict=True):
            if url in self._settled:
                raise BalanceError(f"crawl: round {round} dealt with {url} a second time; please report this")
            self._settled.add(url)
            self._waiting.pop(url, None)
            self._met.setdefault(url, Met(url, depth, 0, found_on, False))  # a seed of earlier settings
            if fate in PAGE_FATES:
                self._pages[host] += 1
            if fate == Fate.FETCHED and error is not None:  # the host answered, but wants no more requests
                self._closed.add(host)
        columns = (links[name].to_pylist() for name in ("url", "depth", "redirects", "found_on", "nofollow"))
        for row in zip(*columns, strict=True):
            self._meet(Met(*row), round)

    def plan(self) -> list[Candidate]:
        """The candidates of the next round, by shard, host and turn; empty when the crawl is over."""
        queues: defaultdict[str, list[Met]] = defaultdict(list)
        for met in self._waiting.values():
            queues[host_of(met.url)].append(met)
        for queue in queues.values():
            queue.sort(key=lambda met: (met.depth, met.url))
        quotas, shards = self._quotas(queues), self._shards()
        return [
            Candidate(
                shard=shard, host=host, quota=quotas[host], url=met.url, depth=met.depth, redirects=met.redirects,
                found_on=met.found_on,
            )
            for shard, host in sorted((shard_of(host, shards), host) for host in quotas)
            for met in queues[host][:CANDIDATES]
        ]  # fmt: skip

    def unfetched(self, source: str) -> Iterator[UrlRow]:
        """One row for every URL that no round dealt with, with the reason."""
        for url, met in sorted(self._met.items()):
            if url not in self._settled:
                fate, error = self._obstacle(met), None
                if fate is None:
                    fate = Fate.PAGE_LIMIT
                    if host_of(url) in self._closed:
                        fate, error = Fate.FAILED, "not asked: the host wanted no more requests"
                yield UrlRow(
                    source=source, url=url, host=host_of(url), round=self._met_in[url], depth=met.depth,
                    found_on=met.found_on, fate=fate, error=error,
                )  # fmt: skip

    def _quotas(self, queues: Mapping[str, list[Met]]) -> Counter[str]:
        """Pages that the next round may fetch, by host."""
        turns = []
        for host, queue in queues.items():
            left = self._settings.max_pages_per_host - self._pages[host]
            most = 0 if host in self._closed else max(0, min(PAGES, left))
            turns += [(met.depth, i, host) for i, met in enumerate(queue[:most])]
        left = max(0, self._settings.max_pages - self._pages.total())
        return Counter(host for _, _, host in sorted(turns)[:left])

    def _meet(self, met: Met, round: int) -> None:
        known = self._met.get(met.url)
        if known is not None and (met.url in self._settled or self._rank(known) <= self._rank(met)):
            return
        self._met[met.url] = met
        self._met_in.setdefault(met.url, round)
        if self._obstacle(met) is None:
            self._waiting[met.url] = met

    def _rank(self, met: Met) -> tuple[bool, bool, int, int, str]:
        """The rank of a way to a URL; lower is better."""
        return self._obstacle(met) is not None, *_order(met)

    def _obstacle(self, met: Met) -> Fate | None:
        """The reason not to fetch a URL, independent of the other URLs; None if there is none."""
        if not in_scope(met.url, self._scope):
            return Fate.OUT_OF_SCOPE
        if met.nofollow:
            return Fate.NOFOLLOW
        if met.redirects > self._settings.max_redirects:
            return Fate.REDIRECT_LIMIT
        if met.depth > self._settings.max_depth:
            return Fate.TOO_DEEP
        return None

    def _shards(self) -> int:
        return min(MAX_SHARDS, -(-self._settings.max_pages // PAGES_PER_SHARD))


def shard_of(host: str, shards: int) -> int:
    """The shard of a host: always the same, and one shard for all hosts of a registered domain.

    So one process sees all requests to a host.  This includes those for a robots.txt that `example.org` redirects to
    `www.example.org`.
    """
    name = host_name(host)
    parts = _suffixes(name)
    domain = f"{parts.domain}.{parts.suffix}" if parts.suffix else ".".join(name.split(".")[-2:])
    return int.from_bytes(blake2b(domain.encode(), digest_size=8).digest()) % shards


def best_ways(links: Iterable[Met]) -> pa.Table:
    """Rows of LINKS, sorted by URL: for each URL the best of the ways that lead to it from a round's pages."""
    best: dict[str, Met] = {}
    for met in links:
        known = best.get(met.url)
        if known is None or _order(met) < _order(known):
            best[met.url] = met
    return table_of([best[url] for url in sorted(best)], LINKS)


def _order(met: Met) -> tuple[bool, int, int, str]:
    return met.nofollow, met.depth, met.redirects, met.found_on or ""


def _seed(text: str) -> str:
    url = normalise(text)
    if url is None:
        raise InputError(f"recipe: seed '{text}' is not a valid URL")
    return url
