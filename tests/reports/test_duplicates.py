"""The figures about duplicates: what their queries return, and what they draw."""

import html
import re

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmill.reports.catalog import open_catalog, rows_of
from corpusmill.reports.figures.duplicates import (
    HOSTS_SQL,
    PAIRS_SQL,
    SIZES_SQL,
    SOURCES_SQL,
    differences,
    draw_hosts,
    draw_pairs,
    draw_sizes,
    draw_sources,
)

from .conftest import doc_id


def asked(corpus, sql):
    with open_catalog(corpus) as catalog:
        return rows_of(catalog, sql)


def test_sizes_count_groups_with_the_documents_that_are_kept(corpus):
    rows = asked(corpus, SIZES_SQL)
    assert [(row["from_documents"], row["groups"], row["documents"], row["kept"]) for row in rows] == [
        (2, 3, 7, 3)  # one of three documents, two of two
    ]
    assert draw_sizes(rows).says.startswith(
        "3 groups of documents that share bands, 7 documents in all, of which 3 are"
    )


def test_hosts_are_pairs(corpus):
    rows = asked(corpus, HOSTS_SQL)
    pairs = {(row["host"], row["twin_host"]): row["documents"] for row in rows}
    assert pairs[("a.example", "a.example")] == 1
    assert pairs[("b.example", "a.example")] == 1
    assert "b.example → a.example" in draw_hosts(rows).html


def test_pairs_are_the_least_similar_the_middle_and_the_last(corpus):
    rows = asked(corpus, PAIRS_SQL)
    assert rows[0]["doc_id"] == doc_id(2)
    assert [row["jaccard"] for row in rows] == sorted(row["jaccard"] for row in rows)
    drawn = draw_pairs(rows).html
    assert "jumps over <mark>the</mark> lazy dog" in drawn
    assert "jumps over <mark>a</mark> lazy dog" in drawn
    assert "<script>" not in drawn


def test_the_matrix_of_sources():
    ledger = duckdb.connect()
    ledger.execute(
        "CREATE TABLE ledger (doc_id VARCHAR, source VARCHAR, stage VARCHAR, twin_doc_id VARCHAR, twin_corpus VARCHAR)"
    )
    rows = [
        ("1", "web", None, None),
        ("2", "web", "twins", "1"),
        ("3", "news", "twins", "1"),
        ("4", "news", None, None),
    ]
    ledger.executemany("INSERT INTO ledger VALUES (?, ?, ?, ?, NULL)", rows)
    found = rows_of(ledger, SOURCES_SQL)
    assert {(row["source"], row["twin_source"], row["documents"], row["all_documents"]) for row in found} == {
        ("web", "web", 1, 2),
        ("news", "web", 1, 2),
    }
    drawn = draw_sources(found).html
    assert re.findall(r"<th scope=\"row\" dir=\"auto\">(\w+)", drawn) == ["news", "web"]
    assert drawn.count("50 %") == 2
    ledger.execute("DELETE FROM ledger WHERE source = 'news'")
    assert rows_of(ledger, SOURCES_SQL) == []
    ledger.execute("UPDATE ledger SET twin_corpus = 'older' WHERE doc_id = '2'")
    assert [row["twin_source"] for row in rows_of(ledger, SOURCES_SQL)] == ["corpus older"]


def plain(marked):
    return html.unescape(re.sub(r"</?mark>", "", marked))


@given(st.text("ab <中文.\n", max_size=30), st.text("ab <中文.\n", max_size=30))
def test_without_marks_both_sides_are_the_texts(before, after):
    left, right = differences(before, after)
    assert (plain(left), plain(right)) == (before, after)
    same = [re.sub(r"<mark>.*?</mark>", "", side, flags=re.DOTALL) for side in (left, right)]
    assert "".join(same[0].split()) == "".join(same[1].split())


@pytest.mark.parametrize(
    ("before", "after", "left", "right"),
    [
        ("人人生而自由", "人人生来自由", "人人生<mark>而</mark>自由", "人人生<mark>来</mark>自由"),
        ("a & b", "a & c", "a &amp; <mark>b</mark>", "a &amp; <mark>c</mark>"),
        ("one two", "one two", "one two", "one two"),
    ],
)
def test_words_and_characters_are_marked(before, after, left, right):
    assert differences(before, after) == (left, right)


def test_long_equal_passages_are_cut_short():
    same = " ".join(f"w{n}" for n in range(200))
    left, right = differences(f"one {same} two", f"one {same} three")
    assert left.endswith("w199 <mark>two</mark>")
    assert right.endswith("w199 <mark>three</mark>")
    assert "[…]" in left
    assert len(left) < 100
