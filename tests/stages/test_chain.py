"""The list of stages: its own members and the user's, each run through its one door."""

import pyarrow.parquet as pq
import pytest

from corpusmill.errors import BalanceError, InputError
from corpusmill.reasons import Stage
from corpusmill.reports.catalog import open_catalog
from corpusmill.stages import state
from corpusmill.stages.chain import chain_of
from corpusmill.stages.grouping import Grouping
from corpusmill.stages.planning import read_plan
from corpusmill.stages.stage import PerPart, Reading, Singleton, Snapshot

from .conftest import recipe
from .plain import job_of, run_plainly

A_SOURCE = {"name": "lines", "kind": "jsonl", "paths": ["in/a.jsonl"]}


def table(job, stage):
    return pq.read_table(job.corpus.folder / stage).to_pylist()


def test_kinds_and_order(project):
    kinds = [(str(stage.name), type(stage)) for stage in chain_of(job_of(recipe(), project))]
    assert kinds == [
        ("pages", Reading),
        ("texts", PerPart),
        ("signals-language", PerPart),
        ("signals-text", PerPart),
        ("signals-user-mine", PerPart),
        ("verdicts", PerPart),
        ("first_words", PerPart),
        ("sketches", PerPart),
        ("twins", Grouping),
        ("split", Singleton),
        ("docs", PerPart),
        ("tokenizer", Singleton),
        ("tokens", PerPart),
        ("vocabulary", Singleton),
    ]


def test_a_whole_run_balances_and_has_everything(project):
    job = job_of(recipe(), project)
    run_plainly(job)
    slices = read_plan(job.corpus)
    books = state.balance(job, slices)
    assert books.pages == 30 + 20 + 20 + 6 + 3 + 4 == books.docs + books.dropped.total()
    assert books.dropped["pages"] == 2  # an answer of 404, and a page without main content
    assert books.dropped["verdicts"] > 5
    assert books.dropped["twins"] > 5
    assert books.tokens > 1000
    texts = {row["doc_id"]: row["text"] for row in table(job, "texts")}
    docs = {row["doc_id"]: row["text"] for row in table(job, "docs")}
    assert docs
    assert all(texts[doc_id] == text for doc_id, text in docs.items())


def test_edits_change_the_text_and_are_counted_and_masking_comes_last(project):
    job = job_of(recipe(), project)
    run_plainly(job, until="texts")
    pages = {row["doc_id"]: row for row in table(job, "pages")}
    signed = [row for row in table(job, "texts") if "\n-- \n" in (pages[row["doc_id"]]["text"] or "")]
    assert len(signed) == 20
    for row in signed:
        assert (row["edit_no_signature_lines"], row["edit_no_signature_chars"]) == (2, len("\n-- \nme@mail.example"))
        assert row["text"] == pages[row["doc_id"]]["text"].partition("\n-- \n")[0].replace(
            "someone@example.org", "<email>"
        )
        assert row["pii_emails"] == row["text"].count("<email>")  # the signature's address was not there to mask
    receipt = Snapshot(job.corpus).stage("texts").values()
    assert sum(each.counts["edit_no_signature_lines"] for each in receipt) == 40


def test_a_users_stage_is_a_table_of_the_catalog(project):
    job = job_of(recipe(), project)
    run_plainly(job)
    with open_catalog(job.corpus.folder) as catalog:
        wrong = (
            "SELECT count(*) FROM first_words f JOIN texts t USING (doc_id) WHERE NOT starts_with(t.text, first_word)"
        )
        assert catalog.execute(wrong).fetchall() == [(0,)]
        assert catalog.execute("SELECT count(*) FROM first_words").fetchall() == [(83,)]
        comments = "SELECT comment FROM duckdb_columns() WHERE table_name = ? AND column_name = ?"
        assert catalog.execute(comments, ["first_words", "first_word"]).fetchall() == [("the first word",)]
        assert catalog.execute(comments, ["signals", "shouting"]).fetchall() == [("'!' per page",)]
        loud = "SELECT count(*) FROM ledger JOIN signals USING (doc_id) WHERE shouting > 3 AND (kept OR kept IS NULL)"
        assert catalog.execute(loud).fetchall() == [(0,)]
        assert catalog.execute("SELECT count(*) FROM signals WHERE edit_no_signature_lines > 0").fetchall() == [(20,)]


