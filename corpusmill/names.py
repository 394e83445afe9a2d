"""Names that become folders, and tables and columns in SQL: names of stages, edits, signals and their columns."""

import difflib
import re
from collections.abc import Sequence
from typing import Any

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def checked_name(text: Any) -> str:
    """The text unchanged.  ValueError unless it is a name: ASCII letters, digits, '_' and '-'."""
    if not isinstance(text, str) or not _NAME.fullmatch(text):
        raise ValueError(f"'{text}' is not a valid name; use letters, digits, '_' and '-'")
    return text


def did_you_mean(name: str, names: Sequence[str]) -> str:
    """The name among those that is closest to a wrong one, as a part of a sentence; empty if none is close."""
    close = difflib.get_close_matches(name, names, 1)
    return f"did you mean '{close[0]}'? " if close else ""


def literal(text: str) -> str:
    """The text as a string of SQL, whatever it holds."""
    return "'" + text.replace("'", "''") + "'"


def identifier(text: str) -> str:
    """The text as an identifier of SQL, for any text."""
    return '"' + text.replace('"', '""') + '"'
