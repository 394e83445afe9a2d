r"""The formulas of a page as TeX, where readers see them: `$...$` in a line, `$$...$$` on a line of its own.

A page states a formula in several ways, often in more than one:

    <math>                       TeX in an annotation or in `alttext`, else the elements of MathML are written as TeX
    <script type="math/tex">     MathJax 2; its rendered form is beside it (also "math/mml")
    <img class="...tex..." alt>  Wikipedia and WordPress
    <img src="...?tex=...">      services that draw formulas
    <span class="math">\(...\)   Pandoc, Sphinx and Stack Exchange, for scripts that draw it later
    KaTeX, MathJax 3             a <math> beside the rendered form

The segmenter notes where these are (facts of kind FORMULA, or the word "math" in a class).  Here their source is
replaced by an element <formula> with the TeX, and the page is segmented again (`readable.py`).  So a formula is text
like any other, for the classifier, too.  The rendered forms are left out when the text is written (`writing/marks.py`).

MathML is read by hand: the libraries that convert it to TeX need an XSLT processor, or stop at the first element that
they don't know.  A formula whose MathML is not well-formed is written as the characters that it contains.
"""

import html
import re
from typing import Final
from urllib.parse import unquote, unquote_plus
from xml.etree import ElementTree

from corpusmill.extract.segments.attributes import class_token
from corpusmill.extract.segments.tables import FactKind, Segments

FORMULA: Final = b"<formula>"
_FORMULA = int(FactKind.FORMULA)
MAX_FORMULAS = 20_000
MAX_BYTES = 50_000  # of the source of a formula; a longer one is left out
MAX_NESTING = 60
_IMG = b"<img", b"<IMG", b"<image"
_MATH = re.compile(rb"<(?P<prefix>\w+:)?(?P<name>math)\b", re.IGNORECASE)
_END_OF_SCRIPT = b"</script>"
_LEFT_OUT_IMAGE = re.compile(rb"\bclass\s*=\s*[\"'][^\"'<>]*(?:tex|mat)", re.IGNORECASE)  # as the model has learned it
MAX_ANNOTATIONS = 4
MATH_WORD: Final = class_token("math")
_IN_ELEMENT = re.compile(rb"<(span|div|p|code|em|i)\b[^<>]*>([^<]*)</\1\s*>", re.IGNORECASE)
_ATTRIBUTE = re.compile(rb"\b(alttext|alt|class|display|src)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>]+))", re.IGNORECASE)
_TAG = re.compile(rb"<[^<>]*>")
_DISPLAY = re.compile(rb"mode\s*=\s*display", re.IGNORECASE)
_STYLE = re.compile(r"^\{\s*\\(?:displaystyle|textstyle|scriptstyle)\s*(.*)\}$", re.DOTALL)
_DISPLAYED = "$$", r"\["
_FENCES = re.compile(r"^(?:\${1,2}(?P<a>.*?)\${1,2}|\\\((?P<b>.*)\\\)|\\\[(?P<c>.*)\\\])$", re.DOTALL)
_REFERENCE = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[0-9a-fA-F]+);)(\w+);")
_ONLY_TAGS = re.compile(rb"(?:\s|<[^<>]*>)*")
_NO_LETTER = re.compile("[^a-z]+")
_FORMULA_WORDS = frozenset(
    ["tex", "latex", "math", "mathtex", "mathjax", "mimetex", "formula", "equation", "quicklatex"]
)
_ADDRESS = re.compile(r"(?:[?&](?:tex|latex|chl)=([^&]*)|\blatex[\w./-]*\?(.*))", re.DOTALL)
_OF_THE_PICTURE = re.compile(r"\\(?:dpi|fn|bg)_?\{?\w*\}?|\\(?:inline|small|large|Large|huge)(?![A-Za-z])")
_CDATA = re.compile(r"%?[ \t]*(?:<!\[CDATA\[|\]\]>)")
_COMMENT = re.compile(r"(?<!\\)%[^\n]*\n")
_LONG_WORD = re.compile(r"(?<![\\\w])[^\W\d_]{4,}")
_COMMAND = re.compile(r"[\\{}^_]")


