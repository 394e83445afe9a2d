"""Text for a terminal: it cannot overwrite the terminal, and can be written in any encoding."""

import json
import os
import re
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import asdict, is_dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TextIO


def printable(text: str) -> str:
    """The text without control characters and direction overrides, which a page could use to overwrite the terminal.

    Each is replaced by a replacement character.  Joiners of scripts stay.
    """
    return "".join(c if c.isprintable() or c in "\n\t\u200c\u200d" else "\ufffd" for c in text)


def visible(text: str) -> str:
    """The text with a name such as <U+200B> for each character that nobody can see, but spaces, tabs and newlines."""
    return "".join(c if c.isprintable() or c in "\n\t" else f"<U+{ord(c):04X}>" for c in text)


def one_line(text: str) -> str:
    """The printable text on one line."""
    return printable(" ".join(text.split()))


def json_of(answer: object) -> str:
    """An answer as JSON, for programs.  Objects of data classes, also in lists, are JSON objects."""
    return json.dumps(answer, ensure_ascii=False, default=_plain, indent=1)


def _plain(value: Any) -> object:
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else str(value)


def fitted(text: str, stream: TextIO) -> str:
    """The text.  If `stream` is a terminal, lines that are too long for it are broken between words."""
    try:
        columns = os.get_terminal_size(stream.fileno()).columns if stream.isatty() else 0
    except OSError:
        columns = 0
    return text if columns < 20 else "\n".join(part for line in text.split("\n") for part in broken(line, columns))


def broken(line: str, columns: int) -> Iterator[str]:
    """A line in pieces of at most `columns`.

    Two spaces or more divide columns of a table.  Further pieces stand under the last column that begins in the left
    half of the terminal.
    """
    starts = [found.end() for found in re.finditer(r"^\s+|\S\s{2,}(?=\S)", line)]
    indent = " " * max((start for start in starts if start <= columns // 2), default=0)
    piece, used = "", 0
    for word in re.findall(r"\s*\S+|\s+$", line):
        width = _columns(word)
        if used + width > columns and piece.strip():
            yield piece
            word = word.lstrip()
            piece, used, width = indent, len(indent), _columns(word)
        while used + width > columns:  # a word that is longer than a line, or text without spaces
            fits = _characters_within(word, columns - used)
            yield piece + word[:fits]
            word = word[fits:]
            piece, used, width = indent, len(indent), _columns(word)
        piece, used = piece + word, used + width
    yield piece


def _columns(text: str) -> int:
    """The number of columns that the text takes: two for a wide character, none for a combining mark."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else not unicodedata.combining(c) for c in text)


def _characters_within(text: str, columns: int) -> int:
    """The number of characters from the start of the text that fit, at least one."""
    used = 0
    for place, character in enumerate(text):
        used += _columns(character)
        if used > columns:
            return max(place, 1)
    return len(text)


def counted(n: int, noun: str) -> str:
    """A number with its noun: 1 file, 2,000 files."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def size(n: float) -> str:
    """A number of bytes as text: 812 bytes, 12.3 kB, 4.5 MB, 1,234.5 GB."""
    if n < 1000:
        return f"{n:,.0f} bytes"
    unit = "kB" if n < 1e6 else "MB" if n < 1e9 else "GB"
    return f"{n / {'kB': 1e3, 'MB': 1e6, 'GB': 1e9}[unit]:,.1f} {unit}"


def write_any_sign() -> None:
    """Make standard output accept every character.  A character that the terminal's encoding lacks becomes '?'."""
    if sys.stdout is None:  # the process that started this one has closed it
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  # open until the process ends
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
