"""A lane: the requests to one host in one round, one after the other.

A lane first reads the host's policy files, unless files younger than a day are known.  Then it fetches the host's
candidates one by one, until the quota of pages or a budget of the host is used up.  It stops for this round after
FAILURES requests in a row without a page, and when the host wants no more requests.  After ROUND_S seconds it starts
nothing new.  A slow host then continues in the next round, so other hosts do not wait for it.

A request that failed, or that was answered with one of TRY_LATER, is made again in a later round, `attempts` times in
all.  The pause before it doubles with every round.

Each answer goes to the journal as soon as it is there, and once more when its links are known.  So a lane that was
killed goes on where it was; only a request that was under way is made again.

Content from one host affects this host only.  Its files and pages are read in threads, so requests to other hosts
continue.  If a file or page makes our own code fail, that URL has failed: the reason is on record, the traceback is in
the log, and the lane continues with the next URL.
"""

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from corpusmill.collect.crawl.agent import agent_of
from corpusmill.collect.crawl.answer import Answer
from corpusmill.collect.crawl.fetch import Fetcher, FetchError, in_words
from corpusmill.collect.crawl.frontier import PAGE_FATES, Candidate, Met
from corpusmill.collect.crawl.journal import Journal
from corpusmill.collect.crawl.links import PageLinks, links_of
from corpusmill.collect.crawl.robots import MAX_BYTES, ROBOTS, Policy, PolicyFile, read_policy_files
from corpusmill.collect.crawl.tables import UrlRow
from corpusmill.collect.crawl.traps import without_session
from corpusmill.collect.crawl.urls import normalise, origin_of
from corpusmill.collect.crawl.warc import Earlier, WarcFile, payload_digest, read_answer, read_member
from corpusmill.collect.optout import product
from corpusmill.collect.settings import CrawlSettings
from corpusmill.errors import CorpusmillError, said
from corpusmill.reasons import Fate

FAILURES = 5  # in a row
ROUND_S = 600.0
TRY_LATER = (408, 425, 429, 500, 502, 503, 504)
INLINE_BYTES = 65_536  # a larger body is read in a thread, because it could take long


class Policies:
    """The policies of the origins that a shard meets.  Each policy is read once per day."""

    def __init__(
        self, settings: CrawlSettings, fetcher: Fetcher, journal: Journal, known: Iterable[PolicyFile]
    ) -> None:
        """`known`: files that were read before and are still valid."""
        self._settings, self._fetcher, self._journal = settings, fetcher, journal
        self._agent = agent_of(settings)
        self._known: dict[str, list[PolicyFile]] = {}
        self._policies: dict[str, Policy] = {}
        self.read: list[PolicyFile] = []  # in this round
        for file in known:
            self._known.setdefault(file.origin, []).append(file)

    async def of(self, origin: str) -> Policy:
        """The policy of an origin.  Only the lane of the origin's own host calls this."""
        if origin not in self._policies:
            agent = self._agent
            try:
                files = self._known.get(origin, [])
                async for file in read_policy_files(self._get, origin, agent, self._settings.max_redirects, files):
                    self._journal.add({"kind": "policy", "file": _as_json(file)})
                    self.read.append(file)
                    files = [*files, file]
                small = sum(len(file.text or "") for file in files) < INLINE_BYTES
                policy = Policy(files, agent) if small else await asyncio.to_thread(Policy, files, agent)
                self._policies[origin] = policy
            except (OSError, CorpusmillError):  # the disk failed, not the host
                raise
            except Exception as error:  # noqa: BLE001  # without a policy, nothing is allowed
                unknown = PolicyFile(
                    origin=origin, path=ROBOTS, fetched_at=datetime.now(UTC), http_status=None, text=None,
                    fate=Fate.ROBOTS_UNREACHABLE, error=_unexpected(error, origin),
                )  # fmt: skip
                self._policies[origin] = Policy([unknown], agent)
        return self._policies[origin]

    async def _get(self, url: str) -> Answer:
        return await self._fetcher.get(url, MAX_BYTES)


@dataclass(frozen=True, kw_only=True, slots=True)
class Retry:
    """A URL that is tried again in a later round: a row of RETRIES."""

    url: str
    attempts: int
    fate: Fate
    error: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """What was done with a candidate: its row, or that it is tried again; and what its page names."""

    row: UrlRow | None = None
    retry: Retry | None = None
    links: tuple[Met, ...] = ()
    failed: bool = False
    given_up: str | None = None  # why the host is asked no more in this round
    wait_s: float = 0.0  # that the host asks for
    validator: dict[str, str | None] | None = None