def formula_spans(segments: Segments) -> list[tuple[int, int, bytes]]:
    """(start, end, what replaces it) in the source, of each formula; in order."""
    facts = segments.facts
    found = facts[(facts["kind"] == _FORMULA).nonzero()[0][:MAX_FORMULAS]]
    data = segments.data
    starts, ends = found["value_start"].tolist(), found["value_end"].tolist()
    spans: list[tuple[int, int, bytes]] = []
    at = 0
    closes: dict[bytes, int] = {}  # for each end tag, the last one that was found
    for start, end, following in zip(starts, ends, [*starts[1:], len(data)], strict=False):
        if start < at:
            continue
        is_math = False
        if not data.startswith(_IMG, start):
            opened = _MATH.match(data, start)
            is_math = opened is not None
            mark = b"</" + opened[0][1:] + b">" if opened else _END_OF_SCRIPT
            is_empty = data.startswith(b"/>", end - 2)
            if closes.get(mark, 0) < end and not is_empty:
                closes[mark] = _found(data, mark, end)
            end = end if is_empty else closes[mark] + len(mark)
        if end - start > MAX_BYTES or end > len(data):
            continue
        fence, tex = ("", "") if is_math and _is_shown_by(data, end, following) else _formula(data[start:end])
        if not tex and data.startswith(_IMG, start) and not _LEFT_OUT_IMAGE.search(data, start, end):
            continue
        shown = html.escape(f"{fence}{tex}{fence}", quote=False).encode()
        spans.append((start, end, FORMULA + shown + b"</formula>" if tex else b" "))
        at = end
    return spans


def unrendered_spans(segments: Segments) -> list[tuple[int, int, bytes]]:
    """(start, end, what replaces it) in the source, of each formula that is the text of an element of class math."""
    data = segments.data
    found = (segments.tokens == MATH_WORD).nonzero()[0][:MAX_FORMULAS]
    spans = []
    for source in segments.nodes["source"][segments.owners(found)].tolist():
        element = _IN_ELEMENT.match(data, source, source + MAX_BYTES)
        if element is None:
            continue
        text = html.unescape(element[2].decode("utf-8", "replace")).strip()
        if _FENCES.match(text):
            fence = "$$" if text.startswith(_DISPLAYED) else "$"
            shown = html.escape(f"{fence}{_bare(text)}{fence}", quote=False).encode()
            spans.append((element.start(2), element.end(2), FORMULA + shown + b"</formula>"))
    return spans


def _found(data: bytes, mark: bytes, start: int) -> int:
    place = data.find(mark, start)
    return place if place >= 0 else len(data)


def _is_shown_by(data: bytes, end: int, following: int) -> bool:
    """Whether an <img> or <script> with the next formula follows, with nothing but tags before it."""
    if not data.startswith((*_IMG, b"<script", b"<SCRIPT"), following) or following < end:
        return False
    between = _ONLY_TAGS.match(data, end, following)
    return between is not None and between.end() == following


def _formula(source: bytes) -> tuple[str, str]:
    """(the sign at both ends: "$$" if it stands on a line of its own, TeX) of an element; empty if it is no formula."""
    opening, _, inner = source.partition(b">")
    attributes = _attributes(opening + b">")
    if opened := _MATH.match(source):
        return _of_math(source, opened["prefix"])
    if source.startswith(_IMG):
        tex = attributes.get(b"alt", "")
        words = set(_NO_LETTER.split(attributes.get(b"class", "").lower()))
        tex = tex if _is_tex(tex) and not words.isdisjoint(_FORMULA_WORDS) else ""
        tex = tex or _in_address(attributes.get(b"src", ""))
        is_display = not words.isdisjoint(("display", "displayed")) or tex.startswith(_DISPLAYED)
    else:
        written = inner.rpartition(b"</")[0].strip()
        if opened := _MATH.match(written):
            return _of_math(written, opened["prefix"])
        tex = written.decode("utf-8", "replace")
        is_display = _DISPLAY.search(opening) is not None
    return "$$" if is_display else "$", _bare(tex)


def _of_math(source: bytes, prefix: bytes | None) -> tuple[str, str]:
    """The same for an element <math> or, with a prefix, <m:math>."""
    if prefix:
        source = source.replace(b"<" + prefix, b"<").replace(b"</" + prefix, b"</")
    opening, _, inner = source.partition(b">")
    attributes = _attributes(opening + b">")
    tex = _annotation(inner) or attributes.get(b"alttext") or _from_mathml(source)
    return "$$" if attributes.get(b"display") == "block" else "$", _bare(tex)


