"""Decide which lists, tables and preformatted texts of a page are shown as such, and the place of each block in them.

Pages use lists and tables for everything: menus, cards, whole designs.  Their structure is shown in the text only if
their kept part reads as a list or as a table:

- A list is shown unless it contains a heading, or its items have more than 4 blocks on average (lines after <br> do not
  count).  The same holds for <dl>, whose items are terms and definitions.
- A table is shown if one of its rows has two cells with text.  No <td> may contain a heading, and no cell a table,
  preformatted text, more than 8 lines or more than 600 characters.
- Everything in a cell of such a table is one line of text.
- A cell that spans rows or columns keeps their places in its table, up to column 32.  But no row becomes longer than
  the row with the most cells.
- The items of an ordered list have the numbers that browsers show (`start`, `reversed`, `value`).

All other text is paragraphs.  A *place* is an element with kept text that has a role here.  Row 0 of the places stands
for the page.  Four loops over rows in order make the decisions, so the time is linear for any nesting: from the page
inwards places are found, from the inside outwards their contents are summed, and from the page inwards it is decided
how they are shown.  A fifth loop finds the columns of cells.

Cost: see `write.py`.  This is the larger part of it.
"""

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from corpusmill.extract.segments.arithmetic import i64
from corpusmill.extract.segments.lean import Bytes, Int, Record, Rows, lean_entry, lean_kernel
from corpusmill.extract.segments.tables import Segments
from corpusmill.extract.segments.tags import N_TAGS, TAG

MOST_BLOCKS_AN_ITEM = 4
MOST_LINES_A_CELL = 8
MOST_CHARS_A_CELL = 600
MOST_COLUMNS = 32  # in which spans count
MOST_SPAN = 1 << 16  # rows; the standard's limit
MOST_START = 99_999_999  # for the first number of a list; numbers in CommonMark have at most 9 digits


class Role(IntEnum):
    """The role of an element in the layout."""

    NONE = 0
    LIST = 1
    ORDERED = 2
    TERMS = 3
    ITEM = 4
    TERM = 5
    DEFINITION = 6
    TABLE = 7
    ROW = 8
    CELL = 9
    PREFORMATTED = 10


_TBODY, _TFOOT, _TH = TAG["tbody"], TAG["tfoot"], TAG["th"]
SPACE, QUOTE, APOSTROPHE, ZERO, NINE, EQUAL, GREATER_THAN = (ord(c) for c in " \"'09=>")
START, REVERSED, VALUE, COLSPAN, ROWSPAN = (
    np.frombuffer(name, np.uint8) for name in (b"start", b"reversed", b"value", b"colspan", b"rowspan")
)
NONE, LIST, ORDERED, TERMS, ITEM, TERM, DEFINITION, TABLE, ROW, CELL, PREFORMATTED = (int(role) for role in Role)

_ROLES = {
    LIST: "ul menu dir",
    ORDERED: "ol",
    TERMS: "dl",
    ITEM: "li",
    TERM: "dt",
    DEFINITION: "dd",
    TABLE: "table",
    ROW: "tr",
    CELL: "td th",
    PREFORMATTED: "pre listing xmp plaintext",
}
ROLE = np.zeros(N_TAGS, np.uint8)
for _role, _names in _ROLES.items():
    for _name in _names.split():
        ROLE[TAG[_name]] = _role

PLACE = np.dtype(
    [
        ("node", np.int32),
        ("role", np.int32),
        ("outer", np.int32),  # the place around it, a smaller row
        ("container", np.int32),  # the shown item, cell or preformatted text that its text is written in; 0: none
        ("group", np.int32),  # of a container: the outermost list or table around it, whose lines are adjacent; 0: none
        ("level", np.int32),  # of a container: indentation of its first line
        ("number", np.int32),  # of an item: its number; of a cell: its column, from 0
        ("n_children", np.int32),  # items of a list or cells of a row, kept or not
        ("n_items", np.int32),  # the items among these with text of their own
        ("n_blocks", np.int32),  # kept blocks in it, without those that nested lists and tables show
        ("n_lines", np.int32),  # the same with all lines; of a table or row: the highest number in a cell
        ("n_chars", np.int32),
        ("holds", np.int32),  # HEADING, GRID, VERBATIM
        ("shown", np.int32),
        ("begun", np.int32),  # for `write`: whether its mark is written
        ("column", np.int32),  # for `write`, of a row: the column of the last cell that was written
    ],
    align=True,
)
HEADING, GRID, VERBATIM = 1, 2, 4


class Layout(NamedTuple):
    """`places[rows[block.box]].container` is the place that a block is written in; 0 stands for the page itself."""

    rows: npt.NDArray[np.int32]  # (n_nodes,): the innermost place of each element: the element itself, or one around it
    places: npt.NDArray[np.void]  # (n_nodes + 1,) of PLACE; only those that `rows` refers to are filled
    n_spanned: int  # columns before cells that belong to other cells


