import bz2
import gzip
import lzma
import tracemalloc
from datetime import datetime
from itertools import pairwise

import fsspec
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.collect import bzip2
from corpusmill.collect.formats import format_of
from corpusmill.collect.pages import read_pages
from corpusmill.collect.plan import plan
from corpusmill.collect.reader import read_slice
from corpusmill.collect.settings import RunSettings
from corpusmill.collect.slices import Slice
from corpusmill.extract.extractors import extractor
from corpusmill.page import ExtractSettings
from corpusmill.reasons import Status
from tests.collect.dumps import END, HEAD, any_streams, multistream, page, pages, plain, revision
from tests.collect.sources import a_source

SOURCE = a_source(name="w", kind="wikipedia", paths=["*"])
PAGES = pages(95)
MULTISTREAM = "dewiki-pages-articles-multistream.xml.bz2"
FILES = {
    "a.xml": plain(PAGES),
    MULTISTREAM: multistream(PAGES),
    "any-multistream.xml.bz2": any_streams(PAGES),
    "one.xml.bz2": bz2.compress(plain(PAGES)),
    "one.xml.gz": gzip.compress(plain(PAGES)),
    "one.xml.zst": zstandard.compress(plain(PAGES)),
}
CUTTABLE = [name for name in FILES if format_of("wikipedia").can_be_cut(name)]


def read(folder, data, name="a.xml", source=SOURCE, max_page_bytes=1_000_000, **bounds):
    (folder / name).write_bytes(data)
    piece = Slice(name="p", source="w", kind="wikipedia", root=str(folder), files=(name,), **bounds)
    reader = read_slice(piece, source, max_page_bytes)
    return list(reader), reader.reading.others


def rows_of(folder, data, name="a.xml"):
    (folder / name).write_bytes(data)
    piece = Slice(name="p", source="w", kind="wikipedia", root=str(folder), files=(name,))
    return read_pages(piece, SOURCE, ExtractSettings(), extractor("corpusmill"))[0].to_pylist()


@pytest.mark.parametrize("name", FILES)
def test_every_page_is_a_record(tmp_path, name):
    records, others = read(tmp_path, FILES[name], name)
    assert [r.title for r in records] == [f"Seite {i}" for i in range(1, 96)]
    assert {r.status for r in records} == {Status.OK}
    assert len({(r.offset, r.number) for r in records}) == 95
    assert not others


def test_what_a_record_says(tmp_path):
    first = read(tmp_path, plain([page(12, "Über [[x]] < & >", title="Ä & b/c?d")]))[0][0]
    assert first.body.decode() == "Über [[x]] < & >"
    assert (first.title, first.url) == ("Ä & b/c?d", "https://de.wikipedia.org/wiki/%C3%84_%26_b/c%3Fd")
    assert (first.licence, first.html_lang, first.media) == ("CC-BY-SA-4.0", "de", "wikitext")
    assert first.fetched_at == datetime(2024, 5, 13, 12, 30)
    assert first.metadata == {"wiki": "dewiki", "page_id": 12, "revision_id": 12, "namespace": 0}
    assert first.site.namespaces["datei"] == 6


def test_offsets_lead_back_to_the_bytes(tmp_path):
    data = FILES["a.xml"]
    for record in read(tmp_path, data)[0]:
        assert data[record.offset :].startswith(f"<page>\n    <title>{record.title}<".encode())
    data = FILES[MULTISTREAM]
    for record in read(tmp_path, data, MULTISTREAM)[0]:
        stream = bz2.BZ2Decompressor().decompress(data[record.offset :]).decode()
        assert f"<title>{record.title}<" in stream.split("<page>")[1 + record.number]
    data = FILES["one.xml.gz"]
    for record in read(tmp_path, data, "one.xml.gz")[0]:
        assert gzip.decompress(data)[record.offset :].startswith(f"<page>\n    <title>{record.title}<".encode())


