"""Training rows: every document once an epoch, the same for any number of readers, from any position."""

import os
import pickle
import shutil
from collections import Counter

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.errors import CorruptPartError, InputError
from corpusmill.loader import Position, State, Steps, open_rows
from corpusmill.loader.packing import best_fit
from tests.loader.conftest import BOUNDARY, documents, publish, write

PACKINGS = ("stream", "best-fit")


def rows_of(corpus, **options):
    return open_rows(corpus, **{"row_length": 8, "seed": 1, "window_tokens": 150, **options})


def epoch(rows, number=0):
    return rows.take(Position(number, 0), rows.rows_of_epoch(number))


def predicted(ids):
    """How often each token is a target."""
    return Counter(ids[:, 1:][ids[:, 1:] != BOUNDARY].tolist())


def all_tokens(corpus, split="train"):
    tables = [pq.read_table(path) for path in sorted((corpus.folder / "tokens").glob("*.parquet"))]
    rows = [row for table in tables for row in table.to_pylist()]
    return {token for row in rows if row["split"] == split for token in row["ids"]}


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("window_tokens", [1, 150, 10**6])
def test_every_token_is_predicted_exactly_once_an_epoch(corpus, window_tokens, packing):
    rows = rows_of(corpus, window_tokens=window_tokens, packing=packing)
    wanted = dict.fromkeys(all_tokens(corpus), 1)
    for number in range(3):
        assert predicted(epoch(rows, number)) == wanted


@pytest.mark.parametrize("packing", PACKINGS)
def test_a_row_is_made_of_documents_in_a_row(corpus, packing):
    """Tokens that follow each other in a row follow each other in their document, or a boundary is between them."""
    for row in epoch(rows_of(corpus, packing=packing)):
        follows = row[1:] == row[:-1] + 1
        assert ((row[1:] == BOUNDARY) | (row[:-1] == BOUNDARY) | follows).all()


def test_the_order_depends_on_seed_and_epoch(corpus):
    rows = rows_of(corpus)
    assert np.array_equal(epoch(rows), epoch(rows_of(corpus)))
    assert not np.array_equal(epoch(rows), epoch(rows_of(corpus, seed=2)))
    assert not np.array_equal(epoch(rows)[:30], epoch(rows, 1)[:30])


@settings(max_examples=30, deadline=None)
@given(sizes=st.lists(st.integers(1, 70), min_size=1, max_size=8), window_tokens=st.sampled_from([1, 150, 10**6]))
def test_any_steps_give_the_same_rows(shared, sizes, window_tokens):
    rows = rows_of(shared, window_tokens=window_tokens)
    whole = rows.take(Position(), sum(sizes))
    position, taken = Position(), []
    for size in sizes:
        fresh = rows_of(shared, window_tokens=window_tokens)  # a new process knows the position only
        taken.append(fresh.take(position, size))
        position = fresh.advance(position, size)
    assert np.array_equal(np.concatenate(taken), whole)
    assert position == rows.advance(Position(), sum(sizes))


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    tables = {f"p{i}": documents(f"p{i}", [7, 30, 2, 11], start=1 + 50 * i, source=f"s{i % 2}") for i in range(6)}
    return write(tmp_path_factory.mktemp("shared"), tables)


@pytest.mark.parametrize("ranks", [1, 2, 3, 4, 6, 12])
def test_ranks_share_the_same_rows(shared, ranks):
    whole = rows_of(shared).take(Position(), 12)
    shares = [rows_of(shared).take(Position(), 12, rank=rank, ranks=ranks) for rank in range(ranks)]
    assert np.array_equal(np.concatenate(shares), whole)


def test_rows_go_on_into_the_next_epochs(shared):
    rows = rows_of(shared)
    n = rows.rows_of_epoch(0)
    assert rows.advance(Position(), n + 3) == Position(1, 3)
    assert np.array_equal(rows.take(Position(), n + 3)[n:], rows.take(Position(1, 0), 3))
    assert np.array_equal(rows.take(Position(0, n), 3), rows.take(Position(1, 0), 3))


@pytest.mark.parametrize("packing", PACKINGS)
def test_the_documents_of_rows(corpus, packing):
    rows = rows_of(corpus, packing=packing)
    ids = rows.take(Position(), 150)
    texts = {row["doc_id"]: row for part in corpus.parts("tokens") for row in corpus.read("tokens", part).to_pylist()}
    covered = np.zeros(ids.shape, np.bool_)
    for piece in rows.documents(Position(), 150):
        place = (piece.row, slice(piece.first, piece.first + piece.n_tokens))
        tokens, whole = ids[place].tolist(), [BOUNDARY, *texts[piece.doc_id]["ids"]]
        assert any(whole[i : i + len(tokens)] == tokens for i in range(len(whole)))
        assert piece.source == texts[piece.doc_id]["source"]
        assert (piece.document_tokens, piece.document_bytes) == (len(whole) - 1, 3 * (len(whole) - 1))
        assert not covered[place].any()
        covered[place] = True
    assert (ids[~covered] == BOUNDARY).all()


