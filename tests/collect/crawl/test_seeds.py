"""Crawls whose seeds give no page: why they gave none, and what kind of error that is."""

import pytest

from corpusmill.collect.crawl.rounds import crawl_rounds
from corpusmill.collect.crawl.seeds import nothing_fetched, without_page
from corpusmill.collect.crawl.state import CrawlFolder
from corpusmill.errors import InputError, RunError
from tests.collect.crawl.server import Page, page, redirect, serving

A, B = "http://a.example/", "http://b.example/"
FORBIDS = Page("User-agent: *\nDisallow: /", type="text/plain")


@pytest.mark.parametrize(
    ("web", "changes", "kind", "words"),
    [
        ({f"{A}robots.txt": FORBIDS}, {}, InputError,
         f"its seed is disallowed by robots.txt ({A}: robots.txt: Disallow: /)"),
        ({f"{A}robots.txt": Page(status=503)}, {}, RunError,
         f"its seed is not asked, because robots.txt could not be fetched ({A}: robots.txt: HTTP status 503)"),
        ({f"{A}ai.txt": FORBIDS}, {}, InputError, f"its seed is reserved by its host ({A}: ai.txt: Disallow: /)"),
        ({}, {"hosts": ["b.example"]}, InputError,
         f"its seed is out of scope ({A}); add its host to hosts in [sources.crawl]"),
        ({}, {"exclude": ["*a.example*"]}, InputError,
         f"its seed is out of scope ({A}: excluded by '*a.example*')"),
        ({A: redirect("http://www.b.example/x")}, {}, InputError,
         f"its seed is out of scope ({A} redirects to http://www.b.example/x); add its host to hosts in "
         "[sources.crawl]"),
        ({A: redirect("/b", 302), f"{A}b": redirect("/c"), f"{A}c": Page(status=403)}, {}, InputError,
         f"its seed is answered with HTTP status 403 ({A} redirects to {A}c)"),
        ({A: redirect("/")}, {}, InputError, f"its seed is answered with HTTP status 301 ({A})"),
        ({A: Page(status=404)}, {}, InputError, f"its seed is answered with HTTP status 404 ({A})"),
        ({A: Page(raw=b"")}, {}, RunError,
         f"its seed is not answered ({A}: the server closed the connection without an answer)"),
        ({A: page()}, {"allow_private_addresses": False}, InputError,
         f"its seed is at a private address ({A}: robots.txt: 127.0.0.1 is not a public address); "
         "allow_private_addresses = true allows your own servers"),
    ],
)  # fmt: skip
def test_a_seed_that_gives_no_page(tmp_path, web, changes, kind, words):
    with serving(web) as server:
        settings = server.settings(**changes)
        summary = crawl_rounds(CrawlFolder(tmp_path / "web"), settings)
    assert not summary.gave_pages
    error = nothing_fetched(CrawlFolder(tmp_path / "web"), settings)
    assert type(error) is kind
    assert str(error) == f"source 'web': no page was fetched: {words}"


def test_many_seeds_are_counted(tmp_path):
    seeds = [A, *(f"{A}{i}" for i in range(3)), f"{B}x", f"{A}"]
    web = {A: page(), f"{B}robots.txt": FORBIDS, f"{A}2": redirect("/")}
    with serving(web) as server:
        settings = server.settings(*seeds)
        summary = crawl_rounds(CrawlFolder(tmp_path / "web"), settings)
    assert summary.gave_pages
    words, fates = without_page(CrawlFolder(tmp_path / "web"), settings)
    assert words == (
        f"2 of 5 seeds are answered with HTTP status 404 ({A}0, and 1 more); "
        f"1 of 5 seeds is disallowed by robots.txt ({B}x: robots.txt: Disallow: /)"
    )
    assert fates == {"fetched", "robots_disallowed"}


def test_seeds_that_all_gave_a_page_need_no_words(tmp_path):
    with serving({A: page()}) as server:
        settings = server.settings()
        crawl_rounds(CrawlFolder(tmp_path / "web"), settings)
    assert without_page(CrawlFolder(tmp_path / "web"), settings) == ("", set())
