"""Names that become folders, and tables and columns in SQL: of stages, edits, signals and their columns."""

import re
from typing import Any

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def checked_name(text: Any) -> str:
    """The text itself.  ValueError unless it is a name: letters, digits, '_' and '-' of ASCII."""
    if not isinstance(text, str) or not _NAME.fullmatch(text):
        raise ValueError(f"'{text}' is no name; use letters, digits, '_' and '-'")
    return text


def identifier(text: str) -> str:
    """The text as an identifier of SQL, whatever it holds."""
    return '"' + text.replace('"', '""') + '"'
