"""The place of each element: sums over its blocks, its ancestors, its siblings, its repetitions.

Elements are in preorder and cover ranges of blocks.  So a sum over a subtree is a difference of running sums over
blocks, and everything that depends on ancestors is one pass from parents to children.  Nothing walks up the tree, so
the time is linear, even for a page of a million nested elements.

*Siblings* are elements with the same parent and the same signature (tag, class and id): posts of a thread, cards of a
listing, paragraphs of an article.  The page's *records* are its largest group of siblings by words, outside navigation
and similar elements.

The *best element* is the one that readability.js would choose.  Paragraphs get a score by length and commas.  They give
this score to the element around them, and half of it to the next two.  The share of link text then reduces the score.

Cost: 24 microseconds per average page.
"""

from enum import IntEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from corpusmill.extract.content.linear import Linear, score_nodes
from corpusmill.extract.content.words import MIX
from corpusmill.extract.segments.arithmetic import f32, i64
from corpusmill.extract.segments.lean import lean_kernel
from corpusmill.extract.segments.tables import BIT
from corpusmill.kernels import inner_kernel, kernel

U32 = npt.NDArray[np.uint32]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]
Table = npt.NDArray[np.void]

MIN_RECORDS = 3  # least number of siblings in a group
PARAGRAPH = BIT["paragraph"]
AROUND_CONTENT = BIT["nav"] | BIT["header"] | BIT["footer"] | BIT["aside"] | BIT["form"] | BIT["dialog"]

PLACE = np.dtype(
    [
        ("path", np.uint64),  # hash of the signatures from the root to this element
        ("near_score", np.float32),  # score in the family NEAR: of its own tokens and those of the two elements above
        ("path_score", np.float32),  # sum of the elements' scores from the root to this element
        ("least_score", np.float32),  # the lowest and the highest of these sums
        ("most_score", np.float32),
        ("top", np.int32),  # the outermost element around it that contains the same blocks
        ("siblings", np.int32),  # number of siblings with its signature, including itself
        ("chain_siblings", np.int32),  # the highest number of siblings from this element up to `top`
        ("climb", np.int32),  # number of levels up to an element that the best element is in
        ("group", np.int32),  # the first of its siblings
        ("in_records", np.int8),
    ],
    align=True,
)


class Sum(IntEnum):
    """Columns of running sums over blocks.  sums[j, k] - sums[i, k] is the sum over blocks i to j - 1."""

    WORDS = 0
    LINK_WORDS = 1
    STOPS = 2
    PARAGRAPH_WORDS = 3
    IMAGES = 4


N_SUMS = len(Sum)


class Tree(NamedTuple):
    """A page's elements with their places."""

    place: Table  # (n_nodes,) of PLACE
    best: int  # the best element, 0 if there is none
    records: int  # the first element of the largest group of siblings, 0 if there is none


@kernel
def running_sums(blocks: Table) -> I32:
    """Running sums over blocks -> (n_blocks + 1, len(Sum))."""
    sums = np.zeros((len(blocks) + 1, N_SUMS), np.int32)
    for i in range(len(blocks)):
        block = blocks[i]
        sums[i + 1, Sum.WORDS] = sums[i, Sum.WORDS] + block["n_words"]
        sums[i + 1, Sum.LINK_WORDS] = sums[i, Sum.LINK_WORDS] + block["link_words"]
        sums[i + 1, Sum.STOPS] = sums[i, Sum.STOPS] + block["n_stops"]
        in_paragraph = block["n_words"] if block["flags"] & PARAGRAPH else 0
        sums[i + 1, Sum.PARAGRAPH_WORDS] = sums[i, Sum.PARAGRAPH_WORDS] + in_paragraph
        sums[i + 1, Sum.IMAGES] = sums[i, Sum.IMAGES] + block["n_images"]
    return sums


@kernel
def grow(blocks: Table, nodes: Table, tokens: U32, sums: I32, linear: Linear) -> Tree:
    """The place of every element."""
    n_nodes = len(nodes)
    place = np.zeros(n_nodes, PLACE)
    own, near = np.zeros(n_nodes, np.float32), np.zeros(n_nodes, np.float32)
    score_nodes(nodes, tokens, linear, own, near)
    _count_siblings(nodes, place)
    best = _best_element(blocks, nodes, sums)
    _come_down(nodes, own, near, best, place)
    records = _largest_group(nodes, place, sums)
    _mark_records(nodes, records, place)
    return Tree(place, best, records)


