"""The title that a reader would give a page, chosen from its declared titles and its visible headings.

The name of the site is removed from both ends of declared titles (headline, og:title, <title>).  It is removed only if
og:site_name, JSON-LD or the host confirms that it is the name of the site.

A main heading that is similar to a declared title is preferred, because it stands above the text and is spelled as
readers see it.  Similar means: the sets of three-letter pieces have a Dice similarity (Dice, Ecology 26, 1945) of at
least 0.4, in any script.  A heading that is the name of the site does not count.

- A declared title that names no content ("Home", "Untitled Document"), or only the site, counts last.
- A heading can have a kicker or a mark in an element of its own.  If the heading without it is a declared title, it is
  left out.
- A site can have its name in the main heading.  If a declared title ends with that name, and begins with another
  heading, then this other heading is the title.

Measured on WCXB's development split (1,349 pages, titles written by people), without case and punctuation:

    this module          0.78 of the titles match
    the first <h1>       0.68
    trafilatura          0.50
    og:title alone       0.40
    <title> alone        0.20

Similarity thresholds from 0.2 to 0.4 differ by 0.003.  Cost: 50 microseconds per page.
"""

import re
from collections.abc import Collection, Iterable, Sequence, Set
from typing import NamedTuple

SIMILAR = 0.4
MAX_HEADINGS = 8
MAX_CHARS = 400
MIN_CHARS = 4  # of a heading of the second level that is part of a title
# What can stand between a title and the name of the site.  Marks that also occur in titles need spaces, or a script
# without spaces, around them.
_SEPARATOR = re.compile(
    r"[|»«•–—―›‹★→←│┃❘¦｜_＿≫≪【「『（〔(\[－：／＠]|[】」』）〕](?=\w)|(?<=\s)[-·:<>/~=@*＝]+(?=\s)|:(?=\s)"
    r"|(?<=[^\x00-\u02ff])[-@:/·]|[-@:/·](?=[^\x00-\u02ff])"
)
_HOME = re.compile(r"\W*(?:home|start|index|accueil|ini[cí]io|首|主|ホ|ト|홈|глав|голов|الرئ)", re.IGNORECASE)
_SECTION = re.compile(r"[|»«›‹_＿｜│>]")  # separators that a title of its own does not contain
MAX_SECTION_WORDS, MAX_SECTION_CHARS = 3, 24
_EDGES = " \t\n|»«•–—―›‹★→←│┃❘¦｜_＿≫≪－：／＠-·:<>/~=@*"  # are left at an end if the name of the site is removed there
_EMPTY = re.compile(  # titles that editors and servers write of themselves
    r"\W*(?:home(?:\s*page)?|start(?:seite)?|index|default|welcome|accueil|inicio|início|homepage"
    r"|untitled(?:\W+\w+){0,2}|(?:new|my)\s+(?:page|document|site)(?:\s+\d+)?|document|title|page\s+title|no\s+title"
    r"|loading|react\s+app|vite\s+app|search|menu|document\s+sans\s+(?:titre|nom)|sans\s+titre|documento\s+(?:sin|sem)"
    r"\s+t[ií]tulo|(?:unbenanntes|neues)\s+dokument|unbenannt|documento\s+senza\s+titolo|naamloos(?:\s+document)?"
    r"|dokument\s+(?:bez\s+nazwy|utan\s+titel)|strona\s+główna|главная(?:\s+страница)?|без\s+(?:названия|имени)"
    r"|документ\s+без\s+названия|головна|無題.*|无标题.*|無標題.*|首页|首頁|主页|トップページ|ホーム|홈|제목\s*없음|الرئيسية"
    r"|الصفحة\s+الرئيسية|بدون\s+عنوان)\W*",
    re.IGNORECASE,
)
_WELCOME = re.compile(
    r"(?:welcome\s+to|willkommen\s+(?:bei|auf|im)|bienvenue\s+(?:sur|chez|à)|bienvenid[oa]s?\s+a|home\s+of)\s+(?:the\s+)?",
    re.IGNORECASE,
)
_NO_LETTERS = re.compile(r"[\W_]+")
_ANCHOR = re.compile(r"\s*[¶#§🔗]+$")  # the link of a heading to itself
_ANCHORS = tuple("¶#§🔗")
_LOWER = bytes(range(256)).lower()
_NO_ASCII_LETTERS = bytes(byte for byte in range(128) if not chr(byte).isalnum())