def test_streams_start_where_the_index_of_a_dump_says(tmp_path):
    (tmp_path / "a").write_bytes(FILES[MULTISTREAM])
    index, at = [], 0
    while at < len(FILES[MULTISTREAM]):  # as the exporter notes them while it writes
        index.append(at)
        stream = bz2.BZ2Decompressor()
        stream.decompress(FILES[MULTISTREAM][at:])
        at = len(FILES[MULTISTREAM]) - len(stream.unused_data)
    with (tmp_path / "a").open("rb") as file:
        assert list(dict.fromkeys(piece.origin for piece in bzip2.streams(file, 0))) == index


@pytest.mark.parametrize("name", CUTTABLE)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_every_slicing_yields_each_page_once_and_each_damage(tmp_path_factory, name, data):
    folder = tmp_path_factory.mktemp("w")
    content = FILES[name]
    for damage in data.draw(st.lists(st.integers(1500, len(content) - 1), max_size=2)):
        content = content[:damage] + b"#" + content[damage + 1 :]
    content = content[: data.draw(st.sampled_from([len(content), len(content) - 700]))]
    bounds = data.draw(st.lists(st.integers(0, len(content)), max_size=6))
    whole = [seen(r) for r in read(folder, content, name)[0]]
    assert len({(offset, number) for offset, number, _, _ in whole}) == len(whole)
    cuts = pairwise([0, *sorted(bounds), len(content)])
    assert [seen(r) for a, b in cuts for r in read(folder, content, name, start=a, end=b)[0]] == whole


def seen(record):
    return record.offset, record.number, record.title, record.metadata.get("error")


@pytest.mark.parametrize("name", ["a.xml", "any-multistream.xml.bz2"])
def test_a_slice_may_begin_in_any_byte_of_a_tag(tmp_path, name):
    content = FILES[name]
    middle = content.index(b"<page>", len(content) // 2) if name == "a.xml" else content.index(b"BZh", 4000)
    for cut in range(middle - 3, middle + 9):
        halves = [read(tmp_path, content, name, start=a, end=b)[0] for a, b in ((0, cut), (cut, len(content)))]
        assert [r.title for half in halves for r in half] == [f"Seite {i}" for i in range(1, 96)]


def test_the_plan_cuts_what_can_be_cut(tmp_path):
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "dewiki-multistream-index.txt.bz2").write_bytes(bz2.compress(b"600:1:Seite 1\n"))
    source = a_source(name="w", kind="wikipedia", paths=["."])
    slices = plan([source], RunSettings(slice_bytes=4096), folder=tmp_path, corpus=tmp_path / "corpus")
    assert {piece.files[0] for piece in slices} == FILES.keys()
    assert {piece.files[0] for piece in slices if piece.start} == {n for n in CUTTABLE if len(FILES[n]) > 4096}


def test_redirects_namespaces_and_other_content_have_reasons(tmp_path):
    dump = plain(
        [
            page(1, "#WEITERLEITUNG [[Ziel]]", redirect="Ziel"),
            page(2, "#redirect [[Other#part]]"),  # older dumps have no element for it
            page(3, "talk", title="Diskussion:A", namespace=1),
            page(4, "return {}", model="Scribunto"),
            page(5, "text"),
            page(6, "{{Begriffsklärung}} [[a]]"),
        ]
    )
    rows = rows_of(tmp_path, dump)
    assert [r["status"] for r in rows] == [
        "redirect", "redirect", "other_namespace", "content_type", "ok", "disambiguation",
    ]  # fmt: skip
    assert '"redirect_to":"Ziel"' in rows[0]["metadata"]
    assert '"redirect_to":"Other#part"' in rows[1]["metadata"]
    assert '"namespace":1' in rows[2]["metadata"]
    assert '"model":"Scribunto"' in rows[3]["metadata"]
    assert [r["text"] for r in rows] == [None, None, None, None, "text", None]
    wanted = SOURCE.model_copy(update={"namespaces": [1]})
    assert [r.status for r in read(tmp_path, dump, source=wanted)[0]].count(Status.OK) == 1


