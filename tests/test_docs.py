"""The docs say what is there, and what they show runs."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel

from corpusmill import recipe
from corpusmill.cli import app
from corpusmill.recipe import Recipe

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
RECIPE = (ROOT / "docs/recipe.md").read_text("utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def models(model: type[BaseModel]) -> set[type[BaseModel]]:
    """A model and every one that its fields hold."""
    found = {model}
    for field in model.model_fields.values():
        for kind in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if isinstance(kind, type) and issubclass(kind, BaseModel) and kind not in found:
                found |= models(kind)
    return found


def test_every_command_is_in_the_readme():
    names = {command.name or command.callback.__name__ for command in app.registered_commands}
    missing = {name for name in names if f"corpusmill {name}" not in README and f"corpus.{name}" not in README}
    assert not missing


def test_every_command_in_the_docs_exists():
    names = {command.name or command.callback.__name__ for command in app.registered_commands}
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "examples/README.md"):
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
    text = own_rule.replace("[[filters.rules]]", minimal + '\n[filters]\nprofile = "none"\n\n[[filters.rules]]')
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
