"""A page as extraction sees it, in one HTML file: its elements and its text, coloured by probability.

The file is made from the tables, not from the page's markup.  Each element with text becomes a custom element (<p>
becomes `<x-p>`), because parsers accept custom elements at any place.  Our own style sheet says how it looks.  Each run
of text is escaped.  So no script, style, address or markup of the page gets into the file.  Text that the page hides is
visible in it.

A content security policy (CSP) that allows only our style sheet is a second protection.  The file is safe to open, and
it needs no network.

Cost: 10 ms for an average page.  The file is about as large as the page without scripts and styles.
"""

import html
import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from importlib.resources import files
from string import Template

from corpusmill.extract.inspection import Block, Inspection
from corpusmill.extract.segments.tags import NAMES
from corpusmill.extract.writing.markup import Elements

_TOLD = {"dir": re.compile("ltr|rtl|auto", re.IGNORECASE), "lang": re.compile(r"[A-Za-z0-9-]{1,35}")}
_DRAWN = frozenset(NAMES) - {"", "(foreign)", "(integration)"}

_PAGE = Template("""\
<!doctype html>
<html$language>
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
$style
</style>
</head>
<body>
<header>
<dl>
$facts
</dl>
<p><mark class="kept p9">kept</mark> <mark class="p1">dropped</mark>
<span>probability <span class="scale">0 $scale 1</span></span>
<label><input type="checkbox" id="only"> show only what is kept</label></p>
</header>
<div id="page">$page</div>
</body>
</html>
""")

_SCALE = "".join(f'<mark class="p{tenth}"> </mark>' for tenth in range(10))


def overlay(inspected: Inspection, blocks: Sequence[Block], facts: Sequence[tuple[str, str]]) -> str:
    """The page as HTML, with `facts` (name, value) above it.

    `blocks` are `inspected.blocks()`, but some texts may be masked.  If the text of a block has changed, the markup
    inside the block is left out.
    """
    return _PAGE.substitute(
        language=_attributes({"lang": inspected.said.html_lang}),
        title=html.escape(dict(facts).get("title", "a page without title")),
        style=(files("corpusmill.extract") / "overlay.css").read_text("utf-8"),
        facts="\n".join(f"<dt>{html.escape(name)}<dd>{html.escape(value)}" for name, value in facts),
        scale=_SCALE,
        page="".join(_Writer(inspected, blocks).pieces()),
    )


class _Writer:
    """Writes elements and runs of text, in the order of the page."""

    def __init__(self, inspected: Inspection, blocks: Sequence[Block]) -> None:
        segments = self._segments = inspected.segments
        self._elements = Elements(segments)
        self._nodes = segments.nodes[["text_start", "text_end"]].tolist()
        self._text = segments.text.tobytes()
        self._starts: list[int] = segments.blocks["start"].tolist()
        self._ends: list[int] = segments.blocks["end"].tolist()
        self._after_br: list[int] = segments.blocks["after_br"].tolist()
        self._blocks = blocks
        self._out: list[str] = []
        self._at = 0  # position in the text

    def pieces(self) -> list[str]:
        """The whole page."""
        open_nodes: list[int] = [0]
        for node in range(1, len(self._nodes)):
            start, end = self._nodes[node]
            if start == end:
                continue
            while open_nodes[-1] != self._elements.parents[node]:
                self._close(open_nodes.pop())
            self._write_to(start)
            told = {name: self._elements.attribute(node, name.encode()) for name in _TOLD}
            self._out.append(f"<{self._tag(node)}{_attributes(told)}>")
            open_nodes.append(node)
        while len(open_nodes) > 1:
            self._close(open_nodes.pop())
        self._write_to(len(self._text))
        return self._out

    def _close(self, node: int) -> None:
        self._write_to(self._nodes[node][1])
        self._out.append(f"</{self._tag(node)}>")

    def _tag(self, node: int) -> str:
        name = self._elements.name(node)
        return f"x-{name}" if name in _DRAWN else "x-other"

    def _write_to(self, end: int) -> None:
        """Write the text up to `end`, as one run for each block in it."""
        while self._at < end:
            index = bisect_right(self._starts, self._at) - 1
            if index < 0 or self._at >= self._ends[index]:  # between blocks
                self._at = min(end, self._starts[index + 1] if index + 1 < len(self._starts) else end)
                continue
            stop = min(end, self._ends[index])
            self._write_run(index, self._at, stop)
            self._at = stop

    def _write_run(self, index: int, start: int, stop: int) -> None:
        """Write a run of a block.  If the block was masked, its first run is the whole block."""
        block = self._blocks[index]
        begins = start == self._starts[index]
        if block.text == self._segments.block_text(index):
            text = self._text[start:stop].decode("utf-8", "replace")
        else:
            text = block.text if begins else ""
        tenth = min(int(block.probability * 10), 9)
        told = html.escape(f"p {block.probability:.3f}, {'kept' if block.kept else 'dropped'}: {block.path}")
        self._out.append(
            ("<br>" if begins and self._after_br[index] else "")
            + f'<mark class="p{tenth}{" kept" * block.kept}" title="{told}">{html.escape(text)}</mark>'
        )


def _attributes(values: Mapping[str, str | None]) -> str:
    """Attributes that say how text is to be read, if their values are valid."""
    return "".join(f' {name}="{value}"' for name, value in values.items() if value and _TOLD[name].fullmatch(value))
