"""The plan: sources cut into slices, the only place where work is divided."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Slice:
    """One piece of input, fixed by the plan; every stage makes one part of it.

    A gzip member, line, row group or WARC record belongs to the slice in which its first byte lies.
    """

    part: str  # name of its part in every stage
    source: str
    kind: str  # a crawl is planned as the WARC files that it wrote
    root: str  # folder or fsspec URL that `files` are relative to
    files: tuple[str, ...]  # one file; for trees of small files a bucket of whole ones
    start: int = 0  # byte range of that one file, as stored
    end: int | None = None  # None: to its end
    limit: int | None = None  # read at most so many content records
