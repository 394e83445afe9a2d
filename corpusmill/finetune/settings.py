"""Settings of fine-tuning: the table [finetune] of a TOML file, with the keys of one task.  Imports no torch."""

from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, ValidationError

from corpusmill.errors import InputError
from corpusmill.names import did_you_mean
from corpusmill.recipe import sentence
from corpusmill.settings import Seed, Settings, Share, read_toml
from corpusmill.train.settings import (
    AdamWSettings,
    AnyOptimizer,
    AnySchedule,
    BelowOne,
    GuardSettings,
    LinearSettings,
    Positive,
)


class LoraSettings(Settings):
    """Low-rank updates (arXiv 2106.09685) of the matrices of layers; the matrices themselves stay as they are."""

    rank: int = Field(8, ge=1)
    alpha: Positive = 16.0  # an update is multiplied by alpha / rank
    dropout: BelowOne = 0.0


class FinetuneSettings(Settings):
    """What every task has."""

    epochs: int = Field(3, ge=1)
    steps: int | None = Field(None, ge=1)  # instead of epochs
    rows_per_step: int = Field(16, ge=1)  # of all ranks together
    rows_per_pass: int | None = Field(None, ge=1)  # of one rank; gradients of several passes are added
    max_tokens: int | None = Field(None, ge=16)  # longer texts are cut; null: the row length of the pretraining
    validation_share: Share = 0.1  # of the examples, for early stopping
    test_share: Share = 0.2  # of the examples, for the metrics
    validate_every: int | None = Field(None, ge=1)  # steps; null: once per epoch
    patience: int | None = Field(3, ge=1)  # validations in a row without a lower loss, after which training ends
    checkpoint_every: int = Field(200, ge=1)  # steps
    seed: Seed = 1
    dropout: BelowOne = 0.0
    tensorboard: bool = False
    lora: LoraSettings | None = None  # null: all weights are trained
    optimizer: Annotated[AnyOptimizer, Field(discriminator="kind")] = AdamWSettings(
        learning_rate=5e-4, weight_decay=0.01, max_gradient_norm=1.0
    )
    schedule: Annotated[AnySchedule, Field(discriminator="kind")] = LinearSettings(warmup_share=0.1)
    guard: GuardSettings = GuardSettings()


class ClassificationSettings(FinetuneSettings):
    """One label per text or pair of texts, or several."""

    task: Literal["classification"] = "classification"
    class_weights: Literal["none", "balanced"] = "none"  # balanced: every label has the same weight in the loss
    label_smoothing: BelowOne = 0.0


class SpanSettings(FinetuneSettings):
    """Tasks whose answers are spans of the text."""

    # every Han character is a token of its own; null: if spans of the data begin or end within a token
    split_han: bool | None = None


class TokensSettings(SpanSettings):
    """Spans with labels."""

    task: Literal["tokens"] = "tokens"
    label_smoothing: BelowOne = 0.0


class AnswersSettings(SpanSettings):
    """The span of a context that answers a question."""

    task: Literal["question-answering"] = "question-answering"
    max_answer_tokens: int = Field(30, ge=1)


class WritingSettings(FinetuneSettings):
    """Tasks whose answers are new text."""

    max_new_tokens: int = Field(128, ge=1)  # of an answer
    label_smoothing: BelowOne = 0.0


class InstructionSettings(WritingSettings):
    """Conversations."""

    task: Literal["instruction"] = "instruction"


class SequenceSettings(WritingSettings):
    """An output for an input."""

    task: Literal["sequence"] = "sequence"


class EmbeddingsSettings(FinetuneSettings):
    """Vectors of texts: those of a pair are close to each other."""

    task: Literal["embeddings"] = "embeddings"
    rows_per_step: int = Field(32, ge=2)  # pairs; the others of a pass are the negatives
    temperature: Positive = 0.05


AnyTask: TypeAlias = (
    ClassificationSettings
    | TokensSettings
    | AnswersSettings
    | InstructionSettings
    | SequenceSettings
    | EmbeddingsSettings
)
TASKS: dict[str, type[AnyTask]] = {
    kind.model_fields["task"].default: kind
    for kind in (
        ClassificationSettings,
        TokensSettings,
        AnswersSettings,
        InstructionSettings,
        SequenceSettings,
        EmbeddingsSettings,
    )
}


DEFAULTS: dict[str, dict[str, Any]] = {
    name: FinetuneSettings.model_fields[name].default.model_dump() for name in ("optimizer", "schedule")
}


def settings_of(task: str | None, table: dict[str, Any], where: str = "finetune") -> AnyTask:
    """The settings of a task from a table with its keys.  InputError, one sentence, if something is wrong there."""
    named = table.get("task", task)
    if task is not None and named != task:
        raise InputError(f"{where}: is about the task '{named}', but --task is '{task}'")
    if named is None:
        raise InputError(f"the task is not named; --task can be: {', '.join(TASKS)}")
    if not isinstance(named, str) or named not in TASKS:
        hint = did_you_mean(str(named), [*TASKS])
        raise InputError(f"there is no task '{named}'; {hint}--task can be: {', '.join(TASKS)}")
    for name, default in DEFAULTS.items():  # a key that is not given keeps its default
        given = table.get(name)
        if isinstance(given, dict) and given.get("kind", default["kind"]) == default["kind"]:
            table = {**table, name: {**default, **given}}
    try:
        return TASKS[named].model_validate({**table, "task": named})
    except ValidationError as error:
        raise InputError(sentence(error, TASKS[named], where)) from None


def load_settings(task: str | None, config: str | Path | None) -> AnyTask:
    """The settings of a task from the table [finetune] of a TOML file; without a file, the defaults."""
    if config is None:
        return settings_of(task, {})
    data = read_toml(Path(config), "file with settings of fine-tuning")
    if not isinstance(data.get("finetune"), dict):
        raise InputError(f"{config}: has no table [finetune] with settings of fine-tuning")
    return settings_of(task, data["finetune"], f"{config}: finetune")
