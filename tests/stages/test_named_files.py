"""Files that the recipe names for its filters: what they do in a run, what renews, and what is said of wrong ones."""

import json
import pickle
import shutil
from importlib.resources import as_file, files
from typing import Any

import pytest

from corpusmill.errors import InputError
from corpusmill.pipelines.driver import prepare
from corpusmill.pipelines.supervise import make_job
from corpusmill.recipe import dump, parse
from corpusmill.reports.catalog import open_catalog
from corpusmill.reports.rules import rules_of_corpus
from corpusmill.reports.trial import trial
from corpusmill.reports.whatif import Removed, whatif
from corpusmill.reports.why import why
from corpusmill.stages.chain import chain_of
from corpusmill.stages.files import content_of, keep_files
from corpusmill.stages.models import train_perplexity, train_quality
from corpusmill.stages.quality import check_files
from corpusmill.stages.signals import check_languages, rule_columns
from corpusmill.stages.stage import PerPart, Snapshot
from corpusmill.verify import verify

from .plain import job_of, run_plainly

QUESTION = "Which of the following gases is the most abundant one in the atmosphere of the Earth by volume?"
GOOD = "The method of the experiment gives evidence, and the analysis of its results supports the theory."
BAD = "Buy cheap now, click here for the best free offer and a discount on every deal in the shop today."
PAGES = [
    {"text": GOOD, "url": "https://good.example/a"},
    {"text": BAD, "url": "https://shop.bad.example/x"},
    {"text": f"A quiz.\n{QUESTION} It is nitrogen.\nThe end.", "url": "https://quiz.example/list/1"},
    {"text": "Das Wort steht hier, und es ist verboten.", "url": None},
]


def write(folder):
    for name, text in (("good", GOOD), ("bad", BAD)):
        rows = [{"text": f"{text} {' '.join(text.split()[i % 12 :])} number {i}"} for i in range(60)]
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (folder / "in").mkdir()
    (folder / "in/pages.jsonl").write_text("\n".join(map(json.dumps, PAGES)))
    train_quality([str(folder / "good.jsonl")], [str(folder / "bad.jsonl")], folder / "quality.bin")
    train_perplexity([str(folder / "good.jsonl")], folder / "prose.bin", "en")
    (folder / "words.txt").write_text("cheap\nfree offer\n")
    (folder / "worte.txt").write_text("verboten\nthe\n")
    (folder / "ut1/adult").mkdir(parents=True)
    (folder / "ut1/adult/domains").write_text("bad.example\n")
    (folder / "ut1/adult/urls").write_text("quiz.example/list\n")
    (folder / "quiz.jsonl").write_text(json.dumps({"id": "q1", "question": QUESTION}) + "\n")


def recipe(action: str = "drop") -> dict[str, Any]:
    return {
        "sources": [{"name": "lines", "kind": "jsonl", "paths": ["in/*.jsonl"]}],
        "filters": {
            "profiles": [],
            "classifiers": [{"name": "quality", "model": "quality.bin"}],
            "perplexity": [{"name": "surprise", "model": "prose.bin"}],
            "word_lists": [
                {"name": "spam", "path": "words.txt", "provenance": "by hand"},
                {"name": "worte", "path": "worte.txt", "language": "de"},
            ],
            "url_lists": [{"name": "adult", "path": "ut1/adult", "provenance": "UT1, CC BY-SA"}],
            "rules": [{"name": "poor", "signal": "quality", "comparison": "<", "threshold": 0.1}],
        },
        "decontaminate": {"sets": ["quiz.jsonl"], "action": action},
        "tokenizer": {"vocab_size": 300},
    }


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("named")
    write(folder)
    return folder


@pytest.fixture(scope="module")
def made(source):
    job = job_of(recipe(), source)
    return job, run_plainly(job)


@pytest.fixture
def folder(source, made, tmp_path):
    shutil.copytree(source, tmp_path / "project")
    return tmp_path / "project"


def rows(job, query):
    return open_catalog(job.corpus.place).sql(query).fetchall()