@dataclass(frozen=True, slots=True)
class Recovered:
    """What the journal of a killed shard holds."""

    done: dict[str, Done]
    members: dict[str, tuple[int, int]]  # URL -> offset and length of its records
    files: list[PolicyFile]

    @classmethod
    def of(cls, journal: Journal) -> "Recovered":
        """Read a journal to its end."""
        found = cls({}, {}, [])
        for entry in journal.entries():
            match entry.data["kind"]:
                case "answer":
                    found.members[entry.data["url"]] = entry.offset, entry.length
                case "done":
                    found.done[entry.data["url"]] = _done(entry.data)
                case _:
                    found.files.append(_policy_file(entry.data["file"]))
        return found


@dataclass(kw_only=True, slots=True)
class Lane:
    """The results of a host's candidates, in the order in which they were handled."""

    source: str
    round: int
    settings: CrawlSettings
    fetcher: Fetcher
    policies: Policies
    journal: Journal
    recovered: Recovered
    queue: list[Candidate]
    quota: int
    earlier: Mapping[str, Earlier]
    warc_name: str  # the file that these records are joined to; `urls.warc_file` names it
    rows: list[UrlRow] = field(default_factory=list)
    retries: list[Retry] = field(default_factory=list)
    links: list[Met] = field(default_factory=list)
    members: list[tuple[int, int]] = field(default_factory=list)  # of the journal, in the order of the WARC file
    validators: list[tuple[int, dict[str, str | None]]] = field(default_factory=list)  # with the index of the member
    requests: int = 0
    pages: int = 0
    bytes: int = 0
    errors: int = 0
    failures: int = 0  # in a row
    seconds: float = 0.0
    given_up: str | None = None  # the reason why the lane stopped
    wait_s: float = 0.0  # that the host asks for
    not_before: float = 0.0  # when the host may be asked again, in seconds since 1970
    asking: bool = False
    ended: bool = False
    _origins: set[str] = field(default_factory=set)  # whose sitemaps were met

    @property
    def host(self) -> str:
        """The host, with its port."""
        return self.queue[0].host

    async def run(self) -> None:
        """Handle the candidates in order, until the quota of pages, a budget or the round's time is used up."""
        started, self.asking = time.monotonic(), True
        first = self.queue[0]
        self.fetcher.turns(first.host).pause(max(0.0, first.not_before - time.time()))
        for candidate in self.queue:
            if (done := self.recovered.done.get(candidate.url)) is not None:
                self._take(done, self.recovered.members.get(candidate.url))
                continue
            self.seconds = time.monotonic() - started
            if (
                self.given_up
                or self.pages >= self.quota
                or (self.requests and self._used_up(first))  # each round makes a request, so that the crawl ends
                or (self.rows and self.seconds > ROUND_S)
            ):
                break
            await self._handle(candidate)
        self.seconds = time.monotonic() - started
        self.not_before = self._next_request(first.strikes)
        self.asking, self.ended = False, True

    def _used_up(self, first: Candidate) -> bool:
        """Whether a budget of the host is used up."""
        return (first.bytes_left is not None and self.bytes >= first.bytes_left) or (
            first.seconds_left is not None and self.seconds >= first.seconds_left
        )

    def _next_request(self, strikes: int) -> float:
        """When the host may be asked again, in seconds since 1970: later and later while it does not answer."""
        if not self.given_up and not self.failures:
            return 0.0
        tried = max([strikes, *(retry.attempts for retry in self.retries)])
        own_s: float = min(max(self.settings.delay_s, 1.0) * 2.0**tried, self.settings.max_delay_s)
        return time.time() + max(own_s, self.wait_s)

    async def _handle(self, candidate: Candidate) -> None:
        try:
            done, member = await self._deal_with(candidate)
        except (OSError, CorpusmillError):  # the disk failed, not the host
            raise
        except Exception as error:  # noqa: BLE001  # data from a host must not end the crawl
            done, member = Done(row=self._row(candidate, Fate.FAILED, _unexpected(error, candidate.url))), None
        self.journal.add(_as_data(candidate.url, done))
        self._take(done, member)

    def _take(self, done: Done, member: tuple[int, int] | None) -> None:
        """Add what was done with a candidate, now or before a kill."""
        self.links += done.links
        self.failures = self.failures + 1 if done.failed else 0
        self.errors += done.failed
        if self.failures >= FAILURES and not self.given_up:
            self.given_up = f"the {FAILURES} requests before it failed"
        if done.given_up:
            self.given_up, self.wait_s = done.given_up, done.wait_s
        if done.retry is not None:
            self.retries.append(done.retry)
            self.requests += 1
        elif done.row is not None:
            self.rows.append(done.row)
            self.requests += done.row.attempts > 0
            if done.row.fate in PAGE_FATES and member is not None:
                if done.validator is not None:
                    self.validators.append((len(self.members), done.validator))
                self.members.append(member)
                self.pages += 1
                self.bytes += done.row.n_bytes or 0

    async def _deal_with(self, candidate: Candidate) -> tuple[Done, tuple[int, int] | None]:
        if (member := self.recovered.members.get(candidate.url)) is not None:  # killed before its links were known
            answer = read_answer(self.journal.read(*member))
            return await self._read(candidate, answer), member
        origin = origin_of(candidate.url)
        policy = await self.policies.of(origin)
        turns = self.fetcher.turns(candidate.host)
        turns.delay_s = max(turns.delay_s, min(policy.crawl_delay_s, self.settings.max_delay_s))
        refusal = (
            policy.refusal(candidate.url) if policy.is_small else await asyncio.to_thread(policy.refusal, candidate.url)
        )
        sitemaps = self._sitemaps(origin, policy)
        if refusal:
            fate, error = refusal
            if fate is Fate.ROBOTS_UNREACHABLE:
                return replace(self._failed(candidate, fate, error, None), given_up=error), None
            return Done(row=self._row(candidate, fate, error), links=sitemaps), None
        earlier = self.earlier.get(candidate.url)
        try:
            answer = await self.fetcher.get(candidate.url, self.settings.max_page_bytes, _conditions(earlier))
        except FetchError as failure:
            return self._failed(candidate, failure.fate, failure.message, failure.status), None
        last_word = self.fetcher.is_last_word(answer)
        why = f"HTTP status {answer.status}"
        if last_word:
            why = f"the host wants no more requests ({why})"
        done = None
        if answer.status in TRY_LATER:
            done = self._failed(candidate, Fate.FAILED, why, answer.status)
            if done.retry is None:  # the last attempt: the answer is kept
                done = None
        if done is None:
            is_same = earlier is not None and (answer.status == 304 or payload_digest(answer) == earlier.digest)
            member = await self._store(answer, earlier if is_same else None)
            done = await self._read(candidate, answer)
            done = replace(done, failed=answer.status in TRY_LATER)
        if last_word:
            row = replace(done.row, error=why) if done.row else None
            done = replace(done, row=row, given_up=why, wait_s=answer.retry_after_s() or 0.0)
        return replace(done, links=(*sitemaps, *done.links)), member

    async def _store(self, answer: Answer, earlier: Earlier | None) -> tuple[int, int]:
        """Write an answer's records into the journal; returns their place."""
        sink = BytesIO()
        warc = WarcFile(sink, self.round)
        if len(answer.body) <= INLINE_BYTES:
            warc.write(answer, earlier)
        else:
            await asyncio.to_thread(warc.write, answer, earlier)
        entry = self.journal.add({"kind": "answer", "url": answer.url}, sink.getvalue())
        return entry.offset, entry.length

    async def _read(self, candidate: Candidate, answer: Answer) -> Done:
        """The links of an answer, and its row."""
        if answer.get("content-encoding") or len(answer.body) > INLINE_BYTES or answer.status == 304:
            return await asyncio.to_thread(self._keep, candidate, answer)
        return self._keep(candidate, answer)

    def _keep(self, candidate: Candidate, answer: Answer) -> Done:
        earlier, read = self.earlier.get(candidate.url), answer
        unchanged = earlier is not None and (answer.status == 304 or payload_digest(answer) == earlier.digest)
        if earlier is not None and answer.status == 304:
            read = read_answer(read_member(Path(earlier.warc_file), earlier.offset))
        target = normalise(answer.location, candidate.url) if answer.location else None
        links = [] if target is None else [
            Met(without_session(target), candidate.depth, candidate.redirects + 1, candidate.url, False)
        ]  # fmt: skip
        page = self._links_of(read)
        links += [Met(url, candidate.depth + 1, 0, candidate.url, nofollow) for url, nofollow in page.links.items()]
        fate, error = Fate.UNCHANGED if unchanged else Fate.FETCHED, None
        if answer.truncated and not unchanged:
            fate, error = Fate.TOO_LARGE, f"cut off at {self.settings.max_page_bytes} bytes"
        elif answer.location and target is None:
            error = in_words(f"it redirects to '{answer.location}', which is no URL that can be fetched")
        row = replace(
            self._row(candidate, fate, error),
            http_status=answer.status,
            redirect_to=target,
            fetched_at=answer.fetched_at,
            warc_file=self.warc_name,
            attempts=candidate.attempts + 1,
            n_bytes=len(answer.body),
            canonical=page.canonical,
            opt_out=page.opt_out,
        )
        return Done(row=row, links=tuple(links), validator=_validator(answer, earlier, unchanged))

    def _links_of(self, answer: Answer) -> PageLinks:
        return links_of(answer, product(self.settings.user_agent), self.settings.max_page_bytes)

    def _sitemaps(self, origin: str, policy: Policy) -> tuple[Met, ...]:
        """The sitemaps that an origin's robots.txt names, when the lane first meets the origin."""
        if origin in self._origins or not self.settings.sitemaps:
            return ()
        self._origins.add(origin)
        robots = origin + ROBOTS
        urls = (normalise(text, robots) for text in policy.sitemaps)
        return tuple(Met(url, 0, 0, robots, False) for url in urls if url is not None)

    def _failed(self, candidate: Candidate, fate: Fate, error: str, status: int | None) -> Done:
        """A failure: the URL is tried again, unless this was its last attempt or another one cannot help."""
        attempts = candidate.attempts + 1
        if attempts < self.settings.attempts and fate is not Fate.PRIVATE_ADDRESS:
            return Done(retry=Retry(url=candidate.url, attempts=attempts, fate=fate, error=error), failed=True)
        row = replace(self._row(candidate, fate, error), http_status=status, attempts=attempts)
        return Done(row=row, failed=True)

    def _row(self, candidate: Candidate, fate: Fate, error: str | None) -> UrlRow:
        return UrlRow(
            source=self.source,
            url=candidate.url,
            host=candidate.host,
            round=self.round,
            depth=candidate.depth,
            found_on=candidate.found_on,
            fate=fate,
            error=error,
            attempts=candidate.attempts,
        )


