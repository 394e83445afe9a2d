"""What an HTML5 tree (lexbor's, through selectolax) holds as text, under the segmenter's rules of what is text."""

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from corpusmill.extract.segments import tags
from corpusmill.extract.segments.entities import CLASS_OF, CLOSING, DROP, SEAM_OF, parts_words
from corpusmill.extract.segments.tables import CharClass

BOUNDARIES, BOXES = set(tags.BOUNDARIES), set(tags.BOXES)
NO_TEXT = {*tags.OUT, "script", "style", "title", "textarea", "iframe", "noembed", "noframes"}
PREFORMATTED = {"pre", "listing", "xmp", "plaintext"}
CODE = {"code", "kbd", "samp", "tt", "var"}
SEAM, BOX = "\ud800", "\ud801"  # no characters of text


def _characters(kind: int) -> str:
    """Those of a class, as in a regular expression's brackets."""
    return "".join(re.escape(chr(code)) for code in (kind == CLASS_OF).nonzero()[0])


_closing = "".join(re.escape(chr(code)) for code in (SEAM_OF == CLOSING).nonzero()[0])
_boxes_before_punctuation = re.compile(f"{BOX}+(?=[{_closing}])")
_noscript = re.compile(r"(</?)noscript(?=[\s/>])", re.I)
_noframes = re.compile(r"<noframes(?=[\s/>])[^>]*>", re.I)
_dropped = re.compile(f"[{_characters(DROP)}]")
_white = re.compile(f"[{_characters(CharClass.SPACE)}]+")
_white_but_lines = re.compile(f"(?![\t\n])[{_characters(CharClass.SPACE)}]")


def blocks_of(html: str) -> list[str]:
    """The blocks of a page, in the order of its tree.

    lexbor's parser has scripts off.  With scripts on, what is in <noscript> is raw text, as in <noframes>: so that is
    its name here, and its text is then read as a page of its own.
    """
    walk = _Walk()
    root = _tree(_noscript.sub(r"\1noframes", html))
    if root is not None:
        walk.through(root)
    walk.end_block(preformatted=False)
    return walk.blocks


def _tree(html: str) -> LexborNode | None:
    return LexborHTMLParser(html).root


class _Walk:
    """A walk through a tree, in order, that puts texts together."""

    def __init__(self) -> None:
        self.blocks: list[str] = []
        self.pieces: list[str] = []
        self.seam = 0  # 1 after an inline element's end, 2 after another's start right after that, 0 after text

    def through(self, top: LexborNode) -> None:
        """All below a node; without recursion, since pages nest deeper than Python."""
        pending: list[tuple[LexborNode, bool, bool, bool]] = [(top, False, False, False)]
        while pending:
            node, is_left, preformatted, is_code = pending.pop()
            name = node.tag
            if is_left:
                self.leave(name, preformatted)
            elif name == "-text":
                self.add(node.text_content or "", is_code)
            elif name == "noframes" and (within := body_of(node)) is not None:
                self.end_block(preformatted)
                pending.append((within, True, preformatted, is_code))
                pending.extend((child, False, preformatted, is_code) for child in reversed(children(within)))
            elif name not in ("-comment", "!doctype") and self.enter(name, preformatted):
                preformatted = preformatted or name in PREFORMATTED
                is_code = is_code or preformatted or name in CODE
                pending.append((node, True, preformatted, is_code))
                pending.extend((child, False, preformatted, is_code) for child in reversed(children(node)))

    def enter(self, name: str, preformatted: bool) -> bool:
        """A start tag; whether what is in the element counts."""
        if name in BOXES and not preformatted:
            self.pieces.append(BOX)
        if name == "br":
            if preformatted:
                self.pieces.append("\n")
            else:
                self.end_block(preformatted)
        elif name in BOUNDARIES and name not in NO_TEXT:
            self.end_block(preformatted)
        if name in NO_TEXT or name in tags.VOID:
            return False
        if self.seam:
            self.seam = 2
        return True

    def leave(self, name: str, preformatted: bool) -> None:
        """An end tag, written or implied."""
        self.seam = max(self.seam, 1)
        if name in BOUNDARIES:
            self.end_block(preformatted)

    def add(self, text: str, is_code: bool) -> None:
        """A text."""
        text = _dropped.sub("", text)
        if self.seam == 2 and not is_code:
            self.pieces.append(SEAM)
        self.pieces.append(text)
        if text and not _white.fullmatch(text):
            self.seam = 0

    def end_block(self, preformatted: bool) -> None:
        """A boundary."""
        text, *others = "".join(self.pieces).split(SEAM)
        for other in others:
            if text and other and parts_words.py_func(ord(text[-1]), ord(other[0])):
                text += " "
            text += other
        text = _boxes_before_punctuation.sub("", text).replace(BOX, " ")
        if preformatted:
            text = _white_but_lines.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))
        else:
            text = _white.sub(" ", text).strip(" ")
        if text and not text.isspace():
            self.blocks.append(text)
        self.pieces.clear()


def body_of(noframes: LexborNode) -> LexborNode | None:
    """The body of a page that is all in this element; None if it stands in a head."""
    around = noframes.parent
    while around is not None and around.tag not in ("head", "body"):
        around = around.parent
    if around is None or around.tag == "head":
        return None
    root = _tree("<body>" + _noframes.sub("<legend></legend>", noframes.text()))
    return next(child for child in children(root) if child.tag == "body") if root is not None else None


def children(node: LexborNode) -> list[LexborNode]:
    """Elements, texts and comments right below a node."""
    found = []
    child = node.child
    while child is not None:
        found.append(child)
        child = child.next
    return found
