"""Word vectors: words that are used alike are near each other; scores and counts against their definitions."""

import random
import time

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmill.corpus import Corpus
from corpusmill.errors import InputError
from corpusmill.parts import Made
from corpusmill.reasons import Stage
from corpusmill.schema import DOCS
from corpusmill.vectors.glove import co_occurrences, fit
from corpusmill.vectors.settings import VectorSettings
from corpusmill.vectors.train import train_vectors, words_of
from corpusmill.vectors.words import WordVectors, score_file

ANIMALS, FOODS = ["cat", "dog", "horse", "cow"], ["bread", "rice", "soup", "cake"]


def write_documents(folder, texts, split="train"):
    n = len(texts)
    columns = {name: pa.nulls(n, field.type) for name, field in zip(DOCS.arrow.names, DOCS.arrow, strict=True)}
    columns |= {
        "doc_id": pa.array([f"{i:024x}" for i in range(n)]),
        "source": pa.array(["s"] * n),
        "text": pa.array(texts, pa.large_string()),
        "split": pa.array([split] * n),
    }
    table = pa.table({name: columns[name] for name in DOCS.arrow.names}, schema=DOCS.arrow)
    made = Made(table=table, rows_in=n, bytes_in=table.nbytes)
    Corpus(folder).publish(Stage.DOCS, f"part-{split}", made, fingerprint="-", started=time.time())


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Animals stand among 200 words, foods among 200 others.

    fastText leaves out most occurrences of words that are more frequent than 1 in 10,000, so there must be many words.
    """
    folder = tmp_path_factory.mktemp("words")
    draw = random.Random(1)
    texts = []
    for number in range(400):
        name, group = (("animal", ANIMALS), ("food", FOODS))[number % 2]
        words = [draw.choice(group) if draw.random() < 0.2 else f"{name}{draw.randrange(200)}" for _ in range(40)]
        texts.append(" ".join(words))
    write_documents(folder, texts)
    write_documents(folder, ["a secret word " * 20], "validation")
    return folder


@pytest.mark.parametrize("method", ["skip-gram", "cbow", "glove"])
def test_words_that_are_used_alike_are_near(corpus, tmp_path, method):
    settings = VectorSettings(method=method, size=16, window=3, epochs=20)
    vectors = train_vectors(corpus, settings, tmp_path / "model")
    assert "secret" not in vectors  # it is in the validation split only
    assert vectors.vectors.shape == (len(vectors.words), 16)
    for group in (ANIMALS, FOODS):
        for word in group:
            others = sorted({*ANIMALS, *FOODS} - {word}, key=lambda other: -vectors.similarity(word, other))
            assert set(others[:3]) == set(group) - {word}
    again = train_vectors(corpus, settings, tmp_path / "again")
    assert np.array_equal(again.vectors, vectors.vectors)
    loaded = train_vectors(corpus, settings, tmp_path / "model")  # nothing to do
    assert loaded.words == vectors.words
    assert np.array_equal(loaded.vectors, vectors.vectors)
    with pytest.raises(InputError, match="holds another model; choose another --out"):
        train_vectors(corpus, settings.model_copy(update={"size": 8}), tmp_path / "model")


def test_subwords_change_the_vectors(corpus, tmp_path):
    plain = VectorSettings(size=8, epochs=1)
    one = train_vectors(corpus, plain, tmp_path / "plain")
    two = train_vectors(corpus, plain.model_copy(update={"subwords": True}), tmp_path / "subwords")
    assert one.words == two.words
    assert not np.allclose(one.vectors, two.vectors)


TINY = WordVectors(
    ["king", "queen", "man", "woman", "apple"],
    np.array([[1, 1, 0], [1, 0, 1], [0, 2, 0], [0, 0, 2], [-1, 0, 0]], np.float32),
)


def test_neighbours_and_analogies_by_hand():
    cosine = {"king": 0.5, "queen": 1.0, "man": 0.0, "woman": 2 / 8**0.5, "apple": -1 / 2**0.5}
    found = TINY.neighbours("Queen", 4)
    assert [each.word for each in found] == ["woman", "king", "man", "apple"]
    assert [each.similarity for each in found] == pytest.approx([cosine[each.word] for each in found])
    assert TINY.analogy("man", "king", "woman", 1)[0].word == "queen"
    assert TINY.similarity("king", "queen") == pytest.approx(0.5)
    with pytest.raises(InputError, match="'pear' has no vector"):
        TINY.neighbours("pear")


def test_scores_of_test_sets(tmp_path):
    path = tmp_path / "test.txt"
    path.write_text(": royal\nman king woman queen\nman king woman apple\nman king pear queen\n")
    score = score_file(TINY, path)
    assert (score.score, score.n_used, score.n_unknown) == (0.5, 2, 1)
    pairs = [("king", "queen", 3.0), ("king", "man", 9.0), ("queen", "woman", 5.0), ("man", "apple", 4.0)]
    path.write_text("".join(f"{a} {b} {number}\n" for a, b, number in pairs) + "king pear 1\n")
    # cosines 0.5, 0.707, 0.707, 0: ranks 2, 3.5, 3.5, 1; given ranks 1, 4, 3, 2
    ours, given = np.array([2, 3.5, 3.5, 1]), np.array([1, 4, 3, 2])
    expected = ((ours - 2.5) * (given - 2.5)).mean() / (ours.std() * given.std())
    score = score_file(TINY, path)
    assert score.score == pytest.approx(expected)
    assert (score.n_used, score.n_unknown) == (4, 1)
    lines = path.read_text()
    path.write_bytes(b"\xef\xbb\xbf" + lines.replace("\n", "\r\n").encode())  # as Windows writes it
    assert score_file(TINY, path) == score
    for wrong in ("king queen\n", "man king woman queen\nking queen 3\n", "king queen three\n"):
        path.write_text(wrong)
        with pytest.raises(InputError, match="every line must have four words"):
            score_file(TINY, path)
    for few, words in {
        "": "0 of 0 lines have words with vectors, and a score needs at least 2",
        "king queen 3\nking pear 1\n": "1 of 2 lines have words with vectors, and a score needs at least 2",
        "man king pear queen\n": "0 of 1 lines have words with vectors, and a score needs at least 1",
    }.items():
        path.write_text(few)
        with pytest.raises(InputError, match=words):
            score_file(TINY, path)
    path.write_bytes(b"\xff")
    with pytest.raises(InputError, match="is not text in UTF-8"):
        score_file(TINY, path)
    with pytest.raises(InputError, match="cannot be read"):
        score_file(TINY, tmp_path / "none")


@given(
    documents=st.lists(st.lists(st.sampled_from(["a", "b", "c", "rare"]), max_size=12), max_size=5),
    window=st.integers(1, 6),
)
def test_co_occurrences_are_counted_as_by_hand(documents, window):
    words = ["a", "b", "c"]
    expected = {}
    for document in documents:
        for i, left in enumerate(document):
            for j, right in enumerate(document):
                if i != j and abs(i - j) <= window and left in words and right in words:
                    key = words.index(left) * 3 + words.index(right)
                    expected[key] = expected.get(key, 0) + 1 / abs(i - j)
    keys, counts = co_occurrences(documents, words, window)
    assert keys.tolist() == sorted(expected)
    assert counts.tolist() == pytest.approx([expected[key] for key in sorted(expected)])


def test_glove_fits_the_logarithms_of_the_counts():
    """With more numbers than words, every logarithm can be met."""
    n = 5
    counts = np.random.default_rng(1).uniform(1, 60, n * n)
    word, context = fit(np.arange(n * n), counts, n, 8, 10_000)
    products = word[:, :-1] @ context[:, :-1].T + word[:, -1:] + context[:, -1]
    assert products.flatten().tolist() == pytest.approx(np.log(counts).tolist(), abs=0.05)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The cat's well-known _name_, 42!", ["the", "cat's", "well-known", "name", "42"]),
        ("我们去Park公园", ["我", "们", "去", "park", "公", "园"]),
        ("ภาษา", ["ภ", "า", "ษ", "า"]),
        ("", []),
        ("\x00 \u202e😀👩‍👩‍👧 - '", []),
    ],
)
def test_words(text, words):
    assert words_of(text) == words


def test_what_cannot_be_trained_or_loaded_is_one_sentence(corpus, tmp_path):
    with pytest.raises(InputError, match="has no documents to train on"):
        train_vectors(tmp_path / "none", VectorSettings(), tmp_path / "model")
    with pytest.raises(InputError, match=r"only \d words occur at least 100000 times; lower --min-count"):
        train_vectors(corpus, VectorSettings(min_count=100_000), tmp_path / "model")
    with pytest.raises(InputError, match=r"has no word vectors, because it has no words\.json"):
        WordVectors.load(tmp_path)
    (tmp_path / "words.json").write_text('{"words": ["a"]}')
    (tmp_path / "vectors.safetensors").write_bytes(b"x")
    with pytest.raises(InputError, match="are damaged"):
        WordVectors.load(tmp_path)
