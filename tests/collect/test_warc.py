import contextlib
import gzip
import random
import re
import time
import zlib
from collections import Counter
from dataclasses import replace
from datetime import datetime
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from corpusmill.collect.reader import read_slice
from corpusmill.collect.records import document_id
from corpusmill.collect.slices import Slice
from corpusmill.reasons import Status
from tests.collect.warcs import CONTENT, SOURCE, Warc, by_warcio, content_offsets, mixed, page, read, write

forms = pytest.mark.parametrize("packed", [True, False], ids=["gzip", "plain"])
GZIP, PLAIN = mixed(packed=True), mixed(packed=False)


def data_of(packed):
    return GZIP if packed else PLAIN


def cut(piece: Slice, *bounds: int) -> list[Slice]:
    return [replace(piece, start=a, end=b) for a, b in pairwise([0, *sorted(bounds), None])]


def offsets(records):
    return [(record.offset, record.status) for record in records]


def places(records):
    return [(record.offset, record.number) for record in records]


@forms
def test_reads_what_warcio_reads(tmp_path, packed):
    reader = read_slice(write(tmp_path, data_of(packed), packed=packed), SOURCE)
    records = list(reader)
    expected = by_warcio(data_of(packed))
    assert [record.offset for record in records] == [offset for offset, kind in expected if kind in CONTENT]
    assert reader.reading.others == Counter(kind for _, kind in expected if kind not in CONTENT)
    first = records[0]
    assert first.url == "http://host.example/0"
    assert first.body == page(0, 100)
    assert (first.content_type, first.charset, first.media) == ("text/html", "utf-8", "html")
    assert isinstance(first.fetched_at, datetime)
    assert first.fetched_at.tzinfo is None
    assert first.metadata["record_id"].startswith("<urn:uuid:")
    assert records[-2].body == b"some notes on milling"
    assert records[-2].media == "text"
    assert records[-1].text == "Text already: Mühle"


@forms
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_every_slicing_yields_each_record_once(tmp_path_factory, packed, data):
    folder = tmp_path_factory.mktemp("w")
    content = data_of(packed)
    piece = write(folder, content, packed=packed)
    bounds = data.draw(st.lists(st.integers(1, len(content)), max_size=8))
    assert offsets(r for s in cut(piece, *bounds) for r in read(s)) == offsets(read(piece))


@forms
def test_cuts_at_and_beside_every_start(tmp_path, packed):
    content = data_of(packed)
    piece = write(tmp_path, content, packed=packed)
    whole = offsets(read(piece))
    for start, _ in by_warcio(content)[1:]:
        for bound in (start - 1, start, start + 1):
            assert offsets(r for s in cut(piece, bound) for r in read(s)) == whole


def test_a_single_member_belongs_to_the_first_slice(tmp_path):
    piece = write(tmp_path, gzip.compress(PLAIN), packed=True)
    records = read(piece)
    kinds = [kind for _, kind in by_warcio(PLAIN)]
    assert [(r.offset, r.number) for r in records] == [(0, i) for i, kind in enumerate(kinds) if kind in CONTENT]
    first, *rest = cut(piece, 10, 700, 2000)
    assert offsets(read(first)) == offsets(records)
    assert not any(read(s) for s in rest)


def test_records_that_take_less_than_a_byte_have_places_of_their_own(tmp_path):
    record = b"WARC/1.0\r\nWARC-Type: conversion\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nwords\r\n\r\n"
    member = gzip.compress(record * 3000)
    assert len(member) < 3000
    records = read(write(tmp_path, member + gzip.compress(record), packed=True))
    assert len(set(places(records))) == len(records) == 3001
    assert len({document_id("s", record) for record in records}) == 3001
    assert [r.metadata.get("record_number") for r in records[:3]] == [None, 1, 2]


