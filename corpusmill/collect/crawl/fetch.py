"""Fetch one URL at a time and politely.  A crawl talks to servers only here.

A host gets at most one request at a time.  From the end of one request to the start of the next, at least the host's
delay passes.  That holds for every request: pages, robots.txt, each redirect, and repetitions.  Redirects are not
followed here: each of them is an answer of its own.

An answer of 429 or 503 is requested again at most twice, after the time that its Retry-After names.  For a 429 without
a Retry-After, the waits are two and four times the delay, at least 2 and 4 seconds.  If a wait would be longer than
`max_delay_s`, there is no further request in this round.

A server may close a connection that it has kept open, at the moment when the next request is sent.  So a request that
finds its connection closed is made once more, in a turn of its own.  (aiohttp would do that at once, without a delay.)

Bodies are kept as received, and are cut off at a limit while they are read.  aiohttp's `auto_decompress` is off, so a
compressed body of extreme size is never inflated here.  Cookies are neither kept nor read.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import aiohttp
import yarl

from corpusmill.collect.crawl.addresses import NotPublicError, connector
from corpusmill.collect.crawl.agent import agent_of
from corpusmill.collect.crawl.answer import Answer, Headers
from corpusmill.collect.crawl.urls import host_of
from corpusmill.collect.settings import CrawlSettings
from corpusmill.credentials import masked
from corpusmill.errors import said
from corpusmill.reasons import Fate
from corpusmill.terminal import one_line

MAX_CONNECTIONS = 256
MAX_HEADER_BYTES = 65_536
ATTEMPTS = 3
NO_HEADERS: Mapping[str, str] = {}
MAX_MESSAGE = 300  # characters


def in_words(message: str) -> str:
    """The message in a form that is safe to write down, because libraries quote what a host sent."""
    return one_line(masked(message[: 4 * MAX_MESSAGE]))[:MAX_MESSAGE]


class FetchError(Exception):
    """No answer, or an incomplete one: the URL's fate, the error in words, and the HTTP status if there was one."""

    def __init__(self, fate: Fate, message: str, status: int | None = None) -> None:
        self.fate, self.message, self.status = fate, in_words(message), status
        super().__init__(self.message)


class ClosedError(FetchError):
    """The server closed the connection without an answer."""


class Turns:
    """The turns of requests to one host: one at a time, with a delay after the end of each."""

    def __init__(self, delay_s: float, last_request_s: float) -> None:
        """`last_request_s`: when the last request ended, in the event loop's time."""
        self.delay_s = delay_s
        self.not_before_s = 0.0
        self.answered = False  # the last request; then its connection may be kept open
        self._last_request_s = last_request_s
        self._one_at_a_time = asyncio.Lock()

    @asynccontextmanager
    async def next(self) -> AsyncIterator[None]:
        """Wait for the next turn and hold it."""
        clock = asyncio.get_running_loop().time
        async with self._one_at_a_time:
            await asyncio.sleep(max(self._last_request_s + self.delay_s, self.not_before_s) - clock())
            try:
                yield
            finally:
                self._last_request_s = clock()

    def pause(self, seconds: float) -> None:
        """Let at least this many seconds pass before the next turn."""
        self.not_before_s = asyncio.get_running_loop().time() + seconds


