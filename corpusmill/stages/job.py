"""What a run is about: a recipe, a corpus and the user's modules; pickled, it travels to the workers."""

from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from corpusmill.collect.settings import Source
from corpusmill.corpus import Corpus
from corpusmill.extensions import REGISTRY, Edit, OwnStage, Signal, UserModule
from corpusmill.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a run is about; travels to the workers."""

    recipe: Recipe
    corpus: Corpus
    folder: Path  # the recipe's, which relative paths start from
    modules: tuple[UserModule, ...] = ()

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}  # what is cached stays here

    @cached_property
    def cache(self) -> dict[str, Any]:
        """What is worked out once in a process: the chain of stages, digests of their settings."""
        return {}

    def source(self, name: str) -> Source:
        """The source of that name."""
        return next(source for source in self.recipe.sources if source.name == name)

    def signals(self, module: UserModule) -> list[Signal]:
        """The signals that one of the recipe's modules adds; not those of other modules in this process."""
        return sorted(module.registered(REGISTRY.signals), key=lambda signal: signal.name)

    def user_signals(self) -> list[Signal]:
        """The signals of all modules, by name."""
        return sorted((signal for module in self.modules for signal in self.signals(module)), key=lambda s: s.name)

    def edits(self) -> list[tuple[UserModule, Edit]]:
        """The user's edits, in the order in which they run."""
        return [(module, edit) for module in self.modules for edit in module.registered(REGISTRY.edits)]

    def own_stages(self) -> list[tuple[UserModule, OwnStage]]:
        """The user's stages, in the order of their modules."""
        return [(module, stage) for module in self.modules for stage in module.registered(REGISTRY.stages)]

    def load_modules(self) -> None:
        """Make what the user's modules register known in this process."""
        for module in self.modules:
            module.load()
