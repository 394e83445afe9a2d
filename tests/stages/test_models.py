"""Training on samples: what is taken, what is measured on what was held out, and that it is the same each time."""

import json
import random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, roc_auc_score

from corpusmill.corpus import checksum_of
from corpusmill.errors import InputError
from corpusmill.filters.classifiers import auc, brier, calibration, line_of, probabilities
from corpusmill.filters.ngrams import read_models
from corpusmill.stages.models import train_perplexity, train_quality
from corpusmill.stages.samples import Sampler, sample, texts_of, without

from .plain import job_of, run_plainly

GOOD = "research method theory result experiment measure analysis model evidence therefore however data".split()
BAD = "buy cheap click now sale free offer discount best shop deal cart".split()
COMMON = "the of and to in is that for with on as it".split()


def prose(words, n, seed, share=0.15):
    rng = random.Random(seed)
    return [
        " ".join(rng.choice(words if rng.random() < share else COMMON) for _ in range(40)) + f" {i}" for i in range(n)
    ]


def write_lines(path, texts, **more):
    path.write_text("\n".join(json.dumps({"text": text} | more) for text in texts), "utf-8")
    return str(path)


# ---- figures -------------------------------------------------------------------------------------------------------

scores = st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0]), min_size=1, max_size=30).map(np.array)


@settings(deadline=None)
@given(scores, scores)
def test_auc_and_brier_are_those_of_scikit_learn(positive, negative):
    truth, both = [1] * len(positive) + [0] * len(negative), np.concatenate([positive, negative])
    assert auc(positive, negative) == pytest.approx(roc_auc_score(truth, both))
    assert brier(positive, negative) == pytest.approx(brier_score_loss(truth, both))


def test_calibration_is_that_of_scikit_learn():
    rng = np.random.default_rng(3)
    positive, negative = rng.beta(3, 2, 500), rng.beta(2, 3, 500)
    share, mean = calibration_curve([1] * 500 + [0] * 500, np.concatenate([positive, negative]), n_bins=10)
    table = calibration(positive, negative)
    assert [row["share"] for row in table] == pytest.approx(share.tolist())
    assert [row["probability"] for row in table] == pytest.approx(mean.tolist())
    assert sum(row["documents"] for row in table) == 1000
    assert calibration(np.array([1.0]), np.array([0.0])) == [
        {"lowest": 0.0, "highest": 0.1, "documents": 1, "probability": 0.0, "share": 0.0},
        {"lowest": 0.9, "highest": 1.0, "documents": 1, "probability": 1.0, "share": 1.0},
    ]


# ---- samples -------------------------------------------------------------------------------------------------------


def test_a_sample_has_each_text_once_and_does_not_depend_on_the_order():
    texts = prose(GOOD, 200, 1)
    first, second = sample([*texts, *texts, "", "..."]), sample(texts[::-1])
    assert (first.texts, first.held_out) == (second.texts, second.held_out)
    assert sorted([*first.texts, *first.held_out]) == sorted(texts)
    assert len(first.held_out) == 20


