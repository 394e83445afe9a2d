"""Losses by document, the documents of a step, and what is said when the corpus is another."""

import json
import shutil

import pyarrow.parquet as pq
import pytest

from corpusmill import schema
from corpusmill.errors import InputError
from corpusmill.evaluate import documents as measuring
from corpusmill.evaluate.explain import explain_split, explain_step, render, write_steps
from corpusmill.evaluate.subject import Subject
from corpusmill.reports.query import run_sql
from corpusmill.train import job
from corpusmill.train.trace import documents_of_step
from tests.evaluate.conftest import short
from tests.train.conftest import documents, token_documents, write_tokens


@pytest.fixture
def own(place, tmp_path):
    """The corpus with its models, to be changed."""
    return shutil.copytree(place, tmp_path / "own")


def test_a_split_is_measured_by_document(own):
    found = explain_split(own / "models/decoder", "validation", worst=3)
    rows = pq.read_table(own / "models/decoder/losses.parquet")
    expected = {row["doc_id"]: row for row in token_documents(own) if row["split"] == "validation"}
    assert rows.schema.remove_metadata() == schema.DOCUMENT_LOSSES.arrow
    assert sorted(rows["doc_id"].to_pylist()) == sorted(expected)
    for row in rows.to_pylist():
        told = expected[row["doc_id"]]
        assert (row["n_tokens"], row["n_targets"], row["n_bytes"]) == (
            told["n_tokens"],
            told["n_tokens"],
            told["n_bytes"],
        )
        assert row["source"] == told["source"]
    losses = sorted((row["loss"] for row in rows.to_pylist()), reverse=True)
    assert [each.loss for each in found.documents] == losses[:3]
    (all_,) = found.groups["all"]
    total = sum(row["loss"] * row["n_targets"] for row in rows.to_pylist())
    assert all_.loss.value == pytest.approx(total / sum(row["n_targets"] for row in rows.to_pylist()))
    assert {group.name for group in found.groups["source"]} == {"en", "zh"}
    assert found.changes is None
    assert "by source, the highest loss first" in render(found)


@pytest.mark.parametrize("kind", ["encoder, sentence-order", "encoder-decoder", "lstm"])
def test_other_models_are_measured_too(own, kind):
    found = explain_split(own / "models" / kind, "validation", at_most=4)
    (all_,) = found.groups["all"]
    assert all_.documents <= 4
    assert (all_.bits_per_byte is None) == (kind != "lstm")
    assert 3 < all_.loss.value < 9


def test_what_was_measured_is_not_measured_again(own, monkeypatch):
    model = own / "models/decoder"
    sample = explain_split(model, "train", at_most=5)
    assert explain_split(model, "train", at_most=5) == sample
    before = pq.read_table(model / "losses.parquet").num_rows
    monkeypatch.setattr(measuring, "_losses", None)  # it would fail
    assert explain_split(model, "train", at_most=5) == sample
    monkeypatch.undo()
    explain_split(model, "train", at_most=9)
    assert (before, pq.read_table(model / "losses.parquet").num_rows) == (5, 9)
    shutil.copy(own / "models/lstm/model.safetensors", model / "model.safetensors")
    shutil.copy(own / "models/lstm/config.json", model / "config.json")
    assert explain_split(model, "train", at_most=5).documents != sample.documents


def test_the_documents_of_a_step_are_those_of_its_rows(own):
    found = explain_step(own / "models/decoder", 2)
    expected = documents_of_step(own, short("decoder"), 2)
    assert {each.doc_id for each in found.documents} == {each.doc_id for each in expected}
    for each in found.documents:
        assert each.rows == tuple(dict.fromkeys(d.row for d in expected if d.doc_id == each.doc_id))
    losses = [each.loss for each in found.documents]
    assert losses == sorted(losses, reverse=True)
    assert render(found, 1).startswith("step 2 of decoder: ")
    for step in (0, 3):
        with pytest.raises(InputError, match=rf"has no step {step}; it was trained for 2 steps, from 1"):
            explain_step(own / "models/decoder", step)


