"""The kept blocks of a page as plain text that a reader would want.

Headings and paragraphs are parted by a blank line, lines that the page parts by <br> are lines of one paragraph (two
<br> are a blank line), items of lists are lines that begin with "- " or their number, tables are written row by row
with " | " between cells, and preformatted text stays as it is.  What counts as a list or a table is decided in
`extract/layout.py`.  No word is ever glued, changed or lost: whatever stands between two blocks is white space or a
list's or table's mark.

Cost: 30 microseconds for a page of 960 elements and 260 blocks, of which a quarter are kept; half of it is the layout.
"""

import numpy as np
import numpy.typing as npt

from corpusmill.extract.layout import CELL, ITEM, ORDERED, PREFORMATTED, ROW, TABLE, lay_out
from corpusmill.extract.tables import Segments
from corpusmill.kernels import kernel

MOST_INDENT = 16  # levels; what is deeper stands there
MOST_MARKS = 2 + 2 * MOST_INDENT + 12  # bytes between two blocks, but for empty cells: line feeds, spaces, number

LINE_FEED, SPACE, BAR, HYPHEN, STOP, ZERO, LESS_THAN, LETTER_B, LETTER_R = (ord(c) for c in "\n |-.0<br")


def text_of(segments: Segments, keep: npt.NDArray[np.bool_]) -> str:
    """The text of the blocks for which `keep`, bool (n_blocks,), is true."""
    written = _write(segments.source, segments.text, segments.blocks, segments.nodes, keep)
    return written.tobytes().decode("utf-8", "replace")


@kernel
def _write(
    source: npt.NDArray[np.uint8],
    text: npt.NDArray[np.uint8],
    blocks: npt.NDArray[np.void],
    nodes: npt.NDArray[np.void],
    keep: npt.NDArray[np.bool_],
) -> npt.NDArray[np.uint8]:
    rows, places = lay_out(source, blocks, nodes, keep)
    out = np.empty(_room(blocks, keep, places), np.uint8)
    begun = np.zeros(len(places), np.bool_)  # items whose mark is written
    column = np.zeros(len(places), np.int32)  # of each row of a table: where the last cell that was written stands
    n = last = last_row = 0
    flowing = True  # only <br> lies between the block written last and this one
    for b in range(len(blocks)):
        block = blocks[b]
        flowing = flowing and block["after_br"] != 0
        if not keep[b]:
            continue
        row = places[rows[block["box"]]]["container"]
        place, before = places[row], places[last_row]
        role = place["role"]
        n_feeds = 2
        if n == 0 or (role == CELL and before["role"] == CELL and place["outer"] == before["outer"]):
            n_feeds = 0
        elif role == PREFORMATTED and row == last_row:
            n_feeds = 1 if out[n - 1] != LINE_FEED else 0
        elif role == PREFORMATTED or before["role"] == PREFORMATTED:
            n_feeds = 2
            while out[n - 1] == LINE_FEED:
                n -= 1
        elif place["group"]:
            n_feeds = 1 if place["group"] == before["group"] else 2
        elif flowing and before["group"] == 0:
            n_feeds = lines_between(source, blocks, last, b)
        for _ in range(n_feeds):
            out[n] = LINE_FEED
            n += 1
        if n_feeds and role != PREFORMATTED:
            level = place["level"] + begun[row]
            for _ in range(2 * min(level, MOST_INDENT)):
                out[n] = SPACE
                n += 1
        elif n and n_feeds == 0 and role != PREFORMATTED:
            out[n] = SPACE
            n += 1
        if role == ITEM and not begun[row]:
            begun[row] = True
            n = _write_mark(place, places[place["outer"]]["role"] == ORDERED, out, n)
        elif role == CELL:
            for _ in range(place["number"] - column[place["outer"]]):
                out[n] = BAR
                out[n + 1] = SPACE
                n += 2
            column[place["outer"]] = place["number"]
        start, end = block["start"], block["end"]
        while role == PREFORMATTED and row != last_row and text[start] == LINE_FEED:
            start += 1
        length = end - start
        for i in range(length):
            out[n + i] = text[start + i]
        n += length
        last, last_row, flowing = b, row, True
    while n and out[n - 1] == LINE_FEED:
        n -= 1
    return out[:n]


@kernel
def _room(blocks: npt.NDArray[np.void], keep: npt.NDArray[np.bool_], places: npt.NDArray[np.void]) -> int:
    """Bytes that the text takes at most."""
    room = 0
    for b in range(len(blocks)):
        if keep[b]:
            room += blocks[b]["end"] - blocks[b]["start"] + MOST_MARKS
    for row in range(len(places)):
        room += 2 * places[row]["n_children"] * (places[row]["role"] == ROW or places[row]["role"] == TABLE)
    return room


@kernel
def lines_between(source: npt.NDArray[np.uint8], blocks: npt.NDArray[np.void], last: int, b: int) -> int:
    """Line feeds between two blocks parted by <br> only: a heading's lines are one, two <br> make a paragraph."""
    if blocks[b]["heading"] and blocks[b]["box"] == blocks[last]["box"]:
        return 0
    if last < b - 1:
        return 1
    n_breaks = 0
    for i in range(blocks[last]["source_end"], blocks[b]["source_start"] - 2):
        n_breaks += source[i] == LESS_THAN and source[i + 1] | 32 == LETTER_B and source[i + 2] | 32 == LETTER_R
    return 1 if n_breaks < 2 else 2


@kernel
def _write_mark(item: np.void, ordered: bool, out: npt.NDArray[np.uint8], n: int) -> int:
    """Write an item's "- " or "12. " at `out[n]`; where it ends."""
    if ordered:
        number, unit = item["number"], 1
        while unit * 10 <= number:
            unit *= 10
        while unit:
            out[n] = ZERO + number // unit % 10
            n += 1
            unit //= 10
    out[n] = STOP if ordered else HYPHEN
    out[n + 1] = SPACE
    return n + 2
