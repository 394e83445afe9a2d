"""Runs on machines as they are: a folder of our name, a proxy, no byte code; and what they print is masked."""

import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq

from tests.pipelines.conftest import RECIPE, TIMEOUT_S, checksums, command, write_jsonl

COMMAND = Path(sys.executable).with_name("corpusmill")


def test_neither_a_folder_of_our_name_nor_a_proxy_is_in_the_way(finished, tmp_path):
    """A clone of the repository, say, whose package folder would shadow what is installed."""
    (tmp_path / "corpusmill").mkdir()
    (tmp_path / "corpusmill/__init__.py").write_text("raise SystemExit('the wrong corpusmill')")
    (tmp_path / "numpy.py").write_text("raise SystemExit('the wrong numpy')")
    arguments = command(finished[0], "--workers", "2")[3:]
    arguments[arguments.index("--corpus") + 1] = str(tmp_path / "corpus")
    nowhere = "http://127.0.0.1:9"
    done = subprocess.run(
        [COMMAND, *arguments],
        cwd=tmp_path,
        env=os.environ | dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), nowhere),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert done.returncode == 0, done.stderr
    assert checksums(tmp_path / "corpus") == checksums(finished[0] / "corpus")


MODULE = """
import corpusmill
import pyarrow as pa

@corpusmill.signal("quoting", pa.int64(), "fails, and quotes the page")
def quoting(pages):
    raise ValueError(pages["text"][0].as_py())
"""


def test_an_error_that_quotes_a_page_is_masked_on_the_terminal_and_in_the_log(tmp_path):
    write_jsonl(tmp_path / "in/a.jsonl", [{"text": "Write to somebody@example.org or 8.8.123.45 about it."}])
    (tmp_path / "quoting.py").write_text(MODULE)
    (tmp_path / "recipe.toml").write_text('modules = ["quoting.py"]\n' + RECIPE)
    done = subprocess.run(command(tmp_path), capture_output=True, text=True, timeout=TIMEOUT_S)
    (log,) = (tmp_path / "corpus/logs").glob("*.log")
    assert done.returncode == 2, done.stderr
    for text in (done.stderr, log.read_text()):
        assert "Write to <email> or <ip> about it." in text
        assert "somebody@example.org" not in text
        assert "8.8.123.45" not in text


FULL = """
import corpusmill

@corpusmill.source("greedy")
def read(path, options):
    yield {"text": "a text"}
    raise MemoryError
"""


def test_memory_that_runs_out_says_so(tmp_path):
    write_jsonl(tmp_path / "in/a.jsonl", [{"text": "a text"}])
    (tmp_path / "greedy.py").write_text(FULL)
    (tmp_path / "recipe.toml").write_text('modules = ["greedy.py"]\n' + RECIPE.replace('"jsonl"', '"greedy"'))
    done = subprocess.run(command(tmp_path), capture_output=True, text=True, timeout=TIMEOUT_S)
    assert done.returncode == 1, done.stderr
    assert "memory ran out: give fewer --workers, or a smaller run.slice_bytes" in done.stderr.splitlines()[-1]


WITH_SETTINGS = """
import corpusmill

class Lines(corpusmill.Source):
    mark: str

@corpusmill.source("marked", Lines)
def read(path, settings):
    for line in open(path):
        yield {"text": settings.mark + line.strip()}
"""


def test_a_kind_with_settings_of_its_own_may_be_a_file_beside_the_recipe(tmp_path):
    """Its class is nowhere to be imported from: workers need the module before they see the recipe."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.txt").write_text("one\ntwo\n")
    (tmp_path / "in/b.txt").write_text("three\n")
    (tmp_path / "marked.py").write_text(WITH_SETTINGS)
    source = '[[sources]]\nname = "m"\nkind = "marked"\npaths = ["in/*.txt"]\nmark = "> "\n'
    (tmp_path / "recipe.toml").write_text(f'modules = ["marked.py"]\n{source}[filters]\nprofiles = ["none"]\n')
    for workers in ("2", "1"):
        done = subprocess.run(
            command(tmp_path, "--workers", workers), capture_output=True, text=True, timeout=TIMEOUT_S
        )
        assert done.returncode == 0, done.stderr
    texts = pq.read_table(tmp_path / "corpus/docs")["text"].to_pylist()
    assert sorted(texts) == ["> one", "> three", "> two"]
