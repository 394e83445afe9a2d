r"""Whether a text is a source file, a style sheet, a script or a Markdown file, from how it begins.

Each pattern is what a file of that kind begins with, after comments.  A sentence must not match: "let me tell you" is
no declaration, "import duties;" no import.  All patterns are linear, because what repeats is possessive.
"""

import re

_COMMENTS = rb"\s*+(?:(?>/\*.*?\*/)\s*+|//[^\n]*+\n\s*+)*+"  # of C and its heirs
_DIRECTIVE = rb"#\s*+(?:include|define|ifn?def|if|pragma|import|undef)\b"
_HASHES = rb"(?:(?!%b)#[^\n]*+\n\s*+)*+" % _DIRECTIVE  # comments of other languages
_NAME = rb"[A-Za-z_$][\w$]*+"
_END = rb"[ \t]*+\r?\n"


def _any(*patterns: bytes) -> bytes:
    return rb"(?:%b)" % b"|".join(patterns).replace(b"NAME", _NAME).replace(b"END", _END)


_STYLE = re.compile(
    _COMMENTS
    + _any(
        rb"@(?:charset|import)\s*+[\"'u]",
        rb"@(?:-\w++-)?(?:media|font-face|keyframes|supports|layer|page)[\s({]",
        rb"(?:[\w.#*&\[]|::?[a-z])[\w\s.,#:>+~*()=\"'\[\]^$|%&-]*+\{\s*+(?:-{0,2}[\w-]++\s*+:|\}\s*+[\w.#*:@\[/])",
    ),
    re.DOTALL,
)
_SCRIPT = re.compile(
    _COMMENTS
    + _any(
        rb"[\"']use strict[\"']",
        rb"[!;+~(]*+(?:async\s++)?function\b\s*+\*?\s*+[\w$]*+\s*+\(",
        rb"(?:var|let|const)\s++(?:NAME\s*+(?:=|;|,\s*+NAME)|[{\[])",
        rb"class\s++NAME\s*+(?:extends\s++[\w$.]++\s*+)?\{",
        rb"(?:await\s++)?import\s*+(?:[\"'(]|[\w*{$][^;\"'<>\n]*+\bfrom\s*+[\"']|\{)",
        rb"export\s*+(?:default\b|const\b|let\b|var\b|function\b|class\b|async\b|[{*])",
        rb"NAME(?:\.NAME|\[[\"'\w]++\])++\s*+(?:=(?!=)|\(|\|\|)",
        rb"NAME\((?=\s*+[\"'\[{(]|function|document|window)",
        rb"[;!]*+\((?:self|window|this|globalThis|\(|async\b|function|NAME\s*+=>)",
        rb"void\s++0",
        rb"new\s++NAME\(",
        rb"if\s*+\((?:!|typeof\b|NAME[\s.)=!])",
        rb"try\s*+\{",
        rb"NAME\s*+=\s*+(?:[\[{]|NAME\s*+\|\|)",
    ),
    re.DOTALL,
)
_PROGRAM = re.compile(
    rb"\s*+(?:#!|#EXTM3U|<\?php\b|<\?=)|"
    + _COMMENTS
    + _HASHES
    + _any(
        _DIRECTIVE,
        rb"package\s++[\w.]++;?END",
        rb"from\s++[\w.]++\s++import\b",
        rb"import\s++(?:static\s++)?\w++(?:\.[\w*]++)++;",
        rb"import\s++[\w.]++(?:\s++as\s++\w++)?(?:,\s*+[\w.]++)*+END",
        rb"(?:def|fn)\s++\w++\s*+\(",
        rb"class\s++\w++(?:\([\w., ]*+\))?:END",
        rb"use\s++[\w:]++(?:\s++qw\([^)]*+\)|::[{*][^;]*+)?;",
        rb"using\s++[\w.]++;",
        rb"require(?:_relative)?\s++['\"]",
        rb"module\s++[A-Z]\w*+END",
        rb"namespace\s++[\w.\\]++\s*+[;{]",
        rb"(?:export\s++)?(?:interface|enum|struct|type|message)\s++\w++[^{<>\n]*+\{END",
        rb"(?:public|private|abstract|final|static)\s++(?:[\w<>\[\]]++\s++)*?(?:class|interface|enum|void|int)\s++\w++",
        rb"(?:CREATE\s++(?:TABLE|DATABASE|INDEX|VIEW)|INSERT\s++INTO|DROP\s++TABLE|SET\s++\w++\s*+=)\s",
        rb"diff --git |--- [^\n]++\n\+\+\+ ",
        rb"\\documentclass\b|\\begin\{|@\w++\{\s*+[\w:.-]++,",
        rb"WEBVTT\b|\d++\r?\n\d\d:\d\d:\d\d,\d{3} --> |BEGIN:V[A-Z]++\r?\n",
        rb"%YAML|---END[\w-]++:(?:\s|$)",
        rb"(?i:user-agent|disallow|sitemap)\s*+:",
    )
    + rb"|\s*+#\s*+-\*-",
    re.DOTALL,
)
_HEADING = re.compile(rb"\s*+#{1,3} [^\n<]++\n\s*?\n")  # of Markdown, if something else of it follows
_OF_MARKDOWN = re.compile(rb"^(?:```|#{2,6} |[-*] |\d\. )|\]\(http", re.MULTILINE)
_PAGE = re.compile(rb"^[ \t]*+<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.MULTILINE)


def type_of_program(head: bytes) -> str | None:
    """The type of a source file, a style sheet, a script or a Markdown file; None if the text does not begin so."""
    if _PROGRAM.match(head) or (_HEADING.match(head) and _OF_MARKDOWN.search(head)):
        return "text/plain"
    if _SCRIPT.match(head):
        return "text/javascript"
    return "text/css" if _STYLE.match(head) else None


def is_page_inside(head: bytes) -> bool:
    """Whether a page begins in a later line.  Programs have its tags within lines only."""
    return _PAGE.search(head) is not None
