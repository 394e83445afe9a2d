"""What docs/finetuning.md shows: its files, its commands in their order, and the figures of its table."""

import re
import shlex
import sys

import pyarrow.parquet as pq
import pytest

from corpusmill.cli import main
from examples.finetune.make import write
from tests.docs.markdown import blocks, page, write_file

PAGE = page("docs/finetuning.md")
PERCENT = ("bleu", "chrf")  # other figures are shares
PART = 1 / 3  # of the way from the baseline to the figure of the page, which every kind of CPU reaches


@pytest.fixture(scope="module")
def folder(base, corpus, tmp_path_factory):
    """A folder with the examples, a corpus `my-corpus` with pretrained models, and the page's files."""
    folder = tmp_path_factory.mktemp("docs")
    write(folder / "data", 200)
    (folder / "my-corpus").symlink_to(corpus)
    for kind in ("encoder", "decoder"):
        model = base(kind)
        (folder / "my-corpus" / "models" / kind).symlink_to(model)
    for block in blocks(PAGE):
        if block.file is not None:
            write_file(block, folder)
    return folder


@pytest.fixture(scope="module")
def done(folder):
    """The page's commands have run."""
    patch = pytest.MonkeyPatch()
    patch.chdir(folder)
    for command in re.findall(r"^corpusmill .*$", "\n".join(b.text for b in blocks(PAGE, "console")), re.MULTILINE):
        patch.setattr(sys, "argv", shlex.split(command.partition(" > ")[0]))
        with pytest.raises(SystemExit) as end:
            main()
        assert not end.value.code
    patch.undo()
    return folder / "my-corpus" / "models"


def test_python(done, folder, monkeypatch, capsys):
    """After the commands: the model is there, and only its answers are printed."""
    (code,) = (block.text for block in blocks(PAGE, "python") if block.file is None)
    monkeypatch.chdir(folder)
    exec(compile(code, "finetuning.md", "exec"), {})
    assert "'label': '" in capsys.readouterr().out


def shown():
    """The rows of the table of figures: folder, metric, value, baseline."""
    found = re.findall(r"^\| `([\w-]+)` \| .*? \| `(\w+)` \| ([\d.]+) \| ([\d.]+) \|", PAGE, re.MULTILINE)
    return [(name, metric, float(value), float(baseline)) for name, metric, value, baseline in found]


@pytest.mark.parametrize(("name", "metric", "value", "baseline"), shown())
def test_a_figure_of_the_table(done, name, metric, value, baseline):
    """Another kind of CPU rounds in another way and trains another model, so only the page's promise is tested."""
    table = pq.read_table(done / name / "finetune_metrics.parquet")
    rows = {row["metric"]: row for row in table.to_pylist() if row["part"] == "test" and row["class"] is None}
    assert rows[metric]["value"] > baseline + PART * (value - baseline)
    assert rows[metric]["baseline"] == pytest.approx(baseline, abs=3 if metric in PERCENT else 0.03)


def test_every_task_has_a_figure():
    assert {name for name, *_ in shown()} == {
        "reviews",
        "reviews-zh",
        "names",
        "answers",
        "chat",
        "translate",
        "vectors",
    }
