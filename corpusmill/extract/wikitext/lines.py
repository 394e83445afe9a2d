"""The lines of a page, whose templates and links are text by now, as HTML: headings, lists, tables, paragraphs.

A line that begins with colons is a paragraph, because articles use these to indent formulas and examples.  It is a
definition only after a term.  A rule of four dashes ends a paragraph and leaves no trace.  Tables that are no content
(infoboxes and notices by their class) are left out.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from corpusmill.extract.wikitext.names import REFERENCE_SECTIONS, plain_name

_FAR: Final = 12  # colons and spaces before the start of a table
_BEFORE_TABLES: Final = "{: \t"
MAX_TABLES = 20  # tables in tables
_QUOTES: Final = re.compile("('{2,})")
_COLON: Final = re.compile(":(?!//)")  # between a term and its definition
_SINGLE_LETTER: Final = re.compile(r" \w$")
_HEADING: Final = re.compile(r"(={1,6})(.*?)(={1,6})\s*")
_TAGS: Final = re.compile(r"<[^<>]*>")
_RULE: Final = re.compile(r"-{4,}")
_PREFIX: Final = re.compile(r"[*#:;]+")
_SPAN: Final = re.compile(r"(col|row)span\s*=\s*[\"']?\s*(\d{1,4})", re.IGNORECASE)
_ATTRIBUTES: Final = re.compile(
    r"(?:\s*+(?:colspan|rowspan|style|class|bgcolor|align|valign|width|height|scope|data-sort-\w+)"
    r"(?:\s*=\s*(?:\"[^\"|]*\"|'[^'|]*')|=[^\s\"'|]+)(?!\S))++",
    re.IGNORECASE,
)
_NO_CONTENT: Final = re.compile(
    r"class\s*=\s*[\"']?[^\"']*\b(?:infobox|navbox|ambox|mbox|metadata|noprint|vcard)\b", re.IGNORECASE
)
_LISTS: Final = {"*": ("<ul>", "</ul>", "<li>"), "#": ("<ol>", "</ol>", "<li>"), ";": ("<dl>", "</dl>", "<dt>")}


@dataclass(slots=True)
class _Section:
    level: int
    title: str
    parts: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Table:
    """An open table: whether a row is open, and the list that was open around it."""

    in_row: bool = False
    outer: str = ""


class _Lines:
    def __init__(self, is_formula_alone: Callable[[str], bool]) -> None:
        self.sections = [_Section(0, "")]
        self._out = self.sections[0].parts
        self._list = ""  # prefix of the last item
        self._tables: list[_Table] = []
        self._in_paragraph = self._in_preformatted = False
        self._n_skipped = 0  # tables without content that are open
        self._is_formula_alone = is_formula_alone

    def add(self, line: str) -> None:
        if not line or line.isspace():
            if not self._n_skipped:
                self._end_paragraph()
                self._close_list(0)
            return
        first = line[0]
        if self._n_skipped or self._tables or (first in _BEFORE_TABLES and "{|" in line[:_FAR]):
            line = line.strip()
            if self._table_line(line.lstrip(": ") if "{|" in line[:_FAR] else line, is_indented=first == ":"):
                return
            first = line[0]
        if first in "|!" and not (line := _without_bars(line)):
            return
        if first in "*#:;":
            self._list_line(line)
            return
        if self._list:
            self._close_list(0)
        if first == "-" and (rule := _RULE.match(line)) is not None:
            self._end_paragraph()
            line = line[rule.end() :].strip()
            if line:
                self._text(line)
            return
        if first == "=" and not self._tables and (heading := _HEADING.fullmatch(line)) is not None:
            self._heading(heading)
        elif first == " ":
            self._preformatted(line[1:])
        else:
            self._text(line)

    def end(self) -> None:
        self._end_paragraph()
        self._close_list(0)
        while self._tables:
            self._close_table()

    # ---- paragraphs and headings

    def _text(self, line: str) -> None:
        if self._in_preformatted:
            self._end_paragraph()
        if not self._in_paragraph and self._is_formula_alone(line):
            self._out.append(f"<p>{line}<p>")
            return
        if self._in_paragraph and _has_no_spaces(line[0]) and _has_no_spaces((last := self._out[-1])[-2:-1]):
            self._out[-1] = last[:-1]
        line = _with_emphasis(line) if "''" in line else line
        self._out.append(f"{line}\n" if self._in_paragraph else f"<p>{line}\n")
        self._in_paragraph = True

    def _preformatted(self, line: str) -> None:
        if not self._in_preformatted:
            self._end_paragraph()
            self._out.append("<pre>\n")
            self._in_preformatted = True
        self._out.append(f"{_with_emphasis(line)}\n")

    def _end_paragraph(self) -> None:
        if self._in_preformatted:
            self._out.append("</pre>")
        elif self._in_paragraph:
            self._out.append("</p>")
        self._in_paragraph = self._in_preformatted = False

    def _heading(self, match: re.Match[str]) -> None:
        self._end_paragraph()
        if not match[0].strip("= \t"):  # a template that is left out was the heading
            return
        level = min(len(match[1]), len(match[3]))
        title = match[1][level:] + match[2] + match[3][level:]
        section = _Section(level, _with_emphasis(title.strip()))
        self.sections.append(section)
        self._out = section.parts

    # ---- lists

    def _list_line(self, line: str) -> None:
        self._end_paragraph()
        match = _PREFIX.match(line)
        assert match is not None
        prefix, text = match[0], line[match.end() :].strip()
        if prefix[0] == ":" and self._list[:1] != ";":
            prefix = prefix.lstrip(":")
            if not prefix:
                self._close_list(0)
                self._text(text) if text else None
                self._end_paragraph()
                return
        if not text:
            return
        bare = prefix.rstrip(":")
        if bare != prefix and bare and bare == self._list:
            if bare[-1] == ";":
                self._out.append(f"<dd>{_with_emphasis(text)}\n")
            else:
                self._is_formula_alone(text)
                self._out.append(f"<p>{_with_emphasis(text)}\n")
            return
        if prefix[0] == ":" and self._list[:1] == ";":  # a definition, of the term before
            self._close_list(1)
            self._out.append(f"<dd>{_with_emphasis(text)}\n")
            return
        prefix = prefix.replace(":", "") or prefix
        n = 0
        while n < min(len(prefix), len(self._list)) and prefix[n] == self._list[n]:
            n += 1
        self._close_list(n)
        if n == len(prefix):
            self._out.append(_LISTS[prefix[-1]][2])
        for mark in prefix[n:]:
            opening, _, item = _LISTS[mark]
            self._out.append(opening + item)
        self._list = prefix
        if prefix[-1] == ";" and (colon := _COLON.search(text)) is not None:
            text = f"{text[: colon.start()].strip()}<dd>{text[colon.end() :].strip()}"
        self._out.append(f"{_with_emphasis(text)}\n")

    def _close_list(self, n: int) -> None:
        """Close all but the outer `n` levels."""
        for mark in reversed(self._list[n:]):
            self._out.append(_LISTS[mark][1])
        self._list = self._list[:n]

    # ---- tables

    def _table_line(self, line: str, *, is_indented: bool) -> bool:
        """Handle a line of a table's own markup; False for a line of a cell's content.

        A table ends the list before it, as in MediaWiki.  An indented one is a definition of the term before it.
        """
        first, second = line[0], line[1:2]
        if first == "{" and second == "|":
            if self._n_skipped or _NO_CONTENT.search(line) or len(self._tables) >= MAX_TABLES:
                self._n_skipped += 1
            else:
                self._end_paragraph()
                self._close_list(1 if is_indented and self._list[:1] == ";" else 0)
                self._tables.append(_Table(outer=self._list))
                self._list = ""
                self._out.append("<table>")
            return True
        if self._n_skipped:
            if first == "|" and second == "}":
                self._n_skipped -= 1
                self._after_table(line)
            return True
        if first not in "|!" or not self._tables:
            return False
        table = self._tables[-1]
        if first == "!" or second not in ("}", "+", "-"):
            self._cells(line, table)
        elif second == "}":
            self._close_table()
            self._after_table(line)
        elif second == "+":
            self._end_cell()
            self._out.append(f"<caption>{_with_emphasis(_cell(line[2:])[1])}</caption>")
        else:
            self._end_cell()
            self._out.append("<tr>")
            table.in_row = True
        return True

    def _after_table(self, line: str) -> None:
        """What stands in a line after the end of a table."""
        rest = line[2:].strip()
        if rest and not self._n_skipped:
            self._text(rest)

    def _cells(self, line: str, table: _Table) -> None:
        self._end_cell()
        if not table.in_row:
            self._out.append("<tr>")
            table.in_row = True
        if line[0] == "!":
            name, content = "th", line[1:].replace("!!", "||")
        else:
            name, content = "td", line[1:]
        write = self._out.append
        for cell in content.split("||"):
            if "|" in cell:
                attributes, text = _cell(cell)
                spans = "".join(f" {kind.lower()}span={n}" for kind, n in _SPAN.findall(attributes))
                write(f"<{name}{spans}>")
            elif "=" in cell and (found := _ATTRIBUTES.match(cell)) is not None:  # a template had the bar
                spans = "".join(f" {kind.lower()}span={n}" for kind, n in _SPAN.findall(found[0]))
                text = cell[found.end() :].strip()
                write(f"<{name}{spans}>")
            else:
                text = cell.strip()
                write(f"<{name}>")
            write(_with_emphasis(text) if "''" in text else text)

    def _end_cell(self) -> None:
        self._end_paragraph()
        self._close_list(0)

    def _close_table(self) -> None:
        self._end_cell()
        self._out.append("</table>")
        self._list = self._tables.pop().outer


def _has_no_spaces(character: str) -> bool:
    """Whether it is of a script without spaces between words: Chinese, Japanese, and their punctuation marks."""
    return "\u2e80" <= character < "\ua000" or "\uf900" <= character < "\ufb00" or "\uff00" <= character < "\uffa0"


def _without_bars(line: str) -> str:
    """The text of a table's row that stands in no table: a template that is left out began the table."""
    if line.startswith(("|-", "|}", "|+")):
        return ""
    if line[0] == "!" and line[1:2] != " " and "!!" not in line:
        return line  # a word may begin like this
    cells = line.lstrip("|! ").replace("!!", "||").split("||")
    return " | ".join(_cell(cell)[1] for cell in cells) + "<br>" if any(cells) else ""


