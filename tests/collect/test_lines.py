import gzip
import json
from itertools import pairwise

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.collect.reader import read_slice
from corpusmill.collect.slices import Slice
from corpusmill.reasons import Status
from corpusmill.recipe import Columns
from tests.collect.sources import a_source

SOURCE = a_source(name="s", kind="jsonl", paths=["*"])
ROWS = [{"text": f"Zeile {i} 行 " + "x" * (i % 90), "url": f"http://a.example/{i}", "n": i} for i in range(400)]
DATA = b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in ROWS)
PIECES = [DATA[i : i + 5000] for i in range(0, len(DATA), 5000)]


def zstd(pieces):
    stream = zstandard.ZstdCompressor(write_checksum=True).compressobj()
    packed = [stream.compress(p) + stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK) for p in pieces]
    return b"".join([*packed, stream.flush()])


PACKERS = {
    "a.jsonl": bytes,
    "one.jsonl.gz": gzip.compress,
    "many.jsonl.gz": lambda data: b"".join(map(gzip.compress, PIECES)),
    "one.jsonl.zst": lambda data: zstd(PIECES),
    "many.jsonl.zst": lambda data: b"".join(zstd([p]) for p in PIECES),
}


def read(folder, data, name="a.jsonl", source=SOURCE, max_page_bytes=1_000_000, **bounds):
    (folder / name).write_bytes(data)
    piece = Slice(name="p", source="s", kind="jsonl", root=str(folder), files=(name,), **bounds)
    reader = read_slice(piece, source, max_page_bytes)
    return list(reader), reader.reading.others


@pytest.mark.parametrize("name", PACKERS)
def test_every_line_is_a_record(tmp_path, name):
    records, others = read(tmp_path, PACKERS[name](DATA), name)
    assert [(r.text, r.url, r.metadata) for r in records] == [(r["text"], r["url"], {"n": r["n"]}) for r in ROWS]
    lines = DATA.splitlines(keepends=True)
    assert [r.offset for r in records] == [sum(map(len, lines[:i])) for i in range(len(lines))]
    assert not others


@settings(max_examples=60, deadline=None)
@given(bounds=st.lists(st.integers(0, len(DATA)), max_size=6), newline=st.sampled_from([b"\n", b"\r\n"]))
def test_every_slicing_yields_each_line_once(tmp_path_factory, bounds, newline):
    folder = tmp_path_factory.mktemp("j")
    data = DATA.replace(b"\n", newline)
    whole = [(r.offset, r.text) for r in read(folder, data)[0]]
    cuts = pairwise([0, *sorted(bounds), None])
    assert [(r.offset, r.text) for a, b in cuts for r in read(folder, data, start=a, end=b)[0]] == whole


@pytest.mark.parametrize("name", [n for n in PACKERS if n != "a.jsonl"])
@pytest.mark.parametrize("damage", ["cut", "flip"])
def test_damage_costs_what_follows_it(tmp_path, name, damage):
    packed = bytearray(PACKERS[name](DATA))
    at = len(packed) * 3 // 4
    if damage == "cut":
        del packed[at:]
    else:
        packed[at] ^= 0xFF
    records, _ = read(tmp_path, bytes(packed), name)
    *good, last = records
    assert last.status is Status.BROKEN_RECORD
    assert len(good) > 200
    assert [r.text for r in good[:200]] == [r["text"] for r in ROWS[:200]]
    if damage == "cut":  # a changed byte may go unnoticed for some lines, until a checksum does not match
        assert [r.text for r in good] == [r["text"] for r in ROWS[: len(good)]]
        assert last.offset == sum(len(r) for r in DATA.splitlines(keepends=True)[: len(good)])


