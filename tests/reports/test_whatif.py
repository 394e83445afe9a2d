"""What other rules would keep: the same figures as a run with these rules, from what is stored."""

import json

import pytest

from corpusmill.corpus import Corpus
from corpusmill.errors import InputError
from corpusmill.filters.changes import changed
from corpusmill.filters.profiles import active_rules
from corpusmill.filters.settings import FilterSettings, Rule
from corpusmill.recipe import dump
from corpusmill.reports.catalog import open_catalog
from corpusmill.reports.whatif import Removed, render, whatif
from corpusmill.terminal import json_of
from tests.stages import conftest as project
from tests.stages.plain import job_of, run_plainly

from . import conftest
from .conftest import PAGES, doc_id

READABLE = [i for i, page in enumerate(PAGES) if page.status == "ok"]


def test_with_the_present_rules_it_says_what_the_verdicts_say(corpus):
    answer = whatif(corpus)
    broken = [conftest.broken_rules(PAGES[i]) for i in READABLE]
    assert answer.now == answer.then
    assert (answer.pages, answer.into, answer.out, answer.differs_from_verdicts) == (len(READABLE), 0, 0, 0)
    assert answer.now.kept_by_rules == sum(not names for names in broken)
    kept = conftest.kept(range(len(PAGES)))
    assert answer.now.documents == len(kept)
    assert answer.now.tokens == sum(10 + i for i in kept)
    for effect in answer.rules:
        assert effect.now == effect.then
        assert effect.now == Removed(
            first=sum(names[:1] == [effect.rule] for names in broken),
            alone=sum(names == [effect.rule] for names in broken),
            all=sum(effect.rule in names for names in broken),
        )
    assert answer.examples == ()
    assert "every rule drops what it drops now" in render(answer)


def test_pages_that_come_in_are_estimated_and_named_with_the_rule_that_keeps_them_out(corpus):
    answer = whatif(corpus, ["too_short=2", "shop=", "digits=digit_share > 1"])
    short = [i for i in READABLE if conftest.broken_rules(PAGES[i])]
    assert answer.into == len(short) > 0
    assert [(each.doc_id, each.way, each.rule) for each in answer.examples] == [
        (doc_id(i), "in", conftest.broken_rules(PAGES[i])[0]) for i in short
    ]
    assert answer.examples[0].value == conftest.n_words(PAGES[short[0]])
    assert answer.then.estimated
    assert "~" in render(answer)


