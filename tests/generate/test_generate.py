"""Text from a model, as a stream, in batches, and from the command line."""

import json
import shutil

import pytest
import torch
from tokenizers import Tokenizer

from corpusmill.errors import InputError
from corpusmill.generate.prompts import prompt_of
from corpusmill.generate.run import complete, generate, stream
from corpusmill.generate.settings import Sampling
from corpusmill.generate.writer import Finish
from tests.generate.conftest import WRITERS


@pytest.fixture
def model(models):
    return models("decoder")


def text(model, prompt, **options):
    return "".join(generate(model, prompt, Sampling(**options)))


def texts(trained, prompts, **options):
    return list(complete(trained, [prompt_of(trained, each) for each in prompts], Sampling(**options)))


def test_a_trained_model_continues_as_its_corpus_does(model):
    known = {"red", "green", "blue", "fox", "owl", "elk", "runs", "home."}
    words = text(model, "red fox runs home. green", temperature=0, max_tokens=60).split()
    assert len(words) >= 1
    assert len(known & set(words)) >= len(set(words)) - 1  # the last may be cut


def test_same_seed_same_text(model):
    assert text(model, "red", seed=3) == text(model, "red", seed=3)
    assert len({text(model, "red", seed=seed, temperature=1.5) for seed in range(5)}) > 1


def test_characters_come_whole(loaded):
    """Chinese characters are three bytes, and several tokens in so small a vocabulary."""
    how = Sampling(max_tokens=80, temperature=0)
    pieces = list(generate(loaded("decoder"), "今天天气很好。", how))
    assert len(pieces) > 5
    assert all(pieces)
    assert set("".join(pieces)) <= set("今天气很好。我们去公园散步他喜欢读书")


def test_bytes_that_are_no_text_do_not_stop_it(model):
    """With a very high temperature, tokens are drawn blindly."""
    assert len(text(model, "", temperature=1e6, top_p=1.0, max_tokens=300)) > 20


def test_it_goes_on_beyond_the_row_length_and_with_long_prompts(model):
    assert len(text(model, "red owl " * 100, temperature=1e6, top_p=1.0, max_tokens=150)) > 50


def test_the_text_is_that_of_the_tokens_without_a_cache(model, loaded):
    """Greedy decoding again, by whole forward passes and HF's decoder."""
    trained = loaded("decoder")
    decoder, tokenizer, boundary = trained.model, trained.tokenizer, trained.boundary
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


@pytest.mark.parametrize("options", [{"temperature": 0}, {"seed": 4, "top_k": 20, "repetition_penalty": 1.2}])
@pytest.mark.parametrize("kind", WRITERS)
def test_a_batch_gives_the_texts_of_one_prompt_at_a_time(loaded, kind, options):
    trained = loaded(kind)
    prompts = ["red", "今天天气很好。我们", "", "green owl runs home. blue elk runs home."]
    together = texts(trained, prompts, max_tokens=70, **options)
    assert together == [texts(trained, [each], max_tokens=70, **options)[0] for each in prompts]


def test_texts_that_end_earlier_leave_the_batch_and_change_nothing(loaded):
    trained = loaded("decoder")
    prompts = ["red fox runs home. red", "今天天气很好。", "green owl runs", "blue"]
    how = {"seed": 7, "temperature": 1.2, "max_tokens": 30, "stop": ("elk", "公", "red owl")}
    together = texts(trained, prompts, **how)
    assert together == [texts(trained, [each], **how)[0] for each in prompts]
    assert len({each.n_tokens for each in together}) > 1


def test_a_batch_is_cut_into_batches(loaded):
    trained = loaded("decoder")
    prompts = [prompt_of(trained, f"red {'fox ' * n}") for n in range(5)]
    how = Sampling(max_tokens=6)
    assert list(complete(trained, prompts, how, batch_size=2)) == list(complete(trained, prompts, how, batch_size=9))


def test_a_stop_string_ends_the_text_and_is_not_shown(loaded):
    trained = loaded("decoder")
    (whole,) = texts(trained, ["red fox"], temperature=0, max_tokens=40)
    (cut,) = texts(trained, ["red fox"], temperature=0, max_tokens=40, stop=("zzz", "s ho"))
    assert "s ho" in whole.text
    assert cut.text == whole.text.partition("s ho")[0]
    assert (cut.finish, whole.finish) == (Finish.STOP, Finish.LENGTH)
    assert cut.n_tokens < whole.n_tokens


def test_a_text_can_end_by_itself(loaded):
    trained = loaded("decoder")
    (ended,) = texts(trained, ["今天天气很好。"], max_tokens=300, seed=2)
    assert ended.finish == Finish.END
    assert ended.n_tokens < 300


def test_a_penalty_makes_repetition_rarer(loaded):
    def repeated(penalty):
        (found,) = texts(loaded("decoder"), ["red"], temperature=0, max_tokens=40, repetition_penalty=penalty)
        ids = loaded("decoder").encode(found.text)
        return len(ids) - len(set(ids))

    assert repeated(3.0) < repeated(1.0)


def test_no_tokens_are_no_text(loaded):
    (piece,) = stream(loaded("decoder"), [prompt_of(loaded("decoder"), "red")], Sampling(max_tokens=0))
    assert (piece.text, piece.finish, piece.n_tokens) == ("", Finish.LENGTH, 0)


def test_inference_mode_does_not_leak_out_of_a_stream(loaded):
    for _ in generate(loaded("decoder"), "red", Sampling(max_tokens=3)):
        assert not torch.is_inference_mode_enabled()


def test_the_gaps_of_an_encoder_decoder_are_tokens(loaded):
    trained = loaded("encoder-decoder")
    first = trained.tokenizer.token_to_id("<extra_id_0>")
    assert prompt_of(trained, "red <extra_id_0> runs").ids == prompt_of(trained, "red<extra_id_0> runs").ids
    assert prompt_of(trained, "red <extra_id_0> runs").ids.count(first) == 1
    assert prompt_of(loaded("decoder"), "a <extra_id_0>").ids[1:] == tuple(loaded("decoder").encode("a <extra_id_0>"))


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


def test_odd_arguments(loaded):
    model = loaded("decoder")
    assert text(model, "red", temperature=1e-320, max_tokens=5) == text(model, "red", temperature=0, max_tokens=5)
    assert text(model, "\udcff", max_tokens=1) is not None
