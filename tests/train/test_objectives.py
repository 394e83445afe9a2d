"""What the objectives make of rows: nothing is lost, shares are as set, and losses are as defined."""

import itertools
import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from corpusmill.errors import InputError
from corpusmill.tokenize.settings import TokenizerSettings
from corpusmill.tokenize.train import train_tokenizer
from corpusmill.train.batch import IGNORED
from corpusmill.train.objectives import objective_class
from corpusmill.train.objectives.base import token_losses
from corpusmill.train.settings import CausalSettings, MaskedSettings, OwnSettings, SpansSettings
from corpusmill.train.vocabulary import Vocabulary
from tests.train.conftest import sentence

DEFINITION = train_tokenizer([sentence(i, end="\n") for i in range(60)], TokenizerSettings(vocab_size=320)).encode()
BOUNDARY = 0


def objective(settings):
    kind = objective_class(settings)
    return kind(settings, Vocabulary.of(DEFINITION, "here", kind.tokens(settings)))


def rows_of(n, length, seed=1, boundary_every=20):
    random = np.random.default_rng(seed)
    rows = random.integers(1, 320, (n, length + 1))
    rows[random.random(rows.shape) < 1 / boundary_every] = BOUNDARY
    return rows


def keys(n, step=1):
    return [(7, 1, step, row) for row in range(n)]


def test_causal_targets_are_the_next_tokens():
    rows = rows_of(3, 20)
    batch = objective(CausalSettings()).batch(rows, keys(3), training=True)
    assert torch.equal(batch.targets[0], torch.from_numpy(rows[:, 1:]))
    assert np.array_equal(np.take_along_axis(rows, batch.origins.numpy(), 1), rows[:, 1:])
    assert torch.equal(batch.inputs.ids, torch.from_numpy(rows[:, :-1]))


@pytest.mark.parametrize(("training", "share"), [(True, 0.3), (False, 0.15)])
def test_masks(training, share):
    rows = rows_of(200, 100)
    read = rows[:, :-1]
    batch = objective(MaskedSettings()).batch(rows, keys(200), training=training)
    ids, (targets,) = batch.inputs.ids.numpy(), (each.numpy() for each in batch.targets)
    real = targets != IGNORED
    assert real.sum() == sum(round(share * n) for n in (read != BOUNDARY).sum(1))
    places = batch.inputs.positions.numpy()
    assert np.array_equal(np.take_along_axis(read, places, 1)[real], targets[real])
    assert not (targets == BOUNDARY).any()
    assert all(len(set(row[chosen])) == chosen.sum() for row, chosen in zip(places, real, strict=True))
    untouched = np.ones_like(read, bool)
    for row, (place, chosen) in enumerate(zip(places, real, strict=True)):
        untouched[row, place[chosen]] = False
    assert np.array_equal(ids[untouched], read[untouched])
    seen = np.take_along_axis(ids, places, 1)[real]
    assert (seen == 320).mean() == pytest.approx(0.8, abs=0.03)
    assert (seen == targets[real]).mean() == pytest.approx(0.1, abs=0.03)
    assert seen.max() == 320
    assert not (seen == BOUNDARY).any()


@pytest.mark.parametrize("settings", [MaskedSettings(), MaskedSettings(order="sentence-order"), SpansSettings()])
def test_a_row_does_not_depend_on_the_rows_beside_it_but_on_the_step(settings):
    rows, made = rows_of(8, 64), objective(settings)
    whole, half = made.batch(rows, keys(8), training=True), made.batch(rows[5:], keys(8)[5:], training=True)
    assert torch.equal(whole.inputs.ids[5:], half.inputs.ids)
    assert torch.equal(whole.targets[0][5:], half.targets[0])
    assert not torch.equal(whole.inputs.ids, made.batch(rows, keys(8, step=2), training=True).inputs.ids)


def texts_of(ids, tokenizer):
    edges = [i for i, id_ in enumerate(ids) if id_ == BOUNDARY] + [len(ids)]
    return [tokenizer.decode(ids[a + 1 : b]) for a, b in itertools.pairwise(edges)]


def ordered(kind, documents, draws=60):
    """The documents that each draw makes of them, with their classes.  Masks are taken away."""
    tokenizer = Tokenizer.from_str(DEFINITION.decode())
    row = [id_ for text in documents for id_ in [BOUNDARY, *tokenizer.encode(text).ids]]
    made = objective(MaskedSettings(order=kind, share=0.001))
    found = []
    for step in range(draws):
        batch = made.batch(np.array([[*row, BOUNDARY]]), keys(1, step), training=True)
        ids, order = batch.inputs.ids[0].tolist(), batch.targets[1][0].tolist()
        classes = [order[i] for i, id_ in enumerate(ids) if id_ == BOUNDARY]
        assert sum(each != IGNORED for each in order) == sum(each != IGNORED for each in classes)
        found.append((texts_of(ids, tokenizer), classes))
    return found


LINES = ["red fox runs home.\n", "green owl runs home.\n", "blue elk runs home.\n"]
TEXT = "".join(LINES) + "red owl"


