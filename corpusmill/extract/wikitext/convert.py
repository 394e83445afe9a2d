r"""Wikitext to HTML, in passes over the whole text.

Each pass is one compiled pattern, and the innermost part comes first: `{{a|{{b}}}}` is two passes of the pattern of a
template without another one in it.  So Python's own code runs for what needs a decision only (the name of a template,
a link with a colon), and a page costs little per byte.  The order of passes:

1. comments, references and what is not wikitext (formulas, code, `<nowiki>`) leave the text; numbers stand for them
2. language variants: one form of each word (`variants.py`)
3. templates, innermost first: text (`templates.py`), or a mark that something was left out
4. links: their text; files and categories leave the text
5. the marks go, with brackets and commas that stood around nothing
6. line by line: headings, lists, tables, preformatted text, paragraphs; sections without content are left out

No pattern can look at the same text again and again, so the time is linear for any input.  The nesting that is followed
is bounded.  What is then left of brackets is removed, because it is markup of a page with errors.

Cost and what was tried besides: `docs/decisions/0018-wikitext.md`.
"""

# ruff: noqa: SIM905

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from corpusmill.extract.wikitext.lines import sections_of
from corpusmill.extract.wikitext.names import (
    CATEGORY_NAMES,
    DISAMBIGUATION,
    DISAMBIGUATION_ONLY_IN,
    FILE_NAMES,
    is_language,
    plain_name,
)
from corpusmill.extract.wikitext.templates import BAR, EQUALS, GONE, country_of, function, rule_of, sign_of
from corpusmill.extract.wikitext.variants import one_variant

OPEN, CLOSE = "\ue001", "\ue002"  # around the number of something that left the text
MAX_PASSES = 40  # levels of templates in templates, or of links in links
FILE_SPACE, CATEGORY_SPACE = 6, 14

_OWN = re.compile("[\ue000-\ue004]")
_FORMULAS = ("math", "chem", "ce")
_KEPT = ("nowiki", "pre", "syntaxhighlight", "source", "poem", *_FORMULAS)
_LEFT_OUT = (
    "ref references gallery timeline score graph imagemap hiero templatedata mapframe maplink includeonly categorytree "
    "inputbox rss dynamicpagelist indicator templatestyles section"
).split()
_FOREIGN = frozenset((*_KEPT, *_LEFT_OUT))
_OPENING = re.compile("<(?:!--|([A-Za-z]++)([^<>]*+)>)")
# without the flag for any case, with which the search is slower
_CLOSINGS = {
    name: re.compile(rf"</{''.join(f'[{letter}{letter.upper()}]' for letter in name)}\s*>") for name in _FOREIGN
}
_NOWIKI = re.compile(r"</?nowiki\s*/?>", re.IGNORECASE)
_LANGUAGE = re.compile(r"lang\s*=\s*[\"']?([\w+#.-]+)", re.IGNORECASE)
_PARAMETER = re.compile(r"\{\{\{([^{}|]*+)(?:\|([^{}]*+))?\}\}\}")
_TEMPLATE = re.compile(r"\{\{([^{}]*+(?:(?:\{(?!\{)|\}(?!\}))[^{}]*+)*+)\}\}")
_LABEL = r"[^\[\]]*+(?:(?:\[(?!\[)|\](?!\]))[^\[\]]*+)*+"  # may hold single brackets
_LINK = re.compile(rf"\[\[(?:[^\[\]|:]*+\|(?!\]\])({_LABEL})|([^\[\]|:]++))\]\]")
_COLON_LINK = re.compile(rf"\[\[([^\[\]|]*+)(?:\|({_LABEL}))?\]\]")
_EXTERNAL = re.compile(
    r"\[(?:https?:|ftp:|news:|irc:)?//[^\s\[\]<>]*+(?:[^\S\n]++([^\[\]\n]*+))?\]"
    r"|\[mailto:[^\s\[\]]*+([^\[\]\n]*+)\]"
)
# A number that is raised: a power if it is straight after a letter, a digit or a bracket.  Ordinals, and marks of
# notes, which are links, are none.  The pattern begins with letters, because these are found fast.
_RAISED = re.compile(r"<sup(?:\s[^<>]*)?>(?=(?:&minus;|[-+−])?[0-9]{1,6}</sup\s*>)")
_BEFORE_RAISED = re.compile(r"[\w)\]）](?:'{2,5}|</[a-zA-Z]+>)*\Z")
_MAX_BEFORE_RAISED = 40
_WORD, _AFTER_WORD = re.compile(r"\[\[|\w"), re.compile(r"[\w}]")
_NOT_IN_PARAGRAPHS = frozenset("*#:;|!{=\n")  # what lines that are no text begin with
# A link that can only be a picture, whatever the wiki calls the namespace: by its ending or by an option
_PICTURE = re.compile(
    r"^[^|]*\.(?:jpe?g|png|svg|gif|tiff?|webp)\s*\||\|\s*(?:thumb|thumbnail|frame|framed|frameless|(?:\d*x)?\d+\s*px)\s*\|",
    re.IGNORECASE,
)
_SPACE, _COMMA = " \t\u00a0", ",;:，；、："
_GONE_RUN = re.compile(f"{GONE}[{_SPACE}{_COMMA}{GONE}]*+")
_OPENING_BRACKETS, _CLOSING_BRACKETS = ("(", "（", "["), (")", "）", "]")
_DASH = re.compile(r"[-–—][ \t\u00a0]++")
_STOPS = frozenset(".,;:!?。，；：！？、")
_SWITCH = re.compile(r"__(?:[^\W\d_a-z]|[A-Z])(?:[^\W\da-z]|_(?!_))*__")
_DISAMBIGUATION_SWITCH = re.compile("__DISAMBIG__|__ДЗ__|__消歧义__|__消歧義__")
_HIDDEN = re.compile(r"<(span|div)\b[^<>]*display\s*:\s*none[^<>]*>[^<]*+</\1>", re.IGNORECASE)
_TAG = re.compile(r"<(?:(/?)([a-zA-Z][a-zA-Z0-9]*+)\b([^<>]*+)>)?")
_SHOWN = frozenset(
    (
        "b i em strong sub sup code kbd samp tt var br hr u s del ins small big cite q abbr dfn ruby rt rb rp rtc bdi "
        "bdo mark p div center blockquote ol ul li dl dt dd table tr td th caption thead tbody tfoot h1 h2 h3 h4 h5 "
        "h6 wbr time"
    ).split()
)
_SILENT = frozenset(
    "span font noinclude onlyinclude ref references nowiki gallery section templatestyles includeonly languages "
    "translate tvar data math poem pre strike a img colgroup col nobr imagemap inputbox indicator".split()
)
_CELL_SPAN = re.compile(r"(?:col|row)span\s*=\s*[\"']?\d+[\"']?", re.IGNORECASE)
_BRACKETS = re.compile(r"\{\{+|\}\}+|\[\[+|\]\]+")
_NUMBERED = re.compile(f"{OPEN}(\\d+){CLOSE}")
_ALONE = re.compile(f"\\s*{OPEN}(\\d+){CLOSE}\\s*[.,;，。]?\\s*")


