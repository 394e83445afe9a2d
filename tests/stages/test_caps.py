"""`filters.max_pages_per_host` in a run: the ledger names it, the books balance, duplicates keep their twins."""

import pytest

from corpusmill.recipe import dump
from corpusmill.reports.catalog import open_catalog
from corpusmill.reports.why import render, why
from tests.pipelines.conftest import documents, write_jsonl

from .plain import job_of, run_plainly

PER_HOST = 3


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("caps")
    (folder / "in").mkdir()
    rows = documents(24)
    for number, row in enumerate(rows):
        row["url"] = f"http://h{number % 4}.example/{number}" if number < 20 else None
    rows.append({**rows[0], "url": "http://h1.example/copy"})  # of a page of another host
    for place in range(3):
        write_jsonl(folder / f"in/{place}.jsonl", rows[place::3])
    recipe = {
        "sources": [{"name": "s", "kind": "jsonl", "paths": ["in/*.jsonl"]}],
        "filters": {"profiles": [], "max_pages_per_host": PER_HOST},
        "run": {"slice_bytes": 4_096},
        "tokenizer": {"vocab_size": 400},
    }
    job = job_of(recipe, folder)
    run_plainly(job)
    job.corpus.write_text("recipe.toml", dump(job.recipe))
    backwards = job_of(recipe, folder, "backwards")
    run_plainly(backwards, order=-1)
    for part in job.corpus.parts("docs"):
        for stage in ("caps", "docs"):
            first, second = job.corpus.receipt(stage, part), backwards.corpus.receipt(stage, part)
            assert first.checksum == second.checksum
    return folder / "corpus"


def test_of_each_host_so_many_go_on_and_the_ledger_says_so(corpus):
    with open_catalog(corpus) as catalog:
        counts = catalog.execute(
            "SELECT url_host(url), count(*), count(*) FILTER (stage = 'caps'), "
            "any_value(value) FILTER (stage = 'caps'), any_value(threshold) FILTER (stage = 'caps') "
            "FROM ledger GROUP BY 1 ORDER BY 1 NULLS LAST"
        ).fetchall()
        assert [row[:3] for row in counts] == [
            ("h0.example", 5, 2), ("h1.example", 6, 3), ("h2.example", 5, 2), ("h3.example", 5, 2), (None, 4, 0),
        ]  # fmt: skip
        assert [row[3:] for row in counts[:2]] == [(5.0, 3.0), (6.0, 3.0)]
        shortest_that_stays, longest_that_goes = catalog.execute(
            "SELECT min(s.n_chars) FILTER (l.stage IS DISTINCT FROM 'caps'), max(s.n_chars) FILTER (l.stage = 'caps') "
            "FROM ledger l JOIN sketches s USING (doc_id) WHERE url_host(l.url) = 'h2.example'"
        ).fetchall()[0]
        assert shortest_that_stays >= longest_that_goes
        lost = catalog.execute(
            "SELECT count(*) FROM ledger l JOIN ledger t ON t.doc_id = l.twin_doc_id WHERE NOT t.kept"
        ).fetchall()
        assert lost == [(0,)]
        kept, docs = catalog.execute(
            "SELECT (SELECT count(*) FROM ledger WHERE kept), (SELECT count(*) FROM docs)"
        ).fetchall()[0]
        assert kept == docs
        (gone,) = catalog.execute("SELECT doc_id FROM ledger WHERE stage = 'caps' LIMIT 1").fetchall()[0]
    assert "dropped by max_pages_per_host: the rules keep" in render(why(corpus, gone))
