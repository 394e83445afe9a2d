"""From a step to its documents: what the trace says is what the step was trained on."""

import pytest

from corpusmill.errors import InputError
from corpusmill.loader import Position
from corpusmill.train.job import Job
from corpusmill.train.trace import documents_of_step, training_rows
from tests.train.conftest import token_documents


def test_documents_of_a_step_are_in_its_rows(corpus, settings, tmp_path):
    documents = token_documents(corpus)
    ids = {row["doc_id"]: row["ids"] for row in documents}
    sources = {row["doc_id"]: row["source"] for row in documents}
    rows = training_rows(Job.of(corpus, settings, tmp_path))
    steps = 3 * rows.n_rows(at_most=10**6) // settings.rows_per_step  # into the third epoch
    for step in (1, 2, 7, steps // 2, steps):
        batch = rows.take(rows.advance(Position(), (step - 1) * settings.rows_per_step), settings.rows_per_step)
        found = documents_of_step(corpus, settings, step)
        covered = [(d.row, i) for d in found for i in range(d.first, d.first + d.n_tokens)]
        assert covered == [(row, i) for row in range(settings.rows_per_step) for i in range(settings.row_length + 1)]
        for document in found:
            tokens = batch[document.row, document.first : document.first + document.n_tokens].tolist()
            assert contains([0, *ids[document.doc_id]], tokens)
            assert document.source == sources[document.doc_id]


def contains(whole, part):
    return any(whole[i : i + len(part)] == part for i in range(len(whole) - len(part) + 1))


def test_steps_count_from_one(corpus, settings):
    with pytest.raises(InputError, match="there is no step 0"):
        documents_of_step(corpus, settings, 0)
