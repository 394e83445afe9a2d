"""`train`: do a training job unless it is done.  Light to import: torch is loaded only for real training."""

from collections.abc import Callable
from pathlib import Path

from corpusmill.errors import InputError
from corpusmill.train.job import Job, StepReport, TrainResult
from corpusmill.train.settings import TrainSettings


def train(
    corpus: str | Path,
    settings: TrainSettings,
    out: str | Path,
    *,
    steps: int | None = None,
    device: str | None = None,
    progress: Callable[[StepReport], None] = lambda report: None,
) -> TrainResult:
    """Train a model on a corpus's tokens; resume an interrupted training; do nothing if it is done.

    `steps` replaces the number in the settings.  `device` is cuda or cpu (default: cuda if there is one).  `progress`
    is called after every step.

    Raises InputError if the corpus has no tokens or too few, the settings cannot work, or the folder holds another
    model; RunError if the disk is full.
    """
    if steps is not None:
        if steps < 1:
            raise InputError(f"{steps} steps cannot be trained; give at least 1")
        settings = settings.model_copy(update={"steps": steps})
    job = Job.of(Path(corpus), settings, Path(out))
    done = job.finished()
    if done is not None:
        job.clear()
        return done
    planned = job.planned_steps()
    try:
        from corpusmill.train import loop
        from corpusmill.train.work import Pretraining
    except ModuleNotFoundError as error:
        raise InputError(
            f"training needs the package '{error.name}'; install it with: pip install 'corpusmill[train]'"
        ) from None
    return loop.run(job, lambda: Pretraining(job), planned, device, progress)
