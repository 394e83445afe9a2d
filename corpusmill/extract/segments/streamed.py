"""Pages that came in pieces, put together as a browser's scripts would.

React's server (and so Next.js) sends a page before all of it is known: a place is held, mostly by something like
"Loading", and its content follows in a hidden element at the page's end, in the order in which pieces were done.

    <!--$?--><template id="B:0"></template>Loading<!--/$--> ... <div hidden id="S:0">content</div>

A script then puts the piece S:0 in the place B:0, of all up to the comment, or P:0, of the template alone.  Read as it
was sent, such a page is hidden text after its footer, with its paragraphs in any order.  Of WCXB's pages 2 in 100 came
so.  (React: packages/react-dom-bindings/src/server/ReactFizzConfigDOM.js)
"""

import re
from bisect import bisect_left

_PIECE = re.compile(rb'<div hidden(?:="")? id="S:([0-9a-f]+)">')
_PLACE = re.compile(rb'<template id="[BP]:([0-9a-f]+)"></template>')
_BOUNDARY = re.compile(rb"<!--(/?)\$[?!~]?-->")  # where what may be pending begins and ends
_PENDING = b"<!--$?-->"
_TAG = re.compile(rb"<(?:(!--)|(?:(/?)div|(script|style|textarea|title|iframe))(?=[\s/>]))", re.IGNORECASE)
_RAW_ENDS = {
    name: re.compile(rb"</" + name, re.IGNORECASE) for name in (b"script", b"style", b"textarea", b"title", b"iframe")
}
Span = tuple[int, int]


def in_place(page: bytes, first: int) -> bytes:
    """The page with its pieces in their places, the first of which is at `first`; as it is if they have none.

    Time is linear, whatever the bytes.
    """
    pieces = _pieces(page, first)
    begin = min((outer for outer, _ in pieces.values()), default=(0, 0))[0]
    places = _places(page, [(first, begin), *(inner for _, inner in pieces.values())])
    moves = {span: pieces[name] for name, span in places.items() if name in pieces}
    cuts = sorted([*moves, *(outer for outer, _ in moves.values())])
    written: list[bytes] = []
    pending = [(0, len(page))]
    while pending:
        start, end = pending.pop()
        index = bisect_left(cuts, (start, 0))
        if index == len(cuts) or cuts[index][0] >= end:
            written.append(page[start:end])
            continue
        cut = cuts[index]
        written.append(page[start : cut[0]])
        pending.append((cut[1], end))
        if cut in moves:
            _, inner = moves.pop(cut)
            pending.append(inner)
    return page if moves else b"".join(written)  # some are within what they hold


def _pieces(page: bytes, position: int) -> dict[bytes, tuple[Span, Span]]:
    """The pieces from `position` on by name: where they are with and without their tags."""
    pieces: dict[bytes, tuple[Span, Span]] = {}
    while (position := page.find(b"<div hidden", position)) >= 0:
        found = _PIECE.match(page, position)
        position += 1
        if found:
            inner_end = _end_of_div(page, found.end())
            if inner_end is None:
                break
            position = page.find(b">", inner_end) + 1 or len(page)
            pieces.setdefault(found[1], ((found.start(), position), (found.end(), inner_end)))
    return pieces


def _end_of_div(page: bytes, position: int) -> int | None:
    """Where the end tag is of the <div> whose content begins at `position`; None if it has none."""
    depth = 1
    while tag := _TAG.search(page, position):
        comment, slash, raw = tag.groups()
        position = tag.end()
        if comment:
            position = page.find(b"-->", position)
        elif raw:
            end = _RAW_ENDS[raw.lower()].search(page, position)
            position = end.end() if end else -1
        else:
            depth += -1 if slash else 1
        if depth == 0:
            return tag.start()
        if position < 0:
            break
    return None


def _places(page: bytes, spans: list[Span]) -> dict[bytes, Span]:
    """The places within some spans, by name; none is within another."""
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
                are_ended = end is not None  # else this would be looked for again and again
                position = end or position
            places.setdefault(found[1], (start, position))
    return places


def _end_of_pending(page: bytes, position: int, last: int) -> int | None:
    """Where the comment is that ends what is pending at `position`."""
    depth = 1
    while (position := page.find(b"$", position, last)) >= 0:
        at = page.rfind(b"<", position - 5, position)
        position += 1
        if at >= 0 and (boundary := _BOUNDARY.match(page, at)):
            depth += -1 if boundary[1] else 1
            if depth == 0:
                return boundary.start()
    return None
