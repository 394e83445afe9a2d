"""Which blocks of a page are its main content: what a forest of trees makes of their features.

    segments -> features -> p -> threshold -> keep
                           + p -> kind of page

There are two forests.  One also learned from articles cut short, since news sites show three paragraphs beside two
hundred headlines; over all kinds of pages that costs .004 of F1.  So it judges pages that declare themselves articles
(schema.org) and those in other languages than the pages trained on, which the share of common words tells; the other
judges the rest.

The threshold is the page's own, and another forest chooses it (`threshold.py`); fixed ones were worse on every kind of
page.  Code beside what is kept needs a fifth of it (documentation gains .003).  A further forest of blocks that also
knew the first one's opinion of the surroundings was worth .002 of F1 and a third of the time.

Cost: 220 microseconds for an average page of 300 blocks; nothing holds the GIL.
"""

import dataclasses
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpusmill.extract.content.copies import leave_out
from corpusmill.extract.content.declared import Declared
from corpusmill.extract.content.features import Measured, measure_tables
from corpusmill.extract.content.forest import Forest, sum_leaves
from corpusmill.extract.content.kinds import page_features
from corpusmill.extract.content.linear import Linear
from corpusmill.extract.content.model import Model
from corpusmill.extract.content.threshold import choose_threshold, weigh
from corpusmill.extract.segments.arithmetic import f32, sigmoid
from corpusmill.extract.segments.tables import BIT, Segments, Tables
from corpusmill.kernels import kernel

F32 = npt.NDArray[np.float32]
Table = npt.NDArray[np.void]

PREFORMATTED = BIT["preformatted"]
ENOUGH_OF_CODE = 0.2  # of the threshold
MAX_BLOCKS = 1 << 15  # a kilobyte each: a page of millions of tiny blocks must not take all memory


@dataclass(frozen=True)
class Classified:
    """The verdict on a page's blocks."""

    probabilities: F32  # (n_blocks,)
    keep: npt.NDArray[np.bool_]  # (n_blocks,)
    threshold: float
    expected_f1: float  # the greatest that a threshold has, if the probabilities are right
    measured: Measured  # of the first `MAX_BLOCKS` blocks


def classify(segments: Segments, model: Model) -> Classified:
    """Decide which blocks are main content; of more than `MAX_BLOCKS`, the later ones are not."""
    n_blocks = len(segments.blocks)
    if n_blocks > MAX_BLOCKS:
        segments = _first_blocks(segments, MAX_BLOCKS)
    p, keep, threshold, expected_f1, measured = _judge(
        segments.tables, model.linear, model.general, model.stories, model.least_common, model.thresholds
    )
    if n_blocks > MAX_BLOCKS:
        p, keep = np.pad(p, (0, n_blocks - len(p))), np.pad(keep, (0, n_blocks - len(keep)))
    return Classified(p, keep, threshold, expected_f1, measured)


@kernel
def _judge(
    tables: Tables, linear: Linear, general: Forest, stories: Forest, least_common: float, thresholds: Forest
) -> tuple[F32, npt.NDArray[np.bool_], float, float, Measured]:
    """All of it at once: the way from Python into a kernel costs as much as some of them."""
    measured = measure_tables(tables, linear)
    is_article = measured.declared[Declared.ARTICLE] > 0
    forest = stories if is_article or measured.common < least_common else general
    p = probabilities(sum_leaves(measured.columns, forest)[0])
    threshold, expected_f1 = choose_threshold(p, weigh(tables.blocks), thresholds)
    return p, kept(tables.text, tables.blocks, measured.texts, p, threshold), threshold, expected_f1, measured


def page_kinds(segments: Segments, classified: Classified, model: Model) -> F32:
    """The probability of each kind of page, (len(KINDS),)."""
    if len(segments.blocks) > MAX_BLOCKS:
        segments = _first_blocks(segments, MAX_BLOCKS)
    return _judge_page(segments.blocks, classified.measured, classified.probabilities[:MAX_BLOCKS], model.kinds)


@kernel
def _judge_page(blocks: Table, measured: Measured, p: F32, kinds: Forest) -> F32:
    return shares(sum_leaves(page_features(blocks, measured, p).reshape(-1, 1), kinds)[:, 0])


def _first_blocks(segments: Segments, n_blocks: int) -> Segments:
    """The page as if it ended after so many blocks."""
    blocks = segments.blocks[:n_blocks]
    nodes = segments.nodes[: blocks["leaf"].max() + 1].copy()
    for side in ("first_block", "end_block"):
        nodes[side] = np.minimum(nodes[side], n_blocks)
    facts = segments.facts[segments.facts["node"] < len(nodes)]
    return dataclasses.replace(segments, blocks=blocks, nodes=nodes, facts=facts)


@kernel
def kept(
    text: npt.NDArray[np.uint8], blocks: Table, texts: npt.NDArray[np.int32], p: F32, threshold: float
) -> npt.NDArray[np.bool_]:
    """The blocks above a threshold, and beside them what is preformatted on less evidence: code reads unlike text.

    A passage that is on the page more than once is kept once; texts: the first block with the same text.
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
    """The softmax of raw scores (n,), by way of the sigmoid: exp(x) is s / (1 - s)."""
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
