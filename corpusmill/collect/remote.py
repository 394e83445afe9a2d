"""Files by URL, through fsspec: how to list them, open them, and build their URLs.

A URL may be a chain.  `zip://*.jsonl::https://host/a.zip` means members of an archive.  `simplecache::https://...`
means a file that is cached on this machine.  Whatever follows the path (a query, the archive) stays at the end of the
URL of a file.

Readers seek to any place of a file.  Some web servers send no ranges of a file, or do not report its length.  Then the
whole file is fetched first, into a temporary file.  The same holds for an archive on such a server.

Every failure becomes an error of one sentence, because libraries raise errors of their own, with no class in common.
"""

import re
import tempfile
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from corpusmill.credentials import masked
from corpusmill.errors import CorpusmillError, InputError, RunError
from corpusmill.store import remote_stamp

BUFFER = 1 << 17  # bytes that are read ahead; fsspec's own cache combines these into few requests
LOOKS_AT_ONCE = 16  # files of a web server's listing whose sizes are asked for at the same time
MAX_REASON = 200  # characters

_LINK = re.compile(r"::(?![0-9A-Fa-f:.%]*\])")  # between two links of a chain; not inside an IPv6 address
_WEB = re.compile(r"(?:^|::)https?://$", re.IGNORECASE)


class Address(NamedTuple):
    """The parts of a URL."""

    path: str  # with scheme and host: `https://host/a`, `zip://a`, `simplecache::https://host/a`
    query: str  # of a web address: `?x=1`, or ""
    archive: str  # the archive that holds the path: `::https://host/a.zip`, or ""

    @classmethod
    def of(cls, url: str) -> "Address":
        """Split a URL into its parts."""
        first = url.index("://") + 3
        link = _LINK.search(url, first)
        end = link.start() if link else len(url)
        query = url.find("?", first, end) if _WEB.search(url, 0, first) else -1
        query = query if query >= 0 else end
        return cls(url[:query], url[query:end], url[end:])

    @property
    def wrappers(self) -> str:
        """The part before the scheme: `simplecache::`, or ""."""
        return self.path[: self.path.rfind("::", 0, self.path.index("://")) + 2] if "::" in self.path else ""

    @property
    def folder(self) -> str:
        """The path up to its last slash; after a host, without that slash."""
        top = self.path.index("://") + 3
        return self.path[: max(top, self.path.rfind("/"))]


def joined(folder: str, path: str) -> str:
    """The URL of the file `path` below a folder's URL."""
    address = Address.of(folder)
    top = "" if address.path.endswith("://") else "/"
    return f"{address.path.rstrip('/') if top else address.path}{top}{path}{address.query}{address.archive}"


def resolved(pattern: str, folder: Path) -> str:
    """A URL whose last link is absolute.  If that link is a local path, it is relative to `folder`."""
    links = _LINK.split(pattern)
    if links[-1].endswith("://"):
        raise InputError(f"'{pattern}': there is nothing after '://'")
    if "://" not in links[-1] and len(links) > 1:
        links[-1] = str(folder.absolute() / Path(links[-1]).expanduser())
    return "::".join(links)


def listing(pattern: str, *, only: tuple[str, ...]) -> tuple[str, dict[str, tuple[int | None, str]]]:
    """The URL under which a pattern's files are listed, and the files by URL: (size if it is known, stamp).

    only: endings of the files that count if the pattern names a whole folder; empty: all

    InputError if the files cannot be listed.
    """
    import fsspec

    with _sentences(pattern, "cannot be listed", InputError):
        fs, path = fsspec.core.url_to_fs(_reachable(pattern))
        in_folder = fs.isdir(path)
        entries = fs.find(path, detail=True) if in_folder else fs.glob(path, detail=True)
        infos = [info for name, info in sorted(entries.items()) if info["type"] == "file"]
        infos = [i for i in infos if not in_folder or not only or i["name"].lower().endswith(only)]
        infos = _with_sizes(fs, infos)
        _, _, archive = address = Address.of(pattern)
        container = _stamp_of_archive(archive) if archive else ""

        def url(name: str) -> str:
            return f"{address.wrappers}{fs.unstrip_protocol(name)}{archive}"

        return url(path).rstrip("/"), {url(i["name"]): (i["size"], _stamp(i, container)) for i in infos}


def can_be_entered(url: str) -> bool:
    """Whether a reader can start in the middle of a file.  InputError if its server does not answer."""
    import fsspec

    if Address.of(url).archive:
        return False
    with _sentences(url, "cannot be read", InputError):
        fs, path = fsspec.core.url_to_fs(url)
        return _gives_ranges(fs, path)


