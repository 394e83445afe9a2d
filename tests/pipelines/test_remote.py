"""A corpus on object storage is the same corpus."""

import shutil
import subprocess
import sys

import fsspec
import pytest
from moto.server import ThreadedMotoServer

import corpusmill
from corpusmill.corpus import Corpus
from corpusmill.errors import InputError, TakenOverError
from corpusmill.lease import LEASES, RUN_FILE
from corpusmill.reports.page import write_report
from corpusmill.reports.why import render, why
from tests.pipelines.conftest import TIMEOUT_S, checksums
from tests.s3 import at, new_bucket


@pytest.fixture
def place(monkeypatch):
    """Where a corpus can be made, on a server of the test's own."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    at(server, monkeypatch)
    place = f"s3://{new_bucket()}/corpora/web"
    yield place
    server.stop()
    shutil.rmtree(Corpus(place).workspace, ignore_errors=True)


def copied(place, folder):
    """A bucket's corpus as a folder."""
    fsspec.filesystem("s3").get(place.removeprefix("s3://") + "/", str(folder), recursive=True)
    return folder


def cli(*arguments):
    done = subprocess.run([sys.executable, "-m", "corpusmill", *arguments], capture_output=True, timeout=TIMEOUT_S)
    return done.returncode, (done.stdout + done.stderr).decode()


def test_a_run_into_a_bucket_writes_the_same_files(finished, place, tmp_path):
    project = finished[0]
    for said in ("120 pages in", "nothing to do"):
        code, output = cli("run", str(project / "recipe.toml"), "--corpus", place, "--workers", "2")
        assert code == 0, output
        assert said in output
    assert checksums(copied(place, tmp_path / "copy")) == checksums(project / "corpus")
    corpus = corpusmill.open(place)
    assert corpus.store.entries(LEASES) == {}
    assert corpus.store.entry(RUN_FILE) is None
    local = corpusmill.open(project / "corpus")
    assert corpus.sql("FROM ledger ORDER BY ALL").fetchall() == local.sql("FROM ledger ORDER BY ALL").fetchall()
    assert [row.doc_id for row in corpus.token_rows()] == [row.doc_id for row in local.token_rows()]
    [(doc_id,)] = corpus.sql("FROM docs SELECT doc_id LIMIT 1").fetchall()
    assert "kept" in render(why(place, doc_id))
    assert write_report(place) == f"{place}/report.html"
    assert b"<html" in corpus.store.read("report.html")


def test_a_copy_in_a_folder_goes_on_where_the_bucket_stood(finished, place, tmp_path):
    project = finished[0]
    cli("run", str(project / "recipe.toml"), "--corpus", place, "--workers", "1", "--until", "signals-text")
    copy = copied(place, tmp_path / "copy")
    before = {path: path.stat().st_mtime_ns for path in copy.glob("*/*.parquet")}
    code, output = cli("run", str(project / "recipe.toml"), "--corpus", str(copy), "--workers", "1")
    assert code == 0, output
    assert checksums(copy) == checksums(project / "corpus")
    assert before
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_publishing_compares_the_runs_token(place):
    corpus = Corpus(place, token="mine")
    corpus.write_json(RUN_FILE, {"token": "another"})
    with pytest.raises(TakenOverError):
        corpus.tidy("pages", lambda part: True)


def test_what_needs_a_folder_says_so(place, finished):
    cli("run", str(finished[0] / "recipe.toml"), "--corpus", place, "--workers", "1", "--until", "pages")
    code, output = cli("train", place)
    assert code == 2
    assert "needs a corpus in a folder of this machine; copy it into one" in output
    with pytest.raises(InputError, match="needs a corpus in a folder"):
        _ = Corpus(place).folder
