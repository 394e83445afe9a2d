"""docs/evaluation.md does what it shows: the planted bad source is found, the queries and commands run."""

import contextlib
import json
import os
import runpy
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from corpusmill.cli import app
from corpusmill.reports.page import write_report
from corpusmill.reports.query import run_sql
from tests.docs.markdown import blocks, check_output, page, run, write_file

PAGE = page("docs/evaluation.md")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the files of the page."""
    folder = tmp_path_factory.mktemp("evaluation")
    for block in blocks(PAGE):
        if block.file is not None:
            write_file(block, folder)
    return folder


MAKING, *ASKING = (block.text for block in blocks(PAGE, "console"))


@pytest.fixture(scope="module")
def made(folder):
    """The corpus and the model."""
    return run(MAKING, folder)


@pytest.fixture(scope="module")
def printed(folder, made):
    """What each console block printed."""
    found = [made]
    for block in blocks(PAGE):
        if block.language == "console" and block.text in ASKING:
            found.append("".join(done(command, folder) for command in block.text.splitlines()))
        elif block.language == "text":
            check_output(block.text, found[-1], numbers=False)
    return found


def done(command, folder):
    """What a command prints.  Those that measure run in this process, which has torch already."""
    words = shlex.split(command)
    if words[:2] not in (["corpusmill", "explain"], ["corpusmill", "evaluate"]):
        return run(command, folder)
    with contextlib.chdir(folder):
        answer = CliRunner().invoke(app, words[1:], catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    return answer.stdout


def test_the_corpus_and_the_model_are_made(made):
    assert "counting trigrams: " in made


def test_the_planted_pages_are_the_worst_of_each_split(folder, printed):
    query = """
        SELECT d.split, contains(l.url, 'planted') AS planted, min(d.loss) AS low, max(d.loss) AS high, count(*) AS n
        FROM document_losses d JOIN ledger l USING (doc_id)
        WHERE d.split <> 'dropped' GROUP BY ALL ORDER BY ALL"""
    rows = json.loads(run_sql(folder / "planted", query, "json"))
    assert [(row["split"], row["planted"]) for row in rows] == [
        (split, planted) for split in ("train", "validation") for planted in (False, True)
    ]
    for good, bad in (rows[:2], rows[2:]):
        assert bad["low"] > good["high"] + 1
    assert sum(row["n"] for row in rows if row["planted"]) == 15


def test_the_queries_answer_what_the_page_says(folder, printed):
    by_rule, signal, steps = (block.text for block in blocks(PAGE, "sql"))
    rows = json.loads(run_sql(folder / "planted", by_rule, "json"))
    assert [row["rule"] for row in rows[:2]] == ["digits", "short"]
    assert {row["language"] for row in rows if row["rule"] == "kept"} >= {"en", "de"}
    ((correlation,),) = [row.values() for row in json.loads(run_sql(folder / "planted", signal, "json"))]
    assert correlation > 0.9
    assert len(json.loads(run_sql(folder / "planted", steps, "json"))) == 3


def test_the_model_beats_its_baselines(folder, printed):
    query = "SELECT metric, arg_max(value, step) AS value FROM metrics WHERE source IS NULL GROUP BY ALL"
    values = {row["metric"]: row["value"] for row in json.loads(run_sql(folder / "planted", query, "json"))}
    assert values["validation_loss"] < values["trigram_validation_loss"] < values["unigram_validation_loss"]


def test_the_python_of_the_page_runs(folder, printed, capsys):
    with contextlib.chdir(folder):
        runpy.run_path("measure.py")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].count("https://de.example/planted-") == 3
    assert int(lines[1]) > 8
    assert lines[2] == "[1.0]"
    report = Path(write_report(folder / "planted")).read_text("utf-8")
    assert 'id="evaluations"' in report
    assert 'id="losses"' in report


def test_lm_eval_runs_a_task_of_our_own(folder, printed):
    os.environ |= {"HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "hf")}
    assert run("python harness.py", folder).splitlines()[-1] == "1.0"
