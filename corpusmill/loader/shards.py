"""Token shards, read one row group at a time: from a folder, or from object storage with fsspec.

A shard is known by its size and by a digest of its footer.  The footer holds the size, the place and the smallest and
largest value of every column of every row group.  So a shard that another run has written is refused when it is opened.
A damaged page is refused when it is read, by its checksum.
"""

import hashlib
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from corpusmill.corpus import Corpus
from corpusmill.errors import CorruptPartError, is_of_the_system
from corpusmill.store import LocalStore

FOLDER = "tokens"
ADVICE = ": find what is damaged with 'corpusmill verify', and run the recipe again"
_TAIL = 8  # bytes after the footer: its size, and a magic number
_FIRST_READ = 1 << 16  # bytes at the end of a remote shard, which are nearly always enough


@dataclass(frozen=True, slots=True)
class Shard:
    """A file of tokens as it was when the manifest was made."""

    name: str  # of the part
    size: int
    footer: str  # digest


class Shards:
    """The shards of a corpus.  Each is checked when it is first opened."""

    def __init__(self, corpus: Corpus, shards: Sequence[Shard]) -> None:
        self._corpus, self.shards = corpus, tuple(shards)
        self._opened: dict[int, tuple[Any, tuple[int, ...]]] = {}  # metadata, and version of a local file

    def where(self, shard: int) -> str:
        """The path or URL of a shard."""
        return f"{self._corpus.place}/{FOLDER}/{self.shards[shard].name}.parquet"

    def read(self, shard: int, row_group: int, columns: Sequence[str]) -> pa.Table:
        """Columns of a row group.  CorruptPartError if the shard was changed, or is damaged where it is read."""
        try:
            metadata = self._metadata(shard)
            with self._source(shard, metadata, row_group, columns) as source:
                file = pq.ParquetFile(source, metadata=metadata, page_checksum_verification=True)
                table = file.read_row_group(row_group, columns=list(columns), use_threads=False)
        except FileNotFoundError:
            raise CorruptPartError(f"{self.where(shard)}: is missing{ADVICE}") from None
        except (OSError, pa.ArrowException) as error:
            if is_of_the_system(error):
                raise
            if shard in self._opened and self._opened[shard][1] != self._version(shard):
                raise self._changed(shard) from error
            raise CorruptPartError(f"{self.where(shard)}: is damaged{ADVICE}") from error
        if self._opened[shard][1] != self._version(shard):
            raise self._changed(shard)
        return table

    def row_group_sizes(self, shard: int) -> list[int]:
        """The number of rows of each row group."""
        metadata = self._metadata(shard)
        return [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]

    def _metadata(self, shard: int) -> Any:
        if shard not in self._opened:
            version = self._version(shard)
            size, footer = footer_of(self._corpus, self.shards[shard].name)
            if (size, digest_of(footer)) != (self.shards[shard].size, self.shards[shard].footer):
                raise self._changed(shard)
            self._opened[shard] = pq.read_metadata(pa.BufferReader(_as_file(footer))), version
        return self._opened[shard][0]

    def _changed(self, shard: int) -> CorruptPartError:
        return CorruptPartError(f"{self.where(shard)}: a run has changed it since training began; start training again")

    def _version(self, shard: int) -> tuple[int, ...]:
        """Size, time of modification and inode number of a local file; nothing for another one."""
        if not isinstance(self._corpus.store, LocalStore):
            return ()
        stat = Path(self.where(shard)).stat()
        return stat.st_size, stat.st_mtime_ns, stat.st_ino

    def _source(self, shard: int, metadata: Any, row_group: int, columns: Sequence[str]) -> Any:
        """A file that can be read where these columns of the row group are."""
        store = self._corpus.store
        if isinstance(store, LocalStore):
            return pa.OSFile(self.where(shard))
        group = metadata.row_group(row_group)
        every = [group.column(i) for i in range(group.num_columns)]
        chunks = [each for each in every if each.path_in_schema.split(".")[0] in columns]
        begins = [min(each.data_page_offset, each.dictionary_page_offset or each.data_page_offset) for each in chunks]
        begin = min(begins)
        end = max(at + each.total_compressed_size for at, each in zip(begins, chunks, strict=True))
        key = f"{FOLDER}/{self.shards[shard].name}.parquet"
        return pa.PythonFile(_Slice(store.read_range(key, begin, end), begin, self.shards[shard].size))


def as_numpy(column: pa.Array | pa.ChunkedArray) -> npt.NDArray[Any]:
    """Numbers or truth values without nulls, as numpy has them.

    pyarrow's own `to_numpy` imports pandas if it is installed, which takes longer than everything else in a resume.
    """
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    if pa.types.is_boolean(array.type):
        return as_numpy(array.cast(pa.uint8())).view(np.bool_)
    found: npt.NDArray[Any] = np.from_dlpack(array)
    return found


class _Slice(io.RawIOBase):
    """A file of which only some bytes are there."""

    def __init__(self, content: bytes, begin: int, size: int) -> None:
        self._content, self._begin, self._size, self._at = content, begin, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        at = self._at - self._begin
        stop = len(self._content) if size < 0 else at + size
        assert 0 <= at <= stop <= len(self._content), "only one row group is read"
        self._at += stop - at
        return self._content[at:stop]


def footer_of(corpus: Corpus, part: str) -> tuple[int, bytes]:
    """The size of a shard, and its footer with what follows it.  CorruptPartError if it is no Parquet file."""
    key, store = f"{FOLDER}/{part}.parquet", corpus.store
    entry = store.entry(key)
    if entry is None:
        raise CorruptPartError(f"{corpus.place}/{key}: is missing{ADVICE}")
    end = store.read_range(key, max(0, entry.size - _FIRST_READ), entry.size)
    length = int.from_bytes(end[-_TAIL:-4], "little") + _TAIL
    if end[-4:] != b"PAR1" or length > entry.size:
        raise CorruptPartError(f"{corpus.place}/{key}: is damaged{ADVICE}")
    if length > len(end):
        end = store.read_range(key, entry.size - length, entry.size)
    return entry.size, end[-length:]


def digest_of(footer: bytes) -> str:
    """A digest of a footer."""
    return hashlib.blake2b(footer, digest_size=16).hexdigest()


def _as_file(footer: bytes) -> bytes:
    """The smallest file that a reader of footers opens."""
    return b"PAR1" + footer
