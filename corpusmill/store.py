"""Where a corpus's files live: a folder of this machine, or any file system that fsspec knows, such as S3.

A store keeps whole files under keys such as `pages/_receipts/web-0.json`.  Writing a file is atomic: a reader sees the
old content or the new one, never a mixture.  On a local disk that is a temporary file, flushed to the disk and renamed,
and the folder flushed after it.  On object storage it is one PUT.

`Entry.version` changes whenever a file's content may have changed (time of modification here, ETag there), so that what
was read before can be kept without reading the file again.

Costs on a local disk (ext4): 1 ms for each file written, most of it the two flushes.
"""

import errno
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from corpusmill.errors import RunError

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, slots=True)
class Entry:
    """What a listing says of a file."""

    size: int  # bytes
    version: str  # changes with the content


class Store(Protocol):
    """Files by key; folders come and go with their files."""

    def entries(self, folder: str) -> dict[str, Entry]:
        """The files directly in a folder, by name; temporary files are left out.  Empty if there is no such folder."""

    def folder_version(self, folder: str) -> str | None:
        """What changes whenever a file of a folder is added, replaced or deleted; None if the store knows no such."""

    def entry(self, key: str) -> Entry | None:
        """What a listing would say of one file; None if it is not there."""

    def read(self, key: str) -> bytes:
        """A file's content.  Raises FileNotFoundError."""

    def write(self, key: str, content: bytes) -> None:
        """Write a whole file, atomically and durably.  Raises RunError if the disk is full."""

    def delete(self, key: str) -> None:
        """Delete a file, if it is there."""

    def clear_temporaries(self, folder: str) -> list[str]:
        """Delete what writes that were killed left in a folder; returns the names."""


@dataclass(frozen=True)
class LocalStore:
    """A folder of this machine."""

    folder: Path

    def entries(self, folder: str) -> dict[str, Entry]:
        """See `Store`."""
        try:
            with os.scandir(self.folder / folder) as found:
                return {e.name: _entry(e.stat()) for e in found if not _is_temporary(e.name) and e.is_file()}
        except (FileNotFoundError, NotADirectoryError):
            return {}

    def folder_version(self, folder: str) -> str | None:
        """See `Store`: the folder's time of modification."""
        try:
            return str((self.folder / folder).stat().st_mtime_ns)
        except (FileNotFoundError, NotADirectoryError):
            return "none"

    def entry(self, key: str) -> Entry | None:
        """See `Store`."""
        try:
            return _entry((self.folder / key).stat())
        except (FileNotFoundError, NotADirectoryError):
            return None

    def read(self, key: str) -> bytes:
        """See `Store`."""
        return (self.folder / key).read_bytes()

    def write(self, key: str, content: bytes) -> None:
        """See `Store`."""
        path = self.folder / key
        with full_disk_is_a_run_error(self.folder):
            path.parent.mkdir(parents=True, exist_ok=True)
            with temporary_beside(path) as temporary:
                with temporary.open("wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                temporary.rename(path)
            flush_folder(path.parent)

    def delete(self, key: str) -> None:
        """See `Store`."""
        with suppress(FileNotFoundError, NotADirectoryError):
            (self.folder / key).unlink()

    def clear_temporaries(self, folder: str) -> list[str]:
        """See `Store`."""
        try:
            names = [path.name for path in (self.folder / folder).iterdir() if _is_temporary(path.name)]
        except (FileNotFoundError, NotADirectoryError):
            return []
        for name in names:
            self.delete(f"{folder}/{name}")
        return sorted(names)


@dataclass(frozen=True)
class RemoteStore:
    """A folder in any file system that fsspec knows, by its URL."""

    url: str

    @property
    def _fs(self) -> Any:
        import fsspec

        fs, _ = fsspec.core.url_to_fs(self.url)  # fsspec keeps one object for each set of options
        return fs

    def _path(self, key: str) -> str:
        import fsspec

        _, path = fsspec.core.url_to_fs(self.url)
        return f"{path.rstrip('/')}/{key}"

    def entries(self, folder: str) -> dict[str, Entry]:
        """See `Store`."""
        fs, path = self._fs, self._path(folder)
        fs.invalidate_cache(path)
        try:
            found = fs.ls(path, detail=True)
        except (FileNotFoundError, NotADirectoryError):
            return {}
        return {str(i["name"]).rpartition("/")[2]: _remote_entry(i) for i in found if i["type"] == "file"}

    def folder_version(self, folder: str) -> str | None:
        """See `Store`: there are no folders."""
        return None

    def entry(self, key: str) -> Entry | None:
        """See `Store`."""
        fs, path = self._fs, self._path(key)
        fs.invalidate_cache(path.rpartition("/")[0])
        try:
            return _remote_entry(fs.info(path))
        except FileNotFoundError:
            return None

    def read(self, key: str) -> bytes:
        """See `Store`."""
        return bytes(self._fs.cat_file(self._path(key)))

    def write(self, key: str, content: bytes) -> None:
        """See `Store`."""
        fs, path = self._fs, self._path(key)
        fs.makedirs(
            path.rpartition("/")[0], exist_ok=True
        )  # object storage has no folders, and says so by doing nothing
        fs.pipe_file(path, content)

    def delete(self, key: str) -> None:
        """See `Store`."""
        with suppress(FileNotFoundError):
            self._fs.rm_file(self._path(key))

    def clear_temporaries(self, folder: str) -> list[str]:
        """Nothing: a PUT leaves nothing behind."""
        return []


def _entry(stat: os.stat_result) -> Entry:
    return Entry(stat.st_size, str(stat.st_mtime_ns))


def _remote_entry(info: dict[str, Any]) -> Entry:
    stamps = [info.get(key) for key in STAMPS]
    return Entry(info["size"], str([stamp for stamp in stamps if stamp is not None]))


STAMPS = ("ETag", "etag", "md5Hash", "checksum", "LastModified", "mtime", "created")
"""Where fsspec's file systems say that a file's content has changed."""


def _is_temporary(name: str) -> bool:
    return name.startswith(".") and name.endswith(".tmp")


@contextmanager
def temporary_beside(final: Path) -> Iterator[Path]:
    """A unique name beside `final`, gone afterwards unless it was renamed."""
    temporary = final.with_name(f".{final.name}.{uuid.uuid4().hex}.tmp")
    try:
        yield temporary
    finally:
        with suppress(OSError):  # a read-only file system refuses to delete even what is not there
            temporary.unlink(missing_ok=True)


def flush_folder(folder: Path) -> None:
    """Make renames in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def full_disk_is_a_run_error(folder: object) -> Iterator[None]:
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
