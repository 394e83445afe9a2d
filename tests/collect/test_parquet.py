from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from itertools import pairwise

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.collect.reader import read_slice
from corpusmill.collect.slices import Slice
from corpusmill.reasons import Status
from corpusmill.recipe import Columns
from tests.collect.sources import a_source

TABLE = pa.table(
    {
        "id": list(range(1000)),
        "text": [None if i % 100 == 7 else f"Text {i} 文" for i in range(1000)],
        "url": pa.array([1000 + i for i in range(1000)]),
        "day": [date(2026, 1, 1 + i % 28) for i in range(1000)],
    }
)


def read(path, columns=None, **bounds):
    source = a_source(name="s", kind="parquet", paths=["*"], columns=columns or Columns())
    piece = Slice(name="p", source="s", kind="parquet", root=str(path.parent), files=(path.name,), **bounds)
    return list(read_slice(piece, source))


def records_of(path):
    source = a_source(name="s", kind="parquet", paths=["*"])
    return read_slice(Slice(name="p", source="s", kind="parquet", root=str(path.parent), files=(path.name,)), source)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("parquet") / "a.parquet"
    pq.write_table(TABLE, path, row_group_size=90)
    return path


def test_every_row_is_a_record(file):
    records = read(file)
    assert [r.text for r in records] == TABLE["text"].to_pylist()
    assert [r.offset for r in records] == list(range(1000))
    assert records[7].status is Status.NO_TEXT_FIELD
    assert records[3].url == "1003"
    assert records[3].metadata == {"id": 3, "day": date(2026, 1, 4)}


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_every_slicing_yields_each_row_once(file, data):
    bounds = data.draw(st.lists(st.integers(0, file.stat().st_size), max_size=6))
    cuts = pairwise([0, *sorted(bounds), None])
    assert [r.offset for a, b in cuts for r in read(file, start=a, end=b)] == list(range(1000))


@pytest.mark.parametrize(
    ("column", "error"),
    [
        ("body", "there is no column 'body' for the text; name one of: id, text, url, day"),
        ("id", "column 'id' holds int64, not text; name another column for the text"),
    ],
)
def test_a_file_without_the_text_column_is_one_row(file, column, error):
    size = file.stat().st_size
    for cuts in ([0, None], [0, 1, size // 2, None]):
        (record,) = [r for a, b in pairwise(cuts) for r in read(file, Columns(text=column), start=a, end=b)]
        assert (record.status, record.offset) == (Status.NO_TEXT_FIELD, 0)
        assert record.metadata == {"error": error, "rows": 1000}


@pytest.mark.parametrize("kind", [pa.large_string(), pa.binary(), pa.dictionary(pa.int32(), pa.string())])
def test_forms_of_text(tmp_path, kind):
    column = pa.array(["é", None, "水"])
    column = column.dictionary_encode() if pa.types.is_dictionary(kind) else column.cast(kind)
    pq.write_table(pa.table({"text": column}), tmp_path / "a.parquet")
    assert [r.text for r in read(tmp_path / "a.parquet")] == ["é", None, "水"]


def test_text_that_is_not_utf8(tmp_path):
    column = pa.array([b"good", b"caf\xe9"]).view(pa.string())
    pq.write_table(pa.table({"text": column}), tmp_path / "a.parquet")
    assert [r.text for r in read(tmp_path / "a.parquet")] == ["good", "caf\ufffd"]


def test_no_parquet_file_is_one_row(tmp_path):
    path = tmp_path / "a.parquet"
    for content in (b"", b"PAR1 garbage", b"x" * 1000):
        path.write_bytes(content)
        assert [(r.offset, r.status) for r in read(path)] == [(0, Status.BROKEN_RECORD)]
        assert read(path, start=1) == []


def test_a_damaged_row_group_costs_no_other(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(TABLE, path, row_group_size=100, compression="zstd", write_page_checksum=True)
    group = pq.ParquetFile(path).metadata.row_group(4).column(1)
    data = bytearray(path.read_bytes())
    start = group.dictionary_page_offset or group.data_page_offset
    data[start : start + group.total_compressed_size] = b"\xff" * group.total_compressed_size
    path.write_bytes(data)
    records = read(path)
    assert [r.offset for r in records if r.status is Status.BROKEN_RECORD] == [400]
    assert [r.offset for r in records] == [*range(401), *range(500, 1000)]


TOKYO = timezone(timedelta(hours=9))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([1, None], pa.timestamp("ns")), ["1970-01-01T00:00:00.000000001", None]),
        (pa.array([1_500_000], pa.timestamp("us", "Asia/Tokyo")), ["1970-01-01T00:00:01.500000Z"]),
        (pa.array([datetime(2026, 1, 2, tzinfo=TOKYO)]), ["2026-01-01T15:00:00.000000Z"]),
        (pa.array([[{"at": 1}, None]], pa.list_(pa.struct([("at", pa.timestamp("ns", "UTC"))]))),
         [[{"at": "1970-01-01T00:00:00.000000001Z"}, None]]),
        (pa.array([[("k", 1)]], pa.map_(pa.string(), pa.time64("ns"))), [{"k": "00:00:00.000000001"}]),
        (pa.array([10**15], pa.timestamp("ms")), ["<value out of range: 1000000000000000>"]),
        (pa.array([Decimal("1.50")]), [Decimal("1.50")]),
        (pa.array(["a", "a"]).dictionary_encode(), ["a", "a"]),
        (pa.array([b"\xff", b"a"], pa.binary()).cast(pa.binary()), [b"\xff", b"a"]),
        (pa.array([3], pa.duration("ns")), ["3"]),
    ],
)  # fmt: skip
def test_values_of_any_type(tmp_path, values, expected, monkeypatch):
    """Also such as Python has no type for: times are text, in UTC, on any machine."""
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    pq.write_table(pa.table({"text": ["t"] * len(values), "value": values}), tmp_path / "a.parquet")
    records = read(tmp_path / "a.parquet")
    assert [r.status for r in records] == [Status.OK] * len(values)
    assert [r.metadata["value"] for r in records] == expected


def test_columns_of_one_name_are_all_kept(tmp_path):
    table = pa.table([["t"], [1], [2]], names=["text", "x", "x"])
    pq.write_table(table, tmp_path / "a.parquet")
    (record,) = read(tmp_path / "a.parquet")
    assert record.metadata == {"x": 1, "x_2": 2}
    pq.write_table(pa.table([["t"], ["u"]], names=["text", "text"]), tmp_path / "b.parquet")
    (record,) = read(tmp_path / "b.parquet")
    assert record.metadata == {"error": "there are 2 columns 'text'; name another one", "rows": 1}


def test_one_string_for_all_rows_is_not_held_for_all_of_them(tmp_path):
    path = tmp_path / "a.parquet"
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 1000, pa.int32()), pa.array(["ab" * 1_000_000]))
    pq.write_table(pa.table({"text": text.cast(pa.string())}), path, compression="zstd")
    before = pa.total_allocated_bytes()
    most = 0
    for record in records_of(path):
        assert len(record.text) == 2_000_000
        most = max(most, pa.total_allocated_bytes() - before)
    assert most < 100_000_000  # a thousand rows have 2 GB
