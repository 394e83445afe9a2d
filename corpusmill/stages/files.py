"""The files that a recipe names for its filters: models, word lists, lists of URLs, evaluation sets.

    files/DIGEST    a copy of each, under the digest of its content
    filters.json    which file is what, its provenance, and the figures of models

The driver copies them into the corpus before any work, so workers need no access to the recipe's folder, and whoever
has the corpus can see which list dropped a page.  Stages have the digests among their settings: a file that changes
renews the stages that use it.  A folder in the format of UT1 is one file here: its `domains`, then its `urls`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpusmill.corpus import FILES, FILTERS, Corpus, checksum_of
from corpusmill.errors import InputError
from corpusmill.recipe import Recipe
from corpusmill.store import temporary_beside
from corpusmill.userfolders import cache_base

UT1 = ("domains", "urls")
FIGURES = ".json"  # what a model's name is followed by, of the file with its figures


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedFile:
    """A file that a recipe names."""

    kind: str  # the key of the recipe
    name: str
    path: str
    language: str | None = None
    provenance: str | None = None

    @property
    def where(self) -> str:
        """For messages."""
        return f"recipe: {self.kind} '{self.name}'"


def named_files(recipe: Recipe) -> Iterator[NamedFile]:
    """The files that a recipe names for its filters, in its order."""
    filters = recipe.filters
    if filters.language.model is not None:
        yield NamedFile(kind="filters.language", name="model", path=filters.language.model)
    for model in filters.classifiers:
        yield NamedFile(kind="filters.classifiers", name=model.name, path=model.model)
    for words in filters.word_lists:
        yield NamedFile(
            kind="filters.word_lists",
            name=words.name,
            path=words.path,
            language=words.language,
            provenance=words.provenance,
        )
    for urls in filters.url_lists:
        yield NamedFile(kind="filters.url_lists", name=urls.name, path=urls.path, provenance=urls.provenance)
    for perplexity in filters.perplexity:
        yield NamedFile(kind="filters.perplexity", name=perplexity.name, path=perplexity.model)
    if recipe.dedup.semantic.embeddings is not None:
        yield NamedFile(kind="dedup.semantic", name="embeddings", path=recipe.dedup.semantic.embeddings)
    for path in recipe.tokenizer.references:
        yield NamedFile(kind="tokenizer.references", name=path, path=path)
    for path in recipe.decontaminate.sets:
        yield NamedFile(kind="decontaminate.sets", name=Path(path).name, path=path)


def digests(recipe: Recipe, folder: Path) -> dict[str, str]:
    """Digest of each named file, by its path as the recipe has it.  InputError if one cannot be read."""
    return {file.path: checksum_of(_content(file, folder)) for file in named_files(recipe)}


def _content(file: NamedFile, folder: Path) -> bytes:
    path = folder / file.path
    try:
        if path.is_dir() and file.kind == "filters.url_lists":
            parts = [path / name for name in UT1 if (path / name).is_file()]
            if not parts:
                raise InputError(f"{file.where}: {path} has no file 'domains' or 'urls', as a folder of UT1 has")
            return b"\n".join(part.read_bytes() for part in parts)
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{file.where}: {path} cannot be read: {error.strerror}") from error


def keep_files(recipe: Recipe, folder: Path, wanted: dict[str, str], corpus: Corpus) -> None:
    """Copy the named files into the corpus, write down what they are, and delete those that nothing names any more.

    InputError if one has changed since its digest was taken.
    """
    entries: list[dict[str, Any]] = []
    for file in named_files(recipe):
        digest = wanted[file.path]
        content = _content(file, folder)
        if checksum_of(content) != digest:
            raise InputError(f"{file.where}: {folder / file.path} has changed since the run began; start it again")
        if corpus.store.entry(f"{FILES}/{digest}") is None or corpus.store.read(f"{FILES}/{digest}") != content:
            corpus.store.write(f"{FILES}/{digest}", content)
        entries.append(
            {
                **{"kind": file.kind, "name": file.name, "path": file.path, "language": file.language},
                **{"provenance": file.provenance, "digest": digest, "bytes": len(content)},
                "figures": _figures(folder / f"{file.path}{FIGURES}", digest),
            }
        )
    for name in corpus.store.entries(FILES).keys() - set(wanted.values()):
        corpus.store.delete(f"{FILES}/{name}")
    data = {"files": entries}
    if (entries or corpus.store.entry(FILTERS) is not None) and corpus.read_json(FILTERS) != data:
        corpus.write_json(FILTERS, data)


def _figures(path: Path, digest: str) -> dict[str, Any] | None:
    """What was measured of a model when it was trained, if the file beside it tells of this very model."""
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) and data.get("digest") == digest else None


def kept_files(corpus: Corpus) -> dict[str, str]:
    """Digests of the named files that the corpus has copies of, by path as its recipe has it."""
    return {entry["path"]: entry["digest"] for entry in corpus.filter_files()}


def content_of(corpus: Corpus, digest: str) -> bytes:
    """A named file's content, from the corpus.  InputError if it is gone or damaged."""
    try:
        content = corpus.store.read(f"{FILES}/{digest}")
    except FileNotFoundError:
        content = b""
    if checksum_of(content) != digest:
        raise InputError(f"{corpus.place}: {FILES}/{digest} is gone or damaged; run the recipe again")
    return content


def path_of(corpus: Corpus, digest: str) -> Path:
    """A named file as a file of this machine, for libraries that read nothing else."""
    if not corpus.is_remote:
        return corpus.folder / FILES / digest
    path = cache_base() / FILES / digest
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary_beside(path) as temporary:
            temporary.write_bytes(content_of(corpus, digest))
            temporary.replace(path)
    return path
