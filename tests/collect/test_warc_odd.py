"""WARC and ARC files that are odd or broken, and other kinds of them: nothing that others read is lost silently."""

import gzip
import json
import random
import re
from base64 import b32decode
from collections import Counter
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import pytest
import zstandard
from fastwarc.warc import ArchiveIterator as FastArchive
from fastwarc.warc import WarcRecordType
from warcio.archiveiterator import ArchiveIterator

from corpusmill.collect.formats import format_of
from corpusmill.collect.reader import read_slice
from corpusmill.collect.records import Record
from corpusmill.collect.slices import Slice
from corpusmill.collect.warc import OWN, WarcReader
from corpusmill.reasons import Status
from tests.collect.sources import a_source
from tests.collect.warcs import CONTENT, Warc, mixed, page

REAL = Path(__file__).parent / "real"
FAST = [WarcRecordType.response, WarcRecordType.resource, WarcRecordType.conversion]


def read(data: bytes, name: str = "a.warc", start: int = 0, end: int | None = None) -> list[Record]:
    return list(WarcReader(BytesIO(data), name, start, end, 1_000_000, Counter()))


def others(data: bytes, name: str = "a.warc") -> Counter[str]:
    counts = Counter[str]()
    assert not any(r.status is Status.BROKEN_RECORD for r in WarcReader(BytesIO(data), name, 0, None, 10**6, counts))
    return counts


def content(record: Record) -> bytes:
    return record.body if record.body is not None else (record.text or "").encode()


def plain(n: int = 3, *, digests: bool = False) -> bytes:
    warc = Warc(packed=False)
    for i in range(n):
        warc.response(f"http://a.example/{i}", page(i, 200 * (i + 1)), date="2026-01-02T03:04:05Z")
    data = re.sub(rb"WARC-Record-ID: .*\r\n", b"WARC-Record-ID: <urn:uuid:1>\r\n", warc.data)
    return data if digests else re.sub(rb"WARC-(?:Block|Payload)-Digest: .*\r\n", b"", data)


def members(data: bytes) -> list[bytes]:
    return [b"WARC/" + piece for piece in data.split(b"WARC/")[1:]]


def packed(data: bytes) -> bytes:
    return b"".join(gzip.compress(piece, mtime=0) for piece in members(data))


# ---- wrong lengths -------------------------------------------------------------------------------------------------


def lengthened(data: bytes, which: int, by: int) -> bytes:
    match = list(re.finditer(rb"Content-Length: (\d+)", data))[which]
    return data[: match.start(1)] + str(max(0, int(match[1]) + by)).encode() + data[match.end(1) :]


@pytest.mark.parametrize("by", [-100, -2, -1, 1, 2, 3, 4, 5, 6, 40, 100_000])
@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("form", [bytes, packed, gzip.compress], ids=["plain", "members", "one member"])
def test_a_wrong_length_costs_nothing(which, by, form):
    data = form(lengthened(plain(), which, by))
    records = read(data)
    assert [r.url for r in records] == [f"http://a.example/{i}" for i in range(3)]
    for i, record in enumerate(records):
        # up to four bytes more are the line ends after the block, which a browser does not see either
        assert content(record).rstrip(b"\r\n") == page(i, 200 * (i + 1)), i
        assert ("declared_length" in record.metadata) <= (i == which)


def test_the_last_record_of_a_file_that_is_cut_keeps_its_url():
    *_, last = read(plain()[:-50])
    assert (last.status, last.url) == (Status.BROKEN_RECORD, "http://a.example/2")
    assert "shorter than its Content-Length" in last.metadata["error"]
    *_, last = read(packed(plain())[:-50])
    assert (last.status, last.url) == (Status.BROKEN_RECORD, "http://a.example/2")
    assert "cut off" in last.metadata["error"]


