"""Decide which blocks of a page are its main content, with a forest of trees over their features.

    segments -> features -> p -> threshold -> keep
                           + p -> kind of page

There are two forests.  One of them has also learned from shortened articles, because news sites show stories of three
paragraphs among two hundred headlines, and from news pages of 2011-12.  Over all kinds of pages, this costs 0.004 of
F1.  So this forest judges only three sorts of pages.  The first are those that declare themselves articles
(schema.org).  The second are those in other languages than the training data, which the share of common words shows.
The third are old pages: they have no elements of HTML5 for the parts of a page, and declare no type of schema.org.
The other forest judges the rest.

Each page has its own threshold, which a third forest chooses (`threshold.py`).  Fixed thresholds were worse for every
kind of page.  For code beside kept text, a fifth of the threshold is enough (documentation gains 0.003).

Tried and left out: another forest of blocks that knows the opinion of the first about the surroundings.  It gains 0.002
of F1, and costs a third of the time.

Cost: 220 microseconds for an average page of 300 blocks.  The GIL is not held.
"""

import dataclasses
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpusmill.extract.content.declared import Declared
from corpusmill.extract.content.features import Measured, describe, measure_page
from corpusmill.extract.content.forest import Forest, sum_leaves
from corpusmill.extract.content.kinds import page_features
from corpusmill.extract.content.linear import Linear
from corpusmill.extract.content.model import Model
from corpusmill.extract.content.repeats import leave_out
from corpusmill.extract.content.threshold import choose_threshold, weigh
from corpusmill.extract.segments.arithmetic import f32, sigmoid
from corpusmill.extract.segments.lean import lean_kernel
from corpusmill.extract.segments.tables import BIT, Segments, Tables, copied
from corpusmill.extract.segments.tags import TAG
from corpusmill.kernels import kernel

F32 = npt.NDArray[np.float32]
Table = npt.NDArray[np.void]

PREFORMATTED = BIT["preformatted"]
OG_ARTICLE = int(Declared.OG_ARTICLE)  # the types of schema.org come before it
PARTS = np.array([TAG[name] for name in ("article", "main", "section", "nav", "header", "footer", "aside")])
ENOUGH_OF_CODE = 0.2  # of the threshold
PIECE = 1 << 15  # blocks that are described together; a kilobyte of memory each
MAX_BLOCKS = 1 << 20  # later blocks are not judged, so that time and memory are bounded


@dataclass(frozen=True)
class Classified:
    """The decisions on a page's blocks."""

    probabilities: F32  # (n_blocks,)
    keep: npt.NDArray[np.bool_]  # (n_blocks,)
    threshold: float
    expected_f1: float  # the highest of all thresholds, if the probabilities are right
    measured: Measured  # of the first `MAX_BLOCKS` blocks
    cut_chars: int = 0  # characters in later blocks, which are not judged


def classify(segments: Segments, model: Model) -> Classified:
    """Decide which blocks are main content.  Of the blocks after the first `MAX_BLOCKS`, none is."""
    n_blocks, cut_chars = len(segments.blocks), 0
    if n_blocks > MAX_BLOCKS:
        cut_chars = int(segments.blocks["n_chars"][MAX_BLOCKS:].sum())
        segments = _first_blocks(segments, MAX_BLOCKS)
    p, keep, threshold, expected_f1, measured = _judge(
        segments.tables, model.linear, model.general, model.stories, model.least_common, model.thresholds
    )
    if n_blocks > MAX_BLOCKS:
        p, keep = np.pad(p, (0, n_blocks - len(p))), np.pad(keep, (0, n_blocks - len(keep)))
    return Classified(p, keep, threshold, expected_f1, measured, cut_chars)


