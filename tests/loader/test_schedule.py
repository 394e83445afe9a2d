"""The schedule of rows: every row once, and shares that hold everywhere."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.loader import schedule
from corpusmill.loader.schedule import Schedule

COUNTS = st.lists(st.one_of(st.integers(0, 30), st.integers(0, 3000)), min_size=1, max_size=25).filter(any)


@settings(max_examples=60, deadline=None)
@given(counts=COUNTS, cycle=st.sampled_from([50, 1000, 4096]))
def test_every_row_comes_once_and_in_order(counts, cycle):
    before, schedule.CYCLE = schedule.CYCLE, cycle
    try:
        made = Schedule(counts)
        groups, numbers = made.rows(0, made.n_rows)
        some = made.n_rows // 3
        later = made.rows(some, made.n_rows)
    finally:
        schedule.CYCLE = before
    for group, count in enumerate(counts):
        assert numbers[groups == group].tolist() == list(range(count))
    assert np.array_equal(later[0], groups[some:])
    assert np.array_equal(later[1], numbers[some:])
    assert made.counts(some).tolist() == np.bincount(groups[:some], minlength=len(counts)).tolist()


def test_shares_hold_in_any_1000_rows():
    """Within 0.4 %, also for many groups of one size beside a large one."""
    rng = np.random.default_rng(1)
    cases = [[10_000, *[200] * 49], [3, 20_000], [2999] * 7]
    cases += [rng.integers(0, 3000, rng.integers(2, 30)).tolist() for _ in range(6)]
    for counts in cases:
        groups, _ = Schedule(counts).rows(0, sum(counts))
        for group, count in enumerate(counts):
            seen = np.concatenate([[0], np.cumsum(groups == group)])
            here = seen[1000:] - seen[:-1000]
            assert np.abs(here - 1000 * count / sum(counts)).max() < 4


def test_very_many_rows_need_no_list_of_them():
    counts = [10**12, 3 * 10**12, 7]
    made = Schedule(counts)
    at = 2 * 10**12 + 5
    groups, numbers = made.rows(at, at + 5000)
    assert abs(int((groups == 0).sum()) - 1250) <= 3
    assert numbers[groups == 1].tolist() == list(range(int(numbers[groups == 1][0]), int(numbers[groups == 1][-1]) + 1))
    assert int(made.counts(at).sum()) == at
