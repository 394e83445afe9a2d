"""Parallel texts in TMX, as OPUS offers them: a record holds consecutive translation units, each in its languages.

A unit is found by its tags and read by expat on its own, without a document type.  The sentences of a unit are lines,
one per language in the file's order, and a blank line is between units.  Of several variants in one language the first
one is read, and `others` counts the rest, and units that lack a wanted language.  Codes of formats in a sentence (bpt,
ept, ph, it, ut) are left out.  `offset` is the first byte of the first unit, in the inflated content if the file is
compressed.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO
from xml.etree import ElementTree

from corpusmill.collect.documents.archive import Element, local_name
from corpusmill.collect.files import CHUNK
from corpusmill.collect.lines import inflated
from corpusmill.collect.records import DamageError, Record

_START = re.compile(rb"<tu(?=[\s>])")
_END = b"</tu>"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_CODES = frozenset(("bpt", "ept", "ph", "it", "ut"))
_ENCODING = re.compile(rb"""<\?xml[^>]{0,200}encoding\s*=\s*["']([\w.-]{1,40})""")


@dataclass(slots=True)
class _Units:
    """Units that become one record."""

    offset: int
    texts: list[str]
    languages: dict[str, None]
    size: int = 0


@dataclass(slots=True)
class TmxReader:
    """The records of one file."""

    file: BinaryIO
    path: str
    units_per_record: int
    languages: tuple[str, ...]  # the languages that are wanted, in order; empty: all of a unit
    max_page_bytes: int
    others: Counter[str]

    def __iter__(self) -> Iterator[Record]:
        units: _Units | None = None
        for offset, content, error in self._elements():
            found = _unit(content, self.others) if error is None else None
            if found is None:
                if units is not None:
                    yield self._record(units)
                    units = None
                yield Record.broken(self.path, offset, error or "the XML of the unit cannot be read")
                continue
            lines = self._wanted(found)
            if not lines:
                self.others["unit without a wanted language" if found else "unit without text"] += 1
                continue
            units = units or _Units(offset, [], {})
            units.texts.append("\n".join(lines.values()))
            units.languages |= dict.fromkeys(lines)
            units.size += len(content)
            if len(units.texts) == self.units_per_record or units.size > self.max_page_bytes // 2:
                yield self._record(units)
                units = None
        if units is not None:
            yield self._record(units)

    def _wanted(self, found: dict[str, str]) -> dict[str, str]:
        if not self.languages:
            return found
        wanted = {
            language: text
            for wanted in self.languages
            for language, text in found.items()
            if language.lower() == wanted.lower() or language.lower().partition("-")[0] == wanted.lower()
        }
        return wanted if len(wanted) >= len(self.languages) else {}

    def _record(self, units: _Units) -> Record:
        text = "\n\n".join(units.texts)
        return Record(
            origin_path=self.path,
            offset=units.offset,
            text=text,
            metadata={"languages": [*units.languages], "units": len(units.texts)},
            n_bytes=len(text.encode("utf-8", "replace")),
        )

    def _elements(self) -> Iterator[tuple[int, bytes, str | None]]:
        """(offset, content, error) of each unit, and of what cannot be read."""
        longest = self.max_page_bytes
        self.file.seek(0)
        file = inflated(self.file, self.path)
        buffer, base, at = b"", 0, 0
        is_tmx = is_whole = False
        try:
            while piece := file.read1(CHUNK):
                buffer = buffer[at:] + piece
                base, at = base + at, 0
                is_tmx = is_tmx or b"<tmx" in buffer
                if base == 0 and (declared := _ENCODING.match(buffer)) and declared[1].lower() not in _ASCII_ENCODINGS:
                    yield 0, b"", f"the encoding {declared[1].decode()} is not read; convert the file to UTF-8"
                    return
                while (start := _START.search(buffer, at)) is not None:
                    end = buffer.find(_END, start.end())
                    if end < 0:
                        at = start.start()
                        break
                    at = end + len(_END)
                    yield base + start.start(), buffer[start.start() : at], None
                else:
                    is_whole = b"</tmx>" in buffer[at:]
                    at = max(len(buffer) - len(b"</tmx>"), at)
                if len(buffer) - at > longest:
                    yield base + at, b"", "a unit is longer than a page may be"
                    at = len(buffer) - len(_END)
                    is_whole = False
        except DamageError as error:
            yield base + at, b"", f"{error}; nothing can be read from here on"
            return
        if not (base or buffer):
            yield 0, b"", "the file is empty"
        elif not is_tmx:
            yield 0, b"", "it is no TMX file: it has no <tmx>"
        elif not is_whole:
            yield base + at, b"", "the file is cut off: it has no </tmx>"


_ASCII_ENCODINGS = (b"utf-8", b"utf8", b"us-ascii", b"ascii")


def _unit(content: bytes, others: Counter[str]) -> dict[str, str] | None:
    """The sentences of a unit by language, None if its XML cannot be read.  Sentences that are left out are counted."""
    try:
        unit = ElementTree.fromstring(content)  # an element without a document type
    except ElementTree.ParseError:
        return None
    found: dict[str, str] = {}
    for variant in unit.iter("tuv"):
        language = variant.get(_LANG) or variant.get("lang") or "und"
        segment = variant.find("seg")
        text = " ".join("".join(_texts(segment)).split()) if segment is not None else ""
        if text and language in found:
            others["further variant of a language"] += 1
        elif text:
            found[language] = text
    return found


def _texts(element: Element) -> Iterator[str]:
    """The texts in an element without the codes of formats.  In a code, only <sub> is text: a footnote, a title."""
    stack = [(element, iter(element))]
    yield element.text or ""
    while stack:
        parent, children = stack[-1]
        child = next(children, None)
        if child is not None:
            if local_name(child) not in _CODES:
                yield child.text or ""
            stack.append((child, iter(child)))
            continue
        stack.pop()
        if stack and local_name(stack[-1][0]) not in _CODES:
            yield parent.tail or ""