def test_pages_that_go_out_name_the_rule_that_would_drop_them(corpus):
    answer = whatif(corpus, ["mail=url LIKE '%mail%'"])
    gone = [i for i in READABLE if "mail" in PAGES[i].url]
    assert (answer.out, answer.into, answer.then.estimated) == (len(gone), 0, False)
    assert {(each.doc_id, each.way, each.rule, each.value) for each in answer.examples} == {
        (doc_id(i), "out", "mail", None) for i in gone
    }
    assert all("jane" not in f"{each.url}{each.title}" for each in answer.examples)
    kept = [i for i in conftest.kept(range(len(PAGES))) if i not in gone]
    assert answer.then.documents == len(kept)
    assert answer.then.tokens == sum(10 + i for i in kept)
    told = render(answer)
    assert "not in force" in told
    assert "are not repeated" in told
    assert json.loads(json_of(answer))["out"] == len(gone)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A real run of the stages up to tokens."""
    folder = tmp_path_factory.mktemp("whatif")
    project.write_project(folder)
    job = job_of(project.recipe(), folder)
    run_plainly(job)
    job.corpus.write_text("recipe.toml", dump(job.recipe))
    return folder


CHANGES = (
    (["too_few_words=5"], []),
    (["too_few_words=n_words < 20 AND source = 'lines'"], ["loud"]),
    (["loud=shouting > 1", "short_lines="], ["default:newlines"]),
    (["mine=host LIKE '%example%' OR title IS NULL"], []),
)


@pytest.mark.parametrize(("sets", "without"), CHANGES)
def test_it_says_what_a_run_with_the_changed_rules_gives(made, sets, without):
    without = [name.removeprefix("default:") for name in without]
    answer = whatif(made / "corpus", sets, without)
    present = FilterSettings.model_validate(project.recipe()["filters"])
    data = project.recipe() | {"filters": changed(present, sets, without).model_dump(exclude_none=True)}
    run_plainly(job_of(data, made, "changed"), until="verdicts")
    with open_catalog(made / "changed") as catalog:
        kept, first, every = catalog.execute(
            "SELECT count(*) FILTER (kept_by_rules), list(dropped_by[1]) FILTER (len(dropped_by) > 0), "
            "flatten(list(dropped_by)) FROM judged"
        ).fetchall()[0]
        alone = catalog.execute("SELECT list(dropped_by[1]) FROM judged WHERE len(dropped_by) = 1").fetchall()[0][0]
    assert answer.then.kept_by_rules == kept
    assert answer.differs_from_verdicts == 0
    for effect in answer.rules:
        if effect.then is not None:
            counts = [(names or []).count(effect.rule) for names in (first, alone, every)]
            assert [effect.then.first, effect.then.alone, effect.then.all] == counts, effect.rule
    assert answer.now.kept_by_rules + answer.into - answer.out == kept


def test_verdicts_of_other_rules_are_noticed(made, tmp_path):
    recipe = Corpus(made / "corpus").read_text("recipe.toml")
    Corpus(made / "corpus").write_text("recipe.toml", recipe.replace("threshold = 3.0", "threshold = 0.0"))
    try:
        answer = whatif(made / "corpus")
    finally:
        Corpus(made / "corpus").write_text("recipe.toml", recipe)
    assert answer.differs_from_verdicts > 0
    assert "they were made by other rules" in render(answer)


@pytest.mark.parametrize(
    ("sets", "without", "says"),
    [
        (["too_short"], [], "write rule=expression"),
        (["too_shrt="], [], "no rule 'too_shrt'; did you mean 'too_short'"),
        ([], ["nothing"], "no rule 'nothing'"),
        (["shop=5"], [], "rule 'shop' has no threshold"),
        (["none=5"], [], "no rule 'none'"),
        (["Big Name=true"], [], "'Big Name' is no name"),
        (["x=n_wrds > 5"], [], "unknown column 'n_wrds'; did you mean 'n_words'"),
        (["x=(SELECT true)"], [], "own columns only"),
        (["x=language::INT > 5"], [], "rule 'x' fails on a page"),
    ],
)
def test_a_wrong_change_is_one_sentence(corpus, sets, without, says):
    with pytest.raises(InputError, match=says) as caught:
        whatif(corpus, sets, without)
    assert "\n" not in str(caught.value)


def test_no_corpus_and_no_verdicts(tmp_path):
    with pytest.raises(InputError, match="not a corpus directory"):
        whatif(tmp_path)
    Corpus(tmp_path).write_text("recipe.toml", conftest.RULES)
    with pytest.raises(InputError, match="has no verdicts yet"):
        whatif(tmp_path)


def test_without_any_rule_everything_is_kept(corpus):
    answer = whatif(corpus, ["too_short="], ["digits", "shop"])
    assert answer.then.kept_by_rules == len(READABLE)
    assert all(each.then is None for each in answer.rules)


def test_a_number_changes_the_threshold_alone():
    rule = {"name": "a", "signal": "n_words", "comparison": "<", "threshold": 5, "when": "language = 'en'"}
    settings = changed(FilterSettings(profiles=[], rules=[rule]), ["a=7.5"])
    assert settings.rules == [Rule(**{**rule, "threshold": 7.5})]
    assert changed(settings, ["a=n_words>=3"]).rules == [Rule(name="a", signal="n_words", comparison=">=", threshold=3)]


def test_a_rule_that_is_left_out_does_not_bring_back_what_it_had_replaced():
    mine = {"name": "symbols", "signal": "symbol_word_ratio", "comparison": ">", "threshold": 0.5}
    settings = FilterSettings(rules=[mine], languages=["en"], min_language_score=0.5)
    left = changed(settings, ["symbols="], ["language", "language_score"])
    assert {rule.name for rule in active_rules(left)} == {rule.name for rule in active_rules(FilterSettings())} - {
        "symbols"
    }


def test_rules_of_a_corpus_are_checked_before_they_are_evaluated(own_corpus, tmp_path):
    """Also one that is left out: it is evaluated for what is kept now."""
    written = tmp_path / "written"
    given = Corpus(own_corpus).read_text("recipe.toml")
    joined = "LEFT JOIN (SELECT doc_id, n_bytes, n_tokens FROM tokens) t USING (doc_id)"
    hostile = f"true), false) AS drop_2 FROM judged) j {joined}; COPY (SELECT 1) TO '{written}'; --"
    Corpus(own_corpus).write_text("recipe.toml", given.replace("language = 'en' AND n_words < 4", hostile))
    for without in ([], ["shop"]):
        with pytest.raises(InputError, match=r"rule 'shop': .* is not valid SQL"):
            whatif(own_corpus, without=without)
    assert not written.exists()


def test_any_number_of_rules_may_drop_a_page(corpus):
    answer = whatif(corpus, [f"rule{i}=n_words >= 0" for i in range(300)])
    assert answer.then.kept_by_rules == 0


def two_profiles(**more):
    limits = {"signal": "n_words", "comparison": "<"}
    profiles = [
        {"name": name, "rules": [{"name": "x", **limits, "threshold": n, "when": when}, {"name": name, "sql": "false"}]}
        for name, n, when in (("a", 5, "language = 'en'"), ("b", 6, None))
    ]
    return FilterSettings.model_validate({"profiles": profiles} | more)


def named(settings):
    return [rule.name for rule in active_rules(settings)]


def test_a_full_name_stays_when_the_other_rule_of_the_name_is_replaced_or_left_out():
    assert named(two_profiles()) == ["a:x", "a", "b:x", "b"]
    assert named(two_profiles(disable=["a:x"])) == ["a", "b:x", "b"]
    assert named(two_profiles(rules=[{"name": "a:x", "sql": "true"}])) == ["a:x", "a", "b:x", "b"]
    assert named(changed(two_profiles(), ["a:x=3"])) == ["a:x", "a", "b:x", "b"]
    assert named(changed(two_profiles(), [], ["b:x"])) == ["a:x", "a", "b"]
    assert named(changed(two_profiles(), ["a:x=3"], ["a:x"])) == ["a", "b:x", "b"]


def test_a_short_name_stands_for_all_rules_of_the_name():
    both = {rule.name: rule for rule in active_rules(changed(two_profiles(), ["x=9"]))}
    assert {name: rule.threshold for name, rule in both.items() if name.endswith(":x")} == {"a:x": 9, "b:x": 9}
    assert both["a:x"].when == "language = 'en'"
    assert {rule.threshold for rule in changed(two_profiles(), ["a:x=3", "x=9"]).rules} == {9}
    assert named(changed(two_profiles(), ["x=n_words < 2"])) == ["x", "a", "b"]
    for sets, without in ((["x="], []), ([], ["x"]), (["a:x=3", "x="], []), (["x=true", "x="], [])):
        assert named(changed(two_profiles(), sets, without)) == ["a", "b"]
    assert named(changed(two_profiles(), [], ["a:a"])) == ["a:x", "b:x", "b"]  # the full name of a rule


def test_of_many_names_an_error_tells_the_nearest():
    with pytest.raises(
        InputError, match=r"no rule 'too_few_wrds'; did you mean 'too_few_words'\? \d+ are allowed"
    ) as caught:
        changed(FilterSettings(), ["too_few_wrds="])
    assert len(str(caught.value)) < 250
