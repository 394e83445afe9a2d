"""Every kind of document: a real file, a damaged one, an empty one; and the way back to the bytes."""

import base64
import gzip
import io
import json
import re
import shutil
import sys
import zipfile
from datetime import datetime
from email import message_from_bytes
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import fsspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.collect.documents.paragraphs import document_text
from corpusmill.collect.documents.pdf import PdfText
from corpusmill.collect.fit import check_files
from corpusmill.collect.formats import format_of
from corpusmill.collect.pages import PageReader
from corpusmill.collect.plan import plan
from corpusmill.collect.reader import read_slice
from corpusmill.collect.records import DamageError
from corpusmill.collect.settings import RunSettings
from corpusmill.collect.slices import Slice
from corpusmill.errors import InputError
from corpusmill.extract.extractors import extractor
from corpusmill.page import ExtractSettings
from corpusmill.reasons import Status
from tests.collect.sources import a_source

FILES = Path(__file__).parent / "files"
REAL = {
    "epub": "book.epub", "docx": "letter.docx", "pdf": "paper.pdf", "feed": "news.rss", "mbox": "list.mbox",
    "stackexchange": "Posts.xml", "tmx": "pairs.tmx",
}  # fmt: skip


def records_of(kind, folder, name, max_page_bytes=1_000_000, bounds=None, **keys):
    source = a_source(name="s", kind=kind, paths=["*"], **keys)
    piece = Slice(name="p", source="s", kind=kind, root=str(folder), files=(name,), **(bounds or {}))
    reader = read_slice(piece, source, max_page_bytes)
    return list(reader), reader.reading.others


def rows_of(kind, folder, name, format="text", **keys):
    source = a_source(name="s", kind=kind, paths=["*"], **keys)
    piece = Slice(name="p", source="s", kind=kind, root=str(folder), files=(name,))
    extract = ExtractSettings(format=format)
    (table,) = PageReader(piece, source, extract, extractor("corpusmill", format)).tables(1 << 40)
    return [row | {"metadata": json.loads(row["metadata"])} for row in table.to_pylist()]


def written(folder, name, content):
    (folder / name).write_bytes(content)
    return folder, name


# ---- real files


def test_a_book():
    (row,) = rows_of("epub", FILES, "book.epub", "markdown")
    for passage in (
        "## The bridge",
        "*but deep*, and **cold**",
        "- a ford\n- a ferry\n  - with one boat",
        "$a^2 + b^2$",
        "| 1921 | 4.1 |",
        "# 村庄\n\n石桥边有一个村庄。",
        "def height(x):\n    return x * 2",
    ):
        assert passage in row["text"]
    assert (row["status"], row["title"], row["html_lang"], row["licence"]) == (
        "ok",
        "The Stone Bridge",
        "en",
        "CC0-1.0",
    )
    assert row["fetched_at"] == datetime(2024, 5, 1)
    with zipfile.ZipFile(FILES / row["origin_path"]) as archive:  # the way back
        chapters = [archive.read(name).decode() for name in row["metadata"]["chapters"]]
    assert ["village" in c or "村庄" in c for c in chapters] == [False, False, True]
    assert row["metadata"]["creator"] == "A. Writer"


def test_a_word_file():
    (row,) = rows_of("docx", FILES, "letter.docx", "markdown")
    for passage in (
        "## The bridge",
        "*but deep*, and **cold**",
        "- a ford\n- a ferry\n  - with one boat",
        "| 1921 | 4.1 |",
        "石桥边有一个村庄。",
        "```\ndef height(x):\n    return x * 2\n```",
        "A note on the arch.",
    ):
        assert passage in row["text"]
    assert "↑" not in row["text"]
    assert (row["status"], row["title"], row["origin_path"]) == ("ok", "The Stone Bridge", "letter.docx")
    assert row["metadata"]["formulas_left_out"] == 1  # mammoth reads none


def test_a_paper_with_columns_and_hyphens():
    (row,) = rows_of("pdf", FILES, "paper.pdf")
    assert (row["status"], row["title"], row["origin_path"]) == ("ok", "Rivers and bridges", "paper.pdf")
    assert row["fetched_at"] == datetime(2024, 5, 1)
    assert row["metadata"] == {"author": "A. Writer", "pages": 2}
    lines = row["text"].split("\n")
    sentences = [line for line in lines if line.startswith("Hydrographical")]
    assert sentences[0] == (
        "Hydrographical investigations of considerable sophistication characterise contemporary understanding of "
        "interconnected environmental phenomena number 0. Extraordinary precipitation notwithstanding, international "
        "organisations recommend responsible administration of infrastructure."
    )
    assert len(sentences) == 4  # each paragraph is a line, in the order of the columns
    assert lines.index("Introduction") < lines.index("Methods") < lines.index("Results")
    assert "1. First we measured the discharge.\n2. Then we compared the observations." in row["text"]


def test_a_scan_is_on_record():
    (row,) = rows_of("pdf", FILES, "scan.pdf")
    assert (row["status"], row["text"], row["metadata"]["pages"]) == ("no_text_layer", None, 2)


