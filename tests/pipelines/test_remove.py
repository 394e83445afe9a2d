"""`corpusmill remove` as users call it: nothing of a document is left, and the corpus is that of a run from scratch."""

import gzip
import io
import json
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from moto.server import ThreadedMotoServer
from tokenizers import Tokenizer

from corpusmill.cli import main as command_line
from corpusmill.collect.crawl.answer import Answer
from corpusmill.collect.crawl.state import CrawlFolder, CrawlSummary, fingerprint
from corpusmill.collect.crawl.warc import WarcFile
from corpusmill.collect.takedown import entries_of, now
from corpusmill.corpus import Corpus
from corpusmill.parts import Made
from corpusmill.pipelines import supervise
from corpusmill.pipelines.progress import Lines
from corpusmill.pipelines.remove import put_back, remove
from corpusmill.reasons import Stage
from corpusmill.removals import FILE, Kind, read_removals
from corpusmill.reports.catalog import build, open_catalog
from corpusmill.reports.page import write_report
from corpusmill.schema import DOCUMENT_LOSSES
from corpusmill.stages.job import Job
from tests.pipelines.conftest import checksums, documents, write_jsonl
from tests.s3 import at, new_bucket
from tests.stages.plain import job_of, run_plainly

ROWS = documents(60, seed=4)
CANARY = "zanzibar quokka {:03d}"
GONE = (0, 6, 33, 52)  # places of documents that go; 8 is a duplicate of 0
RECIPE = """
[[sources]]
name = "list"
kind = "jsonl"
paths = ["in/a.jsonl"]

[[sources]]
name = "packed"
kind = "jsonl"
paths = ["in/b.jsonl.gz"]

[[sources]]
name = "site"
kind = "crawl"
[sources.crawl]
seeds = ["http://site.example/"]

[run]
slice_bytes = 12000

[filters]
profiles = ["none"]

[tokenizer]
vocab_size = 400
"""


def text_of(place):
    return f"{ROWS[place]['text']}\n\nIt ends with {CANARY.format(place)} and so on."


def url_of(place):
    return f"http://host{place % 3}.example/{CANARY.format(place).replace(' ', '-')}"


def write_project(folder: Path) -> None:
    """Two files, a finished crawl, a recipe.  The documents at 0 and 8 have nearly the same text."""
    rows = [{"text": text_of(i), "title": CANARY.format(i), "url": url_of(i)} for i in range(50)]
    rows[0]["text"] = f"{text_of(8)} {CANARY.format(0)} " + "and then some more words follow here at its end"
    write_jsonl(folder / "in/a.jsonl", rows[:25])
    content = "".join(json.dumps(row) + "\n" for row in rows[25:])
    (folder / "in/b.jsonl.gz").write_bytes(gzip.compress(content.encode(), mtime=0))
    (folder / "recipe.toml").write_text(RECIPE)
    write_crawl(folder)


def write_crawl(folder: Path) -> None:
    crawl = CrawlFolder(folder / "corpus/raw/site")
    crawl.path.mkdir(parents=True)
    with crawl.warc(1, 0).open("wb") as file:
        warc = WarcFile(file, 1)
        warc.write_info("round-0001-00.warc.gz", "2026-01-02T03:04:05Z", "mill", "me@a.example")
        for i in range(50, 60):
            body = f"<title>{CANARY.format(i)}</title><main><p>{text_of(i)}</p></main>".encode()
            answer = Answer(
                url=url_of(i), fetched_at=datetime(2026, 1, 2, tzinfo=UTC), status=200, reason="OK", version="1.1",
                headers=((b"Content-Type", b"text/html"),), body=body, truncated=False, request_headers=(),
            )  # fmt: skip
            warc.write(answer)
    settings = job_of_project(folder).source("site").crawl
    crawl.close(
        CrawlSummary(
            fingerprint=fingerprint(settings), rounds=1, urls=10, pages=10, bytes=0, fates={}, seconds=0, finished_at=0
        )
    )


def job_of_project(folder: Path, corpus: str = "corpus") -> Job:
    return job_of(tomllib.loads((folder / "recipe.toml").read_text()), folder, corpus)


