"""Training rows: every document once an epoch, the same for any number of readers, from any position."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.errors import CorruptPartError
from corpusmill.tokenize.encode import tokens_schema
from corpusmill.tokenize.shards import write_parquet_tokens
from corpusmill.train.data import Position, TokenRows, shuffled, uniform

BOUNDARY = 0


def write_part(path, sizes, *, start=1, splits=("train",)):
    """Documents whose tokens are all different: `start`, `start` + 1, ..."""
    ends = np.cumsum(sizes) + start
    columns = {
        "doc_id": [f"{path.stem}-{i}" for i in range(len(sizes))],
        "source": ["books"] * len(sizes),
        "split": [splits[i % len(splits)] for i in range(len(sizes))],
        "n_bytes": [3 * size for size in sizes],
        "n_tokens": sizes,
        "ids": [np.arange(end - size, end) for size, end in zip(sizes, ends, strict=True)],
    }
    with path.open("wb") as file:
        write_parquet_tokens(pa.table(columns, schema=tokens_schema(100_000)), file)
    return path


@pytest.fixture
def parts(tmp_path):
    sizes = [[5, 0, 17, 1, 40], [3] * 30, [200], [8, 9, 10], []]
    paths, start = [], 1
    for index, size in enumerate(sizes):
        paths.append(write_part(tmp_path / f"p{index}.parquet", size, start=start))
        start += sum(size)
    return paths


def token_rows(parts, **options):
    options = {"split": "train", "row_length": 8, "boundary": BOUNDARY, "seed": 1, "window_tokens": 100, **options}
    return TokenRows(parts, **options)


def epoch_rows(rows, epoch=0):
    return sum(rows.window(epoch, i).n_rows for i in range(len(rows.windows(epoch))))


def test_a_row_is_made_of_documents_in_a_row(parts):
    """Tokens that follow each other in a row follow each other in their document, or a boundary is between them."""
    for row in token_rows(parts).take(Position(), 200):
        follows = row[1:] == row[:-1] + 1
        assert ((row[1:] == BOUNDARY) | (row[:-1] == BOUNDARY) | follows).all()


@pytest.mark.parametrize("window_tokens", [1, 60, 10**6])
def test_every_token_is_predicted_once_an_epoch_but_for_a_rest(parts, window_tokens):
    rows = token_rows(parts, window_tokens=window_tokens)
    for epoch in range(3):
        n = epoch_rows(rows, epoch)
        targets = rows.take(Position(epoch, 0, 0), n)[:, 1:].ravel()
        counts = Counter(targets[targets != BOUNDARY].tolist())
        assert set(counts.values()) == {1}
        total = 5 + 17 + 1 + 40 + 90 + 200 + 27
        assert total - len(counts) <= 9 * len(rows.windows(epoch))


def test_the_rest_is_kept_for_validation(parts):
    rows = token_rows(parts, keep_rest=True)
    tokens = rows.take(Position(), epoch_rows(rows))
    firsts = {int(row[0]) for row in tokens}
    predicted = set(tokens[:, 1:].ravel().tolist())
    assert predicted | firsts >= set(range(1, 381))


def test_epochs_and_seeds_differ_and_repeat(parts):
    rows = token_rows(parts)
    first = rows.take(Position(), 20)
    assert np.array_equal(first, token_rows(parts[::-1]).take(Position(), 20))
    assert not np.array_equal(first, token_rows(parts, seed=2).take(Position(), 20))
    assert not np.array_equal(first, rows.take(Position(1, 0, 0), 20))


@settings(max_examples=30, deadline=None)
@given(sizes=st.lists(st.integers(1, 30), min_size=1, max_size=8), window_tokens=st.sampled_from([1, 60, 10**6]))
def test_any_steps_give_the_same_rows(tmp_path_factory, sizes, window_tokens):
    folder = tmp_path_factory.mktemp("parts")
    parts = [write_part(folder / f"p{i}.parquet", [7, 30, 2, 11], start=1 + 50 * i) for i in range(5)]
    rows = token_rows(parts, window_tokens=window_tokens)
    total = sum(sizes)
    whole = rows.take(Position(), total)
    position, taken = Position(), []
    for size in sizes:
        fresh = token_rows(parts, window_tokens=window_tokens)  # a new process knows the position only
        taken.append(fresh.take(position, size))
        position = fresh.advance(position, size)
    assert np.array_equal(np.concatenate(taken), whole)
    assert position == rows.advance(Position(), total)


@pytest.mark.parametrize("ranks", [1, 2, 3, 4, 6, 12])
def test_any_number_of_ranks_shares_the_same_rows(parts, ranks):
    shares = [token_rows(parts).take(Position(), 12, rank=rank, ranks=ranks) for rank in range(ranks)]
    assert np.array_equal(np.concatenate(shares), token_rows(parts).take(Position(), 12))


def test_rows_go_on_into_the_next_epochs(parts):
    rows = token_rows(parts)
    n = epoch_rows(rows)
    position = rows.advance(Position(), n + 3)
    assert position.epoch == 1
    assert np.array_equal(rows.take(Position(), n + 3)[n:], rows.take(Position(1, 0, 0), 3))


def test_only_the_split_is_read(tmp_path):
    part = write_part(tmp_path / "p.parquet", [10] * 20, splits=("train", "validation"))
    validation = token_rows([part], split="validation", keep_rest=True)
    tokens = validation.take(Position(), epoch_rows(validation))
    documents = {(int(token) - 1) // 10 for token in tokens[tokens != BOUNDARY]}
    assert documents == set(range(1, 20, 2))


def test_weights_are_copies_an_epoch(tmp_path):
    part = write_part(tmp_path / "p.parquet", [7] * 400)
    rows = token_rows([part], window_tokens=10**6, weights={"books": 2.25, "others": 9})
    counts = []
    for epoch in range(2):
        tokens = rows.take(Position(epoch, 0, 0), epoch_rows(rows, epoch))
        copies = Counter(tokens[:, 1:][tokens[:, 1:] != BOUNDARY].tolist())
        counts.append(np.array([copies[7 * i + 4] for i in range(400)]))
        assert set(counts[-1].tolist()) <= {1, 2, 3}  # 1: the copy in the rest that is left out
        assert abs(counts[-1].mean() - 2.25) < 0.1
    assert not np.array_equal(*counts)


def test_no_rows(tmp_path):
    part = write_part(tmp_path / "p.parquet", [3, 3])
    assert token_rows([part]).n_rows(at_most=100) == 0
    assert token_rows([part], split="validation").n_rows(at_most=100) == 0
    assert token_rows([]).n_rows(at_most=100) == 0


def test_token_counts(parts):
    rows = token_rows(parts, window_tokens=10**6)
    counts = rows.window(0, 0).token_counts(500, BOUNDARY)
    assert counts[BOUNDARY] == 39
    assert (counts[1:381] == 1).all()
    assert not counts[381:].any()


def test_random_numbers_are_fixed_for_ever():
    """Those of splitmix64 with seed 0, as published; a run can be resumed under any later version of numpy."""
    published = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert uniform((), 3).tolist() == [(number >> 11) * 2.0**-53 for number in published]
    assert shuffled((), 3).tolist() == [2, 1, 0]
    assert sorted(shuffled((9,), 1000).tolist()) == list(range(1000))
    assert shuffled((1, 2), 100).tolist() != shuffled((2, 1), 100).tolist()


def test_a_damaged_page_is_an_error(parts):
    content = bytearray(parts[1].read_bytes())
    ids = pq.read_metadata(parts[1]).row_group(0).column(5)
    content[ids.data_page_offset + ids.total_compressed_size - 1] ^= 1
    parts[1].write_bytes(content)
    rows = token_rows(parts)
    with pytest.raises(
        CorruptPartError, match=r"p1.parquet: is damaged: find what is damaged with 'corpusmill verify'"
    ):
        rows.take(Position(), 60)


def test_a_part_that_a_run_replaced_or_deleted_is_an_error(parts):
    rows = token_rows(parts)
    write_part(parts[2], [200], start=7)
    with pytest.raises(CorruptPartError, match=r"p2.parquet: a run has changed it meanwhile; start training again"):
        rows.take(Position(), 60)
    rows = token_rows(parts)
    parts[2].unlink()
    with pytest.raises(CorruptPartError, match=r"p2.parquet: is gone"):
        rows.take(Position(), 60)
    with pytest.raises(CorruptPartError, match=r"p2.parquet: is gone"):
        token_rows(parts)