@inner_kernel
def _count_siblings(nodes: Table, place: Table) -> None:
    """Fill `group` and `siblings` for all elements with blocks."""
    slots = 16
    while slots < 2 * len(nodes):
        slots *= 2
    first = np.zeros(slots, np.int32)  # the first element of a group; 0 is an empty slot
    for v in range(1, len(nodes)):
        node = nodes[v]
        if node["first_block"] == node["end_block"]:
            continue
        parent, signature = node["parent"], node["signature"]
        key = (np.uint64(parent) << np.uint64(32) | np.uint64(signature)) * np.uint64(0x9E3779B97F4A7C15)
        slot = i64(key >> np.uint64(24)) & (slots - 1)
        while first[slot] != 0:
            other = nodes[first[slot]]
            if other["parent"] == parent and other["signature"] == signature:
                break
            slot = (slot + 1) & (slots - 1)
        if first[slot] == 0:
            first[slot] = v
        place[v]["group"] = first[slot]
        place[first[slot]]["siblings"] += 1
    for v in range(1, len(nodes)):
        place[v]["siblings"] = place[place[v]["group"]]["siblings"]


@inner_kernel
def _best_element(blocks: Table, nodes: Table, sums: I32) -> int:
    """The element that readability.js would choose as the content, or 0."""
    score = np.zeros(len(nodes), np.float32)
    for i in range(len(blocks)):
        block = blocks[i]
        own_words, signs = block["n_words"] - block["link_words"], block["n_commas"] + block["n_stops"]
        if own_words < 8 or signs == 0:
            continue
        gain = f32(1 + block["n_commas"]) + min(f32(own_words) / f32(20), f32(3))
        v = block["box"]
        for _ in range(3):
            if v <= 0:
                break
            score[v] += gain
            gain *= f32(0.5)
            v = nodes[v]["parent"]
    best, most = i64(0), f32(0)
    for v in range(1, len(nodes)):
        if score[v] > most:
            first, end = nodes[v]["first_block"], nodes[v]["end_block"]
            words = sums[end, Sum.WORDS] - sums[first, Sum.WORDS]
            links = sums[end, Sum.LINK_WORDS] - sums[first, Sum.LINK_WORDS]
            value = score[v] * (f32(1) - f32(links) / f32(max(1, words)))
            if value > most:
                best, most = v, value
    return best


@inner_kernel
def _come_down(nodes: Table, own: F32, near: F32, best: int, place: Table) -> None:
    """Fill everything that depends on parents."""
    around_best = np.zeros(len(nodes), np.bool_)
    v = best
    while v > 0:
        around_best[v] = True
        v = nodes[v]["parent"]
    around_best[0] = True
    place[0]["path"] = 1
    for v in range(1, len(nodes)):
        node, here = nodes[v], place[v]
        p = node["parent"]
        above = place[p]
        path = (above["path"] ^ np.uint64(node["signature"])) * MIX
        here["path"] = path ^ path >> np.uint64(29)
        here["near_score"] = near[v] + near[p] + near[max(nodes[p]["parent"], 0)]
        here["path_score"] = above["path_score"] + own[v]
        here["least_score"] = min(above["least_score"], own[v])
        here["most_score"] = max(above["most_score"], own[v])
        here["climb"] = 0 if around_best[v] else above["climb"] + 1
        same = nodes[p]["first_block"] == node["first_block"] and nodes[p]["end_block"] == node["end_block"]
        here["top"] = above["top"] if same else v
        here["chain_siblings"] = max(here["siblings"], above["chain_siblings"]) if same else here["siblings"]


@inner_kernel
def _largest_group(nodes: Table, place: Table, sums: I32) -> int:
    """The first element of the group of siblings with most words, or 0."""
    words = np.zeros(len(nodes), np.int32)
    best = i64(0)
    for v in range(1, len(nodes)):
        node, group = nodes[v], place[v]["group"]
        if place[v]["siblings"] < MIN_RECORDS or node["flags"] & AROUND_CONTENT:
            continue
        words[group] += sums[node["end_block"], Sum.WORDS] - sums[node["first_block"], Sum.WORDS]
        if words[group] > words[best]:
            best = group
    return best


@lean_kernel
def _mark_records(nodes: Table, records: int, place: Table) -> None:
    if records == 0:
        return
    for v in range(1, len(nodes)):
        here = place[v]
        here["in_records"] = 1 if here["group"] == records else place[nodes[v]["parent"]]["in_records"]
