"""What a run would compute, and why: `corpusmill run --dry-run`.  Nothing is written."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from corpusmill import recipe
from corpusmill.collect.slices import Slice
from corpusmill.filters.rules import check_filters
from corpusmill.pipelines.progress import Watch
from corpusmill.stages import state
from corpusmill.stages.job import Job
from corpusmill.stages.planning import check_input, make_plan, read_plan
from corpusmill.stages.signals import rule_columns

MOST_REASONS = 10  # shown of each kind


@dataclass(frozen=True, kw_only=True, slots=True)
class Outlook:
    """What a run would do."""

    crawls: list[str] = field(default_factory=list)  # sources that would be crawled first
    slices: int = 0
    work: dict[str, tuple[int, int]] = field(default_factory=dict)  # by stage: (most parts to make, all parts)
    reasons: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"would crawl source '{name}' first; the plan comes after that" for name in self.crawls]
        work = [f"  {stage}: {left:,} of {total:,} parts" for stage, (left, total) in self.work.items() if left]
        if work:
            lines += ["would make at most:", *work]
        elif not self.crawls:
            lines.append("nothing to do: all parts are up to date")
        if self.reasons:
            lines += ["because:", *(f"  {reason}" for reason in self.reasons)]
        return "\n".join(lines)


def outlook(job: Job, until: str | None) -> Outlook:
    """What a run of the job would do, from receipts and from the times and sizes of the input's files.

    A part that is counted here may turn out to be unchanged.  Then no later part is made from it.
    """
    check_filters(job.recipe.judging, rule_columns(job))
    crawls = state.unfinished_crawls(job)
    if crawls:
        return Outlook(crawls=[source.name for source, _ in crawls], reasons=list(_changed_settings(job)))
    slices = make_plan(job, keep=False)
    check_input(job, slices)
    watch = Watch(job, slices, until, workers=1)
    work = {progress.name: (progress.parts - progress.done, progress.parts) for progress in watch.look()}
    reasons = [*_changed_settings(job), *_changed_input(job, slices)]
    if any(left for left, _ in work.values()) and not reasons:
        first = next(stage for stage, (left, _) in work.items() if left)
        reasons = [
            f"stage {first} is not complete: a run was ended, a module or a library has changed, or parts are gone"
        ]
    return Outlook(slices=len(slices), work=work, reasons=reasons)


def _changed_settings(job: Job) -> Iterator[str]:
    """The recipe's keys whose values differ from those of the corpus's last run."""
    before = job.corpus.read_text("recipe.toml")
    if before is None:
        yield "the corpus is new"
        return
    try:
        old = dict(_flat(tomllib.loads(before)))
    except tomllib.TOMLDecodeError:
        yield "the corpus's copy of the recipe is damaged"
        return
    new = dict(_flat(tomllib.loads(recipe.dump(job.recipe))))
    found = [f"{key}: {old.get(key, 'not set')} -> {new.get(key, 'not set')}" for key in sorted(old | new)
             if old.get(key) != new.get(key)]  # fmt: skip
    yield from _cut(found, "settings")


def _changed_input(job: Job, slices: list[Slice]) -> Iterator[str]:
    """Slices that are new or gone since the last plan, or whose files have changed."""
    before = {piece.name: piece for piece in read_plan(job.corpus) or ()}
    now = {piece.name: piece for piece in slices}
    if not before:
        return
    found = [f"new input: {_files(now[name])}" for name in sorted(now.keys() - before.keys())]
    found += [f"no longer there: {_files(before[name])}" for name in sorted(before.keys() - now.keys())]
    both = sorted(now.keys() & before.keys())
    found += [f"changed: {_files(now[name])}" for name in both if now[name].stamp != before[name].stamp]
    yield from _cut(list(dict.fromkeys(found)), "files")


def _files(piece: Slice) -> str:
    return piece.files[0] if len(piece.files) == 1 else f"one of {len(piece.files)} files of source '{piece.source}'"


def _cut(found: list[str], what: str) -> list[str]:
    return [*found[:MOST_REASONS], *([f"and {len(found) - MOST_REASONS} more {what}"] * (len(found) > MOST_REASONS))]


def _flat(data: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """The values of nested tables by their dotted keys."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _flat(value, f"{before}.{key}" if before else key)
    elif isinstance(data, list) and any(isinstance(item, dict) for item in data):
        for place, item in enumerate(data):
            name = item.get("name", place) if isinstance(item, dict) else place
            yield from _flat(item, f"{before}.{name}")
    else:
        yield before, data
