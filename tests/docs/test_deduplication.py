"""The page on deduplication does what it shows, on the pages of a few hosts."""

import tomllib

import pytest

from corpusmill.recipe import dump
from corpusmill.reports.query import run_sql
from tests.docs.markdown import blocks, page, run
from tests.pipelines.conftest import write_jsonl
from tests.stages.plain import job_of, run_plainly
from tests.stages.test_repeats import FOOTER, pages, story

PAGE = page("docs/deduplication.md")
SMALL = {"filters": {"profiles": ["none"]}, "tokenizer": {"vocab_size": 400}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A corpus that the page's recipe made."""
    folder = tmp_path_factory.mktemp("deduplication")
    rows = [*pages(), {"url": "https://example.org/page", "text": f"{story(1000)}\n\n{story(900, 8)}"}]
    write_jsonl(folder / "pages.jsonl", rows)
    made(folder)
    return folder


def made(folder, more=""):
    job = job_of(tomllib.loads(blocks(PAGE, "toml")[0].text + more) | SMALL, folder, "my-corpus")
    run_plainly(job)
    job.corpus.write_text("recipe.toml", dump(job.recipe))


def test_the_queries_show_what_was_cut(folder):
    lines, cuts, lost = (run_sql(folder / "my-corpus", block.text, "csv").decode() for block in blocks(PAGE, "sql"))
    assert FOOTER.format(2000)[:40] in lines
    assert "sentences" in cuts
    assert "repeated_text" in lost


def test_why_shows_the_cuts(folder):
    (console,) = (block for block in blocks(PAGE, "console") if " why " in block.text)
    told = run(console.text.strip(), folder)
    assert "repeated_lines: changed nothing" in told
    assert "repeated_text: " in told


def test_a_query_shows_the_largest_groups(folder):
    (console,) = (block for block in blocks(PAGE, "console") if " sql " in block.text)
    assert "group_id" in run(console.text.strip(), folder)


def test_embeddings_are_read(folder, monkeypatch):
    monkeypatch.chdir(folder)
    exec(blocks(PAGE, "python")[0].text, {})  # the page's own code
    made(folder, blocks(PAGE, "toml")[1].text)
    found = run_sql(folder / "my-corpus", "SELECT count(*) FROM semantic WHERE value >= 0.95", "csv").decode()
    assert int(found.splitlines()[1]) > 0
