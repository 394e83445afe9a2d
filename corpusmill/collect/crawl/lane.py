"""A lane: the requests to one host in one round, one after the other.

A lane first reads the host's policy files, unless files younger than a day are known.  Then it fetches the host's
candidates one by one, until the quota of pages is reached.  It stops for this round after FAILURES requests in a row
without an answer, and when the host wants no more requests.  After ROUND_S seconds it starts nothing new.  A slow host
then continues in the next round, so other hosts do not wait for it.

Content from one host affects this host only.  Its files and pages are read in threads, so requests to other hosts
continue.  If a file or page makes our own code fail, that URL has failed: the reason is on record, the traceback is in
the log, and the lane continues with the next URL.
"""

import asyncio
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from corpusmill.collect.crawl.answer import Answer
from corpusmill.collect.crawl.fetch import Fetcher, FetchError, in_words
from corpusmill.collect.crawl.frontier import Candidate, Met
from corpusmill.collect.crawl.links import links_of
from corpusmill.collect.crawl.robots import MAX_BYTES, ROBOTS, Policy, PolicyFile, product_token, read_policy_files
from corpusmill.collect.crawl.tables import UrlRow
from corpusmill.collect.crawl.urls import normalise, origin_of
from corpusmill.collect.crawl.warc import WarcFile
from corpusmill.collect.settings import CrawlSettings
from corpusmill.errors import CorpusmillError, said
from corpusmill.reasons import Fate

FAILURES = 5  # in a row
ROUND_S = 600.0


class Policies:
    """The policies of the origins that a shard meets.  Each policy is read once per day."""

    def __init__(self, settings: CrawlSettings, fetcher: Fetcher, known: Iterable[PolicyFile]) -> None:
        """`known`: files that earlier rounds read and that are still valid."""
        self._settings, self._fetcher = settings, fetcher
        self._known: dict[str, list[PolicyFile]] = {}
        self._policies: dict[str, Policy] = {}
        self.read: list[PolicyFile] = []  # in this round
        for file in known:
            self._known.setdefault(file.origin, []).append(file)

    async def of(self, origin: str) -> Policy:
        """The policy of an origin.  Only the lane of the origin's own host calls this."""
        if origin not in self._policies:
            agent = self._settings.user_agent
            try:
                files = self._known.get(origin)
                if files is None:
                    files = await read_policy_files(self._get, origin, agent, self._settings.max_redirects)
                    self.read += files
                self._policies[origin] = await asyncio.to_thread(Policy, files, agent)
            except Exception as error:  # noqa: BLE001  # without a policy, nothing is allowed
                unknown = PolicyFile(
                    origin=origin, path=ROBOTS, fetched_at=datetime.now(UTC), http_status=None, text=None,
                    fate=Fate.ROBOTS_UNREACHABLE, error=_unexpected(error, origin),
                )  # fmt: skip
                self._policies[origin] = Policy([unknown], agent)
        return self._policies[origin]

    async def _get(self, url: str) -> Answer:
        return await self._fetcher.get(url, MAX_BYTES)


@dataclass(kw_only=True, slots=True)
class Lane:
    """The results of a host's candidates, in the order in which they were handled."""

    source: str
    round: int
    settings: CrawlSettings
    fetcher: Fetcher
    policies: Policies
    queue: list[Candidate]
    members: Path  # file for its WARC records
    warc_name: str  # the file that these records are joined to; `urls.warc_file` names it
    rows: list[UrlRow] = field(default_factory=list)
    links: list[Met] = field(default_factory=list)
    pages: int = 0
    bytes: int = 0
    failures: int = 0  # in a row
    given_up: str | None = None  # the reason why the lane stopped

    async def run(self) -> None:
        """Handle the candidates in order, until the quota of pages or the round's time is used up."""
        deadline = time.monotonic() + ROUND_S
        with self.members.open("wb") as file:
            warc = WarcFile(file, self.round)
            for candidate in self.queue:
                if self.pages == candidate.quota or (self.rows and time.monotonic() > deadline):
                    break
                file.flush()
                before = file.tell(), self.pages, self.bytes, len(self.links)
                try:
                    row = await self._deal_with(candidate, warc)
                except (OSError, CorpusmillError):  # the disk failed, not the host
                    raise
                except Exception as error:  # noqa: BLE001  # data from a host must not end the crawl
                    at, self.pages, self.bytes, n_links = before
                    del self.links[n_links:]
                    file.seek(at)
                    file.truncate()
                    row = self._row(candidate, Fate.FAILED, _unexpected(error, candidate.url))
                self.rows.append(row)

    async def _deal_with(self, candidate: Candidate, warc: WarcFile) -> UrlRow:
        if self.given_up:
            return self._row(candidate, Fate.FAILED, self.given_up)
        policy = await self.policies.of(origin_of(candidate.url))
        turns = self.fetcher.turns(candidate.host)
        turns.delay_s = max(turns.delay_s, min(policy.crawl_delay_s, self.settings.max_delay_s))
        if refusal := await asyncio.to_thread(policy.refusal, candidate.url):
            return self._row(candidate, *refusal)
        try:
            answer = await self.fetcher.get(candidate.url, self.settings.max_page_bytes)
        except FetchError as failure:
            self.failures += 1
            if self.failures == FAILURES:
                self.given_up = f"not asked: the {FAILURES} requests before it failed"
            return replace(self._row(candidate, failure.fate, failure.message), http_status=failure.status)
        self.failures = 0
        return await asyncio.to_thread(self._keep, candidate, answer, warc)

    def _keep(self, candidate: Candidate, answer: Answer, warc: WarcFile) -> UrlRow:
        """Store an answer and keep its links."""
        warc.write(answer)
        self.pages += 1
        self.bytes += len(answer.body)
        target = normalise(answer.location, candidate.url) if answer.location else None
        if target is not None:
            self.links.append(Met(target, candidate.depth, candidate.redirects + 1, candidate.url, False))
        links = links_of(answer, product_token(self.settings.user_agent), self.settings.max_page_bytes)
        self.links += [Met(url, candidate.depth + 1, 0, candidate.url, nofollow) for url, nofollow in links.items()]
        fate, error = Fate.FETCHED, None
        if answer.truncated:
            fate, error = Fate.TOO_LARGE, f"cut off at {self.settings.max_page_bytes} bytes"
        elif self.fetcher.is_last_word(answer):
            error = f"the host wants no more requests (HTTP status {answer.status})"
            self.given_up = f"not asked: {error}"
        return replace(
            self._row(candidate, fate, error),
            http_status=answer.status,
            redirect_to=target,
            fetched_at=answer.fetched_at,
            warc_file=self.warc_name,
        )

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
        )


def _unexpected(error: Exception, url: str) -> str:
    """The error in words; the traceback goes to the log."""
    logging.getLogger(__name__).error("crawl: %s: an unexpected failure", url, exc_info=error)
    return in_words(f"unexpected {said(error)}")
