import gzip
import json
from dataclasses import replace
from datetime import datetime

import pyarrow as pa
import pytest

from corpusmill.collect.pages import read_pages
from corpusmill.collect.records import Record, document_id
from corpusmill.collect.slices import Slice
from corpusmill.extensions import REGISTRY
from corpusmill.extensions import source as register_source
from corpusmill.page import Extracted, Page
from corpusmill.reasons import Status
from corpusmill.recipe import CrawlSettings, ExtractSettings
from corpusmill.schema import PAGES
from tests.collect.sources import a_source
from tests.collect.warcs import SOURCE, Warc, by_warcio, content_offsets, mixed, page, write


def words(page: Page) -> Extracted:
    """An extractor that needs no library: what is between tags, and the meta elements it is told of."""
    html = page.body.decode(page.charset or "utf-8")
    robots = (("robots", html.split('robots="')[1].split('"')[0]),) if 'robots="' in html else ()
    if "RAISE" in html:
        raise RuntimeError("it asked for it")
    return Extracted(
        text=" ".join(html.replace("<", " <").split()),
        status=Status.LOGIN_PAGE if "LOG IN" in html else Status.OK,
        title=" T\n1 ",
        licence="CC0-1.0",
        directives=robots,
    )


def pages(folder, warc, source=SOURCE, settings=None, extract=words, kind="warc"):
    piece = replace(write(folder, warc, packed=True), kind=kind)
    table, others = read_pages(piece, source, settings or ExtractSettings(), extract)
    return table, others


def rows(folder, warc, **kwargs):
    return pages(folder, warc, **kwargs)[0].to_pylist()


def test_one_row_a_content_record(tmp_path):
    data = mixed(packed=True)
    table, others = pages(tmp_path, data)
    assert table.schema.equals(PAGES.arrow, check_metadata=True)
    assert table["origin_offset"].to_pylist() == content_offsets(data)
    assert table.num_rows + others.total() == len(by_warcio(data))
    assert len(set(table["doc_id"].to_pylist())) == table.num_rows
    assert table["doc_id"][0].as_py() == document_id(
        "s", Record(origin_path="a.warc.gz", offset=content_offsets(data)[0])
    )
    assert table.equals(pages(tmp_path, data)[0])


def test_columns_of_a_page(tmp_path):
    headers = [
        ("Content-Type", "Text/HTML; charset=utf-8"), ("Last-Modified", "x"), ("Content-Language", "fr"),
        ("Set-Cookie", "secret"),
    ]  # fmt: skip
    (row,) = rows(tmp_path, Warc().response("http://a.example/ü", b"<p>a\r\nb\0c", headers).data)
    metadata = json.loads(row.pop("metadata"))
    assert metadata.pop("record_id").startswith("<urn:uuid")
    assert metadata.pop("payload_digest").startswith("sha1:")
    assert metadata == {"http_status": 200, "last_modified": "x", "content_language": "fr"}
    assert isinstance(row.pop("fetched_at"), datetime)
    row.pop("doc_id")
    assert row == {
        "source": "s", "url": "http://a.example/ü", "title": "T 1", "text": "<p>a bc", "html_lang": "fr",
        "content_type": "text/html", "licence": "CC0-1.0", "n_bytes": 9, "origin_path": "a.warc.gz",
        "origin_offset": 0, "status": "ok",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "headers", "status", "why"),
    [
        (b"<p>fine", [], "ok", {}),
        (b'robots="nofollow"', [], "ok", {}),
        (b"<p>LOG IN", [], "login_page", {}),
        (b'<p>LOG IN robots="noai"', [], "opted_out", {"opted_out_by": "robots: noai"}),
        (b'robots="noai"', [], "opted_out", {"opted_out_by": "robots: noai"}),
        (b"<p>x", [("X-Robots-Tag", "otherbot: none"), ("X-Robots-Tag", "noindex")], "opted_out",
         {"opted_out_by": "x-robots-tag: noindex", "x_robots_tag": "otherbot: none, noindex"}),
        (b"<p>x", [("tdm-reservation", "1")], "opted_out",
         {"opted_out_by": "tdm-reservation: 1", "tdm_reservation": "1"}),
        (b"<p>x", [("X-Robots-Tag", "millbot: noai")], "opted_out",
         {"opted_out_by": "x-robots-tag: noai", "x_robots_tag": "millbot: noai"}),
        (b"RAISE", [], "extractor_failed", {"error": "RuntimeError: it asked for it"}),
        (b"<p>" + b"x" * 2000, [], "too_large", {}),
        (gzip.compress(b"<p>" + b"x" * 2000, mtime=0), [("Content-Encoding", "gzip")], "too_large", {}),
        (b"\x89PNG\0\0", [("Content-Type", "image/png")], "content_type", {}),
    ],
)  # fmt: skip
def test_fates(tmp_path, body, headers, status, why):
    settings = ExtractSettings(max_page_bytes=1000)
    crawl = CrawlSettings(seeds=["http://a.example/"], user_agent="MillBot/1.0")
    source = a_source(name="s", kind="crawl", crawl=crawl)
    headers = headers if "Content-Type" in dict(headers) else [*headers, ("Content-Type", "text/html")]
    warc = Warc().response("http://a.example/", body, headers).response("http://b.example/", page(1)).data
    row, next_row = rows(tmp_path, warc, source=source, settings=settings, kind="crawl")
    metadata = json.loads(row["metadata"])
    assert row["status"] == status
    assert (row["text"] is None) == (status != "ok")
    assert {k: v for k, v in metadata.items() if k not in ("record_id", "payload_digest", "http_status")} == why
    assert next_row["status"] == "ok"


