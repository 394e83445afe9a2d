"""Beam search, next to HF transformers and to all possible texts."""

import itertools

import pytest
import torch
from transformers import AutoModelForCausalLM

from corpusmill.generate.beams import search
from corpusmill.generate.prompts import prompt_of
from corpusmill.generate.readers import begin
from corpusmill.generate.run import complete
from corpusmill.generate.settings import Sampling


def found(trained, text, **options):
    prompt = prompt_of(trained, text)
    how = Sampling(**options)
    with torch.inference_mode():
        reader, scores = begin(trained, [prompt.ids])
        return search(reader, scores, torch.zeros_like(scores, dtype=torch.bool), how, prompt.ends)


@pytest.mark.parametrize("length_penalty", [0.0, 2.5])
@pytest.mark.parametrize("text", ["red fox", "今天天气"])
def test_the_text_is_that_of_transformers(models, loaded, text, length_penalty):
    trained, theirs = loaded("decoder"), AutoModelForCausalLM.from_pretrained(models("decoder"))
    ids = torch.tensor([prompt_of(trained, text).ids])
    out = theirs.generate(
        ids, attention_mask=torch.ones_like(ids), num_beams=3, length_penalty=length_penalty, max_new_tokens=24,
        early_stopping="never", do_sample=False, pad_token_id=trained.boundary,
    )  # fmt: skip
    expected = out[0, ids.shape[1] :].tolist()
    ours = found(trained, text, beams=3, length_penalty=length_penalty, max_tokens=24)
    assert [*ours.ids, *[trained.boundary] * ours.ended] == expected


class Toy:
    """A reader whose scores depend on the last token only."""

    def __init__(self, table):
        self.table = table

    def select(self, rows):
        pass

    def read(self, ids, real):
        return self.table[ids[:, -1]]


@pytest.mark.parametrize("length_penalty", [-0.5, 0.0, 0.7, 1.0, 2.0])
def test_with_enough_beams_no_text_is_better(length_penalty):
    table = torch.randn(4, 4, generator=torch.Generator().manual_seed(5))
    likely = table.double().log_softmax(1)
    values = {}
    for n in range(1, 5):
        for text in itertools.product(range(4), repeat=n):
            if 0 in text[:-1] or (text[-1] != 0 and n < 4):
                continue  # only the last token can end a text, and a text without an end has 4 tokens
            total = sum(likely[a, b] for a, b in itertools.pairwise((1, *text)))
            values[text] = float(total) / n**length_penalty
    best = max(values, key=values.get)
    how = Sampling(beams=200, length_penalty=length_penalty, max_tokens=4)
    ours = search(Toy(table), table[1:2], torch.zeros(1, 4, dtype=torch.bool), how, frozenset({0}))
    assert (*ours.ids, *[0] * ours.ended) == best
    assert ours.value == pytest.approx(values[best])


@pytest.mark.parametrize("kind", ["decoder", "encoder-decoder", "lstm"])
def test_more_beams_find_no_less_likely_text(loaded, kind):
    trained = loaded(kind)
    text = "red <extra_id_0> runs home."
    options = {"max_tokens": 12, "length_penalty": 0.0}
    assert found(trained, text, beams=8, **options).value >= found(trained, text, beams=1, **options).value


def test_a_stop_string_cuts_the_text(loaded):
    trained = loaded("decoder")
    prompts = [prompt_of(trained, text) for text in ("red fox", "green")]
    whole, cut = (
        [each.text for each in complete(trained, prompts, Sampling(beams=3, max_tokens=20, stop=stop))]
        for stop in ((), ("runs home",))
    )
    assert cut == [text.partition("runs home")[0] for text in whole]
    assert cut != whole
