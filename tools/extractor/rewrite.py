"""Rewrite a page in another script, so that an extractor trained on English pages does not depend on English.

Markup, class names and the order of everything stay.  The visible words become words of an invented language.  The same
word always becomes the same invented word, so repetitions stay.  The invented words are in Cyrillic letters, in Han
characters without spaces, or in Latin letters that are not English words.  Scripts are removed, as in pages from a
renderer.  So the extractor cannot depend on what is only in scripts (JSON-LD).

The blocks of the rewritten page are those of the original, so its labels remain valid.
"""

import re
import zlib
from collections.abc import Callable
from functools import cache
from typing import Literal

Script = Literal["cyrillic", "han", "latin", "same"]
SCRIPTS: tuple[Script, ...] = ("cyrillic", "han", "latin", "same")

_DROPPED = re.compile(rb"<(script|style)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_KEPT = re.compile(r"<!--.*?-->|<[a-zA-Z!/?](?:[^>\"']|\"[^\"]*\"|'[^']*')*>|&#?\w+;?", re.DOTALL)
_META = re.compile(
    r"""(<meta\b[^>]*?(?:description|title)["'][^>]*?\bcontent\s*=\s*)("[^"]*"|'[^']*')""", re.IGNORECASE
)
_WORD = re.compile(r"[A-Za-z]+")
_BETWEEN = re.compile(r"(?<=[\u4e00-\u9fff，。！？])[ \n]+(?=[\u4e00-\u9fff])")
_HAN = range(0x4E00, 0x4E00 + 3000)
_FULL_WIDTH = (
    (re.compile(r"\.(?=\s|$)"), "。"),
    (re.compile(r",(?=\s|$)"), "，"),
    (re.compile(r"!(?=\s|$)"), "！"),
    (re.compile(r"\?(?=\s|$)"), "？"),
)
_CYRILLIC = str.maketrans("abcdefghijklmnopqrstuvwxyz", "абцдефгхийклмнопярстувшьжз")
_LATIN = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ecdfigbjolmnphuqrstvayxzwk")


def rewrite(page: bytes, script: Script) -> bytes:
    """A page (HTML in UTF-8) in another script, without its own scripts and styles."""
    page = _DROPPED.sub(b"", page)
    if script == "same":
        return page
    text = page.decode("utf-8", "replace")
    spoken = _SPEAKERS[script]
    text = _META.sub(lambda match: match[1] + match[2][0] + spoken(match[2][1:-1]) + match[2][0], text)
    pieces, at = [], 0
    for kept in _KEPT.finditer(text):
        pieces += [spoken(text[at : kept.start()]), kept[0]]
        at = kept.end()
    return "".join([*pieces, spoken(text[at:])]).encode()


def _letters(table: dict[int, int]) -> Callable[[str], str]:
    @cache
    def word(found: str) -> str:
        other = found.lower().translate(table)
        return other.upper() if found.isupper() and len(found) > 1 else other.title() if found[0].isupper() else other

    return lambda text: _WORD.sub(lambda match: word(match[0]), text)


@cache
def _han_word(word: str) -> str:
    value = zlib.crc32(word.encode())
    length = 1 if len(word) < 4 else 2 if len(word) < 8 else 3
    return "".join(chr(_HAN[(value >> 9 * i) * 7919 % len(_HAN)]) for i in range(length))


def _han(text: str) -> str:
    if not text.strip():
        return text
    for mark, full_width in _FULL_WIDTH:
        text = mark.sub(full_width, text)
    return _BETWEEN.sub("", _WORD.sub(lambda match: _han_word(match[0].lower()), text))


_SPEAKERS: dict[Script, Callable[[str], str]] = {
    "cyrillic": _letters(_CYRILLIC),
    "han": _han,
    "latin": _letters(_LATIN),
}
