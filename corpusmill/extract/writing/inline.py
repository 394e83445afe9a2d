r"""What is marked inside a block, as Markdown: strong, emphasised, code, links; and escapes for what only looks so.

A block's text is cut where a marked element starts or ends; each run is then written by itself, so elements that
overlap, nest in themselves or are empty do no harm; code is code and not strong, too.  Marks never hold white space at
their ends, and where CommonMark would not see one (`word**"quoted"**`: section 6.2, flanking), the text stands without
it rather than with stray stars.
"""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from dataclasses import dataclass

import numpy as np

from corpusmill.extract.segments.tables import Segments
from corpusmill.extract.segments.tags import N_TAGS, TAG
from corpusmill.extract.writing.markup import Elements, inherited

STRONG, EMPHASIS, CODE, LINK = 1, 2, 4, 8
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
_LINE_START = re.compile(r"\#{1,6}(?=\s|$) | [-+*](?=\s|$) | > | ~(?=~~) | [-=:|](?=[-=:|\s]*$)", re.VERBOSE)
_NUMBER_START = re.compile(r"(\d{1,9})(?=[.)](?:\s|$))")
_BACKTICKS = re.compile("`+")
_LINE_BREAKS = re.compile(r"[\t\r\n]")  # which URLs don't have: the URL standard leaves them out
_IN_ANGLES = re.compile(r"[\s()<>\\]")


@dataclass(frozen=True, slots=True)
class _Run:
    """Text [start, end) under the same marks."""

    start: int
    end: int
    marks: int
    link: int  # node of the <a> around it, or -1


class Inline:
    """Blocks of one page as inline Markdown."""

    def __init__(self, segments: Segments, elements: Elements) -> None:
        self._elements = elements
        self._text = segments.text.tobytes()
        nodes = segments.nodes
        marked = np.flatnonzero((MARK[nodes["tag"]] > 0) & (nodes["text_end"] > nodes["text_start"]))
        self._marked: list[int] = marked.tolist()
        starts = nodes["text_start"][marked]  # a space before the element's first word may lie in it: it does not count
        self._starts: list[int] = (starts + (segments.text[starts] == ord(" "))).tolist()
        self._ends: list[int] = nodes["text_end"].tolist()
        self._marks: list[int] = MARK[nodes["tag"]].tolist()
        self._around: dict[int, tuple[int, ...]] = {-1: ()}
        self._hrefs: dict[int, str | None] = {-1: None}

    def render(self, start: int, end: int, leaf: int) -> str:
        """Markdown for text[start:end], whose first character lies in node `leaf`; one line."""
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
        """The runs that the marked elements cut a block into; equal neighbours are one."""
        first, after = bisect_right(self._starts, start), bisect_left(self._starts, end)
        runs: list[_Run] = []
        marks, link, at = 0, -1, start
        outer: list[tuple[int, int, int]] = []  # of each open element: its end, and what held before it

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
                marks = CODE if CODE in (marks, self._marks[node]) else marks | self._marks[node]
        while outer:
            run_to(outer[-1][0])
            _, marks, link = outer.pop()
        run_to(end)
        return runs

    def _marks_around(self, node: int) -> tuple[int, ...]:
        """The marked elements around a node, outermost first, the outermost of each kind."""
        return inherited(node, self._elements.parents, self._around, self._with_mark)

    def _with_mark(self, node: int, around: tuple[int, ...]) -> tuple[int, ...]:
        mark = self._marks[node]
        return (*around, node) if mark and all(self._marks[other] != mark for other in around) else around

    def _run(self, runs: list[_Run], index: int) -> str:
        run = runs[index]
        text = self._slice(run.start, run.end)
        core = text.strip()
        if not core or not run.marks:
            return _SPECIAL.sub(r"\\\g<0>", text)
        before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
        written = _code(core) if run.marks & CODE else _SPECIAL.sub(r"\\\g<0>", core)
        stars = "*" * ((2 if run.marks & STRONG else 0) + (1 if run.marks & EMPHASIS else 0))
        if stars and not (
            (before or self._may_touch(runs, index - 1, -1, written[0]))
            and (after or self._may_touch(runs, index + 1, 0, written[-1]))
        ):
            stars = ""
        return f"{before}{stars}{written}{stars}{after}"

    def _may_touch(self, runs: list[_Run], neighbour: int, side: int, edge: str) -> bool:
        """Whether stars between the `edge` of a run and the neighbouring run beside it are read as a mark."""
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
        """Where a link leads; None for what leads nowhere else: scripts, data, places in the page itself."""
        if node not in self._hrefs:
            href = _LINE_BREAKS.sub("", self._elements.attribute(node, b"href") or "").strip().replace(" ", "%20")
            leads = href and not href.startswith("#") and not href.lower().startswith(("javascript:", "data:"))
            self._hrefs[node] = href if leads else None
        return self._hrefs[node]


def escape_line(line: str) -> str:
    """A line of a paragraph whose beginning would make it something else: a heading, an item, a quote, a rule."""
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
    """A code span; its fence is longer than any run of backticks in it (CommonMark 6.1)."""
    fence = "`" * (1 + max((len(run) for run in _BACKTICKS.findall(text)), default=0))
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _is_mark(character: str) -> bool:
    """Punctuation and symbols, as CommonMark's flanking rules see them."""
    return unicodedata.category(character)[0] in "PS"
