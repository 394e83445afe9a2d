"""The licence that a page states for itself.

`rel="license"` names it (https://html.spec.whatwg.org/#link-type-license); without one, links to a Creative Commons
deed count if they all name the same licence, for a page whose pictures have several says nothing of its text.
"""

import html
import re

_DEED = re.compile(
    r"creativecommons\.org/(?:licenses/([a-z-]+)/(\d\.\d)(?:/([a-z]{2})(?![a-z]))?|publicdomain/(zero|mark)/(\d\.\d))",
    re.IGNORECASE,
)
_REL = re.compile(r"""\brel\s*=\s*(?:"[^">]*\blicense\b|'[^'>]*\blicense\b|license\b)""", re.IGNORECASE)
_HREF = re.compile(r"""\bhref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
MAX_TAG = 2000  # characters before and after the word
_PUBLIC_DOMAIN = {"zero": "CC0", "mark": "PDM"}


def licence_of(page: str) -> str | None:
    """The licence of an HTML page: an SPDX identifier for Creative Commons, else the URL of the first rel=license."""
    at = -1
    while (at := page.find("license", at + 1)) >= 0:  # 20 times faster than a search for the attribute
        if named := _named_by_tag(page, at):
            return identifier(named)
    deeds = {identifier(match[0]) for match in _DEED.finditer(page)} if "creativecommons.org/" in page else set()
    return deeds.pop() if len(deeds) == 1 else None


def identifier(url: str) -> str:
    """The SPDX identifier of a Creative Commons deed's URL; any other URL as it is."""
    deed = _DEED.search(url)
    if deed is None:
        return url
    kind, version, country, public_domain, its_version = deed.groups()
    if public_domain:
        return f"{_PUBLIC_DOMAIN[public_domain.lower()]}-{its_version}"
    return "-".join(["CC", kind.upper(), version, *([country.upper()] if country else [])])


def _named_by_tag(page: str, at: int) -> str | None:
    """The href of the tag around `at`, if that is a link to a licence."""
    start = page.rfind("<", max(at - MAX_TAG, 0), at)
    tag = page[start : page.find(">", at, at + MAX_TAG) + 1] if start >= 0 else ""
    href = _HREF.search(tag) if _REL.search(tag) else None
    return html.unescape(href[1] or href[2] or href[3] or "").strip() or None if href else None
