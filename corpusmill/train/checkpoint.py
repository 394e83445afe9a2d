"""Checkpoints: everything that the next step depends on, written so that a crash at any time loses nothing else.

A checkpoint is a folder.  It is written completely under a temporary name and then renamed.  It is also a model that
`generate` can use.  Tensors are safetensors, the rest is JSON and Parquet.  Nothing is pickled, so a checkpoint cannot
run code.
"""

import errno
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from corpusmill.errors import RunError
from corpusmill.loader import Position
from corpusmill.store import flush, full_disk_is_a_run_error
from corpusmill.train.job import BEST


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """The state of training after a step."""

    step: int
    position: Position  # the position of the next row
    seconds: float
    recent: list[tuple[float, float]]  # losses and gradient norms since the last recorded loss
    guard: dict[str, Any]  # what the guard remembers
    model: dict[str, Tensor]
    optimizers: dict[str, Tensor]
    metrics: pa.Table


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """The files beside the weights, which are needed to use them."""

    config: dict[str, Any]  # config.json
    tokenizer: dict[str, dict[str, Any]]  # tokenizer.json, tokenizer_config.json

    def write(self, folder: Path, weights: Mapping[str, Tensor]) -> None:
        """Write a model that HF transformers and `generate` can read: weights, config and tokenizer."""
        (folder / "config.json").write_text(json.dumps(self.config, indent=1), "utf-8")
        for name, content in self.tokenizer.items():
            (folder / name).write_text(json.dumps(content, indent=1, ensure_ascii=False), "utf-8")
        save_file(dict(weights), folder / "model.safetensors", metadata={"format": "pt"})


def save(folder: Path, state: Checkpoint, files: ModelFiles) -> None:
    """Write a checkpoint to models/NAME and delete the previous one."""
    name = f"checkpoint-{state.step:08d}"
    temporary = folder / f".{name}.{uuid.uuid4().hex}.tmp"
    with _full_disk_is_a_run_error(folder):
        temporary.mkdir(parents=True)
        files.write(temporary, state.model)
        save_file(state.optimizers, temporary / "optimizers.safetensors")
        pq.write_table(state.metrics, temporary / "metrics.parquet")
        position = [state.position.epoch, state.position.row]
        rest = {"step": state.step, "position": position, "seconds": state.seconds, "recent": state.recent}
        rest["guard"] = state.guard
        (temporary / "state.json").write_text(json.dumps(rest), "utf-8")
        for path in (*temporary.iterdir(), temporary):
            flush(path)
        old = _checkpoints(folder)
        if (folder / name).exists():  # an older run wrote this step already; its state is the same
            shutil.rmtree(temporary)
        else:
            temporary.rename(folder / name)
    for path in old:
        if path.name != name:
            shutil.rmtree(path)


def tidy(folder: Path) -> None:
    """Delete what a crash left in models/NAME."""
    for path in folder.glob(".*.tmp"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def load(folder: Path) -> Checkpoint | None:
    """The newest checkpoint of models/NAME; None if there is none.  RunError if it is damaged."""
    found = _checkpoints(folder)
    if not found:
        return None
    newest = found[-1]
    try:
        rest = json.loads((newest / "state.json").read_text("utf-8"))
        return Checkpoint(
            step=rest["step"],
            position=Position(*rest["position"]),
            seconds=rest["seconds"],
            recent=[(loss, norm) for loss, norm in rest["recent"]],
            guard=rest["guard"],
            model=load_file(newest / "model.safetensors"),
            optimizers=load_file(newest / "optimizers.safetensors"),
            metrics=pq.read_table(newest / "metrics.parquet"),
        )
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:  # Arrow's errors are ValueErrors
        raise RunError(
            f"{newest}: is damaged ({type(error).__name__}); delete it, and the same command trains from the start"
        ) from error


def publish(folder: Path, state: Checkpoint, files: ModelFiles) -> None:
    """Put the finished model into models/NAME; each file is renamed into place."""
    temporary = folder / f".model.{uuid.uuid4().hex}.tmp"
    with _full_disk_is_a_run_error(folder):
        temporary.mkdir()
        files.write(temporary, state.model)
        for path in sorted(temporary.iterdir()):
            flush(path)
            path.rename(folder / path.name)
        temporary.rmdir()
    write_metrics(folder, state.metrics)


def write_metrics(folder: Path, metrics: pa.Table) -> None:
    """Replace metrics.parquet by renaming a new file."""
    temporary = folder / f".metrics.{uuid.uuid4().hex}.tmp"
    with full_disk_is_a_run_error(folder):
        pq.write_table(metrics, temporary, compression="zstd")
        temporary.rename(folder / "metrics.parquet")


def keep_best(folder: Path, weights: Mapping[str, Tensor]) -> None:
    """Keep the weights with the lowest validation loss so far, beside the checkpoint.

    A run that is resumed from an earlier step reaches the same weights again, and replaces the file by an equal one.
    """
    temporary = folder / f".best.{uuid.uuid4().hex}.tmp"
    with _full_disk_is_a_run_error(folder):
        save_file(dict(weights), temporary)
        flush(temporary)
        temporary.rename(folder / BEST)


def best(folder: Path) -> dict[str, Tensor] | None:
    """The weights with the lowest validation loss; None if there was no validation."""
    path = folder / BEST
    return load_file(path) if path.exists() else None


@contextmanager
def _full_disk_is_a_run_error(folder: Path) -> Iterator[None]:
    """Report a full disk in one sentence, also if the safetensors library noticed it."""
    with full_disk_is_a_run_error(folder):
        try:
            yield
        except SafetensorError as error:
            if number := _os_error(str(error)):
                raise OSError(number, os.strerror(number)) from error
            raise


def _os_error(message: str) -> int:
    """The errno in a message of a Rust library, such as 'No space left on device (os error 28)'; 0 if there is none."""
    return next((number for number in errno.errorcode if f"(os error {number})" in message), 0)


def _checkpoints(folder: Path) -> list[Path]:
    return sorted(folder.glob("checkpoint-*"))
