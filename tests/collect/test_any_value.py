"""Whatever a column holds, and whatever reading it raises: one record is one row, and costs no other."""

import json
from collections import Counter
from datetime import date, datetime, timedelta, timezone

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.collect import pages as pages_module
from corpusmill.collect.columns import joined_text
from corpusmill.collect.pages import read_pages
from corpusmill.collect.slices import Slice
from corpusmill.extensions import REGISTRY, source
from corpusmill.page import ExtractSettings
from corpusmill.reasons import Status
from tests.collect.sources import a_source

UNITS = ("s", "ms", "us", "ns")
FIXED = [
    pa.null(), pa.bool_(), pa.int8(), pa.int64(), pa.uint8(), pa.uint64(), pa.float16(), pa.float32(), pa.float64(),
    pa.string(), pa.large_string(), pa.binary(), pa.large_binary(), pa.binary(3), pa.date32(), pa.date64(),
    pa.decimal128(38, 10), pa.decimal256(60, 3), pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns"),
    *(pa.timestamp(unit) for unit in UNITS),
    *(pa.timestamp(unit, zone) for unit in UNITS for zone in ("UTC", "Asia/Tokyo", "+09:30", "Mars/Olympus")),
    *(pa.duration(unit) for unit in UNITS),
]  # fmt: skip


def raw(kind: pa.DataType, n: int, seed: int) -> pa.Array:
    """Values of a type from random bytes: also such as no library would make."""
    noise = (seed * 2654435761 % 2**64).to_bytes(8, "little")
    if pa.types.is_null(kind):
        return pa.nulls(n)
    if kind in (pa.string(), pa.binary(), pa.large_string(), pa.large_binary()):
        offsets = np.arange(n + 1, dtype=np.int64 if kind in (pa.large_string(), pa.large_binary()) else np.int32)
        return pa.Array.from_buffers(kind, n, [None, pa.py_buffer(offsets), pa.py_buffer(noise)])
    if kind == pa.bool_():
        return pa.array([bool(seed % 2)] * n)
    width = kind.bit_width // 8
    values = (noise * 8)[:width] * n
    return pa.Array.from_buffers(kind, n, [None, pa.py_buffer(values)])


@st.composite
def arrays(draw, n=5, depth=0):
    """A column of any type, nested or not."""
    shape = draw(st.sampled_from(["plain"] * 3 + ["list", "struct", "map", "dictionary"])) if depth < 3 else "plain"
    match shape:
        case "list":
            return pa.ListArray.from_arrays(pa.array(range(n + 1), pa.int32()), draw(arrays(n, depth + 1)))
        case "struct":
            fields = draw(st.lists(arrays(n, depth + 1), min_size=1, max_size=3))
            return pa.StructArray.from_arrays(fields, draw(st.permutations(["a", "a", "text"]))[: len(fields)])
        case "map":
            keys = pa.array([f"k{i}" for i in range(n)])
            return pa.MapArray.from_arrays(pa.array(range(n + 1), pa.int32()), keys, draw(arrays(n, depth + 1)))
        case "dictionary":
            values = pa.array(["x", "y"])
            return pa.DictionaryArray.from_arrays(pa.array([i % 2 for i in range(n)], pa.int8()), values)
        case _:
            return raw(draw(st.sampled_from(FIXED)), n, draw(st.integers(0, 2**63)))


def rows_of(folder, kind):
    piece = Slice(name="p", source="s", kind=kind, root=str(folder), files=("file",))
    table, _ = read_pages(piece, a_source(name="s", kind=kind, paths=["*"]), ExtractSettings(), lambda page: None)
    return table.to_pylist()


