"""Slices and their parts: files that cannot be cut fill several, and files are read again only if they changed."""

import gzip
import json
import os

import pyarrow.parquet as pq
import pytest
import zstandard

from corpusmill.collect import identity
from corpusmill.errors import InputError
from corpusmill.reasons import Stage
from corpusmill.stages import state
from corpusmill.stages.chain import chain_of
from corpusmill.stages.planning import make_plan
from corpusmill.stages.stage import Reading, Snapshot
from tests.pipelines.conftest import documents

from .plain import job_of, run_plainly

ROWS = documents(40, seed=3)


def recipe(name="a.jsonl", slice_bytes=10_000, **more):
    return {
        "sources": [{"name": "s", "kind": "jsonl", "paths": [f"in/{name}"]}],
        "run": {"slice_bytes": slice_bytes, **more},
        "tokenizer": {"vocab_size": 300},
    }


def write(folder, name, rows=ROWS):
    data = "".join(json.dumps(row) + "\n" for row in rows).encode()
    if name.endswith(".gz"):
        data = gzip.compress(data, mtime=0)
    if name.endswith(".zst"):
        data = zstandard.compress(data)
    path = folder / "in" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return path


def texts(job, parts):
    return [t for part in parts for t in pq.read_table(job.corpus.path(Stage.PAGES, part))["text"].to_pylist()]


def made_at(job):
    return {r.part: r.finished_at for r in job.corpus.receipts(Stage.PAGES).values()}


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.jsonl.zst"])
def test_a_file_that_cannot_be_cut_fills_several_parts(tmp_path, name):
    write(tmp_path, name)
    job = job_of(recipe(name), tmp_path)
    (piece,) = make_plan(job)
    parts = run_plainly(job)
    assert len(parts) > 4
    assert parts[0] == piece.name
    assert parts[1] == f"{piece.name}.001"
    assert texts(job, parts) == [row["text"] for row in ROWS]
    sizes = [job.corpus.receipt(Stage.PAGES, part).bytes_in for part in parts]
    assert max(sizes) < 10_000 + max(len(row["text"]) for row in ROWS)
    books = state.balance(job, [piece])
    assert books.pages == 40 == books.docs + books.dropped.total()
    assert state.unfinished(job, [piece], None) is None


def test_the_parts_of_a_cut_file_hold_what_an_uncut_one_holds(tmp_path):
    found = []
    for name in ("a.jsonl.gz", "b.jsonl"):
        write(tmp_path, name)
        job = job_of(recipe(name), tmp_path, corpus=name)
        found.append(texts(job, run_plainly(job, "pages")))
    assert found[0] == found[1]


def test_a_slice_that_gives_fewer_parts_leaves_none_behind(tmp_path):
    write(tmp_path, "a.jsonl.gz")
    job = job_of(recipe("a.jsonl.gz"), tmp_path)
    before = run_plainly(job)
    write(tmp_path, "a.jsonl.gz", ROWS[:15])
    job = job_of(recipe("a.jsonl.gz"), tmp_path)
    after = run_plainly(job)
    assert len(after) < len(before)
    assert job.corpus.parts(Stage.PAGES) == after
    assert len(job.corpus.parts(Stage.TOKENS)) == len(before)  # until the run tidies up
    state.tidy(job, make_plan(job), after)
    for stage in (Stage.PAGES, Stage.SKETCHES, Stage.TOKENS):
        assert job.corpus.parts(stage) == after
        assert len(list((job.corpus.folder / stage).glob("*.parquet"))) == len(after)


@pytest.mark.parametrize("which", [0, 1, -1])
def test_a_further_part_that_is_gone_has_its_slice_read_again(tmp_path, which):
    write(tmp_path, "a.jsonl.gz")
    job = job_of(recipe("a.jsonl.gz"), tmp_path)
    parts = run_plainly(job, "pages")
    content = job.corpus.path(Stage.PAGES, parts[which]).read_bytes()
    job.corpus.path(Stage.PAGES, parts[which]).unlink()
    assert state.parts_of(job, Snapshot(job.corpus), make_plan(job)) is None
    assert run_plainly(job, "pages") == parts
    assert job.corpus.path(Stage.PAGES, parts[which]).read_bytes() == content


def test_a_file_with_another_time_and_the_same_content_is_not_milled_again(tmp_path):
    path = write(tmp_path, "a.jsonl")
    job = job_of(recipe(), tmp_path)
    run_plainly(job, "pages")
    before = made_at(job)
    os.utime(path, (1, 1))
    job = job_of(recipe(), tmp_path)
    assert state.parts_of(job, Snapshot(job.corpus), make_plan(job)) is None
    run_plainly(job, "pages")
    assert made_at(job) == before
    assert state.parts_of(job, Snapshot(job.corpus), make_plan(job)) is not None


