"""Every task is learned: its figures on examples that the model has not seen are above those of the trivial model."""

import pytest

from corpusmill.errors import InputError
from corpusmill.finetune.examples import Labelled, Question, Spans, Text
from corpusmill.finetune.run import finetune
from corpusmill.finetune.settings import settings_of
from corpusmill.finetune.tuned import load_tuned
from examples.finetune.make import examples
from tests.finetune.conftest import tune, value, write_examples

FAST = {"optimizer": {"learning_rate": 0.003}, "patience": 8}


@pytest.fixture(scope="module")
def reviews(base, data, tmp_path_factory):
    """An encoder that knows good from bad reviews."""
    out = tmp_path_factory.mktemp("reviews") / "model"
    return tune(base("encoder"), data("classification"), "classification", out, epochs=6, **FAST)


def test_reviews(reviews):
    """The margins are small, because every kind of CPU trains another model of these few steps."""
    for metric, margin in (("accuracy", 0.04), ("f1_macro", 0.15), ("f1_micro", 0.04), ("roc_auc_macro", 0.1)):
        found, baseline = value(reviews, metric)
        assert found > baseline + margin, metric
    assert value(reviews, "accuracy")[1] == value(reviews, "f1_micro")[1] > 0.6  # two of three are positive
    assert value(reviews, "calibration_error")[0] < 0.3
    confusion = [figure for figure in reviews.figures if figure.metric == "confusion"]
    assert sum(figure.value for figure in confusion) == reviews.examples["test"]


def test_a_prediction_has_the_probability_of_every_label(reviews):
    tuned = load_tuned(reviews.model)
    texts = ["The soup was wonderful. We smiled all day.", "Her speech was awful. Never again.", ""]
    said = tuned.task.predict(tuned.model, [Labelled(text=text, id=i) for i, text in enumerate(texts)])
    assert [(each["id"], each["label"]) for each in said[:2]] == [(0, "positive"), (1, "negative")]
    assert all(sum(each["probabilities"].values()) == pytest.approx(1, abs=1e-5) for each in said)


@pytest.mark.parametrize(
    ("kind", "task", "name", "metric", "margin", "settings"),
    [
        ("encoder", "classification", "sentiment-zh", "f1_macro", 0.1, {"epochs": 6, "class_weights": "balanced"}),
        ("decoder", "classification", None, "f1_macro", 0.05, {"epochs": 6}),
        ("lstm", "classification", None, "f1_macro", 0.05, {"epochs": 6}),
        ("encoder-decoder", "classification", None, "f1_macro", 0.05, {"epochs": 6}),
        ("encoder-decoder", "sequence", None, "chrf", 2, {"epochs": 12, "max_new_tokens": 12}),
    ],
)
def test_it_is_above_its_baseline(base, data, tmp_path, kind, task, name, metric, margin, settings):
    model = base(kind, 60 if kind in ("encoder", "decoder") else 10)
    n = 200 if task == "classification" else 120
    result = tune(model, data(name or task, n), task, tmp_path / "m", **FAST, **settings)
    found, baseline = value(result, metric)
    assert found > baseline + margin


def test_several_labels(base, tmp_path):
    rows = [
        {"text": e["text"], "label": [e["label"], *(["long"] if len(e["text"]) > 40 else [])]}
        for e in examples("sentiment", 160)
    ]
    data = write_examples(tmp_path / "data.jsonl", rows)
    result = tune(base("encoder"), data, "classification", tmp_path / "m", epochs=10, **FAST)
    assert value(result, "f1_micro")[0] > value(result, "f1_micro")[1] + 0.1
    tuned = load_tuned(result.model)
    text = "Her speech was really wonderful. We smiled all day."
    (said,) = tuned.task.predict(tuned.model, [Labelled(text=text)])
    assert said["label"] == ["long", "positive"]


def test_other_labels_in_the_test_file_are_counted_and_left_out(base, data, tmp_path):
    test = write_examples(tmp_path / "t.jsonl", [{"text": "a", "label": "positive"}, {"text": "b", "label": "other"}])
    settings = settings_of("classification", {"steps": 1})
    result = finetune(base("encoder"), data("classification"), settings, tmp_path / "m", test=test, device="cpu")
    assert value(result, "unknown_labels")[0] == 1
    assert [figure.n for figure in result.figures if figure.metric == "accuracy"] == [1]


def test_spans_of_chinese_and_emoji_have_the_offsets_of_characters(base, data, tmp_path):
    result = tune(base("encoder"), data("tokens"), "tokens", tmp_path / "m", epochs=9, **FAST)
    tuned = load_tuned(result.model)
    texts = ["😀😀 王丽华昨天去了上海。", "😀 Anna Costa likes New York a lot."]
    said = tuned.task.predict(tuned.model, [Spans(text=text) for text in texts])
    for text, each in zip(texts, said, strict=True):
        assert each["spans"]
        for span in each["spans"]:
            assert text[span["start"] : span["end"]] == span["text"]
            assert not span["text"].startswith(" ")
    assert {"Anna Costa", "New York"} & {span["text"] for span in said[1]["spans"]}
    assert tuned.task.predict(tuned.model, [Spans(text="")]) == [{"spans": []}]
    long = " ".join(["Anna Costa lives in Rome."] * 30)  # many windows
    (found,) = tuned.task.predict(tuned.model, [Spans(text=long)])
    assert sum(span["text"] == "Rome" for span in found["spans"]) > 20


def test_answers_far_behind_are_found_and_may_be_missing(base, tmp_path):
    rows = examples("questions", 100)
    for i, row in enumerate(rows):
        if i % 4 == 0:
            row["question"], row["answer"] = "Which colour was it?", None
    data = write_examples(tmp_path / "data.jsonl", rows)
    result = tune(base("encoder"), data, "question-answering", tmp_path / "m", epochs=10, **FAST)
    assert value(result, "no_answer_accuracy")[0] > 0.7
    tuned = load_tuned(result.model)
    far = "The day was long. " * 40 + "Anna bought maps in Oslo on Friday."
    said = tuned.task.predict(
        tuned.model,
        [
            Question(context="Anna bought maps in Oslo on Friday.", question="Which colour was it?"),
            Question(context=far, question="When was it?"),
            Question(context="", question="When was it?"),
        ],
    )
    assert said[0]["answer"] is None
    assert said[2]["answer"] is None
    answer = said[1]["answer"]
    assert answer is None or far[answer["start"] : answer["end"]] == answer["text"]


def test_vectors_have_length_one_and_do_not_depend_on_the_batch(base):
    tuned = load_tuned(base("encoder"), vectors=True)
    texts = ["red", "a longer text with more words in it", "", "今天"]
    together = tuned.task.vectors(tuned.model, texts)
    assert together.norm(dim=1).tolist() == pytest.approx([1] * 4, abs=1e-5)
    alone = [tuned.task.vectors(tuned.model, [text])[0] for text in texts]
    assert all(a.tolist() == pytest.approx(b.tolist(), abs=1e-5) for a, b in zip(together, alone, strict=True))
    assert Text(text="x").text == "x"


@pytest.mark.parametrize(
    ("kind", "task", "says"),
    [
        ("lstm", "instruction", "is a model of the kind 'lstm'; the task 'instruction' needs: decoder"),
        ("decoder", "embeddings", "needs: encoder"),
        ("encoder", "sequence", "needs: decoder, encoder-decoder"),
    ],
)
def test_a_model_that_cannot_do_it(base, data, tmp_path, kind, task, says):
    with pytest.raises(InputError, match=says):
        tune(base(kind, 10), data(task, 60), task, tmp_path / "m")
