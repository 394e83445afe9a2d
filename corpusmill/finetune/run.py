"""`finetune`: tune a model on examples, and measure it on others.  Light to import: torch is loaded only for work."""

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from corpusmill.corpus import Corpus
from corpusmill.errors import InputError
from corpusmill.finetune import examples as reading
from corpusmill.finetune.job import MEASURED, METRICS, Parts, TuneJob, without
from corpusmill.finetune.metrics.figure import Figure, figures_of, over_folds, table_of
from corpusmill.finetune.settings import AnyTask
from corpusmill.store import full_disk_is_a_run_error, temporary_beside
from corpusmill.train.job import StepReport

if TYPE_CHECKING:
    from corpusmill.finetune.tasks.base import Task
    from corpusmill.train.trained import Trained
    from corpusmill.train.vocabulary import Vocabulary

KEPT = (METRICS, MEASURED, "metrics.parquet", "receipt.json", "plan.json")  # of the model of a fold
Progress = Callable[[str, StepReport], None]  # which training it is, and its state


@dataclass(frozen=True, kw_only=True, slots=True)
class TuneResult:
    """The result of fine-tuning."""

    model: Path
    task: str
    trained: bool  # False: everything was done before
    steps: int
    seconds: float
    validation_loss: float | None  # of the weights that were kept
    examples: dict[str, int]  # by part
    figures: list[Figure]


def finetune(
    model: str | Path,
    data: str | Path,
    settings: AnyTask,
    out: str | Path,
    *,
    validation: str | Path | None = None,
    test: str | Path | None = None,
    folds: int | None = None,
    device: str | None = None,
    progress: Progress = lambda name, report: None,
) -> TuneResult:
    """Tune a pretrained model on the examples of a file; go on if it was interrupted; do nothing if it is done.

    `validation` and `test` are files with examples of these parts; without them, they are shares of `data`.  `folds`:
    a cross-validation with so many parts of `data` comes first.  `progress` is called after every step.

    Raises InputError if an example, a setting or the model cannot be used; RunError if the disk is full.
    """
    held_out, tested = (None if path is None else Path(path) for path in (validation, test))
    parts = Parts.of(Path(data), held_out, tested, settings)
    job = TuneJob.of(Path(model), parts, settings, Path(out))
    if folds is not None and not 2 <= folds <= len(parts.train):
        raise InputError(
            f"{folds} folds cannot be made of {len(parts.train)} examples; give 2 or more, and not so many"
        )
    job.planned_steps()  # refuses the folder of another job before anything is done
    before = _cross_validated(job, Path(data), folds, device, progress) if folds is not None else []
    done = job.receipt()
    if done:
        job.clear()
    result = done["result"] if done else _trained(job, device, "", progress)
    figures = [*_measured(job, device), *before] if leads() else []
    if before:
        _write(job, figures)
    return TuneResult(
        model=job.out,
        task=settings.task,
        trained=done is None,
        steps=result["steps"],
        seconds=result["seconds"],
        validation_loss=_lowest(job.out) if leads() else None,
        examples={name: len(getattr(parts, name)) for name in ("train", "validation", "test")},
        figures=figures,
    )


def leads() -> bool:
    """Whether this process is the one that measures and writes, among those of torchrun."""
    return os.environ.get("RANK", "0") == "0"


def _trained(job: TuneJob, device: str | None, name: str, progress: Progress) -> dict[str, Any]:
    """Train; the steps and seconds that it took."""
    planned = job.planned_steps()
    from corpusmill.finetune.work import Tuning
    from corpusmill.train import loop

    base, task, vocabulary = _prepared(job)
    sized = job.with_length(task.codec.max_tokens)
    result = loop.run(
        sized,
        lambda: Tuning(sized, base, task, vocabulary),
        planned,
        device,
        lambda report: progress(name, report),
    )
    return {"steps": result.steps, "seconds": result.seconds}