@settings(max_examples=150, deadline=None)
@given(columns=st.lists(arrays(), min_size=1, max_size=4))
def test_a_column_of_any_type(tmp_path_factory, columns):
    folder = tmp_path_factory.mktemp("any")
    names = ["text", *(f"c{i // 2}" for i in range(len(columns)))]  # some of one name
    table = pa.Table.from_arrays([pa.array([f"text {i}" for i in range(5)]), *columns], names=names)
    try:
        pq.write_table(table, folder / "file", store_schema=True)
    except pa.ArrowException:
        return  # no Parquet file holds it
    rows = rows_of(folder, "parquet")
    assert [row["text"] for row in rows] == [f"text {i}" for i in range(5)], rows
    assert all(isinstance(json.loads(row["metadata"]), dict) for row in rows)


class Raising:
    """A value that cannot even be shown."""

    def __init__(self, error):
        self.error = error

    def __str__(self):
        raise self.error

    __repr__ = __str__


ERRORS = [
    ValueError("v"), KeyError("k"), OverflowError(), RecursionError(), UnicodeDecodeError("utf-8", b"x", 0, 1, "r"),
    AttributeError(), TypeError(), ZeroDivisionError(), AssertionError(), OSError(5, "EIO"), StopIteration(),
]  # fmt: skip


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_of_one_record_is_its_own(tmp_path, error):
    values = [1, Raising(error), "last"]

    @source("tests-raising")
    def read(path, options):
        for value in values:
            yield {"text": "a text", "value": value}

    (tmp_path / "file").write_bytes(b"")
    try:
        rows = rows_of(tmp_path, "tests-raising")
    finally:
        del REGISTRY.sources["tests-raising"]
    assert Counter(row["status"] for row in rows) == {Status.OK: 2, Status.BROKEN_RECORD: 1}
    assert type(error).__name__ in rows[1]["metadata"]
    assert len({row["doc_id"] for row in rows}) == 3


def test_memory_that_runs_out_is_no_fault_of_a_record(tmp_path, monkeypatch):
    (tmp_path / "file").write_text('{"text": "a"}\n')

    def full(*_):
        raise MemoryError

    monkeypatch.setattr(pages_module, "normalise", full)
    with pytest.raises(MemoryError):
        rows_of(tmp_path, "jsonl")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["\ud800", "\x00"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(
        st.dictionaries(st.sampled_from(["text", "url", "title", "licence", "x"]), json_values), min_size=1, max_size=6
    )
)
def test_a_json_line_of_any_values(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("any")
    (folder / "file").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = rows_of(folder, "jsonl")
    assert len(found) == len(rows)
    for row, told in zip(rows, found, strict=True):
        assert (told["status"] == Status.OK) == (joined_text(row.get("text")) is not None)


@pytest.mark.parametrize(
    "moment",
    [
        datetime.max,
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-12))),
        datetime.min.replace(tzinfo=timezone(timedelta(hours=12))),
        date.max,
        "9999-12-31T23:59:59-12:00",
        "0001-01-01T00:00:00+12:00",
    ],
)
def test_a_moment_at_the_edge_of_the_calendar(tmp_path, moment):
    @source("tests-moments")
    def read(path, options):
        yield {"text": "a text", "fetched_at": moment}

    (tmp_path / "file").write_bytes(b"")
    try:
        (row,) = rows_of(tmp_path, "tests-moments")
    finally:
        del REGISTRY.sources["tests-moments"]
    assert row["status"] == Status.OK


class SilentError(Exception):
    """One that cannot say what it is about."""

    def __str__(self):
        raise ValueError("no words")


def test_an_error_that_cannot_be_shown_is_one_of_a_record_too(tmp_path):
    @source("tests-silent")
    def read(path, options):
        yield {"text": "a text"}
        raise SilentError

    (tmp_path / "file").write_bytes(b"")
    try:
        rows = rows_of(tmp_path, "tests-silent")
    finally:
        del REGISTRY.sources["tests-silent"]
    assert [row["status"] for row in rows] == [Status.OK, Status.BROKEN_RECORD]
    assert "the source's reader raised SilentError" in rows[1]["metadata"]
