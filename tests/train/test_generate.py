"""Text from a model."""

import json
import shutil

import pytest
import torch
from tokenizers import Tokenizer

from corpusmill.errors import InputError
from corpusmill.train.generate import generate
from corpusmill.train.run import train


@pytest.fixture(scope="module")
def model(corpus, tmp_path_factory):
    """A model that has learned the grammar of the corpus."""
    from corpusmill.recipe import TrainSettings

    settings = TrainSettings(
        layers=2, width=64, heads=2, kv_heads=1, row_length=64, rows_per_step=8, steps=120, validation_rows=1
    )
    out = tmp_path_factory.mktemp("models") / "grammar"
    train(corpus, settings, out)
    return out


def text(model, prompt, **options):
    return "".join(generate(model, prompt, **options))


def test_a_trained_model_continues_as_its_corpus_does(model):
    known = {"red", "green", "blue", "fox", "owl", "elk", "runs", "home."}
    words = text(model, "red fox runs home. green", temperature=0, max_tokens=60).split()
    assert len(words) >= 1
    assert len(known & set(words)) >= len(set(words)) - 1  # the last may be cut


def test_same_seed_same_text(model):
    assert text(model, "red", seed=3) == text(model, "red", seed=3)
    assert len({text(model, "red", seed=seed, temperature=1.5) for seed in range(5)}) > 1


def test_characters_come_whole(model):
    """Chinese characters are three bytes, and several tokens in so small a vocabulary."""
    pieces = list(generate(model, "今天天气很好。", seed=1, max_tokens=80, temperature=0))
    assert len(pieces) > 5
    assert all(pieces)
    assert set("".join(pieces)) <= set("今天气很好。我们去公园散步他喜欢读书")


def test_bytes_that_are_no_text_do_not_stop_it(model):
    """With a very high temperature, tokens are drawn blindly."""
    assert len(text(model, "", temperature=1e6, top_p=1.0, max_tokens=300)) > 20


def test_it_goes_on_beyond_the_row_length_and_with_long_prompts(model):
    assert len(list(generate(model, "red owl " * 100, temperature=1e6, top_p=1.0, max_tokens=150))) > 50


def test_the_text_is_that_of_the_tokens_without_a_cache(model):
    """Greedy decoding again, by whole forward passes and HF's decoder."""
    from corpusmill.train.generate import _load

    decoder, tokenizer, boundary = _load(model, "cpu")
    ids = [boundary, *tokenizer.encode("blue elk").ids]
    n = len(ids)
    with torch.no_grad():
        while len(ids) < n + 30:
            ids.append(int(decoder(torch.tensor([ids]))[0, -1].argmax()))
            if ids[-1] == boundary:
                break
    expected = Tokenizer.from_file(str(model / "tokenizer.json")).decode(ids)
    assert "blue elk" + text(model, "blue elk", temperature=0, max_tokens=30) == expected


def test_top_p_of_almost_nothing_is_greedy(model):
    assert text(model, "green", top_p=1e-9, seed=5) == text(model, "green", temperature=0)


@pytest.mark.parametrize("options", [{"temperature": -1}, {"top_p": 0}, {"top_p": 1.5}, {"max_tokens": -1}])
def test_arguments_out_of_range(model, options):
    with pytest.raises(InputError, match="generate needs temperature >= 0"):
        text(model, "red", **options)


def test_no_model(tmp_path):
    with pytest.raises(InputError, match=r"is not a trained model, it has no config\.json"):
        text(tmp_path, "red")


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff" * 20, b'{"model_type": "x"}'])
def test_a_damaged_model_is_one_sentence(model, tmp_path, name, content):
    for path in model.iterdir():
        if path.is_file():
            shutil.copy(path, tmp_path)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=r"damaged, or no model of ours|do not fit each other"):
        text(tmp_path, "red", max_tokens=1)


def test_weights_of_another_shape_are_one_sentence(model, tmp_path):
    for path in model.iterdir():
        if path.is_file():
            shutil.copy(path, tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 3}))
    with pytest.raises(InputError, match=r"config.json and the weights do not fit each other"):
        text(tmp_path, "red", max_tokens=1)


def test_odd_arguments(model):
    assert text(model, "red", temperature=1e-320, max_tokens=5) == text(model, "red", temperature=0, max_tokens=5)
    assert text(model, "\udcff", max_tokens=1) is not None
    for options in ({"seed": 10**30}, {"temperature": float("inf")}, {"temperature": float("nan")}):
        with pytest.raises(InputError, match=r"a finite temperature, and a seed of 64 bits|needs temperature"):
            text(model, "red", **options)
