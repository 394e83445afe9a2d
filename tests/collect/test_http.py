import gzip
import time
import zlib
from io import BytesIO

import pytest
import zstandard
from fastwarc.stream_io import BrotliWriter
from hypothesis import given
from hypothesis import strategies as st

from corpusmill.collect.http import Body, codings, decode_body, media_of, media_type

TEXT = "<p>Das Mühlrad dreht sich. 水車が回る。</p>\n".encode() * 200


def raw_deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(data) + stream.flush()


def brotli(data: bytes) -> bytes:
    file = BytesIO()
    stream = BrotliWriter(file)
    stream.write(data)
    stream.close()
    return file.getvalue()


ENCODERS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli,
    "zstd": zstandard.ZstdCompressor().compress,
}


def chunked(data: bytes, size: int = 7, extension: bytes = b"") -> bytes:
    pieces = [data[i : i + size] for i in range(0, len(data), size)]
    return b"".join(b"%x%s\r\n%s\r\n" % (len(p), extension, p) for p in pieces) + b"0\r\nTrailer: x\r\n\r\n"


@pytest.mark.parametrize("coding", ENCODERS)
@given(data=st.binary(max_size=2000))
def test_round_trip(coding, data):
    body = decode_body(ENCODERS[coding](data), [], [coding], 10_000)
    assert (body.content, body.complete, body.too_large) == (data, True, False)


def test_codings_are_undone_in_reverse():
    body = decode_body(chunked(gzip.compress(brotli(TEXT)), 100), ["chunked"], ["br", "gzip"], 10**6)
    assert body.content == TEXT


def test_raw_deflate_and_several_gzip_members():
    assert decode_body(raw_deflate(TEXT), [], ["deflate"], 10**6).content == TEXT
    assert decode_body(gzip.compress(TEXT) + gzip.compress(b"more"), [], ["gzip"], 10**6).content == TEXT + b"more"


@pytest.mark.parametrize(
    ("body", "transfer", "content"),
    [
        (chunked(TEXT), [], []),
        (b"\r\n" + chunked(TEXT), ["chunked"], []),
        (gzip.compress(TEXT), [], []),
        (gzip.compress(gzip.compress(TEXT)), [], ["gzip"]),
        (chunked(gzip.compress(TEXT)), [], ["gzip"]),
        (chunked(gzip.compress(TEXT)), ["gzip", "chunked"], []),
        (gzip.compress(TEXT), [], ["deflate"]),
        (zlib.compress(TEXT), [], ["gzip"]),
    ],
)
def test_codings_that_the_headers_do_not_say(body, transfer, content):
    assert decode_body(body, transfer, content, 10**6) == Body(TEXT, True, False)


@pytest.mark.parametrize("body", [b"0\n", b"3\nabc\n0\n\n", gzip.compress(b"no page"), b"5\nabc"])
def test_what_only_looks_like_a_coding_stays(body):
    assert decode_body(body, [], [], 10**6) == Body(body, True, False)


@given(st.binary(max_size=300), st.integers(1, 50), st.sampled_from([b"", b";name=value", b" "]))
def test_chunks(data, size, extension):
    body = decode_body(chunked(data, size, extension), ["chunked"], [], 10**6)
    assert (body.content, body.complete) == (data, True)


@pytest.mark.parametrize("coding", ENCODERS)
def test_headers_of_a_body_that_was_decoded_before_it_was_stored(coding):
    body = decode_body(TEXT, ["chunked"], [coding], 10**6)
    assert (body.content, body.complete) == (TEXT, True)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
def test_what_precedes_a_cut_is_kept(coding):
    lines = b"".join(b"<p>%d</p>" % (i * i * 7919 % 10007) for i in range(20_000))
    body = decode_body(ENCODERS[coding](lines)[:-2000], [], [coding], 10**6)
    assert not body.complete
    assert len(lines) * (0.3 if coding == "br" else 0.7) < len(body.content) < len(lines)
    assert lines.startswith(body.content)


def test_a_cut_chunk_is_kept():
    body = decode_body(chunked(TEXT, 1000)[:-500], ["chunked"], [], 10**6)
    assert not body.complete
    assert TEXT.startswith(body.content)
    assert len(body.content) > len(TEXT) - 600


@pytest.mark.parametrize("coding", ENCODERS)
def test_nothing_inflates_beyond_the_limit(coding):
    body = decode_body(ENCODERS[coding](b"\0" * 30_000_000), [], [coding], 1000)
    assert (len(body.content), body.too_large) == (1000, True)
    at_limit = decode_body(ENCODERS[coding](TEXT), [], [coding], len(TEXT))
    assert (at_limit.content, at_limit.too_large) == (TEXT, False)


def test_header_values():
    assert codings(["GZIP, br", "x-gzip"]) == ["gzip", "br", "gzip"]
    assert media_type('Text/HTML ; Charset="GBK" ; x=y') == ("text/html", "GBK")
    assert media_type("") == (None, None)
    assert media_type(None) == (None, None)


def test_many_empty_gzip_members_and_padding():
    body = gzip.compress(b"", mtime=0) * 150_000 + gzip.compress(b"content") + bytes(1000)
    started = time.process_time()
    assert decode_body(body, [], ["gzip"], 1 << 20) == Body(b"content", True, False)
    assert time.process_time() - started < 5  # .25 s; it was 18 s, the square of the number of members


@pytest.mark.parametrize(
    ("header", "type", "charset"),
    [
        ("text/html, charset=utf-8", "text/html", "utf-8"),
        ('"TEXT/HTML"; Charset="UTF8"', "text/html", "UTF8"),
        ("text/plain, text/html", "text/html", None),
        ("text/plain; charset=a, text/html", "text/html", None),
        ("text/html; charset=a, text/html", "text/html", "a"),
        ("text/html; charset=a, */*", "text/html", "a"),
        ('text/html;x="a,b";charset=z', "text/html", "z"),
        ("text/html charset=utf-8", "text/html", "utf-8"),
        ("Content-Type: text/html", "text/html", None),
        ("html", None, None),
        ("charset=utf-8", None, "utf-8"),
    ],
)
def test_odd_content_types(header, type, charset):
    assert media_type(header) == (type, charset)


@pytest.mark.parametrize(
    ("declared", "body", "media", "found"),
    [
        ("text/html", b"{}", "html", None),  # extractors look into it
        ("text/plain", b"words", "text", None),
        ("text/plain", b"<!doctype html>x", "html", "text/html"),
        ("text/plain", b"<?xml version='1.0'?><rss>", None, "application/rss+xml"),
        ("application/xml", b"<?xml version='1.0'?><html>", "html", "text/html"),
        ("text/xml", b"<?xml version='1.0'?><rss>", None, "application/rss+xml"),
        ("text/xml", b"<note>", None, None),
        (None, b"{}", None, "application/json"),
        (None, b"words", "text", None),
        (None, b"<p>words", "html", None),
        ("application/vnd.wap.xhtml+xml", b"<html>", "html", None),
        ("image/png", b"words", None, None),
    ],
)
def test_how_a_body_is_read(declared, body, media, found):
    assert media_of(declared, body) == (media, found)
