"""CSV, TSV, Arrow, folders of data sets; nested columns, paragraphs and messages."""

import gzip
import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.collect.columns import distinct, from_columns, joined_text
from corpusmill.collect.fit import check_files
from corpusmill.collect.plan import plan
from corpusmill.collect.reader import read_slice
from corpusmill.collect.records import Record, document_id
from corpusmill.collect.settings import Columns, RunSettings
from corpusmill.collect.slices import Slice
from corpusmill.errors import InputError
from corpusmill.reasons import Status
from tests.collect.sources import a_source


def read(folder, data, name, kind="csv", max_page_bytes=1_000_000, **keys):
    (folder / name).write_bytes(data)
    piece = Slice(name="p", source="s", kind=kind, root=str(folder), files=(name,))
    reader = read_slice(piece, a_source(name="s", kind=kind, paths=["*"], **keys), max_page_bytes)
    return list(reader), reader.reading.others


def row(value, **columns):
    return from_columns(value, Columns(**columns), "a", 0)


# ---- columns -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (b"caf\xc3\xa9", "café"),
        (["one", "two"], "one\n\ntwo"),
        ([["a", "b"], "c"], "a\n\nb\n\nc"),
        ([], ""),
        (
            [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}],
            "user: Why?\n\nassistant: So.",
        ),
        ([{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}], "human: Hi\n\ngpt: Hello"),
        (
            [{"role": "user", "content": [{"type": "text", "text": "See"}, {"type": "image_url", "image_url": {}}]}],
            "user: See",
        ),
        ([{"role": "assistant", "content": None, "tool_calls": []}], ""),
        (
            [
                {"role": "user", "content": "a"},
                {"role": "assistant", "content": None},
                {"role": "tool", "content": "b"},
            ],
            "user: a\n\ntool: b",
        ),
        ([{"type": "text", "text": "a"}, {"type": "image_url"}, {"type": "text", "text": "b"}], "a\n\nb"),
        (["a", None, "b"], "a\n\nb"),
        (["a", "", "b"], "a\n\n\n\nb"),
        ({"role": "user", "content": "Why?"}, "user: Why?"),
        ([None], None),
        ({"role": "user", "content": 7}, None),
        ([{"text": "a paragraph"}, {"text": "another"}], "a paragraph\n\nanother"),
        (["a", 1], None),
        ([{"role": "user", "content": 7}], None),
        ([{}], None),
        (7, None),
        ({"text": "a"}, None),
    ],
)
def test_what_is_text(value, text):
    assert joined_text(value) == text
    record = row({"text": value})
    assert (record.status, record.text) == (Status.OK if text is not None else Status.NO_TEXT_FIELD, text)


def test_values_that_are_no_text_are_named():
    for value, error in ((["a", None, 1], "list with int"), ([None], "list of null"), ({"text": "a"}, "dict")):
        assert row({"text": value}).metadata["error"] == f"'text' is {error}, not text"


def test_urls_and_titles_of_other_types_are_json():
    record = row({"text": "a", "url": ["http://a.example/", None], "title": {"ü": True}})
    assert (record.url, record.title) == ('["http://a.example/", null]', '{"ü": true}')
    assert (row({"text": "a", "title": 7}).title, row({"text": "a", "title": False}).title) == ("7", "false")


def test_columns_in_columns():
    value = {"doc": {"body": {"text": "words", "n": 1}, "id": 7}, "meta": {"url": "http://a/", "rights": "CC0-1.0"}}
    record = row(value, text="doc.body.text", url="meta.url", licence="meta.rights")
    assert (record.text, record.url, record.licence) == ("words", "http://a/", "CC0-1.0")
    assert record.metadata == {"doc": {"body": {"n": 1}, "id": 7}, "meta": {}}
    assert value["meta"] == {"url": "http://a/", "rights": "CC0-1.0"}
    assert row({"a.b": "flat", "a": {"b": "nested"}}, text="a.b").text == "flat"
    assert row({"a": "x"}, text="a.b").status is Status.NO_TEXT_FIELD


