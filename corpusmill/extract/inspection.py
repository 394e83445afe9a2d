"""The steps of extraction, from a page's tables to everything that is known about the page.

The extractor keeps only text and metadata of the result.  `inspect_page` keeps everything, for a person who wants to
know why.
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from corpusmill.extract.charset.encoding import Utf8, to_utf8
from corpusmill.extract.content.abstain import no_content
from corpusmill.extract.content.classify import Classified, classify, page_kinds
from corpusmill.extract.content.kinds import KINDS
from corpusmill.extract.content.model import Model
from corpusmill.extract.metadata.read import PageMetadata, read_metadata
from corpusmill.extract.segments.readable import readable
from corpusmill.extract.segments.segment import Workspace
from corpusmill.extract.segments.tables import Segments
from corpusmill.extract.whole import whole
from corpusmill.extract.writing.markdown import markdown_of
from corpusmill.extract.writing.marks import without_marks
from corpusmill.extract.writing.markup import Elements
from corpusmill.extract.writing.write import text_of
from corpusmill.page import Page
from corpusmill.reasons import Status

MOST_OF_A_PATH = 6  # elements


class Block(NamedTuple):
    """A block, and the decision on it."""

    text: str
    probability: float  # that the block is main content
    kept: bool
    path: str  # the elements around it, such as "main > div.post > p"; begins with "... >" if there are more

    @property
    def tag(self) -> str:
        """The innermost element around the block."""
        return self.path.rpartition("> ")[2].partition(".")[0].partition("#")[0]


@dataclass(frozen=True, kw_only=True, slots=True)
class Inspection:
    """A page, and all results of extraction for it."""

    url: str | None
    utf8: Utf8
    segments: Segments
    classified: Classified
    kinds: npt.NDArray[np.float32]  # (len(KINDS),): probabilities
    said: PageMetadata
    status: Status  # OK, or the reason why the page has no main content; in the second case nothing is kept

    @property
    def kind(self) -> str:
        """The most probable kind of page."""
        return KINDS[int(self.kinds.argmax())]

    @property
    def keep(self) -> npt.NDArray[np.bool_]:
        """Which blocks are kept, (n_blocks,)."""
        return self.classified.keep & (self.status is Status.OK)

    @property
    def text(self) -> str:
        """The main text."""
        return text_of(*without_marks(self.segments, self.keep))

    @property
    def markdown(self) -> str:
        """The main text as Markdown."""
        return markdown_of(*without_marks(self.segments, self.keep))

    def blocks(self) -> Iterator[Block]:
        """All blocks of the page, kept or not."""
        names = _Names(Elements(self.segments))
        rows = zip(self.classified.probabilities, self.keep, self.segments.blocks["box"].tolist(), strict=True)
        for index, (probability, kept, box) in enumerate(rows):
            yield Block(self.segments.block_text(index), float(probability), bool(kept), names.path(box))


class _Names:
    """Elements written as in a style sheet: the name, followed by the id or the first class."""

    def __init__(self, elements: Elements) -> None:
        self._elements = elements
        self._known: dict[int, str] = {}

    def path(self, node: int) -> str:
        """The element and the elements around it, outermost first."""
        path: list[str] = []
        while node > 0 and len(path) < MOST_OF_A_PATH:
            path.append(self._known.get(node) or self._name(node))
            node = self._elements.parents[node]
        return " > ".join([*(["..."] if node > 0 else []), *reversed(path)])

    def _name(self, node: int) -> str:
        id_, class_ = ((self._elements.attribute(node, name) or "").split() for name in (b"id", b"class"))
        sign = f"#{id_[0]}" if id_ else f".{class_[0]}" if class_ else ""
        self._known[node] = self._elements.name(node) + sign
        return self._known[node]


def inspect_page(page: Page, model: Model) -> Inspection:
    """Run all steps of extraction on an HTML page; UndecodableError if its bytes are not text."""
    utf8 = to_utf8(page.body, page.charset)
    return judge(utf8, readable(utf8.data, Workspace()), page.url, model)


def judge(utf8: Utf8, segments: Segments, url: str | None, model: Model) -> Inspection:
    """The results for a page, from its tables.  They are valid as long as the tables are."""
    classified = classify(segments, model)
    classified = dataclasses.replace(classified, keep=whole(segments, classified))
    said = read_metadata(segments, url)
    status = no_content(segments, classified.keep, said.title, classified.expected_f1) or Status.OK
    kinds = page_kinds(segments, classified, model)
    return Inspection(
        url=url, utf8=utf8, segments=segments, classified=classified, kinds=kinds, said=said, status=status
    )
