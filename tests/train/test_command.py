"""The command `train`, as a program would call it."""

import json
import subprocess
import sys

import pytest

from .conftest import documents, write_tokens

RECIPE = """
[[sources]]
name = "en"
kind = "jsonl"
paths = ["a.jsonl"]

[train]
row_length = 16
rows_per_step = 2
steps = 2
validation_rows = 2

[train.model]
layers = 1
width = 32
heads = 1
kv_heads = 1
"""


@pytest.fixture
def corpus(tmp_path):
    write_tokens(tmp_path, [documents(40)])
    (tmp_path / "recipe.toml").write_text(RECIPE, "utf-8")
    return tmp_path


def test_json_gives_the_figures_of_the_training(corpus):
    command = [sys.executable, "-m", "corpusmill", "train", str(corpus), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    assert (answer["trained"], answer["steps"], answer["model"]) == (True, 2, str(corpus / "models/base"))
    assert answer["validation_loss"] > 0
    again = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert again == answer | {"trained": False}


def test_the_search_of_a_learning_rate_writes_nothing(corpus):
    command = [sys.executable, "-m", "corpusmill", "train", str(corpus), "--find-learning-rate", "--steps", "25"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "[train.optimizer]\nlearning_rate = " in shown
    assert "matrix_learning_rate = " in shown
    assert not (corpus / "models").exists()
    answer = json.loads(subprocess.run([*command, "--json"], capture_output=True, text=True, check=True).stdout)
    assert f"learning_rate = {answer['learning_rates']['learning_rate']}" in shown
