"""What all hosts use: templates, lists of links, and random choices that are the same in every build."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from pathlib import Path
from random import Random
from string import Template
from typing import TypeVar

Item = TypeVar("Item")
EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
LOCAL_PARTS = ("ada", "ben", "carla", "dmitri", "ewa", "farid", "grace", "hiro", "ines", "jonas", "kemi", "lena")
TEMPLATES = Path(__file__).with_name("templates")


@cache
def _template(name: str) -> Template:
    return Template((TEMPLATES / name).read_text("utf-8"))


def fill(name: str, **values: str) -> str:
    """The template with its $placeholders replaced; KeyError if a value is missing."""
    return _template(name).substitute(values)


def links(targets: Iterable[tuple[str, str]], *, separator: str = "\n", item: str = "li") -> str:
    """A list of links from (URL, text not yet escaped), each in an element, or without one if `item` is empty."""
    before, after = (f"<{item}>", f"</{item}>") if item else ("", "")
    return separator.join(f'{before}<a href="{escape(url)}">{escape(text)}</a>{after}' for url, text in targets)


def without_addresses(text: str) -> str:
    """The text with invented e-mail addresses instead of its own.  The same address gets the same invented one."""

    def invented(match: re.Match[str]) -> str:
        digest = hashlib.blake2b(match[0].encode(), digest_size=2).digest()
        return f"{LOCAL_PARTS[digest[0] % len(LOCAL_PARTS)]}{digest[1]}@example.org"

    return EMAIL.sub(invented, text)


def one_of(random: Random, items: Sequence[Item]) -> Item:
    """One of `items`.  Only `Random.random` gives the same numbers in every version of Python."""
    return items[int(random.random() * len(items))]


def some_of(random: Random, items: Sequence[Item], count: int) -> list[Item]:
    """`count` different `items`, in random order."""
    return sorted(items, key=lambda _: random.random())[:count]
