"""Settings of a training: the table [train] of a recipe, with one table each for model, objective, optimizer, schedule.

`kind` says which model, objective, optimizer or schedule it is.  Every kind has its own keys.  Earlier versions had the
keys of these tables in [train] itself.  They are still understood there, because each has only one new place.
"""

from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from corpusmill.settings import Seed, Settings, Share

BelowOne = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Attentive(Settings):
    """A model whose width is shared by heads of attention."""

    layers: int = Field(6, ge=1)
    width: int = Field(384, ge=32)
    heads: int = Field(6, ge=1)
    dropout: BelowOne = 0.0

    @model_validator(mode="after")
    def _heads_fit(self) -> Self:
        if self.width % (2 * self.heads):
            raise ValueError(f"width {self.width} is not a multiple of 2 x heads ({self.heads})")
        return self


class _Grouped(_Attentive):
    """Several heads share keys and values."""

    kv_heads: int = Field(2, ge=1)

    @model_validator(mode="after")
    def _groups_fit(self) -> Self:
        if self.heads % self.kv_heads:
            raise ValueError(f"heads {self.heads} is not a multiple of kv_heads ({self.kv_heads})")
        return self


class DecoderSettings(_Grouped):
    """A decoder with the shapes of Qwen3."""

    kind: Literal["decoder"] = "decoder"
    tied_embeddings: bool = True  # the embedding is also the output head


class EncoderSettings(_Attentive):
    """An encoder with the shapes of ModernBERT."""

    kind: Literal["encoder"] = "encoder"
    window: int = Field(128, ge=2)  # tokens that a token sees in layers of local attention
    global_every: int = Field(3, ge=1)  # every such layer, from the first on, sees the whole document


class EncoderDecoderSettings(_Grouped):
    """An encoder and a decoder, with cross-attention."""

    kind: Literal["encoder-decoder"] = "encoder-decoder"
    layers: int = Field(4, ge=1)  # of each of the two


class LstmSettings(Settings):
    """An LSTM language model."""

    kind: Literal["lstm"] = "lstm"
    layers: int = Field(2, ge=1)
    width: int = Field(384, ge=8)
    attention: bool = False  # to the earlier outputs of the same document
    dropout: BelowOne = 0.0


ModelSettings: TypeAlias = DecoderSettings | EncoderSettings | EncoderDecoderSettings | LstmSettings


class ObjectiveSettings(Settings):
    """What every objective has."""

    label_smoothing: BelowOne = 0.0
    z_loss: float = Field(0.0, ge=0, allow_inf_nan=False)  # weight of the squared logarithm of the softmax's sum


class CausalSettings(ObjectiveSettings):
    """Every next token."""

    kind: Literal["causal"] = "causal"


class MaskedSettings(ObjectiveSettings):
    """Masked tokens, from both sides."""

    kind: Literal["masked"] = "masked"
    share: float = Field(0.3, gt=0, lt=1)  # of the tokens, in training
    evaluation_share: float = Field(0.15, gt=0, lt=1)
    order: Literal["none", "sentence-order", "next-sentence"] = "none"


class SpansSettings(ObjectiveSettings):
    """Spans of tokens, which a sentinel replaces in the encoder's input."""

    kind: Literal["span-corruption"] = "span-corruption"
    share: float = Field(0.15, gt=0, lt=1)
    span_length: float = Field(3.0, ge=1, allow_inf_nan=False)  # tokens, on average


class OwnSettings(ObjectiveSettings):
    """An objective in a Python file of the user."""

    kind: Literal["own"] = "own"
    path: str  # relative to the folder in which the command runs
    options: dict[str, Any] = {}


AnyObjective: TypeAlias = CausalSettings | MaskedSettings | SpansSettings | OwnSettings


class OptimizerSettings(Settings):
    """What every optimizer has."""

    learning_rate: Positive
    weight_decay: float = Field(0.01, ge=0)  # of matrices
    max_gradient_norm: Positive | None = None  # a longer gradient is shortened to it


class MuonSettings(OptimizerSettings):
    """Muon for matrices, AdamW for the rest."""

    kind: Literal["muon"] = "muon"
    matrix_learning_rate: Positive = 0.02  # for Muon
    learning_rate: Positive = 0.003  # for AdamW: embeddings, norms


class AdamWSettings(OptimizerSettings):
    """AdamW for everything."""

    kind: Literal["adamw"] = "adamw"
    learning_rate: Positive = 0.001
    weight_decay: float = Field(0.1, ge=0)


class SgdSettings(OptimizerSettings):
    """Stochastic gradient descent with momentum, for comparison."""

    kind: Literal["sgd"] = "sgd"
    learning_rate: Positive = 0.1
    weight_decay: float = Field(0.0, ge=0)
    momentum: BelowOne = 0.9


AnyOptimizer: TypeAlias = MuonSettings | AdamWSettings | SgdSettings


class StableSettings(Settings):
    """Warmup, a constant learning rate, a linear fall to zero."""

    kind: Literal["warmup-stable-decay"] = "warmup-stable-decay"
    warmup_share: Share = 0.02
    decay_share: Share = 0.3

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.warmup_share + self.decay_share > 1:
            raise ValueError("warmup_share and decay_share are together more than 1")
        return self


