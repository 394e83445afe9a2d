"""Common Crawl by index and by list of paths, on files that look like its own."""

import gzip
import json
import threading
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from warcio.archiveiterator import ArchiveIterator

from corpusmill.collect.plan import plan
from corpusmill.collect.reader import read_slice
from corpusmill.collect.settings import RunSettings
from corpusmill.errors import InputError
from corpusmill.reasons import Status
from tests.collect.sources import a_source
from tests.collect.warcs import Warc, page

PAGES = [  # host, languages, type, status
    ("one.example", "deu", "text/html", "200"),
    ("www.two.example", "eng,deu", "text/html", "200"),
    ("two.example", "fra", "text/html", "200"),
    ("one.example", "", "application/pdf", "200"),
    ("one.example", "deu", "text/html", "404"),
    ("three.example", "jpn", "application/xhtml+xml", "200"),
]


@pytest.fixture(scope="module")
def crawl(tmp_path_factory):
    """Folders with two WARC files, and three forms of an index."""
    root = tmp_path_factory.mktemp("cc")
    rows = []
    for part in range(2):
        warc, name = Warc(), f"crawl-data/CC/segments/1/warc/CC-{part}.warc.gz"
        for i, (host, _, kind, status) in list(enumerate(PAGES))[part::2]:
            warc.response(f"http://{host}/{i}", page(i), [("Content-Type", kind)], f"{status} Said")
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(warc.data)
        records = ArchiveIterator(BytesIO(warc.data))
        for record in records:
            url = record.rec_headers.get_header("WARC-Target-URI")
            record.raw_stream.read()
            i = int(url[-1])
            rows.append(
                {
                    "url": url, "mime": PAGES[i][2], "mime-detected": PAGES[i][2], "status": PAGES[i][3],
                    "languages": PAGES[i][1], "length": records.get_record_length(),
                    "offset": records.get_record_offset(), "filename": name,
                }
            )  # fmt: skip
    rows.sort(key=lambda row: str(row["url"][-1]))
    folder = root / "indexes"
    folder.mkdir()
    lines = [f"key/{row['url'][-1]} 20260102030405 {json.dumps({k: str(v) for k, v in row.items()})}\n" for row in rows]
    (folder / "cdx-00000.gz").write_bytes(gzip.compress("".join(lines).encode()))
    (folder / "a.cdxj").write_text("".join(lines))
    (folder / "a.cdx").write_text(
        " CDX N b a m s k r M S V g\n"
        + "".join(
            f"k 2026 {r['url']} {r['mime']} {r['status']} AB - - {r['length']} {r['offset']} {r['filename']}\n"
            for r in rows
        )
    )
    names = {
        "url": "url", "languages": "content_languages", "mime": "content_mime_type", "status": "fetch_status",
        "filename": "warc_filename", "offset": "warc_record_offset", "length": "warc_record_length",
    }  # fmt: skip
    table = pa.table({new: [int(r[old]) if old == "status" else r[old] for r in rows] for old, new in names.items()})
    pq.write_table(table, folder / "part-0.parquet", row_group_size=2)
    (root / "warc.paths.gz").write_bytes(gzip.compress(f"{rows[0]['filename']}\n\n{rows[1]['filename']}\n".encode()))
    return root


def records_of(root, path, slice_bytes=16_000_000, kind="commoncrawl", **keys):
    source = a_source(name="s", kind=kind, paths=[path], **{"base": str(root), **keys})
    slices = plan([source], RunSettings(slice_bytes=slice_bytes), folder=root, corpus=root / "corpus")
    readers = [read_slice(piece, source) for piece in slices]
    return [record for reader in readers for record in reader], sum(
        (r.reading.others for r in readers), start=readers[0].reading.others.__class__()
    )


FORMS = ["indexes/cdx-00000.gz", "indexes/a.cdxj", "indexes/a.cdx", "indexes/part-0.parquet"]


def numbers(records):
    return [int(record.url[-1]) for record in records]


@pytest.mark.parametrize("form", FORMS)
def test_only_what_is_wanted_is_read(crawl, form):
    records, others = records_of(crawl, form)
    assert numbers(records) == [0, 1, 2, 5]
    assert others["not selected"] == 2
    for record in records:  # provenance leads back to the bytes
        i = int(record.url[-1])
        assert (record.status, record.body) == (Status.OK, page(i))
        with (crawl / record.origin_path).open("rb") as file:
            file.seek(record.offset)
            (found, *_) = ArchiveIterator(file)
            assert found.rec_headers.get_header("WARC-Target-URI") == record.url
            break
    everything, _ = records_of(crawl, form, mime_types=[], statuses=[])
    assert numbers(everything) == [0, 1, 2, 3, 4, 5]
    assert [r.status for r in everything][3:5] == [Status.CONTENT_TYPE, Status.HTTP_ERROR]


@pytest.mark.parametrize("form", FORMS)
def test_hosts(crawl, form):
    assert numbers(records_of(crawl, form, hosts=["*.two.example", "three.example"])[0]) == [1, 5]
    assert numbers(records_of(crawl, form, hosts=["none.example"])[0]) == []


@pytest.mark.parametrize("form", [FORMS[1], FORMS[3]])
def test_languages(crawl, form):
    assert numbers(records_of(crawl, form, languages=["deu"])[0]) == [0, 1]
    assert numbers(records_of(crawl, form, languages=["deu", "fra"], mime_types=["text/html"])[0]) == [0, 1, 2]


