"""A short batch of seeded faults; the long one is `make faults`."""

import pytest

from tests.faults import Batch


@pytest.fixture(scope="module")
def batch(tmp_path_factory):
    return Batch(tmp_path_factory.mktemp("faults"))


@pytest.mark.parametrize("seed", [1, 2, 3, 5, 11, 13])
def test_what_comes_after_a_fault_is_what_would_have_come_without(batch, seed):
    batch.round(seed)
