"""What is written to a terminal: nothing that could write over it, whatever signs the terminal has."""

import os
import sys
from io import TextIOWrapper
from pathlib import Path


def printable(text: str) -> str:
    """Without control characters and overrides of direction, with which a page could write over the terminal.

    A replacement character stands for each; joiners of scripts stay.
    """
    return "".join(c if c.isprintable() or c in "\n\t\u200c\u200d" else "\ufffd" for c in text)


def one_line(text: str) -> str:
    """The same on one line."""
    return printable(" ".join(text.split()))


def size(n: float) -> str:
    """A number of bytes in words: 812 bytes, 12.3 kB, 4.5 MB, 1,234.5 GB."""
    if n < 1000:
        return f"{n:,.0f} bytes"
    unit = "kB" if n < 1e6 else "MB" if n < 1e9 else "GB"
    return f"{n / {'kB': 1e3, 'MB': 1e6, 'GB': 1e9}[unit]:,.1f} {unit}"


def write_any_sign() -> None:
    """Let standard output stand a character that the terminal has no sign for: '?' is shown for it."""
    if sys.stdout is None:  # closed by whoever started this
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  # for as long as the process lives
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
