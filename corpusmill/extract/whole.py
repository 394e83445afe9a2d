"""Tables and lists are kept or left out as wholes, and gaps in the text are closed.

The classifier judges every block alone.  A reader of its text would find tables without some of their cells.  So its
decisions are settled, in this order:

1. A block is kept if it is as likely content as not, and nearly all other text of an element with many blocks around
   it is kept.  Otherwise the end of a text would be lost after a long table or list.
2. Blocks between kept blocks are kept if they are about as likely content as not, all in all.  A formula counts as
   likely.
3. A table between kept blocks is kept, unless it is surely no content: a table in the middle of a text belongs to it.
   (A list there does not: it may be buttons, or links to other pages.)
4. A row of a table, or an item of a list, is kept if half of its text is.
5. A table or list of which something is kept is kept if half of it is, or if it is as likely content as not, all in
   all.  It is left out if hardly any of it is kept.  Between these, a table of few rows is kept.  A list, or a table of
   many rows, mixes content with other things, and each row or item stands for itself.
6. The source of a quote is kept if the quote is, and the caption of a figure if it has a kept table or the like.

Only tables and lists that read as such count, not those that are the design of a page (`writing/layout.py`).  A table
or list in an item or cell is settled apart from it.  Lists of posts, whose items have many blocks, are left alone.

Measured on WCXB's development split with the shipped model, which has learned from these pages; among tables and lists
of which something is kept:

                              before    after
    tables that lose cells    0.326     0.000
    lists that lose items     0.056     0.009

The word F1 is the same within 0.001.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from corpusmill.extract.content.classify import Classified
from corpusmill.extract.segments.lean import Bytes, Rows, lean_entry, lean_kernel
from corpusmill.extract.segments.tables import BIT, Segments
from corpusmill.extract.segments.tags import TAG
from corpusmill.extract.writing.layout import DEFINITION, ITEM, ORDERED, ROW, TABLE, TERM, TERMS, lay_out

LIKELY, LIKELY_OF_FEW = 0.5, 0.45  # mean probability of blocks; of those in a row, an item, a short table or list
LIKELY_GAP, UNLIKELY = 0.48, 0.4  # mean probability of the blocks in a gap; of one of them
POSSIBLE = 0.1  # mean probability of a table; probability of a formula
HALF = 0.5  # of a row, an item, a list
HARDLY_ANY = 0.2  # of a table or list
NEARLY_ALL, MANY_BLOCKS = 0.85, 300  # share of the other text of an element, and its blocks
FEW_ROWS = 12
MOST_OF_A_CAPTION = 300  # characters
MOST_BLOCKS = 64  # of a quote or figure
MOST_DEPTH = 4  # elements between it and its source or caption
MOST_LEVELS = 16  # elements around a block that are looked at
FEW_BLOCKS = 2  # per item
DOLLAR = ord("$")

QUOTE, FOOTER, CAPTION, FIGURE = (BIT[name] for name in ("quote", "footer", "caption", "figure"))
BLOCKQUOTE, TAG_FIGURE, CITE = TAG["blockquote"], TAG["figure"], TAG["cite"]

_SHOWN = np.dtype(
    [
        ("unit", np.int32),  # the row or item that a place is in; 0: none
        ("group", np.int32),  # the table or list
        ("table", np.int32),  # the outermost table
        ("rows", np.int32),  # of a table
        ("chars", np.int64),
        ("kept", np.int64),  # characters
        ("likely", np.float64),  # the expected number of characters that are content
    ],
    align=True,
)


def whole(segments: Segments, classified: Classified) -> npt.NDArray[np.bool_]:
    """Which blocks are kept, bool (n_blocks,)."""
    keep = classified.keep.copy()
    rows, places, _ = lay_out(segments, np.ones(len(keep), np.bool_))
    shown = np.zeros(len(places), _SHOWN)
    p, threshold = classified.probabilities, classified.threshold
    sums = np.zeros((len(keep) + 1, 2), np.int64)
    tables = (segments.text, segments.blocks, segments.nodes, rows, places, shown)
    _whole(*tables, p, threshold, keep, sums)
    return keep


@lean_entry
def _whole(
    text: Bytes,
    blocks: Rows,
    nodes: Rows,
    rows: Any,
    places: Rows,
    shown: Rows,
    p: Any,
    threshold: float,
    keep: Any,
    sums: Any,
) -> None:
    _keep_company(blocks, nodes, p, threshold, keep, sums)
    _close_gaps(text, blocks, p, threshold, keep)
    _find_groups(blocks, rows, places, shown)
    _keep_tables_within(blocks, rows, shown, p, threshold, keep)
    _settle(blocks, rows, places, shown, p, keep)
    _keep_captions(blocks, nodes, keep)


@lean_kernel
def _keep_company(blocks: Rows, nodes: Rows, p: Any, threshold: float, keep: Any, sums: Any) -> None:
    """Keep likely blocks in elements of many blocks that are kept.

    sums: zeros (n_blocks + 1, 2), for the number of characters before each block, and the kept ones
    """
    for b in range(len(blocks)):
        chars = blocks[b].n_chars
        sums[b + 1, 0] = sums[b, 0] + chars
        sums[b + 1, 1] = sums[b, 1] + (chars if keep[b] else 0)
    for b in range(len(blocks)):
        if keep[b] or p[b] < LIKELY or p[b] > threshold:
            continue
        node = nodes[blocks[b].box].parent
        for _ in range(MOST_LEVELS):
            first, end = nodes[node].first_block, nodes[node].end_block
            if end - first >= MANY_BLOCKS:
                others = sums[end, 0] - sums[first, 0] - blocks[b].n_chars
                keep[b] = sums[end, 1] - sums[first, 1] >= NEARLY_ALL * others
                break
            node = nodes[node].parent


@lean_kernel
def _close_gaps(text: Bytes, blocks: Rows, p: Any, threshold: float, keep: Any) -> None:
    """Keep likely blocks and formulas between kept ones.

    A block above the threshold that is not kept is a copy: it stays out.
    """
    last = -1
    total = 0.0  # of the blocks since the last kept one; -inf if one of them is unlikely
    for i in range(len(keep)):
        if keep[i]:
            if last >= 0 and total >= LIKELY_GAP * (i - last - 1):
                for k in range(last + 1, i):
                    keep[k] = p[k] <= threshold
            last, total = i, 0.0
        elif p[i] >= POSSIBLE and text[blocks[i].start] == DOLLAR and text[blocks[i].end - 1] == DOLLAR:
            total += max(p[i], LIKELY)
        elif p[i] < UNLIKELY:
            total = -np.inf
        else:
            total += p[i]


@lean_kernel
def _find_groups(blocks: Rows, rows: Any, places: Rows, shown: Rows) -> None:
    """Fill in what each place is in.  A place comes after the one around it."""
    n_places = 0
    for b in range(len(blocks)):
        n_places = max(n_places, rows[blocks[b].box] + 1)
    for row in range(1, n_places):
        place = places[row]
        outer = places[place.outer]
        is_table = place.role == TABLE and place.shown
        shown[row].table = row if is_table and shown[place.outer].table == 0 else shown[place.outer].table
        shown[row].unit, shown[row].group = shown[place.outer].unit, shown[place.outer].group
        if is_table:
            shown[row].unit = shown[row].group = row  # its caption
        elif outer.shown and (
            (place.role == ROW and outer.role == TABLE)
            or (place.role == ITEM and outer.role <= ORDERED and outer.n_blocks <= FEW_BLOCKS * outer.n_items)
            or (TERM <= place.role <= DEFINITION and outer.role == TERMS)
        ):
            shown[row].unit, shown[row].group = row, place.outer
            shown[place.outer].rows += 1


@lean_kernel
def _keep_tables_within(blocks: Rows, rows: Any, shown: Rows, p: Any, threshold: float, keep: Any) -> None:
    """Keep a table whose blocks are all that lies between two kept blocks.  Copies in it stay out."""
    last = -1
    for i in range(len(keep)):
        if not keep[i]:
            continue
        first, last = last + 1, i
        table = shown[rows[blocks[first].box]].table
        if first in (0, i) or table == 0:
            continue
        if table in (shown[rows[blocks[first - 1].box]].table, shown[rows[blocks[i].box]].table):
            continue
        total, whole_gap = 0.0, True
        for k in range(first, i):
            total += p[k]
            whole_gap = whole_gap and shown[rows[blocks[k].box]].table == table
        if whole_gap and total >= POSSIBLE * (i - first):
            for k in range(first, i):
                keep[k] = p[k] <= threshold


@lean_kernel
def _settle(blocks: Rows, rows: Any, places: Rows, shown: Rows, p: Any, keep: Any) -> None:
    """Keep or leave out rows and items, then tables and lists."""
    for by_unit in range(2):
        for row in range(len(shown)):
            shown[row].chars = shown[row].kept = 0
            shown[row].likely = 0.0
        for b in range(len(blocks)):
            place = shown[rows[blocks[b].box]]
            row = place.unit if by_unit == 0 else place.group
            shown[row].chars += blocks[b].n_chars
            shown[row].kept += blocks[b].n_chars if keep[b] else 0
            shown[row].likely += p[b] * blocks[b].n_chars
        for b in range(len(blocks)):
            place = shown[rows[blocks[b].box]]
            if place.group == 0:
                continue
            row = place.unit if by_unit == 0 else place.group
            share = shown[row].kept / max(shown[row].chars, 1)
            is_long = by_unit and shown[row].rows > FEW_ROWS
            if share > 0 and shown[row].likely >= (LIKELY if is_long else LIKELY_OF_FEW) * shown[row].chars:
                share = 1.0
            if by_unit == 0:
                keep[b] = share >= HALF
            elif share >= HALF or (share > HARDLY_ANY and places[row].role == TABLE and shown[row].rows <= FEW_ROWS):
                keep[b] = True
            elif share <= HARDLY_ANY:
                keep[b] = False


@lean_kernel
def _keep_captions(blocks: Rows, nodes: Rows, keep: Any) -> None:
    """Keep the source of a quote, and the caption of a figure, if at least half of its other text is kept."""
    for b in range(len(blocks)):
        flags = blocks[b].flags
        is_source = flags & QUOTE and (flags & FOOTER or nodes[blocks[b].leaf].tag == CITE)
        if keep[b] or blocks[b].n_chars > MOST_OF_A_CAPTION or not (is_source or (flags & CAPTION and flags & FIGURE)):
            continue
        node = blocks[b].box
        for _ in range(MOST_DEPTH):
            if node == 0 or nodes[node].tag == BLOCKQUOTE or nodes[node].tag == TAG_FIGURE:
                break
            node = nodes[node].parent
        if node == 0 or (nodes[node].tag != BLOCKQUOTE and nodes[node].tag != TAG_FIGURE):
            continue
        first, end = nodes[node].first_block, nodes[node].end_block
        if end - first > MOST_BLOCKS:
            continue
        chars = kept = 0
        for k in range(first, end):
            if k != b and (blocks[k].flags & CAPTION == 0 or is_source):
                chars += blocks[k].n_chars
                kept += blocks[k].n_chars if keep[k] else 0
        keep[b] = kept > 0 and kept >= HALF * chars
