"""The corpus directory: parts, their receipts, fingerprints, publishing, and who may publish.

    STAGE/PART.parquet            a part: the rows that a stage made of one piece of the input
    STAGE/_receipts/PART.json     its receipt, written last: a part without one does not exist

Publishing is idempotent, because bundles of work are retried and can run twice side by side.  If the part's file has
the bytes already, only the receipt is renewed.  Otherwise the old receipt is deleted, the file is put in place in one
step, and the new receipt is written last.  (Without the deletion, a crash between the last two would leave new data
under an old receipt.)

A receipt is believed only if its file is there with the size that it names, and a part is read only if its bytes have
the checksum that the receipt names.  What fails either test is made again.

A run has a token, which lies in the corpus while the run holds it (`run.json`).  Publishing compares the two, so that
work of a run that was given up, but goes on somewhere in a cluster, changes nothing.

A part's fingerprint is a hash of what its content depends on, and of nothing else: the stage and its version, the
settings that the stage reads, the versions of the libraries that determine its output, and the digests of the columns
that it reads.  Digests of content, not fingerprints: a change upstream that leaves the bytes alone stops there.

Imports neither pyarrow nor numpy at the top, so that a run with nothing to do answers at once.
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


def digest(*what: object) -> str:
    """BLAKE2b-128 of anything that JSON can write; dictionaries by sorted key."""
    text = json.dumps(what, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return checksum_of(text.encode("utf-8", "surrogatepass"))


def checksum_of(content: bytes) -> str:
    """BLAKE2b-128, in hexadecimal digits."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


@cache
def library_version(name: str) -> str:
    """Version of an installed library, for fingerprints."""
    return installed_version(name)


Place = str | os.PathLike[str]  # of a corpus: a folder, or a URL such as s3://bucket/folder


