"""JSON lines, plain, gzipped or zstd-compressed: one record per line.

A plain file can be read from any byte.  A line belongs to the slice in which its first byte lies, and `offset` is that
byte.  A compressed file is one slice.  Its `offset` is the line's first byte in the inflated content.  If such a file
is cut off or damaged, the lines before the damage are read, and one broken record stands for the rest.  Blank lines are
not records, but they are counted.

A line of 80 MB can hold 27 million empty lists, which would take 4 GB as Python's objects.  So the values of a long
line are counted before it is parsed, and a line with too many values is too large.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from io import BufferedReader, RawIOBase
from typing import Any, BinaryIO, cast

import zstandard

from corpusmill.collect.columns import from_columns, has_column, no_column
from corpusmill.collect.files import CHUNK, Window
from corpusmill.collect.members import Member, after_padding
from corpusmill.collect.records import EMPTY, DamageError, Record
from corpusmill.collect.settings import Columns
from corpusmill.reasons import Status

MAX_VALUES = 1 << 21  # per line: lists, objects, their items and keys; 80 bytes each
MOST_LOOKED_AT = 1 << 20  # bytes at the beginning of a file that show which columns there are
_STARTS = (b",", b":", b"[", b"{")  # one of these comes before each value
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
MAX_WINDOW = 1 << 31  # large corpora are compressed with `zstd --long=31`


@dataclass(slots=True)
class LineReader:
    """The records of one slice of one file; `others` counts blank lines."""

    file: BinaryIO
    path: str
    start: int
    end: int | None
    columns: Columns
    max_page_bytes: int
    others: Counter[str]

    def __iter__(self) -> Iterator[Record]:
        packed = self.path.lower().endswith((".gz", ".zst"))
        if packed and self.start > 0:
            return
        with inflated(self.file, self.path) as file:
            at = 0 if packed else first_line(file, self.start)
            while packed or self.end is None or at < self.end:
                try:
                    line, length = self._line(file)
                except DamageError as error:
                    yield Record.broken(self.path, at, f"{error}; nothing can be read from here on")
                    return
                if length == 0:
                    if at == 0:
                        yield Record.broken(self.path, 0, EMPTY)
                    return
                yield from self._record(line, at)
                at += length

    def misfit(self) -> str | None:
        """Why no line at the beginning of the file has the column for the text; None if one has.

        DamageError if none of them can be read.
        """
        there: dict[str, None] = {}
        n_left = MOST_LOOKED_AT
        with inflated(self.file, self.path) as file:
            try:
                while n_left > 0 and (line := file.readline(MOST_LOOKED_AT)):
                    n_left -= len(line)
                    try:
                        row = parse(line)
                    except ValueError:  # the row of this line will say why
                        continue
                    if has_column(row, self.columns.text):
                        return None
                    there |= dict.fromkeys(row)
            except DamageError:
                pass  # so will the row of what stands there
        if not there:
            raise DamageError("no line can be read")
        return no_column(self.columns.text, [*there])

    def _line(self, file: BufferedReader) -> tuple[bytes | None, int]:
        """The next line and its length, 0 at the end of the file.  The line is None if it is too long for a record."""
        longest = 4 * self.max_page_bytes + CHUNK  # space for escapes and the other columns
        line = file.readline(longest)
        length = len(line)
        if length < longest or line.endswith(b"\n"):
            return line, length
        while not line.endswith(b"\n") and (line := file.readline(CHUNK)):
            length += len(line)
        return None, length

    def _record(self, line: bytes | None, at: int) -> Iterator[Record]:
        if line is None:
            yield Record(origin_path=self.path, offset=at, status=Status.TOO_LARGE)
        elif line.isspace():
            self.others["blank line"] += 1
        elif has_too_many_values(line):
            error = f"more than {MAX_VALUES:,} values in a line"
            yield Record(origin_path=self.path, offset=at, status=Status.TOO_LARGE, metadata={"error": error})
        else:
            try:
                row = parse(line)
            except ValueError as error:
                yield Record.broken(self.path, at, (_other_form(line) if at == 0 else None) or str(error))
            else:
                yield from_columns(row, self.columns, self.path, at)


MAX_DIGITS = 4300  # the longest integer that Python parses by default
UTF_16 = "the file is UTF-16 or no text; write it in UTF-8"
CR_ALONE = "its lines end in CR alone, as on old Macs; convert them: tr '\\r' '\\n' < OLD > NEW"
SEVERAL_LINES = "an object goes over several lines, and JSON lines are wanted: one object a line, as from jq -c . FILE"
ARRAY = "the file is a JSON array, and JSON lines are wanted: one object a line, as from jq -c '.[]' FILE"


_OTHER_FORMS = (  # what the first line of a file shows, and what to do
    (rb"\xff\xfe|\xfe\xff|.?\0", UTF_16),
    (rb"(\xef\xbb\xbf)?\s*\[\s*(\{|$)", ARRAY),
    (rb"(\xef\xbb\xbf)?\s*\{\s*$", SEVERAL_LINES),
    (rb"[^\r]*\}\r(?!\n|\Z)", CR_ALONE),
)


def _other_form(line: bytes) -> str | None:
    """What to do with a file whose first line is no JSON, if the line shows it."""
    return next((advice for form, advice in _OTHER_FORMS if re.match(form, line, re.DOTALL)), None)


def has_too_many_values(line: bytes) -> bool:
    """Whether the JSON of a line has more than MAX_VALUES values, estimated without parsing it."""
    n = sum(map(line.count, _STARTS)) if len(line) > MAX_VALUES else 0
    if n <= MAX_VALUES:
        return False
    for n_strings, string in enumerate(_STRING.finditer(line)):  # characters inside strings do not count
        n -= sum(line.count(start, *string.span()) for start in _STARTS)
        if n <= MAX_VALUES or n_strings > MAX_VALUES:
            break
    return n > MAX_VALUES


def parse(line: bytes) -> dict[str, Any]:
    """The JSON object of a line.  ValueError says why the line is not a JSON object."""
    try:
        text = line.decode("utf-8-sig")
        try:
            row = json.loads(text, parse_constant=lambda name: None)
        except json.JSONDecodeError:
            raise
        except ValueError:  # an integer with more digits than Python parses by default
            row = json.loads(text, parse_constant=lambda name: None, parse_int=_integer)
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start} of the line") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg.removesuffix(' at')} at character {error.pos} of the line") from None
    except RecursionError:
        raise ValueError("not JSON: nested too deeply") from None
    if not isinstance(row, dict):
        raise ValueError(f"not a JSON object but {type(row).__name__}")
    return row


def _integer(digits: str) -> int | Decimal:
    return int(digits) if len(digits) < MAX_DIGITS else Decimal(digits)


def first_line(file: BufferedReader, start: int) -> int:
    """Move to the first line that starts at `start` or later, and return its offset."""
    if start == 0:
        return 0
    at = file.seek(start - 1)
    while piece := file.readline(CHUNK):
        at += len(piece)
        if piece.endswith(b"\n"):
            break
    return at


def inflated(file: BinaryIO, path: str) -> BufferedReader:
    """The content of a file that may be compressed, by its ending.  Reading it raises DamageError."""
    if path.lower().endswith(".gz"):
        return BufferedReader(_Gzip(file), CHUNK)
    if path.lower().endswith(".zst"):
        return BufferedReader(_Zstandard(file), CHUNK)
    return file if isinstance(file, BufferedReader) else BufferedReader(cast(RawIOBase, file), CHUNK)


class _Gzip(RawIOBase):
    """The inflated content of a gzip file.  DamageError at the first damage, after all that can be read."""

    def __init__(self, file: BinaryIO) -> None:
        self._window = Window(file)
        self._member = Member(self._window, 0)
        self._at = 0  # offset in the member's content

    def readable(self) -> bool:
        """True; BufferedReader asks for it."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer completely or in part."""
        while not (content := self._member.some(self._at, len(buffer))):
            start = after_padding(self._window, self._member.end)
            if not self._window.view(start, 1):
                return 0
            self._member, self._at = Member(self._window, start), 0
        self._at += len(content)
        buffer[: len(content)] = content
        return len(content)


class _Zstandard(RawIOBase):
    """The inflated content of a zstd file.  The library's own reader does not notice that a frame is cut off."""

    PIECE = 1 << 10  # compressed bytes per call.  A frame of zeros inflates 32,000 times, and an error loses one piece

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._frame: Any = None  # None between two frames
        self._fed = b""  # compressed bytes of the next frame, read together with the last one
        self._content = b""

    def readable(self) -> bool:
        """True; BufferedReader asks for it."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer completely or in part."""
        while not self._content:
            piece = self._fed or self._file.read(self.PIECE)
            if not piece and self._frame is None:
                return 0
            self._feed(piece)
        n = min(len(buffer), len(self._content))
        buffer[:n] = self._content[:n]
        self._content = self._content[n:]
        return n

    def _feed(self, piece: bytes) -> None:
        if not piece:
            raise DamageError("the zstd frame is cut off")
        if self._frame is None:
            self._frame = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW).decompressobj()
        try:
            self._content, self._fed = self._frame.decompress(piece), b""
        except zstandard.ZstdError:
            raise DamageError("the zstd frame is garbled") from None
        if self._frame.eof:
            self._fed, self._frame = self._frame.unused_data, None
