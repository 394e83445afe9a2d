"""A training job: its tokens, settings and folder, and what of it is done already.  Imports no torch.

    models/NAME/
      plan.json            the job's fingerprint, corpus, settings, number of steps, and number of threads, fixed
                           before the first step
      checkpoint-STEP/     everything that is needed to continue exactly; only the newest is kept
      metrics.parquet      figures measured so far (`schema.METRICS`), written again at every validation
      model.safetensors, config.json, tokenizer.json, tokenizer_config.json
                           the trained model, as HF transformers reads it
      receipt.json         written last.  A model with a receipt for the same tokens and settings is not trained again

A model is expensive, so it is never replaced: other tokens or settings in the same folder are an InputError.

A time limit (`max_seconds`) cannot be resumed exactly, and the learning rate depends on the number of steps.  So the
limit is converted to steps once: a few steps and a validation are timed and discarded, and the number of steps that fit
is written to plan.json.  If the machine is slower later, the run takes longer and the number of steps stays.

The number of threads is written there for the same reason.  A kernel that divides a sum among threads, such as that of
the gradient of LayerNorm, rounds differently with another number.
"""

import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpusmill.corpus import Corpus, checksum_of, digest
from corpusmill.errors import CorruptPartError, InputError
from corpusmill.reasons import Stage
from corpusmill.train.settings import OwnSettings, TrainSettings

if TYPE_CHECKING:
    from corpusmill.loader.manifest import Manifest
    from corpusmill.loader.rows import Rows
    from corpusmill.train.vocabulary import Vocabulary

VERSION = 6  # of everything that changes a trained model; raise it when one of these things changes

BEST = "best.safetensors"  # the weights with the lowest validation loss so far, if the training keeps them
FILES = (  # in a folder without plan.json, they are not of a training
    "model.safetensors", "config.json", "tokenizer*.json", "metrics.parquet", "receipt.json", "recipe.toml", BEST,
    "checkpoint-*",
)  # fmt: skip
NO_EFFECT = ("checkpoint_every", "tensorboard", "sharding")  # settings that do not change the model


@dataclass(frozen=True, kw_only=True, slots=True)
class StepReport:
    """The present state of training."""

    step: int  # steps done
    steps: int  # steps in total
    loss: float  # nats per token, mean over the last steps
    validation_loss: float | None  # the newest value; None without validation documents
    validation_bits_per_byte: float | None
    tokens: int
    seconds: float
    tokens_per_second: float  # of this process's run
    seconds_left: float
    waiting_share: float  # of the time, for the next rows
    memory_bytes: int  # the most that was used: of the GPU, or of the process
    mfu: float | None  # floating-point operations, as a share of what the GPU can do; None if that is unknown
    skipped_steps: int  # by the guard


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainResult:
    """The result of training.  Losses and entropies are in nats per token, unless the name says bits."""

    model: Path
    trained: bool  # False: the model was trained before
    steps: int
    tokens: int
    seconds: float
    loss: float  # mean over the last steps
    unigram_entropy: float  # of the training tokens
    unigram_entropy_bits: float
    validation_loss: float | None
    validation_bits_per_byte: float | None
    unigram_validation_loss: float | None  # of a model that knows how frequent each target is, on validation targets
    trigram_validation_loss: float | None = None  # of a Kneser-Ney trigram model; None if the objective is not causal