def test_everything_in_reverse_order_gives_the_same_bytes(project):
    one, other = job_of(recipe(), project), job_of(recipe(), project, corpus="other")
    run_plainly(one)
    run_plainly(other, order=-1)
    sums = [
        {(r.stage, r.part): r.checksum for s in chain_of(job) for r in job.corpus.receipts(s.name).values()}
        for job in (one, other)
    ]
    assert sums[0] == sums[1]


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("@stage('x', 'd', reads={'pagse': ['text']}, columns={})\ndef f(t): ...", "'pagse', which is not a stage"),
        *(
            (f"@stage('{name}', 'd', reads={{'pages': ['text']}}, columns={{}})\ndef f(t): ...", "already in use")
            for name in (
                "docs",
                "Docs",
                "signals_text",
                "signals-mine",
                "models",
                "logs",
                "raw",
                "ledger",
                "Totals",
                "mix",
            )
        ),
        ("@stage('x', 'd', reads={}, columns={})\ndef f(t): ...", "reads must name stages and lists"),
        ("@stage('x', 'd', reads={'docs': 'text'}, columns={})\ndef f(t): ...", "reads must name stages and lists"),
        ("@stage('x', 'd', reads={'docs': []}, columns={})\ndef f(t): ...", "reads must name stages and lists"),
        (
            "@stage('x', 'd', reads={'docs': ['nope']}, columns={})\ndef f(t): ...",
            "reads column 'nope' of docs; there are: doc_id,",
        ),
        ("@stage('x', 'd', reads={'tokenizer': ['x']}, columns={})\ndef f(t): ...", "is not a stage with a table"),
        *(
            (f"@stage('x', 'd', reads={{'docs': ['text']}}, columns={columns})\ndef f(t): ...", says)
            for columns, says in (
                ("{'A b': (pa.int64(), 'd')}", "column 'A b' is not a valid name"),
                ("{'': (pa.int64(), 'd')}", "column '' is not a valid name"),
                ("{'x': (pa.int64(), 'd'), 'X': (pa.int64(), 'd')}", "names of columns must differ"),
                ("{'doc_id': (pa.int64(), 'd')}", "names of columns must differ"),
                ("{'x': pa.int64()}", "needs its type and a description"),
                ("{'x': ('int64', 'd')}", r"column 'x': its type must be one of pyarrow's"),
            )
        ),
        ("@signal('s', 'float64', 'd')\ndef f(t): ...", "signal 's': its type must be one of pyarrow's"),
        ("@signal('s', float, 'd')\ndef f(t): ...", "signal 's': its type must be one of pyarrow's"),
        *(
            (f"@signal('s', {kind}, 'd')\ndef f(t): ...", "signal 's': its type must be one of pyarrow's")
            for kind in (
                "pa.float16()",
                "pa.time32('s')",
                "pa.string_view()",
                "pa.struct([])",
                "pa.binary(3)",
                "pa.decimal256(60, 2)",
                "pa.list_(pa.month_day_nano_interval())",
            )
        ),
        ("@signal('N_Words', pa.int64(), 'd')\ndef f(t): ...", "has a built-in one's name"),
        ("@signal('part', pa.int64(), 'd')\ndef f(t): ...", "has a built-in one's name"),
        (
            "@signal('s', pa.int64(), 'd')\n@signal('S', pa.int64(), 'd')\ndef f(t): ...",
            "'S' is registered twice|'s' is",
        ),
        ("@extractor('corpusmill')\ndef f(t, u): ...", "the name of extractor 'corpusmill' is a built-in one's"),
        ("@source('jsonl')\ndef f(p, o): ...", "the name of source 'jsonl' is a built-in one's"),
        ("raise SystemExit(3)", "fails to load: SystemExit: 3"),
    ],
)
def test_a_stage_that_does_not_fit_is_the_users_to_mend(project, code, says):
    imports = "import pyarrow as pa\nfrom corpusmill import extractor, signal, source, stage\n"
    (project / "mine.py").write_text(f"{imports}{code}\n")
    job = {"modules": ["mine.py"], "sources": recipe()["sources"][:1]}
    with pytest.raises(InputError, match=says):
        [each.table() for each in chain_of(job_of(job, project)) if each.table is not None]


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("return {'x': [1]}", "column 'x' has 1 values; it must have one for each row"),
        ("return {}", "returns the columns [], but was registered with ['x']"),
        ("return {'x': [1] * 30, 'y': [1] * 30}", "returns the columns ['x', 'y'], but was registered with ['x']"),
        ("import sys; sys.exit(4)", "SystemExit: 4"),
        ("return {'x': 1 / 0}", "ZeroDivisionError"),
        ("return {'x': ['no number'] * 30}", "fails: ArrowInvalid"),
    ],
)
def test_what_a_users_stage_does_wrong_is_named(project, code, says):
    text = (
        "import pyarrow as pa\nfrom corpusmill import stage\n"
        "@stage('mine', 'd', reads={'pages': ['text']}, columns={'x': (pa.int64(), 'a number')})\ndef f(tables):\n    "
    )
    (project / "mine.py").write_text(text + code + "\n")
    job = job_of(
        {"modules": ["mine.py"], "sources": [{"name": "l", "kind": "jsonl", "paths": ["in/a.jsonl"]}]}, project
    )
    with pytest.raises(InputError, match=r"stage 'mine' \(f in mine\.py, 30 rows\)") as error:
        run_plainly(job)
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("return texts[:1]", "returns 1 texts; it must return one for each page"),
        ("return ['x'] * len(texts)", None),
        ("return [None] * len(texts)", "changes null to a text, or a text to null"),
        ("raise KeyError('k')", "KeyError: 'k'"),
    ],
)
def test_what_a_users_edit_does_wrong_is_named(project, code, says):
    (project / "mine.py").write_text(f"from corpusmill import edit\n@edit('mine', 'd')\ndef f(texts):\n    {code}\n")
    job = job_of(
        {"modules": ["mine.py"], "sources": [{"name": "l", "kind": "jsonl", "paths": ["in/a.jsonl"]}]}, project
    )
    if says is None:
        run_plainly(job, until="texts")
        assert {row["text"] for row in table(job, "texts")} == {"x"}
        return
    with pytest.raises(InputError, match=r"edit 'mine' \(f in mine\.py, 30 pages\)") as error:
        run_plainly(job)
    assert says in str(error.value)


