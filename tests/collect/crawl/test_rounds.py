"""Whole crawls of small webs, without Beam: what is asked, what is stored, what is on record."""

import shutil
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest
from fastwarc.warc import ArchiveIterator as FastArchive
from fastwarc.warc import WarcRecordType
from warcio.archiveiterator import ArchiveIterator

from corpusmill.collect.crawl import frontier as frontier_module
from corpusmill.collect.crawl import lane as lane_module
from corpusmill.collect.crawl import rounds as rounds_module
from corpusmill.collect.crawl.rounds import crawl_rounds, is_done
from corpusmill.collect.crawl.shard import fetch_shard
from corpusmill.collect.crawl.state import CrawlFolder, PlanReceipt, finished, progress
from corpusmill.errors import BalanceError, RunError
from corpusmill.reasons import Fate
from tests.collect.crawl.server import Page, page, redirect, serving

A, B = "http://a.example/", "http://b.example/"

WEB = {
    A: page("/1", "/2", B, "/old", "/missing", "/secret/x", "http://elsewhere.test/", "/way/0"),
    f"{A}robots.txt": Page("User-agent: *\nDisallow: /secret/", type="text/plain"),
    f"{A}1": page("/2", "/3", "/no", text="one"),
    f"{A}2": Page("<a href=/1>x</a><a rel=nofollow href=/no2>", gzipped=True),
    f"{A}3": Page("<a href=/no><meta name=robots content=nofollow>", chunked=True),
    f"{A}no": page(text="not so bad: /1 links here, too"),
    f"{A}old": redirect("/1"),
    f"{A}way/0": redirect("/way/1", 302),
    f"{A}way/1": redirect("/way/2", 307),
    f"{A}way/2": page(text="there"),
    B: page(A, "/big", "/broken", "/gone", "/pdf"),
    f"{B}big": Page(b"<a href=/beyond>" + b"x" * 5000),
    f"{B}broken": Page(b"<a href=/lost>" * 100, cut=50),
    f"{B}gone": Page(status=410),
    f"{B}pdf": Page(b"%PDF", type="application/pdf"),
}


def crawl(folder, settings, fetch=None):
    return crawl_rounds(CrawlFolder(folder), settings, fetch)


def rows(folder, columns="*"):
    return duckdb.sql(f"SELECT {columns} FROM '{folder}/urls/*.parquet' ORDER BY url").fetchall()


def fates(folder):
    return dict(rows(folder, "url, fate"))


def stored(folder):
    """Target URIs of the response records in all WARC files, in order, as warcio reads them with digests checked."""
    found = []
    for path in sorted(folder.glob("*.warc.gz")):
        with path.open("rb") as file:
            for record in ArchiveIterator(file, check_digests="raise"):
                record.content_stream().read()
                if record.rec_type == "response":
                    found.append(record.rec_headers.get_header("WARC-Target-URI"))
    return found


@pytest.fixture(scope="module")
def crawled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("raw") / "web"
    with serving(WEB) as server:
        settings = server.settings(hosts=["a.example", "b.example"], max_page_bytes=2000)
        summary = crawl(folder, settings)
    return folder, summary, server, settings


def test_every_url_has_its_fate(crawled):
    folder = crawled[0]
    fetched = ["", "1", "2", "3", "no", "old", "missing", "way/0", "way/1", "way/2"]
    assert fates(folder) == {
        **{f"{A}{path}": Fate.FETCHED for path in fetched},
        f"{A}secret/x": Fate.ROBOTS_DISALLOWED,
        f"{A}no2": Fate.NOFOLLOW,
        "http://elsewhere.test/": Fate.OUT_OF_SCOPE,
        B: Fate.FETCHED,
        f"{B}gone": Fate.FETCHED,
        f"{B}pdf": Fate.FETCHED,
        f"{B}big": Fate.TOO_LARGE,
        f"{B}beyond": Fate.FETCHED,
        f"{B}broken": Fate.FAILED,
    }


