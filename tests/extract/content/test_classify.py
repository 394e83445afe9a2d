"""From tables to a verdict, with small models; and models on disk."""

import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from corpusmill.extract.content import model as model_module
from corpusmill.extract.content.classify import PIECE, classify, kept, page_kinds, probabilities, shares
from corpusmill.extract.content.features import FEATURES, features_of
from corpusmill.extract.content.forest import predict
from corpusmill.extract.content.kinds import KINDS, PAGE_FEATURES
from corpusmill.extract.content.model import Model, load, save, shipped_model
from corpusmill.extract.content.threshold import CHOICE_FEATURES, CHOICES
from corpusmill.extract.segments.segment import segment
from corpusmill.extract.segments.tables import BIT
from tests.extract.content.trees import rule
from tests.extract.pages import LISTING, html, linear_of

LINEAR = linear_of(segment(LISTING))[0]


MODEL = Model(
    linear=LINEAR,
    general=rule(FEATURES, "words", 3.5, [-4], [4]),
    stories=rule(FEATURES, "words", 0.5, [-4], [3]),
    least_common=0.6,
    kinds=rule(PAGE_FEATURES, "page_records", 5, [0] * 7, [0, 0, 0, 0, 3, 0, 0]),
    thresholds=rule(CHOICE_FEATURES, "choice_from_expected", -0.05, [0], [1]),
    provenance="a test, by hand",
)


def test_a_listing():
    page = segment(LISTING)
    verdict = classify(page, MODEL)
    kept = {page.block_text(i) for i in np.flatnonzero(verdict.keep)}
    assert "A frame of steel, three gears and a bell." in kept
    assert "Contact us" not in kept
    kinds = page_kinds(page, verdict, MODEL)
    assert kinds.sum() == pytest.approx(1)
    assert kinds[KINDS.index("listing")] == pytest.approx(np.exp(3) / (np.exp(3) + 6), rel=1e-5)
    assert verdict.threshold == pytest.approx(0.55), "the first whose neighbours, too, aren't far below half of the F1"
    assert 0.9 < verdict.expected_f1 < 1


@settings(deadline=None, max_examples=60)
@given(html())
def test_any_page_has_a_verdict(source):
    page = segment(source.encode())
    verdict = classify(page, MODEL)
    assert len(verdict.keep) == len(verdict.probabilities) == len(page.blocks)
    above = verdict.probabilities > verdict.threshold
    assert (page.blocks["flags"] & BIT["preformatted"])[verdict.keep & ~above].all()
    texts = [page.block_text(i) for i in range(len(page.blocks))]
    shown = {text: i for i, text in reversed(list(enumerate(texts))) if verdict.keep[i]}
    assert all(shown[texts[i]] < i for i in np.flatnonzero(above & ~verdict.keep))
    assert verdict.threshold in CHOICES.tolist()
    assert 0 <= verdict.expected_f1 <= 1
    assert np.isfinite(verdict.probabilities).all()
    assert page_kinds(page, verdict, MODEL).sum() == pytest.approx(1)


def test_a_page_in_unknown_words_or_an_article_is_judged_by_the_other_forest():
    known, unknown = "Three gears and steel", "Ein Rahmen aus Stahl"
    texts = (known, f"{known} aus", unknown, f"{known} {unknown}")
    found = [classify(segment(f"<main><p>{text}".encode()), MODEL) for text in texts]
    assert [verdict.measured.common for verdict in found] == pytest.approx([1, 0.8, 0, 0.5], abs=1e-6)
    chances = 1 / (1 + np.exp([-4, -4, -3, -3]))
    assert [verdict.probabilities[0] for verdict in found] == pytest.approx(chances.tolist(), abs=1e-5)
    article = b'<main><script type="application/ld+json">{"@type": "NewsArticle"}</script><p>' + known.encode()
    assert classify(segment(article), MODEL).probabilities[0] == pytest.approx(chances[2], abs=1e-5)


@pytest.mark.parametrize(
    ("page", "is_old"),
    [
        ("<table><tr><td>{}</table>", True),
        ("<div id=main>{}</div>", True),
        ("<meta property=og:type content=website><p>{}", True),
        ("<p>{}<footer>Imprint</footer>", False),
        ("<div itemscope itemtype=https://schema.org/Product><p>{}</div>", False),
    ],
)
def test_an_old_page_is_judged_by_the_other_forest(page, is_old):
    verdict = classify(segment(page.format("Three gears and steel").encode()), MODEL)
    assert verdict.probabilities[0] == pytest.approx(1 / (1 + np.exp(-3 if is_old else -4)), abs=1e-5)


