"""The kinds of stages, and their common protocol.

A stage has a name, a version, and a list of what its output depends on.  There are four kinds:

    Reading     parts from slices of the input: the first stage
    PerPart     a part from the parts of the same name in the stages before
    Grouping    parts from all parts: documents are brought together through one shuffle or several
    Singleton   one file of the corpus from all parts, such as its tokenizer

All code that goes through the list of stages (`chain.py`) asks each stage three things: whether it is current, what it
needs, and to make it.  A stage's *prefix* is a digest of its name and version, the settings that it reads, and the
versions of the libraries that determine its output.  A part's identity is the prefix and the digests of the columns
that it was made from.  A part whose receipt has the wanted identity is never made again.

Raise `version` whenever the same input and settings give another output.  Otherwise `tests/stages/test_golden.py`
fails.
"""

import time
import unicodedata
from abc import ABC
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from corpusmill.collect.settings import Source
from corpusmill.collect.slices import Slice
from corpusmill.corpus import Corpus, checksum_of, digest, library_version
from corpusmill.errors import CorruptPartError
from corpusmill.parts import LAYOUT, Made
from corpusmill.receipts import Known, Receipt
from corpusmill.stages.job import Job
from corpusmill.stages.takedown import follows_list, take_down, takedown_of

if TYPE_CHECKING:
    import pyarrow as pa

    from corpusmill.schema import Table

Columns = tuple[str, ...]  # () means all
Tables = dict[str, "pa.Table"]
ReadTable = Callable[[str, Columns], "pa.Table"]  # (stage, columns) -> the table of the present part
ARROW = ("pyarrow", "numpy")  # every table depends on these


class Published(Protocol):
    """The published parts."""

    def receipt(self, stage: str, part: str) -> Receipt | None:
        """The receipt of a part, or None if it is not published."""


class Snapshot:
    """The receipts of a corpus at one moment.  Each stage's receipts are read together, when they are first needed."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus
        self._seen: dict[str, Known] = {}
        self._stages: dict[str, dict[str, Receipt]] = {}

    def stage(self, stage: str) -> dict[str, Receipt]:
        """All of a stage's receipts, by part."""
        if stage not in self._stages:
            seen = self._seen[stage] = self._corpus.published(stage, self._seen.get(stage))
            self._stages[stage] = {receipt.part: receipt for _, receipt in seen.found.values()}
        return self._stages[stage]

    def receipt(self, stage: str, part: str) -> Receipt | None:
        """The receipt of a part, or None if it is not published."""
        return self.stage(stage).get(part)

    def renew(self) -> None:
        """Go to the present state: receipts that have changed are read when they are next needed."""
        self._stages.clear()


def _nothing(_: Job) -> object:
    return None


def in_schema(name: str) -> "Callable[[], Table]":
    """A function that returns a table of `corpusmill.schema`; it imports the module (with pyarrow) only when called."""

    def table() -> "Table":
        from corpusmill import schema

        found: Table = getattr(schema, name)
        return found

    return table


@dataclass(frozen=True, kw_only=True)
class Stage(ABC):
    """The common base of all kinds.  The modules beside this one make the instances, new ones for each job."""

    name: str
    version: int
    libraries: tuple[str, ...]  # their versions determine the output
    settings: Callable[[Job], object] = _nothing  # the settings that it reads, and no others
    # by stage, the columns of its parts that this stage reads
    reads: Mapping[str, Columns] = field(default_factory=dict)
    singletons: tuple[str, ...] = ()  # the singletons that it uses
    table: "Callable[[], Table] | None" = None  # describes a row of its parts; None if it has no parts
    share_of_time: float = 0.1  # of a part, relative to pages: a first estimate, used until it was measured

    def prefix(self, job: Job) -> str:
        """Digest of everything that is the same for all parts."""
        key = f"prefix of {self.name}"
        if key not in job.cache:
            versions = [LAYOUT, unicodedata.unidata_version, *map(version_of, self.libraries)]
            job.cache[key] = digest(self.name, self.version, self.settings(job), versions)
        return str(job.cache[key])

    def inputs_of(self, published: Published, part: str) -> dict[str, str] | None:
        """By stage, the digest of what a part is made from; None if an input does not exist."""
        found = {}
        for stage, columns in self.reads.items():
            receipt = published.receipt(stage, part)
            read = receipt.digest_of(columns) if receipt is not None else None
            if read is None:
                return None
            found[stage] = read
        for stage in self.singletons:
            receipt = published.receipt(stage, stage)
            if receipt is None:
                return None
            found[stage] = receipt.checksum
        return found

    def fingerprint(self, job: Job, inputs: object) -> str:
        """The identity of content that is made from these inputs."""
        return checksum_of(f"{self.prefix(job)}\n{inputs}".encode("utf-8", "surrogatepass"))

    def reader(self, job: Job, part: str) -> ReadTable:
        """A function that reads the published tables of one part.

        It withdraws a damaged part, so that the next attempt makes it again.
        """

        def read(stage: str, columns: Columns) -> "pa.Table":
            try:
                return job.corpus.read(stage, part, list(columns) or None)
            except CorruptPartError:
                job.corpus.withdraw(stage, part)
                raise

        return read


