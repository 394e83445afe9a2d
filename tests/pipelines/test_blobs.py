"""Blobs survive the way through a shuffle, in any order; one that is lost or doubled is noticed."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmill.errors import BalanceError
from corpusmill.pipelines import blobs
from corpusmill.pipelines.blobs import packed, unpacked

BLOBS = st.dictionaries(st.integers(0, 2**32 - 1), st.binary(max_size=60), max_size=8)


@pytest.fixture(autouse=True)
def small_elements(monkeypatch):
    monkeypatch.setattr(blobs, "ELEMENT_BYTES", 10)


def elements_of(sent, rng):
    """Every piece, in random order, bundled at random."""
    pieces = [piece for part, content in sent.items() for piece in packed(part, content)]
    rng.shuffle(pieces)
    elements = []
    while pieces:
        n = rng.randint(1, 3)
        elements.append(b"".join(pieces[:n]))
        pieces = pieces[n:]
    return elements


@given(BLOBS, st.randoms(use_true_random=False))
def test_what_was_sent_arrives_by_part(sent, rng):
    assert unpacked(elements_of(sent, rng), len(sent), "twins") == sorted(sent.items())


@given(BLOBS.filter(bool), st.randoms(use_true_random=False), st.sampled_from(["lost", "doubled", "more senders"]))
def test_a_blob_that_is_lost_or_doubled_is_noticed(sent, rng, fault):
    elements = elements_of(sent, rng)
    senders = len(sent)
    if fault == "lost":
        elements.pop(rng.randrange(len(elements)))
    elif fault == "doubled":
        elements.append(rng.choice(elements))
    else:
        senders += 1
    with pytest.raises(BalanceError, match="came through the shuffle"):
        unpacked(elements, senders, "twins")


def test_a_large_blob_is_cut_and_put_together():
    content = random.Random(1).randbytes(95)
    pieces = list(packed(7, content))
    assert len(pieces) == 10
    assert unpacked(pieces[::-1], 1, "twins") == [(7, content)]
