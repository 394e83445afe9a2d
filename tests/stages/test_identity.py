"""What a part's identity depends on: every setting of the recipe, changed once, renews exactly the stages that read it.

`RENEWED` names, for each setting, the stages whose fingerprints move while their inputs stay as they are.  What follows
from a change of these inputs is the chain's business.  A setting that is missing here fails the test.
"""

import subprocess
import sys
from importlib.metadata import version
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from corpusmill.collect.formats import FORMATS
from corpusmill.recipe import Recipe
from corpusmill.stages import stage as protocol
from corpusmill.stages.chain import chain_of
from corpusmill.stages.grouping import Grouping
from corpusmill.stages.planning import read_plan
from corpusmill.stages.stage import PerPart, Reading, Singleton, Snapshot

from .conftest import recipe, write_project
from .plain import job_of, run_plainly
from .test_document_sources import SETTINGS as OF_DOCUMENTS
from .test_table_sources import PLACES
from .test_table_sources import SETTINGS as OF_TABLES

LINES = {"name": "lines", "kind": "jsonl", "paths": ["in/*.jsonl"]}
NOTHING: set[str] = set()
TWINS = {"sketches", "twins"}
RENEWED: dict[str, tuple[Any, set[str]]] = {  # setting: (another value, stages that renew)
    "run.slice_bytes": (50_000, {"pages"}),
    "run.limit": (10, {"pages"}),
    "extract.extractor": ("resiliparse", {"pages"}),
    "extract.format": ("markdown", {"pages"}),
    "extract.max_page_bytes": (10_000, {"pages"}),
    "extract.opt_outs": ([], {"pages"}),
    "edits": ([{"kind": "white_space"}], {"texts", "verdicts"}),  # rules may read its counts
    "filters.profiles": (["none"], {"verdicts"}),
    "filters.language.model": ("other.ftz", {"signals-language"}),
    "filters.language.by_paragraph": (True, {"signals-language"}),
    "filters.signals": (["c4"], {"signals-c4", "verdicts"}),
    "filters.languages": (["en"], {"verdicts"}),
    "filters.min_language_score": (0.5, {"verdicts"}),
    "filters.classifiers": ([{"name": "other", "model": "given.json"}], {"signals-quality", "verdicts"}),
    "filters.word_lists": ([{"name": "other", "path": "given.json"}], {"signals-lists", "verdicts"}),
    "filters.url_lists": ([{"name": "other", "path": "given.json"}], {"signals-lists", "verdicts"}),
    "filters.perplexity": ([{"name": "other", "model": "given.json"}], {"signals-quality", "verdicts"}),
    "decontaminate.sets": (["given.json"], {"signals-contamination", "verdicts"}),
    "decontaminate.n": (5, NOTHING),  # nothing without sets; tests/stages/test_named_files.py has some
    "decontaminate.fields": (["question"], NOTHING),
    "decontaminate.action": ("cut", NOTHING),
    "decontaminate.min_overlap": (0.5, NOTHING),
    "filters.rules": ([], {"verdicts"}),
    "filters.max_pages_per_host": (2, {"caps", "twins", "split", "docs"}),
    "filters.disable": (["symbols"], {"verdicts"}),
    "pii.emails": (False, {"texts"}),
    "pii.ip_addresses": (False, {"texts"}),
    "pii.phones": (False, {"texts"}),
    "pii.credit_cards": (False, {"texts"}),
    "pii.ibans": (False, {"texts"}),
    "pii.national_ids": (False, {"texts"}),
    "pii.credentials": (False, {"texts"}),
    "pii.keys": (False, {"texts"}),
    "dedup.enabled": (False, TWINS),
    "dedup.ngram": (3, TWINS),
    "dedup.bands": (7, TWINS),
    "dedup.rows": (4, TWINS),
    "dedup.threshold": (0.5, {"twins"}),
    "dedup.seed": (2, TWINS),
    "dedup.against": ([{"corpus": "other", "name": "other"}], {"twins"}),
    "dedup.near": (False, TWINS),
    "dedup.exact": ("text", NOTHING),  # another value needs near = false; tests/stages/test_repeats.py has one
    "dedup.urls.enabled": (True, {"same_url", "twins", "split", "docs"}),
    "dedup.urls.keep": ("longest", NOTHING),  # nothing while it is off, as for the others below
    "dedup.urls.signal": (None, NOTHING),
    "dedup.urls.ignore": ([], NOTHING),
    "dedup.lines": ([{"unit": "paragraph"}], {"repeated_lines", "texts", "verdicts"}),
    "dedup.repeats.units": (["sentences"], {"repeated_text", "split", "docs"}),
    "dedup.repeats.min_words": (3, NOTHING),
    "dedup.repeats.substring_words": (20, NOTHING),
    "dedup.repeats.substring_chars": (100, NOTHING),
    "dedup.repeats.min_words_left": (3, NOTHING),
    "dedup.semantic.embeddings": ("given.json", {"semantic", "split", "docs"}),
    "dedup.semantic.threshold": (0.5, NOTHING),
    "tokenizer.path": ("given.json", {"tokenizer"}),
    "tokenizer.vocab_size": (500, {"tokenizer"}),
    "tokenizer.sample_bytes": (1000, {"tokenizer"}),
    "tokenizer.min_frequency": (3, {"tokenizer"}),
    "split.validation_share": (0.5, {"split"}),
    "split.min_validation_documents": (3, {"split"}),
    "tokenizer.model": ("wordpiece", {"tokenizer"}),
    "tokenizer.split": ("qwen", {"tokenizer"}),
    "tokenizer.digits": (1, {"tokenizer"}),
    "tokenizer.normalizer": ("nfc", {"tokenizer"}),
    "tokenizer.byte_fallback": (False, {"tokenizer"}),
    "tokenizer.special_tokens": (["<|user|>"], {"tokenizer"}),
    "tokenizer.special_tokens_in_text": (True, {"tokens", "vocabulary"}),
    "tokenizer.sample_balance": (0.5, {"tokenizer"}),
    "tokenizer.references": (["given.json"], {"vocabulary"}),
    "train": ({"steps": 3}, NOTHING),
    "mix": ({"by": ["source", "language"], "temperature": 2.0, "order": "short-first"}, NOTHING),
    "modules": (["mine.py", "other.py"], NOTHING),
    "sources.0.licence": ("CC0-1.0", {"pages"}),
    "sources.0.weight": (3.0, NOTHING),
    "sources.0.columns": ({"title": "url"}, {"pages"}),
    "sources.0.name": ("renamed", {"pages"}),
    "sources.0.kind": ("text", {"pages"}),
    "sources.0.paths": (["in/a.*"], NOTHING),  # the same file, found in another way
    "sources.1.columns": ({"text": "body", "title": "n"}, {"pages"}),
    "sources.4.options": ({"times": 3}, {"pages"}),
}

