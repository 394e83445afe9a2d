"""Where the files of a corpus are: in a local folder, or on object storage (S3), through fsspec.

A store keeps whole files under keys such as `pages/_receipts/web-0.json`.  Writing a file is atomic: a reader sees
either the old content or the new one, never a mixture.  On a local disk, a temporary file is written, flushed to the
disk and renamed, and then the folder is flushed.  On object storage, a write is one PUT.

`Entry.version` changes whenever a file's content may have changed (time of modification on disk, ETag on object
storage).  So a content that was read before can be used again without reading the file.

Cost on a local disk (ext4): 1 ms for each file written, most of it for the two flushes.
"""

import errno
import mmap
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from corpusmill.errors import CorpusmillError, InputError, RunError

REMOTE = ("s3",)  # schemes of a corpus's URL; only stores that were tested on a server
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, slots=True)
class Entry:
    """The listing of one file."""

    size: int  # in bytes
    version: str  # changes with the content


class Store(Protocol):
    """Files by key; a folder exists while it contains files."""

    def entries(self, folder: str) -> dict[str, Entry]:
        """The files directly in a folder, by name, without temporary files.  Empty if there is no such folder."""

    def folder_version(self, folder: str) -> str | None:
        """A value that changes if a file of the folder is added, replaced or deleted; None if the store has none."""

    def entry(self, key: str) -> Entry | None:
        """The listing of one file; None if the file does not exist."""

    def read(self, key: str) -> bytes:
        """A file's content.  Raises FileNotFoundError."""

    def view(self, key: str) -> memoryview:
        """A file's content, of which only what is looked at need be read.  Raises FileNotFoundError."""

    def read_range(self, key: str, begin: int, end: int) -> bytes:
        """The bytes [begin, end) of a file.  Raises FileNotFoundError."""

    def folders(self) -> list[str]:
        """The names of the folders at the top."""

    def write(self, key: str, content: bytes) -> None:
        """Write a whole file, atomically and durably.  Raises RunError if that cannot be done."""

    def create(self, key: str, content: bytes) -> bool:
        """Write a file unless it exists, and return whether it was written.  Of two concurrent calls one succeeds."""

    def delete(self, key: str) -> None:
        """Delete a file, if it exists."""

    def clear_temporaries(self, folder: str) -> list[str]:
        """Delete what killed writes left in a folder; returns the names."""


@dataclass(frozen=True)
class LocalStore:
    """A store in a local folder."""

    folder: Path

    def entries(self, folder: str) -> dict[str, Entry]:
        """See `Store`."""
        entries = {}
        try:
            with os.scandir(self.folder / folder) as found:
                for each in found:
                    with suppress(FileNotFoundError):  # deleted after it was listed
                        if not _is_temporary(each.name) and each.is_file():
                            entries[each.name] = _entry(each.stat())
        except (FileNotFoundError, NotADirectoryError):
            return {}
        return entries

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

    def view(self, key: str) -> memoryview:
        """See `Store`: the file is mapped into memory."""
        with (self.folder / key).open("rb") as file:
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))

    def read_range(self, key: str, begin: int, end: int) -> bytes:
        """See `Store`."""
        with (self.folder / key).open("rb") as file:
            file.seek(begin)
            return file.read(end - begin)

    def folders(self) -> list[str]:
        """See `Store`."""
        return sorted(each.name for each in self.folder.iterdir() if each.is_dir())

    def write(self, key: str, content: bytes) -> None:
        """See `Store`."""
        path = self.folder / key
        try:
            with full_disk_is_a_run_error(self.folder):
                path.parent.mkdir(parents=True, exist_ok=True)
                with temporary_beside(path) as temporary:
                    with temporary.open("wb") as file:
                        file.write(content)
                        file.flush()
                        os.fsync(file.fileno())
                    temporary.rename(path)
                flush(path.parent)
        except OSError as error:
            raise RunError(f"{path}: cannot be written: {error.strerror or error}") from error

    def create(self, key: str, content: bytes) -> bool:
        """See `Store`."""
        path = self.folder / key
        with full_disk_is_a_run_error(self.folder):
            path.parent.mkdir(parents=True, exist_ok=True)
            with temporary_beside(path) as temporary:
                temporary.write_bytes(content)
                try:
                    os.link(temporary, path)
                except FileExistsError:
                    return False
        return True

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
    """A store in a folder of a file system that fsspec knows, by its URL.

    A failure of the server is a RunError.  A wrong URL or installation is an InputError.
    """

    url: str

    @property
    def fs(self) -> Any:
        """The file system object of fsspec."""
        return self._opened()[0]

    def path(self, key: str) -> str:
        """A file's path in the file system."""
        return f"{self._opened()[1].rstrip('/')}/{key}"

    def _opened(self) -> tuple[Any, str]:
        import fsspec

        try:
            opened: tuple[Any, str] = fsspec.core.url_to_fs(self.url)  # fsspec keeps one object for each set of options
        except ImportError as error:
            raise InputError(f"{self.url}: {error}; install it with: pip install 'corpusmill[s3]'") from None
        except ValueError as error:
            raise InputError(f"{self.url}: {error}") from None
        return opened

    def check(self) -> None:
        """InputError if there is no such bucket."""
        bucket = self.path("").lstrip("/").partition("/")[0]
        with self._failures():
            try:
                self.fs.info(bucket)
            except FileNotFoundError:
                raise InputError(f"{self.url}: there is no bucket '{bucket}'") from None
            except PermissionError:  # some users may read only a folder of a bucket
                return

    def entries(self, folder: str) -> dict[str, Entry]:
        """See `Store`."""
        path = self.path(folder)
        with self._failures():
            self.fs.invalidate_cache(path)
            try:
                found = self.fs.ls(path, detail=True)
            except (FileNotFoundError, NotADirectoryError):
                return {}
        return {str(i["name"]).rpartition("/")[2]: _remote_entry(i) for i in found if i["type"] == "file"}

    def folder_version(self, folder: str) -> str | None:
        """See `Store`: None, because there are no folders."""
        return None

    def entry(self, key: str) -> Entry | None:
        """See `Store`."""
        path = self.path(key)
        with self._failures():
            self.fs.invalidate_cache(path.rpartition("/")[0])
            try:
                return _remote_entry(self.fs.info(path))
            except FileNotFoundError:
                return None

    def read(self, key: str) -> bytes:
        """See `Store`."""
        with self._failures():
            return bytes(self.fs.cat_file(self.path(key)))

    def view(self, key: str) -> memoryview:
        """See `Store`: the whole file is read."""
        return memoryview(self.read(key))

    def read_range(self, key: str, begin: int, end: int) -> bytes:
        """See `Store`: one request."""
        with self._failures():
            return bytes(self.fs.cat_file(self.path(key), start=begin, end=end))

    def folders(self) -> list[str]:
        """See `Store`."""
        path = self.path("")
        with self._failures():
            self.fs.invalidate_cache(path.rstrip("/"))
            found = self.fs.ls(path, detail=True)
        return sorted(str(i["name"]).rstrip("/").rpartition("/")[2] for i in found if i["type"] == "directory")

    def write(self, key: str, content: bytes) -> None:
        """See `Store`: one PUT, or one upload in several pieces, which appears when all pieces are there."""
        with self._failures():
            self.fs.pipe_file(self.path(key), content)

    def create(self, key: str, content: bytes) -> bool:
        """See `Store`: a PUT with `If-None-Match: *`."""
        with self._failures():
            try:
                self.fs.pipe_file(self.path(key), content, mode="create")
            except FileExistsError:
                return False
        return True

    def delete(self, key: str) -> None:
        """See `Store`."""
        with self._failures(), suppress(FileNotFoundError):
            self.fs.rm_file(self.path(key))

    def clear_temporaries(self, folder: str) -> list[str]:
        """See `Store`: does nothing, because a PUT leaves no temporary files."""
        return []

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except (FileNotFoundError, NotADirectoryError, CorpusmillError):
            raise
        except Exception as error:  # each library has errors of its own, with no common class
            text = " ".join(str(error).split()) or type(error).__name__
            raise RunError(f"{self.url}: {text[:300]}; try the same command again") from error


