import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpusmill import schema
from corpusmill.corpus import Corpus
from corpusmill.errors import InputError, RunError
from corpusmill.mix import write_mix
from corpusmill.parts import Made
from corpusmill.reasons import Stage
from corpusmill.reports import tables
from corpusmill.reports.catalog import FILE, build, open_catalog
from corpusmill.reports.page import write_report
from corpusmill.stages.chain import TAKEN

from . import conftest
from .conftest import PAGES, doc_id, write_stage


def rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple]:
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def ledger(corpus: Path) -> dict[str, tuple]:
    query = "SELECT doc_id, kept, stage, rule, value, threshold, also_dropped_by, twin_doc_id, jaccard FROM ledger"
    return {row[0]: row[1:] for row in rows(open_catalog(corpus), query)}


def test_the_ledger_has_one_row_a_page_and_tells_what_became_of_it(corpus):
    found = ledger(corpus)
    assert len(found) == len(PAGES)
    assert found[doc_id(0)] == (True, None, None, None, None, [], None, None)
    assert found[doc_id(1)] == (False, "twins", "exact_duplicate", 1.0, 0.75, [], doc_id(0), 1.0)
    assert found[doc_id(2)] == (False, "twins", "near_duplicate", 0.8125, 0.75, [], doc_id(0), 0.8125)
    assert found[doc_id(3)] == (False, "verdicts", "too_short", 2.0, 5.0, ["shop"], None, None)
    assert found[doc_id(4)] == (False, "verdicts", "too_short", 3.0, 5.0, ["digits", "shop"], None, None)
    assert found[doc_id(8)] == (False, "pages", "http_error", None, None, [], None, None)


def test_totals_add_up_to_the_pages(corpus):
    connection = open_catalog(corpus)
    documents, n_bytes, n_tokens = connection.execute(
        "SELECT sum(documents), sum(n_bytes), sum(n_tokens) FROM totals"
    ).fetchone()
    assert documents == len(PAGES)
    assert n_bytes == sum(1000 + i for i in range(len(PAGES)))
    assert n_tokens == sum(10 + i for i in conftest.kept(range(len(PAGES))))
    assert rows(connection, "SELECT count(*) FROM totals WHERE kept") == [(1,)]


def test_receipts_and_stages(corpus):
    connection = open_catalog(corpus)
    assert connection.execute("SELECT count(*) FROM receipts").fetchone() == (9 * 3 + 1,)  # and the vocabulary
    assert connection.execute("SELECT parts, rows_out FROM stages WHERE stage = 'pages'").fetchone() == (3, len(PAGES))
    assert rows(connection, "SELECT part, dropped FROM receipts WHERE stage = 'twins' ORDER BY part")[0] == (
        "web-0000",
        {},
    )


def test_a_plain_duckdb_reads_it_from_any_folder(corpus, tmp_path):
    path = build(corpus)
    program = (
        "import duckdb, sys; print(duckdb.connect(sys.argv[1], read_only=True).sql('SELECT count(*) FROM ledger'))"
    )
    done = subprocess.run([sys.executable, "-c", program, path], cwd="/", capture_output=True, text=True, check=True)
    assert f" {len(PAGES)} " in done.stdout
    assert sorted(p.name for p in corpus.glob(".*")) == []  # nothing is left behind


def test_tables_and_columns_explain_themselves(corpus):
    connection = open_catalog(corpus)
    for table in tables.TABLES:
        query = "SELECT column_name, data_type, comment FROM duckdb_columns() WHERE table_name = ?"
        columns = {name: (kind, note) for name, kind, note in connection.execute(query, [table.name]).fetchall()}
        for column in table.columns:
            kind, comment = columns[column.name]
            assert comment == column.description
            plain = kind.replace("_MS", "").replace('"', "")  # DuckDB has quotes where it needs them
            assert plain == tables.plain_type(column.type).replace("_MS", "")
    found = "SELECT view_name, comment FROM duckdb_views() WHERE NOT internal"
    assert dict(rows(connection, found))["ledger"] == tables.LEDGER.description


