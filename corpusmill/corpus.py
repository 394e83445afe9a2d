"""The corpus directory: parts, their receipts, fingerprints, publishing, and which run may publish.

    STAGE/PART.parquet            a part: the rows that a stage made from one piece of the input
    STAGE/_receipts/PART.json     its receipt, written last: a part without one does not exist

Publishing is idempotent, because bundles of work are retried and can run twice side by side.  If the part's file has
the same bytes already, only the receipt is renewed.  Otherwise the old receipt is deleted, the file is put in place in
one step, and the new receipt is written last.  (Without the deletion, a crash between the last two steps would leave
new data under an old receipt.)

A receipt counts only if its file exists with the size that the receipt names.  A part is read only if its bytes have
the checksum that the receipt names.  A part that fails either test is made again.

A run has a token, which is in the corpus while the run holds it (`run.json`).  Publishing compares the two tokens.  So
work of an abandoned run that continues somewhere in a cluster changes nothing.

A part's fingerprint is a hash of everything that its content depends on, and of nothing else: the stage and its
version, the settings that the stage reads, the versions of the libraries that determine its output, and the digests of
the columns that it reads.  These are digests of content, not fingerprints.  So if a change in an earlier stage leaves
the bytes the same, later stages are not made again.

This module imports neither pyarrow nor numpy at the top, so a run with nothing to do ends at once.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from importlib.metadata import version as installed_version
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO

from corpusmill import receipts
from corpusmill.errors import BalanceError, CorruptPartError, InputError, TakenOverError
from corpusmill.lease import RUN_FILE, held, leased
from corpusmill.parts import Made, column_digests, write_parquet
from corpusmill.receipts import COMPACTED, Inputs, Known, Receipt
from corpusmill.store import Entry, LocalStore, RemoteStore, store_of
from corpusmill.userfolders import cache_base

if TYPE_CHECKING:
    import pyarrow as pa

RECEIPTS = receipts.FOLDER
FILES = "files"  # folder of copies of the files that filters use, each under the checksum of its content
FILTERS = "filters.json"  # which of them is what
_NAMED = ("kind", "name", "path", "digest")  # what an entry of it must have


def digest(*what: object) -> str:
    """BLAKE2b-128 of anything that JSON can write, with the keys of dictionaries sorted."""
    text = json.dumps(what, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return checksum_of(text.encode("utf-8", "surrogatepass"))


def checksum_of(content: bytes) -> str:
    """BLAKE2b-128, in hexadecimal digits."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


@cache
def library_version(name: str) -> str:
    """Version of an installed library, for fingerprints."""
    return installed_version(name)


Place = str | os.PathLike[str]  # place of a corpus: a folder, or a URL such as s3://bucket/folder


