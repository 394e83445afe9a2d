"""Text files in plain text, Markdown, reStructuredText and LaTeX.  They are kept as they are, in their own notation.

What they say about themselves becomes metadata.  Of a LaTeX file only the document is kept, without comments: what
stands before it are definitions, and comments are not part of the document.
"""

import re

from corpusmill.extract.charset.encoding import to_utf8
from corpusmill.extract.charset.mojibake import condition
from corpusmill.page import Extracted, Page

_FRONT_MATTER = re.compile(r"---[ \t]*\r?\n(.*?)\r?\n(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_ENTRY = re.compile(r"""^([A-Za-z][\w-]*)[ \t]*:[ \t]+(?![|>\[{&*!])(.+)$""", re.MULTILINE)
_HEADING = re.compile(r"^ {0,3}#[ \t]+(.+)$", re.MULTILINE)


def plain_text(page: Page) -> Extracted:
    """A text file."""
    utf8 = to_utf8(page.body, page.charset, markup=False)
    return Extracted(text=utf8.text, metadata=condition(utf8, utf8.text))


def markdown(page: Page) -> Extracted:
    """A Markdown file.  Its YAML front matter is cut off; the lines `key: plain value` in it become metadata.

    The title is that of the front matter.  If there is none, it is the first heading of level 1.
    """
    utf8 = to_utf8(page.body, page.charset, markup=False)
    text = utf8.text
    metadata: dict[str, str] = {}
    if front := _FRONT_MATTER.match(text):
        metadata = {key.lower(): value.strip().strip("\"'") for key, value in _ENTRY.findall(front[1])}
        text = text[front.end() :]
    heading = _HEADING.search(text)
    title = metadata.pop("title", None) or (heading[1].strip().rstrip("#").rstrip() if heading else None)
    licence = metadata.pop("licence", None) or metadata.pop("license", None)
    lang = metadata.pop("lang", None) or metadata.pop("language", None)
    return Extracted(
        text=text, title=title, html_lang=lang, licence=licence, metadata={**metadata, **condition(utf8, text)}
    )


_SECTION = re.compile(
    r"^(?:([!-/:-@\[-`{-~])\1{2,}[ \t]*\n)?[ \t]*(\S[^\n]*)\n([!-/:-@\[-`{-~])\3{2,}[ \t]*$", re.MULTILINE
)
_FIELD = re.compile(r"^:([A-Za-z][\w -]{0,30}):[ \t]+(\S.*)$", re.MULTILINE)
_BRACES = r"\{(?:[^{}\n\\]|\\.|\{[^{}\n]*+\}){0,3000}+\}"
_OPTION = r"[ \t]*(?:\[[^\]\n]{0,500}\][ \t]*)?"
_COMMENT = re.compile(  # or a command in which % is a character like others; the lengths bound the time
    r"(?<!\\)((?:\\\\)*)(?:(%)[^\n]*(?:\n[ \t]*)?"
    rf"|\\(?:url|path|nolinkurl|href){_OPTION}{_BRACES}"
    rf"|\\(?:verb\*?|Verb\*?{_OPTION}|lstinline{_OPTION}|mintinline{_OPTION}\{{[^{{}}\n]{{0,100}}\}})"
    rf"(?:{_BRACES}|([^\sA-Za-z*{{])[^\n]{{0,200}}?\3))"
)
_LISTING = re.compile(r"\\begin\{(verbatim\*?|lstlisting|minted|Verbatim|comment)\}")
HEAD, PREAMBLE = 20_000, 200_000  # characters of reStructuredText and LaTeX that are searched for a title
_DOCUMENT = re.compile(r"\\begin\s*\{document\}(.*?)(?:\\end\s*\{document\}|\Z)", re.DOTALL)
_BRACED = r"\s*(?:\[[^\]]{0,500}\]\s*)?\{((?:[^{}]|\{[^{}]*\})*)\}"
_SAID = {name: re.compile(rf"\\{name}{_BRACED}") for name in ("title", "author", "date")}
_COMMANDS = re.compile(r"\\\\|\\(?:thanks|footnote)\{[^{}]*\}|\\[A-Za-z]+\*?[ \t]*|[{}~]")


def restructured_text(page: Page) -> Extracted:
    """A reStructuredText file.  The title is its first heading; the fields above the first section become metadata."""
    utf8 = to_utf8(page.body, page.charset, markup=False)
    text = utf8.text.replace("\r\n", "\n")
    title = _SECTION.search(text, 0, HEAD)
    after = text[title.end() :] if title else text
    fields = {name.lower(): value.strip() for name, value in _FIELD.findall(after.split("\n\n\n")[0][:5000])}
    licence = fields.pop("licence", None) or fields.pop("license", None)
    return Extracted(
        text=text,
        title=title[2].strip() if title else None,
        licence=licence,
        html_lang=fields.pop("language", None),
        metadata={**fields, **condition(utf8, text)},
    )


def latex(page: Page) -> Extracted:
    """A LaTeX file: the document without comments, or the whole file if it is a part of a document."""
    utf8 = to_utf8(page.body, page.charset, markup=False)
    text = _without_comments(utf8.text.replace("\r\n", "\n"))
    said = {
        name: found
        for name, pattern in _SAID.items()
        if (found := _in_words(pattern.search(text, 0, PREAMBLE))) is not None
    }
    document = _DOCUMENT.search(text)
    text = (document[1] if document else text).strip("\n")
    return Extracted(text=text, title=said.pop("title", None), metadata={**said, **condition(utf8, text)})


def _without_comments(text: str) -> str:
    r"""LaTeX without comments.  In listings, in \verb and in addresses, % is a character like others."""
    pieces, at = [], 0
    ends: dict[str, int] = {}  # of each kind of listing, the place of the next end; -1 if there is none
    for begin in _LISTING.finditer(text):
        if begin.start() < at:
            continue
        end = f"\\end{{{begin[1]}}}"
        if 0 <= ends.get(end, 0) < begin.end():
            ends[end] = text.find(end, begin.end())
        if ends[end] < 0:
            continue
        pieces.append(_COMMENT.sub(_uncommented, text[at : begin.start()]))
        at = ends[end] + len(end)
        pieces.append("" if begin[1] == "comment" else text[begin.start() : at])
    return "".join([*pieces, _COMMENT.sub(_uncommented, text[at:])])


def _uncommented(found: re.Match[str]) -> str:
    return found[1] if found[2] else found[0]


def _in_words(found: re.Match[str] | None) -> str | None:
    return " ".join(_COMMANDS.sub(" ", found[1]).split()) or None if found else None
