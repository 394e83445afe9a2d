"""Features: sound on any page, and what their names say."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.extract.content.context import N_LEVELS
from corpusmill.extract.content.features import FEATURES, FLAG_NAMES, N_FEATURES, describe, features_of, measure
from corpusmill.extract.content.kinds import N_PAGE, PAGE_FEATURES, page_features
from corpusmill.extract.content.position import FAR
from corpusmill.extract.segments.segment import segment
from corpusmill.extract.segments.tables import BIT
from tests.extract.pages import LISTING, html, linear_of

LINEAR = linear_of(segment(LISTING))[0]


def rows_of(source, linear=LINEAR):
    page = segment(source)
    columns = features_of(page, measure(page, linear))
    return page, {name: columns[k].tolist() for k, name in enumerate(FEATURES)}


def test_names():
    assert len(set(FEATURES)) == len(FEATURES) == N_FEATURES
    assert len(set(PAGE_FEATURES)) == len(PAGE_FEATURES) == N_PAGE


@settings(deadline=None, max_examples=100)
@given(
    st.one_of(
        html().map(str.encode),
        st.binary(max_size=300),
        st.text(alphabet="<>/ap=\"'&; !-", max_size=200).map(str.encode),
    )
)
def test_any_page_has_finite_features(source):
    page = segment(source)
    measured = measure(page, LINEAR)
    columns = features_of(page, measured)
    assert columns.shape == (N_FEATURES, len(page.blocks))
    assert np.isfinite(columns).all()
    assert np.isfinite(page_features(page.blocks, measured, np.full(len(page.blocks), 0.5, np.float32))).all()
    assert (columns == features_of(page, measure(page, LINEAR))).all()
    for size in (1, 3, 100):
        starts = range(0, len(page.blocks), size)
        pieces = [describe(page.tables, measured, at, min(at + size, len(page.blocks))) for at in starts]
        assert (np.concatenate([columns[:, :0], *pieces], axis=1) == columns).all()


@pytest.mark.parametrize("source", [b"", b"<p>", b"<script>1</script>", b"word", b"<table><tr><td>"])
def test_pages_of_no_or_one_block(source):
    page, rows = rows_of(source)
    assert {len(row) for row in rows.values()} == {len(page.blocks)}


def test_a_page_without_its_scripts_has_the_same_features():
    scripts = b"<script>var x = 'words of a script';</script><style>p { color: red }</style>"
    page = LISTING.replace(b"<main>", scripts + b"<main>" + scripts).replace(b"</body>", scripts + b"</body>")
    stripped = re.sub(rb"<(script|style)>.*?</\1>", b"", page)
    assert stripped == LISTING
    assert rows_of(page)[1] == rows_of(stripped)[1]


def test_flags_are_those_of_the_blocks():
    page, rows = rows_of(LISTING)
    for name in FLAG_NAMES:
        assert rows[f"in_{name}"] == [float(bool(flags & BIT[name])) for flags in page.blocks["flags"].tolist()]


def test_shape_and_position_by_hand():
    page, rows = rows_of(LISTING)
    texts = [page.block_text(i) for i in range(len(page.blocks))]
    title = texts.index("Used bicycles in Bremen")
    assert rows["words"][title] == 4
    assert rows["heading"][title] == 1
    assert rows["from_title"] == [float(i - title) for i in range(len(texts))]
    assert rows["from_h1"] == rows["from_title"]
    assert rows["from_heading"][: title + 1] == [FAR] * (title + 1)
    assert rows["from_heading"][title + 1 : title + 4] == [1, 2, 1]
    assert rows["link_share"][0] == 1
    assert rows["from_byline"] == [FAR] * len(texts)
    assert rows["from_first_paragraph"][title + 1] == 0
    assert rows["page_words"][0] == sum(page.blocks["n_words"])
    assert rows["page_records"][0] == 7
    assert rows["page_record_images"][0] == 1
    assert rows["copy_blocks"][texts.index("A frame of steel, three gears and a bell.")] == 7


def test_bylines():
    _, rows = rows_of(
        b"<div itemscope><p>Before<p><time datetime=2026-01-01>today</time><p>After<p itemprop=author>Ada<p>End</div>"
    )
    assert rows["from_byline"] == [FAR, 0, 1, 0, 1]


@settings(deadline=None, max_examples=40)
@given(html())
def test_levels_and_windows(source):
    page, rows = rows_of(source.encode())
    blocks, nodes, n = page.blocks, page.nodes, len(page.blocks)
    for i in range(n):
        v = blocks["box"][i]
        for level in range(N_LEVELS):
            first, end = nodes["first_block"][v], nodes["end_block"][v]
            members = blocks[first:end]
            words = int(members["n_words"].sum())
            assert rows[f"level{level}_words"][i] == words
            assert rows[f"level{level}_link_share"][i] == pytest.approx(members["link_words"].sum() / max(1, words))
            assert rows[f"level{level}_stops"][i] == pytest.approx(members["n_stops"].sum() / max(1, words))
            while v > 0 and (nodes["first_block"][v], nodes["end_block"][v]) == (first, end):
                v = nodes["parent"][v]
        for reach in (3, 8, 20):
            window = slice(max(0, i - reach), i + reach + 1)
            assert rows[f"within{reach}_words"][i] == pytest.approx(blocks["n_words"][window].mean())
            assert rows[f"within{reach}_score"][i] == pytest.approx(np.mean(rows["score_total"][window]), abs=1e-4)


def test_deep_and_wide_pages():
    for source in (b"<div>" * 5_000 + b"text", b"<p>text</p>" * 5_000, b"<b class=x>" * 50_000, b"<ul><li>a" * 3_000):
        page = segment(source)
        assert np.isfinite(features_of(page, measure(page, LINEAR))).all()


def test_declared_kinds():
    page = segment(
        b"<meta property=og:type content=product><div itemscope itemtype='https://schema.org/Product'>x</div>"
        b'<script type="application/ld+json">{"@graph": [{"@type": "NewsArticle"}, {"@type" : "QAPage"}]}</script>'
    )
    features = page_features(page.blocks, measure(page, LINEAR), np.full(len(page.blocks), 0.5, np.float32))
    found = {name for name, value in zip(PAGE_FEATURES, features, strict=True) if name.startswith("declared") and value}
    assert found == {"declared_og_product", "declared_product", "declared_article", "declared_forum"}
