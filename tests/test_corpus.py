"""The corpus directory: publishing, receipts, digests, the lock."""

import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import fields, replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmill.corpus import Corpus, digest
from corpusmill.errors import BalanceError, CorruptPartError, InputError, RunError, TakenOverError
from corpusmill.parts import Made
from corpusmill.reasons import Stage
from corpusmill.receipts import Known, Receipt, compact, expand
from corpusmill.store import LocalStore


def rows(*values: int) -> Made:
    table = pa.table({"doc_id": [f"{v:024x}" for v in values], "n": pa.array(values, pa.int64())})
    return Made(table=table, rows_in=len(values), bytes_in=8 * len(values))


def publish(corpus: Corpus, made: Made, fingerprint: str = "f") -> Receipt:
    return corpus.publish(Stage.PAGES, "web-1", made, fingerprint=fingerprint, started=time.time())


def test_a_part_is_its_rows_and_a_receipt(tmp_path):
    corpus = Corpus(tmp_path)
    receipt = publish(corpus, rows(1, 2))
    assert corpus.receipt(Stage.PAGES, "web-1") == receipt
    assert corpus.parts(Stage.PAGES) == ["web-1"]
    assert corpus.read(Stage.PAGES, "web-1")["n"].to_pylist() == [1, 2]
    assert receipt.size == corpus.path(Stage.PAGES, "web-1").stat().st_size


def test_the_same_rows_leave_the_file_alone(tmp_path):
    corpus = Corpus(tmp_path)
    publish(corpus, rows(1, 2), "old")
    before = corpus.path(Stage.PAGES, "web-1").stat()
    receipt = publish(corpus, rows(1, 2), "new")
    after = corpus.path(Stage.PAGES, "web-1").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert receipt.fingerprint == "new"


def test_chunks_do_not_show_in_the_bytes(tmp_path):
    table = rows(1, 2, 3).table
    pieces = Made(table=pa.concat_tables([table[:1], table[1:]]), rows_in=3, bytes_in=0)
    whole = Made(table=table, rows_in=3, bytes_in=0)
    assert publish(Corpus(tmp_path / "a"), pieces).checksum == publish(Corpus(tmp_path / "b"), whole).checksum


@given(st.lists(st.integers(0, 9)), st.lists(st.integers(0, 9)))
def test_a_columns_digest_follows_that_column_only(tmp_path_factory, one, two):
    corpus = Corpus(tmp_path_factory.mktemp("corpus"))
    n = min(len(one), len(two))
    first = publish(corpus, Made(table=pa.table({"a": one[:n], "b": one[:n]}), rows_in=n, bytes_in=0)).columns
    second = publish(corpus, Made(table=pa.table({"a": one[:n], "b": two[:n]}), rows_in=n, bytes_in=0)).columns
    assert first["a"] == second["a"]
    assert (first["b"] == second["b"]) == (one[:n] == two[:n])


def test_books_that_do_not_balance_are_refused(tmp_path):
    table = rows(1, 2).table
    with pytest.raises(BalanceError, match="3 rows came in, 2 went on and 0 were dropped"):
        publish(Corpus(tmp_path), Made(table=table, rows_in=3, bytes_in=0))
    assert Corpus(tmp_path).parts(Stage.PAGES) == []
    publish(Corpus(tmp_path), Made(table=table, rows_in=3, bytes_in=0, dropped={"verdicts": 1}))


def test_a_crash_between_data_and_receipt_leaves_no_part(tmp_path):
    corpus = Corpus(tmp_path)
    publish(corpus, rows(1))
    (tmp_path / "pages/_receipts/web-1.json").unlink()
    assert corpus.parts(Stage.PAGES) == []
    assert corpus.receipt(Stage.PAGES, "web-1") is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"stage": "pages"}'])
def test_a_receipt_of_another_form_is_none(tmp_path, text):
    corpus = Corpus(tmp_path)
    publish(corpus, rows(1))
    (tmp_path / "pages/_receipts/web-1.json").write_text(text)
    assert corpus.receipts(Stage.PAGES) == {}
    assert Corpus(tmp_path).receipt(Stage.PAGES, "web-1") is None