class CosineSettings(Settings):
    """Warmup, then half a cosine down to `final_share`."""

    kind: Literal["cosine"] = "cosine"
    warmup_share: Share = 0.02
    final_share: Share = 0.1  # of the highest learning rate


class LinearSettings(Settings):
    """Warmup, then a straight line down to `final_share`."""

    kind: Literal["linear"] = "linear"
    warmup_share: Share = 0.02
    final_share: Share = 0.0


AnySchedule: TypeAlias = StableSettings | CosineSettings | LinearSettings


class GuardSettings(Settings):
    """What happens at a step whose loss or gradient is not finite, or whose loss is much higher than before."""

    spike_deviations: Positive | None = None  # a loss so many standard deviations above the mean is a spike
    max_skips: int = Field(5, ge=1)  # steps in a row that are skipped; then the weights of the last checkpoint return
    max_rollbacks: int = Field(2, ge=0)  # then training ends with an error


NATURAL = {"decoder": "causal", "encoder": "masked", "encoder-decoder": "span-corruption", "lstm": "causal"}
_KINDS = {"model": "decoder", "optimizer": "muon", "schedule": "warmup-stable-decay"}
_MOVED = {
    **dict.fromkeys(("layers", "width", "heads", "kv_heads"), "model"),
    **dict.fromkeys(("matrix_learning_rate", "learning_rate", "weight_decay"), "optimizer"),
    **dict.fromkeys(("warmup_share", "decay_share"), "schedule"),
}


class TrainSettings(Settings):
    """A training.  `corpusmill train` reads these settings; the pipeline does not."""

    packing: Literal["stream", "best-fit"] = "stream"  # how documents become rows; best-fit cuts fewer of them
    row_length: int = Field(512, ge=16)  # tokens per training row
    rows_per_step: int = Field(16, ge=1)  # of all ranks together
    rows_per_pass: int | None = Field(None, ge=1)  # of one rank; gradients of several passes are added
    steps: int = Field(1000, ge=1)
    # reduces the number of steps to what fits; measured once
    max_seconds: float | None = Field(None, gt=0, allow_inf_nan=False)
    patience: int | None = Field(None, ge=1)  # validations in a row without a lower loss, after which training ends
    seed: Seed = 1
    checkpoint_every: int = Field(500, ge=1)  # steps
    validate_every: int = Field(100, ge=1)  # steps
    validation_rows: int = Field(64, ge=1)
    sharding: Literal["auto", "replicate", "shard"] = "auto"  # of the model, over processes; auto: if it does not fit
    recompute: bool = False  # layers and scores are computed again in the backward pass, which saves memory
    tensorboard: bool = False  # also write the metrics as TensorBoard's files
    model: Annotated[ModelSettings, Field(discriminator="kind")] = DecoderSettings()
    objective: Annotated[AnyObjective, Field(discriminator="kind")] = CausalSettings()
    optimizer: Annotated[AnyOptimizer, Field(discriminator="kind")] = MuonSettings()
    schedule: Annotated[AnySchedule, Field(discriminator="kind")] = StableSettings()
    guard: GuardSettings = GuardSettings()

    @model_validator(mode="before")
    @classmethod
    def _in_their_tables(cls, data: Any) -> Any:
        """Move keys of earlier versions into their tables, and add the kinds that are missing."""
        if not isinstance(data, dict):
            return data
        moved: dict[str, Any] = {}
        for key, value in data.items():
            if key not in _MOVED:
                moved[key] = dict(value) if isinstance(value, dict) else value
        for key, table in _MOVED.items():
            if key in data:
                place = moved.setdefault(table, {})
                if not isinstance(place, dict) or key in place:
                    raise ValueError(f"'{key}' belongs to the table [train.{table}]; write it only there")
                place[key] = data[key]
        for table, kind in _KINDS.items():
            if isinstance(given := moved.get(table), dict):
                given.setdefault("kind", kind)
        model = moved.get("model", {})
        chosen = model.get("kind", "decoder") if isinstance(model, dict) else getattr(model, "kind", None)
        natural = NATURAL.get(chosen) if isinstance(chosen, str) else None
        objective = moved.setdefault("objective", {}) if natural else moved.get("objective")
        if isinstance(objective, dict):
            objective.setdefault("kind", natural or "causal")
        return moved

    @model_validator(mode="after")
    def _objective_fits(self) -> Self:
        model, objective = self.model.kind, self.objective.kind
        if objective not in (NATURAL[model], "own"):
            fitting = ", ".join(name for name, natural in NATURAL.items() if natural == objective)
            raise ValueError(f"objective '{objective}' cannot train a model of kind '{model}'; it trains: {fitting}")
        if self.rows_per_pass is not None and self.rows_per_step % self.rows_per_pass:
            raise ValueError(
                f"rows_per_step {self.rows_per_step} is not a multiple of rows_per_pass ({self.rows_per_pass})"
            )
        return self
