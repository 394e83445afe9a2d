"""Whether a corpus is still what was written: every part there, every byte of it.

A run believes a receipt whose file is there in its size; nobody reads a corpus twice without need.  What turned on a
disk since then is found here: every file is read and compared with the checksum of its receipt.  A damaged part is
taken back, so the next run makes it anew, and all that was made from it only if it comes out different.
"""

import errno
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from corpusmill.belonging import TABLES, Described, described
from corpusmill.corpus import RECEIPTS, Corpus, Place
from corpusmill.errors import CorruptPartError, InputError, RunError
from corpusmill.receipts import Receipt


@dataclass(slots=True)
class Verified:
    """How far the reading is, and what it has found."""

    files: int  # of all
    bytes: int
    files_read: int = 0
    bytes_read: int = 0
    damaged: list[str] = field(default_factory=list)  # STAGE/FILE of each, taken back
    missing: list[str] = field(default_factory=list)  # STAGE/PART of what later stages have, and this one has not


def verify(place: Place, progress: Callable[[Verified], None] = lambda _: None) -> Verified:
    """Read every part of a corpus and take back those that are damaged; `progress` is called after each.

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
        raise RunError(f"{corpus.place}: {TABLES} is missing or damaged; run the recipe again, and it is written anew")
    published = {stage.stage: corpus.receipts(stage.stage) for stage in stages}
    receipts = [receipt for parts in published.values() for receipt in parts.values()]
    seen = Verified(files=len(receipts), bytes=sum(receipt.size for receipt in receipts))
    seen.missing += _missing(corpus, stages, published)
    for receipt in receipts:
        if not _is_whole(corpus, receipt):
            corpus.withdraw(receipt.stage, receipt.part)
            seen.damaged.append(f"{receipt.stage}/{receipt.file}")
        seen.files_read += 1
        seen.bytes_read += receipt.size
        progress(seen)
    return seen


def _missing(corpus: Corpus, stages: list[Described], published: Mapping[str, Mapping[str, Receipt]]) -> Iterator[str]:
    """Parts with a receipt and no file of its size, and parts that a stage lacks while a later one has something."""
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


def _is_whole(corpus: Corpus, receipt: Receipt) -> bool:
    try:
        corpus.read_file(receipt.stage, receipt.part)
    except CorruptPartError:
        return False
    except OSError as error:
        if error.errno != errno.EIO:  # the disk cannot read it any more
            raise
        return False
    return True
