"""Finds whole blocks that are notices of the software or the editors: `marks.py` leaves them out.

    newsletters    to subscribe, to confirm, to unsubscribe
    scripts        to enable JavaScript; addresses that only scripts show
    reading time   "5 min read"
    share          "Share this article on ..."
    cookies        consent, also for embedded content; not on pages about cookies
    headings       "[edit]" at their end

A kernel looks for parts of words that such texts have.  Expressions then judge the few blocks that have one
(`phrases.py`).
"""

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from corpusmill.extract.segments.lean import Bytes, Int, Rows, lean_entry
from corpusmill.extract.segments.tables import BIT, Segments
from corpusmill.extract.writing import phrases

Span: TypeAlias = tuple[int, int, bool]
"""Start and end in the page's text, and whether the text is preformatted."""

MAX_NOTICE_CHARS = 300
MAX_LINE_CHARS = 80
MAX_DIGITS = 8
MAX_COOKIE_BLOCKS = 2
NEWSLETTER, SCRIPTS, READING_TIME, SHARE, COOKIES, EDIT = 1, 2, 4, 8, 16, 32
_WORDS = {  # parts of words; for each of them, the four bytes from the second to the fifth are looked for
    NEWSLETTER: "newsletter boletín boletim infolettre rundbrief infobrief d'info d’info bulletin рассылк розсилк "
    "nyhetsbrev nyhedsbrev nieuwsbrief uutiskirje bülten hírlev бюлетин zpravodaj 通讯 通訊 電子報 电子报 邮件 快讯 "
    "メルマガ マガジン ニュースレター 뉴스레터 mailing inbox subscri unsubscri +spam igning",
    SCRIPTS: "javascript java+script 자바스크립트",
    READING_TIME: "reading read+t n+read lesezeit lesedauer lecture lectura lettura leitura leestijd lästid "
    "lesetid læsetid lukuaika okuma czytania čtení чтени читан 阅读 閱讀 読了 読め 読む 所要 읽는 읽기",
    SHARE: "share+ tweet teilen partager compart condivid compartilh deel+dit dela+ del+på поделит udostęp 分享到 "
    "シェア 共有 ツイート 공유",
    COOKIES: "cookie youtube",
}
_LOWER, _FACTOR, _SHIFT, _MASK = 0x20202020, 2654435761, 16, 0xFFFF
_MAYBE = np.zeros(_MASK + 1, np.uint8)  # by a hash of four bytes, in lower case: kinds (Fibonacci hashing)
for _kind, _said in _WORDS.items():
    for _word in _said.replace("+", "\xa0").split(" "):
        _bytes = _word.replace("\xa0", " ").encode()
        for _form in (_bytes, _word.replace("\xa0", " ").upper().encode(), _bytes.title()):
            _part = _form[1:5] if len(_form) > 4 else _form[:4]
            _MAYBE[((int.from_bytes(_part) | _LOWER) * _FACTOR >> _SHIFT) & _MASK] |= _kind
_CELL, _HEADING, _PREFORMATTED = BIT["cell"], BIT["heading"], BIT["preformatted"]
_BRACKETS = np.zeros(256, np.bool_)
for _bracket in "]］】":
    _BRACKETS[_bracket.encode()[-1]] = True
_FOUND = np.dtype([("block", np.int32), ("kinds", np.int32)])
_BLOCK_KINDS = (
    (NEWSLETTER, phrases.NEWSLETTER),
    (SCRIPTS, phrases.NO_SCRIPTS),
    (READING_TIME, phrases.READING_TIME),
    (SHARE, phrases.SHARE_LINE),
)


def notices(segments: Segments, keep: npt.NDArray[np.bool_]) -> Iterator[Span]:
    """Spans of kept blocks that are notices, and of "[edit]" in headings."""
    found = np.empty(len(keep), _FOUND)
    n_found = _find(segments.text, segments.blocks, keep, _MAYBE, found)
    cookies: list[Span] = []
    for block, kinds in found[:n_found].tolist():
        start, end = segments.blocks["start"].item(block), segments.blocks["end"].item(block)
        text = segments.text_between(start, end)
        if any(kinds & kind and expression.match(text) for kind, expression in _BLOCK_KINDS):
            yield start, end, False
        elif kinds & COOKIES and phrases.COOKIES.match(text):
            cookies.append((start, end, False))
        elif kinds & SCRIPTS and (cloak := phrases.CLOAK.search(text)):
            yield start + len(text[: cloak.start()].encode()), start + len(text[: cloak.end()].encode()), False
        elif kinds & EDIT and (edit := phrases.EDIT_AT_END.search(text)) and edit.start() > 0:
            yield start + len(text[: edit.start()].encode()), end, False
    if len(cookies) <= MAX_COOKIE_BLOCKS:
        yield from cookies


@lean_entry
def _find(text: Bytes, blocks: Rows, keep: Any, maybe: Any, found: Any) -> Int:
    """Write into `found` which short kept blocks may be notices, and of which kinds; their number."""
    n_found = 0
    for b in range(len(blocks)):
        block = blocks[b]
        if not keep[b] or block.n_chars > MAX_NOTICE_CHARS or block.flags & _PREFORMATTED:
            continue
        possible = NEWSLETTER | SCRIPTS | COOKIES
        if block.n_chars <= MAX_LINE_CHARS and not block.flags & _CELL:
            possible |= SHARE
            if 1 <= block.n_digits <= MAX_DIGITS:
                possible |= READING_TIME
        four, kinds = 0, 0
        for i in range(block.start, block.end):
            four = (four << 8 | text[i]) & 0xFFFFFFFF
            kinds |= maybe[((four | _LOWER) * _FACTOR >> _SHIFT) & _MASK]
        kinds &= possible
        if block.heading and _BRACKETS[text[block.end - 1]]:
            kinds |= EDIT
        if kinds:
            found[n_found].block, found[n_found].kinds = b, kinds
            n_found += 1
    return n_found