def test_every_url_is_on_record_once_and_asked_for_once(crawled):
    folder, summary, server, _ = crawled
    urls = [url for (url,) in rows(folder, "url")]
    assert len(urls) == len(set(urls)) == summary.urls
    assert {path: n for path, n in Counter(server.paths).items() if n > 1} == {"b.example/broken": 3}  # in three rounds


def test_stored_pages_are_those_on_record(crawled):
    folder, summary, _, _ = crawled
    on_record = [url for url, file in rows(folder, "url, warc_file") if file]
    assert (
        sorted(stored(folder))
        == on_record
        == [url for url, fate in fates(folder).items() if fate in ("fetched", "too_large")]
    )
    assert summary.pages == len(on_record)
    by_fastwarc = 0
    for path in folder.glob("*.warc.gz"):
        with path.open("rb") as file:
            by_fastwarc += sum(1 for _ in FastArchive(file, record_types=WarcRecordType.response))
    assert by_fastwarc == len(on_record)
    for url, file in rows(folder, "url, warc_file"):
        assert file is None or url in stored_in(folder.parent / file)


def stored_in(path):
    with path.open("rb") as file:
        return [record.rec_headers.get_header("WARC-Target-URI") for record in ArchiveIterator(file)]


def test_details_of_the_rows(crawled):
    folder = crawled[0]
    columns = "url, host, depth, found_on, http_status, redirect_to, error"
    by_url = {row[0]: row[1:] for row in rows(folder, columns)}
    assert by_url[A] == ("a.example", 0, None, 200, None, None)
    assert by_url[f"{A}old"] == ("a.example", 1, A, 301, f"{A}1", None)
    assert by_url[f"{A}way/2"] == ("a.example", 1, f"{A}way/1", 200, None, None)
    assert by_url[f"{A}missing"][3] == 404
    assert by_url[f"{A}secret/x"] == ("a.example", 1, A, None, None, "robots.txt: Disallow: /secret/")
    assert by_url[f"{B}big"][3:] == (200, None, "cut off at 2000 bytes")
    assert by_url[f"{B}broken"][3:] == (200, None, "the server closed the connection in the middle of the body")
    assert by_url[f"{B}beyond"] == ("b.example", 3, f"{B}big", 404, None, None)
    sources, times = zip(*rows(folder, "source, (fetched_at IS NULL) = (warc_file IS NULL)"), strict=True)
    assert set(sources) == {"web"}
    assert all(times)


def test_robots_txt_is_kept_beside_the_records(crawled):
    folder = crawled[0]
    assert not any("robots.txt" in url for url in stored(folder))
    found = duckdb.sql(
        f"SELECT origin, path, http_status, text FROM '{folder}/robots/*.parquet' ORDER BY ALL"
    ).fetchall()
    assert ("http://a.example", "/robots.txt", 200, "User-agent: *\nDisallow: /secret/") in found
    assert ("http://b.example", "/robots.txt", 404, None) in found
    assert len(found) == 6


def test_the_receipt(crawled):
    folder, summary, _, settings = crawled
    assert summary.fates == dict(sorted(Counter(fates(folder).values()).items()))
    assert finished(folder, settings)
    assert progress(folder)[:5] == (summary.rounds, summary.pages, 0, summary.bytes, 3)
    assert not list(folder.rglob(".*"))


def test_a_finished_crawl_asks_nobody(crawled):
    folder, summary, _, settings = crawled
    assert crawl(folder, settings) == summary  # the server is gone


def test_two_crawls_store_the_same_records_in_the_same_order(crawled, tmp_path):
    folder = crawled[0]
    with serving(WEB) as server:
        crawl(tmp_path / "web", server.settings(hosts=["a.example", "b.example"], max_page_bytes=2000))
    assert stored(tmp_path / "web") == stored(folder)
    columns = "* EXCLUDE (fetched_at)"
    assert rows(tmp_path / "web", columns) == rows(folder, columns)


def chain(n, *, hosts=1):
    """n pages on each of some hosts, each naming the next three, and the other hosts."""
    roots = [f"http://h{i}.example/" for i in range(hosts)]
    web = {f"{root}{i}": page(*(f"{root}{j}" for j in range(i + 1, min(i + 4, n)))) for root in roots for i in range(n)}
    return web | {root: page(f"{root}0", *roots) for root in roots}


