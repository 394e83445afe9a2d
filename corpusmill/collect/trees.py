"""Trees of whole files, one record per file: HTML, Markdown and text."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from corpusmill.collect.files import UNREADABLE, Trace, open_binary
from corpusmill.collect.records import Record
from corpusmill.page import Media
from corpusmill.reasons import Status
from corpusmill.store import is_url

# a file that is not text may have this many times the bytes that a page may: pictures are most of them
FILE_PER_PAGE = 10


@dataclass(frozen=True, slots=True)
class TreeReader:
    """The records of a bucket of files; `offset` is always 0."""

    root: str
    paths: tuple[str, ...]
    media: Media
    max_page_bytes: int
    trace: Trace

    def __iter__(self) -> Iterator[Record]:
        for path in self.paths:
            yield self._read(path)

    def _read(self, path: str) -> Record:
        if self._leads_out(path):
            return Record.broken(path, 0, "a symbolic link that leads out of the source's folder")
        try:
            with open_binary(self.root, path, self.trace) as file:
                body = file.read(self.max_page_bytes + 1)
                size = file.seek(0, 2)
        except UNREADABLE as error:  # one unreadable file does not end the run; its row says why
            return Record.broken(path, 0, error.strerror or type(error).__name__)
        if len(body) > self.max_page_bytes:
            return Record(origin_path=path, offset=0, status=Status.TOO_LARGE, n_bytes=size)
        return Record(origin_path=path, offset=0, media=self.media, body=body, n_bytes=size)

    def _leads_out(self, path: str) -> bool:
        """Whether a link in the folder leads to a file elsewhere.  The folder may come from somebody else."""
        if is_url(self.root):
            return False
        root = Path(self.root).resolve()
        return not (root / path).resolve().is_relative_to(root)
