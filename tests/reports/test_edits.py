"""`why --diff`: what each edit did, line by line."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.cli import app
from corpusmill.errors import InputError
from corpusmill.reports.edits import ADDED, REMOVED, ChangedLine, changed
from corpusmill.reports.story import _changed_line
from corpusmill.reports.why import render, why
from corpusmill.terminal import json_of
from tests.pipelines.conftest import write_jsonl
from tests.stages.plain import job_of, run_plainly

LINES = st.lists(st.sampled_from(["", "a", "b", "c", "d"]), max_size=12)
TEXT = "cafÃ© is a word of me@mail.example here.\nmenu\n\nThis is a good line, which stays!!\nthem@mail.example"
MINE = """
import pyarrow.compute as pc
from corpusmill import edit

@edit("loud", "one exclamation mark is enough")
def loud(texts):
    return pc.replace_substring(texts, "!!", "!")
"""


@settings(max_examples=500, deadline=None)
@given(LINES, LINES)
def test_the_changes_make_one_text_of_the_other(before, after):
    lines = list(changed(before, after))
    removed = {line.number: line.text for line in lines if line.sign == REMOVED}
    added = {line.number: line.text for line in lines if line.sign == ADDED}
    assert all(before[number - 1] == text for number, text in removed.items())
    assert all(after[number - 1] == text for number, text in added.items())
    rest = [line for number, line in enumerate(before, 1) if number not in removed]
    assert rest == [line for number, line in enumerate(after, 1) if number not in added]


@given(LINES, st.randoms(use_true_random=False))
def test_removed_lines_are_found_without_anything_added(before, random):
    after = [line for line in before if random.random() < 0.5]
    assert [line.sign for line in changed(before, after)] == [REMOVED] * (len(before) - len(after))


def test_long_texts_take_linear_time():
    before = ["same"] * 200_000
    assert len(list(changed(before, before[:1000]))) == 199_000
    assert len(list(changed(before, ["other", *before[:1000]]))) == 199_001


def recipe(**more):
    edits = [{"kind": "unicode"}, {"kind": "c4_lines", "name": "c4"}]
    source = {"name": "a", "kind": "jsonl", "paths": ["a.jsonl"]}
    return {"sources": [source], "filters": {"profiles": ["none"]}, "edits": edits} | more


def made(folder, data):
    """A corpus, and the recipe's file beside it."""
    from corpusmill.recipe import dump

    rows = [{"text": TEXT, "url": "http://a.example/0"}, {"text": "menu", "url": "http://a.example/1"}]
    write_jsonl(folder / "a.jsonl", rows)
    (folder / "mine.py").write_text(MINE)
    job = job_of(data, folder)
    run_plainly(job, until="verdicts")
    job.corpus.write_text("recipe.toml", dump(job.recipe))
    (folder / "recipe.toml").write_text(dump(job.recipe))
    return job.corpus.folder


def test_what_each_edit_did_is_shown_masked(tmp_path):
    corpus = made(tmp_path, recipe())
    story = why(corpus, "http://a.example/0", with_diff=True)
    (document,) = story.documents
    unicode, c4 = document.diff.steps
    assert document.diff.agrees
    assert [(line.number, line.sign, line.text) for line in unicode.changes] == [
        (1, "-", "cafÃ© is a word of <email> here."),
        (1, "+", "café is a word of <email> here."),
    ]
    assert [(line.number, line.text) for line in c4.changes] == [(2, "menu"), (5, "<email>")]
    assert (c4.n_lines, c4.n_chars) == (2, len("menu\n") + len("\nthem@mail.example"))
    assert document.signals["edit_c4_lines"] == 2
    assert "@mail" not in render(story) + json_of(story)
    assert "c4: 2 lines removed or changed, 23 characters shorter" in render(story)
    assert json.loads(json_of(story))["documents"][0]["diff"]["steps"][1]["changes"][0]["text"] == "menu"
    assert why(corpus, "http://a.example/0").documents[0].diff is None
    emptied = why(corpus, "http://a.example/1", with_diff=True).documents[0]
    assert (emptied.n_chars, emptied.signals["edit_c4_chars"]) == (0, 4)


def test_characters_that_nobody_sees_are_named():
    assert (
        _changed_line(ChangedLine(1, "-", "a\u200bb\u00a0c\u200d\td"), "") == "-     1  a<U+200B>b<U+00A0>c<U+200D> d"
    )


def test_a_recipe_with_modules_has_to_be_given(tmp_path, capsys):
    corpus = made(tmp_path, recipe(modules=["mine.py"]))
    with pytest.raises(InputError, match="its recipe names modules, which may hold edits; give the recipe"):
        why(corpus, "http://a.example/0", with_diff=True)
    asked = ["why", str(corpus), "http://a.example/0", "--diff", "--recipe", str(tmp_path / "recipe.toml")]
    app(asked, standalone_mode=False)
    told = capsys.readouterr().out
    assert "loud: 1 line removed or changed, 1 character shorter" in told
    assert "another text" not in told
    (tmp_path / "mine.py").write_text(MINE.replace('"!!", "!"', '"good", "bad"'))
    story = why(corpus, "http://a.example/0", with_diff=True, recipe=tmp_path / "recipe.toml")
    assert not story.documents[0].diff.agrees
    assert "the corpus has another text" in render(story)
