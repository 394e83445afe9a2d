"""Put pages together that came in pieces, as scripts do in a browser.

React's server (and so Next.js) sends a page before it is complete.  At first there is a placeholder, usually with a
text like "Loading".  The content follows in a hidden element at the end of the page, in the order in which pieces were
ready.

    <!--$?--><template id="B:0"></template>Loading<!--/$--> ... <div hidden id="S:0">content</div>

A script then moves the piece S:0 to its placeholder.  B:0 stands for everything up to the comment, and P:0 for the
template only.  If such a page is read as it was sent, its content is hidden text after the footer, with paragraphs in
any order.  2 of 100 pages of WCXB were sent like this.  (React:
packages/react-dom-bindings/src/server/ReactFizzConfigDOM.js)
"""

import re
from bisect import bisect_left

from corpusmill.extract.segments.lean import Bytes, lean_entry
from corpusmill.extract.segments.scan import (
    BANG,
    DASH,
    LT,
    NO_KEY,
    SLASH,
    TAG_BYTE,
    after_comment,
    find,
    raw_end,
    read_name,
    script_end,
)
from corpusmill.extract.segments.tags import (
    IS_RAW,
    TAG,
    TAG_KEYS,
    TAG_SHIFT,
    TAG_VALUES,
    TRAITS,
    look_up,
)

_PIECE = re.compile(rb'<div hidden(?:="")? id="S:([0-9a-f]+)">')
_PLACE = re.compile(rb'<template id="[BP]:([0-9a-f]+)"></template>')
_BOUNDARY = re.compile(rb"<!--(/?)\$[?!~]?-->")  # where content begins or ends that may be pending
_PENDING = b"<!--$?-->"
_DIV, _SCRIPT = TAG["div"], TAG["script"]
Span = tuple[int, int]


def in_place(page: bytes, source: Bytes, first: int) -> bytes:
    """The page with its pieces in their places; unchanged if no piece has a place.

    The first placeholder is at `first`.  `source` is the page for kernels, with `PADDING` zeros after it.  Time is
    linear for all inputs.
    """
    pieces = _pieces(page, source, first)
    begin = min((outer for outer, _ in pieces.values()), default=(0, 0))[0]
    places = _places(page, [(first, begin), *(inner for _, inner in pieces.values())])
    moves = {span: pieces[name] for name, span in places.items() if name in pieces}
    cuts = sorted([*moves, *(outer for outer, _ in moves.values())])
    written: list[memoryview] = []
    view = memoryview(page)
    pending = [(0, len(page))]
    while pending:
        start, end = pending.pop()
        index = bisect_left(cuts, (start, 0))
        if index == len(cuts) or cuts[index][0] >= end:
            written.append(view[start:end])
            continue
        cut = cuts[index]
        written.append(view[start : cut[0]])
        pending.append((cut[1], end))
        if cut in moves:
            _, inner = moves.pop(cut)
            pending.append(inner)
    return page if moves else b"".join(written)  # unchanged if pieces contain each other


def _pieces(page: bytes, source: Bytes, position: int) -> dict[bytes, tuple[Span, Span]]:
    """The pieces from `position` on, by name: (place with its tags, place without them)."""
    pieces: dict[bytes, tuple[Span, Span]] = {}
    while (position := page.find(b"<div hidden", position)) >= 0:
        found = _PIECE.match(page, position)
        position += 1
        if found:
            inner_end = end_of_div(source, found.end(), len(page))
            if inner_end == len(page):
                break
            position = page.find(b">", inner_end) + 1 or len(page)
            pieces.setdefault(found[1], ((found.start(), position), (found.end(), inner_end)))
    return pieces


@lean_entry
def end_of_div(source: Bytes, start: int, end: int) -> int:
    """The place of the "<" of the end tag of the <div> whose content begins at `start`, or `end`."""
    depth = 1
    while True:
        start = find(source, LT, start, end)
        if start >= end:
            return end
        following = source[start + 1]
        if following == BANG and source[start + 2] == DASH and source[start + 3] == DASH:
            start = after_comment(source, start + 4, end)
            continue
        key, after = read_name(source, start + 1 + (following == SLASH), end, TAG_BYTE, NO_KEY)
        tag = look_up(TAG_KEYS, TAG_VALUES, TAG_SHIFT, key)
        if tag == _DIV:
            depth += -1 if following == SLASH else 1
            if depth == 0:
                return start
        elif TRAITS[tag] & IS_RAW and following != SLASH:
            after = script_end(source, after, end) if tag == _SCRIPT else raw_end(source, after, end, key)
        start = max(after, start + 1)


def _places(page: bytes, spans: list[Span]) -> dict[bytes, Span]:
    """The placeholders within these spans, by name.  None is inside another."""
    places: dict[bytes, Span] = {}
    are_ended = True
    for position, last in spans:
        while (position := page.find(b'<template id="', position, last)) >= 0:
            found = _PLACE.match(page, position, last)
            start, position = position, position + 1
            if found is None:
                continue
            position = found.end()
            if are_ended and page.endswith(_PENDING, 0, start):
                end = _end_of_pending(page, position, last)
                are_ended = end is not None  # otherwise this would be searched again and again
                position = end or position
            places.setdefault(found[1], (start, position))
    return places


def _end_of_pending(page: bytes, position: int, last: int) -> int | None:
    """The place of the comment that ends the pending content at `position`."""
    depth = 1
    while (position := page.find(b"$", position, last)) >= 0:
        at = page.rfind(b"<", position - 5, position)
        position += 1
        if at >= 0 and (boundary := _BOUNDARY.match(page, at)):
            depth += -1 if boundary[1] else 1
            if depth == 0:
                return boundary.start()
    return None
