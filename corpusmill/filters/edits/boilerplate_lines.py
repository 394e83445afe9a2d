"""Edit `boilerplate_lines`: remove lines that the user knows, by their text or by a pattern.

Patterns are of RE2, whose time is linear in the size of the text whatever the pattern is.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from corpusmill.errors import InputError
from corpusmill.filters.edits.base import EditSettings


class BoilerplateLines(EditSettings):
    """Settings of `boilerplate_lines`."""

    kind: Literal["boilerplate_lines"] = "boilerplate_lines"
    path: str | None = None  # of a file with a line of text per line, relative to the recipe
    lines: list[str] = []
    patterns: list[Annotated[str, Field(min_length=1)]] = []  # of RE2; one that matches the whole line
    ignore_case: bool = False
    keep_blocks: bool = True  # leave fenced code and tables of Markdown alone

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if self.path is None and not self.lines and not self.patterns:
            raise ValueError("an edit of kind boilerplate_lines needs path, lines or patterns")
        for pattern in self.patterns:
            _check(pattern)
        return self

    def with_files(self, folder: Path) -> Self:
        """The same with the lines of the file."""
        if self.path is None:
            return self
        path = folder / self.path
        try:
            read = path.read_text("utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise InputError(f"recipe: edit '{self.label}': cannot read {path}: {why}") from None
        lines = dict.fromkeys([*self.lines, *(line.strip() for line in read if line.strip())])
        return self.model_copy(update={"path": None, "lines": list(lines)})


def _check(pattern: str) -> None:
    """ValueError unless it is a pattern of RE2."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        pc.match_substring_regex(pa.array([""]), f"^(?:{pattern})$")
    except pa.ArrowInvalid as error:
        raise ValueError(f"patterns: '{pattern}' is no pattern of RE2: {error}") from None
