"""What a run is about: a recipe, a corpus and the user's modules; pickled, it travels to the workers."""

from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from corpusmill.collect.settings import Source
from corpusmill.corpus import Corpus
from corpusmill.extensions import Edit, OwnStage, Registry, Signal, UserModule, registered_by
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

    def load_modules(self) -> None:
        """Make what the user's modules register known in this process."""
        for module in self.modules:
            module.load()
