"""What a file of an ablation may say, and what is said of a wrong one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmill.ablate.settings import AblationSettings, Parameter, load
from corpusmill.errors import InputError

SMALLEST = 'recipe = "recipe.toml"\n[[variants]]\nname = "a"\nremove = ["sources.x"]\n[train]\nsteps = 60\n'


def write(folder, text):
    (folder / "ablation.toml").write_text(text, "utf-8")
    return folder / "ablation.toml"


def test_the_defaults_are_a_constant_rate_and_ten_points_per_budget(tmp_path):
    settings = load(write(tmp_path, SMALLEST))
    training = settings.training(7)
    assert (settings.every, settings.steps, training.seed, training.steps) == (6, 120, 7, 120)
    assert training.schedule.decay_share == 0
    assert training.schedule.warmup_share * training.steps == pytest.approx(0.05 * 60)
    assert settings.training(7, 60).schedule.warmup_share * 60 == pytest.approx(0.05 * 60)


def test_a_schedule_that_is_given_stays(tmp_path):
    settings = load(write(tmp_path, SMALLEST + '[train.schedule]\nkind = "cosine"\n'))
    assert settings.training(1).schedule.kind == "cosine"


@pytest.mark.parametrize(("steps", "every"), [(100, 10), (7, 1), (211, 211), (96, 12)])
def test_measurements_divide_the_budget(steps, every):
    assert AblationSettings.model_validate({"recipe": "r", "train": {"steps": steps}}).every == every


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("[train]", "[train]\nmax_seconds = 5", "train.max_seconds cannot be set"),
        ("[train]", "[train]\npatience = 5", "train.patience cannot be set"),
        ("[train]", "[train]\nseed = 5", "write 'seeds' outside"),
        ('name = "a"', 'name = "base"', "cannot be named 'base'"),
        ('remove = ["sources.x"]', "", "changes nothing"),
        ("recipe =", "seeds = [1, 1]\nrecipe =", "seeds must be different"),
        ("recipe =", f"seeds = [1, {2**63}]\nrecipe =", "seeds.1: input should be less than"),
        ("recipe =", "seeds = [1, -1]\nrecipe =", "seeds.1: input should be greater than or equal to 0"),
        ("recipe =", "seeds = [1]\nrecipe =", "seeds: list should have at least 2 items"),
        ("recipe =", "evaluate_every = 7\nrecipe =", "does not divide"),
        ("recipe =", "sedes = [1]\nrecipe =", "unknown key 'sedes'; did you mean 'seeds'?"),
        ("steps = 60", 'steps = 60\n[train.model]\nkind = "encoder"', "a decoder or an LSTM"),
    ],
)
def test_what_is_wrong_is_one_sentence(tmp_path, old, new, expected):
    with pytest.raises(InputError) as caught:
        load(write(tmp_path, SMALLEST.replace(old, new)))
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "ablation.toml" in str(caught.value)


@given(st.floats(0, 1, exclude_max=True))
def test_values_lie_within_their_limits(place):
    assert 2 <= Parameter(key="a.b", low=2, high=50, log=True).value(place) <= 50
    assert Parameter(key="a.b", low=2, high=4, whole=True).value(place) in (2, 3, 4)
    assert Parameter(key="a.b", choices=["x", True]).value(place) in ("x", True)


@pytest.mark.parametrize(
    "wrong", [{}, {"low": 1}, {"low": 2, "high": 1}, {"low": 0, "high": 1, "log": True}, {"choices": [1], "low": 1}]
)
def test_a_parameter_has_limits_or_choices(wrong):
    with pytest.raises(ValueError, match="parameter 'k'"):
        Parameter(key="k", **wrong)
