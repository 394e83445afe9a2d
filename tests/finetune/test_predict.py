"""Lines in, predictions out: in order, in batches, without waiting; and files of vectors."""

import json
import threading
from queue import Queue

import pyarrow.parquet as pq
import pytest

from corpusmill.errors import InputError
from corpusmill.finetune.examples import Labelled
from corpusmill.finetune.predict import embed, example_of, gathered, predict
from corpusmill.finetune.tuned import load_tuned
from tests.finetune.conftest import tune


@pytest.fixture(scope="module")
def tuned(base, data, tmp_path_factory):
    out = tmp_path_factory.mktemp("predict") / "m"
    return load_tuned(tune(base("encoder", 10), data("classification", 60), "classification", out, steps=2).model)


def test_every_line_has_its_prediction_whatever_the_batch(tuned):
    texts = ["short", "今天很好", "", "a longer text " * 30, "x"] * 3
    lines = [json.dumps({"text": text, "id": i}) + "\n" for i, text in enumerate(texts)]
    one, many = (list(predict(tuned, ["\n", *lines], "here", batch=size)) for size in (1, 7))
    assert [each["id"] for each in many] == list(range(15))
    assert [each["label"] for each in one] == [each["label"] for each in many]
    assert one[3]["probabilities"] == pytest.approx(many[3]["probabilities"], abs=1e-4)
    examples = [Labelled(text=text, id=i) for i, text in enumerate(texts)]
    assert [each["label"] for each in tuned.task.predict(tuned.model, examples)] == [each["label"] for each in one]


def test_a_line_that_is_none_is_named_after_the_predictions_before_it(tuned):
    answers = predict(tuned, ['{"text": "a"}', "", "oops"], "in.jsonl", batch=1)
    assert next(answers)["label"] in ("positive", "negative")
    with pytest.raises(InputError, match=r"in\.jsonl, line 3: is no JSON"):
        next(answers)


def test_no_prediction_waits_for_later_lines():
    came, ended = Queue(), threading.Event()

    def lines():
        while (line := came.get()) is not None:
            yield line
        ended.set()

    found = gathered(lines(), 3)
    came.put("a")
    assert next(found) == [(1, "a")]
    for line in ("b", " ", "c", None):
        came.put(line)
    assert ended.wait(10)
    assert [each for some in found for each in some] == [(2, "b"), (4, "c")]


def test_lists_are_not_longer_than_asked_for():
    some = list(gathered(iter("abcdefgh"), 3))
    assert [line for part in some for _, line in part] == list("abcdefgh")
    assert max(map(len, some)) <= 3
    assert list(gathered([], 3)) == []


def test_an_error_of_the_reader_arrives():
    def lines():
        yield "a"
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        list(gathered(lines(), 2))


def test_a_text_as_an_example(tuned):
    assert example_of(tuned, "a") == Labelled(text="a")


def test_vectors_are_written(base, tmp_path):
    lines = [json.dumps({"text": text, "id": i}) for i, text in enumerate(["red", "今天", "red", "\ud800"])]
    assert embed(base("encoder", 10), lines, "here", tmp_path / "v.parquet", batch=2) == 4
    table = pq.read_table(tmp_path / "v.parquet")
    assert table["text"].to_pylist() == ["red", "今天", "red", "?"]
    assert table["id"].to_pylist() == ["0", "1", "2", "3"]
    vectors = table["vector"].to_pylist()
    assert len(vectors[0]) == 64
    assert vectors[0] == pytest.approx(vectors[2], abs=1e-6)
    assert sum(x * x for x in vectors[1]) == pytest.approx(1, abs=1e-5)


def test_vectors_need_an_encoder_and_lines(base, tuned, tmp_path):
    with pytest.raises(InputError, match="has no lines"):
        embed(base("encoder", 10), [], "here", tmp_path / "v.parquet")
    with pytest.raises(InputError, match="needs: encoder"):
        embed(base("decoder", 10), ["{}"], "here", tmp_path / "v.parquet")
    with pytest.raises(InputError, match="is tuned for classification; vectors need the task embeddings"):
        embed(tuned.model.folder, ["{}"], "here", tmp_path / "v.parquet")
    with pytest.raises(InputError, match="line 1: key 'text' is missing"):
        embed(base("encoder", 10), ["{}"], "here", tmp_path / "v.parquet")
    assert not list(tmp_path.iterdir())
