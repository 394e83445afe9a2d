from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill import schema
from corpusmill.collect.crawl import frontier as module
from corpusmill.collect.crawl.frontier import Frontier, Met, best_ways, shard_of
from corpusmill.collect.crawl.tables import UrlRow, table_of
from corpusmill.errors import BalanceError, InputError
from corpusmill.reasons import Fate
from corpusmill.recipe import CrawlSettings

SEED = "http://a.example/"


def made(*seeds, **changes):
    return CrawlSettings.model_validate({"seeds": list(seeds) or [SEED], "hosts": ["*.example"], **changes})


def settled(url, fate=Fate.FETCHED, error=None, round=1):
    host = url.split("/")[2]
    return UrlRow(source="s", url=url, host=host, round=round, depth=0, found_on=None, fate=fate, error=error)


def add(frontier, rows, links=(), round=1):
    frontier.add(round, table_of(rows, schema.URLS), best_ways(links))


def link(url, depth=1, redirects=0, nofollow=False, found_on=SEED):
    return Met(url, depth, redirects, found_on, nofollow)


def planned(frontier):
    return [candidate.url for candidate in frontier.plan()]


def fates(frontier):
    return {row.url: row.fate for row in frontier.unfetched("s")}


def test_the_seeds_come_first():
    frontier = Frontier(made("http://b.example", SEED, SEED + "#again"))
    assert planned(frontier) == [SEED, "http://b.example/"]
    assert (len(frontier), frontier.pending) == (2, 2)


def test_a_seed_that_is_no_url():
    with pytest.raises(InputError, match=r"seed 'http://a\.\.b/' is not a valid URL"):
        Frontier(made("http://a..b/"))


def test_a_seed_outside_the_scope_is_on_record():
    frontier = Frontier(made("http://elsewhere.test/"))
    assert planned(frontier) == []
    assert fates(frontier) == {"http://elsewhere.test/": Fate.OUT_OF_SCOPE}


def test_within_a_host_by_depth_and_name():
    frontier = Frontier(made())
    links = [link(f"{SEED}b"), link(f"{SEED}a", depth=2), link(f"{SEED}c"), link("http://c.example/")]
    add(frontier, [settled(SEED)], links)
    assert planned(frontier) == [f"{SEED}b", f"{SEED}c", f"{SEED}a", "http://c.example/"]


def test_why_urls_are_not_fetched():
    frontier = Frontier(made(max_depth=1, max_redirects=5, max_pages=1))
    links = [
        link("http://elsewhere.test/"),
        link("ftp://a.example/"),
        link(f"{SEED}deep", depth=2),
        link(f"{SEED}no", nofollow=True),
        link(f"{SEED}round", depth=0, redirects=6),
        link(f"{SEED}rest"),
    ]
    add(frontier, [settled(SEED)], links)
    assert planned(frontier) == []
    assert fates(frontier) == {
        "http://elsewhere.test/": Fate.OUT_OF_SCOPE,
        "ftp://a.example/": Fate.OUT_OF_SCOPE,
        f"{SEED}deep": Fate.TOO_DEEP,
        f"{SEED}no": Fate.NOFOLLOW,
        f"{SEED}round": Fate.REDIRECT_LIMIT,
        f"{SEED}rest": Fate.PAGE_LIMIT,
    }


def test_a_better_way_is_taken_when_it_is_met():
    frontier = Frontier(made(max_depth=3))
    url = f"{SEED}x"
    for way in [link(url, nofollow=True), link(url, depth=4), link(url, depth=3, redirects=11)]:
        add(frontier, [], [way])
        assert planned(frontier) == [SEED]
    add(frontier, [], [link(url, depth=3, found_on="http://b.example/")])
    add(frontier, [settled(SEED)], [link(url, depth=2, found_on="http://c.example/")])
    add(frontier, [], [link(url, nofollow=True)])
    (candidate,) = frontier.plan()
    assert (candidate.url, candidate.depth, candidate.found_on) == (url, 2, "http://c.example/")


def test_what_was_dealt_with_is_not_asked_for_again_on_a_better_way():
    frontier = Frontier(made())
    add(frontier, [settled(SEED)], [link(f"{SEED}x", depth=3)])
    add(frontier, [settled(f"{SEED}x")], [link(f"{SEED}x", depth=1), link(SEED)])
    assert planned(frontier) == []


def test_best_ways_keeps_one_row_a_url():
    ways = [link("http://b.example/", depth=2), link("http://b.example/", nofollow=True), link("http://a.example/")]
    assert best_ways(ways).to_pylist() == [
        {"url": "http://a.example/", "depth": 1, "redirects": 0, "found_on": SEED, "nofollow": False},
        {"url": "http://b.example/", "depth": 2, "redirects": 0, "found_on": SEED, "nofollow": False},
    ]


