"""The trials of a search and how they share the budget of trainings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmill.ablate.search import round_sizes, trials, trials_within
from corpusmill.ablate.settings import AblationSettings, Parameter, SearchSettings
from corpusmill.errors import InputError

LIMITS = Parameter(key="filters.rules.x.threshold", low=1, high=100, log=True)
CHOICE = Parameter(key="dedup.enabled", choices=[True, False])


def wanted(runs=30, parameters=(LIMITS, CHOICE), **others):
    return SearchSettings(parameters=list(parameters), runs=runs, **others)


def ablation(search):
    return AblationSettings.model_validate({"recipe": "r", "train": {}, "search": search.model_dump()})


def test_a_longer_search_has_the_trials_of_a_shorter_one_and_more():
    few, many = trials(wanted(), 4), trials(wanted(), 9)
    assert few == many[:4]
    assert len({str(variant.set) for variant in many}) == 9
    assert {variant.set["dedup.enabled"] for variant in many} == {True, False}
    assert trials(wanted(seed=2), 4) != few


def test_trials_cover_the_limits():
    values = sorted(variant.set[LIMITS.key] for variant in trials(wanted(parameters=[LIMITS]), 16))
    assert 1 <= values[0] < 2
    assert 50 < values[-1] <= 100
    assert 6 < values[8] < 16  # of a logarithm, the middle is 10


def test_there_are_not_more_trials_than_choices():
    assert len(trials(wanted(parameters=[CHOICE]), 10)) == 2


@given(st.integers(14, 60), st.integers(1, 4), st.floats(0.1, 0.9))
def test_all_trainings_fit_into_the_budget_and_one_more_trial_would_not(runs, rounds, keep):
    search = wanted(runs, rounds=rounds, keep=keep)
    settings = ablation(search)

    def needed(n):
        return sum(round_sizes(n, search)) + rounds + 2 * len(settings.seeds)

    if needed(2) > runs:
        with pytest.raises(InputError, match=f"need {needed(2)}"):
            trials_within(settings, search)
    else:
        n = trials_within(settings, search)
        assert needed(n) <= runs < needed(n + 1)


def test_each_round_keeps_a_share():
    assert round_sizes(9, wanted()) == [9, 3, 1]
