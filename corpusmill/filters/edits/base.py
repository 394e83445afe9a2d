"""What a kind of edit is, and what an edit of a recipe is.

A kind has a module beside this one, which holds the settings of the kind.  It imports the code that does the work, and
the libraries of that code, only when texts are edited: the recipe reads settings in every command.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Self

from pydantic import Field

from corpusmill.settings import Name, Settings

if TYPE_CHECKING:
    import pyarrow as pa

    from corpusmill.schema import Column

NumberOfWords = Annotated[int, Field(ge=0)]


class EditSettings(Settings):
    """What all edits of a recipe have in common: a table of the list `[[edits]]`."""

    kind: str
    name: Name | None = None  # in the names of its counts; by default it is the kind

    @property
    def label(self) -> str:
        """The name of the edit in this recipe."""
        return self.name or self.kind

    def with_files(self, folder: Path) -> Self:
        """The same with what its files hold, which it then no longer needs; `folder`: where their paths start from.

        InputError if one cannot be read.
        """
        return self


class OwnEditSettings(EditSettings):
    """The place of an edit that a module of the user's registers."""


class Edited(NamedTuple):
    """Texts after an edit, and what the edit counted beside lines and characters, by the name of the count."""

    texts: "pa.Array"
    counts: "Mapping[str, pa.Array]"


def _no_counts(_: str) -> "tuple[Column, ...]":
    return ()


@dataclass(frozen=True, kw_only=True)
class EditKind:
    """One kind of edit.

    edit: (texts, settings) -> the texts after it; a null stays null.
    counts: by the name of an edit, the columns that it has beside the counts of lines and characters.
    """

    name: str
    version: int  # raised when the same texts and settings give other texts
    libraries: tuple[str, ...]  # whose versions determine the output
    settings: type[EditSettings]
    edit: "Callable[[pa.Array, Any], pa.Array | Edited]"
    counts: "Callable[[str], tuple[Column, ...]]" = _no_counts


@dataclass(frozen=True, kw_only=True)
class PlacedEdit:
    """One edit of a recipe, ready to run: texts (n) -> texts (n)."""

    name: str
    description: str
    version: int
    libraries: tuple[str, ...]
    settings: object  # what it depends on beside its version and its libraries
    edit: "Callable[[pa.Array], pa.Array | Edited]"
    more: "Callable[[], tuple[Column, ...]]" = field(default=lambda: ())

    @property
    def lines_column(self) -> str:
        """The name of its count of lines."""
        return f"edit_{self.name}_lines"

    @property
    def chars_column(self) -> str:
        """The name of its count of characters."""
        return f"edit_{self.name}_chars"

    def count_names(self) -> tuple[str, ...]:
        """The names of its counts; pyarrow is needed only if it has others than lines and characters."""
        return (self.lines_column, self.chars_column, *(column.name for column in self.more()))

    def columns(self) -> "tuple[Column, ...]":
        """What it counts for each page, in the table texts."""
        import pyarrow as pa

        from corpusmill.schema import Column

        lines = f"number of lines that the edit {self.name} removed or changed ({self.description})"
        chars = f"number of characters by which the edit {self.name} made the text shorter; negative if longer"
        return (
            Column(self.lines_column, pa.int64(), lines),
            Column(self.chars_column, pa.int64(), chars),
            *self.more(),
        )
