"""What a run is about: a recipe, a corpus and the user's modules; pickled, it travels to the workers."""

from dataclasses import dataclass
from pathlib import Path

from corpusmill.corpus import Corpus
from corpusmill.extensions import Signal, UserModule
from corpusmill.recipe import Recipe, Source


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a run is about; travels to the workers."""

    recipe: Recipe
    corpus: Corpus
    folder: Path  # the recipe's, which relative paths start from
    modules: tuple[UserModule, ...] = ()

    def source(self, name: str) -> Source:
        """The source of that name."""
        return next(source for source in self.recipe.sources if source.name == name)

    def module_digests(self) -> list[str]:
        """Identity of the user's code."""
        return [module.digest for module in self.modules]

    def user_signals(self) -> list[Signal]:
        """The signals that the recipe's modules add, by name; not those of other modules in this process."""
        return sorted((signal for module in self.modules for signal in module.signals()), key=lambda s: s.name)

    def load_modules(self) -> None:
        """Make what the user's modules register known in this process."""
        for module in self.modules:
            module.load()
