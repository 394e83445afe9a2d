"""The metadata of a page: title, authors, dates, languages, address, licence, directives for robots.

Sources in the order of trust: JSON-LD, microdata, OpenGraph, other meta elements, rel=author, and the text beside the
title.  For each field, the first source that has a usable value wins.  There are two exceptions: titles (see `titles`),
and directives, which are all passed on.

Only what is needed is read.  Keys of meta elements are compared as bytes.  Values are decoded, and entities resolved,
when a field needs them.  JSON is parsed for JSON-LD only.  No regular expression runs over the whole page.

Measured on WCXB's development split (`bench/metadata.py`):

                                                     ours    trafilatura
    titles that are those of the gold                0.78    0.50
    authors that are those of the gold               0.78    0.61
    dates that are those of the gold                 0.79    0.84
    share of pages with a date, if the gold has none 0.17    0.97

Cost: 0.34 ms per page for an average page of WCXB, after the classifier has run.  If the same page is read again at
once, with warm caches, it takes 0.2 ms.  Pages of 1 MB that repeat one thing take at most 40 ms: the limits called
MAX_, here and in the sources, ensure this.  Pages that were made to be slow take 75 ms.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from itertools import chain, groupby, islice
from operator import itemgetter
from urllib.parse import urljoin

from corpusmill.extract.metadata import jsonld, microdata, schemaorg
from corpusmill.extract.metadata.authors import clean_authors
from corpusmill.extract.metadata.bylines import MAX_PARENTS, Byline
from corpusmill.extract.metadata.dates import is_day_first, iso_date
from corpusmill.extract.metadata.licence import identifier, only_deed
from corpusmill.extract.metadata.schemaorg import is_page
from corpusmill.extract.metadata.titles import (
    MAX_HEADINGS,
    Heading,
    Title,
    best_title,
    site_names,
    squeezed,
)
from corpusmill.extract.segments.attributes import class_token
from corpusmill.extract.segments.facts import MAX_KEY_BYTES, Fact, Reader
from corpusmill.extract.segments.tables import BIT, FactKind, Segments
from corpusmill.extract.segments.tags import TAG

MAX_TITLES = 10
MAX_INNER = 8  # elements in a heading
MAX_SCRIPTS = 100  # of JSON-LD
MAX_ALTERNATES = 200
MAX_AUTHOR_LINKS, MAX_LINK_WORDS = 20, 8  # a longer text is the title of another page
MAX_GAP_BYTES = 8  # between two links to authors of one page there is ", " or " and "
MAX_DATES = 50  # of a kind are tried, until one can be read


def _names(names: str) -> tuple[bytes, ...]:
    return tuple(names.encode().split())


# Names of meta elements, in lower case and without punctuation, which varies.  The most trusted of a field is first.
_NAMES: dict[str, tuple[bytes, ...]] = {
    "title": _names("ogtitle twittertitle citationtitle dctitle dctermstitle parselytitle sailthrutitle"),
    "author": _names(
        "articleauthor ogarticleauthor ogauthor articleauthorname author byl dccreator dctermscreator citationauthor "
        "citationauthors parselyauthor sailthruauthor cxenseparseauthor articlebyline creator schemaauthor"
    ),
    "published": _names(
        "articlepublishedtime articlepublished ogarticlepublishedtime ogpublishedtime datepublished citationonlinedate "
        "citationpublicationdate citationdate dcdateissued dctermsissued dcdatecreated dctermscreated dcdate "
        "dctermsdate parselypubdate sailthrudate cxenseparserecspublishtime cxenseparsepublishtime publishdate "
        "publisheddate published publicationdate pubdate ogpublishdate prismpublicationdate publishedat datecreated "
        "uploaddate date schemadatepublished schemadatecreated schemadateposted rnewsdatepublished"
    ),
    "updated": _names(
        "articlemodifiedtime ogarticlemodifiedtime ogmodifiedtime datemodified ogupdatedtime dcdatemodified "
        "dctermsmodified lastmodified lastupdated dateupdated modifieddate updatedat schemadatemodified"
    ),
    "site": _names("ogsitename applicationname"),
    "description": _names("ogdescription description twitterdescription dcdescription dctermsdescription"),
    "language": _names("contentlanguage oglocale dclanguage dctermslanguage language inlanguage"),
    "licence": _names("dctermslicense dclicense license dcrights dctermsrights"),
    "type": _names("ogtype"),
    "url": _names("ogurl"),
}
_FIELDS = {name: (field, rank) for field, names in _NAMES.items() for rank, name in enumerate(names)}
_OF_THE_PAGE = tuple(map(_NAMES["language"].index, _names("contentlanguage language")))  # these stand for <html lang>
_NO_CRAWLERS = frozenset(
    _names("viewport keywords newskeywords generator themecolor refresh contenttype xuacompatible title url image name")
    + _names("contentsecuritypolicy formatdetection position referrer publisher copyright csrftoken")
)
_NO_CRAWLERS_PREFIXES = (b"apple-", b"msapplication-", b"google-site-verification", b"shopify-")
_PUNCTUATION = b":._- "
_ITEMS = {"published": frozenset((b"datepublished", b"datecreated")), "updated": frozenset((b"datemodified",))}
_WHOLES = frozenset(TAG[name] for name in ("head", "main", "body"))
_COMMENTS = frozenset(map(class_token, ("comment", "comments", "commentlist", "replies")))
_H1, _H2, _H3 = (TAG[name] for name in ("h1", "h2", "h3"))
_FOOTER, _ARTICLE, _NAV = BIT["footer"], BIT["article"], BIT["nav"]
_N_KINDS = max(FactKind) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PageMetadata:
    """What a page states about itself.  Texts are on one line, with entities resolved."""

    title: str | None = None
    authors: tuple[str, ...] = ()
    published: str | None = None  # ISO 8601, as precise as the page states it, with an offset if the page has one
    updated: str | None = None
    description: str | None = None
    site_name: str | None = None
    canonical: str | None = None  # absolute if the page's own address is known
    html_lang: str | None = None  # from <html>, else from a meta element
    languages: tuple[str, ...] = ()  # declared elsewhere: og:locale, JSON-LD, ...
    alternates: tuple[str, ...] = ()  # languages of the versions that the page links to
    licence: str | None = None  # an SPDX identifier for Creative Commons licences, else the page's own name for it
    og_type: str | None = None
    types: tuple[str, ...] = ()  # types of the page in schema.org
    directives: tuple[tuple[str, str], ...] = ()  # (name in lower case, content) of meta elements that robots may obey

    def as_mapping(self) -> Mapping[str, str | list[str]]:
        """The values that have no column of their own, by name; only those that the page has."""
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
    """The metadata of the page; `url` is its address, if known."""
    return _Page(segments, url).metadata()


class _Page:
    """A page's facts by kind, and the fields that follow from them."""

    def __init__(self, segments: Segments, url: str | None) -> None:
        self.reader = Reader(segments)
        self.segments = segments
        self.url = url
        self.facts = self.reader.facts()
        self.by_kind: list[list[Fact]] = [[] for _ in range(_N_KINDS)]
        for fact in self.facts:
            self.by_kind[fact.kind].append(fact)
        self.declared, self.directives = self._metas()
        self.links = self._links()
        self.canonical = self._canonical()
        self.told = self._described()
        self.html_lang = self._html_lang()
        self.day_first = is_day_first(self.html_lang)
        self.bylines: dict[str, Byline | None] = {}

    def metadata(self) -> PageMetadata:
        """All fields."""
        declared_sites = list(self._values("site"))
        site_name = self._told("site_name") or next(iter(declared_sites), None)
        sites = site_names([site_name, *declared_sites], _host(self.url or self.canonical or ""))
        title = self._title(sites)
        persons, organisations = self._authors(sites, "" if title is None else title.shown)
        published = self._date("published")
        updated = self._date("updated")
        if title is not None and not (persons and published) and (byline := self._byline(title.shown, sites)):
            persons = persons or byline.authors()
            if not (published and updated):
                times, items = self.by_kind[FactKind.TIME], self.by_kind[FactKind.ITEM]
                its_published, its_updated = byline.dates(times, items, self.foreign)
                published, updated = published or its_published, updated or its_updated
        return PageMetadata(
            title=None if title is None else title.text,
            authors=persons or organisations,
            published=published,
            updated=updated,
            description=next(self._values("description"), None) or self._told("description"),
            site_name=site_name,
            canonical=self.canonical,
            html_lang=self.html_lang,
            languages=self._languages(),
            alternates=self._alternates(),
            licence=self._licence(),
            og_type=next(self._values("type"), None),
            types=tuple(dict.fromkeys(kind for told in self.told for kind in told.types)),
            directives=tuple(self.directives),
        )

    def _metas(self) -> tuple[dict[str, list[tuple[int, Fact]]], list[tuple[str, str]]]:
        """(meta elements that declare a field, with its rank; (name, content) of those that may address robots)."""
        declared: dict[str, list[tuple[int, Fact]]] = {}
        directives = []
        metas = self.by_kind[FactKind.META]
        for fact, role in zip(metas, map(_role, self.reader.keys(metas)), strict=True):
            if role is None:
                continue
            if isinstance(role, str):
                if content := self.reader.value(fact):
                    directives.append((role, content))
            else:
                field, rank = role
                declared.setdefault(field, []).append((rank, fact))
        for ranked in declared.values():
            if len(ranked) > 1:
                ranked.sort(key=itemgetter(0))
        return declared, directives

    def _links(self) -> dict[bytes, list[Fact]]:
        """The <link> elements by rel, followed by the <a> elements."""
        links: dict[bytes, list[Fact]] = {}
        facts = self.by_kind[FactKind.LINK] + self.by_kind[FactKind.ANCHOR]
        for fact, key in zip(facts, self.reader.keys(facts), strict=True):
            for rel in key.lower().split():
                links.setdefault(rel, []).append(fact)
        return links

    @cached_property
    def foreign(self) -> Set[int]:
        """The nodes of objects in microdata that do not describe the page."""
        return {
            fact.node
            for fact in self.by_kind[FactKind.SCOPE]
            if not is_page({"@type": self.reader.value(fact).split()})
        }

    def _values_of_page(self, field: str) -> Iterator[str]:
        """As `_values`, without elements in comments and in objects that do not describe the page."""
        facts = (fact for _, fact in self.declared.get(field, ()) if not self._is_of_else(fact.node))
        return filter(None, map(self.reader.value, facts))

    def _is_of_else(self, node: int) -> bool:
        nodes = self.segments.nodes
        if not nodes["text_end"].item(node):  # in the head
            return False
        for around in islice(microdata.around(node, self.reader), MAX_PARENTS):
            if nodes["tag"].item(around) in _WHOLES:
                return False
            if around in self.foreign or not _COMMENTS.isdisjoint(self.segments.tokens_of(around)):
                return True
        return False

    def _values(self, field: str) -> Iterator[str]:
        """The values that meta elements declare for a field, the most trusted first."""
        return filter(None, (self.reader.value(fact) for _, fact in self.declared.get(field, ())))

    def _hrefs(self, rel: bytes) -> Iterator[str]:
        return filter(None, map(self.reader.value, self.links.get(rel, ())))

    def _canonical(self) -> str | None:
        address = next(self._hrefs(b"canonical"), None) or next(self._values("url"), None)
        if address is None or self.url is None or "://" in address:
            return address
        try:
            return urljoin(self.url, address)
        except ValueError:  # "//[" is not an address
            return None

    def _described(self) -> list[schemaorg.Described]:
        """The descriptions in JSON-LD and microdata."""
        addresses = list(filter(None, (self.url, self.canonical, *self._values("url"))))
        found = jsonld.objects(map(self.reader.raw, self.by_kind[FactKind.JSON_LD][:MAX_SCRIPTS]))
        items = microdata.objects(self.facts, self.reader) if self.by_kind[FactKind.SCOPE] else []
        return [schemaorg.describe(found, addresses), schemaorg.describe(items, addresses)]

    def _told(self, name: str) -> str | None:
        return next(filter(None, (getattr(told, name) for told in self.told)), None)

    def _title(self, sites: Collection[str]) -> Title | None:
        declared = [told.title for told in self.told if told.title]
        declared += [*islice(self._values("title"), MAX_TITLES), *map(self.reader.value, self.by_kind[FactKind.TITLE])]
        texts = list(dict.fromkeys(filter(None, declared)))
        headings = (Heading(self.reader.node_text(node), self._inner_texts(node)) for node in self._first(_H1))
        return best_title(texts, headings, map(self.reader.node_text, self._first(_H2, _H3)), sites)

    def _first(self, *tags: int) -> Iterator[int]:
        """The first headings with each of these tags."""
        for tag in tags:
            yield from (self.segments.nodes["tag"] == tag).nonzero()[0][:MAX_HEADINGS].tolist()

    def _inner_texts(self, node: int) -> Iterator[str]:
        """The texts of the first elements in a heading."""
        ends = self.segments.nodes["text_end"][node : node + 1 + MAX_INNER].tolist()
        for inner, end in enumerate(ends[1:], node + 1):
            if end <= ends[0] and (text := self.reader.node_text(inner)):
                yield text

    def _authors(self, sites: Collection[str], title: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """(authors from the most trusted source that names a person; organisations if no source does)."""
        organisations: tuple[str, ...] = ()
        for texts, has_person in self._author_texts(sites, title):
            names = clean_authors(texts, sites)
            persons = tuple(name for name in names if squeezed(name) not in sites)
            if persons and has_person:
                return persons, ()
            organisations = organisations or names
        return (), organisations

    def _author_texts(self, sites: Collection[str], title: str) -> Iterator[tuple[Iterable[str], bool]]:
        """The author texts of each source, and whether they may name a person."""
        yield from ((told.authors, told.has_person) for told in self.told)
        for _, metas in groupby(self.declared.get("author", ()), key=itemgetter(0)):
            yield (self.reader.value(fact) for _, fact in metas), True
        yield self._author_links(sites, title), True

    def _author_links(self, sites: Collection[str], title: str) -> Iterator[str]:
        """The texts of the first link to an author, and of those that follow it in the same line."""
        nodes = self.segments.nodes
        end = None
        anchors = [fact.node for fact in self.links.get(b"author", ()) if fact.kind == FactKind.ANCHOR]
        byline = self._byline(title, sites) if anchors else None
        for node in anchors[:MAX_AUTHOR_LINKS]:
            start = nodes["text_start"].item(node)
            if end is not None and start > end + MAX_GAP_BYTES:
                return
            text = self.reader.node_text(node)
            if (
                len(text.split()) <= MAX_LINK_WORDS
                and clean_authors([text], sites)
                and self._is_of_author(node, byline)
            ):
                yield text
                end = nodes["text_end"].item(node)

    def _is_of_author(self, node: int, byline: Byline | None) -> bool:
        """Whether a link to an author is neither in a menu, a footer or a comment."""
        flags = self.segments.nodes["flags"].item(node)
        if flags & _FOOTER and not flags & _ARTICLE:
            return False
        return not flags & _NAV if byline is None else byline.is_beside(node)

    def _byline(self, title: str, sites: Collection[str]) -> Byline | None:
        """The text beside the title, if the title is a block.  Of several such blocks a heading is chosen."""
        if title in self.bylines:
            return self.bylines[title]
        blocks = self.segments.blocks
        found = (blocks["n_chars"] == len(title)).nonzero()[0][:MAX_HEADINGS].tolist()
        found = [block for block in found if self.segments.block_text(block) == title]
        headings = blocks["heading"]
        place = next((block for block in found if headings.item(block) > 0), next(iter(found), None))
        byline = None if place is None else Byline(self.segments, self.reader, place, sites, self.day_first)
        self.bylines[title] = byline
        return byline

    def _date(self, field: str) -> str | None:
        texts = chain(*(getattr(told, field) for told in self.told), self._values_of_page(field))
        read = partial(iso_date, day_first=self.day_first)
        if (date := next(filter(None, map(read, islice(texts, MAX_DATES))), None)) is not None:
            return date
        dates = set(
            filter(
                None,
                map(
                    read,
                    microdata.without_object(
                        self.by_kind[FactKind.ITEM], self.by_kind[FactKind.SCOPE], self.reader, _ITEMS[field]
                    ),
                ),
            )
        )
        return dates.pop() if len(dates) == 1 else None

    def _html_lang(self) -> str | None:
        lang = next(map(self.reader.value, self.by_kind[FactKind.HTML]), None)
        if lang:
            return lang
        metas = [fact for rank, fact in self.declared.get("language", ()) if rank in _OF_THE_PAGE]
        return next(filter(None, map(self.reader.value, metas)), None)

    def _languages(self) -> tuple[str, ...]:
        told = [language for told in self.told for language in told.languages]
        return tuple(dict.fromkeys(language.replace("_", "-") for language in [*told, *self._values("language")]))

    def _alternates(self) -> tuple[str, ...]:
        found = (fact for fact in self.by_kind[FactKind.LINK] if fact.extra_end > fact.extra_start)
        languages = {self.reader.text(fact.extra_start, fact.extra_end) for fact in islice(found, MAX_ALTERNATES)}
        return tuple(sorted(languages - {"", "x-default"}))

    def _licence(self) -> str | None:
        told = [licence for told in self.told for licence in told.licences]
        if licence := next(chain(told, self._hrefs(b"license"), self._values("licence")), None):
            return identifier(licence)
        return only_deed(map(self.reader.value, self.by_kind[FactKind.ANCHOR]))


@lru_cache(maxsize=4096)
def _role(key: bytes) -> tuple[str, int] | str | None:
    """What a meta element does: it declares a field (name, rank), or it may instruct the crawler with this name."""
    if len(key) > MAX_KEY_BYTES:
        return None
    key = key.strip().lower()
    if b" " in key and b":" in key:  # RDFa: several names for one value
        key = next((name for name in key.split() if name.translate(None, _PUNCTUATION) in _FIELDS), key)
    if b"://" in key:  # RDFa: the whole address of a property
        last = key.rpartition(b"/")[2].rpartition(b"#")[2]
        key = last if last in _FIELDS else b"dcterms" + last
    name = key.translate(None, _PUNCTUATION)
    if name in _FIELDS:
        return _FIELDS[name]
    if b":" in key or name in _NO_CRAWLERS or key.startswith(_NO_CRAWLERS_PREFIXES):
        return None
    return key.decode("utf-8", "replace")


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0].rpartition("@")[2].partition(":")[0]
