"""Arrow files, as `datasets` and Feather write them: one record per row.

Both forms are read: the file format and the stream format (https://arrow.apache.org/docs/format/Columnar.html).  A
stream can only be read from its beginning, so a file is one slice.  `offset` is the row's number in the file.  Record
batches are read one after the other.  If one is damaged, one broken record stands for the rest.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import pyarrow as pa

from corpusmill.collect.columnar import check_columns, records_of
from corpusmill.collect.columns import distinct
from corpusmill.collect.records import EMPTY, Record
from corpusmill.collect.settings import Columns
from corpusmill.errors import is_of_the_system

MAGIC = b"ARROW1"
BATCH_ROWS = 8  # rows converted at a time, as in Parquet files


@dataclass(slots=True)
class ArrowReader:
    """The records of one file."""

    file: BinaryIO
    path: str
    columns: Columns

    def __iter__(self) -> Iterator[Record]:
        row = 0
        if not self.file.read(1):
            yield Record.broken(self.path, 0, EMPTY)
            return
        self.file.seek(0)
        try:
            reader, batches = self._opened()
            check_columns(reader.schema, self.columns, self.path)
            names = distinct(reader.schema.names)
            for batch in batches:
                batch.validate(full=True)
                for start in range(0, batch.num_rows, BATCH_ROWS):
                    part = batch.slice(start, BATCH_ROWS)
                    yield from records_of(part, names, self.columns, self.path, row)
                    row += part.num_rows
        except (OSError, ValueError, KeyError, pa.ArrowException) as error:  # a schema may have names that are no text
            if isinstance(error, OSError | pa.ArrowException) and is_of_the_system(error):
                raise
            yield Record.broken(self.path, row, "not an Arrow file, or damaged from here on")

    def _opened(self) -> tuple[Any, Iterator[pa.RecordBatch]]:
        is_file = self.file.read(len(MAGIC)) == MAGIC
        self.file.seek(0)
        if is_file:
            reader = pa.ipc.open_file(self.file)
            return reader, (reader.get_batch(number) for number in range(reader.num_record_batches))
        stream = pa.ipc.open_stream(self.file)
        return stream, iter(stream)