def test_opt_outs_are_the_recipes(tmp_path):
    warc = Warc().response("http://a.example/", b'robots="noai"').data
    assert rows(tmp_path, warc, settings=ExtractSettings(opt_outs=[]))[0]["status"] == "ok"


def test_the_sources_licence_is_the_last_resort(tmp_path):
    source = SOURCE.model_copy(update={"licence": "CC-BY-4.0"})
    warc = Warc().response("http://a.example/", b"x").other("conversion", "http://a.example/", b"text").data
    assert [row["licence"] for row in rows(tmp_path, warc, source=source)] == ["CC0-1.0", "CC-BY-4.0"]


def test_an_empty_slice_has_the_columns(tmp_path):
    table, others = pages(tmp_path, b"\n")
    assert (table.num_rows, others.total()) == (0, 0)
    assert table.schema.equals(PAGES.arrow)


def test_metadata_is_json_whatever_comes_in(tmp_path):
    values = {
        "nan": float("inf"), "when": datetime(2026, 1, 2), "raw": b"caf\xe9", "list": [1, {"x": (2.5, None)}],
        "bad\ud800": "\udfff", "水": "水", "set": {1},
    }  # fmt: skip

    @register_source("tests-metadata")
    def reader(path, options):
        yield {"text": "a\ud800b", "url": "http://\udc00/", **values}

    try:
        piece = Slice(name="p", source="s", kind="tests-metadata", root="/in", files=("x",))
        source = a_source(name="s", kind="tests-metadata", paths=["x"])
        table, _ = read_pages(piece, source, ExtractSettings(), words)
    finally:
        del REGISTRY.sources["tests-metadata"]
    (row,) = table.to_pylist()
    assert (row["text"], row["url"]) == ("a\ufffdb", "http://\ufffd/")
    assert row["metadata"] == (
        '{"bad\ufffd":"\ufffd","list":[1,{"x":[2.5,null]}],"nan":null,"raw":"caf\\\\xe9","set":[1],'
        '"when":"2026-01-02T00:00:00","水":"水"}'
    )


def test_text_that_is_too_large(tmp_path):
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": "x" * 1001}) + "\n" + json.dumps({"text": "x" * 1000}))
    piece = Slice(name="p", source="j", kind="jsonl", root=str(tmp_path), files=("a.jsonl",))
    source = a_source(name="j", kind="jsonl", paths=["x"])
    table, _ = read_pages(piece, source, ExtractSettings(max_page_bytes=1000), words)
    assert table["status"].to_pylist() == ["too_large", "ok"]
    assert table["n_bytes"].to_pylist() == [1001, 1000]
    assert isinstance(table, pa.Table)
