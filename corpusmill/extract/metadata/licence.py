"""Licences by the names that corpora use.

`rel="license"` names a page's licence (https://html.spec.whatwg.org/#link-type-license).  Properties of schema.org and
of Dublin Core do the same.  If there is none of these, links to Creative Commons deeds count, if all of them name the
same licence.  If they name several, these are the licences of pictures, and say nothing about the page's text.
"""

import re
from collections.abc import Iterable

_DEED = re.compile(
    r"creativecommons\.org/(?:licenses/([a-z-]+)/(\d\.\d)(?:/([a-z]{2})(?![a-z]))?|publicdomain/(zero|mark)/(\d\.\d))",
    re.IGNORECASE,
)
_PUBLIC_DOMAIN = {"zero": "CC0", "mark": "PDM"}


def identifier(url: str) -> str:
    """The SPDX identifier for a URL of a Creative Commons deed; any other URL is returned as it is."""
    return deed(url) or url


def only_deed(urls: Iterable[str]) -> str | None:
    """The licence of the deeds among these URLs, if all of them name the same one."""
    found = {licence for url in urls if (licence := deed(url))}
    return found.pop() if len(found) == 1 else None


def deed(url: str) -> str | None:
    """The SPDX identifier for a URL of a Creative Commons deed; None for any other URL."""
    match = _DEED.search(url)
    if match is None:
        return None
    kind, version, country, public_domain, its_version = match.groups()
    if public_domain:
        return f"{_PUBLIC_DOMAIN[public_domain.lower()]}-{its_version}"
    return "-".join(["CC", kind.upper(), version, *([country.upper()] if country else [])])
