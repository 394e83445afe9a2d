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
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from corpusmill.extract.segments.attributes import class_token
from corpusmill.extract.segments.lean import Bytes, Int, Rows, Words, lean_entry
from corpusmill.extract.segments.tables import BIT, Segments, copied
from corpusmill.extract.segments.tags import TAG

MAX_MARK_BYTES = 400
MAX_NUMBERS_BYTES = 200_000  # of the line numbers of one text
MAX_NOTICE_CHARS = 250
MAX_FOUND_AT_FIRST, MAX_FOUND = 256, 20_000  # elements; few pages have more than the first number
MAX_BYTES_PER_BYTE = 8  # of the page's text, for all elements that are tried

_SIGNS = re.compile(r"^[\s\u200b#¶§🔗∞†⚓^*+\ue000-\uf8ff]*$")  # the last are pictures in fonts of icons
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
_OF_NEWSLETTER = (  # in each alternative above
    "newsletter boletín information рассылк nyhetsbrev nieuwsbrief 通讯 電子報 电子报 メルマガ ニュースレター "
    "mailing inbox"
)
_PARTS = [word[1:5] for said in (_OF_NEWSLETTER, _OF_NEWSLETTER.upper()) for word in said.encode().split()]
_LOWER, _FACTOR, _SHIFT, _MASK = 0x20202020, 2654435761, 16, 0xFFFF
_MAYBE_NEWSLETTER = np.zeros(_MASK + 1, np.bool_)  # by a hash of four bytes, in lower case (Fibonacci hashing)
for _part in _PARTS:
    _MAYBE_NEWSLETTER[((int.from_bytes(_part) | _LOWER) * _FACTOR >> _SHIFT) & _MASK] = True


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


# The rules as arrays, for the kernel.  Unused places of a row of words hold its last word.
_MOST_WORDS = max(len(rule.words) for rule in _RULES)
_WORDS = np.array(
    [
        [*map(class_token, rule.words), *[class_token(rule.words[-1])] * (_MOST_WORDS - len(rule.words))]
        for rule in _RULES
    ],
    np.uint32,
)
_MOST_BYTES = np.array([rule.most_bytes for rule in _RULES], np.int32)
_EXCEPT_IN = np.array([rule.except_in for rule in _RULES], np.int64)
_FILTER_BITS = 12
_MAYBE = np.zeros(1 << _FILTER_BITS, np.bool_)  # by the last bits of a token: whether it can be the last word of a rule
_MAYBE[_WORDS[:, -1] & (len(_MAYBE) - 1)] = True
_LONGEST = int(_MOST_BYTES.max())
_LINK_OF_HEADING, _SCRIPT_NOTICE = -1, -2  # in place of a rule's number
_MAX_SIGN_BYTES = 8
_FOUND = np.dtype([("start", np.int32), ("end", np.int32), ("rule", np.int32), ("verbatim", np.int32)], align=True)
_A, _NOSCRIPT = TAG["a"], TAG["noscript"]
_SPACE, _LINE_FEED = b" \n"
_NO_SPACE_AFTER, _NO_SPACE_BEFORE = b" \n([{", b"\n.,;:!?)]}"
Span = tuple[int, int, bool]
"""Start and end in the page's text, and whether the text is preformatted."""


def without_marks(segments: Segments, keep: npt.NDArray[np.bool_]) -> tuple[Segments, npt.NDArray[np.bool_]]:
    """The page without the marks in its kept blocks, and which blocks are still kept, bool (n_blocks,)."""
    if not keep.any():
        return segments, keep
    spans = _merged([*_of_elements(segments, keep), *_newsletters(segments, keep)])
    return _without(segments, keep, spans) if spans else (segments, keep)


def _of_elements(segments: Segments, keep: npt.NDArray[np.bool_]) -> Iterator[Span]:
    """Spans of elements that are left out: by the rules, signs that are links in headings, notices in <noscript>."""
    page = (segments.blocks, segments.nodes, segments.tokens, keep)
    found = np.empty(MAX_FOUND_AT_FIRST, _FOUND)
    n_found = _find(*page, _MAYBE, _WORDS, _MOST_BYTES, _EXCEPT_IN, found)
    if n_found == len(found):
        found = np.empty(MAX_FOUND, _FOUND)
        n_found = _find(*page, _MAYBE, _WORDS, _MOST_BYTES, _EXCEPT_IN, found)
    done, n_bytes_left = -1, MAX_BYTES_PER_BYTE * len(segments.text) + MAX_NUMBERS_BYTES
    for start, end, rule, verbatim in found[:n_found].tolist():
        if rule < 0:
            fits: Callable[[str], object] = _SIGNS.match if rule == _LINK_OF_HEADING else _SCRIPTS.search
            if fits(_text(segments, start, end)):
                yield start, end, False
        elif start >= done and n_bytes_left > 0:
            n_bytes_left -= end - start  # many elements may be in one another
            if n_bytes_left >= 0 and _RULES[rule].fits(_text(segments, start, end)):
                yield start, end, bool(verbatim)
                done = end