def test_signals_of_files_are_measured(made):
    job, _ = made
    found = rows(job, "SELECT quality, spam_count, spam_share, worte_count, adult, contaminated_spans FROM signals")
    qualities = [row[0] for row in found]
    assert qualities[0] > 0.9 > 0.1 > qualities[1]
    assert [row[1] for row in found] == [0, 2, 0, 0]
    assert found[1][2] == pytest.approx(3 / len(BAD.split()))
    assert [row[3] for row in found] == [None, None, None, 1]
    assert [row[4] for row in found] == [False, True, True, None]
    assert [row[5] for row in found] == [0, 0, 1, 0]


def test_perplexity_and_its_bucket_are_measured_where_there_is_a_model_of_the_language(made):
    job, _ = made
    found = rows(job, "SELECT language, surprise, surprise_bucket FROM signals")
    assert [row[0] for row in found] == ["en", "en", "en", "de"]
    assert found[0][1] < found[1][1]
    assert [row[2] for row in found[:2]] == ["head", "tail"]
    assert found[3][1:] == (None, None)


def test_contamination_is_on_record_with_its_place_and_drops_the_page(made):
    job, _ = made
    ((spans,),) = rows(job, "SELECT contamination FROM contamination WHERE contaminated_spans > 0")
    text = PAGES[2]["text"]
    assert [(text[s["start"] : s["end"]], s["set"], s["item"]) for s in spans] == [(QUESTION[:-1], "quiz", "q1")]
    assert rows(job, "SELECT rule, value, threshold FROM ledger WHERE NOT kept ORDER BY rule") == [
        ("contaminated", 1.0, 0.0),
        ("poor", pytest.approx(0.0, abs=0.1), 0.1),
    ]
    assert {stage.name for stage in chain_of(job)} >= {"signals-quality", "signals-lists", "signals-contamination"}


def test_cutting_takes_the_lines_and_keeps_the_page(folder):
    job = job_of(recipe("cut"), folder, "cut")
    run_plainly(job)
    columns = "text, edit_decontaminate_lines, edit_decontaminate_chars"
    found = rows(job, f"SELECT {columns} FROM texts WHERE edit_decontaminate_lines > 0")
    assert found == [("A quiz.\nThe end.", 1, len(f"{QUESTION} It is nitrogen.\n"))]
    assert rows(job, "SELECT count(*) FROM docs WHERE text = 'A quiz.\nThe end.'") == [(1,)]
    assert rows(job, "SELECT count(*) FROM signals WHERE edit_decontaminate_lines = 1") == [(1,)]

    job.corpus.write_text("recipe.toml", dump(job.recipe))
    (folder / "quiz.jsonl").unlink()  # the corpus has a copy
    told = why(job.corpus.place, PAGES[2]["url"], with_diff=True).documents[0].diff
    (step,) = told.steps
    assert told.agrees
    assert (step.edit, step.n_lines, step.n_chars) == ("decontaminate", 1, len(f"{QUESTION} It is nitrogen.\n"))
    assert [(line.number, line.sign, line.text) for line in step.changes] == [(2, "-", f"{QUESTION} It is nitrogen.")]
    job.corpus.write_json("filters.json", {"files": []})
    with pytest.raises(InputError, match=r"was not made with the evaluation set 'quiz.jsonl'; run the recipe first"):
        why(job.corpus.place, PAGES[2]["url"], with_diff=True)


def test_a_recipe_can_be_tried_with_files_that_the_corpus_has_not_measured(folder):
    bare = job_of({"sources": recipe()["sources"], "filters": {"profiles": []}}, folder, "bare")
    run_plainly(bare, until="verdicts")
    tried = recipe()
    tried["filters"]["rules"] += [
        {"name": "listed", "sql": "spam_count > 1 OR worte_count > 0 OR adult"},
        {"name": "surprising", "sql": "surprise_bucket = 'tail'"},
        {"name": "odd", "sql": "n_words_datatrove > 1000 OR edit_citations_lines > 5"},
    ]
    tried["edits"] = [{"kind": "citations"}]
    (folder / "try.toml").write_text(dump(parse(tried, folder=folder)))
    before = sorted(path for path in bare.corpus.folder.rglob("*") if path.is_file())
    seen = trial(folder / "try.toml", bare.corpus.place)
    found = {rule.rule: rule.pages.all for rule in seen.rules}
    assert found == {"contaminated": 1, "poor": found["poor"], "listed": 3, "surprising": 2, "odd": 0}
    assert found["poor"] > 0
    assert [edit.edit for edit in seen.edits] == ["citations"]
    assert sorted(path for path in bare.corpus.folder.rglob("*") if path.is_file()) == before