class Corpus:
    """A corpus directory.  Cheap to make, holds no open files, can be pickled."""

    def __init__(self, place: Place, *, token: str | None = None) -> None:
        """`place`, a folder or a URL, need not exist yet; nothing is created until something is published.

        token: of the run that publishes.  Without one, whoever publishes is trusted (tests, tools).
        InputError if there can be no corpus at such a URL.
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
        """A folder of this machine for logs and the catalog: the corpus's own, if it is one."""
        if isinstance(self.store, LocalStore):
            return self.store.folder
        return cache_base() / "corpora" / checksum_of(self.place.encode())

    def __repr__(self) -> str:
        return f"Corpus({self.place!r})"

    def path(self, stage: str, part: str) -> Path:
        """Where a part's Parquet file is in the folder, or would be.  InputError on object storage."""
        return self.folder / stage / f"{part}.parquet"

    # ---- reading ---------------------------------------------------------------------------------------------------

    def receipt(self, stage: str, part: str) -> Receipt | None:
        """The receipt of a published part; None without one, or if the part's file is gone or has another size."""
        try:
            receipt = Receipt.from_json(self.store.read(_receipt_key(stage, part)))
        except (FileNotFoundError, NotADirectoryError):
            return None
        if receipt is None or not _is_there(receipt, self.store.entry(f"{stage}/{receipt.file}")):
            return None
        return receipt

    def receipts(self, stage: str) -> dict[str, Receipt]:
        """The same of all parts of a stage, by part and in the order of their names."""
        return {receipt.part: receipt for _, receipt in self.published(stage).found.values()}

    def published(self, stage: str, known: Known | None = None) -> Known:
        """The receipts of every published part.

        known: what an earlier call returned; only what has changed since is read.
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
                except FileNotFoundError:  # deleted since it was listed
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

        checksum: of the file that is wanted; by default what is published now.
        Raises CorruptPartError if the file is not what its receipt says, or another one.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        file = pq.ParquetFile(pa.BufferReader(self.read_file(stage, part, checksum=checksum)))
        return file.read(columns, use_threads=False).combine_chunks()

    def read_file(self, stage: str, part: str, *, checksum: str | None = None) -> bytes:
        """The whole file of a published part.  See `read`."""
        receipt = self.receipt(stage, part)
        if receipt is not None and checksum not in (None, receipt.checksum):
            raise CorruptPartError(f"{self.place}: {stage}/{receipt.file} was changed by a run meanwhile; start again")
        if receipt is None:
            raise CorruptPartError(
                f"{self.place}: {stage}/{part} is gone or cut off; run the recipe again, it is made anew"
            )
        content = self.store.read(f"{stage}/{receipt.file}")
        if checksum_of(content) != receipt.checksum:
            raise CorruptPartError(
                f"{self.place}: {stage}/{receipt.file} is damaged: it is not what was written; "
                f"'corpusmill verify {self.place}' takes back what is, and the next run makes it anew"
            )
        return content

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
        """The same of a stage's one file that is no table, such as `tokenizer/tokenizer.json`."""
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
        """A part's file in place, unless it is there already, and its receipt."""
        self._check_token()
        old = self.receipt(receipt.stage, receipt.part)
        if old is None or (old.checksum, old.file) != (receipt.checksum, receipt.file):
            self.withdraw(receipt.stage, receipt.part)
            self.store.write(f"{receipt.stage}/{receipt.file}", content)
        self.store.write(_receipt_key(receipt.stage, receipt.part), receipt.to_json())
        return receipt

    def renew(self, receipt: Receipt, stamp: str) -> Receipt:
        """The receipt of a part whose input files have other times and the same content."""
        self._check_token()
        assert receipt.inputs is not None
        renewed = replace(receipt, inputs=replace(receipt.inputs, stamp=stamp))
        self.store.write(_receipt_key(receipt.stage, receipt.part), renewed.to_json())
        return renewed

    def withdraw(self, stage: str, part: str) -> None:
        """Take a part back: without a receipt it does not exist.  TakenOverError if another run has the corpus."""
        self._check_token()
        self.store.delete(_receipt_key(stage, part))

    def record(self, stage: str, data: Mapping[str, Any]) -> None:
        """Write down what all parts of a grouping were made from.  TakenOverError if another run has the corpus."""
        self._check_token()
        self.write_json(f"{stage}/{RECEIPTS}/{receipts.GROUPED}", data)

    def delete(self, stage: str, part: str) -> None:
        """Take a part back and delete its file."""
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
        """A small JSON file of the corpus; None if there is none, or it is no JSON object."""
        try:
            data = json.loads(self.store.read(name))
        except (FileNotFoundError, NotADirectoryError, ValueError, RecursionError):
            return None
        return data if isinstance(data, dict) else None

    def write_json(self, name: str, data: Mapping[str, Any]) -> None:
        """A small JSON file, never seen half-written."""
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        self.store.write(name, text.encode("utf-8", "surrogatepass"))

    def read_text(self, name: str) -> str | None:
        """A small text file of the corpus; None if there is none."""
        try:
            return self.store.read(name).decode("utf-8", "replace")
        except (FileNotFoundError, NotADirectoryError):
            return None

    def write_text(self, name: str, text: str) -> None:
        """A small text file, never seen half-written."""
        self.store.write(name, text.encode())

    # ---- the run that holds the corpus -----------------------------------------------------------------------------

    @contextmanager
    def taken(self) -> Iterator[None]:
        """While the block runs, the run of this token may publish, and no other; after that nothing in its name.

        If another run has taken the corpus over meanwhile, its word is left alone.
        """
        assert self.token is not None, "only a run takes a corpus"
        self.write_json(RUN_FILE, {"token": self.token, "pid": os.getpid(), "started": time.time()})
        try:
            yield
        finally:
            holder = self.read_json(RUN_FILE)
            if holder is not None and holder.get("token") == self.token:
                self.store.delete(RUN_FILE)

    def tidy(self, stage: str, is_wanted: Callable[[str], bool]) -> list[str]:
        """Clear what a crash left in a stage's folder, and the parts that nothing wants.  Returns what went.

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
        """Write all receipts of a stage into one file, which is quicker to read."""
        known = self.published(stage)
        if known.found and known.folder in (None, self.store.folder_version(f"{stage}/{RECEIPTS}")):
            content, key = receipts.compact(known), f"{stage}/{COMPACTED}"
            if self.store.entry(key) is None or self.store.read(key) != content:
                self.store.write(key, content)

    @contextmanager
    def lock(self) -> Iterator[int | None]:
        """Hold the corpus for one run; yields the lock's file descriptor, which a child process may inherit.

        On object storage there is none: the lease ends with this process.
        InputError if another run holds it, or it cannot be written.
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
