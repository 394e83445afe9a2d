"""Raised numbers as readers mean them: `10<sup>8</sup>` is written as `10^8`, not as `108`.

    10<sup>8</sup>, Ca<sup>2+</sup>     10^8, Ca^2+     an optional sign and digits, or digits and a sign
    2<sup>n+1</sup>, e<sup>-x</sup>     2^(n+1)         letters and digits with signs between or before them
    x<sup>n</sup>                       x^n             a letter above a number, a bracket or a single letter

Only what is straight after a letter, a digit or a bracket counts.  Ordinals (`1<sup>st</sup>`, `2<sup>e</sup>`) and
marks of notes stay as they are.  A note is a link, has such a class, or is a number after a long word.  The sign is put
into the source, and the page is segmented again (`readable.py`).
"""

import re

import numpy as np

from corpusmill.extract.segments.tables import Segments
from corpusmill.extract.segments.tags import TAG

MAX_SUPERSCRIPTS = 20_000
_MINUS = rb"(?:&minus;|\xe2\x88\x92|-)"
_RAISED = re.compile(
    rb"<sup(?P<attributes>\s[^<>]*)?>\s*(?:<(?!/|a[\s>])[^<>]{1,100}>){0,3}\s*(?:"
    rb"(?P<number>(?:" + _MINUS + rb"|\+)?[0-9]{1,6}(?:\.[0-9]{1,4})?|[0-9](?:" + _MINUS + rb"|\+))"
    rb"|(?P<term>(?:" + _MINUS + rb"|\+)?[0-9a-zA-Z]{1,3}(?:(?:" + _MINUS + rb"|[+/])[0-9a-zA-Z]{1,3}){0,3})"
    rb")(?=\s*(?:</[^<>]{1,20}>\s*){0,3}</sup\s*>)",
    re.IGNORECASE,
)
_BEFORE = re.compile(rb"[^\s<>](?:<[^<>]*>)*\Z")  # no white space, then only tags
_OF_NOTE = re.compile(rb"note|ref|cite|citation", re.IGNORECASE)
_LONG_WORD = re.compile(r"[^\W\d_]{5,}\Z")
_LENGTHS = frozenset(("miles", "metres", "meters", "metre", "meter", "inches", "yards", "kilometers", "kilometres"))
_ONE_LETTER = re.compile(r"(?:[\d)\]]|(?<![^\W\d_])[^\W\d_])\Z")
_VARIABLES = frozenset("nkmpqxyN")  # letters that no ordinal ends with
_NOTES = re.compile(r"\d+(?:-|−|&minus;)\d+\Z")
MAX_BEFORE = 200  # bytes of source
_LONGEST_WORD = 40  # bytes of text before it
_SPACED = b" \t\r\n\f"


def superscript_spans(segments: Segments) -> list[tuple[int, int, bytes]]:
    """(start, end, what replaces it) in the source, of each raised number or term; in order."""
    nodes, data = segments.nodes, segments.data
    found = np.flatnonzero(nodes["tag"] == TAG["sup"])[:MAX_SUPERSCRIPTS]
    spans: list[tuple[int, int, bytes]] = []
    for source, start in zip(nodes["source"][found].tolist(), nodes["text_start"][found].tolist(), strict=True):
        tag = _RAISED.match(data, source)
        if tag is None or not _BEFORE.search(data[max(0, source - MAX_BEFORE) : source]):
            continue
        before = segments.text[max(0, start - _LONGEST_WORD) : start].tobytes().decode("utf-8", "ignore")
        if not (before[-1:].isalnum() or before[-1:] in (")", "]", "）")):
            continue
        if tag["number"]:
            if _is_note(tag["attributes"], before):
                continue
            spans.append(_span(tag, "number", b"^", data))
        elif _is_term(tag["term"].decode(), before):
            spans.append(_span(tag, "term", b"^", data))
    return spans


def _span(tag: "re.Match[bytes]", name: str, sign: bytes, data: bytes) -> tuple[int, int, bytes]:
    """The raised text with its sign, without white space before it."""
    start = tag.start(name)
    blank = start
    while data[blank - 1] in _SPACED:
        blank -= 1
    written = tag[name]
    return blank, tag.end(name), sign + (b"(" + written + b")" if name == "term" and len(written) > 1 else written)


def _is_note(attributes: bytes | None, before: str) -> bool:
    """Whether a raised number is the mark of a note."""
    if attributes and _OF_NOTE.search(attributes):
        return True
    word = _LONG_WORD.search(before)
    return word is not None and word[0].isascii() and word[0].lower() not in _LENGTHS


def _is_term(term: str, before: str) -> bool:
    """Whether raised letters are an exponent, and not an ordinal or the mark of notes."""
    if not _ONE_LETTER.search(before) or _NOTES.match(term):
        return False
    return term in _VARIABLES or not term.isalnum()
