"""The crawl as a Beam pipeline: the same result on every local runner, and errors of ours that come back as such."""

import io
import json

import pytest

from corpusmill.collect.crawl import frontier
from corpusmill.collect.crawl.rounds import crawl_rounds
from corpusmill.collect.crawl.state import CrawlFolder, finished
from corpusmill.corpus import Corpus
from corpusmill.errors import InputError, RunError
from corpusmill.pipelines.crawl import crawl
from corpusmill.pipelines.driver import crawl_sources
from corpusmill.pipelines.request import Request
from corpusmill.pipelines.supervise import make_job
from corpusmill.pipelines.work import reported
from corpusmill.stages.planning import make_plan
from corpusmill.stages.state import unfinished_crawls
from tests.collect.crawl.server import Page, page, serving
from tests.collect.crawl.test_rounds import rows, stored
from tests.collect.sources import a_source

HOSTS = [f"http://h{i}.example/" for i in range(4)]
WEB = {f"{host}{i or ''}": page("/1", "/2", "/3") for host in HOSTS for i in range(4)}


def source(server, **changes):
    return a_source(name="web", kind="crawl", crawl=server.settings(*HOSTS, **changes))


@pytest.mark.parametrize(("workers", "max_depth", "pages"), [(1, 8, 16), (2, 0, 4)])
def test_beam_does_what_a_plain_loop_does(tmp_path, monkeypatch, workers, max_depth, pages):
    monkeypatch.setattr(frontier, "PAGES_PER_SHARD", 25)  # four shards
    with serving(WEB) as server:
        made = source(server, max_pages=100, max_depth=max_depth)
        summary = crawl(made, str(tmp_path / "beam" / "web"), workers=workers)
        plain = crawl_rounds(CrawlFolder(tmp_path / "plain" / "web"), made.crawl)
        asked = len(server.requests)
        assert crawl(made, str(tmp_path / "beam" / "web"), workers=workers) == summary
        assert len(server.requests) == asked
    assert finished(tmp_path / "beam" / "web", made.crawl)
    assert summary.pages == pages
    assert summary.fates == plain.fates
    assert stored(tmp_path / "beam" / "web") == stored(tmp_path / "plain" / "web")
    columns = "* EXCLUDE (fetched_at)"
    assert rows(tmp_path / "beam" / "web", columns) == rows(tmp_path / "plain" / "web", columns)
    assert len(list((tmp_path / "beam" / "web").glob("*.warc.gz"))) > summary.rounds


def test_errors_of_ours_come_back_from_workers(tmp_path, monkeypatch):
    def full(self, answer, earlier=None):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("corpusmill.collect.crawl.warc.WarcFile.write", full)
    with serving(WEB) as server, pytest.raises(Exception, match="no space left") as caught:
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


def test_sources_whose_crawl_gives_no_page(tmp_path):
    """They are an error of the run if no other source is left, and are crawled again by the next run."""
    closed = {f"{HOSTS[0]}robots.txt": Page("User-agent: *\nDisallow: /"), HOSTS[1]: page()}
    with serving(closed) as server:
        settings = {f"web{i}": server.settings(HOSTS[i]).model_dump(mode="json") for i in (0, 1)}

        def run(*names):
            sources = [{"name": name, "kind": "crawl", "crawl": settings[name]} for name in names]
            job = make_job({"sources": sources}, Corpus(tmp_path / "corpus"))
            request = Request(recipe="", folder="", corpus="", scratch="", token="", modules=[], workers=1, until=None,
                              beam=[], roots=None)  # fmt: skip
            events = io.StringIO()
            crawl_sources(job, request, events)
            return job, [json.loads(line)["text"] for line in events.getvalue().splitlines()]

        why = "source 'web0': no page was fetched: its seed is disallowed by robots.txt "
        why += f"({HOSTS[0]}: robots.txt: Disallow: /)"
        with pytest.raises(InputError) as caught:
            run("web0")
        assert str(caught.value) == why
        job, said = run("web0", "web1")
        assert said == ["web0", "web1", "crawl of web1: 1 page, 1 URL", why]
        assert {piece.source for piece in make_plan(job)} == {"web1"}
        assert [source.name for source, _ in unfinished_crawls(job)] == ["web0"]