def finish(job: Job) -> None:
    """A run without Beam, with what the command `run` writes besides."""
    supervise._resolve(job)
    run_plainly(job)
    build(job.corpus.place)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A finished project, not to be changed."""
    folder = tmp_path_factory.mktemp("made")
    write_project(folder)
    finish(job_of_project(folder))
    return folder


@pytest.fixture
def project(made, tmp_path):
    """A finished project of the test's own, at another place."""
    folder = tmp_path / "project"
    shutil.copytree(made, folder)
    return folder


def cli(*arguments, code=0):
    """What a command prints.  It runs in this process, which has loaded everything already."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    ended = 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["corpusmill", *map(str, arguments)])
        try:
            command_line()
        except SystemExit as end:
            ended = end.code or 0
    said, told = (stream.buffer.getvalue().decode() for stream in (out, err))
    assert ended == code, told
    return said + told


def ids(corpus: Path) -> dict[str, str]:
    """doc_id by URL."""
    with open_catalog(corpus) as catalog:
        return dict(catalog.execute("SELECT url, doc_id FROM pages WHERE url IS NOT NULL").fetchall())


def everything(corpus: Path):
    """What stands in each file of a corpus: its bytes, and every value of a table, a database or a packed file."""
    if (corpus / "tokenizer/tokenizer.json").exists():
        tokenizer = Tokenizer.from_file(str(corpus / "tokenizer/tokenizer.json"))
        for path in corpus.glob("tokens/*.parquet"):
            yield path, "\n".join(tokenizer.decode(ids) for ids in pq.read_table(path)["ids"].to_pylist())
    for path in sorted(path for path in corpus.rglob("*") if path.is_file()):
        content = path.read_bytes()
        yield path, content.decode("utf-8", "replace")
        if content.startswith(b"\x1f\x8b"):
            yield path, gzip.decompress(content).decode("utf-8", "replace")
        if content.startswith(b"PAR1"):
            yield path, repr(pq.read_table(path).to_pydict())
        if path.suffix == ".duckdb":
            with duckdb.connect(str(path), read_only=True) as database:
                for (name,) in database.execute("SELECT table_name FROM duckdb_tables()").fetchall():
                    yield path, repr(database.execute(f'FROM "{name}"').fetchall())


def files_with(corpus: Path, place: int) -> set[str]:
    """The files in which a document's canary stands, as words or in a URL."""
    canary = CANARY.format(place)
    found = (canary, canary.replace(" ", "-"))
    return {str(path.relative_to(corpus)) for path, text in everything(corpus) if any(c in text for c in found)}


def litter(corpus: Path, gone: str) -> None:
    """What else may lie in a corpus: a report, logs, a stage of an old recipe, figures of a model, leftovers."""
    write_report(corpus)
    (corpus / "logs").mkdir(exist_ok=True)
    (corpus / "logs/run-1.log").write_text(text_of(6))
    old = pa.table({"doc_id": [gone], "first": [text_of(6)]})
    part = Corpus(corpus).parts(Stage.PAGES)[0]
    made = Made(table=old, rows_in=1, bytes_in=0)
    Corpus(corpus).publish("first_words", part, made, fingerprint="", started=time.time())
    (corpus / "models/m").mkdir(parents=True)
    (corpus / "models/m/config.json").write_text("{}")
    quoted = pa.table({"doc_id": [gone, "f" * 24], "worst": [text_of(6), "other words"]})
    pq.write_table(quoted, corpus / "models/m/quoted.parquet")
    losses = pa.Table.from_pylist([{"doc_id": gone}, {"doc_id": "f" * 24}], DOCUMENT_LOSSES.arrow)
    pq.write_table(losses, corpus / "models/m/losses.parquet")
    (corpus / "pages/.x.parquet.0.tmp").write_text(text_of(6))
    (corpus / "texts/stray.parquet").write_text(text_of(6))


