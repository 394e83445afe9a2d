"""Sources that are added later, and documents that are taken down: both end in the bytes of one run from scratch."""

import gzip
import json
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpusmill.collect.records import Record, document_id
from corpusmill.collect.takedown import entries_of, now
from corpusmill.corpus import Corpus
from corpusmill.errors import InputError
from corpusmill.reasons import Stage, Status
from corpusmill.recipe import dump
from corpusmill.removals import FILE, Kind, Removals, read_removals, write_removals
from corpusmill.stages import state, takedown
from corpusmill.stages.chain import chain_of
from corpusmill.stages.foresee import foresee
from corpusmill.stages.kept import kept_job, reached
from corpusmill.stages.planning import make_plan, read_plan
from corpusmill.stages.stage import Snapshot
from tests.pipelines.conftest import documents

from .plain import job_of, run_plainly

TEXTS = [row["text"] for row in documents(24, seed=5)]  # near copies, exact copies and short texts among them
TINY = ["", "one", "two words"]
PAGES = st.lists(
    st.tuples(st.sampled_from([*TEXTS, *TINY]), st.sampled_from(["a.example", "www.a.example", "b.example"])),
    max_size=8,
)
SOURCES = st.lists(PAGES, min_size=1, max_size=3)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    """A tokenizer that is given to every run."""
    folder = tmp_path_factory.mktemp("tokenizer")
    rows = [{"text": text} for text in TEXTS]
    (folder / "in.jsonl").write_text("\n".join(map(json.dumps, rows)))
    job = job_of(recipe(["in"], None), folder)
    run_plainly(job)
    return job.corpus.folder / "tokenizer/tokenizer.json"


def recipe(names, tokenizer):
    return {
        "sources": [{"name": name, "kind": "jsonl", "paths": [f"{name}.jsonl"]} for name in names],
        "run": {"slice_bytes": 4096},
        "filters": {"profiles": ["none"], "max_pages_per_host": 9},
        "split": {"validation_share": 0.2},
        "tokenizer": {"path": str(tokenizer)} if tokenizer else {"vocab_size": 300},
    }


def write_sources(folder: Path, sources) -> list[str]:
    """A file for each source; their names."""
    names = [f"s{number}" for number in range(len(sources))]
    for name, pages in zip(names, sources, strict=True):
        lines = [json.dumps({"text": text, "url": f"http://{host}/{i}"}) for i, (text, host) in enumerate(pages)]
        (folder / f"{name}.jsonl").write_text("".join(f"{line}\n" for line in lines))
    return names


def parts(job):
    """The checksum of every part of every stage, and of the tokenizer."""
    return {
        (stage.name, part): receipt.checksum
        for stage in chain_of(job)
        for part, receipt in job.corpus.receipts(stage.name).items()
    }


def finish(job):
    """All stages, and what a run does at its end."""
    found = run_plainly(job)
    slices = make_plan(job)
    state.tidy(job, slices, found)
    books = state.balance(job, slices)
    assert books.pages == books.docs + books.dropped.total()
    return parts(job)


