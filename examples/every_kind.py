"""Write a small file of each kind of source into a folder, for `recipes/every-kind.toml`.

python -m examples.every_kind my-files
"""

import gzip
import json
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

SENTENCES = (
    "The old mill by the river was built of grey stone, and its wheel turned all summer.",
    "In the morning the miller opened the sluice, and the water rose slowly behind the gate.",
    "Grain was carried up the narrow stairs in sacks, and came down again as flour.",
    "When the frost came, the wheel stood still, and the village baked from its store.",
)
LETTERS = '''\
"""A kind of source of one's own: files in which a line of dashes separates letters."""

from pathlib import Path

from corpusmill import source


@source("letters")
def letters(path, options):
    for text in Path(path).read_text("utf-8").split("\\n----\\n"):
        yield {"text": text.strip()}
'''


def text(what: str) -> str:
    """A text of four sentences that says which kind of source it is for."""
    return " ".join((f"This text stands in a file of the kind {what}.", *SENTENCES))


def page(what: str) -> str:
    """A page of HTML with such a text."""
    paragraphs = "".join(f"<p>{text(what)}</p>" for _ in range(2))
    return f"<!DOCTYPE html><html lang='en'><title>A {what}</title><main><h1>A {what}</h1>{paragraphs}</main></html>"


def _records(*records: tuple[str, str, str]) -> list[bytes]:
    """WARC records of (type, URL, content), each by itself, not compressed."""
    made = []
    for kind, url, content in records:
        sink = BytesIO()
        writer = WARCWriter(sink, gzip=False)
        http = StatusAndHeaders("200 OK", [("Content-Type", "text/html; charset=utf-8")], protocol="HTTP/1.1")
        payload = content.encode()
        writer.write_record(
            writer.create_warc_record(
                url,
                kind,
                payload=BytesIO(payload),
                length=len(payload),
                http_headers=http if kind == "response" else None,
                warc_headers_dict={"WARC-Date": "2026-01-02T03:04:05Z"},
                warc_content_type={"conversion": "text/plain", "metadata": "application/json"}.get(kind, ""),
            )
        )
        made.append(sink.getvalue())
    return made


def _archives(folder: Path) -> None:
    """WARC, ARC, WET and WAT files, an index, and a list of paths."""
    crawl = folder / "crawl"
    names = ("a", "b")
    members = [
        gzip.compress(r, mtime=0)
        for r in _records(*(("response", f"http://{n}.example/", page("warc")) for n in names))
    ]
    (crawl / "a.warc.gz").write_bytes(b"".join(members))
    (crawl / "z.warc.zst").write_bytes(
        b"".join(zstandard.compress(r) for r in _records(("response", "http://z.example/", page("warc.zst"))))
    )
    block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + page("arc").encode()
    said = b"1 0 example\nURL IP-address Archive-date Content-type Archive-length\n\n"
    arc = (
        b"filedesc://a.arc 0.0.0.0 20080430204825 text/plain %d\n" % len(said) + said,
        b"http://arc.example/ 192.0.2.1 20080430204826 text/html %d\n" % len(block) + block + b"\n",
    )
    (crawl / "a.arc.gz").write_bytes(b"".join(gzip.compress(record, mtime=0) for record in arc))
    wet = _records(("conversion", "http://a.example/", text("wet")))
    (crawl / "a.warc.wet.gz").write_bytes(b"".join(gzip.compress(record, mtime=0) for record in wet))
    html = {"Head": {"Title": "A wat", "Metas": [{"name": "description", "content": text("wat")}]}, "Links": []}
    answer = {"Response-Message": {"Status": "200"}, "Headers": {"Content-Type": "text/html"}, "HTML-Metadata": html}
    envelope = {
        "WARC-Header-Metadata": {"WARC-Type": "response"},
        "Payload-Metadata": {"HTTP-Response-Metadata": answer},
    }
    wat = _records(("metadata", "http://a.example/", json.dumps({"Envelope": envelope})))
    (crawl / "a.warc.wat.gz").write_bytes(b"".join(gzip.compress(record, mtime=0) for record in wat))
    (folder / "warc.paths.gz").write_bytes(gzip.compress(b"z.warc.zst\n", mtime=0))
    rows, offset = [], 0
    for name, member in zip(names, members, strict=True):
        row = {
            "url": f"http://{name}.example/", "mime": "text/html", "status": "200", "filename": "a.warc.gz",
            "languages": "eng" if name == "a" else "fra", "length": str(len(member)), "offset": str(offset),
        }  # fmt: skip
        rows.append(f"example,{name})/ 20260102030405 {json.dumps(row)}\n")
        offset += len(member)
    (folder / "index/part.cdxj").write_text("".join(rows), "utf-8")


