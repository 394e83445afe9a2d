"""The commands `vectors` and `neighbours`, as a user calls them."""

import json
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import save_file

from corpusmill import schema
from corpusmill.cli import main
from corpusmill.reports.catalog import open_catalog
from tests.vectors.test_vectors import write_documents

RECIPE = '[[sources]]\nname = "s"\nkind = "jsonl"\npaths = ["a.jsonl"]\n'


@pytest.fixture
def call(monkeypatch, capsys):
    """Call a command; returns its exit code, what it printed, and its error."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["corpusmill", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        shown = capsys.readouterr()
        return ended.value.code or 0, shown.out, shown.err

    return run


@pytest.fixture
def corpus(tmp_path):
    folder = tmp_path / "corpus"
    write_documents(folder, ["red fox runs home. 我们去公园 " * 5, "green owl sleeps here. 我们 " * 5])
    (folder / "recipe.toml").write_text(RECIPE)
    return folder


@pytest.fixture
def model(corpus):
    """Four words by hand: man to king is as woman to queen."""
    folder = corpus / "models" / "words"
    folder.mkdir(parents=True)
    words = ["king", "queen", "man", "woman", "apple", "王\x1b[31m"]
    vectors = np.array([[1, 1, 0], [1, 0, 1], [0, 2, 0], [0, 0, 2], [-1, 0, 0], [-1, -1, -1]], np.float32)
    (folder / "words.json").write_text(json.dumps({"words": words, "counts": [1] * 6}))
    save_file({"vectors": vectors}, folder / "vectors.safetensors")
    return folder


def test_vectors_are_trained_once(call, corpus):
    command = ("vectors", corpus, "--dimensions", 4, "--epochs", 1)
    code, out, err = call(*command)
    assert (code, err) == (0, "starting ...\n")
    assert f"13 words, 4 numbers each\nmodel: {corpus}/models/vectors\n" in out
    before = (corpus / "models/vectors/receipt.json").stat().st_mtime_ns
    code, out, _ = call(*command, "--json")
    assert json.loads(out) == {"words": 13, "size": 4, "model": f"{corpus}/models/vectors"}
    assert (corpus / "models/vectors/receipt.json").stat().st_mtime_ns == before
    code, out, err = call(*command, "--method", "glove")
    assert (code, out) == (2, "")
    assert "holds another model" in err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--method", "bert"), "there is no method 'bert'; allowed: skip-gram, cbow, glove"),
        (("--min-count", "999"), "only 0 words occur at least 999 times"),
    ],
)
def test_what_cannot_be_trained_is_one_sentence(call, corpus, arguments, sentence):
    code, out, err = call("vectors", corpus, *arguments)
    assert (code, out) == (2, "")
    assert sentence in " ".join(err.split())
    assert not (corpus / "models").exists()


def test_not_a_corpus(call, tmp_path):
    code, _, err = call("vectors", tmp_path)
    assert code == 2
    assert "not a corpus directory" in err


def test_neighbours_of_a_word_and_of_an_analogy(call, model):
    code, out, _ = call("neighbours", model, "Queen", "--count", 2)
    assert (code, out) == (0, "0.707  woman\n0.500  king\n")
    code, out, _ = call("neighbours", model, "man", "king", "woman", "--count", 1, "--json")
    (answer,) = json.loads(out)
    assert (answer["word"], round(answer["similarity"], 3)) == ("queen", 0.959)
    code, out, _ = call("neighbours", model, "apple", "--count", 1)
    assert out.startswith("0.577  王")
    assert "\x1b" not in out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("pear",), "'pear' has no vector"),
        (("man", "king"), "give one word, or three for an analogy"),
        ((), "give one word, or three for an analogy"),
    ],
)
def test_what_has_no_neighbours_is_one_sentence(call, model, words, sentence):
    code, out, err = call("neighbours", model, *words)
    assert (code, out) == (2, "")
    assert sentence in " ".join(err.split())


def test_a_score_is_printed_kept_and_in_the_catalog(call, model, corpus, tmp_path):
    test = tmp_path / "family.txt"
    test.write_text(": family\nman king woman queen\nman king woman apple\nman king pear queen\n")
    code, out, _ = call("neighbours", model, "--test", test)
    assert (code, out) == (0, "0.500 (2 lines; 1 more have words without a vector)\n")
    (tmp_path / "pairs.txt").write_text("king queen 1\nking apple 0\n")
    code, out, _ = call("neighbours", model, "--test", tmp_path / "pairs.txt", "--json")
    assert json.loads(out) == {"score": pytest.approx(1.0), "n_used": 2, "n_unknown": 0}
    test.write_text("man king woman queen\n")
    call("neighbours", model, "--test", test)
    table = pq.read_table(model / "metrics.parquet")
    assert table.schema == schema.METRICS.arrow
    assert table.num_rows == 2
    with open_catalog(corpus) as catalog:
        rows = catalog.execute("SELECT model, metric, value FROM metrics ORDER BY metric").fetchall()
    assert rows == [("words", "score of family.txt", 1.0), ("words", "score of pairs.txt", pytest.approx(1.0))]


def test_a_model_that_is_none_is_one_sentence(call, tmp_path):
    code, out, err = call("neighbours", tmp_path, "house")
    assert (code, out) == (2, "")
    assert "has no word vectors, because it has no words.json" in " ".join(err.split())
