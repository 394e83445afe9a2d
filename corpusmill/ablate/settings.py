"""The TOML file of an ablation.

    recipe = "recipe.toml"       the base recipe, relative to this file; as it is, it is the variant `base`
    [[variants]]                 changes of it, each with a name
    [train]                      the small model and its training, as for `corpusmill train`
    [held_out], [search], [scaling]

`TrainSettings` stay as they are, but for what would make variants incomparable: a time limit and patience.  Without a
[train.schedule], the learning rate is constant after the warmup.  Then each point of a curve is the end of a training
of that length, which the multiplier and the scaling law need.
"""

import math
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from corpusmill.errors import InputError
from corpusmill.recipe import sentence
from corpusmill.settings import Name, Seed, Settings, Share, read_toml
from corpusmill.train.settings import StableSettings, TrainSettings

BASE = "base"  # the variant that is the recipe as it is
WARMUP_SHARE = 0.05  # of a budget's steps
CURVE_POINTS = 10  # about so many per budget
Confidence = Annotated[float, Field(gt=0, lt=1)]


class Variant(Settings):
    """A change of the base recipe.  Keys are those of the recipe with dots; items of lists are given by their names."""

    name: Name
    set: dict[str, Any] = {}  # key -> value, such as "filters.rules.too_short.threshold" = 50
    remove: list[str] = []  # items of lists, such as "sources.forum"; a profile's rule is disabled
    add: dict[str, list[dict[str, Any]]] = {}  # list -> items, such as edits = [{ kind = "citations" }]

    @model_validator(mode="after")
    def _is_another(self) -> Self:
        if self.name == BASE:
            raise ValueError(f"a variant cannot be named '{BASE}', because that is the recipe as it is")
        if not (self.set or self.remove or self.add):
            raise ValueError(f"variant '{self.name}' changes nothing; give it set, remove or add")
        return self


class HeldOutSettings(Settings):
    """The texts that models are measured on."""

    files: list[str] = []  # JSONL, Parquet or text; empty: validation documents of the base recipe
    column: str = "text"  # of the files
    sources: list[Name] = []  # of the validation documents; empty: all
    documents: int = Field(500, ge=2)  # at most
    max_chars: int = Field(8000, ge=1)  # the rest of a longer document is not measured
    overlap: float = Field(0.2, gt=0, le=1)  # share of its 13-grams in one training document that excludes a document


class Parameter(Settings):
    """What a search may change: a number between `low` and `high`, or one of `choices`."""

    key: str  # as in `set` of a variant
    low: float | None = Field(None, allow_inf_nan=False)
    high: float | None = Field(None, allow_inf_nan=False)
    log: bool = False  # draw the logarithm evenly
    whole: bool = False  # draw whole numbers
    choices: list[Any] = []

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        both = self.low is not None and self.high is not None
        if bool(self.choices) == both or (self.choices and (self.low, self.high) != (None, None)):
            raise ValueError(f"parameter '{self.key}' needs low and high, or else choices")
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise ValueError(f"parameter '{self.key}': low must be less than high")
        if self.log and (self.low or 0) <= 0:
            raise ValueError(f"parameter '{self.key}': with log, low must be more than 0")
        return self

    def value(self, place: float) -> Any:
        """The value at a place in [0, 1)."""
        if self.choices:
            return self.choices[int(place * len(self.choices))]
        assert self.low is not None
        assert self.high is not None
        if self.whole:
            return int(self.low) + int(place * (int(self.high) - int(self.low) + 1))
        if self.log:
            return float(f"{self.low * (self.high / self.low) ** place:.4g}")
        return float(f"{self.low + place * (self.high - self.low):.4g}")


class SearchSettings(Settings):
    """A search within a budget of trainings."""

    parameters: list[Parameter] = Field(min_length=1)
    runs: int = Field(30, ge=1)  # trainings of the whole search, those that confirm its result among them
    keep: Share = 0.34  # share of the trials that get more seeds
    rounds: int = Field(3, ge=1)
    seed: Seed = 1  # of the trials


