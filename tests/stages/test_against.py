"""Deduplication against other corpora, through the whole chain."""

from random import Random

import pyarrow as pa
import pytest

from corpusmill.corpus import Corpus
from corpusmill.errors import InputError, RunError
from corpusmill.reports.catalog import build, open_catalog, rows_of
from corpusmill.reports.why import render, why
from corpusmill.stages.against import guests
from tests.pipelines.conftest import paragraph, write_jsonl

from .plain import job_of, run_plainly

RULES = {"filters": {"profiles": ["none"]}, "tokenizer": {"vocab_size": 300}, "run": {"slice_bytes": 4_096}}


def recipe(*patterns, **dedup):
    source = {"name": "notes", "kind": "jsonl", "paths": list(patterns)}
    return {"sources": [source], "dedup": dedup, **RULES}


def rows_in(corpus, stage):
    store = Corpus(corpus)
    parts = [store.read(stage, part) for part in sorted(store.receipts(stage))]
    return pa.concat_tables(parts).to_pylist()


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Three corpora: `first`, `second`, and `new`, which repeats documents of both."""
    folder = tmp_path_factory.mktemp("against")
    random = Random(3)
    texts = ["\n\n".join(paragraph(random) for _ in range(4)) for _ in range(60)]
    write_jsonl(folder / "first.jsonl", [{"text": text} for text in texts[:20]])
    write_jsonl(folder / "second.jsonl", [{"text": text} for text in texts[20:40]])
    repeated = [*texts[:5], texts[6] + " One more sentence stands here.", *texts[20:23]]
    write_jsonl(folder / "new.jsonl", [{"text": text} for text in [*repeated, *texts[40:]]])
    for name in ("first", "second"):
        run_plainly(job_of(recipe(f"{name}.jsonl"), folder, name))
    return folder, texts


def against(*names):
    return [{"corpus": name, "name": f"the-{name}"} for name in names]


def test_what_other_corpora_have_is_dropped_with_their_name(project):
    folder, texts = project
    job = job_of(recipe("new.jsonl", against=against("first", "second")), folder, "new")
    run_plainly(job)
    assert {row["text"] for row in rows_in(folder / "new", "docs")} == {*texts[40:]}
    dropped = [row for row in rows_in(folder / "new", "twins") if row["rule"] is not None]
    assert sorted(row["twin_corpus"] for row in dropped) == ["the-first"] * 6 + ["the-second"] * 3
    (near,) = [row for row in dropped if row["rule"] == "near_duplicate"]
    in_first = {row["doc_id"]: row["text"] for row in rows_in(folder / "first", "docs")}
    assert in_first[near["twin_doc_id"]] == texts[6]
    assert 0.75 <= near["jaccard"] < 1

    build(folder / "new")
    with open_catalog(folder / "new") as catalog:
        (row,) = rows_of(catalog, "FROM ledger WHERE doc_id = ?", [near["doc_id"]])
    assert (row["stage"], row["twin_corpus"], row["twin_doc_id"]) == ("twins", "the-first", near["twin_doc_id"])
    assert "in the corpus 'the-first'" in render(why(folder / "new", near["doc_id"]))


def test_any_order_of_work_gives_the_same_and_nothing_is_written_there(project):
    folder, _ = project
    before = {path: path.stat().st_mtime_ns for path in (folder / "first").rglob("*") if path.is_file()}
    data = recipe("new.jsonl", against=against("second", "first"))
    for name, order in (("forwards", 1), ("backwards", -1)):
        run_plainly(job_of(data, folder, name), order=order, until="twins")
    assert rows_in(folder / "forwards", "twins") == rows_in(folder / "backwards", "twins")
    assert {path: path.stat().st_mtime_ns for path in (folder / "first").rglob("*") if path.is_file()} == before


def test_without_own_parts_that_match_there_is_nothing(project):
    folder, _ = project
    run_plainly(job_of(recipe("second.jsonl", against=against("first")), folder, "apart"), until="twins")
    assert rows_in(folder / "apart", "twins") == []


def test_a_corpus_that_grew_is_compared_again(project):
    folder, texts = project
    write_jsonl(folder / "grows.jsonl", [{"text": text} for text in texts[:2]])
    run_plainly(job_of(recipe("grows.jsonl"), folder, "grows"))
    data = recipe("new.jsonl", against=against("grows"))
    run_plainly(job_of(data, folder, "later"), until="docs")
    assert len(rows_in(folder / "later", "docs")) == 27
    pinned = job_of(data, folder, "later")
    assert pinned.files
    write_jsonl(folder / "grows.jsonl", [{"text": text} for text in texts[:4]])
    run_plainly(job_of(recipe("grows.jsonl"), folder, "grows"))
    with pytest.raises(RunError, match="has changed since the run began"):
        guests(pinned)
    run_plainly(job_of(data, folder, "later"), until="docs")
    assert len(rows_in(folder / "later", "docs")) == 25


@pytest.mark.parametrize(
    ("dedup", "said"),
    [
        ({"against": against("nowhere")}, "is no corpus with documents"),
        ({"against": against("second")}, "is the corpus itself"),
        ({"against": against("first"), "ngram": 4}, "made with other settings"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(project, dedup, said):
    folder, _ = project
    with pytest.raises(InputError, match=said):
        run_plainly(job_of(recipe("new.jsonl", **dedup), folder, "second"), until="twins")


def test_two_corpora_of_one_name_are_refused(project):
    folder, _ = project
    with pytest.raises(InputError, match="two corpora have the same name"):
        job_of(recipe("new.jsonl", against=[*against("first"), *against("first")]), folder, "itself")