def lay_out(segments: Segments, keep: npt.NDArray[np.bool_]) -> Layout:
    """The layout of the blocks for which `keep`, bool (n_blocks,), is true."""
    n_nodes = len(segments.nodes)
    rows, places = np.empty(n_nodes, np.int32), np.empty(n_nodes + 1, PLACE)
    n_kept = np.empty(len(segments.blocks) + 1, np.int32)
    taken = np.zeros(MOST_COLUMNS, np.int32)
    n_spanned = _lay_out(segments.source, segments.blocks, segments.nodes, keep, n_kept, rows, places, taken)
    return Layout(rows, places, int(n_spanned))


@lean_entry
def _lay_out(
    source: Bytes, blocks: Rows, nodes: Rows, keep: Any, n_kept: Any, rows: Any, places: Rows, taken: Any
) -> Int:
    n_kept[0] = 0
    for b in range(len(blocks)):
        n_kept[b + 1] = n_kept[b] + keep[b]
    n_places = _find(source, nodes, n_kept, rows, places)
    for b in range(len(blocks)):
        if keep[b]:
            block, place = blocks[b], places[rows[blocks[b].box]]
            place.n_blocks += block.after_br == 0 or place.n_blocks == 0
            place.n_lines += 1
            place.n_chars += block.n_chars
            if block.heading and (place.role != CELL or nodes[place.node].tag != _TH):
                place.holds |= HEADING
    _weigh(places, n_places)
    has_tables = _settle(places, n_places)
    return _find_columns(source, nodes, rows, places, taken) if has_tables else 0


@lean_kernel
def _find(source: Bytes, nodes: Rows, n_kept: Any, rows: Any, places: Rows) -> Int:
    """Make a place of every element with a role and kept text.  Items and cells are counted, kept or not."""
    _begin(places[0], 0, NONE, 0, 0)
    rows[0] = 0
    row = 0
    for i in range(1, len(nodes)):
        node = nodes[i]
        outer = rows[node.parent]
        rows[i] = outer
        role = ROLE[node.tag]
        if role == NONE:
            continue
        around = places[outer]
        if role == ITEM and around.role == ORDERED:
            around.n_children = _number(source, node.source, VALUE, MOST_START, around.n_children)
        number = around.n_children
        if (role == ITEM and around.role <= ORDERED) or role == CELL:
            around.n_children += 1
        if n_kept[node.first_block] == n_kept[node.end_block] or around.role == PREFORMATTED:
            continue
        row += 1
        rows[i] = row
        _begin(places[row], i, role, outer, number)
        if role == ORDERED:
            start = _number(source, node.source, START, MOST_START, 1)
            places[row].n_children = start
            places[row].number = 0  # or, if it counts down, 1 + the sum of an item's numbers up and down; -1 if unknown
            if _value(source, node.source, REVERSED):
                places[row].number = 1 + 2 * start if _value(source, node.source, START) else -1
    return row + 1


@lean_kernel
def _begin(place: Record, node: Int, role: Int, outer: Int, number: Int) -> None:
    place.node, place.role, place.outer, place.number = node, role, outer, number
    place.container = place.group = place.level = 0
    place.n_children = place.n_items = place.n_blocks = place.n_lines = place.n_chars = 0
    place.holds = place.shown = place.begun = place.column = 0


@lean_kernel
def _value(source: Bytes, tag: Int, name: Bytes) -> Int:
    """Where the value of an attribute of the element at `tag` begins, or where it would; 0 if there is no attribute."""
    i = tag + 2
    while source[i] != 0 and source[i] != GREATER_THAN:
        if source[i] <= SPACE and source[i + 1] | 32 == name[0]:
            k = 1
            while k < len(name) and source[i + 1 + k] | 32 == name[k]:
                k += 1
            after = i + 1 + k
            if k == len(name) and (source[after] <= SPACE or source[after] == EQUAL or source[after] == GREATER_THAN):
                after += source[after] == EQUAL
                return after + (source[after] == QUOTE or source[after] == APOSTROPHE)
        i += 1
    return 0


@lean_kernel
def _number(source: Bytes, tag: Int, name: Bytes, most: Int, usual: Int) -> Int:
    """The number, at most `most`, that an attribute of the element at `tag` states; `usual` if it states none."""
    i = _value(source, tag, name)
    number: Int = 0
    n_digits = 0
    while i and ZERO <= source[i] <= NINE and number <= most:
        number = number * 10 + source[i] - ZERO
        n_digits += 1
        i += 1
    return number if n_digits and number <= most else usual


