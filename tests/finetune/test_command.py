"""finetune, predict and embed as a user runs them; the figures are in the catalog and the report."""

import io
import json
import sys
from pathlib import Path

import pytest

from corpusmill.cli import main
from corpusmill.reports.catalog import open_catalog
from corpusmill.reports.page import write_report
from tests.finetune.conftest import tune

CONFIG = """
[finetune]
epochs = 2
rows_per_step = 8
[finetune.optimizer]
learning_rate = 0.003
"""


@pytest.fixture
def command(monkeypatch, capsys):
    """Run a command; returns its output, or its exit code and message if it fails."""

    def run(*arguments, given=""):
        monkeypatch.setattr(sys, "argv", ["corpusmill", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given.encode())))
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code
        captured = capsys.readouterr()
        return captured.out if not code else (code, captured.err)

    return run


def test_tune_predict_and_ask(command, base, data, corpus, tmp_path):
    model = base("encoder", 10)
    (tmp_path / "c.toml").write_text(CONFIG)
    options = ("--task", "classification", "--config", tmp_path / "c.toml", "--out", "tuned")
    shown = command("finetune", model, data("sentiment-zh", 60), *options)
    assert "examples: 41 train, 6 validation, 13 test" in shown
    assert "f1_macro" in shown
    assert f"model: {corpus}/models/tuned" in shown
    again = json.loads(command("finetune", model, data("sentiment-zh", 60), *options, "--json"))
    assert (again["trained"], again["task"], again["steps"]) == (False, "classification", 12)
    lines = '{"text": "今天的汤很好看。", "id": "a"}\n{"text": "b"}\n'
    first, second = map(json.loads, command("predict", corpus / "models" / "tuned", given=lines).splitlines())
    assert first["id"] == "a"
    assert set(second["probabilities"]) == {"正面", "负面"}
    assert (
        json.loads(command("predict", corpus / "models" / "tuned", "--text", "今天的汤很好看。"))["label"]
        == first["label"]
    )
    (tmp_path / "in.jsonl").write_text(lines)
    assert len(command("predict", corpus / "models" / "tuned", tmp_path / "in.jsonl").splitlines()) == 2
    shown = command("embed", model, tmp_path / "in.jsonl", "--out", tmp_path / "v.parquet")
    assert shown == f"2 vectors: {tmp_path}/v.parquet\n"


def test_the_figures_are_in_the_catalog_and_the_report(base, data, corpus):
    result = tune(
        base("encoder", 10), data("classification", 60), "classification", corpus / "models" / "seen", steps=3
    )
    with open_catalog(corpus) as catalog:
        rows = catalog.execute(
            "SELECT metric, class, value, baseline, n FROM finetune_metrics WHERE model = 'seen' AND part = 'test'"
        ).fetchall()
        losses = catalog.execute("SELECT count(*) FROM metrics WHERE model = 'seen' AND metric = 'validation_loss'")
        assert losses.fetchone() == (2,)
    assert sorted(rows, key=str) == sorted(
        [(f.metric, f.class_, f.value, f.baseline, f.n) for f in result.figures], key=str
    )
    report = Path(write_report(corpus)).read_text("utf-8")
    assert "Fine-tuned models" in report
    assert "seen · f1_macro" in report


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("finetune", "{model}", "{data}", "--out", "x"), "the task is not named; --task can be: classification,"),
        (("finetune", "{tmp}", "{data}", "--task", "tokens", "--out", "x"), "has no config.json|is no JSON|key 'text'"),
        (("finetune", "{model}", "{none}", "--task", "tokens", "--out", "x"), "there is no such file"),
        (("predict", "{model}"), "has no task yet; tune this model first with 'corpusmill finetune'"),
        (("finetune", "{model}", "{data}", "--task", "tokens", "--out", ""), "--out '' names no folder of its own"),
        (("predict", "{tmp}"), "is no model"),
        (("embed", "{model}", "{data}", "--out", "{none}/v"), "none/v: there is no folder"),
        (("embed", "{model}", "{none}", "--out", "{tmp}/v"), "none: cannot be read: No such file"),
        (("embed", "{tmp}", "--out", "{tmp}/v"), "is no model"),
    ],
)
def test_what_a_user_did_wrong_is_one_sentence(command, base, data, tmp_path, arguments, says):
    names = {"model": base("encoder", 10), "data": data("tokens", 60), "tmp": tmp_path, "none": tmp_path / "none"}
    code, message = command(*(each.format(**names) for each in arguments))
    assert code == 2
    assert len(message.strip().splitlines()[-1:]) == 1
    assert any(part in message for part in says.split("|")) or "is not a trained model" in message


def test_a_tuned_model_does_not_generate(command, base, data, corpus):
    tune(base("decoder", 10), data("classification", 60), "classification", corpus / "models" / "judge", steps=1)
    code, message = command("generate", corpus / "models" / "judge", "a")
    assert code == 2
    assert "this model is tuned for classification; use it with 'corpusmill predict'" in message
