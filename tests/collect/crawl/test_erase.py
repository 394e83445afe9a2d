"""Records that are erased from a crawl's WARC file: nothing of them is left, and nothing else moves."""

import random
from datetime import UTC, datetime
from io import BytesIO

import pytest
from warcio.archiveiterator import ArchiveIterator

from corpusmill.collect.crawl.answer import Answer
from corpusmill.collect.crawl.erase import Erased, erase
from corpusmill.collect.crawl.warc import WarcFile
from corpusmill.errors import RunError
from corpusmill.reasons import Status
from tests.collect.warcs import by_warcio, read, write

SIZES = (0, 20, 300, 70_000, 140_000)  # of bodies that cannot be compressed: several blocks


@pytest.fixture
def piece(tmp_path):
    """A WARC file as a crawl writes it."""
    file = BytesIO()
    warc = WarcFile(file, 1)
    warc.write_info("a.warc.gz", "2026-01-02T03:04:05Z", "mill", "me@a.example")
    for i, size in enumerate(SIZES):
        warc.write(
            Answer(
                url=f"http://host.example/secret-{i}",
                fetched_at=datetime(2026, 1, 2, 3, 4, i, 123000, tzinfo=UTC),
                version="1.1",
                status=200,
                reason="OK",
                headers=((b"Content-Type", b"text/html"),),
                request_headers=((b"Host", b"host.example"), (b"Accept", b"*/*")),
                body=f"<p>page {i} ".encode() + random.Random(i).randbytes(size),
                truncated=False,
            )
        )
    return write(tmp_path, file.getvalue(), packed=True)


def path_of(piece):
    from pathlib import Path

    return Path(piece.root) / piece.files[0]


def erased(record):
    return Erased(
        offset=record.offset,
        removal="0123456789abcdef",
        **{name: getattr(record, name) for name in ("n_bytes", "content_type", "fetched_at")},
    )


@pytest.mark.parametrize("chosen", [[0], [1, 3], [4], [0, 1, 2, 3, 4]])
def test_an_erased_record_leaves_a_row_and_moves_nothing(piece, chosen):
    path, before = path_of(piece), read(piece)
    data = path.read_bytes()
    assert erase(path, [erased(before[i]) for i in reversed(chosen)]) == len(chosen)
    after = path.read_bytes()
    assert len(after) == len(data)
    assert [offset for offset, _ in by_warcio(after)] == [offset for offset, _ in by_warcio(data)]
    inflated = b"".join(r.rec_headers.to_bytes() + r.raw_stream.read() for r in ArchiveIterator(BytesIO(after)))
    for i, (old, new) in enumerate(zip(before, read(piece), strict=True)):
        assert (b"secret-%d" % i in inflated) == (i not in chosen)
        assert (b"page %d " % i in inflated) == (i not in chosen)
        if i in chosen:
            assert (new.status, new.url, new.body) == (Status.REMOVED, None, None)
            assert new.metadata == {"removal": "0123456789abcdef"}
        else:
            assert new == old
        for name in ("offset", "number", "origin_path", "n_bytes", "content_type", "fetched_at"):
            assert getattr(new, name) == getattr(old, name)


def test_what_was_erased_is_not_erased_again(piece):
    records = [erased(record) for record in read(piece)[:2]]
    assert erase(path_of(piece), records) == 2
    before = path_of(piece).stat()
    assert erase(path_of(piece), records) == 0
    assert path_of(piece).stat().st_mtime_ns == before.st_mtime_ns


def test_a_place_without_a_record_is_named(piece):
    (first, *_) = read(piece)
    wrong = Erased(offset=first.offset + 1, removal="0" * 16, n_bytes=0, content_type=None, fetched_at=None)
    with pytest.raises(RunError, match="there is no record at byte"):
        erase(path_of(piece), [wrong])
