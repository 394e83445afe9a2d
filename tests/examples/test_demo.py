"""The demo's recipe and its module are right for the example web."""

import duckdb
import pyarrow as pa

from corpusmill import recipe
from corpusmill.collect.crawl.rounds import crawl_rounds
from corpusmill.collect.crawl.state import CrawlFolder
from corpusmill.extensions import REGISTRY
from examples import demo, live
from examples.serve import WEB, serve
from examples.webgen.site import Site


def test_the_recipe_is_valid_and_names_the_example_s_hosts():
    loaded = recipe.load(demo.EXAMPLES / "demo.toml")
    crawl = loaded.sources[0].crawl
    site = Site.load(WEB)
    assert sorted(crawl.hosts) == sorted([*site.hosts, live.HOST])
    assert set(crawl.seeds) <= {*site.answers, live.SEED}
    assert crawl.max_pages >= len(site.answers)
    assert list(crawl.connect_to.values()) == [demo.ADDRESS_IN_RECIPE]


def test_the_address_can_be_replaced_in_the_recipe():
    assert (demo.EXAMPLES / "demo.toml").read_text("utf-8").count(demo.ADDRESS_IN_RECIPE) == 1


def test_the_example_s_own_signal():
    recipe.load(demo.EXAMPLES / "demo.toml")
    pages = pa.table({"text": pa.array(["Go! Go!!!!", "calm", "", None], pa.large_string())})
    shares = REGISTRY.signals["share_of_exclamations"].function(pages)
    assert shares.to_pylist() == [0.5, 0.0, 0.0, None]


def test_the_crawl_shows_what_becomes_of_urls(tmp_path):
    crawl = recipe.load(demo.EXAMPLES / "demo.toml").sources[0].crawl
    with serve() as serving:
        to = {"*.example": f"{serving.address}:{serving.port}"}
        settings = crawl.model_copy(update={"connect_to": to, "max_delay_s": 1.0, "max_depth": 4})
        summary = crawl_rounds(CrawlFolder(tmp_path / "web"), settings)
    shown = {"fetched", "robots_disallowed", "robots_unreachable", "nofollow", "out_of_scope", "too_deep", "trap"}
    assert shown <= summary.fates.keys()
    ways = duckdb.sql(f"SELECT url, fate, http_status, error FROM '{tmp_path}/web/urls/*.parquet'").fetchall()
    found = {url: (fate, status) for url, fate, status, _ in ways}
    assert found["http://calendar.example/tickets/"] == ("fetched", 200)  # 429 at first
    assert ("http://calendar.example/2036/11/", "trap") in {(url, fate) for url, fate, _, _ in ways}
