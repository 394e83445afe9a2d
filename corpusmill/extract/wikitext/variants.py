"""Language variants in wikitext: `-{zh-hans:计算机; zh-hant:電腦}-` is one word, written in one of two ways.

The syntax is that of MediaWiki's LanguageConverter.  Of the forms of a word, one is written: the one that fits the
script of the page.  Chinese pages mix both scripts as their authors did, so the script is counted: the more frequent
one of simplified and traditional characters wins.  Rules that only change titles or other places of the page (flags T,
H, D and so on) are left out.
"""

import re
from typing import Final

_VARIANT: Final = re.compile(r"-\{(?!\{)((?:(?!-\{|\}-).)*+)\}-", re.DOTALL)
_RULE: Final = re.compile(
    r"(?:^|;)\s*(?:[^;:]*=>\s*)?((?:zh|sr|kk|ku|gan|crh|iu|shi|tg|uz|tly|sh|ban|wuu)(?:-[a-z]+)*|hans|hant)\s*:",
    re.IGNORECASE,
)
_SIMPLIFIED: Final = "国这说时会来对发经们为学过动种从后开关长问门间无业东车见书"
_TRADITIONAL: Final = "國這說時會來對發經們為學過動種從後開關長問門間無業東車見書"
_IN_ORDER: Final = {
    "hans": ("zh-hans", "zh-cn", "zh-sg", "zh-my", "hans", "zh", "zh-hant", "zh-tw", "zh-hk", "zh-mo"),
    "hant": ("zh-hant", "zh-tw", "zh-hk", "zh-mo", "hant", "zh", "zh-hans", "zh-cn", "zh-sg", "zh-my"),
}
_SILENT: Final = frozenset("HTDN")  # flags of rules that write nothing here
MAX_NESTING = 8


def one_variant(text: str) -> str:
    """The wikitext with one form of each word."""
    if "-{" not in text:
        return text
    script = "hant" if _count(text, _TRADITIONAL) > _count(text, _SIMPLIFIED) else "hans"
    for _ in range(MAX_NESTING):
        text, n = _VARIANT.subn(lambda match: _chosen(match[1], script), text)
        if n == 0:
            break
    return text


def _count(text: str, characters: str) -> int:
    return sum(map(text.count, characters))


def _chosen(inner: str, script: str) -> str:
    flags, bar, rest = inner.partition("|")
    if bar and re.fullmatch(r"[A-Z;\-\s]*|(?:[a-z]+(?:-[a-z]+)*[;\s]*)+", flags):
        if flags.strip() == "-" or not _SILENT.isdisjoint(flags):
            return ""
        inner = rest
        if "R" in flags:
            return inner
    found = list(_RULE.finditer(inner))
    if not found:
        return inner
    ends = [*(match.start() for match in found[1:]), len(inner)]
    forms: dict[str, str] = {}
    for match, end in zip(found, ends, strict=True):
        forms.setdefault(match[1].lower(), inner[match.end() : end].strip().removesuffix(";").rstrip())
    return next((forms[name] for name in _IN_ORDER[script] if name in forms), next(iter(forms.values())))
