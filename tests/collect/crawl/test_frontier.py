import dataclasses
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpusmill import schema
from corpusmill.collect.crawl import frontier as module
from corpusmill.collect.crawl.frontier import KEYS, Frontier, Met, best_ways, key_of, keys_of_part, shard_of, share_out
from corpusmill.collect.crawl.lane import Retry
from corpusmill.collect.crawl.shard import keys_of_shard
from corpusmill.collect.crawl.tables import HOSTS, RETRIES, UrlRow, table_of
from corpusmill.errors import BalanceError, InputError
from corpusmill.reasons import Fate
from corpusmill.recipe import CrawlSettings

SEED = "http://a.example/"


def made(*seeds, **changes):
    return CrawlSettings.model_validate({"seeds": list(seeds) or [SEED], "hosts": ["*.example"], **changes})


def fresh(*seeds, **changes):
    return Frontier(made(*seeds, **changes), 2026)


def settled(url, fate=Fate.FETCHED, error=None, round=1):
    host = url.split("/")[2]
    return UrlRow(source="s", url=url, host=host, round=round, depth=0, found_on=None, fate=fate, error=error)


@dataclasses.dataclass
class Asked:
    """A row of HOSTS."""

    host: str
    pages: int = 0
    bytes: int = 0
    seconds: float = 0.0
    requests: int = 0
    errors: int = 0
    given_up: str | None = None
    not_before: float = 0.0


def add(frontier, rows, links=(), round=1, retries=(), hosts=()):
    pages = Counter(row.host for row in rows if row.fate in module.PAGE_FATES)
    given = {asked.host for asked in hosts}
    hosts = [*hosts, *(Asked(host, n) for host, n in pages.items() if host not in given)]
    frontier.add(
        round, table_of(rows, schema.URLS), best_ways(links), table_of(retries, RETRIES), table_of(hosts, HOSTS)
    )


def offered(frontier):
    return frontier.offers().to_pylist()


def link(url, depth=1, redirects=0, nofollow=False, found_on=SEED):
    return Met(url, depth, redirects, found_on, nofollow)


def planned(frontier):
    return [offer["url"] for offer in offered(frontier)]


def quotas(tmp_path, frontier, left):
    """The quotas of the next round by host."""
    pq.write_table(frontier.offers(), tmp_path / "offers.parquet")
    plan = share_out([tmp_path / "offers.parquet"], left)
    return dict(zip(plan["host"].to_pylist(), plan["quota"].to_pylist(), strict=True))


def fates(frontier):
    return {row.url: row.fate for row in frontier.unfetched("s")}


def test_the_seeds_come_first():
    frontier = fresh("http://b.example", SEED, SEED + "#again")
    assert planned(frontier) == [SEED, "http://b.example/"]
    assert (len(frontier), frontier.pending) == (2, 2)


def test_a_seed_that_is_no_url():
    with pytest.raises(InputError, match=r"seed 'http://a\.\.b/' is not a valid URL"):
        fresh("http://a..b/")


def test_a_seed_outside_the_scope_is_on_record():
    frontier = fresh("http://elsewhere.test/")
    assert planned(frontier) == []
    assert fates(frontier) == {"http://elsewhere.test/": Fate.OUT_OF_SCOPE}


def test_within_a_host_by_depth_and_name():
    frontier = fresh()
    links = [link(f"{SEED}b"), link(f"{SEED}a", depth=2), link(f"{SEED}c"), link("http://c.example/")]
    add(frontier, [settled(SEED)], links)
    assert planned(frontier) == [f"{SEED}b", f"{SEED}c", f"{SEED}a", "http://c.example/"]


