"""What became of a crawl's seeds, in words: why a seed gave no page."""

from collections import defaultdict
from typing import Any

from corpusmill.collect.crawl.frontier import PAGE_FATES
from corpusmill.collect.crawl.state import CrawlFolder
from corpusmill.collect.crawl.tables import read_table
from corpusmill.collect.crawl.urls import normalise
from corpusmill.collect.settings import CrawlSettings
from corpusmill.errors import CorpusmillError, InputError, RunError
from corpusmill.reasons import Fate

_COLUMNS = ["url", "fate", "error", "http_status", "redirect_to"]
_WORDS = {
    Fate.ROBOTS_DISALLOWED: "disallowed by robots.txt",
    Fate.ROBOTS_UNREACHABLE: "not asked, because robots.txt could not be fetched",
    Fate.OPTED_OUT: "reserved by its host",
    Fate.OUT_OF_SCOPE: "out of scope",
    Fate.PRIVATE_ADDRESS: "at a private address",
    Fate.FAILED: "not answered",
    Fate.PAGE_LIMIT: "beyond a limit of the recipe",
    Fate.REDIRECT_LIMIT: "redirected too often",
}
_ADVICE = {
    Fate.OUT_OF_SCOPE: "add its host to hosts in [sources.crawl]",
    Fate.PRIVATE_ADDRESS: "allow_private_addresses = true allows your own servers",
}
_MAY_PASS = (Fate.ROBOTS_UNREACHABLE, Fate.FAILED)  # another run may fare better


def gave_page(fate: str, http_status: int | None) -> bool:
    """Whether a URL with this fate has a page: it was answered with 2xx, or is unchanged."""
    return fate == Fate.UNCHANGED or (fate in PAGE_FATES and 200 <= (http_status or 0) < 300)


def without_page(folder: CrawlFolder, settings: CrawlSettings) -> tuple[str, set[str]]:
    """The seeds of a closed crawl that gave no page, in words, and their fates.  A seed may redirect to its page."""
    seeds = [url for text in dict.fromkeys(settings.seeds) if (url := normalise(text))]
    rows: dict[str, dict[str, Any]] = {}
    wanted = set(seeds)
    for _ in range(settings.max_redirects + 2):
        if not wanted:
            break
        found = {row["url"]: row for row in _rows(folder, wanted)}
        rows |= found
        wanted = {row["redirect_to"] for row in found.values() if row["redirect_to"]} - rows.keys()
    said: defaultdict[str, list[str]] = defaultdict(list)
    fates: set[str] = set()
    advice: dict[str, None] = {}
    for seed in dict.fromkeys(seeds):
        last = _followed(seed, rows)
        if last is None or gave_page(last["fate"], last["http_status"]):
            continue
        fates.add(last["fate"])
        if last["fate"] in _ADVICE and not str(last["error"]).startswith("excluded"):
            advice[_ADVICE[last["fate"]]] = None
        way = seed if last["url"] == seed else f"{seed} redirects to {last['url']}"
        said[_words(last)].append(f"{way}: {last['error']}" if last["error"] else way)
    parts = [
        f"{len(ways)} of {len(seeds)} seeds {'is' if len(ways) == 1 else 'are'} {words} ({_first(ways)})"
        if len(seeds) > 1
        else f"its seed is {words} ({ways[0]})"
        for words, ways in said.items()
    ]
    return "; ".join([*parts, *advice]), fates


def nothing_fetched(folder: CrawlFolder, settings: CrawlSettings) -> CorpusmillError:
    """The error that a closed crawl gave no page at all.  A RunError if another run may fare better."""
    words, fates = without_page(folder, settings)
    error = RunError if fates & set(_MAY_PASS) else InputError
    return error(f"source '{folder.source}': no page was fetched: {words or 'none of its seeds gave one'}")


def _rows(folder: CrawlFolder, urls: set[str]) -> list[dict[str, Any]]:
    tables = (read_table(path, _COLUMNS, urls=urls) for path in folder.files("urls"))
    return [row for table in tables for row in table.to_pylist()]


def _followed(url: str, rows: dict[str, dict[str, Any]]) -> dict[str, Any] | None:
    """The row at the end of a URL's redirects, as far as they were met."""
    row, seen = rows.get(url), {url}
    while row and (target := row["redirect_to"]) in rows and target not in seen:
        seen.add(target)
        row = rows[target]
    return row


def _words(row: dict[str, Any]) -> str:
    if row["fate"] in PAGE_FATES:
        return f"answered with HTTP status {row['http_status']}"
    return _WORDS.get(row["fate"]) or str(row["fate"]).replace("_", " ")


def _first(ways: list[str]) -> str:
    """The first of the ways, and how many more there are."""
    more = len(ways) - 1
    return ways[0] + (f", and {more:,} more" if more else "")
