"""What a model has read and remembers gives the scores of a model that reads everything again."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.errors import InputError
from corpusmill.generate.prompts import prompt_of
from corpusmill.generate.readers import begin, padded
from corpusmill.train.attention import document_mask
from corpusmill.train.batch import Inputs
from tests.generate.conftest import WRITERS

CLOSE = {"rtol": 1e-4, "atol": 1e-4}


def numbers(n, seed=0, vocab_size=320):
    return torch.randint(5, vocab_size, (n,), generator=torch.Generator().manual_seed(seed)).tolist()


def again(trained, source, ids):
    """Scores after every token, by one pass over all of them, without anything remembered: (tokens, vocab_size)."""
    model, read = trained.model, torch.tensor([ids])
    one = torch.zeros_like(read)
    if trained.kind == "encoder-decoder":
        sources = torch.tensor([source])
        arguments = model.prepare(Inputs(sources, torch.zeros_like(sources), None, read, one))
        arguments = (*arguments[:3], document_mask(one, causal=True, window=trained.row_length - 1), arguments[4])
    elif trained.kind == "decoder":
        arguments = (read, document_mask(one, causal=True, window=trained.row_length - 1))
    else:
        arguments = (read, [len(ids)], document_mask(one, causal=True, window=trained.row_length - 1))
    return model(*arguments)[0]


def remembered(trained, prompts, ids):
    """Scores after each further token of rows of the same length: (rows, tokens, vocab_size)."""
    reader, scores = begin(trained, prompts)
    columns = torch.tensor(ids).T[:, :, None]
    later = [reader.read(column, torch.ones_like(column, dtype=torch.bool)) for column in columns]
    return torch.stack([scores, *later], 1)


@pytest.mark.parametrize("kind", WRITERS)
@torch.inference_mode()
def test_remembering_is_reading_again_also_beyond_the_row_length(loaded, kind):
    trained = loaded(kind)
    prompt, rest = [trained.boundary, *numbers(9)], numbers(2 * trained.row_length + 5, seed=1)
    before = [trained.boundary] if kind == "encoder-decoder" else prompt
    expected = again(trained, prompt, [*before, *rest])[len(before) - 1 :]
    torch.testing.assert_close(remembered(trained, [prompt], [rest])[0], expected, **CLOSE)


@pytest.mark.parametrize("kind", WRITERS)
@torch.inference_mode()
def test_rows_of_different_lengths_are_those_of_one_row_at_a_time(loaded, kind):
    trained = loaded(kind)
    prompts = [[trained.boundary, *numbers(n, seed=n)] for n in (0, 13, 1, 40)]
    rest = [numbers(70, seed=100 + n) for n in range(4)]
    together = remembered(trained, prompts, rest)
    for row in range(4):
        torch.testing.assert_close(together[row : row + 1], remembered(trained, [prompts[row]], [rest[row]]), **CLOSE)


@pytest.mark.parametrize("kind", WRITERS)
@torch.inference_mode()
def test_rows_can_be_selected_and_repeated(loaded, kind):
    trained = loaded(kind)
    prompts = [[trained.boundary, *numbers(n, seed=n)] for n in (3, 8, 5)]
    reader, _ = begin(trained, prompts)
    reader.select(torch.tensor([2, 0, 2]))
    ids = torch.tensor([[7], [8], [9]])
    scores = reader.read(ids, torch.ones_like(ids, dtype=torch.bool))
    for row, (prompt, id_) in enumerate([(2, 7), (0, 8), (2, 9)]):
        alone = remembered(trained, [prompts[prompt]], [[id_]])[0, 1]
        torch.testing.assert_close(scores[row], alone, **CLOSE)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 50), min_size=1, max_size=6))
def test_tokens_can_be_read_in_any_pieces(loaded, sizes):
    trained = loaded("decoder")
    ids = numbers(sum(sizes), seed=3)
    reader, _ = begin(trained, [[trained.boundary]])
    at = 0
    with torch.inference_mode():
        for size in sizes:
            scores = reader.read(*padded([ids[at : at + size]], 0, trained.device))
            at += size
        torch.testing.assert_close(scores[0], again(trained, [], [trained.boundary, *ids])[-1], **CLOSE)


@torch.inference_mode()
def test_of_a_long_prompt_the_newest_tokens_count(loaded):
    trained = loaded("decoder")
    ids = numbers(200)
    _, scores = begin(trained, [ids])
    _, newest = begin(trained, [ids[-trained.row_length :]])
    assert torch.equal(scores, newest)


def test_an_encoder_decoder_refuses_a_source_that_is_too_long(loaded):
    trained = loaded("encoder-decoder")
    assert len(prompt_of(trained, " fox" * 63).ids) == 64
    with pytest.raises(InputError, match="the prompt has 64 tokens, and the model reads at most 63"):
        prompt_of(trained, " fox" * 64)


def test_an_encoder_continues_nothing(loaded):
    with pytest.raises(InputError, match="a model of the kind 'encoder' continues no text; see 'corpusmill fill'"):
        begin(loaded("encoder"), [[0]])
