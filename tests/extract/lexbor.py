"""What an HTML5 tree (lexbor's, through selectolax) holds as text, under the segmenter's rules of what is text."""

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from corpusmill.extract import tags
from corpusmill.extract.entities import CLASS_OF, DROP
from corpusmill.extract.tables import CharClass

BOUNDARIES, BOXES = set(tags.BOUNDARIES), set(tags.BOXES)
NO_TEXT = {*tags.OUT, "script", "style", "title", "textarea", "iframe", "noembed", "noframes"}
PREFORMATTED = {"pre", "listing", "xmp", "plaintext"}


def _characters(kind: int) -> str:
    """Those of a class, as in a regular expression's brackets."""
    return "".join(re.escape(chr(code)) for code in (kind == CLASS_OF).nonzero()[0])


_dropped = re.compile(f"[{_characters(DROP)}]")
_white = re.compile(f"[{_characters(CharClass.SPACE)}]+")
_white_but_lines = re.compile(f"(?![\t\n])[{_characters(CharClass.SPACE)}]")


def blocks_of(html: str) -> list[str]:
    """The blocks of a page, in the order of its tree."""
    blocks: list[str] = []
    pieces: list[str] = []

    def end_block(preformatted: bool) -> None:
        text = _dropped.sub("", "".join(pieces))
        pieces.clear()
        if preformatted:
            text = _white_but_lines.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))
        else:
            text = _white.sub(" ", text).strip(" ")
        if not text.isspace() and text:
            blocks.append(text)

    def walk(top: LexborNode) -> None:
        pending: list[tuple[LexborNode, bool, bool]] = [(top, False, False)]  # node, is it left, is it preformatted
        while pending:
            node, is_left, preformatted = pending.pop()
            name = node.tag
            if is_left:
                end_block(preformatted)
            elif name == "-text":
                pieces.append(node.text_content or "")
            elif name == "br":
                if preformatted:
                    pieces.append("\n")
                else:
                    end_block(False)
            elif name not in ("-comment", "!doctype"):
                if name in BOXES and not preformatted:
                    pieces.append(" ")
                if name in NO_TEXT:
                    continue
                if name in BOUNDARIES:
                    end_block(preformatted)
                preformatted = preformatted or name in PREFORMATTED
                if name in BOUNDARIES:
                    pending.append((node, True, preformatted))
                pending.extend((child, False, preformatted) for child in reversed(list(children(node))))

    root = LexborHTMLParser(html).root
    if root is not None:
        walk(root)
    end_block(False)
    return blocks


def children(node: LexborNode) -> list[LexborNode]:
    """Elements, texts and comments right below a node."""
    found = []
    child = node.child
    while child is not None:
        found.append(child)
        child = child.next
    return found
