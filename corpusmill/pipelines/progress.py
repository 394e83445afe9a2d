"""The progress of a run, read from the receipts that it publishes, so it works on any runner.

For each part, `Watch` knows how many stages have published it up to date.  This number never decreases.  A look reads
only the receipts of stages that have parts waiting before them.  Receipts that have changed since the last run are read
in one step.  Looks take at most a tenth of the time.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from corpusmill.collect.slices import Slice
from corpusmill.stages.chain import chain_of
from corpusmill.stages.grouping import Grouping
from corpusmill.stages.job import Job
from corpusmill.stages.stage import PerPart, Reading, Singleton, Snapshot, Stage
from corpusmill.terminal import printable

PLAIN_INTERVAL_S = 5.0


@dataclass(slots=True)
class StageProgress:
    """The progress of one stage: its published parts out of all, and the work of this run."""

    stage: Stage
    parts: int
    done: int = 0
    made: int = 0  # parts made in this run
    documents: int = 0  # rows read for these parts
    bytes: int = 0
    seconds: float = 0.0  # summed over parts
    first_start: float = field(default=float("inf"))
    last_end: float = 0.0

    @property
    def name(self) -> str:
        """The name of the stage."""
        return str(self.stage.name)

    @property
    def elapsed(self) -> float:
        """Seconds from the start of the first part to the end of the last part."""
        return max(self.last_end - self.first_start, 1e-3) if self.made else 0.0

    @property
    def documents_per_s(self) -> float:
        """Documents per second of all workers together."""
        return self.documents / self.elapsed if self.made else 0.0

    @property
    def megabytes_per_s(self) -> float:
        """Megabytes read per second of all workers together; for `pages`, of the records' content."""
        return self.bytes / 1e6 / self.elapsed if self.made else 0.0


class Watch:
    """Follows one run of a planned job."""

    def __init__(self, job: Job, slices: Sequence[Slice], until: str | None, workers: int) -> None:
        self.job, self.workers = job, max(workers, 1)
        self.chain = chain_of(job).until(until)
        self.snapshot = Snapshot(job.corpus)
        self.begun = time.time()
        self.unread = list(slices)  # slices that were not read yet, or whose parts are not up to date
        # by stage, the parts that are published before it, but not by it
        self.waiting: list[set[str]] = [set() for _ in self.chain]
        self.stages = [StageProgress(stage, 1 if isinstance(stage, Singleton) else len(slices)) for stage in self.chain]

    def look(self) -> list[StageProgress]:
        """The present state of each stage."""
        self.snapshot.renew()
        for index, stage in enumerate(self.chain):
            moved = self._moved(index, stage)
            self.waiting[index] -= moved
            if index + 1 < len(self.chain):
                self.waiting[index + 1] |= moved
            self._count(self.stages[index], moved)
        return self.stages

    def _moved(self, index: int, stage: Stage) -> set[str]:
        """The parts that a stage has published since the last look."""
        waiting = self.waiting[index]
        match stage:
            case Reading():
                return self._read(stage)
            case PerPart():
                return {part for part in waiting if stage.is_current(self.job, self.snapshot, part)}
            case Grouping() | Singleton():
                complete = not self.unread and len(waiting) == self.stages[0].parts
                return (
                    set(waiting) if complete and stage.is_current(self.job, self.snapshot, sorted(waiting)) else set()
                )
            case _:
                raise AssertionError(f"{stage.name} is a stage of an unknown kind")

    def _read(self, stage: Reading) -> set[str]:
        """The parts of slices that were read since the last look.  Only now the number of these parts is known."""
        found = [(piece, stage.parts(self.job, self.snapshot, piece)) for piece in self.unread]
        moved = {part for _, parts in found for part in parts or ()}
        self.unread = [piece for piece, parts in found if parts is None]
        for progress in self.stages:
            if not isinstance(progress.stage, Singleton):
                progress.parts = self.stages[0].done + len(moved) + len(self.unread)
        return moved

    def _count(self, progress: StageProgress, moved: set[str]) -> None:
        name = progress.stage.name
        if isinstance(progress.stage, Singleton):
            moved = {name} if moved else set()
        progress.done += len(moved)
        for part in moved:
            receipt = self.snapshot.receipt(name, part)
            if receipt is None or receipt.finished_at < self.begun:
                continue
            progress.made += 1
            progress.documents += receipt.rows_in
            progress.bytes += receipt.bytes_in
            progress.seconds += receipt.seconds
            progress.first_start = min(progress.first_start, receipt.finished_at - receipt.seconds)
            progress.last_end = max(progress.last_end, receipt.finished_at)

    def there_already(self) -> str:
        """What an earlier run has done already, in words; empty if nothing."""
        found = [f"{s.name} {s.done:,}/{s.parts:,}" for s in self.look() if s.done]
        return f"done before: {', '.join(found)}" if found else ""

    def seconds_left(self) -> float | None:
        """Estimated seconds left, from the mean time of the parts made so far; None before the first one."""
        known = {s.name: s.seconds / s.made for s in self.stages if s.made}
        if not known:
            return None
        unit = sum(known.values()) / sum(s.stage.share_of_time for s in self.stages if s.made)
        left = sum((s.parts - s.done) * known.get(s.name, unit * s.stage.share_of_time) for s in self.stages)
        return left / min(self.workers, max(self.stages[0].parts, 1))