def _tables(folder: Path) -> None:
    """JSON lines, Parquet, CSV, TSV and Arrow, and a folder of a data set."""
    tables = folder / "tables"
    line = json.dumps({"doc": {"body": [text("jsonl"), SENTENCES[0]], "link": "http://lines.example/"}, "n": 1})
    (tables / "a.jsonl.gz").write_bytes(gzip.compress(f"{line}\n".encode(), mtime=0))
    chat = [{"role": "user", "content": "What is this?"}, {"role": "assistant", "content": text("parquet")}]
    pq.write_table(pa.table({"messages": [chat]}), tables / "a.parquet")
    (tables / "a.csv").write_text(f'text,url\n"{text("csv")}",http://csv.example/\n', "utf-8")
    (tables / "a.tsv").write_text(f"text\turl\n{text('tsv')}\thttp://tsv.example/\n", "utf-8")
    table = pa.table({"text": [text("arrow")], "date": ["2026-01-02"]})
    with pa.ipc.new_stream(str(tables / "a.arrow"), table.schema) as writer:
        writer.write_table(table)
    pq.write_table(pa.table({"text": [text("dataset")]}), folder / "dataset/data/train-00000-of-00001.parquet")
    (folder / "dataset/test.jsonl").write_text(json.dumps({"text": text("test split")}) + "\n", "utf-8")


def _trees(folder: Path) -> None:
    """Whole files."""
    tree = folder / "tree"
    files = {
        "a.html": page("html"),
        "a.md": f"---\nlicense: CC-BY-4.0\n---\n# A markdown\n\n{text('markdown')}\n",
        "a.rst": f"A rst\n=====\n\n:License: CC-BY-4.0\n\n{text('rst')}\n",
        "a.tex": f"\\title{{A latex}}\n\\begin{{document}}\n% no\n{text('latex')}\n\\end{{document}}\n",
        "a.txt": text("text") + "\n",
        "project/a.py": f'"""{text("code")}"""\n',
        "project/LICENSE": "Apache License\nVersion 2.0, January 2004\n",
        "a.letters": f"{text('letters')}\n----\n{text('more letters')}\n",
    }
    for name, content in files.items():
        (tree / name).write_text(content, "utf-8")


