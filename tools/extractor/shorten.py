"""The same article, cut after its first paragraphs: a short story among many headlines.

Most news sites show a story of three paragraphs beside two hundred headlines of others.  WCXB has few such pages, and
an extractor trained on it alone takes them for listings and keeps the headlines.  So articles are trained on once more
with most of their text gone and all else as it was: word F1 on news in other languages than English rose from .92
to .96.  WCXB's own pages lost .004 by it, so only one of two forests learns from them.
"""

import itertools
import random
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from pages import LabelledPage

from corpusmill.extract.content.kinds import KINDS

MOST_LEFT = 5  # paragraphs
MIN_PARAGRAPHS = 6  # of the article that is shortened
MIN_BLOCKS = 20  # of the page that remains
GAP = 8  # blocks between two that go which go with them, but for one
PARAGRAPH = 8  # words


def shortened(page: LabelledPage, cut: int) -> LabelledPage | None:
    """The page without what follows its first paragraphs; None if it is no article of some length.

    `cut` is the number of the attempt: how many paragraphs are left depends on it and on the page's name.
    """
    rng = random.Random(f"{page.name} {cut}")
    paragraphs = np.flatnonzero((page.shares > 0.5) & (page.counts >= PARAGRAPH))
    if KINDS[page.kind] != "article" or len(paragraphs) < MIN_PARAGRAPHS:
        return None
    last = paragraphs[rng.randrange(MOST_LEFT)]
    keep = _filled((page.shares <= 0.3) | (np.arange(len(page.shares)) <= last))
    return _only(page, keep) if keep.sum() > MIN_BLOCKS else None


def _filled(keep: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The same without the short runs between what goes: an article's listings of code, its captions, its asides."""
    keep = keep.copy()
    gone = np.flatnonzero(~keep)
    for before, after in itertools.pairwise(gone.tolist()):
        if after - before <= GAP:
            keep[before:after] = False
    return keep


def _only(page: LabelledPage, keep: npt.NDArray[np.bool_]) -> LabelledPage:
    """The page with some of its blocks; its elements stay, with fewer blocks in them."""
    nodes = page.segments.nodes.copy()
    new_index = np.concatenate([[0], np.cumsum(keep)])
    for side in ("first_block", "end_block"):
        nodes[side] = new_index[nodes[side]]
    segments = replace(page.segments, blocks=page.segments.blocks[keep], nodes=nodes)
    return replace(page, segments=segments, shares=page.shares[keep], counts=page.counts[keep])
