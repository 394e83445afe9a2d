"""HTML that is content from its first word to its last: chapters of books, posts, entries of feeds.

Nothing in it is navigation, so no block is judged.  Formulas, lists, tables and code are written as on web pages.
"""

import numpy as np

from corpusmill.extract.charset.encoding import to_utf8
from corpusmill.extract.segments.readable import readable
from corpusmill.extract.segments.segment import segment
from corpusmill.extract.segments.tables import Segments
from corpusmill.extract.writing.markdown import markdown_of
from corpusmill.extract.writing.write import text_of
from corpusmill.page import Extracted, Page, TextFormat


def complete(page: Page, format: TextFormat) -> Extracted:
    """All text of an HTML page; the metadata has the number of decoding errors, if there are any."""
    utf8 = to_utf8(page.body, page.charset)
    metadata = {"decoding_errors": utf8.n_replaced} if utf8.n_replaced else {}
    return Extracted(text=_written(readable(utf8.data), format), metadata=metadata)


def written(data: bytes, format: TextFormat) -> str:
    """The text of HTML in UTF-8 whose formulas are TeX already, in elements <formula>."""
    return _written(segment(data), format)


def _written(segments: Segments, format: TextFormat) -> str:
    keep = np.ones(len(segments.blocks), np.bool_)
    return markdown_of(segments, keep) if format == "markdown" else text_of(segments, keep)
