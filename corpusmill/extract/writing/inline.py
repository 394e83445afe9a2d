r"""Inline Markdown of a block: strong, emphasis, code, links; and escapes for characters that only look like marks.

A block's text is cut where a marked element starts or ends, and the pieces are grouped again: of the marks at a place,
the one that reaches furthest is written around the others.  So elements that overlap, contain themselves or are empty
cause no errors.  Code is never strong on its own account.  TeX is never escaped.

White space at the ends of a mark is written outside of it.  Where CommonMark would not recognise a mark (section 6.2,
flanking), the punctuation at its end is written outside, too (`word“**quoted**”`).  If that does not help, the text is
written without the mark, so that no stray stars appear.
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
_STARS = STRONG | EMPHASIS
_SIGN = {STRONG: "**", EMPHASIS: "*"}
TEXT, RAW, SPACE, OPEN, CLOSE, OPEN_LINK, CLOSE_LINK = range(7)
_IN_ANGLES = re.compile(r"[\s()<>\\]")


@dataclass(frozen=True, slots=True)
class _Run:
    """Text [start, end) with the same marks."""

    start: int
    end: int
    marks: int
    link: int  # node of the <a> around it, or -1


@dataclass(slots=True)
class _Atom:
    """Text with the same marks, or the space between two such texts."""

    text: str
    marks: int
    link: int
    href: str | None
    is_text: bool = True


@dataclass(slots=True)
class _Token:
    """A piece of Markdown: an atom, or the sign at one end of a mark."""

    kind: int
    text: str
    partner: "_Token | None" = None  # the sign at the other end
    moved: str = ""  # punctuation that is written outside of the stars
    unreadable: bool = False


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
        if len(runs) == 1:
            return self._one(runs[0])
        tokens = _tokens(self._atoms(runs))
        _drop_unreadable(tokens)
        return _joined(tokens).strip()

    def _one(self, run: _Run) -> str:
        """A block that has the same marks from its beginning to its end.  Most have, and this is faster."""
        text, href = self._slice(run.start, run.end).strip(), self._href(run.link)
        if not text or run.marks & FORMULA:
            written = text
        elif run.marks & CODE:
            written = _code(text)
        else:
            stars = "*" * (2 * bool(run.marks & STRONG) + bool(run.marks & EMPHASIS))
            marked = bool(stars) or href is not None
            written = f"{stars}{_escaped(text, marked, marked)}{stars}"
        return written if href is None or not text else f"[{written}]({_target(href)})"

    def _atoms(self, runs: list[_Run]) -> list[_Atom]:
        """The runs without white space at their ends.  White space has the marks that both sides of it share."""
        atoms: list[_Atom] = []
        last = space = None
        for run in runs:
            text = self._slice(run.start, run.end)
            core = text.strip()
            space = space if text == text.lstrip() else _Atom(" ", 0, -1, None, False)
            if not core:
                continue
            href = self._href(run.link)
            link = run.link
            if last is not None:
                if space is None and href is not None and href == last.href and not run.marks & last.marks & CODE:
                    link = last.link  # one link that the page cut in two
                if space is not None:
                    space.marks = last.marks & run.marks & _STARS
                    space.link, space.href = (link, href) if link == last.link else (-1, None)
                    atoms.append(space)
            last = _Atom(core, run.marks, link, href)
            atoms.append(last)
            space = _Atom(" ", 0, -1, None, False) if text != text.rstrip() else None
        return atoms

    def _runs(self, start: int, end: int, leaf: int) -> list[_Run]:
        """The runs of a block between starts and ends of marked elements.  Equal neighbours, and code, are joined."""
        first, after = bisect_right(self._starts, start), bisect_left(self._starts, end)
        runs: list[_Run] = []
        marks, link, at = 0, -1, start
        outer: list[tuple[int, int, int]] = []  # for each open element: its end, and the marks before it

        def run_to(stop: int) -> None:
            nonlocal at
            if stop > at:
                before = runs[-1] if runs else None
                if before and before.link == link and (before.marks == marks or before.marks & marks & CODE):
                    runs[-1] = _Run(before.start, stop, before.marks & marks, link)  # backticks must not touch
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
                marks = own if own == FORMULA else marks if marks & CODE else marks | own
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

    def _slice(self, start: int, end: int) -> str:
        return self._text[start:end].decode("utf-8", "replace")

    def _href(self, node: int) -> str | None:
        """The target of a link; None for scripts, data and places in the page itself."""
        if node not in self._hrefs:
            href = _LINE_BREAKS.sub("", self._elements.attribute(node, b"href") or "").strip().replace(" ", "%20")
            leads = href and not href.startswith("#") and not href.lower().startswith(("javascript:", "data:"))
            self._hrefs[node] = href if leads else None
        return self._hrefs[node]


def _tokens(atoms: list[_Atom]) -> list[_Token]:
    """Atoms with the marks around them, properly nested."""
    tokens: list[_Token] = []
    _nest(atoms, 0, len(atoms), STRONG | EMPHASIS | LINK, tokens)
    return tokens


def _nest(atoms: list[_Atom], first: int, end: int, marks: int, tokens: list[_Token]) -> None:
    """Add tokens for atoms [first, end), which have no other marks than these around them."""
    at = first
    while at < end:
        mark, after = 0, at
        for each in (LINK, STRONG, EMPHASIS):
            if each & marks and (reach := _reach(atoms, at, end, each, marks)) > after:
                mark, after = each, reach
        if not mark:
            atom = atoms[at]
            kind = TEXT if atom.is_text and not atom.marks & (CODE | FORMULA) else RAW if atom.is_text else SPACE
            tokens.append(_Token(kind, _code(atom.text) if atom.marks & CODE else atom.text))
            at += 1
            continue
        opening, closing = (
            (_Token(OPEN_LINK, "["), _Token(CLOSE_LINK, f"]({_target(atoms[at].href or '')})"))
            if mark == LINK
            else (_Token(OPEN, _SIGN[mark]), _Token(CLOSE, _SIGN[mark]))
        )
        opening.partner, closing.partner = closing, opening
        tokens.append(opening)
        _nest(atoms, at, after, marks & ~mark, tokens)
        tokens.append(closing)
        at = after


def _reach(atoms: list[_Atom], at: int, end: int, mark: int, marks: int) -> int:
    """The end of the atoms from `at` on that have this mark.

    Stars begin and end at text that is no code.  They end where a link begins that reaches further.
    """
    after = at
    if not atoms[at].is_text:
        return at
    if mark == LINK:
        while after < end and atoms[after].link == atoms[at].link != -1:
            after += 1
        return after
    if atoms[at].marks & CODE:
        return at
    while after < end and atoms[after].marks & mark:
        after += 1
    if marks & LINK and at < after < end and atoms[after].link == atoms[after - 1].link != -1:
        while after > at and atoms[after - 1].link == atoms[after].link:
            after -= 1
    while after > at and (not atoms[after - 1].is_text or atoms[after - 1].marks & CODE):
        after -= 1
    return after


def _drop_unreadable(tokens: list[_Token]) -> None:
    """Empty the stars that Markdown would not recognise, or write punctuation outside of them so that it does.

    Three stars that open two marks are the only ones that the beginning of a later mark inside could end.
    """
    before, after = _edges(tokens)
    depth, three = 0, False
    for at, token in enumerate(tokens):
        if token.kind == OPEN:
            depth += 1
            again = at > 0 and tokens[at - 1].kind == OPEN
            three = (three and depth > 1) or again
            ends_other = three and not again and _flanks(after[at], before[at])
            touches = at > 0 and tokens[at - 1].kind == CLOSE
            readable = _flanks(before[at], after[at]) or _move_out(token, tokens, at + 1)
            token.unreadable = touches or ends_other or not readable
        elif token.kind == CLOSE:
            depth -= 1
            touches = at + 1 < len(tokens) and tokens[at + 1].kind == OPEN
            readable = _flanks(after[at], before[at]) or _move_out(token, tokens, at - 1)
            token.unreadable = touches or not readable
    for token in tokens:
        if token.partner and (token.unreadable or token.partner.unreadable) and token.kind in (OPEN, CLOSE):
            token.text = ""


def _flanks(outside: str, inside: str) -> bool:
    """Whether stars between these characters can be the end of a mark on the side of `inside`."""
    return not inside.isspace() and (not _is_mark(inside) or _ends_word(outside))


def _edges(tokens: list[_Token]) -> tuple[list[str], list[str]]:
    """For each token, the characters before and after it and the stars beside it; a space at the ends."""
    before, after = [" "] * len(tokens), [" "] * len(tokens)
    last = " "
    for at, token in enumerate(tokens):
        before[at] = last
        last = last if token.kind in (OPEN, CLOSE) else token.text[-1]
    last = " "
    for at in range(len(tokens) - 1, -1, -1):
        after[at] = last
        last = last if tokens[at].kind in (OPEN, CLOSE) else tokens[at].text[0]
    return before, after


def _move_out(stars: _Token, tokens: list[_Token], at: int) -> bool:
    """Move the punctuation at the end of the text in `tokens[at]` out of the stars beside it, if this is possible."""
    text = tokens[at].text
    if tokens[at].kind != TEXT:
        return False
    first, end = 0, len(text)
    if stars.kind == OPEN:
        while first < end and _ends_word(text[first]):
            first += 1
        stars.moved = text[:first]
    else:
        while end > first and _ends_word(text[end - 1]):
            end -= 1
        stars.moved = text[end:]
    if first == end:
        stars.moved = ""
        return False
    tokens[at].text = text[first:end]
    return True


def _joined(tokens: list[_Token]) -> str:
    """The tokens as Markdown."""
    pieces: list[str] = []
    written = [token for token in tokens if token.text or token.moved]
    for at, token in enumerate(written):
        following = written[at + 1] if at + 1 < len(written) else None
        glued = at > 0 and written[at - 1].kind != SPACE, following is not None and following.kind != SPACE
        if token.kind == TEXT:
            piece = _escaped(token.text, *glued)
        elif token.kind == OPEN:
            piece = _escaped(token.moved, True, True) + token.text
        elif token.kind == CLOSE:
            piece = token.text + _escaped(token.moved, True, True)
        else:
            piece = token.text
        if piece.endswith("!") and following is not None and following.kind == OPEN_LINK:
            piece = piece[:-1] + "\\!"
        pieces.append(piece)
    return "".join(pieces)


def _escaped(text: str, glued_before: bool = False, glued_after: bool = False) -> str:
    """Text in which characters that look like marks are escaped.  Most text has none, and a set finds that fast.

    `glued_before` and `glued_after` say that there is something directly beside the text.
    """
    if not _MAY_BE_SPECIAL.search(text):
        return text
    pieces: list[str] = []
    at = 0
    for formula in _UNRENDERED.finditer(text) if "$" in text else ():
        if _IS_TEX.search(formula[0]):
            pieces += [_backslashed(text[at : formula.start()], glued_before or at > 0, True), formula[0]]
            at = formula.end()
    return "".join([*pieces, _backslashed(text[at:], glued_before or at > 0, glued_after)])


def _backslashed(text: str, glued_before: bool, glued_after: bool) -> str:
    before, after = "." * glued_before, "." * glued_after
    escaped = _SPECIAL.sub(_BACKSLASHED, before + text + after)
    return escaped[len(before) : len(escaped) - len(after)]


def escape_line(line: str) -> str:
    """A line of a paragraph, escaped if its beginning looks like a heading, an item, a quote or a rule."""
    if _LINE_START.match(line):
        return "\\" + line
    return _NUMBER_START.sub(r"\1\\", line, count=1) if line[:1].isdigit() and _NUMBER_START.match(line) else line


def _target(href: str) -> str:
    """The target of a link, in angle brackets if it has characters that would end it."""
    if _IN_ANGLES.search(href):
        return "<" + href.replace("\\", "%5C").replace("<", "%3C").replace(">", "%3E") + ">"
    return href


def _code(text: str) -> str:
    """A code span.  Its fence is longer than every run of backticks in it (CommonMark 6.1)."""
    fence = "`" * (1 + max((len(run) for run in _BACKTICKS.findall(text)), default=0))
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _is_mark(character: str) -> bool:
    """Whether a character is punctuation or a symbol, as defined by CommonMark's flanking rules."""
    return unicodedata.category(character)[0] in "PS"


def _ends_word(character: str) -> bool:
    """Whether stars beside this character may be beside punctuation on their other side."""
    return character.isspace() or _is_mark(character)
