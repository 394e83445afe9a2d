"""The author and the dates that stand beside a page's title, for pages that do not declare them.

Only a few blocks around the title are read, up to the first paragraph.  Menus, comments, quotations, captions and lists
of other pages do not count.

- A date counts if its block is short and not a sentence about something else.  The words before it say what it is: the
  date of the publication, of an update, or of something else (an event, a birthday, the present day).  If all dates of
  a line have such words after them, those words count.  A label can be in the block before.  If there are several
  different dates without labels, they belong to a list, and none of them is the page's date.
- An author is the text after a word like "by" or "author:", or the short text of an element whose class says author or
  byline.  The text must look like a name: few words, no digits.  An element that contains the title does not count.

On WCXB's development split it adds 119 dates, of which 108 are right, and 90 authors, of which 84 are right.  It also
adds 25 dates and 15 authors to pages for which the gold has none.

Cost: 50 microseconds per page that needs it.
"""

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence, Set
from enum import IntEnum
from functools import cache
from itertools import zip_longest

from corpusmill.extract.metadata.authors import (
    LABEL,
    LABEL_OF_IDEOGRAPHS,
    PREPOSITION,
    TITLE_AFTER,
    WORK,
    clean_authors,
    is_east_asian_name,
    is_full_name,
    is_job,
    is_name,
)
from corpusmill.extract.metadata.dates import dates_in, is_month, iso_date, without_dots
from corpusmill.extract.segments.attributes import class_token
from corpusmill.extract.segments.facts import Fact, Reader
from corpusmill.extract.segments.tables import BIT, Segments
from corpusmill.extract.segments.tags import TAG

