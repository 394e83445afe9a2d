"""How far a run is: the watch, and its three displays (bars on a terminal, plain lines, and the line of a crawl)."""

import io
import re

import pytest
from rich.console import Console

from corpusmill.pipelines import progress
from corpusmill.pipelines.progress import Bars, Lines, Watch
from corpusmill.stages.chain import chain_of
from corpusmill.stages.planning import make_plan
from tests.stages.conftest import recipe, write_project
from tests.stages.plain import job_of, read, run_plainly


@pytest.fixture
def job(tmp_path):
    write_project(tmp_path)
    return job_of(recipe(), tmp_path)


def state(watch):
    return {s.name: (s.done, s.parts, s.made) for s in watch.look()}


def test_the_watch_follows_parts_through_the_stages(job):
    slices = make_plan(job)
    watch = Watch(job, slices, None, workers=2)
    n = len(slices)
    first = state(watch)
    assert first["pages"] == (0, n, 0)
    assert first["tokenizer"] == first["split"] == (0, 1, 0)
    assert watch.seconds_left() is None
    parts = read(job, slices[:3])
    assert state(watch)["pages"] == (3, n, 3)
    assert watch.seconds_left() > 0
    chain_of(job)["texts"].advance(job, parts[0])
    assert state(watch)["texts"] == (1, n, 1)
    parts = run_plainly(job)
    assert len(parts) == n + 1  # one slice gave two
    last = state(watch)
    assert {name: done for name, (done, _, _) in last.items()} == {
        name: 1 if name in ("split", "tokenizer", "vocabulary") else n + 1 for name in last
    }
    assert watch.seconds_left() == 0
    pages = watch.stages[0]
    assert pages.documents == 83
    assert pages.bytes > 10_000
    assert pages.documents_per_s > 0
    assert pages.megabytes_per_s > 0


def test_what_was_there_before_is_done_and_not_made(job):
    run_plainly(job)
    watch = Watch(job, make_plan(job), None, workers=2)
    assert all(done == parts and made == 0 for done, parts, made in state(watch).values())


def test_slices_that_give_several_parts_raise_the_number_of_parts(tmp_path):
    write_project(tmp_path)
    data = recipe() | {"sources": recipe()["sources"][:1], "run": {"slice_bytes": 5000}}
    job = job_of(data, tmp_path)
    slices = make_plan(job)
    watch = Watch(job, slices, "texts", workers=1)
    parts = run_plainly(job, "texts")
    assert len(parts) > len(slices)
    assert state(watch) == {"pages": (len(parts), len(parts), len(parts)), "texts": (len(parts),) * 3}


def test_plain_lines(job, capsys, monkeypatch):
    monkeypatch.setattr(progress, "PLAIN_INTERVAL_S", 0.0)
    slices = make_plan(job)
    watch = Watch(job, slices, None, workers=2)
    with Lines() as lines:
        lines.message("a message")
        lines.update(watch)
        read(job, slices)
        lines.update(watch)
        run_plainly(job)
        lines.update(watch)
        lines.status("crawl of web: round 1")
        lines.status("crawl of web: round 1")  # nothing new
    n = len(slices)
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "a message"
    assert said[1] == f"pages 0/{n} parts"
    assert re.fullmatch(rf"texts 0/{n + 1} parts, about \d+:\d\d left", said[2])
    assert re.fullmatch(r"vocabulary 1/1 parts, \d+ documents, [\d,]+/s, [\d.]+ MB/s", said[3])
    assert said[4:] == ["crawl of web: round 1"]


def test_plain_lines_do_not_come_all_the_time(job, capsys):
    watch = Watch(job, make_plan(job), None, workers=2)
    with Lines() as lines:
        for _ in range(5):
            lines.update(watch)
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_bars(job):
    slices = make_plan(job)
    watch = Watch(job, slices, None, workers=2)
    bars, screen = Bars(), io.StringIO()
    bars.console = bars.bars.live.console = Console(file=screen, force_terminal=True, width=140, height=40)
    with bars:
        bars.message("a message [with brackets]")
        bars.status("crawl of web: round 1")
        bars.update(watch)
        run_plainly(job)
        bars.update(watch)
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue())
    assert "a message [with brackets]" in shown
    assert "crawl of web: round 1" in shown
    last = shown[shown.rindex("pages") :]
    n = len(slices) + 1
    for stage in ("pages", "texts", "tokens"):
        assert re.search(rf"{stage} ━+ +{n}/{n} +\d+ documents, [\d,]+/s, [\d.]+ MB/s", last), last
    assert re.search(r"tokenizer ━+ +1/1", last)


def test_the_display_fits_where_it_is_shown(monkeypatch):
    assert isinstance(progress.display(), Lines)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    assert isinstance(progress.display(), Bars)
