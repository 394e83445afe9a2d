"""One module per objective: `causal`, `masked`, `span_corruption`.  `own` finds the objective of a user's file."""

from corpusmill.train.objectives.base import Objective
from corpusmill.train.objectives.causal import Causal
from corpusmill.train.objectives.masked import Masked
from corpusmill.train.objectives.own import load_own
from corpusmill.train.objectives.span_corruption import SpanCorruption
from corpusmill.train.settings import AnyObjective, OwnSettings

OBJECTIVES: dict[str, type[Objective]] = {"causal": Causal, "masked": Masked, "span-corruption": SpanCorruption}


def objective_class(settings: AnyObjective) -> type[Objective]:
    """The class of an objective.  InputError if it is the user's and its file has none."""
    return load_own(settings.path) if isinstance(settings, OwnSettings) else OBJECTIVES[settings.kind]