@pytest.mark.parametrize("value", ["2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)])
def test_a_date_is_when_it_was_fetched(value):
    record = row({"text": "a", "date": value})
    assert (record.fetched_at, record.metadata) == (datetime(2026, 1, 2, 3, 4, 5), {})


def test_a_date_that_is_none_stays_where_it_is():
    record = row({"text": "a", "date": "last spring"})
    assert (record.fetched_at, record.metadata) == (None, {"date": "last spring"})


# ---- CSV and TSV ---------------------------------------------------------------------------------------------------

CSV = 'text,url,n\r\n"A mill, old",http://a.example/0,1\r\n"Two\nlines with ""quotes""",http://a.example/1,2\r\nMühle,,3\r\n'


@pytest.mark.parametrize("name", ["a.csv", "A.CSV.GZ", "a.csv.zst", "a.tsv"])
def test_rows_of_a_csv_file(tmp_path, name):
    tabs = name.endswith("tsv")
    data = (CSV.replace("A mill, old", "A mill; old").replace(",", "\t") if tabs else CSV).encode()
    pack = {"gz": gzip.compress, "zst": zstandard.compress}.get(name.lower().rpartition(".")[2], bytes)
    records, others = read(tmp_path, pack(data), name)
    assert [r.text for r in records] == ["A mill; old" if tabs else "A mill, old", 'Two\nlines with "quotes"', "Mühle"]
    assert [(r.url, r.metadata) for r in records] == [
        ("http://a.example/0", {"n": "1"}), ("http://a.example/1", {"n": "2"}), ("", {"n": "3"}),
    ]  # fmt: skip
    assert not others
    for record in records:  # its place leads back to the bytes
        assert data[record.offset :].decode().lstrip('"').startswith(record.text[:3])


def test_settings_of_a_csv_file(tmp_path):
    columns = {"text": "Text", "title": "Name"}
    data = "\ufeffName;Text\nA;Mühle\n\nB;x;more;still\nC\n".encode()
    records, others = read(tmp_path, data, "a.csv", delimiter=";", columns=columns)
    assert [(r.title, r.text, r.metadata) for r in records] == [
        ("A", "Mühle", {}), ("B", "x", {"more_fields": ["more", "still"]}), ("C", None, {}),
    ]  # fmt: skip
    assert records[2].status is Status.NO_TEXT_FIELD
    assert others == {"blank line": 1}
    latin = "text\nMühle\n".encode("cp1252")
    (good,), _ = read(tmp_path, latin, "b.csv", encoding="cp1252")
    assert good.text == "Mühle"
    (bad,), _ = read(tmp_path, latin, "b.csv")
    assert (bad.status, bad.metadata["error"]) == (
        Status.BROKEN_RECORD, "the row is not utf-8; name the file's encoding in the recipe",
    )  # fmt: skip
    with pytest.raises(ValueError, match="'utf-16' is no encoding that contains ASCII"):
        a_source(name="s", kind="csv", paths=["x"], encoding="utf-16")


def test_columns_of_one_name_are_kept(tmp_path):
    (record,), _ = read(tmp_path, b"text,text,url,text_1\na,b,http://a.example/,c\n", "a.csv")
    assert (record.text, record.url) == ("a", "http://a.example/")
    assert record.metadata == {"text_1": "b", "text_1_": "c"}
    assert distinct(["a", "a", "b", "", "a", ""]) == ["a", "a_1", "b", "", "a_4", "_5"]


def test_messages_about_a_table_of_another_form_name_the_setting(tmp_path):
    lacking = "there is no column 'text' for the text; name one of: "
    for data, error in (
        (b"a;text\n1;x\n", "a;text (if another character than ',' separates them, set 'delimiter')"),
        ("text ü,b\n1,2\n".encode("cp1252"), "text \ufffd, b (if the file is not utf-8, set 'encoding')"),
        (b"a,b\n1,2\n3,4\n", "a, b"),
        (b",".join(b"c%d" % i for i in range(60)), ", ".join(f"c{i}" for i in range(50)) + ", ..."),
    ):  # fmt: skip
        (record,), _ = read(tmp_path, data, "a.csv")
        assert (record.status, record.metadata) == (Status.NO_TEXT_FIELD, {"error": lacking + error})
    for data in ("text,url\na,b\n".encode("utf-16"), "text,url\na,b\n".encode("utf-16-le"), b"\0" * 100):
        (record,), _ = read(tmp_path, data, "a.csv")
        assert record.metadata == {"error": "the file is UTF-16 or no text; write it in UTF-8"}
    for data in (b"text,url\ra,b\rc,d\r", b"text,url\ra,b"):
        (record,), _ = read(tmp_path, data, "a.csv")
        assert record.metadata == {
            "error": "its lines end in CR alone, as on old Macs; convert them: tr '\\r' '\\n' < OLD > NEW"
        }


def test_damaged_and_empty_csv_files(tmp_path):
    packed = gzip.compress(CSV.encode() * 200)
    records, _ = read(tmp_path, packed[:-30], "a.csv.gz")
    assert records[-1].status is Status.BROKEN_RECORD
    assert "cut off; nothing can be read from here on" in records[-1].metadata["error"]
    assert len(records) > 300
    assert read(tmp_path, b"text,url\n", "a.csv") == ([], {})


def test_a_quote_that_is_not_closed_costs_a_bounded_piece(tmp_path):
    data = b'text,n\nbefore,1\n"never closed,2\n' + b"words of a row,3\n" * 100_000 + b"after,4\n"
    records, _ = read(tmp_path, data, "a.csv", max_page_bytes=1000)
    assert [r.status for r in records[:2]] == [Status.OK, Status.TOO_LARGE]
    assert records[-1].text == "after"
    assert len(records) > 30_000


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_rows_after_a_quote_that_is_not_closed_are_read(tmp_path, name):
    data = b'text,url\n0,a\n"open quote,b\n2,c\n3,d\n4,e\n'
    records, _ = read(tmp_path, gzip.compress(data) if name.endswith("gz") else data, name)
    assert [r.text for r in records] == ["0", None, "2", "3", "4"]
    assert (records[1].status, records[1].metadata) == (Status.BROKEN_RECORD, {"error": "a quote is not closed"})
    assert all(data[r.offset :].startswith((r.text or '"open').encode()) for r in records)
    (cut,), _ = read(tmp_path, b'text,url\n"cut o', "b.csv")
    assert cut.status is Status.BROKEN_RECORD


def test_many_quotes_that_are_not_closed_take_no_quadratic_time(tmp_path):
    records, _ = read(tmp_path, b"text,url\n" + b'a"b,"\n' * 20_000 + b"after,c\n", "a.csv")
    assert [r.status for r in records] == [Status.BROKEN_RECORD] * 20_000 + [Status.OK]


@settings(max_examples=40, deadline=None)
@given(data=st.binary(max_size=400))
def test_any_bytes_are_rows(tmp_path_factory, data):
    records, _ = read(tmp_path_factory.mktemp("c"), b"text,x\n" + data, "a.csv")
    assert all(isinstance(record, Record) for record in records)


# ---- Arrow ---------------------------------------------------------------------------------------------------------

TABLE = pa.table(
    {
        "text": [f"text {i}" for i in range(20)],
        "url": [f"http://a.example/{i}" for i in range(20)],
        "messages": [[{"role": "user", "content": f"say {i}"}] for i in range(20)],
        "meta": [{"body": f"body {i}"} for i in range(20)],
    }
)


def arrow(form: str, table: pa.Table = TABLE) -> bytes:
    sink = io.BytesIO()
    if form == "feather":
        pyarrow.feather.write_feather(table, sink, compression="zstd")
        return sink.getvalue()
    with (pa.ipc.new_file if form == "file" else pa.ipc.new_stream)(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=7)
    return sink.getvalue()


@pytest.mark.parametrize("form", ["file", "stream", "feather"])
def test_rows_of_an_arrow_file(tmp_path, form):
    records, _ = read(tmp_path, arrow(form), "a.arrow", "arrow")
    assert [(r.text, r.url) for r in records] == [(f"text {i}", f"http://a.example/{i}") for i in range(20)]
    of_batch = 20 if form == "feather" else 7
    assert [r.number for r in records] == [i % of_batch for i in range(20)]
    assert [r.metadata.get("record_number", 0) for r in records] == [r.number for r in records]
    assert len({r.offset for r in records}) == -(-20 // of_batch)
    assert len({document_id("s", r) for r in records}) == 20
    chats, _ = read(tmp_path, arrow(form), "a.arrow", "arrow", columns={"text": "messages"})
    assert chats[3].text == "user: say 3"
    nested, _ = read(tmp_path, arrow(form), "a.arrow", "arrow", columns={"text": "meta.body"})
    assert nested[3].text == "body 3"
    for column, error in (
        ("meta.none", "there is no column 'meta.none' for the text; name one of: text, url, messages, meta"),
        ("meta", "column 'meta' holds struct<body: string>, not text; name another column for the text"),
    ):
        (record,), _ = read(tmp_path, arrow(form), "a.arrow", "arrow", columns={"text": column})
        assert (record.status, record.metadata) == (Status.NO_TEXT_FIELD, {"error": error})


@pytest.mark.parametrize("form", ["file", "stream"])
def test_damaged_and_empty_arrow_files(tmp_path, form):
    data = arrow(form)
    records, _ = read(tmp_path, data[: len(data) // 2], "a.arrow", "arrow")
    assert records[-1].status is Status.BROKEN_RECORD
    for at in range(0, len(data), 61):
        changed = bytearray(data)
        changed[at] ^= 0xFF
        assert read(tmp_path, bytes(changed), "a.arrow", "arrow")[0]
    assert read(tmp_path, arrow(form, TABLE.slice(0, 0)), "a.arrow", "arrow") == ([], {})
    (junk,), _ = read(tmp_path, b"no Arrow at all", "a.arrow", "arrow")
    assert junk.status is Status.BROKEN_RECORD


@settings(max_examples=30, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("form", ["file", "stream", "dictionaries"])
def test_every_slicing_of_an_arrow_file_yields_each_row_once(tmp_path_factory, form, data):
    table = TABLE
    if form == "dictionaries":
        table = TABLE.append_column("kind", pa.array(["a", "b"] * 10).dictionary_encode())
    content = arrow("stream" if form == "stream" else "file", table)
    folder = tmp_path_factory.mktemp("a")
    (folder / "a.arrow").write_bytes(content)
    bounds = data.draw(st.lists(st.integers(1, len(content)), max_size=6))
    source = a_source(name="s", kind="arrow", paths=["*"])

    def rows(*cuts):
        piece = Slice(name="p", source="s", kind="arrow", root=str(folder), files=("a.arrow",))
        pieces = [replace(piece, start=a, end=b) for a, b in pairwise(cuts)]
        return [(r.text, r.offset, r.number, r.metadata) for each in pieces for r in read_slice(each, source)]

    assert [text for text, *_ in rows(0, None)] == TABLE["text"].to_pylist()
    assert rows(0, *sorted(bounds), None) == rows(0, None)


def test_a_large_arrow_file_is_shared(tmp_path):
    (tmp_path / "a.arrow").write_bytes(arrow("file", pa.concat_tables([TABLE] * 30)))
    source = a_source(name="s", kind="arrow", paths=["a.arrow"])
    pieces = plan([source], RunSettings(slice_bytes=4096), folder=tmp_path, corpus=tmp_path / "c")
    counts = [len(list(read_slice(piece, source))) for piece in pieces]
    assert len(counts) > 3
    assert sum(counts) == 600
    assert max(counts) < 300


def test_damage_in_an_arrow_file_costs_its_batch(tmp_path):
    whole = arrow("file")
    records, _ = read(tmp_path, whole, "a.arrow", "arrow")
    at = whole.index(b"text 8", records[7].offset)
    damaged = whole[: at - 40] + b"\xff" * 40 + whole[at:]  # offsets of the second batch's texts
    records, _ = read(tmp_path, damaged, "a.arrow", "arrow")
    assert [r.text for r in records] == [*(f"text {i}" for i in range(7)), None, *(f"text {i}" for i in range(14, 20))]
    assert records[7].metadata == {"error": "the record batch is damaged from here on"}
    for n, error in ((len(whole) - 30, "the file is cut off: it has no footer"), (at, "damaged from here on")):
        records, _ = read(tmp_path, whole[:n], "a.arrow", "arrow")
        assert [r.text for r in records[:7]] == [f"text {i}" for i in range(7)]
        assert error in records[-1].metadata["error"]


def test_a_feather_file_of_version_1_says_what_to_do(tmp_path):
    (record,), _ = read(tmp_path, b"FEA1" + b"\0" * 60 + b"FEA1", "a.feather", "arrow")
    assert record.metadata["error"].startswith("a Feather file of version 1, which is not read; write it anew: ")


# ---- the column for the text ---------------------------------------------------------------------------------------


def saved(path, table):
    match path.suffix:
        case ".parquet":
            pq.write_table(table, path)
        case ".arrow":
            path.write_bytes(arrow("file", table))
        case ".csv":
            pyarrow.csv.write_csv(table, path)
        case ".jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))


def checked(folder, kind, text, name="s"):
    source = a_source(name=name, kind=kind, paths=["in"], columns={"text": text})
    check_files(plan([source], RunSettings(), folder=folder, corpus=folder / "c"), lambda _: source)


@pytest.mark.parametrize("ending", ["parquet", "arrow", "csv", "jsonl"])
def test_a_column_that_no_file_has_is_an_error_before_anything_is_read(tmp_path, ending):
    (tmp_path / "in").mkdir()
    for i in range(3):
        saved(tmp_path / f"in/{i}.{ending}", pa.table({"body": ["a"], "id": ["7"]}))
    (tmp_path / f"in/damaged.{ending}").write_bytes(b"")
    kind = "dataset" if ending == "parquet" else ending
    checked(tmp_path, kind, "body")
    error = (
        rf"source 's': \d\.{ending}: there is no column 'text' for the text; name one of: body, id "
        r"\(nor does any of the 2 other files that can be read fit\)$"
    )
    with pytest.raises(InputError, match=error):
        checked(tmp_path, kind, "text")
    with pytest.raises(InputError, match=r"no column 'body\.x' for the text"):
        checked(tmp_path, kind, "body.x")
    saved(tmp_path / f"in/4.{ending}", pa.table({"text": ["b"]}))
    checked(tmp_path, kind, "text")


def test_files_that_cannot_tell_are_no_error(tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("a.parquet", "a.arrow", "a.csv", "a.jsonl", "a.csv.gz", "a.jsonl.zst"):
        (tmp_path / "in" / name).write_bytes(b"\0 damage")
    (tmp_path / "in/b.csv").write_bytes(b"text,url\n")
    for kind in ("parquet", "arrow", "csv", "jsonl", "dataset"):
        checked(tmp_path, kind, "text")
    (tmp_path / "in/b.jsonl").write_text('{"a": 1}\n[]\n{"doc": {"text": null}}\n')
    checked(tmp_path, "jsonl", "doc.text")
    with pytest.raises(InputError, match=r"b\.jsonl: .*name one of: a, doc$"):
        checked(tmp_path, "jsonl", "text")


def test_parquet_has_nested_columns_and_messages_too(tmp_path):
    sink = io.BytesIO()
    pq.write_table(TABLE, sink)
    for columns, text in (({"text": "messages"}, "user: say 0"), ({"text": "meta.body"}, "body 0")):
        records, _ = read(tmp_path, sink.getvalue(), "a.parquet", "parquet", columns=columns)
        assert records[0].text == text


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("csv", "a.csv"), ("csv", "a.csv.zst"), ("arrow", "a.arrow"), ("parquet", "a.parquet"),
        ("jsonl", "a.jsonl"), ("jsonl", "a.jsonl.zst"),
        ("warc", "a.warc"), ("warc", "a.warc.gz"), ("warc", "a.arc"), ("wet", "a.wet.gz"), ("wat", "a.wat.zst"),
        ("commoncrawl", "a.cdxj"), ("tmx", "a.tmx"), ("mbox", "a.mbox"),
    ],
)  # fmt: skip
def test_an_empty_file_is_a_row(tmp_path, kind, name):
    columns = {"columns": {"text": "text"}} if kind in ("csv", "arrow", "jsonl", "parquet") else {}
    (record,), others = read(tmp_path, b"", name, kind, **columns)
    assert (record.status, record.metadata, dict(others)) == (
        Status.BROKEN_RECORD, {"error": "the file is empty"}, {},
    )  # fmt: skip


@pytest.mark.parametrize(("kind", "name"), [("csv", "a.csv.gz"), ("jsonl", "a.jsonl.gz"), ("parquet", "a.parquet")])
def test_an_empty_file_that_should_be_packed_is_a_row(tmp_path, kind, name):
    (record,), _ = read(tmp_path, b"", name, kind)
    assert record.status is Status.BROKEN_RECORD


# ---- folders of data sets ------------------------------------------------------------------------------------------


def a_dataset(folder):
    (folder / "data").mkdir(parents=True)
    (folder / "validation").mkdir()
    pq.write_table(TABLE, folder / "data/train-00000-of-00001.parquet")
    (folder / "data/test.jsonl").write_text('{"text": "of test"}\n')
    (folder / "extra.csv").write_text("text\nof extra\n")
    (folder / "validation/data-00000-of-00001.arrow").write_bytes(arrow("stream"))
    (folder / "validation/cache-123.arrow").write_bytes(arrow("stream"))
    for name in ("dataset_info.json", "validation/state.json", "dataset_dict.json"):
        (folder / name).write_text("{}")
    (folder / "README.md").write_text("---\nlicense: mit\n---\n")


def planned(folder, **keys):
    source = a_source(name="s", kind="dataset", paths=["in"], **keys)
    slices = plan([source], RunSettings(), folder=folder, corpus=folder / "corpus")
    return {piece.files[0]: [r.text for r in read_slice(piece, source)] for piece in slices}


def test_a_folder_of_a_data_set(tmp_path):
    a_dataset(tmp_path / "in")
    found = planned(tmp_path)
    assert {name: len(texts) for name, texts in found.items()} == {
        "data/train-00000-of-00001.parquet": 20, "data/test.jsonl": 1, "extra.csv": 1,
        "validation/data-00000-of-00001.arrow": 20,
    }  # fmt: skip
    assert set(planned(tmp_path, splits=["train"])) == {"data/train-00000-of-00001.parquet"}
    assert set(planned(tmp_path, splits=["validation", "test"])) == {
        "validation/data-00000-of-00001.arrow", "data/test.jsonl",
    }  # fmt: skip
    with pytest.raises(InputError, match="'in' matches 8 files, and the source's other settings leave out all"):
        planned(tmp_path, splits=["dev"])


def test_json_files_of_a_data_set_are_json_lines(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/train.json").write_text(json.dumps({"text": "a"}) + "\n" + json.dumps({"text": "b"}))
    assert planned(tmp_path) == {"train.json": ["a", "b"]}
