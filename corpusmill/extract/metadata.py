"""What a page says of itself: title, authors, dates, languages, address, licence, directives for robots.

Sources in the order of trust: JSON-LD, microdata, OpenGraph, other meta elements, rel=author and what stands
beside the title.  The first that has a usable value wins, field by field; but for titles (see `titles`) and
directives, which are all handed on.

Only what is wanted is read: keys of meta elements are compared as bytes, values are decoded and entities resolved when
a field asks for them, JSON is parsed for JSON-LD alone, and no regular expression sees the page.

On WCXB's development split (`bench/metadata.py`) .77 of the titles, .77 of the authors and .79 of the dates are those
of the gold, by trafilatura .50, .61 and .84; of pages without a date in the gold 18 % get one, 97 % by trafilatura.

Cost: .4 ms an average page of WCXB, half as much again as the segmenter.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice
from urllib.parse import urljoin

import numpy as np

from corpusmill.extract import jsonld, microdata, schemaorg
from corpusmill.extract.authors import clean_authors
from corpusmill.extract.bylines import Byline, read_byline
from corpusmill.extract.dates import iso_date
from corpusmill.extract.facts import Fact, Reader
from corpusmill.extract.licence import identifier, only_deed
from corpusmill.extract.tables import FactKind, Segments
from corpusmill.extract.tags import TAG
from corpusmill.extract.titles import MAX_HEADINGS, best_title, site_names, squeezed

MAX_TITLES = 10
MAX_SCRIPTS = 100  # of JSON-LD
MAX_ALTERNATES = 200
MAX_KEY_BYTES = 100  # longer names are nobody's


def _names(names: str) -> tuple[bytes, ...]:
    return tuple(names.encode().split())


# Names of meta elements in lower case, without the punctuation in which they vary; the most trusted first.
_TITLES = _names("ogtitle twittertitle citationtitle dctitle dctermstitle parselytitle sailthrutitle")
_AUTHORS = _names(
    "articleauthor ogarticleauthor ogauthor articleauthorname author byl dccreator dctermscreator citationauthor "
    "citationauthors parselyauthor sailthruauthor cxenseparseauthor articlebyline creator"
)
_PUBLISHED = _names(
    "articlepublishedtime articlepublished ogarticlepublishedtime ogpublishedtime datepublished citationonlinedate "
    "citationpublicationdate citationdate dcdateissued dctermsissued dcdatecreated dctermscreated dcdate dctermsdate "
    "parselypubdate sailthrudate cxenseparserecspublishtime cxenseparsepublishtime publishdate publisheddate published "
    "publicationdate pubdate ogpublishdate prismpublicationdate publishedat datecreated uploaddate date"
)
_UPDATED = _names(
    "articlemodifiedtime ogarticlemodifiedtime ogmodifiedtime datemodified ogupdatedtime dcdatemodified "
    "dctermsmodified lastmodified lastupdated dateupdated modifieddate updatedat"
)
_SITES = _names("ogsitename applicationname")
_DESCRIPTIONS = _names("ogdescription description twitterdescription dcdescription dctermsdescription")
_LANGUAGES = _names("contentlanguage oglocale dclanguage dctermslanguage language inlanguage")
_LICENCES = _names("dctermslicense dclicense license dcrights dctermsrights")
_TYPES, _URLS = _names("ogtype"), _names("ogurl")
_WANTED = frozenset(
    _TITLES + _AUTHORS + _PUBLISHED + _UPDATED + _SITES + _DESCRIPTIONS + _LANGUAGES + _LICENCES + _TYPES + _URLS
)
_NO_CRAWLERS = _WANTED.union(
    _names("viewport keywords newskeywords generator themecolor refresh contenttype xuacompatible title url image name")
    + _names("contentsecuritypolicy formatdetection position referrer publisher copyright csrftoken")
)
_NO_CRAWLERS_PREFIXES = (b"apple-", b"msapplication-", b"google-site-verification", b"shopify-")
_PUNCTUATION = b":._- "
_H1 = TAG["h1"]
_META = int(FactKind.META)
_N_KINDS = max(FactKind) + 1
_OF_MICRODATA = frozenset((_META, int(FactKind.ITEM), int(FactKind.SCOPE)))


@dataclass(frozen=True, slots=True, kw_only=True)
class PageMetadata:
    """What a page says of itself; texts on one line, entities resolved."""

    title: str | None = None
    authors: tuple[str, ...] = ()
    published: str | None = None  # ISO 8601, as coarse as the page tells it, with an offset if the page has one
    updated: str | None = None
    description: str | None = None
    site_name: str | None = None
    canonical: str | None = None  # absolute if the page's own address is known
    html_lang: str | None = None  # of <html>, else of a meta element
    languages: tuple[str, ...] = ()  # declared elsewhere: og:locale, JSON-LD, ...
    alternates: tuple[str, ...] = ()  # languages of the versions that the page links to
    licence: str | None = None  # an SPDX identifier for Creative Commons licences, else as the page names it
    og_type: str | None = None
    types: tuple[str, ...] = ()  # of the page by schema.org
    directives: tuple[tuple[str, str], ...] = ()  # (name in lower case, content) of meta elements that robots may obey

    def as_mapping(self) -> Mapping[str, str | list[str]]:
        """What has no column of its own, by name in order; only what there is."""
        values: dict[str, str | Sequence[str] | None] = {
            "alternates": self.alternates,
            "author": "; ".join(self.authors),
            "canonical": self.canonical,
            "description": self.description,
            "languages": self.languages,
            "og_type": self.og_type,
            "published": self.published,
            "site_name": self.site_name,
            "types": self.types,
            "updated": self.updated,
        }
        return {name: value if isinstance(value, str) else list(value) for name, value in values.items() if value}


def read_metadata(segments: Segments, url: str | None) -> PageMetadata:
    """What the page says of itself; `url` is its address, if known."""
    return _Page(segments, url).metadata()


class _Page:
    """A page's facts by kind, and what they come to."""

    def __init__(self, segments: Segments, url: str | None) -> None:
        self.reader = Reader(segments)
        self.segments = segments
        self.url = url
        self.by_kind: list[list[Fact]] = [[] for _ in range(_N_KINDS)]
        self.metas: dict[bytes, list[Fact]] = {}
        self.properties: list[Fact] = []  # of microdata
        self.directives: list[tuple[str, str]] = []
        for fact in self.reader.facts():
            self.by_kind[fact.kind].append(fact)
            if fact.kind in _OF_MICRODATA:
                self.properties.append(fact)
            if fact.kind == _META:
                self._note(fact)
        self.canonical = self._canonical()
        self.told = self._described()

    def metadata(self) -> PageMetadata:
        """All fields."""
        site_name = self._told("site_name") or next(self._values(_SITES), None)
        sites = site_names([site_name, *self._values(_SITES)], _host(self.url or self.canonical or ""))
        title = self._title(sites)
        persons, organisations = self._authors(sites)
        published = self._date([told.published for told in self.told], _PUBLISHED)
        byline = Byline() if title is None or (persons and published) else self._byline(title)
        return PageMetadata(
            title=title,
            authors=persons or byline.authors or organisations,
            published=published or byline.published,
            updated=self._date([told.updated for told in self.told], _UPDATED) or byline.updated,
            description=next(self._values(_DESCRIPTIONS), None) or self._told("description"),
            site_name=site_name,
            canonical=self.canonical,
            html_lang=self._html_lang(),
            languages=self._languages(),
            alternates=self._alternates(),
            licence=self._licence(),
            og_type=next(self._values(_TYPES), None),
            types=tuple(dict.fromkeys(kind for told in self.told for kind in told.types)),
            directives=tuple(self.directives),
        )

    def _note(self, fact: Fact) -> None:
        """File a meta element under its name; if that can be a crawler's, its content may be a directive."""
        if fact.key_end - fact.key_start > MAX_KEY_BYTES:
            return
        name, crawler = _role(self.reader.raw(fact.key_start, fact.key_end))
        if name is not None:
            self.metas.setdefault(name, []).append(fact)
        elif crawler is not None and (content := self.reader.value(fact)):
            self.directives.append((crawler, content))

    def _values(self, names: Iterable[bytes]) -> Iterator[str]:
        """What meta elements of these names say, in the order of the names."""
        for name in names:
            for fact in self.metas.get(name, ()):
                if value := self.reader.value(fact):
                    yield value

    def _links(self, rel: bytes) -> Iterator[Fact]:
        """The <link>, then the <a> elements with such a rel."""
        for kind in (FactKind.LINK, FactKind.ANCHOR):
            for fact in self.by_kind[kind]:
                if rel in self.reader.raw(fact.key_start, fact.key_end).lower().split():
                    yield fact

    def _canonical(self) -> str | None:
        hrefs = map(self.reader.value, self._links(b"canonical"))
        address = next(filter(None, hrefs), None) or next(self._values(_URLS), None)
        if address is None or self.url is None or "://" in address:
            return address
        try:
            return urljoin(self.url, address)
        except ValueError:  # "//[" is no address
            return None

    def _described(self) -> list[schemaorg.Described]:
        """What JSON-LD and microdata say."""
        known = (self.url, self.canonical, *self._values(_URLS))
        addresses = {schemaorg.address(address) for address in known if address}
        scripts = map(self.reader.script, self.by_kind[FactKind.JSON_LD][:MAX_SCRIPTS])
        found = [item for script in scripts for item in jsonld.objects(script)]
        items = microdata.objects(self.properties, self.reader) if self.by_kind[FactKind.SCOPE] else []
        return [schemaorg.describe(found, addresses), schemaorg.describe(items, addresses)]

    def _told(self, name: str) -> str | None:
        return next(filter(None, (getattr(told, name) for told in self.told)), None)

    def _title(self, sites: Collection[str]) -> str | None:
        declared = [told.title for told in self.told if told.title]
        declared += [*islice(self._values(_TITLES), MAX_TITLES), *map(self.reader.value, self.by_kind[FactKind.TITLE])]
        headings = np.flatnonzero(self.segments.nodes["tag"] == _H1)[:MAX_HEADINGS].tolist()
        return best_title(list(dict.fromkeys(filter(None, declared))), map(self.reader.node_text, headings), sites)

    def _authors(self, sites: Collection[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """(authors by the most trusted source that names a person, organisations if none does)."""
        organisations: tuple[str, ...] = ()
        for texts, has_person in self._author_texts():
            names = clean_authors(texts)
            persons = tuple(name for name in names if squeezed(name) not in sites)
            if persons and has_person:
                return persons, ()
            organisations = organisations or names
        return (), organisations

    def _author_texts(self) -> Iterator[tuple[Iterable[str], bool]]:
        """What each source says, and whether that may be a person."""
        yield from ((told.authors, told.has_person) for told in self.told)
        yield from ((self._values((name,)), True) for name in _AUTHORS if name in self.metas)
        anchors = self.by_kind[FactKind.ANCHOR]
        yield (self.reader.node_text(fact.node) for fact in islice(filter(self._is_author, anchors), 1)), True

    def _byline(self, title: str) -> Byline:
        """What stands beside the title, if that is a block: of several, a heading."""
        blocks = self.segments.blocks
        found = np.flatnonzero(blocks["n_chars"] == len(title))[:MAX_HEADINGS].tolist()
        found = [block for block in found if self.segments.block_text(block) == title]
        if not found:
            return Byline()
        place = max(found, key=lambda block: blocks["heading"][block] > 0)
        return read_byline(self.segments, self.reader, place, self.by_kind[FactKind.TIME])

    def _is_author(self, fact: Fact) -> bool:
        return b"author" in self.reader.raw(fact.key_start, fact.key_end).lower().split()

    def _date(self, told: list[tuple[str, ...]], names: Iterable[bytes]) -> str | None:
        texts = chain(chain.from_iterable(told), self._values(names))
        return next(filter(None, map(iso_date, texts)), None)

    def _html_lang(self) -> str | None:
        lang = next(map(self.reader.value, self.by_kind[FactKind.HTML]), None)
        return lang or next(self._values(_names("contentlanguage language")), None)

    def _languages(self) -> tuple[str, ...]:
        told = [language for told in self.told for language in told.languages]
        return tuple(dict.fromkeys(language.replace("_", "-") for language in [*told, *self._values(_LANGUAGES)]))

    def _alternates(self) -> tuple[str, ...]:
        found = (fact for fact in self.by_kind[FactKind.LINK] if fact.extra_end > fact.extra_start)
        languages = {self.reader.text(fact.extra_start, fact.extra_end) for fact in islice(found, MAX_ALTERNATES)}
        return tuple(sorted(languages - {"", "x-default"}))

    def _licence(self) -> str | None:
        told = [licence for told in self.told for licence in told.licences]
        named = chain(told, map(self.reader.value, self._links(b"license")), self._values(_LICENCES))
        if licence := next(filter(None, named), None):
            return identifier(licence)
        return only_deed(map(self.reader.value, self.by_kind[FactKind.ANCHOR]))


@lru_cache(maxsize=4096)
def _role(key: bytes) -> tuple[bytes | None, str | None]:
    """(the name by which a meta element is wanted, else the crawler that it may be meant for)."""
    key = key.strip().lower()
    name = key.translate(None, _PUNCTUATION)
    if name in _WANTED:
        return name, None
    if b":" in key or name in _NO_CRAWLERS or key.startswith(_NO_CRAWLERS_PREFIXES):
        return None, None
    return None, key.decode("utf-8", "replace")


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0].rpartition("@")[2].partition(":")[0]