class Fetcher:
    """The requests of one shard.  `fetching` makes it."""

    def __init__(self, session: aiohttp.ClientSession, settings: CrawlSettings, idle_s: float) -> None:
        self._session, self._settings = session, settings
        self._started_s = asyncio.get_running_loop().time() - idle_s
        self._turns: dict[str, Turns] = {}

    def turns(self, host: str) -> Turns:
        """The turns of a host."""
        if host not in self._turns:
            self._turns[host] = Turns(self._settings.delay_s, self._started_s)
        return self._turns[host]

    async def get(self, url: str, max_bytes: int, headers: Mapping[str, str] = NO_HEADERS) -> Answer:
        """The answer for a normalised URL, with at most `max_bytes` of its body.  FetchError if there is none.

        headers: further headers of the request, such as If-None-Match
        """
        turns = self.turns(host_of(url))
        attempt = 1
        while True:
            async with turns.next():
                may_be_kept, turns.answered = turns.answered, False
                try:
                    answer = await self._exchange(url, max_bytes, headers)
                except ClosedError:
                    if may_be_kept:
                        continue
                    raise
                turns.answered = True
                wait_s = self._wait_s(answer, attempt, turns.delay_s)
                turns.pause(min(wait_s, self._settings.max_delay_s))
            attempt += 1
            if wait_s == 0 or wait_s > self._settings.max_delay_s or attempt > ATTEMPTS:
                return answer

    def is_last_word(self, answer: Answer) -> bool:
        """Whether a host wants no more requests for now: a final 429, or a 503 that asks for more than a short wait."""
        asked_s = answer.retry_after_s() or 0.0
        return answer.status == 429 or (answer.status == 503 and asked_s > self._settings.max_delay_s)

    def _wait_s(self, answer: Answer, attempt: int, delay_s: float) -> float:
        """Seconds to wait before the request is repeated; 0 if it is not to be repeated."""
        if answer.status not in (429, 503):
            return 0.0
        asked_s = answer.retry_after_s()
        if asked_s is None:
            return min(max(delay_s, 1.0) * 2**attempt, self._settings.max_delay_s) if answer.status == 429 else 0.0
        return max(asked_s, 0.001)

    async def _exchange(self, url: str, max_bytes: int, headers: Mapping[str, str]) -> Answer:
        started, status = datetime.now(UTC), None
        try:
            async with self._session.get(
                yarl.URL(url, encoded=True), allow_redirects=False, headers=headers
            ) as response:
                status = response.status
                body, truncated = await _read(response.content, max_bytes)
                assert response.version is not None  # the headers have been read
                return Answer(
                    url=url,
                    fetched_at=started,
                    status=status,
                    reason=response.reason or "",
                    version=f"{response.version.major}.{response.version.minor}",
                    headers=response.raw_headers,
                    body=body,
                    truncated=truncated,
                    request_headers=_as_sent(response.request_info),
                )
        except TimeoutError:
            message = f"no complete answer within {self._settings.timeout_s:g} s"
            raise FetchError(Fate.FAILED, message, status) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, NotPublicError):
                raise FetchError(Fate.PRIVATE_ADDRESS, str(error.os_error)) from error
            closed = status is None and isinstance(error, aiohttp.ServerDisconnectedError | ConnectionResetError)
            raise (ClosedError if closed else FetchError)(Fate.FAILED, _words(error), status) from error


@asynccontextmanager
async def fetching(settings: CrawlSettings, idle_s: float) -> AsyncIterator[Fetcher]:
    """Yield a Fetcher with its connections.  The crawl's last request to any host was `idle_s` seconds ago."""
    session = aiohttp.ClientSession(
        connector=connector(settings, MAX_CONNECTIONS),
        timeout=aiohttp.ClientTimeout(total=settings.timeout_s),
        auto_decompress=False,
        cookie_jar=_NoCookies(),
        max_line_size=MAX_HEADER_BYTES,
        max_field_size=MAX_HEADER_BYTES,
        headers={
            "User-Agent": agent_of(settings),
            "Accept": "text/html,application/xhtml+xml,text/plain;q=0.9,*/*;q=0.1",
            "Accept-Encoding": "gzip, deflate",
        },
    )
    session._retry_connection = False  # there is no public way to say this
    async with session:
        yield Fetcher(session, settings, idle_s)


class _NoCookies(aiohttp.DummyCookieJar):
    """Keeps no cookies and does not read them."""

    def update_cookies_from_headers(self, headers: Sequence[str], response_url: yarl.URL) -> None:
        """Do nothing."""


async def _read(content: aiohttp.StreamReader, max_bytes: int) -> tuple[bytes, bool]:
    """At most `max_bytes` of a body, and whether there was more."""
    body = bytearray()
    async for chunk in content.iter_any():
        body += chunk
        if len(body) > max_bytes:
            return bytes(body[:max_bytes]), True
    return bytes(body), False


def _as_sent(request: aiohttp.RequestInfo) -> Headers:
    return tuple((name.encode(), value.encode("utf-8", "surrogateescape")) for name, value in request.headers.items())


def _words(error: Exception) -> str:
    """What went wrong, in one line."""
    match error:
        case aiohttp.ClientConnectorDNSError():
            return f"the host's name does not resolve: {error.os_error.strerror or error.os_error}"
        case aiohttp.ClientSSLError():
            return f"TLS: {error}"
        case aiohttp.ClientConnectorError():
            return f"no connection: {error.os_error.strerror or error.os_error}"
        case aiohttp.ServerDisconnectedError():
            return "the server closed the connection without an answer"
        case aiohttp.ClientPayloadError():
            return "the server closed the connection in the middle of the body"
        case aiohttp.ClientResponseError():
            return f"the answer is not valid HTTP: {error.message}".partition("\n")[0]
        case _:
            return said(error).partition("\n")[0]
