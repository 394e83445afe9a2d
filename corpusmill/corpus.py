"""The corpus directory: parts, receipts, fingerprints, publishing by rename, and the lock.

    corpus/STAGE/NAME.parquet   a part: the rows that one stage made of one slice of the input
    corpus/STAGE/NAME.json      its receipt, written last: a part without one does not exist

Publishing is idempotent, because bundles of work are retried and can run twice side by side: a part is written under
a unique temporary name; if the bytes are those already there only the receipt is renewed; else the old receipt is
deleted, the part renamed into place and the new receipt renamed into place.  (Without the deletion a crash between the
two renames would leave new data under an old receipt.)

A part's fingerprint is a hash of what its content depends on, and of nothing else: the stage and its version, the
settings that the stage reads, the versions of the libraries that determine its output, and the digests of the columns
that it reads.  Digests of content, not fingerprints: a change upstream that leaves the bytes alone stops there.

Imports neither pyarrow nor numpy at the top, so that a run with nothing to do answers at once.
"""

import errno
import fcntl
import hashlib
import json
import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from corpusmill.errors import BalanceError, InputError, RunError
from corpusmill.reasons import Stage

if TYPE_CHECKING:
    import pyarrow as pa

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
ROWS_PER_GROUP = 16_384


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """What is known of a published part: enough to check the books and to decide whether it must be made again."""

    stage: str
    part: str
    rows_in: int
    rows_out: int
    dropped: dict[str, int] = field(default_factory=dict)  # rows that did not go on, by reason
    counts: dict[str, int] = field(default_factory=dict)  # what else was counted: other records, masked addresses, ...
    bytes_in: int  # of the input that was read: payloads for pages, Arrow buffers for the others
    bytes: int  # of the part's file
    checksum: str  # BLAKE2b-128 of the part's file
    columns: dict[str, str]  # the same of each column's chunks in the file
    fingerprint: str
    seconds: float
    finished_at: float  # seconds since 1970

    @classmethod
    def read(cls, path: Path) -> "Receipt | None":
        """The receipt at `path`; None if there is none, or one of an older form."""
        try:
            return cls(**json.loads(path.read_bytes()))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (ValueError, TypeError):  # of another version: the part is made again
            return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """What a stage made of a part: its rows, and the books."""

    table: "pa.Table"
    rows_in: int
    bytes_in: int
    dropped: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)