def test_measuring_alone_drops_and_cuts_nothing(folder):
    job = job_of(recipe("none"), folder, "none")
    run_plainly(job)
    assert rows(job, "SELECT count(*) FROM ledger WHERE rule = 'contaminated'") == [(0,)]
    assert rows(job, "SELECT sum(contaminated_spans)::INT FROM signals") == [(1,)]


def renewed(job, parts):
    snapshot = Snapshot(job.corpus)
    stages = [stage for stage in chain_of(job) if isinstance(stage, PerPart)]
    return {str(s.name) for s in stages if not all(s.is_current(job, snapshot, part) for part in parts)}


CHANGES = [
    ("words.txt", "signals-lists"),
    ("ut1/adult/urls", "signals-lists"),
    ("quiz.jsonl", "signals-contamination"),
    ("quality.bin", "signals-quality"),
    ("prose.bin", "signals-quality"),
]


@pytest.mark.parametrize(("file", "stage"), CHANGES)
def test_a_changed_file_renews_its_group_and_nothing_else(folder, file, stage):
    job = job_of(recipe(), folder)
    parts = job.corpus.parts("pages")
    assert renewed(job, parts) == set()
    content = (folder / file).read_bytes()
    (folder / file).write_bytes(content + b"\n")
    assert renewed(job_of(recipe(), folder), parts) == {stage}


@pytest.mark.parametrize(
    ("path", "value", "stages"),
    [
        (("filters", "classifiers", 0, "label"), "negative", {"signals-quality"}),
        (("filters", "word_lists", 0, "language"), "en", {"signals-lists"}),
        (("filters", "word_lists", 0, "provenance"), "others", set()),
        (("filters", "url_lists", 0, "provenance"), "others", set()),
        (("decontaminate", "n"), 12, {"signals-contamination"}),
        (("decontaminate", "fields"), ["question"], {"signals-contamination"}),
        (("decontaminate", "min_overlap"), 0.5, {"signals-contamination"}),
        (("decontaminate", "action"), "none", {"verdicts"}),
    ],
)
def test_a_changed_setting_renews_what_reads_it(made, path, value, stages):
    job, parts = made
    data = recipe()
    table: Any = data
    for key in path[:-1]:
        table = table[key]
    table[path[-1]] = value
    assert renewed(job_of(data, job.folder), parts) == stages


def test_files_travel_with_the_job(made, tmp_path):
    job, _ = made
    away = pickle.loads(pickle.dumps(job))
    object.__setattr__(away, "folder", tmp_path / "not here")
    assert away.files == job.files
    assert content_of(away.corpus, away.files["words.txt"]) == b"cheap\nfree offer\n"
    assert content_of(away.corpus, away.files["ut1/adult"]) == b"bad.example\n\nquiz.example/list\n"
    stage = next(stage for stage in chain_of(away) if stage.name == "signals-lists")
    assert isinstance(stage, PerPart)
    part = job.corpus.parts("pages")[0]
    assert stage.advance(away, part) == job.corpus.receipt("signals-lists", part)


def test_files_that_are_not_named_any_more_leave_the_corpus(folder):
    job = job_of(recipe(), folder)
    before = set(job.corpus.store.entries("files"))
    assert before == set(job.files.values())
    data = recipe()
    data["filters"]["word_lists"] = []
    job = job_of(data, folder)
    keep_files(job.recipe, job.folder, job.files, job.corpus)
    assert set(job.corpus.store.entries("files")) == set(job.files.values()) < before


