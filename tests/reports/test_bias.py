"""The view `bias`: shares by group, their intervals, and which groups differ clearly."""

import math
import random
from collections import Counter

import duckdb
import pytest

from corpusmill.reports.bias import BIAS, BIAS_SQL, LEAST_PAGES, MOST_GROUPS
from corpusmill.reports.catalog import open_catalog
from corpusmill.reports.figures.decisions import BIAS_SQL as FIGURE_SQL
from corpusmill.reports.figures.decisions import draw_bias


def pages(n, seed, rate):
    """Readable pages in a hundred hosts; `rate`: (rule, language) -> the probability that it is dropped."""
    generator = random.Random(seed)
    found = []
    for _ in range(n):
        language = generator.choice(["en", "de", "zh", None])
        rules = [rule for rule in ("a", "b") if generator.random() < rate(rule, language)]
        host = f"h{int(generator.paretovariate(0.5)) % 300}"
        found.append(
            (language, host, "web", generator.choice([100, 1000, 5000, 20_000, 50_000]), "article", rules, "ok")
        )
    return found


def asked(rows, query="FROM bias"):
    with duckdb.connect() as connection:
        columns = "language VARCHAR, host VARCHAR, source VARCHAR, n_chars BIGINT, page_type VARCHAR"
        connection.execute(f"CREATE TABLE judged ({columns}, dropped_by VARCHAR[], status VARCHAR)")
        connection.executemany("INSERT INTO judged VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        connection.execute(f"CREATE VIEW bias AS {BIAS_SQL}")
        cursor = connection.execute(query)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def test_counts_and_shares_are_those_of_a_plain_count():
    rows = pages(3000, 1, lambda rule, language: 0.1 if rule == "a" else 0.3)
    rows += [("en", "x", "web", 1, None, ["a"], "http_error")] * 50  # not readable: not counted
    found = asked(rows)
    assert set(found[0]) == {column.name for column in BIAS.columns}
    readable = [row for row in rows if row[-1] == "ok"]
    for place, kind in ((0, "language"), (1, "host"), (2, "source"), (4, "page_type")):
        sizes = Counter(row[place] for row in readable)
        own = {name for name, n in sizes.items() if n >= LEAST_PAGES}
        assert len(own) < MOST_GROUPS
        for rule in ("a", "b"):
            lines = {row["of_group"]: row for row in found if row["kind"] == kind and row["rule"] == rule}
            assert sum(row["pages"] for row in lines.values()) == len(readable)
            for name, row in lines.items():
                inside = [
                    each
                    for each in readable
                    if {None: "(none)"}.get(each[place], each[place] if each[place] in own else "(others)") == name
                ]
                assert (row["pages"], row["removed"]) == (len(inside), sum(rule in each[5] for each in inside))
                others = len(readable) - len(inside)
                removed = sum(rule in each[5] for each in readable) - row["removed"]
                assert row["elsewhere"] == (pytest.approx(removed / others) if others else None)
    lengths = {row["of_group"] for row in found if row["kind"] == "length"}
    assert lengths == {"0 to 499", "500 to 1,999", "2,000 to 7,999", "8,000 to 31,999", "32,000 or more"}


def test_the_ends_of_an_interval_solve_the_equation_of_wilson():
    for row in asked(pages(1000, 2, lambda rule, language: 0.0 if language == "zh" and rule == "a" else 0.2)):
        for end in (row["low"], row["high"]):
            if 0 < end < 1:
                z = abs(row["share"] - end) / math.sqrt(end * (1 - end) / row["pages"])
                assert z == pytest.approx(1.959964, rel=1e-6)
        assert row["low"] <= row["share"] <= row["high"]


def test_a_group_that_a_rule_removes_differs_and_chance_does_not():
    fair = [row for seed in range(5) for row in asked(pages(2000, seed, lambda rule, language: 0.1))]
    assert not any(row["differs"] for row in fair)
    unfair = asked(pages(4000, 9, lambda rule, language: 0.4 if (rule, language) == ("a", "zh") else 0.1))
    clear = {(row["rule"], row["kind"], row["of_group"]): row for row in unfair if row["differs"]}
    assert clear["a", "language", "zh"]["share"] > 0.35
    assert {row["rule"] for row in unfair if row["differs"]} == {"a"}


def test_a_small_difference_of_many_pages_does_not_count():
    found = asked(pages(60_000, 3, lambda rule, language: 0.115 if language == "zh" else 0.1))
    assert not any(row["differs"] for row in found if row["kind"] == "language")


def test_the_catalog_has_it_and_the_report_draws_it(corpus):
    with open_catalog(corpus) as catalog:
        assert catalog.execute("SELECT count(*) FROM bias").fetchall()[0][0] > 0
        assert catalog.execute(FIGURE_SQL).fetchall() == []  # too few pages
    rows = asked(pages(4000, 9, lambda rule, language: 0.4 if rule == "a" and language == "zh" else 0.1), FIGURE_SQL)
    drawing = draw_bias(rows)
    assert "a · language zh" in drawing.html
    assert drawing.says.startswith(f"Of {len(rows)} groups")
