"""Accumulation, clipping, early stopping, label smoothing, dropout, the finder: each against its definition."""

import math

import pytest
import torch

from corpusmill.errors import InputError
from corpusmill.train.finder import FEWEST, Trial, find_learning_rate, steepest
from corpusmill.train.run import train
from corpusmill.train.settings import TrainSettings
from tests.train.conftest import GROUPED, KINDS, SHAPE, metrics, same, small, weights


def test_passes_give_the_gradient_of_the_whole_step(corpus, tmp_path):
    """Also where passes have different numbers of targets."""
    for name, kind in (("causal", {}), ("masked", {"model": SHAPE | {"kind": "encoder"}})):
        sgd = {"kind": "sgd", "learning_rate": 0.1}
        tables = {"model": GROUPED, "optimizer": sgd, "steps": 4} | kind
        whole = train(corpus, small(**tables), tmp_path / f"{name} whole")
        for rows in (1, 2):
            parts = train(corpus, small(rows_per_pass=rows, **tables), tmp_path / f"{name} {rows}")
            assert parts.loss == pytest.approx(whole.loss, rel=1e-5)
            one, other = weights(whole.model), weights(parts.model)
            for key in one:
                torch.testing.assert_close(one[key], other[key], rtol=1e-4, atol=1e-5)


def test_clipping_bounds_the_step_of_sgd(corpus, tmp_path):
    """Without momentum and decay, the weights move by the learning rate times the norm of the shortened gradient."""
    optimizer = {"kind": "sgd", "momentum": 0.0, "learning_rate": 0.5, "max_gradient_norm": 0.01}
    schedule = {"warmup_share": 0.0, "decay_share": 0.0}
    tables = {"model": GROUPED, "optimizer": optimizer, "schedule": schedule}
    one = weights(train(corpus, small(**tables, steps=1), tmp_path / "1").model)
    two = weights(train(corpus, small(**tables, steps=2), tmp_path / "2").model)
    moved = math.sqrt(sum(float((two[key] - one[key]).square().sum()) for key in one))
    assert moved == pytest.approx(0.5 * 0.01, rel=1e-3)
    assert metrics(tmp_path / "2", "gradient_norm")[0][3] > 0.1  # the norm before


def test_patience_ends_training(corpus, tmp_path):
    """With a learning rate of almost nothing for two validations and then one that harms."""
    optimizer = {"kind": "sgd", "learning_rate": 30.0, "momentum": 0.0, "max_gradient_norm": 1.0}
    settings = small(model=GROUPED, optimizer=optimizer, validate_every=1, patience=2)
    result = train(corpus, settings.model_copy(update={"steps": 40}), tmp_path / "model")
    losses = [value for *_, value in metrics(tmp_path / "model", "validation_loss")]
    assert result.steps == len(losses) - 1 < 40
    assert min(losses) == losses[-3]
    again = train(corpus, settings.model_copy(update={"steps": 40}), tmp_path / "model")
    assert (again.trained, again.steps) == (False, result.steps)


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("objective", {"label_smoothing": 0.1}),
        ("objective", {"z_loss": 0.01}),
        ("model", GROUPED | {"dropout": 0.3}),
        ("schedule", {"kind": "cosine"}),
        ("schedule", {"kind": "linear"}),
        ("optimizer", {"kind": "adamw"}),
        ("optimizer", {"kind": "sgd"}),
    ],
)
def test_each_changes_the_model_and_not_how_it_is_validated(corpus, tmp_path, table, change):
    plain = train(corpus, KINDS["decoder"].model_copy(update={"steps": 4}), tmp_path / "plain")
    other = train(corpus, small(**{"model": GROUPED, "steps": 4} | {table: change}), tmp_path / "other")
    assert not same(weights(plain.model), weights(other.model))
    first = [metrics(result.model, "validation_loss")[0] for result in (plain, other)]
    assert first[0] == first[1]  # before the first step


def test_the_finder_suggests_a_scale_at_which_the_loss_falls(corpus):
    found = find_learning_rate(corpus, KINDS["decoder"], steps=60)
    scales = [trial.scale for trial in found.trials]
    assert scales == sorted(scales)
    assert scales[0] == pytest.approx(1e-3)
    assert 1e-3 < found.scale < 10
    assert found.learning_rates == {
        "learning_rate": pytest.approx(0.003 * found.scale, rel=0.05),
        "matrix_learning_rate": pytest.approx(0.02 * found.scale, rel=0.05),
    }


def test_the_steepest_fall_is_before_the_lowest_loss():
    losses = [5.0, 5.0, 4.9, 4.0, 3.0, 2.9, 2.8, 3.5, 1000.0]
    trials = [Trial(10.0**i, loss, loss) for i, loss in enumerate(losses)]
    assert steepest(trials) == 10.0**3
    with pytest.raises(InputError, match="no learning rate lowers the loss"):
        steepest([Trial(1.0, 3.0, 3.0), Trial(2.0, 4.0, 4.0)])


def test_a_search_needs_steps(corpus):
    with pytest.raises(InputError, match=f"a search needs at least {FEWEST} steps, not 3"):
        find_learning_rate(corpus, TrainSettings(), steps=3)
