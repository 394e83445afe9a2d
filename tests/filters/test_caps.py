"""The cap of a host: what stays is what a plain sort of all pages says, however they are divided into parts."""

from collections import defaultdict

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill import schema
from corpusmill.filters.caps import caps_table, first_blobs, hosts_of, last_that_stay, over, pages_of
from corpusmill.filters.rules import HOST_SQL

URLS = (
    *("http://a.example/1", "HTTPS://A.Example/2", "http://me:pw@b.example:8080/x", "http://b.example/y", "ftp://c"),
    *("not a url", "", None, "http://", "http:///path", "mailto:x@y", "x://ü.example?q#f", "http://a\n.example/"),
)
PAGE = st.tuples(st.sampled_from(URLS), st.integers(0, 3), st.booleans())


def capped(parts, most, destinations):
    """What is over the cap in each part, by the three steps."""
    pages = [
        pages_of(
            pa.array([url for url, *_ in rows], pa.string()),
            pa.array([n for _, n, *_ in rows], pa.int64()),
            pa.array([doc_id for *_, doc_id in rows], pa.string()),
            pa.array([kept for _, _, kept, _ in rows], pa.bool_()),
        )
        for rows in parts
    ]
    sent = [first_blobs(each, most, destinations) for each in pages]
    messages = defaultdict(list)
    for destination in range(destinations):
        for part, content in last_that_stay([(n, blobs[destination]) for n, blobs in enumerate(sent)][::-1], most):
            messages[part].append(content)
    return [caps_table([over(each, messages[n])], most) for n, each in enumerate(pages)]


def sql_host(url):
    with duckdb.connect() as connection:
        return connection.execute(f"SELECT {HOST_SQL.format(url='?')}", [url]).fetchall()[0][0]


@pytest.mark.parametrize("url", URLS)
def test_the_host_is_that_of_rules(url):
    assert hosts_of(pa.array([url], pa.string())).to_pylist() == [sql_host(url)]


HOSTS = {url: sql_host(url) for url in URLS}


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(PAGE, max_size=12), min_size=1, max_size=4), st.integers(1, 4), st.integers(1, 3))
def test_it_is_what_a_plain_sort_says(drawn, most, destinations):
    numbers = iter(range(1000))
    parts = [[(*page, f"{(next(numbers) * 7919) % 1000:024x}") for page in rows] for rows in drawn]
    by_host = defaultdict(list)
    for rows in parts:
        for url, n_chars, kept, doc_id in rows:
            if kept and HOSTS[url] is not None:
                by_host[HOSTS[url]].append((-n_chars, doc_id))
    gone = {doc_id: len(pages) for pages in by_host.values() for _, doc_id in sorted(pages)[most:]}
    for rows, table in zip(parts, capped(parts, most, destinations), strict=True):
        assert table.schema.equals(schema.CAPS.arrow)
        expected = sorted(doc_id for *_, doc_id in rows if doc_id in gone)
        assert table["doc_id"].to_pylist() == expected
        assert table["value"].to_pylist() == [gone[doc_id] for doc_id in expected]
        assert set(table["threshold"].to_pylist()) <= {most}
