import csv
import io
import json
import unicodedata
from decimal import Decimal

import pyarrow.parquet as pq
import pytest

from corpusmill.errors import InputError
from corpusmill.reports.query import run_sql

from .conftest import PAGES

QUERY = "SELECT doc_id, kept, value, also_dropped_by, url FROM ledger ORDER BY doc_id"


def test_formats_agree(corpus):
    objects = json.loads(run_sql(corpus, QUERY, "json"))
    assert len(objects) == len(PAGES)
    assert objects[3] == {
        "doc_id": f"{3:024x}",
        "kept": False,
        "value": 2.0,
        "also_dropped_by": ["shop"],
        "url": "http://a.example/short",
    }
    assert pq.read_table(io.BytesIO(run_sql(corpus, QUERY, "parquet"))).to_pylist() == objects
    found = list(csv.DictReader(io.StringIO(run_sql(corpus, QUERY, "csv").decode())))
    assert [row["doc_id"] for row in found] == [row["doc_id"] for row in objects]
    assert found[3]["also_dropped_by"] == "[shop]"


def width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def test_a_table_fits_the_terminal_and_aligns_wide_characters(corpus, monkeypatch):
    monkeypatch.setenv("COLUMNS", "90")
    lines = run_sql(corpus, "SELECT doc_id, title, text FROM pages WHERE url LIKE '%/zh'").decode().splitlines()
    assert any("人权" in line for line in lines)
    boxed = {width(line) for line in lines if line[:1] in "┌│├└"}
    assert len(boxed) == 1
    assert max(boxed) <= 90


def test_json_of_every_type_is_json(corpus):
    query = """SELECT 'nan'::DOUBLE AS a, 1.5::DECIMAL(4, 1) AS b, DATE '2026-01-02' AS c, '\\xAA'::BLOB AS d,
               {'x': [1, NULL]} AS e, MAP {1: 'y'} AS f, 18446744073709551615::UBIGINT AS g, INTERVAL 1 DAY AS h,
               1 AS b, '人' AS i"""
    assert json.loads(run_sql(corpus, query, "json")) == [
        {"a": None, "b": 1.5, "c": "2026-01-02", "d": "aa", "e": {"x": [1, None]}, "f": {"1": "y"}, "g": 2**64 - 1,
         "h": "1 day, 0:00:00", "b_1": 1, "i": "人"}
    ]  # fmt: skip
    assert json.loads(run_sql(corpus, "SELECT 1 WHERE false", "json")) == []


def test_json_has_every_digit_of_a_number(corpus):
    query = """SELECT 12345678901234567890.12::DECIMAL(22, 2) AS a, [-0.1::DECIMAL(38, 37)] AS b,
               170141183460469231731687303715884105727::HUGEINT AS c, {'x': 5::DECIMAL(3, 0)} AS d"""
    assert json.loads(run_sql(corpus, query, "json"), parse_float=Decimal) == [
        {"a": Decimal("12345678901234567890.12"), "b": [Decimal("-0.1")], "c": 2**127 - 1, "d": {"x": 5}}
    ]


@pytest.mark.parametrize(
    "query",
    [
        "DESCRIBE ledger",
        "SHOW TABLES",
        "FROM twins;",
        "SUMMARIZE twins",
        "PIVOT twins ON rule USING count(*)",
        "WITH copies AS (FROM twins) SELECT '(copy checkpoint()' AS \"(copy\", 1 AS query FROM copies",
    ],
)
def test_everything_that_reads_is_run(corpus, query):
    for format in ("table", "csv", "json", "parquet"):
        assert run_sql(corpus, query, format)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "COPY (SELECT 1) TO '{corpus}/pages/x.parquet'",
        "SELECT 1) ; COPY (SELECT 1) TO '{corpus}/x.csv' ; FROM (SELECT 1",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{corpus}/x.csv'",
        "SELECT 1; SELECT 2",
        "CREATE TEMP TABLE x AS SELECT 1",
        "WITH a AS (COPY (SELECT 1) TO '{corpus}/x.csv') SELECT 1",
        "WITH a AS MATERIALIZED ( /* the */ copy (SELECT 'é') TO '{corpus}/x.csv') SELECT 1",
        "INSTALL spatial",
        "LOAD spatial",
        "CHECKPOINT",
        "VACUUM",
        "WITH a AS (/**/COPY (SELECT 1) TO '{corpus}/x.csv') SELECT 1",
        "WITH a AS (/* a /* nested */ one */COPY mix TO '{corpus}/x.csv') SELECT 1",
        "WITH a AS (-- a line\nCOPY mix TO '{corpus}/x.csv') SELECT 1",
        "FROM query/**/('select 1')",
        "FROM enable_logging /* */ ('QueryLog')",
        "FROM json_execute_serialized_sql--\n(json_serialize_sql('select 1'))",
        "FROM checkpoint()",
        'SELECT * FROM "Force_Checkpoint" ()',
        "FROM enable_logging(storage='file', storage_path='{corpus}/x')",
        "FROM enable_profiling(format='json', save_location='{corpus}/x.json')",
        "FROM query('FROM checkpoint()')",
        "ATTACH '{corpus}/x.duckdb'",
        "SET threads = 1",
    ],
)
def test_nothing_that_changes_is_run(corpus, query):
    run_sql(corpus, "SELECT 1")
    before = sorted(corpus.rglob("*"))
    with pytest.raises(InputError):
        run_sql(corpus, query.replace("{corpus}", str(corpus).replace("'", "''")))
    assert sorted(corpus.rglob("*")) == before


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT * FROM ledgr", 'Did you mean "ledger"'),
        ("SELECT nope FROM ledger", 'Referenced column "nope"'),
        ("SELEC 1", 'syntax error at or near "SELEC"'),
        ("SELECT 'x'::INT", "Could not convert string"),
    ],
)
def test_a_wrong_query_is_one_line(corpus, query, message):
    with pytest.raises(InputError) as error:
        run_sql(corpus, query)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_an_unknown_format(corpus):
    with pytest.raises(InputError, match="allowed: table, csv, json, parquet"):
        run_sql(corpus, "SELECT 1", "xml")
