"""Figures of evaluation files, intervals, contamination."""

import gzip
import json
import math
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpusmill.errors import InputError
from corpusmill.evaluate.contamination import _look
from corpusmill.evaluate.evaluate import evaluate, render
from corpusmill.evaluate.intervals import FEWEST, ratio, share
from corpusmill.evaluate.items import Choices, Cloze, Document, read_file
from corpusmill.evaluate.scorer import Scorer
from corpusmill.evaluate.subject import Subject
from corpusmill.filters.contamination import Item
from corpusmill.train.trained import load

ITEMS = {
    "quiz": [
        {"id": "a", "question": "red fox", "choices": [" runs home.", " zzzz", "天气"], "answer": 0},
        {"question": "今天", "choices": ["天气很好。", " qqqq"], "answer": "天气很好。"},
        {"question": "blue owl", "choices": [" runs home.", " 00000000"], "answer": 1},
    ],
    "gaps": [{"text": "red fox runs", "answer": " home."}, {"text": "他喜欢", "answer": "读书。"}],
    "texts": [{"text": "red fox runs home.", "source": "new"}, {"text": "他喜欢读书。", "language": "zh"}],
}


@pytest.fixture
def model(place, tmp_path):
    return shutil.copytree(place / "models/decoder", tmp_path / "own")


@pytest.fixture
def files(tmp_path):
    for name, items in ITEMS.items():
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, items)))
    return [tmp_path / f"{name}.jsonl" for name in ITEMS]


def figures(found, name):
    return {f.metric: f.value for f in found.figures if (f.evaluation, f.source, f.language) == (name, None, None)}


def test_multiple_choice_and_cloze_against_scores_of_single_answers(model, files):
    found = evaluate(model, files)
    subject = Subject.of(model)
    scorer = Scorer(load(model), subject.objective("decoder"))

    def score(text, answer):
        return scorer.scores([scorer.question(text, answer)])[0]

    right, normalised = [], []
    for item in ITEMS["quiz"]:
        answer = item["answer"] if isinstance(item["answer"], int) else item["choices"].index(item["answer"])
        values = np.array([score(item["question"], choice).log_likelihood for choice in item["choices"]])
        right.append(int(values.argmax()) == answer)
        normalised.append(int((values / [len(c.encode()) for c in item["choices"]]).argmax()) == answer)
    quiz = figures(found, "quiz")
    assert (quiz["accuracy"], quiz["accuracy_normalised"]) == (np.mean(right), np.mean(normalised))
    assert quiz["chance"] == pytest.approx((1 / 3 + 1 / 2 + 1 / 2) / 3)
    gaps = [score(item["text"], item["answer"]) for item in ITEMS["gaps"]]
    n_tokens = sum(len(scorer.question(item["text"], item["answer"]).answer) for item in ITEMS["gaps"])
    assert figures(found, "gaps") == {
        "accuracy": np.mean([each.is_greedy for each in gaps]),
        "loss": pytest.approx(-sum(each.log_likelihood for each in gaps) / n_tokens, rel=1e-4),
    }
    rows = pq.read_table(model / "evaluation_items.parquet").to_pylist()
    assert [(row["evaluation"], row["item"], row["correct"]) for row in rows[:3]] == [
        ("quiz", name, bool(each)) for name, each in zip(("a", "1", "2"), right, strict=True)
    ]


def test_documents_are_measured_by_source_and_language(model, files):
    found = evaluate(model, files[2:])
    values = figures(found, "texts")
    assert values["perplexity"] == pytest.approx(math.exp(values["loss"]))
    by_source = {f.source: f.items for f in found.figures if f.metric == "loss" and f.source}
    assert by_source == {"new": 1, "texts": 1}
    assert "zh" in {f.language for f in found.figures}
    scorer = Scorer(load(model), Subject.of(model).objective("decoder"))
    texts = [item["text"] for item in ITEMS["texts"]]
    sums, _ = scorer.document_losses(texts, [scorer.trained.encode(text) for text in texts])
    expected = sums.sum() / math.log(2) / sum(len(text.encode()) for text in texts)
    assert values["bits_per_byte"] == pytest.approx(expected, rel=1e-4)


def test_figures_are_kept_and_replaced_by_name(model, files):
    evaluate(model, files[:2])
    first = pq.read_table(model / "evaluations.parquet").to_pylist()
    evaluate(model, files[1:])
    second = pq.read_table(model / "evaluations.parquet").to_pylist()
    assert [row for row in second if row["evaluation"] == "quiz"] == [r for r in first if r["evaluation"] == "quiz"]
    assert len([row for row in second if row["evaluation"] == "gaps"]) == 2
    assert {row["evaluation"] for row in second} == set(ITEMS)