class Corpus:
    """A corpus directory.  It is cheap to make, holds no open files, and can be pickled."""

    def __init__(self, place: Place, *, token: str | None = None) -> None:
        """`place`, a folder or a URL, need not exist yet.  Nothing is created until something is published.

        token: the token of the run that publishes.  Without one there is no check of the run (tests, tools).
        InputError if a corpus cannot be at such a URL.
        """
        self.store: LocalStore | RemoteStore = store_of(os.fspath(place))
        self.token = token

    @property
    def place(self) -> str:
        """The folder's absolute path, or the URL."""
        return str(self.store.folder) if isinstance(self.store, LocalStore) else self.store.url

    @property
    def folder(self) -> Path:
        """The folder.  InputError if the corpus is on object storage."""
        if isinstance(self.store, LocalStore):
            return self.store.folder
        raise InputError(f"{self.place}: this needs a corpus in a folder of this machine; copy it into one")

    @property
    def is_remote(self) -> bool:
        """Whether the corpus is on object storage."""
        return not isinstance(self.store, LocalStore)

    @property
    def workspace(self) -> Path:
        """A folder on this machine for logs and the catalog: the corpus's own folder, if it is local."""
        if isinstance(self.store, LocalStore):
            return self.store.folder
        return cache_base() / "corpora" / checksum_of(self.place.encode())

    def __repr__(self) -> str:
        return f"Corpus({self.place!r})"

    def path(self, stage: str, part: str) -> Path:
        """The path of a part's Parquet file; it need not exist.  InputError on object storage."""
        return self.folder / stage / f"{part}.parquet"

    # ---- reading ---------------------------------------------------------------------------------------------------

    def receipt(self, stage: str, part: str) -> Receipt | None:
        """The receipt of a published part; None if there is none, or the part's file is missing or has another size."""
        try:
            receipt = Receipt.from_json(self.store.read(_receipt_key(stage, part)))
        except (FileNotFoundError, NotADirectoryError):
            return None
        if receipt is None or not _is_there(receipt, self.store.entry(f"{stage}/{receipt.file}")):
            return None
        return receipt

    def receipts(self, stage: str) -> dict[str, Receipt]:
        """The receipts of all published parts of a stage, by part and in the order of their names."""
        return {receipt.part: receipt for _, receipt in self.published(stage).found.values()}

    def published(self, stage: str, known: Known | None = None) -> Known:
        """The receipts of every published part, with their versions.

        known: the result of an earlier call; only receipts that have changed since are read.
        """
        folder = f"{stage}/{RECEIPTS}"
        version = self.store.folder_version(folder)
        there = self.store.entries(stage)
        if known is None and COMPACTED in there:
            known = receipts.expand(self.store.read(f"{stage}/{COMPACTED}"))
        if known is None:
            known = Known(None, {})
        if version is not None and version == known.folder:
            found = known.found
        else:
            found = self._read_receipts(folder, known.found)
        return Known(version, {name: (v, r) for name, (v, r) in found.items() if _is_there(r, there.get(r.file))})

    def _read_receipts(self, folder: str, known: Mapping[str, tuple[str, Receipt]]) -> dict[str, tuple[str, Receipt]]:
        found = {}
        for name, entry in sorted(self.store.entries(folder).items()):
            if name.startswith("_") or not name.endswith(".json"):
                continue
            version, receipt = known.get(name, ("", None))
            if receipt is None or version != entry.version:
                try:
                    receipt = Receipt.from_json(self.store.read(f"{folder}/{name}"))
                except FileNotFoundError:  # deleted after it was listed
                    continue
            if receipt is not None:
                found[name] = entry.version, receipt
        return found

    def parts(self, stage: str) -> list[str]:
        """Names of the stage's published parts, sorted."""
        return sorted(self.receipts(stage))

    def read(
        self, stage: str, part: str, columns: list[str] | None = None, *, checksum: str | None = None
    ) -> "pa.Table":
        """Rows of a published part, one chunk for each column; only `columns` if given.

        checksum: of the wanted file; by default, of the file published now.
        Raises CorruptPartError if the file does not match its receipt, or is not the wanted one.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        file = pq.ParquetFile(pa.BufferReader(self.read_file(stage, part, checksum=checksum)))
        return file.read(columns, use_threads=False).combine_chunks()

    def read_file(self, stage: str, part: str, *, checksum: str | None = None) -> bytes:
        """The whole file of a published part.  See `read`."""
        receipt = self.receipt(stage, part)
        if receipt is not None and checksum not in (None, receipt.checksum):
            raise CorruptPartError(f"{self.place}: {stage}/{receipt.file} was changed by another run; start again")
        if receipt is None:
            raise CorruptPartError(
                f"{self.place}: {stage}/{part} is missing or cut off; run the recipe again, which makes it again"
            )
        content = self.store.read(f"{stage}/{receipt.file}")
        if checksum_of(content) != receipt.checksum:
            raise CorruptPartError(
                f"{self.place}: {stage}/{receipt.file} is damaged: it is not what was written; "
                f"'corpusmill verify {self.place}' withdraws what is damaged, and the next run makes it again"
            )
        return content

    def read_columns(self, receipt: Receipt, columns: Sequence[str]) -> "pa.Table":
        """Columns of a published part, without reading the others.  CorruptPartError if they were changed."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            content = self.store.view(f"{receipt.stage}/{receipt.file}")
            if column_digests(content, columns) == {name: receipt.columns[name] for name in columns}:
                file = pq.ParquetFile(pa.BufferReader(content))
                return file.read(list(columns), use_threads=False).combine_chunks()
        except (FileNotFoundError, ValueError, pa.ArrowException):
            pass
        raise CorruptPartError(
            f"{self.place}: {receipt.stage}/{receipt.file} is damaged or missing; run the recipe again"
        )

    # ---- publishing ------------------------------------------------------------------------------------------------

    def publish(
        self,
        stage: str,
        part: str,
        made: Made,
        *,
        fingerprint: str,
        started: float,
        write: "Callable[[pa.Table, BinaryIO], None] | None" = None,
        made_from: Mapping[str, str] = MappingProxyType({}),
        inputs: Inputs | None = None,
        followers: Sequence[str] = (),
        removals: str = "",
    ) -> Receipt:
        """Write a part and its receipt; idempotent.  `started` is time.time() when the work on it began.

        Raises BalanceError if rows in are not rows out plus rows dropped, RunError if the disk is full, TakenOverError
        if another run has taken over the corpus.
        """
        if made.rows_in != made.table.num_rows + sum(made.dropped.values()):
            raise BalanceError(
                f"{stage} of part {part}: {made.rows_in} rows came in, {made.table.num_rows} went on and "
                f"{sum(made.dropped.values())} were dropped; please report this"
            )
        sink = BytesIO()
        (write or write_parquet)(made.table.combine_chunks(), sink)
        content = sink.getvalue()
        receipt = Receipt(
            stage=stage,
            part=part,
            file=f"{part}.parquet",
            rows_in=made.rows_in,
            rows_out=made.table.num_rows,
            dropped=dict(sorted(made.dropped.items())),
            counts=dict(sorted(made.counts.items())),
            bytes_in=made.bytes_in,
            size=len(content),
            checksum=checksum_of(content),
            columns=column_digests(content),
            fingerprint=fingerprint,
            made_from=dict(made_from),
            seconds=round(time.time() - started, 3),
            finished_at=round(time.time(), 3),
            inputs=inputs,
            followers=list(followers),
            removals=removals,
        )
        return self.put(receipt, content)

    def publish_file(
        self,
        stage: str,
        file: str,
        content: bytes,
        *,
        fingerprint: str,
        started: float,
        rows_in: int,
        bytes_in: int,
        counts: Mapping[str, int],
    ) -> Receipt:
        """Write a stage's single file that is not a table, such as `tokenizer/tokenizer.json`, and its receipt."""
        receipt = Receipt(
            stage=stage,
            part=file.partition(".")[0],
            file=file,
            rows_in=rows_in,
            rows_out=0,
            counts=dict(sorted(counts.items())),
            bytes_in=bytes_in,
            size=len(content),
            checksum=checksum_of(content),
            columns={},
            fingerprint=fingerprint,
            seconds=round(time.time() - started, 3),
            finished_at=round(time.time(), 3),
        )
        return self.put(receipt, content)

    def put(self, receipt: Receipt, content: bytes) -> Receipt:
        """Put a part's file in place, unless it is there already, and write its receipt."""
        self._check_token()
        old = self.receipt(receipt.stage, receipt.part)
        if old is None or (old.checksum, old.file) != (receipt.checksum, receipt.file):
            self.withdraw(receipt.stage, receipt.part)
            self.store.write(f"{receipt.stage}/{receipt.file}", content)
        self.store.write(_receipt_key(receipt.stage, receipt.part), receipt.to_json())
        return receipt

    def renew(self, receipt: Receipt, stamp: str) -> Receipt:
        """Renew the receipt of a part whose input files have other times, but the same content."""
        assert receipt.inputs is not None
        return self.put_receipt(replace(receipt, inputs=replace(receipt.inputs, stamp=stamp)))

    def put_receipt(self, receipt: Receipt) -> Receipt:
        """Write a receipt again, of which the part itself does not change."""
        self._check_token()
        self.store.write(_receipt_key(receipt.stage, receipt.part), receipt.to_json())
        return receipt

    def withdraw(self, stage: str, part: str) -> None:
        """Withdraw a part: delete its receipt, so it does not exist.  TakenOverError if another run has the corpus."""
        self._check_token()
        self.store.delete(_receipt_key(stage, part))

    def record(self, stage: str, data: Mapping[str, Any]) -> None:
        """Record what all parts of a grouping were made from.  TakenOverError if another run has the corpus."""
        self._check_token()
        self.write_json(f"{stage}/{RECEIPTS}/{receipts.GROUPED}", data)

    def delete(self, stage: str, part: str) -> None:
        """Withdraw a part and delete its file."""
        self.withdraw(stage, part)
        self.store.delete(f"{stage}/{part}.parquet")

    def _check_token(self) -> None:
        if self.token is None:
            return
        holder = self.read_json(RUN_FILE)
        if holder is None or holder.get("token") != self.token:
            raise TakenOverError(
                f"{self.place}: another run has taken over this corpus, or ended this one; it stops here"
            )

    def read_json(self, name: str) -> dict[str, Any] | None:
        """Read a small JSON file of the corpus; None if it is missing, or is not a JSON object."""
        try:
            data = json.loads(self.store.read(name))
        except (FileNotFoundError, NotADirectoryError, ValueError, RecursionError):
            return None
        return data if isinstance(data, dict) else None

    def filter_files(self) -> list[dict[str, Any]]:
        """What `filters.json` says of the files that filters use; entries that are damaged are left out."""
        entries = (self.read_json(FILTERS) or {}).get("files")
        listed = entries if isinstance(entries, list) else []
        return [each for each in listed if isinstance(each, dict) and all(isinstance(each.get(k), str) for k in _NAMED)]

    def write_json(self, name: str, data: Mapping[str, Any]) -> None:
        """Write a small JSON file.  Readers never see a part of it."""
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        self.store.write(name, text.encode("utf-8", "surrogatepass"))

    def read_text(self, name: str) -> str | None:
        """Read a small text file of the corpus; None if it is missing."""
        try:
            return self.store.read(name).decode("utf-8", "replace")
        except (FileNotFoundError, NotADirectoryError):
            return None

    def write_text(self, name: str, text: str) -> None:
        """Write a small text file.  Readers never see a part of it."""
        self.store.write(name, text.encode())

    # ---- the run that holds the corpus -----------------------------------------------------------------------------

    @contextmanager
    def taken(self) -> Iterator[None]:
        """In the block, only the run of this token may publish.  After it, no run may publish with the token."""
        assert self.token is not None, "only a run takes a corpus"
        self.write_json(RUN_FILE, {"token": self.token, "pid": os.getpid(), "started": time.time()})
        try:
            yield
        finally:
            holder = self.read_json(RUN_FILE)
            if holder is not None and holder.get("token") == self.token:
                self.store.delete(RUN_FILE)

    def tidy(self, stage: str, is_wanted: Callable[[str], bool]) -> list[str]:
        """Delete what a crash left in a stage's folder, and the parts that nothing needs.  Returns the deleted names.

        TakenOverError if another run has taken over the corpus.
        """
        self._check_token()
        gone = []
        for folder in (stage, f"{stage}/{RECEIPTS}"):
            gone += [f"{folder}/{name}" for name in self.store.clear_temporaries(folder)]
        for folder, suffix in ((f"{stage}/{RECEIPTS}", ".json"), (stage, ".parquet")):
            for name in sorted(self.store.entries(folder)):
                if name.endswith(suffix) and not name.startswith("_") and not is_wanted(name.removesuffix(suffix)):
                    gone.append(f"{folder}/{name}")
                    self.store.delete(f"{folder}/{name}")
        return gone

    def compact(self, stage: str) -> None:
        """Write all receipts of a stage into one file, which is faster to read."""
        known = self.published(stage)
        if known.found and known.folder in (None, self.store.folder_version(f"{stage}/{RECEIPTS}")):
            content, key = receipts.compact(known), f"{stage}/{COMPACTED}"
            if self.store.entry(key) is None or self.store.read(key) != content:
                self.store.write(key, content)

    @contextmanager
    def lock(self) -> Iterator[int | None]:
        """Hold the corpus for one run; yields the lock's file descriptor, which a child process may inherit.

        On object storage it yields None: the lease ends with this process.
        InputError if another run holds the corpus, or it cannot be written.
        """
        if isinstance(self.store, LocalStore):
            with held(self.store.folder) as descriptor:
                yield descriptor
        else:
            self.store.check()
            with leased(self.store, self.token or ""):
                yield None


def _receipt_key(stage: str, part: str) -> str:
    return f"{stage}/{RECEIPTS}/{part}.json"


def _is_there(receipt: Receipt, file: Entry | None) -> bool:
    return file is not None and file.size == receipt.size
