"""Licences as corpora name them.

`rel="license"` names a page's licence (https://html.spec.whatwg.org/#link-type-license), so do schema.org's and Dublin
Core's properties; without one, links to Creative Commons deeds count if they all name the same licence, for a page
whose pictures have several says nothing of its text.
"""

import re
from collections.abc import Iterable

_DEED = re.compile(
    r"creativecommons\.org/(?:licenses/([a-z-]+)/(\d\.\d)(?:/([a-z]{2})(?![a-z]))?|publicdomain/(zero|mark)/(\d\.\d))",
    re.IGNORECASE,
)
_PUBLIC_DOMAIN = {"zero": "CC0", "mark": "PDM"}


def identifier(url: str) -> str:
    """The SPDX identifier of a Creative Commons deed's URL; any other URL as it is."""
    return deed(url) or url


def only_deed(urls: Iterable[str]) -> str | None:
    """The licence of the deeds among these URLs, if they are of one."""
    found = {licence for url in urls if (licence := deed(url))}
    return found.pop() if len(found) == 1 else None


def deed(url: str) -> str | None:
    """The SPDX identifier of a Creative Commons deed's URL; None for any other."""
    match = _DEED.search(url)
    if match is None:
        return None
    kind, version, country, public_domain, its_version = match.groups()
    if public_domain:
        return f"{_PUBLIC_DOMAIN[public_domain.lower()]}-{its_version}"
    return "-".join(["CC", kind.upper(), version, *([country.upper()] if country else [])])
