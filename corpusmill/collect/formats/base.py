"""The base class of formats."""

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
    """A slice that is being read: what the reader needs, and what it counts."""

    slice: Slice
    source: Any  # an object of the format's own `settings`
    max_page_bytes: int
    # by kind, the records that are not content: requests, blank lines, ...
    others: Counter[str] = field(default_factory=Counter)
    trace: Trace = field(default_factory=Trace)  # which bytes of which files were read


class Format(ABC):
    """A kind of source.  It is light to import: readers and their libraries are imported when they are called.

    kind: its name in recipes.
    settings: the model of a source of this kind.
    endings: endings of the files that are read in a folder, in lower case.  Empty: every file.
    advice: what to do if a folder has none of these files.
    in_buckets: whether one slice contains many small whole files.
    libraries: those whose versions determine the records.
    has_html: whether its records can be HTML, which the recipe's extractor turns into text.
    has_markup: whether they can be wikitext, or HTML that is content throughout: text or Markdown, by any extractor.
    """

    kind: str
    settings: type[Source] = Source
    endings: tuple[str, ...] = ()
    advice = ""
    in_buckets = False
    libraries: tuple[str, ...] = ()
    has_html = False
    has_markup = False

    def can_be_cut(self, path: str) -> bool:
        """Whether a reader can start in the middle of such a file."""
        return False

    def is_wanted(self, source: Any, path: str) -> bool:
        """Whether a file that the source's patterns match is read; its path is relative to the source's root."""
        return True

    def is_shared(self, path: str) -> bool:
        """Whether a file is no record, but says something of the files beside and below it.

        It becomes part of every slice that holds such files.  Only formats with `in_buckets` have such files.
        """
        return False

    def patterns(self, source: Any, corpus_folder: Path, folder: Path) -> list[str]:
        """Where the source's files are.  `folder` is the recipe's."""
        paths: list[str] = source.paths
        return paths

    def user_agents(self, source: Any) -> list[str]:
        """The names that requested the pages; opt-outs may be addressed to these names."""
        return []

    def identity(self, source: Any) -> object:
        """The part of the source's settings that determines the records."""
        return source.model_dump(mode="json", exclude={"paths", "weight"})

    def misfit(self, reading: Reading) -> str | None:
        """Why a file is not as the recipe says, such as a column for the text that it lacks; None if it is.

        It is asked before a run reads anything.  If it holds for all files of a source, the recipe is wrong.
        DamageError if the file cannot tell.
        """
        return None

    @abstractmethod
    def read(self, reading: Reading) -> "Iterator[Record]":
        """The content records of a slice, in the input's order.  Each is yielded exactly once.

        InputError if a file is missing.
        """
