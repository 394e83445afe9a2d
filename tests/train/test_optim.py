"""The schedule's shape, who optimizes what, and a state that comes back exactly."""

import pytest
import torch

from corpusmill.recipe import TrainSettings
from corpusmill.train.model import Decoder, ModelConfig, document_mask
from corpusmill.train.optim import Optimizers

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
SETTINGS = TrainSettings(warmup_share=0.1, decay_share=0.4)


def decoder():
    return Decoder(CONFIG, torch.Generator().manual_seed(1))


def batch(i):
    return torch.randint(0, 40, (4, 17), generator=torch.Generator().manual_seed(i))


def do_steps(model, optimizers, steps):
    for step in steps:
        rows = batch(step)
        model.loss(rows, document_mask(rows[:, :-1], 0)).backward()
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
