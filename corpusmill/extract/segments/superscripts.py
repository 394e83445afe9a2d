"""Raised numbers as readers mean them: `10<sup>8</sup>` is written as `10^8`, not as `108`.

Only an optional sign and digits straight after a letter, a digit or a bracket count.  Ordinals (`1<sup>st</sup>`) and
marks of notes, which are links, stay as they are.  The sign is put into the source, and the page is segmented again
(`readable.py`).
"""

import re

import numpy as np

from corpusmill.extract.segments.tables import Segments
from corpusmill.extract.segments.tags import TAG

MAX_SUPERSCRIPTS = 20_000
_NUMBER = re.compile(rb"<sup(?:\s[^<>]*)?>(?=(?:&minus;|\xe2\x88\x92|[-+])?[0-9]{1,6}</sup\s*>)", re.IGNORECASE)
_BEFORE = re.compile(rb"[^\s<>](?:<[^<>]*>)*\Z")  # no white space, then only tags
MAX_BEFORE = 200  # bytes of source
_LONGEST_CHARACTER = 4  # bytes


def superscript_spans(segments: Segments) -> list[tuple[int, int, bytes]]:
    """(place, place, b"^") in the source, of each raised number; in order."""
    nodes, data = segments.nodes, segments.data
    found = np.flatnonzero(nodes["tag"] == TAG["sup"])[:MAX_SUPERSCRIPTS]
    spans = []
    for source, start in zip(nodes["source"][found].tolist(), nodes["text_start"][found].tolist(), strict=True):
        tag = _NUMBER.match(data, source)
        if tag and _BEFORE.search(data[max(0, source - MAX_BEFORE) : source]):
            before = segments.text[max(0, start - _LONGEST_CHARACTER) : start].tobytes().decode("utf-8", "ignore")[-1:]
            if before.isalnum() or before in (")", "]", "）"):
                spans.append((tag.end(), tag.end(), b"^"))
    return spans
