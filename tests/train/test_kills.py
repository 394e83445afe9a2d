"""A short batch of trainings that are killed; the long one is `make kills`."""

import pytest

from tests.train.conftest import KINDS
from tests.train.kills import Kills


@pytest.fixture(scope="module")
def kills(lines, tmp_path_factory):
    return Kills(lines, tmp_path_factory.mktemp("kills"))


@pytest.mark.parametrize("kind", [*KINDS, "own"])
def test_a_training_that_is_killed_ends_with_the_same_weights(kills, kind):
    kills.round(kind, seed=1, kills=2)
