"""Hosts that send what no host should: each costs its own pages at most, and the crawl of the others goes on."""

import time
import zlib

import duckdb
import pytest
from fastwarc.warc import ArchiveIterator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpusmill.collect.crawl import lane as lane_module
from corpusmill.collect.crawl.links import MAX_LINKS
from corpusmill.collect.crawl.rounds import crawl_rounds
from corpusmill.collect.crawl.state import CrawlFolder
from corpusmill.reasons import Fate
from tests.collect.crawl.server import Page, page, redirect, serving

GOOD = "http://good.example/"
DIGITS = "9" * 400
RULES = "".join(f"Disallow: /*{i}{'x' * 500}*y*{'z' * 50}$\n" for i in range(900))
AGENTS = "".join(f"User-agent: x{i}\n" for i in range(20_000))

HOSTILE = {  # path -> answer of a host that is otherwise like any other
    "request-rate": {"robots.txt": Page(f"User-agent: *\nRequest-rate: 1/{DIGITS}\nRequest-rate: {DIGITS}/1")},
    "crawl-delay": {"robots.txt": Page(f"User-agent: *\nCrawl-delay: {DIGITS}")},
    "many-rules": {"robots.txt": Page(f"User-agent: *\n{RULES}")},
    "many-agents": {"robots.txt": Page(AGENTS + "Disallow: /x\n" * 9000)},
    "odd-bytes": {"robots.txt": Page(b"User-agent: *\nDisallow: /\xed\xa0\x80\0\xff\n")},
    "surrogate": {".well-known/tdmrep.json": Page('[{"location": "/\\ud800", "tdm-reservation": 1}]')},
    "long-number": {".well-known/tdmrep.json": Page(f'[{{"location": "/", "tdm-reservation": {"9" * 5000}}}]')},
    "deep": {".well-known/tdmrep.json": Page('[{"location": ' + "[" * 900 + "]" * 900 + ', "tdm-reservation": 1}]')},
    "bomb": {"robots.txt": Page(zlib.compress(b"#" * 50_000_000), headers={"Content-Encoding": "deflate"})},
    "retry": {"": Page(status=429, headers={"Retry-After": DIGITS})},
    "retry-date": {"": Page(status=503, headers={"Retry-After": f"Sun, 06 Nov {DIGITS} 08:49:37 +{DIGITS}"})},
    "length": {"": Page(raw=f"HTTP/1.1 200 OK\r\nContent-Length: {DIGITS}\r\n\r\nx".encode())},
    "status": {"": Page(raw=f"HTTP/1.1 {DIGITS} OK\r\n\r\n".encode())},
    "status-99": {"": Page(raw=b"HTTP/1.1 99 OK\r\nContent-Length: 0\r\n\r\n")},
    "version": {"": Page(raw=b"HTTP/9999999999.9 200 OK\r\n\r\n")},
    "chunk": {"": Page(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 400 + b"\r\nx")},
    "charset": {"": Page("<a href=/x?ä>", type=f"text/html; charset={DIGITS}\udcff")},
    "codec": {"": Page("<a href=/x?ä>", type="text/html; charset=unicode_escape")},
    "header": {"": Page("x", headers={"X\udcff": "\udcff\udced\udca0\udc80", "Set-Cookie": "\udcff=" + ";=" * 20_000})},
    "location": {"": redirect("http://[::" + DIGITS), "x": redirect(f"http://a:{DIGITS}/")},
    "location-bytes": {"": redirect("/\udced\udca0\udc80\udcff" * 1000)},
    "port": {"": page(f"http://good.example:{DIGITS}/", "http://good.example:0/", f"http://{DIGITS}/", f"http://0x{DIGITS}/")},
    "references": {"": page(f"/&#{'9' * 5000};", "/&#xD800;", "//&#xD800;/", f"/?{'%' * 5000}")},
    "long-link": {"": page("/" + "x" * 2_000_000, "http://" + "x" * 5000 + "/", "http://" + "x." * 2000 + "/")},
    "refresh": {"": Page(f"<meta http-equiv=refresh content='{' ' * 500_000}x'>")},
    "nested": {"": Page("".join(f"<font size={i}><a href=/{i}><p>" for i in range(3000)))},
}  # fmt: skip


def web():
    served = {GOOD: page("/1", "/2"), f"{GOOD}1": page(), f"{GOOD}2": page()}
    for name, answers in HOSTILE.items():
        start = f"http://{name}.example/"
        served |= {start: page("/next"), f"{start}next": page()}
        served |= {f"{start}{path}": answer for path, answer in answers.items()}
    return served


def crawl(folder, server, *seeds, **changes):
    chosen = server.settings(*seeds, **{"timeout_s": 5.0, "max_delay_s": 0.0, "max_depth": 1, "attempts": 1, **changes})
    crawl_rounds(CrawlFolder(folder), chosen)
    rows = duckdb.sql(f"SELECT url, fate, error FROM '{folder}/urls/*.parquet'").fetchall()
    return {url: (fate, error) for url, fate, error in rows}


