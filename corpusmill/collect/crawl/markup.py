"""The start tags of an HTML page, read in one pass and without a tree.

A crawler needs few tags and no tree, and the time for a tree is unbounded.  An example is a page of 250 KB of `<font
size=1><a href=1><p>`, each with another size.  resiliparse's parser needs 46 s for it, because the standard's "adoption
agency" copies open elements, and it cannot be interrupted.

So tags are found as the standard's tokenizer finds them (WHATWG HTML, section 13.2.5):

- comments and bogus comments;
- the raw text of scripts, styles, titles and similar elements;
- quoted and unquoted attributes; of two attributes with one name, the first;
- character references by the rules for attributes;
- text after a tag or a comment that never ends is not markup.

It leaves out what needs a tree: foreign content, and elements that are not allowed at their place.

Every step moves forward, so the cost is linear: 0.1 s for each MB that consists of wanted tags only.  Decision 11 says
why this is not a library's parser.
"""

import html
import re
from collections.abc import Collection, Iterator
from functools import lru_cache
from html.entities import html5

_START = re.compile(r"<(?:(?P<name>[A-Za-z][^\s/>]*)|(?P<comment>!--)|(?P<bogus>[!?]|/(?![A-Za-z]))|(?P<end>/))")
_END_OF_COMMENT = re.compile(r"--!?>")
_VALUE = r"""(?:"[^"]*"|'[^']*'|[^\s>"'][^\s>]*+|(?=>))"""
_END_OF_TAG = re.compile(rf"(?:[^>=]++|=\s*+{_VALUE})*+>")
_ATTRIBUTE = re.compile(r"""[\s/]*+([^\s/>][^\s/>=]*+)(?:\s*+=\s*+(?:"([^"]*)"|'([^']*)'|([^\s>"'][^\s>]*+)|))?""")
_RAW = ("script", "style", "title", "textarea", "iframe", "xmp", "noembed", "noframes")
_ENDS_OF_RAW = {name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE) for name in _RAW}

_REFERENCE = re.compile(r"&(?:#(?:[xX]0*+[0-9a-fA-F]+|0*+[0-9]+);?|([A-Za-z][A-Za-z0-9]{0,31})(;|(?![=A-Za-z0-9])))")
_DIGITS = len("&#x10FFFF;")  # the longest reference to a character, apart from leading zeros

Attributes = dict[str, str]


def tags(page: str, wanted: Collection[str]) -> Iterator[tuple[str, Attributes]]:
    """(name, attributes) of the start tags whose name is in `wanted` (in lower case), in the page's order."""
    at, others = 0, _others(frozenset(wanted))
    while start := _START.search(page, others.match(page, at).end()):  # type: ignore[union-attr]  # it matches anything
        name = (start["name"] or "").lower()
        if start["comment"]:  # `<!-->` and `<!--->` are comments, too
            ends = _END_OF_COMMENT.search(page, start.end() - 2)
        elif start["bogus"]:
            ends = _GREATER.search(page, start.end())
        else:
            ends = _END_OF_TAG.match(page, start.end())
        if ends is None or name == "plaintext":
            return
        at = ends.end()
        if name in wanted:
            yield name, _attributes(page[start.end() : at - 1])
        if name in _ENDS_OF_RAW:
            raw = _ENDS_OF_RAW[name].search(page, at)
            if raw is None:
                return
            at = raw.start()


_GREATER = re.compile(">")


@lru_cache
def _others(wanted: frozenset[str]) -> re.Pattern[str]:
    """Text and tags that need no look, because they are not wanted and nothing depends on them."""
    names = "|".join(sorted({*wanted, *_RAW, "plaintext"}))
    start = rf"<(?!(?:{names})[\s/>])[A-Za-z][^\s/>]*+(?:[^>=]++|=\s*+{_VALUE})*+>"
    return re.compile(rf"(?:[^<]++|</[A-Za-z][^>=]*+>|{start})*+", re.IGNORECASE)


def _attributes(text: str) -> Attributes:
    """Attributes of a tag by name in lower case.  If a name occurs twice, the first counts."""
    found: Attributes = {}
    for match in _ATTRIBUTE.finditer(text):
        value = match[2] or match[3] or match[4] or ""
        found.setdefault(match[1].lower(), _REFERENCE.sub(_character, value) if "&" in value else value)
    return found


def _character(reference: re.Match[str]) -> str:
    """The text of a character reference in an attribute.

    Few names need no semicolon, and such a name may not stand before `=`.
    """
    text = reference[0]
    if reference[1] is not None:
        return html5.get(text[1:], text)
    digits = text[2:].lstrip("xX").lstrip("0")
    return html.unescape(text) if len(digits) <= _DIGITS and digits.strip(";") else "\N{REPLACEMENT CHARACTER}"
