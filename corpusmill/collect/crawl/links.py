"""The links of a page or a sitemap, and whether its author allows crawlers to follow them.

Links are the addresses in `a`, `area`, `frame` and `iframe`, and of a `meta refresh`, relative to the first `base`.
The header `Refresh` has one, too.  An answer without a type is read if its beginning is markup, as browsers do it.

Two kinds of links are not followed.  The first are links with rel=nofollow.  The second are all links of a page whose
meta robots or X-Robots-Tag header says `nofollow` or `none`, to all crawlers or to this one by name.

A canonical link, in the page or in a Link header, is a link, too, and is kept by itself.  So is the first directive by
which a page reserves itself: it is on record with the URL, and the pages of the corpus obey it (`collect/optout.py`).

Only the first MAX_LINKS different links of a page are kept.  A page of 10 MB can have a million links, and the crawl
remembers every URL that it has met.

Measured cost: 1 ms for a page of 17 KB (the example web), mostly for normal forms; 2 s for 600,000 links in 9 MB.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from resiliparse.parse.encoding import bytes_to_str, detect_encoding, map_encoding_to_html5

from corpusmill.collect.crawl.answer import Answer
from corpusmill.collect.crawl.markup import tags
from corpusmill.collect.crawl.sitemaps import sitemap_urls
from corpusmill.collect.crawl.traps import without_session
from corpusmill.collect.crawl.urls import normalise
from corpusmill.collect.http import media_of
from corpusmill.collect.optout import opted_out

MAX_LINKS = 20_000  # per page
MAX_DIRECTIVES = 100
OPT_OUTS = frozenset({"noindex", "none", "noai", "noimageai", "tdm-reservation"})

_ADDRESSES = {"a": "href", "area": "href", "frame": "src", "iframe": "src"}
_WANTED = {*_ADDRESSES, "base", "link", "meta"}
_REFRESH = re.compile(r"\s*+[0-9.]*+\s*+[;,]\s*+url\s*+=\s*+[\"']?([^\"']*)", re.IGNORECASE)
_CANONICAL = re.compile(r"<([^<>]*)>[^,<>]*;\s*rel\s*=\s*[\"']?canonical\b", re.IGNORECASE)
_DIRECTIVES_WITH_A_VALUE = ("unavailable_after", "max-snippet", "max-image-preview", "max-video-preview")


@dataclass(slots=True)
class _Found:
    """What the tags of a page say."""

    links: list[tuple[str, bool]] = field(default_factory=list)  # (as written, nofollow)
    base: str | None = None
    canonical: str | None = None
    directives: list[tuple[str, str]] = field(default_factory=list)  # (robots, the agent or tdm-reservation, content)


@dataclass(frozen=True, slots=True)
class PageLinks:
    """What a page says to crawlers."""

    links: dict[str, bool] = field(default_factory=dict)  # normalised URL -> nofollow, in the page's order
    canonical: str | None = None  # the URL that the page declares to be its own, if that is another one
    opt_out: str | None = None  # the directive by which the page reserves itself, such as `robots: noai`


def links_of(answer: Answer, agent: str, max_bytes: int) -> PageLinks:
    """The links of a page, of a sitemap or in HTTP headers.

    `agent` is the crawler's name in robots directives.  At most `max_bytes` of the decoded body are read.
    """
    headers = [("x-robots-tag", value) for value in answer.all("x-robots-tag")]
    headers += [("tdm-reservation", value) for value in answer.all("tdm-reservation")]
    canonical = next((m[1] for value in answer.all("link") for m in _CANONICAL.finditer(value)), None)
    nofollow = _says_nofollow(_addressed_to(agent, (value for _, value in headers[:MAX_DIRECTIVES])))
    if (urls := sitemap_urls(answer)) is not None:
        links = {url: nofollow for text in urls if (url := _target(text, answer.url))}
        return PageLinks(links, None, opted_out(headers, OPT_OUTS, {agent}))
    refreshed = [to[1] for value in answer.all("refresh") if (to := _REFRESH.match(value))]
    links = {url: nofollow for text in refreshed[:1] if (url := _target(text, answer.url))}
    body = answer.decoded(max_bytes).content if answer.status == 200 else b""
    if not body or media_of(answer.media_type, body)[0] != "html":
        return _with_canonical(answer, links, nofollow, canonical, opted_out(headers, OPT_OUTS, {agent}))
    encoding = map_encoding_to_html5(answer.charset, fallback_utf8=False) if answer.charset else None
    encoding = encoding or detect_encoding(body, from_html_meta=True) or "utf-8"
    found = _look(bytes_to_str(body, encoding), agent)
    base = normalise(found.base, answer.url) if found.base else None
    arguments = "utf-8" if encoding.lower().startswith("utf-16") else encoding
    nofollow = nofollow or _says_nofollow(content for name, content in found.directives if name != "tdm-reservation")
    written: dict[str, bool] = {}
    for address, own_nofollow in found.links:
        address = address.partition("#")[0]
        if address in written or len(written) < MAX_LINKS:
            written[address] = (nofollow or own_nofollow) and written.get(address, True)
    for address, not_followed in written.items():
        url = _target(address, base or answer.url, arguments)
        if url is not None:
            links[url] = not_followed and links.get(url, True)
    opt_out = opted_out([*headers, *found.directives], OPT_OUTS, {agent})
    return _with_canonical(answer, links, nofollow, canonical or found.canonical, opt_out, base)


def _with_canonical(
    answer: Answer,
    links: dict[str, bool],
    nofollow: bool,
    written: str | None,
    opt_out: str | None,
    base: str | None = None,
) -> PageLinks:
    canonical = _target(written, base or answer.url) if written else None
    if canonical == answer.url:
        canonical = None
    if canonical is not None:
        links.setdefault(canonical, nofollow)
    return PageLinks(links, canonical, opt_out)


def _target(address: str, base: str, encoding: str = "utf-8") -> str | None:
    url = normalise(address, base, encoding)
    return None if url is None else without_session(url)


def _look(page: str, agent: str) -> _Found:
    found = _Found()
    for tag, attributes in tags(page, _WANTED):
        if tag in _ADDRESSES:
            if (address := attributes.get(_ADDRESSES[tag])) is not None:
                found.links.append((address, "nofollow" in attributes.get("rel", "").lower().split()))
        elif tag == "link":
            if found.canonical is None and "canonical" in attributes.get("rel", "").lower().split():
                found.canonical = attributes.get("href")
        elif tag == "base" and found.base is None:
            found.base = attributes.get("href")
        elif tag == "meta":
            content = attributes.get("content", "")
            if attributes.get("name", "").strip().lower() in ("robots", agent):
                found.directives.append((attributes["name"].strip().lower(), content))
            elif attributes.get("name", "").strip().lower() == "tdm-reservation":
                found.directives.append(("tdm-reservation", content))
            elif attributes.get("http-equiv", "").strip().lower() == "refresh" and (to := _REFRESH.match(content)):
                found.links.append((to.group(1), False))
    return found


def _says_nofollow(directives: Iterable[str]) -> bool:
    return any(word.strip().lower() in ("nofollow", "none") for text in directives for word in text.split(","))


def _addressed_to(agent: str, headers: Iterable[str]) -> Iterable[str]:
    """The directives of X-Robots-Tag headers that apply to all crawlers or to `agent`.

    A header may start with a crawler's name and a colon, and may name another crawler after a comma.  Some directives
    contain a colon, too.
    """
    for header in headers:
        to_us = True
        for part in header.split(","):
            name, colon, rest = part.partition(":")
            if colon and name.strip().lower() not in _DIRECTIVES_WITH_A_VALUE:
                to_us = name.strip().lower() in ("*", agent)
                part = rest
            if to_us:
                yield part
