"""Code that a page shows as a table or as one element per line, as the text of one <pre>.

    GitHub, gist            <table> with <td class="blob-code"> per line
    Crayon                  <div class="crayon-line"> per line, in a table with the numbers
    SyntaxHighlighter 2, 3  <div class="line ..."> per line, in a table with the numbers

Otherwise the classifier would judge every line alone, and white space at the beginning of lines would be lost.  The
source of such code is replaced, and the page is segmented again (`readable.py`).
"""

import re

import numpy as np

from corpusmill.extract.segments.attributes import class_token
from corpusmill.extract.segments.tables import Segments

MAX_TEXTS = 1000
MAX_BYTES = 2_000_000  # of the source of one text
_TAG = re.compile(rb"<[^<>]*>")
_SPACES = re.compile(rb"&nbsp;|&#160;|&#xa0;|\xc2\xa0", re.IGNORECASE)

# Words in the class of the element around the code; the element of a line: its tag, and the words in its class.
_FORMS = (
    (("file", "line", "container"), rb"td", rb"blob-code"),
    (("crayon", "table"), rb"div", rb"crayon-line"),
    (("syntaxhighlighter",), rb"div", rb"line"),
)
_WORDS = [tuple(map(class_token, words)) for words, _, _ in _FORMS]
CODE_WORDS = [words[0] for words in _WORDS]
"""Tokens; a page with none of them has no such code."""


def code_spans(segments: Segments) -> list[tuple[int, int, bytes]]:
    """(start, end, what replaces it) in the source, of each text of code that has an element per line; in order."""
    nodes, data, tokens = segments.nodes, segments.data, segments.tokens
    found: list[tuple[int, int, bytes]] = []
    for wanted, (_, line_tag, line_class) in zip(_WORDS, _FORMS, strict=True):
        at = 0
        for node in _nodes_with(segments, wanted):
            start = nodes["source"].item(node)
            own = tokens[nodes["first_token"].item(node) : nodes["end_token"].item(node)]
            if start < at or not set(wanted).issubset(own.tolist()):
                continue
            after = node + 1 + int(np.searchsorted(nodes["text_start"][node + 1 :], nodes["text_end"].item(node)))
            end = nodes["source"].item(after) if after < len(nodes) else len(data)
            end = _end(data, start, min(end, start + MAX_BYTES))
            if lines := _lines(data[start:end], line_tag, line_class):
                found.append((start, end, b"<pre><code>" + b"\n".join(lines) + b"\n</code></pre>"))
            at = end
    return sorted(found)


def _nodes_with(segments: Segments, words: tuple[int, ...]) -> list[int]:
    """The first nodes with the rarest of these words."""
    places = min(((segments.tokens == word).nonzero()[0] for word in words), key=len)
    nodes: list[int] = (np.searchsorted(segments.nodes["first_token"], places, side="right") - 1)[:MAX_TEXTS].tolist()
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


def _lines(source: bytes, tag: bytes, word: bytes) -> list[bytes]:
    """The lines of code, with references and without tags."""
    pattern = rb"<" + tag + rb"\b[^<>]*\bclass\s*=\s*[\"']?(?:[^\"'<>]*\s)?" + word + rb"(?![\w-])[^<>]*>"
    starts = [(match.start(), match.end()) for match in re.finditer(pattern, source, re.IGNORECASE)]
    lines: list[bytes] = []
    if not starts:
        return lines
    for (_, start), (following, _) in zip(starts, [*starts[1:], (len(source), 0)], strict=True):
        close = source.find(b"</" + tag, start, following)
        line = _SPACES.sub(b" ", _TAG.sub(b"", source[start : close if close >= 0 else following]))
        lines.append(line.rstrip().replace(b"\n", b" "))
    return lines
