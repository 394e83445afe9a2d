"""The arithmetic of bands and rows, against simulation and published figures; and the command."""

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.dedup.curve import best, choice, choices, missed, probability


@pytest.mark.parametrize(("jaccard", "found"), [(0.7, 0.56), (0.75, 0.77), (0.8, 0.92), (0.85, 0.988)])
def test_the_probabilities_of_fineweb(jaccard, found):
    """Penedo et al. 2024 give them for 14 bands of 8 rows."""
    assert probability(jaccard, 14, 8) == pytest.approx(found, abs=0.005)


def test_a_simulation_finds_as_many_pairs():
    random = np.random.default_rng(1)
    similarities = random.uniform(0.5, 1, 200_000)
    shared = (random.random((200_000, 5, 4)) < similarities[:, None, None]).all(2).any(1)
    assert 1 - shared.mean() == pytest.approx(choice(0.5, 5, 4).misses, abs=0.005)
    below = random.uniform(0, 0.5, 200_000)
    shared_below = (random.random((200_000, 5, 4)) < below[:, None, None]).all(2).any(1)
    assert shared_below.mean() == pytest.approx(choice(0.5, 5, 4).work, abs=0.005)
    found = similarities[shared]
    assert missed(found.tolist(), 5, 4) == pytest.approx((~shared).sum(), rel=0.05)


@settings(deadline=None, max_examples=30)  # 64 integrals each
@given(st.floats(0.3, 0.95), st.integers(8, 512), st.floats(0, 0.5))
def test_the_best_choice_is_one_of_those_that_fit(threshold, values, misses):
    found = choices(threshold, values)
    assert all(each.values <= values and each.bands <= 64 for each in found)
    chosen = best(found, misses)
    fitting = [each for each in found if each.misses <= misses]
    assert (chosen is None) == (not fitting)
    assert chosen is None or chosen.work == min(each.work for each in fitting)


def run(*arguments):
    command = [sys.executable, "-m", "corpusmill", "dedup", "curve", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def test_the_command_marks_the_defaults_as_best_for_their_threshold():
    said = run()
    assert said.returncode == 0, said.stderr
    (line,) = [line for line in said.stdout.splitlines() if "best" in line]
    assert line.split()[:2] == ["14", "8"]
    answer = json.loads(run("--threshold", 0.5, "--values", 112, "--json").stdout)
    assert answer["best"]["misses"] <= 0.05
    assert answer["found_pairs"] is None


def test_what_is_no_corpus_is_one_sentence(tmp_path):
    said = run(tmp_path)
    assert said.returncode == 2
    assert "not a corpus directory" in said.stderr
    (tmp_path / "recipe.toml").write_text("[dedup]\nbands = 0\n")
    assert "cannot be read; run the recipe again" in run(tmp_path).stderr