@pytest.mark.parametrize(("most", "per_host"), [(7, 1000), (1000, 4), (10, 4), (1, 1)])
def test_page_limits_are_exact(tmp_path, most, per_host):
    with serving(chain(9, hosts=3)) as server:
        settings = server.settings(
            "http://h0.example/", hosts=["*.example"], max_pages=most, max_pages_per_host=per_host
        )
        summary = crawl(tmp_path / "web", settings)
    assert summary.pages == min(most, 3 * min(per_host, 10))
    hosts = Counter(host for host, fate in rows(tmp_path / "web", "host, fate") if fate == "fetched")
    assert max(hosts.values()) <= per_host
    assert summary.fates["page_limit"] == summary.urls - summary.pages


def test_depth_limit(tmp_path):
    web = {A: page("/1"), f"{A}1": page("/2"), f"{A}2": redirect("/r"), f"{A}r": page("/3")}
    with serving(web) as server:
        crawl(tmp_path / "web", server.settings(max_depth=2))
    assert fates(tmp_path / "web") == dict.fromkeys([A, f"{A}1", f"{A}2", f"{A}r"], "fetched") | {f"{A}3": "too_deep"}


def test_redirects_end(tmp_path):
    web = {f"{A}{i or ''}": redirect(f"/{i + 1}") for i in range(20)}
    web |= {f"{B}": redirect("/loop"), f"{B}loop": redirect("/")}
    with serving(web) as server:
        crawl(tmp_path / "web", server.settings(A, B, max_redirects=5))
    found = fates(tmp_path / "web")
    assert [url for url, fate in found.items() if fate == "redirect_limit"] == [f"{A}6"]
    assert found[B] == found[f"{B}loop"] == "fetched"


@pytest.mark.skipif(sys.platform != "linux", reason="needs a second loopback address")
def test_redirects_and_links_into_the_private_network_are_refused(tmp_path, monkeypatch):
    """The site itself is served on 127.0.0.2, which counts as public here; what it leads to is not."""
    monkeypatch.setattr("corpusmill.collect.crawl.addresses.is_public", lambda address: address == "127.0.0.2")
    web = {
        A: page("/hop", "http://127.1/x", "http://localhost/x", "http://[::1]/x"),
        f"{A}hop": redirect("http://2130706433/y"),
    }
    with serving(web, "127.0.0.2") as server:
        crawl(tmp_path / "web", server.settings(hosts=["*"], allow_private_addresses=False))
    found = fates(tmp_path / "web")
    assert found.pop(A) == found.pop(f"{A}hop") == "fetched"
    assert set(found) == {"http://127.0.0.1/x", "http://localhost/x", "http://[::1]/x", "http://127.0.0.1/y"}
    assert set(found.values()) == {"private_address"}


def test_a_crawl_that_gave_no_page_is_on_record_and_the_next_run_asks_again(tmp_path):
    web = {f"{A}robots.txt": Page(status=503)}
    with serving(web) as server:
        settings = server.settings()
        summary = crawl(tmp_path / "web", settings)
        assert (summary.pages, summary.good, summary.fates) == (0, 0, {"robots_unreachable": 1})
        assert not finished(tmp_path / "web", settings)
        assert rows(tmp_path / "web", "url, error") == [(A, "robots.txt: HTTP status 503")]
        web.update({f"{A}robots.txt": Page(""), A: page()})
        assert crawl(tmp_path / "web", settings).good == 1
    assert finished(tmp_path / "web", settings)
    assert fates(tmp_path / "web") == {A: Fate.FETCHED}


def test_private_addresses_are_refused_by_default(tmp_path):
    with serving(WEB) as server:
        crawl(tmp_path / "web", server.settings(allow_private_addresses=False))
    assert rows(tmp_path / "web", "fate, error") == [
        ("private_address", "robots.txt: 127.0.0.1 is not a public address"),
    ]
    assert server.connections == 0


