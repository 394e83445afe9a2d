import gzip
import io
from dataclasses import replace

import pytest
from fastwarc.warc import ArchiveIterator as FastArchive
from fastwarc.warc import WarcRecordType
from warcio.archiveiterator import ArchiveIterator

from corpusmill.collect.crawl.warc import Earlier, WarcFile, read_answer
from tests.collect.crawl.test_answer import answer


def fast_bodies(data, kind=WarcRecordType.response, **options):
    """Contents of the records of a kind, as fastwarc reads them."""
    return [record.reader.read() for record in FastArchive(io.BytesIO(data), record_types=kind, **options)]


TEXT = b"<p>Some words, some more words.</p>" * 20


def written(*answers, round=1):
    out = io.BytesIO()
    warc = WarcFile(out, round)
    warc.write_info("x.warc.gz", "2026-01-02T03:04:05Z", "mill/1", "me@a.example")
    for one in answers:
        warc.write(one)
    return out.getvalue()


def records(data):
    archive = ArchiveIterator(io.BytesIO(data), check_digests="raise")
    return [(record.rec_type, dict(record.rec_headers.headers), record.content_stream().read()) for record in archive]


def test_each_record_is_a_member_of_its_own():
    data = written(answer(TEXT))
    assert [kind for kind, _, _ in records(data)] == ["warcinfo", "response", "request"]
    assert data.count(b"\x1f\x8b\x08") == 3
    assert data == written(answer(TEXT))


@pytest.mark.parametrize("encode", [bytes, gzip.compress])
def test_bodies_are_stored_raw_and_readers_decode_them(encode):
    encoding = {"Content_Encoding": "gzip"} if encode is gzip.compress else {}
    body = encode(TEXT)
    data = written(answer(body, Content_Type="text/html", Transfer_Encoding="chunked", **encoding))
    with_warcio = next(record for record in records(data) if record[0] == "response")
    assert with_warcio[2] == TEXT
    (response,) = FastArchive(io.BytesIO(data), record_types=WarcRecordType.response)
    assert response.http_headers["Content-Type"] == "text/html"
    assert "Transfer-Encoding" not in response.http_headers
    assert response.record_date == answer().fetched_at
    assert fast_bodies(data) == [body]
    assert fast_bodies(data, auto_decode="all") == [TEXT]


def test_headers():
    original = answer(TEXT, 404, Content_Type="text/html")
    sent = ((b"Host", b"a.example"), (b"User-Agent", b"mill/1"))
    one = replace(original, url="http://a.example/x?y", truncated=True, request_headers=sent)
    (_, info, fields), (_, response, body), (_, request, _) = records(written(one))
    assert b"robots: obey" in fields
    assert b"operator: me@a.example" in fields
    assert info["WARC-Filename"] == "x.warc.gz"
    assert body == TEXT
    assert response["WARC-Target-URI"] == request["WARC-Target-URI"] == "http://a.example/x?y"
    assert response["WARC-Date"] == request["WARC-Date"] == "2026-01-02T03:04:05.000Z"
    assert response["WARC-Truncated"] == "length"
    assert request["WARC-Concurrent-To"] == response["WARC-Record-ID"]
    blocks = fast_bodies(written(one), WarcRecordType.request, parse_http=False)
    assert blocks == [b"GET /x?y HTTP/1.1\r\nHost: a.example\r\nUser-Agent: mill/1\r\n\r\n"]


def test_a_revisit_record_has_the_headers_and_no_body():
    earlier = Earlier(
        digest="sha1:X", date="2026-01-01T00:00:00.000Z", etag='"1"', last_modified=None, warc_file="", offset=0
    )
    for status, profile in [(304, "server-not-modified"), (200, "identical-payload-digest")]:
        out = io.BytesIO()
        WarcFile(out, 1).write(answer(TEXT if status == 200 else b"", status, ETag='"1"'), earlier)
        (_, fields, _), _ = records(out.getvalue())
        assert fields["WARC-Type"] == "revisit"
        assert fields["WARC-Profile"].endswith(profile)
        assert fields["WARC-Payload-Digest"] == "sha1:X"
        assert fields["WARC-Refers-To-Date"] == earlier.date
        (block,) = fast_bodies(out.getvalue(), WarcRecordType.revisit, parse_http=False)
        assert block.startswith(b"HTTP/1.1 %d" % status)
        assert block.endswith(b'"1"\r\n\r\n')
        again = read_answer(out.getvalue())
        assert (again.status, again.body, again.get("etag")) == (status, b"", '"1"')


@pytest.mark.parametrize("body", [b"", TEXT, b"\r\n\r\n"])
def test_an_answer_is_read_back(body):
    one = replace(answer(body, 404), headers=((b"Content-Type", b"text/html"), (b"X", b"\xff"), (b"Empty", b"")))
    again = read_answer(written(one)[len(written()) :])
    assert replace(again, request_headers=one.request_headers) == one


def test_bytes_of_odd_headers_are_kept():
    odd = replace(answer(TEXT), headers=((b"Location", b"/caf\xe9"), (b"X-Empty", b"")), reason="D\udce9placé")
    (block,) = fast_bodies(written(odd), parse_http=False)
    head = b"HTTP/1.1 200 D\xe9plac\xc3\xa9\r\nLocation: /caf\xe9\r\nX-Empty: \r\n\r\n"
    assert block == head + TEXT


def test_identities_follow_from_round_url_and_payload():
    def identity(one, round=1):
        return records(written(one, round=round))[1][1]["WARC-Record-ID"]

    one = answer(TEXT)
    same = identity(one)
    assert identity(replace(one, reason="other")) == same
    different = [identity(replace(one, body=b"x")), identity(replace(one, url="http://b.example/")), identity(one, 2)]
    assert len({same, *different}) == 4
