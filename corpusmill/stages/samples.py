"""Texts to train a model on: those of files, or the documents of a corpus; each text once, some held out by hash."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from corpusmill.belonging import whole
from corpusmill.collect.formats import FORMATS
from corpusmill.collect.formats.base import Reading
from corpusmill.collect.plan import plan
from corpusmill.collect.settings import RunSettings
from corpusmill.corpus import Corpus
from corpusmill.errors import InputError
from corpusmill.reasons import Stage, Status
from corpusmill.store import is_url

KINDS = ("jsonl", "parquet", "text", "markdown")  # whose records are text already
HELD_OUT = 0.1
MOST_TEXT_BYTES = 20_000_000  # of one text
MOST_BYTES = 400_000_000  # of a sample, in characters


@dataclass(slots=True)
class Sample:
    """Texts in the order of their hashes, which is random, and the same whatever the order of the files is."""

    texts: list[str] = field(default_factory=list)  # to train on
    held_out: list[str] = field(default_factory=list)


def texts_of(place: str, column: str = "text") -> Iterator[tuple[str, str | None]]:
    """(text, language if the corpus knows it) of a corpus's documents, or of the files of a path or pattern."""
    if is_url(place) or (Path(place) / "recipe.toml").exists():
        corpus = Corpus(place)
        if corpus.store.entry("recipe.toml") is not None:
            for part in whole(corpus, Stage.DOCS):
                docs = corpus.read(Stage.DOCS, part, ["text", "language"])
                yield from zip(docs["text"].to_pylist(), docs["language"].to_pylist(), strict=True)
            return
    kind = next((kind for kind in KINDS if _base(place).endswith(FORMATS[kind].endings)), None)
    if kind is None:
        raise InputError(f"{place}: neither a corpus nor a file with texts; files end in {', '.join(_endings())}")
    format = FORMATS[kind]
    columns = {"columns": {"text": column}} if kind in ("jsonl", "parquet") else {}
    source = format.settings.model_validate({"name": "sample", "kind": kind, "paths": [place], **columns})
    n_lacking, n_texts = 0, 0
    for piece in plan([source], RunSettings(), folder=Path(), corpus=Path("/nowhere")):
        for record in format.read(Reading(piece, source, MOST_TEXT_BYTES)):
            text = record.text if record.text is not None else (record.body or b"").decode("utf-8", "replace")
            n_lacking += record.status is Status.NO_TEXT_FIELD
            if text:
                n_texts += 1
                yield text, None
    if n_lacking and not n_texts:
        raise InputError(f"{place}: no record has a text in '{column}'; rename the field that holds the text")


def _base(place: str) -> str:
    return place.rsplit("/", 1)[-1].lower()


def _endings() -> list[str]:
    return [ending for kind in KINDS for ending in FORMATS[kind].endings]


class Sampler:
    """Takes texts, keeps each different one once, and of too many those with the lowest hashes.

    Which texts are kept does not depend on their order: the limit of the hashes is halved until all below it have room.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._kept: dict[bytes, str] = {}
        self._room, self._most, self._limit = most_bytes, most_bytes, 2**64

    def add(self, text: str) -> None:
        """One more text; one without a letter or digit is none."""
        key = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        if key in self._kept or _number(key) >= self._limit or not any(map(str.isalnum, text)):
            return
        self._kept[key] = text
        self._room -= len(text)
        while self._room < 0 and len(self._kept) > 1:
            self._limit //= 2
            self._kept = {key: text for key, text in self._kept.items() if _number(key) < self._limit}
            self._room = self._most - sum(map(len, self._kept.values()))

    def sample(self) -> Sample:
        """What was kept: a tenth of it, those with the lowest second half of the hash, is held out."""
        n_held_out = round(HELD_OUT * len(self._kept))
        held_out = {key for _, key in sorted((key[8:], key) for key in self._kept)[:n_held_out]}
        found = Sample()
        for key, text in sorted(self._kept.items()):
            (found.held_out if key in held_out else found.texts).append(text)
        return found


def _number(key: bytes) -> int:
    return int.from_bytes(key[:8], "big")


def sample(texts: Iterable[str]) -> Sample:
    """A sample of texts."""
    sampler = Sampler()
    for text in texts:
        sampler.add(text)
    return sampler.sample()


def without(first: Sample, second: Sample) -> int:
    """Take the texts that two samples share out of both; returns their number."""
    shared = {*first.texts, *first.held_out} & {*second.texts, *second.held_out}
    for each in (first, second):
        each.texts = [text for text in each.texts if text not in shared]
        each.held_out = [text for text in each.held_out if text not in shared]
    return len(shared)