@dataclass(frozen=True, kw_only=True, slots=True)
class Planned:
    """A training with a folder of its own: its settings, and what of it is done already."""

    settings: TrainSettings
    out: Path
    fingerprint: str  # of everything that determines the trained model

    def finish(self, result: TrainResult, **facts: Any) -> None:
        """Write the receipt."""
        values = {key: value for key, value in asdict(result).items() if key not in ("model", "trained")}
        receipt = {"fingerprint": self.fingerprint, "result": values, **facts}
        Corpus(self.out).write_json("receipt.json", receipt)

    def clear(self) -> None:
        """Delete the checkpoints of a finished model.  Another process may do the same at this moment."""
        for path in (*self.out.glob("checkpoint-*"), self.out / BEST):
            with suppress(FileNotFoundError):
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def planned_steps(self) -> int | None:
        """The number of steps that an earlier run of this job fixed; InputError if the folder holds something else."""
        plan = Corpus(self.out).read_json("plan.json")
        if plan is None or not {"fingerprint", "steps", "settings"} <= plan.keys():
            self._refuse_other_files()
            return None
        if plan["fingerprint"] != self.fingerprint:
            raise InputError(
                f"{self.out}: holds a model of other tokens or settings{self._difference(plan['settings'])}; "
                "choose another --out, or remove that folder"
            )
        return int(plan["steps"])

    def plan(self, steps: int, *, processes: int, threads: int) -> None:
        """Fix the number of steps, and the number of threads of each process."""
        plan = {"fingerprint": self.fingerprint, "steps": steps, "settings": self.described()}
        Corpus(self.out).write_json("plan.json", {**plan, "processes": processes, "threads": threads, **self.origin()})

    def planned_threads(self, processes: int) -> int | None:
        """The number of threads that an earlier run fixed.  None if there was none, or with other processes."""
        plan = Corpus(self.out).read_json("plan.json") or {}
        return plan.get("threads") if plan.get("processes") == processes else None

    def origin(self) -> dict[str, str]:
        """What else is noted in the folder: where the examples come from."""
        return {}

    def receipt(self) -> dict[str, Any] | None:
        """The receipt, if exactly this job is done."""
        receipt = Corpus(self.out).read_json("receipt.json")
        if receipt is None or receipt.get("fingerprint") != self.fingerprint:
            return None
        return receipt if (self.out / "model.safetensors").exists() else None

    def described(self) -> dict[str, Any]:
        """The settings, as they are noted in the folder."""
        return self.settings.model_dump(mode="json")

    def understood(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Settings that an earlier version noted, with the names of now.  ValueError if they are not understood."""
        return TrainSettings.model_validate(settings).model_dump(mode="json")

    def _refuse_other_files(self) -> None:
        """InputError if training would replace files of something else: a model, word vectors, a corpus."""
        names = sorted(name for pattern in FILES for name in (path.name for path in self.out.glob(pattern)))
        if names:
            raise InputError(
                f"{self.out}: holds files that this training has not written ({', '.join(names)}); choose another --out"
            )

    def _difference(self, settings: dict[str, Any]) -> str:
        try:
            earlier = self.understood(settings)
        except ValueError:  # of a version whose settings are not understood any more
            return ""
        mine = {key: value for key, value in _flat(self.described()).items() if key not in NO_EFFECT}
        theirs = _flat(earlier)
        other = [f"{key} = {theirs[key]}" for key, value in mine.items() if key in theirs and theirs[key] != value]
        return f" ({', '.join(other)})" if other else ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Job(Planned):
    """Token parts, a tokenizer, settings and a folder for the model."""

    corpus: Path
    manifest: "Manifest"
    data: str  # digest of what decides the rows, besides the settings: tokens, tokenizer, mix

    def finished(self) -> TrainResult | None:
        """The result, if exactly this job is done."""
        receipt = self.receipt()
        try:
            return None if receipt is None else TrainResult(**receipt["result"], model=self.out, trained=False)
        except (KeyError, TypeError):  # the receipt has another form, so it does not count
            return None

    def origin(self) -> dict[str, str]:
        """Where the rows come from."""
        return {"corpus": str(self.corpus.resolve()), "data": self.data}

    @classmethod
    def of(cls, corpus: Path, settings: TrainSettings, out: Path) -> "Job":
        """The job of training on the corpus as it is now; InputError if it has no tokens."""
        from corpusmill.loader.manifest import manifest_of
        from corpusmill.train.mixing import data_of

        store = Corpus(corpus)
        manifest = manifest_of(store)
        data = data_of(store, manifest)
        what = settings.model_dump(mode="json", exclude=set(NO_EFFECT))
        return cls(
            corpus=corpus,
            manifest=manifest,
            settings=settings,
            out=out,
            fingerprint=digest("train", VERSION, what, _code(settings), *data),
            data=digest(*data),
        )

    def rows(self, split: str) -> "Rows":
        """The rows of a split.  CorruptPartError if the corpus's tokens have changed, or are damaged."""
        from corpusmill.loader.rows import Rows

        store, settings = Corpus(self.corpus), self.settings
        rows = Rows(
            store,
            self.manifest,
            row_length=settings.row_length,
            seed=settings.seed,
            split=split,
            packing=settings.packing,
            ahead=split == "train",
        )
        if Job.of(self.corpus, self.settings, self.out).fingerprint != self.fingerprint:
            raise CorruptPartError(
                f"{self.corpus}: a run has changed the tokens since training began; start training again"
            )
        return rows

    @property
    def tokenizer(self) -> bytes:
        """The corpus's tokenizer.json."""
        return Corpus(self.corpus).read_file(Stage.TOKENIZER, Stage.TOKENIZER)

    def vocabulary(self, names: Sequence[str] = ()) -> "Vocabulary":
        """The corpus's tokens, and those of an objective that needs the tokens `names`."""
        from corpusmill.train.vocabulary import Vocabulary

        return Vocabulary.of(self.tokenizer, f"{self.corpus}/tokenizer/tokenizer.json", names)


def _flat(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """The values of a table and of the tables in it, by their names, such as model.layers."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat


def _code(settings: TrainSettings) -> str:
    """The checksum of the user's objective; empty without one.  InputError if there is no such file."""
    if not isinstance(settings.objective, OwnSettings):
        return ""
    try:
        return checksum_of(Path(settings.objective.path).read_bytes())
    except OSError as error:
        raise InputError(f"train.objective.path: '{settings.objective.path}' cannot be read: {error}") from None