def test_a_host_that_wants_no_more_requests_is_left_alone():
    frontier = Frontier(made())
    refused = settled(SEED, error="the host wants no more requests (HTTP status 429)")
    add(frontier, [refused], [link(f"{SEED}x"), link("http://b.example/")])
    assert planned(frontier) == ["http://b.example/"]
    add(frontier, [settled("http://b.example/", Fate.TOO_LARGE, "cut off at 9 bytes")], [link("http://b.example/y")])
    assert planned(frontier) == ["http://b.example/y"]
    (row,) = (row for row in frontier.unfetched("s") if row.url == f"{SEED}x")
    assert (row.fate, row.error) == (Fate.FAILED, "not asked: the host wanted no more requests")


def test_quotas_are_shared_out_in_turns():
    frontier = Frontier(made(max_pages=6))
    links = [link(f"http://{host}.example/{i}") for host in "bcd" for i in range(4 if host != "d" else 1)]
    add(frontier, [settled(SEED)], links)
    quotas = {candidate.host: candidate.quota for candidate in frontier.plan()}
    assert quotas == {"b.example": 2, "c.example": 2, "d.example": 1}


def test_rounds_are_bounded(monkeypatch):
    monkeypatch.setattr(module, "PAGES", 3)
    monkeypatch.setattr(module, "CANDIDATES", 5)
    frontier = Frontier(made())
    add(frontier, [settled(SEED)], [link(f"{SEED}{i}") for i in range(9)])
    plan = frontier.plan()
    assert [(c.url, c.quota) for c in plan] == [(f"{SEED}{i}", 3) for i in range(5)]


def test_no_url_is_dealt_with_twice():
    frontier = Frontier(made())
    add(frontier, [settled(SEED)])
    with pytest.raises(BalanceError, match="a second time"):
        add(frontier, [settled(SEED)])


def test_hosts_of_one_domain_share_a_shard():
    hosts = ["example.co.uk", "www.example.co.uk", "a.b.example.co.uk", "example.co.uk:8080"]
    assert len({shard_of(host, 8) for host in hosts}) == 1
    assert {shard_of("x.one.example", 8)} == {shard_of("y.one.example", 8)}
    assert len({shard_of(f"site{i}.org", 8) for i in range(100)}) == 8
    assert shard_of("anything", 1) == 0


def test_large_crawls_have_more_shards():
    seeds = [f"http://site{i}.test/" for i in range(50)]
    for pages, shards in [(5000, 1), (5001, 2), (10_000_000, 8)]:
        plan = Frontier(made(*seeds, hosts=[], max_pages=pages)).plan()
        assert len({candidate.shard for candidate in plan}) == shards


HOSTS = ["a.example", "b.example", "c.example", "x.test"]
URLS = [f"http://{host}/{i}" for host in HOSTS for i in range(5)]
PAGE_FATES = st.sampled_from([Fate.FETCHED] * 6 + [Fate.TOO_LARGE, Fate.FAILED, Fate.ROBOTS_DISALLOWED])


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_on_any_web_every_url_is_on_record_once_and_limits_are_exact(data):
    web = {url: data.draw(st.lists(st.sampled_from(URLS), max_size=4)) for url in URLS}
    fate_of = {url: data.draw(PAGE_FATES) for url in URLS}
    nofollow = set(data.draw(st.lists(st.tuples(st.sampled_from(URLS), st.sampled_from(URLS)), max_size=10)))
    most, per_host, deepest = (
        data.draw(st.integers(1, 12)),
        data.draw(st.integers(1, 6)),
        data.draw(st.integers(0, 4)),
    )
    config = made(URLS[0], URLS[6], max_pages=most, max_pages_per_host=per_host, max_depth=deepest)
    frontier, rows, met = Frontier(config), [], {URLS[0], URLS[6]}
    for round in range(1, 200):
        plan = frontier.plan()
        if not plan:
            break
        done, links, pages = [], [], Counter()
        for candidate in plan:
            if pages[candidate.host] == candidate.quota:
                continue
            fate = fate_of[candidate.url]
            done.append(settled(candidate.url, fate, round=round))
            if fate in module.PAGE_FATES:
                pages[candidate.host] += 1
                for target in web[candidate.url]:
                    links.append(link(target, candidate.depth + 1, 0, (candidate.url, target) in nofollow))
                    met.add(target)
        assert done, "a round that does nothing"
        add(frontier, done, links, round)
        rows += done
    fetched = Counter(row.host for row in rows if row.fate in module.PAGE_FATES)
    rest = list(frontier.unfetched("s"))
    assert fetched.total() <= most
    assert max(fetched.values(), default=0) <= per_host
    assert sorted(row.url for row in [*rows, *rest]) == sorted(met)
    limited = [row for row in rest if row.fate is Fate.PAGE_LIMIT]
    assert all(fetched.total() == most or fetched[row.host] == per_host for row in limited)