def test_feeds():
    flood, ferry, title = rows_of("feed", FILES, "news.rss")
    assert flood["text"] == "The river rose by two metres.\n\n- No one was hurt."
    assert (flood["title"], flood["url"]) == ("The bridge & the flood", "https://news.example.org/2024/flood")
    assert flood["fetched_at"] == datetime(2024, 5, 1, 12, 30)
    assert flood["licence"] == "https://creativecommons.org/licenses/by/4.0/"
    assert flood["metadata"] == {
        "author": "A. Writer", "entry_id": "tag:news.example.org,2024:1", "feed_title": "River news",
        "tags": ["rivers"],
    }  # fmt: skip
    assert (ferry["text"], ferry["metadata"]["record_number"]) == ("It has room for ten.", 1)
    assert (title["status"], title["title"]) == ("no_main_content", "Only a title")
    items = ElementTree.parse(FILES / flood["origin_path"]).getroot().findall("channel/item")  # the way back
    assert items[ferry["metadata"]["record_number"]].findtext("link") == ferry["url"]
    (note,) = rows_of("feed", FILES, "notes.atom")
    assert (note["title"], note["text"], note["html_lang"]) == ("石桥", "石桥很老。\n\n河水很清。", "zh")
    assert (note["fetched_at"], note["url"]) == (datetime(2024, 5, 1), "https://notes.example.org/1")


def feed(folder, name, content):
    written(folder, name, content.encode())
    return rows_of("feed", folder, name)


def test_titles_of_feeds_are_text(tmp_path):
    entries = {
        '<title type="html">Less: &lt;em&gt;1 &amp;lt; 2&lt;/em&gt;</title>': "Less: 1 < 2",
        '<title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">A <b>b</b> &amp; c<br/>d</div></title>':
            "A b & c d",
        '<title type="html"><![CDATA[<b>C</b>DATA &eacute;<script>x</script>]]></title>': "CDATA é",
        '<title type="text">less &lt;b&gt;</title>': "less <b>",
        "<title>AT&amp;T: vec&lt;T&gt;, 1 &lt; 2</title>": "AT&T: vec<T>, 1 < 2",
        '<title type="html">10&lt;sup&gt;2&lt;/sup&gt; ways &lt;img src="x" alt="y"/&gt;</title>': "10^2 ways",
        '<title type="html">The 1&lt;sup&gt;st&lt;/sup&gt; x&lt;sup&gt;-1&lt;/sup&gt; &lt;sup&gt;2&lt;/sup&gt;</title>':
            "The 1st x^-1 2",
        "": None,
    }  # fmt: skip
    body = "".join(f"<entry>{title}<summary>x</summary></entry>" for title in entries)
    head = '<feed xmlns="http://www.w3.org/2005/Atom"><title type="html">A &amp;amp; &lt;i&gt;B&lt;/i&gt;</title>'
    rows = feed(tmp_path, "a.atom", head + body + "</feed>")
    assert [row["title"] for row in rows] == [*entries.values()]
    assert {row["metadata"]["feed_title"] for row in rows} == {"A & B"}
    entries = {
        "&lt;b&gt;Bold&lt;/b&gt; &amp;amp; more": "Bold & more",
        "<![CDATA[<i>It</i> &amp; that]]>": "It & that",
        "1 &lt; 2 and 3 &gt; 2": "1 < 2 and 3 > 2",
        "Tom &amp; Jerry &amp;quot;x&amp;quot;": 'Tom & Jerry "x"',
        "vec&lt;T&gt;": "vec<T>",
    }
    body = "".join(f"<item><title>{title}</title><description>x</description></item>" for title in entries)
    rows = feed(tmp_path, "a.rss", f'<rss version="2.0"><channel><title>t</title>{body}</channel></rss>')
    assert [row["title"] for row in rows] == [*entries.values()]


def test_relative_links_of_feeds_are_resolved(tmp_path):
    items = """<item><title>0</title><link>/p/1</link></item><item><title>1</title><link>p/2</link></item>
        <item><title>2</title><guid>/p/3</guid></item><item><title>3</title><link>//cdn.example/4</link></item>
        <item><title>4</title><guid>no-link</guid></item><item><title>5</title><link>https://b.example/5</link></item>
        <item><title>6</title><link>http://[a/6</link></item>"""
    channel = "<channel><title>t</title><link>http://r.example/dir/</link>"
    rows = feed(tmp_path, "a.rss", f'<rss version="2.0">{channel}{items}</channel></rss>')
    assert [row["url"] for row in rows][:6] == [
        "http://r.example/p/1", "http://r.example/dir/p/2", "http://r.example/p/3", "http://cdn.example/4", None,
        "https://b.example/5",
    ]  # fmt: skip
    assert rows[4]["metadata"]["relative_link"] == "no-link"
    entry = '<entry xml:base="{}"><title>x</title><link href="z"/></entry>'
    atom = '<feed xmlns="http://www.w3.org/2005/Atom" {}><title>t</title>{}</feed>'
    for base, within, url in (
        ('xml:base="http://a.example/b/"', "", "http://a.example/b/z"),
        ('xml:base="http://a.example/b/"', "http://c.example/", "http://c.example/z"),
        ("", "", None),
    ):
        (row,) = feed(tmp_path, "a.atom", atom.format(base, entry.format(within)))
        assert (row["url"], row["metadata"].get("relative_link")) == (url, None if url else "z")


