"""Changes of a recipe by keys with dots."""

import tomllib

import pytest

from corpusmill.ablate.overrides import varied
from corpusmill.ablate.settings import Variant
from corpusmill.errors import InputError
from corpusmill.filters.profiles import active_rules
from corpusmill.recipe import parse

RECIPE = """
[[sources]]
name = "web"
kind = "jsonl"
paths = ["web.jsonl"]

[[sources]]
name = "forum"
kind = "jsonl"
paths = ["forum.jsonl"]

[[edits]]
kind = "citations"

[[filters.rules]]
name = "long"
signal = "n_words"
comparison = ">"
threshold = 1000
"""
DATA = tomllib.loads(RECIPE)


def changed(**changes):
    data = varied(DATA, parse(DATA), Variant(name="v", **changes), "v")
    assert tomllib.loads(RECIPE) == DATA  # the base stays as it is
    return parse(data)


def rules(recipe):
    return {rule.name: rule for rule in active_rules(recipe.filters)}


def test_tables_and_items_of_lists_are_set_by_their_names():
    recipe = changed(
        set={"dedup.enabled": False, "sources.forum.weight": 0.5, "filters.rules.long.threshold": 50,
             "edits.citations.name": "cut"}
    )  # fmt: skip
    assert not recipe.dedup.enabled
    assert [source.weight for source in recipe.sources] == [1, 0.5]
    assert rules(recipe)["long"].threshold == 50
    assert recipe.edits[0].label == "cut"


def test_a_rule_of_a_profile_is_replaced_by_its_changed_copy():
    before = rules(parse(DATA))
    name = next(name for name, rule in before.items() if rule.signal is not None and name != "long")
    after = rules(changed(set={f"filters.rules.{name}.threshold": 0.123}))
    assert after[name] == before[name].model_copy(update={"threshold": 0.123})
    assert after.keys() == before.keys()


def test_items_are_removed_and_rules_of_a_profile_disabled():
    name = next(name for name in rules(parse(DATA)) if name != "long")
    recipe = changed(remove=["sources.forum", "edits.citations", "filters.rules.long", f"filters.rules.{name}"])
    assert [source.name for source in recipe.sources] == ["web"]
    assert recipe.edits == []
    assert rules(recipe).keys() == rules(parse(DATA)).keys() - {"long", name}


def test_items_are_added():
    recipe = changed(add={"edits": [{"kind": "unicode"}], "filters.rules": [{"name": "n", "sql": "n_words < 3"}]})
    assert [edit.label for edit in recipe.edits] == ["citations", "unicode"]
    assert rules(recipe)["n"].sql == "n_words < 3"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"set": {"sources.forums.weight": 1}}, "v: there is no 'sources.forums'; did you mean 'forum'?"),
        ({"set": {"filters.rules.lnog.threshold": 1}}, "there is no 'filters.rules.lnog'; did you mean 'long'?"),
        ({"set": {"sources.forum": 1}}, "'sources.forum' is an item of a list"),
        ({"set": {"sources.forum.name.x": 1}}, "'name' is no table"),
        ({"remove": ["sources.x"]}, "there is no 'sources.x'; allowed: forum, web"),
        ({"remove": ["dedup"]}, "there is no 'dedup'"),
        ({"add": {"sources.forum": [{}]}}, "is no list of the recipe"),
    ],
)
def test_what_is_not_there_is_one_sentence(changes, expected):
    with pytest.raises(InputError, match=r"^v: ") as caught:
        changed(**changes)
    assert expected in str(caught.value)


def test_an_unknown_key_is_refused_by_the_recipe():
    with pytest.raises(InputError, match=r"unknown key 'dedup\.enable'"):
        changed(set={"dedup.enable": False})
