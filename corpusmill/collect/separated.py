"""CSV and TSV files with a header, plain, gzipped or zstd-compressed: one record per row.

A field in quotes may hold line ends, so a reader cannot start in the middle of a file.  A file is one slice.  `offset`
is the row's first byte in the inflated content.  Blank lines are not records, but they are counted.

A row that is not in the declared encoding is a broken record.  A row may have fewer fields than the header; if it has
more, these are in its metadata as `more_fields`.  If columns have the same name, the later ones get a number.  A file
without a column for the text is one record, which says so.

If a quote is not closed, the rest of the file would be one field.  The line with the quote is a broken record then, and
the lines after it are read again as rows.  If the rest is larger than a record may be, the row is too large, and
reading goes on after it.
"""

import csv
import re
import sys
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BufferedReader
from typing import BinaryIO

from corpusmill.collect.columns import distinct, from_columns, no_column
from corpusmill.collect.files import CHUNK
from corpusmill.collect.lines import CR_ALONE, UTF_16, inflated
from corpusmill.collect.records import EMPTY, DamageError, Record
from corpusmill.collect.settings import Columns
from corpusmill.reasons import Status

MOST_READ_AGAIN = 10  # times that the rest of a file is read again; after that, each line is read by itself
_ESCAPE = re.compile("[\udc80-\udcff]")  # a byte that is not in the encoding


class _TooLongError(Exception):
    """A row has more bytes than a record may have."""


class _OpenQuoteError(Exception):
    """The file ends inside quotes."""


@dataclass(slots=True)
class SeparatedReader:
    """The records of one file; `others` counts blank lines."""

    file: BinaryIO
    path: str
    delimiter: str
    encoding: str
    columns: Columns
    max_page_bytes: int
    others: Counter[str]
    _header: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[Record]:
        csv.field_size_limit(sys.maxsize)  # rows are limited instead
        with inflated(self.file, self.path) as file:
            lines = _Lines(file, self.encoding, 4 * self.max_page_bytes + CHUNK)
            while True:
                rows = csv.reader(lines, delimiter=self.delimiter)
                try:
                    while (row := self._next(rows, lines)) is not None:
                        if not self._header and lines.has_zeros():
                            yield Record.broken(self.path, 0, UTF_16)
                            return
                        if not row:
                            self.others["blank line"] += 1
                        elif self._header:
                            yield self._record(row, lines.start)
                        else:
                            header = [_name_of(name) for name in row]
                            if (lacking := self._lacking(row, header)) is not None:
                                yield Record.without_text(self.path, lacking)
                                return
                            self._header = distinct(header)
                    if lines.at == 0:
                        yield Record.broken(self.path, 0, EMPTY)
                    return
                except _TooLongError:
                    yield Record(origin_path=self.path, offset=lines.start, status=Status.TOO_LARGE)
                except _OpenQuoteError:
                    rest = "" if self._header else " in the header; nothing can be read"
                    yield Record.broken(self.path, lines.start, f"a quote is not closed{rest}")
                    lines.back()
                except csv.Error as error:
                    is_old = not self._header and lines.ends_in_cr()
                    yield Record.broken(self.path, lines.start, CR_ALONE if is_old else f"not CSV: {error}")
                except DamageError as error:
                    yield Record.broken(self.path, lines.start, f"{error}; nothing can be read from here on")
                    return
                if not self._header:
                    return

    def _next(self, rows: Iterator[list[str]], lines: "_Lines") -> list[str] | None:
        lines.begin()
        return next(rows, None)

    def misfit(self) -> str | None:
        """Why no column of the file is the text; None if one is.  DamageError if its header cannot be read."""
        first = next(iter(self), None)
        if self._header:
            return None
        if first is None or first.status is not Status.NO_TEXT_FIELD:
            raise DamageError("no header")
        return str(first.metadata["error"])

    def _lacking(self, row: list[str], header: list[str]) -> str | None:
        """Why no column of a header is the text."""
        if self.columns.text in header:
            return None
        hint = ""
        if any(_ESCAPE.search(name) for name in row):
            hint = f" (if the file is not {self.encoding}, set 'encoding')"
        elif len(header) == 1:
            hint = f" (if another character than {self.delimiter!r} separates them, set 'delimiter')"
        return no_column(self.columns.text, header) + hint

    def _record(self, row: list[str], at: int) -> Record:
        if any(_ESCAPE.search(field) for field in row if not field.isascii()):
            error = f"the row is not {self.encoding}; name the file's encoding in the recipe"
            return Record.broken(self.path, at, error)
        values: dict[str, object] = dict(zip(self._header, row, strict=False))
        if len(row) > len(self._header):
            values["more_fields"] = row[len(self._header) :]
        return from_columns(values, self.columns, self.path, at)


def _name_of(column: str) -> str:
    """The name of a column, as a header writes it."""
    return column.encode("utf-8", "surrogateescape").decode("utf-8", "replace").strip()


class _Lines:
    """The lines of a file as text, with their places; bytes that are not in the encoding become surrogates."""

    def __init__(self, file: BufferedReader, encoding: str, longest: int) -> None:
        self._file, self._encoding, self._longest = file, encoding, longest
        self.start = self.at = 0  # offsets of the present row, and of the next line
        self._row: list[bytes] = []  # the lines of the present row
        self._again: deque[bytes] = deque()  # lines that were read before
        self._n_back = 0

    def __iter__(self) -> "_Lines":
        return self

    def begin(self) -> None:
        """Begin a row."""
        self.start = self.at
        self._row.clear()

    def has_zeros(self) -> bool:
        """Whether the present row has what no text in an encoding that contains ASCII has: zeros, a mark of UTF-16."""
        return any(b"\0" in line or line.startswith((b"\xff\xfe", b"\xfe\xff")) for line in self._row)

    def ends_in_cr(self) -> bool:
        """Whether the present row is the whole file, and its lines end in CR alone."""
        return len(self._row) == 1 and b"\r" in self._row[0] and not self._row[0].endswith(b"\n")

    def back(self) -> None:
        """Go back to the second line of the present row."""
        self.at = self.start + len(self._row[0])
        self._again.extendleft(reversed(self._row[1:]))
        self._n_back += 1

    def __next__(self) -> str:
        if self._row and self._n_back >= MOST_READ_AGAIN:
            raise _OpenQuoteError
        line = self._again.popleft() if self._again else self._line()
        if not line:
            raise _OpenQuoteError if self._row else StopIteration
        is_first = self.at == 0
        self.at += len(line)
        if self.at - self.start > self._longest:
            while not line.endswith(b"\n") and (line := self._file.readline(CHUNK)):
                self.at += len(line)
            raise _TooLongError
        self._row.append(line)
        if is_first:
            line = line.removeprefix(b"\xef\xbb\xbf")
        return line.decode(self._encoding, "surrogateescape")

    def _line(self) -> bytes:
        """The next line of the file, or its beginning if the row becomes too long."""
        line = self._file.readline(CHUNK)
        left = self._longest - (self.at - self.start)
        while not line.endswith(b"\n") and len(line) <= left and (more := self._file.readline(CHUNK)):
            line += more
        return line
