"""The crawl as a Beam pipeline: the same result on every local runner, and errors of ours that come back as such."""

import pytest

from corpusmill.collect.crawl import frontier
from corpusmill.collect.crawl.rounds import crawl_rounds
from corpusmill.collect.crawl.state import CrawlFolder, finished
from corpusmill.errors import InputError, RunError
from corpusmill.pipelines.crawl import crawl
from corpusmill.pipelines.work import reported
from corpusmill.recipe import Source
from tests.collect.crawl.server import page, serving
from tests.collect.crawl.test_rounds import chain, rows, stored

SEED = "http://h0.example/"


def source(server, **changes):
    settings = server.settings(SEED, hosts=["*.example"], **changes)
    return Source(name="web", kind="crawl", crawl=settings)


def test_in_one_process_and_in_several(tmp_path, monkeypatch):
    monkeypatch.setattr(frontier, "PAGES_PER_SHARD", 25)  # four shards
    summaries = {}
    pages = [f"http://h{i}.example/{j}" for i in range(4) for j in range(4)]
    with serving({SEED: page(*pages)} | {url: page() for url in pages}) as server:
        made = source(server, max_pages=100)
        several = ["--runner=FnApiRunner", "--direct_running_mode=multi_processing", "--direct_num_workers=2"]
        summaries["one"] = crawl(made, str(tmp_path / "one" / "web"))
        summaries["several"] = crawl(made, str(tmp_path / "several" / "web"), several)
        summaries["none"] = crawl_rounds(CrawlFolder(tmp_path / "none" / "web"), made.crawl)
        asked = len(server.requests)
        assert crawl(made, str(tmp_path / "one" / "web")) == summaries["one"]
        assert len(server.requests) == asked
    assert finished(tmp_path / "one" / "web", made.crawl)
    columns = "* EXCLUDE (fetched_at)"
    for name in ("several", "none"):
        assert summaries[name].fates == summaries["one"].fates == {"fetched": 17}
        assert stored(tmp_path / name / "web") == stored(tmp_path / "one" / "web")
        assert rows(tmp_path / name / "web", columns) == rows(tmp_path / "one" / "web", columns)
    assert len(list((tmp_path / "one" / "web").glob("*.warc.gz"))) > summaries["one"].rounds


def test_errors_of_ours_come_back_from_workers(tmp_path, monkeypatch):
    def full(self, answer):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("corpusmill.collect.crawl.warc.WarcFile.write", full)
    with serving(chain(1)) as server, pytest.raises(Exception, match="no space left") as caught:
        crawl(source(server), str(tmp_path / "web"))
    found = reported(str(caught.value))
    assert isinstance(found, RunError)
    assert str(found).endswith("it goes on where it stopped")


def test_a_seed_that_is_no_url(tmp_path):
    with serving({}) as server:
        made = source(server)
        broken = made.model_copy(update={"crawl": made.crawl.model_copy(update={"seeds": ["http://a..b/"]})})
        with pytest.raises(InputError, match="not a valid URL"):
            crawl(broken, str(tmp_path / "web"))
    assert not (tmp_path / "web").exists()
