"""The frontier: every URL that the crawl has met, and which of them the next round may fetch.

It is a table in parts.  A part holds all URLs of its hosts: those whose hash (`key_of`) lies in the part's range.  A
process works on one part at a time, so the memory that a crawl needs does not grow with the number of its URLs.  When
parts become large, each is cut in two.

A part is a pure function of the settings and of what the earlier rounds wrote.  So a crawl that was stopped continues
with the same plan.  A round takes up to PAGES pages from every host that has URLs to fetch.  Within a host, the URLs
with the smallest depth come first, then the order is by name; URLs that failed before come last.  The hosts take pages
of `max_pages` in turns, so no host uses all of them.

Limits are exact, although hosts are fetched side by side.  The plan gives each host a quota of pages, and the quotas
together never exceed the rest of `max_pages`.  Besides its quota a host gets spare candidates.  They replace those that
robots.txt forbids or that fail.  Spares that are not needed wait for the next round.

Whether a URL may be fetched depends on the best way that leads to it.  A way that may be followed is better than
nofollow; then fewer links are better, then fewer redirects.  The reason why a URL is not fetched is final only when
the crawl ends, because a better way may be found until then.

A host that gave no page in STRIKES rounds, one after another, is asked no more.

Measured cost, with 200,000 URLs: 16 microseconds per link, from a page's links to the frontier; 12 microseconds per URL
and round, to read and write the part and to plan; 360 bytes per URL of the part at hand.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

import duckdb
import pyarrow as pa
import tldextract

from corpusmill.collect.crawl.tables import ACCOUNTS, FRONTIER, LINKS, OFFERS, PLAN, UrlRow, table_of
from corpusmill.collect.crawl.traps import family, trap
from corpusmill.collect.crawl.urls import host_name, host_of, in_scope, names_like, normalise, scope_of
from corpusmill.collect.settings import CrawlSettings
from corpusmill.errors import BalanceError, InputError
from corpusmill.reasons import Fate

PAGES = 64  # per host and round
CANDIDATES = 1024  # per host and round, spares included
MAX_SHARDS = 8
PAGES_PER_ROUND = 20_000  # of a shard, so that its results fit into memory
SPARES = 16  # candidates per page of a host's quota
PAGES_PER_SHARD = 5000  # of `max_pages`; a crawl with fewer pages has one shard
URLS_PER_PART = 250_000  # of the frontier; beyond that a part is cut in two
STRIKES = 3
KEYS = 1 << 62

PAGE_FATES = (Fate.FETCHED, Fate.TOO_LARGE, Fate.UNCHANGED)  # fates of URLs with a record in a WARC file
WAITS, REFUSED, SETTLED = 0, 1, 2

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
    """A URL that a round may fetch, with what is left to its host: a row of OFFERS."""

    host: str
    key: int
    turn: int
    most: int
    strikes: int
    not_before: float
    bytes_left: int | None
    seconds_left: float | None
    url: str
    depth: int
    redirects: int
    found_on: str | None
    attempts: int


@dataclass(slots=True)
class Account:
    """What a host was asked in all rounds so far: a row of ACCOUNTS."""

    host: str
    pages: int = 0
    bytes: int = 0
    seconds: float = 0.0
    strikes: int = 0
    given_up: str | None = None
    not_before: float = 0.0


@dataclass(slots=True)
class _Url:
    """What is known of a URL: a row of FRONTIER."""

    met: Met
    met_in: int
    state: int
    attempts: int = 0
    fate: Fate | None = None
    error: str | None = None


class Frontier:
    """What a crawl knows about the URLs of one part after some rounds."""

    def __init__(self, settings: CrawlSettings, year: int, part: int = 0, parts: int = 1) -> None:
        """The state before the first round: the seeds.  InputError if one of them is not a URL.

        year: in which the crawl began; parts: a power of 2
        """
        self._settings, self._year = settings, year
        seeds = [_seed(text) for text in settings.seeds]
        self._scope = scope_of(settings.hosts, seeds)
        self._excluded = UrlPatterns(settings.exclude)
        self._urls: dict[str, _Url] = {}
        self._accounts: dict[str, Account] = {}
        self._families: Counter[str] = Counter()
        first, last = keys_of_part(part, parts)
        self._keys = range(first, last)
        for seed in seeds:
            if key_of(host_of(seed)) in self._keys:
                self._meet(Met(seed, 0, 0, None, False), 1)

    def __len__(self) -> int:
        """Number of URLs met."""
        return len(self._urls)

    @property
    def pending(self) -> int:
        """Number of URLs that wait to be fetched."""
        return sum(url.state == WAITS for url in self._urls.values())

    def load(self, urls: pa.Table, accounts: pa.Table) -> None:
        """Take over what `tables` gave after an earlier round; of a larger part, the rows of this one."""
        names = [column.name for column in FRONTIER.columns]
        for row in zip(*(urls[name].to_pylist() for name in names), strict=True):
            url, depth, redirects, found_on, nofollow, met_in, state, attempts, fate, error = row
            if key_of(host_of(url)) not in self._keys:
                continue
            met = Met(url, depth, redirects, found_on, nofollow)
            self._urls[url] = _Url(met, met_in, state, attempts, Fate(fate) if fate else None, error)
            if fate != Fate.TRAP and (of := family(url)):
                self._families[of] += 1
        for row in accounts.to_pylist():
            if key_of(row["host"]) in self._keys:
                self._accounts[row["host"]] = Account(**row)

    def tables(self) -> tuple[pa.Table, pa.Table]:
        """The part as rows of FRONTIER and of ACCOUNTS, sorted."""
        rows = [self._urls[url] for url in sorted(self._urls)]
        columns = {
            **{
                name: [getattr(row.met, name) for row in rows]
                for name in ("url", "depth", "redirects", "found_on", "nofollow")
            },
            **{name: [getattr(row, name) for row in rows] for name in ("met_in", "state", "attempts", "fate", "error")},
        }
        accounts = [self._accounts[host] for host in sorted(self._accounts)]
        return pa.table(columns, schema=FRONTIER.arrow), table_of(accounts, ACCOUNTS)

    def add(self, round: int, urls: pa.Table, links: pa.Table, retries: pa.Table, hosts: pa.Table) -> None:
        """Add what one shard of a round did (`schema.URLS`, RETRIES, HOSTS) and found (LINKS)."""
        columns = (urls[name].to_pylist() for name in ("url", "depth", "found_on", "host", "fate", "error"))
        for url, depth, found_on, host, fate, error in zip(*columns, strict=True):
            if key_of(host) not in self._keys:
                continue
            known = self._urls.get(url)
            if known is None:  # a seed of earlier settings
                known = self._urls[url] = _Url(Met(url, depth, 0, found_on, False), round, WAITS)
            if known.state == SETTLED:
                raise BalanceError(f"crawl: round {round} dealt with {url} a second time; please report this")
            known.state, known.fate, known.error = SETTLED, Fate(fate), error
        for row in retries.to_pylist():
            if (known := self._urls.get(row["url"])) and known.state == WAITS:
                known.attempts, known.fate, known.error = row["attempts"], Fate(row["fate"]), row["error"]
        for row in hosts.to_pylist():
            if key_of(row["host"]) in self._keys:
                self._add_host(row["host"], row)
        columns = (links[name].to_pylist() for name in ("url", "depth", "redirects", "found_on", "nofollow", "key"))
        for *way, key in zip(*columns, strict=True):
            if key in self._keys:
                self._meet(Met(*way), round)

    def offers(self) -> pa.Table:
        """Rows of OFFERS: what the next round may fetch, by host and turn."""
        queues: defaultdict[str, list[_Url]] = defaultdict(list)
        for url in self._urls.values():
            if url.state == WAITS:
                queues[host_of(url.met.url)].append(url)
        return table_of([offer for host in sorted(queues) for offer in self._offers_of(host, queues[host])], OFFERS)

    def unfetched(self, source: str) -> Iterator[UrlRow]:
        """One row for every URL that no round dealt with, with the reason."""
        for name in sorted(self._urls):
            url = self._urls[name]
            if url.state == SETTLED:
                continue
            fate, error = url.fate, url.error
            if fate is None:
                fate, error = self._why_not_asked(host_of(name))
            elif url.state == WAITS:  # it was to be tried again
                _, reason = self._why_not_asked(host_of(name))
                if reason and error and error not in reason:
                    error = f"{error}; then {reason}"
            yield UrlRow(
                source=source, url=name, host=host_of(name), round=url.met_in, depth=url.met.depth,
                found_on=url.met.found_on, fate=fate, error=error, attempts=url.attempts,
            )  # fmt: skip

    def _why_not_asked(self, host: str) -> tuple[Fate, str | None]:
        account = self._accounts.get(host, Account(host))
        if account.given_up is not None and (account.strikes >= STRIKES or self._rests(account)):
            if account.given_up.startswith("robots.txt: "):
                return Fate.ROBOTS_UNREACHABLE, account.given_up
            return Fate.FAILED, f"not asked: {account.given_up}"
        return Fate.PAGE_LIMIT, self._used_up(account)

    def _used_up(self, account: Account) -> str | None:
        """The budget that a host has used up, in words; None if it has not."""
        settings = self._settings
        if settings.max_bytes_per_host is not None and account.bytes >= settings.max_bytes_per_host:
            return f"max_bytes_per_host: {account.bytes:,} bytes were sent"
        if settings.max_seconds_per_host is not None and account.seconds >= settings.max_seconds_per_host:
            return f"max_seconds_per_host: {account.seconds:.0f} seconds were spent"
        return None

    def _rests(self, account: Account) -> bool:
        """Whether a host has asked for a longer pause than the crawl waits."""
        return account.not_before > time.time() + self._settings.max_delay_s

    def _offers_of(self, host: str, queue: list[_Url]) -> list[Candidate]:
        account, settings = self._accounts.get(host, Account(host)), self._settings
        most = min(PAGES, settings.max_pages_per_host - account.pages)
        if most <= 0 or account.strikes >= STRIKES or self._rests(account) or self._used_up(account):
            return []
        bytes_left = None if settings.max_bytes_per_host is None else settings.max_bytes_per_host - account.bytes
        seconds_left = None
        if settings.max_seconds_per_host is not None:
            seconds_left = settings.max_seconds_per_host - account.seconds
        queue.sort(key=lambda url: (url.attempts > 0, url.met.depth, url.met.url))
        return [
            Candidate(
                host=host, key=key_of(host), turn=turn, most=most, strikes=account.strikes,
                not_before=account.not_before, bytes_left=bytes_left, seconds_left=seconds_left, url=url.met.url,
                depth=url.met.depth, redirects=url.met.redirects, found_on=url.met.found_on, attempts=url.attempts,
            )
            for turn, url in enumerate(queue[:CANDIDATES])
        ]  # fmt: skip

    def _add_host(self, host: str, row: dict[str, object]) -> None:
        account = self._accounts.setdefault(host, Account(host))
        pages, size, seconds = row["pages"], row["bytes"], row["seconds"]
        assert isinstance(pages, int)
        assert isinstance(size, int)
        assert isinstance(seconds, float)
        account.pages += pages
        account.bytes += size
        account.seconds += seconds
        account.given_up = None if row["given_up"] is None else str(row["given_up"])
        account.strikes = account.strikes + 1 if account.given_up and not pages else 0
        account.not_before = float(str(row["not_before"]))

    def _meet(self, met: Met, round: int) -> None:
        known = self._urls.get(met.url)
        if known is not None and (known.state == SETTLED or known.fate == Fate.TRAP):
            return
        obstacle = self._obstacle(met)
        if known is None:
            if obstacle is None and (of := family(met.url)):
                if self._families[of] >= self._settings.max_variants:
                    obstacle = Fate.TRAP, f"more than {self._settings.max_variants} URLs like {of}"
                else:
                    self._families[of] += 1
            state = WAITS if obstacle is None else REFUSED
            self._urls[met.url] = _Url(met, round, state, 0, *(obstacle or (None, None)))
        elif (obstacle is not None, *_order(met)) < (known.state == REFUSED, *_order(known.met)):
            known.met = met
            if obstacle is None and known.state == WAITS:
                return  # its attempts and their failures stay
            known.state = WAITS if obstacle is None else REFUSED
            known.fate, known.error = obstacle or (None, None)

    def _obstacle(self, met: Met) -> tuple[Fate, str | None] | None:
        """The reason not to fetch a URL, independent of the other URLs; None if there is none."""
        if not in_scope(met.url, self._scope):
            return Fate.OUT_OF_SCOPE, None
        if pattern := self._excluded.first(met.url):
            return Fate.OUT_OF_SCOPE, f"excluded by '{pattern}'"
        if met.nofollow:
            return Fate.NOFOLLOW, None
        if met.redirects > self._settings.max_redirects:
            return Fate.REDIRECT_LIMIT, None
        if met.depth > self._settings.max_depth:
            return Fate.TOO_DEEP, None
        if met.found_on is not None and (why := trap(met.url, self._year)):
            return Fate.TRAP, why
        return None


class UrlPatterns:
    """Patterns of URLs, in which `*` stands for any text."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = [(pattern, names_like([pattern])) for pattern in patterns]

    def first(self, url: str) -> str | None:
        """The first pattern that matches a URL, or None."""
        return next((text for text, pattern in self._patterns if pattern.fullmatch(url.lower())), None)


