"""calendar.example: the host of the example web whose answers are made when they are asked for.

It has what a file cannot hold: a calendar without an end, which is a trap for crawlers, and a page that answers the
first request with 429, "too many requests".
"""

import re
from collections import Counter
from collections.abc import Mapping

HOST = "calendar.example"
SEED = f"http://{HOST}/"
_MONTH = re.compile(r"/([0-9]{4})/([0-9]{2})/")


class Live:
    """The answers of the host, which depend on how often it was asked."""

    def __init__(self) -> None:
        self._asked: Counter[str] = Counter()

    def answer(self, host: str, path: str) -> tuple[int, Mapping[str, str], bytes] | None:
        """Status, headers and body of an answer; None if the URL belongs to another host, or there is no such page."""
        if host != HOST:
            return None
        self._asked[path] += 1
        if path == "/":
            return _page("The calendar", '<a href="/2026/11/">November 2026</a>, <a href="/tickets/">tickets</a>')
        if path == "/tickets/":
            if self._asked[path] == 1:
                return 429, {"Content-Type": "text/html", "Retry-After": "1"}, b"<p>One after the other, please.\n"
            return _page("Tickets", "<p>There are seats left for the reading of the letters.</p>")
        if (found := _MONTH.fullmatch(path)) and 1 <= int(found[2]) <= 12:
            return _month(int(found[1]), int(found[2]))
        return None


def _month(year: int, month: int) -> tuple[int, Mapping[str, str], bytes]:
    n = 12 * year + month - 1
    links = "".join(f'<a href="/{m // 12:04}/{m % 12 + 1:02}/">{name}</a> ' for name, m in (
        ("the month before", n - 1), ("the month after", n + 1), ("ten years later", n + 120),
    ))  # fmt: skip
    return _page(f"{month}/{year}", f"<p>Nothing takes place in this month.</p><p>{links}</p>")


def _page(title: str, body: str) -> tuple[int, Mapping[str, str], bytes]:
    text = f"<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1>{body}</body></html>\n"
    return 200, {"Content-Type": "text/html; charset=utf-8"}, text.encode()
