"""A fine-tuning: its examples, settings and folder, and what of it is done already.  Imports no torch.

    FOLDER/
      plan.json, checkpoint-STEP/, metrics.parquet, receipt.json     as in pretraining
      model.safetensors, config.json, tokenizer.json, ...            the model, as HF transformers reads it
      finetune.json                 the task, its settings, its labels
      finetune_metrics.parquet      figures on the test part (`schema.FINETUNE_METRICS`)
      measured.json                 what they were measured on; written last
      adapter/                      with LoRA: what was trained, in peft's format

The model is trained on the part `train`.  The part `validation` decides when training ends and which weights are kept.
The figures come from the part `test`, which the model has not seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from corpusmill.corpus import Corpus, checksum_of, digest
from corpusmill.errors import InputError
from corpusmill.finetune import examples as reading
from corpusmill.finetune.examples import Example, divided
from corpusmill.finetune.settings import AnyTask
from corpusmill.train.job import Planned, TrainResult
from corpusmill.train.settings import TrainSettings

VERSION = 2  # of everything that changes a fine-tuned model; raise it when one of these things changes
METRICS = "finetune_metrics.parquet"
MEASURED = "measured.json"
NOTES = "finetune.json"
NO_EFFECT = ("checkpoint_every", "tensorboard")  # settings that do not change the model
BASE_FILES = ("model.safetensors", "config.json", "tokenizer.json")


@dataclass(frozen=True, slots=True)
class Parts:
    """The examples in three parts."""

    train: list[Example]
    validation: list[Example]
    test: list[Example]

    @classmethod
    def of(cls, data: Path, validation: Path | None, test: Path | None, settings: AnyTask) -> "Parts":
        """Examples of files.  Parts without a file of their own are shares of the first file.  InputError if empty."""
        shares = [
            0.0 if validation else settings.validation_share,
            0.0 if test else settings.test_share,
        ]
        if sum(shares) >= 1:
            raise InputError("finetune.validation_share and test_share leave no examples for training")
        found = divided(reading.read(data, settings.task), shares, settings.seed)
        own = [
            reading.read(path, settings.task) if path else part
            for path, part in zip((validation, test), found, strict=False)
        ]
        if not found[2]:
            raise InputError(f"{data}: has too few examples for training; add some, or lower the shares of other parts")
        return cls(found[2], *own)


@dataclass(frozen=True, kw_only=True, slots=True)
class TuneJob(Planned):
    """A base model, examples, the settings of a task, and a folder for the model."""

    base: Path
    task: AnyTask
    parts: Parts

    @classmethod
    def of(cls, base: Path, parts: Parts, task: AnyTask, out: Path) -> "TuneJob":
        """The job with the base model as it is now.  InputError if there is none, or if `out` is its folder."""
        if out.resolve() == base.resolve():
            raise InputError(f"{out}: is the folder of the model that is tuned; choose another --out")
        what = task.model_dump(mode="json", exclude=set(NO_EFFECT))
        contents = [[example.model_dump(mode="json") for example in part] for part in (parts.train, parts.validation)]
        return cls(
            settings=_loop_settings(task, len(parts.train)),
            out=out,
            fingerprint=digest("finetune", VERSION, what, _checksums(base), contents),
            base=base,
            task=task,
            parts=parts,
        )

    def with_length(self, max_tokens: int) -> "TuneJob":
        """The job whose rows have at most this number of tokens."""
        return replace(self, settings=self.settings.model_copy(update={"row_length": max_tokens}))

    def finish(self, result: TrainResult, **facts: Any) -> None:
        """Write the receipt."""
        kept = {name: getattr(result, name) for name in ("steps", "tokens", "seconds", "loss", "validation_loss")}
        Corpus(self.out).write_json("receipt.json", {"fingerprint": self.fingerprint, "result": kept, **facts})

    def described(self) -> dict[str, Any]:
        """The settings, as they are noted in the folder."""
        return {"base": str(self.base), **self.task.model_dump(mode="json")}

    def understood(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Settings that were noted earlier."""
        return settings

    @property
    def tested(self) -> str:
        """What the figures depend on: the model and the examples of the test part."""
        return digest(self.fingerprint, [example.model_dump(mode="json") for example in self.parts.test])

    def is_measured(self) -> bool:
        """Whether the figures of exactly this model and this test part are there."""
        noted = Corpus(self.out).read_json(MEASURED) or {}
        return noted.get("tested") == self.tested and (self.out / METRICS).exists()


def _loop_settings(task: AnyTask, n: int) -> TrainSettings:
    """The settings as the training loop reads them."""
    per_epoch = -(-n // task.rows_per_step)
    return TrainSettings(
        row_length=task.max_tokens or 16,
        rows_per_step=task.rows_per_step,
        rows_per_pass=task.rows_per_pass,
        steps=task.steps or task.epochs * per_epoch,
        patience=task.patience,
        seed=task.seed,
        checkpoint_every=task.checkpoint_every,
        validate_every=task.validate_every or per_epoch,
        tensorboard=task.tensorboard,
        optimizer=task.optimizer,
        schedule=task.schedule,
        guard=task.guard,
    )


def _checksums(base: Path) -> list[str]:
    """Of the files that make the base model."""
    try:
        return [checksum_of((base / name).read_bytes()) for name in BASE_FILES]
    except FileNotFoundError as error:
        raise InputError(f"{base}: is not a trained model, it has no {Path(error.filename).name}") from None
    except OSError as error:
        raise InputError(f"{base}: cannot be read: {error.strerror or error}") from None


def without(parts: Sequence[list[Example]], index: int) -> list[Example]:
    """All parts but one, together."""
    return [example for number, part in enumerate(parts) if number != index for example in part]
