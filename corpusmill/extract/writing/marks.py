"""Leaves out texts that are on a page but not for its readers: marks of the layout, of the editor and of the software.

    headings       the link of a heading to itself ("¶", "#", "Direct link to ..."), MediaWiki's "[edit]"
    icons          names of icons that a font shows as pictures ("arrow_forward")
    hidden         texts for screen readers only ("opens in a new tab")
    numbers        line numbers beside code
    notices        to enable JavaScript, to subscribe to a newsletter; "5 min read"; buttons to share a page
    formulas       the rendered form of a formula, which is in the text as TeX

Whole elements are left out, by words in their class or id.  What is left of their text must confirm it: line numbers
are digits only, the link of a heading is short, and so on.  The decision which blocks are kept comes before, so nothing
here changes it.
"""

import dataclasses
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from corpusmill.extract.segments.attributes import class_token
from corpusmill.extract.segments.tables import BIT, Segments
from corpusmill.extract.segments.tags import TAG

MAX_MARK_BYTES = 400
MAX_NUMBERS_BYTES = 200_000  # of the line numbers of one text
MAX_NOTICE_CHARS = 250
MAX_FOUND = 20_000
MAX_BYTES_PER_BYTE = 8  # of the page's text, for all elements that are tried

_SIGNS = re.compile(r"^[\s\u200b#¶§🔗∞†⚓^*+]*$")
_TO_ITSELF = re.compile(
    r"^\s*(?:perma(?:nent )?link|link|anchor|direct link|copy link|link to (?:this )?(?:heading|section)"
    r"|section titled).{0,200}$",
    re.IGNORECASE | re.DOTALL,
)
_NUMBERS = re.compile(r"^[\s\d.:|]*$")
_ICON = re.compile(r"^\s*[a-z][a-z0-9_]*\s*$")
_EDIT = re.compile(r"^\s*[\[［【(].{0,100}[\]］】)]\s*$", re.DOTALL)
_MINUTES = re.compile(
    r"^\W*(?:\w+\s+){0,2}\d{1,3}\s*(?:-\s*)?(?:min|minutes?|mins|分钟|分|Min\.?|minuti|minutos)\b[^.]{0,20}$"
)
_SHARE = re.compile(
    r"^(?:\W*(?:share|tweet|pin|email|e-mail|print|copy|link|save|facebook|twitter|x|linkedin|whatsapp|reddit|pinterest"
    r"|telegram|bluesky|mastodon|threads|tumblr|wechat|weibo|line|on|to|via|this|article|story|post|page|more|follow|us"
    r"|teilen|drucken|partager|imprimer|compartir|condividi|分享|微博|微信)\b)+\W*$",
    re.IGNORECASE,
)
_SCRIPTS = re.compile(r"java\s*script|JS\b", re.IGNORECASE)
_NEWSLETTER = re.compile(
    r"^\W*(?:please\s+)?(?:sign\s+up|subscribe|get|join|receive|register|abonnieren|jetzt|abonnez|inscrivez|recevez"
    r"|suscr[ií]b|recibe|iscriviti|assine|inscreva|подпи|prenumerera|meld\b.{0,10}aan|zapisz|订阅|訂閱|購読|登録).{0,120}"
    r"(?:newsletter|boletín|lettre d.information|рассылк|nyhetsbrev|nieuwsbrief|通讯|電子報|电子报|メルマガ"
    r"|ニュースレター|mailing list|inbox)",
    re.IGNORECASE | re.DOTALL,
)
_OF_NEWSLETTER = (
    "ewsletter boletín рассылк nyhetsbrev nieuwsbrief 通讯 電子報 电子报 メルマガ ニュースレター mailing inbox"
)
_NEWSLETTER_WORDS = tuple(_OF_NEWSLETTER.encode().split())


class _Rule(NamedTuple):
    """Elements with all of these words are left out if their text fits."""

    words: tuple[str, ...]
    fits: Callable[[str], object]
    most_bytes: int = MAX_MARK_BYTES
    except_in: int = 0  # flags of elements in which it does not hold