@lean_kernel
def _weigh(places: Rows, n_places: Int) -> None:
    """Sum the contents of each place, from the inside outwards, and decide which lists and tables are shown."""
    for row in range(n_places - 1, 0, -1):
        place, outer = places[row], places[places[row].outer]
        role = place.role
        outer.holds |= place.holds
        if ROW <= role <= CELL:
            if role == CELL:
                outer.n_items += place.n_lines > 0
            else:
                outer.n_items = max(outer.n_items, place.n_items)
            outer.n_blocks += place.n_blocks
            outer.n_lines = max(outer.n_lines, place.n_lines)
            outer.n_chars = max(outer.n_chars, place.n_chars)
            continue
        outer.n_lines += place.n_lines
        outer.n_chars += place.n_chars
        if role == PREFORMATTED:
            outer.holds |= VERBATIM
            outer.n_blocks += 1
        elif role == TABLE:
            place.shown = (
                place.n_items >= 2
                and place.holds == 0
                and place.n_lines <= MOST_LINES_A_CELL
                and place.n_chars <= MOST_CHARS_A_CELL
            )
            outer.holds |= GRID
            outer.n_blocks += 1 if place.shown else place.n_blocks
        elif role <= TERMS:
            place.shown = (
                place.n_items >= 1
                and place.holds & HEADING == 0
                and place.n_blocks <= MOST_BLOCKS_AN_ITEM * place.n_items
            )
            outer.n_blocks += 0 if place.shown else place.n_blocks
        else:  # an item, a term, a definition
            outer.n_blocks += place.n_blocks
            outer.n_items += place.n_blocks > 0


@lean_kernel
def _settle(places: Rows, n_places: Int) -> bool:
    """From the page inwards, set for each place the container of its text, the indentation and the group.

    It returns whether a table is shown.  The number of such a table is that of the cells in its longest row.
    """
    has_tables = False
    for row in range(1, n_places):
        place, outer = places[row], places[places[row].outer]
        role = place.role
        container = places[outer.container]
        place.container = outer.container
        if container.role == CELL:
            continue
        if role <= TERMS or role == TABLE:
            place.group = container.group if container.group else row
            if role == TABLE:
                place.number = 0
        elif role == ROW:
            place.group = outer.group
            place.shown = outer.role == TABLE and outer.shown
            if place.shown:
                outer.number = max(outer.number, place.n_children)
                has_tables = True
        elif role == PREFORMATTED:
            place.container = row
        elif outer.shown and (
            (role == ITEM and outer.role <= ORDERED)
            or (role >= TERM and role <= DEFINITION and outer.role == TERMS)
            or (role == CELL and (outer.role == ROW or outer.role == TABLE))
        ):
            place.container = row
            place.group = outer.group
            if role == ITEM and outer.role == ORDERED and outer.number:
                both = outer.number - 1 if outer.number > 0 else outer.n_children
                place.number = max(0, both - place.number)
            place.level = container.level + (container.role != NONE and container.n_blocks > 0)
            if role == DEFINITION:
                place.level += 1
    return has_tables


@lean_kernel
def _find_columns(source: Bytes, nodes: Rows, rows: Any, places: Rows, taken: Any) -> Int:
    """Set the columns of the cells of shown tables.  taken: the row up to which a cell above takes each column.

    It returns how many columns were skipped.
    """
    table = row = column = number = n_spanned = i64(0)
    for i in range(1, len(nodes)):
        node = nodes[i]
        role = ROLE[node.tag]
        if role == TABLE:
            place = places[rows[i]]
            table = i64(rows[i]) if place.node == i and place.shown else i64(0)
            row = 0
            taken[:] = 0
        elif table == 0:
            continue
        elif role == ROW and _is_in(places, rows[node.parent], table):
            row += 1
            column, number = i64(0), i64(-1)
        elif node.tag == _TBODY or node.tag == _TFOOT:
            taken[:] = 0
        elif role == CELL and ROLE[nodes[node.parent].tag] == ROW and _is_in(places, rows[node.parent], table):
            while column < MOST_COLUMNS and taken[column] > row:
                column += 1
            place = places[rows[i]]
            after = number + 1
            number = max(after, min(column, places[table].number - 1))
            if place.node == i:
                n_spanned += number - place.number if number > place.number else 0
                place.number = number
            column = max(column, number)
            n_columns = max(1, _number(source, node.source, COLSPAN, MOST_SPAN, 1))
            n_rows = _number(source, node.source, ROWSPAN, MOST_SPAN, 1)
            for k in range(column, min(column + n_columns, MOST_COLUMNS) if n_rows != 1 else 0):
                taken[k] = row + n_rows if n_rows else MOST_SPAN
            column += min(n_columns, MOST_COLUMNS)
    return n_spanned


@lean_kernel
def _is_in(places: Rows, row: Int, table: Int) -> bool:
    """Whether a place is a table, or a row of it."""
    found: bool = table == (places[row].outer if places[row].role == ROW else row)
    return found
