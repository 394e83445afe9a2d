"""The tables of a page as its readers see it.

Formulas are TeX, code that has an element per line is one text, and raised numbers have a `^`.  Most pages have none of
these, and are segmented once.
"""

from corpusmill.extract.segments.code_lines import code_spans
from corpusmill.extract.segments.formulas import formula_spans
from corpusmill.extract.segments.segment import Workspace, segment
from corpusmill.extract.segments.superscripts import superscript_spans
from corpusmill.extract.segments.tables import BorrowedSegments


def readable(data: bytes, workspace: Workspace | None = None) -> BorrowedSegments:
    """The tables of a page in UTF-8, as `segment` returns them.  Their offsets refer to their own `data`."""
    segments = segment(data, workspace)
    spans = sorted([*formula_spans(segments), *code_spans(segments), *superscript_spans(segments)])
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
