"""The whole run through its front door: same bytes however it is run, balanced books, resumption."""

import json
import shutil
import subprocess
import sys

import pyarrow.parquet as pq
import pytest

import corpusmill
from corpusmill.errors import InputError
from corpusmill.reasons import Stage
from tests.pipelines.conftest import RECIPE, TIMEOUT_S, checksums, command, documents, write_jsonl


def test_the_books_balance(finished):
    _, books = finished
    assert books.pages == 120 == books.docs + sum(books.dropped.values())
    assert books.dropped[Stage.VERDICTS] >= 5
    assert books.dropped[Stage.TWINS] >= 20
    assert books.tokens > 0


def test_every_row_of_docs_is_a_row_of_tokens(finished):
    project, _ = finished
    for path in (project / "corpus/docs").glob("*.parquet"):
        docs, tokens = pq.read_table(path), pq.read_table(project / "corpus/tokens" / path.name)
        assert docs["doc_id"].to_pylist() == tokens["doc_id"].to_pylist()
        assert tokens["n_bytes"].to_pylist() == [len(t.encode()) for t in docs["text"].to_pylist()]


def test_what_leaves_is_masked(finished):
    project, _ = finished
    for path in (project / "corpus/docs").glob("*.parquet"):
        assert "someone@example.org" not in "".join(pq.read_table(path)["text"].to_pylist())


def test_token_rows_decode_to_the_documents(finished):
    project, books = finished
    corpus = corpusmill.open(project / "corpus")
    texts = {}
    for part in corpus.parts(Stage.DOCS):
        table = corpus.read(Stage.DOCS, part)
        texts |= dict(zip(table["doc_id"].to_pylist(), table["text"].to_pylist(), strict=True))
    rows = list(corpus.token_rows())
    assert sum(len(row.ids) for row in rows) == books.tokens
    assert {row.doc_id: corpus.decode(row) for row in rows} == texts
    assert {r.doc_id for r in corpus.token_rows("train")} | {r.doc_id for r in corpus.token_rows("validation")} == set(
        texts
    )


def test_pages_go_through_the_extractor(tmp_path):
    (tmp_path / "in").mkdir()
    for number, row in enumerate(documents(6, seed=2)):
        paragraphs = "".join(f"<p>{text}</p>" for text in row["text"].split("\n\n"))
        page = f"<nav><a href=/>Home page</a></nav><article><h1>News {number}</h1>{paragraphs}</article>"
        (tmp_path / f"in/{number}.html").write_text(page)
    (tmp_path / "recipe.toml").write_text(RECIPE.replace("jsonl", "html"))
    subprocess.run(command(tmp_path), check=True, capture_output=True, timeout=TIMEOUT_S)
    corpus = corpusmill.open(tmp_path / "corpus")
    texts = [text for part in corpus.parts(Stage.PAGES) for text in corpus.read(Stage.PAGES, part)["text"].to_pylist()]
    assert len(texts) == 6
    assert all(text and "Home page" not in text for text in texts)


@pytest.mark.parametrize("workers", ["2", "4"])
def test_more_workers_in_another_folder_write_the_same_bytes(finished, tmp_path, workers):
    project, _ = finished
    shutil.copytree(project / "in", tmp_path / "in")
    shutil.copy(project / "recipe.toml", tmp_path)
    subprocess.run(command(tmp_path, "--workers", workers), check=True, capture_output=True, timeout=TIMEOUT_S)
    assert checksums(tmp_path / "corpus") == checksums(project / "corpus")


def test_a_finished_run_does_nothing_and_imports_nothing_heavy(finished):
    project, books = finished
    code = (
        "import sys\nfrom corpusmill.pipelines import supervise\n"
        "outcome = supervise.run(sys.argv[1], sys.argv[2])\nassert not outcome.worked\nprint(outcome.books.docs)\n"
        "heavy = {'apache_beam', 'numba', 'numpy', 'pyarrow', 'duckdb', 'torch', 'aiohttp'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, project / "recipe.toml", project / "corpus"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert ran.stdout.split() == [str(books.docs)]
    assert "nothing to do" in ran.stderr


def receipts(corpus):
    """When each part was made."""
    return {p: json.loads(p.read_bytes())["finished_at"] for p in corpus.glob("*/_receipts/[!_]*.json")}


def test_a_changed_setting_recomputes_only_what_depends_on_it(finished, tmp_path):
    project, _ = finished
    shutil.copytree(project, tmp_path, dirs_exist_ok=True)
    before = receipts(tmp_path / "corpus")
    recipe = (tmp_path / "recipe.toml").read_text()
    (tmp_path / "recipe.toml").write_text(recipe.replace("vocab_size = 500", "vocab_size = 400"))
    corpusmill.run(tmp_path / "recipe.toml", tmp_path / "corpus", workers=1)
    renewed = {p.parents[1].name for p, t in receipts(tmp_path / "corpus").items() if before.get(p) != t}
    assert renewed == {"tokenizer", "tokens", "vocabulary"}


def test_a_new_file_renames_nothing_and_equals_a_rebuild(finished, tmp_path):
    project, _ = finished
    shutil.copytree(project, tmp_path, dirs_exist_ok=True)
    before = receipts(tmp_path / "corpus")
    write_jsonl(tmp_path / "in/0.jsonl", documents(10, seed=7))
    corpusmill.run(tmp_path / "recipe.toml", tmp_path / "corpus", workers=1)
    renewed = {p for p, t in receipts(tmp_path / "corpus").items() if p in before and before[p] != t}
    assert {p.parents[1].name for p in renewed} <= {"twins", "split", "docs", "tokenizer", "tokens", "vocabulary"}
    corpusmill.run(tmp_path / "recipe.toml", tmp_path / "rebuilt", workers=1)
    assert checksums(tmp_path / "corpus") == checksums(tmp_path / "rebuilt")


def test_a_file_that_left_takes_its_parts_along(finished, tmp_path):
    project, _ = finished
    shutil.copytree(project, tmp_path, dirs_exist_ok=True)
    (tmp_path / "in/b.jsonl").unlink()
    outcome = corpusmill.run(tmp_path / "recipe.toml", tmp_path / "corpus", workers=1)
    assert outcome.books.pages == 70
    assert not list((tmp_path / "corpus").glob("*/web-b-*"))


def test_a_trial_may_grow_and_a_corpus_may_not_shrink_to_a_trial(finished, tmp_path):
    project, books = finished
    shutil.copytree(project / "in", tmp_path / "in")
    shutil.copy(project / "recipe.toml", tmp_path)
    trial = corpusmill.run(tmp_path / "recipe.toml", tmp_path / "corpus", workers=1, limit=12)
    assert trial.books.pages == 12
    whole = corpusmill.run(tmp_path / "recipe.toml", tmp_path / "corpus", workers=1)
    assert whole.books == books
    assert checksums(tmp_path / "corpus") == checksums(project / "corpus")
    with pytest.raises(InputError, match="give another --corpus for a trial"):
        corpusmill.run(tmp_path / "recipe.toml", tmp_path / "corpus", workers=1, limit=12)
