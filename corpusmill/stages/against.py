"""Other corpora that deduplication compares with: `[[dedup.against]]`.

The documents of these corpora take part as kept ones.  Nothing is written there.  Their sketches are used as they are,
so they must have been made with the same settings and versions.  A digest of their receipts is pinned when a run
begins, and every process compares it: a corpus that changes during the run ends it.

The parts of the other corpora are *guests*: each belongs to a part of this corpus, its host, which sends its blobs.
"""

from collections.abc import Iterator

from corpusmill.corpus import Corpus
from corpusmill.errors import InputError, RunError
from corpusmill.stages.guests import Guest, digest_of, guests_of, key_of, where_is
from corpusmill.stages.job import Job
from corpusmill.stages.sketches import SKETCHES


def guests(job: Job) -> list[tuple[int, Guest]]:
    """The parts of the other corpora, in order, each with the index of its corpus in `dedup.against`.

    InputError if their sketches cannot be compared with those of the job.  RunError if a corpus has changed since the
    run began.
    """
    key = "guests"
    if key not in job.cache:
        job.cache[key] = list(_guests(job))
    found: list[tuple[int, Guest]] = job.cache[key]
    return found


def _guests(job: Job) -> Iterator[tuple[int, Guest]]:
    for at, against in enumerate(job.recipe.dedup.against):
        found, where = guests_of(against, job.folder), where_is(against)
        if Corpus(found[0].place).place == job.corpus.place:
            raise InputError(f"{where}: is the corpus itself")
        if any(guest.fingerprint != SKETCHES.prefix(job) for guest in found):
            raise InputError(
                f"{where}: its sketches were made with other settings in [dedup] (ngram, bands, rows, seed) or other "
                "versions; make them equal, and run its recipe again"
            )
        if digest_of(found) != job.files[key_of(against)]:
            raise RunError(f"{against.corpus}: has changed since the run began; run the same command again")
        for guest in found:
            yield at, guest


def of_host(job: Job, number: int, n_parts: int) -> Iterator[tuple[int, Guest]]:
    """The guests of a part, each with its number, which follows those of the corpus's own parts."""
    for at, (_, guest) in enumerate(guests(job)):
        if at % n_parts == number:
            yield n_parts + at, guest
