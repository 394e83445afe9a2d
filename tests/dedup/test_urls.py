"""Pages of one URL: which stays is what a plain sort says, however pages are divided into parts."""

from collections import defaultdict

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill import schema
from corpusmill.collect.crawl.urls import names_like, page_of
from corpusmill.dedup.settings import TRACKING
from corpusmill.dedup.urls import pages_of, same_url_table, same_urls, url_blobs

IGNORED = names_like(TRACKING)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://a.example/x", "https://a.example/x"),
        ("http://a.example:80/x", "https://A.Example:443/x"),
        ("http://a.example/", "http://a.example"),
        ("http://a.example/x/", "http://a.example/x"),
        ("http://a.example/x#part", "http://a.example/x"),
        ("http://a.example/x?b=2&a=1", "http://a.example/x?a=1&b=2"),
        ("http://a.example/x?a=1&UTM_Source=y&fbclid=z", "http://a.example/x?a=1"),
        ("http://a.example/x?utm_source=y", "http://a.example/x/?"),
        ("http://a.example/%7Ex/../y", "http://a.example/y"),
        ("http://münchen.example/ü", "http://xn--mnchen-3ya.example/%C3%BC"),
        ("  http://a.example/x\n", "http://a.example/x"),
    ],
)
def test_urls_of_one_page(one, other):
    assert page_of(one, IGNORED) == page_of(other, IGNORED) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://a.example/x", "http://b.example/x"),
        ("http://a.example/x", "http://www.a.example/x"),
        ("http://a.example/x", "http://a.example:8080/x"),
        ("http://a.example/x", "http://a.example/X"),
        ("http://a.example/x?id=1", "http://a.example/x?id=2"),
        ("http://a.example/x?id=1", "http://a.example/x"),
        ("http://a.example/x", "ftp://a.example/x"),
    ],
)
def test_urls_of_different_pages(one, other):
    assert page_of(one, IGNORED) != page_of(other, IGNORED)


@pytest.mark.parametrize("url", ["", "not a url", "mailto:x@y.example", "http://", "http:///", "x" * 20_000])
def test_what_is_no_url_of_a_page(url):
    assert page_of(url, IGNORED) is None


def test_patterns_of_arguments():
    mine = names_like(["Session*", "v"])
    assert page_of("http://a.example/?sessionid=1&v=2&w=3&version=4", mine) == "//a.example?version=4&w=3"
    assert page_of("http://a.example/?utm_source=1", names_like([])) == "//a.example?utm_source=1"


PAGE = st.tuples(
    st.sampled_from(["u", "v", "w", None]), st.sampled_from([float("nan"), 1.0, 2.0, -1.0]), st.integers(0, 2)
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(PAGE, max_size=8), min_size=1, max_size=4), st.integers(1, 3))
def test_one_page_of_each_url_stays(drawn, destinations):
    numbers = iter(range(1000))
    parts = [[(*page, f"{next(numbers) * 7919 % 1009:024x}") for page in rows] for rows in drawn]
    by_url = defaultdict(list)
    for rows in parts:
        for key, rank, n_chars, doc_id in rows:
            if key is not None:
                by_url[key].append((-rank if rank == rank else float("inf"), -n_chars, doc_id))
    gone = {doc_id: min(pages)[2] for pages in by_url.values() for *_, doc_id in pages if doc_id != min(pages)[2]}
    sent = [
        url_blobs(
            pages_of(
                [row[0] for row in rows],
                np.array([row[1] for row in rows], np.float64),
                pa.array([row[2] for row in rows], pa.int64()),
                pa.array([row[3] for row in rows], pa.string()),
            ),
            destinations,
        )
        for rows in parts
    ]
    messages = defaultdict(list)
    for destination in range(destinations):
        for part, content in same_urls([(n, blobs[destination]) for n, blobs in enumerate(sent)][::-1]):
            messages[part].append(content)
    for number, rows in enumerate(parts):
        table = same_url_table(messages[number])
        assert table.schema.equals(schema.SAME_URL.arrow)
        expected = sorted((doc_id, gone[doc_id]) for *_, doc_id in rows if doc_id in gone)
        assert list(zip(table["doc_id"].to_pylist(), table["twin_doc_id"].to_pylist(), strict=True)) == expected
