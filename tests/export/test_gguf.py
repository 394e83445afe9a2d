"""A GGUF file, read by gguf and run by llama.cpp."""

import json
import shutil

import gguf
import numpy as np
import pytest
from safetensors.numpy import load_file

from corpusmill.errors import InputError
from corpusmill.export.formats import export
from corpusmill.generate.run import generate
from corpusmill.generate.settings import Sampling
from corpusmill.train.trained import load


@pytest.fixture(scope="module")
def exported(models, tmp_path_factory):
    """The folder of the exported decoder."""
    return export(models("decoder"), "gguf", tmp_path_factory.mktemp("gguf") / "out").out


def test_the_file_has_shape_vocabulary_and_weights(models, exported):
    reader, config = (
        gguf.GGUFReader(exported / "model.gguf"),
        json.loads((models("decoder") / "config.json").read_text()),
    )
    values = {name: field.contents() for name, field in reader.fields.items()}
    assert values["general.architecture"] == "qwen3"
    assert values["qwen3.block_count"] == config["num_hidden_layers"]
    assert values["qwen3.attention.key_length"] == config["head_dim"]
    assert values["tokenizer.ggml.bos_token_id"] == config["bos_token_id"]
    vocabulary = load(models("decoder")).tokenizer.get_vocab()
    assert {token: id_ for id_, token in enumerate(values["tokenizer.ggml.tokens"])} == vocabulary
    weights = load_file(models("decoder") / "model.safetensors")
    found = {tensor.name: tensor.data for tensor in reader.tensors}
    assert len(found) == len(weights)
    np.testing.assert_array_equal(found["token_embd.weight"], weights["model.embed_tokens.weight"])
    np.testing.assert_array_equal(found["blk.1.attn_k_norm.weight"], weights["model.layers.1.self_attn.k_norm.weight"])


def test_llama_cpp_writes_our_text(models, exported):
    xllamacpp = pytest.importorskip("xllamacpp")
    params = xllamacpp.CommonParams()
    params.model.path = str(exported / "model.gguf")
    params.n_ctx, params.n_parallel, params.cpuparams.n_threads, params.warmup = 48, 1, 1, False
    server, trained = xllamacpp.Server(params), load(models("decoder"))
    for prompt in ("red fox runs home. green", "今天天气很好。", "It's 1234 owls, e.g. <b>!\n\n  x"):
        answer = server.handle_completions({"prompt": prompt, "max_tokens": 20, "temperature": 0.0})
        assert answer["usage"]["prompt_tokens"] == 1 + len(trained.encode(prompt))
        ours = "".join(generate(trained, prompt, Sampling(temperature=0, max_tokens=20)))
        assert answer["choices"][0]["text"].rstrip("\ufffd") == ours.rstrip("\ufffd")


@pytest.mark.parametrize("kind", ["encoder", "lstm"])
def test_only_decoders_have_a_file(models, tmp_path, kind):
    with pytest.raises(InputError, match=f"is of the kind '{kind}'; only decoders have a GGUF export"):
        export(models(kind), "gguf", tmp_path / "out")


def test_another_kind_of_tokenizer_is_refused(models, tmp_path):
    shutil.copytree(models("decoder"), tmp_path / "model")
    tokenizer = json.loads((tmp_path / "model/tokenizer.json").read_text())
    tokenizer["decoder"] = {"type": "WordPiece", "prefix": "##", "cleanup": True}
    (tmp_path / "model/tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(InputError, match="its tokenizer is no byte-level BPE"):
        export(tmp_path / "model", "gguf", tmp_path / "out")
