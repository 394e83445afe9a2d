"""Runs that are killed, interrupted, starved of disk or given nonsense: nothing is left behind, nothing hangs."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpusmill.errors import InputError
from corpusmill.pipelines import supervise
from corpusmill.pipelines.request import CANCEL
from tests.pipelines.conftest import RECIPE, TIMEOUT_S, checksums, command

STAGES = [
    "pages",
    "texts",
    "signals-language",
    "signals-text",
    "verdicts",
    "sketches",
    "twins",
    "split",
    "docs",
    "tokenizer",
    "tokens",
    "vocabulary",
]


def group_of(process):
    """The driver and its children."""
    return psutil.Process(process.pid).children(recursive=True)


def wait_for(condition, seconds=180):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def gone(processes, seconds=60):
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    return not [p for p in alive if p.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize("stage", STAGES)
def test_a_killed_run_leaves_no_process_and_resumes_to_the_same_bytes(finished, project, stage):
    run = subprocess.Popen(command(project, "--workers", "2"), stderr=subprocess.DEVNULL, start_new_session=True)
    with run:
        wait_for(lambda: list((project / "corpus" / stage / "_receipts").glob("*.json")) or run.poll() is not None)
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
        wait_for(lambda: list((project / "corpus/pages/_receipts").glob("*.json")))
        family = group_of(run)
        run.send_signal(number)
        _, errors = run.communicate(timeout=TIMEOUT_S)
    assert run.returncode == 130
    assert "the same command resumes the run" in errors
    assert gone(family)


def workers_of(run):
    """Its worker processes, by the name that they give themselves."""
    found = []
    for process in group_of(run):
        with suppress(psutil.Error):
            if process.name() == "mill worker":
                found.append(process)
    return found


@pytest.mark.parametrize("victims", [1, 2])
def test_killed_workers_are_noticed_and_the_run_resumes(finished, project, victims):
    run = subprocess.Popen(command(project, "--workers", "2"), stderr=subprocess.PIPE, text=True)
    with run:
        wait_for(lambda: list((project / "corpus/pages/_receipts").glob("*.json")))
        wait_for(lambda: len(workers_of(run)) >= victims)
        for victim in workers_of(run)[:victims]:
            victim.kill()
        _, errors = run.communicate(timeout=120)
    assert run.returncode == 0, errors
    assert "a worker process died" in errors
    assert "resuming (attempt 2 of 3)" in errors
    assert checksums(project / "corpus") == checksums(finished[0] / "corpus")


def test_a_killed_driver_is_noticed_and_the_run_resumes(finished, project):
    run = subprocess.Popen(command(project, "--workers", "1"), stderr=subprocess.PIPE, text=True)
    with run:
        wait_for(lambda: list((project / "corpus/pages/_receipts").glob("*.json")))
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
        ("in/a.jsonl", b"{}", RECIPE + '[[filters.rules]]\nname = "r"\nsql = "n_wrds > 1"\n', "n_wrds"),
        (
            "in/a.jsonl",
            b"{}",
            RECIPE + '[[filters.word_lists]]\nname = "bad"\npath = "in/a.jsonl"\n',
            "filters.word_lists 'bad': in/a.jsonl: the file has no line with a word",
        ),
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
    assert not (tmp_path / "corpus").exists()  # a refused recipe leaves nothing behind


def test_a_parquet_file_without_the_text_column_is_the_users_to_mend(tmp_path):
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


CANCELLED = """
import os, sys, time
from corpusmill.pipelines import driver

class Running:
    def cancel(self):
        print("cancelled", flush=True)

driver.RUNNING.append(Running())
driver._die_with_the_supervisor(os.dup(0))
time.sleep(60)
"""


@pytest.mark.parametrize("says", [CANCEL, b""])
def test_a_driver_cancels_its_job_and_ends_when_the_supervisor_says_so_or_is_gone(says):
    driver = subprocess.Popen(
        [sys.executable, "-c", CANCELLED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    with driver:
        if says:
            driver.stdin.write(says)
            driver.stdin.flush()
        else:
            driver.stdin.close()
        assert driver.wait(30) == -signal.SIGKILL
        assert driver.stdout.read() == b"cancelled\n"
