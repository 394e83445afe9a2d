"""What a host allows: robots.txt, and the two files that reserve its pages against mining.

robots.txt follows RFC 9309, and in doubt nothing is allowed.  After 2xx the file is parsed (`rules.py`), and after 4xx
everything is allowed.  5xx, 429 or no answer forbids everything.  More redirects than the recipe follows forbid
everything, too; the RFC would allow everything there.  One file is valid for one scheme, host and port, for 24 hours.
512 KiB of it are read, to the end of a line.

`/.well-known/tdmrep.json` (TDM Reservation Protocol, W3C community report) and `/ai.txt` (Spawning; same form as
robots.txt) are opt-outs: what they reserve is not fetched.  If two entries of tdmrep.json match, the one that reserves
wins.  If a host has neither file, or fails to send them, it has reserved nothing.
"""

import codecs
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from corpusmill.collect.columns import encodable
from corpusmill.collect.crawl.answer import Answer
from corpusmill.collect.crawl.fetch import FetchError
from corpusmill.collect.crawl.rules import Rules, product_token
from corpusmill.collect.crawl.urls import normalise
from corpusmill.collect.http import is_binary
from corpusmill.reasons import Fate

MAX_BYTES = 512 * 1024
MOST_INLINE = 500  # rules
MAX_AGE = timedelta(hours=24)
ROBOTS, AI, TDMREP = "/robots.txt", "/ai.txt", "/.well-known/tdmrep.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyFile:
    """One policy file of a host, as it was found."""

    origin: str  # scheme://host[:port]
    path: str  # ROBOTS, AI or TDMREP
    fetched_at: datetime
    http_status: int | None  # of the last answer
    text: str | None  # None: there is no such file, or it could not be fetched
    fate: Fate | None = None  # the fate of every URL of the origin, if the file could not be fetched
    error: str | None = None  # the reason, if the file could not be fetched

    def is_fresh(self, now: datetime) -> bool:
        """Whether the file is still valid."""
        return now - self.fetched_at < MAX_AGE


class Policy:
    """What the files of an origin allow a crawler."""

    def __init__(self, files: Iterable[PolicyFile], user_agent: str) -> None:
        """Make a policy from the origin's files, including robots.txt."""
        by_path = {file.path: file for file in files}
        agent = product_token(user_agent)
        self._robots_file = by_path[ROBOTS]
        self._robots = Rules(self._robots_file.text or "", agent)
        reserved = [(path, by_path[path].text) for path in (AI, TDMREP) if path in by_path]
        self._opt_outs = [
            (path, Rules(text if path == AI else tdmrep_as_robots(text), agent)) for path, text in reserved if text
        ]

        self.sitemaps = self._robots.sitemaps  # as written in robots.txt
        # whether a URL is judged so quickly that other hosts need not wait for it
        self.is_small = (
            sum(len(rules) for rules in (self._robots, *(rules for _, rules in self._opt_outs))) < MOST_INLINE
        )

    @property
    def crawl_delay_s(self) -> float:
        """Seconds between two requests that robots.txt asks for; 0 if it names none."""
        return self._robots.delay_s

    def refusal(self, url: str) -> tuple[Fate, str] | None:
        """Why a URL of this origin must not be fetched: its fate, and the rule or error in words; None if it may."""
        if self._robots_file.fate is not None:
            return self._robots_file.fate, f"robots.txt: {self._robots_file.error}"
        if line := self._robots.forbids(url):
            return Fate.ROBOTS_DISALLOWED, f"robots.txt: {line}"
        for path, rules in self._opt_outs:
            if line := rules.forbids(url):
                return Fate.OPTED_OUT, f"{path.removeprefix('/')}: {line}"
        return None


def tdmrep_as_robots(text: str) -> str:
    """The reserved locations of a tdmrep.json as rules for all crawlers.  Both formats match paths in the same way."""
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    entries = entries if isinstance(entries, list) else [entries]
    reserved = [e for e in entries if isinstance(e, dict) and e.get("tdm-reservation") in (1, "1", True)]
    locations = [place for entry in reserved if isinstance(place := entry.get("location"), str)]
    lines = (f"Disallow: {encodable(place)}" for place in locations if len(place.split()) == 1)
    return "\n".join(["User-agent: *", *lines])


async def read_policy_files(
    get: Callable[[str], Awaitable[Answer]],
    origin: str,
    user_agent: str,
    max_redirects: int,
    known: Iterable[PolicyFile] = (),
) -> AsyncIterator[PolicyFile]:
    """Fetch an origin's robots.txt and then the opt-out files that it does not forbid, apart from those that are known.

    `get` fetches one URL politely, reads at most MAX_BYTES of the body, and raises FetchError.
    """
    by_path = {file.path: file for file in known}
    if ROBOTS not in by_path:
        by_path[ROBOTS] = await _read(get, origin, ROBOTS, max_redirects)
        yield by_path[ROBOTS]
    policy = Policy([by_path[ROBOTS]], user_agent)
    for path in (AI, TDMREP):
        if path not in by_path and policy.refusal(origin + path) is None:
            yield await _read(get, origin, path, max_redirects)


