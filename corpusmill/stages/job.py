"""What a run works on: a recipe, a corpus and the user's modules.  It is pickled and sent to the workers."""

import json
from dataclasses import dataclass, fields, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from corpusmill.collect.settings import Source
from corpusmill.corpus import Corpus
from corpusmill.extensions import Edit, OwnStage, Registry, Signal, UserModule, registered_by
from corpusmill.recipe import Recipe, parse
from corpusmill.removals import Removals, read_removals
from corpusmill.stages.files import digests
from corpusmill.stages.guests import against_digests


@cache
def recipe_of(data: str, modules: tuple[UserModule, ...]) -> Recipe:
    """A recipe from its JSON, read once per process.  Its modules come first, because it may need their classes."""
    for module in modules:
        module.load()
    recipe = parse({**json.loads(data), "modules": []})
    return recipe.model_copy(update={"modules": [module.name for module in modules]})


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a run works on.  It is sent to the workers."""

    recipe: Recipe
    corpus: Corpus
    folder: Path  # the recipe's folder, to which relative paths are relative
    modules: tuple[UserModule, ...] = ()

    def __getstate__(self) -> dict[str, Any]:
        """The state without cached values.  The recipe is JSON, because it may have settings of a user's own class."""
        state = {field.name: getattr(self, field.name) for field in fields(self)}
        return state | {"recipe": self.recipe.model_dump_json(), "files": self.files}

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = state | {"recipe": recipe_of(state["recipe"], state["modules"])}
        for name, value in state.items():
            object.__setattr__(self, name, value)

    @cached_property
    def cache(self) -> dict[str, Any]:
        """Values that are computed once per process: the chain of stages, digests of their settings."""
        return {}

    @cached_property
    def files(self) -> dict[str, str]:
        """Digests of the files that filters use, by path as the recipe has it, and of other corpora.

        InputError if one cannot be read.
        """
        return digests(self.recipe, self.folder) | against_digests(self.recipe.dedup.against, self.folder)

    @cached_property
    def removals(self) -> Removals:
        """What was taken down from the corpus; InputError if the list is damaged."""
        return read_removals(self.corpus)

    def with_files(self, files: dict[str, str]) -> "Job":
        """The same job, which takes these digests as those of its files and reads no file to find them."""
        job = replace(self)
        object.__setattr__(job, "files", files)
        return job

    def source(self, name: str) -> Source:
        """The source with that name."""
        return next(source for source in self.recipe.sources if source.name == name)

    def registered(self) -> list[tuple[UserModule, Registry]]:
        """What each of the recipe's modules registered; without other modules in this process."""
        return registered_by(self.modules)

    def signals(self) -> list[tuple[UserModule, list[Signal]]]:
        """The signals of each module, sorted by name."""
        return [(module, sorted(own.signals.values(), key=lambda s: s.name)) for module, own in self.registered()]

    def user_signals(self) -> list[Signal]:
        """The signals of all modules, sorted by name."""
        return sorted((signal for _, signals in self.signals() for signal in signals), key=lambda s: s.name)

    def edits(self) -> list[tuple[UserModule, Edit]]:
        """The user's edits, in the order in which they run."""
        return [(module, edit) for module, own in self.registered() for edit in own.edits.values()]

    def own_stages(self) -> list[tuple[UserModule, OwnStage]]:
        """The user's stages, in the order of their modules."""
        return [(module, stage) for module, own in self.registered() for stage in own.stages.values()]
