"""The schedule's shape, who optimizes what, and a state that comes back exactly."""

import math

import pytest
import torch

from corpusmill.recipe import TrainSettings
from corpusmill.train.attention import document_mask
from corpusmill.train.batch import document_numbers
from corpusmill.train.models.decoder import Decoder, ModelConfig
from corpusmill.train.objectives.base import token_losses
from corpusmill.train.optim import Optimizers, share_of_peak
from corpusmill.train.settings import CosineSettings, LinearSettings, StableSettings

CONFIG = ModelConfig(
    vocab_size=40,
    hidden_size=16,
    intermediate_size=48,
    num_hidden_layers=1,
    num_attention_heads=2,
    num_key_value_heads=1,
    head_dim=8,
    max_position_embeddings=16,
)
SETTINGS = TrainSettings(schedule=StableSettings(warmup_share=0.1, decay_share=0.4))


def decoder():
    return Decoder(CONFIG, torch.Generator().manual_seed(1))


def batch(i):
    return torch.randint(0, 40, (4, 17), generator=torch.Generator().manual_seed(i))


def do_steps(model, optimizers, steps):
    for step in steps:
        rows = batch(step)
        mask = document_mask(document_numbers(rows[:, :-1], 0), causal=True)
        token_losses(model(rows[:, :-1], mask), rows[:, 1:]).mean().backward()
        optimizers.step(step)


def test_schedule_rises_stays_and_falls():
    optimizers = Optimizers(decoder(), SETTINGS, 100)
    factors = [optimizers.factor(step) for step in range(1, 101)]
    assert factors[:10] == sorted(factors[:10])
    assert factors[0] > 0
    assert factors[10:60] == [1.0] * 50
    assert factors[60:] == sorted(factors[60:], reverse=True)
    assert factors[-1] == pytest.approx(1 / 41)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_schedule_of_very_few_steps(steps):
    optimizers = Optimizers(decoder(), SETTINGS, steps)
    assert all(0 < optimizers.factor(step) <= 1 for step in range(1, steps + 1))


def test_matrices_of_layers_go_to_muon_and_the_rest_to_adamw():
    model = decoder()
    do_steps(model, optimizers := Optimizers(model, SETTINGS, 10), [1])
    names = {key.rsplit(":", 1)[1] for key in optimizers.state() if key.startswith("muon:")}
    assert names == {name for name, p in model.named_parameters() if ".layers." in name and p.ndim == 2}
    others = {key.rsplit(":", 1)[1] for key in optimizers.state() if key.startswith("adamw:")}
    assert names | others == {name for name, _ in model.named_parameters()}
    assert "model.embed_tokens.weight" in others


def test_state_comes_back_exactly():
    model = decoder()
    optimizers = Optimizers(model, SETTINGS, 10)
    do_steps(model, optimizers, range(1, 4))
    copy = decoder()
    copy.load_state_dict({name: tensor.clone() for name, tensor in model.state_dict().items()})
    resumed = Optimizers(copy, SETTINGS, 10)
    resumed.load({name: tensor.clone() for name, tensor in optimizers.state().items()})
    do_steps(model, optimizers, range(4, 8))
    do_steps(copy, resumed, range(4, 8))
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, copy.state_dict()[name]), name


@pytest.mark.parametrize("final", [0.0, 0.1])
def test_cosine_and_linear_fall_from_the_end_of_the_warmup_to_their_last_share(final):
    for schedule in (CosineSettings(warmup_share=0.1, final_share=final), LinearSettings(final_share=final)):
        factors = [share_of_peak(schedule, step, 100) for step in range(1, 101)]
        top = factors.index(1.0)
        assert top == round(schedule.warmup_share * 100)
        assert factors[: top + 1] == sorted(factors[: top + 1])
        assert factors[top:] == sorted(factors[top:], reverse=True)
        assert factors[-1] == pytest.approx(final)
        middle = factors[(top + 99) // 2], factors[-(-(top + 99) // 2)]
        assert sum(middle) / 2 == pytest.approx((1 + final) / 2)
    assert math.isclose(
        share_of_peak(CosineSettings(warmup_share=0, final_share=0), 26, 101), 0.5 + 0.5 * math.sqrt(0.5)
    )


@pytest.mark.parametrize("kind", ["muon", "adamw", "sgd"])
def test_weight_decay_is_for_matrices_of_layers_only(kind):
    """Without gradients from the loss, only decay moves a weight."""
    model = decoder()
    settings = TrainSettings.model_validate({"optimizer": {"kind": kind, "weight_decay": 0.5}})
    optimizers = Optimizers(model, settings, 10)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizers.step(5)
    moved = {name for name, p in model.named_parameters() if not torch.equal(p, before[name])}
    decayed = {name for name, p in before.items() if ".layers." in name and p.ndim == 2 and p.any()}
    assert moved == decayed


def test_sgd_is_momentum_by_hand():
    model = decoder()
    settings = TrainSettings.model_validate(
        {"optimizer": {"kind": "sgd", "learning_rate": 0.1, "momentum": 0.5}, "schedule": {"decay_share": 0.0}}
    )
    optimizers = Optimizers(model, settings, 10)
    weight = model.model.norm.weight
    expected, speed = weight.detach().clone(), torch.zeros_like(weight)
    for step in (1, 2, 3):
        for parameter in model.parameters():
            parameter.grad = torch.full_like(parameter, float(step))
        optimizers.step(step)
        speed = 0.5 * speed + step
        expected = expected - 0.1 * speed
        torch.testing.assert_close(weight.detach(), expected)
