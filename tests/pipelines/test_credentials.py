"""Runs whose recipes hold passwords: they are used, and stand nowhere in what is written and printed."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.collect.crawl.server import page
from tests.collect.crawl.server import serving as serving_web
from tests.collect.test_remote import serving
from tests.pipelines.conftest import RECIPE, TIMEOUT_S, command, documents, write_jsonl

PASSWORD, TOKEN = "s3cr3tpw", "t0kenvalue"


def run(project: Path, *options: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command(project, *options), capture_output=True, text=True, timeout=TIMEOUT_S)
    written = [path for path in (project / "corpus").rglob("*") if path.is_file()]
    for secret in (PASSWORD, TOKEN):
        assert secret not in done.stdout + done.stderr
        assert not [path for path in written if secret.encode() in path.read_bytes()]
        assert not [path for path in written if secret in str(path)]
    return done


@pytest.fixture
def _no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", f"127.0.0.1,{os.environ.get('no_proxy', '')}")


@pytest.mark.usefixtures("_no_proxy")
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_source_behind_a_password(tmp_path, workers):
    write_jsonl(tmp_path / "www/a.jsonl", documents(30))
    write_jsonl(tmp_path / "www/b.jsonl", documents(20, seed=2))
    with serving(tmp_path / "www", password=PASSWORD) as host:
        paths = [f"http://user:{PASSWORD}@{host}/b*.jsonl", f"http://user:{PASSWORD}@{host}/a.jsonl?token={TOKEN}"]
        recipe = RECIPE.replace('["in/*.jsonl"]', str(paths))
        (tmp_path / "recipe.toml").write_text(recipe)
        done = run(tmp_path, "--workers", workers)
        assert done.returncode == 0, done.stderr
        parts = sorted(path.name for path in (tmp_path / "corpus/docs").glob("*.parquet"))
        kept = (tmp_path / "corpus/recipe.toml").read_text()
        assert f"http://user:***@{host}/a.jsonl?token=***" in kept
        assert "nothing to do" in run(tmp_path, "--workers", workers).stderr
        (tmp_path / "recipe.toml").write_text(recipe.replace(TOKEN, f"{TOKEN}2"))  # another token, the same file
        assert "nothing to do" in run(tmp_path, "--workers", workers).stderr
        (tmp_path / "recipe.toml").write_text(f"{recipe}\n[dedup]\nthreshold = 0.7\n")
        assert run(tmp_path, "--workers", workers).returncode == 0
        assert sorted(path.name for path in (tmp_path / "corpus/docs").glob("*.parquet")) == parts
        (tmp_path / "recipe.toml").write_text(recipe.replace(f"user:{PASSWORD}@", f"user:{PASSWORD}x@"))
        done = run(tmp_path, "--workers", workers)
    assert done.returncode == 2
    assert "user:***@" in done.stderr


@pytest.mark.usefixtures("_no_proxy")
def test_a_seed_with_a_password(tmp_path):
    with serving_web({"http://ok.example/": page(text="a page of words")}) as server:
        (tmp_path / "recipe.toml").write_text(f"""
            [[sources]]
            name = "c"
            kind = "crawl"
            [sources.crawl]
            seeds = ["http://user:{PASSWORD}@ok.example/"]
            contact = "tests@corpusmill.example"
            allow_private_addresses = true
            delay_s = 0
            connect_to = {{"*.example" = "{server.address}:{server.port}"}}
            """)
        done = run(tmp_path, "--until", "pages")
    assert done.returncode == 1, done.stderr  # the only page has no main content
    assert 'seeds = ["http://user:***@ok.example/"]' in (tmp_path / "corpus/recipe.toml").read_text()
