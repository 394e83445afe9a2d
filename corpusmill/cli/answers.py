"""What commands print: answers for people and for programs, a line that is renewed, a missing extra."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from corpusmill.errors import InputError
from corpusmill.terminal import fitted, json_of, printable

Answer = TypeVar("Answer")


def answer_with(answer: Answer, render: Callable[[Answer], str], as_json: bool) -> None:
    """Print an answer for programs, or as people read it."""
    if as_json:
        print(json(answer))
    else:
        say(render(answer))


def say(text: str) -> None:
    """Print what people read."""
    print(fitted(printable(text), sys.stdout))


def json(answer: object) -> str:
    """The answer as JSON; on a terminal, without characters that could overwrite it."""
    text = json_of(answer)
    return printable(text) if sys.stdout.isatty() else text


def renewed_line() -> Callable[[str, bool], None]:
    """A function of (line, whether it is the last), for standard error.

    On a terminal the line is replaced each time; elsewhere one line is printed every 5 s.
    """
    terminal, every = sys.stderr.isatty(), 0.2 if sys.stderr.isatty() else 5.0
    last = 0.0

    def show(line: str, ends: bool) -> None:
        nonlocal last
        if time.monotonic() - last >= every or ends:
            last = time.monotonic()
            print(f"\r\x1b[K{line}" if terminal else line, end="\n" if ends or not terminal else "", file=sys.stderr)

    return show


def folder_named(out: str, parent: Path) -> Path:
    """The folder of --out: a path, or a name in `parent`.  InputError if it names `parent` or what is above."""
    if out in ("", ".", ".."):
        raise InputError(f"--out '{out}' names no folder of its own; give a name, or a path")
    return Path(out) if "/" in out else parent / out


@contextmanager
def needs_the_extra(what: str, extra: str = "train") -> Iterator[None]:
    """InputError if a package of an extra is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise InputError(f"{what} needs '{error.name}'; install it with: pip install 'corpusmill[{extra}]'") from None