BEFORE, AFTER = 4, 9  # blocks around the title
MAX_CHARS = 160  # of a block with a date or an author
MAX_NAMES_CHARS = 200  # of a list of names
MAX_PARENTS = 8  # elements around an author that are looked at
MAX_WORDS_OF_ONE = 3  # a text with more of them can be the names of two persons
MAX_INNER = 12  # elements in an element for authors
MOST_DATES = 2
MAX_TIMES = 20  # elements for times that are looked at
MAX_OTHER_WORDS = 7  # beside a date, in a line that is no sentence
MAX_LABEL_CHARS = 24  # of a block that contains only the word for "by", or what a date is
MAX_CLOCK_CHARS = 10  # between the last digit of a date and a word for "by" after it, as in " a.m. EST"
MAX_TAIL_CHARS = 24  # after a date, of the word that says what it is
_BULLET = re.compile("[|•·⋅●]")
_DIGIT = re.compile(r"\d")
_SENTENCE = re.compile(r"[.!?。！？]\s*$")
_UPDATED = re.compile(
    r"updat|modif|edited|reviewed|revi[sz]|a[ck]tuali[sz]|geändert|\bstand\b|mise? à jour|aggiornat|atualizad"
    r"|bijgewerkt|uppdaterad|opdateret|oppdatert|päivitetty|обновл|оновлен|изменен|ενημ|güncel|更新|修改|수정|تحديث|עודכן|แก้ไข"
    r"|diperbarui|cập nhật|zaktualizowano",
    re.IGNORECASE,
)
_PUBLISHED = re.compile(
    r"publi|started|posted|post(?:ed)?\s+on|veröffentlich|erstellt|créé|mise? en ligne|pubblicat|inserito"
    r"|gepubliceerd|geplaatst|publicer|opublikowan|dodano|опубликов|δημοσι|発行|公開|掲載|投稿|发布|發布|发表|입력|작성|등록|نشر"
    r"|yayın|đăng|เผยแพร่",
    re.IGNORECASE,
)
_A_DATE = re.compile(r"\bdate\b|\bdatum\b|\bfecha\b|\bdata\b|дата|時間|时间|日期|日付|날짜|التاريخ", re.IGNORECASE)
_OF_ELSE = re.compile(  # words before the dates of other things
    r"(?:\b(?:events?|when|open(?:s|ing)|born|birth(?:day|date)?|copyright|deadline|apply|applications?|valid|until|till"
    r"|expir(?:es|y|ed|ation)|since|joined|member|release\s+date|retrieved|accessed|today|starts|starting|begins?|ends?"
    r"|meeting|visit(?:ed)?|due|closing|register|registration|died|founded|established|takes\s+place|season"
    r"|heute|termin|veranstaltung(?:en)?|geboren|geburtsdatum|gültig|bis|seit|ab|beginn|ende|anmeldeschluss|gestorben|eröffnung"
    r"|née?|naissance|événements?|évènements?|depuis|jusqu|décès|aujourd|nacid[oa]|nacimiento|eventos?|hoy|desde|hasta"
    r"|nascid[oa]|nascimento|hoje|nat[oa]|nascita|oggi|geboren|geboortedatum|vandaag|born)\b|[©†*]"
    r"|сегодня|рожд|родил|событи|мероприят|до|活动|活動|举办|舉辦|举行|开幕|截止|截至|今天|今日|生年月日|出生|生日|開催|生まれ|締切|イベント|行事"
    r"|행사|생년|생일|마감|오늘|개최|ميلاد|اليوم|مواليد"
    r"|\b(?:version|phone|tel|fax|isbn|issn|price|no|nr)\b[\d\s:.+-]*$|\d\s?[-–—~]\s?$)",
    re.IGNORECASE,
)
_OF_ELSE_PROPERTY = re.compile(rb"birth|death|start|end|comment|founding|valid|expires")
_PLACE = re.compile(
    r"\b(?:place|venue|location|where|ort|lieu|lugar|luogo|место)\s*:|(?:地点|地點|場所|会場|장소)\s*[:：]",
    re.IGNORECASE,
)
_TO = re.compile(r"\s*(?:[-–—→~〜～]|to|till|until|through|bis|au|al|a|до|по|至|到|から|부터)\s*", re.IGNORECASE)
_LETTER = re.compile(r"[^\W\d_]")
_EDGES_OF_PIECE = re.compile(r"[|•·⋅●]|[.;]\s")
_BY = re.compile(
    rf"\s*(?:(?:(?:{WORK})\s+)?(?P<by>{PREPOSITION})(?:\s*[:：]\s*|\s+)|(?:{WORK})\s+(?:da|de|di|von|van)\s+"
    rf"|(?:{LABEL})\s*[:：]\s*|(?P<cjk>{LABEL_OF_IDEOGRAPHS})(?:\s*[:：／/=＝・]\s*|\s+|(?<=[者])(?=[一-鿿]))|كتبت?\s+"
    r"|(?:authors?|autor(?:in|en)?|auteurs?|autore|автор[ыи]?)(?:\s+(?=\S+\s+\S)|(?-i:(?=[A-ZА-Я][a-zа-я]))))(?P<name>.+)",
    re.IGNORECASE,
)
_WORDS = re.findall(r"[^\W\d_]+", f"{WORK}|{PREPOSITION}|{LABEL}|{LABEL_OF_IDEOGRAPHS}".lower())
_BEGINNINGS = frozenset(word[: 4 if word.isascii() else 2] for word in [*_WORDS, "ein"])  # of words for "by"
_IDEOGRAPHS = frozenset(word for word in _BEGINNINGS if len(word) == 1 and word > "\u2fff")
_LABEL_ONLY = re.compile(
    rf"\s*(?:(?:(?:{WORK})\s+)?(?:{PREPOSITION})|{LABEL}|{LABEL_OF_IDEOGRAPHS})\s*[:：]?\s*", re.IGNORECASE
)
_WORD_OF_LABEL = re.compile(r"[^\s:：,;，；]++(?=\s?[:：])")
_INSIDE = re.compile(r"\s(?=(?:by|von|p[ao]r|door|a[vf])\s)", re.IGNORECASE)  # follows a date: "3 May 2024 by Jane Doe"
_REPORTERS = re.compile(
    r"(?:^|[\s=\]】)）>,])((?:[가-힣]{2,4}\s?[,·]\s?){0,5}[가-힣]{2,4})\s?(?:기자|특파원)(?=$|[\s,·=/|(\[<]|\d|[a-zA-Z])"
)
_END_OF_NAME = re.compile(
    r"\s+(?:on|in|at|am|le|el|il|the|from|of|for|via|dans|em|nel|alle|om|op|den|published|posted|updated|last|filed"
    r"|categor(?:y|ies)|tags?|tagged|leave|comments?|share|follow|read|print|views?|publi[ée]e?|publicad[oa]|veröffentlicht"
    r"|aktualisiert|erstellt|pubblicato|aggiornato|gepubliceerd|publicerad|publisert|опубликовано|обновлено|mis|photos?"
    r"|photography|fotos?|фото|listen|subscribe|save|copy|email|reviewed|edited|created|modified|added)(?:\s|$)"
    r"|[,.;]?\s+[^\s,:：]{1,14}\s?[:：]|\s+[^\s,/／]{1,6}[/／]\S|[|•⋅●(<–—:：\d]|\s\S{0,40}@|(?<![가-힣])·|\s-\s|／|/(?=\S)|\s/\s",
    re.IGNORECASE,
)
_IN_SPANISH = re.compile(r"\s+en\s", re.IGNORECASE)
_LAST_WORD = re.compile(r"[,\s]*([^\W\d]+)\.?\s*$")