def test_why_urls_are_not_fetched():
    frontier = fresh(max_depth=1, max_redirects=5, max_pages_per_host=1)
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
    frontier = fresh(max_depth=3)
    url = f"{SEED}x"
    for way in [link(url, nofollow=True), link(url, depth=4), link(url, depth=3, redirects=11)]:
        add(frontier, [], [way])
        assert planned(frontier) == [SEED]
    add(frontier, [], [link(url, depth=3, found_on="http://b.example/")])
    add(frontier, [settled(SEED)], [link(url, depth=2, found_on="http://c.example/")])
    add(frontier, [], [link(url, nofollow=True)])
    (offer,) = offered(frontier)
    assert (offer["url"], offer["depth"], offer["found_on"]) == (url, 2, "http://c.example/")


def test_what_was_dealt_with_is_not_asked_for_again_on_a_better_way():
    frontier = fresh()
    add(frontier, [settled(SEED)], [link(f"{SEED}x", depth=3)])
    add(frontier, [settled(f"{SEED}x")], [link(f"{SEED}x", depth=1), link(SEED)])
    assert planned(frontier) == []


def test_best_ways_keeps_one_row_a_url():
    ways = [link("http://b.example/", depth=2), link("http://b.example/", nofollow=True), link("http://a.example/")]
    rows = sorted(best_ways(ways).drop_columns("key").to_pylist(), key=lambda row: row["url"])
    assert rows == [
        {"url": "http://a.example/", "depth": 1, "redirects": 0, "found_on": SEED, "nofollow": False},
        {"url": "http://b.example/", "depth": 2, "redirects": 0, "found_on": SEED, "nofollow": False},
    ]
    assert best_ways(ways)["key"].to_pylist() == sorted(key_of(f"{host}.example") for host in "ab")


def test_a_host_without_pages_in_some_rounds_is_left_alone():
    frontier = fresh()
    add(frontier, [settled(SEED)], [link(f"{SEED}x"), link("http://b.example/")])
    for strikes in range(1, module.STRIKES + 1):
        assert f"{SEED}x" in planned(frontier)
        add(frontier, [], hosts=[Asked("a.example", given_up="it is tired")])
        assert [offer["strikes"] for offer in offered(frontier) if offer["host"] == "a.example"] in ([strikes], [])
    assert planned(frontier) == ["http://b.example/"]
    (row,) = (row for row in frontier.unfetched("s") if row.url == f"{SEED}x")
    assert (row.fate, row.error) == (Fate.FAILED, "not asked: it is tired")


def test_a_page_in_between_makes_up_for_it():
    frontier = fresh()
    add(frontier, [settled(SEED)], [link(f"{SEED}x"), link(f"{SEED}y")])
    for _ in range(module.STRIKES - 1):
        add(frontier, [], hosts=[Asked("a.example", given_up="it is tired")])
    add(frontier, [settled(f"{SEED}x")], hosts=[Asked("a.example", pages=1, given_up="it is tired")])
    assert offered(frontier)[0]["strikes"] == 0


def test_failed_urls_come_last_and_say_why():
    frontier = fresh()
    failed = Retry(url=f"{SEED}a", attempts=1, fate=Fate.FAILED, error="no connection")
    add(frontier, [settled(SEED)], [link(f"{SEED}a"), link(f"{SEED}b", depth=2)])
    add(frontier, [], retries=[failed])
    assert planned(frontier) == [f"{SEED}b", f"{SEED}a"]
    assert [offer["attempts"] for offer in offered(frontier)] == [0, 1]
    rows = {row.url: (row.fate, row.error, row.attempts) for row in frontier.unfetched("s")}
    assert rows[f"{SEED}a"] == (Fate.FAILED, "no connection", 1)
    add(frontier, [], [link(f"{SEED}a", depth=1, found_on="http://0.example/")])  # a better way changes nothing
    assert [offer["attempts"] for offer in offered(frontier)] == [0, 1]