MANY = settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@MANY
@given(sources=SOURCES, order=st.randoms(use_true_random=False))
def test_sources_that_are_added_in_several_runs_equal_one_run(sources, order, tokenizer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("added")
    names = write_sources(folder, sources)
    for corpus in ("grown", "whole"):
        (folder / corpus).mkdir()
    order.shuffle(names)
    for n in range(1, len(names) + 1):
        grown = finish(job_of(recipe(names[:n], tokenizer), folder, "grown"))
    assert grown == finish(job_of(recipe(sorted(names), tokenizer), folder, "whole"))
    shutil.rmtree(folder)


@st.composite
def removals(draw, sources):
    """Entries of any kind: of pages that are there, and of others."""
    urls = [f"http://{host}/{i}" for pages in sources for i, (_, host) in enumerate(pages)]
    ids = [doc_id(f"s{n}", pages, i) for n, pages in enumerate(sources) for i in range(len(pages))]
    found = {}
    for kind, there in ((Kind.URL, urls), (Kind.HOST, ["b.example", "a.example"]), (Kind.DOC_ID, ids)):
        chosen = draw(st.lists(st.sampled_from(there), max_size=3, unique=True)) if there else []
        if kind is not Kind.HOST or draw(st.booleans()):
            found |= entries_of(kind, chosen, "given", now(), "") if chosen else {}
    return list(found)


def doc_id(source, pages, number):
    """The doc_id of a line in the file of a source."""
    lines = [json.dumps({"text": text, "url": f"http://{host}/{i}"}) for i, (text, host) in enumerate(pages)]
    offset = sum(len(line) + 1 for line in lines[:number])
    return document_id(source, Record(origin_path=f"{source}.jsonl", offset=offset))


@MANY
@given(data=st.data(), sources=SOURCES)
def test_a_removal_equals_a_rebuild_and_reads_no_input(data, sources, tokenizer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("removed")
    names = write_sources(folder, sources)
    entries = data.draw(removals(sources))
    before = finish(job_of(recipe(names, tokenizer), folder, "corpus"))
    half = len(entries) // 2
    for listed in (entries[:half], entries):  # in two steps
        job = job_of(recipe(names, tokenizer), folder, "corpus")
        write_removals(job.corpus, Removals().plus(listed))
        with reading_forbidden():
            removed = finish(job_of(recipe(names, tokenizer), folder, "corpus"))
    again = job_of(recipe(names, tokenizer), folder, "again")
    write_removals(again.corpus, read_removals(job.corpus))
    assert removed == finish(again)
    assert (removed == before) == (not any(job.corpus.receipts(Stage.PAGES)[p].counts.get("status_removed")
                                           for p in job.corpus.parts(Stage.PAGES)))  # fmt: skip
    shutil.rmtree(folder)


def test_what_a_dry_run_says_comes_true(tokenizer, tmp_path):
    names = write_sources(tmp_path, [[(text, "a.example") for text in TEXTS]])
    other = [(TEXTS[4], "a.example"), (TEXTS[5], "a.example")]
    (tmp_path / "elsewhere").mkdir()
    write_sources(tmp_path / "elsewhere", [other])
    run_plainly(job_of(recipe(["s0"], tokenizer), tmp_path / "elsewhere"))
    data = recipe(names, tokenizer) | {"filters": {"profiles": ["none"]}}
    data["dedup"] = {"against": [{"corpus": str(tmp_path / "elsewhere/corpus"), "name": "other"}]}
    job = job_of(data, tmp_path)
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus/recipe.toml").write_text(dump(job.recipe))
    before = finish(job)
    found = zip(column(job, Stage.TWINS, "twin_doc_id"), column(job, Stage.TWINS, "twin_corpus"), strict=True)
    twins = {doc_id for doc_id, corpus in found if doc_id is not None and corpus is None}
    assert "other" in column(job, Stage.TWINS, "twin_corpus")
    given = entries_of(Kind.DOC_ID, [*twins, "f" * 24], "given", now(), "")
    seen = foresee(kept_job(job.corpus), given)
    assert parts(job) == before
    assert (seen.pages, seen.documents, seen.unknown) == (len(twins), len(twins), ["f" * 24])
    docs = set(column(job, Stage.DOCS, "doc_id"))
    write_removals(job.corpus, Removals().plus(given))
    job = job_of(data, tmp_path)
    after = finish(job)
    assert set(column(job, Stage.DOCS, "doc_id")) == (docs - twins) | set(seen.promoted)
    assert seen.promoted
    assert len({key for key in before if key[0] == Stage.PAGES and before[key] != after[key]}) == seen.parts


def test_a_dry_run_says_what_it_cannot_foresee(tokenizer, tmp_path):
    """Of pages of one URL, of a passage and of copies in another corpus: what comes back is what was announced."""
    quote, filler = TEXTS[1], [f"{name} {TEXTS[2]}" for name in ("First", "Second")]
    rows = [
        {"text": TEXTS[6] + " and the longest of all", "url": "http://a.example/1"},
        {"text": TEXTS[7], "url": "https://a.example/1/"},
        {"text": f"{filler[0]}\n\n{quote}", "url": "http://b.example/1"},
        {"text": f"{TEXTS[9]}\n\n{TEXTS[13]}\n\n{quote}", "url": "http://b.example/2"},
        {"text": TEXTS[4], "url": "http://c.example/1"},
        {"text": TEXTS[4] + " now", "url": "http://c.example/2"},
    ]
    (tmp_path / "s0.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "elsewhere").mkdir()
    write_sources(tmp_path / "elsewhere", [[(TEXTS[4] + " so", "a.example")]])
    run_plainly(job_of(recipe(["s0"], tokenizer), tmp_path / "elsewhere"))
    data = recipe(["s0"], tokenizer) | {"dedup": {
        "urls": {"enabled": True, "keep": "longest"},
        "repeats": {"units": ["substring"], "substring_words": 30},
        "lines": [{"scope": "corpus", "min_documents": 5}],
        "against": [{"corpus": str(tmp_path / "elsewhere/corpus"), "name": "other"}],
    }}  # fmt: skip
    job = job_of(data, tmp_path)
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus/recipe.toml").write_text(dump(job.recipe))
    finish(job)
    assert dict(zip(column(job, Stage.TWINS, "twin_corpus"), "xx", strict=False)).keys() == {"other"}
    holder = column(job, "repeated_text", "cuts")[0][0]["twin_doc_id"]
    winner = column(job, "same_url", "twin_doc_id")[0]
    given = entries_of(Kind.DOC_ID, [holder, winner, column(job, Stage.TWINS, "doc_id")[0]], "given", now(), "")
    seen = foresee(kept_job(job.corpus), given)
    assert (seen.promoted, seen.unforeseen) == ([], ["repeated_lines", "caps"])
    assert seen.affected == {"same_url": 1, "repeated_text": 1}
    docs, cut = set(column(job, Stage.DOCS, "doc_id")), column(job, "repeated_text", "doc_id")
    (back,) = column(job, "same_url", "doc_id")
    write_removals(job.corpus, Removals().plus(given))
    job = job_of(data, tmp_path)
    finish(job)
    assert set(column(job, Stage.DOCS, "doc_id")) - docs == {back}
    assert cut
    assert column(job, "repeated_text", "doc_id") == []


def test_the_job_that_a_corpus_keeps_has_nothing_to_do(tokenizer, tmp_path):
    names = write_sources(tmp_path, [[(text, "a.example") for text in TEXTS[:4]]])
    job = job_of(recipe(names, tokenizer), tmp_path)
    finish(job)
    (tmp_path / "corpus/recipe.toml").write_text(dump(job.recipe))
    kept = kept_job(job.corpus)
    assert state.unfinished(kept, read_plan(job.corpus), None) is None
    assert reached(kept) == Stage.VOCABULARY


def column(job, stage, name):
    """The values of a column in all parts."""
    return [
        value for part in job.corpus.parts(stage) for value in job.corpus.read(stage, part, [name])[name].to_pylist()
    ]


class reading_forbidden:  # noqa: N801  # it is used like a function
    """In the block, nothing may be read from the input."""

    def __enter__(self):
        self.patch = pytest.MonkeyPatch()

        def refuse(*_):
            raise AssertionError("the input was read")

        self.patch.setattr("corpusmill.collect.pages.read_slice", refuse)

    def __exit__(self, *_):
        self.patch.undo()


# ---- the parts of one slice ----------------------------------------------------------------------------------------


@pytest.fixture
def long_slice(tmp_path):
    """A job whose one file fills several parts, read up to its pages; and the names of these parts."""
    rows = documents(40, seed=3)
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    (tmp_path / "s0.jsonl.gz").write_bytes(gzip.compress(content, mtime=0))
    job = job_of(recipe_of_long_slice(), tmp_path)
    return job, run_plainly(job, "pages")


def recipe_of_long_slice():
    data = recipe(["s0"], None)
    data["sources"][0]["paths"] = ["s0.jsonl.gz"]
    return data | {"run": {"slice_bytes": 10_000}}


def again(job):
    return job_of(recipe_of_long_slice(), job.folder)


def remove_urls(job, *urls):
    entries = entries_of(Kind.URL, urls, "given", now(), "a reason")
    write_removals(job.corpus, read_removals(job.corpus).plus(entries))
    return again(job)


def url_of(job, part, row=0):
    return job.corpus.read(Stage.PAGES, part, ["url"])["url"][row].as_py()


def stamps(job):
    return {path.stem: path.stat().st_mtime_ns for path in (job.corpus.folder / "pages").glob("*.parquet")}


def test_only_parts_with_a_removed_page_are_written_again(long_slice):
    job, parts = long_slice
    assert len(parts) > 3
    before, url = stamps(job), url_of(job, parts[2])
    job = remove_urls(job, url)
    with reading_forbidden():
        assert run_plainly(job, "pages") == parts
    after = stamps(job)
    assert {part for part in parts if before[part] != after[part]} == {parts[2]}
    (row,) = [row for row in job.corpus.read(Stage.PAGES, parts[2]).to_pylist() if row["status"] == Status.REMOVED]
    kept = {name for name, value in row.items() if value is not None}
    assert kept == {"doc_id", "source", "n_bytes", "origin_path", "origin_offset", "status", "metadata"}
    assert json.loads(row["metadata"]) == {"removal": read_removals(job.corpus).ids[0]}


@pytest.mark.parametrize("killed_at", range(1, 7))
def test_a_kill_between_two_writes_is_made_good_without_the_input(long_slice, monkeypatch, killed_at):
    job, parts = long_slice
    job = remove_urls(job, *(url_of(job, part) for part in parts[:3]))
    n, put = 0, Corpus.put

    def killed(corpus, receipt, content):
        nonlocal n
        n += 1
        if n == killed_at:
            raise KeyboardInterrupt
        return put(corpus, receipt, content)

    with monkeypatch.context() as patch:
        patch.setattr(Corpus, "put", killed)
        if killed_at <= 3:
            with pytest.raises(KeyboardInterrupt):
                run_plainly(job, "pages")
            assert state.parts_of(again(job), Snapshot(job.corpus), make_plan(job)) is None
        else:
            run_plainly(job, "pages")
    job = remove_urls(job, url_of(job, parts[1], 1))  # one more meanwhile
    with reading_forbidden():
        run_plainly(job, "pages")
    assert state.parts_of(job, Snapshot(job.corpus), make_plan(job)) == parts
    whole = job_of(recipe_of_long_slice(), job.folder, "whole")
    write_removals(whole.corpus, job.removals)
    run_plainly(whole, "pages")
    for part in parts:
        assert whole.corpus.read_file(Stage.PAGES, part) == job.corpus.read_file(Stage.PAGES, part)


def test_an_entry_that_is_taken_off_has_its_slice_read_again(long_slice):
    job, parts = long_slice
    whole = {part: job.corpus.read_file(Stage.PAGES, part) for part in parts}
    url = url_of(job, parts[1])
    job = remove_urls(job, url)
    run_plainly(job, "pages")
    write_removals(job.corpus, job.removals.minus(entries_of(Kind.URL, [url], "given", now(), "")))
    assert state.parts_of(again(job), Snapshot(job.corpus), make_plan(job)) is None
    run_plainly(again(job), "pages")
    assert {part: job.corpus.read_file(Stage.PAGES, part) for part in parts} == whole


def test_an_entry_that_removed_nothing_is_taken_off_without_reading(long_slice):
    job, _ = long_slice
    job = remove_urls(job, "http://nowhere.example/")
    run_plainly(job, "pages")
    write_removals(job.corpus, Removals())
    with reading_forbidden():
        run_plainly(again(job), "pages")


def test_the_list_outlives_a_changed_recipe_and_a_changed_input(long_slice):
    job, parts = long_slice
    url = url_of(job, parts[0])
    remove_urls(job, url)
    content = gzip.decompress((job.folder / "s0.jsonl.gz").read_bytes())
    (job.folder / "s0.jsonl.gz").write_bytes(gzip.compress(content + content.splitlines(keepends=True)[0], mtime=0))
    data = recipe_of_long_slice() | {"extract": {"max_page_bytes": 10_000}}
    job = job_of(data, job.folder)
    pages = [row for part in run_plainly(job, "pages") for row in job.corpus.read(Stage.PAGES, part).to_pylist()]
    assert len(pages) == 41
    assert [row["status"] for row in pages].count(Status.REMOVED) == 2
    assert url not in {row["url"] for row in pages}


def test_a_damaged_list_stops_a_run(long_slice):
    job, _ = long_slice
    for content in (
        b"{",
        b'{"removals": [{"kind": "url"}]}',
        b'{"removals": [{"kind": "x", "value": "", "added": ""}]}',
    ):
        (job.corpus.folder / FILE).write_bytes(content)
        with pytest.raises(InputError, match="is damaged"):
            run_plainly(again(job), "pages")


def test_a_list_that_is_gone_stops_a_run(long_slice):
    job, parts = long_slice
    run_plainly(remove_urls(job, url_of(job, parts[0])), "pages")
    (job.corpus.folder / FILE).unlink()
    with pytest.raises(InputError, match="is gone, and a run without it would bring back"):
        run_plainly(again(job), "pages")


def test_a_damaged_part_is_found_by_the_columns_that_are_read(long_slice):
    job, parts = long_slice
    path = job.corpus.path(Stage.PAGES, parts[1])
    url, whole = url_of(job, parts[0]), path.read_bytes()
    at = 60  # in the first column, which is doc_id
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    job = remove_urls(job, url)
    found = takedown.Found()
    first = job.corpus.receipt(Stage.PAGES, parts[0])
    assert takedown.take_down(job.corpus, takedown.takedown_of(job), first, parts[1:], found) is None
    assert found.pages == 1  # the others are done nevertheless
    run_plainly(again(job), "pages")  # which reads the slice again
    assert path.read_bytes() == whole
