"""What a run is about: a recipe, a corpus and the user's modules; pickled, it travels to the workers."""

import json
from dataclasses import dataclass, fields
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from corpusmill.collect.settings import Source
from corpusmill.corpus import Corpus
from corpusmill.extensions import Edit, OwnStage, Registry, Signal, UserModule, registered_by
from corpusmill.recipe import Recipe, parse


@cache
def recipe_of(data: str, modules: tuple[UserModule, ...]) -> Recipe:
    """A recipe from its JSON, once in a process; its modules are loaded first, since it may need their classes."""
    for module in modules:
        module.load()
    recipe = parse({**json.loads(data), "modules": []})
    return recipe.model_copy(update={"modules": [module.name for module in modules]})


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a run is about; travels to the workers."""

    recipe: Recipe
    corpus: Corpus
    folder: Path  # the recipe's, which relative paths start from
    modules: tuple[UserModule, ...] = ()

    def __getstate__(self) -> dict[str, Any]:
        """What is cached stays here, and the recipe goes as data: it may hold settings of a user's own class."""
        state = {field.name: getattr(self, field.name) for field in fields(self)}
        return state | {"recipe": self.recipe.model_dump_json()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = state | {"recipe": recipe_of(state["recipe"], state["modules"])}
        for name, value in state.items():
            object.__setattr__(self, name, value)

    @cached_property
    def cache(self) -> dict[str, Any]:
        """What is worked out once in a process: the chain of stages, digests of their settings."""
        return {}

    def source(self, name: str) -> Source:
        """The source of that name."""
        return next(source for source in self.recipe.sources if source.name == name)

    def registered(self) -> list[tuple[UserModule, Registry]]:
        """What each of the recipe's modules adds; not what other modules in this process do."""
        return registered_by(self.modules)

    def signals(self) -> list[tuple[UserModule, list[Signal]]]:
        """The signals of each of the modules, by name."""
        return [(module, sorted(own.signals.values(), key=lambda s: s.name)) for module, own in self.registered()]

    def user_signals(self) -> list[Signal]:
        """The signals of all modules, by name."""
        return sorted((signal for _, signals in self.signals() for signal in signals), key=lambda s: s.name)

    def edits(self) -> list[tuple[UserModule, Edit]]:
        """The user's edits, in the order in which they run."""
        return [(module, edit) for module, own in self.registered() for edit in own.edits.values()]

    def own_stages(self) -> list[tuple[UserModule, OwnStage]]:
        """The user's stages, in the order of their modules."""
        return [(module, stage) for module, own in self.registered() for stage in own.stages.values()]
