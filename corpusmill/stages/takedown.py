"""The list of removals, applied to the pages of a slice that was read before: without its input.

A receipt says which list was applied (`Receipt.removals`).  If the list has changed since, only the columns with
doc_ids and URLs are read.  A part in which no entry names a page stays as it is.  Otherwise the part is written again
from itself.  So the bytes are those that reading the input again would give.

The slice's first part comes last, because its receipt vouches for the others.  A further part that was written again
says in its receipt which part it was before.  So after a kill in between, the same function goes on from there.  One
change needs the input: an entry that was taken off the list, if it had removed a page.
"""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from corpusmill.corpus import Corpus
from corpusmill.errors import CorruptPartError, InputError
from corpusmill.parts import Made
from corpusmill.reasons import Status
from corpusmill.receipts import Receipt
from corpusmill.removals import FILE
from corpusmill.stages.job import Job

if TYPE_CHECKING:
    import pyarrow as pa

    from corpusmill.collect.takedown import Takedown

REMOVED = f"status_{Status.REMOVED}"  # what a page part's receipt counts removed pages under


@dataclass(slots=True)
class Found:
    """What was found while the list was applied."""

    pages: int = 0  # that are removed now and were not before
    parts: int = 0  # that were written again
    by_id: Counter[str] = field(default_factory=Counter)  # removed pages, by the entry that named them first
    ids: set[str] = field(default_factory=set)  # entries that name a page, first or not

    def add(self, other: "Found") -> None:
        """Add what was found elsewhere."""
        self.pages, self.parts = self.pages + other.pages, self.parts + other.parts
        self.by_id.update(other.by_id)
        self.ids |= other.ids


def takedown_of(job: Job) -> "Takedown":
    """The job's list of removals, made ready once per process."""
    if "takedown" not in job.cache:
        from corpusmill.collect.takedown import Takedown

        job.cache["takedown"] = Takedown(job.removals)
    takedown: Takedown = job.cache["takedown"]
    return takedown


def follows_list(job: Job, first: Receipt) -> bool:
    """Whether the present list was applied to a slice, by the receipt of its first part.

    InputError if the list is gone: an empty one would bring back what was removed.
    """
    if first.removals == job.removals.digest:
        return True
    if not job.removals.entries and job.corpus.store.entry(FILE) is None:
        raise InputError(
            f"{job.corpus.place}: its list of removals, {FILE}, is gone, and a run without it would bring back what "
            "was removed; restore the file, or take entries off the list with 'corpusmill remove --undo'"
        )
    return False


def status_counts(pages: "pa.Table") -> dict[str, int]:
    """What a page part's receipt counts: pages by status."""
    return dict(Counter(f"status_{status}" for status in pages["status"].to_pylist()))


def take_down(
    corpus: Corpus, takedown: "Takedown", first: Receipt, further: Sequence[str], found: Found | None = None
) -> Receipt | None:
    """Apply the list to the parts of a slice -> the receipt of the first; None if the slice must be read again.

    first: the receipt of the slice's first part; further: names of its other parts, as many as `first.followers`.
    If `found` is given, every part is looked at, even if the list was applied before.
    """
    if found is None and first.removals == takedown.removals.digest:
        return first
    found = found if found is not None else Found()
    checksums = []
    for name, before in zip(further, first.followers, strict=True):
        part = corpus.receipt(first.stage, name)
        if part is not None:
            belongs = before in (part.checksum, part.made_from.get(first.stage))
            part = _applied(corpus, takedown, part, found, made_from={first.stage: before})
            checksums += [part.checksum] if part is not None and belongs else []
    if len(checksums) < len(first.followers):
        _applied(corpus, takedown, first, found, followers=first.followers, removals=first.removals)
        return None
    removals = takedown.removals.digest
    last = _applied(corpus, takedown, first, found, followers=checksums, removals=removals)
    if last is None or (last.removals, last.followers) == (removals, checksums):
        return last
    return corpus.put_receipt(replace(last, followers=checksums, removals=removals))


def _applied(corpus: Corpus, takedown: "Takedown", part: Receipt, found: Found, **more: Any) -> Receipt | None:
    """A part's receipt after the list was applied to it; None if it must be read again from the input.

    more: what the receipt says besides, if the part is written again.
    """
    from corpusmill.collect.takedown import ADDRESS, NOTHING, removal_of

    started, was_removed = time.time(), part.counts.get(REMOVED, 0)
    try:
        pages = corpus.read_columns(part, [*ADDRESS, "status", *(["metadata"] if was_removed else [])])
        matched = takedown.match(pages)
        gone = pages["status"].to_numpy() == Status.REMOVED
        before = Counter(map(removal_of, pages.filter(gone)["metadata"].to_pylist())) if was_removed else Counter()
        ids = takedown.removals.ids
        is_undone = bool(before.keys() - set(ids))
        new = Counter(ids[place] for place in matched.first[(matched.first != NOTHING) & ~gone].tolist())
        found.add(Found(new.total(), int(bool(new)), before + new, matched.ids | set(before)))
        if new:
            table = takedown(corpus.read(part.stage, part.part))
            others = {name: n for name, n in part.counts.items() if not name.startswith("status_")}
            made = Made(table=table, rows_in=part.rows_in, bytes_in=part.bytes_in, counts=status_counts(table) | others)
            more |= {"fingerprint": part.fingerprint, "inputs": part.inputs}
            more |= {"removals": part.removals} if is_undone else {}
            part = corpus.publish(part.stage, part.part, made, started=started, **more)
    except CorruptPartError:
        corpus.delete(part.stage, part.part)
        return None
    return None if is_undone else part
