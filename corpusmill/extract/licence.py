"""Licences as corpora name them.

`rel="license"` names a page's licence (https://html.spec.whatwg.org/#link-type-license), so do schema.org's and Dublin
Core's properties; without one, links to Creative Commons deeds count if they all name the same licence, for a page
whose pictures have several says nothing of its text.
"""

import re

_DEED = re.compile(
    rb"creativecommons\.org/(?:licenses/([a-z-]+)/(\d\.\d)(?:/([a-z]{2})(?![a-z]))?|publicdomain/(zero|mark)/(\d\.\d))",
    re.IGNORECASE,
)
_HOST = b"creativecommons.org/"
_PUBLIC_DOMAIN = {"zero": "CC0", "mark": "PDM"}


def identifier(url: str) -> str:
    """The SPDX identifier of a Creative Commons deed's URL; any other URL as it is."""
    deed = _DEED.search(url.encode("utf-8", "replace"))
    return _spdx(deed) if deed else url


def only_deed(source: bytes) -> str | None:
    """The identifier of the deeds that an HTML page names, if they are of one licence."""
    at = source.find(_HOST)
    if at < 0:
        return None
    deeds = {_spdx(match) for match in _DEED.finditer(source, at)}
    return deeds.pop() if len(deeds) == 1 else None


def _spdx(deed: re.Match[bytes]) -> str:
    kind, version, country, public_domain, its_version = (group.decode() if group else "" for group in deed.groups())
    if public_domain:
        return f"{_PUBLIC_DOMAIN[public_domain.lower()]}-{its_version}"
    return "-".join(["CC", kind.upper(), version, *([country.upper()] if country else [])])
