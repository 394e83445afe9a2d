"""Code that a page shows as a table or as one element per line, as the text of one <pre>.

    GitHub, gist            <table> with <td class="blob-code"> per line; in later pages <div class="react-code-text">
    Crayon                  <div class="crayon-line"> per line, in a table with the numbers
    SyntaxHighlighter 2, 3  <div class="line ..."> per line, in a table with the numbers
    Doxygen                 <div class="line"> per line, with its number
    GeSHi, dp.SyntaxHighlighter, CodeMirror: <li> or <pre> per line
    <code> with <br>        the lines of one text

Otherwise the classifier would judge every line alone, and white space at the beginning of lines would be lost.  The
source of such code is replaced, and the page is segmented again (`readable.py`).
"""

import re

import numpy as np

from corpusmill.extract.segments.attributes import class_token
from corpusmill.extract.segments.tables import BIT, Segments
from corpusmill.extract.segments.tags import TAG

MAX_TEXTS = 1000
MAX_BYTES = 2_000_000  # of the source of one text
_TAG = re.compile(rb"<[^<>]*>")
_SPACES = re.compile(rb"&nbsp;|&#160;|&#xa0;|\xc2\xa0", re.IGNORECASE)

# Words in the class of the element around the code, the rarest first; the element of a line: tag, words of class.
_FORMS = (
    (("file", "line", "container"), rb"td", rb"blob-code"),
    (("diff", "table"), rb"td", rb"blob-code"),
    (("react", "code", "lines"), rb"div", rb"react-code-text"),
    (("crayon", "table"), rb"div", rb"crayon-line"),
    (("syntaxhighlighter",), rb"div", rb"line"),
    (("fragment",), rb"div", rb"line"),
    (("geshi",), rb"li", rb"li[12]"),
    (("highlighter", "dp"), rb"li", None),
    (("mirror", "code"), rb"pre", rb"CodeMirror-line"),
)
_NUMBER = re.compile(  # the element with the number of a line, at its beginning
    rb"\s*(?:<a\s[^<>]{0,999}>\s*</a>\s*)*<(a|span|code|td|div)\b[^<>]{0,999}(?:line|number|gutter)[^<>]{0,999}>"
    rb"\s*[0-9]{1,6}[.:]?\s*</\1>(?P<space>\s?)",
    re.IGNORECASE,
)
_LANGUAGE = re.compile(
    rb"(?:\bsyntaxhighlighter\s+(?:nogutter\s+)?|\bgeshi\s+|\blanguage-)([a-z][\w+#-]{0,20})", re.IGNORECASE
)
_AFTER_GUTTER = re.compile(rb"<td\s[^<>]{0,999}\bclass\s*=\s*[\"']?code\b[^<>]{0,999}>", re.IGNORECASE)
_BREAK = re.compile(rb"(?<!\s)\s*+<br\s*+/?>\n?", re.IGNORECASE)  # linear: it starts where white space starts
_INSIDE_P = re.compile(rb"<(?:p|div|pre|ul|ol|table|h[1-6])\b", re.IGNORECASE)
_CODE = TAG["code"]
_PREFORMATTED = BIT["preformatted"]
MIN_BLOCKS = 2  # lines of a <code> with <br>
_WORDS = [tuple(map(class_token, words)) for words, _, _ in _FORMS]
CODE_WORDS = [words[0] for words in _WORDS]
"""Tokens; a page with none of them has no such code."""


