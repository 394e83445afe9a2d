"""Edit `white_space`: one form of line breaks, blanks and blank lines; the indentation of lines stays."""

from typing import Annotated, Literal

from pydantic import Field

from corpusmill.filters.edits.base import EditSettings


class WhiteSpace(EditSettings):
    """Settings of `white_space`."""

    kind: Literal["white_space"] = "white_space"
    line_breaks: bool = True  # every kind of line break becomes a newline
    spaces: bool = True  # non-breaking and typographic spaces become spaces
    trailing: bool = True  # remove white space at the end of lines
    max_blank_lines: Annotated[int, Field(ge=0)] = 1  # in a row
