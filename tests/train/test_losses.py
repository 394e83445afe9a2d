"""Losses at the same weights: transformers' own, F.cross_entropy, and formulas written out."""

import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from transformers import AutoConfig, ModernBertForMaskedLM, Qwen3ForCausalLM

from corpusmill.tokenize.settings import TokenizerSettings
from corpusmill.tokenize.train import train_tokenizer
from corpusmill.train.batch import IGNORED
from corpusmill.train.loop import compile_and_recompute
from corpusmill.train.models.decoder import Decoder, ModelConfig
from corpusmill.train.models.encoder import Encoder
from corpusmill.train.objectives import base
from corpusmill.train.objectives.base import Losses, losses_in_parts, token_losses
from corpusmill.train.objectives.causal import Causal
from corpusmill.train.objectives.masked import Masked
from corpusmill.train.settings import CausalSettings, DecoderSettings, EncoderSettings, MaskedSettings
from corpusmill.train.vocabulary import MASK, Vocabulary

from .conftest import sentence

DEFINITION = train_tokenizer([sentence(i) for i in range(60)], TokenizerSettings(vocab_size=320)).encode()
ROW = 48


def random_weights(model):
    """Weights of a size that makes scores differ, also where a fresh model has zeros."""
    generator = torch.Generator().manual_seed(3)
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.15, generator=generator)
    return model.eval()


def theirs(model, folder, kind):
    """The same weights in transformers' class, which reads our config.json."""
    (folder / "config.json").write_text(json.dumps(model.config_json(0)))
    other = kind(AutoConfig.from_pretrained(folder)).eval()
    missing = other.load_state_dict(model.state_dict(), strict=False)
    assert not missing.unexpected_keys
    assert {name.split(".")[0] for name in missing.missing_keys} <= {"lm_head", "decoder"}  # these are tied
    other.tie_weights()
    return other


def rows(*lengths):
    """A row of documents with so many tokens, their boundaries among them, and one more token."""
    ids = np.random.default_rng(1).integers(1, 320, (1, ROW + 1))
    ids[0, np.cumsum([0, *lengths[:-1]])] = 0
    return ids


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("lengths", [(ROW + 1,), (7, 20, 22)])
def test_the_loss_of_a_decoder_is_that_of_transformers(tmp_path, tied, lengths):
    """transformers gets each document alone; it predicts all but the first of the given tokens."""
    settings = DecoderSettings(layers=2, width=64, heads=4, kv_heads=2, tied_embeddings=tied)
    model = random_weights(Decoder(ModelConfig.of(settings, 320, ROW)))
    objective, ids = Causal(CausalSettings(), Vocabulary.of(DEFINITION, "")), rows(*lengths)
    batch = objective.batch(ids, [(1,)], training=True)
    other, at, expected = theirs(model, tmp_path, Qwen3ForCausalLM), 0, []
    with torch.no_grad():
        (ours,) = objective.losses(model, model.prepare(batch.inputs), batch.targets, training=True)
        for n in lengths:
            document = torch.from_numpy(ids[:, at : at + n + 1])  # with the boundary that ends it
            expected += [float(other(document, labels=document).loss)] * (document.shape[1] - 1)
            at += n
    assert len(expected) == ROW
    assert float(ours.mean()) == pytest.approx(float(np.mean(expected)), rel=1e-5)
    assert float(ours.std()) > 0.1  # not a trivial model


def test_the_loss_of_an_encoder_is_that_of_transformers(tmp_path):
    settings = EncoderSettings(layers=3, width=64, heads=4, window=8)
    vocabulary = Vocabulary.of(DEFINITION, "", [MASK])
    model = random_weights(Encoder(settings, vocabulary.size, ROW))
    objective = Masked(MaskedSettings(), vocabulary)
    batch = objective.batch(rows(ROW + 1), [(1,)], training=True)
    labels = torch.full((1, ROW), IGNORED)
    labels.scatter_(1, batch.inputs.positions, batch.targets[0])
    with torch.no_grad():
        (ours,) = objective.losses(model, model.prepare(batch.inputs), batch.targets, training=True)
        other = theirs(model, tmp_path, ModernBertForMaskedLM)
        expected = other(input_ids=batch.inputs.ids, attention_mask=torch.ones(1, ROW), labels=labels).loss
    assert int((labels != IGNORED).sum()) == round(0.3 * (ROW - 1))
    assert float(ours.sum() / (labels != IGNORED).sum()) == pytest.approx(float(expected), rel=1e-5)


def scores_and_targets():
    generator = torch.Generator().manual_seed(1)
    scores = 3 * torch.randn((4, 10, 17), generator=generator)
    targets = torch.randint(0, 17, (4, 10), generator=generator)
    targets[1, 3:7] = IGNORED
    return scores, targets