def test_a_host_that_wants_no_more_requests_is_left_alone(tmp_path):
    """It is asked in three rounds, three times each, and nothing else in between."""
    web = {A: page("/1", "/2", "/3", B), f"{A}1": Page(status=429), B: page(f"{A}5")}
    web |= dict.fromkeys([f"{A}2", f"{A}3", f"{A}5"], Page(status=429))
    with serving(web) as server:
        crawl(tmp_path / "web", server.settings(hosts=["*.example"], max_delay_s=0.01))
    asked = Counter(server.paths)
    assert [asked[f"a.example/{i}"] for i in (1, 2, 3, 5)] == [3, 3, 3, 0]
    found = {url: (fate, error) for url, fate, error in rows(tmp_path / "web", "url, fate, error")}
    refused = "the host wants no more requests (HTTP status 429)"
    assert found[f"{A}1"] == found[f"{A}2"] == found[f"{A}3"] == ("failed", refused)
    assert found[f"{A}5"] == ("failed", f"not asked: {refused}")
    assert found[B] == ("fetched", None)


def test_a_429_that_stays_is_stored_after_the_last_attempt(tmp_path):
    web = {A: page("/1", "/2"), f"{A}1": page(), f"{A}2": Page("slow down", status=429)}
    with serving(web) as server:
        crawl(tmp_path / "web", server.settings(max_delay_s=0.01, attempts=2))
    assert Counter(server.paths)["a.example/2"] == 6
    (found,) = (row for row in rows(tmp_path / "web", "url, fate, error, http_status, attempts") if row[0] == f"{A}2")
    assert found[1:] == ("fetched", "the host wants no more requests (HTTP status 429)", 429, 2)
    assert f"{A}2" in stored(tmp_path / "web")


def test_a_429_that_ends_costs_nothing(tmp_path):
    web = {A: page("/1", "/2"), f"{A}1": lambda n: Page(status=429) if n < 4 else page(), f"{A}2": page()}
    with serving(web) as server:
        summary = crawl(tmp_path / "web", server.settings(max_delay_s=0.01))
    assert summary.fates == {"fetched": 3}
    assert [status for (status,) in rows(tmp_path / "web", "http_status")] == [200, 200, 200]


def test_a_host_that_asks_for_a_long_pause_is_not_waited_for(tmp_path):
    web = {A: page("/1", "/2", B), f"{A}1": Page(status=503, headers={"Retry-After": "3600"}), B: page()}
    with serving(web) as server:
        crawl(tmp_path / "web", server.settings(hosts=["*.example"]))
    assert Counter(server.paths)["a.example/1"] == 1
    assert "a.example/2" not in server.paths
    found = {url: (fate, error) for url, fate, error in rows(tmp_path / "web", "url, fate, error")}
    refused = "the host wants no more requests (HTTP status 503)"
    assert found[f"{A}1"] == ("failed", refused)
    assert found[f"{A}2"] == ("failed", f"not asked: {refused}")
    assert found[B] == ("fetched", None)


@pytest.mark.parametrize("status", [408, 500, 502, 504])
def test_a_failure_of_the_server_is_tried_again_in_a_later_round(tmp_path, status):
    with serving({A: page("/1"), f"{A}1": lambda n: Page(status=status) if n < 2 else page()}) as server:
        summary = crawl(tmp_path / "web", server.settings())
    assert (summary.rounds, summary.fates) == (4, {"fetched": 2})
    assert [attempts for (attempts,) in rows(tmp_path / "web", "attempts")] == [1, 3]


def test_a_robots_txt_that_is_there_later(tmp_path):
    web = {A: page(), f"{A}robots.txt": lambda n: Page(status=503) if n < 1 else Page("")}
    with serving(web) as server:
        summary = crawl(tmp_path / "web", server.settings())
    assert (summary.rounds, summary.fates) == (2, {"fetched": 1})


def test_the_pause_before_another_attempt_doubles(tmp_path):
    with serving({A: page("/1"), f"{A}1": Page(raw=b"")}) as server:
        crawl(tmp_path / "web", server.settings(delay_s=0.0, max_delay_s=0.3, attempts=3))
    asked = [request.started for request in server.requests if request.path == "/1"]
    assert [b - a >= 0.3 - 0.005 for a, b in pairwise(asked[-3:])] == [True, True]