_AUTHOR_WORDS = frozenset(map(class_token, ("author", "authors", "byline", "autor", "auteur", "username", "writer")))
_OTHERS = (  # words of elements with names of readers and users, or with other pages
    "comment comments reply replies respond menu nav navigation login account sidebar related tooltip popular latest "
    "recent trending commentlist breadcrumb breadcrumbs pullquote testimonial caption credit"
)
OTHERS_WORDS = frozenset(map(class_token, _OTHERS.split()))
_OTHER_DAYS = "clock today countdown event events vevent dtstart dtend birthday birthdate bday weather deadline"
_OTHER_DAYS_WORDS = OTHERS_WORDS | frozenset(map(class_token, _OTHER_DAYS.split()))
_TODAY = frozenset(map(class_token, ("current", "date")))
_HEADER = BIT["header"]
_UPDATED_WORDS = frozenset(map(class_token, ("updated", "modified", "update", "datemodified")))
_ELSEWHERE = BIT["nav"] | BIT["figure"] | BIT["caption"] | BIT["quote"] | BIT["dialog"]
_PARTS_OF_NAMES = frozenset((TAG["a"], TAG["li"]))
_ADDRESS = TAG["address"]


class _Day(IntEnum):
    """What a date is, by its label."""

    UNKNOWN = 0
    PUBLISHED = 1
    UPDATED = 2
    OF_ELSE = 3


