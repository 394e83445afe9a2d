"""The job of a corpus's last run, from what the corpus keeps: for commands that have no recipe."""

import tomllib
from pathlib import Path

from corpusmill.corpus import Corpus
from corpusmill.errors import InputError
from corpusmill.extensions import UserModule
from corpusmill.reasons import Stage
from corpusmill.recipe import parse
from corpusmill.stages.chain import chain_of
from corpusmill.stages.files import kept_files, named_files
from corpusmill.stages.guests import against_digests
from corpusmill.stages.job import Job
from corpusmill.stages.stage import Snapshot
from corpusmill.store import is_url


def kept_job(corpus: Corpus, recipe: Path | None = None) -> Job:
    """The job of the last run.  Its files are the corpus's copies, and a given tokenizer is the corpus's own file.

    recipe: the file of the recipe.  It is needed if the recipe names modules or other corpora by paths relative to it,
    or if the corpus is on object storage and its tokenizer was given.  InputError if something is missing.
    """
    text = corpus.read_text("recipe.toml")
    if text is None:
        raise InputError(f"{corpus.place}: not a corpus directory (there is no recipe.toml in it)")
    where = f"{corpus.place}: recipe.toml"
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{where} is damaged: {error}") from None
    names, folder = data.get("modules", []), Path() if recipe is None else recipe.parent
    if recipe is None and any(name.endswith(".py") for name in names):
        raise InputError(f"{corpus.place}: its recipe names modules; give the file of the recipe: --recipe FILE")
    parsed = parse(data, where=where, folder=folder)
    if parsed.tokenizer.path is not None and recipe is None:
        if corpus.is_remote:
            raise InputError(f"{corpus.place}: its tokenizer was given; give the file of the recipe: --recipe FILE")
        own = corpus.folder / Stage.TOKENIZER / "tokenizer.json"
        if own.exists():
            tokenizer = parsed.tokenizer.model_copy(update={"path": str(own)})
            parsed = parsed.model_copy(update={"tokenizer": tokenizer})
    others = [each.corpus for each in parsed.dedup.against]
    if recipe is None and any(not is_url(place) and not Path(place).is_absolute() for place in others):
        raise InputError(
            f"{corpus.place}: its recipe compares with {others[0]}; give the file of the recipe: --recipe FILE"
        )
    files = kept_files(corpus) | against_digests(parsed.dedup.against, folder)
    for file in named_files(parsed):
        if file.path not in files:
            raise InputError(f"{corpus.place}: has no copy of {file.path} of its recipe; run the recipe first")
    modules = tuple(UserModule.find(name, folder) for name in names)
    return Job(recipe=parsed, corpus=corpus, folder=folder.absolute(), modules=modules).with_files(files)


def reached(job: Job) -> str | None:
    """The last stage that has published anything; None if none has."""
    snapshot = Snapshot(job.corpus)
    return next((stage.name for stage in reversed(chain_of(job).stages) if snapshot.stage(stage.name)), None)
