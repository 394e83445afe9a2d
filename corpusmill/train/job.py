"""What a training run is asked for, and what of it is already there.  Light: imports neither torch nor pyarrow.

    models/NAME/
      plan.json            the job's fingerprint, settings and number of steps, fixed before the first step
      checkpoint-STEP/     everything to go on from there, exactly; only the newest is kept
      metrics.parquet      figures measured so far (`schema.METRICS`), renewed at every validation
      model.safetensors, config.json, tokenizer.json, tokenizer_config.json
                           the trained model, as HF transformers reads it
      receipt.json         written last: a model with one, made from the same tokens and settings, is not trained again

A model is expensive, so it is never replaced: other tokens or settings in the same folder are an InputError.

A time limit (`max_seconds`) cannot be resumed exactly, and the learning rate depends on the number of steps.  So time
is turned into steps once: a few steps and a validation are timed and thrown away, and the number of steps that fit is
written into plan.json.  A slower hour makes the run longer, not shorter.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpusmill.belonging import whole
from corpusmill.corpus import Corpus, checksum_of, digest
from corpusmill.errors import CorruptPartError, InputError
from corpusmill.mix import read_weights
from corpusmill.reasons import Stage
from corpusmill.train.settings import TrainSettings

if TYPE_CHECKING:
    from corpusmill.train.data import TokenRows

VERSION = 2  # of everything that changes a trained model; raise it when one of them changes

BOUNDARIES = ("<|endoftext|>", "<|end_of_text|>", "<|eot_id|>", "</s>", "<eos>", "[SEP]")  # the first that exists


@dataclass(frozen=True, kw_only=True, slots=True)
class StepReport:
    """Where training stands."""

    step: int  # done
    steps: int  # in all
    loss: float  # nats a token, mean over the last steps
    validation_loss: float | None  # the newest; None without validation documents
    validation_bits_per_byte: float | None
    tokens: int
    seconds: float
    tokens_per_second: float  # of this process' run
    seconds_left: float


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainResult:
    """What came out.  Losses and entropies are in nats per token, unless the name says bits."""

    model: Path
    trained: bool  # False: it was already there
    steps: int
    tokens: int
    seconds: float
    loss: float  # mean over the last steps
    unigram_entropy: float  # of the training tokens
    unigram_entropy_bits: float
    validation_loss: float | None
    validation_bits_per_byte: float | None
    unigram_validation_loss: float | None  # of the training tokens' unigram distribution, on the validation tokens


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """Token parts, a tokenizer, settings and a folder for the model."""

    corpus: Path
    parts: tuple[Path, ...]
    weights: dict[str, float]  # of documents by source; 1 for one that is not here
    settings: TrainSettings
    out: Path
    fingerprint: str

    @classmethod
    def of(cls, corpus: Path, settings: TrainSettings, out: Path) -> "Job":
        """The job of training on a corpus as it is now; InputError if it has no tokens."""
        store = Corpus(corpus)
        receipts = store.receipts(Stage.TOKENS)
        if not receipts:
            raise InputError(f"{corpus}: has no tokens to train on; make them with 'corpusmill run'")
        receipts = whole(store, Stage.TOKENS)
        checksums = [(name, receipt.checksum) for name, receipt in receipts.items()]
        vocabulary = checksum_of(store.read_file(Stage.TOKENIZER, Stage.TOKENIZER))
        what = settings.model_dump(mode="json", exclude={"checkpoint_every"})
        weights = read_weights(store)
        return cls(
            corpus=corpus,
            parts=tuple(store.path(Stage.TOKENS, name) for name in receipts),
            weights=weights,
            settings=settings,
            out=out,
            fingerprint=digest("train", VERSION, what, checksums, vocabulary, sorted(weights.items())),
        )

    def rows(self, split: str, *, keep_rest: bool = False) -> "TokenRows":
        """The rows of a split.  CorruptPartError if the corpus's tokens are others by now, or damaged."""
        from corpusmill.train.data import TokenRows

        rows = TokenRows(
            self.parts,
            split=split,
            row_length=self.settings.row_length,
            boundary=self.vocabulary()[1],
            seed=self.settings.seed,
            weights=self.weights,
            keep_rest=keep_rest,
        )
        if Job.of(self.corpus, self.settings, self.out).fingerprint != self.fingerprint:
            raise CorruptPartError(f"{self.corpus}: a run has changed the tokens meanwhile; start training again")
        return rows

    @property
    def tokenizer(self) -> bytes:
        """The corpus's tokenizer.json."""
        return Corpus(self.corpus).read_file(Stage.TOKENIZER, Stage.TOKENIZER)

    def vocabulary(self) -> tuple[int, int]:
        """Size of the vocabulary, and the token that stands before every document."""
        definition = json.loads(self.tokenizer)
        added = {token["content"]: token["id"] for token in definition.get("added_tokens", [])}
        vocab = definition["model"]["vocab"]
        ids = [*vocab.values()] if isinstance(vocab, dict) else [len(vocab) - 1]  # Unigram's is a list
        for name in BOUNDARIES:
            if name in added:
                return max(*ids, *added.values()) + 1, added[name]
        raise InputError(
            f"{self.corpus}/tokenizer/tokenizer.json: has no special token to stand between documents; "
            f"add one of {', '.join(BOUNDARIES)}"
        )

    def finished(self) -> TrainResult | None:
        """The result, if this very job is done."""
        receipt = Corpus(self.out).read_json("receipt.json")
        if receipt is None or receipt.get("fingerprint") != self.fingerprint:
            return None
        if not (self.out / "model.safetensors").exists():
            return None
        try:
            return TrainResult(**receipt["result"], model=self.out, trained=False)
        except (KeyError, TypeError):  # of another form: it counts as none
            return None

    def finish(self, result: TrainResult, **facts: Any) -> None:
        """Write the receipt."""
        values = {key: value for key, value in asdict(result).items() if key not in ("model", "trained")}
        receipt = {"fingerprint": self.fingerprint, "result": values, **facts}
        Corpus(self.out).write_json("receipt.json", receipt)

    def planned_steps(self) -> int | None:
        """The number of steps fixed by an earlier run of this job; InputError if the folder is another job's."""
        plan = Corpus(self.out).read_json("plan.json")
        if plan is None or not {"fingerprint", "steps", "settings"} <= plan.keys():
            return None
        if plan["fingerprint"] != self.fingerprint:
            raise InputError(
                f"{self.out}: holds a model of other tokens or settings{self._difference(plan['settings'])}; "
                "choose another --out, or remove that folder"
            )
        return int(plan["steps"])

    def plan(self, steps: int) -> None:
        """Fix the number of steps."""
        settings = self.settings.model_dump(mode="json")
        Corpus(self.out).write_json(
            "plan.json", {"fingerprint": self.fingerprint, "steps": steps, "settings": settings}
        )

    def _difference(self, settings: dict[str, Any]) -> str:
        mine = self.settings.model_dump(mode="json", exclude={"checkpoint_every"})
        other = [f"{key} = {settings.get(key)}" for key, value in mine.items() if settings.get(key) != value]
        return f" ({', '.join(other)})" if other else ""
