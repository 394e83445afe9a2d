"""The whole run through its front door: same bytes however it is run, balanced books, resumption."""

import os
import shutil
import signal
import subprocess
import sys
import time

import psutil
import pyarrow.parquet as pq
import pytest

import corpusmill
from corpusmill.errors import InputError
from corpusmill.pipelines import supervise
from corpusmill.reasons import Stage
from tests.pipelines.conftest import RECIPE, checksums, documents, write_jsonl

TIMEOUT_S = 120  # of one run; a run that hangs is a failure and not a wait


def command(project, *options, corpus="corpus"):
    return [
        sys.executable,
        "-m",
        "corpusmill",
        "run",
        str(project / "recipe.toml"),
        "--corpus",
        str(project / corpus),
        *options,
    ]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A project that was run with one worker, and its books; not to be changed."""
    project = tmp_path_factory.mktemp("finished")
    rows = documents(120)
    write_jsonl(project / "in/a.jsonl", rows[:70])
    write_jsonl(project / "in/b.jsonl", rows[70:])
    (project / "recipe.toml").write_text(RECIPE)
    outcome = corpusmill.run(project / "recipe.toml", project / "corpus", workers=1)
    return project, outcome.books


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


def test_two_workers_in_another_folder_write_the_same_bytes(finished, tmp_path):
    project, _ = finished
    shutil.copytree(project / "in", tmp_path / "in")
    shutil.copy(project / "recipe.toml", tmp_path)
    subprocess.run(command(tmp_path, "--workers", "2"), check=True, capture_output=True, timeout=TIMEOUT_S)
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
    return {p: p.stat().st_mtime_ns for p in corpus.glob("*/*.json")}


def test_a_changed_setting_recomputes_only_what_depends_on_it(finished, tmp_path):
    project, _ = finished
    shutil.copytree(project, tmp_path, dirs_exist_ok=True)
    before = receipts(tmp_path / "corpus")
    recipe = (tmp_path / "recipe.toml").read_text()
    (tmp_path / "recipe.toml").write_text(recipe.replace("vocab_size = 500", "vocab_size = 400"))
    corpusmill.run(tmp_path / "recipe.toml", tmp_path / "corpus", workers=1)
    renewed = {p.parent.name for p, t in receipts(tmp_path / "corpus").items() if before.get(p) != t}
    assert renewed == {"tokenizer", "tokens"}


def test_a_new_file_renames_nothing_and_equals_a_rebuild(finished, tmp_path):
    project, _ = finished
    shutil.copytree(project, tmp_path, dirs_exist_ok=True)
    before = receipts(tmp_path / "corpus")
    write_jsonl(tmp_path / "in/0.jsonl", documents(10, seed=7))
    corpusmill.run(tmp_path / "recipe.toml", tmp_path / "corpus", workers=1)
    renewed = {p for p, t in receipts(tmp_path / "corpus").items() if p in before and before[p] != t}
    assert {p.parent.name for p in renewed} <= {"twins", "docs", "tokenizer", "tokens"}
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


def group_of(process):
    """The driver and its children."""
    return psutil.Process(process.pid).children(recursive=True)


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def gone(processes, seconds=5):
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    return not [p for p in alive if p.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize("stage", ["pages", "twins", "tokens"])
def test_a_killed_run_leaves_no_process_and_resumes_to_the_same_bytes(finished, project, stage):
    run = subprocess.Popen(command(project, "--workers", "2"), stderr=subprocess.DEVNULL, start_new_session=True)
    with run:
        wait_for(lambda: list((project / "corpus" / stage).glob("*.json")) or run.poll() is not None)
        family = group_of(run)
        os.killpg(run.pid, signal.SIGKILL)
    assert gone(family)
    subprocess.run(command(project, "--workers", "2"), check=True, capture_output=True, timeout=TIMEOUT_S)
    assert checksums(project / "corpus") == checksums(finished[0] / "corpus")
    assert not list((project / "corpus").glob("*/.*.tmp"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_with_130_and_no_process_is_left(project, number):
    run = subprocess.Popen(command(project, "--workers", "2"), stderr=subprocess.PIPE, text=True)
    with run:
        wait_for(lambda: list((project / "corpus/pages").glob("*.json")))
        family = group_of(run)
        run.send_signal(number)
        _, errors = run.communicate(timeout=10)
    assert run.returncode == 130
    assert "the same command resumes the run" in errors
    assert gone(family)


def is_worker(process):
    try:
        return any("sdk_worker_main" in word for word in process.cmdline())
    except psutil.Error:
        return False


def test_a_killed_worker_is_noticed_and_the_run_resumes(finished, project):
    run = subprocess.Popen(command(project, "--workers", "2"), stderr=subprocess.PIPE, text=True)
    with run:
        wait_for(lambda: list((project / "corpus/pages").glob("*.json")))
        victim = next(p for p in group_of(run) if is_worker(p))
        victim.kill()
        _, errors = run.communicate(timeout=120)
    assert run.returncode == 0, errors
    assert "a worker process died" in errors
    assert "resuming (attempt 2 of 3)" in errors
    assert checksums(project / "corpus") == checksums(finished[0] / "corpus")


def test_a_killed_driver_is_noticed_and_the_run_resumes(finished, project):
    run = subprocess.Popen(command(project, "--workers", "1"), stderr=subprocess.PIPE, text=True)
    with run:
        wait_for(lambda: list((project / "corpus/pages").glob("*.json")))
        psutil.Process(run.pid).children()[0].kill()
        _, errors = run.communicate(timeout=120)
    assert run.returncode == 0, errors
    assert "the driver process was killed (SIGKILL)" in errors
    assert checksums(project / "corpus") == checksums(finished[0] / "corpus")


@pytest.mark.parametrize(
    ("name", "content", "recipe", "expected"),
    [
        ("in/a.jsonl", b"{}", "sorces = []", "unknown key 'sorces'"),
        ("in/a.jsonl", b"{}", "not toml", "not valid TOML"),
        ("in/a.jsonl", b"{}", RECIPE.replace("jsonl", "jsnl"), "unknown kind 'jsnl'"),
        ("in/a.txt", b"", RECIPE, "no file matches 'in/*.jsonl'"),
        ("in/a.jsonl", b"{}", RECIPE + '[[filters.rules]]\nname = "r"\nwhen = "n_wrds > 1"\n', "n_wrds"),
    ],
)
def test_wrong_input_is_exit_code_2_and_one_sentence(tmp_path, name, content, recipe, expected):
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).write_bytes(content)
    (tmp_path / "recipe.toml").write_text(recipe)
    ran = subprocess.run(command(tmp_path), capture_output=True, text=True, timeout=TIMEOUT_S)
    assert ran.returncode == 2
    last = ran.stderr.strip().splitlines()[-1]
    assert expected in last
    assert "Traceback" not in ran.stderr


def test_a_parquet_file_without_the_text_column_is_the_users_to_mend(tmp_path):
    import pyarrow as pa

    (tmp_path / "in").mkdir()
    pq.write_table(pa.table({"body": ["a"]}), tmp_path / "in/a.parquet")
    (tmp_path / "recipe.toml").write_text(RECIPE.replace("jsonl", "parquet"))
    ran = subprocess.run(command(tmp_path, "--workers", "2"), capture_output=True, text=True, timeout=TIMEOUT_S)
    assert ran.returncode == 2
    assert "text" in ran.stderr
    assert "body" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_full_disk_is_exit_code_1_and_the_run_resumes(finished, project):
    limited = ["bash", "-c", 'trap "" XFSZ; ulimit -f 16; exec "$@"', "-", *command(project, "--workers", "2")]
    ran = subprocess.run(limited, capture_output=True, text=True, timeout=TIMEOUT_S)
    assert ran.returncode == 1
    assert "no space left to write" in ran.stderr.strip().splitlines()[-1]
    assert "Traceback" not in ran.stderr
    subprocess.run(command(project, "--workers", "2"), check=True, capture_output=True, timeout=TIMEOUT_S)
    assert checksums(project / "corpus") == checksums(finished[0] / "corpus")


def test_a_second_run_at_the_same_time_is_refused(project):
    run = subprocess.Popen(command(project, "--workers", "1"), stderr=subprocess.DEVNULL)
    with run:
        wait_for(lambda: (project / "corpus/.lock").exists())
        time.sleep(0.3)
        with pytest.raises(InputError, match="another run holds this corpus"):
            supervise.run(project / "recipe.toml", project / "corpus")
        run.kill()