WRONG = [
    ({"classifiers": [{"name": "q", "model": "none.bin"}]}, "filters.classifiers 'q': .*none.bin cannot be read"),
    ({"classifiers": [{"name": "q", "model": "words.txt"}]}, "'q': words.txt: is no fastText model"),
    (
        {"classifiers": [{"name": "q", "model": "quality.bin", "label": "x"}]},
        "no label 'x'; it has: negative, pos",
    ),
    ({"language": {"model": "words.txt"}}, "filters.language.model: words.txt: is no fastText model"),
    ({"language": {"model": "quality.bin"}, "languages": ["en"]}, "filters.languages: unknown code 'en'"),
    ({"perplexity": [{"name": "p", "model": "words.txt"}]}, "perplexity 'p': words.txt: the file is no model"),
    ({"word_lists": [{"name": "w", "path": "quality.bin"}]}, "quality.bin: the file is not UTF-8"),
    (
        {"word_lists": [{"name": "w", "path": "words.txt", "language": "eng"}]},
        "filters.word_lists 'w': language: unknown code 'eng'; did you mean 'en'",
    ),
    ({"word_lists": [{"name": "w", "path": "ut1"}]}, "ut1 cannot be read: Is a directory"),
    ({"url_lists": [{"name": "u", "path": "ut1"}]}, "has no file 'domains' or 'urls'"),
    ({"url_lists": [{"name": "language", "path": "ut1/adult"}]}, "'language' of signals-lists: signals-language has"),
    ({"word_lists": [{"name": "n", "path": "words.txt"}, {"name": "n", "path": "words.txt"}]}, "'n_count' of"),
]


def check_all(job):
    rule_columns(job)
    keep_files(job.recipe, job.folder, job.files, job.corpus)
    check_files(job)
    check_languages(job)


@pytest.mark.parametrize(("filters", "said"), WRONG)
def test_what_cannot_be_used_is_said_before_any_work(source, tmp_path, filters, said):
    job = job_of({"sources": recipe()["sources"], "filters": filters}, source, str(tmp_path / "corpus"))
    with pytest.raises(InputError, match=said):
        check_all(job)


def test_a_language_model_of_the_recipe_travels_with_the_corpus(source, tmp_path):
    filters = {"language": {"model": "quality.bin"}}
    job = job_of({"sources": recipe()["sources"], "filters": filters}, source, str(tmp_path / "corpus"))
    check_all(job)
    assert (job.corpus.folder / "files" / job.files["quality.bin"]).read_bytes() == (
        source / "quality.bin"
    ).read_bytes()


def test_a_damaged_copy_is_noticed_and_made_anew(folder):
    job = job_of(recipe(), folder)
    copy = job.corpus.folder / "files" / job.files["words.txt"]
    copy.write_bytes(b"damaged and\nas long")
    with pytest.raises(InputError, match="is gone or damaged; run the recipe again"):
        content_of(job.corpus, job.files["words.txt"])
    keep_files(job.recipe, job.folder, job.files, job.corpus)
    assert content_of(job.corpus, job.files["words.txt"]) == b"cheap\nfree offer\n"


def test_a_file_that_changes_while_a_run_begins_is_said(folder):
    job = job_of(recipe(), folder)
    assert job.files
    train_perplexity([str(folder / "good.jsonl")], folder / "prose.bin", "en")
    (folder / "words.txt").write_text("other\n")
    with pytest.raises(InputError, match="has changed since the run began"):
        keep_files(job.recipe, job.folder, job.files, job.corpus)


def test_a_recipe_that_names_no_files_has_none_of_it(tmp_path):
    job = make_job({"sources": recipe()["sources"]}, None)  # type: ignore[arg-type]
    assert job.files == {}
    assert not {stage.name for stage in chain_of(job)} & {"signals-quality", "signals-lists", "signals-contamination"}


def test_the_catalog_has_provenance_and_held_out_figures(made):
    job, _ = made
    files = rows(job, "SELECT kind, name, provenance, bytes > 0 FROM filter_files")
    assert files == [
        ("filters.classifiers", "quality", None, True),
        ("filters.word_lists", "spam", "by hand", True),
        ("filters.word_lists", "worte", "", True),
        ("filters.url_lists", "adult", "UT1, CC BY-SA", True),
        ("filters.perplexity", "surprise", None, True),
        ("decontaminate.sets", "quiz.jsonl", None, True),
    ]
    figures = json.loads((job.folder / "quality.bin.json").read_text())
    ((auc, trained, held_out, label),) = rows(job, "SELECT auc, trained_on, held_out, label FROM classifiers")
    assert (auc, label) == (figures["auc"], "positive")
    assert (trained, held_out) == (sum(figures["trained_on"].values()), sum(figures["held_out"].values()))
    assert rows(job, "SELECT sum(documents)::INT FROM calibration") == [(held_out,)]