@cache
def version_of(library: str) -> str:
    """Version of an installed library, for fingerprints."""
    try:
        return library_version(library)
    except PackageNotFoundError:
        return "not installed"  # the stage itself reports it in one sentence


# ---- parts from slices ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Reading(Stage):
    """Parts from slices of the input.  A slice gives one part with its name, and more parts if it has much text."""

    identity: Callable[[Job, Source], object]  # everything that the parts of a source depend on, besides `settings`
    make: "Callable[[Job, Slice], SliceBeingRead]"

    def parts(self, job: Job, published: Published, piece: Slice) -> list[str] | None:
        """The slice's parts, if all exist and are up to date; else None."""
        first = published.receipt(self.name, piece.name)
        if first is None or first.inputs is None or first.inputs.stamp != piece.stamp:
            return None
        return self._current(job, published, piece, first)

    def holds(self, job: Job, published: Published, piece: Slice) -> bool:
        """Whether the slice's parts are up to date, if its files have not changed since they were read."""
        first = published.receipt(self.name, piece.name)
        return first is not None and self._current(job, published, piece, first) is not None

    def _current(self, job: Job, published: Published, piece: Slice, first: Receipt) -> list[str] | None:
        if not follows_list(job, first) or not self._has_identity(job, piece, first):
            return None
        names = parts_of(first)
        for name, checksum in zip(names[1:], first.followers, strict=True):
            receipt = published.receipt(self.name, name)
            if receipt is None or receipt.checksum != checksum:
                return None
        return names

    def _has_identity(self, job: Job, piece: Slice, first: Receipt) -> bool:
        return first.inputs is not None and first.fingerprint == self._wanted(job, piece, first.inputs.digest)

    def _wanted(self, job: Job, piece: Slice, input_digest: str) -> str:
        key = f"identity of source {piece.source}"
        if key not in job.cache:
            job.cache[key] = digest(self.identity(job, job.source(piece.source)))
        where = [job.cache[key], *piece.files, piece.start, piece.end, piece.limit]
        return self.fingerprint(job, f"{where} {input_digest}")

    def advance(self, job: Job, piece: Slice) -> list[Receipt]:
        """The receipts of a slice's parts.  Parts that are missing or not up to date are made and published first."""
        from corpusmill.collect.identity import same_content

        live = Live(job.corpus)
        first = live.receipt(self.name, piece.name)
        if first is not None and not follows_list(job, first) and self._has_identity(job, piece, first):
            first = take_down(job.corpus, takedown_of(job), first, parts_of(first)[1:])
        if first is not None and first.inputs is not None:
            names = self._current(job, live, piece, first)
            if names is not None and first.inputs.stamp != piece.stamp:
                if same_content(piece, first.inputs):
                    job.corpus.renew(first, piece.stamp)
                else:
                    names = None
            if names is not None:
                return [receipt for name in names if (receipt := live.receipt(self.name, name)) is not None]
        return self._publish(job, piece)

    def _publish(self, job: Job, piece: Slice) -> list[Receipt]:
        """Read a slice.  Its first part is published last, because it says how many parts there are."""
        started = time.time()
        reading = self.make(job, piece)
        tables = iter(reading.tables())
        first, made = next(tables), []
        seconds = time.time() - started
        for number, one in enumerate(tables, 1):
            begun = time.time()
            name = follower(piece.name, number)
            # a further part counts only if the first part's receipt names it
            fingerprint = digest("follows", piece.name, number)
            made.append(job.corpus.publish(self.name, name, one, fingerprint=fingerprint, started=begun))
        inputs, counts = reading.inputs(), reading.counts()
        receipt = job.corpus.publish(
            self.name,
            piece.name,
            Made(table=first.table, rows_in=first.rows_in, bytes_in=first.bytes_in, counts={**first.counts, **counts}),
            fingerprint=self._wanted(job, piece, inputs.digest),
            started=time.time() - seconds,
            inputs=inputs,
            followers=[each.checksum for each in made],
            removals=job.removals.digest,
        )
        number = len(made) + 1
        while job.corpus.store.entry(f"{self.name}/{follower(piece.name, number)}.parquet") is not None:
            # from an earlier run in which the slice gave more parts
            job.corpus.delete(self.name, follower(piece.name, number))
            number += 1
        return [receipt, *made]


class SliceBeingRead(Protocol):
    """What a Reading stage's `make` returns."""

    def tables(self) -> Iterable[Made]:
        """The parts, at least one."""

    def inputs(self) -> Any:
        """What was read (`corpusmill.receipts.Inputs`); called after all parts were taken."""

    def counts(self) -> dict[str, int]:
        """Other counts; called after all parts were taken."""


