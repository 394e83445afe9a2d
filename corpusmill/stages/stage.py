"""The kinds of stages, and the protocol that they share.

A stage has a name, a version, and what its output depends on.  There are four kinds:

    Reading     parts from slices of the input: the first stage
    PerPart     a part from the parts of the same name in the stages before
    Grouping    parts from all parts: documents are brought together through one shuffle or several
    Singleton   one file of the corpus from all parts, such as its tokenizer

Whoever walks the list of stages (`chain.py`) asks each the same questions: is it current, what does it need, make it.
A stage's *prefix* is a digest of its name and version, the settings that it reads, and the versions of the libraries
that determine its output.  A part's identity is the prefix and the digests of the columns that it was made from.  A
part whose receipt has the wanted identity is never made again.

`version` is raised whenever the same input and settings give another output; `tests/stages/test_golden.py` fails
otherwise.
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

if TYPE_CHECKING:
    import pyarrow as pa

    from corpusmill.schema import Table

Columns = tuple[str, ...]  # () stands for all
Tables = dict[str, "pa.Table"]
ReadTable = Callable[[str, Columns], "pa.Table"]  # (stage, columns) -> the table of the part at hand
ARROW = ("pyarrow", "numpy")  # what every table depends on


class Published(Protocol):
    """What is published."""

    def receipt(self, stage: str, part: str) -> Receipt | None:
        """The receipt of a part, or None."""


class Snapshot:
    """The receipts of a corpus at one moment, each stage's read in one go when it is first asked for."""

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
        """The receipt of a part, or None."""
        return self.stage(stage).get(part)

    def renew(self) -> None:
        """Move on to the present: what has changed is read when it is next asked for."""
        self._stages.clear()


def _nothing(_: Job) -> object:
    return None


def in_schema(name: str) -> "Callable[[], Table]":
    """A table of `corpusmill.schema`, which is imported (with pyarrow) when it is asked for."""

    def table() -> "Table":
        from corpusmill import schema

        found: Table = getattr(schema, name)
        return found

    return table


@dataclass(frozen=True, kw_only=True)
class Stage(ABC):
    """What all kinds have in common.  Instances are made by the modules beside this one, anew for each job."""

    name: str
    version: int
    libraries: tuple[str, ...]  # whose versions determine the output
    settings: Callable[[Job], object] = _nothing  # the settings that it reads, and no others
    reads: Mapping[str, Columns] = field(default_factory=dict)  # by stage, the columns that it reads of its parts
    singletons: tuple[str, ...] = ()  # the singletons that it uses
    table: "Callable[[], Table] | None" = None  # what a row of its parts is; None: it has no parts
    share_of_time: float = 0.1  # seconds for a part, relative to pages: a first guess, until it was measured

    def prefix(self, job: Job) -> str:
        """Digest of everything that does not differ from part to part."""
        key = f"prefix of {self.name}"
        if key not in job.cache:
            versions = [LAYOUT, unicodedata.unidata_version, *map(version_of, self.libraries)]
            job.cache[key] = digest(self.name, self.version, self.settings(job), versions)
        return str(job.cache[key])

    def inputs_of(self, published: Published, part: str) -> dict[str, str] | None:
        """By stage, the digest of what a part is made from; None if something of it is not there."""
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
        """What identifies content that is made of these inputs."""
        return checksum_of(f"{self.prefix(job)}\n{inputs}".encode("utf-8", "surrogatepass"))

    def reader(self, job: Job, part: str) -> ReadTable:
        """Reads what is published of one part; a damaged part is taken back, so that the next attempt makes it anew."""

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
        return "not installed"  # the stage itself says so in one sentence


# ---- parts from slices ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Reading(Stage):
    """Parts from slices of the input.  A slice gives one part of its name, and further ones if it holds much text."""

    identity: Callable[[Job, Source], object]  # what the parts of a source depend on, besides `settings`
    make: "Callable[[Job, Slice], SliceBeingRead]"

    def parts(self, job: Job, published: Published, piece: Slice) -> list[str] | None:
        """The slice's parts, if they are there as wanted; else None."""
        first = published.receipt(self.name, piece.name)
        if first is None or first.inputs is None or first.inputs.stamp != piece.stamp:
            return None
        return self._current(job, published, piece, first)

    def _current(self, job: Job, published: Published, piece: Slice, first: Receipt) -> list[str] | None:
        if first.inputs is None or first.fingerprint != self._wanted(job, piece, first.inputs.digest):
            return None
        names = [piece.name, *(follower(piece.name, i + 1) for i in range(len(first.followers)))]
        for name, checksum in zip(names[1:], first.followers, strict=True):
            receipt = published.receipt(self.name, name)
            if receipt is None or receipt.checksum != checksum:
                return None
        return names

    def _wanted(self, job: Job, piece: Slice, input_digest: str) -> str:
        key = f"identity of source {piece.source}"
        if key not in job.cache:
            job.cache[key] = digest(self.identity(job, job.source(piece.source)))
        where = [job.cache[key], *piece.files, piece.start, piece.end, piece.limit]
        return self.fingerprint(job, f"{where} {input_digest}")

    def advance(self, job: Job, piece: Slice) -> list[Receipt]:
        """The receipts of a slice's parts, which are made and published first if they are not there as wanted."""
        from corpusmill.collect.identity import same_content

        live = Live(job.corpus)
        first = live.receipt(self.name, piece.name)
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
        """Read a slice.  Its first part is published last: it says how many there are."""
        started = time.time()
        reading = self.make(job, piece)
        tables = iter(reading.tables())
        first, made = next(tables), []
        seconds = time.time() - started
        for number, one in enumerate(tables, 1):
            begun = time.time()
            name = follower(piece.name, number)
            fingerprint = digest("follows", piece.name, number)  # it counts if the first part's receipt names it
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
        )
        number = len(made) + 1
        while job.corpus.store.entry(f"{self.name}/{follower(piece.name, number)}.parquet") is not None:
            job.corpus.delete(self.name, follower(piece.name, number))  # the slice gave more parts once
            number += 1
        return [receipt, *made]