@pytest.mark.parametrize("until", range(len(conftest.ROWS) + 1))
def test_a_growing_corpus_has_every_table_with_every_column(tmp_path, until):
    corpus = Corpus(tmp_path / "corpus")
    corpus.write_text("recipe.toml", conftest.RULES)
    for stage in list(conftest.ROWS)[:until]:
        write_stage(corpus, stage)
    connection = open_catalog(corpus.folder)
    for table in tables.TABLES:
        names = connection.table(f"catalog.main.{table.name}").columns
        assert set(table.arrow.names) <= set(names)
    assert connection.execute("SELECT count(*) FROM ledger").fetchone() == (len(PAGES) if until else 0,)
    assert connection.execute("SELECT coalesce(sum(documents), 0) FROM totals").fetchone()[0] == (
        len(PAGES) if until else 0
    )
    decided = "SELECT count(*) FROM ledger WHERE kept IS NOT NULL"
    stages = list(conftest.ROWS)[:until]  # verdicts drop five, twins decide on the rest
    expected = len(PAGES) if Stage.TWINS in stages else 5 if Stage.VERDICTS in stages else 0
    assert rows(connection, decided) == [(expected,)]


def test_a_page_is_undecided_until_its_own_part_is_through(tmp_path):
    corpus = Corpus(tmp_path)
    for stage in (Stage.PAGES, Stage.VERDICTS):
        write_stage(corpus, stage)
    write_stage(corpus, Stage.TWINS, {"web-0001": conftest.PARTS["web-0001"]})
    found = ledger(tmp_path)
    assert found[doc_id(0)][0] is None
    assert found[doc_id(11)][0] is True


def test_a_part_without_a_receipt_does_not_exist(own_corpus):
    open_catalog(own_corpus).close()
    (own_corpus / "pages/_receipts/web-0001.json").unlink()
    assert len(ledger(own_corpus)) == len(conftest.PARTS["web-0000"])


def test_urls_without_their_receipt_do_not_exist(own_corpus):
    assert rows(open_catalog(own_corpus), "SELECT count(*) FROM urls") == [(len(conftest.URLS),)]
    (own_corpus / "raw" / "web" / "crawl.json").unlink()
    assert rows(open_catalog(own_corpus), "SELECT count(*) FROM urls") == [(3,)]


def test_the_catalog_is_renewed_when_the_corpus_changes_and_only_then(tmp_path):
    corpus = Corpus(tmp_path)
    write_stage(corpus, Stage.PAGES)
    first = open_catalog(tmp_path)
    inode = (tmp_path / FILE).stat().st_ino
    open_catalog(tmp_path).close()
    assert (tmp_path / FILE).stat().st_ino == inode
    write_stage(corpus, Stage.VERDICTS)
    second = open_catalog(tmp_path)
    assert rows(second, "SELECT count(*) FROM verdicts") == [(len(PAGES),)]
    assert rows(first, "SELECT count(*) FROM verdicts") == [(0,)]  # still open, still as it was


def test_parts_with_other_columns_lie_side_by_side(own_corpus):
    more = conftest.columns_of(Stage.TEXT_SIGNALS).append(pa.field("loudness", pa.float64()))
    found = [row | {"loudness": 0.25} for row in conftest.signal_rows(conftest.PARTS["web-0001"])]
    conftest.publish(Corpus(own_corpus), Stage.TEXT_SIGNALS, "web-0001", found, more)
    assert rows(open_catalog(own_corpus), "SELECT count(*), count(loudness) FROM signals") == [(len(PAGES), len(found))]


def test_signals_of_all_groups_lie_side_by_side(corpus):
    query = "SELECT doc_id, language, n_words, pii_emails FROM signals ORDER BY doc_id"
    expected = [
        (doc_id(i), page.language, conftest.n_words(page), 0) if page.text else (doc_id(i), None, None, None)
        for i, page in enumerate(PAGES)
    ]
    assert rows(open_catalog(corpus), query) == expected


