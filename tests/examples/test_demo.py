"""The demo's recipe and its module are right for the example web."""

import pyarrow as pa

from corpusmill import recipe
from corpusmill.extensions import REGISTRY
from examples import demo
from examples.serve import WEB
from examples.webgen.site import Site


def test_the_recipe_is_valid_and_names_the_example_s_hosts():
    loaded = recipe.load(demo.EXAMPLES / "demo.toml")
    crawl = loaded.sources[0].crawl
    site = Site.load(WEB)
    assert sorted(crawl.hosts) == site.hosts
    assert set(crawl.seeds) <= site.answers.keys()
    assert crawl.max_pages >= len(site.answers)
    assert list(crawl.connect_to.values()) == [demo.ADDRESS_IN_RECIPE]


def test_the_address_can_be_replaced_in_the_recipe():
    assert (demo.EXAMPLES / "demo.toml").read_text("utf-8").count(demo.ADDRESS_IN_RECIPE) == 1


def test_the_example_s_own_signal():
    recipe.load(demo.EXAMPLES / "demo.toml")
    pages = pa.table({"text": pa.array(["Go! Go!!!!", "calm", "", None], pa.large_string())})
    shares = REGISTRY.signals["share_of_exclamations"].function(pages)
    assert shares.to_pylist() == [0.5, 0.0, 0.0, None]