@pytest.mark.parametrize(("smoothing", "z_loss"), [(0.0, 0.0), (0.1, 0.0), (0.0, 0.01), (0.2, 0.03)])
def test_label_smoothing_and_z_loss_by_their_formulas(smoothing, z_loss):
    scores, targets = scores_and_targets()
    found = token_losses(scores, targets, smoothing, z_loss)
    logs = scores.double().log_softmax(-1)
    right = logs.gather(-1, targets.clamp(min=0)[..., None])[..., 0]
    expected = -(1 - smoothing) * right - smoothing * logs.mean(-1) + z_loss * scores.double().exp().sum(-1).log() ** 2
    expected[targets == IGNORED] = 0
    torch.testing.assert_close(found.double(), expected.flatten(), rtol=1e-5, atol=1e-6)
    theirs = F.cross_entropy(scores.flatten(0, 1), targets.flatten(), label_smoothing=smoothing, ignore_index=IGNORED)
    if not z_loss:
        assert float(found.sum() / (targets != IGNORED).sum()) == pytest.approx(float(theirs), rel=1e-5)


@pytest.mark.parametrize(("smoothing", "z_loss"), [(0.0, 0.0), (0.1, 0.0), (0.0, 0.01), (0.2, 0.03)])
def test_the_gradient_by_its_formula(smoothing, z_loss):
    """softmax (1 + 2 z weight) - (1 - s) [right] - s / classes; nothing for what is ignored."""
    scores, targets = scores_and_targets()
    scores.requires_grad_()
    token_losses(scores, targets, smoothing, z_loss).sum().backward()
    exact = scores.detach().double()
    share, z = exact.softmax(-1), exact.logsumexp(-1, keepdim=True)
    right = F.one_hot(targets.clamp(min=0), 17)
    expected = share * (1 + 2 * z * z_loss) - (1 - smoothing) * right - smoothing / 17
    expected[targets == IGNORED] = 0
    torch.testing.assert_close(scores.grad.double(), expected, rtol=1e-5, atol=1e-6)


class Graphs:
    """A compiler that runs what it gets as it is, and counts it."""

    def __init__(self):
        self.n = 0

    def __call__(self, graph, inputs):
        self.n += 1
        return graph.forward


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")  # the compiler looks at the layer's input
@pytest.mark.parametrize("by_layer", [False, True])
def test_what_is_recomputed_is_also_compiled(by_layer):
    """The losses and gradients are those without both, and fewer tensors are kept for the backward pass."""
    objective, found = Causal(CausalSettings(), Vocabulary.of(DEFINITION, "")), []
    batch = objective.batch(np.repeat(rows(7, 20, 22), 4, 0), [(row,) for row in range(4)], training=True)
    for compiled in (False, True):
        settings = DecoderSettings(layers=2, width=32, heads=2, kv_heads=1)
        model = random_weights(Decoder(ModelConfig.of(settings, 320, ROW)))
        losses, graphs, kept = Losses(model, objective), Graphs(), []
        compile_and_recompute(losses, compiles=compiled, by_layer=by_layer, recompute=compiled, backend=graphs)
        with torch.autograd.graph.saved_tensors_hooks(lambda x, kept=kept: kept.append(x.numel()) or x, lambda x: x):
            loss = losses(model.prepare(batch.inputs), batch.targets, True)[0].sum()
        loss.backward()
        found.append((loss.detach(), [weight.grad for weight in model.parameters()], sum(kept)))
        assert graphs.n == compiled
    plain, ready = found
    torch.testing.assert_close(ready[:2], plain[:2], rtol=1e-4, atol=1e-4)
    assert ready[2] < 0.7 * plain[2]


@pytest.mark.parametrize("recompute", [False, True])
@pytest.mark.parametrize("part", [1, 7, 40, 1000])
def test_scores_in_parts_give_the_same_losses_and_gradients(monkeypatch, recompute, part):
    monkeypatch.setitem(base.PART, "cpu", part)
    x, targets = scores_and_targets()
    head = torch.nn.Linear(17, 17)
    for of in ("whole", "parts"):
        x = x.detach().requires_grad_()
        head.zero_grad()
        if of == "whole":
            losses = token_losses(head(x), targets, 0.1, 0.01)
        else:
            losses = losses_in_parts(x, head, targets, 0.1, 0.01, recompute=recompute)
        (losses * torch.arange(40)).sum().backward()
        found = losses.detach(), x.grad, head.weight.grad.clone(), head.bias.grad.clone()
        if of == "whole":
            expected = found
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)
