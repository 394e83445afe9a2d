"""Crawls that are killed, at requests and at writes to the disk: no page is asked for twice, and none is lost."""

import signal
from collections import Counter

import pytest

from corpusmill.collect.crawl.journal import Journal
from corpusmill.collect.crawl.rounds import crawl_rounds
from corpusmill.collect.crawl.state import CrawlFolder
from tests.collect.crawl.crawler import crawling
from tests.collect.crawl.server import Page, page, redirect, serving
from tests.collect.crawl.test_rounds import rows, stored

HOST = "http://h0.example/"


def web(hosts=1):
    """40 pages, with a redirect, a page of which an answer fails once, and a sitemap."""
    roots = [f"http://h{i}.example/" for i in range(hosts)]
    names = [str(i) for i in range(40 // hosts)]
    served = {root: page(*names, *roots) for root in roots}
    served |= {f"{root}{name}": page("/next") for root in roots for name in names}
    served |= {f"{root}next": page() for root in roots}
    served[HOST] = page(*names, *roots, "/old", "/flaky")
    served[f"{HOST}old"] = redirect("/5")
    served[f"{HOST}flaky"] = lambda n: Page(status=503) if n == 0 else page("/from-flaky")  # 503 goes to the next round
    served[f"{HOST}from-flaky"] = page()
    served[f"{HOST}robots.txt"] = Page("Sitemap: /map.xml\nUser-agent: *\nDisallow: /3\n", type="text/plain")
    locations = "".join(f"<url><loc>{HOST}{path}</loc></url>" for path in ("mapped", "6"))
    served[f"{HOST}map.xml"] = Page(f"<urlset>{locations}</urlset>", type="application/xml")
    served[f"{HOST}mapped"] = page()
    return served


def settings_of(server, **changes):
    return server.settings(HOST, hosts=["*.example"], max_pages=100, max_depth=50, **changes)


COLUMNS = "* EXCLUDE (fetched_at, round, warc_file)"


@pytest.fixture(scope="module")
def crawler():
    with crawling() as made:
        yield made


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "web"
    with serving(web()) as server:
        crawl_rounds(CrawlFolder(folder), settings_of(server))
    return folder


class Killing(dict):
    """A web whose server kills the crawler at every nth request, before it answers."""

    def __init__(self, served, crawler, every):
        super().__init__(served)
        self.crawler, self.every, self.asked, self.unanswered = crawler, every, 0, Counter()

    def get(self, url, default=None):
        self.asked += 1
        if self.asked % self.every == 0:
            self.unanswered[url.removeprefix("http://")] += 1
            self.crawler.kill()
        return super().get(url, default)


@pytest.mark.parametrize("every", [4])
def test_killed_at_requests(tmp_path, crawler, uninterrupted, every):
    killing = Killing(web(), crawler, every)
    with serving(killing) as server:
        statuses = [crawler.crawl(tmp_path / "web", settings_of(server))]
        while statuses[-1] == -signal.SIGKILL and len(statuses) < 100:
            statuses.append(crawler.crawl(tmp_path / "web", settings_of(server)))
        asked = Counter(server.paths) + Counter(dict.fromkeys(killing.unanswered, 0))
    assert statuses[-1] == 0
    assert len(statuses) >= 45 // every
    answered = {path: n - killing.unanswered[path] for path, n in asked.items()}
    twice = {path: n for path, n in answered.items() if n > 1}
    assert twice in ({"h0.example/flaky": 2}, {})  # {}: it was killed at the one that would have failed
    assert sorted(stored(tmp_path / "web")) == sorted(stored(uninterrupted))
    ours, whole = (rows(folder, "url, fate") for folder in (tmp_path / "web", uninterrupted))
    assert ours == whole


def test_killed_at_writes_to_the_disk(tmp_path, crawler, uninterrupted):
    with serving(web()) as server:
        for number in range(1, 100):
            status = crawler.crawl(tmp_path / "web", settings_of(server), kill_at_flush=number)
            if status == 0:
                break
            assert status == -signal.SIGKILL
        assert {path: n for path, n in Counter(server.paths).items() if n > 1} == {"h0.example/flaky": 2}
    assert number > 10
    assert stored(tmp_path / "web") == stored(uninterrupted)
    assert rows(tmp_path / "web", COLUMNS) == rows(uninterrupted, COLUMNS)


def test_killed_with_many_hosts_at_once(tmp_path, crawler):
    """Each kill may cost a request of each host that was under way, and no more."""
    hosts = 8
    killing = Killing(web(hosts), crawler, 25)
    with serving(killing) as server:
        kills = 0
        while crawler.crawl(tmp_path / "web", settings_of(server)):
            kills += 1
            assert kills < 50
        asked = Counter(server.paths)
    assert kills >= 2
    assert sum(n - 1 for n in asked.values()) <= kills * hosts + 1
    with serving(web(hosts)) as server:
        crawl_rounds(CrawlFolder(tmp_path / "whole"), settings_of(server))
    assert rows(tmp_path / "web", "url, fate") == rows(tmp_path / "whole", "url, fate")
    assert sorted(stored(tmp_path / "web")) == sorted(stored(tmp_path / "whole"))


def test_a_journal_is_read_to_the_last_whole_frame(tmp_path):
    path = tmp_path / "journal"
    with Journal(path) as journal:
        journal.add({"n": 1}, b"one")
        entry = journal.add({"n": 2}, b"two" * 1000)
        assert journal.read(entry.offset, entry.length) == b"two" * 1000
    whole = path.read_bytes()
    for cut in [len(whole), len(whole) - 1, len(whole) - 2999, len(whole) - 3020, 30, 29, 3, 0]:
        path.write_bytes(whole[:cut])
        with Journal(path) as journal:
            found = [(e.data["n"], journal.read(e.offset, e.length)) for e in journal.entries()]
            assert found == [(1, b"one"), (2, b"two" * 1000)][: len(found)]
            assert len(found) == (2 if cut == len(whole) else 1 if cut >= 30 else 0)
            journal.add({"n": 3})
        with Journal(path) as journal:
            assert [e.data["n"] for e in journal.entries()] == [n for n, _ in found] + [3]


def test_a_damaged_frame_ends_a_journal(tmp_path):
    path = tmp_path / "journal"
    with Journal(path) as journal:
        for n in range(3):
            journal.add({"n": n}, b"x" * 100)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with Journal(path) as journal:
        assert [e.data["n"] for e in journal.entries()] == [0]
    assert path.stat().st_size < len(data)