class Size(Settings):
    """A size of the model."""

    layers: int = Field(ge=1)
    width: int = Field(ge=8)
    heads: int | None = Field(None, ge=1)
    kv_heads: int | None = Field(None, ge=1)


class Prediction(Settings):
    """What a scaling law is asked for."""

    parameters: float = Field(gt=0, allow_inf_nan=False)  # without embeddings
    tokens: float = Field(gt=0, allow_inf_nan=False)


class ScalingSettings(Settings):
    """Sizes of which a scaling law is fitted."""

    sizes: list[Size] = Field(min_length=3)
    from_share: Share = 0.2  # of the tokens; earlier points of a curve are not used
    resamples: int = Field(200, ge=20)  # of the bootstrap
    predict: list[Prediction] = []


class AblationSettings(Settings):
    """An ablation."""

    recipe: str
    variants: list[Variant] = []
    seeds: list[Seed] = Field([1, 2, 3], min_length=2)
    longer: float = Field(2.0, ge=1, le=100)  # every variant is trained for so many budgets of tokens
    evaluate_every: int | None = Field(None, ge=1)  # steps; by default about a tenth of `train.steps`
    confidence: Confidence = 0.95
    tokenizer: Literal["base", "own"] = "base"  # of the variants, unless the recipe names one
    held_out: HeldOutSettings = HeldOutSettings()
    train: TrainSettings
    search: SearchSettings | None = None
    scaling: ScalingSettings | None = None

    @model_validator(mode="after")
    def _comparable(self) -> Self:
        train = self.train
        for key in ("max_seconds", "patience", "seed"):
            if key in train.model_fields_set and getattr(train, key) is not None:
                instead = "; write 'seeds' outside [train]" if key == "seed" else ", because all train equally long"
                raise ValueError(f"train.{key} cannot be set in an ablation{instead}")
        if train.objective.kind != "causal":
            raise ValueError("an ablation needs an objective that predicts every token: a decoder or an LSTM")
        if train.steps % self.every:
            raise ValueError(f"evaluate_every {self.every} does not divide train.steps ({train.steps})")
        names = [variant.name for variant in self.variants]
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"two variants are named '{twice[0]}'; names must differ")
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds must be different numbers")
        return self

    @property
    def every(self) -> int:
        """Steps between two measurements: the smallest divisor of the steps that gives few enough points."""
        if self.evaluate_every is not None:
            return self.evaluate_every
        steps = self.train.steps
        return next(n for n in range(math.ceil(steps / CURVE_POINTS), steps + 1) if steps % n == 0)

    @property
    def steps(self) -> int:
        """Steps of each training of a comparison: `longer` budgets, in whole measurements."""
        return self.every * math.ceil(self.longer * self.train.steps / self.every - 1e-9)

    @property
    def tokens_per_step(self) -> int:
        """Tokens of a step."""
        return self.train.rows_per_step * self.train.row_length

    def training(self, seed: int, steps: int | None = None) -> TrainSettings:
        """The settings of one training; of `self.steps` steps, if no other number is given."""
        steps = steps or self.steps
        changes: dict[str, Any] = {
            "seed": seed,
            "steps": steps,
            "checkpoint_every": self.every,
            "validate_every": steps,
            "validation_rows": 1,
        }
        if "schedule" not in self.train.model_fields_set:
            warmup_share = WARMUP_SHARE * self.train.steps / steps
            changes["schedule"] = StableSettings(warmup_share=warmup_share, decay_share=0.0)
        return self.train.model_copy(update=changes)


def load(path: Path) -> AblationSettings:
    """The settings in a TOML file, checked (else InputError, one sentence)."""
    data = read_toml(path, "file of an ablation")
    try:
        return AblationSettings.model_validate(data)
    except ValidationError as error:
        raise InputError(f"{path}: {sentence(error, AblationSettings)}") from None