def test_no_host_costs_more_than_its_own_pages(tmp_path):
    with serving(web()) as server:
        hosts = [f"http://{name}.example/" for name in HOSTILE]
        fates = crawl(tmp_path / "raw", server, GOOD, *hosts)
    assert {fates[url][0] for url in (GOOD, f"{GOOD}1", f"{GOOD}2")} == {Fate.FETCHED}
    assert {fates[host][0] for host in hosts} <= {Fate.FETCHED, Fate.FAILED}
    policies = ["request-rate", "crawl-delay", "many-rules", "many-agents", "odd-bytes", "surrogate", "deep", "bomb"]
    assert {fates[f"http://{name}.example/next"][0] for name in policies} == {Fate.FETCHED}
    assert not [error for _, error in fates.values() if error and "unexpected" in error]


HEADERS = ["Content-Type", "Content-Encoding", "Location", "Retry-After", "X-Robots-Tag", "Set-Cookie", "Date"]
ODD = [DIGITS, "-1", "text/html; charset=", "gzip", "deflate", "http://[", "//", "Sun, 99 Nov 0000 99:99:99 +9999"]

odd_headers = st.dictionaries(
    st.sampled_from(HEADERS),
    st.one_of(
        st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=80),
        st.sampled_from(ODD),
        st.binary(max_size=40).map(lambda b: b.decode("utf-8", "surrogateescape").translate({10: "", 13: "", 0: ""})),
    ),
)
odd_answers = st.one_of(
    st.builds(
        Page, st.binary(max_size=200), st.sampled_from([200, 204, 301, 404, 429, 503]), odd_headers, type=st.just(None)
    ),
    st.builds(lambda raw: Page(raw=b"HTTP/1.1 " + raw), st.binary(max_size=100)),
    st.builds(lambda text: Page(text, headers={}), st.text(max_size=200)),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.fixed_dictionaries(dict.fromkeys(("", "robots.txt", "ai.txt", ".well-known/tdmrep.json", "x"), odd_answers)))
def test_no_answer_ends_a_crawl(tmp_path_factory, answers):
    served = {GOOD: page()} | {f"http://odd.example/{path}": answer for path, answer in answers.items()}
    with serving(served) as server:
        odd = [f"http://odd.example/{path}" for path in ("", "x")]
        fates = crawl(tmp_path_factory.mktemp("raw") / "odd", server, GOOD, *odd, timeout_s=0.5)
    assert fates[GOOD] == (Fate.FETCHED, None)
    assert not [error for _, error in fates.values() if error and "unexpected" in error]


def test_a_page_of_many_links_gives_its_first_ones(tmp_path):
    many = Page("".join(f"<a href=a{i}>" for i in range(100_000)))
    served = {"http://many.example/": many, GOOD: page()}
    with serving(served) as server:
        fates = crawl(tmp_path / "raw", server, "http://many.example/", GOOD, max_pages=10)
    assert sum(url.startswith("http://many.example/a") for url in fates) == MAX_LINKS
    assert fates[GOOD][0] == Fate.FETCHED


def test_an_unexpected_failure_is_the_fate_of_one_url(tmp_path, monkeypatch, caplog):
    links_of, policy = lane_module.links_of, lane_module.Policy

    def failing_links(answer, *rest):
        if answer.url.endswith("/bad"):
            raise KeyError("mail me: \ud800\x1b[31m" + "x" * 1000)
        return links_of(answer, *rest)

    def failing_policy(files, agent):
        if files[0].origin == "http://odd.example" and files[0].fate is None:
            raise OverflowError("too large")
        return policy(files, agent)

    monkeypatch.setattr(lane_module, "links_of", failing_links)
    monkeypatch.setattr(lane_module, "Policy", failing_policy)
    served = {GOOD: page("/bad", "/later"), f"{GOOD}bad": page(text="stored?"), f"{GOOD}later": page()}
    with serving(served | {"http://odd.example/": page()}) as server:
        fates = crawl(tmp_path / "raw", server, GOOD, "http://odd.example/")
        assert server.paths.count("odd.example/robots.txt") == 1
    fate, error = fates[f"{GOOD}bad"]
    assert fate == Fate.FAILED
    assert error.startswith("unexpected KeyError: ")
    assert len(error) <= 300
    assert error.isprintable()
    assert fates[f"{GOOD}later"] == (Fate.FETCHED, None)
    assert fates["http://odd.example/"] == (
        Fate.ROBOTS_UNREACHABLE, "robots.txt: unexpected OverflowError: too large",
    )  # fmt: skip
    assert "failing_links" in caplog.text
    stored = set()
    for path in (tmp_path / "raw").glob("*.warc.gz"):
        with path.open("rb") as file:
            stored |= {record.headers["WARC-Target-URI"] for record in ArchiveIterator(file) if record.http_headers}
    assert stored == {GOOD, f"{GOOD}later"}


@pytest.mark.parametrize("name", ["many-rules", "nested"])
def test_time_is_bounded(tmp_path, name):
    started = time.process_time()
    with serving(web()) as server:
        crawl(tmp_path / "raw", server, f"http://{name}.example/")
    assert time.process_time() - started < 20  # about 1 s; 115 s for each URL and more before
