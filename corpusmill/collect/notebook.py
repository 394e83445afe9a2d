"""Jupyter notebooks as text: the Markdown cells as they are, the code cells as fenced code; outputs are left out.

The language is that of the kernel.  Versions 3 and 4 of the format are read
(https://nbformat.readthedocs.io/en/latest/format_description.html).  Raw cells are meant for programs that convert
notebooks, and are left out and counted.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from corpusmill.collect.languages import LANGUAGES
from corpusmill.collect.lines import MAX_VALUES, has_too_many_values
from corpusmill.collect.records import DamageError

_NAMES = {name.lower(): name for name in LANGUAGES.values()}
_FENCE = re.compile(r"^[ \t]*(`{3,})", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Notebook:
    """What is read of a notebook."""

    text: str
    language: str | None  # the programming language of its kernel
    n_left_out: int  # raw cells
    n_unreadable: int  # cells without a source


def notebook(content: bytes) -> Notebook:
    """The notebook in a file; DamageError if it is none."""
    if has_too_many_values(content):
        raise DamageError(f"the notebook has more than {MAX_VALUES:,} values")
    try:
        said = json.loads(content)
    except (ValueError, RecursionError):
        raise DamageError("the notebook is no JSON, or damaged") from None
    cells = _cells(said)
    if cells is None:
        raise DamageError("it is no notebook: it has no cells")
    language = _language(said, cells)
    texts: list[str] = []
    n_left_out = n_unreadable = 0
    for cell in cells:
        kind, source = _source(cell)
        if source is None:
            n_unreadable += 1
        elif kind not in ("code", "markdown", "heading"):
            n_left_out += 1
        elif text := source.strip("\n").rstrip():
            texts.append(_fenced(text, language) if kind == "code" else text)
    return Notebook("\n\n".join(texts), language, n_left_out, n_unreadable)


def _cells(said: Any) -> list[Any] | None:
    """The cells; version 3 has them in worksheets."""
    if not isinstance(said, dict):
        return None
    if isinstance(said.get("cells"), list):
        return list(said["cells"])
    sheets = said.get("worksheets")
    if not isinstance(sheets, list):
        return None
    return [cell for sheet in sheets for cell in (_cells(sheet) or [])]


def _source(cell: Any) -> tuple[str, str | None]:
    """The type of a cell and its text, None if it has none."""
    if not isinstance(cell, dict):
        return "", None
    kind = str(cell.get("cell_type"))
    source = cell.get("source", cell.get("input"))  # version 3 calls that of code its input
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        return kind, None
    level = cell.get("level")
    if kind == "heading" and isinstance(level, int) and 0 < level < 7:  # of version 3
        source = f"{'#' * level} {source}"
    return kind, source


def _language(said: dict[str, Any], cells: list[Any]) -> str | None:
    """The language that the kernel's metadata name, or that of the first cell that names one, as in version 3."""
    metadata = said.get("metadata")
    about = metadata if isinstance(metadata, dict) else {}
    info, kernel = about.get("language_info"), about.get("kernelspec")
    for each, key in ((info, "name"), (kernel, "language"), *((cell, "language") for cell in cells)):
        if isinstance(each, dict) and isinstance(name := each.get(key), str) and name.strip():
            return _NAMES.get(name.strip().lower(), name.strip())
    return None


def _fenced(code: str, language: str | None) -> str:
    longest = max((len(found[1]) for found in _FENCE.finditer(code)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{(language or '').lower()}\n{code}\n{fence}"
