"""`train`: do a training job unless it is done.  Light to import: torch is loaded when there is something to train."""

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
    """Train a decoder on a corpus's tokens; resume if this was interrupted; do nothing if it is done.

    `steps` replaces the settings' number; `device` is cuda or cpu (default: cuda where there is one); `progress` is
    called after every step.  Raises InputError for a corpus without (enough) tokens, settings that cannot work, a
    folder that holds another model; RunError if the disk is full.
    """
    if steps is not None:
        if steps < 1:
            raise InputError(f"{steps} steps cannot be trained; give at least 1")
        settings = settings.model_copy(update={"steps": steps})
    job = Job.of(Path(corpus), settings, Path(out))
    done = job.finished()
    if done is not None:
        return done
    planned = job.planned_steps()
    try:
        from corpusmill.train import loop
    except ModuleNotFoundError as error:
        raise InputError(
            f"training needs the package '{error.name}'; install it with: pip install 'corpusmill[train]'"
        ) from None
    return loop.run(job, planned, device, progress)
