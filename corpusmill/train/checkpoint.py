"""Checkpoints: everything that the next step depends on, written so that a crash at any moment loses nothing else.

A checkpoint is a folder, complete under a temporary name before it is renamed, and a model by itself (`generate` takes
it).  Tensors are safetensors, the rest JSON and Parquet: nothing is pickled, so nothing in one can run code.
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
from corpusmill.store import flush, full_disk_is_a_run_error
from corpusmill.train.data import Position


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """The state of training after a step."""

    step: int
    position: Position  # of the next row
    seconds: float
    recent: list[float]  # losses since the last that was recorded
    model: dict[str, Tensor]
    optimizers: dict[str, Tensor]
    metrics: pa.Table


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """What stands beside the weights, so that they can be used."""

    config: dict[str, Any]  # config.json
    tokenizer: bytes  # tokenizer.json

    def write(self, folder: Path, weights: Mapping[str, Tensor]) -> None:
        """A model that HF transformers and `generate` read: weights, config and tokenizer."""
        (folder / "config.json").write_text(json.dumps(self.config, indent=1), "utf-8")
        for name, content in tokenizer_files(self.tokenizer, self.config["eos_token_id"]).items():
            (folder / name).write_text(json.dumps(content, indent=1, ensure_ascii=False), "utf-8")
        save_file(dict(weights), folder / "model.safetensors", metadata={"format": "pt"})


def tokenizer_files(definition: bytes, boundary: int) -> dict[str, dict[str, Any]]:
    """What makes transformers' AutoTokenizer give the ids that the model was trained on.

    Without a class in tokenizer_config.json it guesses one from the model's type, which splits text in its own way.
    Documents were encoded whole, as text, and with no special token around them: so special tokens that stand in a text
    are split, and truncation, padding and the post-processor, which adds special tokens, are taken out.
    """
    tokenizer = {**json.loads(definition), "truncation": None, "padding": None, "post_processor": None}
    (token,) = (added["content"] for added in tokenizer["added_tokens"] if added["id"] == boundary)
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": token,
        "eos_token": token,
        "clean_up_tokenization_spaces": False,
        "split_special_tokens": True,
    }
    return {"tokenizer.json": tokenizer, "tokenizer_config.json": config}


def save(folder: Path, state: Checkpoint, files: ModelFiles) -> None:
    """Write a checkpoint to models/NAME and delete the one before."""
    name = f"checkpoint-{state.step:08d}"
    temporary = folder / f".{name}.{uuid.uuid4().hex}.tmp"
    with _full_disk_is_a_run_error(folder):
        temporary.mkdir(parents=True)
        files.write(temporary, state.model)
        save_file(state.optimizers, temporary / "optimizers.safetensors")
        pq.write_table(state.metrics, temporary / "metrics.parquet")
        position = [state.position.epoch, state.position.window, state.position.row]
        rest = {"step": state.step, "position": position, "seconds": state.seconds, "recent": state.recent}
        (temporary / "state.json").write_text(json.dumps(rest), "utf-8")
        for path in (*temporary.iterdir(), temporary):
            flush(path)
        old = _checkpoints(folder)
        if (folder / name).exists():  # an older run got as far; it is the same state
            shutil.rmtree(temporary)
        else:
            temporary.rename(folder / name)
    for path in old:
        if path.name != name:
            shutil.rmtree(path)


def tidy(folder: Path) -> None:
    """Clear what a crash left in models/NAME."""
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
            recent=rest["recent"],
            model=load_file(newest / "model.safetensors"),
            optimizers=load_file(newest / "optimizers.safetensors"),
            metrics=pq.read_table(newest / "metrics.parquet"),
        )
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:  # Arrow's errors are ValueErrors
        raise RunError(
            f"{newest}: is damaged ({type(error).__name__}); delete it, and the same command trains from the start"
        ) from error


def publish(folder: Path, state: Checkpoint, files: ModelFiles) -> None:
    """Put the finished model into models/NAME, file by file in one rename each."""
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
    """Renew metrics.parquet in one rename."""
    temporary = folder / f".metrics.{uuid.uuid4().hex}.tmp"
    with full_disk_is_a_run_error(folder):
        pq.write_table(metrics, temporary, compression="zstd")
        temporary.rename(folder / "metrics.parquet")


def clear(folder: Path) -> None:
    """Delete the checkpoints of a finished model."""
    for path in _checkpoints(folder):
        shutil.rmtree(path)


@contextmanager
def _full_disk_is_a_run_error(folder: Path) -> Iterator[None]:
    """Tell a full disk, also one that the safetensors library met, in one sentence."""
    with full_disk_is_a_run_error(folder):
        try:
            yield
        except SafetensorError as error:
            if number := _os_error(str(error)):
                raise OSError(number, os.strerror(number)) from error
            raise


def _os_error(message: str) -> int:
    """The errno in a message of a Rust library, such as 'No space left on device (os error 28)'; else 0."""
    return next((number for number in errno.errorcode if f"(os error {number})" in message), 0)


def _checkpoints(folder: Path) -> list[Path]:
    return sorted(folder.glob("checkpoint-*"))
