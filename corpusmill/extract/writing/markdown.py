"""The kept blocks of a page as Markdown: CommonMark 0.31 and the tables of GFM.

The structure is that of the plain text: `layout.py` decides which lists and tables are shown.  In addition there are
headings, quotes, fenced code with its language, hard line breaks and inline marks (`inline.py`).  Terms of <dl> are
strong, and their definitions are paragraphs.  Images are left out.

Cost: 3 ms per average page.  It is plain Python over the same tables.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from corpusmill.extract.segments.tables import Segments
from corpusmill.extract.segments.tags import TAG
from corpusmill.extract.writing.inline import Inline, escape_line
from corpusmill.extract.writing.layout import CELL, ITEM, ORDERED, PREFORMATTED, TABLE, TERM, lay_out
from corpusmill.extract.writing.markup import Elements, inherited
from corpusmill.extract.writing.write import lines_between

QUOTE = TAG["blockquote"]
MOST_CONTAINERS = 16  # nested items and quotes; deeper ones are written at this level
_LANGUAGE = re.compile(
    r"(?:^|\s)(?:language-|lang-|highlight-source-|highlight-text-|(?:mw-highlight|src src|geshifilter)-(?:lang-)?"
    r"|sourceCode |brush:\s*)([\w+#.-]+)"
    r"|^(?:code )?highlight-?\s?([\w+#.-]+)(?: notranslate)?$|^hljs (?!lang)([\w+#.-]+)$|^(?!lang)([\w+#.-]+) hljs$"
    r"|^code ([\w+#.-]+) literal-block$"
)
_NO_LANGUAGE = frozenset(("default", "none", "table", "nohighlight", "code", "wrap", "rouge", "chroma", "copyable"))
_LANGUAGE_ATTRIBUTES = (b"data-lang", b"data-language", b"data-enlighter-language")
_NAME_OF_LANGUAGE = re.compile(r"[A-Za-z][\w+#.-]{0,30}$")
MOST_AROUND = 8  # elements around code, for its language
MOST_INSIDE = 8  # elements in it
MOST_BESIDE = 200  # bytes of text in them beside the code, without line numbers
_FENCE = re.compile("^ *(`{3,})", re.MULTILINE)
_CLOSING_HASHES = re.compile(r"#+$")
_BACKSLASHED = r"\\\g<0>"
_STRONG_AS_A_WHOLE = re.compile(r"\*\*((?:[^*\\]|\\.)+)\*\*")  # no other marks; headings are strong anyway
MOST_EMPTY_PER_CELL = 8  # in a table whose rows have different lengths
_BAR = r"\|"


class _Container(NamedTuple):
    """A quote, or an item of a list."""

    node: int
    list: int = 0  # place of its list; 0 for a quote
    number: int | None = None  # of an item in an ordered list


class _Block(NamedTuple):
    """A kept block: some columns of the table of blocks."""

    box: int
    start: int
    end: int
    leaf: int
    heading: int


@dataclass(slots=True)
class _Part:
    """Text between two blank lines: a paragraph, a heading, code, a table."""

    containers: tuple[_Container, ...]
    place: int  # the place that it is written in; for a table, the table itself
    lines: list[str]

    def written(self) -> list[str]:
        """Its lines as Markdown, without the prefixes of containers."""
        raise NotImplementedError


class _Paragraph(_Part):
    def written(self) -> list[str]:
        lines = [escape_line(line) for line in self.lines]
        return [*(line + "\\" for line in lines[:-1]), lines[-1]]


class _Term(_Part):
    def written(self) -> list[str]:
        line = " ".join(self.lines)
        return [escape_line(line) if "*" in line else f"**{line}**"]


@dataclass(slots=True)
class _Heading(_Part):
    box: int
    level: int

    def written(self) -> list[str]:
        strong = [_STRONG_AS_A_WHOLE.fullmatch(line) for line in self.lines]
        line = " ".join(match[1] for match in strong if match) if all(strong) else " ".join(self.lines)
        return [f"{'#' * self.level} {_CLOSING_HASHES.sub(_BACKSLASHED, line)}"]


@dataclass(slots=True)
class _Code(_Part):
    language: str

    def written(self) -> list[str]:
        code = "".join(text if text.endswith("\n") else f"{text}\n" for text in self.lines).strip("\n")
        fence = "`" * (1 + max((len(fence) for fence in _FENCE.findall(code)), default=2))
        return [fence + self.language, *code.split("\n"), fence]


@dataclass(slots=True)
class _Table(_Part):
    rows: dict[int, dict[int, str]]  # cells by row and column

    def add(self, row: int, column: int, text: str) -> None:
        cells = self.rows.setdefault(row, {})
        cells[column] = f"{cells[column]} {text}" if column in cells else text

    def written(self) -> list[str]:
        n_columns = 1 + max(max(cells) for cells in self.rows.values())
        n_cells = sum(len(cells) for cells in self.rows.values())
        # Rows have the same length, unless this makes the table much larger than its cells.
        least = n_columns if n_columns * len(self.rows) <= MOST_EMPTY_PER_CELL * n_cells else 0
        lines = [
            f"| {' | '.join(cells.get(i, '').replace('|', _BAR) for i in range(max(least, 1 + max(cells))))} |"
            for cells in self.rows.values()
        ]
        lines[0] += " |" * (n_columns - max(least, 1 + max(next(iter(self.rows.values())))))
        return [lines[0], "|" + " --- |" * n_columns, *lines[1:]]


def markdown_of(segments: Segments, keep: npt.NDArray[np.bool_]) -> str:
    """Markdown of the blocks for which `keep`, bool (n_blocks,), is true.  Links are as in the page."""
    return _joined(_Reader(segments, keep).parts())


class _Reader:
    """Combines the kept blocks of a page into parts."""

    def __init__(self, segments: Segments, keep: npt.NDArray[np.bool_]) -> None:
        self._segments, self._keep = segments, keep
        self._elements = Elements(segments)
        self._inline = Inline(segments, self._elements)
        rows, places, _ = lay_out(segments, keep)
        # as lists: single values of numpy's arrays cost ten times as much
        self._rows: list[int] = rows.tolist()
        self._roles, self._nodes, self._outer, self._written_in, self._numbers = (
            places[name].tolist() for name in ("role", "node", "outer", "container", "number")
        )
        self._around: dict[int, tuple[_Container, ...]] = {-1: ()}

    def parts(self) -> list[_Part]:
        parts: list[_Part] = []
        starts = np.cumsum(self._segments.blocks["after_br"] == 0).tolist()  # equal if only <br> is between
        kept = np.flatnonzero(self._keep)
        blocks = self._segments.blocks[[*_Block._fields]][kept].tolist()
        last = -1
        for b, block in zip(kept.tolist(), map(_Block._make, blocks), strict=True):
            flowing = last >= 0 and starts[b] == starts[last]
            n_feeds = lines_between(self._segments.source, self._segments.blocks, last, b) if flowing else 2
            self._add(parts, block, n_feeds)
            last = b
        return parts

    def _add(self, parts: list[_Part], block: _Block, n_feeds: int) -> None:
        """Add a block to the last part, or begin a new part with it."""
        row = self._written_in[self._rows[block.box]]
        role = self._roles[row]
        containers = self._containers(block.box)
        last = parts[-1] if parts and parts[-1].containers == containers else None
        if role == PREFORMATTED:
            text = self._segments.text[block.start : block.end].tobytes().decode("utf-8", "replace")
            if isinstance(last, _Code) and last.place == row:
                last.lines.append(text)
            else:
                parts.append(_Code(containers, row, [text], self._language(self._nodes[row])))
            return
        text = self._inline.render(block.start, block.end, block.leaf)
        if role == CELL:
            outer = self._outer[row]
            table = outer if self._roles[outer] == TABLE else self._outer[outer]
            if not isinstance(last, _Table) or last.place != table:
                last = _Table(containers, table, [], {})
                parts.append(last)
            last.add(outer, self._numbers[row], text)
        elif block.heading:
            if isinstance(last, _Heading) and n_feeds == 0 and last.box == block.box:
                last.lines.append(text)
            else:
                parts.append(_Heading(containers, row, [text], block.box, block.heading))
        elif last and type(last) in (_Paragraph, _Term) and last.place == row and n_feeds < 2:
            last.lines.append(text)
        else:
            parts.append((_Term if role == TERM else _Paragraph)(containers, row, [text]))

    def _containers(self, node: int) -> tuple[_Container, ...]:
        """The quotes and shown items around a node, including itself, outermost first."""
        return inherited(node, self._elements.parents, self._around, self._with_container)

    def _with_container(self, node: int, around: tuple[_Container, ...]) -> tuple[_Container, ...]:
        if len(around) >= MOST_CONTAINERS:
            return around
        row = self._rows[node]
        if self._elements.tags[node] == QUOTE:
            return (*around, _Container(node))
        if self._roles[row] == ITEM and self._nodes[row] == node and self._written_in[row] == row:
            outer = self._outer[row]
            ordered = self._roles[outer] == ORDERED
            return (*around, _Container(node, outer, self._numbers[row] if ordered else None))
        return around

    def _language(self, node: int) -> str:
        """The language that a <pre> states, the first element in it, or an element around it with little other text."""
        parents = self._elements.parents
        for inner in range(node + 1, min(node + 1 + MOST_INSIDE, len(parents))):
            if parents[inner] == node and (language := self._stated(inner)):
                return language
        starts, ends = self._segments.nodes["text_start"], self._segments.nodes["text_end"]
        most = MOST_BESIDE + 2 * (ends.item(node) - starts.item(node))
        for _ in range(MOST_AROUND):
            if language := self._stated(node):
                return language
            node = parents[node]
            if node <= 0 or ends.item(node) - starts.item(node) > most:
                break
        return ""

    def _stated(self, node: int) -> str:
        """The language that a class or another attribute of an element states."""
        found = _LANGUAGE.search(self._elements.attribute(node, b"class") or "")
        language = next((name for name in found.groups() if name), "") if found else ""
        if language and language not in _NO_LANGUAGE and not language.startswith("language-"):
            return language
        for name in _LANGUAGE_ATTRIBUTES:
            value = self._elements.attribute(node, name) or ""
            if _NAME_OF_LANGUAGE.match(value) and value not in _NO_LANGUAGE:
                return value
        return ""


def _joined(parts: list[_Part]) -> str:
    """All parts with the prefixes of their containers and the blank lines between parts."""
    out: list[str] = []
    before: tuple[_Container, ...] = ()
    marks: dict[int, str] = {}  # for each list, its bullet, or the sign after its numbers
    for part in parts:
        shared = 0
        while before[shared : shared + 1] == part.containers[shared : shared + 1] != ():
            shared += 1
        opened = part.containers[shared:]
        neighbour = marks.get(before[shared].list) if shared < len(before) else None
        for container in opened:
            marks.setdefault(container.list, _mark_unlike(neighbour, container))
            neighbour = None
        if out and not _is_next(before, opened, shared):
            out.append("".join(_prefix(each, marks, False) for each in part.containers[:shared]).rstrip())
        lines = part.written()
        for at, line in enumerate(lines):
            prefix = "".join(
                _prefix(each, marks, at == 0 and depth >= shared) for depth, each in enumerate(part.containers)
            )
            out.append(prefix + line if line else prefix.rstrip())
        before = part.containers
    return "\n".join(out)


def _is_next(before: tuple[_Container, ...], opened: tuple[_Container, ...], shared: int) -> bool:
    """Whether a part begins the next item of the same list, or the first item of a list inside an item."""
    if not opened or not opened[0].list:
        return False
    if shared < len(before):
        return before[shared].list == opened[0].list
    return shared > 0 and before[shared - 1].list > 0 and opened[0].number in (None, 1)


def _mark_unlike(neighbour: str | None, item: _Container) -> str:
    """The mark of a new list.  It differs from that of a list directly before it, or Markdown would join the two."""
    usual, other = ("-", "*") if item.number is None else (".", ")")
    return other if neighbour == usual else usual


def _prefix(container: _Container, marks: dict[int, str], opens: bool) -> str:
    """The prefix that a quote or an item puts before its first line, or before its other lines."""
    if not container.list:
        return "> "
    mark = f"{'' if container.number is None else container.number}{marks[container.list]} "
    return mark if opens else " " * len(mark)
