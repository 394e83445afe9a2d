"""Arrow files, as `datasets` and Feather write them: one record per row; a record batch is never cut.

Both forms are read (https://arrow.apache.org/docs/format/Columnar.html).  The file format ends with a footer that says
where each batch begins, so a batch belongs to the slice in which its first byte lies.  pyarrow does not say where that
is, so the footer's list is read here.  A damaged batch is one broken record, and the next one is read.

The stream format has no footer.  Such a file is read from its beginning, in the first slice, up to the first damage.  A
file of the other form whose footer is gone is read so, too.

`offset` of a record is the byte where its batch begins, and `number` is its row in the batch.  In a stream,
dictionaries that stand before a batch belong to it.  A file whose text column is missing or holds numbers is one
record.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO, NamedTuple

import pyarrow as pa

from corpusmill.collect.columnar import lacking, records_of
from corpusmill.collect.columns import distinct
from corpusmill.collect.records import EMPTY, DamageError, Record, numbered
from corpusmill.collect.settings import Columns
from corpusmill.errors import is_of_the_system

MAGIC = b"ARROW1"
FEATHER_1 = b"FEA1"
HEAD = 8  # bytes before the stream in a file with a footer
BATCH_ROWS = 8  # rows converted at a time, as in Parquet files
NO_ARROW = "not an Arrow file, or damaged from here on"
CUT_OFF = "the file is cut off: it has no footer"
OLD_FEATHER = (
    "a Feather file of version 1, which is not read; write it anew: "
    "import pyarrow.feather as f; f.write_feather(f.read_table('OLD'), 'NEW')"
)
# a schema may have names that are no text
UNREADABLE = (OSError, ValueError, KeyError, pa.ArrowException)
_BLOCK = struct.Struct("<qi4xq")  # of the footer's list: where a message begins, bytes of its header, of its content
_BATCHES = 3  # number of the list of batches among the footer's fields


class Opened(NamedTuple):
    """A file whose schema was read."""

    reader: Any
    names: list[str]  # of its columns
    lacking: str | None  # why none of them is the text
    starts: list[int] | None  # where its batches begin; None: it has no footer
    is_cut: bool = False  # it should have a footer


@dataclass(slots=True)
class ArrowReader:
    """The records of one slice of one file."""

    file: BinaryIO
    path: str
    start: int
    end: int | None
    columns: Columns
    _names: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[Record]:
        try:
            opened = opened_arrow(self.file, self.columns)
        except DamageError as error:
            if self.start == 0:
                yield Record.broken(self.path, 0, str(error))
            return
        self._names = opened.names
        if opened.lacking is not None:
            if self.start == 0:
                yield Record.without_text(self.path, opened.lacking)
        elif opened.starts is not None:
            yield from self._batches(opened.reader, opened.starts)
        elif self.start == 0:
            yield from self._stream(opened)

    def _batches(self, reader: Any, starts: list[int]) -> Iterator[Record]:
        for number, at in enumerate(starts):
            if self.start <= at and (self.end is None or at < self.end):
                row = 0
                try:
                    for record in self._rows(reader.get_batch(number), at):
                        yield record
                        row += 1
                except UNREADABLE as error:
                    yield self._broken(error, at, row, "the record batch is damaged from here on")

    def _stream(self, opened: Opened) -> Iterator[Record]:
        row, at = 0, self.file.tell()
        try:
            while True:
                row, at = 0, self.file.tell()
                for record in self._rows(opened.reader.read_next_batch(), at):
                    yield record
                    row += 1
        except StopIteration:
            if opened.is_cut:
                yield Record.broken(self.path, at, CUT_OFF)
        except UNREADABLE as error:
            yield self._broken(error, at, row, NO_ARROW)

    def _rows(self, batch: pa.RecordBatch, at: int) -> Iterator[Record]:
        batch.validate(full=True)
        for start in range(0, batch.num_rows, BATCH_ROWS):
            part = batch.slice(start, BATCH_ROWS)
            for record in records_of(part, self._names, self.columns, self.path, start):
                yield numbered(replace(record, offset=at), record.offset)

    def _broken(self, error: Exception, at: int, row: int, reason: str) -> Record:
        _raise_if_of_the_system(error)
        return numbered(Record.broken(self.path, at, reason), row)


def opened_arrow(file: BinaryIO, columns: Columns) -> Opened:
    """A file whose schema was read; DamageError if it cannot be."""
    head = file.read(HEAD)
    if not head:
        raise DamageError(EMPTY)
    if head.startswith(FEATHER_1):
        raise DamageError(OLD_FEATHER)
    has_footer = head.startswith(MAGIC)
    if has_footer and (found := _with_footer(file, columns)) is not None:
        return found
    file.seek(HEAD if has_footer else 0)
    try:
        return _opened(pa.ipc.open_stream(file), columns, None, is_cut=has_footer)
    except UNREADABLE as error:
        _raise_if_of_the_system(error)
        raise DamageError(NO_ARROW) from None


def arrow_misfit(file: BinaryIO, columns: Columns) -> str | None:
    """Why no column of a file is the text; None if one is.  DamageError if its schema cannot be read."""
    return opened_arrow(file, columns).lacking


def _with_footer(file: BinaryIO, columns: Columns) -> Opened | None:
    """A file with a footer; None if the footer is gone or damaged."""
    try:
        starts = _starts(file)
        file.seek(0)
        reader = pa.ipc.open_file(file)
        return _opened(reader, columns, starts) if reader.num_record_batches == len(starts) else None
    except UNREADABLE as error:
        _raise_if_of_the_system(error)
        return None


def _opened(reader: Any, columns: Columns, starts: list[int] | None, *, is_cut: bool = False) -> Opened:
    return Opened(reader, distinct(reader.schema.names), lacking(reader.schema, columns), starts, is_cut)


def _raise_if_of_the_system(error: Exception) -> None:
    if isinstance(error, OSError | pa.ArrowException) and is_of_the_system(error):
        raise error


def _starts(file: BinaryIO) -> list[int]:
    """Where the record batches of a file with a footer begin; ValueError if the footer is damaged.

    The footer is a table of FlatBuffers (https://flatbuffers.dev/internals/), and the list is one of its fields.
    """
    size = file.seek(0, 2)
    tail = len(MAGIC) + 4
    file.seek(max(size - tail, 0))
    last = file.read(tail)
    if len(last) < tail or not last.endswith(MAGIC):
        raise ValueError("no footer")
    n = int.from_bytes(last[:4], "little")
    if n > size - tail - HEAD:
        raise ValueError("the footer is longer than the file")
    file.seek(size - tail - n)
    footer = file.read(n)
    try:
        (table,) = struct.unpack_from("<I", footer)
        fields = table - struct.unpack_from("<i", footer, table)[0]
        (n_bytes,) = struct.unpack_from("<H", footer, fields)
        place = 4 + 2 * _BATCHES
        (inside,) = struct.unpack_from("<H", footer, fields + place) if place < n_bytes else (0,)
        if not inside:
            return []
        batches = table + inside + struct.unpack_from("<I", footer, table + inside)[0]
        (n_batches,) = struct.unpack_from("<I", footer, batches)
        blocks = memoryview(footer)[batches + 4 : batches + 4 + n_batches * _BLOCK.size]
        return [start for start, _, _ in _BLOCK.iter_unpack(blocks)]
    except struct.error:
        raise ValueError("the footer is damaged") from None