_CELL, _HEADING, _PREFORMATTED = BIT["cell"], BIT["heading"], BIT["preformatted"]


def _any(text: str) -> bool:
    return True


def _is_link_of_heading(text: str) -> bool:
    return bool(_SIGNS.match(text) or _TO_ITSELF.match(text))


_RULES = [
    *(
        _Rule(tuple(words.split()), _is_link_of_heading)
        for words in (
            "headerlink", "hash link", "header anchor", "heading anchor", "heading link", "anchor", "anchorjs link",
            "permalink", "direct link", "section link", "header link", "anchor link",
        )
    ),
    _Rule(("mw", "editsection"), _any),
    _Rule(("editsection",), _EDIT.match),
    _Rule(("noprint", "inline", "template"), _EDIT.match),
    *(_Rule(tuple(words.split()), _ICON.match) for words in ("material icons", "material symbols", "google symbols")),
    *(
        _Rule(tuple(words.split()), _any, except_in=_CELL | _HEADING)  # there it is all that a reader would miss
        for words in (
            "sr only", "visually hidden", "visuallyhidden", "screen reader", "screenreader", "sronly", "a11y hidden",
            "assistive text",
        )
    ),
    *(
        _Rule(tuple(words.split()), _NUMBERS.match, MAX_NUMBERS_BYTES)
        for words in (
            "lineno", "linenos", "linenodiv", "linenumber", "linenumbers", "line number", "line numbers", "gutter",
            "crayon nums", "blob num", "lnt", "ln", "line num", "hljs ln numbers", "code line numbers", "rouge gutter",
        )
    ),
    *(
        _Rule(tuple(words.split()), _MINUTES.match)
        for words in ("reading time", "read time", "readtime", "readingtime", "min read", "rt reading", "eta")
    ),
    *(_Rule((word,), _SHARE.match) for word in ("share", "sharing", "social", "addtoany", "sharedaddy", "socials")),
    _Rule(("katex", "html"), _any, 20_000),
    _Rule(("math", "jax", "preview"), _any, 20_000),
    _Rule(("math", "jax"), _any, 50_000),
]  # fmt: skip


_BY_LAST: dict[int, list[tuple[frozenset[int], _Rule]]] = {}
for _rule in _RULES:
    _BY_LAST.setdefault(class_token(_rule.words[-1]), []).append((frozenset(map(class_token, _rule.words)), _rule))
_KEYS = np.array(sorted(_BY_LAST), np.uint32)
_A, _NOSCRIPT = TAG["a"], TAG["noscript"]
_SPACE, _LINE_FEED = b" \n"


def without_marks(segments: Segments, keep: npt.NDArray[np.bool_]) -> tuple[Segments, npt.NDArray[np.bool_]]:
    """The page without the marks in its kept blocks, and which blocks are still kept, bool (n_blocks,)."""
    if not keep.any():
        return segments, keep
    spans = _merged([*_of_rules(segments), *_of_headings(segments), *_notices(segments, keep)])
    return _without(segments, keep, spans) if spans else (segments, keep)


def _of_rules(segments: Segments) -> Iterator[tuple[int, int, bool]]:
    """Spans of the text that the rules leave out, and whether they are preformatted."""
    places = _KEYS[np.searchsorted(_KEYS, segments.tokens).clip(max=len(_KEYS) - 1)] == segments.tokens
    if not places.any():
        return
    nodes = segments.nodes
    found = places.nonzero()[0][:MAX_FOUND]
    owners = np.searchsorted(nodes["first_token"], found, side="right") - 1
    done, n_bytes_left = -1, MAX_BYTES_PER_BYTE * len(segments.text) + MAX_NUMBERS_BYTES
    for node, key in zip(owners.tolist(), segments.tokens[found].tolist(), strict=True):
        start, end = nodes["text_start"].item(node), nodes["text_end"].item(node)
        if start >= end or start < done:
            continue
        flags = nodes["flags"].item(node)
        own = set(segments.tokens[nodes["first_token"].item(node) : nodes["end_token"].item(node)].tolist())
        for words, rule in _BY_LAST[key]:
            if flags & rule.except_in or end - start > rule.most_bytes or not words <= own:
                continue
            n_bytes_left -= end - start
            if n_bytes_left < 0:  # many elements are in one another
                return
            if rule.fits(_text(segments, start, end)):
                yield start, end, bool(flags & _PREFORMATTED)
                done = end
                break


