"""The encoder-decoder: causal in its second half, and each document sees only itself in both halves."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from corpusmill.train.batch import Inputs
from corpusmill.train.models.encoder_decoder import EncoderDecoder
from corpusmill.train.settings import EncoderDecoderSettings

SETTINGS = EncoderDecoderSettings(layers=2, width=32, heads=4, kv_heads=2)


@pytest.fixture
def model():
    made = EncoderDecoder(SETTINGS, 50, 16, torch.Generator().manual_seed(1))
    random = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter += 0.2 * torch.randn(parameter.shape, generator=random)
    return made.eval()


def inputs_of(*four):
    ids, documents, decoder_ids, decoder_documents = (torch.tensor([each]) for each in four)
    return Inputs(ids, documents, None, decoder_ids, decoder_documents)


def scores(model, ids, documents, decoder_ids, decoder_documents):
    inputs = inputs_of(ids, documents, decoder_ids, decoder_documents)
    with torch.no_grad():
        return model(*model.prepare(inputs))[0]


def test_later_tokens_of_the_decoder_change_nothing_before_them_and_the_encoders_do(model):
    a = scores(model, [0, 5, 6, 7], [0] * 4, [0, 8, 9, 10], [0] * 4)
    b = scores(model, [0, 5, 6, 7], [0] * 4, [0, 8, 9, 30], [0] * 4)
    torch.testing.assert_close(a[:3], b[:3])
    assert not torch.allclose(a[3], b[3])
    c = scores(model, [0, 5, 6, 30], [0] * 4, [0, 8, 9, 10], [0] * 4)
    assert not torch.allclose(a[0], c[0])


def test_documents_packed_in_a_row_are_as_if_alone(model):
    alone = scores(model, [0, 5, 6], [0] * 3, [0, 8], [0] * 2), scores(model, [0, 7, 9, 4], [0] * 4, [0, 2, 3], [0] * 3)
    packed = scores(
        model, [0, 5, 6, 0, 7, 9, 4, 0, 0], [0, 0, 0, 1, 1, 1, 1, -1, -1], [0, 8, 0, 2, 3, 0], [0, 0, 1, 1, 1, -1]
    )
    torch.testing.assert_close(packed[:2], alone[0], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(packed[2:5], alone[1], atol=1e-5, rtol=1e-5)
    assert torch.isfinite(packed).all()


def test_padding_without_any_in_the_encoder_is_finite_with_gradients(model):
    inputs = inputs_of([0, 5], [0, 0], [0, 0], [0, -1])
    model(*model.prepare(inputs))[0, 0].sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


def test_cross_attention_is_the_textbooks(model):
    layer, x, memory = model.decoder.layers[0].cross_attn, torch.randn(1, 3, 32), torch.randn(1, 5, 32)
    mask = torch.tensor([[[[1, 1, 0, 0, 0], [1, 1, 0, 0, 0], [0, 0, 1, 1, 1]]]]).bool()
    with torch.no_grad():
        found = layer.cross(x, layer.keys(memory), mask)
        q = layer.q_norm(layer.q_proj(x)[0].view(3, 4, 8))
        k, v = layer.k_norm(layer.k_proj(memory)[0].view(5, 2, 8)), layer.v_proj(memory)[0].view(5, 2, 8)
        out = torch.zeros(3, 4, 8)
        for i in range(3):
            for head in range(4):
                seen = mask[0, 0, i].nonzero().flatten()
                weight = torch.softmax(k[seen, head // 2] @ q[i, head] / 8**0.5, 0)
                out[i, head] = weight @ v[seen, head // 2]
        torch.testing.assert_close(found[0], layer.o_proj(out.view(3, 32)), atol=1e-5, rtol=1e-5)


def test_floating_point_operations_count_all_matrices(model):
    ids = torch.ones(1, 16, dtype=torch.long)
    inputs = Inputs(ids, torch.zeros_like(ids), None, ids, torch.zeros_like(ids))
    with FlopCounterMode(display=False) as counter:
        model(*model.prepare(inputs)).sum().backward()
    linear = counter.get_flop_counts()["Global"][torch.ops.aten.mm]
    assert linear == 16 * (model.flops_per_token(16) - 12 * 2 * 32 * 16)
