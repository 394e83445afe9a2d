"""What is written to a terminal: nothing that could write over it, whatever signs the terminal has."""

import sys
from io import TextIOWrapper


def printable(text: str) -> str:
    """Without control characters and overrides of direction, with which a page could write over the terminal.

    A replacement character stands for each; joiners of scripts stay.
    """
    return "".join(c if c.isprintable() or c in "\n\t\u200c\u200d" else "\ufffd" for c in text)


def one_line(text: str) -> str:
    """The same on one line."""
    return printable(" ".join(text.split()))


def write_any_sign() -> None:
    """Let standard output stand a character that the terminal has no sign for: '?' is shown for it."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