def test_a_host_that_does_not_answer_is_given_up(tmp_path):
    web = {A: page(*map(str, range(20)))} | {f"{A}{i}": Page(raw=b"") for i in range(20)}
    with serving(web) as server:
        summary = crawl(tmp_path / "web", server.settings())
    assert summary.fates == {"failed": 20, "fetched": 1}
    assert len([path for path in server.paths if path[-1].isdigit()]) == 15  # five in each of three rounds
    errors = Counter(error for url, error in rows(tmp_path / "web", "url, error"))
    assert errors["not asked: the 5 requests before it failed"] == 5


def test_an_answer_in_between_counts(tmp_path):
    web = {A: page(*map(str, range(9)))} | {f"{A}{i}": page() if i == 4 else Page(raw=b"") for i in range(9)}
    with serving(web) as server:
        summary = crawl(tmp_path / "web", server.settings())
    assert summary.fates == {"failed": 8, "fetched": 2}
    assert set(server.paths) >= {f"a.example/{i}" for i in range(9)}


@pytest.mark.parametrize(
    ("budget", "error"),
    [
        ({"max_bytes_per_host": 1000}, "max_bytes_per_host: 1,"),
        ({"max_seconds_per_host": 0.2, "delay_s": 0.04}, "max_seconds_per_host: 0 seconds were spent"),
    ],
)
def test_budgets_of_a_host(tmp_path, budget, error):
    names = [f"/{i:02}" for i in range(20)]
    web = {A: page(*names, B), B: page()} | {f"{A}{name[1:]}": page(text="x" * 200) for name in names}
    with serving(web) as server:
        summary = crawl(tmp_path / "web", server.settings(hosts=["*.example"], **budget))
    assert 2 <= summary.fates["fetched"] <= 10
    limited = {error for fate, error in rows(tmp_path / "web", "fate, error") if fate == "page_limit"}
    assert len(limited) == 1
    assert limited.pop().startswith(error)
    assert "b.example/" in server.paths


def test_politeness_over_rounds(tmp_path):
    with serving(
        {A: page("/1", "/2"), f"{A}1": page("/3"), f"{A}robots.txt": Page("User-agent: *\nCrawl-delay: 0.2")}
    ) as server:
        summary = crawl(tmp_path / "web", server.settings(delay_s=0.1, max_delay_s=0.3))
    gaps = server.gaps("a.example")
    assert summary.rounds == 3
    assert min(gaps[:2]) >= 0.1 - 0.005  # robots.txt, ai.txt, tdmrep.json
    assert min(gaps[2:]) >= 0.2 - 0.005
    assert server.most_open["a.example"] == 1


def test_a_crawl_delay_can_only_lengthen_the_delay_and_is_cut_to_the_limit(tmp_path):
    web = {A: page("/1"), f"{A}robots.txt": Page("User-agent: *\nCrawl-delay: 3600")}
    with serving(web) as server:
        crawl(tmp_path / "web", server.settings(max_delay_s=0.2))
        assert 0.2 - 0.005 <= server.gaps("a.example")[-1] < 3.0


@pytest.mark.parametrize(("max_age", "times"), [(timedelta(hours=24), 1), (timedelta(0), 3)])
def test_robots_txt_is_read_once_while_it_is_fresh(tmp_path, monkeypatch, max_age, times):
    monkeypatch.setattr("corpusmill.collect.crawl.robots.MAX_AGE", max_age)
    with serving({A: page("/1"), f"{A}1": page("/2")}) as server:
        assert crawl(tmp_path / "web", server.settings()).rounds == 3
    assert server.paths.count("a.example/robots.txt") == times


def test_opted_out(tmp_path):
    web = {A: page("/mine/1", "/yours/1"), f"{A}yours/1": page()}
    web[f"{A}.well-known/tdmrep.json"] = Page('[{"location": "/mine/", "tdm-reservation": 1}]', type="application/json")
    with serving(web) as server:
        crawl(tmp_path / "web", server.settings())
    assert fates(tmp_path / "web")[f"{A}mine/1"] == "opted_out"
    assert "a.example/mine/1" not in server.paths