class Title(NamedTuple):
    """The title of a page."""

    text: str
    shown: str  # the whole heading that it is from, as the page has it; the title itself if it is only declared


class Heading(NamedTuple):
    """A main heading of the page."""

    text: str
    inner: Iterable[str] = ()  # texts of the elements in it; read once, and only if they matter


def best_title(
    declared: Sequence[str], found: Iterable[Heading], others: Iterable[str], sites: Collection[str]
) -> Title | None:
    """The title of a page.

    declared: declared titles, the most trusted first
    found: main headings, in the order of the page
    others: headings of the second level; read only if the main heading may be the name of the site
    sites: names of the site, as `squeezed` writes them
    """
    main: list[tuple[Heading, str]] = []  # without the sign of a link to itself, and as the page has it
    for heading in found:
        if len(heading.text) > MAX_CHARS:
            continue
        text = _without_anchor(heading.text)
        if text in declared and squeezed(text) not in sites:
            return Title(without_site(text, sites, at_start=False), heading.text)
        main.append((Heading(text, heading.inner), heading.text))
    titles = [title for title in (without_site(title[:MAX_CHARS], sites) for title in declared) if title]
    named = [title for title in titles if not _is_empty(title, sites)]
    wanted = {squeezed(title) for title in named}
    shown = {
        _without_kicker(heading, wanted, sites): whole
        for heading, whole in reversed(main)
        if squeezed(heading.text) not in ("", *sites)
    }
    headings = list(reversed(shown))
    best = _shown(named, headings)
    other = _beside_site(best, declared, others) if best is not None else _with_more(named, others)
    if other is not None:
        return Title(_without_anchor(other), other)
    best = best or next(iter([*named, *headings, *titles, *declared]), None)
    return None if best is None else Title(best, shown.get(best, best))


def _is_empty(title: str, sites: Collection[str]) -> bool:
    """Whether a title names no content: only the site, or what a server calls a page without a title."""
    if squeezed(title) in sites or _EMPTY.fullmatch(title):
        return True
    greeting = _WELCOME.match(title)
    return greeting is not None and squeezed(title[greeting.end() :]) in sites


def _without_anchor(heading: str) -> str:
    return _ANCHOR.sub("", heading) if heading.endswith(_ANCHORS) else heading


def _without_kicker(heading: Heading, wanted: Collection[str], sites: Collection[str]) -> str:
    """A heading's text, without the text of an element in it if the rest is a wanted title."""
    for inner in heading.inner:
        for rest in (heading.text.removeprefix(inner), heading.text.removesuffix(inner), inner):
            if rest != heading.text and squeezed(rest) in wanted:
                return rest.strip(_EDGES)
    rest = without_site(heading.text, sites)
    return rest if squeezed(rest) in wanted else without_site(heading.text, sites, at_start=False)


def _beside_site(heading: str, declared: Iterable[str], others: Iterable[str]) -> str | None:
    """The other heading with which a declared title begins, if the title ends with the given heading."""
    name = squeezed(heading)
    ends = [title for title in map(squeezed, declared) if title.endswith(name) and title != name]
    for whole in others if ends else ():
        other = _without_anchor(whole)
        if len(other) <= MAX_CHARS and any(end.startswith(squeezed(other) or "-") for end in ends):
            return whole
    return None


def _with_more(titles: Sequence[str], others: Iterable[str]) -> str | None:
    """The other heading with which a title begins, if a separator is after it."""
    if not any(map(_SEPARATOR.search, titles)):
        return None
    for whole in others:
        other = _without_anchor(whole)
        for title in titles if len(other) >= MIN_CHARS else ():
            end = len(other)
            end += title[end : end + 1] == " "
            if title.startswith(other) and title[len(other) : end + 1] != ":" and _SEPARATOR.match(title, end):
                return whole
    return None