def _cell(text: str) -> tuple[str, str]:
    """(attributes, content) of a cell."""
    attributes, bar, content = text.partition("|")
    return (attributes, content.strip()) if bar else ("", text.strip())


def _with_emphasis(line: str) -> str:
    """Quotation marks in a row as elements: two are <i>, three <b>, five both.

    An apostrophe before italics (`l'''Iliade''`) is found as MediaWiki finds it: if both kinds are odd in a line, one
    <b> is an apostrophe and <i>.
    """
    if "''" not in line:
        return line
    pieces = _QUOTES.split(line)
    for place in range(1, len(pieces), 2):
        n = len(pieces[place])
        if n == 4 or n > 5:
            keep = 3 if n == 4 else 5
            pieces[place - 1] += "'" * (n - keep)
            pieces[place] = "'" * keep
    lengths = [len(piece) for piece in pieces[1::2]]
    n_bold, n_italic = lengths.count(3) + lengths.count(5), lengths.count(2) + lengths.count(5)
    if n_bold % 2 and n_italic % 2:
        odd = [1 + 2 * place for place, n in enumerate(lengths) if n == 3]
        single = [place for place in odd if _SINGLE_LETTER.search(pieces[place - 1])]
        longer = [place for place in odd if pieces[place - 1][-1:] != " "]
        for place in (single or longer or odd)[:1]:
            pieces[place - 1] += "'"
            pieces[place] = "''"
    written: list[str] = []
    opened: list[str] = []
    for place, piece in enumerate(pieces):
        if place % 2 == 0:
            written.append(piece)
            continue
        for name in {2: "i", 3: "b", 5: "bi"}[len(piece)]:
            if name in opened:
                while (last := opened.pop()) != name:
                    written.append(f"</{last}>")
                written.append(f"</{name}>")
            else:
                opened.append(name)
                written.append(f"<{name}>")
    written += [f"</{name}>" for name in reversed(opened)]
    return "".join(written)


def sections_of(text: str, is_formula_alone: Callable[[str], bool]) -> str:
    """The HTML of a page's lines, without sections that are empty or only hold references."""
    lines = _Lines(is_formula_alone)
    for line in text.split("\n"):
        lines.add(line)
    lines.end()
    kept: list[_Section] = []
    below = 99  # the level of a section of references; sections in it are left out, too
    for section in lines.sections:
        if section.level > below:
            continue
        is_references = section.level and plain_name(_TAGS.sub("", section.title)).rstrip(":") in REFERENCE_SECTIONS
        below = section.level if is_references else 99
        if not is_references:
            kept.append(section)
    written: list[str] = []
    shallowest = 99  # level of the next section that is written
    for section in reversed(kept):
        is_empty = not any(_TAGS.sub("", part).strip() for part in section.parts)
        if section.level and is_empty and not section.level < shallowest < 99:
            continue
        heading = f"<h{section.level}>{section.title}</h{section.level}>\n" if section.level else ""
        written.append(heading + "".join(section.parts))
        shallowest = section.level
    return "".join(reversed(written))
