"""Files that are read whole, many per slice, each of them one document or several.

A reader of a format is a function from a file's content to records.  Whatever it cannot read is a row with a reason.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from corpusmill.collect.files import Trace
from corpusmill.collect.records import EMPTY, DamageError, Record
from corpusmill.collect.trees import FILE_PER_PAGE, TreeReader
from corpusmill.reasons import Status

Convert = Callable[[str, bytes, int], Iterator[Record]]
"""(path, content, max_page_bytes) -> records; DamageError if the file cannot be read."""


@dataclass(frozen=True, slots=True)
class WholeFileReader:
    """The records of a bucket of files; `offset` is 0, and `number` the record's place in its file."""

    root: str
    paths: tuple[str, ...]
    max_page_bytes: int
    trace: Trace
    convert: Convert

    def __iter__(self) -> Iterator[Record]:
        files = TreeReader(self.root, self.paths, "content", FILE_PER_PAGE * self.max_page_bytes, self.trace)
        for file in files:
            if file.status is not Status.OK:
                yield file
            elif not file.body:
                yield Record.broken(file.origin_path, 0, EMPTY)
            else:
                yield from self._records(file.origin_path, file.body)

    def _records(self, path: str, content: bytes) -> Iterator[Record]:
        try:
            yield from self.convert(path, content, self.max_page_bytes)
        except DamageError as error:
            yield Record.broken(path, 0, str(error))
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001  # libraries raise many kinds; other files are not affected
            yield Record.broken(path, 0, f"the file cannot be read: {type(error).__name__}")