def test_a_record_without_a_length_is_read():
    data = re.sub(rb"Content-Length: \d+\r\n", b"", plain(), count=1)
    assert [content(r) for r in read(data)] == [page(i, 200 * (i + 1)) for i in range(3)]


def test_a_digest_decides_what_belongs_to_a_record():
    data = plain(digests=True)
    first = members(data)[0]
    for odd in (first[:-4] + b"xyz\r\n\r\n", lengthened(first, 0, 2)):
        records = read(odd + data[len(first) :])
        assert content(records[0]) == page(0, 200)
        assert [r.url for r in records if r.status is Status.OK] == [f"http://a.example/{i}" for i in range(3)]
    broken = read(first.replace(b"mill", b"kill", 1) + data[len(first) :])[0]
    assert (broken.status, broken.url) == (Status.BROKEN_RECORD, "http://a.example/0")


# ---- padding -------------------------------------------------------------------------------------------------------

PADDING = [b"\r\n" * 20, b"\n", b"\0" * 600, b"\r\n\0\r\n"]


@pytest.mark.parametrize("padding", [*PADDING, gzip.compress(b"", mtime=0), gzip.compress(b"\r\n\r\n", mtime=0)])
@pytest.mark.parametrize("at", [0, 1, 3])
def test_padding_is_no_damage(padding, at):
    form = packed if at == 3 or padding.startswith(b"\x1f") else bytes
    pieces = [form(piece) for piece in members(plain())]
    data = b"".join([*pieces[:at], padding, *pieces[at:]])
    whole = read(data)
    assert [r.status for r in whole] == [Status.OK] * 3
    for bound in (1, len(pieces[0]), len(pieces[0]) + 1, len(data) - 1):
        assert [*read(data, end=bound), *read(data, start=bound)] == whole


def test_records_without_line_ends_between_them():
    data = b"".join(piece.removesuffix(b"\r\n\r\n") for piece in members(plain()))
    assert [content(r) for r in read(data)] == [page(i, 200 * (i + 1)) for i in range(3)]


# ---- compression ---------------------------------------------------------------------------------------------------