def test_the_validation_split(place):
    found = evaluate(place / "models/encoder-decoder")
    assert {f.metric for f in found.figures} == {"loss", "perplexity"}
    assert {f.source for f in found.figures} == {None, "en", "zh"}
    assert render(found).startswith("validation (documents): 10 documents")


@pytest.mark.parametrize("kind", ["encoder, sentence-order", "encoder-decoder"])
def test_models_that_see_both_sides_fill_gaps(place, tmp_path, kind):
    path = tmp_path / "both.jsonl"
    path.write_text(json.dumps({"text": "red fox", "answer": " runs", "after": " home."}))
    (accuracy, loss) = evaluate(place / "models" / kind, [path]).figures
    assert (accuracy.value, loss.value > 0) in ((0, True), (1, True))


def test_files_that_cannot_be_used(model, tmp_path):
    for content, words in {
        "": "has no items",
        "{": "line 1 is no JSON",
        "[1]": "is no JSON object",
        '{"a": 1}': "line 1: has neither 'text' nor 'choices'",
        '{"text": 3}': "line 1: needs a text 'text'",
        '{"text": "a"}\n\n{"text": ""}': "line 3: needs a text 'text'",
        '{"text": "a", "answer": ""}': "needs a text 'answer'",
        '{"question": "a", "choices": ["b"], "answer": 0}': "needs two or more texts",
        '{"question": "a", "choices": ["b", "c"], "answer": 2}': "must be the number of a choice",
        '{"question": "a", "choices": ["b", "c"], "answer": true}': "must be the number of a choice",
        '{"choices": ["b", "c"], "answer": 1}': "needs a text 'question'",
    }.items():
        path = tmp_path / "bad.jsonl"
        path.write_text(content)
        with pytest.raises(InputError, match=words):
            evaluate(model, [path])
    with pytest.raises(InputError, match="cannot be read"):
        evaluate(model, [tmp_path / "none.jsonl"])
    path.write_text('{"text": "a"}')
    with pytest.raises(InputError, match="files need different names"):
        evaluate(model, [path, path])
    with pytest.raises(InputError, match="give files"):
        evaluate(model, check_contamination=True)


def test_items_of_every_kind_are_read(tmp_path):
    path = tmp_path / "quiz.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, ITEMS["quiz"])).encode()))
    quiz = read_file(path)
    assert (quiz.name, quiz.kind) == ("quiz", "choices")
    assert quiz.items[1] == Choices("1", "今天", ("天气很好。", " qqqq"), 0)
    (tmp_path / "gap.jsonl").write_text('{"id": 7, "text": "a", "answer": "b", "after": "c"}\n\n')
    assert read_file(tmp_path / "gap.jsonl").items == (Cloze("7", "a", "b", "c"),)
    (tmp_path / "gap.jsonl").write_text('\n{"id": null, "text": "a", "answer": "b"}\n')
    assert read_file(tmp_path / "gap.jsonl").items == (Cloze("0", "a", "b", ""),)
    (tmp_path / "page.txt").write_text("今天 \ud800".encode("utf-8", "replace").decode())
    assert read_file(tmp_path / "page.txt").items == (Document("0", "今天 ?", "page", None),)


def test_wilsons_interval():
    assert share(8, 10) == pytest.approx((0.8, 0.4902, 0.9433), abs=1e-4)  # Brown, Cai & DasGupta 2001
    assert share(0, 20) == pytest.approx((0, 0, 0.1611), abs=1e-4)
    assert share(20, 20)[2] == 1


def test_the_interval_of_a_ratio_holds():
    draw = np.random.default_rng(1)
    sizes = draw.integers(10, 200, (400, 50))
    sums = sizes * (2 + draw.normal(0, 0.5, sizes.shape))
    inside = [low <= 2 <= high for _, low, high in map(ratio, sums, sizes)]
    assert 0.91 <= np.mean(inside) <= 0.98
    assert ratio([1.0] * (FEWEST - 1), [2] * (FEWEST - 1)) == (0.5, None, None)


def test_items_that_share_a_passage_are_all_found():
    passage = "the quick brown fox jumps over the lazy dog while nine other foxes sleep in the sun"
    items = [Item("quiz", str(i), (f"{passage} question {i}",)) for i in range(3)]
    items.append(Item("quiz", "3", ("an item with quite other words that stands in no document at all",)))
    found = {}
    block = pa.table({"doc_id": ["a"], "text": pa.array([f"Before. {passage} After."], pa.large_string())})
    _look(block, items, found)
    assert found == {("quiz", 0): "a", ("quiz", 1): "a", ("quiz", 2): "a"}