def share_out(offers: Sequence[Path], left: int) -> pa.Table:
    """The plan of a round: the hosts that it asks, sorted, with their quotas: rows of PLAN.

    offers: the files of all parts; left: pages that all hosts together may still give
    """
    if not offers or left <= 0:
        return table_of([], PLAN)
    with duckdb.connect(config={"threads": 1, "memory_limit": "512MB", "temp_directory": str(offers[0].parent)}) as sql:
        rows = sql.sql(
            """SELECT host, any_value("key") AS "key", count(*)::INTEGER AS quota
               FROM (SELECT host, "key" FROM read_parquet($files, hive_partitioning = false) WHERE turn < most
                     ORDER BY attempts > 0, depth, turn, host LIMIT $left)
               GROUP BY host ORDER BY host""",
            params={"files": [str(path) for path in offers], "left": left},
        )
        plan: pa.Table = rows.to_arrow_table()
        return plan.cast(PLAN.arrow)


def shards_for(settings: CrawlSettings) -> int:
    """Into how many shards the hosts of a round are divided."""
    return min(MAX_SHARDS, -(-settings.max_pages // PAGES_PER_SHARD))


def shard_of(host: str, shards: int) -> int:
    """The shard of a host: always the same, and one shard for all hosts of a registered domain.

    So one process sees all requests to a host.  This includes those for a robots.txt that `example.org` redirects to
    `www.example.org`.
    """
    return key_of(host) * shards // KEYS


def keys_of_part(part: int, parts: int) -> tuple[int, int]:
    """The keys of a part: from the first to before the last."""
    return part * KEYS // parts, (part + 1) * KEYS // parts


@lru_cache(maxsize=100_000)
def key_of(host: str) -> int:
    """Hash of the registered domain of a host: 62 bits."""
    name = host_name(host)
    parts = _suffixes(name)
    domain = f"{parts.domain}.{parts.suffix}" if parts.suffix else ".".join(name.split(".")[-2:])
    return int.from_bytes(blake2b(domain.encode(), digest_size=8).digest()) >> 2


def best_ways(links: Iterable[Met]) -> pa.Table:
    """Rows of LINKS, sorted by key and URL: for each URL the best of the ways that lead to it from a round's pages."""
    best: dict[str, Met] = {}
    for met in links:
        known = best.get(met.url)
        if known is None or _order(met) < _order(known):
            best[met.url] = met
    rows = sorted((key_of(host_of(url)), url) for url in best)
    ways = [best[url] for _, url in rows]
    columns = {
        name: [getattr(way, name) for way in ways] for name in ("url", "depth", "redirects", "found_on", "nofollow")
    }
    return pa.table({**columns, "key": [key for key, _ in rows]}, schema=LINKS.arrow)


def _order(met: Met) -> tuple[bool, int, int, str]:
    return met.nofollow, met.depth, met.redirects, met.found_on or ""


def _seed(text: str) -> str:
    url = normalise(text)
    if url is None:
        raise InputError(f"recipe: seed '{text}' is not a valid URL")
    return url