def _of_headings(segments: Segments) -> Iterator[tuple[int, int, bool]]:
    """Spans of links in headings that are signs only, whatever their class is."""
    nodes = segments.nodes
    lengths = nodes["text_end"] - nodes["text_start"]
    links = (nodes["tag"] == _A) & (nodes["flags"] & _HEADING != 0) & (lengths > 0) & (lengths <= 8)
    for node in links.nonzero()[0].tolist():
        start, end = nodes["text_start"].item(node), nodes["text_end"].item(node)
        if _SIGNS.match(_text(segments, start, end)):
            yield start, end, False


def _notices(segments: Segments, keep: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int, bool]]:
    """Spans of notices: to enable JavaScript in <noscript>, to subscribe to a newsletter."""
    nodes = segments.nodes
    for node in (nodes["tag"] == _NOSCRIPT).nonzero()[0].tolist():
        start, end = nodes["text_start"].item(node), nodes["text_end"].item(node)
        if start < end <= start + MAX_MARK_BYTES and _SCRIPTS.search(_text(segments, start, end)):
            yield start, end, False
    text = segments.text.tobytes()
    if any(word in text for word in _NEWSLETTER_WORDS):
        blocks = segments.blocks
        short = keep & (blocks["n_chars"] <= MAX_NOTICE_CHARS)
        for block in short.nonzero()[0].tolist():
            start, end = blocks["start"].item(block), blocks["end"].item(block)
            if _NEWSLETTER.match(_text(segments, start, end)):
                yield start, end, False


def _text(segments: Segments, start: int, end: int) -> str:
    return str(segments.text[start:end].data, "utf-8", "replace")


def _merged(spans: list[tuple[int, int, bool]]) -> list[tuple[int, int, bool]]:
    """Spans in order, without those that are inside others."""
    merged: list[tuple[int, int, bool]] = []
    for start, end, verbatim in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]), merged[-1][2])
        else:
            merged.append((start, end, verbatim))
    return merged


def _without(
    segments: Segments, keep: npt.NDArray[np.bool_], spans: list[tuple[int, int, bool]]
) -> tuple[Segments, npt.NDArray[np.bool_]]:
    """The page without spans of its text.  Blocks of which nothing is left are not kept."""
    text, n = segments.text, len(segments.text)
    stays = np.ones(n, np.bool_)
    for start, end, verbatim in spans:
        if not verbatim and text.item(start) == _SPACE:  # of an element's text, the space before it is a part
            start += 1
        stays[start:end] = False
        before = text.item(start - 1) if start else _LINE_FEED
        after = text.item(end) if end < n else _LINE_FEED
        if verbatim:
            continue
        if before in (_SPACE, _LINE_FEED) and after == _SPACE:
            stays[end] = False
        elif before == _SPACE and after == _LINE_FEED:
            stays[start - 1] = False
    place = np.concatenate(([0], np.cumsum(stays))).astype(np.int32)
    blocks, nodes = segments.blocks.copy(), segments.nodes.copy()
    for table, names in ((blocks, ("start", "end")), (nodes, ("text_start", "text_end"))):
        for name in names:
            table[name] = place[table[name]]
    return dataclasses.replace(segments, text=text[stays], blocks=blocks, nodes=nodes), keep & (
        blocks["end"] > blocks["start"]
    )
