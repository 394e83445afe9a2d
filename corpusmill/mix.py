"""The mix that a recipe asks for: weights of sources, and the table [mix].

It is not a part of documents or tokens, so changing it renews none of them.  `run` writes it as `mix.json`:

    {"weights": {"news": 1.0, "books": 2.0}, "settings": {...}}

The loader makes a manifest from it and from the tokens (`corpusmill.loader.manifest`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, Self

from pydantic import Field, ValidationError, model_validator

from corpusmill.corpus import Corpus
from corpusmill.errors import InputError
from corpusmill.settings import Settings

MIX = "mix.json"
UNKNOWN = "unknown"  # the bucket of documents without a value

Order = Literal["mixed", "short-first", "long-first", "low-first", "high-first"]


class MixRule(Settings):
    """What holds for the documents with this source, language and bucket; a key that is not given means all."""

    source: str | None = None
    language: str | None = None
    bucket: str | None = None
    weight: float = Field(1.0, gt=0, allow_inf_nan=False)  # times the weight of the source
    share: float | None = Field(None, gt=0, le=1)  # of the rows; divided among the groups of the rule
    epochs: float | None = Field(None, gt=0, allow_inf_nan=False)  # no document comes more often than this
    max_tokens: int | None = Field(None, ge=1)  # of the rule's groups together


class Buckets(Settings):
    """Ranges of a signal, such as a classifier's score."""

    signal: str
    edges: list[float] = Field(min_length=1)  # a value at an edge belongs to the bucket above it
    names: list[str] = []  # of the buckets, from the lowest on; by default 0, 1, 2, ...

    @model_validator(mode="after")
    def _fit(self) -> Self:
        if any(a >= b for a, b in pairwise(self.edges)):
            raise ValueError("edges must rise")
        if self.names and len(self.names) != len(self.edges) + 1:
            raise ValueError(f"{len(self.edges)} edges make {len(self.edges) + 1} buckets; give as many names")
        if len(set(self.names)) < len(self.names) or UNKNOWN in self.names:
            raise ValueError(f"the names of buckets must differ, and none may be '{UNKNOWN}'")
        return self

    @property
    def labels(self) -> list[str]:
        """The names of all buckets, from the lowest on; the last is for documents without a value."""
        return [*(self.names or map(str, range(len(self.edges) + 1))), UNKNOWN]


class MixSettings(Settings):
    """Which documents come in training, how often, and in which order."""

    by: list[Literal["source", "language", "bucket"]] = ["source"]  # each value, or combination, is a group
    temperature: float = Field(1.0, gt=0, allow_inf_nan=False)  # above 1, small groups come more often
    tokens: int | None = Field(None, ge=1)  # of one epoch of the mix; by default the weighted tokens of the corpus
    order: Order = "mixed"  # or one kind of documents after another
    lengths: list[int] = [512, 2048]  # in tokens: edges for an order by length
    buckets: Buckets | None = None
    groups: list[MixRule] = []  # the first that fits a group decides

    @model_validator(mode="after")
    def _fit(self) -> Self:
        named = any(rule.bucket is not None for rule in self.groups)
        needed = named or "bucket" in self.by or self.order in ("low-first", "high-first")
        if needed and self.buckets is None:
            raise ValueError("buckets are used; say of which signal: [mix.buckets] signal = ..., edges = [...]")
        if self.buckets is not None:
            for rule in self.groups:
                if rule.bucket not in (None, *self.buckets.labels):
                    raise ValueError(f"there is no bucket '{rule.bucket}'; there are {', '.join(self.buckets.labels)}")
        if sum(rule.share or 0 for rule in self.groups) > 1 + 1e-9:
            raise ValueError("the shares of groups are more than 1 together")
        if not self.lengths or any(a >= b for a, b in pairwise([0, *self.lengths])):
            raise ValueError("lengths must be above 0 and rise")
        return self

    @property
    def uses_buckets(self) -> bool:
        """Whether the bucket of a document matters."""
        named = any(rule.bucket is not None for rule in self.groups)
        return named or "bucket" in self.by or self.order in ("low-first", "high-first")


@dataclass(frozen=True, slots=True)
class Mix:
    """The asked mix of a corpus."""

    weights: dict[str, float] = field(default_factory=dict)  # by source; 1 for a source that is not listed
    settings: MixSettings = field(default_factory=MixSettings)

    def as_json(self) -> dict[str, object]:
        """The content of mix.json."""
        return {"weights": self.weights, "settings": self.settings.model_dump(mode="json")}


def write_mix(corpus: Corpus, weights: Mapping[str, float], settings: MixSettings | None = None) -> None:
    """Write the asked mix, if it has changed."""
    data = Mix(dict(weights), settings or MixSettings()).as_json()
    if corpus.read_json(MIX) != data:
        corpus.write_json(MIX, data)


def read_mix(corpus: Corpus) -> Mix:
    """The asked mix.  InputError if the file is damaged."""
    data = corpus.read_json(MIX)
    if data is None and corpus.store.entry(MIX) is None:
        return Mix()
    damaged = InputError(f"{corpus.place}/{MIX}: is not a mix; delete it, 'corpusmill run' writes it again")
    weights = (data or {}).get("weights")
    if not isinstance(weights, dict) or not all(type(w) in (int, float) and w > 0 for w in weights.values()):
        raise damaged
    try:
        settings = MixSettings.model_validate((data or {}).get("settings", {}))
    except ValidationError:
        raise damaged from None
    return Mix({name: float(weight) for name, weight in weights.items()}, settings)


def read_weights(corpus: Corpus) -> dict[str, float]:
    """Weights by source; a source that is not listed has weight 1.  InputError if the file is damaged."""
    return read_mix(corpus).weights
