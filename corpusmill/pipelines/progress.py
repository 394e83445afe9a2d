"""How far a run is, seen in the receipts that it publishes; so it works on any runner.

Each part has a place in the chain of stages: how many of them are published as wanted.  A look at the run moves these
places forward and never back, so it costs one receipt or two a part that has not moved.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from corpusmill.collect.plan import Slice
from corpusmill.pipelines import state
from corpusmill.pipelines.job import Job
from corpusmill.pipelines.stages import STAGES, is_current
from corpusmill.reasons import Stage

# Seconds that a stage takes of a part, relative to pages: a first guess at the time left, until it was measured.
RELATIVE_COST = {
    Stage.PAGES: 1.0,
    Stage.SIGNALS: 0.5,
    Stage.VERDICTS: 0.1,
    Stage.SKETCHES: 0.3,
    Stage.DOCS: 0.1,
    Stage.TOKENS: 0.5,
}
PLAIN_INTERVAL_S = 5.0


@dataclass(slots=True)
class StageProgress:
    """One stage's share of a run: parts published of all, and the work of this run."""

    stage: Stage
    parts: int
    done: int = 0
    made: int = 0  # parts that this run made
    documents: int = 0  # rows that it read for them
    bytes: int = 0
    seconds: float = 0.0  # sum over parts
    first_start: float = field(default=float("inf"))
    last_end: float = 0.0

    @property
    def elapsed(self) -> float:
        """Seconds between the first part's start and the last one's end."""
        return max(self.last_end - self.first_start, 1e-3) if self.made else 0.0

    @property
    def documents_per_s(self) -> float:
        """Over all workers."""
        return self.documents / self.elapsed if self.made else 0.0

    @property
    def megabytes_per_s(self) -> float:
        """Of the bytes that the stage reads (payloads for pages), over all workers."""
        return self.bytes / 1e6 / self.elapsed if self.made else 0.0


class Watch:
    """Watches one run of a planned job."""

    def __init__(self, job: Job, slices: Sequence[Slice], until: Stage, workers: int) -> None:
        self.job, self.slices, self.workers = job, slices, max(workers, 1)
        self.chain = state.chain(until)
        self.begun = time.time()
        self.stages = {stage: StageProgress(stage, self._parts_of(stage)) for stage in self.chain}
        self.place = {piece.part: 0 for piece in slices}

    def _parts_of(self, stage: Stage) -> int:
        return 1 if stage is Stage.TOKENIZER else len(self.slices)

    def look(self) -> list[StageProgress]:
        """Each stage as it stands now."""
        for index, stage in enumerate(self.chain):
            waiting = [piece for piece in self.slices if self.place[piece.part] == index]
            if not waiting:
                continue
            if stage in STAGES:
                moved = [piece for piece in waiting if is_current(self.job, piece, stage)]
            else:
                complete = len(waiting) == len(self.slices) and state.stage_is_current(self.job, self.slices, stage)
                moved = waiting if complete else []
            for piece in moved:
                self.place[piece.part] += 1
                self._count(piece, stage)
        return list(self.stages.values())

    def _count(self, piece: Slice, stage: Stage) -> None:
        progress = self.stages[stage]
        progress.done = min(progress.done + 1, progress.parts)
        receipt = self.job.corpus.receipt(stage, piece.part)
        if receipt is None or receipt.finished_at < self.begun:
            return
        progress.made += 1
        progress.documents += receipt.rows_in
        progress.bytes += receipt.bytes_in
        progress.seconds += receipt.seconds
        progress.first_start = min(progress.first_start, receipt.finished_at - receipt.seconds)
        progress.last_end = max(progress.last_end, receipt.finished_at)

    def seconds_left(self) -> float | None:
        """What is left, from the mean seconds of the parts that were made; None before the first one."""
        known = {s.stage: s.seconds / s.made for s in self.stages.values() if s.made and s.stage in RELATIVE_COST}
        if not known:
            return None
        unit = sum(known.values()) / sum(RELATIVE_COST[stage] for stage in known)
        left = sum(
            (s.parts - s.done) * known.get(s.stage, unit * RELATIVE_COST[s.stage])
            for s in self.stages.values()
            if s.stage in RELATIVE_COST
        )
        return left / min(self.workers, max(len(self.slices), 1))