class SliceBeingRead(Protocol):
    """What a Reading stage's `make` returns."""

    def tables(self) -> Iterable[Made]:
        """The parts, at least one."""

    def inputs(self) -> Any:
        """What was read (`corpusmill.receipts.Inputs`); asked when all parts were taken."""

    def counts(self) -> dict[str, int]:
        """What else was counted; likewise."""


def follower(name: str, number: int) -> str:
    """Name of a slice's further part."""
    return f"{name}.{number:03d}"


def slice_of(part: str) -> str:
    """Name of the slice that a part was made from."""
    return part.partition(".")[0]


# ---- a part from a part --------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class PerPart(Stage):
    """A part from the parts of the same name in the stages before."""

    make: Callable[[Job, Tables], Made]
    write: "Callable[[pa.Table, BinaryIO], None] | None" = None

    def is_current(self, job: Job, published: Published, part: str) -> bool:
        """Whether a part is there, made from what it would be made from now."""
        receipt = published.receipt(self.name, part)
        return (
            receipt is not None
            and receipt.fingerprint == self.prefix(job)
            and receipt.made_from == self.inputs_of(published, part)
        )

    def advance(self, job: Job, part: str) -> Receipt:
        """The receipt of a part, which is made and published first if it is not there as wanted."""
        started, live = time.time(), Live(job.corpus)
        inputs, receipt = self.inputs_of(live, part), live.receipt(self.name, part)
        if inputs is None:
            raise CorruptPartError(f"{job.corpus.place}: an input of {self.name} of part {part} is gone")
        fingerprint = self.prefix(job)
        if receipt is not None and (receipt.fingerprint, receipt.made_from) == (fingerprint, inputs):
            return receipt
        read = self.reader(job, part)
        made = self.make(job, {stage: read(stage, columns) for stage, columns in self.reads.items()})
        return job.corpus.publish(
            self.name, part, made, fingerprint=fingerprint, made_from=inputs, started=started, write=self.write
        )


class Live:
    """What is published now: receipts are read when they are asked for."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus

    def receipt(self, stage: str, part: str) -> Receipt | None:
        """The receipt of a part, or None."""
        return self._corpus.receipt(stage, part)


def row_for_row(table: "pa.Table", tables: Tables, counts: dict[str, int] | None = None) -> Made:
    """The books of a stage that makes one row of each row of its first input."""
    first = next(iter(tables.values()))
    size = sum(t.nbytes for t in tables.values())
    return Made(table=table, rows_in=first.num_rows, bytes_in=size, counts=counts or {})


# ---- one file of the corpus ----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class MadeFile:
    """What a singleton made, and the books."""

    content: bytes
    rows_in: int = 0
    bytes_in: int = 0
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Singleton(Stage):
    """One file of the corpus, `NAME/NAME.SUFFIX`, from all parts."""

    suffix: str
    make: Callable[[Job, Sequence[str], Callable[[str], ReadTable]], MadeFile]  # job, parts, part -> its reader

    @property
    def file(self) -> str:
        """Name of the file in the stage's folder."""
        return f"{self.name}.{self.suffix}"

    def wanted(self, job: Job, published: Published, parts: Sequence[str]) -> str | None:
        """The fingerprint that the file must have; None if something that it is made from is not there yet."""
        found = [(part, self.inputs_of(published, part)) for part in sorted(parts)] if self.reads else []
        if any(inputs is None for _, inputs in found):
            return None
        return self.fingerprint(job, digest(found))

    def is_current(self, job: Job, published: Published, parts: Sequence[str]) -> bool:
        """Whether the file is there, made from what it would be made from now, and nobody has edited it."""
        receipt = published.receipt(self.name, self.name)
        if receipt is None or receipt.fingerprint != self.wanted(job, published, parts):
            return False
        return checksum_of(job.corpus.store.read(f"{self.name}/{self.file}")) == receipt.checksum

    def advance(self, job: Job, parts: Sequence[str]) -> Receipt:
        """The receipt of the file, which is made and published first if it is not there as wanted."""
        started, snapshot = time.time(), Snapshot(job.corpus)
        if self.is_current(job, snapshot, parts):
            receipt = snapshot.receipt(self.name, self.name)
            assert receipt is not None
            return receipt
        fingerprint = self.wanted(job, snapshot, parts)
        if fingerprint is None:
            raise CorruptPartError(f"{job.corpus.place}: an input of {self.name} is gone")
        made = self.make(job, sorted(parts), lambda part: self.reader(job, part))
        job.corpus.withdraw(self.name, self.name)  # what is there may have been edited
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
