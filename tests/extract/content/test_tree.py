"""Places of elements against a walk up and down the tree in plain Python."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings

from corpusmill.extract.content.linear import Family
from corpusmill.extract.content.tree import MIN_RECORDS, Sum, grow, running_sums
from corpusmill.extract.segments.segment import segment
from tests.extract.pages import LISTING, html, linear_of


def grown(source):
    page = segment(source)
    sums = running_sums(page.blocks)
    return page, sums, grow(page.blocks, page.nodes, page.tokens, sums, linear_of(page)[0])


def ancestors(nodes, v):
    """An element and those around it, the page itself left out."""
    while v > 0:
        yield v
        v = nodes["parent"][v]


@settings(deadline=None, max_examples=60)
@given(html())
def test_places(source):
    page, _, tree = grown(source.encode())
    nodes, place = page.nodes, tree.place
    weights = linear_of(page)[1]
    scores = np.array([token_weight(page, weights, v) for v in range(len(nodes))])
    with_blocks = [v for v in range(1, len(nodes)) if nodes["first_block"][v] < nodes["end_block"][v]]
    groups = Counter((nodes["parent"][v], nodes["signature"][v]) for v in with_blocks)
    around_best = {0, *ancestors(nodes, tree.best)}
    for v in with_blocks:
        path = list(ancestors(nodes, v))
        own = scores[path]
        assert place["siblings"][v] == groups[nodes["parent"][v], nodes["signature"][v]]
        assert place["path_score"][v] == pytest.approx(own.sum(), abs=1e-4)
        assert place["least_score"][v] == pytest.approx(min(own.min(), 0), abs=1e-4)
        assert place["most_score"][v] == pytest.approx(max(own.max(), 0), abs=1e-4)
        assert place["climb"][v] == next(k for k, u in enumerate([*path, 0]) if u in around_best)
        assert place["top"][v] == top_of(nodes, v)


def token_weight(page, weights, v):
    """What an element's own tokens weigh, by keys of the family PATH; half a point each."""
    tokens = page.tokens[page.nodes["first_token"][v] : page.nodes["end_token"][v]].tolist()
    return 0.5 * sum(weights.get(Family.PATH << 32 | token, 0) for token in tokens)


def top_of(nodes, v):
    """The outermost of the elements around v that hold the same blocks."""
    while v > 0:
        parent = nodes["parent"][v]
        if (nodes["first_block"][parent], nodes["end_block"][parent]) != (
            nodes["first_block"][v],
            nodes["end_block"][v],
        ):
            return v
        v = parent
    return 0


@settings(deadline=None, max_examples=40)
@given(html())
def test_sums_of_subtrees(source):
    page, sums, _ = grown(source.encode())
    inside = [set(ancestors(page.nodes, block["leaf"])) for block in page.blocks]
    for v in range(1, len(page.nodes)):
        first, end = page.nodes["first_block"][v], page.nodes["end_block"][v]
        members = [block for block, around in zip(page.blocks, inside, strict=True) if v in around]
        assert end - first == len(members)
        assert sums[end, Sum.WORDS] - sums[first, Sum.WORDS] == sum(block["n_words"] for block in members)


def test_records_of_a_listing():
    page, _, tree = grown(LISTING)
    records = np.flatnonzero(tree.place["group"] == tree.records)
    assert len(records) == 7
    text = [page.block_text(page.nodes["first_block"][v]) for v in records]
    assert text == [f"Bicycle number {k}" for k in range(7)]
    inside = [page.block_text(i) for i, leaf in enumerate(page.blocks["leaf"]) if tree.place["in_records"][leaf]]
    assert len(inside) == 14


@settings(deadline=None, max_examples=40)
@given(html())
def test_records_are_the_largest_group(source):
    page, sums, tree = grown(source.encode())
    size = Counter()
    for v in range(1, len(page.nodes)):
        if tree.place["siblings"][v] >= MIN_RECORDS and not source.count("<nav"):
            first, end = page.nodes["first_block"][v], page.nodes["end_block"][v]
            size[tree.place["group"][v]] += sums[end, Sum.WORDS] - sums[first, Sum.WORDS]
    if size and max(size.values()) > 0:
        assert size[tree.records] == max(size.values())


def test_the_best_element_is_the_article():
    page, _, tree = grown(
        b"<div class=menu><a href=/>Home, sweet home</a></div><div class=story>"
        + b"<p>One sentence of the story, which has some commas, and then it ends with a stop.</p>" * 5
        + b"</div><div class=rest><p>Few words.</p></div>"
    )
    assert page.block_text(page.nodes["first_block"][tree.best]).startswith("One sentence")
    assert page.nodes["end_block"][tree.best] - page.nodes["first_block"][tree.best] == 5