def test_budgets():
    frontier = fresh(max_bytes_per_host=100, max_seconds_per_host=9)
    add(
        frontier, [settled(SEED)], [link(f"{SEED}x"), link("http://b.example/")], hosts=[Asked("a.example", 1, 60, 4.0)]
    )
    left = {offer["host"]: (offer["bytes_left"], offer["seconds_left"]) for offer in offered(frontier)}
    assert left == {"a.example": (40, 5.0), "b.example": (100, 9.0)}
    add(frontier, [], hosts=[Asked("a.example", 0, 40, 0.0)])
    assert planned(frontier) == ["http://b.example/"]
    rows = {row.url: (row.fate, row.error) for row in frontier.unfetched("s")}
    assert rows[f"{SEED}x"] == (Fate.PAGE_LIMIT, "max_bytes_per_host: 100 bytes were sent")


def test_excluded_urls():
    frontier = fresh(exclude=["*/print/*", "*.PDF"])
    links = [link(f"{SEED}print/x"), link(f"{SEED}x.pdf"), link(f"{SEED}x.pdf?y")]
    add(frontier, [settled(SEED)], links)
    assert planned(frontier) == [f"{SEED}x.pdf?y"]
    errors = {row.error for row in frontier.unfetched("s") if row.fate is Fate.OUT_OF_SCOPE}
    assert errors == {"excluded by '*/print/*'", "excluded by '*.PDF'"}


def test_traps():
    frontier = fresh(max_variants=3)
    links = [link(f"{SEED}list?sort={i}&up") for i in range(5)]
    links += [link(f"{SEED}cal/2031/05/"), link(f"{SEED}a/b/a/b/a/b/")]
    add(frontier, [settled(SEED)], links)
    assert planned(frontier) == [f"{SEED}list?sort={i}&up" for i in range(3)]
    errors = {row.url: row.error for row in frontier.unfetched("s") if row.fate is Fate.TRAP}
    assert errors == {
        f"{SEED}list?sort=3&up": "more than 3 URLs like http://a.example/list?sort&up",
        f"{SEED}list?sort=4&up": "more than 3 URLs like http://a.example/list?sort&up",
        f"{SEED}cal/2031/05/": "a calendar: it names the year 2031",
        f"{SEED}a/b/a/b/a/b/": "its path repeats 'a/b'",
    }
    again = fresh(max_variants=3)
    again.load(*frontier.tables())
    add(again, [], [link(f"{SEED}list?sort=9&up")])
    assert planned(again) == planned(frontier)


def test_quotas_are_shared_out_in_turns(tmp_path):
    frontier = fresh()
    links = [link(f"http://{host}.example/{i}") for host in "bcd" for i in range(4 if host != "d" else 1)]
    add(frontier, [settled(SEED)], links)
    assert quotas(tmp_path, frontier, 5) == {"b.example": 2, "c.example": 2, "d.example": 1}
    assert quotas(tmp_path, frontier, 2) == {"b.example": 1, "c.example": 1}
    assert quotas(tmp_path, frontier, 0) == {}


def test_rounds_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PAGES", 3)
    monkeypatch.setattr(module, "CANDIDATES", 5)
    frontier = fresh()
    add(frontier, [settled(SEED)], [link(f"{SEED}{i}") for i in range(9)])
    assert planned(frontier) == [f"{SEED}{i}" for i in range(5)]
    assert quotas(tmp_path, frontier, 100) == {"a.example": 3}


def test_no_url_is_dealt_with_twice():
    frontier = fresh()
    add(frontier, [settled(SEED)])
    with pytest.raises(BalanceError, match="a second time"):
        add(frontier, [settled(SEED)])


def test_hosts_of_one_domain_share_a_shard():
    hosts = ["example.co.uk", "www.example.co.uk", "a.b.example.co.uk", "example.co.uk:8080"]
    assert len({shard_of(host, 8) for host in hosts}) == 1
    assert {shard_of("x.one.example", 8)} == {shard_of("y.one.example", 8)}
    assert len({shard_of(f"site{i}.org", 8) for i in range(100)}) == 8
    assert shard_of("anything", 1) == 0


@pytest.mark.parametrize(("pages", "shards"), [(5000, 1), (5001, 2), (10_000_000, 8)])
def test_large_crawls_have_more_shards(pages, shards):
    assert module.shards_for(made(max_pages=pages)) == shards


