"""What docs/architecture.md says of adding a stage, a grouping, an edit and a format: its examples, run."""

import re
from collections import Counter
from pathlib import Path

import pytest

from corpusmill.collect.formats import FORMATS
from corpusmill.reports.catalog import open_catalog
from corpusmill.stages import state
from corpusmill.stages.chain import Chain, chain_of
from corpusmill.stages.planning import read_plan
from tests.pipelines.conftest import documents
from tests.stages.plain import job_of, run_plainly

DOC = (Path(__file__).parents[2] / "docs/architecture.md").read_text("utf-8")


def example(heading: str) -> str:
    """The code under a heading of the document."""
    section = DOC.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    (code,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    return code


def run(code: str) -> dict:
    names: dict = {"__name__": "example"}
    exec(compile(code, "docs/architecture.md", "exec"), names)
    return names


@pytest.fixture
def project(tmp_path):
    """Tables, and a module with an edit."""
    (tmp_path / "in").mkdir()
    rows = documents(60)
    for name, part in (("a", rows[:30]), ("b", rows[30:])):
        lines = ['"{}"|"{}"'.format(row["text"], row["url"]) for row in part]
        (tmp_path / f"in/{name}.psv").write_text("\n".join(["text|url", *lines]) + "\n")
    signed = '"A letter of many words to somebody who reads it.\n-- \nsomebody@example.org"|http://a.example/'
    (tmp_path / "in/c.psv").write_text(f"text|url\n{signed}\n")
    (tmp_path / "mine.py").write_text(example("Add an edit"))
    return tmp_path


@pytest.fixture
def job(project, monkeypatch):
    """A run over them, with the added stages at the end of the list."""
    monkeypatch.setitem(FORMATS, "psv", run(example("Add a format"))["Pipes"]())
    added = run(example("Add a stage"))["PARAGRAPHS"], run(example("Add a grouping"))["LINES"]
    chain_before = Chain.of
    monkeypatch.setattr(Chain, "of", lambda job: Chain((*chain_before(job).stages, *added)))
    recipe = {
        "modules": ["mine.py"],
        "sources": [{"name": "tables", "kind": "psv", "paths": ["in"]}],
        "filters": {"profiles": ["none"]},
        "tokenizer": {"vocab_size": 400},
    }
    job = job_of(recipe, project)
    run_plainly(job)
    return job


def test_an_added_format_edit_stage_and_grouping_work_as_the_others_do(job):
    slices = read_plan(job.corpus)
    assert state.unfinished(job, slices, None) is None
    assert state.balance(job, slices).pages == 61
    with open_catalog(job.corpus.folder) as catalog:
        texts = dict(catalog.sql("FROM docs SELECT doc_id, text").fetchall())
        paragraphs = dict(catalog.sql("FROM paragraphs SELECT doc_id, n").fetchall())
        repeated = dict(catalog.sql("FROM lines SELECT doc_id, n_repeated").fetchall())
        (signed,) = catalog.sql("FROM pages SELECT text WHERE url = 'http://a.example/'").fetchall()
    assert paragraphs == {doc_id: 1 + text.count("\n\n") for doc_id, text in texts.items()}
    lines = Counter(line for text in texts.values() for line in text.splitlines())
    expected = {doc_id: sum(lines[line] > 1 for line in text.splitlines()) for doc_id, text in texts.items()}
    assert repeated == {doc_id: n for doc_id, n in expected.items() if n}
    assert repeated
    assert "somebody@example.org" in signed[0]
    assert "A letter of many words to somebody who reads it." in texts.values()


def test_a_grouping_takes_its_parts_in_any_order(job, project):
    again = job_of(job.recipe.model_dump(mode="json"), project, "again")
    run_plainly(again, order=-1)
    for stage in chain_of(job):
        for part in job.corpus.parts(stage.name):
            assert job.corpus.receipt(stage.name, part).checksum == again.corpus.receipt(stage.name, part).checksum