def _in_address(address: str) -> str:
    """The TeX in the address of a picture that a service draws; empty if there is none."""
    found = _ADDRESS.search(address)
    if found is None:
        return ""
    tex = unquote_plus(found[1]) if found[1] is not None else unquote(found[2]).replace("&space;", " ")
    return _OF_THE_PICTURE.sub(" ", tex).strip()


def _annotation(source: bytes) -> str | None:
    """The TeX in an annotation of MathML."""
    at = 0
    for _ in range(MAX_ANNOTATIONS):
        start = source.find(b"<annotation", at)
        opened = source.find(b">", start)
        closed = source.find(b"</annotation", opened)
        if start < 0 or opened < 0 or closed < 0:
            return None
        if b"tex" in source[start:opened].lower():
            return html.unescape(source[opened + 1 : closed].decode("utf-8", "replace"))
        at = closed
    return None


def _attributes(tag: bytes) -> dict[bytes, str]:
    return {
        match[1].lower(): html.unescape((match[2] or match[3] or match[4] or b"").decode("utf-8", "replace"))
        for match in _ATTRIBUTE.finditer(tag)
    }


def _is_tex(text: str) -> bool:
    """Whether the alternative text of an image is a formula, and not a sentence about it."""
    return bool(_COMMAND.search(text)) or not _LONG_WORD.search(text)


def _bare(tex: str) -> str:
    """TeX on one line, without what stands for its style and its place."""
    if "%" in tex:
        tex = _COMMENT.sub("\n", _CDATA.sub(" ", tex))
    tex = " ".join(tex.split())
    if fenced := _FENCES.match(tex):
        tex = next(part for part in fenced.groups() if part is not None).strip()
    while styled := _STYLE.match(tex):
        tex = styled[1].strip()
    return tex


_ACCENTS = {"¯": "bar", "‾": "bar", "^": "hat", "ˆ": "hat", "~": "tilde", "˜": "tilde", "˙": "dot", "¨": "ddot"}
_ACCENTS |= {"→": "vec", "⃗": "vec", "\\to": "vec"}