@kernel
def _judge(
    tables: Tables, linear: Linear, general: Forest, stories: Forest, least_common: float, thresholds: Forest
) -> tuple[F32, npt.NDArray[np.bool_], float, float, Measured]:
    """All steps in one kernel, because a call from Python costs as much as some of the steps."""
    measured = measure_page(tables, linear)
    is_foreign, is_article = measured.common < least_common, measured.declared[Declared.ARTICLE] > 0
    forest = stories if is_foreign or is_article or _is_old(tables.nodes, measured.declared) else general
    n = len(tables.blocks)
    p = np.empty(n, np.float32)
    for first in range(0, n, PIECE):
        end = min(n, first + PIECE)
        p[first:end] = probabilities(sum_leaves(describe(tables, measured, first, end), forest)[0])
    threshold, expected_f1 = choose_threshold(p, weigh(tables.blocks), thresholds)
    return p, kept(tables.text, tables.blocks, measured.texts, p, threshold), threshold, expected_f1, measured


@lean_kernel
def _is_old(nodes: Table, declared: F32) -> bool:
    """Whether a page lacks what came with HTML5: elements for the parts of a page, and types of schema.org."""
    for k in range(OG_ARTICLE):
        if declared[k] > 0:
            return False
    for i in range(len(nodes)):
        for k in range(len(PARTS)):
            if nodes[i]["tag"] == PARTS[k]:
                return False
    return True


def page_kinds(segments: Segments, classified: Classified, model: Model) -> F32:
    """The probability of each kind of page, (len(KINDS),)."""
    if len(segments.blocks) > MAX_BLOCKS:
        segments = _first_blocks(segments, MAX_BLOCKS)
    return _judge_page(segments.blocks, classified.measured, classified.probabilities[:MAX_BLOCKS], model.kinds)


@kernel
def _judge_page(blocks: Table, measured: Measured, p: F32, kinds: Forest) -> F32:
    return shares(sum_leaves(page_features(blocks, measured, p).reshape(-1, 1), kinds)[:, 0])


def _first_blocks(segments: Segments, n_blocks: int) -> Segments:
    """The page as if it ended after this number of blocks."""
    blocks = segments.blocks[:n_blocks]
    nodes = copied(segments.nodes[: blocks["leaf"].max() + 1])
    for side in ("first_block", "end_block"):
        nodes[side] = np.minimum(nodes[side], n_blocks)
    facts = segments.facts[segments.facts["node"] < len(nodes)]
    return dataclasses.replace(segments, blocks=blocks, nodes=nodes, facts=facts)


@kernel
def kept(
    text: npt.NDArray[np.uint8], blocks: Table, texts: npt.NDArray[np.int32], p: F32, threshold: float
) -> npt.NDArray[np.bool_]:
    """Keep blocks above a threshold, and preformatted blocks beside them with less evidence: code differs from text.

    A passage that is on the page several times is kept once; texts: the first block with the same text.
    """
    keep = np.empty(len(p), np.bool_)
    for i in range(len(p)):
        keep[i] = p[i] > f32(threshold)
    enough = f32(threshold * ENOUGH_OF_CODE)
    for i in range(1, len(p)):
        if keep[i - 1] and p[i] > enough and blocks[i]["flags"] & PREFORMATTED:
            keep[i] = True
    for i in range(len(p) - 2, -1, -1):
        if keep[i + 1] and p[i] > enough and blocks[i]["flags"] & PREFORMATTED:
            keep[i] = True
    leave_out(text, blocks, texts, keep)
    return keep


@kernel
def probabilities(scores: F32) -> F32:
    """The sigmoid of raw scores (n,)."""
    p = np.empty(len(scores), np.float32)
    for i in range(len(scores)):
        p[i] = sigmoid(scores[i])
    return p


@kernel
def shares(scores: F32) -> F32:
    """The softmax of raw scores (n,), computed with the sigmoid: exp(x) is s / (1 - s)."""
    most = f32(-np.inf)
    for k in range(len(scores)):
        most = max(most, scores[k])
    values, total = np.empty(len(scores), np.float32), f32(0)
    for k in range(len(scores)):
        s = sigmoid(scores[k] - most)
        values[k] = s / (1 - s)
        total += values[k]
    for k in range(len(scores)):
        values[k] /= total
    return values
