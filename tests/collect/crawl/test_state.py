import subprocess
import sys
import time
from dataclasses import replace

import pytest

from corpusmill.collect.crawl.state import (
    CrawlFolder,
    CrawlSummary,
    Live,
    PlanReceipt,
    Progress,
    ShardReceipt,
    fingerprint,
    finished,
    progress,
    publishing,
)
from corpusmill.errors import RunError
from corpusmill.recipe import CrawlSettings
from corpusmill.store import full_disk_is_a_run_error

SETTINGS = CrawlSettings(seeds=["http://a.example/"])
SUMMARY = CrawlSummary(
    fingerprint=fingerprint(SETTINGS), rounds=1, urls=1, pages=1, bytes=1, fates={}, seconds=1.0, finished_at=1.0
)


def test_asking_where_a_crawl_stands_imports_nothing_heavy():
    code = "import sys, corpusmill.collect.crawl.state; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"pyarrow", "numpy", "aiohttp", "apache_beam", "duckdb", "numba"} & set(loaded)


def test_finished(tmp_path):
    assert not finished(tmp_path / "none", SETTINGS)
    folder = CrawlFolder(tmp_path)
    folder.close(SUMMARY)
    assert folder.summary() == SUMMARY
    assert finished(tmp_path, SETTINGS)
    patient = SETTINGS.model_copy(
        update={"delay_s": 9.0, "timeout_s": 1.0, "connect_to": {"a": "127.0.0.1:1"}, "contact": "a@b.c"}
    )
    assert finished(tmp_path, patient)
    assert not finished(tmp_path, SETTINGS.model_copy(update={"max_pages": 5}))
    folder.close(replace(SUMMARY, done=False))
    assert not finished(tmp_path, SETTINGS)


def test_settings_that_came_later_make_no_old_crawl_stale():
    assert fingerprint(SETTINGS) == "fd63d9f98a12a1571171311cac05606b"
    assert fingerprint(SETTINGS.model_copy(update={"attempts": 1})) != fingerprint(SETTINGS)


def test_progress(tmp_path):
    assert progress(tmp_path) == Progress(0, 0, 0, 0)
    folder = CrawlFolder(tmp_path)
    folder.write_plan_receipt(1, PlanReceipt(candidates=1, pending=1, shards=[0]))
    folder.write_shard_receipt(1, 0, ShardReceipt(urls=1, pages=1, bytes=10, seconds=1.0, finished_at=1.0))
    folder.write_plan_receipt(2, PlanReceipt(candidates=40, pending=50, shards=[0, 3]))
    assert progress(tmp_path) == Progress(2, 1, 50, 10)
    folder.write_shard_receipt(2, 3, ShardReceipt(urls=15, pages=12, bytes=90, seconds=1.0, finished_at=2.0))
    assert progress(tmp_path) == Progress(2, 13, 35, 100)
    live = {"hosts": 3, "hosts_left": 7, "urls": 5, "pages": 4, "bytes": 8, "errors": 2, "pages_per_s": 1.5}
    folder.write_live(2, 0, Live(**live, written_at=time.time()))
    now = progress(tmp_path)
    assert now == Progress(2, 17, 30, 108, 2, 3, 1.5)
    told = "round 2, 17 pages, 0.0 MB, 30 URLs waiting, 2 errors, 3 hosts at once, 1.5 pages/s"
    assert str(now) == told
    folder.write_live(2, 0, Live(**live, written_at=time.time() - 60))  # nobody fetches it any more
    assert progress(tmp_path) == Progress(2, 13, 35, 100)


def test_reopening_clears_what_a_killed_run_left(tmp_path):
    folder = CrawlFolder(tmp_path)
    folder.close(SUMMARY)
    (tmp_path / ".round-0001-00.x.tmp").mkdir()
    (tmp_path / ".round-0001-00.x.tmp" / "000000").write_bytes(b"x")
    (tmp_path / "urls").mkdir()
    (tmp_path / "urls" / ".x.parquet.y.tmp").write_bytes(b"x")
    (tmp_path / "urls" / "round-0001-00.parquet").write_bytes(b"x")
    folder.reopen()
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*")) == ["urls", "urls/round-0001-00.parquet"]


def test_publishing_leaves_nothing_behind_when_it_fails(tmp_path):
    def fail():
        with publishing(tmp_path / "x" / "file") as temporary:
            temporary.write_bytes(b"half")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert list((tmp_path / "x").iterdir()) == []
    with publishing(tmp_path / "x" / "file") as temporary:
        temporary.write_bytes(b"whole")
    assert [(p.name, p.read_bytes()) for p in (tmp_path / "x").iterdir()] == [("file", b"whole")]


def test_a_full_disk_is_one_sentence(tmp_path):
    with pytest.raises(RunError, match="no space left"), full_disk_is_a_run_error(tmp_path):
        raise OSError(28, "No space left on device")
    with pytest.raises(OSError, match="Input/output"), full_disk_is_a_run_error(tmp_path):
        raise OSError(5, "Input/output error")