# What MathML's elements are in TeX.  `{0}` and so on stand for their children.
_FORMS = {
    "mfrac": r"\frac{{{0}}}{{{1}}}",
    "msup": "{0}^{{{1}}}",
    "msub": "{0}_{{{1}}}",
    "msubsup": "{0}_{{{1}}}^{{{2}}}",
    "munder": "{0}_{{{1}}}",
    "mover": "{0}^{{{1}}}",
    "munderover": "{0}_{{{1}}}^{{{2}}}",
    "mroot": r"\sqrt[{1}]{{{0}}}",
}
_LEFT_OUT = frozenset(("annotation", "annotation-xml", "mspace", "mphantom", "maligngroup", "malignmark"))
_SIGNS = {"−": "-", "⁢": " ", "⁡": " ", "⁣": ",", "⁤": "+", "\u00a0": " ", "∞": r"\infty ", "≤": r"\le ", "≥": r"\ge "}
_SIGNS |= {"×": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ", "±": r"\pm ", "→": r"\to ", "∑": r"\sum ", "∫": r"\int "}
_SIGNS |= {"∏": r"\prod ", "∂": r"\partial ", "∈": r"\in ", "≠": r"\ne ", "≈": r"\approx ", "√": r"\surd "}
_GREEK = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau upsilon phi"
_SIGNS |= {
    letter: f"\\{name} "
    for letter, name in zip("αβγδεζηθικλμνξοπρστυφ", _GREEK.split(), strict=True)
    if name != "omicron"
} | {
    "χ": r"\chi ",
    "ψ": r"\psi ",
    "ω": r"\omega ",
    "Δ": r"\Delta ",
    "Σ": r"\Sigma ",
    "Ω": r"\Omega ",
    "ϵ": r"\epsilon ",
}
_NAMED = (
    "ΓGamma ΘTheta ΛLambda ΞXi ΠPi ΥUpsilon ΦPhi ΨPsi ϕphi ϑvartheta ϱvarrho ςvarsigma "
    "⟹implies ⇒Rightarrow ⟸impliedby ⇐Leftarrow ⇔Leftrightarrow ⟺iff ←leftarrow ↔leftrightarrow ↦mapsto "
    "⟶longrightarrow ∀forall ∃exists ∉notin ∋ni ⊂subset ⊆subseteq ⊃supset ⊇supseteq ∪cup ∩cap ∅emptyset ∖setminus "
    "∧wedge ∨vee ¬neg ∇nabla ∝propto ∼sim ≃simeq ≅cong ≡equiv ≪ll ≫gg ∘circ †dagger ‖| ∥parallel ⊥perp "
    "⟨langle ⟩rangle ⌊lfloor ⌋rfloor ⌈lceil ⌉rceil …dots ⋯cdots ⋮vdots ⋱ddots ∓mp "
    "÷div ∗ast ⊕oplus ⊗otimes ∮oint ∬iint ∠angle ℏhbar ℓell"
)
_SIGNS |= {word[0]: f"\\{word[1:]} " for word in _NAMED.split()}
_SIGNS |= {sign: f"\\{sign}" for sign in "{}%#$&_"} | {"°": r"^{\circ}", "′": "'"}
_SIGNS |= {letter: rf"\mathbb{{{capital}}}" for letter, capital in zip("ℂℕℙℚℝℤ", "CNPQRZ", strict=True)}
_SIGN = re.compile("|".join(map(re.escape, _SIGNS)))
_SPACES_AROUND = re.compile(r"\s+(?=[}^_])|(?<=\{)\s+")


def _from_mathml(source: bytes) -> str:
    """TeX for an element <math>."""
    text = source.decode("utf-8", "replace")
    text = _REFERENCE.sub(lambda reference: html.escape(html.unescape(reference[0]), quote=False), text)
    if "<!" not in text:  # no declarations, so no entities that grow
        try:
            root = ElementTree.fromstring(_without_prefixes(text))
        except ElementTree.ParseError:
            pass
        else:
            return _SPACES_AROUND.sub("", _tex(root, 0))
    return html.unescape(_TAG.sub(b" ", source).decode("utf-8", "replace"))


def _without_prefixes(text: str) -> str:
    """The element without attributes, whose prefixes may not be declared and whose quotes may be missing."""
    return re.sub(r"<(/?)(?:\w+:)?([A-Za-z][\w-]*)(?:[^<>\"']|\"[^\"]*\"|'[^']*')*?(/?)>", r"<\1\2\3>", text)


def _tex(element: "ElementTree.Element[str]", depth: int) -> str:
    name = element.tag
    if name in _LEFT_OUT:
        return " " if name == "mspace" else ""
    if depth > MAX_NESTING:
        return "".join(element.itertext())
    if not len(element):
        return _leaf(name, " ".join((element.text or "").split()))
    parts = [_tex(child, depth + 1) for child in element if child.tag not in _LEFT_OUT or child.tag == "mspace"]
    if name == "mover" and len(parts) == 2 and (accent := _ACCENTS.get(parts[1].strip())):
        return rf"\{accent}{{{parts[0]}}}"
    form = _FORMS.get(name)
    if form is not None and len(parts) >= 2 + ("{2}" in form):
        base = parts[0] if name == "mfrac" or name == "mroot" or len(parts[0]) < 2 else f"{{{parts[0]}}}"
        return form.format(base, *parts[1:])
    if name == "msqrt":
        return rf"\sqrt{{{''.join(parts)}}}"
    if name == "mfenced":
        return f"({', '.join(parts)})"
    if name == "mtr" or name == "mlabeledtr":
        return " & ".join(parts)
    if name == "mtable":
        return r"\begin{matrix}" + r" \\ ".join(parts) + r"\end{matrix}"
    return "".join(parts)


def _leaf(name: str, text: str) -> str:
    if name == "mtext" or (name == "mi" and len(text) > 1 and text.isascii() and text.isalpha()):
        return rf"\text{{{text}}}" if name == "mtext" and text else f"\\{text} " if text in _FUNCTIONS else text
    text = _SIGN.sub(lambda sign: _SIGNS[sign[0]], text)
    return f" {text} " if name == "mo" and text in _SPACED else text


_SPACED = frozenset(("=", "+", "<", ">"))
_FUNCTIONS = frozenset(
    ("sin", "cos", "tan", "cot", "log", "ln", "exp", "lim", "max", "min", "sup", "inf", "det", "dim", "gcd", "arg")
)
