"""Sources that users add: a function of the user yields mappings, and each mapping is a record.

`offset` is the record's number.  If the function raises an error, one broken record stands for the rest of that file.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from corpusmill.collect.columns import from_columns, moment_of
from corpusmill.collect.records import Record
from corpusmill.collect.settings import Columns
from corpusmill.credentials import masked
from corpusmill.extensions import raised
from corpusmill.reasons import Status

OWN = ("html", "fetched_at")  # keys that JSON lines have no column for


@dataclass(frozen=True, slots=True)
class UserReader:
    """The records of one file of a user's own kind of source."""

    read: Callable[..., Iterable[Mapping[str, Any]]]
    where: str  # path or URL of the file; the function opens it
    path: str
    options: Any  # a dictionary, or an object of the settings that the kind declares

    def __iter__(self) -> Iterator[Record]:
        rows: Iterator[Mapping[str, Any]] | None = None
        for number in count():
            try:
                rows = iter(self.read(self.where, self.options)) if rows is None else rows
                row = next(rows)
            except StopIteration:
                return
            except MemoryError:
                raise
            except Exception as error:  # noqa: BLE001  # the row records any error of the user's code
                what = masked(raised(error))  # it may contain the file's URL
                yield Record.broken(self.path, number, f"the source's reader raised {what}")
                return
            try:
                yield self._record(row, number)
            except MemoryError:
                raise
            except Exception as error:  # noqa: BLE001  # a mapping or a value of the user's code that raises
                yield Record.broken(
                    self.path, number, f"the source's reader yielded what raises {type(error).__name__}"
                )

    def _record(self, row: object, number: int) -> Record:
        if not isinstance(row, Mapping):
            return Record.broken(self.path, number, f"the source's reader yielded {type(row).__name__}, not a mapping")
        columns = Columns()
        others = {str(key): value for key, value in row.items() if key not in OWN}
        record = from_columns(others, columns, self.path, number)
        moment = moment_of(row.get("fetched_at"))
        if moment is None and row.get("fetched_at") is not None:  # not a time, so it stays in metadata
            record = replace(record, metadata={**record.metadata, "fetched_at": row["fetched_at"]})
        record = replace(record, fetched_at=record.fetched_at if moment is None else moment)
        html = row.get("html")
        if record.status is not Status.NO_TEXT_FIELD or not isinstance(html, str | bytes):
            return record
        body, charset = (html, None) if isinstance(html, bytes) else (html.encode("utf-8", "replace"), "utf-8")
        return replace(record, status=Status.OK, media="html", body=body, charset=charset, n_bytes=len(body))