def _shown(titles: Sequence[str], headings: Sequence[str]) -> str | None:
    """The heading that is most similar to a title; if several are, the first."""
    if not titles or not headings:
        return None
    wanted = [squeezed(title) for title in titles]
    shown = [squeezed(heading) for heading in headings]
    for heading, letters in zip(headings, shown, strict=True):
        if letters in wanted:
            return heading
    pieces = [_pieces(title) for title in wanted]
    likeness = [max(_dice(_pieces(letters), others) for others in pieces) for letters in shown]
    best = max(likeness)
    return headings[likeness.index(best)] if best >= SIMILAR else None


def without_site(title: str, sites: Collection[str], *, at_start: bool = True) -> str:
    """A title without the name of the site at its ends, or only at the last, and without sections between the two."""
    letters = squeezed(title)
    names = tuple(sites)
    if not (letters.endswith(names) or letters.startswith(names)):
        return _without_home(title) if _HOME.match(title) else title.strip()
    ends = [match.span() for match in _SEPARATOR.finditer(title)]
    for start, end in reversed(ends):
        if squeezed(title[end:]) in sites and squeezed(title[:start]):
            return _without_sections(title[:start].rstrip(_EDGES), title[start:end].strip(), sites, last=True)
    for start, end in ends if at_start else ():
        if squeezed(title[:start]) in sites and squeezed(title[end:]):
            return _without_sections(title[end:].lstrip(_EDGES), title[start:end].strip(), sites, last=False)
    return _without_home(title)


def _without_home(title: str) -> str:
    """The last part of a path that begins with the home page."""
    start = _SEPARATOR.search(title)
    if start is None or not _EMPTY.fullmatch(title[: start.start()]):
        return title.strip()
    return [*_SEPARATOR.split(title)][-1].strip() if len(_SEPARATOR.findall(title)) > 1 else title.strip()


def _without_sections(title: str, separator: str, sites: Collection[str], *, last: bool) -> str:
    """The title without short parts at the end at which the site was, if the same separator is before them."""
    title = title.strip()
    if not _SECTION.fullmatch(separator) or separator not in title:
        return without_site(title, sites) if _SEPARATOR.search(title) else title
    parts = [part.strip() for part in title.split(separator)]
    if not last:
        parts.reverse()
    if any(map(_is_title, parts[1:])) or not parts[0]:
        return title
    return parts[0]


def _is_title(part: str) -> bool:
    """Whether a part of a title is too long for the name of a section."""
    return len(part) > MAX_SECTION_CHARS or len(part.split()) > MAX_SECTION_WORDS


def site_names(names: Iterable[str | None], host: str) -> set[str]:
    """The names of a site, squeezed: its declared names, its host, and the longer labels of the host.

    Each also with "the" before it, or with ".com" after it.
    """
    labels = host.lower().removeprefix("www.").split(".")
    address = squeezed("".join(labels))
    found = {address, f"www{address}"}
    for name in {*map(squeezed, filter(None, names)), *(squeezed(label) for label in labels[:-1] if len(label) > 3)}:
        found.update((name, f"the{name}", name.removeprefix("the"), f"{name}com"))
    return found - {"", "www", "the", "com"}


def squeezed(text: str) -> str:
    """Letters and digits only, in lower case."""
    if text.isascii():  # most texts are, and this way takes a tenth of the time
        return text.encode().translate(_LOWER, _NO_ASCII_LETTERS).decode()
    return _NO_LETTERS.sub("", text).lower()


def _pieces(text: str) -> Set[object]:
    return set(zip(text, text[1:], text[2:], strict=False)) or {text}


def _dice(one: Set[object], other: Set[object]) -> float:
    return 2 * len(one & other) / (len(one) + len(other))
