"""What a format is."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpusmill.collect.files import Trace
from corpusmill.collect.settings import Source
from corpusmill.collect.slices import Slice

if TYPE_CHECKING:
    from corpusmill.collect.records import Record


@dataclass(slots=True)
class Reading:
    """A slice that is being read: what the reader needs to know, and what it counts."""

    slice: Slice
    source: Any  # of the format's own `settings`
    max_page_bytes: int
    others: Counter[str] = field(default_factory=Counter)  # by kind, what is no content: requests, blank lines, ...
    trace: Trace = field(default_factory=Trace)  # which bytes of which files were read


class Format(ABC):
    """A kind of source.  Light to import: readers and their libraries are imported when they are called.

    kind: its name in recipes.
    settings: the model of a source of this kind.
    endings: of files that are found in a folder, in lower case.  Empty: every file.
    in_buckets: many whole small files make one slice together.
    libraries: those whose versions determine the records.
    has_html: whether its records can be HTML, which the recipe's extractor turns into text.
    """

    kind: str
    settings: type[Source] = Source
    endings: tuple[str, ...] = ()
    in_buckets = False
    libraries: tuple[str, ...] = ()
    has_html = False

    def can_be_cut(self, path: str) -> bool:
        """Whether a reader can start in the middle of such a file."""
        return False

    def patterns(self, source: Any, corpus_folder: Path) -> list[str]:
        """Where the source's files are."""
        paths: list[str] = source.paths
        return paths

    def user_agents(self, source: Any) -> list[str]:
        """The names under which the pages were asked for: opt-outs may be addressed to them."""
        return []

    def identity(self, source: Any) -> object:
        """What of the source's settings determines the records."""
        return source.model_dump(mode="json", exclude={"paths", "weight"})

    @abstractmethod
    def read(self, reading: Reading) -> "Iterator[Record]":
        """The content records of a slice, in the input's order; each is exactly one.

        InputError if a file is gone, or has not the columns that the recipe names.
        """