@pytest.mark.parametrize("shards", [1, 2, 3, 5, 8])
def test_keys_of_shards(shards):
    for shard in range(shards):
        first, last = keys_of_shard(shard, shards)
        assert [key * shards // KEYS for key in (first, last - 1)] == [shard, shard]
    assert keys_of_shard(0, shards)[0] == 0
    assert keys_of_shard(shards - 1, shards)[1] == KEYS


def test_a_frontier_in_parts_is_the_same_as_in_one():
    seeds = [f"http://site{i}.example/" for i in range(40)]
    links = [link(f"{seed}{i}", depth=i % 3 + 1) for seed in seeds for i in range(3)]
    whole = fresh(*seeds)
    add(whole, [settled(seed) for seed in seeds[:5]], links)
    for parts in (2, 4):
        rows = []
        for part in range(parts):
            frontier = Frontier(made(*seeds), 2026, part, parts)
            parent = Frontier(made(*seeds), 2026, part // 2, parts // 2)
            frontier.load(*parent.tables())
            add(frontier, [settled(seed) for seed in seeds[:5]], links)
            assert all(key_of(url.split("/")[2]) in range(*keys_of_part(part, parts)) for url in planned(frontier))
            rows.append(frontier.offers())
        together = pa.concat_tables(rows).sort_by([("host", "ascending"), ("turn", "ascending")])
        assert together == whole.offers().sort_by([("host", "ascending"), ("turn", "ascending")])


HOST_NAMES = ["a.example", "b.example", "c.example", "x.test"]
URLS = [f"http://{host}/{i}" for host in HOST_NAMES for i in range(5)]
PAGE_FATES = st.sampled_from([Fate.FETCHED] * 6 + [Fate.TOO_LARGE, Fate.FAILED, Fate.ROBOTS_DISALLOWED])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_on_any_web_every_url_is_on_record_once_and_limits_are_exact(tmp_path, data):
    web = {url: data.draw(st.lists(st.sampled_from(URLS), max_size=4)) for url in URLS}
    fate_of = {url: data.draw(PAGE_FATES) for url in URLS}
    nofollow = set(data.draw(st.lists(st.tuples(st.sampled_from(URLS), st.sampled_from(URLS)), max_size=10)))
    most, per_host, deepest = (
        data.draw(st.integers(1, 12)),
        data.draw(st.integers(1, 6)),
        data.draw(st.integers(0, 4)),
    )
    config = made(URLS[0], URLS[6], max_pages=most, max_pages_per_host=per_host, max_depth=deepest)
    frontier, rows, met = Frontier(config, 2026), [], {URLS[0], URLS[6]}
    for round in range(1, 200):
        plan = quotas(tmp_path, frontier, most - sum(row.fate in module.PAGE_FATES for row in rows))
        if not plan:
            break
        done, links, pages = [], [], Counter()
        for offer in offered(frontier):
            host, url = offer["host"], offer["url"]
            if pages[host] >= plan.get(host, 0):
                continue
            fate = fate_of[url]
            done.append(settled(url, fate, round=round))
            if fate in module.PAGE_FATES:
                pages[host] += 1
                for target in web[url]:
                    links.append(link(target, offer["depth"] + 1, 0, (url, target) in nofollow))
                    met.add(target)
        assert done, "a round that does nothing"
        add(frontier, done, links, round)
        frontier, before = Frontier(config, 2026), frontier
        frontier.load(*before.tables())  # as the next process does
        rows += done
    fetched = Counter(row.host for row in rows if row.fate in module.PAGE_FATES)
    rest = list(frontier.unfetched("s"))
    assert fetched.total() <= most
    assert max(fetched.values(), default=0) <= per_host
    assert sorted(row.url for row in [*rows, *rest]) == sorted(met)
    limited = [row for row in rest if row.fate is Fate.PAGE_LIMIT]
    assert all(fetched.total() == most or fetched[row.host] == per_host for row in limited)