def test_a_file_that_changed_in_one_place_renews_the_slices_that_read_it(tmp_path):
    path = write(tmp_path, "a.jsonl", documents(400, seed=3))
    job = job_of(recipe(slice_bytes=200_000), tmp_path)
    parts = run_plainly(job, "pages")
    assert len(parts) > 2
    before = made_at(job)
    content = path.read_bytes()
    path.write_bytes(content[:30] + bytes([content[30] ^ 1]) + content[31:])
    job = job_of(recipe(slice_bytes=200_000), tmp_path)
    run_plainly(job, "pages")
    assert {part for part, moment in made_at(job).items() if before[part] != moment} == {parts[0]}


def test_a_file_that_was_changed_under_the_same_size_and_time_is_noticed(tmp_path):
    path = write(tmp_path, "a.jsonl")
    job = job_of(recipe(slice_bytes=10**6), tmp_path)
    run_plainly(job, "pages")
    times = (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    path.write_bytes(path.read_bytes().replace(b"the", b"eht"))
    os.utime(path, ns=times)
    job = job_of(recipe(slice_bytes=10**6), tmp_path)
    parts = run_plainly(job, "pages")
    assert any("eht" in text for text in texts(job, parts))


def test_what_was_read_decides_not_what_the_plan_says(tmp_path):
    """The stamp is believed while nothing else has the slice read; whoever reads it notices the other content."""
    path = write(tmp_path, "a.jsonl")
    job = job_of(recipe(slice_bytes=10**6), tmp_path)
    (piece,) = make_plan(job)
    stage = chain_of(job).reading
    assert isinstance(stage, Reading)
    (first,) = stage.advance(job, piece)
    path.write_bytes(path.read_bytes().replace(b"the", b"eht"))
    (same,) = stage.advance(job, piece)  # an old plan
    assert same == first
    changed = job_of(recipe(slice_bytes=10**6) | {"extract": {"opt_outs": []}}, tmp_path)
    (piece,) = make_plan(changed)
    (second,) = stage.advance(changed, piece)
    assert second.inputs.digest != first.inputs.digest


def test_a_file_that_changes_while_it_is_read_is_the_users_to_finish(tmp_path):
    path = write(tmp_path, "a.jsonl")
    job = job_of(recipe(), tmp_path)
    slices = make_plan(job)
    with path.open("ab") as file:  # after the plan
        file.write(b"{}\n")
    with pytest.raises(InputError, match=r"a\.jsonl changed while it was being read"):
        chain_of(job).reading.advance(job, slices[0])


def test_a_bucket_of_files_is_read_again_only_if_one_of_them_changed(tmp_path):
    for i in range(5):
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / f"in/{i}.txt").write_text(f"Text number {i}. " * 30)
    data = {"sources": [{"name": "t", "kind": "text", "paths": ["in"]}]}
    job = job_of(data, tmp_path)
    run_plainly(job, "pages")
    before = made_at(job)
    os.utime(tmp_path / "in/3.txt", (1, 1))
    run_plainly(job_of(data, tmp_path), "pages")
    assert made_at(job) == before
    (tmp_path / "in/3.txt").write_text("Another text. " * 30)
    run_plainly(job_of(data, tmp_path), "pages")
    assert made_at(job) != before


def test_a_limited_run_does_not_depend_on_what_it_did_not_read(tmp_path):
    write(tmp_path, "a.jsonl", documents(3000, seed=3))
    data = recipe(slice_bytes=10**8, limit=5)
    job = job_of(data, tmp_path)
    (piece,) = make_plan(job)
    run_plainly(job, "pages")
    ranges = job.corpus.receipt(Stage.PAGES, piece.name).inputs.ranges["a.jsonl"]
    assert ranges[0][0] == 0
    assert ranges[-1][1] < (tmp_path / "in/a.jsonl").stat().st_size


def test_a_part_holds_a_bounded_number_of_short_texts(tmp_path, monkeypatch):
    monkeypatch.setattr("corpusmill.collect.pages.MOST_ROWS", 15)
    write(tmp_path, "a.jsonl", [{"text": str(i)} for i in range(40)])
    job = job_of(recipe(slice_bytes=10**6), tmp_path)
    parts = run_plainly(job, "pages")
    assert [len(texts(job, [part])) for part in parts] == [15, 15, 10]
    assert texts(job, parts) == [str(i) for i in range(40)]


def test_what_replaces_a_file_behind_a_reader_s_back_is_noticed(tmp_path, monkeypatch):
    """Renamed into place between the reading and the digest."""
    path = write(tmp_path, "a.jsonl")
    job = job_of(recipe(slice_bytes=10**6), tmp_path)
    make_plan(job)
    digest = identity.content_digest

    def replaced(*given):
        other = write(tmp_path, "new", ROWS[:-1])
        os.utime(other, ns=(path.stat().st_mtime_ns, path.stat().st_mtime_ns))
        other.rename(path)
        return digest(*given)

    monkeypatch.setattr(identity, "content_digest", replaced)
    with pytest.raises(InputError, match="changed while it was being read"):
        run_plainly(job, "pages")
