from datetime import UTC, date, datetime

import pytest

from corpusmill.collect.reader import read_slice
from corpusmill.collect.slices import Slice
from corpusmill.extensions import REGISTRY, source
from corpusmill.reasons import Status
from tests.collect.sources import a_source


@pytest.fixture
def records():
    """Records of a reader that is registered for one test."""

    def read(reader, limit=None, **options):
        source("tests-own")(reader)
        recipe = a_source(name="s", kind="tests-own", paths=["*"], options=options)
        piece = Slice(name="p", source="s", kind="tests-own", root="/in", files=("a/x.db",), limit=limit)
        return list(read_slice(piece, recipe))

    yield read
    REGISTRY.sources.pop("tests-own", None)


def test_mappings_become_records(records):
    def reader(path, options):
        yield {"text": path, "url": "u", "title": "t", "licence": "CC0-1.0", "rank": options["rank"]}
        yield {"html": "<p>ü", "fetched_at": datetime(2026, 1, 2, 3, tzinfo=UTC)}
        yield {"text": "x", "fetched_at": "2026-01-02T03:00:00+02:00"}
        yield {"text": "x", "fetched_at": date(2026, 1, 2)}
        yield {"url": "no text"}
        yield "no mapping"

    text, html, iso, day, without, wrong = records(reader, rank=3)
    assert (text.text, text.url, text.title, text.licence, text.metadata) == (
        "/in/a/x.db", "u", "t", "CC0-1.0", {"rank": 3},
    )  # fmt: skip
    assert (html.body, html.charset, html.media) == ("<p>ü".encode(), "utf-8", "html")
    assert html.fetched_at == datetime(2026, 1, 2, 3)
    assert iso.fetched_at == datetime(2026, 1, 2, 1)
    assert day.fetched_at == datetime(2026, 1, 2)
    assert without.status is Status.NO_TEXT_FIELD
    assert wrong.status is Status.BROKEN_RECORD
    assert [r.offset for r in (text, html, iso, day, without, wrong)] == [0, 1, 2, 3, 4, 5]


def test_what_the_reader_raises_is_the_last_row(records):
    def reader(path, options):
        yield {"text": "fine"}
        raise KeyError("missing")

    fine, broken = records(reader)
    assert (fine.text, broken.offset, broken.status) == ("fine", 1, Status.BROKEN_RECORD)
    assert broken.metadata["error"] == "the source's reader raised KeyError: 'missing'"


def test_a_reader_that_is_not_a_generator(records):
    assert [r.text for r in records(lambda path, options: [{"text": "a"}, {"text": "b"}])] == ["a", "b"]
    (broken,) = records(lambda path, options: 1 / 0)
    assert "ZeroDivisionError" in broken.metadata["error"]
    assert len(records(lambda path, options: ({"text": "a"} for _ in iter(int, 1)), limit=3)) == 3
