"""Trees of source code: one record per file, with its programming language and its licence.

The licence is what the file says itself (`SPDX-License-Identifier: MIT`).  If it says nothing, it is that of the
nearest folder above with a file such as LICENSE or COPYING.  Its text is compared with phrases of well-known licences;
the result is an SPDX identifier.  The text of a GNU licence does not say whether later versions count, so they do not.
If no phrase is known, there is no licence, and the metadata name the file.

A Jupyter notebook is its Markdown and its code (`notebook.py`), and its language is that of its kernel.

Files with licences are no records.  Each of them is a part of every slice that holds files below it, so a changed
licence changes the rows that depend on it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from corpusmill.collect.files import Trace
from corpusmill.collect.languages import is_licence_file, language_of
from corpusmill.collect.notebook import notebook
from corpusmill.collect.records import EMPTY, DamageError, Record
from corpusmill.collect.trees import FILE_PER_PAGE, TreeReader
from corpusmill.reasons import Status

HEAD = 1 << 13  # bytes of a file that are searched for an identifier
NOTEBOOK = ".ipynb"
MAX_LICENCE = 1 << 18  # bytes
_SPDX = re.compile(rb"SPDX-License-Identifier:[ \t]*([A-Za-z0-9.+() -]{2,100})")

_PHRASES = (  # the first that fits counts
    ("Apache-2.0", ("apache license", "version 2.0, january 2004")),
    ("MPL-2.0", ("mozilla public license version 2.0",)),
    ("EPL-2.0", ("eclipse public license - v 2.0",)),
    ("AGPL-3.0-only", ("gnu affero general public license version 3",)),
    ("LGPL-3.0-only", ("gnu lesser general public license version 3",)),
    ("LGPL-2.1-only", ("gnu lesser general public license version 2.1",)),
    ("GPL-3.0-only", ("gnu general public license version 3",)),
    ("GPL-2.0-only", ("gnu general public license version 2",)),
    ("CC0-1.0", ("cc0 1.0 universal",)),
    ("CC-BY-SA-4.0", ("attribution-sharealike 4.0 international",)),
    ("CC-BY-4.0", ("attribution 4.0 international",)),
    ("BSL-1.0", ("boost software license - version 1.0",)),
    ("Unlicense", ("this is free and unencumbered software released into the public domain",)),
    ("Zlib", ("this software is provided 'as-is', without any express or implied warranty", "altered source versions")),
    ("BSD-3-Clause", ("redistribution and use in source and binary forms", "neither the name")),
    ("BSD-2-Clause", ("redistribution and use in source and binary forms",)),
    ("MIT", ("permission is hereby granted, free of charge", "the above copyright notice and this permission notice")),
    ("MIT-0", ("permission is hereby granted, free of charge, to any person obtaining a copy of this software",)),
    (
        "ISC",
        ("permission to use, copy, modify, and/or distribute this software for any purpose", "appear in all copies"),
    ),
    ("ISC", ("permission to use, copy, modify, and distribute this software for any purpose", "appear in all copies")),
    ("0BSD", ("permission to use, copy, modify, and/or distribute this software for any purpose",)),
)


@dataclass(frozen=True, slots=True)
class CodeReader:
    """The records of a bucket of files; `offset` is always 0."""

    root: str
    paths: tuple[str, ...]
    max_page_bytes: int
    trace: Trace

    def __iter__(self) -> Iterator[Record]:
        licences = {path.rpartition("/")[0]: path for path in reversed(self.paths) if is_licence_file(path)}
        known = {path: self._licence(path) for path in licences.values()}
        files = tuple(path for path in self.paths if not is_licence_file(path))
        for path in files:
            record = self._record(path)
            folder = record.origin_path.rpartition("/")[0]
            while folder and folder not in licences:
                folder = folder.rpartition("/")[0]
            file = licences.get(folder)
            said = _SPDX.search((record.body or (record.text or "")[:HEAD].encode("utf-8", "replace"))[:HEAD])
            metadata = {
                "programming_language": language_of(path),
                "licence_file": file,
                "repository": folder if file is not None else record.origin_path.partition("/")[0],
            }
            yield replace(
                record,
                licence=said[1].decode().strip() if said else known.get(file or ""),
                metadata={**{name: value for name, value in metadata.items() if value}, **record.metadata},
            )

    def _record(self, path: str) -> Record:
        """The record of a file, without language and licence."""
        if not path.lower().endswith(NOTEBOOK):
            (record,) = TreeReader(self.root, (path,), "text", self.max_page_bytes, self.trace)
            return record
        (file,) = TreeReader(self.root, (path,), "text", FILE_PER_PAGE * self.max_page_bytes, self.trace)
        return file if file.body is None else _notebook(file, file.body)

    def _licence(self, path: str) -> str | None:
        (record,) = TreeReader(self.root, (path,), "text", MAX_LICENCE, self.trace)
        return licence_of(record.body) if record.body is not None else None


def _notebook(file: Record, content: bytes) -> Record:
    """The record of a notebook.  Its outputs may be many times as large as its text."""
    try:
        if not content:
            raise DamageError(EMPTY)
        found = notebook(content)
    except DamageError as error:
        return Record.broken(file.origin_path, 0, str(error))
    metadata = {
        "programming_language": found.language,
        "raw_cells_left_out": found.n_left_out,
        "unreadable_cells": found.n_unreadable,
    }
    return replace(
        file,
        status=Status.OK if found.text else Status.NO_MAIN_CONTENT,
        media=None,
        body=None,
        text=found.text,
        metadata={name: value for name, value in metadata.items() if value},
        n_bytes=len(found.text.encode("utf-8", "replace")),
    )


def licence_of(content: bytes) -> str | None:
    """The SPDX identifier of a licence's text; None if it is not a well-known one."""
    text = " ".join(content.decode("utf-8", "replace").lower().replace(",  ", ", ").split())
    found = _SPDX.search(content)
    if found:
        return found[1].decode().strip()
    return next((name for name, phrases in _PHRASES if all(phrase in text for phrase in phrases)), None)