@pytest.mark.parametrize("head", [b"WARC/1.0\n", b"WARC/1.0\r\nContent-Length: 1500000\r\n\r\nx"])
def test_a_file_full_of_false_starts_takes_no_time(tmp_path, head):
    content = b"junk\n" + head * (1_000_000 // len(head)) + b"y" * 3_000_000
    (tmp_path / "a.warc").write_bytes(content)
    started = time.process_time()
    records = read(Slice(name="p", source="s", kind="warc", root=str(tmp_path), files=("a.warc",)))
    assert [r.status for r in records] == [Status.BROKEN_RECORD]
    assert time.process_time() - started < 30  # it took minutes; one second is usual


def test_compression_is_seen_not_believed(tmp_path):
    (tmp_path / "a.warc").write_bytes(GZIP)
    (tmp_path / "b.warc.gz").write_bytes(PLAIN)
    for name, content in (("a.warc", GZIP), ("b.warc.gz", PLAIN)):
        piece = Slice(name="p", source="s", kind="warc", root=str(tmp_path), files=(name,))
        assert [r.offset for r in read(piece)] == content_offsets(content)


# ---- damage --------------------------------------------------------------------------------------------------------


def check_damage(folder, content, packed, broken_at: list[int], bounds: list[int]):
    """What is left is read, each region of damage is one row, and every slicing agrees."""
    piece = write(folder, content, packed=packed)
    records = read(piece)
    broken = [r for r in records if r.status is Status.BROKEN_RECORD]
    assert [r.offset for r in broken] == broken_at
    assert all(r.metadata["error"] for r in broken)
    assert offsets(r for s in cut(piece, *bounds) for r in read(s)) == offsets(records)
    return [r for r in records if r not in broken]


@forms
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_cut_off_anywhere(tmp_path_factory, packed, data):
    content = data_of(packed)
    length = data.draw(st.integers(1, len(content) - 1))
    starts = [offset for offset, _ in by_warcio(content)]
    hit = max(s for s in starts if s < length)
    end = next((s for s in starts if s > hit), len(content))
    whole = not packed and end - 4 <= length  # line ends after the last record are no loss
    if packed:  # nothing but a part of the checksum, or of the line ends, is missing
        inflated = zlib.decompressobj(31).decompress(content[hit:length]), zlib.decompress(content[hit:end], 31)
        whole = len(inflated[0]) >= len(inflated[1]) - 4
    whole = whole or length == end
    kept = check_damage(
        tmp_path_factory.mktemp("w"), content[:length], packed, [] if whole else [hit], [length // 2, length // 3]
    )
    assert [r.offset for r in kept] == [o for o in content_offsets(content) if o < hit or (whole and o == hit)]


@forms
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_garbage_between_records(tmp_path_factory, packed, data):
    content = data_of(packed)
    at = data.draw(st.sampled_from([offset for offset, _ in by_warcio(content)] + [len(content)]))
    padding = b"\r\n\0 \t"  # no garbage
    garbage = data.draw(st.binary(min_size=1, max_size=3000).filter(lambda b: b.strip(padding) != b""))
    first = at + len(garbage) - len(garbage.lstrip(padding))
    damaged = content[:at] + garbage + content[at:]
    bounds = [at - 1, at + 1, at + len(garbage) // 2, at + len(garbage)]
    bounds = [b for b in bounds if 0 < b < len(damaged)]
    kept = check_damage(tmp_path_factory.mktemp("w"), damaged, packed, [first], bounds)
    assert [r.offset for r in kept] == [o if o < at else o + len(garbage) for o in content_offsets(content)]


@settings(max_examples=150, deadline=None)
@given(at=st.integers(0, len(GZIP) - 1), flip=st.integers(1, 255))
@example(at=226, flip=2)  # of the bits that fill the last byte of a member's data
@example(at=12351, flip=4)  # behind the record
@example(at=0, flip=21)
@example(at=545, flip=0x1F)
@example(at=3952 + 1019, flip=16)
def test_a_changed_byte_in_a_member_costs_at_most_that_member(tmp_path_factory, at, flip):
    """If the data is garbled behind a record, the record is there, and a row says that its member is damaged."""
    damaged = bytearray(GZIP)
    damaged[at] ^= flip
    starts = [offset for offset, _ in by_warcio(GZIP)]
    hit = max(s for s in starts if s <= at)
    harmless = 4 <= at - hit < 10 or (at - hit == 3 and flip & ~0b1 == 0)  # time, flags of level and system; FTEXT
    with contextlib.suppress(zlib.error):
        reader = zlib.decompressobj(31)
        reader.decompress(damaged[hit:])
        harmless = harmless or (at - hit >= 10 and reader.eof)  # its checksum holds
    piece = write(tmp_path_factory.mktemp("w"), bytes(damaged), packed=True)
    records = read(piece)
    broken = [r for r in records if r.status is Status.BROKEN_RECORD]
    first = hit + (at == hit and damaged[at] in b"\r\n\0")  # such a byte is padding before the damage
    assert {r.offset for r in broken} == (set() if harmless else {first})
    assert all(r.metadata["error"] for r in broken)
    bounds = [b for b in (at, at + 1, hit + 5) if 0 < b < len(GZIP)]
    assert offsets(r for s in cut(piece, *bounds) for r in read(s)) == offsets(records)
    others = [r.offset for r in records if r not in broken and (harmless or r.offset != hit)]
    assert others == [o for o in content_offsets(GZIP) if harmless or o != hit]


@settings(max_examples=150, deadline=None)
@given(at=st.integers(0, len(PLAIN) - 1), flip=st.integers(1, 255))
def test_a_changed_byte_in_a_plain_record_costs_no_other(tmp_path_factory, at, flip):
    damaged = bytearray(PLAIN)
    damaged[at] ^= flip
    starts = [offset for offset, _ in by_warcio(PLAIN)]
    hit = max(s for s in starts if s <= at)
    piece = write(tmp_path_factory.mktemp("w"), bytes(damaged), packed=False)
    records = read(piece)
    others = [r for r in records if r.status is not Status.BROKEN_RECORD and r.offset != hit]
    assert [r.offset for r in others] == [o for o in content_offsets(PLAIN) if o != hit]
    assert len(records) - len(others) <= 2
    bounds = [b for b in (at, at + 1, hit + 5) if 0 < b < len(PLAIN)]
    assert offsets(r for s in cut(piece, *bounds) for r in read(s)) == offsets(records)


def test_block_digests_find_changed_payloads(tmp_path):
    data = Warc(packed=False).response("http://a.example/", page(1)).response("http://b.example/", page(2)).data
    piece = write(tmp_path, data.replace(b"mill", b"kill", 1), packed=False)
    broken, fine = read(piece)
    assert (broken.status, broken.url) == (Status.BROKEN_RECORD, "http://a.example/")
    assert fine.body == page(2)


@pytest.mark.parametrize(
    "content", [b"garbage, no WARC at all " * 100, b"\0" * 5000, b"WARC/", gzip.compress(b"no WARC", mtime=0)]
)
def test_a_file_that_is_no_warc_is_one_row(tmp_path, content):
    piece = write(tmp_path, content, packed=True)
    assert offsets(r for s in cut(piece, 3, len(content) // 2) for r in read(s)) == [(0, Status.BROKEN_RECORD)]


def test_an_empty_file_holds_nothing(tmp_path):
    (record,) = read(write(tmp_path, b"", packed=True))
    assert (record.status, record.metadata) == (Status.BROKEN_RECORD, {"error": "the file is empty"})


def test_garbled_middle_of_a_single_member(tmp_path):
    packed = gzip.compress(PLAIN)
    whole = {r.number: r.body for r in read(write(tmp_path, packed, packed=True))}
    for at in range(len(packed) // 2, len(packed) - 8, 50):  # the checksum's eight bytes are another matter
        data = bytearray(packed)
        data[at] ^= 0xFF
        records = read(write(tmp_path, bytes(data), packed=True))
        readable = {r.number: r.body for r in records if r.status is Status.OK}
        assert len(readable) > 2, at
        assert readable.items() <= whole.items(), at
        assert any(r.status is Status.BROKEN_RECORD for r in records), at


# ---- what a record says --------------------------------------------------------------------------------------------


def one(folder, *args, max_page_bytes=1_000_000, **kwargs):
    (record,) = read(
        write(folder, Warc().response("http://a.example/", *args, **kwargs).data, packed=True), max_page_bytes
    )
    return record


@pytest.mark.parametrize(
    ("status", "content_type", "expected"),
    [
        ("200 OK", "text/html", Status.OK),
        ("200 OK", "Application/XHTML+XML; charset=x", Status.OK),
        ("200 OK", "text/plain", Status.OK),
        ("206 Partial", "text/html", Status.OK),
        ("301 Moved", "text/html", Status.REDIRECT),
        ("304 Not Modified", "text/html", Status.HTTP_ERROR),
        ("404 Not Found", "text/html", Status.HTTP_ERROR),
        ("503 Oops", "image/png", Status.HTTP_ERROR),
        ("200 OK", "application/pdf", Status.CONTENT_TYPE),
    ],
)
def test_status(tmp_path, status, content_type, expected):
    record = one(tmp_path, page(1), [("Content-Type", content_type), ("Location", "/x")], status=status)
    assert record.status is expected
    assert record.metadata["http_status"] == int(status[:3])
    assert record.metadata["location"] == "/x"


def test_an_answer_without_a_type_is_sniffed(tmp_path):
    assert one(tmp_path, b"  <!DOCTYPE html><p>x", []).media == "html"
    assert one(tmp_path, b"plain words", []).media == "text"
    assert one(tmp_path, b"\x89PNG\r\n\x1a\n\0\0\0", []).status is Status.CONTENT_TYPE


@pytest.mark.parametrize(
    "types", [["text/html, charset=utf-8"], ['"TEXT/HTML"; Charset="UTF8"'], ["text/plain", "text/html"]]
)
def test_content_types_as_browsers_read_them(tmp_path, types):
    record = one(tmp_path, b"<p>x", [("Content-Type", each) for each in types])
    assert (record.status, record.media, record.content_type) == (Status.OK, "html", "text/html")


def test_a_feed_that_is_sent_as_text_is_no_text(tmp_path):
    record = one(tmp_path, b"<?xml version='1.0'?><rss>", [("Content-Type", "text/plain")])
    assert (record.status, record.metadata["sniffed_type"]) == (Status.CONTENT_TYPE, "application/rss+xml")


def test_too_large(tmp_path):
    record = one(tmp_path, b"<p>" + random.Random(1).randbytes(500_000), max_page_bytes=100_000)
    assert (record.status, record.n_bytes, record.body) == (Status.TOO_LARGE, 500_003, None)
    small = one(tmp_path, b"<p>" + b"x" * 99_997, max_page_bytes=100_000)
    assert (small.status, small.n_bytes) == (Status.OK, 100_000)


def test_a_bomb_is_too_large(tmp_path):
    bomb = gzip.compress(gzip.compress(b"\0" * 50_000_000))
    headers = [("Content-Type", "text/html"), ("Content-Encoding", "gzip, gzip")]
    assert one(tmp_path, bomb, headers).status is Status.TOO_LARGE


def test_an_answer_that_is_none(tmp_path):
    data = Warc(packed=False).response("http://a.example/", b"", []).data.replace(b"HTTP/1.1 200", b"nothing like")
    data = re.sub(rb"WARC-Block-Digest: .*\r\n", b"", data)
    (record,) = read(write(tmp_path, data, packed=False))
    assert (record.status, record.url) == (Status.BROKEN_RECORD, "http://a.example/")


def test_limit_counts_content_records(tmp_path):
    piece = replace(write(tmp_path, GZIP, packed=True), limit=3)
    assert [r.offset for r in read(piece)] == content_offsets(GZIP)[:3]


@pytest.mark.parametrize("padding", [1, 70_000])
def test_zeros_behind_a_gzip_member_are_padding(tmp_path, padding):
    content = data_of(True)
    whole = read(write(tmp_path, content, packed=True))
    padded = write(tmp_path, content + bytes(padding), packed=True)
    for bounds in ([], [len(content)], [len(content) + 1]):
        assert offsets(r for s in cut(padded, *bounds) for r in read(s)) == offsets(whole)
    twice = write(tmp_path, content + bytes(padding) + content, packed=True)
    for bounds in ([], [len(content)], [len(content) + 1], [len(content) + padding]):
        records = [r for s in cut(twice, *bounds) for r in read(s)]
        assert [r.status for r in records] == 2 * [r.status for r in whole]