def _entry(stat: os.stat_result) -> Entry:
    return Entry(stat.st_size, str(stat.st_mtime_ns))


def _remote_entry(info: dict[str, Any]) -> Entry:
    return Entry(info["size"], remote_stamp(info))


def remote_stamp(info: dict[str, Any]) -> str:
    """A value that changes with a file's content: a digest, else the time it was made, or "".

    `info` comes from fsspec.  A listing and the information on a single file give the same value.
    """
    for name in _STAMPS:
        stamp = info.get(name)
        if isinstance(stamp, datetime):
            return stamp.astimezone(UTC).isoformat(timespec="seconds")
        if stamp is not None:
            return str(stamp)
    return ""


_STAMPS = (
    *("ETag", "etag", "Content-MD5", "Digest", "md5Hash", "checksum"),
    *("Last-Modified", "LastModified", "mtime", "created"),
)


def is_url(place: str) -> bool:
    """Whether a place is the URL of a store, and not a path."""
    return "://" in place


def store_of(place: str) -> LocalStore | RemoteStore:
    """The store of a corpus, by its path or URL.  InputError if a corpus cannot be there."""
    try:
        place.encode()
    except UnicodeEncodeError:
        raise InputError(f"{place}: the path of a corpus must be UTF-8") from None
    if not is_url(place):
        return LocalStore(Path(place).absolute())
    scheme = place.partition("://")[0]
    if scheme not in REMOTE:
        raise InputError(f"{place}: a corpus is a folder or {' or '.join(f'{s}://BUCKET/FOLDER' for s in REMOTE)}")
    return RemoteStore(place.rstrip("/"))


def _is_temporary(name: str) -> bool:
    return name.startswith(".") and name.endswith(".tmp")


@contextmanager
def temporary_beside(final: Path) -> Iterator[Path]:
    """A unique name beside `final`.  The file is deleted at the end unless it was renamed."""
    temporary = final.with_name(f".{final.name}.{uuid.uuid4().hex}.tmp")
    try:
        yield temporary
    finally:
        with suppress(OSError):  # a read-only file system refuses to delete a file even if it does not exist
            temporary.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Write a file, or the renames in a folder, from the system's cache to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def full_disk_is_a_run_error(folder: object) -> Iterator[None]:
    """Report a full disk in one sentence, whatever was being written."""
    try:
        yield
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        raise RunError(
            f"{folder}: no space left to write ({error.strerror}); free some and run the same command again, "
            "it goes on where it stopped"
        ) from error