class Byline:
    """The text beside the title.

    title: the block that the title is in
    sites: names of the site, as `titles.squeezed` writes them
    day_first: as in `dates.iso_date`
    """

    def __init__(
        self, segments: Segments, reader: Reader, title: int, sites: Collection[str], day_first: bool | None
    ) -> None:
        self._segments = segments
        self._reader = reader
        self._title = title
        self._sites = sites
        self._foreign: Set[int] = frozenset()
        self._passed: set[int] = set()  # blocks with dates of other things
        self._day_first = day_first
        self._near = slice(max(title - BEFORE, 0), title + 1 + AFTER)
        texts = reader.block_texts(self._near.start, self._near.stop)
        self._lines = [
            (i, text) for i, text in enumerate(texts, self._near.start) if len(text) <= MAX_CHARS and i != title
        ]

    def dates(self, times: Iterable[Fact], items: Sequence[Fact], foreign: Set[int]) -> tuple[str | None, str | None]:
        """(published, updated).

        times: the page's <time> elements
        items: the page's properties in microdata
        foreign: nodes of objects that do not describe the page
        """
        self._foreign = foreign
        published: dict[_Day, list[str]] = {_Day.PUBLISHED: [], _Day.UNKNOWN: []}
        updated: list[str] = []
        for date, day in [*self._declared(times, items), *self._written()]:
            if day == _Day.UPDATED:
                updated.append(date)
            elif day != _Day.OF_ELSE:
                published[day].append(date)
        labelled, plain = published.values()
        if not labelled and len({date[:10] for date in plain}) > MOST_DATES:
            return None, None
        found = [date for date in plain if not labelled or date[:10] == labelled[0][:10]] or labelled
        return next(iter(found), None), next(iter(updated), None)

    def authors(self) -> tuple[str, ...]:
        """Names of persons."""
        return self._named() or self._classed()

    def is_beside(self, node: int) -> bool:
        """Whether an element is neither in a menu nor in a comment or the like."""
        return not self._segments.nodes["flags"].item(node) & _ELSEWHERE and self._is_of_page(node, OTHERS_WORDS)

    def _declared(self, times: Iterable[Fact], items: Sequence[Fact]) -> Iterator[tuple[str, _Day]]:
        """Dates of <time> elements in these blocks, and what they are."""
        nodes, blocks = self._segments.nodes, self._segments.blocks
        starts = blocks["start"][self._near].tolist()
        end_of_near = blocks["end"][self._near][-1].item()
        end_of_last, n_near = -1, 0
        for fact in times:
            start, end = nodes["text_start"].item(fact.node), nodes["text_end"].item(fact.node)
            if start > end_of_near or n_near == MAX_TIMES:
                return
            n_near += start >= starts[0]
            block = self._near.start + bisect_right(starts, start) - 1
            if block < self._near.start or not (date := iso_date(self._reader.value(fact))) or len(date) < 10:
                continue
            label = self._reader.shown(max(blocks["start"].item(block), end_of_last), start)
            end_of_last = end
            key = next((item for item in items if item.node == fact.node), None)
            if (key and _OF_ELSE_PROPERTY.search(self._reader.key(key).lower())) or not self._is_day_of_page(fact.node):
                self._passed.add(block)
                continue
            if not _UPDATED_WORDS.isdisjoint(self._segments.tokens_of(fact.node)) or self._is_in_update(
                fact.node, block
            ):
                yield date, _Day.UPDATED
            else:
                yield date, _what(label) if _LETTER.search(label) else self._what_before(block)

    def _written(self) -> Iterator[tuple[str, _Day]]:
        """Dates of the lines, and what they are."""
        for block, text in self._lines:
            if block in self._passed or not _DIGIT.search(text):
                continue
            line = without_dots(text)
            found = list(dates_in(line, day_first=self._day_first))
            if not found or not self._is_day_of_page(self._segments.blocks["leaf"].item(block)):
                continue
            before = self._what_before(block)
            for (date, _, _), day in zip(found, _what_each_is(line, found, before), strict=True):
                if day is not None:
                    yield date, day

    def _what_before(self, block: int) -> _Day:
        """What a date is by the block before it, if this is a label."""
        if block == 0 or block - 1 == self._title:
            return _Day.UNKNOWN
        label = self._reader.block_texts(block - 1, block)[0]
        return _Day.UNKNOWN if len(label) > MAX_LABEL_CHARS or _DIGIT.search(label) else _what(label)

    def _is_in_update(self, node: int, block: int) -> bool:
        """Whether the element around a date, with no other text than its own block, is that of an update."""
        nodes = self._segments.nodes
        parent = nodes["parent"].item(node)
        if parent < 0 or nodes["end_block"].item(parent) > block + 1 or nodes["first_block"].item(parent) < block:
            return False
        alone = nodes["text_end"].item(parent) - nodes["text_end"].item(node) <= 2
        return alone and not _UPDATED_WORDS.isdisjoint(self._segments.tokens_of(parent))

    def _is_day_of_page(self, node: int) -> bool:
        """Whether a date is neither that of a comment or of another page, nor the present day in the site's header."""
        nodes, blocks = self._segments.nodes, self._segments.blocks
        flags = nodes["flags"].item(node)
        if flags & _ELSEWHERE or _TODAY.issubset(self._segments.tokens_of(node)):
            return False
        is_in_head = flags & _HEADER and nodes["first_block"].item(node) <= self._title
        if is_in_head and not blocks["flags"].item(self._title) & _HEADER:
            return False
        return self._is_of_page(node, _OTHER_DAYS_WORDS)

    def _named(self) -> tuple[str, ...]:
        """The names after a word for "by"."""
        for (block, line), (_, after) in zip_longest(self._lines, self._lines[1:], fillvalue=(0, "")):
            pieces = map(str.lstrip, _BULLET.split(line)) if _BULLET.search(line) else (line,)
            parts = [piece for piece in pieces if _may_begin(piece)]
            is_label = bool(parts) and len(line) <= MAX_LABEL_CHARS and _LABEL_ONLY.fullmatch(line)
            if is_label:
                parts = [f"{line.rstrip(' :：')}: {after}"]
            elif ":" in line or "：" in line:
                words = _WORD_OF_LABEL.finditer(line)
                parts += [line[word.start() :] for word in words if word.start() and _may_begin(word[0])]
            for inside in _INSIDE.finditer(line) if _DIGIT.search(line) else ():
                if _DIGIT.search(line, max(inside.start() - MAX_CLOCK_CHARS, 0), inside.start()):
                    parts.append(line[inside.end() :])
            for by in filter(None, map(_BY.match, parts)):
                names = _names_after(by, self._sites)
                if is_label and not all(" " in name or is_east_asian_name(name) for name in names):
                    continue
                if names and self.is_beside(self._segments.blocks["leaf"].item(block)):
                    return names
            if not line.isascii() and ("기자" in line or "특파원" in line):
                found = ", ".join(match[1].strip() for match in _REPORTERS.finditer(line))
                if (names := _names(found, self._sites)) and self.is_beside(self._segments.blocks["leaf"].item(block)):
                    return names
        return ()

    def _classed(self) -> tuple[str, ...]:
        """The names in the first elements beside the title that have a word for author in their class or id."""
        nodes = self._segments.nodes
        leaves = self._segments.blocks["leaf"][self._near].tolist()
        first, end = min(leaves), max(leaves) + 1
        firsts, ends = nodes["first_token"], nodes["end_token"]
        base = firsts.item(first)
        tokens = self._segments.tokens[base : ends.item(end - 1)].tolist()
        tags = nodes["tag"][first:end].tolist()
        if _AUTHOR_WORDS.isdisjoint(tokens) and _ADDRESS not in tags:
            return ()
        places = [
            node
            for node, tag, start, stop in zip(
                range(first, end), tags, firsts[first:end].tolist(), ends[first:end].tolist(), strict=True
            )
            if (not _AUTHOR_WORDS.isdisjoint(tokens[start - base : stop - base]) or tag == _ADDRESS)
            and self._is_of_author(node)
        ]
        names_in = cache(self._names_in)
        found: list[str] = []
        parent = -1
        for node, following in zip_longest(places, places[1:], fillvalue=-1):
            if following >= 0 and self._is_inside(following, node) and names_in(following):
                continue  # the inner element has the name, and the outer one has more
            if found and nodes["parent"].item(node) != parent:
                break
            names = names_in(node)
            if names and not (found and is_job(", ".join(names))):
                found += names
                parent = nodes["parent"].item(node)
        return tuple(dict.fromkeys(found))

    def _names_in(self, node: int) -> tuple[str, ...]:
        """The names in an element for authors."""
        line = self._reader.first_line(node)
        names = _names(line, self._sites)
        nodes = self._segments.nodes
        is_one_line = nodes["end_block"].item(node) - nodes["first_block"].item(node) <= 1
        if is_one_line and len(names) == 1 and len(names[0].split()) <= MAX_WORDS_OF_ONE:
            return names
        listed = self._listed(node)
        if names or len(listed) > 1:
            return listed if len(listed) > 1 else names
        names = _names_before_date(line, self._sites) if len(line) <= MAX_CHARS else ()
        if names and all(map(is_full_name, names)):
            return names
        return listed if listed and line.startswith(listed) else ()

    def _listed(self, node: int) -> tuple[str, ...]:
        """The full names that are links or items of a list in an element."""
        nodes = self._segments.nodes
        end = nodes["text_end"].item(node)
        starts = nodes["text_start"][node + 1 : node + 1 + MAX_INNER].tolist()
        tags = nodes["tag"][node + 1 : node + 1 + MAX_INNER].tolist()
        inner = [
            node + place
            for place, (start, tag) in enumerate(zip(starts, tags, strict=True), 1)
            if start < end and tag in _PARTS_OF_NAMES
        ]
        names = [
            name
            for text in map(self._reader.first_line, inner)
            for name in _names(text, self._sites)
            if is_full_name(name)
        ]
        return tuple(dict.fromkeys(names))

    def _is_inside(self, node: int, other: int) -> bool:
        ends = self._segments.nodes["text_end"]
        starts = self._segments.nodes["text_start"]
        return bool(starts[other] <= starts[node] and ends[node] <= ends[other])

    def _is_of_author(self, node: int) -> bool:
        """Whether an element is neither around the title nor in a menu or a comment."""
        nodes = self._segments.nodes
        around_title = nodes["first_block"].item(node) <= self._title < nodes["end_block"].item(node)
        return not around_title and self.is_beside(node)

    def _is_of_page(self, node: int, others: frozenset[int]) -> bool:
        """Whether no element around this one, up to that around the title, has one of these words."""
        nodes = self._segments.nodes
        for _ in range(MAX_PARENTS):
            if node < 0 or nodes["first_block"].item(node) <= self._title < nodes["end_block"].item(node):
                return True
            if node in self._foreign or not others.isdisjoint(self._segments.tokens_of(node)):
                return False
            node = nodes["parent"].item(node)
        return True


