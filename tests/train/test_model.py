"""The decoder: causal, blind to other documents, the same with a cache, and shaped like Qwen3."""

import math
import warnings

import pytest
import torch

from corpusmill.train.attention import _block_mask, _boolean_mask, attend, document_mask
from corpusmill.train.batch import document_numbers
from corpusmill.train.cache import Cache
from corpusmill.train.models.decoder import Decoder, ModelConfig
from corpusmill.train.objectives.base import token_losses

CONFIG = ModelConfig(
    vocab_size=50,
    hidden_size=32,
    intermediate_size=96,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    head_dim=8,
    max_position_embeddings=16,
)
BOUNDARY = 0


@pytest.fixture
def model():
    decoder = Decoder(CONFIG, torch.Generator().manual_seed(1))
    random = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in decoder.parameters():  # nothing zero, no norm trivial
            parameter += 0.2 * torch.randn(parameter.shape, generator=random)
    return decoder.eval()


def scores(model, rows):
    ids = torch.tensor(rows)
    with torch.no_grad():
        return model(ids, mask_of(ids))


def mask_of(ids):
    return document_mask(document_numbers(ids, BOUNDARY), causal=True)


def test_names_and_shapes_are_those_of_qwen3(model):
    """As in the state dict of transformers' Qwen3ForCausalLM with tied embeddings."""
    layer = {
        "input_layernorm.weight": (32,),
        "self_attn.q_proj.weight": (32, 32),
        "self_attn.k_proj.weight": (16, 32),
        "self_attn.v_proj.weight": (16, 32),
        "self_attn.o_proj.weight": (32, 32),
        "self_attn.q_norm.weight": (8,),
        "self_attn.k_norm.weight": (8,),
        "post_attention_layernorm.weight": (32,),
        "mlp.gate_proj.weight": (96, 32),
        "mlp.up_proj.weight": (96, 32),
        "mlp.down_proj.weight": (32, 96),
    }
    expected = {"model.embed_tokens.weight": (50, 32), "model.norm.weight": (32,)}
    expected |= {f"model.layers.{i}.{name}": shape for i in range(2) for name, shape in layer.items()}
    assert {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()} == expected


def test_config_comes_back_from_json():
    assert ModelConfig.from_hf(CONFIG.to_hf(boundary=0)) == CONFIG


def test_an_untrained_model_knows_nothing():
    decoder = Decoder(CONFIG, torch.Generator().manual_seed(1))
    rows = torch.randint(1, 50, (20, 17), generator=torch.Generator().manual_seed(3))
    loss = token_losses(decoder(rows[:, :-1], mask_of(rows[:, :-1])), rows[:, 1:]).mean().item()
    assert loss == pytest.approx(math.log(50), abs=0.1)


def test_later_tokens_change_nothing_before_them(model):
    a, b = scores(model, [[0, 5, 6, 7, 8, 9]]), scores(model, [[0, 5, 6, 7, 30, 31]])
    torch.testing.assert_close(a[:, :4], b[:, :4])
    assert not torch.allclose(a[:, 4:], b[:, 4:])


def test_documents_packed_in_a_row_are_as_if_alone(model):
    first, second = [0, 5, 6, 7], [0, 8, 9, 10, 11]
    packed = scores(model, [first + second])[0]
    torch.testing.assert_close(packed[:4], scores(model, [first])[0], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(packed[4:], scores(model, [second])[0], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(scores(model, [second + first])[0, :5], packed[4:], atol=1e-5, rtol=1e-5)


def test_order_of_tokens_matters(model):
    assert not torch.allclose(scores(model, [[0, 5, 6, 7]])[0, -1], scores(model, [[0, 6, 5, 7]])[0, -1])


@pytest.mark.parametrize("cuts", [[1] * 12, [5, 1, 6], [12]])
def test_generation_with_a_cache_gives_the_same_scores(model, cuts):
    ids = torch.randint(1, 50, (1, 12), generator=torch.Generator().manual_seed(4))
    cache = Cache(1, 16, ids.device)
    with torch.no_grad():
        parts = [
            model(part, cache.place(torch.ones_like(part, dtype=torch.bool)), cache) for part in ids.split(cuts, 1)
        ]
        torch.testing.assert_close(torch.cat(parts, 1), model(ids), atol=1e-5, rtol=1e-5)


def test_a_cache_forgets_what_is_beyond_the_row(model):
    """40 tokens in a model of 16: the newest 16 are seen."""
    ids = torch.randint(1, 50, (1, 40), generator=torch.Generator().manual_seed(5))
    cache = Cache(1, 16, ids.device)
    with torch.no_grad():
        for token in ids.split(1, 1):
            out = model(token, cache.place(torch.ones_like(token, dtype=torch.bool)), cache)
    assert cache.extend(0, torch.zeros(1, 2, 0, 8), torch.zeros(1, 2, 0, 8))[0].shape[2] == 16
    assert torch.isfinite(out).all()


def attention_by_hand(q, k, v, ids):
    out = torch.zeros_like(q)
    documents = (ids == BOUNDARY).cumsum(1)
    for row in range(q.shape[0]):
        for head in range(q.shape[1]):
            group = head * k.shape[1] // q.shape[1]
            for i in range(q.shape[2]):
                seen = [j for j in range(i + 1) if documents[row, j] == documents[row, i]]
                weight = torch.softmax(k[row, group, seen] @ q[row, head, i] / q.shape[3] ** 0.5, 0)
                out[row, head, i] = weight @ v[row, group, seen]
    return out


def test_attention_is_that_of_the_textbook():
    random = torch.Generator().manual_seed(6)
    q, k, v = (torch.randn(2, heads, 12, 8, generator=random) for heads in (4, 2, 2))
    ids = torch.randint(0, 5, (2, 12), generator=random)
    expected = attention_by_hand(q, k, v, ids)
    torch.testing.assert_close(attend(q, k, v, mask_of(ids)), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("window", [None, 2])
@pytest.mark.parametrize("cross", [False, True])
def test_both_backends_are_equal(causal, window, cross):
    """The block mask of flex_attention, whose forward pass also runs on a CPU, and the boolean mask of SDPA."""
    random = torch.Generator().manual_seed(7)
    documents = torch.randint(0, 2, (2, 12), generator=random).cumsum(1)
    others = torch.randint(0, 2, (2, 20), generator=random).cumsum(1) if cross else documents
    documents[1, 9:] = -1  # padding
    q = torch.randn(2, 4, 12, 8, generator=random)
    k, v = (torch.randn(2, 2, others.shape[1], 8, generator=random) for _ in range(2))
    one = attend(q, k, v, _boolean_mask(documents, others, causal, window))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # uncompiled flex_attention says that it is slow
        other = attend(q, k, v, _block_mask(documents, others, causal, window))
    torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)
    if cross:
        assert (one[1, :, 9:] == 0).all()  # nothing to attend to
