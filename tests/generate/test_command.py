"""`corpusmill generate` and `corpusmill fill`, as users call them."""

import io
import json
import sys

import pytest

from corpusmill.cli import main
from corpusmill.generate.run import generate
from corpusmill.generate.settings import Sampling


@pytest.fixture
def command(monkeypatch, capsys):
    """Run a command; returns exit code, standard output, standard error."""

    def run(*arguments, stdin=""):
        monkeypatch.setattr(sys, "argv", ["corpusmill", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
        return code, *capsys.readouterr()

    return run


def test_prompt_and_continuation_are_printed(command, models):
    model = models("decoder")
    code, out, _ = command("generate", model, "今天天气", "--max-tokens", 12, "--temperature", 0)
    assert code == 0
    assert out == "今天天气" + "".join(generate(model, "今天天气", Sampling(max_tokens=12, temperature=0))) + "\n"


def test_prompts_of_a_file_are_answered_in_order(command, models, tmp_path):
    rows = [{"prompt": "red fox", "id": 3}, {"prompt": "今天天气很好。"}, {"prompt": ""}]
    (tmp_path / "p.jsonl").write_text("\n\n".join(json.dumps(row) for row in rows))
    options = ("--max-tokens", 9, "--temperature", 0, "--batch-size", 2)
    code, out, _ = command("generate", models("decoder"), "--prompts", tmp_path / "p.jsonl", *options)
    answers = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [{name: each[name] for name in row} for each, row in zip(answers, rows, strict=True)] == rows
    for each in answers:
        alone = command("generate", models("decoder"), each["prompt"], "--json", *options[:4])[1]
        assert json.loads(alone) | {"id": each.get("id")} == each | {"id": each.get("id")}
    stdin = "\ufeff" + "".join(json.dumps(row) + "\r\n" for row in rows)
    assert command("generate", models("decoder"), "--prompts", "-", *options, stdin=stdin)[1] == out
    (tmp_path / "p.jsonl").write_text(stdin, "utf-8")  # as Windows writes it
    assert command("generate", models("decoder"), "--prompts", tmp_path / "p.jsonl", *options)[1] == out


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"prompt": "a"}\n{"prompt": ', "line 2 is no JSON"),
        ("[]", "line 1 is no JSON object"),
        ('{"text": "a"}', 'prompt 1: "prompt" is missing, or is no string'),
        ('{"prompt": 3}', 'prompt 1: "prompt" is missing, or is no string'),
    ],
)
def test_a_wrong_line_is_named_before_anything_is_printed(command, models, tmp_path, content, message):
    (tmp_path / "p.jsonl").write_text(content)
    code, out, error = command("generate", models("decoder"), "--prompts", tmp_path / "p.jsonl")
    assert (code, out) == (2, "")
    assert message in " ".join(error.split())


def test_a_file_that_is_no_text(command, models, tmp_path):
    (tmp_path / "p.jsonl").write_bytes(b"\xff\xfe{")
    assert command("generate", models("decoder"), "--prompts", tmp_path / "p.jsonl")[0] == 2
    assert command("generate", models("decoder"), "--prompts", tmp_path / "none.jsonl")[0] == 2
    assert command("generate", models("decoder"), "--prompts", tmp_path)[0] == 2


def test_arguments_that_do_not_go_together(command, models):
    assert "give either a PROMPT or --prompts" in command("generate", models("decoder"))[2]
    assert "give either a PROMPT" in command("generate", models("decoder"), "a", "--prompts", "-")[2]
    assert "--system needs --chat" in command("generate", models("decoder"), "a", "--system", "b")[2]
    assert "has no chat template" in " ".join(command("generate", models("decoder"), "a", "--chat")[2].split())


def test_an_empty_file_gives_nothing(command, models):
    assert command("generate", models("decoder"), "--prompts", "-", stdin="")[:2] == (0, "")


def test_fill(command, models):
    code, out, _ = command("fill", models("encoder"), "red fox [MASK] home. blue elk runs home.", "--top", 2)
    lines = out.splitlines()
    assert code == 0
    assert lines[0] == "mask 1:"
    assert lines[1].endswith("  ' runs'")
    assert lines[3] == "red fox runs home. blue elk runs home."
    found = json.loads(command("fill", models("encoder"), "red fox [MASK] home. blue elk runs home.", "--json")[1])
    assert [len(each) for each in found["masks"]] == [5]
    assert found["masks"][0][0]["text"] == " runs"