def test_a_removal_leaves_nothing_survives_a_kill_and_equals_a_rebuild(project):
    corpus = project / "corpus"
    finish(job_of_project(project))  # it has been moved
    known = ids(corpus)
    litter(corpus, known[url_of(6)])
    assert {name.split("/")[0] for name in files_with(corpus, 6)} == {
        *("catalog.duckdb", "pages", "texts", "docs", "tokens", "first_words", "logs", "models")
    }
    assert "raw" in {name.split("/")[0] for name in files_with(corpus, 52)}
    before = {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in corpus.glob("*/*.parquet")}
    (project / "urls.txt").write_text(f"# taken down\n{url_of(6)}\nhttps{url_of(52)[4:]}/\nhttp://other.example/\n")
    (project / "ids.txt").write_text(f"{known[url_of(33)]}\n{known[url_of(0)]}\n")
    options = ["--urls", project / "urls.txt", "--doc-ids", project / "ids.txt", "--reason", "ticket 7", "--raw"]

    process = subprocess.Popen(
        [sys.executable, "-m", "corpusmill", "remove", corpus, *map(str, options)], stderr=subprocess.PIPE, text=True
    )
    told = []
    for line in process.stderr:
        told.append(line)
        if line.startswith("erased"):
            break
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL, told
    assert files_with(corpus, 6)  # later stages have it still
    told = cli("remove", corpus, "--raw", "--workers", 1)
    assert "the tokenizer was trained again" in told
    assert "train again: m" in told

    for place in GONE:
        assert files_with(corpus, place) == set()
    assert pq.read_table(corpus / "models/m/quoted.parquet").to_pylist() == [
        {"doc_id": "f" * 24, "worst": "other words"}
    ]
    assert pq.read_table(corpus / "models/m/losses.parquet")["doc_id"].to_pylist() == ["f" * 24]
    assert not (corpus / "first_words").exists() or not list((corpus / "first_words").glob("*.parquet"))
    with open_catalog(corpus) as catalog:
        rows = catalog.execute("SELECT doc_id, stage, rule FROM ledger WHERE rule = 'removed'").fetchall()
        assert {row[0] for row in rows} == {known[url_of(place)] for place in GONE}
        assert {row[1:] for row in rows} == {("pages", "removed")}
        listed = catalog.execute("SELECT kind, host, pages, reason FROM removals ORDER BY ALL").fetchall()
        promoted = catalog.execute("SELECT kept FROM ledger WHERE doc_id = ?", [known[url_of(8)]]).fetchone()
        n_tokens = catalog.execute("SELECT count(*) FROM tokens").fetchone()
        assert n_tokens == catalog.execute("SELECT count(*) FROM docs").fetchone()
    assert listed == [
        ("doc_id", None, 1, "ticket 7"),
        ("doc_id", None, 1, "ticket 7"),
        ("url", "host0.example", 1, "ticket 7"),
        ("url", "host1.example", 1, "ticket 7"),
        ("url", "other.example", 0, "ticket 7"),
    ]
    assert promoted == (True,)
    assert "named by its URL" in cli("why", corpus, url_of(52))
    assert "ticket 7" in cli("why", corpus, known[url_of(33)])

    again = project / "again"
    shutil.copytree(corpus / "raw", again / "raw")
    shutil.copy(corpus / FILE, again / FILE)
    run_plainly(job_of_project(project, "again"))
    assert checksums(again) == checksums(corpus)
    changed = {path for path, stat in before.items() if not path.exists() or stat != _stamp(path)}
    assert {path for path in changed if path.parent.name == "pages"} == {
        corpus / f"pages/{part}.parquet" for part in _parts_with_removed(corpus)
    }
    assert any(path not in changed for path in before if path.parent.name == "docs")
    assert "nothing to do" in cli("run", project / "recipe.toml", "--corpus", corpus)


def _stamp(path):
    return path.stat().st_mtime_ns, path.stat().st_ino


def _parts_with_removed(corpus):
    receipts = Corpus(corpus).receipts(Stage.PAGES)
    return {part for part, receipt in receipts.items() if receipt.counts.get("status_removed")}


def test_a_page_that_comes_in_later_is_removed_when_it_is_read(project):
    corpus = project / "corpus"
    (project / "hosts.txt").write_text("later.example\n")
    said = cli("remove", corpus, "--hosts", project / "hosts.txt")
    assert "0 pages removed" in said
    assert "no page yet has later.example; they stay on the list" in said
    rows = [{"text": text_of(5) + " Later.", "url": "http://www.later.example/x"}]
    write_jsonl(project / "in/c.jsonl", rows)
    text = (project / "recipe.toml").read_text().replace('"in/a.jsonl"', '"in/a.jsonl", "in/c.jsonl"')
    (project / "recipe.toml").write_text(text)
    finish(job_of_project(project))
    with open_catalog(corpus) as catalog:
        assert catalog.execute("SELECT rule FROM ledger WHERE url IS NULL").fetchall() == [("removed",)]
    assert "its host was removed on" in cli("why", corpus, "http://www.later.example/x", code=2)
    (entry,) = read_removals(Corpus(corpus)).entries
    assert cli("remove", corpus, "--undo", "--hosts", "later.example,never.example").splitlines() == [
        "taken off the list: 1",
        "not on the list: never.example",
        "run the recipe again: it reads the pages again from the input",
    ]
    finish(job_of_project(project))
    with open_catalog(corpus) as catalog:
        assert catalog.execute("SELECT count(*) FROM ledger WHERE rule = 'removed'").fetchone() == (0,)
    assert put_back(corpus, [entry]) == []


