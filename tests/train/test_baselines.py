"""The baselines: Kneser-Ney against a slow and obvious implementation, and on the validation targets of a training."""

import math
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.loader import Position
from corpusmill.train.baselines import LEAST_DISCOUNT, Trigrams
from corpusmill.train.job import Job
from corpusmill.train.run import train
from tests.train.conftest import KINDS, metrics, token_documents

BOUNDARY = 0


def model_of(documents, n_tokens):
    ids = np.array([id_ for document in documents for id_ in document], np.uint16)
    return Trigrams.of(ids, np.array([len(document) for document in documents]), n_tokens, BOUNDARY)


class Slow:
    """The same model with dictionaries, as the paper writes it."""

    def __init__(self, documents, n_tokens):
        self.n_tokens, start = n_tokens, n_tokens
        three = Counter()
        for document in documents:
            sequence = [start, BOUNDARY, *document, BOUNDARY]
            three.update(zip(sequence, sequence[1:], sequence[2:], strict=False))
        two, one = Counter(), Counter()
        for _, v, w in three:
            two[v, w] += 1
        for _, w in two:
            one[(w,)] += 1
        self.counts = {1: one, 2: two, 3: three}

    def discount(self, order, count):
        n = Counter(self.counts[order].values())
        if not (n[1] and n[2]):
            return 0.5
        y, k = n[1] / (n[1] + 2 * n[2]), min(count, 3)
        found = k - (k + 1) * y * (n[k + 1] if k < 4 else 0) / n[k] if n[k] else y
        return min(max(found, LEAST_DISCOUNT), k)

    def probability(self, gram):
        if not gram:
            return 1 / self.n_tokens
        shorter, counts = self.probability(gram[1:]), self.counts[len(gram)]
        same = {other: n for other, n in counts.items() if other[:-1] == gram[:-1]}
        if not same:
            return shorter
        total = sum(same.values())
        kept = {other: n - self.discount(len(gram), n) for other, n in same.items()}
        return kept.get(gram, 0) / total + (1 - sum(kept.values()) / total) * shorter


DOCUMENTS = st.lists(st.lists(st.integers(1, 6), max_size=12), min_size=1, max_size=8)


@settings(deadline=None, max_examples=40)
@given(documents=DOCUMENTS, u=st.integers(0, 7), v=st.integers(0, 6))
def test_it_is_kneser_ney_and_sums_to_one(documents, u, v):
    fast, slow = model_of(documents, 7), Slow(documents, 7)
    tokens = np.arange(7)
    losses = fast.losses(np.full(7, u), np.full(7, v), tokens)
    assert np.exp(-losses).sum() == pytest.approx(1)
    assert losses == pytest.approx([-math.log(slow.probability((u, v, int(w)))) for w in tokens])


def test_it_predicts_what_follows_two_tokens_and_what_begins_a_document():
    documents = [[1, 2, 3, 1, 2, 4]] * 2 + [[1, 2, 3], [5, 2, 6]] * 6
    model = model_of(documents, 7)
    after = {pair: model.losses(*(np.full(7, each) for each in pair), np.arange(7)).argmin() for pair in
             [(7, 0), (0, 1), (1, 2), (5, 2), (2, 6)]}  # fmt: skip
    assert after == {(7, 0): 1, (0, 1): 2, (1, 2): 3, (5, 2): 6, (2, 6): BOUNDARY}


def slow_model_of(corpus, n_tokens):
    return Slow([row["ids"] for row in token_documents(corpus) if row["split"] == "train"], n_tokens)


def test_the_trigram_loss_is_that_of_the_validation_targets(corpus, tmp_path):
    chosen = KINDS["decoder"].model_copy(update={"steps": 1, "rows_per_step": 1, "validation_rows": 3})
    result = train(corpus, chosen, tmp_path / "m")
    job = Job.of(corpus, chosen, tmp_path / "m")
    rows = job.rows("validation").take(Position(), 3).tolist()
    slow = slow_model_of(corpus, job.vocabulary().n_text)
    losses = defaultdict(float)
    for row in rows:
        for i in range(1, len(row)):
            hidden = i == 1 or row[i - 1] == BOUNDARY
            before = slow.n_tokens if hidden else row[i - 2]
            losses[before, row[i - 1], row[i]] += 1
    expected = sum(n * -math.log(slow.probability(gram)) for gram, n in losses.items()) / sum(losses.values())
    assert result.trigram_validation_loss == pytest.approx(expected)
    assert result.trigram_validation_loss < result.unigram_validation_loss
    assert metrics(tmp_path / "m", "trigram_validation_loss") == [
        (0, "trigram_validation_loss", None, result.trigram_validation_loss)
    ]


@pytest.mark.parametrize("kind", ["encoder", "encoder-decoder"])
def test_other_objectives_have_the_frequencies_of_their_targets(corpus, tmp_path, kind):
    result = train(corpus, KINDS[kind].model_copy(update={"steps": 1, "rows_per_step": 1}), tmp_path / "m")
    assert result.trigram_validation_loss is None
    untrained = metrics(tmp_path / "m", "validation_loss")[0][3]
    assert 2 < result.unigram_validation_loss < untrained
