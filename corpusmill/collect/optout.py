"""What a page or its headers say about its use: robots directives and TDM reservations.

- `<meta name="robots" content="noindex, noai">` and the header `X-Robots-Tag: noindex`.  A meta element may have the
  name of a crawler instead, and the header's value may begin with a crawler's name (`otherbot: noindex`).  Such a
  directive counts only if the crawler is ours.
  Source: https://developers.google.com/search/docs/crawling-indexing/robots-meta-tag
- `tdm-reservation: 1` as header or meta element: the W3C Community Group's TDM Reservation Protocol.
"""

import re
from collections.abc import Collection, Iterable

OUR_NAME = "corpusmill"
COMPATIBLE = re.compile(r"\s*mozilla\b.*?\bcompatible;\s*([a-z0-9_.-]+)", re.IGNORECASE)
_AGENT = re.compile(r"\s*([A-Za-z][\w.-]*)\s*:\s*(.*)", re.DOTALL)
# these directives contain colons, too
_WITH_VALUE = ("unavailable_after", "max-snippet", "max-image-preview", "max-video-preview")


def opted_out(directives: Iterable[tuple[str, str]], wanted: Collection[str], agents: Collection[str]) -> str | None:
    """The first directive that the recipe obeys, as "name: directive"; None if the page may be used.

    directives: (name in lower case, content) of headers and meta elements
    wanted: the directives that the recipe obeys, in lower case
    agents: the names of our crawler, in lower case
    """
    for name, content in directives:
        if name == "tdm-reservation":
            if content.strip() == "1" and name in wanted:
                return f"{name}: 1"
        elif name in ("robots", "x-robots-tag") or name in agents:
            for agent, directive in _robots(content):
                if directive in wanted and (agent is None or agent in agents):
                    return f"{name}: {directive}"
    return None


def _robots(content: str) -> Iterable[tuple[str | None, str]]:
    """(crawler or None, directive) of a robots value.  A crawler's name holds until the next name."""
    agent: str | None = None
    for part in content.lower().split(","):
        named = _AGENT.match(part)
        if named and named[1] not in _WITH_VALUE:
            agent, part = named[1], named[2]
        yield agent, part.strip()


def product(user_agent: str) -> str:
    """The product token of a user agent in lower case, without version: robots directives use this name.

    Many crawlers call themselves compatible with a browser: `Mozilla/5.0 (compatible; Somebot/1.0)`.
    """
    header = COMPATIBLE.match(user_agent)
    return re.split(r"[/\s]", header[1] if header else user_agent.strip(), maxsplit=1)[0].lower()
