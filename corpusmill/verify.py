"""Whether every file of a corpus is still what was written.

A run believes a receipt whose file is there in its size; nobody reads a corpus twice without need.  What turned on a
disk since then is found here: every file is read and compared with the checksum of its receipt.  A damaged part is
taken back, so the next run makes it anew, and all that was made from it only if it comes out different.
"""

import errno
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from corpusmill.belonging import described
from corpusmill.corpus import Corpus, Place
from corpusmill.errors import CorruptPartError, InputError
from corpusmill.receipts import Receipt


@dataclass(slots=True)
class Verified:
    """How far the reading is, and what it has found."""

    files: int  # of all
    bytes: int
    files_read: int = 0
    bytes_read: int = 0
    damaged: list[str] = field(default_factory=list)  # STAGE/FILE of each, taken back


def verify(place: Place, progress: Callable[[Verified], None] = lambda _: None) -> Verified:
    """Read every part of a corpus and take back those that are damaged; `progress` is called after each.

    InputError if there is no corpus, another run holds it, or it cannot be written.
    """
    corpus = Corpus(place, token=uuid.uuid4().hex)
    if corpus.read_text("recipe.toml") is None:
        raise InputError(f"{place}: not a corpus (there is no recipe.toml in it)")
    with corpus.lock():
        corpus.take()
        try:
            return _verified(corpus, progress)
        finally:
            corpus.let_go()


def _verified(corpus: Corpus, progress: Callable[[Verified], None]) -> Verified:
    published: list[Receipt] = []
    for stage in described(corpus):
        published += corpus.receipts(stage.stage).values()
    seen = Verified(files=len(published), bytes=sum(receipt.size for receipt in published))
    for receipt in published:
        if not _is_whole(corpus, receipt):
            corpus.withdraw(receipt.stage, receipt.part)
            seen.damaged.append(f"{receipt.stage}/{receipt.file}")
        seen.files_read += 1
        seen.bytes_read += receipt.size
        progress(seen)
    return seen


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
