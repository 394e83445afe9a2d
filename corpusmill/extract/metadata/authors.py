"""Names of authors, cleaned of what pages put around them."""

import re
from collections.abc import Iterable
from itertools import islice

MAX_AUTHORS = 50
MAX_CHARS = 150  # of a name
MAX_TEXTS, MAX_TEXT_CHARS, MAX_PARTS, MAX_PART_CHARS = 50, 5000, 200, 500
_BEFORE = re.compile(
    r"^(?:(?:(?:written|posted|published|words|story|text|article)\s+)?by\b|authors?\b|autor(?:en|in|es)?\b|auteurs?\b"
    r"|autore\b|text\s*:|作者|记者|記者|文(?=\s*[:：]))\s*[:：]?\s*"
    r"|^(?:von|par|por|di|door|av|af|от)\s*:?\s+(?=\S+\s+\S)",  # with two names after it: Von Miller is a name
    re.IGNORECASE,
)
_ADDRESS = re.compile(
    r"[(<\[]?(?<![\w.+-])([.+-]*+)\b(?:mailto:)?[\w.+-]++@[\w-]+(?:\.[\w-]+)+\b[)>\]]?", re.IGNORECASE
)
_URL = re.compile(r"^(?:https?:)?//|^www\.|^@|^\S+\.(?:com|net|org)/|^/|^#", re.IGNORECASE)
_DOMAIN = re.compile(r"\s*\(\s*(?:https?://)?[\w-]++(?:\.[\w-]++)++[^()]*+\)")
_REPORTER = re.compile(r"\s*(?:기자|記者|记者)$")
_BEYOND = re.compile(r"\s+[|•·]\s.*|\s*\|.*|\s+https?://.*", re.DOTALL)
_PLACEHOLDERS = (
    "admin administrator anonymous author editor guest n/a nan nobody none null root superuser test undefined unknown "
    "user webmaster"
)
_NOBODY = frozenset(_PLACEHOLDERS.split())


def clean_authors(texts: Iterable[str]) -> tuple[str, ...]:
    """The names in these texts, each once, in order; addresses of mail and of profiles are none."""
    found: dict[str, str] = {}
    parts = (part for text in islice(texts, MAX_TEXTS) for part in text[:MAX_TEXT_CHARS].split(";"))
    for name in filter(None, map(_clean, islice(parts, MAX_PARTS))):
        found.setdefault(name.casefold(), name)
    return tuple(islice(found.values(), MAX_AUTHORS))


def _clean(text: str) -> str | None:
    text = " ".join(text[:MAX_PART_CHARS].split())
    if _URL.match(text):
        return None
    if "@" in text:
        text = _ADDRESS.sub(r"\1", text)
    if "(" in text:
        text = _DOMAIN.sub("", text)
    name = _BEYOND.sub("", _BEFORE.sub("", text))
    name = _REPORTER.sub("", name.strip(" ,;:|-–—[]\"'"))
    if not 2 <= len(name) <= MAX_CHARS or name.casefold() in _NOBODY or not any(map(str.isalpha, name)):
        return None
    return name
