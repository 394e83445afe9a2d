import gzip
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from corpusmill.collect.crawl.answer import Answer
from corpusmill.collect.http import Body

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def answer(body=b"", status=200, **headers):
    fields = tuple((name.replace("_", "-").encode(), value.encode()) for name, value in headers.items())
    return Answer(
        url="http://a.example/",
        fetched_at=NOW,
        status=status,
        reason="",
        version="1.1",
        headers=fields,
        body=body,
        truncated=False,
        request_headers=(),
    )


def bare_deflate(data):
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [
        ("identity", bytes),
        ("gzip", gzip.compress),
        ("X-GZIP", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", bare_deflate),
    ],
)
def test_decoded(encoding, encode):
    text = b"words " * 1000
    assert answer(encode(text), Content_Encoding=encoding).decoded(10_000).content == text
    assert answer(encode(text), Content_Encoding=encoding).decoded(7).content == b"words w"


def test_a_bomb_is_not_inflated():
    bomb = gzip.compress(bytes(50_000_000))
    assert len(bomb) < 50_000
    assert answer(bomb, Content_Encoding="gzip").decoded(1000).content == bytes(1000)


def test_a_body_that_was_cut_off_decodes_as_far_as_it_goes():
    text = bytes(range(256)) * 100
    decoded = answer(gzip.compress(text)[:-20], Content_Encoding="gzip").decoded(100_000).content
    assert decoded
    assert text.startswith(decoded)


@pytest.mark.parametrize("encoding", ["own", "compress", "gzip, own"])
def test_unknown_encodings(encoding):
    assert answer(b"\x1f\x9dx", Content_Encoding=encoding).decoded(10) == Body(b"", complete=False, too_large=False)
    as_text = Body(b"a text that", complete=False, too_large=False)  # the header is wrong
    assert answer(b"a text that is long", Content_Encoding=encoding).decoded(11) == as_text


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd", "gzip, gzip"])
def test_a_body_that_is_not_in_the_encoding_it_names(encoding):
    assert answer(b"<html>", Content_Encoding=encoding).decoded(10).content == b"<html>"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120.0),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(days=1), usegmt=True), 0.0),
        ("soon", None),
        ("-5", None),
        ("1e9", None),
        ("9" * 400, None),
        ("", None),
    ],
)
def test_retry_after(text, seconds):
    assert answer(Retry_After=text).retry_after_s() == seconds


def test_type_and_charset():
    typed = answer(Content_Type='Text/HTML ; Charset="Shift_JIS"; x=y')
    assert (typed.media_type, typed.charset) == ("text/html", "Shift_JIS")
    assert (answer().media_type, answer().charset) == ("", None)


def test_only_redirects_have_a_location():
    assert answer(status=302, Location="/x").location == "/x"
    assert answer(status=201, Location="/x").location is None
    assert answer(status=302, Location="/ä").location == "/ä"
    latin1 = replace(answer(status=302), headers=((b"location", b"/\xe4?q=%20&x"),))
    assert latin1.location == "/%E4?q=%20&x"
    assert answer(status=302).location is None