def test_the_map_of_steps_is_a_table_of_the_catalog(own):
    path = write_steps(own / "models/decoder", 1, 2)
    rows = pq.read_table(path).to_pylist()
    for step in (1, 2):
        expected = documents_of_step(own, short("decoder"), step)
        found = [(r["row"], r["first"], r["n_tokens"], r["doc_id"], r["source"]) for r in rows if r["step"] == step]
        assert found == [(d.row, d.first, d.n_tokens, d.doc_id, d.source) for d in expected]
    asked = json.loads(run_sql(own, "SELECT model, count(*) AS n FROM step_documents GROUP BY ALL", "json"))
    assert asked == [{"model": "decoder", "n": len(rows)}]
    with pytest.raises(InputError, match="the steps 2-1 are none"):
        write_steps(own / "models/decoder", 2, 1)


def test_a_model_finds_its_corpus(own, tmp_path):
    inside = Subject.of(own / "models/decoder")
    assert inside.corpus() == own
    outside = Subject.of(shutil.copytree(own / "models/decoder", tmp_path / "elsewhere"))
    assert outside.corpus() == outside.trained_on
    assert outside.corpus(own) == own
    plan = json.loads((outside.folder / "plan.json").read_text())
    (outside.folder / "plan.json").write_text(json.dumps(plan | {"corpus": "/nowhere"}))
    with pytest.raises(InputError, match="its corpus is no longer at /nowhere; name it with --corpus"):
        Subject.of(outside.folder).corpus()


def test_a_corpus_that_has_changed_is_told(own):
    write_tokens(own, [documents(40), documents(31, first=40)])
    found = explain_split(own / "models/decoder", "validation")
    assert "the corpus has changed since this model was trained" in found.changes
    assert "note: the corpus has changed" in render(found)
    with pytest.raises(InputError, match="which documents a step had is no longer known"):
        explain_step(own / "models/decoder", 1)


def test_another_version_is_no_other_corpus(own, monkeypatch):
    monkeypatch.setattr(job, "VERSION", 99)
    assert explain_split(own / "models/decoder", "validation").changes is None
    plan = json.loads((own / "models/decoder/plan.json").read_text())
    del plan["data"]
    (own / "models/decoder/plan.json").write_text(json.dumps(plan))
    assert "is of an earlier version" in explain_split(own / "models/decoder", "validation").changes


def test_a_corpus_with_another_tokenizer_is_refused(own):
    path = own / "models/decoder/tokenizer.json"
    tokenizer = json.loads(path.read_text())
    tokenizer["model"]["merges"].pop()
    path.write_text(json.dumps(tokenizer))
    with pytest.raises(InputError, match="its tokenizer is not the one of the model"):
        explain_split(own / "models/decoder", "validation")
    path.write_text("{")
    with pytest.raises(InputError, match=r"tokenizer\.json cannot be read"):
        explain_split(own / "models/decoder", "validation")


def test_a_checkpoint_is_measured_with_the_settings_of_its_training(own):
    model = own / "models/decoder"
    shutil.copytree(model, model / "checkpoint-00000001", ignore=shutil.ignore_patterns("plan.json", "receipt.json"))
    found = explain_split(model / "checkpoint-00000001", "validation")
    assert found.documents == explain_split(model, "validation").documents
    assert (model / "checkpoint-00000001/losses.parquet").is_file()


def test_a_model_without_its_plan_has_losses_but_no_steps(own):
    (own / "models/encoder-decoder/plan.json").unlink()
    assert explain_split(own / "models/encoder-decoder", "validation", at_most=3).documents
    with pytest.raises(InputError, match=r"has no plan\.json that can be read"):
        explain_step(own / "models/encoder-decoder", 1)


def test_a_folder_without_a_model(own, tmp_path):
    with pytest.raises(InputError, match=r"is not a trained model, it has no model\.safetensors"):
        explain_split(own, "validation")
    (tmp_path / "m/checkpoint-00000001").mkdir(parents=True)
    with pytest.raises(InputError, match="its training has not ended; finish it with 'corpusmill train', or give"):
        explain_split(tmp_path / "m", "validation")
    (own / "models/decoder/model.safetensors").write_bytes(b"damaged")
    with pytest.raises(InputError, match="its files are damaged"):
        explain_split(own / "models/decoder", "validation")