@pytest.mark.parametrize("text", ['<text id="7" bytes="120" />', '<text bytes="9" deleted="deleted" />', ""])
def test_pages_whose_text_is_not_in_the_dump(tmp_path, text):
    stub = f"    <revision>\n      <id>1</id>\n      <model>wikitext</model>\n      {text}\n    </revision>\n"
    empty = revision("", 2)
    records, _ = read(tmp_path, plain([page(1, "", revisions=stub), page(2, "", revisions=empty)]))
    assert [r.status for r in records] == [Status.NO_TEXT_FIELD, Status.OK]


def test_the_last_revision_is_read_and_the_others_are_counted(tmp_path):
    history = "".join(revision(f"text {i}", i) for i in range(1, 6))
    records, others = read(tmp_path, plain([page(1, "", revisions=history), page(2, "b")]))
    assert [r.body for r in records] == [b"text 5", b"b"]
    assert others == {"older revision": 4}


def test_a_history_longer_than_memory_allows_is_read_to_its_last_revision(tmp_path):
    history = "".join(revision(f"{i}" * 200_000, i) for i in range(1, 30))
    records, others = read(tmp_path, plain([page(1, "", revisions=history), page(2, "b")]), max_page_bytes=500_000)
    assert [(r.status, r.n_bytes) for r in records] == [(Status.OK, 400_000), (Status.OK, 1)]
    assert others == {"older revision": 28}


@pytest.mark.parametrize("name", ["a.xml", MULTISTREAM])
def test_a_page_that_is_too_large_costs_only_itself(tmp_path, name):
    found = [page(1, "a"), page(2, "x" * 6_000_000), page(3, "c")]
    data = plain(found) if name == "a.xml" else multistream(found, 1)
    records, _ = read(tmp_path, data, name, max_page_bytes=1000)
    assert [r.status for r in records] == [Status.OK, Status.TOO_LARGE, Status.OK]


@pytest.mark.parametrize(
    ("xml", "error"),
    [
        ("  <page><title>x</title></page>\n", "no title or no revision"),
        ("  <page><title>x</ti</page>\n", "XML of the page"),
        ("  <page><title>&lol;</title></page>\n", "XML of the page"),
        (
            '  <page><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><title>&e;</title></page>\n',
            "XML of the page",
        ),
    ],
)
def test_pages_that_cannot_be_read_are_rows(tmp_path, xml, error):
    records, _ = read(tmp_path, plain([page(1, "a"), xml, page(3, "c")]))
    assert [r.status for r in records] == [Status.OK, Status.BROKEN_RECORD, Status.OK]
    assert error in records[1].metadata["error"]


def test_an_entity_that_is_declared_at_the_top_is_not_followed(tmp_path):
    bomb = '<!DOCTYPE mediawiki [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/hostname">]>\n'
    xml = bomb.encode() + plain([page(1, "x")]).replace(b"<title>Seite 1", b"<title>&b;&c;")
    assert [r.status for r in read(tmp_path, xml)[0]] == [Status.BROKEN_RECORD]


@pytest.mark.parametrize("name", [n for n in FILES if n != "a.xml"])
@pytest.mark.parametrize("damage", ["cut", "flip"])
def test_damage_loses_only_what_is_damaged(tmp_path, name, damage):
    data = bytearray(FILES[name])
    at = len(data) * 3 // 4
    if damage == "cut":
        del data[at:]
    else:
        data[at] ^= 0xFF
    records, _ = read(tmp_path, bytes(data), name)
    broken = [r for r in records if r.status is Status.BROKEN_RECORD]
    good = [r.title for r in records if r.status is Status.OK]
    assert broken
    assert good == [f"Seite {i}" for i in range(1, 96) if f"Seite {i}" in good]
    if name == MULTISTREAM:
        assert len(good) >= (60 if damage == "cut" else 85)
        if damage == "flip":
            assert good[-1] == "Seite 95"
    assert len({(r.offset, r.number) for r in records}) == len(records)


