"""The kept blocks of a page as plain text for readers.

- A blank line separates headings and paragraphs.
- Lines that <br> separates are lines of one paragraph; two <br> make a blank line.
- Items of lists are lines that begin with "- " or with their number.
- Tables are written row by row, with " | " between cells.
- Preformatted text is unchanged.

`layout.py` decides what is a list or a table.  No word is joined to another, changed or lost: between two blocks there
is always white space, or the mark of a list or a table.

Cost: 12 microseconds for a page of 1,200 elements and 330 blocks, of which a quarter are kept; 21 if the tables are no
longer in the cache.  Half of this is the layout.  Copying text byte by byte in a loop took twice as long.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import types

from corpusmill.extract.segments.arithmetic import i64
from corpusmill.extract.segments.lean import Bytes, Int, Record, Rows, lean_entry, lean_kernel
from corpusmill.extract.segments.tables import Segments
from corpusmill.extract.writing.layout import CELL, ITEM, ORDERED, PREFORMATTED, lay_out

MOST_INDENT = 16  # levels; deeper items are written at this level
MOST_MARKS = 2 + 2 * MOST_INDENT + 12  # bytes before a block, without bars: line feeds, spaces, number

LINE_FEED, SPACE, BAR, HYPHEN, STOP, ZERO, LESS_THAN, LETTER_B, LETTER_R = (ord(c) for c in "\n |-.0<br")

memcpy: Any = types.ExternalFunction("memcpy", types.intp(types.intp, types.intp, types.intp))


def text_of(segments: Segments, keep: npt.NDArray[np.bool_]) -> str:
    """The text of the blocks for which `keep`, bool (n_blocks,), is true."""
    rows, places, n_spanned = lay_out(segments, keep)
    room = len(segments.text) + MOST_MARKS * len(segments.blocks) + 2 * (len(segments.nodes) + n_spanned)
    out = np.empty(room, np.uint8)
    end = _write(segments.source, segments.text, segments.blocks, keep, rows, places, out)
    return str(out[:end].data, "utf-8", "replace")


@lean_entry
def _write(source: Bytes, text: Bytes, blocks: Rows, keep: Any, rows: Any, places: Rows, out: Bytes) -> Int:
    """Write into `out`; the place where the text ends."""
    n = last = last_row = i64(0)
    flowing = True  # only <br> is between the last written block and this one
    for b in range(len(blocks)):
        block = blocks[b]
        flowing = flowing and block.after_br != 0
        if not keep[b]:
            continue
        row = places[rows[block.box]].container
        place, before = places[row], places[last_row]
        role = place.role
        n_feeds = 2
        if n == 0 or (role == CELL and before.role == CELL and place.outer == before.outer):
            n_feeds = 0
        elif role == PREFORMATTED and row == last_row:
            n_feeds = 1 if out[n - 1] != LINE_FEED else 0
        elif role == PREFORMATTED or before.role == PREFORMATTED:
            n_feeds = 2
            while out[n - 1] == LINE_FEED:
                n -= 1
        elif place.group:
            n_feeds = 1 if place.group == before.group else 2
        elif flowing and before.group == 0:
            n_feeds = lines_between(source, blocks, last, b)
        for _ in range(n_feeds):
            out[n] = LINE_FEED
            n += 1
        if n_feeds and role != PREFORMATTED:
            level = place.level + place.begun
            for _ in range(2 * min(level, MOST_INDENT)):
                out[n] = SPACE
                n += 1
        elif n and n_feeds == 0 and role != PREFORMATTED:
            out[n] = SPACE
            n += 1
        if role == ITEM and not place.begun:
            place.begun = 1
            n = _write_mark(place, places[place.outer].role == ORDERED, out, n)
        elif role == CELL:
            for _ in range(place.number - places[place.outer].column):
                out[n] = BAR
                out[n + 1] = SPACE
                n += 2
            places[place.outer].column = place.number
        start, end = block.start, block.end
        while role == PREFORMATTED and row != last_row and text[start] == LINE_FEED:
            start += 1
        memcpy(out.ctypes.data + n, text.ctypes.data + start, end - start)
        n += end - start
        last, last_row, flowing = b, row, True
    while n and out[n - 1] == LINE_FEED:
        n -= 1
    return n


@lean_entry
def lines_between(source: Bytes, blocks: Rows, last: Int, b: Int) -> Int:
    """The number of line feeds between two blocks that only <br> separates.

    The lines of a heading become one line.  Two <br> separate paragraphs.
    """
    if blocks[b].heading and blocks[b].box == blocks[last].box:
        return 0
    if last < b - 1:
        return 1
    n_breaks = 0
    for i in range(blocks[last].source_end, blocks[b].source_start - 2):
        n_breaks += source[i] == LESS_THAN and source[i + 1] | 32 == LETTER_B and source[i + 2] | 32 == LETTER_R
    return 1 if n_breaks < 2 else 2


@lean_kernel
def _write_mark(item: Record, ordered: bool, out: Bytes, n: Int) -> Int:
    """Write an item's "- " or "12. " at `out[n]`; the place where it ends."""
    if ordered:
        number, unit = item.number, 1
        while unit * 10 <= number:
            unit *= 10
        while unit:
            out[n] = ZERO + number // unit % 10
            n += 1
            unit //= 10
    out[n] = STOP if ordered else HYPHEN
    out[n + 1] = SPACE
    return n + 2