def test_weights_come_from_the_mix(own_corpus):
    write_mix(Corpus(own_corpus), {"web": 2.5})
    query = "SELECT source, any_value(weight) FROM docs GROUP BY source ORDER BY source"
    assert rows(open_catalog(own_corpus), query) == [("more", 1.0), ("web", 2.5)]
    assert rows(open_catalog(own_corpus), "SELECT max(weight) FROM tokens") == [(2.5,)]


def test_documents_that_were_not_compared_with_every_candidate_are_in_the_ledger(corpus):
    query = "SELECT doc_id FROM ledger WHERE limited"
    assert rows(open_catalog(corpus), query) == [(doc_id(1),)]


def test_parts_that_lack_a_column_of_today(own_corpus):
    older = pa.schema([field for field in schema.TOKENS.arrow if field.name != "n_tokens"])
    for part, indices in conftest.PARTS.items():
        conftest.publish(Corpus(own_corpus), Stage.TOKENS, part, conftest.token_rows(indices), older)
    assert rows(open_catalog(own_corpus), "SELECT count(*) > 0, sum(n_tokens) FROM tokens") == [(True, None)]


def test_a_moved_corpus(own_corpus, tmp_path):
    open_catalog(own_corpus).close()
    moved = tmp_path / "elsewhere"
    shutil.move(own_corpus, moved)
    assert len(ledger(moved)) == len(PAGES)


def test_leftovers_of_a_killed_build_go_in_time(own_corpus):
    old, young = own_corpus / f".{FILE}.a.tmp", own_corpus / f".{FILE}.b.tmp"
    for path in (old, young):
        path.touch()
    os.utime(old, (1, 1))
    build(own_corpus)
    assert (old.exists(), young.exists()) == (False, True)


def test_other_spellings_of_the_folder_need_no_other_catalog(corpus, tmp_path):
    open_catalog(corpus).close()
    inode = (corpus / FILE).stat().st_ino
    (tmp_path / "link").symlink_to(corpus)
    for spelling in (corpus / ".." / corpus.name, tmp_path / "link"):
        open_catalog(spelling).close()
    assert (corpus / FILE).stat().st_ino == inode


@pytest.mark.parametrize("there", [True, False])
def test_a_corpus_that_cannot_be_written(own_corpus, there, monkeypatch):
    if there:
        build(own_corpus).write_bytes(b"not a database")

    def refuse(*_: object) -> None:
        raise PermissionError(30, "read-only file system")

    monkeypatch.setattr(Path, "rename", refuse)  # root may write anywhere, so permissions can't be tested with chmod
    assert len(ledger(own_corpus)) == len(PAGES)
    with pytest.raises(RunError, match="read-only file system"):
        build(own_corpus)
    with pytest.raises(RunError, match="read-only file system"):
        write_report(own_corpus)
    assert sorted(p.name for p in own_corpus.glob(".*")) == []


def test_a_catalog_that_someone_writes_to(own_corpus):
    program = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(1, flush=True); sys.stdin.read()"
    build(own_corpus)
    command = [sys.executable, "-c", program, own_corpus / FILE]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        assert len(ledger(own_corpus)) == len(PAGES)
        holder.stdin.close()


def test_the_catalog_is_read_only(corpus):
    with open_catalog(corpus) as connection, pytest.raises(duckdb.Error, match="read-only"):
        connection.execute("CREATE TABLE mine AS SELECT 1")


@pytest.mark.parametrize("name", ["", "nowhere"])
def test_a_wrong_folder(tmp_path, name):
    with pytest.raises(InputError, match="corpusmill run"):
        open_catalog(tmp_path / name)


def test_url_host(corpus):
    query = """SELECT url_host('HTTP://user:pw@A.example:8080/x@y?z'), url_host('https://b.example#f'), url_host('a/b'),
               url_host(NULL)"""
    assert rows(open_catalog(corpus), query) == [("a.example:8080", "b.example", None, None)]


