"""Trees of whole files, one record each: HTML, Markdown and text."""

from collections.abc import Iterator
from dataclasses import dataclass

from corpusmill.collect.files import UNREADABLE, Trace, open_binary
from corpusmill.collect.records import Record
from corpusmill.page import Media
from corpusmill.reasons import Status


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
        try:
            with open_binary(self.root, path, self.trace) as file:
                body = file.read(self.max_page_bytes + 1)
                size = file.seek(0, 2)
        except UNREADABLE as error:  # one file of many is not worth the run; its row says what happened
            return Record.broken(path, 0, error.strerror or type(error).__name__)
        if len(body) > self.max_page_bytes:
            return Record(origin_path=path, offset=0, status=Status.TOO_LARGE, n_bytes=size)
        return Record(origin_path=path, offset=0, media=self.media, body=body, n_bytes=size)
