"""Author and dates as they stand beside a page's title, for pages that declare none.

Looked at are the few blocks around the title, up to the first paragraph.  A date is one if the block is short; after a
word for "updated" it is the update's.  Several different dates are those of a list, and none of them is the page's.  An
author is what follows a word like "by", or the short text of an element whose class says author or byline; it has to
look like a name: few words, no digits.

On WCXB's development split it adds 119 dates, 108 of them right, and 90 authors, 84 of them right, beside 25 dates
and 15 authors of pages for which the gold has none.

Cost: 50 microseconds a page that needs it.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import zip_longest

from corpusmill.extract.metadata.authors import clean_authors
from corpusmill.extract.metadata.dates import iso_date
from corpusmill.extract.segments.attributes import CLASS, PRIME, SEED
from corpusmill.extract.segments.facts import Fact, Reader
from corpusmill.extract.segments.tables import Segments
from corpusmill.extract.segments.tags import name_key

BEFORE, AFTER = 4, 9  # blocks around the title
MAX_CHARS = 160  # of a block with a date or an author
MAX_NAME_CHARS, MAX_NAME_WORDS = 50, 5
MOST_DATES = 2
MAX_BY_CHARS = 16  # of a block that holds no more than the word for by
_BULLET = re.compile("[|•·]")
_DIGIT = re.compile(r"\d")
_UPDATED = re.compile(
    r"updat|modif|edited|revi[sz]|aktuali[sz]|geändert|mis à jour|aggiornat|atualizad|bijgewerkt|uppdaterad|opdateret"
    r"|oppdatert|päivitetty|обновл|оновлен|ενημ|güncel|更新|수정|تحديث|עודכן|แก้ไข|diperbarui|cập nhật",
    re.IGNORECASE,
)
_BY = re.compile(
    r"\s*(?:(?:written|posted|published|words|story|text|started|asked)\s+)?"
    r"(?:by|von|par|por|di|door|av|af|autor|автор|作者|文|撰文|记者|記者)(?:\s*[:：／/]\s*|\s+)(.+)",
    re.IGNORECASE,
)
_END_OF_NAME = re.compile(
    r"\s+(?:on|in|at|am|le|el|il|the|from|published|posted|updated|last)\s|[,\s]+[^\W\d]+\.?\s+\d|[|•·⋅●,(–—:/\d]|\s-\s"
)

_SMALL = "al and bin da de del den der di do dos du e el et ibn la le och of og the und van von y zu"
_PARTICLES = frozenset(_SMALL.split())


def _token(word: str) -> int:
    """The segmenter's hash of a word of a class or id."""
    mixed = ((name_key(word) ^ int(SEED[CLASS])) * int(PRIME)) & 0xFFFFFFFFFFFFFFFF
    return (((mixed ^ (mixed >> 32)) * int(PRIME)) & 0xFFFFFFFFFFFFFFFF) >> 32


_AUTHOR_WORDS = frozenset(map(_token, ("author", "authors", "byline", "autor", "auteur", "username", "writer")))


class Byline:
    """What stands beside the title in block `title`."""

    def __init__(self, segments: Segments, reader: Reader, title: int) -> None:
        self._segments = segments
        self._reader = reader
        self._near = slice(max(title - BEFORE, 0), title + 1 + AFTER)
        texts = reader.block_texts(self._near.start, self._near.stop)
        self._lines = [text for i, text in enumerate(texts, self._near.start) if len(text) <= MAX_CHARS and i != title]

    def dates(self, times: Iterable[Fact]) -> tuple[str | None, str | None]:
        """(published, updated); `times` are the page's <time> elements."""
        published: list[str] = list(self._declared(times))
        updated: list[str] = []
        for line in self._lines:
            digit = _DIGIT.search(line)
            if digit and (date := iso_date(line[:100])) and len(date) >= 10:
                (updated if _UPDATED.search(line, 0, digit.start()) else published).append(date)
        if len({date[:10] for date in published}) > MOST_DATES:
            return None, None
        return next(iter(published), None), next(iter(updated), None)

    def authors(self) -> tuple[str, ...]:
        """Names of persons."""
        return self._named() or self._classed()

    def _declared(self, times: Iterable[Fact]) -> Iterator[str]:
        """Dates of <time> elements in these blocks."""
        first_blocks = self._segments.nodes["first_block"]
        for fact in times:
            block = first_blocks.item(fact.node)
            if block >= self._near.stop:
                return
            if block >= self._near.start and (date := iso_date(self._reader.value(fact))) and len(date) >= 10:
                yield date

    def _named(self) -> tuple[str, ...]:
        """What follows a word for by."""
        for line, after in zip_longest(self._lines, self._lines[1:], fillvalue=""):
            parts = _BULLET.split(line)
            parts += [f"{line} {after}"] if len(line) <= MAX_BY_CHARS else []
            for by in filter(None, map(_BY.match, parts)):
                if names := _names(_END_OF_NAME.split(by[1] + " ")[0]):
                    return names
        return ()

    def _classed(self) -> tuple[str, ...]:
        """What the first element around one of the blocks shows whose class or id says that it is an author."""
        leaves = self._segments.blocks["leaf"][self._near].tolist()
        first, end = min(leaves), max(leaves) + 1
        firsts, ends = self._segments.nodes["first_token"], self._segments.nodes["end_token"]
        base = firsts.item(first)
        tokens = self._segments.tokens[base : ends.item(end - 1)].tolist()
        if _AUTHOR_WORDS.isdisjoint(tokens):
            return ()
        for node, start, stop in zip(
            range(first, end), firsts[first:end].tolist(), ends[first:end].tolist(), strict=True
        ):
            own = tokens[start - base : stop - base]
            if not _AUTHOR_WORDS.isdisjoint(own) and (names := _names(self._reader.first_line(node))):
                return names
        return ()


def _names(text: str) -> tuple[str, ...]:
    names = clean_authors([text]) if len(text) <= 2 * MAX_NAME_CHARS else ()
    return names if all(map(_is_name, names)) else ()


def _is_name(text: str) -> bool:
    """Few words, no digits, no small letters at the start of words, unless they are particles."""
    words = text.split()
    return (
        len(text) <= MAX_NAME_CHARS
        and len(words) <= MAX_NAME_WORDS
        and not any(map(str.isdigit, text))
        and not any(word[0].islower() and word not in _PARTICLES for word in words)
    )