def test_a_view_that_was_opened_before_a_run_changed_parts_says_so(corpus):
    connection = open_catalog(corpus)
    before = connection.execute("SELECT count(n_words) FROM signals").fetchone()
    path = corpus / Stage.TEXT_SIGNALS / "web-0000.parquet"
    table = pq.read_table(path)
    pq.write_table(table.slice(1), path)
    with pytest.raises(duckdb.Error, match="a run has changed the corpus since it was opened: open it again"):
        connection.execute("SELECT avg(n_words) FROM signals")
    pq.write_table(table, path)
    assert connection.execute("SELECT count(n_words) FROM signals").fetchone() == before


BAD = 'x"; CREATE TABLE pwned AS SELECT 1; --'


@pytest.mark.parametrize(
    "change",
    [
        lambda stage: stage.update(stage=BAD),
        lambda stage: stage["table"].update(name=BAD),
        lambda stage: stage["table"]["columns"].append([BAD, "string", "a column"]),
        lambda stage: stage["table"].update(columns=[["only a name"]]),
        lambda stage: stage.update(reads={"../..": ["x"]}),
        lambda stage: stage.update(table="a text"),
        lambda stage: stage.clear(),
    ],
)
def test_a_description_of_stages_that_came_from_elsewhere_runs_nothing(corpus, change):
    """tables.json of a corpus that somebody else made is data, like the rest."""
    stage = {
        "stage": "mine",
        "kind": "PerPart",
        "reads": {"pages": ["doc_id"]},
        "singletons": [],
        "table": {"name": "mine", "description": "'; CREATE TABLE pwned AS SELECT 1; --", "columns": []},
    }
    change(stage)
    (corpus / "tables.json").write_text(json.dumps({"stages": [stage]}))
    with open_catalog(corpus) as connection:
        assert connection.execute("SELECT count(*) FROM ledger").fetchone() == (len(PAGES),)
        names = {name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
        assert "pwned" not in names


def test_a_column_of_any_name_is_only_a_column(corpus):
    path = corpus / Stage.TEXT_SIGNALS / "web-0000.parquet"
    table = pq.read_table(path)
    made = Made(table=table.append_column(BAD, table["n_words"]), rows_in=table.num_rows, bytes_in=0)
    Corpus(corpus).publish(Stage.TEXT_SIGNALS, "web-0000", made, fingerprint="f", started=0.0)
    with open_catalog(corpus) as connection:
        name = BAD.replace('"', '""')
        assert connection.execute(f'SELECT count("{name}"), count(n_words) FROM signals').fetchall()


def test_no_stage_of_a_users_takes_a_name_of_the_catalog(corpus):
    with open_catalog(corpus) as connection:
        query = "SELECT table_name FROM information_schema.tables WHERE table_catalog = 'catalog'"
        names = {name for (name,) in connection.execute(query).fetchall()}
    stages = {str(stage).replace("-", "_") for stage in tables.OWN_TABLES}
    assert names - stages <= TAKEN
    assert {"ledger", "unusable", "catalog_state"} <= names


def test_what_could_not_be_used_is_counted_with_an_example(corpus):
    unusable = [page for page in PAGES if page.status != "ok"]
    with open_catalog(corpus) as connection:
        found = connection.execute("SELECT source, status, records, of_source FROM unusable").fetchall()
        plain = connection.execute(
            "SELECT source, status, count(*) FROM pages WHERE status <> 'ok' GROUP BY ALL"
        ).fetchall()
        examples = connection.execute(
            "SELECT count(*) FROM unusable u JOIN pages p USING (source, status, origin_path, origin_offset)"
        ).fetchone()
    assert sorted(row[:3] for row in found) == sorted(plain)
    assert sum(row[2] for row in found) == len(unusable)
    assert all(row[3] >= row[2] for row in found)
    assert examples == (len(found),)
