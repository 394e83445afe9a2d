"""Files by path or URL, read forward through one buffer.

Python opens local paths itself.  Anything with a scheme goes through fsspec (`collect/remote.py`).  For local files, a
`Trace` notes which bytes were read.  The identity of the records depends on these bytes (`collect/identity.py`).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BufferedReader, FileIO
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from corpusmill.collect.remote import joined, open_remote
from corpusmill.errors import InputError
from corpusmill.store import is_url

UNREADABLE = (
    FileNotFoundError,
    PermissionError,
    IsADirectoryError,
)  # the user can repair these; other errors are temporary
CHUNK = 1 << 20  # the least number of bytes that a window reads
BUFFER = 1 << 17  # bytes that are read ahead


def location(root: str, path: str) -> str:
    """Path or URL of the file `path` below `root`."""
    return joined(root, path) if is_url(root) else f"{root.rstrip('/')}/{path}"


class Trace:
    """Which bytes of which local files were read.  The rows of a slice depend on no other bytes of its input."""

    def __init__(self) -> None:
        self._ranges: dict[str, list[list[int]]] = {}

    def note(self, path: str, begin: int, n: int) -> None:
        """Note that the bytes [begin, begin + n) of a file were read."""
        ranges = self._ranges.setdefault(path, [])
        if ranges and ranges[-1][0] <= begin <= ranges[-1][1]:
            ranges[-1][1] = max(ranges[-1][1], begin + n)
        else:
            ranges.append([begin, begin + n])

    def whole(self, root: str, path: str) -> None:
        """Note that code outside this package reads a file, so every byte of it counts as read."""
        if not is_url(root) and Path(location(root, path)).is_file():
            self.note(path, 0, _size(location(root, path)))

    def ranges(self, root: str, paths: Sequence[str]) -> dict[str, list[list[int]]]:
        """The ranges [begin, end) read, by file, ascending and disjoint.  Files that were read whole are left out."""
        found = {path: _merged(self._ranges.get(path, [])) for path in paths}
        return {path: ranges for path, ranges in found.items() if ranges != [[0, _size(location(root, path))]]}


def _size(path: str) -> int:
    return Path(path).stat().st_size


def _merged(ranges: list[list[int]]) -> list[list[int]]:
    merged: list[list[int]] = []
    for begin, end in sorted(ranges):
        if merged and begin <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([begin, end])
    return merged


class _Traced(FileIO):
    """A local file that notes which of its bytes are read."""

    def __init__(self, where: str, path: str, trace: Trace) -> None:
        super().__init__(where, "rb")
        self._path, self._trace = path, trace

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer."""
        at = self.tell()
        n = super().readinto(buffer)
        self._trace.note(self._path, at, n)
        return n

    def read(self, size: int | None = -1) -> bytes:
        """Read bytes."""
        at = self.tell()
        content = super().read(-1 if size is None else size)
        self._trace.note(self._path, at, len(content))
        return content

    def readall(self) -> bytes:
        """Read the rest."""
        at = self.tell()
        content = super().readall()
        self._trace.note(self._path, at, len(content))
        return content


def open_binary(root: str, path: str, trace: Trace) -> BinaryIO:
    """Open the file `path` below `root` for reading."""
    where = location(root, path)
    if is_url(where):
        return open_remote(where)
    return BufferedReader(_Traced(where, path, trace), BUFFER)


@contextmanager
def opened(root: str, path: str, trace: Trace) -> Iterator[BinaryIO]:
    """Open a file that a whole slice depends on.  InputError if it cannot be read."""
    try:
        file = open_binary(root, path, trace)
    except UNREADABLE as error:
        reason = error.strerror or type(error).__name__
        raise InputError(f"{location(root, path)}: cannot be read ({reason}); check the file and run again") from None
    with file:
        yield file


class Bytes(Protocol):
    """Bytes at given offsets, of a file or of the inflated content of one of its members."""

    def view(self, start: int, n: int) -> bytes:
        """The bytes [start, start + n), or as many of them as there are.  DamageError if some cannot be had."""

    def there(self, start: int, n: int) -> bytes:
        """The same, but without those that cannot be had."""


class Window:
    """A file's bytes at any offset.  It is fast if offsets mostly increase."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._base = 0
        self._buffer = b""

    def view(self, start: int, n: int) -> bytes:
        """The bytes [start, start + n), or as many of them as the file has."""
        at = start - self._base
        if at < 0 or at + n > len(self._buffer):
            self._file.seek(start)
            self._base, self._buffer, at = start, self._file.read(max(n, CHUNK)), 0
        return self._buffer[at : at + n]

    def there(self, start: int, n: int) -> bytes:
        """The same: bytes of a file can be had, or there are none."""
        return self.view(start, n)

    def peek(self, start: int, n: int) -> bytes:
        """The same as `view`, for a place far from the others: reads only `n` bytes and keeps the buffer."""
        if self._base <= start and start + n <= self._base + len(self._buffer):
            return self.view(start, n)
        self._file.seek(start)
        return self._file.read(n)

    def find(self, needle: bytes, start: int, stop: int) -> int:
        """Offset of the first `needle` that starts in [start, stop); -1 if there is none."""
        overlap = len(needle) - 1
        while start < stop:
            begin = start - self._base
            if begin < 0 or begin + overlap >= len(self._buffer):
                self.view(start, CHUNK)
                begin = start - self._base
            end = min(len(self._buffer), begin + stop - start + overlap)
            if end - begin <= overlap:
                break
            at = self._buffer.find(needle, begin, end)
            if at >= 0:
                return self._base + at
            start = self._base + end - overlap
        return -1