WIKI = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" xml:lang="en">
<siteinfo><sitename>Example</sitename><base>https://en.wiki.example/wiki/Main_Page</base>
<namespaces><namespace key="0" /></namespaces></siteinfo>
<page><title>A mill</title><ns>0</ns><id>1</id><revision><id>2</id><timestamp>2026-01-02T03:04:05Z</timestamp>
<model>wikitext</model><text>'''A mill.''' {text}\n\n== Water ==\n* [[River|rivers]]</text></revision></page>
</mediawiki>
"""
FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>News</title><link>http://news.example/</link>
<item><title>A feed</title><link>http://news.example/1</link><pubDate>Fri, 02 Jan 2026 03:04:05 GMT</pubDate>
<description>{text}</description></item></channel></rss>
"""
MAIL = """From ada@mail.example Fri Jan  2 03:04:05 2026
From: Ada <ada@mail.example>
Date: Fri, 02 Jan 2026 03:04:05 +0000
Subject: A mbox
Message-ID: <1@mail.example>

{text}
"""
THREAD = """<?xml version="1.0" encoding="utf-8"?><posts>
<row Id="1" PostTypeId="1" Score="3" CreationDate="2026-01-02T03:04:05" Title="A mill?" Body="{text}" />
<row Id="2" PostTypeId="2" ParentId="1" Score="5" CreationDate="2026-01-02T04:04:05" Body="&lt;p&gt;Yes.&lt;/p&gt;" />
</posts>
"""
PAIRS = """<?xml version="1.0"?><tmx version="1.4"><header srclang="en" datatype="plaintext" segtype="sentence"/><body>
<tu><tuv xml:lang="en"><seg>{text}</seg></tuv><tuv xml:lang="de"><seg>Die alte Mühle steht am Fluss.</seg></tuv></tu>
</body></tmx>
"""
CONTAINER = """<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0"><rootfiles>
<rootfile full-path="book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>"""
BOOK = """<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier id="id">1</dc:identifier>
<dc:title>A book</dc:title><dc:language>en</dc:language></metadata>
<manifest><item id="c" href="c.xhtml" media-type="application/xhtml+xml"/></manifest><spine><itemref idref="c"/></spine>
</package>"""
TYPES = """<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Override PartName="/word/document.xml"
 ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>"""
RELATIONS = """<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1"
 Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/>
</Relationships>"""
WORD = """<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>{text}
</w:t></w:r></w:p></w:body></w:document>"""


def _documents(folder: Path) -> None:
    """A dump of a wiki, books, office files, feeds, mail, threads and pairs of sentences."""
    documents = folder / "documents"
    (documents / "wiki-pages-articles.xml").write_text(WIKI.replace("{text}", text("wikipedia")), "utf-8")
    (documents / "a.rss").write_text(FEED.replace("{text}", text("feed")), "utf-8")
    (documents / "a.mbox").write_text(MAIL.replace("{text}", text("mbox")), "utf-8")
    (documents / "Posts.xml").write_text(
        THREAD.replace("{text}", f"&lt;p&gt;{text('stackexchange')}&lt;/p&gt;"), "utf-8"
    )
    (documents / "a.tmx").write_text(PAIRS.replace("{text}", text("tmx")), "utf-8")
    (documents / "a.pdf").write_bytes(_pdf([text("pdf").split(". ")[0] + ".", *SENTENCES]))
    chapter = f"<html xmlns='http://www.w3.org/1999/xhtml'><body><h1>One</h1><p>{text('epub')}</p></body></html>"
    _zip(
        documents / "a.epub",
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": CONTAINER,
            "book.opf": BOOK,
            "c.xhtml": chapter,
        },
    )
    _zip(
        documents / "a.docx",
        {
            "[Content_Types].xml": TYPES,
            "_rels/.rels": RELATIONS,
            "word/document.xml": WORD.replace("{text}", text("docx")),
        },
    )


def _zip(path: Path, files: dict[str, str]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)


def _pdf(lines: list[str]) -> bytes:
    """A PDF of one page with these lines."""
    shown = "".join(f"1 0 0 1 72 {720 - 16 * number} Tm ({line}) Tj\n" for number, line in enumerate(lines))
    content = f"BT /F1 10 Tf\n{shown}ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, starts = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        starts.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % start for start in starts)
    size = len(objects) + 1
    end = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(out))
    return out + b"xref\n0 %d\n0000000000 65535 f \n%b" % (size, table) + end


def write(folder: Path) -> None:
    """Write the files of all kinds, and the module of the recipe."""
    for name in ("crawl", "index", "tables", "dataset/data", "tree/project", "documents"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "letters.py").write_text(LETTERS, "utf-8")
    _archives(folder)
    _tables(folder)
    _trees(folder)
    _documents(folder)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
