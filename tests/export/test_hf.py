"""A folder that HF transformers loads: the same scores, the same ids, the same text."""

import json
import shutil

import pyarrow.parquet as pq
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, AutoTokenizer, ModernBertConfig, pipeline
from transformers import ModernBertForSequenceClassification as Classifier

from corpusmill.errors import InputError, RunError
from corpusmill.export.formats import export
from corpusmill.generate.fill import fill
from corpusmill.generate.run import generate
from corpusmill.generate.settings import Sampling
from corpusmill.train.trained import load

CLOSE = {"rtol": 0, "atol": 1e-4}


@pytest.mark.parametrize("kind", ["decoder", "untied"])
def test_a_decoder_gives_the_same_scores_and_text(models, tmp_path, kind):
    exported = export(models(kind), "hf", tmp_path / "out")
    ours, theirs = load(models(kind)), AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    ids = torch.tensor(tokenizer(["今天天气很好。 red fox runs"])["input_ids"])
    assert ids[0].tolist() == [ours.boundary, *ours.encode("今天天气很好。 red fox runs")]
    with torch.no_grad():
        torch.testing.assert_close(ours.model(ids), theirs(ids).logits, **CLOSE)
    (figure,) = (each for each in exported.figures if each.metric == "largest_difference")
    assert 0 < figure.value < 1e-4
    generator = pipeline("text-generation", str(tmp_path / "out"), device="cpu")
    out = generator("red fox", max_new_tokens=15, do_sample=False, return_full_text=False)
    assert out[0]["generated_text"] == "".join(generate(ours, "red fox", Sampling(temperature=0, max_tokens=15)))


def test_an_encoder_gives_the_same_scores_and_fills_the_same_masks(models, tmp_path):
    export(models("encoder"), "hf", tmp_path / "out")
    ours = load(models("encoder"))
    theirs, info = AutoModelForMaskedLM.from_pretrained(tmp_path / "out", output_loading_info=True)
    assert not any(info[name] for name in ("missing_keys", "unexpected_keys", "mismatched_keys"))  # no head `order`
    text = "red [MASK] runs home. green 今天[MASK] home."
    filled = fill(ours, text, top=3)
    theirs = pipeline("fill-mask", str(tmp_path / "out"), top_k=3, device="cpu")(text)
    for candidates, expected in zip(filled.masks, theirs, strict=True):
        assert [each.text for each in candidates] == [each["token_str"] for each in expected]
        assert [each.probability for each in candidates] == pytest.approx(
            [each["score"] for each in expected], rel=1e-3
        )


@pytest.mark.parametrize("kind", ["encoder-decoder", "lstm"])
def test_what_transformers_does_not_have_is_refused(models, tmp_path, kind):
    with pytest.raises(InputError, match=f"transformers has no class for our {kind}"):
        export(models(kind), "hf", tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_a_fine_tuned_model_is_copied_with_its_config(models, tmp_path):
    config = ModernBertConfig(
        vocab_size=320, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2,
        id2label={0: "bad", 1: "good"}, pad_token_id=0, bos_token_id=0, eos_token_id=0, cls_token_id=0, sep_token_id=0,
    )  # fmt: skip
    model = tmp_path / "tuned"
    Classifier(config).save_pretrained(model)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(models("encoder") / name, model)
    export(model, "hf", tmp_path / "out")
    for name in ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"):
        assert (tmp_path / "out" / name).read_bytes() == (model / name).read_bytes()
    assert "ModernBertForSequenceClassification" in (tmp_path / "out/README.md").read_text()
    assert Classifier.from_pretrained(tmp_path / "out").config.id2label == {0: "bad", 1: "good"}


def test_weights_that_do_not_fit_are_refused(models, tmp_path):
    shutil.copytree(models("decoder"), tmp_path / "model")
    config = json.loads((tmp_path / "model/config.json").read_text())
    (tmp_path / "model/config.json").write_text(json.dumps({**config, "num_hidden_layers": 3}))
    with pytest.raises(RunError, match="transformers does not load all weights"):
        export(tmp_path / "model", "hf", tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_scores_that_differ_are_refused(models, tmp_path):
    shutil.copytree(models("decoder"), tmp_path / "model")
    config = json.loads((tmp_path / "model/config.json").read_text())
    config["rope_scaling"] = {"rope_type": "linear", "factor": 2.0}  # transformers uses it, and we do not
    (tmp_path / "model/config.json").write_text(json.dumps(config))
    with pytest.raises(RunError, match="the scores of transformers differ from the model's by"):
        export(tmp_path / "model", "hf", tmp_path / "out")


def test_figures_are_added_to_those_of_earlier_exports(models, tmp_path):
    file = models("untied") / "exports.parquet"
    before = pq.read_table(file).num_rows if file.exists() else 0
    exported = [export(models("untied"), "hf", tmp_path / name) for name in ("one", "two")]
    rows = pq.read_table(file).to_pylist()[before:]
    assert [row["folder"] for row in rows] == [str(tmp_path / "one")] * 2 + [str(tmp_path / "two")] * 2
    assert rows[0]["metric"] == "bytes"
    assert rows[0]["value"] == sum(path.stat().st_size for path in (tmp_path / "one").iterdir())
    assert exported[0].files == {path.name: path.stat().st_size for path in sorted((tmp_path / "one").iterdir())}


def test_what_is_no_model(tmp_path, models):
    with pytest.raises(InputError, match="there is no such folder"):
        export(tmp_path / "none", "hf", tmp_path / "out")
    with pytest.raises(InputError, match=r"is neither a trained model, which has a config\.json, nor a corpus"):
        export(tmp_path, "hf", tmp_path / "out")
    with pytest.raises(InputError, match="there is no format 'pdf' for a model; there are hf, onnx, int8, gguf"):
        export(models("decoder"), "pdf", tmp_path / "out")
    (tmp_path / "file").write_text("kept")
    with pytest.raises(InputError, match="exists; give another --out"):
        export(models("decoder"), "hf", tmp_path / "file")