@lean_entry
def _find(
    blocks: Rows, nodes: Rows, tokens: Words, keep: Any, maybe: Any, words: Any, most: Any, except_in: Any, found: Rows
) -> Int:
    """Write into `found` which elements with text in kept blocks may be marks, and by which rule; their number.

    An element may be in `found` by several rules.
    """
    n_found, block = 0, 0
    for i in range(len(nodes)):
        node = nodes[i]
        n_bytes = node.text_end - node.text_start
        if n_bytes <= 0 or n_bytes > _LONGEST:
            continue
        while block < len(blocks) and (not keep[block] or blocks[block].end <= node.text_start):
            block += 1
        if block == len(blocks):
            break
        if blocks[block].start >= node.text_end:
            continue
        verbatim = 1 if node.flags & _PREFORMATTED else 0
        special = 0
        if node.tag == _A and node.flags & _HEADING and n_bytes <= _MAX_SIGN_BYTES:
            special = _LINK_OF_HEADING
        elif node.tag == _NOSCRIPT and n_bytes <= MAX_MARK_BYTES:
            special = _SCRIPT_NOTICE
        if special and n_found < len(found):
            found[n_found].start, found[n_found].end = node.text_start, node.text_end
            found[n_found].rule, found[n_found].verbatim = special, 0
            n_found += 1
        for k in range(node.first_token, node.end_token):
            token = tokens[k]
            if not maybe[token & (len(maybe) - 1)]:
                continue
            for rule in range(len(words)):
                if words[rule, -1] != token or n_bytes > most[rule] or node.flags & except_in[rule]:
                    continue
                n_words = 1
                for w in range(words.shape[1] - 1):
                    for own in range(node.first_token, node.end_token):
                        if tokens[own] == words[rule, w]:
                            n_words += 1
                            break
                if n_words == words.shape[1] and n_found < len(found):
                    found[n_found].start, found[n_found].end = node.text_start, node.text_end
                    found[n_found].rule, found[n_found].verbatim = rule, verbatim
                    n_found += 1
    return n_found


def _newsletters(segments: Segments, keep: npt.NDArray[np.bool_]) -> Iterator[Span]:
    """Spans of kept blocks that ask to subscribe to a newsletter."""
    found = np.empty(len(keep), np.int32)
    n_found = _find_newsletters(segments.text, segments.blocks, keep, _MAYBE_NEWSLETTER, found)
    for block in found[:n_found].tolist():
        start, end = segments.blocks["start"].item(block), segments.blocks["end"].item(block)
        if _NEWSLETTER.match(_text(segments, start, end)):
            yield start, end, False


@lean_entry
def _find_newsletters(text: Bytes, blocks: Rows, keep: Any, maybe: Any, found: Any) -> Int:
    """Write into `found` which short kept blocks may have a word for a newsletter; their number."""
    n_found = 0
    for b in range(len(blocks)):
        if not keep[b] or blocks[b].n_chars > MAX_NOTICE_CHARS:
            continue
        four = 0
        for i in range(blocks[b].start, blocks[b].end):
            four = (four << 8 | text[i]) & 0xFFFFFFFF
            if maybe[((four | _LOWER) * _FACTOR >> _SHIFT) & _MASK]:
                found[n_found] = b
                n_found += 1
                break
    return n_found


def _text(segments: Segments, start: int, end: int) -> str:
    return str(segments.text[start:end].data, "utf-8", "replace")


def _merged(spans: list[Span]) -> list[Span]:
    """Spans in order, without those that are inside others."""
    merged: list[Span] = []
    for start, end, verbatim in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]), merged[-1][2])
        else:
            merged.append((start, end, verbatim))
    return merged


def _without(
    segments: Segments, keep: npt.NDArray[np.bool_], spans: list[Span]
) -> tuple[Segments, npt.NDArray[np.bool_]]:
    """The page without spans of its text.  Blocks of which nothing is left are not kept."""
    text, n = segments.text, len(segments.text)
    cuts = np.empty((len(spans), 2), np.int32)
    for i, (start, end, verbatim) in enumerate(spans):
        if not verbatim and text.item(start) == _SPACE:  # of an element's text, the space before it is a part
            start += 1
        before = text.item(start - 1) if start else _LINE_FEED
        after = text.item(end) if end < n else _LINE_FEED
        if not verbatim and before in _NO_SPACE_AFTER and after == _SPACE:
            end += 1
        elif not verbatim and before == _SPACE and after in _NO_SPACE_BEFORE:
            start -= 1
        cuts[i] = start, end
    blocks, nodes = copied(segments.blocks), copied(segments.nodes)
    places, rest = np.empty(n + 1, np.int32), np.empty(n, np.uint8)
    n_left = _cut(text, cuts, blocks, nodes, places, rest)
    changed = dataclasses.replace(segments, text=rest[:n_left], blocks=blocks, nodes=nodes)
    return changed, keep & (blocks["end"] > blocks["start"])


@lean_entry
def _cut(text: Bytes, cuts: Any, blocks: Rows, nodes: Rows, places: Any, rest: Bytes) -> Int:
    """Copy the text without the spans `cuts` to `rest`, and change the places in both tables; the number of bytes."""
    n, at = 0, 0
    for i in range(len(cuts) + 1):
        stop = cuts[i, 0] if i < len(cuts) else len(text)
        for k in range(at, stop):
            places[k] = n
            rest[n] = text[k]
            n += 1
        at = max(at, stop)
        if i < len(cuts):
            for k in range(at, cuts[i, 1]):
                places[k] = n
            at = max(at, cuts[i, 1])
    places[len(text)] = n
    for b in range(len(blocks)):
        blocks[b].start, blocks[b].end = places[blocks[b].start], places[blocks[b].end]
    for i in range(len(nodes)):
        nodes[i].text_start, nodes[i].text_end = places[nodes[i].text_start], places[nodes[i].text_end]
    return n
