"""Decide which lists, tables and preformatted texts of a page are shown as such, and the place of each block in them.

Pages use lists and tables for everything: menus, cards, whole designs.  Their structure is shown in the text only if
their kept part reads as a list or as a table:

- A list is shown unless it contains a heading, or its items have more than 4 blocks on average (lines after <br> do not
  count).  The same holds for <dl>, whose items are terms and definitions.
- A table is shown if one of its rows has two cells with text.  None of its cells may contain a heading, a table,
  preformatted text, more than 8 lines or more than 600 characters.
- Everything in a cell of such a table is one line of text.
- Cells keep their column beside cells that reach over several columns or rows, in the first 32 columns.

All other text is paragraphs.  A *place* is an element with kept text that has a role here.  Row 0 of the places stands
for the page.  Four loops over rows in order make the decisions, so the time is linear for any nesting: from the page
inwards places are found, from the inside outwards their contents are summed, and from the page inwards it is decided
how they are shown.

Cost: see `write.py`.  This is the larger part of it.
"""

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from corpusmill.extract.segments.lean import Bytes, Int, Record, Rows, lean_entry, lean_kernel
from corpusmill.extract.segments.tables import Segments
from corpusmill.extract.segments.tags import N_TAGS, TAG

MOST_BLOCKS_AN_ITEM = 4
MOST_LINES_A_CELL = 8
MOST_CHARS_A_CELL = 600
MOST_COLUMNS = 32  # in which `colspan` and `rowspan` have an effect
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

_GRID = np.dtype(  # of the table that is being read
    [
        ("table", np.int32),  # its place
        ("group", np.int32),  # node around the row; no cell reaches out of it
        ("row", np.int32),
        ("column", np.int32),  # of the next cell
        ("taken", np.int32, MOST_COLUMNS),  # for each column, the first row that is not taken by a cell above
    ],
    align=True,
)


class Layout(NamedTuple):
    """`places[rows[block.box]].container` is the place that a block is written in; 0 stands for the page itself."""

    rows: npt.NDArray[np.int32]  # (n_nodes,): the innermost place of each element: the element itself, or one around it
    places: npt.NDArray[np.void]  # (n_nodes + 1,) of PLACE; only those that `rows` refers to are filled


def lay_out(segments: Segments, keep: npt.NDArray[np.bool_]) -> Layout:
    """The layout of the blocks for which `keep`, bool (n_blocks,), is true."""
    n_nodes = len(segments.nodes)
    rows, places = np.empty(n_nodes, np.int32), np.empty(n_nodes + 1, PLACE)
    n_kept = np.empty(len(segments.blocks) + 1, np.int32)
    grid = np.zeros(1, _GRID)
    _lay_out(segments.source, segments.blocks, segments.nodes, keep, n_kept, grid, rows, places)
    return Layout(rows, places)


@lean_entry
def _lay_out(
    source: Bytes, blocks: Rows, nodes: Rows, keep: Any, n_kept: Any, grid: Rows, rows: Any, places: Rows
) -> None:
    n_kept[0] = 0
    for b in range(len(blocks)):
        n_kept[b + 1] = n_kept[b] + keep[b]
    n_places = _find(source, nodes, n_kept, grid[0], rows, places)
    for b in range(len(blocks)):
        if keep[b]:
            block, place = blocks[b], places[rows[blocks[b].box]]
            place.n_blocks += block.after_br == 0 or place.n_blocks == 0
            place.n_lines += 1
            place.n_chars += block.n_chars
            if block.heading:
                place.holds |= HEADING
    _weigh(places, n_places)
    _settle(places, n_places)


@lean_kernel
def _find(source: Bytes, nodes: Rows, n_kept: Any, grid: Record, rows: Any, places: Rows) -> Int:
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
        number = around.n_children
        if (role == ITEM and around.role <= ORDERED) or role == CELL:
            around.n_children += 1
        if role == ROW and around.role == TABLE:
            _begin_row(grid, outer, node.parent)
        elif role == CELL and grid.table and grid.table == (outer if around.role == TABLE else around.outer):
            number = _place_cell(source, grid, node.source)
        if n_kept[node.first_block] == n_kept[node.end_block] or around.role == PREFORMATTED:
            continue
        row += 1
        rows[i] = row
        _begin(places[row], i, role, outer, number)
        if role == ORDERED:
            places[row].n_children = _start(source, node.source)
    return row + 1