def test_records_may_go_on_in_the_next_member():
    data = plain(8)
    for size in (100, 700, 5000):
        cut = b"".join(gzip.compress(data[i : i + size], mtime=0) for i in range(0, len(data), size))
        records = read(cut)
        assert [content(r) for r in records] == [page(i, 200 * (i + 1)) for i in range(8)]
        bounds = [0, *(len(cut) * i // 5 for i in range(1, 5)), None]
        assert [r for a, b in pairwise(bounds) for r in read(cut, start=a, end=b)] == records


@pytest.mark.parametrize(
    ("form", "junk"),
    [
        ("plain", b"junk\r\n\r\n"), ("plain", b"junk\r\n"), ("plain", b"junk"), ("members", b"junk\r\n"),
        ("one member", b"junk\r\n\r\n"),
    ],
)  # fmt: skip
def test_junk_between_records_has_no_url(form, junk):
    first, second = members(plain(2))
    pieces = [first, junk, second]
    if form == "members":
        pieces = [gzip.compress(piece, mtime=0) for piece in pieces]
    data = gzip.compress(b"".join(pieces), mtime=0) if form == "one member" else b"".join(pieces)
    records = read(data, "a.warc" if form == "plain" else "a.warc.gz")
    broken = [r for r in records if r.status is Status.BROKEN_RECORD]
    assert [r.url for r in broken] == [None]
    assert [r.url for r in records if r not in broken] == ["http://a.example/0", "http://a.example/1"]


def test_a_damaged_header_between_records_keeps_its_url():
    first, second, third = members(plain(3))
    records = read(first + b"X" + second[1:] + third)
    assert [(r.url, r.status) for r in records] == [
        ("http://a.example/0", Status.OK), ("http://a.example/1", Status.BROKEN_RECORD),
        ("http://a.example/2", Status.OK),
    ]  # fmt: skip


def zstd(pieces: list[bytes], dictionary: bytes | None = None, *, pack: bool = False) -> bytes:
    shared = zstandard.ZstdCompressionDict(dictionary) if dictionary else None
    frames = [zstandard.ZstdCompressor(dict_data=shared, write_checksum=True).compress(piece) for piece in pieces]
    if dictionary:
        stored = zstandard.compress(dictionary) if pack else dictionary
        frames = [b"\x5d\x2a\x4d\x18" + len(stored).to_bytes(4, "little") + stored, *frames]
    return b"".join(frames)


@pytest.mark.parametrize("form", ["frames", "one", "dictionary", "packed dictionary"])
def test_zstd(form):
    data = mixed(packed=False)
    pieces = members(data)
    dictionary = b"".join(pieces)[:5000] if "dictionary" in form else None
    stored = zstd([data] if form == "one" else pieces, dictionary, pack="packed" in form)
    expected = [(r.url, r.body, r.text, r.status) for r in read(data)]
    whole = read(stored, "a.warc.zst")
    assert [(r.url, r.body, r.text, r.status) for r in whole] == expected
    for bound in (1, len(stored) // 2, len(stored) - 1):
        assert [*read(stored, "a.warc.zst", end=bound), *read(stored, "a.warc.zst", start=bound)] == whole
    damaged = bytearray(stored)
    damaged[len(stored) * 2 // 3] ^= 0xFF
    assert any(r.status is Status.BROKEN_RECORD for r in read(bytes(damaged), "a.warc.zst"))
    cut = read(stored[: len(stored) * 2 // 3], "a.warc.zst")
    assert cut[-1].status is Status.BROKEN_RECORD
    assert [record.status for record in read(b"", "a.warc.zst")] == [Status.BROKEN_RECORD]


# ---- the same fate however a record is packed ----------------------------------------------------------------------


def grown(record: bytes, text: bytes) -> bytes:
    """The record with a text about WARC and so many bytes that it is too large."""
    more = b"\r\n\r\n" + text + b"x" * 1_400_000
    return lengthened(record[:-4], 0, len(more)) + more + b"\r\n\r\n"


def bgzip(data: bytes) -> bytes:
    return b"".join(gzip.compress(data[i : i + 700], mtime=0) for i in range(0, len(data), 700))


PACKINGS = {
    "plain": b"".join,
    "members": lambda records: b"".join(map(gzip.compress, records)),
    "one member": lambda records: gzip.compress(b"".join(records)),
    "bgzip": lambda records: bgzip(b"".join(records)),
    "frames": lambda records: zstd(records),
    "one frame": lambda records: zstd([b"".join(records)]),
}
ODD = {
    "whole": lambda record: record,
    "changed": lambda record: record.replace(b"mill", b"kill", 1),
    "another digest": lambda record: re.sub(rb"(Block-Digest: sha1:).{6}", rb"\1AAAAAA", record),
    "another payload digest": lambda record: re.sub(rb"(Payload-Digest: sha1:).{6}", rb"\1AAAAAA", record),
    "no SHA-1": lambda record: re.sub(rb"(Block-Digest: )sha1:", rb"\1md5:", record),
    "no digest": lambda record: re.sub(rb"WARC-Block-Digest: .*\r\n", b"", record),
    "in hexadecimal": lambda record: re.sub(
        rb"(Block-Digest: sha1:)(\w+)", lambda m: m[1] + b32decode(m[2]).hex().encode(), record
    ),
    "longer": lambda record: lengthened(record, 0, 2),
    "much longer": lambda record: lengthened(record, 0, 100_000),
    "shorter": lambda record: lengthened(record, 0, -40),
    "over the next": lambda record: lengthened(record, 0, len(members(plain(digests=True))[1])),
    "something after it": lambda record: record[:-4] + b"xyz\r\n\r\n",
    "too large": lambda record: grown(record, b"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: 0\r\n\r\n\r\n\r\n"),
    "of another type": lambda record: record.replace(b"WARC-Type: response", b"WARC-Type: request"),
}


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("odd", ODD)
def test_a_record_has_the_same_fate_however_it_is_packed(odd, place):
    pieces = members(plain(digests=True))
    pieces[place] = ODD[odd](pieces[place])
    found = {}
    for name, pack in PACKINGS.items():
        records = read(pack(pieces), "a.warc.zst" if "frame" in name else "a.warc")
        others = [{k: v for k, v in r.metadata.items() if k != "record_number"} for r in records]
        found[name] = [(r.url, r.status, content(r), said) for r, said in zip(records, others, strict=True)]
    assert [*found.values()] == [found["plain"]] * len(PACKINGS)
    urls = [f"http://a.example/{i}" for i in range(3) if odd != "of another type" or i != place]
    assert [url for url, *_ in found["plain"]] == urls


# ---- records of crawlers about themselves --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "uri",
    [
        "metadata://gnu.org/software/wget/warc/wget.log", "<metadata://gnu.org/software/wget/warc/MANIFEST.txt>",
        "urn:X-wpull:log", "urn:text:http://a.example/", "urn:pageinfo:http://a.example/", "URN:thumbnail:http://a/",
        "screenshot:http://a.example/", "dns:a.example", "whois://whois.example/a.example",
    ],
)  # fmt: skip
def test_what_crawlers_write_about_themselves_is_counted(uri):
    data = Warc(packed=False).other("resource", uri, b"a log of words").data
    assert read(data) == []
    assert others(data) == {OWN: 1}


@pytest.mark.parametrize("form", [bytes, packed, gzip.compress], ids=["plain", "members", "one member"])
@pytest.mark.parametrize(
    "change",
    [
        lambda data: re.sub(rb"^(?:WARC|Content)-[\w-]+(?=:)", lambda name: name[0].lower(), data, flags=re.MULTILINE),
        lambda data: data.replace(b"WARC/1.0", b"WARC/2.0"),
        lambda data: data.replace(b"\r\n\r\nWARC", b"\r\n\r\n  \t\r\nWARC"),
    ],
    ids=["small names", "version", "white space"],
)
def test_headers_and_padding_in_other_forms(change, form):
    records = read(form(change(plain())))
    assert [(r.url, r.status) for r in records] == [(f"http://a.example/{i}", Status.OK) for i in range(3)]
    assert [content(r) for r in records] == [page(i, 200 * (i + 1)) for i in range(3)]


@pytest.mark.parametrize(
    "before",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", b"\r\n",
        b"HTTP/1.1 200 Connection established\r\n\r\n",
    ],
)  # fmt: skip
def test_the_last_answer_counts(before):
    whole = plain(1)
    at = whole.index(b"HTTP/1.1")
    data = lengthened(whole[:at] + before + whole[at:], 0, len(before))
    (record,) = read(data)
    assert (record.status, content(record)) == (Status.OK, page(0, 200))


def test_a_conversion_may_have_any_name():
    (record,) = read(Warc(packed=False).other("conversion", "urn:isbn:9780", b"a text").data)
    assert record.text == "a text"


# ---- ARC -----------------------------------------------------------------------------------------------------------


def arc(n: int = 4, version: int = 1) -> list[bytes]:
    said = f"{version} 0 tests\nURL IP-address Archive-date Content-type Archive-length\n\n".encode()
    middle = {1: "", 2: " 200 abc - 17 a.arc"}[version]
    pieces = [f"filedesc://a.arc 0.0.0.0 20080430204825 text/plain{middle} {len(said)}\n".encode() + said]
    for i in range(n):
        block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + page(i)
        line = f"http://a.example/{i} 93.184.216.34 2008043020482{i} text/html{middle} {len(block)}\n".encode()
        pieces.append(line + block + b"\n")
    return pieces


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("form", [bytes, lambda piece: gzip.compress(piece, mtime=0)], ids=["plain", "gzip"])
def test_arc(version, form):
    data = b"".join(map(form, arc(version=version)))
    records = read(data, "a.arc")
    assert [(r.url, content(r), f"{r.fetched_at}") for r in records] == [
        (f"http://a.example/{i}", page(i), f"2008-04-30 20:48:2{i}") for i in range(4)
    ]
    assert others(data, "a.arc") == {"warcinfo": 1}
    for bound in range(1, len(data), 97):
        assert [*read(data, "a.arc", end=bound), *read(data, "a.arc", start=bound)] == records
    assert read(data[:-20], "a.arc")[-1].url == "http://a.example/3"


@pytest.mark.parametrize("by", [-30, -1, 1, 2, 30])
def test_a_wrong_length_in_an_arc_costs_nothing(by):
    pieces = arc()
    pieces[2] = re.sub(rb"(\d+)(?=\n)", lambda n: str(int(n[0]) + by).encode(), pieces[2], count=1)
    records = read(b"".join(pieces), "a.arc")
    assert [r.url for r in records] == [f"http://a.example/{i}" for i in range(4)]
    assert [content(r).rstrip() for r in records] == [page(i) for i in range(4)]


# ---- WET and WAT ---------------------------------------------------------------------------------------------------


def rows_of(kind: str, folder: Path, data: bytes) -> tuple[list[Record], Counter[str]]:
    (folder / "a.warc.gz").write_bytes(data)
    reader = read_slice(
        Slice(name="p", source="s", kind=kind, root=str(folder), files=("a.warc.gz",)),
        a_source(name="s", kind=kind, paths=["*"]),
    )
    return list(reader), reader.reading.others


def test_wet(tmp_path):
    records, counts = rows_of("wet", tmp_path, mixed(packed=True))
    assert [r.text for r in records] == ["Text already: Mühle"]
    assert counts == {"warcinfo": 1, "request": 8, "response": 8, "metadata": 8, "resource": 1}


WAT = {
    "Container": {"Filename": "CC-1.warc.gz", "Compressed": True, "Offset": "457"},
    "Envelope": {
        "WARC-Header-Metadata": {"WARC-Type": "response", "WARC-Target-URI": "http://a.example/"},
        "Payload-Metadata": {
            "HTTP-Response-Metadata": {
                "Response-Message": {"Status": "200", "Version": "HTTP/1.1", "Reason": "OK"},
                "Headers": {"Content-Type": "text/html; charset=utf-8", "Content-Language": "en"},
                "HTML-Metadata": {
                    "Head": {"Title": "The mill", "Metas": [{"name": "description", "content": "An old\n mill."}]},
                    "Links": [
                        {"path": "A@/href", "url": "/b", "text": "The wheel"},
                        {"path": "IMG@/src", "alt": "Grain"},
                    ],
                },
            }
        },
    },
}


def wat(*envelopes: object) -> bytes:
    warc = Warc()
    for envelope in envelopes:
        warc.other("metadata", "http://a.example/", json.dumps(envelope).encode(), "application/json")
    return warc.data


def test_wat(tmp_path):
    request = {"Envelope": {"WARC-Header-Metadata": {"WARC-Type": "request"}}}
    records, counts = rows_of("wat", tmp_path, wat(WAT, request))
    (record,) = records
    assert counts == {"metadata of other records": 1}
    assert (record.url, record.title, record.text) == (
        "http://a.example/",
        "The mill",
        "An old mill.\nThe wheel\nGrain",
    )
    assert (record.content_type, record.html_lang, record.status) == ("text/html", "en", Status.OK)
    assert record.metadata == {
        "http_status": "200", "n_links": 2, "warc_path": "CC-1.warc.gz", "warc_offset": "457",
    }  # fmt: skip
    odd = json.loads(json.dumps(WAT).replace('"Links": [', '"Links": [3, ["x"], {"text": 5}, '))
    odd["Envelope"]["Payload-Metadata"]["HTTP-Response-Metadata"]["Headers"] = ["none"]
    (record,), _ = rows_of("wat", tmp_path, wat(odd))
    assert (record.status, record.title) == (Status.OK, "The mill")


@pytest.mark.parametrize(
    "block", [b'{"WARC-Type":"response", ', b"{bad json", b"[]", b'{"Envelope":5}', b"{}", b'{"a": "\xff"}', b""]
)
def test_a_damaged_wat_record_is_a_row(tmp_path, block):
    data = Warc().other("metadata", "http://a.example/", block, "application/json").data
    (record,), counts = rows_of("wat", tmp_path, data)
    assert (record.status, record.url, dict(counts)) == (Status.BROKEN_RECORD, "http://a.example/", {})


def test_kinds_read_the_files_of_their_endings():
    def wanted(kind: str, name: str) -> bool:
        format = format_of(kind)
        assert format is not None
        return name.endswith(format.endings)

    for name, kind in {
        "CC-MAIN-1.warc.gz": "warc", "a.warc.zst": "warc", "b.arc.gz": "warc", "CC-MAIN-1.warc.wet.gz": "wet",
        "CC-MAIN-1.warc.wat.gz": "wat",
    }.items():  # fmt: skip
        assert [each for each in ("warc", "wet", "wat") if wanted(each, name)] == [kind]


# ---- real files ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "rows", "counts"),
    [
        ("example.warc.gz", [(784, 1270)], {"warcinfo": 2, "request": 2, "revisit": 1}),
        ("example.arc.gz", [(171, 1270)], {"warcinfo": 1}),
        ("example-space-in-url.arc", [(151, 1270)], {"warcinfo": 1}),  # its length is wrong, too
        ("example-trunc.warc", [(1197, 1270)], {"warcinfo": 2, "request": 1}),
        ("example-bad-non-chunked.warc.gz", [(0, 1270)], {"warcinfo": 2, "request": 2, "revisit": 1}),
        ("example-wget-bad-target-uri.warc.gz", [(824, 1270)], {"warcinfo": 1, "request": 1, "metadata": 1, OWN: 2}),
        ("example-resource.warc.gz", [(802, 1303)], {"warcinfo": 2}),
        ("gzip_extra_sl.warc.gz", [], {"warcinfo": 1}),
    ],
)
def test_real_files(name, rows, counts):
    data = (REAL / name).read_bytes()
    assert [(r.offset, r.n_bytes) for r in read(data, name)] == rows
    assert others(data, name) == counts
    for record in read(data, name):
        assert record.status is Status.OK
        assert b"Example Domain" in content(record)
        (again, *_) = read(data[record.offset :], name)  # its place leads back to the bytes
        assert content(again) == content(record)


def test_a_real_file_with_a_wrong_digest():
    data = (REAL / "example-wrong-chunks.warc.gz").read_bytes()
    (record,) = read(data, "a.warc.gz")
    assert (record.status, record.url) == (Status.BROKEN_RECORD, "http://example.com/")
    assert record.metadata == {"error": "the record does not match its block digest"}
    other = re.sub(rb"WARC-Block-Digest: .*\r\n", b"", gzip.decompress(data))
    (record,) = read(other)
    assert (record.status, record.n_bytes) == (Status.OK, 1270)


def test_a_real_arc_that_is_bad():
    records = read((REAL / "bad.arc").read_bytes(), "bad.arc")
    assert [(r.url, r.status) for r in records] == [
        ("http://example.com/", Status.OK),
        ("http://example.com/", Status.OK),
        (None, Status.BROKEN_RECORD),
    ]


# ---- mutations -----------------------------------------------------------------------------------------------------


def mutated(data: bytes, draw: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(draw.choice([1, 1, 2, 3])):
        at = draw.randrange(len(changed))
        to = min(len(changed), at + draw.choice([1, 2, 5, 50, 500]))
        match draw.randrange(8):
            case 0:
                changed[at] ^= draw.randrange(1, 256)
            case 1:
                del changed[at:to]
            case 2:
                changed[at:at] = draw.randbytes(to - at)
            case 3:
                changed[at:at] = changed[at:to]
            case 4:
                del changed[max(at, 1) :]
            case 5:
                changed[at:to] = bytes(to - at)
            case 6:
                changed[at:at] = draw.choice(
                    [b"\r\n", b"\0" * 9, b"WARC/1.0\r\n", b"\r\n\r\nWARC/1.0\r\n", b"\x1f\x8b\x08"]
                )
            case _:
                lengths = list(re.finditer(rb"Content-Length: (\d+)", changed))
                if lengths:
                    found = draw.choice(lengths)
                    n = max(0, int(found[1]) + draw.choice([-100, -10, -2, -1, 1, 2, 3, 4, 5, 10, 100, 10**9]))
                    changed[found.start(1) : found.end(1)] = str(n).encode()
    return bytes(changed)


def by_others(data: bytes) -> set[tuple[str | None, bytes]]:
    """What warcio and fastwarc read before they give up: (URL, content)."""
    found: set[tuple[str | None, bytes]] = set()
    try:
        for record in ArchiveIterator(BytesIO(data)):
            if record.rec_type in CONTENT:
                found.add((record.rec_headers.get_header("WARC-Target-URI"), record.content_stream().read()))
    except Exception:  # noqa: BLE001  # whatever they raise, they go no further
        pass
    try:
        for fast in FastArchive(BytesIO(data)):
            if fast.record_type in FAST:
                found.add((fast.headers.get("WARC-Target-URI"), fast.reader.read()))
    except Exception:  # noqa: BLE001
        pass
    return found


def originals(form: str) -> bytes:
    data = plain(6, digests=form in ("plain", "members"))
    match form:
        case "members":
            return packed(data)
        case "one member":
            return gzip.compress(data, mtime=0)
        case "bgzip":
            return bgzip(data)
    return data


@pytest.mark.parametrize("form", ["plain", "no digests", "members", "one member", "bgzip"])
def test_what_others_read_in_a_broken_file_is_read_or_a_row(form, capfd):
    data = originals(form)
    whole = {(r.url, content(r)) for r in read(data)}
    assert len(whole) == 6
    for seed in range(120):
        draw = random.Random(f"{form} {seed}")
        broken = mutated(data, draw)
        records = read(broken)
        fine = {(r.url, content(r)) for r in records if r.status is Status.OK}
        rows = {r.url for r in records if r.status is not Status.OK}
        # others do not look at digests and checksums: what fails these is a row.  They drop what stands after a block
        # without saying so, and here it belongs to the record
        lost = [
            url
            for url, body in (by_others(broken) & whole) - fine
            if url not in rows and not any(u == url and longer.startswith(body) for u, longer in fine)
        ]
        nameless = sum(r.url is None for r in records)
        assert len(lost) <= nameless, (form, seed, lost)
        bounds = [0, *sorted(draw.randrange(1, len(broken) + 1) for _ in range(3)), None]
        assert [r for a, b in pairwise(bounds) for r in read(broken, start=a, end=b)] == records, (form, seed)
    capfd.readouterr()  # warcio prints what it thinks of such files


@pytest.mark.parametrize("packing", [bytes, lambda piece: gzip.compress(piece, mtime=0)], ids=["plain", "gzip"])
def test_broken_arc_files_crash_nothing(packing):
    data = b"".join(map(packing, arc(6)))
    for seed in range(80):
        draw = random.Random(seed)
        broken = mutated(data, draw)
        records = read(broken, "a.arc")
        bounds = [0, *sorted(draw.randrange(1, len(broken) + 1) for _ in range(3)), None]
        assert [r for a, b in pairwise(bounds) for r in read(broken, "a.arc", start=a, end=b)] == records, seed
