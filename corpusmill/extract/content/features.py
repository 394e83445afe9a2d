"""The features of every block of a page: its properties as numbers.

Each group of features is a small enumeration of rows and a kernel that fills them:

    here               shape and flags of a block
    linear.py          scores of the linear model
    position.py        position of a block, and totals of the page
    declared.py        what the page declares itself to be
    clusters.py        blocks with the same path of elements
    repeats.py         blocks with the same text
    context.py         elements around a block, and blocks within reach

The forest reads one row per feature.  About 200 features were tried.  Those whose loss changes the result were kept.

No feature counts bytes of markup, scripts or styles.  So if an archive holds a page without its scripts, its features
are the same, except for types that JSON-LD declares.

Cost: 150 microseconds for an average page of 300 blocks and 1,100 elements.
"""

from enum import IntEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from corpusmill.extract.content import clusters, context, position, repeats
from corpusmill.extract.content.declared import Declared, read_declarations
from corpusmill.extract.content.linear import Linear, score_texts
from corpusmill.extract.content.title_overlap import N_OVERLAP, Overlap, collect_statements, overlap
from corpusmill.extract.content.tree import Tree, grow, running_sums
from corpusmill.extract.content.words import hash_blocks
from corpusmill.extract.segments.arithmetic import f32
from corpusmill.extract.segments.lean import lean_kernel
from corpusmill.extract.segments.tables import BIT, Segments, Tables
from corpusmill.kernels import inner_kernel, kernel

I32 = npt.NDArray[np.int32]
F32 = npt.NDArray[np.float32]
Table = npt.NDArray[np.void]


class Shape(IntEnum):
    """Rows of the features of a block itself."""

    WORDS = 0
    LINK_SHARE = 1  # share of its characters
    STOPS = 2  # per word
    LAST = 3  # CharClass
    HEADING = 4
    DEPTH = 5
    LEAF_TAG = 6
    BOX_TAG = 7
    PARENT_TAG = 8  # tag of the parent of its box


class Score(IntEnum):
    """Rows of the linear model's scores for a block and the elements around it."""

    TOTAL = 0
    PATH = 1
    NEAR = 2
    LEAST = 3
    MOST = 4


FLAG_NAMES = [
    "main",
    "nav",
    "footer",
    "aside",
    "heading",
    "paragraph",
    "cell",
    "quote",
    "preformatted",
    "figure",
    "caption",
    "hidden",
    "dialog",
]
SHIFTS = np.array([BIT[name].bit_length() - 1 for name in FLAG_NAMES])

_GROUPS = (
    tuple(row.name.lower() for row in Shape),
    tuple(f"in_{name}" for name in FLAG_NAMES),
    tuple(f"score_{row.name.lower()}" for row in Score),
    tuple(row.name.lower() for row in position.Position),
    tuple(f"page_{row.name.lower()}" for row in position.Total),
    tuple(f"declared_{row.name.lower()}" for row in Declared),
    tuple(f"cluster_{row.name.lower()}" for row in clusters.Cluster),
    tuple(f"copy_{row.name.lower()}" for row in repeats.Copy),
    tuple(f"level{k}_{row.name.lower()}" for k in range(context.N_LEVELS) for row in context.Level),
    tuple(f"within{k}_{row.name.lower()}" for k in context.REACHES for row in context.Window),
)
FEATURES: tuple[str, ...] = sum(_GROUPS, ())
N_FEATURES = len(FEATURES)
_ENDS = [sum(len(group) for group in _GROUPS[:k]) for k in range(1, len(_GROUPS) + 1)]
(
    SHAPE_END,
    FLAGS_END,
    SCORE_END,
    POSITION_END,
    TOTALS_END,
    DECLARED_END,
    CLUSTER_END,
    COPIES_END,
    LEVELS_END,
    WINDOWS_END,
) = _ENDS


class Measured(NamedTuple):
    """What is measured of a whole page."""

    sums: I32  # (n_blocks + 1, len(Sum)): running sums
    tree: Tree
    scores: F32  # (n_blocks,): in the linear model
    bylines: I32  # (n_blocks + 1,): number of bylines before the start of a block
    title: int  # the block that is most similar to the page's title, or -1
    totals: F32  # (len(position.Total),)
    declared: F32  # (len(Declared),)
    clusters: I32  # (n_blocks,): the first block with the same path
    texts: I32  # (n_blocks,): the first block with the same text
    common: float  # share of common words; it is small for pages in languages that are not in the training data


def measure(segments: Segments, linear: Linear) -> Measured:
    """All that the features of a page's blocks are read from."""
    return measure_page(segments.tables, linear)


def features_of(segments: Segments, measured: Measured) -> F32:
    """The features of all blocks of a page -> (N_FEATURES, n_blocks), with rows as in `FEATURES`."""
    return describe(segments.tables, measured, 0, len(segments.blocks))