@lean_kernel
def _begin_row(grid: Record, table: Int, group: Int) -> None:
    if grid.table != table or grid.group != group:
        grid.table, grid.group, grid.row = table, group, 0
        for i in range(MOST_COLUMNS):
            grid.taken[i] = 0
    grid.row += 1
    grid.column = 0


@lean_kernel
def _place_cell(source: Bytes, grid: Record, tag: Int) -> Int:
    """The column of the next cell in the row, whose tag begins at `tag`."""
    while grid.column < MOST_COLUMNS and grid.taken[grid.column] > grid.row:
        grid.column += 1
    column: Int = grid.column
    n_columns: Int = 1
    n_rows: Int = 1
    i = tag + 3
    while source[i] != 0 and source[i] != 62:  # >
        if (
            source[i] == 61  # "=", after "span"
            and source[i - 1] | 32 == 110
            and source[i - 2] | 32 == 97
            and source[i - 3] | 32 == 112
            and source[i - 4] | 32 == 115
            and source[i - 8] <= 32
        ):
            first = i + 1 + (source[i + 1] == 34 or source[i + 1] == 39)
            number: Int = 0
            for k in range(first, first + 3):
                if not 48 <= source[k] <= 57:
                    break
                number = number * 10 + source[k] - 48
            if source[i - 5] | 32 == 108:  # "col"
                n_columns = max(number, 1)
            elif source[i - 5] | 32 == 119:  # "row"
                n_rows = max(number, 1)
        i += 1
    grid.column = max(column + 1, min(column + n_columns, MOST_COLUMNS))
    if n_rows > 1:
        for k in range(column, min(column + n_columns, MOST_COLUMNS)):
            grid.taken[k] = grid.row + n_rows
    return column


@lean_kernel
def _begin(place: Record, node: Int, role: Int, outer: Int, number: Int) -> None:
    place.node, place.role, place.outer, place.number = node, role, outer, number
    place.container = place.group = place.level = 0
    place.n_children = place.n_items = place.n_blocks = place.n_lines = place.n_chars = 0
    place.holds = place.shown = place.begun = place.column = 0


@lean_kernel
def _start(source: Bytes, tag: Int) -> Int:
    """The number that the attribute `start` gives to the first item of the <ol> at `tag`."""
    i = tag + 3
    while source[i] != 0 and source[i] != 62:  # >
        if (
            source[i] <= 32
            and source[i + 1] | 32 == 115
            and source[i + 2] | 32 == 116
            and source[i + 3] | 32 == 97
            and source[i + 4] | 32 == 114
            and source[i + 5] | 32 == 116
            and source[i + 6] == 61
        ):
            i += 7
            i += source[i] == 34 or source[i] == 39
            start: Int = 0
            n_digits = 0
            while 48 <= source[i] <= 57 and start <= MOST_START:
                start = start * 10 + source[i] - 48
                n_digits += 1
                i += 1
            return start if n_digits and start <= MOST_START else 1
        i += 1
    return 1


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
def _settle(places: Rows, n_places: Int) -> None:
    """From the page inwards, set for each place the container of its text, the indentation and the group."""
    for row in range(1, n_places):
        place, outer = places[row], places[places[row].outer]
        role = place.role
        container = places[outer.container]
        place.container = outer.container
        if container.role == CELL:
            continue
        if role <= TERMS or role == TABLE:
            place.group = container.group if container.group else row
        elif role == ROW:
            place.group = outer.group
            place.shown = outer.role == TABLE and outer.shown
        elif role == PREFORMATTED:
            place.container = row
        elif outer.shown and (
            (role == ITEM and outer.role <= ORDERED)
            or (role >= TERM and role <= DEFINITION and outer.role == TERMS)
            or (role == CELL and (outer.role == ROW or outer.role == TABLE))
        ):
            place.container = row
            place.group = outer.group
            place.level = container.level + (container.role != NONE and container.n_blocks > 0)
            if role == DEFINITION:
                place.level += 1