def test_an_index_is_cut_and_the_records_are_the_same(crawl):
    whole, _ = records_of(crawl, FORMS[1])
    source = a_source(name="s", kind="commoncrawl", paths=[FORMS[1]], base=str(crawl))
    (piece,) = plan([source], RunSettings(), folder=crawl, corpus=crawl / "corpus")
    size = (crawl / FORMS[1]).stat().st_size
    for bound in (1, size // 3, size - 1):
        halves = replace(piece, end=bound), replace(piece, start=bound)
        assert [r for half in halves for r in read_slice(half, source)] == whole


def test_what_the_index_names_and_is_not_there_is_a_row(crawl, tmp_path):
    name = next(crawl.glob("crawl-data/**/CC-0.warc.gz")).relative_to(crawl)
    rows = [
        {"filename": "crawl-data/gone.warc.gz", "offset": "0", "length": "10"},
        {"filename": "../secret", "offset": "0", "length": "10"},
        {"filename": "/etc/passwd", "offset": "0", "length": "10"},
        {"filename": str(name), "offset": "0", "length": "10"},
        {"filename": str(name), "offset": "7", "length": "300"},
        {"filename": str(name), "offset": "99999999", "length": "300"},
        {"filename": str(name), "offset": "x", "length": "300"},
        {"filename": str(name), "offset": "0", "length": "99999999999"},
    ]
    lines = [f"k 1 {json.dumps({'url': 'http://a.example/', **row})}" for row in rows]
    (tmp_path / "i.cdxj").write_text("\n".join([*lines, "no line of an index", "k 1 {no json", ""]))
    records, others = records_of(tmp_path, "i.cdxj", base=str(crawl), mime_types=[], statuses=[])
    assert [(r.status, r.metadata.get("error")) for r in records] == [
        (Status.BROKEN_RECORD, "the WARC file cannot be read (No such file or directory)"),
        (Status.BROKEN_RECORD, "the index names no file below the base"),
        (Status.BROKEN_RECORD, "the index names no file below the base"),
        (Status.BROKEN_RECORD, "no WARC record starts here"),
        (Status.BROKEN_RECORD, "no WARC record starts here"),
        (Status.BROKEN_RECORD, "the WARC file ends before the record"),
        (Status.BROKEN_RECORD, "the index has no offset and length for it"),
        (Status.TOO_LARGE, None),
        (Status.BROKEN_RECORD, "not a line of an index"),
        (Status.BROKEN_RECORD, "not a line of an index"),
    ]
    assert all(r.url == "http://a.example/" for r in records[:8])
    assert not others


def test_damaged_and_empty_indexes(crawl, tmp_path):
    packed = (crawl / FORMS[0]).read_bytes()
    (tmp_path / "i.cdx.gz").write_bytes(packed[:-12])
    records, _ = records_of(tmp_path, "i.cdx.gz", base=str(crawl))
    assert records[-1].status is Status.BROKEN_RECORD
    (tmp_path / "i.cdxj").write_bytes(b"")
    assert [r.status for r in records_of(tmp_path, "i.cdxj", base=str(crawl))[0]] == [Status.BROKEN_RECORD]
    (tmp_path / "i.parquet").write_bytes((crawl / FORMS[3]).read_bytes()[:-40])
    assert [r.status for r in records_of(tmp_path, "i.parquet", base=str(crawl))[0]] == [Status.BROKEN_RECORD]
    pq.write_table(pa.table({"url": ["x"]}), tmp_path / "j.parquet")
    ((other,), _) = records_of(tmp_path, "j.parquet", base=str(crawl))
    assert other.metadata == {"error": "it is no columnar index: there is no column 'warc_filename'"}


class _Quiet(SimpleHTTPRequestHandler):
    asked: list[str | None] = []

    def do_GET(self):
        self.asked.append(self.headers.get("Range"))
        super().do_GET()

    def log_message(self, *_):
        pass


def test_ranges_of_a_server(crawl, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(crawl)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        base = f"http://127.0.0.1:{server.server_port}/"
        records, _ = records_of(crawl, FORMS[1], base=base)
    finally:
        server.shutdown()
        server.server_close()
    assert [r.body for r in records] == [page(i) for i in (0, 1, 2, 5)]
    assert len(_Quiet.asked) == 4
    assert all(asked and asked.startswith("bytes=") for asked in _Quiet.asked)


# ---- lists of paths ------------------------------------------------------------------------------------------------


def test_a_list_of_paths_names_files(crawl, tmp_path):
    records, _ = records_of(crawl, "warc.paths.gz", kind="warc")
    assert sorted(numbers(records)) == [0, 1, 2, 3, 4, 5]
    assert {r.origin_path for r in records} == {"CC-0.warc.gz", "CC-1.warc.gz"}
    for content, error in (
        ("../x.warc.gz\n", "names '../x.warc.gz', which is not below"),
        ("\n", "names no file"),
        ("https://a.example/x\n", "which is not below"),
        ("gone.warc.gz\n", "no file matches"),
    ):
        (tmp_path / "a.paths").write_text(content)
        with pytest.raises(InputError, match=error):
            records_of(tmp_path, "a.paths", kind="warc", base=str(crawl))
    with pytest.raises(InputError, match=r"the list b\.paths cannot be read"):
        records_of(tmp_path, "b.paths", kind="warc")
