"""The recipe with a small file of each kind of source is milled, and every kind is in it."""

import shutil
import tomllib
from pathlib import Path

import pytest

from corpusmill.collect.formats import FORMATS
from corpusmill.recipe import load
from corpusmill.reports.catalog import open_catalog
from examples.every_kind import write
from tests.stages.plain import job_of, run_plainly

RECIPE = Path(__file__).parents[2] / "recipes/every-kind.toml"
ELSEWHERE = {"crawl"}  # it needs servers: docs/tutorial.md and examples/ have one


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kinds")
    write(folder)
    shutil.copy(RECIPE, folder)
    data = tomllib.loads(RECIPE.read_text("utf-8"))
    assert load(folder / RECIPE.name).sources
    job = job_of(data, folder)
    run_plainly(job, until="pages")
    return job


def test_every_kind_is_in_the_recipe(job):
    assert {source.kind for source in job.recipe.sources} >= set(FORMATS) - ELSEWHERE


def test_every_source_has_its_text(job):
    with open_catalog(job.corpus.folder) as catalog:
        rows = catalog.sql("FROM pages SELECT source, text, status, licence, url, origin_path ORDER BY ALL").fetchall()
    assert {status for _, _, status, *_ in rows} == {"ok"}
    texts: dict[str, list[str]] = {}
    for source, text, *_ in rows:
        texts.setdefault(source, []).append(text)
    assert {source: len(found) for source, found in texts.items()} == {
        "warc": 4, "listed": 1, "wet": 1, "wat": 1, "common-crawl": 1, "lines": 1, "chats": 1, "csv": 2, "arrow": 1,
        "dataset": 1, "html": 1, "markdown": 1, "rst": 1, "latex": 1, "text": 1, "code": 1, "letters": 2,
        "wiki": 1, "books": 1, "word": 1, "pdf": 1, "news": 1, "mail": 1, "threads": 1, "pairs": 1,
    }  # fmt: skip
    for source, kind in {
        "wet": "wet", "wat": "wat", "common-crawl": "warc", "lines": "jsonl", "chats": "parquet", "arrow": "arrow",
        "dataset": "dataset", "html": "html", "markdown": "markdown", "rst": "rst", "latex": "latex", "code": "code",
        "listed": "warc.zst", "wiki": "wikipedia", "books": "epub", "word": "docx", "pdf": "pdf", "news": "feed",
        "mail": "mbox", "threads": "stackexchange", "pairs": "tmx",
    }.items():  # fmt: skip
        assert f"a file of the kind {kind}." in texts[source][0], source
    assert texts["chats"][0].startswith("user: What is this?\n\nassistant: This text")
    licences = {source: licence for source, _, _, licence, *_ in rows}
    assert licences["csv"] == "CC0-1.0"
    assert (licences["code"], licences["markdown"], licences["rst"]) == ("Apache-2.0", "CC-BY-4.0", "CC-BY-4.0")
