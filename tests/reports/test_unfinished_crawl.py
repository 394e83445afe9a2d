"""`why` of a crawl that was interrupted: the fates of URLs that no round has decided."""

import pytest

from corpusmill.collect.crawl.rounds import crawl_rounds
from corpusmill.collect.crawl.shard import fetch_shard
from corpusmill.collect.crawl.state import CrawlFolder
from corpusmill.errors import InputError
from corpusmill.reports.why import render, why
from tests.collect.crawl.server import page, redirect, serving

A = "http://a.example/"


class Stopped(BaseException):
    pass


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    links = [f"{A}1", f"{A}old", "http://b.example/", f"{A}cal/2099/01/", f"{A}x?PHPSESSID=1"]

    def stopped_in_the_third_round(round):
        if round.number == 3:
            raise Stopped
        for shard in round.shards:
            fetch_shard(shard)

    web = {A: page(*links), f"{A}1": page(f"{A}later", "http://c.example/"), f"{A}old": redirect("/1")}
    with serving(web) as server, pytest.raises(Stopped):
        crawl_rounds(CrawlFolder(folder / "raw" / "web"), server.settings(), stopped_in_the_third_round)
    return folder


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (f"{A}later", "not fetched yet: the crawl is not finished"),
        ("c.example", "not fetched: outside the hosts and schemes that the recipe crawls"),
        (f"{A}cal/2099/01", "it looks like one of endless addresses (a calendar: it names the year 2099)"),
        (f"{A}old", f"redirects to {A}1"),
        (f"{A}x?PHPSESSID=99", "HTTP 404"),
    ],
)
def test_every_url_that_was_met_has_a_story(corpus, url, told):
    assert told in render(why(corpus, url))


def test_a_url_that_was_not_met(corpus):
    with pytest.raises(InputError, match=r"does not contain 'http://a\.example/never'"):
        why(corpus, f"{A}never")
