"""A fine-tuned model, read from its folder."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from corpusmill.errors import InputError
from corpusmill.finetune.job import NOTES
from corpusmill.finetune.models import TASK, VectorEncoder, headed, renamed
from corpusmill.finetune.settings import TASKS as SETTINGS
from corpusmill.finetune.settings import AnyTask, EmbeddingsSettings
from corpusmill.finetune.tasks import TASKS
from corpusmill.finetune.tasks.base import Task, checked, codec_of
from corpusmill.train.batch import Model
from corpusmill.train.models.encoder import Encoder
from corpusmill.train.trained import Trained, empty, load
from corpusmill.train.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Tuned:
    """A model and its task."""

    model: Trained
    task: Task


def load_tuned(folder: str | Path, device: str = "cpu", *, vectors: bool = False) -> Tuned:
    """The fine-tuned model in a folder.  InputError if there is none, or if its files are damaged.

    vectors: a pretrained encoder will do, too; its task is to make vectors
    """
    folder = Path(folder)
    settings, notes = _noted(folder, vectors)
    trained = load(folder, device, empty=_empty)
    kind = TASKS[settings.task]
    checked(kind, settings.task, trained.kind, folder)
    definition = (folder / "tokenizer.json").read_bytes()
    vocabulary = Vocabulary.of(definition, str(folder / "tokenizer.json"))
    codec = codec_of(vocabulary, json.loads(definition), settings.max_tokens or trained.row_length)
    return Tuned(trained, kind(settings, codec, trained.kind, notes))


def _noted(folder: Path, vectors: bool) -> tuple[AnyTask, dict[str, Any]]:
    """The settings of the task and its notes, from the folder."""
    try:
        noted = json.loads((folder / NOTES).read_text("utf-8"))
        return SETTINGS[noted["settings"]["task"]].model_validate(noted["settings"]), dict(noted["notes"])
    except FileNotFoundError:
        if not (folder / "config.json").exists():
            raise InputError(f"{folder}: is no model, it has no config.json") from None
        if vectors:
            return EmbeddingsSettings(), {}
        raise InputError(f"{folder}: has no task yet; tune this model first with 'corpusmill finetune'") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder}: {NOTES} is damaged ({type(error).__name__}); tune the model again") from error


def _empty(config: dict[str, Any], weights: dict[str, Tensor]) -> tuple[str, Model, dict[str, Tensor]]:
    """The kind of a tuned model, the model, and the weights with our names."""
    task = config.get(TASK)
    kind, base, weights = empty({key: value for key, value in config.items() if key != TASK}, weights)
    if task is None:  # writes text, or makes vectors
        size, length = config["vocab_size"], config["max_position_embeddings"]
        return kind, VectorEncoder(base.settings, size, length) if isinstance(base, Encoder) else base, weights
    classes = len(config["id2label"]) if "id2label" in config else 2
    model = headed(task, classes, base, config["vocab_size"], config["max_position_embeddings"], 0.0)
    return kind, model, renamed(weights, {theirs: ours for ours, theirs in model.prefixes.items()})
