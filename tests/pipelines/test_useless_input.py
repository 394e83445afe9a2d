"""Input of which nothing can be used: the summary says why, and the run does not pass for a good one."""

import json
import subprocess

from tests.pipelines.conftest import TIMEOUT_S, command, documents, write_jsonl

RECIPE = """
[[sources]]
name = "good"
kind = "jsonl"
paths = ["good.jsonl"]

[[sources]]
name = "bad"
kind = "jsonl"
paths = ["bad.jsonl"]

[filters]
profiles = ["none"]
"""


def run(folder, *more):
    return subprocess.run(command(folder, *more), capture_output=True, text=True, timeout=TIMEOUT_S)


def test_a_source_of_which_no_record_can_be_used_is_an_error_with_an_example(tmp_path):
    write_jsonl(tmp_path / "good.jsonl", documents(5, seed=1))
    rows = [{"id": i, "text": None, "body": "a text", "by\x1b[2J": "somebody@example.org"} for i in range(3)]
    write_jsonl(tmp_path / "bad.jsonl", rows)
    (tmp_path / "recipe.toml").write_text(RECIPE)
    for attempt in (["--until", "pages"], [], []):  # the last has nothing to do
        done = run(tmp_path, *attempt)
        assert done.returncode == 1
        assert done.stderr.endswith("corpusmill: no record of source 'bad' could be used; the lines above say why\n")
        assert "  3 could not be used\n    3 no_text_field in source 'bad': it has no text field; " in done.stdout
        assert "such as bad.jsonl, at 0: there are the columns body, by\ufffd[2J, id" in done.stdout
    done = run(tmp_path, "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["pages"], told["unusable"], told["documents"], told["worked"]) == (1, 8, 3, 5, False)
    assert told["reasons"][0]["status"] == "no_text_field"
    rows[1] = {"text": "one that can be used"}
    write_jsonl(tmp_path / "bad.jsonl", rows)
    assert run(tmp_path).returncode == 0


def test_a_column_that_no_file_has_is_an_error_before_anything_is_read(tmp_path):
    write_jsonl(tmp_path / "good.jsonl", documents(5, seed=1))
    write_jsonl(tmp_path / "bad.jsonl", [{"id": i, "body": "a text"} for i in range(3)])
    (tmp_path / "recipe.toml").write_text(RECIPE)
    error = "source 'bad': bad.jsonl: there is no column 'text' for the text; name one of: id, body\n"
    for more in ([], ["--dry-run"]):
        done = run(tmp_path, *more)
        assert done.returncode == 2
        assert done.stderr.endswith(error)
    assert not (tmp_path / "corpus").exists()


def test_a_json_array_says_what_to_do(tmp_path):
    write_jsonl(tmp_path / "good.jsonl", documents(5, seed=1))
    (tmp_path / "bad.jsonl").write_text(' [{"text": "a"},\n {"text": "b"}]\n')
    (tmp_path / "recipe.toml").write_text(RECIPE)
    done = run(tmp_path)
    assert done.returncode == 1
    assert (
        "the file is a JSON array, and JSON lines are wanted: one object a line, as from jq -c '.[]' FILE"
        in done.stdout
    )