LISTS_OF_FILES = ("classifiers", "word_lists", "url_lists", "perplexity", "against")

OF_LIBRARIES = {
    "pyarrow": {"pages", "texts", "signals-language", "signals-text", "signals-user-mine", "verdicts", "first_words",
                "sketches", "twins", "split", "docs", "tokens"},
    "numba": {"pages", "texts", "signals-language", "signals-text", "sketches", "twins"},
    "duckdb": {"verdicts"},
    "datasketch": {"sketches"},
    "tokenizers": {"tokenizer", "tokens", "vocabulary"},
    "tiktoken": {"tokens", "vocabulary"},
    "gigatoken": {"tokens", "vocabulary"},
    "fastwarc": {"pages"},
    "tldextract": {"texts"},
    "zstandard": {"pages"},
    "isal": {"pages"},
    "chardetng-py": {"pages"},
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A finished run, not to be changed."""
    folder = tmp_path_factory.mktemp("identity")
    write_project(folder)
    (folder / "other.py").write_text("# registers nothing\n")
    (folder / "given.json").write_text("{}")
    (folder / "other.ftz").write_bytes(b"another model")
    run_plainly(job_of(recipe(), folder, "other"), until="docs")
    job = job_of(recipe(), folder)
    parts = run_plainly(job)
    return folder, job, parts


def changed(setting: str, value: Any) -> dict[str, Any]:
    data = recipe()
    *path, last = setting.split(".")
    table: Any = data
    for key in path:
        table = table[int(key)] if key.isdigit() else table.setdefault(key, {})
    table[last] = value
    return data


def renewed(folder, parts, data) -> set[str]:
    """The stages that are not current any more although their inputs are as they were."""
    job = job_of(data, folder)
    snapshot, slices = Snapshot(job.corpus), read_plan(job.corpus)
    found = set()
    for stage in chain_of(job):
        match stage:
            case Reading():
                names = {source.name for source in job.recipe.sources}
                limited = job.recipe.run.limit is not None
                current = all(
                    piece.source in names and not limited and stage.parts(job, snapshot, piece) for piece in slices
                )
            case PerPart():
                current = all(stage.is_current(job, snapshot, part) for part in parts)
            case Grouping() | Singleton():
                current = stage.is_current(job, snapshot, parts)
        if not current:
            found.add(str(stage.name))
    return found


def test_nothing_changed_renews_nothing(made):
    folder, _, parts = made
    assert renewed(folder, parts, recipe()) == set()


@pytest.mark.parametrize("setting", RENEWED)
def test_a_changed_setting_renews_exactly_what_reads_it(made, setting):
    folder, _, parts = made
    value, expected = RENEWED[setting]
    if setting == "sources.0.kind":  # the slices of a kind are the plan's business
        return
    assert renewed(folder, parts, changed(setting, value)) == expected


def settings_of(model: type[BaseModel], prefix: str = "") -> set[str]:
    found = set()
    for name, field in model.model_fields.items():
        inner = [t for t in (field.annotation, *get_args(field.annotation)) if isinstance(t, type)]
        models = [t for t in inner if issubclass(t, BaseModel)]
        if models and name not in ("train", "mix", "rules", "profiles", "sources", "lines", *LISTS_OF_FILES):
            found |= settings_of(models[0], f"{prefix}{name}.")
        elif name != "sources":
            found.add(f"{prefix}{name}")
    return found


def test_every_setting_is_in_the_table():
    assert settings_of(Recipe) <= set(RENEWED)
    of_sources = {name for format in FORMATS.values() for name in format.settings.model_fields} | {"options"}
    of_sources -= {name for names in (OF_TABLES | OF_DOCUMENTS).values() for name in names} | set(PLACES.values())
    assert of_sources - {"crawl"} <= {setting.rpartition(".")[2] for setting in RENEWED}


@pytest.mark.parametrize("library", sorted(OF_LIBRARIES))
def test_another_version_of_a_library_renews_what_depends_on_it(made, library, monkeypatch):
    folder, _, parts = made
    monkeypatch.setattr(protocol, "library_version", lambda name: "another" if name == library else version(name))
    protocol.version_of.cache_clear()
    try:
        found = renewed(folder, parts, recipe())
    finally:
        monkeypatch.undo()
        protocol.version_of.cache_clear()
    assert found == OF_LIBRARIES[library]


def test_a_changed_setting_of_an_edit_renews_the_texts(made):
    folder = made[0]
    before = chain_of(job_of(changed("edits", [{"kind": "c4_lines"}]), folder))["texts"]
    for more in ({"min_words": 4}, {"variant": "tfds"}, {"keep_blocks": False}, {"name": "other"}, {"phrases": ["x"]}):
        job = job_of(changed("edits", [{"kind": "c4_lines"} | more]), folder)
        assert chain_of(job)["texts"].prefix(job) != before.prefix(
            job_of(changed("edits", [{"kind": "c4_lines"}]), folder)
        )


def test_another_version_of_unicode_renews_everything(made, monkeypatch):
    folder, job, parts = made
    monkeypatch.setattr(protocol.unicodedata, "unidata_version", "99")
    assert renewed(folder, parts, recipe()) == {str(stage.name) for stage in chain_of(job)}


def test_an_edited_module_renews_what_uses_it(made):
    folder, _, parts = made
    text = (folder / "mine.py").read_text()
    (folder / "mine.py").write_text(text + "# more\n")
    try:
        found = renewed(folder, parts, recipe())
    finally:
        (folder / "mine.py").write_text(text)
    assert found == {"pages", "texts", "signals-user-mine", "first_words"}


def test_an_edited_helper_of_an_installed_package_renews_what_uses_it(tmp_path):
    """In processes of their own, since a package is imported once."""
    write_project(tmp_path)
    package = tmp_path / "site/ourpackage"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "helper.py").write_text("def words(text):\n    return len(text.split())\n")
    (package / "rules.py").write_text(
        "import pyarrow as pa\nfrom corpusmill import signal\nfrom ourpackage.helper import words\n"
        "@signal('ours', pa.int64(), 'd')\n"
        "def ours(pages): return [words(text) if text else None for text in pages['text'].to_pylist()]\n"
    )
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1] + '/site')\n"
        "from tests.stages.plain import job_of, run_plainly\nfrom tests.stages.test_identity import renewed\n"
        "folder, recipe = Path(sys.argv[1]), {'modules': ['ourpackage.rules'], 'sources': [{'name': 'l', "
        "'kind': 'jsonl', 'paths': ['in/a.jsonl']}]}\n"
        "job = job_of(recipe, folder)\n"
        "print(sorted(renewed(folder, job.corpus.parts('pages'), recipe)) if sys.argv[2] == 'ask' else "
        "run_plainly(job, 'verdicts'), end='')"
    )

    def call(what):
        command = [sys.executable, "-c", code, str(tmp_path), what]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    call("run")
    assert (
        call("ask") == "['docs', 'sketches', 'split', 'tokenizer', 'tokens', 'twins', 'vocabulary']"
    )  # the run ended with verdicts
    (package / "helper.py").write_text("def words(text):\n    return len(text)\n")
    assert "'signals-user-ourpackage-rules'" in call("ask")
