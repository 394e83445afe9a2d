"""A slice: one piece of the input, as the plan fixes it; small enough to travel as an element of a pipeline."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from corpusmill.credentials import masked


@dataclass(frozen=True, kw_only=True, slots=True)
class Slice:
    """One piece of input, fixed by the plan; its records fill one part, or several.

    A gzip member, line, row group or WARC record belongs to the slice in which its first byte lies.
    """

    name: str  # of its first part in every stage
    source: str
    kind: str
    root: str  # folder or fsspec URL that `files` are relative to
    files: tuple[str, ...]  # one file; for trees of small files a bucket of whole ones
    start: int = 0  # byte range of that one file, as stored
    end: int | None = None  # None: to its end
    limit: int | None = None  # read at most so many content records
    stamp: str = ""  # sizes and times of the files, see `collect/identity.py`

    def to_json(self) -> dict[str, Any]:
        """For `plan.json`, which holds no credentials of URLs."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return values | {"files": list(self.files), "root": masked(self.root)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Slice":
        """What `to_json` wrote; it can be read from only if its root has no credentials."""
        return cls(**{**data, "files": tuple(data["files"])})
