"""Stores keep the same promises, wherever their files are: in a folder, or on a server that speaks S3."""

import threading

import pytest
from moto.server import ThreadedMotoServer

from corpusmill.errors import InputError, RunError
from corpusmill.store import LocalStore, RemoteStore, store_of
from tests.s3 import at, new_bucket


@pytest.fixture(scope="module")
def server():
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["folder", "s3"])
def store(request, tmp_path):
    """An empty store."""
    if request.param == "folder":
        return LocalStore(tmp_path)
    server = request.getfixturevalue("server")
    at(server, request.getfixturevalue("monkeypatch"))
    return RemoteStore(f"s3://{new_bucket()}/some/corpus")


def test_what_was_written_is_read_and_listed(store):
    assert store.entries("pages") == {}
    assert store.entry("pages/a.parquet") is None
    store.write("pages/a.parquet", b"one")
    store.write("pages/b c é.parquet", b"three")
    store.write("pages/_receipts/a.json", b"{}")
    assert store.read("pages/a.parquet") == b"one"
    assert {name: entry.size for name, entry in store.entries("pages").items()} == {
        "a.parquet": 3,
        "b c é.parquet": 5,
    }
    assert store.entries("pages")["a.parquet"] == store.entry("pages/a.parquet")


def test_a_file_that_was_written_anew_has_another_version(store):
    store.write("a", b"one")
    before = store.entry("a")
    store.write("a", b"two")
    assert store.read("a") == b"two"
    assert store.entry("a").version != before.version
    assert store.entries("")["a"] == store.entry("a")


def test_what_was_deleted_is_gone(store):
    store.write("a", b"one")
    store.delete("a")
    store.delete("a")
    assert store.entry("a") is None
    with pytest.raises(FileNotFoundError):
        store.read("a")


def test_of_many_that_create_a_file_one_succeeds(store):
    made: list[int] = []

    def create(number: int) -> None:
        if store.create("_leases/1.json", b"%d" % number):
            made.append(number)

    threads = [threading.Thread(target=create, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [b"%d" % number for number in made] == [store.read("_leases/1.json")]
    assert store.clear_temporaries("_leases") == []


def test_a_bucket_that_is_not_there_is_the_users_to_mend(server, monkeypatch):
    at(server, monkeypatch)
    with pytest.raises(InputError, match="there is no bucket 'nowhere'"):
        RemoteStore("s3://nowhere/corpus").check()


def test_a_server_that_does_not_answer_is_one_sentence(monkeypatch):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    at(None, monkeypatch)
    with pytest.raises(RunError, match="Could not connect") as raised:
        RemoteStore("s3://bucket/corpus").entries("pages")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("place", ["gs://bucket/corpus", "http://a.example/corpus", "memory://corpus", "file:///tmp/c"])
def test_other_schemes_are_refused(place):
    with pytest.raises(InputError, match="a corpus is a folder or s3://BUCKET/FOLDER"):
        store_of(place)


def test_files_that_are_deleted_while_they_are_listed_are_not_there(tmp_path, monkeypatch):
    store = LocalStore(tmp_path)
    for name in "abc":
        store.write(f"pages/{name}.parquet", b"x")

    def listed(name):
        if name == "b.parquet":
            (tmp_path / "pages/b.parquet").unlink()
        return False

    monkeypatch.setattr("corpusmill.store._is_temporary", listed)
    assert store.entries("pages").keys() == {"a.parquet", "c.parquet"}