def test_two_modules_of_one_name_have_groups_of_their_own(project):
    for folder in ("one", "two"):
        (project / folder).mkdir()
        (project / folder / "mine.py").write_text(
            f"import pyarrow as pa\nfrom corpusmill import signal\n"
            f"@signal('of_{folder}', pa.int64(), 'd')\ndef f(pages): return [1] * len(pages)\n"
        )
    job = job_of({"modules": ["one/mine.py", "two/mine.py"], "sources": recipe()["sources"][:1]}, project)
    names = [stage.name for stage in chain_of(job) if stage.name.startswith("signals-user")]
    assert names == ["signals-user-mine", "signals-user-mine--2"]


@pytest.mark.parametrize("stage", ["texts", "signals-text", "verdicts", "sketches", "docs", "tokens"])
def test_rows_that_are_lost_between_stages_fail_the_run(project, stage):
    """A receipt that is consistent in itself, but read fewer rows than were published."""
    job = job_of(recipe(), project)
    parts = run_plainly(job)
    spec = chain_of(job)[stage]
    part = next(part for part in parts if job.corpus.receipt(stage, part).rows_in > 2)
    path = job.corpus.folder / stage / "_receipts" / f"{part}.json"
    receipt = job.corpus.receipt(stage, part)
    path.write_text(path.read_text().replace(f'"rows_in":{receipt.rows_in}', f'"rows_in":{receipt.rows_in - 1}'))
    assert spec.is_current(job, Snapshot(job.corpus), part)
    with pytest.raises(BalanceError, match=f"{stage} of part {part} read {receipt.rows_in - 1} rows"):
        state.balance(job, read_plan(job.corpus))


def test_a_stage_that_is_not_there_is_named(project):
    job = job_of(recipe(), project)
    with pytest.raises(InputError, match="there is no stage 'tokns'; there are: pages, texts"):
        chain_of(job).until("tokns")
    assert [stage.name for stage in chain_of(job).until(Stage.TEXTS)] == ["pages", "texts"]