class Display(Protocol):
    """Where progress is shown."""

    def message(self, text: str) -> None:
        """One line that stays."""

    def status(self, text: str) -> None:
        """One line that the next one replaces."""

    def update(self, watch: Watch) -> None:
        """The run as it stands."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def display() -> Display:
    """Bars on a terminal, plain lines elsewhere (standard error)."""
    return Bars() if sys.stderr.isatty() else Lines()


class Lines:
    """A plain line every few seconds, and whenever a stage ends."""

    def __init__(self) -> None:
        self.last, self.ended, self.said = time.monotonic(), -1, ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def message(self, text: str) -> None:
        """One line."""
        print(text, file=sys.stderr, flush=True)

    def status(self, text: str) -> None:
        """A line, if it is time for one and it says something new."""
        if time.monotonic() - self.last >= PLAIN_INTERVAL_S and text != self.said:
            self.last, self.said = time.monotonic(), text
            self.message(text)

    def update(self, watch: Watch) -> None:
        """A line, if it is time for one."""
        stages = watch.look()
        ended = sum(s.done == s.parts for s in stages)
        if time.monotonic() - self.last < PLAIN_INTERVAL_S and ended == self.ended:
            return
        self.last, self.ended = time.monotonic(), ended
        current = next((s for s in stages if s.done < s.parts), stages[-1])
        left = watch.seconds_left()
        rest = f", about {_clock(left)} left" if left is not None and current.done < current.parts else ""
        self.message(f"{_words(current)}{rest}")


class Bars:
    """A bar a stage, with rich."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self.console = Console(stderr=True)
        self.bars = Progress(
            TextColumn("{task.description}", justify="right"),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[parts]:>9}"),
            TextColumn("{task.fields[rate]}", style="dim"),
            console=self.console,
        )
        self.tasks: dict[str, int] = {}

    def __enter__(self) -> Self:
        self.bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bars.stop()

    def message(self, text: str) -> None:
        """One line above the bars."""
        self.console.print(text, highlight=False, markup=False)

    def status(self, text: str) -> None:
        """A line under the messages, until there are bars."""
        from rich.progress import TaskID

        if "status" not in self.tasks:
            self.tasks["status"] = self.bars.add_task(text, total=None, parts="", rate="")
        self.bars.update(TaskID(self.tasks["status"]), description=text)

    def update(self, watch: Watch) -> None:
        """Move the bars."""
        from rich.progress import TaskID

        if "status" in self.tasks:
            self.bars.remove_task(TaskID(self.tasks.pop("status")))
        for s in watch.look():
            name = str(s.stage)
            if name not in self.tasks:
                self.tasks[name] = self.bars.add_task(name, total=s.parts, parts="", rate="")
            place = f"{s.done}/{s.parts}"
            self.bars.update(TaskID(self.tasks[name]), completed=s.done, total=s.parts, parts=place, rate=_rate(s))
        left = watch.seconds_left()
        if "left" not in self.tasks:
            self.tasks["left"] = self.bars.add_task("time left", total=None, visible=False, parts="", rate="")
        if left is not None:
            overall = sum(s.done for s in watch.stages.values())
            total = sum(s.parts for s in watch.stages.values())
            self.bars.update(
                TaskID(self.tasks["left"]), visible=True, completed=overall, total=total, parts=_clock(left), rate=""
            )


def _words(progress: StageProgress) -> str:
    return f"{progress.stage} {progress.done}/{progress.parts} parts{_rate(progress, ', ')}"


def _rate(progress: StageProgress, before: str = "") -> str:
    if not progress.documents:
        return ""
    text = f"{progress.documents:,} documents, {progress.documents_per_s:,.0f}/s, {progress.megabytes_per_s:.1f} MB/s"
    return before + text


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
