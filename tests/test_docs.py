"""The docs say what is there, and what they show runs."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel

from corpusmill import __version__, recipe
from corpusmill.cli import app
from corpusmill.recipe import Recipe
from tests.docs.markdown import BARE_DECIMAL, MOST_WORDS, RATE, prose, sentences, words
from tests.docs.markdown import blocks as blocks_of

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
RECIPE = (ROOT / "docs/recipe.md").read_text("utf-8")


LONGEST_LINE = 128  # characters of prose
FOR_USERS = sorted(
    {ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")}
    | {*(ROOT / "docs").glob("*.md"), *(ROOT / "docs/decisions").glob("*.md")}
    - {ROOT / "docs/reference.md"}  # docstrings and the help of commands
)


def blocks(text: str, language: str) -> list[str]:
    return [block.text for block in blocks_of(text, language)]


def models(model: type[BaseModel]) -> set[type[BaseModel]]:
    """A model and every one that its fields hold."""
    found = {model}
    for field in model.model_fields.values():
        for kind in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if isinstance(kind, type) and issubclass(kind, BaseModel) and kind not in found:
                found |= models(kind)
    return found


def command_names() -> set[str]:
    """Of commands, and of groups of commands such as `quality`."""
    names = {command.name or command.callback.__name__ for command in app.registered_commands}
    return names | {group.name for group in app.registered_groups}


def test_every_command_is_in_the_readme():
    names = command_names()
    missing = {name for name in names if f"corpusmill {name}" not in README and f"corpus.{name}" not in README}
    assert not missing


def test_every_command_in_the_docs_exists():
    names = command_names()
    for path in (*FOR_USERS, *sorted((ROOT / "docs").rglob("*.md")), ROOT / "examples/README.md"):
        for block in blocks(path.read_text("utf-8"), "console"):
            used = set(re.findall(r"^corpusmill (\w+)", block, re.MULTILINE))
            assert used <= names, f"{path}: {used - names}"


@pytest.mark.parametrize("model", sorted(models(Recipe), key=lambda m: m.__name__), ids=lambda m: m.__name__)
def test_every_key_of_the_recipe_is_documented(model):
    words = set(re.findall(r"[a-z_]+", RECIPE))
    assert set(model.model_fields) <= words


@pytest.mark.parametrize("path", sorted(p for p in (ROOT / "docs").rglob("*.md")), ids=lambda p: p.name)
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", path.read_text("utf-8")):
        assert "://" in target or (path.parent / target).exists(), target


def test_links_of_the_readme_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", README):
        assert "://" in target or (ROOT / target).exists(), target


def test_the_readmes_recipe_signal_and_python_run(tmp_path):
    minimal, own_rule = blocks(README, "toml")
    usage, signal = blocks(README, "python")
    text = "This is good text! It says something to the reader, and it says it in whole sentences.\n" * 3
    other = "The quiet page of the other kind has no marks of that sort, and it is kept for it.\n" * 2
    (tmp_path / "crawl").mkdir()
    (tmp_path / "crawl/a.jsonl").write_text(f'{{"text": {(text + "! " * 40)!r}}}\n'.replace("'", '"'))
    with (tmp_path / "crawl/a.jsonl").open("a") as file:
        file.write(f'{{"text": {other!r}}}\n'.replace("'", '"'))
    minimal = minimal.replace('"warc" ', '"jsonl"').replace(".warc.gz", ".jsonl")
    text = own_rule.replace("[[filters.rules]]", minimal + '\n[filters]\nprofiles = ["none"]\n\n[[filters.rules]]')
    (tmp_path / "recipe.toml").write_text(text)
    (tmp_path / "my_rules.py").write_text(signal)
    assert recipe.load(tmp_path / "recipe.toml").filters.rules[0].name == "shouting"
    usage = usage.replace("workers=8", "workers=1") + "\nprint(outcome.books.docs, outcome.books.dropped)"
    ran = subprocess.run([sys.executable, "-c", usage], cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert "1 Counter({<Reason" in ran.stdout or "1 Counter({'verdicts': 1})" in ran.stdout


def test_the_readmes_recipe_is_toml():
    for block in blocks(README, "toml"):
        tomllib.loads(block)


@pytest.mark.parametrize("path", FOR_USERS, ids=lambda p: p.name)
def test_sentences_are_short_and_plain(path):
    for paragraph in prose(path.read_text("utf-8")):
        long = [sentence for sentence in sentences(paragraph) if len(words(sentence)) > MOST_WORDS]
        assert not long, f"more than {MOST_WORDS} words: {long}"
        assert not RATE.search(paragraph), f"write 'per' for a rate: {RATE.search(paragraph)} in {paragraph}"
        assert not BARE_DECIMAL.search(paragraph), f"write 0.5, not .5: {paragraph}"


@pytest.mark.parametrize("path", FOR_USERS, ids=lambda p: p.name)
def test_lines_of_prose_are_not_too_long(path):
    text = re.sub(r"^```.*?^```$", "", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    lines = [line for line in text.splitlines() if not line.startswith("|")]
    assert [line for line in lines if len(line) > LONGEST_LINE] == []


def test_the_index_names_every_page_and_the_readme_names_the_index():
    index = (ROOT / "docs/README.md").read_text("utf-8")
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert {name for name in pages if f"({name})" not in index} == set()
    assert "(docs/README.md)" in README


def test_the_page_on_installation_says_what_pyproject_says():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    text = (ROOT / "docs/installation.md").read_text("utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == set(project["optional-dependencies"])
    pythons = [each.rsplit(" ", 1)[1] for each in project["classifiers"] if re.search(r"Python :: 3\.", each)]
    assert f"Python {', '.join(pythons[:-1])} or {pythons[-1]}" in text
    assert set(re.findall(r"corpusmill-([\d.]+)-py3", text)) == {__version__}