def _conditions(earlier: Earlier | None) -> dict[str, str]:
    """The headers that ask for a page only if it has changed."""
    if earlier is None:
        return {}
    values = {"If-None-Match": earlier.etag, "If-Modified-Since": earlier.last_modified}
    return {name: value for name, value in values.items() if value and value.isascii() and value.isprintable()}


def _validator(answer: Answer, earlier: Earlier | None, unchanged: bool) -> dict[str, str | None] | None:
    """How a later crawl can ask for a page: a row of VALIDATORS, without its place in this crawl's WARC files."""
    if earlier is not None and unchanged:
        values = {"digest": earlier.digest, "date": earlier.date, "warc_file": f"{earlier.warc_file}\n{earlier.offset}"}
        return values | {
            "url": answer.url,
            "etag": answer.get("etag") or earlier.etag,
            "last_modified": answer.get("last-modified") or earlier.last_modified,
        }
    if answer.status != 200 or answer.truncated:
        return None
    return {
        "url": answer.url,
        "digest": payload_digest(answer),
        "date": f"{answer.fetched_at:%Y-%m-%dT%H:%M:%S}.{answer.fetched_at.microsecond // 1000:03d}Z",
        "etag": answer.get("etag") or None,
        "last_modified": answer.get("last-modified") or None,
        "warc_file": None,
    }