def follower(name: str, number: int) -> str:
    """The name of a slice's further part."""
    return f"{name}.{number:03d}"


def parts_of(first: Receipt) -> list[str]:
    """The names of a slice's parts, by the receipt of the first one."""
    return [first.part, *(follower(first.part, i + 1) for i in range(len(first.followers)))]


def slice_of(part: str) -> str:
    """The name of the slice that a part was made from."""
    return part.partition(".")[0]


# ---- a part from a part --------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class PerPart(Stage):
    """A part from the parts of the same name in the stages before."""

    make: Callable[[Job, Tables], Made]
    write: "Callable[[pa.Table, BinaryIO], None] | None" = None

    def is_current(self, job: Job, published: Published, part: str) -> bool:
        """Whether a part exists and was made from the present inputs."""
        receipt = published.receipt(self.name, part)
        return (
            receipt is not None
            and receipt.fingerprint == self.prefix(job)
            and receipt.made_from == self.inputs_of(published, part)
        )

    def advance(self, job: Job, part: str) -> Receipt:
        """The receipt of a part.  A part that is missing or not up to date is made and published first."""
        started, live = time.time(), Live(job.corpus)
        inputs, receipt = self.inputs_of(live, part), live.receipt(self.name, part)
        if inputs is None:
            raise CorruptPartError(f"{job.corpus.place}: an input of {self.name} of part {part} is missing")
        fingerprint = self.prefix(job)
        if receipt is not None and (receipt.fingerprint, receipt.made_from) == (fingerprint, inputs):
            return receipt
        read = self.reader(job, part)
        made = self.make(job, {stage: read(stage, columns) for stage, columns in self.reads.items()})
        return job.corpus.publish(
            self.name, part, made, fingerprint=fingerprint, made_from=inputs, started=started, write=self.write
        )


class Live:
    """What is published now.  Each receipt is read when it is needed."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus

    def receipt(self, stage: str, part: str) -> Receipt | None:
        """The receipt of a part, or None if it is not published."""
        return self._corpus.receipt(stage, part)


def row_for_row(table: "pa.Table", tables: Tables, counts: dict[str, int] | None = None) -> Made:
    """The result of a stage that makes one row for each row of its first input."""
    first = next(iter(tables.values()))
    size = sum(t.nbytes for t in tables.values())
    return Made(table=table, rows_in=first.num_rows, bytes_in=size, counts=counts or {})


# ---- one file of the corpus ----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class MadeFile:
    """The file that a singleton made, and its counts."""

    content: bytes
    rows_in: int = 0
    bytes_in: int = 0
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Singleton(Stage):
    """One file of the corpus, `NAME/NAME.SUFFIX`, made from all parts."""

    suffix: str
    # job, parts, and a function from a part to its reader
    make: Callable[[Job, Sequence[str], Callable[[str], ReadTable]], MadeFile]

    @property
    def file(self) -> str:
        """The name of the file in the stage's folder."""
        return f"{self.name}.{self.suffix}"

    def wanted(self, job: Job, published: Published, parts: Sequence[str]) -> str | None:
        """The fingerprint that the file must have; None if one of its inputs does not exist yet."""
        found = [(part, self.inputs_of(published, part)) for part in sorted(parts)] if self.reads else []
        if any(inputs is None for _, inputs in found):
            return None
        return self.fingerprint(job, digest(found))

    def is_current(self, job: Job, published: Published, parts: Sequence[str]) -> bool:
        """Whether the file exists, was made from the present inputs, and was not edited."""
        receipt = published.receipt(self.name, self.name)
        if receipt is None or receipt.fingerprint != self.wanted(job, published, parts):
            return False
        return checksum_of(job.corpus.store.read(f"{self.name}/{self.file}")) == receipt.checksum

    def advance(self, job: Job, parts: Sequence[str]) -> Receipt:
        """The receipt of the file.  If it is missing or not up to date, it is made and published first."""
        started, snapshot = time.time(), Snapshot(job.corpus)
        if self.is_current(job, snapshot, parts):
            receipt = snapshot.receipt(self.name, self.name)
            assert receipt is not None
            return receipt
        fingerprint = self.wanted(job, snapshot, parts)
        if fingerprint is None:
            raise CorruptPartError(f"{job.corpus.place}: an input of {self.name} is missing")
        made = self.make(job, sorted(parts), lambda part: self.reader(job, part))
        job.corpus.withdraw(self.name, self.name)  # the present file may have been edited
        return job.corpus.publish_file(
            self.name,
            self.file,
            made.content,
            fingerprint=fingerprint,
            started=started,
            rows_in=made.rows_in,
            bytes_in=made.bytes_in,
            counts=made.counts,
        )
