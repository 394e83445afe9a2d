"""Losses of documents and scores of answers, against models that are asked one by one."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from corpusmill.errors import InputError
from corpusmill.evaluate.scorer import DRAWS, Scorer
from corpusmill.evaluate.subject import Subject
from corpusmill.generate.settings import Sampling
from corpusmill.train.batch import Inputs
from corpusmill.train.settings import OwnSettings
from corpusmill.train.trained import load
from tests.evaluate.conftest import MODELS
from tests.train.conftest import token_documents


def scorer(place, kind):
    subject = Subject.of(place / "models" / kind)
    return Scorer(load(subject.folder), subject.objective(load(subject.folder).kind))


def alone(trained, ids, **others):
    """The scores of one sequence, without anything beside it."""
    row = torch.tensor([ids])
    with torch.no_grad():
        scores = trained.model(*trained.model.prepare(Inputs(row, torch.zeros_like(row), **others)))
    return (scores[0] if isinstance(scores, tuple) else scores)[0].log_softmax(-1)


@pytest.mark.parametrize("kind", ["decoder", "lstm"])
def test_the_loss_of_a_document_is_that_of_its_tokens_piece_by_piece(place, kind):
    found = scorer(place, kind)
    rows = token_documents(place)[:12]
    assert {len(row["ids"]) > 32 for row in rows} == {True, False}
    sums, counts = found.document_losses([row["doc_id"] for row in rows], [row["ids"] for row in rows])
    for row, loss, count in zip(rows, sums, counts, strict=True):
        stream, expected = [0, *row["ids"]], 0.0
        for start in range(0, len(stream) - 1, 32):
            piece = stream[start : start + 33]
            scores = alone(found.trained, piece[:-1])
            expected += F.nll_loss(scores, torch.tensor(piece[1:]), reduction="sum").item()
        assert (loss, count) == (pytest.approx(expected, rel=1e-4), len(row["ids"]))


@pytest.mark.parametrize("kind", MODELS)
def test_the_loss_of_a_document_does_not_depend_on_its_neighbours(place, kind):
    found = scorer(place, kind)
    rows = token_documents(place)[:9]
    names, ids = [row["doc_id"] for row in rows], [row["ids"] for row in rows]
    together, n_together = found.document_losses(names, ids)
    singly = [found.document_losses([name], [each]) for name, each in zip(names, ids, strict=True)]
    assert n_together.tolist() == [int(n[0]) for _, n in singly]
    assert together == pytest.approx([float(loss[0]) for loss, _ in singly], rel=1e-4)
    assert found.document_losses(names[:1], ids[:1])[0] == pytest.approx(together[0], rel=1e-4)


@pytest.mark.parametrize(("kind", "share"), [("encoder, sentence-order", 0.15), ("encoder-decoder", 0.15)])
def test_a_share_of_the_tokens_is_hidden_in_each_draw(place, kind, share):
    n = 300
    _, counts = scorer(place, kind).document_losses(["a"], [np.resize([5, 6, 7, 8, 9], n)])
    assert counts[0] == pytest.approx(DRAWS * share * n, rel=0.1)


def test_answers_of_a_decoder(place):
    found = scorer(place, "decoder")
    questions = [
        found.question("red fox runs", " home."),
        found.question("今天天气", "很好。"),
        found.question("red " * 60, "owl runs"),
    ]
    for question, score in zip(questions, found.scores(questions), strict=True):
        whole = [0, *question.before, *question.answer][-33:]
        scores = alone(found.trained, whole[:-1])[-len(question.answer) :]
        expected = sum(float(row[token]) for row, token in zip(scores, question.answer, strict=True))
        assert score.log_likelihood == pytest.approx(expected, rel=1e-4)
        assert score.is_greedy == (scores.argmax(1).tolist() == question.answer)
    best = found.continuations(["red fox", "blue elk"], Sampling(temperature=0, max_tokens=3))
    greedy = [found.question(*pair) for pair in zip(("red fox", "blue elk"), best, strict=True)]
    assert all(best)
    assert [score.is_greedy for score in found.scores(greedy)] == [True, True]


def test_answers_of_an_encoder_mask_each_token_alone(place):
    found = scorer(place, "encoder, sentence-order")
    question = found.question("red fox", " runs home.", " blue owl")
    mask = found.trained.tokenizer.token_to_id("[MASK]")
    ids = [0, *question.before, *question.answer, *question.after]
    first, expected = 1 + len(question.before), 0.0
    for place_ in range(first, first + len(question.answer)):
        scores = alone(found.trained, [*ids[:place_], mask, *ids[place_ + 1 :]])
        expected += float(scores[place_, ids[place_]])
    assert found.scores([question, question])[1].log_likelihood == pytest.approx(expected, rel=1e-4)


def test_answers_of_an_encoder_decoder_are_the_missing_span(place):
    found = scorer(place, "encoder-decoder")
    question = found.question("red fox", " runs home.", " blue owl")
    gap = found.trained.tokenizer.token_to_id("<extra_id_0>")
    written = torch.tensor([[0, gap, *question.answer[:-1]]])
    read = [0, *question.before, gap, *question.after]
    scores = alone(found.trained, read, decoder_ids=written, decoder_documents=torch.zeros_like(written))
    expected = sum(float(scores[1 + i, token]) for i, token in enumerate(question.answer))
    longer = found.question("green " * 20, "owl " * 5)
    assert found.scores([longer, question])[1].log_likelihood == pytest.approx(expected, rel=1e-4)


def test_a_text_and_its_answer_are_encoded_as_one(place):
    found = scorer(place, "decoder")
    question = found.question("red fox  ", "runs")
    assert question.before == found.trained.encode("red fox")
    assert question.before + question.answer == found.trained.encode("red fox  runs")
    assert found.trained.tokenizer.decode(found.question("今天", "天气").answer) == "天气"


def test_what_a_model_cannot_answer_is_said(place):
    decoder = scorer(place, "decoder")
    with pytest.raises(InputError, match="does not see what stands after"):
        decoder.scores([decoder.question("a", "b", "c")])
    with pytest.raises(InputError, match=r"reads at most 32 tokens of an answer, and one has \d+"):
        decoder.scores([decoder.question("a", "red owl runs " * 40)])
    with pytest.raises(InputError, match="continues no text"):
        scorer(place, "encoder-decoder").continuations(["a"], Sampling(max_tokens=3))
    own = Scorer(decoder.trained, OwnSettings(path=str(write_own(place.parent))))
    with pytest.raises(InputError, match="objective of your own"):
        own.scores([decoder.question("a", "b")])
    sums, counts = own.document_losses(["a"], [[5, 6, 7]])
    assert counts.tolist() == [3]
    assert math.isfinite(sums[0])


def write_own(folder):
    path = folder / "own.py"
    path.write_text("from corpusmill.train.objectives.causal import Causal\n\nclass Mine(Causal):\n    pass\n")
    return path
