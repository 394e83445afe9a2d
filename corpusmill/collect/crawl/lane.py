"""A lane: one host in one round, everything in order.

First the host's policy files, if none are known that are younger than a day, then its candidates one by one, until its
quota of pages is reached.  A lane gives up for the round after FAILURES requests in a row without an answer, and when
the host wants no more requests; it starts nothing new after ROUND_S seconds (a slow host then goes on in the next
round, and does not hold up the others).

What a host sends costs this host alone.  Its files and pages are read in threads, so that the requests to other hosts
go on meanwhile.  If one of them makes our own code fail, that URL has failed: the reason is on record, the traceback in
the log, and the lane goes on with the next URL.
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
    """The policies of the origins that a shard meets; each is read once a day."""

    def __init__(self, settings: CrawlSettings, fetcher: Fetcher, known: Iterable[PolicyFile]) -> None:
        """`known`: files that earlier rounds read and that are still good."""
        self._settings, self._fetcher = settings, fetcher
        self._known: dict[str, list[PolicyFile]] = {}
        self._policies: dict[str, Policy] = {}
        self.read: list[PolicyFile] = []  # in this round
        for file in known:
            self._known.setdefault(file.origin, []).append(file)

    async def of(self, origin: str) -> Policy:
        """An origin's policy; only its own host's lane asks."""
        if origin not in self._policies:
            agent = self._settings.user_agent
            try:
                files = self._known.get(origin)
                if files is None:
                    files = await read_policy_files(self._get, origin, agent, self._settings.max_redirects)
                    self.read += files
                self._policies[origin] = await asyncio.to_thread(Policy, files, agent)
            except Exception as error:  # noqa: BLE001  # nothing is known, so nothing is allowed
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
    """What a host's candidates came to, in the order in which they were dealt with."""

    source: str
    round: int
    settings: CrawlSettings
    fetcher: Fetcher
    policies: Policies
    queue: list[Candidate]
    members: Path  # file for its WARC records
    warc_name: str  # file that these will be joined to, as `urls.warc_file` names it
    rows: list[UrlRow] = field(default_factory=list)
    links: list[Met] = field(default_factory=list)
    pages: int = 0
    bytes: int = 0
    failures: int = 0  # in a row
    given_up: str | None = None  # why

    async def run(self) -> None:
        """Deal with the candidates in order, until the quota of pages or the round's time is used up."""
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
                except (OSError, CorpusmillError):  # the disk's failure, not the host's
                    raise
                except Exception as error:  # noqa: BLE001  # whatever a host has sent must not end the crawl
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
        """Store an answer and take in its links."""
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
    """What went wrong, in words; the traceback goes to the log."""
    logging.getLogger(__name__).error("crawl: %s: an unexpected failure", url, exc_info=error)
    return in_words(f"unexpected {said(error)}")
