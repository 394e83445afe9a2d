"""What a run would do, said before it does it."""

import shutil
import subprocess
import tomllib

import pytest

import corpusmill
from corpusmill.errors import InputError
from corpusmill.recipe import Recipe
from tests.pipelines.conftest import RECIPE, TIMEOUT_S, checksums, command, documents, write_jsonl


@pytest.fixture
def own(finished, tmp_path):
    shutil.copytree(finished[0], tmp_path, dirs_exist_ok=True)
    corpusmill.run(tmp_path / "recipe.toml", tmp_path / "corpus")  # which sees that the copies hold the same
    return tmp_path


def dry(project, *options):
    before = {path: path.stat().st_mtime_ns for path in project.rglob("*")}
    done = subprocess.run(
        command(project, "--dry-run", *options), capture_output=True, text=True, timeout=TIMEOUT_S, check=True
    )
    assert {path: path.stat().st_mtime_ns for path in project.rglob("*")} == before  # nothing is written
    return done.stdout


def test_a_new_corpus(project):
    said = dry(project)
    assert "would make at most:\n  pages: 6 of 6 parts" in said
    assert "because:\n  the corpus is new" in said
    assert not (project / "corpus").exists()


def test_nothing_to_do(own):
    assert dry(own) == "nothing to do: all parts are up to date\n"


def test_a_changed_setting(own):
    text = (own / "recipe.toml").read_text()
    (own / "recipe.toml").write_text(text + "\n[dedup]\nthreshold = 0.5\n\n[filters]\nmin_language_score = 0.1\n")
    said = dry(own)
    assert "pages" not in said.partition("because")[0]
    assert "  verdicts: 6 of 6 parts\n" in said
    assert "  dedup.threshold: 0.75 -> 0.5\n" in said
    assert "  filters.min_language_score: " in said
    assert "  tokens" not in dry(own, "--until", "docs")


def test_changed_input(own):
    write_jsonl(own / "in/c.jsonl", documents(5, seed=9))
    (own / "in/b.jsonl").unlink()
    write_jsonl(own / "in/a.jsonl", documents(70, seed=8))
    said = dry(own)
    assert "  new input: c.jsonl\n" in said
    assert "  no longer there: b.jsonl\n" in said
    assert "a.jsonl\n" in said


def test_parts_that_are_gone(own):
    next((own / "corpus/docs").glob("*.parquet")).unlink()
    said = dry(own)
    assert "  docs: 1 of 6 parts\n" in said
    assert "stage docs is not complete" in said


def test_a_recipe_as_an_object(finished, tmp_path, monkeypatch):
    shutil.copytree(finished[0] / "in", tmp_path / "in")
    monkeypatch.chdir(tmp_path)
    data = tomllib.loads(RECIPE)
    assert corpusmill.run(data, "one", workers=1).worked
    assert not corpusmill.run(Recipe.model_validate(data), "one", workers=1).worked
    assert checksums(tmp_path / "one") == checksums(finished[0] / "corpus")


def test_a_recipe_as_an_object_is_checked_like_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = tomllib.loads(RECIPE) | {"extract": {"extractor": "nobody's"}}
    for given in (data, Recipe.model_validate(data)):
        with pytest.raises(
            InputError, match=r"recipe: extract\.extractor: there is no 'nobody's'; allowed: corpusmill"
        ):
            corpusmill.run(given, "corpus")
    (tmp_path / "mine.py").write_text("from corpusmill import source\n@source('jsonl')\ndef read(p, o): ...\n")
    data = tomllib.loads(RECIPE)
    for given in (
        data | {"modules": ["mine.py"]},
        Recipe.model_validate(data).model_copy(update={"modules": ["mine.py"]}),
    ):
        with pytest.raises(InputError, match="the name of source 'jsonl' is a built-in one's"):
            corpusmill.run(given, "corpus")