@pytest.mark.parametrize("name", ["a.xml", MULTISTREAM])
def test_a_dump_without_its_end_says_so(tmp_path, name):
    data = (
        (HEAD + "".join(PAGES)).encode() if name == "a.xml" else multistream(PAGES)[: -len(bz2.compress(END.encode()))]
    )
    for cuts in ([None], [len(data) // 2, len(data)]):
        slices = pairwise([0, *cuts])
        records = [r for a, b in slices for r in read(tmp_path, data, name, start=a, end=b)[0]]
        *good, last = records
        assert len(good) == 95
        assert (last.status, "cut off" in last.metadata["error"]) == (Status.BROKEN_RECORD, True)


def test_a_page_that_is_cut_off(tmp_path):
    data = plain(PAGES)[:-300]
    records, _ = read(tmp_path, data)
    *_, last, end = records
    assert [r.status for r in records].count(Status.BROKEN_RECORD) == 2
    assert "in this page" in last.metadata["error"]
    assert "no </mediawiki>" in end.metadata["error"]


@pytest.mark.parametrize("name", FILES)
def test_an_empty_file_and_one_of_another_kind(tmp_path, name):
    (empty,), _ = read(tmp_path, b"", name)
    assert empty.metadata["error"] == "the file is empty"
    packers = {".bz2": bz2.compress, ".gz": gzip.compress, ".zst": zstandard.compress}
    other = packers.get(name[name.rindex(".") :], bytes)(b"<html><page>x</page></html>")
    (record,), _ = read(tmp_path, other, name)
    assert "no <mediawiki>" in record.metadata["error"]
    assert read(tmp_path, plain([]), "a.xml")[0] == []


@pytest.mark.parametrize("name", [name for name in FILES if not name.endswith(".xml")])
def test_a_file_that_is_not_compressed_as_its_name_says(tmp_path, name):
    for data in (b"<html>x</html>", plain(PAGES), lzma.compress(plain(PAGES))):
        (record,), _ = read(tmp_path, data, name)
        assert record.metadata["error"].endswith(": the file is garbled or of another kind")


def test_other_wikis_have_no_licence_of_ours(tmp_path):
    dump = plain([page(1, "a")]).replace(b"de.wikipedia.org", b"wiki.example.org")
    (record,), _ = read(tmp_path, dump)
    assert (record.licence, record.url) == (None, "https://wiki.example.org/wiki/Seite_1")
    plainer = dump.replace(b"/wiki/Wikipedia:Hauptseite", b"/w/index.php?title=Hauptseite")
    assert read(tmp_path, plainer)[0][0].url == "https://wiki.example.org/w/index.php?title=Seite_1"
    no_info = b"<mediawiki>" + page(1, "a").encode() + END.encode()
    (record,), _ = read(tmp_path, no_info)
    assert (record.licence, record.url, record.title, record.status) == (None, None, "Seite 1", Status.OK)


@pytest.mark.parametrize("name", ["a.xml", MULTISTREAM])
def test_memory_is_that_of_a_page_not_of_the_file(tmp_path, name):
    found = pages(95) * 15
    (tmp_path / name).write_bytes(plain(found) if name == "a.xml" else multistream(found))
    piece = Slice(name="p", source="w", kind="wikipedia", root=str(tmp_path), files=(name,))
    tracemalloc.start()
    n = sum(1 for _ in read_slice(piece, SOURCE, 1000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert n == 1425
    assert peak < 9_000_000  # a window of 1 MB, what bzip2 inflates at once, and a page


def test_a_remote_dump_is_read_by_ranges():
    data = FILES[MULTISTREAM]
    with fsspec.open(f"memory://dumps/{MULTISTREAM}", "wb") as file:
        file.write(data)
    titles = []
    for start, end in ((0, len(data) // 2), (len(data) // 2, len(data))):
        piece = Slice(
            name="p", source="w", kind="wikipedia", root="memory://dumps", files=(MULTISTREAM,), start=start, end=end
        )
        titles += [r.title for r in read_slice(piece, SOURCE)]
    assert titles == [f"Seite {i}" for i in range(1, 96)]
