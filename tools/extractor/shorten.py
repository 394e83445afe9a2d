"""Cut an article after its first paragraphs, so that it is like a short story among many headlines.

Most news sites show a story of three paragraphs beside two hundred headlines of other stories.  WCXB has few such
pages.  An extractor trained only on WCXB takes them for listings, and keeps the headlines.  So articles are used for
training again with most of their text removed; everything else stays.

Word F1 on news in other languages than English rose from 0.92 to 0.96.  WCXB's own pages lost 0.004, so only one of the
two forests learns from shortened articles.
"""

import itertools
import random
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from pages import LabelledPage

from corpusmill.extract.content.kinds import KINDS

MOST_LEFT = 5  # number of paragraphs
MIN_PARAGRAPHS = 6  # of the article that is shortened
MIN_BLOCKS = 20  # of the page that remains
GAP = 8  # distance of two removed blocks in blocks, up to which those between them are removed, too
PARAGRAPH = 8  # least number of words


def shortened(page: LabelledPage, cut: int) -> LabelledPage | None:
    """The page without the text after its first paragraphs; None if the page is not an article of sufficient length.

    `cut` is the number of the attempt.  How many paragraphs are left depends on it, and on the page's name.
    """
    rng = random.Random(f"{page.name} {cut}")
    paragraphs = np.flatnonzero((page.shares > 0.5) & (page.counts >= PARAGRAPH))
    if KINDS[page.kind] != "article" or len(paragraphs) < MIN_PARAGRAPHS:
        return None
    last = paragraphs[rng.randrange(MOST_LEFT)]
    keep = _filled((page.shares <= 0.3) | (np.arange(len(page.shares)) <= last))
    return _only(page, keep) if keep.sum() > MIN_BLOCKS else None


def _filled(keep: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The same without short runs between removed blocks, such as listings of code, captions and asides."""
    keep = keep.copy()
    gone = np.flatnonzero(~keep)
    for before, after in itertools.pairwise(gone.tolist()):
        if after - before <= GAP:
            keep[before:after] = False
    return keep


def _only(page: LabelledPage, keep: npt.NDArray[np.bool_]) -> LabelledPage:
    """The page with some of its blocks.  All its elements stay, with fewer blocks in them."""
    nodes = page.segments.nodes.copy()
    new_index = np.concatenate([[0], np.cumsum(keep)])
    for side in ("first_block", "end_block"):
        nodes[side] = new_index[nodes[side]]
    segments = replace(page.segments, blocks=page.segments.blocks[keep], nodes=nodes)
    return replace(page, segments=segments, shares=page.shares[keep], counts=page.counts[keep])