def code_spans(segments: Segments) -> list[tuple[int, int, bytes]]:
    """(start, end, what replaces it) in the source, of each text of code that has an element per line; in order."""
    nodes, data = segments.nodes, segments.data
    found: list[tuple[int, int, bytes]] = []
    for wanted, (_, line_tag, line_class) in zip(_WORDS, _FORMS, strict=True):
        at = 0
        for node in _nodes_with(segments, wanted):
            start = nodes["source"].item(node)
            if start < at or not set(wanted).issubset(segments.tokens_of(node)):
                continue
            after = node + 1 + int(np.searchsorted(nodes["text_start"][node + 1 :], nodes["text_end"].item(node)))
            end = nodes["source"].item(after) if after < len(nodes) else len(data)
            end = _end(data, start, min(end, start + MAX_BYTES))
            after_gutter = _AFTER_GUTTER.search(data, start, end)
            if lines := _lines(data[after_gutter.start() if after_gutter else start : end], line_tag, line_class):
                language = _LANGUAGE.search(data, start, data.find(b">", start, end))
                named = b' class="language-' + language[1] + b'"' if language else b""
                found.append((start, end, b"<pre><code" + named + b">" + b"\n".join(lines) + b"\n</code></pre>"))
            at = end
    return sorted(found)


def broken_code_spans(segments: Segments) -> list[tuple[int, int, bytes]]:
    """(start, end, what replaces it) of each <code> whose lines <br> separates, outside preformatted text."""
    nodes, data = segments.nodes, segments.data
    is_code = (nodes["tag"] == _CODE) & (nodes["flags"] & _PREFORMATTED == 0)
    found = np.flatnonzero(is_code & (nodes["end_block"] - nodes["first_block"] >= MIN_BLOCKS))[:MAX_TEXTS]
    spans: list[tuple[int, int, bytes]] = []
    at = 0
    for start in nodes["source"][found].tolist():
        if start < at:
            continue
        at = _end(data, start, min(len(data), start + MAX_BYTES))
        source = data[start:at]
        if _BREAK.search(source) and not _INSIDE_P.search(source):
            spans.append((start, at, b"<pre>" + _SPACES.sub(b" ", _BREAK.sub(b"\n", source)) + b"</pre>"))
    return spans


def _nodes_with(segments: Segments, words: tuple[int, ...]) -> list[int]:
    """The nodes with the rarest of these words; none if the page lacks one of them."""
    found = None
    for word in words:
        places = (segments.tokens == word).nonzero()[0]
        if not len(places):
            return []
        found = places if found is None or len(places) < len(found) else found
    assert found is not None
    nodes: list[int] = segments.owners(found)[:MAX_TEXTS].tolist()
    return nodes


def _end(data: bytes, start: int, limit: int) -> int:
    """Where the element at `start` ends, but not after `limit`."""
    name = re.match(rb"<([a-z]+)", data[start : start + 20], re.IGNORECASE)
    if name is None:
        return limit
    depth = 0
    for tag in re.finditer(rb"<(/?)" + name[1] + rb"\b", data[start:limit], re.IGNORECASE):
        depth += -1 if tag[1] else 1
        if depth == 0:
            close = data.find(b">", start + tag.end(), limit)
            return close + 1 if close >= 0 else limit
    return limit


def _lines(source: bytes, tag: bytes, word: bytes | None) -> list[bytes]:
    """The lines of code, with references, without tags and without their numbers."""
    pattern = rb"<" + tag + rb"\b[^<>]{0,999}"
    if word is not None:
        pattern += rb"\bclass\s*=\s*[\"']?(?:[^\"'<>]{0,999}\s)?" + word + rb"(?![\w-])[^<>]{0,999}"
    pattern += rb">"
    starts = [(match.start(), match.end()) for match in re.finditer(pattern, source, re.IGNORECASE)]
    lines: list[bytes] = []
    if not starts:
        return lines
    spaced = True  # one space follows every number
    for (_, start), (following, _) in zip(starts, [*starts[1:], (len(source), 0)], strict=True):
        close = source.find(b"</" + tag, start, following)
        line = _SPACES.sub(b" ", source[start : close if close >= 0 else following])
        number = _NUMBER.match(line)
        spaced = spaced and number is not None and number["space"] == b" "
        line = line[number.end() - len(number["space"]) :] if number else line
        lines.append(_TAG.sub(b"", line).rstrip().replace(b"\n", b" "))
    return [line[1:] for line in lines] if spaced else lines