def open_remote(url: str) -> BinaryIO:
    """Open a file for reading at any offset.

    FileNotFoundError or PermissionError if it is missing or forbidden; RunError for any other failure, now or later.
    """
    import fsspec

    with _sentences(url, "cannot be read", RunError, passing=(FileNotFoundError, PermissionError)):
        fs, path = fsspec.core.url_to_fs(_reachable(url))
        if _gives_ranges(fs, path):
            return BufferedReader(_Remote(fs, path, url), BUFFER)
        whole = tempfile.TemporaryFile()  # noqa: SIM115  # the caller closes it
        fs.get_file(path, whole)
        whole.seek(0)
        return cast(BinaryIO, whole)


def read_range(url: str, start: int, n: int) -> bytes:
    """The bytes [start, start + n) of a file, or as many of them as it has, with one request.

    FileNotFoundError or PermissionError if it is missing or forbidden; RunError for any other failure.
    """
    import fsspec

    with _sentences(url, "cannot be read", RunError, passing=(FileNotFoundError, PermissionError)):
        fs, path = fsspec.core.url_to_fs(url)
        content: bytes = fs.cat_file(path, start=start, end=start + n)
        return content if len(content) <= n else content[start : start + n]  # some servers send all of it


class _Remote(RawIOBase):
    """A file of fsspec whose failures are RunErrors, because readers take other errors for damage in the content."""

    def __init__(self, fs: Any, path: str, url: str) -> None:
        self._file, self._url = fs.open(path, "rb"), url
        self._fs = fs  # keeps the file system alive: an archive is closed with its file system

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to an offset."""
        with _sentences(self._url, "cannot be read", RunError):
            self._file.seek(offset, whence)
            return int(self._file.tell())

    def tell(self) -> int:
        """Where the next read begins."""
        return int(self._file.tell())

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer completely or in part."""
        with _sentences(self._url, "cannot be read", RunError):
            content = self._file.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        """Close the file."""
        if not self.closed:
            self._file.close()
        super().close()


@contextmanager
def _sentences(
    url: str, what: str, kind: type[CorpusmillError], passing: tuple[type[Exception], ...] = ()
) -> Iterator[None]:
    """Report in one sentence what went wrong.  Errors of the kinds `passing` are left to the caller."""
    try:
        yield
    except ImportError as error:
        raise InputError(f"{url}: needs a library that is not installed: {_reason(error)}") from None
    except Exception as error:
        if isinstance(error, (CorpusmillError, *passing)):
            raise
        advice = "check the address" if kind is InputError else "the same command goes on where this one stopped"
        raise kind(f"{url}: {what} ({_reason(error)}); {advice}") from None


def _reason(error: Exception) -> str:
    words = masked(" ".join(str(error).split()))
    words = words if len(words) <= MAX_REASON else f"{words[:MAX_REASON]} ..."
    return words or type(error).__name__


def _reachable(url: str) -> str:
    """The URL with a cache before an archive, if the archive's web server sends no ranges."""
    import fsspec

    archive = Address.of(url).archive
    if not archive or not archive.lower().startswith(("::http://", "::https://")):
        return url
    fs, path = fsspec.core.url_to_fs(archive[2:])
    return url if _gives_ranges(fs, path) else f"{url.removesuffix(archive)}::simplecache{archive}"


def _stamp_of_archive(archive: str) -> str:
    import fsspec

    fs, path = fsspec.core.url_to_fs(archive[2:])
    info = fs.info(path)
    return f" {info.get('size')} {_known(remote_stamp(info))}"


def _stamp(info: dict[str, Any], container: str) -> str:
    return f"{info['size']}{container}" if container else f"{info['size']} {_known(remote_stamp(info))}"


def _known(stamp: str) -> str:
    """The stamp, or a new one if nothing is known, so that the file is read again."""
    return stamp or f"unknown {uuid.uuid4()}"


def _with_sizes(fs: Any, infos: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The files of a listing, with the sizes that it lacked; each is asked for.  A size may stay unknown."""
    if all(info.get("size") is not None for info in infos):
        return infos

    def look(info: dict[str, Any]) -> dict[str, Any]:
        return info if info.get("size") is not None else {"size": None, **fs.info(info["name"]), "name": info["name"]}

    with ThreadPoolExecutor(LOOKS_AT_ONCE) as pool:
        return list(pool.map(look, infos))


def _gives_ranges(fs: Any, path: str) -> bool:
    """Whether any place of a file can be read and its length is known."""
    from fsspec.asyn import sync
    from fsspec.implementations.http import HTTPFileSystem

    if not isinstance(fs, HTTPFileSystem):
        return True

    async def ask() -> bool:
        session = await fs.set_session()
        async with session.get(fs.encode_url(path), headers={"Range": "bytes=0-0"}) as response:
            return bool(response.status == 206)

    return bool(sync(fs.loop, ask)) and fs.info(path)["size"] is not None