def test_mail():
    records, others = records_of("mbox", FILES, "list.mbox")
    ann, bob, eve = rows_of("mbox", FILES, "list.mbox")
    assert ann["text"].strip() == "The gauge shows 4\u00a0m.\n\nFrom here it can only fall."
    assert (ann["title"], ann["fetched_at"]) == ("[rivers] Gauge at the brücke", datetime(2024, 5, 6, 8))
    assert ann["metadata"]["list_id"] == "<rivers.example.org>"
    assert bob["text"].strip() == "It fell today.\nFrom now on we measure daily."
    assert bob["metadata"]["in_reply_to"] == ann["metadata"]["message_id"]
    assert bob["metadata"]["references"] == ["<1@example.org>"]
    assert (eve["text"], eve["fetched_at"]) == ("- one\n- two", None)
    assert others == {"attachment": 1}
    data = (FILES / "list.mbox").read_bytes()
    for record in records:  # the way back
        raw = data[record.offset :].split(b"\n", 1)[1]
        assert message_from_bytes(raw)["Message-ID"] == record.metadata.get("message_id")


CHINESE = "这是一封中文邮件，内容足够长，可以用来检验字符编码的处理是否正确。" * 5


def mail(folder, body, *fields):
    head = "\n".join(["From a@b Mon Jan  1 00:00:00 2024", "Subject: a", *fields, "\n"])
    (row,) = rows_of("mbox", *written(folder, "a.mbox", head.encode() + body + b"\n"))
    return row


@pytest.mark.parametrize(
    ("kind", "charset", "end"),
    [
        ("plain", "utf-8", b"\xff"),
        ("plain", "gb2312", "确".encode("gb2312")[:1]),
        ("html", "utf-8", b"\xff"),
        ("html", "gb2312", b"\xff"),
    ],
)
@pytest.mark.parametrize("is_base64", [False, True])
def test_a_byte_that_cannot_be_decoded_costs_a_character(tmp_path, kind, charset, end, is_base64):
    body = CHINESE.encode(charset) + end
    fields = [f"Content-Type: text/{kind}; charset={charset}"]
    fields.append(f"Content-Transfer-Encoding: {'base64' if is_base64 else '8bit'}")
    row = mail(tmp_path, base64.encodebytes(body) if is_base64 else body, *fields)
    assert (row["status"], row["text"].strip()) == ("ok", CHINESE + "\ufffd")
    assert row["metadata"]["decoding_errors"] == 1


def test_charsets_of_mail(tmp_path):
    for declared, charset in [(None, "utf-8"), ("us-ascii", "utf-8"), ("x-unknown", "utf-8"), ("x-unknown", "gb18030"),
                              ("iso-8859-1", "iso-8859-1"), ("utf-7", "utf-7")]:  # fmt: skip
        said = CHINESE if charset != "iso-8859-1" else "Grüne Brücken über kühle Flüsse"
        fields = [f"Content-Type: text/plain; charset={declared}"] if declared else []
        row = mail(tmp_path, said.encode(charset), *fields)
        assert (row["status"], row["text"].strip()) == ("ok", said)
        assert "decoding_errors" not in row["metadata"]
    body = "<p>Grüne Brücken über kühle Flüsse</p>".encode("latin-1")
    row = mail(tmp_path, body, "Content-Type: text/html; charset=utf-8")
    assert (row["text"], row["metadata"]) == ("Grüne Brücken über kühle Flüsse", {})


def test_the_html_is_read_if_the_plain_part_is_empty(tmp_path):
    parts = "--x\nContent-Type: text/plain\n\n \n--x\nContent-Type: text/html\n\n<p>The river</p>\n--x--\n"
    row = mail(tmp_path, parts.encode(), 'Content-Type: multipart/alternative; boundary="x"')
    assert (row["status"], row["text"], row["content_type"]) == ("ok", "The river", "text/html")


def test_parts_without_a_boundary_are_a_text(tmp_path):
    row = mail(tmp_path, b"The river rose.", "Content-Type: multipart/mixed")
    assert (row["status"], row["text"].strip()) == ("ok", "The river rose.")


def test_base64_that_ends_within_a_byte(tmp_path):
    text = base64.b64encode(b"The river rose by two metres. " * 20)
    row = mail(tmp_path, text[:101], "Content-Transfer-Encoding: base64")
    assert row["text"].strip() == ("The river rose by two metres. " * 20)[:75].strip()
    assert row["metadata"]["damaged_base64"] is True