async def _read(get: Callable[[str], Awaitable[Answer]], origin: str, path: str, max_redirects: int) -> PolicyFile:
    url, started = origin + path, datetime.now(UTC)
    status: int | None = None
    try:
        for _ in range(max_redirects + 1):
            answer = await get(url)
            status = answer.status
            target = normalise(answer.location, url) if answer.location else None
            if target is None:
                return _as_answered(origin, path, answer)
            url = target
        error, fate = f"more than {max_redirects} redirects", Fate.ROBOTS_UNREACHABLE
    except FetchError as failure:
        error = failure.message
        own_address = failure.fate is Fate.PRIVATE_ADDRESS and url == origin + path
        fate = Fate.PRIVATE_ADDRESS if own_address else Fate.ROBOTS_UNREACHABLE
    return PolicyFile(
        origin=origin, path=path, fetched_at=started, http_status=status, text=None, fate=fate, error=error
    )


def _as_answered(origin: str, path: str, answer: Answer) -> PolicyFile:
    """The policy file for an answer that is not a redirect to be followed."""
    text = error = None
    if 200 <= answer.status < 300:
        body = answer.decoded(MAX_BYTES)
        as_sent = body.content == answer.body  # no coding could be undone
        if (answer.get("content-encoding") and as_sent and is_binary(body.content)) or not (
            body.complete or body.too_large or (answer.truncated and body.content)
        ):
            error = "its content encoding is unknown, or it is damaged"
        else:
            text = text_of(body.content, cut=answer.truncated or body.too_large)
    elif not 400 <= answer.status < 500 or answer.status == 429:
        error = f"HTTP status {answer.status}"
    return PolicyFile(
        origin=origin,
        path=path,
        fetched_at=answer.fetched_at,
        http_status=answer.status,
        text=text,
        fate=Fate.ROBOTS_UNREACHABLE if error else None,
        error=error,
    )


def text_of(body: bytes, *, cut: bool) -> str:
    r"""The text of a policy file; without its last line if it was cut off at the limit.

    UTF-16 and UTF-32 are recognised by their zeros, with and without a byte order mark.  All else is UTF-8.  A line
    that is not UTF-8 becomes two lines: with its bytes as escapes, and read as Windows-1252.  So a rule for `/\xe4`
    counts for the URL `/%E4` and for `/%C3%A4`.
    """
    if 4 * body.count(0) >= len(body) > 0:
        text = body.decode(_wide_codec(body), "replace").replace("\0", "")
        return (text[: text.rfind("\n") + 1] if cut else text).replace(_MARK, "")
    if cut:
        body = body[: max(body.rfind(b"\n"), body.rfind(b"\r")) + 1]
    while (mark := next(filter(body.startswith, _MARKS), None)) is not None:
        body = body.removeprefix(mark)
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = "\n".join(each for line in re.split(b"\r\n|\r|\n", body) for each in _readings(line))
    return _NOTHING.sub("", text)


_NOTHING = re.compile("[\0\u200b-\u200f\u2060\ufeff]")  # what editors leave, and nobody sees
_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"  # a byte order mark, which stands before lines if files were joined
_MARKS = (  # whole, encoded twice, of UTF-16, cut
    *(_MARK.encode(), _MARK.encode().decode("cp1252").encode()),
    *(codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, b"\xef\xbb", b"\xef"),
)


def _wide_codec(body: bytes) -> str:
    """The codec of a text in which most characters are ASCII, by the places of its zeros."""
    zeros = [body[place::4].count(0) for place in range(4)]
    if 8 * body.count(0) > 5 * len(body):
        return "utf-32-le" if zeros[0] <= zeros[3] else "utf-32-be"
    return "utf-16-le" if zeros[0] + zeros[2] <= zeros[1] + zeros[3] else "utf-16-be"


def _readings(line: bytes) -> list[str]:
    """What a line may mean."""
    try:
        return [line.decode()]
    except UnicodeDecodeError:
        return [line.decode("utf-8", _AS_ESCAPES), line.decode("cp1252", "replace")]


_AS_ESCAPES = "corpusmill-escapes"
codecs.register_error(_AS_ESCAPES, lambda error: _escapes(error))


def _escapes(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "".join(f"%{byte:02X}" for byte in error.object[error.start : error.end]), error.end