@dataclass(slots=True)
class Wikitext:
    """A page of a wiki as HTML, and what its markup said."""

    html: str = ""
    categories: list[str] = field(default_factory=list)
    is_disambiguation: bool = False
    n_templates_left_out: int = 0


def to_html(text: str, language: str, namespaces: Mapping[str, int]) -> Wikitext:
    """The page as HTML without a head.

    language: code of the wiki's language; numbers are written accordingly.
    namespaces: names of the wiki's namespaces in lower case, with their numbers.
    """
    return _Converter(language, namespaces).convert(text)


class _Converter:
    def __init__(self, language: str, namespaces: Mapping[str, int]) -> None:
        self._language = language
        self._namespaces = namespaces
        self._page = Wikitext()
        self._stored: list[str] = []  # HTML of what left the text
        self._formulas: dict[int, str] = {}

    def convert(self, text: str) -> Wikitext:
        if _OWN.search(text):
            text = _OWN.sub("", text)
        text = self._without_foreign("\n" + text)
        if _DISAMBIGUATION_SWITCH.search(text):
            self._page.is_disambiguation = True
        text = one_variant(text)
        text = _separable(self._without_templates(text))
        text = _RAISED.sub(_raised, text) if "<sup" in text else text
        text = _SWITCH.sub(GONE, text) if "__" in text else text
        text = self._without_links(text)
        text = _HIDDEN.sub(GONE, text) if "none" in text else text
        text = _TAG.sub(self._tag, text) if "<" in text else text
        text = _mended(text)
        if "[[" in text or "]]" in text or "{{" in text or "}}" in text:
            text = _BRACKETS.sub("", text)
        self._page.html = _NUMBERED.sub(self._restored, sections_of(text, self._is_formula_alone))
        return self._page

    # ---- what is not wikitext

    def _without_foreign(self, text: str) -> str:
        pieces: list[str] = []
        at = 0
        missing: set[str] = set()
        search = _OPENING.search
        while (opening := search(text, at)) is not None:
            start, end = opening.span()
            name = opening[1]
            if name is None:
                close = text.find("-->", end)
                close = len(text) if close < 0 else close + 3
                pieces.append(text[at:start])
                at = close
                if text[start - 1 : start] == "\n" and text[close : close + 1] == "\n":
                    at += 1
                continue
            name = name.lower()
            if name not in _FOREIGN:
                pieces.append(text[at:end])
                at = end
                continue
            pieces.append(text[at:start])
            at = end
            if opening[2].endswith("/") or name in missing:
                pieces.append("" if name == "ref" else self._store("") if name == "nowiki" else GONE)
                continue
            closing = _CLOSINGS[name].search(text, end)
            if closing is None:
                missing.add(name)
                pieces.append(GONE)
                continue
            pieces.append(self._foreign(name, opening[2], text[end : closing.start()]))
            at = closing.end()
        return "".join([*pieces, text[at:]]) if pieces else text

    def _foreign(self, name: str, attributes: str, inner: str) -> str:
        """What an element that is not wikitext writes."""
        if name == "ref":
            return ""
        if name in _FORMULAS:
            tex = " ".join(html.unescape(inner).split())
            tex = tex if name == "math" else rf"\ce{{{tex}}}"
            if not tex:
                return GONE
            mark = self._store(f"<formula>${html.escape(tex, quote=False)}$</formula>")
            self._formulas[len(self._stored) - 1] = tex
            if "block" in attributes:
                self._is_formula_alone(mark)
                return f"\n\n{mark}\n\n"
            return mark
        if name == "nowiki":
            return self._store(html.escape(html.unescape(inner), quote=False))
        if name == "pre":
            return f"\n{self._store(f'<pre>{_escaped(inner)}</pre>')}\n"
        if name in ("syntaxhighlight", "source"):
            code = html.escape(inner, quote=False)
            if "inline" in attributes:
                return self._store(f"<code>{code}</code>")
            language = _LANGUAGE.search(attributes)
            mark = f' class="language-{language[1].lower()}"' if language else ""
            return f"\n{self._store(f'<pre><code{mark}>{code}</code></pre>')}\n"
        if name == "poem":
            return (
                "\n" + "<br>\n".join(line.strip() for line in self._without_foreign(inner).strip().split("\n")) + "\n"
            )
        return GONE

    def _store(self, written: str) -> str:
        self._stored.append(written)
        return f"{OPEN}{len(self._stored) - 1}{CLOSE}"

    def _restored(self, match: re.Match[str]) -> str:
        return _NUMBERED.sub(lambda inner: self._stored[int(inner[1])], self._stored[int(match[1])])

    def _is_formula_alone(self, line: str) -> bool:
        """Whether a line holds nothing but a formula, which is then written on a line of its own."""
        if OPEN not in line or (match := _ALONE.fullmatch(line)) is None or int(match[1]) not in self._formulas:
            return False
        tex = html.escape(self._formulas[int(match[1])], quote=False)
        self._stored[int(match[1])] = f"<formula>$${tex}$$</formula>"
        return True

    # ---- templates

    def _without_templates(self, text: str) -> str:
        if "{{" not in text:
            return text
        if "{{{" in text:
            text = _PARAMETER.sub(lambda match: match[2] or "", text)
        for _ in range(MAX_PASSES):
            text, n = _TEMPLATE.subn(self._template, text)
            if n == 0:
                break
        return text

    def _template(self, match: re.Match[str]) -> str:
        inner = match[1]
        written, bar, rest = inner.partition("|")
        name = plain_name(written)
        if not bar and (sign := sign_of(name, written.strip())) is not None:
            return sign
        if (code := country_of(written.strip())) is not None:
            place = _arguments(rest).get("Ziel", "") if bar else code
            return f"{place} " if place and _WORD.match(match.string, match.end()) else place or GONE
        rule = rule_of(name)
        if rule is None:
            if name in DISAMBIGUATION and DISAMBIGUATION_ONLY_IN.get(name, self._language) == self._language:
                self._page.is_disambiguation = True
            if ":" in name:
                first, _, argument = inner.partition(":")
                said = function(plain_name(first), argument, self._language)
                if said is not None:
                    return _inseparable(said)
            self._page.n_templates_left_out += 1
            return GONE
        if "[[" in rest:
            rest = _with_labels(rest)
            if "[[" in rest:
                rest = _COLON_LINK.sub(self._colon_link, rest)
        said = rule(_arguments(rest), self._language)
        if "<math>" in said:
            said = self._without_foreign(_separable(said))
        if said.startswith("[") and _AFTER_WORD.match(match.string, match.start() - 1):
            said = f" {said}"  # the sounds of a word, straight behind it
        return _inseparable(said) or GONE

    # ---- links

    def _without_links(self, text: str) -> str:
        if "[" not in text:
            return text
        text = _with_labels(text)
        text = _EXTERNAL.sub(_external, text)
        for _ in range(MAX_PASSES):
            text, n = _COLON_LINK.subn(self._colon_link, text)
            if n == 0:
                break
            text = _EXTERNAL.sub(_external, text)
        return text

    def _colon_link(self, match: re.Match[str]) -> str:
        target, label = match.groups()
        prefix, colon, rest = target.partition(":")
        if colon and prefix.strip():
            space = plain_name(prefix)
            number = self._namespaces.get(space)
            is_file = number == FILE_SPACE or space in FILE_NAMES
            if is_file or (number is None and label and _PICTURE.search(f"{rest}|{label}|")):
                return f"\n{GONE}" if _is_between_paragraphs(match) else GONE
            if number == CATEGORY_SPACE or space in CATEGORY_NAMES:
                self._page.categories.append(rest.strip().replace("_", " "))
                return GONE
            if is_language(prefix.strip()) and number is None:
                return GONE
        if label is None:
            return target.removeprefix(":").strip()
        return label or _without_pipe_trick(target)

    # ---- tags

    def _tag(self, match: re.Match[str]) -> str:
        slash, name, attributes = match.groups()
        if name is None:
            return "&lt;"
        lower = name.lower()
        if lower in _SHOWN:
            spans = " ".join(_CELL_SPAN.findall(attributes)) if lower in ("td", "th") else ""
            return f"<{slash}{lower} {spans}>" if spans else f"<{slash}{lower}>"
        return "" if lower in _SILENT else f"&lt;{match[0][1:]}"