@pytest.mark.parametrize("value", [None, 1, "x", [], {"a": None}, True, 1.5, -1])
@pytest.mark.parametrize("name", [field.name for field in fields(Receipt)])
def test_a_receipt_with_a_value_of_another_kind_is_none(tmp_path, name, value):
    receipt = publish(Corpus(tmp_path), rows(1))
    data = json.loads(receipt.to_json())
    changed = Receipt.from_json(json.dumps(data | {name: value}).encode())
    assert changed is None or type(value) is type(data[name]) or name in ("seconds", "finished_at", "inputs")


def test_a_receipt_is_believed_only_if_its_file_is_there_with_its_size(tmp_path):
    corpus = Corpus(tmp_path)
    publish(corpus, rows(1, 2))
    path = corpus.path(Stage.PAGES, "web-1")
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    assert corpus.receipt(Stage.PAGES, "web-1") is None
    assert corpus.receipts(Stage.PAGES) == {}
    path.unlink()
    assert corpus.receipt(Stage.PAGES, "web-1") is None
    path.write_bytes(content)
    assert corpus.parts(Stage.PAGES) == ["web-1"]


def test_a_part_is_read_only_if_its_bytes_are_those_that_were_written(tmp_path):
    corpus = Corpus(tmp_path)
    publish(corpus, rows(1, 2))
    path = corpus.path(Stage.PAGES, "web-1")
    content = bytearray(path.read_bytes())
    for at in (0, len(content) // 2, len(content) - 1):
        flipped = content.copy()
        flipped[at] ^= 1
        path.write_bytes(flipped)
        with pytest.raises(CorruptPartError, match=r"pages/web-1\.parquet is damaged"):
            corpus.read(Stage.PAGES, "web-1")


def test_a_damaged_part_that_was_taken_back_is_written_anew(tmp_path):
    corpus = Corpus(tmp_path)
    publish(corpus, rows(1, 2))
    path = corpus.path(Stage.PAGES, "web-1")
    content = path.read_bytes()
    path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    corpus.withdraw(Stage.PAGES, "web-1")
    publish(corpus, rows(1, 2))
    assert path.read_bytes() == content


def test_compacted_receipts_are_believed_only_in_the_version_that_is_there(tmp_path):
    corpus = Corpus(tmp_path)
    publish(corpus, rows(1), "old")
    corpus.compact(Stage.PAGES)
    assert corpus.receipts(Stage.PAGES)["web-1"].fingerprint == "old"
    publish(corpus, rows(1), "new")
    assert corpus.receipts(Stage.PAGES)["web-1"].fingerprint == "new"
    corpus.withdraw(Stage.PAGES, "web-1")
    assert corpus.receipts(Stage.PAGES) == {}
    for content in (b"", b"[1]", b"{}", b'{"web-1.json": [1]}', b"\xff"):
        publish(corpus, rows(1), "new")
        (tmp_path / "pages/_receipts.json").write_bytes(content)
        assert corpus.parts(Stage.PAGES) == ["web-1"]


def test_compacted_receipts_save_reading_the_others(tmp_path, monkeypatch):
    corpus = Corpus(tmp_path)
    for n in range(3):
        corpus.publish(Stage.PAGES, f"web-{n}", rows(n), fingerprint="f", started=time.time())
    expected = corpus.receipts(Stage.PAGES)
    corpus.compact(Stage.PAGES)
    read = []
    monkeypatch.setattr(LocalStore, "read", lambda self, key: read.append(key) or (self.folder / key).read_bytes())
    assert corpus.receipts(Stage.PAGES) == expected
    assert read == ["pages/_receipts.json"]


def test_only_the_run_that_holds_the_corpus_may_publish(tmp_path):
    mine, other = Corpus(tmp_path, token="a"), Corpus(tmp_path, token="b")
    for holder in (None, {"token": "b"}, {"token": None}, {}):
        if holder is not None:
            mine.write_json("run.json", holder)
        with pytest.raises(TakenOverError, match="another run has taken over"):
            publish(mine, rows(1))
    mine.write_json("run.json", {"token": "a"})
    publish(mine, rows(1))
    with pytest.raises(TakenOverError):
        publish(other, rows(1, 2))
    assert Corpus(tmp_path).read(Stage.PAGES, "web-1").num_rows == 1


def test_tidy_clears_temporaries_and_unwanted_parts(tmp_path):
    corpus = Corpus(tmp_path)
    publish(corpus, rows(1))
    (tmp_path / "pages" / ".web-1.parquet.0123.tmp").write_bytes(b"half")
    (tmp_path / "pages" / "gone.parquet").write_bytes(b"data of a source that left the recipe")
    (tmp_path / "pages/_receipts" / "gone.json").write_bytes(b"its receipt")
    (tmp_path / "pages" / "readme.txt").write_text("the user's")
    gone = corpus.tidy(Stage.PAGES, lambda part: part == "web-1")
    assert gone == ["pages/.web-1.parquet.0123.tmp", "pages/_receipts/gone.json", "pages/gone.parquet"]
    assert corpus.parts(Stage.PAGES) == ["web-1"]
    assert (tmp_path / "pages" / "readme.txt").exists()


def test_a_second_run_is_refused_and_a_dead_one_does_not_hold_the_lock(tmp_path):
    hold = "with Corpus(sys.argv[1]).lock(): print(flush=True); time.sleep(60)"
    code = f"import sys, time; from corpusmill.corpus import Corpus\n{hold}"
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(InputError, match="another run holds this corpus"), Corpus(tmp_path).lock():
            pass
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        with Corpus(tmp_path).lock():
            pass


def test_a_folder_that_cannot_be_one_is_the_users_to_mend(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with (
        pytest.raises(InputError, match="cannot be used as a corpus directory"),
        Corpus(tmp_path / "file" / "x").lock(),
    ):
        pass


def test_a_full_disk_is_one_sentence_and_leaves_no_half_part(tmp_path):
    corpus = Corpus(tmp_path)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(RunError, match=r"no space left to write .* run the same command again"):
            publish(corpus, rows(*range(1000)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, old)
    assert list((tmp_path / "pages").iterdir()) == []


def test_parquet_says_nothing_of_the_machine(tmp_path):
    publish(Corpus(tmp_path), rows(1))
    metadata = pq.read_metadata(tmp_path / "pages" / "web-1.parquet").metadata
    assert set(metadata or {}) <= {b"ARROW:schema"}


def test_digest_does_not_depend_on_the_order_of_keys():
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1}) != digest({"a": 1, "b": [3]})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("finished_at", 1e300), ("finished_at", -1.0), ("finished_at", float("nan")), ("seconds", float("inf")),
        ("rows_in", 10**30), ("size", 2**63), ("fingerprint", "\ud800"), ("fingerprint", "\x1b"), ("file", "../x"),
        ("part", "a/b"), ("finished_at", "x"),
    ],
)  # fmt: skip
def test_values_that_no_run_writes_make_no_receipt(tmp_path, name, value):
    corpus = Corpus(tmp_path)
    receipt = publish(corpus, rows(1))
    data = json.loads(receipt.to_json()) | {name: value}
    assert Receipt.from_json(json.dumps(data).encode()) is None
    odd = replace(receipt, **{name: value})
    assert expand(compact(Known(None, {"web-1.json": ("v", receipt)}))) is not None
    assert expand(compact(Known(None, {"web-1.json": ("v", odd)}))) is None


@pytest.mark.parametrize("body", [b"{}", b"5", b"[1]", b"[1, [], null, [], 5]", b"null"])
def test_receipts_in_one_file_of_another_shape_are_none(body):
    checksum = hashlib.blake2b(body, digest_size=16).hexdigest().encode()
    assert expand(checksum + b"\n" + body) is None
