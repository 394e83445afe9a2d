r"""Inline Markdown of a block: strong, emphasis, code, links; and escapes for characters that only look like marks.

A block's text is cut where a marked element starts or ends, and each run is written separately.  So elements that
overlap, contain themselves or are empty cause no errors.  Code is only code, never also strong.  TeX is never escaped.
Marks have no white space inside at their ends.  Where CommonMark would not recognise a mark (`word**"quoted"**`:
section 6.2, flanking), the text is written without it, so that no stray stars appear.
"""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from dataclasses import dataclass

import numpy as np

from corpusmill.extract.segments import formulas
from corpusmill.extract.segments.tables import Segments
from corpusmill.extract.segments.tags import N_TAGS, TAG, UNKNOWN
from corpusmill.extract.writing.markup import Elements, inherited

STRONG, EMPHASIS, CODE, LINK, FORMULA = 1, 2, 4, 8, 16
_MARKS = {STRONG: "strong b", EMPHASIS: "em i", CODE: "code kbd samp tt", LINK: "a"}
MARK = np.zeros(N_TAGS, np.uint8)
for _mark, _names in _MARKS.items():
    for _name in _names.split():
        MARK[TAG[_name]] = _mark

_SPECIAL = re.compile(
    r"""\\(?=[!-/:-@\[-`{-~]|$)            # a backslash that would escape something
      | [`\[\]]
      | (?<=\S)\*|\*(?=\S)
      | (?<![^\W_])_|_(?![^\W_])
      | ~(?=~)|(?<=~)~
      | <(?=[A-Za-z/!?])
      | &(?=\#?\w+;)""",
    re.VERBOSE,
)
_BACKSLASHED = r"\\\g<0>"
_UNRENDERED = re.compile(r"(?<![\\$\w])(\${1,2})(?=[^\s$])[^$]{0,399}[^\s$]\1(?![\w$])")  # TeX that a script would draw
_IS_TEX = re.compile(r"\\[A-Za-z]|[\^_][{\w]")
_MAY_BE_SPECIAL = re.compile(r"[\\`\[\]*_~<&]")
_LINE_START = re.compile(r"\#{1,6}(?=\s|$) | [-+*](?=\s|$) | > | ~(?=~~) | [-=:|](?=[-=:|\s]*$)", re.VERBOSE)
_NUMBER_START = re.compile(r"(\d{1,9})(?=[.)](?:\s|$))")
_BACKTICKS = re.compile("`+")
_LINE_BREAKS = re.compile(r"[\t\r\n]")  # not part of URLs: the URL standard removes them
_IN_ANGLES = re.compile(r"[\s()<>\\]")


@dataclass(frozen=True, slots=True)
class _Run:
    """Text [start, end) with the same marks."""

    start: int
    end: int
    marks: int
    link: int  # node of the <a> around it, or -1