def _escaped(text: str) -> str:
    """The content of <pre>, where references to characters are read, and nothing else but <nowiki>."""
    return html.escape(html.unescape(_NOWIKI.sub("", text)), quote=False)


def _raised(tag: re.Match[str]) -> str:
    """The tag of a raised number, with a sign that it is a power."""
    start = tag.start()
    before = tag.string[max(0, start - _MAX_BEFORE_RAISED) : start]
    return f"{tag[0]}^" if _BEFORE_RAISED.search(before) else tag[0]


def _inseparable(text: str) -> str:
    """What a template writes is one argument of a template around it: its signs separate nothing there."""
    return text.replace("|", BAR).replace("=", EQUALS)


def _separable(text: str) -> str:
    return text.replace(BAR, "|").replace(EQUALS, "=")


def _is_between_paragraphs(file: re.Match[str]) -> bool:
    """Whether a picture stands on a line of its own, between two lines of text: it ends a paragraph."""
    text, (start, end) = file.string, file.span()
    if text[start - 1 : start] != "\n" or text[end : end + 1] != "\n":
        return False
    line_before = text.rfind("\n", 0, start - 1) + 1
    return not {text[line_before : line_before + 1], text[end + 1 : end + 2]} & _NOT_IN_PARAGRAPHS


def _arguments(text: str) -> dict[str, str]:
    """The arguments of a template by name; those without a name have numbers, from 1."""
    arguments: dict[str, str] = {}
    number = 0
    for part in text.split("|"):
        name, equals, value = part.partition("=")
        if equals and "<" not in name and OPEN not in name:
            arguments[name.strip()] = value.strip()
        else:
            number += 1
            arguments[str(number)] = part.strip()
    return arguments