class Display(Protocol):
    """Shows progress."""

    def message(self, text: str) -> None:
        """Show a line that stays."""

    def status(self, text: str) -> None:
        """Show a line that the next status replaces."""

    def update(self, watch: Watch) -> None:
        """Show the present state of the run."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def display() -> Display:
    """Bars on a terminal, plain lines elsewhere (standard error)."""
    return Bars() if sys.stderr.isatty() else Lines()


class Lines:
    """Progress as plain lines: one every few seconds, and one whenever a stage ends."""

    def __init__(self) -> None:
        self.last, self.ended, self.said = time.monotonic(), -1, ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def message(self, text: str) -> None:
        """Print one line."""
        print(printable(text), file=sys.stderr, flush=True)

    def status(self, text: str) -> None:
        """Print a line, if enough time has passed and the text has changed."""
        if time.monotonic() - self.last >= PLAIN_INTERVAL_S and text != self.said:
            self.last, self.said = time.monotonic(), text
            self.message(text)

    def update(self, watch: Watch) -> None:
        """Print a line, if enough time has passed."""
        stages = watch.look()
        ended = sum(s.done == s.parts for s in stages)
        if time.monotonic() - self.last < PLAIN_INTERVAL_S and ended == self.ended:
            return
        self.last, self.ended = time.monotonic(), ended
        current = next((s for s in stages if s.done < s.parts), stages[-1])
        left = watch.seconds_left()
        rest = f", about {_clock(left)} left" if left is not None and current.done < current.parts else ""
        if (line := f"{_words(current)}{rest}") != self.said:
            self.said = line
            self.message(line)


class Bars:
    """Progress as one bar per stage, with rich."""

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
        """Print one line above the bars."""
        self.console.print(printable(text), highlight=False, markup=False)

    def status(self, text: str) -> None:
        """Show a line under the messages, until there are bars."""
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
            name = s.name
            if name not in self.tasks:
                self.tasks[name] = self.bars.add_task(name, total=s.parts, parts="", rate="")
            place = f"{s.done}/{s.parts}"
            self.bars.update(TaskID(self.tasks[name]), completed=s.done, total=s.parts, parts=place, rate=_rate(s))
        left = watch.seconds_left()
        if "left" not in self.tasks:
            self.tasks["left"] = self.bars.add_task("time left", total=None, visible=False, parts="", rate="")
        if left is not None:
            overall = sum(s.done for s in watch.stages)
            total = sum(s.parts for s in watch.stages)
            self.bars.update(
                TaskID(self.tasks["left"]), visible=True, completed=overall, total=total, parts=_clock(left), rate=""
            )


def _words(progress: StageProgress) -> str:
    return f"{progress.name} {progress.done}/{progress.parts} parts{_rate(progress, ', ')}"


def _rate(progress: StageProgress, before: str = "") -> str:
    if not progress.documents:
        return ""
    text = f"{progress.documents:,} documents, {progress.documents_per_s:,.0f}/s, {progress.megabytes_per_s:.1f} MB/s"
    return before + text


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
