"""The model card says what the corpus and the training say."""

import json
import shutil

import pytest
import yaml

from corpusmill.corpus import checksum_of
from corpusmill.export.card import model_card
from corpusmill.export.data import data_card
from corpusmill.export.folder import ModelFolder
from corpusmill.export.formats import Request
from tests.export.conftest import LICENCES
from tests.train.conftest import token_documents


def card(model, corpus=None):
    request = Request(path=model, out=model, corpus=corpus, progress=print)
    return model_card(ModelFolder.of(request), "hf")


def test_the_data_is_counted(corpus):
    rows, found = token_documents(corpus), data_card(corpus)
    for each in found.sources:
        own = [row for row in rows if row["source"] == each["name"]]
        assert each["documents"] == len(own)
        assert each["held_out"] == sum(row["split"] == "validation" for row in own)
        assert (each["bytes"], each["tokens"]) == (sum(r["n_bytes"] for r in own), sum(r["n_tokens"] for r in own))
    assert {each["name"]: each["documents"] for each in found.languages} == {"en": 60, "zh": 30}
    assert {each["name"]: each["documents"] for each in found.licences} == {LICENCES["en"]: 60, None: 30}
    assert found.recipe == checksum_of(b"# a recipe\n")


def test_the_card_has_data_settings_and_figures(models, corpus):
    text = card(models("decoder"))
    head = yaml.safe_load(text.split("---")[1])
    assert head == {
        "library_name": "transformers", "pipeline_tag": "text-generation", "language": ["en", "zh"],
        "tags": ["corpusmill"],
    }  # fmt: skip
    assert "| CC\\|BY \\*4.0\\* | 60 |" in text
    assert "| unknown | 30 |" in text
    assert f"| recipe.toml | {data_card(corpus).recipe} |" in text
    assert "| optimizer.matrix_learning_rate | 0.02 |" in text
    result = json.loads((models("decoder") / "receipt.json").read_text())["result"]
    assert f"| validation_loss | {result['validation_loss']:.6g} |" in text
    assert "| validation_bits_per_byte | zh |" in text


def test_a_corpus_that_has_changed_is_not_described(models, corpus, tmp_path):
    shutil.copytree(corpus, tmp_path / "corpus")
    moved = tmp_path / "corpus/models/decoder"
    models("decoder")
    plan = json.loads((moved / "plan.json").read_text())
    (moved / "plan.json").write_text(json.dumps({**plan, "fingerprint": "0" * 32}))
    text = card(moved)
    assert "The data is unknown:" in text
    assert "has other tokens now than those that the model was trained on" in text
    assert "| recipe.toml |" not in text


def test_a_model_elsewhere_needs_the_name_of_its_corpus(models, corpus, tmp_path):
    shutil.copytree(models("decoder"), tmp_path / "elsewhere")
    assert "name its corpus with --corpus" in card(tmp_path / "elsewhere")
    assert "| zh | 30 |" in card(tmp_path / "elsewhere", corpus)


@pytest.mark.parametrize("content", ["", "[]", "{"])
def test_a_damaged_config_is_one_sentence(models, tmp_path, content):
    shutil.copytree(models("decoder"), tmp_path / "model")
    (tmp_path / "model/config.json").write_text(content)
    with pytest.raises(Exception, match=r"config\.json: (cannot be read|is no JSON object)"):
        card(tmp_path / "model")