def test_code_beside_what_is_kept_is_kept():
    page = segment(b"<pre>far</pre><p>none<pre>a</pre><pre>b</pre><p>text<pre>c</pre><pre>d</pre><p>e</p><pre>f</pre>")
    assert [page.block_text(i) for i in range(len(page.blocks))] == "far none a b text c d e f".split()
    p = np.array([0.3, 0, 0.3, 0.3, 0.9, 0.05, 0.3, 0.9, 0.3], np.float32)
    texts = np.arange(9, dtype=np.int32)
    keep = kept(page.text, page.blocks, texts, p, 0.4)
    assert keep.tolist() == [False, False, True, True, True, False, True, True, True]


def test_an_empty_page():
    verdict = classify(segment(b""), MODEL)
    assert len(verdict.keep) == 0
    assert verdict.expected_f1 == 0


def test_a_page_of_too_many_blocks_is_judged_by_its_first(monkeypatch):
    monkeypatch.setattr("corpusmill.extract.content.classify.MAX_BLOCKS", 1000)
    rest = LISTING.partition(b"<footer>")[0]
    short = segment(rest)
    long = segment(rest + b"<table><tr><td>cell<td itemprop=text>of many<td><time>now</time>" * 400)
    assert len(long.blocks) > 1000
    model = replace(MODEL, least_common=0)
    verdict = classify(long, model)
    assert len(verdict.keep) == len(verdict.probabilities) == len(long.blocks)
    assert verdict.keep[:1000].any()
    assert not verdict.keep[1000:].any()
    assert verdict.cut_chars == sum(len(long.block_text(block)) for block in range(1000, len(long.blocks)))
    assert page_kinds(long, verdict, MODEL).sum() == pytest.approx(1)
    assert (verdict.keep[: len(short.blocks)] == classify(segment(rest), model).keep).all()


def test_a_long_page_is_judged_to_its_end():
    """Its blocks are described in pieces, and are the same as if they were described at once."""
    story = "<p>The ferry left at half past seven, when fog hung above the banks, and nobody had come to see it.</p>"
    cells = "".join(f"<tr><td>r{row}c0<td>r{row}c1<td>r{row}c2<td>r{row}c3" for row in range(10_000))
    page = segment(f"<main><h1>The bridge</h1>{story * 3}<table>{cells}</table><p>Nobody came back.</main>".encode())
    assert len(page.blocks) > PIECE
    model = replace(shipped_model(), least_common=0)
    verdict = classify(page, model)
    assert verdict.keep[PIECE:].mean() > 0.999
    assert verdict.cut_chars == 0
    features = features_of(page, verdict.measured)
    assert (probabilities(predict(features, model.general)[0]) == verdict.probabilities).all()


def test_softmax_and_sigmoid():
    scores = np.array([-80, -1, 0, 2, 30], np.float32)
    expected = np.exp(scores.astype(float) - 30)
    assert shares(scores) == pytest.approx(expected / expected.sum(), abs=1e-6)
    assert probabilities(scores) == pytest.approx(1 / (1 + np.exp(-scores.astype(float))), abs=1e-6)


def test_a_model_on_disk_is_the_same_model_and_the_same_bytes(tmp_path):
    save(MODEL, tmp_path / "a.npz")
    save(MODEL, tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with (tmp_path / "a.npz").open("rb") as file:
        again = load(file)
    assert again.provenance == MODEL.provenance
    page = segment(LISTING)
    assert (classify(page, again).probabilities == classify(page, MODEL).probabilities).all()


def test_a_forest_over_more_features_than_there_are_is_refused(tmp_path):
    beyond = MODEL.kinds._replace(features=np.full_like(MODEL.kinds.features, len(PAGE_FEATURES)))
    save(replace(MODEL, kinds=beyond), tmp_path / "model.npz")
    with pytest.raises(AssertionError, match="kinds"):
        load(io.BytesIO((tmp_path / "model.npz").read_bytes()))


def test_a_model_of_other_features_is_refused(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(model_module, "FEATURES", (*FEATURES[1:], FEATURES[0]))
        save(MODEL, tmp_path / "old.npz")
    with pytest.raises(AssertionError, match="train again"):
        load(io.BytesIO((tmp_path / "old.npz").read_bytes()))
