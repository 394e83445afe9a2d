"""The list of removals: what was taken down from a corpus, and stays away in every later run.

`removals.json` has the entries in the order in which they were added.  It is an input of a run, like the recipe.  An
entry names one document (doc_id), one URL, or a host with all hosts below it.  The list holds no URL: a URL often has
the title of its page, so it is kept as a hash, with its host in clear.

An entry's *id* is a hash of its kind and value.  The row of a removed page holds the id of the first entry that names
the page.  The list's *digest* is a hash of all ids in order; it is empty for an empty list.  Receipts of page parts say
which list was applied to them.  So whether a part follows the present list is known without reading the part.
"""

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

from corpusmill.corpus import Corpus, digest
from corpusmill.errors import InputError

FILE = "removals.json"
DOC_ID = re.compile("[0-9a-f]{24}")
_ID = 16  # hexadecimal digits


class Kind(StrEnum):
    """What an entry names."""

    DOC_ID = "doc_id"
    URL = "url"
    HOST = "host"


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One entry of the list."""

    kind: Kind
    value: str  # the doc_id, the host, or the hash of the URL
    host: str | None = None  # of a URL
    added: str  # when, in UTC (ISO 8601)
    reason: str = ""

    @property
    def id(self) -> str:
        """16 hexadecimal digits, the same for the same kind and value."""
        return digest(self.kind, self.value)[:_ID]


@dataclass(frozen=True)
class Removals:
    """The list, in the order in which entries were added; no two have the same id."""

    entries: tuple[Entry, ...] = ()

    @cached_property
    def ids(self) -> list[str]:
        """The entries' ids, in order."""
        return [entry.id for entry in self.entries]

    @cached_property
    def digest(self) -> str:
        """Of the ids in order; empty for an empty list."""
        return digest(self.ids) if self.entries else ""

    def plus(self, entries: Iterable[Entry]) -> "Removals":
        """The list with more entries at its end.  What it has already stays as it is."""
        found = dict(zip(self.ids, self.entries, strict=True))
        for entry in entries:
            found.setdefault(entry.id, entry)
        return Removals(tuple(found.values()))

    def minus(self, entries: Iterable[Entry]) -> "Removals":
        """The list without the entries of these kinds and values."""
        gone = {entry.id for entry in entries}
        return Removals(tuple(entry for entry in self.entries if entry.id not in gone))


def read_removals(corpus: Corpus) -> Removals:
    """A corpus's list; empty if it has none.  InputError if the file is damaged, because it must not be passed over."""
    if corpus.store.entry(FILE) is None:
        return Removals()
    data = corpus.read_json(FILE) or {}
    try:
        return Removals().plus([_entry(each) for each in data["removals"]])
    except (KeyError, TypeError, ValueError):
        raise InputError(
            f"{corpus.place}/{FILE}: is damaged, and a run without it could bring back what was removed; "
            "restore it from a copy, for example of another corpus with the same list"
        ) from None


def _entry(data: dict[str, Any]) -> Entry:
    entry = Entry(**{**data, "kind": Kind(data["kind"])})
    texts = [value for field in fields(Entry) if (value := getattr(entry, field.name)) is not None]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("an entry")
    datetime.fromisoformat(entry.added)
    return entry


def write_removals(corpus: Corpus, removals: Removals) -> None:
    """Write the list."""
    corpus.write_json(FILE, {"removals": [asdict(entry) for entry in removals.entries]})
