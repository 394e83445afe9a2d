"""Files by path or URL, read forward through one buffer.

Local paths are opened by Python itself; anything with a scheme goes through fsspec, whose own block cache turns our
reads into few requests.
"""

from pathlib import Path
from typing import BinaryIO, Protocol, cast

import fsspec

UNREADABLE = (
    FileNotFoundError,
    PermissionError,
    IsADirectoryError,
)  # the user's to mend; other errors are passing ones
CHUNK = 1 << 20  # bytes that a window reads at least


def location(root: str, path: str) -> str:
    """Path or URL of the file `path` below `root`."""
    return f"{root.rstrip('/')}/{path}"


def is_url(path: str) -> bool:
    """Whether fsspec, and not the local file system, knows where this is."""
    return "://" in path


def open_binary(root: str, path: str) -> BinaryIO:
    """Open the file `path` below `root` for reading."""
    where = location(root, path)
    return cast(BinaryIO, fsspec.open(where, "rb").open()) if is_url(where) else Path(where).open("rb")


class Bytes(Protocol):
    """Bytes at given offsets, of a file or of what a member of it inflates to."""

    def view(self, start: int, n: int) -> bytes:
        """The bytes [start, start + n), or as many of them as there are."""


class Window:
    """A file's bytes at any offset; cheap as long as offsets mostly grow."""

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

    def find(self, needle: bytes, start: int, stop: int) -> int:
        """Offset of the first `needle` that starts in [start, stop); -1 if there is none."""
        overlap = len(needle) - 1
        while start < stop:
            chunk = self.view(start, min(CHUNK, stop - start) + overlap)
            at = chunk.find(needle)
            if at >= 0:
                return start + at
            if len(chunk) <= overlap:
                break
            start += len(chunk) - overlap
        return -1