def _as_data(url: str, done: Done) -> dict[str, Any]:
    """What the journal keeps of what was done."""
    return {
        "kind": "done",
        "url": url,
        "row": _as_json(done.row) if done.row else None,
        "retry": asdict(done.retry) if done.retry else None,
        "links": [[met.url, met.depth, met.redirects, met.found_on, met.nofollow] for met in done.links],
        "failed": done.failed,
        "given_up": done.given_up,
        "wait_s": done.wait_s,
        "validator": done.validator,
    }


def _done(data: dict[str, Any]) -> Done:
    row, retry = data["row"], data["retry"]
    if row:
        time_of = datetime.fromisoformat(row["fetched_at"]) if row["fetched_at"] else None
        row = UrlRow(**{**row, "fate": Fate(row["fate"]), "fetched_at": time_of})
    return Done(
        row=row,
        retry=Retry(**{**retry, "fate": Fate(retry["fate"])}) if retry else None,
        links=tuple(Met(*way) for way in data["links"]),
        failed=data["failed"],
        given_up=data["given_up"],
        wait_s=data["wait_s"],
        validator=data["validator"],
    )


def _as_json(row: UrlRow | PolicyFile) -> dict[str, Any]:
    data = {each.name: getattr(row, each.name) for each in fields(row)}
    return {**data, "fetched_at": row.fetched_at.isoformat() if row.fetched_at else None}


def _policy_file(data: dict[str, Any]) -> PolicyFile:
    fate = Fate(data["fate"]) if data["fate"] else None
    return PolicyFile(**{**data, "fetched_at": datetime.fromisoformat(data["fetched_at"]), "fate": fate})


def _unexpected(error: Exception, url: str) -> str:
    """The error in words; the traceback goes to the log."""
    logging.getLogger(__name__).error("crawl: %s: an unexpected failure", url, exc_info=error)
    return in_words(f"unexpected {said(error)}")
