"""Every corpusmill command that README and docs show runs, on a small corpus of web pages."""

import re
import tomllib

import pytest

import corpusmill
from corpusmill.export.card import model_card
from corpusmill.export.folder import ModelFolder
from corpusmill.export.formats import Request
from corpusmill.recipe import Recipe
from tests.collect.warcs import Warc
from tests.docs.markdown import Block, blocks, page, run, write_file
from tests.pipelines.conftest import documents

PAGES = (
    "README.md",
    "docs/one-page.md",
    "docs/training.md",
    "docs/loader.md",
    "docs/deploying.md",
    "docs/word-vectors.md",
    "docs/troubleshooting.md",
    "docs/catalog.md",
    "docs/filters.md",
)
SMALL = """
[tokenizer]
vocab_size = 400
[split]
validation_share = 0.2
[train]
row_length = 32
rows_per_step = 2
steps = 2
[train.model]
layers = 1
width = 32
heads = 2
kv_heads = 1
"""
SMALL_TRAINING = SMALL[SMALL.index("[train]") + len("[train]") :]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The recipe of the README with small settings, WARC files, a page, settings of a training."""
    folder = tmp_path_factory.mktemp("commands")
    (folder / "crawl").mkdir()
    html = [f"<title>T</title><article><p>{row['text']}</p></article>".encode() for row in documents(30)]
    warc = Warc()
    for number, body in enumerate(html):
        warc.response(f"https://example.org/page{number or ''}", body)
    (folder / "crawl/a.warc.gz").write_bytes(warc.data)
    recipe = blocks(page("README.md"), "toml")[0].text
    (folder / "recipe.toml").write_text(recipe + '\n[filters]\nprofiles = ["none"]\n' + SMALL)
    (folder / "train.toml").write_text(SMALL[SMALL.index("[train]") :])
    pages = [page(f"docs/{name}.md") for name in ("training", "deploying", "word-vectors")]
    for block in (block for text in pages for block in blocks(text)):
        if block.file is not None:
            write_file(Block(block.language, block.text.replace("steps = 200", SMALL_TRAINING)), folder)
    (folder / "page.html").write_bytes(html[0])
    (folder / "my_signals.py").write_text(blocks(page("docs/extending.md"), "python")[0].text)
    run(commands("README.md")[0], folder)
    return folder


def commands(name):
    """The commands of a page's console blocks."""
    text = "\n".join(block.text for block in blocks(page(name)) if block.language in ("console", "sh"))
    return [line for line in re.sub(r"\\\n", "", text).splitlines() if line.startswith("corpusmill ")]


@pytest.mark.parametrize("name", PAGES)
def test_its_commands_run(folder, name):
    assert commands(name)
    for command in commands(name):
        run(command, folder)


def test_the_python_of_the_page_on_training_runs(folder):
    (code,) = (block for block in blocks(page("docs/training.md"), "python") if block.file is None)
    small = "layers=1, width=32, heads=2, kv_heads=1), row_length=32, rows_per_step=2, steps=2"
    text, n = re.subn(r"layers=4, width=256, heads=4, kv_heads=2\), steps=500", small, code.text)
    assert n == 1
    (folder / "training.py").write_text(text.replace("step=137", "step=2").replace("models/first", "models/second"))
    assert "RowDocument(" in run("python training.py", folder)
    assert "Neighbour(word=" in run("python words.py", folder)


def test_the_python_of_the_page_on_loading_runs(folder):
    assert "[mix]" in page("docs/loader.md")
    for block in blocks(page("docs/loader.md"), "toml"):  # each is part of a recipe
        tables = tomllib.loads(block.text)
        assert Recipe.model_validate({**tables, "sources": [{"name": "s", "kind": "text", "paths": ["x"]}]})
    for block in blocks(page("docs/loader.md"), "python"):
        write_file(block, folder)
    assert "'fingerprint'" in run("python loop.py", folder)
    assert "torch.Size([2, 33])" in run("python distributed.py", folder)
    rows = [line.split() for line in run("python read_shards.py", folder).splitlines()]
    assert rows
    assert all(len(name) == 24 and int(n) > 0 for name, n in rows)


def test_the_python_of_the_page_on_deploying_runs_and_the_card_counts(folder):
    """On a corpus that went through every stage, so that the model card has all of its tables."""
    run(commands("docs/deploying.md")[0], folder)
    assert run("python deploying.py", folder)
    card = model_card(ModelFolder.of(Request(
        path=folder / "my-corpus/models/first", out=folder, corpus=None, progress=print
    )), "hf")  # fmt: skip
    asked = "SELECT rule, documents FROM totals WHERE stage = 'twins'"
    rows = corpusmill.open(folder / "my-corpus").sql(asked).fetchall()
    assert rows
    assert all(f"| dropped | twins | {rule} | {n} |" in card for rule, n in rows)
