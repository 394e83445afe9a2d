"""The tables of a page as its readers see it.

Formulas are TeX, code that has an element per line is one text, and raised numbers have a `^`.  Most pages have none of
these, and are segmented once.
"""

from typing import Any

import numpy as np

from corpusmill.extract.segments.code_lines import CODE_WORDS, MIN_BLOCKS, broken_code_spans, code_spans
from corpusmill.extract.segments.formulas import MATH_WORD, formula_spans, unrendered_spans
from corpusmill.extract.segments.lean import Int, Rows, Words, lean_entry
from corpusmill.extract.segments.segment import Workspace, segment
from corpusmill.extract.segments.superscripts import superscript_spans
from corpusmill.extract.segments.tables import BorrowedSegments, FactKind
from corpusmill.extract.segments.tags import TAG

_FORMULA, _SUP = int(FactKind.FORMULA), TAG["sup"]
_CODE, _UNRENDERED, _BROKEN_CODE = 2, 8, 16
_CODE_TAG = TAG["code"]
_OF_WORD = np.zeros(1 << 16, np.uint8)  # by the last bits of a token: the sum of the keys below that it can mean
for _key, _words in ((_CODE, CODE_WORDS), (_UNRENDERED, [MATH_WORD])):
    for _word in _words:
        _OF_WORD[_word % len(_OF_WORD)] |= _key
_SOURCES = {
    1: formula_spans,
    _CODE: code_spans,
    4: superscript_spans,
    _UNRENDERED: unrendered_spans,
    _BROKEN_CODE: broken_code_spans,
}


def readable(data: bytes, workspace: Workspace | None = None) -> BorrowedSegments:
    """The tables of a page in UTF-8, as `segment` returns them.  Their offsets refer to their own `data`."""
    segments = segment(data, workspace)
    found = _which(segments.facts, segments.nodes, segments.tokens, _OF_WORD)
    spans = sorted(span for which, spans_of in _SOURCES.items() if found & which for span in spans_of(segments))
    if not spans:
        return segments
    source = segments.data
    pieces: list[bytes] = []
    at = 0
    for start, end, replacement in spans:
        if start >= at:
            pieces += [source[at:start], replacement]
            at = end
    return segment(b"".join([*pieces, source[at:]]), workspace)


@lean_entry
def _which(facts: Rows, nodes: Rows, tokens: Words, of_word: Any) -> Int:
    """The sum of those keys of `_SOURCES` whose functions may find something."""
    found = 0
    for i in range(len(facts)):
        found |= facts[i].kind == _FORMULA
    for i in range(len(tokens)):
        found |= of_word[tokens[i] & (len(of_word) - 1)]
    for i in range(len(nodes)):
        if nodes[i].tag == _SUP:
            found |= 4
        elif nodes[i].tag == _CODE_TAG and nodes[i].end_block - nodes[i].first_block >= MIN_BLOCKS:
            found |= _BROKEN_CODE
    return found