def test_the_validation_split_is_each_document_once(tmp_path, small_row_groups):
    table = documents("p", [10] * 20, splits=("train", "validation"))
    corpus = write(tmp_path, {"p": table}, weights={"books": 3.0})
    validation = rows_of(corpus, split="validation")
    assert predicted(epoch(validation)) == dict.fromkeys(all_tokens(corpus, "validation"), 1)
    assert predicted(epoch(rows_of(corpus))) == dict.fromkeys(all_tokens(corpus), 3)


def test_best_fit_cuts_fewer_documents():
    rng = np.random.default_rng(3)
    lengths = np.minimum(np.maximum(2, rng.lognormal(4, 1, 3000)).astype(np.int64), 2000)

    def cut(order, row=512):
        ends = np.cumsum(lengths[order])
        short = lengths[order] <= row
        return int((((ends - 1) // row != (ends - lengths[order]) // row) & short).sum())

    random = rng.permutation(len(lengths))
    packed = best_fit(lengths, random, 512)
    assert sorted(packed.tolist()) == list(range(len(lengths)))
    assert cut(packed) < cut(random) / 10


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 60), max_size=60), st.integers(1, 20))
def test_best_fit_is_an_order(lengths, row_length):
    found = best_fit(np.array(lengths, np.int64), np.arange(len(lengths)), row_length)
    assert sorted(found.tolist()) == list(range(len(lengths)))


def test_no_rows(tmp_path):
    corpus = write(tmp_path, {"p": documents("p", [0]), "q": documents("q", [])})
    for split in ("train", "validation"):
        rows = rows_of(corpus, split=split)
        assert rows.n_rows(at_most=100) == 0
        with pytest.raises(InputError, match="fill no row"):
            rows.take(Position(), 1)
    with pytest.raises(InputError, match="has no tokens"):
        rows_of(write(tmp_path / "empty", {}))


def test_options_that_do_not_exist(shared):
    with pytest.raises(InputError, match="there is no packing 'worst-fit'; there are stream, best-fit"):
        rows_of(shared, packing="worst-fit")
    with pytest.raises(InputError, match="there is no split 'test'; there are train and validation"):
        rows_of(shared, split="test")
    with pytest.raises(InputError, match="rank 3 of 3"):
        Steps(rows_of(shared), rows_per_step=6, rank=3, ranks=3)


# ---- what has changed ----------------------------------------------------------------------------------------------


def damage(path):
    content = bytearray(path.read_bytes())
    ids = pq.read_metadata(path).row_group(0).column(6)
    content[ids.data_page_offset + ids.total_compressed_size - 1] ^= 1
    path.write_bytes(content)


def test_a_damaged_page_is_an_error(corpus):
    rows = rows_of(corpus)
    damage(corpus.path("tokens", "b"))
    with pytest.raises(
        CorruptPartError, match=r"b\.parquet: is damaged: find what is damaged with 'corpusmill verify'"
    ):
        epoch(rows)


@pytest.mark.parametrize("opened", [True, False])
def test_a_changed_shard_is_refused(corpus, opened):
    rows = rows_of(corpus)
    if opened:
        epoch(rows)
    publish(corpus, "b", documents("b", [9] * 30, start=500, source="news"))
    with pytest.raises(CorruptPartError, match=r"b\.parquet: a run has changed it since training began"):
        rows.take(Position(1, 0), 3 * rows.rows_of_epoch(1))


def test_a_shard_of_the_same_size_and_time_is_refused(corpus):
    rows, path = rows_of(corpus), corpus.path("tokens", "b")
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[-60] ^= 1  # in the footer
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(CorruptPartError, match=r"b\.parquet: a run has changed it"):
        epoch(rows)


def test_a_missing_shard_is_an_error(corpus):
    rows = rows_of(corpus)
    corpus.path("tokens", "b").unlink()
    with pytest.raises(CorruptPartError, match=r"b\.parquet: is missing"):
        epoch(rows)


def test_a_state_of_other_rows_is_refused(corpus):
    steps = Steps(rows_of(corpus), rows_per_step=4)
    state = steps.state(5).as_json()
    assert set(state) == {"fingerprint", "epoch", "row"}
    again = Steps(rows_of(corpus), rows_per_step=4, state=state)
    assert np.array_equal(again.step(0), steps.step(5))
    assert Steps(rows_of(corpus), rows_per_step=2, state=State(**state)).step(0).shape == (2, 9)
    for other in ({"seed": 2}, {"row_length": 16}, {"packing": "best-fit"}, {"window_tokens": 99}):
        with pytest.raises(InputError, match="the state belongs to other rows"):
            Steps(rows_of(corpus, **other), rows_per_step=4, state=state)
    publish(corpus, "b", documents("b", [9] * 30, start=500, source="news"))
    with pytest.raises(InputError, match="the state belongs to other rows"):
        Steps(rows_of(corpus), rows_per_step=4, state=state)


def test_steps_go_to_other_processes(corpus):
    steps = Steps(rows_of(corpus), rows_per_step=4)
    first = steps.step(0)
    assert np.array_equal(pickle.loads(pickle.dumps(steps)).step(0), first)


def test_a_corpus_that_was_moved_has_the_same_rows(corpus, tmp_path_factory):
    other = tmp_path_factory.mktemp("other") / "corpus"
    shutil.copytree(corpus.folder, other)
    assert rows_of(other).fingerprint == rows_of(corpus).fingerprint
    assert np.array_equal(epoch(rows_of(other)), epoch(rows_of(corpus)))