@kernel
def measure_page(tables: Tables, linear: Linear) -> Measured:
    """The same as `measure`, for kernels."""
    source, text, blocks, nodes, tokens, facts, n_inputs = tables
    n = len(blocks)
    words = hash_blocks(text, blocks)
    sums = running_sums(blocks)
    tree = grow(blocks, nodes, tokens, sums, linear)
    scores, overlaps = np.empty(n, np.float32), np.empty((N_OVERLAP, n), np.float32)
    n_common = score_texts(words, linear, scores)
    overlap(words, collect_statements(source, facts), overlaps)
    _add_scores_of_elements(blocks, tree.place, linear.bias, scores)
    return Measured(
        sums,
        tree,
        scores,
        position.find_bylines(source, facts, nodes, n),
        position.title_block(words, overlaps[Overlap.TITLE]),
        position.total(blocks, nodes, tree, sums, scores, overlaps, n_inputs),
        read_declarations(source, facts),
        clusters.cluster(clusters.path_keys(blocks, tree.place)),
        clusters.cluster(clusters.text_keys(blocks, words)),
        n_common / max(1, len(words.hashes)),
    )


@kernel
def describe(tables: Tables, measured: Measured, first: int, end: int) -> F32:
    """The features of the blocks from `first` to `end` - 1 of a page -> (N_FEATURES, end - first).

    They are the same for every choice of `first` and `end`: a long page is described in pieces, to save memory.
    """
    blocks, nodes = tables.blocks, tables.nodes
    sums, tree, scores = measured.sums, measured.tree, measured.scores
    columns = np.empty((N_FEATURES, end - first), np.float32)
    _describe_shapes(blocks[first:end], nodes, columns[:SHAPE_END])
    _spread_flags(blocks[first:end], columns[SHAPE_END:FLAGS_END])
    _spread_scores(blocks[first:end], tree.place, scores[first:end], columns[FLAGS_END:SCORE_END])
    at = columns[SCORE_END:POSITION_END]
    position.describe(blocks, nodes, tree, sums, scores, measured.bylines, measured.title, first, at)
    _spread(measured.totals, columns[POSITION_END:TOTALS_END])
    _spread(measured.declared, columns[TOTALS_END:DECLARED_END])
    clusters.describe(blocks, measured.clusters, scores, first, columns[DECLARED_END:CLUSTER_END])
    repeats.describe(blocks, measured.texts, sums, first, columns[CLUSTER_END:COPIES_END])
    context.describe_levels(blocks[first:end], nodes, tree.place, sums, columns[COPIES_END:LEVELS_END])
    context.describe_windows(sums, scores, first, columns[LEVELS_END:WINDOWS_END])
    return columns


@lean_kernel
def _spread(values: F32, rows: F32) -> None:
    """Fill one row for each value, for features that are equal for all blocks."""
    for k in range(len(values)):
        for i in range(rows.shape[1]):
            rows[k, i] = values[k]


@lean_kernel
def _describe_shapes(blocks: Table, nodes: Table, rows: F32) -> None:
    for i in range(len(blocks)):
        block = blocks[i]
        words = f32(block["n_words"])
        rows[Shape.WORDS, i] = words
        rows[Shape.LINK_SHARE, i] = min(f32(1), f32(block["link_chars"]) / f32(max(1, block["n_chars"])))
        rows[Shape.STOPS, i] = block["n_stops"] / max(f32(1), words)
        rows[Shape.LAST, i] = block["last"]
        rows[Shape.HEADING, i] = block["heading"]
        rows[Shape.DEPTH, i] = block["depth"]
        box = nodes[block["box"]]
        rows[Shape.LEAF_TAG, i] = nodes[block["leaf"]]["tag"]
        rows[Shape.BOX_TAG, i] = box["tag"]
        rows[Shape.PARENT_TAG, i] = nodes[max(box["parent"], 0)]["tag"]


@inner_kernel
def _spread_flags(blocks: Table, rows: F32) -> None:
    """Fill one row of zeros and ones for each flag."""
    flags = np.empty(len(blocks), np.int64)
    for i in range(len(blocks)):
        flags[i] = blocks[i]["flags"]
    for k in range(len(SHIFTS)):
        shift, row = SHIFTS[k], rows[k]
        for i in range(len(flags)):
            row[i] = f32(flags[i] >> shift & 1)


@lean_kernel
def _add_scores_of_elements(blocks: Table, place: Table, bias: float, scores: F32) -> None:
    """Make the scores of the blocks' texts their scores in the linear model."""
    for i in range(len(blocks)):
        here = place[blocks[i]["leaf"]]
        scores[i] = here["path_score"] + here["near_score"] + scores[i] + f32(bias)


@lean_kernel
def _spread_scores(blocks: Table, place: Table, scores: F32, rows: F32) -> None:
    for i in range(len(blocks)):
        here = place[blocks[i]["leaf"]]
        rows[Score.TOTAL, i] = scores[i]
        rows[Score.PATH, i] = here["path_score"]
        rows[Score.NEAR, i] = here["near_score"]
        rows[Score.LEAST, i] = here["least_score"]
        rows[Score.MOST, i] = here["most_score"]