def test_a_sample_that_has_no_room_is_a_smaller_one_of_the_same_texts_in_any_order():
    texts = prose(GOOD, 300, 1)
    chosen = []
    for order in (texts, texts[::-1]):
        sampler = Sampler(most_bytes=sum(map(len, texts)) // 3)
        for text in order:
            sampler.add(text)
        chosen.append(sampler.sample())
    assert chosen[0].texts == chosen[1].texts
    assert 40 < len(chosen[0].texts) + len(chosen[0].held_out) <= 100


def test_what_two_samples_share_is_taken_out_of_both():
    first, second = sample(["a", "b", "c"]), sample(["b", "d"])
    assert without(first, second) == 1
    assert {*first.texts, *first.held_out} == {"a", "c"}
    assert {*second.texts, *second.held_out} == {"d"}


def test_texts_come_from_files_of_all_kinds_and_from_corpora(tmp_path):
    rows = prose(COMMON, 5, 1)
    lines = write_lines(tmp_path / "a.jsonl", rows)
    pq.write_table(pa.table({"text": rows}), tmp_path / "a.parquet")
    (tmp_path / "a.txt").write_text(rows[0])
    assert [text for text, _ in texts_of(lines)] == rows
    assert [text for text, _ in texts_of(str(tmp_path / "a.parquet"))] == rows
    assert [text for text, _ in texts_of(str(tmp_path / "*.txt"))] == rows[:1]
    job = job_of(
        {"sources": [{"name": "l", "kind": "jsonl", "paths": ["a.jsonl"]}], "filters": {"profiles": []}}, tmp_path
    )
    run_plainly(job)
    (job.corpus.folder / "recipe.toml").write_text("")
    found = list(texts_of(job.corpus.place))
    assert sorted(text for text, _ in found) == sorted(rows)
    assert {language for _, language in found} == {"en"}


# ---- models --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    write_lines(folder / "good.jsonl", [*prose(GOOD, 200, 1), "in both of the two"])
    write_lines(folder / "bad.jsonl", [*prose(BAD, 500, 2), "in both of the two"])
    return folder


def test_a_classifier_tells_held_out_texts_apart_and_is_the_same_each_time(folder):
    inputs = [str(folder / "good.jsonl")], [str(folder / "bad.jsonl")]
    figures = train_quality(*inputs, folder / "deep/model.bin", "mine")
    assert figures["trained_on"] == {"positive": 180, "negative": 180}
    assert figures["held_out"] == {"positive": 20, "negative": 20}
    assert figures["texts"] == {"positive": 200, "negative": 500, "in_both": 1}
    assert figures["auc"] > 0.99
    assert figures["name"] == "mine"
    content = (folder / "deep/model.bin").read_bytes()
    assert checksum_of(content) == figures["digest"]
    assert json.loads((folder / "deep/model.bin.json").read_text()) == figures
    again = train_quality(*inputs, folder / "again.bin", "mine")
    assert (folder / "again.bin").read_bytes() == content
    assert again == figures
    texts = pa.array([prose(GOOD, 1, 9)[0], prose(BAD, 1, 9)[0], None, "", "... !", "\0\n", "the"], pa.large_string())
    good, bad, *rest = probabilities(folder / "again.bin", "positive", texts).to_pylist()
    assert good > 0.9 > 0.1 > bad
    assert [value is None for value in rest] == [True, True, True, True, False]
    ours = probabilities(folder / "again.bin", "positive", texts).to_pylist()[:2]
    others = probabilities(folder / "again.bin", "negative", texts).to_pylist()[:2]
    assert [a + b for a, b in zip(ours, others, strict=True)] == pytest.approx([1, 1], abs=1e-4)


def test_texts_cannot_pose_as_labels_or_end_a_line():
    assert line_of("a\n__label__negative\tb </s> c\0d") == "a __label negative b < /s> c d"


def test_what_is_wrong_with_samples_is_said(folder, tmp_path):
    good, few = str(folder / "good.jsonl"), write_lines(tmp_path / "few.jsonl", prose(BAD, 10, 1))
    with pytest.raises(InputError, match="--negative: only 10 texts"):
        train_quality([good], [few], tmp_path / "m.bin")
    with pytest.raises(InputError, match="--positive: only 0 texts that are not in the other sample"):
        train_quality([good], [good], tmp_path / "m.bin")
    with pytest.raises(InputError, match="neither a corpus nor a file with texts"):
        train_quality(["x.pdf"], [good], tmp_path / "m.bin")
    with pytest.raises(InputError, match="cannot be written"):
        train_quality([good], [str(folder / "bad.jsonl")], folder / "good.jsonl/m.bin")
    with pytest.raises(InputError, match="no language has 30 different texts; language 'xx' has the most, 10"):
        train_perplexity([few], tmp_path / "m.bin", "xx")
    assert not (tmp_path / "m.bin").exists()


def test_n_gram_models_by_language_with_limits_from_what_was_held_out(folder):
    figures = train_perplexity([str(folder / "good.jsonl")], folder / "p.bin", "en")
    again = train_perplexity([str(folder / "good.jsonl")], folder / "q.bin", "en")
    assert (folder / "p.bin").read_bytes() == (folder / "q.bin").read_bytes()
    assert figures["digest"] == again["digest"]
    (code,) = read_models((folder / "p.bin").read_bytes(), "w")
    first, second = figures["languages"][code]["limits"]
    assert 1 < first < second < 1000
    identified = train_perplexity([str(folder / "good.jsonl")], folder / "r.bin")
    assert list(identified["languages"]) == ["en"]


def test_a_sample_without_the_field_says_so(tmp_path):
    (tmp_path / "quiz.jsonl").write_text('{"question": "Who?"}\n' * 40)
    with pytest.raises(InputError, match=r"quiz\.jsonl: no record has a text in 'text'"):
        list(texts_of(str(tmp_path / "quiz.jsonl")))
