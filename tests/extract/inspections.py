"""Pages as extraction sees them, with verdicts given by hand."""

import numpy as np

from corpusmill.extract.charset.encoding import to_utf8
from corpusmill.extract.content.classify import Classified
from corpusmill.extract.content.features import measure
from corpusmill.extract.content.model import shipped_model
from corpusmill.extract.inspection import Inspection
from corpusmill.extract.metadata.read import read_metadata
from corpusmill.extract.segments.segment import Workspace, segment
from corpusmill.reasons import Status


def inspected(html, dropped="XX", url=None, status=Status.OK):
    """A page of which the blocks without the word `dropped` are kept."""
    utf8 = to_utf8(html.encode())
    segments = segment(utf8.data, Workspace())
    keep = np.array([dropped not in segments.block_text(b) for b in range(len(segments.blocks))], bool)
    probabilities = np.where(keep, 0.875, 0.125).astype(np.float32)
    kinds = np.array([0.75, 0, 0, 0.25, 0, 0, 0], np.float32)
    return Inspection(
        url=url,
        utf8=utf8,
        segments=segments,
        classified=Classified(probabilities, keep, 0.25, 0.9, measure(segments, shipped_model().linear)),
        kinds=kinds,
        said=read_metadata(segments, url),
        status=status,
    )