def test_of_a_corpus_that_is_not_complete_the_text_goes_and_a_run_must_go_on(project):
    corpus = project / "corpus"
    gone, lost = url_of(6), sorted((corpus / "pages/_receipts").glob("list-*.json"))[-1]
    lost.unlink()
    done = remove(corpus, entries_of(Kind.URL, [gone], "given", now(), ""), workers=1, show=Lines)
    assert (done.pages, done.is_rebuilt, done.promoted) == (1, False, None)
    assert files_with(corpus, 6) == set()
    finish(job_of_project(project))
    assert files_with(corpus, 6) == set()
    with open_catalog(corpus) as catalog:
        assert catalog.execute("SELECT count(*), count(*) FILTER (rule = 'removed') FROM ledger").fetchone() == (60, 1)


def test_unknown_doc_ids_are_reported_and_the_rest_is_done(project):
    corpus = project / "corpus"
    (project / "ids.txt").write_text(f"{'0' * 24}\n")
    said = cli("remove", corpus, "--doc-ids", project / "ids.txt", code=1)
    assert f"no page has doc_id {'0' * 24}; everything else was removed" in said
    assert f"doc_id  {'0' * 24}  0 pages" in cli("remove", corpus, "--list")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "nothing is on its list of removals; say what to remove"),
        (["--urls", "missing.txt"], "missing.txt: cannot be read"),
        (["--hosts", "http://a.example/"], "--hosts: line 1: 'http://a.example/' is no name of a host"),
        (["--undo"], "--undo needs --urls, --hosts or --doc-ids"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(made, options, said):
    before = stamps(made)
    assert said in cli("remove", made / "corpus", *options, code=2)
    assert stamps(made) == before


def stamps(folder):
    """Every file but the lock, with its time."""
    return {p: p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file() and p.name != ".lock"}


def test_a_folder_that_is_no_corpus_is_left_alone(tmp_path):
    assert "not a corpus directory" in cli("remove", tmp_path, "--hosts", "a.example", code=2)
    assert list(tmp_path.iterdir()) == []


def test_it_waits_for_no_run_that_holds_the_corpus(project):
    with Corpus(project / "corpus").lock():
        assert "another run holds this corpus" in cli("remove", project / "corpus", "--hosts", "a.example", code=2)
    assert not (project / "corpus" / FILE).exists()


def test_a_corpus_in_a_bucket(made, tmp_path, monkeypatch):
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    at(server, monkeypatch)
    place = f"s3://{new_bucket()}/c"
    (tmp_path / "in").mkdir()
    shutil.copy(made / "in/a.jsonl", tmp_path / "in/a.jsonl")
    sources = [{"name": "list", "kind": "jsonl", "paths": ["in/a.jsonl"]}]
    job = job_of({"sources": sources}, tmp_path)
    job = Job(recipe=job.recipe, corpus=Corpus(place), folder=tmp_path)
    supervise._resolve(job)
    run_plainly(job, "pages")
    before = {part: receipt.checksum for part, receipt in job.corpus.receipts(Stage.PAGES).items()}
    done = remove(place, entries_of(Kind.URL, [url_of(6)], "given", now(), ""), workers=1, show=Lines)
    assert (done.pages, done.parts, done.is_rebuilt, done.promoted) == (1, 1, True, None)
    for part in job.corpus.parts(Stage.PAGES):
        assert CANARY.format(6) not in repr(job.corpus.read(Stage.PAGES, part).to_pydict())
    after = {part: receipt.checksum for part, receipt in job.corpus.receipts(Stage.PAGES).items()}
    assert len(before.items() - after.items()) == 1
    shutil.rmtree(Corpus(place).workspace, ignore_errors=True)
    server.stop()