def test_figures_of_another_model_are_not_taken(folder):
    (folder / "quality.bin").write_bytes((folder / "quality.bin").read_bytes() + b"\0")
    job = job_of(recipe(), folder)
    keep_files(job.recipe, job.folder, job.files, job.corpus)
    assert rows(job, "SELECT count(*) FROM classifiers") == [(0,)]
    (folder / "quality.bin.json").write_text(json.dumps({"digest": job.files["quality.bin"], "calibration": 3}))
    keep_files(job.recipe, job.folder, job.files, job.corpus)
    assert rows(job, "SELECT count(*) FROM classifiers") == [(0,)]


def test_reports_know_the_rule_that_decontamination_asks_for(made):
    job, _ = made
    job.corpus.write_text("recipe.toml", dump(job.recipe))
    answer = whatif(job.corpus.place)
    assert (answer.differs_from_verdicts, answer.now.kept_by_rules) == (0, rows(job, KEPT)[0][0])
    listed = {each.rule: each.pages for each in rules_of_corpus(job.corpus.place)}
    assert listed["contaminated"] == Removed(first=1, alone=1, all=1)
    assert whatif(job.corpus.place, without=["contaminated"]).into == 1
    assert whatif(job.corpus.place, ["contaminated=1"]).into == 1  # a span more is allowed


KEPT = "SELECT count(*) FROM verdicts WHERE kept"


def test_verifying_reads_the_copies_too(folder):
    job = job_of(recipe(), folder)
    run_plainly(job)
    job.corpus.write_text("recipe.toml", dump(job.recipe))
    assert verify(job.corpus.place).damaged == []
    damaged, gone = (f"files/{job.files[name]}" for name in ("words.txt", "worte.txt"))
    (job.corpus.folder / damaged).write_bytes(b"damaged and\nas long")
    (job.corpus.folder / gone).unlink()
    seen = verify(job.corpus.place)
    assert (seen.damaged, seen.missing) == ([damaged], [gone])
    assert seen.files == seen.files_read
    keep_files(job.recipe, job.folder, job.files, job.corpus)
    assert (verify(job.corpus.place).damaged, verify(job.corpus.place).missing) == ([], [])


def test_all_that_judges_by_models_is_a_kernel_of_ours(made):
    job, _ = made
    assert {stage.name for stage in chain_of(job) if "fasttext-community" in stage.libraries} == set()
    assert "numba" in chain_of(job)["signals-quality"].libraries


def test_a_first_run_finds_its_own_language_model(tmp_path):
    """Its copy is made before it is checked."""
    with as_file(files("corpusmill.filters") / "lid.176.ftz") as path:
        shutil.copy(path, tmp_path / "own.ftz")
    settings = {"profiles": [], "language": {"model": "own.ftz"}, "languages": ["en"]}
    prepare(job_of({"sources": recipe()["sources"], "filters": settings}, tmp_path))
    with pytest.raises(InputError, match="unknown code 'eng'"):
        prepare(job_of({"sources": recipe()["sources"], "filters": settings | {"languages": ["eng"]}}, tmp_path))


def test_the_catalog_opens_before_contamination_is_measured(folder):
    job = job_of(recipe(), folder, "begun")
    run_plainly(job, until="pages")
    assert rows(job, "SELECT count(*) FROM contamination") == [(0,)]


def test_a_damaged_list_of_files_is_read_as_far_as_it_is_right(folder):
    job = job_of(recipe(), folder)
    job.corpus.write_json(
        "filters.json", {"files": [{"kind": 1}, "x", {"kind": "k", "name": "n", "path": "p", "digest": "d"}]}
    )
    assert [entry["name"] for entry in job.corpus.filter_files()] == ["n"]
    job.corpus.write_json("filters.json", {"files": {"a": 1}})
    assert job.corpus.filter_files() == []