def test_threads_are_together_and_answers_by_score():
    rows = rows_of("stackexchange", FILES, "Posts.xml", site="https://rivers.example.org")
    deep, why, orphan = rows
    assert deep["text"] == "I want to know it.\n\ndepth(x)\n\nMeasure it.\n\nFour metres.\n\nVery deep."
    assert (deep["title"], deep["url"]) == ("How deep is a <river>?", "https://rivers.example.org/questions/1")
    assert [(a["id"], a["score"], a.get("accepted")) for a in deep["metadata"]["answers"]] == [
        (5, 9, True), (4, 9, None), (3, -2, None),
    ]  # fmt: skip
    assert (deep["licence"], deep["metadata"]["tags"], deep["metadata"]["score"]) == (
        "CC-BY-SA-4.0",
        ["rivers", "depth"],
        7,
    )
    assert (why["text"], why["licence"], why["metadata"]["tags"]) == ("No reply.", "CC-BY-SA-3.0", ["a", "b"])
    assert (orphan["text"], orphan["metadata"]["question_is_missing"]) == ("Its question is gone.", True)
    _, others = records_of("stackexchange", FILES, "Posts.xml")
    assert others == {"post of type 5": 1}
    data = (FILES / "Posts.xml").read_bytes()
    assert data[deep["origin_offset"] :].lstrip().startswith(b'<row Id="1"')  # the way back
    for answer in deep["metadata"]["answers"]:
        assert data[answer["offset"] :].lstrip().startswith(b'<row Id="%d"' % answer["id"])


def test_another_file_of_a_dump_says_what_to_do(tmp_path):
    row = '  <row Id="1" PostId="2" Score="0" Text="x" CreationDate="2024-01-01T00:00:00.000" UserId="3" />'
    head = '\ufeff<?xml version="1.0" encoding="utf-8"?>\r\n<comments>'
    written(tmp_path, "Comments.xml", f"{head}\n{row}\n{row}\n</comments>".encode())
    (record,), _ = records_of("stackexchange", tmp_path, "Comments.xml")
    error = "it holds the comments of a dump; name its Posts.xml, which has questions and answers"
    assert (record.status, record.metadata) == (Status.BROKEN_RECORD, {"error": error})
    source = a_source(name="s", kind="stackexchange", paths=["Comments.xml"])
    slices = plan([source], RunSettings(), folder=tmp_path, corpus=tmp_path / "c")
    with pytest.raises(InputError, match=f"source 's': Comments.xml: {error}"):
        check_files(slices, lambda _: source)
    source = a_source(name="s", kind="stackexchange", paths=["."])
    with pytest.raises(
        InputError, match=r"\(looked for files that end in posts.xml in .*\); unpack the dump's Posts.xml"
    ):
        plan([source], RunSettings(), folder=tmp_path, corpus=tmp_path / "c")
    (tmp_path / "Posts.xml").write_bytes((FILES / "Posts.xml").read_bytes())
    slices = plan([source], RunSettings(), folder=tmp_path, corpus=tmp_path / "c")
    check_files(slices, lambda _: source)


def test_parallel_texts():
    (row,) = rows_of("tmx", FILES, "pairs.tmx", languages=["zh", "en"])
    assert row["text"] == "河很深。\nThe river is deep.\n\n桥很老。\nThe bridge is old."
    assert row["metadata"] == {"languages": ["zh", "en", "en-GB"], "units": 2}
    rows = rows_of("tmx", FILES, "pairs.tmx", units_per_record=1)
    assert [r["text"].split("\n")[-1] for r in rows] == ["河很深。", "桥很老。", "Only English & no other."]
    data = (FILES / "pairs.tmx").read_bytes()
    for row in rows:  # the way back
        unit = re.match(rb"<tu[\s>].*?</tu>", data[row["origin_offset"] :], re.DOTALL)
        assert unit is not None
        segment = next(ElementTree.fromstring(re.sub(rb"<(bpt|ept) .*?</\1>", b"", unit[0])).iter("seg"))
        assert " ".join((segment.text or "").split()) == row["text"].split("\n")[0]


def test_codes_in_sentences_and_units_that_are_left_out(tmp_path):
    def unit(**said):
        variants = "".join(f'<tuv xml:lang="{language[:2]}"><seg>{s}</seg></tuv>' for language, s in said.items())
        return f"<tu>{variants}</tu>"

    codes = '<bpt i="1">&lt;b&gt;</bpt>The <hi>old <ph>{1}</ph>bridge</hi><ept i="1">&lt;/b&gt;</ept> stands.'
    foot = "Look<ph>fn<sub> at <it>x</it>it</sub>end</ph><ut>y</ut>!"
    units = [unit(en=codes, de="Die Brücke steht."), unit(en="Only English."), unit(en=foot, en2="See!", de="Schau!")]
    file = written(tmp_path, "a.tmx", f"<tmx><body>{''.join(units)}</body></tmx>".encode())
    (row,) = rows_of("tmx", *file, languages=["en", "de"])
    assert row["text"] == "The old bridge stands.\nDie Brücke steht.\n\nLook at it!\nSchau!"
    _, others = records_of("tmx", *file, languages=["en", "de"])
    assert others == {"unit without a wanted language": 1, "further variant of a language": 1}
    file = written(tmp_path, "b.tmx", f"<tmx>{unit(en='')}{unit(en='Yes.')}</tmx>".encode())
    assert records_of("tmx", *file)[1] == {"unit without text": 1}