def _with_labels(text: str) -> str:
    """The text with the labels of its plain links.  Joining what a split gives is twice as fast as a substitution."""
    return "".join(filter(None, _LINK.split(text)))


def _external(match: re.Match[str]) -> str:
    return (match[1] or match[2] or "").strip() or GONE


def _without_pipe_trick(target: str) -> str:
    """`[[Help:Page (what)|]]` reads "Page"."""
    return re.sub(r"\s*\([^()]*\)$|,.*$", "", target.rpartition(":")[2]).strip()


def _mended(text: str) -> str:
    """The text without the marks of what was left out, and without brackets and commas that stood around nothing."""
    if GONE not in text:
        return text
    pieces: list[str] = []
    at = 0
    for match in _GONE_RUN.finditer(text):
        start, end = match.span()
        before, following = text[at:start], text[end : end + 1]
        line = before.rstrip(_SPACE)
        last = before.rstrip(_SPACE + _COMMA)
        if last[-1:] in _OPENING_BRACKETS or following in _CLOSING_BRACKETS:
            if last[-1:] in _OPENING_BRACKETS and following in _CLOSING_BRACKETS:
                last, end = last[:-1].rstrip(_SPACE), end + 1
            pieces.append(last)
            at = end
            continue
        rest = match[0].lstrip(_SPACE + GONE)
        at = end - len(rest)
        if not (head := line[line.rfind("\n") + 1 :]).strip("*#:;"):  # at the start of a line or of an item
            is_whole_line = not head and not rest and following in ("\n", "")
            pieces.append(line[:-1] if is_whole_line else line)
            dash = _DASH.match(text, end)
            at = dash.end() if dash else end
        elif (rest or following)[:1] in _STOPS:
            pieces.append(line)
        else:
            pieces.append(before)
            if match[0][: len(match[0]) - len(rest)].strip(GONE):
                pieces.append(" ")
    return "".join([*pieces, text[at:]]).replace(GONE, "")