def test_sentence_order_exchanges_neighbouring_lines_of_half_of_the_documents():
    found = ordered("sentence-order", [TEXT, "no line at all"])
    assert all(texts[1] == "no line at all" and classes[1] == IGNORED for texts, classes in found)
    a, b, c = LINES
    rest = "red owl"
    changed = {b + c + a + rest, c + a + b + rest, b + a + c + rest}
    kept = [texts[0] for texts, classes in found if classes[0] == 0]
    swapped = [texts[0] for texts, classes in found if classes[0] == 1]
    assert set(kept) == {TEXT}
    assert set(swapped) <= changed
    assert len(set(swapped)) == 2
    assert 15 <= len(swapped) <= 45


def test_next_sentence_exchanges_the_second_parts_of_two_documents():
    other = "他喜欢读书。\n今天天气很好。\n我们去公园散步。\n"
    found = ordered("next-sentence", [TEXT, other])
    for texts, classes in found:
        assert sorted("".join(texts)) == sorted(TEXT + other)
        assert classes in ([0, 0], [1, 1])
        assert (texts == [TEXT, other]) == (classes == [0, 0])
        assert texts[0].startswith(LINES[0])
    assert 15 <= sum(classes == [1, 1] for _, classes in found) <= 45
    assert {classes[0] for _, classes in ordered("next-sentence", [TEXT])} == {IGNORED}  # there is no other document


@hypothesis_settings(max_examples=40, deadline=None)
@given(
    length=st.integers(2, 200),
    share=st.floats(0.01, 0.9),
    span_length=st.floats(1, 20),
    seed=st.integers(0, 1000),
    every=st.sampled_from([2, 5, 50]),
)
def test_spans_put_back_give_the_row(length, share, span_length, seed, every):
    rows = rows_of(2, length, seed, every)
    settings = SpansSettings(share=share, span_length=span_length)
    batch = objective(settings).batch(rows, keys(2), training=True)
    for row in range(2):
        documents, decoders = batch.inputs.documents[row], batch.inputs.decoder_documents[row]
        found = []
        for number in [n for n in documents.unique().tolist() if n >= 0]:
            read = batch.inputs.ids[row][documents == number].tolist()
            told = batch.inputs.decoder_ids[row][decoders == number].tolist()
            targets = batch.targets[0][row][decoders == number].tolist()
            assert told[1:] + [BOUNDARY] * bool(told) == targets
            spans = {}
            for id_ in told[1:]:
                if id_ >= 320:
                    spans[sentinel := id_] = []
                else:
                    spans[sentinel].append(id_)
            assert list(spans) == [320 + i for i in range(len(spans))]
            assert not any(a >= 320 and b >= 320 for a, b in itertools.pairwise(read))
            for id_ in read:
                found += spans[id_] if id_ >= 320 else [id_]
        assert found == rows[row, :-1].tolist()
        origins, targets = batch.origins[row], batch.targets[0][row]
        assert torch.equal(torch.from_numpy(rows[row])[origins[origins >= 0]], targets[origins >= 0])
        assert ((targets >= 0) & (targets < 320) & (targets != BOUNDARY) == (origins >= 0)).all()


def test_the_share_and_the_length_of_spans():
    rows = np.full((1, 1001), 5)
    batch = objective(SpansSettings()).batch(rows, keys(1), training=True)
    targets = batch.targets[0][0]
    assert (targets == 5).sum() == 150
    assert (targets >= 320).sum() == 50


def test_losses_are_as_defined():
    random = torch.Generator().manual_seed(1)
    scores, targets = torch.randn(2, 3, 7, generator=random), torch.tensor([[1, 2, IGNORED], [0, 6, 3]])
    found = token_losses(scores, targets, label_smoothing=0.1, z_loss=0.01).view(2, 3)
    for row in range(2):
        for place in range(3):
            if targets[row, place] == IGNORED:
                assert found[row, place] == 0
                continue
            exps = [math.exp(each) for each in scores[row, place]]
            log = [math.log(each / sum(exps)) for each in exps]
            goal = [0.1 / 7 + 0.9 * (i == int(targets[row, place])) for i in range(7)]
            expected = -sum(p * q for p, q in zip(goal, log, strict=True)) + 0.01 * math.log(sum(exps)) ** 2
            assert found[row, place].item() == pytest.approx(expected, rel=1e-5)


def test_tokens_that_the_tokenizer_has_are_used():
    definition = json.loads(DEFINITION)
    definition["added_tokens"].append({**definition["added_tokens"][0], "id": 5, "content": "[MASK]"})
    vocabulary = Vocabulary.of(json.dumps(definition).encode(), "here", ["[MASK]"])
    assert (vocabulary.special, vocabulary.size, vocabulary.n_text) == ({"[MASK]": 5}, 320, 320)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (None, "there is no Python file"),
        ("x = 1", "needs exactly one class that is derived from Objective; it has 0"),
        ("1 / 0", "fails when it is loaded: ZeroDivisionError: division by zero"),
    ],
)
def test_a_wrong_file_of_an_objective_is_one_sentence(tmp_path, code, message):
    path = tmp_path / "mine.py"
    if code is not None:
        path.write_text(code)
    with pytest.raises(InputError, match=message):
        objective_class(OwnSettings(path=str(path)))