class Inline:
    """Writes the blocks of one page as inline Markdown."""

    def __init__(self, segments: Segments, elements: Elements) -> None:
        self._elements = elements
        self._text = segments.text.tobytes()
        nodes = segments.nodes
        marks = MARK[nodes["tag"]]
        unknown = np.flatnonzero(nodes["tag"] == UNKNOWN)
        marks[[i for i in unknown.tolist() if segments.data.startswith(formulas.FORMULA, nodes["source"][i])]] = FORMULA
        marked = np.flatnonzero((marks > 0) & (nodes["text_end"] > nodes["text_start"]))
        self._marked: list[int] = marked.tolist()
        starts = nodes["text_start"][marked]  # a space before the first word does not count
        self._starts: list[int] = (starts + (segments.text[starts] == ord(" "))).tolist()
        self._ends: list[int] = nodes["text_end"].tolist()
        self._marks: list[int] = marks.tolist()
        self._around: dict[int, tuple[int, ...]] = {-1: ()}
        self._hrefs: dict[int, str | None] = {-1: None}

    def render(self, start: int, end: int, leaf: int) -> str:
        """Markdown for text[start:end], on one line.  Its first character is in node `leaf`."""
        runs = self._runs(start, end, leaf)
        pieces: list[str] = []
        at = 0
        while at < len(runs):
            after = at + 1
            while after < len(runs) and runs[after].link == runs[at].link:
                after += 1
            inner = "".join(self._run(runs, i) for i in range(at, after))
            href = self._href(runs[at].link)
            pieces.append(inner if href is None else _linked(inner, href))
            at = after
        return "".join(
            piece[:-1] + "\\!" if piece.endswith("!") and following.startswith("[") else piece
            for piece, following in zip(pieces, [*pieces[1:], ""], strict=True)
        ).strip()

    def _runs(self, start: int, end: int, leaf: int) -> list[_Run]:
        """The runs of a block between starts and ends of marked elements.  Equal neighbours are joined."""
        first, after = bisect_right(self._starts, start), bisect_left(self._starts, end)
        runs: list[_Run] = []
        marks, link, at = 0, -1, start
        outer: list[tuple[int, int, int]] = []  # for each open element: its end, and the marks before it

        def run_to(stop: int) -> None:
            nonlocal at
            if stop > at:
                if runs and (runs[-1].marks, runs[-1].link) == (marks, link):
                    runs[-1] = _Run(runs[-1].start, stop, marks, link)
                else:
                    runs.append(_Run(at, stop, marks, link))
                at = stop

        for node, its_start in [
            *((node, start) for node in self._marks_around(leaf)),
            *zip(self._marked[first:after], self._starts[first:after], strict=True),
        ]:
            while outer and outer[-1][0] <= its_start:
                run_to(outer[-1][0])
                _, marks, link = outer.pop()
            run_to(its_start)
            outer.append((min(self._ends[node], outer[-1][0] if outer else end), marks, link))
            if self._marks[node] == LINK:
                link = link if self._href(node) is None else node
            else:
                own = self._marks[node]
                marks = own if own == FORMULA else CODE if CODE in (marks, own) else marks | own
        while outer:
            run_to(outer[-1][0])
            _, marks, link = outer.pop()
        run_to(end)
        return runs

    def _marks_around(self, node: int) -> tuple[int, ...]:
        """The marked elements around a node, outermost first.  Of each kind only the outermost is returned."""
        return inherited(node, self._elements.parents, self._around, self._with_mark)

    def _with_mark(self, node: int, around: tuple[int, ...]) -> tuple[int, ...]:
        mark = self._marks[node]
        return (*around, node) if mark and all(self._marks[other] != mark for other in around) else around

    def _run(self, runs: list[_Run], index: int) -> str:
        run = runs[index]
        text = self._slice(run.start, run.end)
        core = text.strip()
        if run.marks & FORMULA:
            return text
        if not core or not run.marks:
            return _escaped(text)
        before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
        written = _code(core) if run.marks & CODE else _escaped(core)
        stars = "*" * ((2 if run.marks & STRONG else 0) + (1 if run.marks & EMPHASIS else 0))
        if stars and not (
            (before or self._may_touch(runs, index - 1, -1, written[0]))
            and (after or self._may_touch(runs, index + 1, 0, written[-1]))
        ):
            stars = ""
        return f"{before}{stars}{written}{stars}{after}"

    def _may_touch(self, runs: list[_Run], neighbour: int, side: int, edge: str) -> bool:
        """Whether Markdown recognises stars between this `edge` of a run and the neighbouring run as a mark."""
        if not 0 <= neighbour < len(runs):
            return True
        run = runs[neighbour]
        character = self._slice(run.start, run.end)[side]
        if character.isspace():
            return True
        if run.marks & (STRONG | EMPHASIS):
            return False
        return not _is_mark(edge) or bool(run.marks & CODE) or _is_mark(character)

    def _slice(self, start: int, end: int) -> str:
        return self._text[start:end].decode("utf-8", "replace")

    def _href(self, node: int) -> str | None:
        """The target of a link; None for scripts, data and places in the page itself."""
        if node not in self._hrefs:
            href = _LINE_BREAKS.sub("", self._elements.attribute(node, b"href") or "").strip().replace(" ", "%20")
            leads = href and not href.startswith("#") and not href.lower().startswith(("javascript:", "data:"))
            self._hrefs[node] = href if leads else None
        return self._hrefs[node]


def _escaped(text: str) -> str:
    """Text in which characters that look like marks are escaped.  Most text has none, and a set finds that fast."""
    if not _MAY_BE_SPECIAL.search(text):
        return text
    if "$" not in text:
        return _SPECIAL.sub(_BACKSLASHED, text)
    pieces: list[str] = []
    at = 0
    for formula in _UNRENDERED.finditer(text):
        if _IS_TEX.search(formula[0]):
            pieces += [_SPECIAL.sub(_BACKSLASHED, text[at : formula.start()]), formula[0]]
            at = formula.end()
    return "".join([*pieces, _SPECIAL.sub(_BACKSLASHED, text[at:])])


def escape_line(line: str) -> str:
    """A line of a paragraph, escaped if its beginning looks like a heading, an item, a quote or a rule."""
    if _LINE_START.match(line):
        return "\\" + line
    return _NUMBER_START.sub(r"\1\\", line, count=1) if line[:1].isdigit() and _NUMBER_START.match(line) else line


def _linked(inner: str, href: str) -> str:
    core = inner.strip()
    if not core:
        return inner
    if _IN_ANGLES.search(href):
        href = "<" + href.replace("\\", "%5C").replace("<", "%3C").replace(">", "%3E") + ">"
    before, after = inner[: len(inner) - len(inner.lstrip())], inner[len(inner.rstrip()) :]
    return f"{before}[{core}]({href}){after}"


def _code(text: str) -> str:
    """A code span.  Its fence is longer than every run of backticks in it (CommonMark 6.1)."""
    fence = "`" * (1 + max((len(run) for run in _BACKTICKS.findall(text)), default=0))
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _is_mark(character: str) -> bool:
    """Whether a character is punctuation or a symbol, as defined by CommonMark's flanking rules."""
    return unicodedata.category(character)[0] in "PS"