# ---- damaged and empty files, and files of another kind


@pytest.mark.parametrize("kind", REAL)
def test_an_empty_file_is_a_row(tmp_path, kind):
    (record,), _ = records_of(kind, *written(tmp_path, REAL[kind], b""))
    assert (record.status, record.metadata["error"]) == (Status.BROKEN_RECORD, "the file is empty")


@pytest.mark.parametrize("kind", REAL)
def test_a_file_that_is_cut_off_is_on_record(tmp_path, kind):
    data = (FILES / REAL[kind]).read_bytes()
    records, _ = records_of(kind, *written(tmp_path, REAL[kind], data[: len(data) * 2 // 3]))
    assert len({(r.offset, r.number) for r in records}) == len(records)
    if kind == "mbox":  # its format does not say where it ends
        assert [r.status for r in records[:1]] == [Status.OK]
    else:
        assert Status.BROKEN_RECORD in {r.status for r in records}


@pytest.mark.parametrize("kind", REAL)
def test_a_file_of_another_kind_is_a_row(tmp_path, kind):
    records, _ = records_of(kind, *written(tmp_path, REAL[kind], b"hello\nworld\n" + bytes(range(256))))
    assert {r.status for r in records} == {Status.BROKEN_RECORD}


@pytest.mark.parametrize("kind", REAL)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_any_damage_is_survived(tmp_path_factory, kind, data):
    folder = tmp_path_factory.mktemp("d")
    content = bytearray((FILES / REAL[kind]).read_bytes())
    for at in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=8)):
        content[at] = data.draw(st.integers(0, 255))
    records, _ = records_of(kind, *written(folder, REAL[kind], bytes(content)))
    assert records
    assert len({(r.offset, r.number) for r in records}) == len(records)


def test_damage_inside_costs_its_place_only(tmp_path):
    posts = (FILES / "Posts.xml").read_bytes().replace(b'Score="9" Body="&lt;p&gt;Four', b'Score="9" Body="&lt;p<Four')
    deep, *_ = rows_of("stackexchange", *written(tmp_path, "Posts.xml", posts))
    assert "Four" not in deep["text"]
    assert deep["metadata"]["unreadable_posts"] == 1
    pairs = (FILES / "pairs.tmx").read_bytes().replace(b'<tu tuid="2">', b"<tu tuid=2>")
    rows = rows_of("tmx", *written(tmp_path, "pairs.tmx", pairs))
    assert [r["status"] for r in rows] == ["ok", "broken_record", "ok"]
    feed = (FILES / "news.rss").read_bytes().replace(b"</channel>", b"<a></b>")
    rows = rows_of("feed", *written(tmp_path, "news.rss", feed))
    assert [r["status"] for r in rows] == ["ok", "ok", "no_main_content", "broken_record"]


@pytest.mark.parametrize("kind", ["mbox", "tmx"])
def test_compressed_files(tmp_path, kind):
    data = (FILES / REAL[kind]).read_bytes()
    plain = [(r.offset, r.text, r.body) for r in records_of(kind, FILES, REAL[kind])[0]]
    packed = written(tmp_path, f"{REAL[kind]}.gz", gzip.compress(data))
    assert [(r.offset, r.text, r.body) for r in records_of(kind, *packed)[0]] == plain
    packed = written(tmp_path, f"{REAL[kind]}.gz", gzip.compress(data)[:-30])
    *_, last = records_of(kind, *packed)[0]
    assert "cut off" in last.metadata["error"]


@pytest.mark.parametrize("kind", REAL)
def test_remote_files_are_read_alike(kind):
    with fsspec.open(f"memory://documents/{REAL[kind]}", "wb") as file:
        file.write((FILES / REAL[kind]).read_bytes())
    local, remote = (records_of(kind, folder, REAL[kind])[0] for folder in (FILES, "memory://documents"))
    assert [(r.offset, r.text, r.body, r.status) for r in remote] == [
        (r.offset, r.text, r.body, r.status) for r in local
    ]


@settings(max_examples=40, deadline=None)
@given(bounds=st.lists(st.integers(0, (FILES / "list.mbox").stat().st_size), max_size=6), crlf=st.booleans())
def test_every_slicing_of_mail_yields_each_message_once(tmp_path_factory, bounds, crlf):
    folder = tmp_path_factory.mktemp("m")
    data = (FILES / "list.mbox").read_bytes()
    data = data.replace(b"\n", b"\r\n") if crlf else data
    written(folder, "a.mbox", data)
    whole = [r.offset for r in records_of("mbox", folder, "a.mbox")[0]]
    assert len(whole) == 3
    cuts = pairwise([0, *sorted(bounds), len(data)])
    slices = [records_of("mbox", folder, "a.mbox", bounds={"start": a, "end": b})[0] for a, b in cuts]
    assert [r.offset for records in slices for r in records] == whole


# ---- files that attack


def zipped(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def members_of(name):
    with zipfile.ZipFile(FILES / name) as archive:
        return {member: archive.read(member) for member in archive.namelist()}


BOMB = b'<!DOCTYPE x [<!ENTITY a "%s"><!ENTITY b "%s">]>' % (b"x" * 50_000, b"&a;" * 50_000)
LEAK = b'<!DOCTYPE x [<!ENTITY b SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize("prefix", [BOMB, LEAK], ids=["bomb", "leak"])
@pytest.mark.parametrize(
    ("kind", "member", "tag"),
    [("epub", "META-INF/container.xml", b"<container"), ("docx", "word/document.xml", b"<w:document"),
     ("feed", "", b"<rss"), ("tmx", "", b"<tmx")],
)  # fmt: skip
def test_entities_neither_grow_nor_leak(tmp_path, kind, member, tag, prefix):
    if member:
        members = members_of(REAL[kind])
        members[member] = members[member].replace(tag, prefix + tag, 1)
        data = zipped(members)
    else:
        data = re.sub(rb"<!DOCTYPE[^>]*>", b"", (FILES / REAL[kind]).read_bytes()).replace(tag, prefix + tag, 1)
        data = data.replace(b"<seg>The bridge", b"<seg>&b;The bridge").replace(b"It has room", b"&b;It has room")
    records, _ = records_of(kind, *written(tmp_path, REAL[kind], data))
    assert Status.BROKEN_RECORD in {r.status for r in records}
    assert not any("root:" in (r.text or "") or b"root:" in (r.body or b"") for r in records)


def word_file(folder, body):
    members = members_of("letter.docx")
    start = members["word/document.xml"].index(b"<w:body>") + len(b"<w:body>")
    members["word/document.xml"] = (
        members["word/document.xml"][:start] + body.encode() + members["word/document.xml"][start:]
    )
    (row,) = rows_of("docx", *written(folder, "a.docx", zipped(members)))
    return row


@pytest.mark.parametrize(
    ("xml", "text"),
    [
        ('<w:fldSimple w:instr="AUTHOR"><w:r><w:t>Writer</w:t></w:r></w:fldSimple>', "Writer"),
        ('<w:dir w:val="rtl"><w:r><w:t>left</w:t></w:r></w:dir>', "left"),
        ('<w:bdo w:val="rtl"><w:r><w:t>right</w:t></w:r></w:bdo>', "right"),
        ("<w:r><w:ruby><w:rubyPr/><w:rt><w:r><w:t>かわ</w:t></w:r></w:rt>"
         "<w:rubyBase><w:r><w:t>川</w:t></w:r></w:rubyBase></w:ruby></w:r>", "川"),
    ],
)  # fmt: skip
def test_text_in_fields_directions_and_ruby_is_read(tmp_path, xml, text):
    row = word_file(tmp_path, f"<w:p><w:r><w:t>By </w:t></w:r>{xml}<w:r><w:t>.</w:t></w:r></w:p>")
    assert row["text"].split("\n")[0] == f"By {text}."


def test_raised_numbers_of_word_files(tmp_path):
    def run(text, raised=""):
        of = f'<w:rPr><w:vertAlign w:val="{raised}"/></w:rPr>' if raised else ""
        return f"<w:r>{of}<w:t>{text}</w:t></w:r>"

    up, down = "superscript", "subscript"
    row = word_file(
        tmp_path,
        f"<w:p>{run('10')}{run('8', up)}{run(' m, 1')}{run('st', up)}{run(', H')}{run('2', down)}{run('O.')}</w:p>",
    )
    assert row["text"].split("\n")[0] == "10^8 m, 1st, H2O."


def test_raised_numbers_of_books(tmp_path):
    members = members_of(REAL["epub"])
    name, content = next((n, c) for n, c in members.items() if n.endswith("html") and b"</p>" in c and b"<nav" not in c)
    members[name] = content.replace(b"</p>", b" It has 10<sup>8</sup> rivets.</p>", 1)
    texts = [row["text"] or "" for row in rows_of("epub", *written(tmp_path, "a.epub", zipped(members)))]
    assert any("It has 10^8 rivets." in text for text in texts)


def test_a_missing_note_costs_its_mark_only(tmp_path):
    row = word_file(tmp_path, '<w:p><w:r><w:t>By.</w:t><w:footnoteReference w:id="77"/></w:r></w:p>')
    assert row["text"].split("\n")[0] == "By."
    assert "A note on the arch." in row["text"]
    assert row["metadata"]["missing_notes"] == 1


def test_an_old_word_file_says_what_to_do(tmp_path):
    content = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)
    (record,), _ = records_of("docx", *written(tmp_path, "a.docx", content))
    assert record.metadata == {
        "error": "it is a Word file of the old form (.doc), or has a password; save it as .docx without one"
    }


def test_a_word_file_that_is_nested_too_deeply_is_a_row(tmp_path):
    row = word_file(tmp_path, "<w:smartTag>" * 3000 + "</w:smartTag>" * 3000)
    assert (row["status"], row["metadata"]["error"]) == ("broken_record", "the document is nested too deeply")


@pytest.mark.parametrize("kind", ["epub", "docx"])
def test_an_archive_that_inflates_without_end(tmp_path, kind):
    members = members_of(REAL[kind])
    name = "EPUB/text/ch001.xhtml" if kind == "epub" else "word/document.xml"
    members[name] = members[name].replace(b"The river", b"x" * 30_000_000)
    (record,), _ = records_of(kind, *written(tmp_path, REAL[kind], zipped(members)))
    assert record.status is Status.BROKEN_RECORD
    assert "inflates to more" in record.metadata["error"]


def test_a_book_that_is_encrypted_or_names_files_elsewhere(tmp_path):
    members = members_of("book.epub")
    encryption = '<encryption xmlns="urn:x"><EncryptionMethod Algorithm="{}"/></encryption>'
    members["META-INF/encryption.xml"] = encryption.format("http://www.w3.org/2001/04/xmlenc#aes256-cbc").encode()
    (record,), _ = records_of("epub", *written(tmp_path, "a.epub", zipped(members)))
    assert record.metadata["error"] == "the book is encrypted"
    members["META-INF/encryption.xml"] = encryption.format("http://www.idpf.org/2008/embedding").encode()
    package = members["EPUB/content.opf"]
    members["EPUB/content.opf"] = package.replace(b'href="text/ch001.xhtml"', b'href="../../../../etc/passwd"')
    (record,), _ = records_of("epub", *written(tmp_path, "a.epub", zipped(members)))
    assert record.status is Status.OK
    assert record.metadata["missing_chapters"] == ["../../../etc/passwd"]


def test_chapters_out_of_the_order_of_a_book_are_on_record(tmp_path):
    members = members_of("book.epub")
    package = members["EPUB/content.opf"].decode()
    first, second = re.findall(r'<itemref idref="(ch00\w*)"', package)[:2]
    package = package.replace(f'<itemref idref="{first}"', f'<itemref linear="no" idref="{first}"')
    package = package.replace("</spine>", f'<itemref linear="no" idref="{second}"/></spine>')
    members["EPUB/content.opf"] = package.encode()
    before, after = (
        records_of("epub", *written(tmp_path, "a.epub", data))[0][0].metadata
        for data in ((FILES / "book.epub").read_bytes(), zipped(members))
    )
    (left_out,) = after["chapters_out_of_order"]
    assert left_out in before["chapters"]
    assert after["chapters"] == [name for name in before["chapters"] if name != left_out]
    assert "chapters_out_of_order" not in before


def test_a_text_that_is_too_large_is_a_row(tmp_path):
    shutil.copy(FILES / "paper.pdf", tmp_path)
    assert [r.status for r in records_of("pdf", tmp_path, "paper.pdf", max_page_bytes=3000)[0]] == [Status.TOO_LARGE]
    mail = (FILES / "list.mbox").read_bytes().replace(b"It fell", b"x\n" * 50_000 + b"It fell")
    statuses = [r.status for r in records_of("mbox", *written(tmp_path, "a.mbox", mail), max_page_bytes=3000)[0]]
    assert statuses == [Status.OK, Status.TOO_LARGE, Status.OK]
    posts = (FILES / "Posts.xml").read_bytes().replace(b"Very deep", b"x" * 2_000_000)
    statuses = [
        r.status for r in records_of("stackexchange", *written(tmp_path, "Posts.xml", posts), max_page_bytes=3000)[0]
    ]
    assert statuses == [Status.TOO_LARGE, Status.OK, Status.OK, Status.OK]


def test_a_password_is_not_that_of_the_file_before():
    text = PdfText()
    no_pages = a_pdf(["x"]).replace(b"/Kids[3 0 R]/Count 1", b"/Kids[     ]/Count 0")
    encryption = b"/Encrypt<</Filter/Standard/V 1/R 2/P -4/O(%s)/U(%s)>>" % (b"o" * 32, b"u" * 32)
    locked = a_pdf(["x"]).replace(b"/Root 1 0 R", b"/Root 1 0 R/ID[<00><00>]" + encryption)
    try:
        for content, error in ((locked, "the file needs a password"), (no_pages, "the file is damaged, or no PDF")):
            with pytest.raises(DamageError, match=error):
                list(text.documents("a.pdf", content, 1_000_000))
    finally:
        text.close()


def test_a_pdf_library_that_hangs_or_dies_costs_one_file(monkeypatch):
    content = (FILES / "paper.pdf").read_bytes()
    program = "import sys,time; sys.stdin.buffer.read(8); time.sleep(600)"
    text = PdfText(max_seconds=0.3)
    monkeypatch.setattr("corpusmill.collect.documents.pdf._PROGRAM", program)
    with pytest.raises(Exception, match=r"takes more than 0.3 s"):
        list(text.documents("a", content, 1_000_000))
    monkeypatch.setattr("corpusmill.collect.documents.pdf._PROGRAM", "import os; os.kill(os.getpid(), 9)")
    text = PdfText()
    with pytest.raises(Exception, match="the PDF library fails"):
        list(text.documents("a", content, 1_000_000))
    monkeypatch.undo()
    (record,) = text.documents("a", content, 1_000_000)  # in a new process
    assert record.status is Status.OK
    text.close()


@pytest.mark.parametrize(("kind", "library"), [("docx", "mammoth"), ("pdf", "pypdfium2"), ("feed", "feedparser")])
def test_a_library_that_is_not_installed_is_named(monkeypatch, kind, library):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(InputError, match=rf"kind '{kind}' needs {library}.*pip install 'corpusmill\[documents\]'"):
        records_of(kind, FILES, REAL[kind])


# ---- lines and paragraphs


def test_lines_become_paragraphs():
    long = "Water runs down the hill and through the long valley to the se"
    pages = [
        f"Rivers {n}\r\n{long}\x02a in the west.\r\n{long}\r\nand further on.\r\nShort line\r\n1. an item"
        f"\r\npage {n} of 4"
        for n in range(1, 5)
    ]
    text = document_text(pages)
    assert text.split("\n\n")[0].split("\n") == [
        long + "a in the west.",
        long + " and further on.",
        "Short line",
        "1. an item",
    ]
    assert "page" not in text
    assert "Rivers" not in text
    wide = "石桥边有一个村庄村里的人都喜欢这条河也喜欢这座桥"
    assert document_text([f"{wide}\n{wide}\n完。"]) == f"{wide}{wide}完。"
    assert document_text(["", "a\n"]) == "a"


@pytest.mark.parametrize(
    ("divided", "whole"),
    [
        ("a word that is bro\x02ken", "a word that is broken"),
        ("well\x02known and self\x02contained, but self\x02ish", "well-known and self-contained, but selfish"),
        ("the Anglo\x02Saxon kings, Jean\x02Paul", "the Anglo-Saxon kings, Jean-Paul"),
        ("COVID\x0219 in 1990\x022000, a 20\x02year plan", "COVID-19 in 1990-2000, a 20-year plan"),
        ("state-of\x02the-art", "state-of-the-art"),
        ("PRO\x02GRAMS", "PROGRAMS"),
        ("pre\x02and post-war, Vor\x02und Nachteile", "pre- and post-war, Vor- und Nachteile"),
        ("e\x02mail. An e-mail.", "e-mail. An e-mail."),
        ("co\x02operate. Co-operate, cooperate, co-operate", "co-operate. Co-operate, cooperate, co-operate"),
        ("Java\x02Script. JavaScript", "JavaScript. JavaScript"),
        ("non-govern\x02mental. governmental", "non-governmental. governmental"),
        ("in\x02ter\x02national", "international"),
        ("\x02a", "a"),
    ],
)  # fmt: skip
def test_words_that_a_line_end_divides(divided, whole):
    assert document_text([divided]) == whole


LINES = [
    "This is a long line of text with a word that is bro-", "ken at its end, and the next line has a well-",
    "known compound, and then we meet the Anglo-", "Saxon kings of the years and the decade of 1990-",
    "1999 and the well-known disease of COVID-", "19, which ends this paragraph.",
]  # fmt: skip


def a_pdf(lines):
    """A page of lines in Helvetica, as a program without any library would write it."""
    drawn = "BT /F 11 Tf 14 TL 50 750 Td " + " ".join(f"({line}) Tj T*" for line in lines) + " ET"
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        f"<</Length {len(drawn)}>>stream\n{drawn}\nendstream", "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]  # fmt: skip
    file, places = "%PDF-1.4\n", []
    for number, each in enumerate(objects, start=1):
        places.append(len(file))
        file += f"{number} 0 obj\n{each}\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    end = f"xref\n0 6\n0000000000 65535 f \n{table}trailer<</Size 6/Root 1 0 R>>\nstartxref\n{len(file)}\n%%EOF"
    return (file + end).encode("ascii")


def test_hyphens_at_line_ends_of_a_pdf(tmp_path):
    (row,) = rows_of("pdf", *written(tmp_path, "a.pdf", a_pdf(LINES)))
    assert row["text"] == (
        "This is a long line of text with a word that is broken at its end, and the next line has a well-known "
        "compound, and then we meet the Anglo-Saxon kings of the years and the decade of 1990-1999 and the well-known "
        "disease of COVID-19, which ends this paragraph."
    )


def test_formats_know_what_they_find_in_a_folder():
    assert all(name.lower().endswith(format_of(kind).endings) for kind, name in REAL.items())
