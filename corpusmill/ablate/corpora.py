"""One corpus per variant, which shares with the corpus of the base recipe all parts that are equal.

A part of a corpus is never written in place: a new one is a new file, which is renamed over the old one.  So a corpus
can be copied by hard links, which takes no space and milliseconds, and running another recipe on the copy leaves the
first corpus as it is.  `run` then makes anew only what depends on the changed settings.  A weight of the mix makes
nothing anew at all.

Two other ways were rejected:

- One corpus, run with one recipe after the other.  Another seed of the first recipe would make its parts again, and
  `why` and `sql` could not explain a variant whose parts are gone.
- A corpus from nothing for each variant.  It would extract and measure all pages again, which is most of the work.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from corpusmill.corpus import Corpus
from corpusmill.errors import InputError
from corpusmill.pipelines import supervise
from corpusmill.recipe import Recipe
from corpusmill.store import full_disk_is_a_run_error

# what belongs to one corpus only, or is written in place
OWN = ("ablations", "models", "logs", "catalog.duckdb", "report.html", "run.json")


def make_corpus(recipe: Recipe, folder: Path, corpus: Path, like: Path, workers: int | None) -> None:
    """Make the corpus of a recipe whose files are relative to `folder`.  It begins as a copy of the corpus `like`."""
    if not (corpus / "recipe.toml").exists():
        with Corpus(like).lock():
            link(like, corpus)
    supervise.run(recipe, corpus, workers=workers, prune=True, folder=folder)


def link(source: Path, target: Path) -> None:
    """Copy a corpus by hard links; by real copies where the file system has no links.  `target` appears when complete.

    InputError if there is no corpus.
    """
    if not (source / "recipe.toml").exists():
        raise InputError(f"{source}: not a corpus directory (it has no recipe.toml); make it with 'corpusmill run'")
    temporary = target.with_name(f".{target.name}.tmp")
    with full_disk_is_a_run_error(target.parent):
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, temporary, copy_function=_link, ignore=_own_of(source))
        shutil.rmtree(target, ignore_errors=True)  # of a run that was stopped before it wrote its recipe
        temporary.rename(target)


def _own_of(source: Path) -> Callable[[str, list[str]], set[str]]:
    def ignored(folder: str, names: list[str]) -> set[str]:
        hidden = {name for name in names if name.startswith(".")}
        return hidden | (set(names) & set(OWN) if Path(folder) == source else set())

    return ignored


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def same_documents(one: Recipe, other: Recipe) -> bool:
    """Whether two recipes differ at most in the weights of sources, so that their tokenizers are equal anyway."""
    first, second = ({**recipe.model_dump(), "sources": _unweighted(recipe)} for recipe in (one, other))
    return first == second


def _unweighted(recipe: Recipe) -> list[dict[str, object]]:
    return [source.model_dump(exclude={"weight"}) for source in recipe.sources]


def with_tokenizer(recipe: Recipe, base: Path) -> Recipe:
    """The recipe with the tokenizer of the base corpus, unless it names one itself."""
    if recipe.tokenizer.path is not None:
        return recipe
    path = str((base / "tokenizer" / "tokenizer.json").absolute())
    return recipe.model_copy(update={"tokenizer": recipe.tokenizer.model_copy(update={"path": path})})
