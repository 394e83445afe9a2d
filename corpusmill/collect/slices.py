"""A slice: one piece of the input, fixed by the plan.  It is small, so it can be an element of a pipeline."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from corpusmill.credentials import masked


@dataclass(frozen=True, kw_only=True, slots=True)
class Slice:
    """One piece of the input, fixed by the plan.  Its records fill one part or several.

    A gzip member, line, row group or WARC record belongs to the slice in which its first byte lies.
    """

    name: str  # of its first part, in every stage
    source: str
    kind: str
    root: str  # folder or fsspec URL that `files` are relative to
    files: tuple[str, ...]  # one file, or a bucket of whole small files
    start: int = 0  # byte range of the one file, as stored
    end: int | None = None  # None: to the end of the file
    limit: int | None = None  # read at most this many content records
    stamp: str = ""  # sizes and times of the files, see `collect/identity.py`

    def to_json(self) -> dict[str, Any]:
        """The slice for `plan.json`, without credentials in URLs."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return values | {"files": list(self.files), "root": masked(self.root)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Slice":
        """The slice that `to_json` wrote.  It can be read only if its root needs no credentials."""
        return cls(**{**data, "files": tuple(data["files"])})