class Killed(BaseException):
    pass


def test_a_crawl_that_was_killed_goes_on_without_asking_twice(tmp_path, monkeypatch):
    """One shard of each round is fetched in a run, as if every run were killed after its first shard."""
    monkeypatch.setattr(frontier_module, "PAGES_PER_SHARD", 1)
    monkeypatch.setattr(frontier_module, "PAGES", 3)

    def killed_after_one(round):
        fetch_shard(next(shard for shard in round.shards if not is_done(shard)))
        if all(is_done(shard) for shard in round.shards):
            return
        raise Killed

    with serving(chain(6, hosts=4)) as server:
        settings = server.settings("http://h0.example/", hosts=["*.example"], max_pages=100)
        runs = 0
        while not finished(tmp_path / "web", settings):
            runs += 1
            try:
                crawl(tmp_path / "web", settings, killed_after_one)
            except Killed:
                continue
    assert runs > 5
    assert max(Counter(server.paths).values()) == 1
    with serving(chain(6, hosts=4)) as server:
        crawl(tmp_path / "at once", server.settings("http://h0.example/", hosts=["*.example"], max_pages=100))
    assert stored(tmp_path / "web") == stored(tmp_path / "at once")


def test_a_shard_that_is_fetched_twice_at_once_is_asked_for_once(tmp_path):
    """As runners do that start slow work a second time somewhere else."""

    def twice(round):
        with ThreadPoolExecutor() as pool:
            receipts = {receipt for shard in round.shards for receipt in pool.map(fetch_shard, [shard, shard])}
        assert len(receipts) == len(round.shards)

    with serving(WEB) as server:
        crawl(tmp_path / "web", server.settings(), twice)
    assert max(Counter(server.paths).values()) == 1


