"""Check that a corpus is unchanged since it was written: every part exists, and every byte is right.

A run accepts a receipt if its file exists with the right size, because it would be slow to read a whole corpus each
time.  This module finds bytes that have changed on the disk since.  It reads every file and compares it with the
checksum of its receipt.  A damaged part is withdrawn, so the next run makes it again.  Parts that were made from it are
made again only if it becomes different.  The copies of files that the recipe names for its filters are checked by their
names, which are their checksums; a damaged one is deleted, so the next run copies it again.
"""

import errno
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from corpusmill.belonging import TABLES, Described, described
from corpusmill.corpus import FILES, RECEIPTS, Corpus, Place, checksum_of
from corpusmill.errors import CorruptPartError, InputError, RunError
from corpusmill.receipts import Receipt


@dataclass(slots=True)
class Verified:
    """The progress of the check, and what it has found."""

    files: int  # number of all files
    bytes: int
    files_read: int = 0
    bytes_read: int = 0
    damaged: list[str] = field(default_factory=list)  # STAGE/FILE of each withdrawn part, files/DIGEST
    missing: list[str] = field(default_factory=list)  # STAGE/PART that later stages have, but this stage does not


def verify(place: Place, progress: Callable[[Verified], None] = lambda _: None) -> Verified:
    """Read every part of a corpus and withdraw those that are damaged; `progress` is called after each.

    InputError if there is no corpus, another run holds it, or it cannot be written.
    """
    corpus = Corpus(place, token=uuid.uuid4().hex)
    if corpus.read_text("recipe.toml") is None:
        raise InputError(f"{place}: not a corpus (there is no recipe.toml in it)")
    with corpus.lock(), corpus.taken():
        return _verified(corpus, progress)


def _verified(corpus: Corpus, progress: Callable[[Verified], None]) -> Verified:
    stages = described(corpus)
    if not stages:
        raise RunError(f"{corpus.place}: {TABLES} is missing or damaged; run the recipe again, which writes it again")
    published = {stage.stage: corpus.receipts(stage.stage) for stage in stages}
    receipts = [receipt for parts in published.values() for receipt in parts.values()]
    copies = corpus.store.entries(FILES)
    sizes = [*(receipt.size for receipt in receipts), *(copy.size for copy in copies.values())]
    seen = Verified(files=len(sizes), bytes=sum(sizes))
    seen.missing += _missing(corpus, stages, published)
    seen.missing += sorted(f"{FILES}/{name}" for name in _named_by_filters(corpus) - copies.keys())
    for receipt in receipts:
        if not _is_whole(corpus, receipt):
            corpus.withdraw(receipt.stage, receipt.part)
            seen.damaged.append(f"{receipt.stage}/{receipt.file}")
        seen.files_read += 1
        seen.bytes_read += receipt.size
        progress(seen)
    for name, copy in copies.items():
        if not _is_whole_copy(corpus, name):
            corpus.store.delete(f"{FILES}/{name}")
            seen.damaged.append(f"{FILES}/{name}")
        seen.files_read += 1
        seen.bytes_read += copy.size
        progress(seen)
    return seen


def _missing(corpus: Corpus, stages: list[Described], published: Mapping[str, Mapping[str, Receipt]]) -> Iterator[str]:
    """Parts with a receipt but no file of its size, and parts that only a later stage has."""
    named = {stage.stage: _named_by_receipts(corpus, stage.stage) for stage in stages}
    begun = max(
        place for place, stage in enumerate(stages) if place == 0 or published[stage.stage] or named[stage.stage]
    )
    parts = {part for stage in stages if stage.kind != "Singleton" for part in published[stage.stage]}
    for stage in stages[: begun + 1]:
        wanted = {stage.stage} if stage.kind == "Singleton" else parts
        for part in sorted((wanted | named[stage.stage]) - published[stage.stage].keys()):
            yield f"{stage.stage}/{part}"


def _named_by_receipts(corpus: Corpus, stage: str) -> set[str]:
    names = corpus.store.entries(f"{stage}/{RECEIPTS}")
    return {name.removesuffix(".json") for name in names if name.endswith(".json") and not name.startswith("_")}


def _named_by_filters(corpus: Corpus) -> set[str]:
    """The names of the copies that `filters.json` lists."""
    return {entry["digest"] for entry in corpus.filter_files()}


def _is_whole(corpus: Corpus, receipt: Receipt) -> bool:
    return _can_be_read(lambda: corpus.read_file(receipt.stage, receipt.part) is not None)


def _is_whole_copy(corpus: Corpus, name: str) -> bool:
    return _can_be_read(lambda: checksum_of(corpus.store.read(f"{FILES}/{name}")) == name)


def _can_be_read(is_right: Callable[[], bool]) -> bool:
    """The answer; False if the file is damaged or the disk can no longer read it."""
    try:
        return is_right()
    except CorruptPartError:
        return False
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return False
