"""Rows of a corpus on object storage: the same as from a folder, a row group per request, and changes are refused."""

import numpy as np
import pytest
from moto.server import ThreadedMotoServer

from corpusmill.errors import CorruptPartError
from corpusmill.loader import Position, open_rows
from corpusmill.store import RemoteStore
from tests.loader.conftest import documents, publish, write
from tests.s3 import at, new_bucket


@pytest.fixture(scope="module")
def server():
    server = ThreadedMotoServer(port=0)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def place(server, monkeypatch):
    at(server, monkeypatch)
    return f"s3://{new_bucket()}/corpus"


def tables():
    rng = np.random.default_rng(6)
    return {name: documents(name, rng.integers(0, 40, 40), start=1 + 2000 * i) for i, name in enumerate("ab")}


def test_rows_are_the_same_and_a_changed_shard_is_refused(place, tmp_path, small_row_groups, monkeypatch):
    local = open_rows(write(tmp_path, tables()), row_length=8, seed=1, window_tokens=300)
    corpus, asked = write(place, tables()), []
    rows = open_rows(place, row_length=8, seed=1, window_tokens=300)
    assert rows.fingerprint == local.fingerprint
    read_range = RemoteStore.read_range
    monkeypatch.setattr(RemoteStore, "read_range", lambda store, *what: asked.append(what) or read_range(store, *what))
    n = rows.rows_of_epoch(0)
    assert np.array_equal(rows.take(Position(), n), local.take(Position(), n))
    assert rows.documents(Position(), 5) == local.documents(Position(), 5)
    groups = {key for key in asked if key[1]}
    assert len(groups) >= len(rows.manifest.index)
    assert max(end - begin for _, begin, end in groups) < 70_000

    publish(corpus, "b", documents("b", [9] * 60, start=9000))
    again = open_rows(place, row_length=8, seed=1)
    assert again.fingerprint != rows.fingerprint
    fresh = open_rows(place, row_length=8, seed=1)
    publish(corpus, "b", documents("b", [9] * 61, start=9000))
    with pytest.raises(CorruptPartError, match=r"b\.parquet: a run has changed it since training began"):
        fresh.take(Position(), 5)