@pytest.mark.parametrize("left", ["warc", "urls", "links"])
def test_files_without_a_receipt_do_not_count(tmp_path, left):
    with serving(WEB) as server:
        settings = server.settings(hosts=["a.example", "b.example"])
        summary = crawl(tmp_path / "web", settings)
        again = CrawlFolder(tmp_path / "again")
        shutil.copytree(tmp_path / "web", again.path)
        (again.path / "crawl.json").unlink()
        (again.path / "receipts" / "round-0002-00.json").unlink()
        for round in range(3, summary.rounds + 1):
            for path in again.path.rglob(f"round-{round:04d}*"):
                path.unlink()
        half = again.warc(2, 0) if left == "warc" else again.file(left, 2, 0)
        half.write_bytes(half.read_bytes()[: half.stat().st_size // 2])
        resumed = crawl(again.path, settings)
    assert (resumed.pages, resumed.urls, resumed.fates) == (summary.pages, summary.urls, summary.fates)
    assert stored(again.path) == stored(tmp_path / "web")


def test_new_settings_go_on_where_the_old_ones_stopped(tmp_path):
    with serving(chain(9)) as server:
        url = "http://h0.example/"
        first = crawl(tmp_path / "web", server.settings(url, max_pages=4))
        assert first.fates["page_limit"] > 0
        second = crawl(tmp_path / "web", server.settings(url, max_pages=100))
    assert (first.pages, second.pages, second.fates) == (4, 10, {"fetched": 10})
    assert max(Counter(server.paths).values()) == 1


def test_new_seeds_go_on_where_the_old_ones_stopped(tmp_path):
    with serving({A: page("/1", B), f"{A}1": page(), B: page("/2"), f"{B}2": page()}) as server:
        first = crawl(tmp_path / "web", server.settings(A))
        second = crawl(tmp_path / "web", server.settings(B))
        assert crawl(tmp_path / "web", server.settings(B)) == second
    assert first.fates == {"fetched": 2, "out_of_scope": 1}
    assert (second.fates, second.rounds) == ({"fetched": 4}, 4)
    assert max(Counter(server.paths).values()) == 1


def test_work_that_was_not_planned_is_an_error(tmp_path):
    def another(round):
        for shard in round.shards:
            fetch_shard(shard)
            if shard.round == 2:
                shutil.copy(shard.folder.file("urls", 1, 0), shard.folder.file("urls", 2, 0))

    with serving(WEB) as server, pytest.raises(BalanceError, match="round 2 fetched URLs that it did not plan"):
        crawl(tmp_path / "web", server.settings(), another)


def test_a_slow_host_goes_on_in_the_next_round(tmp_path, monkeypatch):
    monkeypatch.setattr(lane_module, "ROUND_S", 0.0)
    with serving({A: page("/1", "/2", "/3")}) as server:
        summary = crawl(tmp_path / "web", server.settings())
    assert (summary.rounds, summary.pages) == (4, 4)


def test_a_shard_that_was_lost_is_an_error(tmp_path):
    with serving(WEB) as server, pytest.raises(RunError, match="the runner ended before round 1 was done"):
        crawl(tmp_path / "web", server.settings(), lambda round: None)


def test_a_full_disk_is_one_sentence(tmp_path, monkeypatch):
    def full(self, answer, earlier=None):
        raise OSError(28, "No space left on device")

    with serving(WEB) as server:
        with monkeypatch.context() as patch:
            patch.setattr("corpusmill.collect.crawl.warc.WarcFile.write", full)
            with pytest.raises(RunError, match="no space left to write"):
                crawl(tmp_path / "web", server.settings())
        assert crawl(tmp_path / "web", server.settings()).pages > 5


def test_a_crawl_that_an_earlier_version_began(tmp_path):
    folder = CrawlFolder(tmp_path / "web")
    for number in (1, 2):
        folder.write_plan_receipt(number, PlanReceipt(candidates=1, pending=1, shards=[0]))
    with serving(WEB) as server, pytest.raises(RunError, match="an earlier version has begun this crawl"):
        crawl(folder.path, server.settings())


def test_warc_files_pass_the_checks_of_others(crawled, tmp_path):
    folder = crawled[0]
    with serving(WEB) as server:
        crawl(tmp_path / "again", server.settings(hosts=["a.example", "b.example"], previous=str(folder)))
    files = [str(path) for path in (*folder.glob("*.warc.gz"), *(tmp_path / "again").glob("*.warc.gz"))]
    checked = subprocess.run(
        [sys.executable, "-m", "warcio.cli", "check", "-v", *files],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout
    assert "failed" not in checked.stdout.lower()
    assert "digest pass" in checked.stdout
    kinds = Counter()
    for path in files:
        with Path(path).open("rb") as file:
            for record in FastArchive(file, parse_http=False):
                kinds[record.headers["WARC-Type"]] += 1
                assert record.verify_block_digest()
            file.seek(0)
            for record in FastArchive(file, record_types=WarcRecordType.response):
                assert record.verify_payload_digest()
    assert kinds["revisit"] >= 5
    assert kinds["warcinfo"] == len(files)
    assert kinds["request"] == kinds["response"] + kinds["revisit"]


def test_a_frontier_that_grows_is_divided_and_nothing_changes(tmp_path, monkeypatch):
    hosts = [f"http://site{i}.example/" for i in range(12)]
    web = {host: page(*hosts, "/1", "/2", "http://elsewhere.test/") for host in hosts}
    web |= {f"{host}{i}": page(f"/{i}/deeper", host) for host in hosts for i in (1, 2)}
    with serving(web) as server:
        settings = server.settings(hosts[0], hosts=["*.example"])
        whole = crawl(tmp_path / "whole", settings)
        with monkeypatch.context() as patch:
            patch.setattr(rounds_module, "URLS_PER_PART", 5)
            divided = crawl(tmp_path / "parts", settings)
            more = crawl(tmp_path / "parts", server.settings(hosts[0], hosts=["*.example"], max_depth=1))
    parts = [CrawlFolder(tmp_path / "parts").plan_receipt(number).parts for number in range(1, divided.rounds + 1)]
    assert parts[0] == 1
    assert parts[-1] >= 4
    assert (divided.fates, divided.pages) == (whole.fates, whole.pages)
    assert more.pages == whole.pages
    assert stored(tmp_path / "parts") == stored(tmp_path / "whole")
    assert len(list((tmp_path / "parts" / "urls").glob("unfetched-*.parquet"))) >= 4