def _may_begin(part: str) -> bool:
    """Whether a text may begin with a word for "by"; the pattern for these words takes longer."""
    if part[:4].isascii():
        return part[:4].lower().partition(" ")[0].rstrip(":") in _BEGINNINGS
    return part[:2].lower() in _BEGINNINGS or part[:1] in _IDEOGRAPHS or part[:4].lower() in _BEGINNINGS


def _what(label: str) -> _Day:
    """What a date is by the words before it: the last of them counts."""
    found = [(_last(pattern, label), day) for pattern, day in _LABELS]
    end, day = max(found)
    if end < 0:
        return _Day.PUBLISHED if _A_DATE.search(label) else _Day.UNKNOWN
    return day


def _last(pattern: re.Pattern[str], text: str) -> int:
    """Where the last match begins; -1 if there is none."""
    return max((match.start() for match in pattern.finditer(text)), default=-1)


_LABELS = ((_OF_ELSE, _Day.OF_ELSE), (_PUBLISHED, _Day.PUBLISHED), (_UPDATED, _Day.UPDATED))


def _what_each_is(line: str, found: list[tuple[str, int, int]], before: _Day) -> Iterator[_Day | None]:
    """What the dates of a line are; None for a date in a sentence about something else."""
    if _PLACE.search(line):
        yield from (_Day.OF_ELSE for _ in found)
        return
    ends = [0, *(end for _, _, end in found)]
    labels = [line[end:start] for end, (_, start, _) in zip(ends, found, strict=False)]
    after = [*labels[1:], line[ends[-1] :]]
    is_range = [_TO.fullmatch(label) is not None for label in labels[1:]]
    if before == _Day.UNKNOWN and _are_after(labels, after[-1]):
        labels = after
    for place, (label, following) in enumerate(zip(labels, after, strict=True)):
        if any(is_range[max(place - 1, 0) : place + 1]):
            yield _Day.OF_ELSE
            continue
        day = _what(label)
        if day == _Day.UNKNOWN and place == 0 and not _LETTER.search(label):
            day = before
        piece = f"{_EDGES_OF_PIECE.split(label)[-1]} {_EDGES_OF_PIECE.split(following)[0]}"
        yield None if day == _Day.UNKNOWN and _is_sentence(piece, line) else day


