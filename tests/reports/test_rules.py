"""`corpusmill rules`: profiles, the rules of a corpus with their pages, and a trial of the user's own."""

import json

import pytest

from corpusmill.errors import InputError
from corpusmill.filters.profiles import names
from corpusmill.recipe import dump
from corpusmill.reports import trial as trials
from corpusmill.reports.catalog import open_catalog
from corpusmill.reports.rules import profiles, render_profiles, render_rules, rules_of_corpus
from corpusmill.reports.trial import render, trial
from corpusmill.reports.whatif import Removed
from corpusmill.terminal import json_of
from tests.stages import conftest as project
from tests.stages.plain import job_of, run_plainly

from . import conftest
from .conftest import PAGES


def test_every_profile_is_listed_with_thresholds_and_sources():
    found = profiles()
    assert [profile.profile for profile in found] == names()
    assert all(profile.source and profile.title for profile in found)
    told = render_profiles(found)
    assert "too_few_words" in told
    assert "n_words < 50" in told
    (default,) = (each for each in json.loads(json_of(found)) if each["profile"] == "default")
    assert default["rules"][0]["threshold"] == 50


def test_the_rules_of_a_corpus_have_their_pages(corpus):
    broken = [conftest.broken_rules(page) for page in PAGES if page.status == "ok"]
    found = {each.rule: each for each in rules_of_corpus(corpus)}
    assert list(found) == ["too_short", "digits", "shop"]
    for name, each in found.items():
        assert each.profile is None
        assert each.pages == Removed(
            first=sum(rules[:1] == [name] for rules in broken),
            alone=sum(rules == [name] for rules in broken),
            all=sum(name in rules for rules in broken),
        )
    assert "n_words < 5  [recipe]" in render_rules(rules_of_corpus(corpus))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trial")
    project.write_project(folder)
    job = job_of(project.recipe(), folder)
    run_plainly(job, until="verdicts")
    job.corpus.write_text("recipe.toml", dump(job.recipe))
    return folder


MODULE = """
import pyarrow as pa
import pyarrow.compute as pc
from corpusmill import edit, signal


@signal("n_commas", pa.int64(), "commas")
def n_commas(pages):
    return pc.count_substring(pages["text"], ",")


@edit("no_a", "removes every letter a")
def no_a(texts):
    return pc.replace_substring(texts, "a", "")
"""
RECIPE = """
modules = ["new.py"]
[[sources]]
name = "x"
kind = "text"
paths = ["x"]
[filters]
profiles = []
[[filters.rules]]
name = "commas"
signal = "n_commas"
comparison = ">="
threshold = 0
[[filters.rules]]
name = "of_source"
sql = "source = 'web' AND host IS NOT NULL AND n_words > 0"
"""


def test_a_module_is_tried_with_the_rules_of_the_corpus(made):
    (made / "new.py").write_text(MODULE)
    seen = trial(made / "new.py", made / "corpus")
    assert seen.pages > 0
    (signal,), (edit,) = seen.signals, seen.edits
    assert (signal.signal, signal.nulls) == ("n_commas", 0)
    assert signal.least <= signal.median <= signal.most
    assert edit.changed > 0
    assert edit.characters < 0
    assert "loud" in [rule.rule for rule in seen.rules]  # on the signal of another module, as stored
    assert trial(made / "new.py", made / "corpus") == seen
    assert seen.chosen == "all readable pages of the corpus"
    readable = "SELECT count(*) FROM pages WHERE status = 'ok'"
    with open_catalog(made / "corpus") as catalog:
        assert seen.pages == catalog.execute(readable).fetchone()[0]
    lines = render(seen).splitlines()
    assert lines[0] == f"sample: {seen.pages} pages, all readable pages of the corpus"
    assert lines[1].startswith("signal n_commas")
    idle = [rule.rule for rule in seen.rules if rule.profile == "default" and not rule.pages.all]
    assert idle
    assert not [line for line in lines if line.split()[0] in idle]
    assert f"{len(idle)} other rules of the profiles would drop none of these pages" in lines


def test_a_sample_of_a_larger_corpus_is_the_same_number_of_pages_of_each_part(made, monkeypatch):
    (made / "new.py").write_text(MODULE)
    monkeypatch.setattr(trials, "PAGES", 20)
    seen = trial(made / "new.py", made / "corpus")
    assert seen.pages == 20
    assert "spread over the corpus; in each part those with the smallest ids" in render(seen)
    assert trials._quotas({"a": 2, "b": 50, "c": 9, "d": 0}) == {"a": 2, "b": 9, "c": 9, "d": 0}


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("x = 1", "module new.py registers nothing: mark your functions with @signal or @edit"),
        ("from corpusmill import source\n@source('other')\ndef f(path, options): ...", "its sources are not tried"),
    ],
)
def test_a_module_of_which_nothing_can_be_tried_is_told(made, code, says):
    (made / "new.py").write_text(code)
    assert says in render(trial(made / "new.py", made / "corpus"))


def test_a_recipe_is_tried_with_its_modules(made):
    (made / "new.py").write_text(MODULE)
    (made / "new.toml").write_text(RECIPE)
    seen = trial(made / "new.toml", made / "corpus")
    commas, of_source = seen.rules
    assert commas.pages.all == seen.pages
    assert seen.kept == 0
    assert 0 < of_source.pages.all < seen.pages
    assert of_source.pages.first == of_source.pages.alone == 0
    told = render(seen)
    assert "signal n_commas: from" in told
    assert "edit no_a: changes" in told
    assert json.loads(json_of(seen))["kept"] == 0


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('pages["text"], ","', 'pages["txt"], ","', r"signal 'n_commas'.*KeyError.*\(new\.py, line 9\)"),
        ('texts, "a"', "1 / 0", r"edit 'no_a'.*ZeroDivisionError: division by zero \(new\.py, line 14\)"),
        ("import edit, signal", "import edit, sgnal", r"module 'new\.py' fails to load.*\(new\.py, line 4\)"),
        ("def no_a(texts):", "def no_a(texts:", r"fails to load: SyntaxError: .*\(new\.py, line 13\)"),
        ("pa.int64()", "'int64'", r"module 'new\.py': signal 'n_commas': its type.*\(new\.py, line 7\)"),
        ('"n_commas"', '"n_words"', "has a built-in one's name"),
    ],
)
def test_a_mistake_in_a_module_names_the_file_and_the_line(made, before, after, says):
    assert before in MODULE
    (made / "new.py").write_text(MODULE.replace(before, after))
    with pytest.raises(InputError, match=says) as caught:
        trial(made / "new.py", made / "corpus")
    assert "\n" not in str(caught.value)


def test_a_mistake_in_a_rule_names_the_nearest_column(made):
    (made / "new.py").write_text(MODULE)
    (made / "new.toml").write_text(RECIPE.replace('signal = "n_commas"', 'signal = "n_comas"'))
    with pytest.raises(InputError, match="unknown column 'n_comas'; did you mean 'n_commas'"):
        trial(made / "new.toml", made / "corpus")


def test_a_corpus_without_pages_is_named(made, tmp_path):
    (made / "new.py").write_text(MODULE)
    with pytest.raises(InputError, match="not a corpus directory"):
        trial(made / "new.py", tmp_path)