def digest(*what: object) -> str:
    """BLAKE2b-128 of anything that JSON can write; dictionaries by sorted key."""
    text = json.dumps(what, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


@cache
def library_version(name: str) -> str:
    """Version of an installed library, for fingerprints."""
    return installed_version(name)


class Corpus:
    """A corpus directory.  Cheap to make, holds no open files, can be pickled."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        """`folder` need not exist yet; nothing is created until something is published."""
        self.folder = Path(folder).absolute()

    def __repr__(self) -> str:
        return f"Corpus({str(self.folder)!r})"

    def path(self, stage: Stage, part: str) -> Path:
        """Where a part's Parquet file is, or would be."""
        return self.folder / stage / f"{part}.parquet"

    def receipt(self, stage: Stage, part: str) -> Receipt | None:
        """The receipt of a published part, or None."""
        return Receipt.read(self.folder / stage / f"{part}.json")

    def parts(self, stage: Stage) -> list[str]:
        """Names of the stage's published parts, sorted."""
        folder = self.folder / stage
        found = {entry.name for entry in os.scandir(folder)} if folder.is_dir() else set()
        names = (name.removesuffix(".parquet") for name in found if name.endswith(".parquet") and name[0] != ".")
        return sorted(name for name in names if f"{name}.json" in found)

    def read(self, stage: Stage, part: str, columns: list[str] | None = None) -> "pa.Table":
        """Rows of a published part, one chunk a column; only `columns` if given."""
        import pyarrow.parquet as pq

        table = pq.read_table(self.path(stage, part), columns=columns, use_threads=False, memory_map=True)
        return table.combine_chunks()

    def publish(
        self,
        stage: Stage,
        part: str,
        made: Made,
        *,
        fingerprint: str,
        started: float,
        write: "Callable[[pa.Table, BinaryIO], None] | None" = None,
    ) -> Receipt:
        """Write a part and its receipt; idempotent.  `started` is time.time() when the work on it began.

        Raises BalanceError if rows in are not rows out plus rows dropped, RunError if the disk is full.
        """
        if made.rows_in != made.table.num_rows + sum(made.dropped.values()):
            raise BalanceError(
                f"{stage} of part {part}: {made.rows_in} rows came in, {made.table.num_rows} went on and "
                f"{sum(made.dropped.values())} were dropped; please report this"
            )
        final = self.path(stage, part)
        with full_disk_is_a_run_error(self.folder):
            final.parent.mkdir(parents=True, exist_ok=True)
            with temporary_beside(final) as temporary:
                with temporary.open("wb") as file:
                    (write or write_parquet)(made.table.combine_chunks(), file)
                    size = file.tell()
                    file.flush()
                    os.fsync(file.fileno())
                checksum, columns = _digests(temporary)
                old = self.receipt(stage, part)
                if old is None or old.checksum != checksum or not final.exists():
                    final.with_suffix(".json").unlink(missing_ok=True)
                    temporary.rename(final)
            receipt = Receipt(
                stage=stage,
                part=part,
                rows_in=made.rows_in,
                rows_out=made.table.num_rows,
                dropped=dict(sorted(made.dropped.items())),
                counts=dict(sorted(made.counts.items())),
                bytes_in=made.bytes_in,
                bytes=size,
                checksum=checksum,
                columns=columns,
                fingerprint=fingerprint,
                seconds=round(time.time() - started, 3),
                finished_at=round(time.time(), 3),
            )
            self.write_json(final.with_suffix(".json"), asdict(receipt))
        return receipt

    def read_json(self, path: Path) -> dict[str, Any] | None:
        """What `write_json` wrote; None if there is no such file or it is not JSON."""
        try:
            data: dict[str, Any] = json.loads(path.read_bytes())
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return None
        return data

    def write_json(self, path: Path, data: Mapping[str, Any]) -> None:
        """A small JSON file in one rename: never seen half-written."""
        self.write_text(path, json.dumps(data, ensure_ascii=False))

    def write_text(self, path: Path, text: str) -> None:
        """A small text file in one rename."""
        with full_disk_is_a_run_error(self.folder):
            path.parent.mkdir(parents=True, exist_ok=True)
            with temporary_beside(path) as temporary:
                temporary.write_text(text, "utf-8")
                temporary.rename(path)

    def tidy(self, wanted: Mapping[Stage, set[str]]) -> list[str]:
        """Clear what a crash left and the parts that the plan no longer wants; only under the lock.

        `wanted` names the parts of each stage; stages that it does not name are left alone.  Returns what went.
        """
        gone = []
        for stage, names in wanted.items():
            folder = self.folder / stage
            for path in sorted(folder.iterdir()) if folder.is_dir() else ():
                temporary = path.name.startswith(".") and path.suffix == ".tmp"
                if temporary or (path.suffix in (".json", ".parquet") and path.stem not in names):
                    gone.append(f"{stage}/{path.name}")
                    path.unlink()
        return gone

    @contextmanager
    def lock(self) -> Iterator[int]:
        """Hold the corpus for one run; yields the lock's file descriptor, which a child process may inherit.

        InputError if another run holds it, or the folder cannot be written.
        The kernel lets go of it when the last holder dies, however it dies.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            if error.errno in DISK_FULL:
                raise
            raise InputError(f"{self.folder}: cannot be used as a corpus directory: {error.strerror}") from error
        try:
            deadline = time.monotonic() + 2  # a killed run's last process may need a moment to go
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except OSError:
                    if time.monotonic() > deadline:
                        raise InputError(f"{self.folder}: another run holds this corpus; wait until it ends") from None
                    time.sleep(0.05)
            yield descriptor
        finally:
            os.close(descriptor)


def write_parquet(table: "pa.Table", sink: BinaryIO) -> None:
    """A table as Parquet with the options that every stage but tokens uses."""
    import pyarrow.parquet as pq

    pq.write_table(table, sink, compression="zstd", compression_level=3, row_group_size=ROWS_PER_GROUP)


@contextmanager
def temporary_beside(final: Path) -> Iterator[Path]:
    """A unique name beside `final`, gone afterwards unless it was renamed."""
    temporary = final.with_name(f".{final.name}.{uuid.uuid4().hex}.tmp")
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def full_disk_is_a_run_error(folder: Path) -> Iterator[None]:
    """Say in one sentence that the disk is full, whatever was being written."""
    try:
        yield
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        raise RunError(
            f"{folder}: no space left to write ({error.strerror}); free some and run the same command again, "
            "it goes on where it stopped"
        ) from error


def _digests(path: Path) -> tuple[str, dict[str, str]]:
    """BLAKE2b-128 of a Parquet file, and of each top-level column's chunks in it."""
    import pyarrow.parquet as pq

    data = path.read_bytes()
    hashes: dict[str, Any] = {}
    metadata = pq.ParquetFile(path).metadata
    for group in range(metadata.num_row_groups):
        for index in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(index)
            begin = chunk.data_page_offset
            if chunk.has_dictionary_page:
                begin = min(begin, chunk.dictionary_page_offset)
            name = chunk.path_in_schema.split(".", 1)[0]
            hashes.setdefault(name, hashlib.blake2b(digest_size=8)).update(
                data[begin : begin + chunk.total_compressed_size]
            )
    empty = hashlib.blake2b(digest_size=8)
    names = pq.read_schema(path).names
    whole = hashlib.blake2b(data, digest_size=16).hexdigest()
    return whole, {name: hashes.get(name, empty).hexdigest() for name in names}
