"""Every corpusmill command that README and docs show runs, on a small corpus of web pages."""

import re

import pytest

from tests.collect.warcs import Warc
from tests.docs.markdown import blocks, page, run
from tests.pipelines.conftest import documents

PAGES = ("README.md", "docs/one-page.md", "docs/training.md", "docs/troubleshooting.md", "docs/catalog.md")
SMALL = """
[tokenizer]
vocab_size = 400
[split]
validation_share = 0.2
[train]
layers = 1
width = 32
heads = 2
kv_heads = 1
row_length = 32
rows_per_step = 2
steps = 2
"""


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
    (folder / "recipe.toml").write_text(recipe + '\n[filters]\nprofile = "none"\n' + SMALL)
    (folder / "train.toml").write_text(SMALL[SMALL.index("[train]") :])
    (folder / "page.html").write_bytes(html[0])
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
    (code,) = blocks(page("docs/training.md"), "python")
    small = "layers=1, width=32, heads=2, kv_heads=1, row_length=32, rows_per_step=2, steps=2"
    text, n = re.subn(r"layers=4, width=256, heads=4, kv_heads=2, steps=500", small, code.text)
    assert n == 1
    (folder / "training.py").write_text(text.replace("step=137", "step=2").replace("models/first", "models/second"))
    assert "StepDocument(" in run("python training.py", folder)
