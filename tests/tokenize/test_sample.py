"""The sample that a vocabulary is trained on: fair, of the right size, and the same for any order of parts."""

import itertools
import random
from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmill.tokenize.sample import DocsPart, sample_texts, shares


def docs_part(name, n, size=100):
    source = name.split("-")[0]
    ids = [f"{random.Random(f'{name}{i}').getrandbits(96):024x}" for i in range(n)]
    texts = [f"{name} {i} ".ljust(size, "é")[: size - 10].ljust(size, "x") for i in range(n)]
    columns = {
        "doc_id": ids,
        "source": [source] * n,
        "language": pa.array([("en", "de", None)[i % 3] for i in range(n)], pa.string()),
        "split": ["validation" if i % 5 == 0 else "train" for i in range(n)],
        "text": pa.array(texts, pa.large_string()),
    }
    return pa.table(columns)


@pytest.fixture(scope="module")
def corpus():
    sizes = {"web-0": 40, "web-1": 0, "web-2": 90, "web-3": 300, "books-0": 7, "books-1": 30, "code-0": 2}
    tables = {name: docs_part(name, n) for name, n in sizes.items()}
    parts = [
        DocsPart(
            name=name, n_bytes=sum(len(text.encode()) for text in table["text"].to_pylist()), source=name.split("-")[0]
        )
        for name, table in tables.items()
    ]
    return parts, tables


def drawn(corpus, *args, **options):
    parts, tables = corpus
    return list(sample_texts(parts, tables.__getitem__, *args, **options))


def train_texts(tables):
    rows = [row for table in tables.values() for row in table.to_pylist()]
    return sorted(row["text"] for row in rows if row["split"] == "train")


def test_sample_of_what_fits_is_every_training_document(corpus):
    assert sorted(text for _, text in drawn(corpus, 10**9)) == train_texts(corpus[1])


@pytest.mark.parametrize("sample_bytes", [1, 500, 5_000, 20_000, 40_000])
def test_sample_is_of_the_size_asked_for_and_has_no_document_twice(corpus, sample_bytes):
    texts = [text for _, text in drawn(corpus, sample_bytes)]
    size = sum(len(text.encode()) for text in texts)
    assert len(set(texts)) == len(texts)
    assert set(texts) <= set(train_texts(corpus[1]))
    assert sample_bytes - 200 <= size < sample_bytes + 10 * 200  # a document more in each of 9 groups


def test_sample_does_not_depend_on_the_order_of_parts(corpus):
    parts, tables = corpus
    assert drawn(corpus, 5_000) == drawn((parts[::-1], tables), 5_000)


def test_sample_is_fair(corpus):
    """With balance 1 a group gives as much as any other, with 0 by its size; a small group gives all that it has."""
    even = Counter(group for group, _ in drawn(corpus, 15_000, 1.0))
    sized = Counter(group for group, _ in drawn(corpus, 15_000, 0.0))
    everything = Counter(group for group, _ in drawn(corpus, 10**9))
    assert set(even) == set(everything)
    assert {source for source, _ in everything} == {"web", "books", "code"}
    assert even["books", "en"] == everything["books", "en"]
    assert (
        max(even["web", language] for language in ("en", "de", ""))
        - min(even["web", language] for language in ("en", "de", ""))
        <= 1
    )
    assert sized["books", "en"] < everything["books", "en"]
    share = sum(sized.values()) / sum(everything.values())
    assert all(abs(sized[group] - share * n) <= 1.5 for group, n in everything.items())


@given(
    sizes=st.dictionaries(st.tuples(st.text(max_size=2), st.text(max_size=2)), st.integers(0, 10**9), max_size=9),
    sample_bytes=st.integers(1, 10**9),
    balance=st.floats(0, 1),
)
def test_shares_fill_the_sample(sizes, sample_bytes, balance):
    given = shares(sizes, sample_bytes, balance)
    assert all(0 <= n <= sizes[group] for group, n in given.items())
    wanted = min(sample_bytes, sum(sizes.values()))
    assert wanted - len(sizes) - 1 - wanted * 1e-9 <= sum(given.values()) <= wanted * (1 + 1e-9) + 1
    if sum(sizes.values()) > sample_bytes:
        bigger = sorted(given, key=lambda group: sizes[group])
        assert all(given[a] <= given[b] + 1 for a, b in itertools.pairwise(bigger))


def test_of_a_large_source_only_some_parts_are_read(corpus):
    _, tables = corpus
    parts = [DocsPart(name=f"web-{i}", n_bytes=10_000, source="web") for i in range(100)]
    parts += [DocsPart(name="books-0", n_bytes=10, source="books")]
    read = []

    def reading(name):
        read.append(name)
        return tables["books-0" if name == "books-0" else "web-0"]

    assert len(list(sample_texts(parts, reading, 5_000))) > 10
    assert "books-0" in read
    assert len(set(read)) == 3  # 4 * 5,000 bytes are in two parts


def test_sample_of_nothing():
    assert list(sample_texts([], lambda name: pytest.fail(name), 100)) == []


def test_sample_of_all_splits(corpus):
    assert len(drawn(corpus, 10**9, split=None)) == sum(len(table) for table in corpus[1].values())