def _prepared(job: TuneJob) -> "tuple[Trained, Task, Vocabulary]":
    """The base model, the task with what it has learned from the examples, and the tokens."""
    from corpusmill.finetune.tasks import TASKS
    from corpusmill.finetune.tasks.base import checked, codec_of
    from corpusmill.finetune.texts import with_han_split
    from corpusmill.train.trained import load
    from corpusmill.train.vocabulary import Vocabulary

    settings, kind = job.task, TASKS[job.task.task]
    base = load(job.base)
    checked(kind, settings.task, base.kind, job.base)
    where, n = f"{job.base}/tokenizer.json", settings.max_tokens or base.row_length
    if n > base.row_length:
        raise InputError(
            f"finetune.max_tokens = {n} is more than the {base.row_length} tokens of the rows that {job.base} has seen"
        )
    definition = (job.base / "tokenizer.json").read_bytes()
    split = getattr(settings, "split_han", False)
    examples = [*job.parts.train, *job.parts.validation]
    if split is None:
        plain = Vocabulary.of(definition, where)
        split = kind.needs_han_split(examples, codec_of(plain, plain.files()["tokenizer.json"], n))
    vocabulary = Vocabulary.of(with_han_split(definition) if split else definition, where, kind.special)
    codec = codec_of(vocabulary, vocabulary.files()["tokenizer.json"], n)
    notes = kind.learned_from(examples, settings, codec)
    return base, kind(settings, codec, base.kind, notes), vocabulary


def _measured(job: TuneJob, device: str | None) -> list[Figure]:
    """The figures of the test part; measured unless they are there."""
    if job.is_measured():
        return [f for f in figures_of(pq.read_table(job.out / METRICS)) if not f.part.startswith("fold")]
    from corpusmill.finetune.tuned import load_tuned
    from corpusmill.finetune.work import device_of

    figures: list[Figure] = []
    if job.parts.test:
        tuned = load_tuned(job.out, device_of(device))
        figures = tuned.task.evaluate(tuned.model, job.parts.test, job.parts.train)
        if job.task.task == "embeddings":  # the only task that the base model can do, too
            base = load_tuned(job.base, device_of(device), vectors=True)
            before = tuned.task.evaluate(base.model, job.parts.test, job.parts.train)
            figures += [replace(figure, part="untuned") for figure in before]
    _write(job, figures)
    Corpus(job.out).write_json(MEASURED, {"tested": job.tested})
    return figures


def _write(job: TuneJob, figures: Sequence[Figure]) -> None:
    """Replace the table of figures."""
    with full_disk_is_a_run_error(job.out), temporary_beside(job.out / METRICS) as temporary:
        pq.write_table(table_of(job.task.task, figures), temporary, compression="zstd")
        temporary.rename(job.out / METRICS)


def _cross_validated(job: TuneJob, data: Path, k: int, device: str | None, progress: Progress) -> list[Figure]:
    """The figures of `k` models, each trained without one fold and measured on it, and their means."""
    if "RANK" in os.environ:
        raise InputError("a cross-validation runs in one process; run it without torchrun")
    folds = reading.folds(reading.read(data, job.task.task), k, job.task.seed)
    if not all(folds):
        raise InputError(f"{data}: has too few different examples for {k} folds")
    found = []
    for number, fold in enumerate(folds, start=1):
        rest, folder = without(folds, number - 1), job.out / "folds" / str(number)
        validation, train = reading.divided(rest, [job.task.validation_share], job.task.seed)
        one = TuneJob.of(job.base, Parts(train, validation, fold), job.task, folder)
        if not one.is_measured() and one.receipt() is None:
            folder.mkdir(parents=True, exist_ok=True)
            _trained(one, device, f"fold {number} of {k}", progress)
        found.append(_measured(one, device))
        for path in folder.iterdir():
            if path.name not in KEPT:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    return over_folds(found)


def _lowest(folder: Path) -> float | None:
    """The lowest validation loss."""
    table = pq.read_table(folder / "metrics.parquet", filters=[("metric", "=", "validation_loss")])
    return min(table["value"].to_pylist(), default=None)
