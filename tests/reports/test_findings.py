import html
import json
import re
import shlex
from pathlib import Path

import duckdb
import pytest

from corpusmill.reports.findings import (
    EMPTY_SOURCES,
    LARGE_CLUSTER,
    LARGE_HOST,
    OVER_MERGED,
    STRONG_RULE,
    UNSURE_LANGUAGE,
    UNUSABLE,
    UNUSED_TOKENS,
    WRONG_LIBRARY,
    findings,
    next_steps,
)
from corpusmill.reports.page import write_report
from corpusmill.reports.query import run_sql

LEDGER = """
CREATE MACRO url_host(url) AS regexp_extract(url, '//([^/]+)', 1);
CREATE TABLE ledger (doc_id VARCHAR, url VARCHAR, source VARCHAR, kept BOOLEAN, stage VARCHAR, rule VARCHAR,
    also_dropped_by VARCHAR[], twin_doc_id VARCHAR, jaccard DOUBLE,
    threshold DOUBLE);
CREATE TABLE signals (doc_id VARCHAR, language_score DOUBLE);
CREATE TABLE unusable (source VARCHAR, status VARCHAR, records BIGINT, of_source BIGINT);
CREATE TABLE tokens (n_tokens BIGINT);
CREATE TABLE metrics (model VARCHAR);
CREATE TABLE receipts (stage VARCHAR, part VARCHAR, is_current BOOLEAN, counts MAP(VARCHAR, BIGINT));
CREATE TABLE vocabulary (id INTEGER, is_special BOOLEAN, risk VARCHAR);
"""


class Catalog:
    """A catalog of the tables that findings read."""

    def __init__(self):
        self.connection = duckdb.connect()
        self.connection.execute(LEDGER)
        self.pages = 0

    def add(
        self,
        n,
        *,
        host="a.example",
        source="web",
        kept=True,
        stage=None,
        rule=None,
        also=(),
        twin=None,
        score=0.9,
        jaccards=0.8,
    ):
        for _ in range(n):
            self.pages += 1
            jaccard, threshold = (None, None) if twin is None else (jaccards, 0.75)
            row = [
                f"{self.pages:03}",
                f"https://{host}/{self.pages}",
                source,
                kept,
                stage,
                rule,
                list(also),
                twin,
                jaccard,
                threshold,
            ]
            self.connection.execute("INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
            self.connection.execute("INSERT INTO signals VALUES (?, ?)", [row[0], score])

    def ask(self, sql):
        cursor = self.connection.execute(sql)
        return [dict(zip([column[0] for column in cursor.description], row, strict=True)) for row in cursor.fetchall()]

    def found(self):
        return {finding.sql: finding.says for finding in findings(self.ask)}


@pytest.fixture
def catalog():
    return Catalog()


def many_hosts(catalog, n=30):
    for host in range(n):
        catalog.add(1, host=f"h{host}.example")


def test_a_corpus_without_faults_has_no_findings(catalog):
    many_hosts(catalog)
    assert catalog.found() == {}


def test_each_finding_says_what_is_wrong(catalog):
    many_hosts(catalog, 10)
    catalog.add(25, host="big.example")
    catalog.add(5, score=0.3)
    catalog.add(9, kept=False, stage="verdicts", rule="short", also=["digits"])
    catalog.add(1, kept=False, stage="verdicts", rule="short")
    catalog.add(20, kept=False, stage="twins", rule="near_duplicate", twin="001")
    catalog.add(3, source="forum", kept=False, stage="pages", rule="no_text_field")
    catalog.connection.execute("INSERT INTO unusable VALUES ('forum', 'no_text_field', 3, 3)")
    assert catalog.found() == {
        UNUSABLE.sql: "3 records could not be used. The most frequent reason is no_text_field in source forum: "
        "3 of its 3 records.",
        EMPTY_SOURCES.sql: "Nothing of source forum is in the corpus, although 3 pages came in.",
        STRONG_RULE.sql: "The rule short drops 14 % of the pages. 1 of them break no other rule.",
        LARGE_HOST.sql: "The host big.example gives 62 % of the documents.",
        LARGE_CLUSTER.sql: "21 pages are near-duplicates of one document, 001. "
        "The lowest similarity among them is 0.80.",
        UNSURE_LANGUAGE.sql: "The language of 5 documents (12 %) is uncertain: its score is below 0.5.",
    }


def test_a_cluster_of_hardly_similar_documents_looks_over_merged(catalog):
    many_hosts(catalog)
    catalog.add(4, kept=False, stage="twins", rule="near_duplicate", twin="001", jaccards=0.95)
    catalog.add(7, kept=False, stage="twins", rule="near_duplicate", twin="001", jaccards=0.76)
    catalog.add(19, kept=False, stage="twins", rule="near_duplicate", twin="002", jaccards=0.81)
    assert catalog.found() == {
        OVER_MERGED.sql: "The near-duplicates of 001 look over-merged: 7 of 11 are hardly above the threshold. "
        "They may be different texts in one template. Look at some, or raise dedup.threshold."
    }


def test_what_is_not_decided_is_no_empty_source(catalog):
    many_hosts(catalog)
    catalog.add(5, source="forum", kept=None)
    assert catalog.found() == {}
    steps = [step.command for step in next_steps(catalog.ask, "my corpus")]
    assert steps[0] == "corpusmill run RECIPE --corpus 'my corpus'"


def test_training_is_next_until_there_is_a_model(catalog):
    many_hosts(catalog)
    catalog.connection.execute("INSERT INTO tokens VALUES (1200)")
    assert "corpusmill train c" in [step.command for step in next_steps(catalog.ask, "c")]
    catalog.connection.execute("INSERT INTO metrics VALUES ('small')")
    commands = [step.command for step in next_steps(catalog.ask, "c")]
    assert "corpusmill train c" not in commands
    assert 'corpusmill generate c/models/small "The "' in commands


def test_the_report_opens_with_them_and_its_query_runs(corpus):
    page = Path(write_report(corpus)).read_text("utf-8")
    opening = html.unescape(page[: page.index("<nav")])
    (answer,) = json.loads(run_sql(corpus, "SELECT sum(records)::INT AS n FROM unusable", "json"))
    assert f"{answer['n']} records could not be used" in opening
    (command,) = re.findall(r"<code>(corpusmill sql .*?)</code>", opening)
    assert shlex.split(command)[2] == corpus.name
    assert run_sql(corpus, shlex.split(command)[3], "csv").startswith(b"rule,pages")


def test_a_library_with_other_ids_and_unused_tokens_are_named(catalog):
    run = catalog.connection.execute
    run("INSERT INTO receipts VALUES ('tokens', 'a', true, MAP {'different_gigatoken': 2, 'tokens': 9})")
    run("INSERT INTO receipts VALUES ('tokens', 'b', true, MAP {'different_gigatoken': 1})")
    run("INSERT INTO receipts VALUES ('tokens', 'c', false, MAP {'different_gigatoken': 5})")
    run("INSERT INTO vocabulary SELECT i, i = 0, CASE WHEN i < 600 THEN 'unused' END FROM range(1000) AS r(i)")
    found = catalog.found()
    assert set(found) == {WRONG_LIBRARY.sql, UNUSED_TOKENS.sql}
    assert "gigatoken gave other token ids than HF tokenizers for 3 texts" in found[WRONG_LIBRARY.sql]
    assert "another one encoded 2 parts" in found[WRONG_LIBRARY.sql]
    assert "599 of 999 tokens" in found[UNUSED_TOKENS.sql]
