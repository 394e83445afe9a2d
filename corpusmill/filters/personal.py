"""Personal data in one text, found and replaced by placeholders, in plain Python.

What counts as personal data of each kind, and what is left alone, is documented in `docs/personal-data.md`; the exact
definition is `corpusmill.filters.private`.  Masking repeats itself on what it changed until there is nothing left, so
masking twice equals masking once.  `mask_text` masks one text, `corpusmill.filters.pii` whole columns, by kernels that
decide alike.

Imports neither numba nor pyarrow, so that showing a single document stays quick.
"""

from typing import TYPE_CHECKING

from corpusmill.filters.private.kinds import KINDS, TOKENS
from corpusmill.filters.private.plain import Span, find

if TYPE_CHECKING:
    from corpusmill.filters.settings import PiiSettings


def wanted_kinds(settings: "PiiSettings | None") -> frozenset[int]:
    """The numbers of the kinds that are masked; without settings, all."""
    return frozenset(i for i, kind in enumerate(KINDS) if settings is None or getattr(settings, kind.setting))


def mask_text(text: str, settings: "PiiSettings | None" = None) -> str:
    """One text with personal data replaced, as `corpusmill.filters.pii.mask` does it for columns."""
    content = text.encode("utf-8", "surrogatepass")
    while spans := find(content, wanted_kinds(settings)):
        content = _replaced(content, spans)
    return content.decode("utf-8", "surrogatepass")


def _replaced(content: bytes, spans: list[Span]) -> bytes:
    pieces, start = [], 0
    for span in spans:
        pieces += [content[start : span.start], TOKENS[span.kind]]
        start = span.end
    return b"".join([*pieces, content[start:]])
