"""Clusters against dictionaries."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings

from corpusmill.extract.content.features import FEATURES, features_of, measure
from corpusmill.extract.segments.segment import segment
from tests.extract.pages import html, linear_of


def signatures_above(page, v):
    path = []
    while v > 0:
        path.append(page.nodes["signature"][v])
        v = page.nodes["parent"][v]
    return path


@settings(deadline=None, max_examples=60)
@given(html())
def test_clusters(source):
    page = segment(source.encode())
    measured = measure(page, linear_of(page)[0])
    row = dict(zip(FEATURES, features_of(page, measured), strict=True))
    paths = [signatures_above(page, v) for v in page.blocks["leaf"]]
    by_path, by_text = defaultdict(list), defaultdict(list)
    for i, path in enumerate(paths):
        by_path[tuple(path)].append(i)
        by_text[tuple(page.block_text(i).split()[:32])].append(i)
    for members in by_path.values():
        assert measured.clusters[members].tolist() == [members[0]] * len(members)
        words = page.blocks["n_words"][members]
        assert row["cluster_blocks"][members] == pytest.approx(len(members))
        assert row["cluster_words"][members] == pytest.approx(words.mean())
        link_share = page.blocks["link_words"][members].sum() / max(1, words.sum())
        assert row["cluster_link_share"][members] == pytest.approx(link_share)
        assert row["cluster_score"][members] == pytest.approx(row["score_total"][members].mean(), abs=1e-3)
    for members in by_text.values():
        assert (row["copy_blocks"][members] >= len(members)).all()


def test_thousands_of_blocks():
    page = segment(b"".join(b"<div class=c%d><p>%d same</p></div>" % (k % 97, k % 10) for k in range(20_000)))
    measured = measure(page, linear_of(segment(b""))[0])
    assert len(np.unique(measured.clusters)) <= 97
    assert features_of(page, measured)[FEATURES.index("copy_blocks")].min() == 20_000  # digits are all alike