@pytest.mark.parametrize(
    ("line", "status", "error"),
    [
        (b'{"text": "a"', Status.BROKEN_RECORD, "not JSON"),
        (b"[1, 2]", Status.BROKEN_RECORD, "not a JSON object but list"),
        (b'{"text": "\xff"}', Status.BROKEN_RECORD, "not UTF-8"),
        (b"[" * 100_000, Status.BROKEN_RECORD, "nested too deeply"),
        (b'{"text": 1' + b"0" * 5000 + b"}", Status.NO_TEXT_FIELD, "'text' is Decimal, not text"),
        (b'{"text": "a", "n": 1' + b"0" * 5000 + b"}", Status.OK, None),
        (b'{"url": "x"}', Status.NO_TEXT_FIELD, None),
        (b'{"text": null}', Status.NO_TEXT_FIELD, None),
        (b'{"text": [1]}', Status.NO_TEXT_FIELD, "'text' is list with int, not text"),
        (b'{"text": ""}', Status.OK, None),
    ],
)
def test_bad_lines(tmp_path, line, status, error):
    records, _ = read(tmp_path, b'{"text": "before"}\n' + line + b'\n{"text": "after"}')
    assert [r.text for r in (records[0], records[2])] == ["before", "after"]
    assert records[1].status is status
    assert error is None or error in records[1].metadata["error"]


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b'[{"text": "a"}]', "the file is a JSON array"),
        (b'{\n "text": "a"\n}\n', "an object goes over several lines, and JSON lines are wanted"),
        (b'{"text": "a"}\r{"text": "b"}\r', "its lines end in CR alone, as on old Macs; convert them: tr"),
        ('{"text": "a"}\n'.encode("utf-16"), "the file is UTF-16 or no text; write it in UTF-8"),
        ('{"text": "a"}\n'.encode("utf-16-be"), "the file is UTF-16 or no text; write it in UTF-8"),
        (b'{"text": "a"\n', "not JSON: "),
    ],
)
def test_files_of_another_form_say_what_to_do(tmp_path, data, error):
    first, *_ = read(tmp_path, data)[0]
    assert first.status is Status.BROKEN_RECORD
    assert first.metadata["error"].startswith(error)


def test_blank_lines_are_counted_and_a_byte_order_mark_is_none(tmp_path):
    records, others = read(tmp_path, b'\xef\xbb\xbf{"text": "a"}\n\n  \r\n{"text": "b"}\n')
    assert [r.text for r in records] == ["a", "b"]
    assert others == {"blank line": 2}


def test_a_line_longer_than_any_record_may_be(tmp_path):
    long = json.dumps({"text": "x" * 3_000_000}).encode()
    records, _ = read(tmp_path, long + b'\n{"text": "after"}\n', max_page_bytes=1000)
    assert [r.status for r in records] == [Status.TOO_LARGE, Status.OK]
    assert records[1].offset == len(long) + 1


def test_columns_of_the_recipe(tmp_path):
    columns = Columns(text="body", url="link", title="name", licence="rights")
    row = {"body": "b", "link": 7, "name": "n", "rights": "CC0-1.0", "text": "other", "score": float("nan")}
    source = SOURCE.model_copy(update={"columns": columns})
    ((record,), _) = read(tmp_path, json.dumps(row).encode(), source=source)
    assert (record.text, record.url, record.title, record.licence) == ("b", "7", "n", "CC0-1.0")
    assert record.metadata == {"text": "other", "score": None}


def test_limit(tmp_path):
    records, _ = read(tmp_path, DATA, limit=5)
    assert [r.text for r in records] == [r["text"] for r in ROWS[:5]]


def test_endings_in_capitals(tmp_path):
    data = b'{"text": "a"}\n'
    for name, content in (("A.JSONL.GZ", gzip.compress(data)), ("B.JSONL.Zst", zstandard.compress(data))):
        (tmp_path / name).write_bytes(content)
        piece = Slice(name="p", source="s", kind="jsonl", root=str(tmp_path), files=(name,))
        assert [r.text for r in read_slice(piece, SOURCE)] == ["a"]


@pytest.mark.parametrize("padding", [1, 70_000])
def test_zeros_behind_a_gzip_member_are_padding(tmp_path, padding):
    member = gzip.compress(b'{"text": "a"}\n')
    for content in (member + bytes(padding), member + bytes(padding) + member):
        records, _ = read(tmp_path, content, "a.jsonl.gz")
        assert [r.text for r in records] == ["a"] * content.count(member)
    records, _ = read(tmp_path, member + bytes(padding) + b"x", "a.jsonl.gz")
    assert [r.status for r in records] == [Status.OK, Status.BROKEN_RECORD]


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b'{"text": "a", "x": [' + b"[]," * 3_000_000 + b"0]}", Status.TOO_LARGE),
        (b'{"text": "a", "x": ["' + b'","' * 3_000_000 + b'"]}', Status.TOO_LARGE),
        (b'{"text": "a", "x": [' + b'{"k":1},' * 600_000 + b"0]}", Status.OK),
        (b'{"text": "' + rb",:[\"{" * 1_000_000 + b'"}', Status.OK),
    ],
)
def test_a_line_of_millions_of_values_is_too_large(tmp_path, line, status):
    records, _ = read(tmp_path, line + b'\n{"text": "after"}', max_page_bytes=20_000_000)
    assert [r.status for r in records] == [status, Status.OK]
    assert (status is Status.OK) == ("error" not in records[0].metadata)
