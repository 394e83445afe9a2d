"""The guard: what is skipped, when the weights return, and that training goes on."""

import math

import pytest
import torch

from corpusmill.errors import InputError
from corpusmill.train.guard import Guard, Verdict
from corpusmill.train.optim import Optimizers
from corpusmill.train.run import train
from corpusmill.train.settings import GuardSettings, TrainSettings
from tests.train.conftest import KINDS, KilledError, metrics, same, weights


def judged(guard, losses):
    return [guard.judge(loss, 1.0) for loss in losses]


def test_what_is_not_finite_is_skipped():
    guard = Guard(GuardSettings())
    assert judged(guard, [3.0, math.nan, 3.0, math.inf]) == [Verdict.USE, Verdict.SKIP, Verdict.USE, Verdict.SKIP]
    assert guard.judge(3.0, math.inf) is Verdict.SKIP
    assert guard.skipped == 3


def test_skips_in_a_row_lead_to_rollbacks_and_these_to_the_end():
    guard = Guard(GuardSettings(max_skips=2, max_rollbacks=1))
    nan = math.nan
    expected = [Verdict.SKIP, Verdict.USE, Verdict.SKIP, Verdict.ROLL_BACK, Verdict.SKIP, Verdict.GIVE_UP]
    assert judged(guard, [nan, 1.0, nan, nan, nan, nan]) == expected


def test_a_spike_is_far_above_the_losses_before():
    losses = [3.0 + 0.1 * (-1) ** i for i in range(40)]  # mean 3, standard deviation 0.1
    guard = Guard(GuardSettings(spike_deviations=5.0))
    assert set(judged(guard, losses)) == {Verdict.USE}
    assert judged(guard, [3.6, 3.49, 2.0]) == [Verdict.SKIP, Verdict.USE, Verdict.USE]
    assert set(judged(Guard(GuardSettings(spike_deviations=5.0)), [1.0, 100.0])) == {Verdict.USE}  # too few to tell
    assert set(judged(Guard(GuardSettings()), [*losses, 1e9])) == {Verdict.USE}  # by default no loss is a spike


def test_its_memory_comes_back():
    guard = Guard(GuardSettings(spike_deviations=5.0))
    judged(guard, [*(3.0 + 0.1 * (-1) ** i for i in range(150)), math.nan])
    copy = Guard(GuardSettings(spike_deviations=5.0), **guard.state())
    assert copy.state() == guard.state()
    assert judged(copy, [9.0, 3.0]) == judged(guard, [9.0, 3.0]) == [Verdict.SKIP, Verdict.USE]


@pytest.fixture
def poisoned(monkeypatch):
    """Make the gradients of some steps not finite."""
    steps = set()
    norm = Optimizers.gradient_norm
    calls = {"n": 0}

    def spoiled(self):
        calls["n"] += 1
        if calls["n"] in steps:
            return torch.tensor(math.nan)
        return norm(self)

    monkeypatch.setattr(Optimizers, "gradient_norm", spoiled)
    return steps, calls


def test_a_skipped_step_changes_no_weight_and_is_on_record(corpus, poisoned, tmp_path):
    steps, _ = poisoned
    steps |= {11, 12}
    short = KINDS["decoder"].model_copy(update={"checkpoint_every": 10})

    def stop(report):
        if report.step == 10:
            raise KilledError

    with pytest.raises(KilledError):
        train(corpus, short, tmp_path / "model", progress=stop)
    after_ten = weights(next((tmp_path / "model").glob("checkpoint-*")))
    result = train(corpus, short, tmp_path / "model")
    assert same(weights(tmp_path / "model"), after_ten)
    assert result.steps == 12
    assert metrics(tmp_path / "model", "skipped_steps") == [(12, "skipped_steps", None, 2.0)]


def test_a_rollback_restores_weights_and_optimizers_and_goes_on_with_the_next_rows(corpus, poisoned, tmp_path):
    """Steps 6 to 8 are spoiled, after the checkpoint of step 5.  Then steps 9 to 12 follow on its weights."""
    steps, calls = poisoned
    steps |= {6, 7, 8}
    settings = TrainSettings(**KINDS["decoder"].model_dump(exclude={"guard"}), guard={"max_skips": 3})
    train(corpus, settings, tmp_path / "rolled")
    assert metrics(tmp_path / "rolled", "rollbacks")[-1] == (12, "rollbacks", None, 1.0)
    steps.clear()
    calls["n"] = 0
    steps |= {6, 7, 8}
    skipped_only = settings.model_copy(update={"guard": GuardSettings(max_skips=4)})
    train(corpus, skipped_only, tmp_path / "skipped")
    assert same(weights(tmp_path / "rolled"), weights(tmp_path / "skipped"))


def test_it_gives_up(corpus, poisoned, tmp_path):
    steps, _ = poisoned
    steps |= set(range(3, 100))
    settings = TrainSettings(
        **KINDS["decoder"].model_dump(exclude={"guard"}), guard={"max_skips": 2, "max_rollbacks": 1}
    )
    with pytest.raises(InputError, match=r"4 of 6 steps were skipped, because .*: training diverged"):
        train(corpus, settings, tmp_path / "model")