def _are_after(labels: list[str], tail: str) -> bool:
    """Whether the words that say what the dates of a line are stand after them."""
    return (
        len(tail) <= MAX_TAIL_CHARS
        and not _LETTER.search(labels[0])
        and not any(label.rstrip().endswith((":", "：", "(", "（")) for label in labels[1:])
        and _what(tail) in (_Day.UPDATED, _Day.PUBLISHED)
    )


def _is_sentence(piece: str, line: str) -> bool:
    """Whether a date stands in a sentence, which is about the day of something else."""
    words = [word for word in piece.split() if word[0].isalpha() and not is_month(word)]
    return len(words) > MAX_OTHER_WORDS or (len(words) > 2 and _SENTENCE.search(line) is not None)


def _names_after(by: re.Match[str], sites: Collection[str]) -> tuple[str, ...]:
    """The names after a word for "by"."""
    text = by["name"]
    if (by["by"] or "").lower() in ("por", "par") and (place := _IN_SPANISH.search(text)):
        text = text[: place.start()]
    names = _names_before_date(text, sites)
    if by["cjk"] and len(names) == 1 and by["cjk"][-2:] in ("作者", "记者", "記者", "撰文", "撰稿"):
        parts = names[0].split()
        return tuple(parts) if all(map(is_east_asian_name, parts)) else names
    return names


def _names_before_date(text: str, sites: Collection[str]) -> tuple[str, ...]:
    """The names at the beginning of a text that a date, a place or a number may follow."""
    text = text[:MAX_NAMES_CHARS] + " "
    end = _END_OF_NAME.search(text)
    if end and end[0].strip() in ("/", "／"):  # between two names, or before an employer
        following = _END_OF_NAME.search(text, end.end())
        found = _names(text[: following.start() if following else len(text)].strip(" ,"), sites)
        if len(found) > 1:
            return found
    names = text[: end.start()] if end else text
    if end and end[0][0].isdigit() and (last := _LAST_WORD.search(names)) and is_month(last[1]):
        names = names[: last.start()]  # the name of the month, before its day
    found = _names(names.strip(" ,"), sites)
    if len(found) > 1:
        return found
    name, _, rest = names.partition(",")  # after the comma is a place or an employer
    title = rest.partition(",")[0].strip()
    return _names(f"{name}, {title}" if TITLE_AFTER.fullmatch(title) else name, sites)


def _names(text: str, sites: Collection[str]) -> tuple[str, ...]:
    names = clean_authors([text], sites) if len(text) <= MAX_NAMES_CHARS else ()
    return names if all(map(is_name, names)) else ()
