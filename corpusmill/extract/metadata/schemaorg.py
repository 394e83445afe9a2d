"""What objects of schema.org state about their page, from JSON-LD and microdata.

A page has many objects: breadcrumbs, the publisher, articles that it recommends.  These rules find the object that
stands for the page:

- An article comes before another work (a recipe, a product), and another work comes before a plain WebPage.
- Among objects of the same rank, the one with the page's address is chosen.
- If none has this address, a rank counts only if it has one object, or several objects with the same name.  So a list
  of other articles does not count.
- If the chosen object lacks a property, a WebPage may provide it, because both describe the page.  A product, an
  organisation or a film does not provide it: its dates and makers are not those of the page.
"""

import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice
from typing import Any

Object = Mapping[str, Any]

MAX_NESTING = 4  # of lists and objects in the value of a property
MAX_VALUES = 50
MAX_OBJECTS = 1000
MAX_AGREEING = 5  # objects that stand for the page
MAX_TYPE_CHARS = 100

_ARTICLES = (  # these have their own authors and dates; so do all types that end in "article" or "posting"
    "report review recipe howto question dataset course chapter thesis claimreview podcastepisode blog"
)
_WORKS = (  # the makers and dates of these are not those of the page
    "product productgroup book event movie softwareapplication mobileapplication webapplication videoobject game "
    "videogame musicalbum musicrecording tvseries tvepisode podcastseries"
)
_ARTICLE, _WORK, _PAGE, _OTHER = range(4)
_RANKS = {kind: rank for rank, names in ((_ARTICLE, _ARTICLES), (_WORK, _WORKS)) for kind in names.split()}
_SITE = "WebSite"
_TAG = re.compile(r"<[^<>]*>")
_START = re.compile(r"(?:https?:)?//(?:www\.)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What the objects state, not yet cleaned or normalised.  Lists are in the order of the objects."""

    types: tuple[str, ...] = ()
    title: str | None = None
    authors: tuple[str, ...] = ()
    has_person: bool = False  # among the authors; if there are only organisations, they are often just the publisher
    published: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()
    description: str | None = None
    site_name: str | None = None


_NOTHING = Described()


def describe(objects: Sequence[Object], addresses: Iterable[str]) -> Described:
    """The description of the page.

    objects: in the order of the page; a value that is only an `@id` refers to the object with this id among them
    addresses: the addresses of the page
    """
    if not objects:
        return _NOTHING
    objects = objects[:MAX_OBJECTS]
    named = {
        identity: item for item in reversed(objects) if isinstance(identity := item.get("@id"), str) and len(item) > 1
    }
    chosen, pages = _chosen(objects, addresses)
    makers = _makers(pages, named)
    return Described(
        types=tuple(dict.fromkeys(kind for item in chosen for kind in _kinds(item))),
        title=next(_values(chosen, ("headline", "name"), named), None),
        authors=tuple(_texts(makers, named)),
        has_person=not all(isinstance(maker, dict) and _is_organisation(maker) for maker in makers),
        published=tuple(_values(pages, ("datePublished", "dateCreated", "datePosted", "uploadDate"), named)),
        updated=tuple(_values(pages, ("dateModified",), named)),
        languages=tuple(_values(pages, ("inLanguage",), named)),
        licences=tuple(_values(pages, ("license",), named)),
        description=next(_values(chosen, ("description",), named), None),
        site_name=_site_name(objects, pages, named),
    )


def _address(url: str) -> str:
    """A URL for comparison: without scheme, "www.", fragment and a slash at the end."""
    start = _START.match(url)
    return url[start.end() if start else 0 :].partition("#")[0].rstrip("/").lower()


@lru_cache(maxsize=1024)
def _rank(kind: str) -> int:
    """_ARTICLE, _WORK or _PAGE; _OTHER for types that cannot stand for a page."""
    kind = kind.lower()
    if kind.endswith(("article", "posting")):
        return _ARTICLE
    return _PAGE if kind.endswith("page") else _RANKS.get(kind, _OTHER)


def _kinds(item: Object) -> list[str]:
    """An object's types, without the vocabulary's address."""
    types = item.get("@type")
    if isinstance(types, str):
        return [_bare(types[:MAX_TYPE_CHARS])]
    listed = types[:MAX_VALUES] if isinstance(types, list) else ()
    return [_bare(kind[:MAX_TYPE_CHARS]) for kind in listed if isinstance(kind, str)]


@lru_cache(maxsize=1024)
def _bare(kind: str) -> str:
    return kind.rstrip("/").rpartition("/")[2].rpartition(":")[2]


def tells(item: Object) -> bool:
    """Whether an object that is not part of another one can describe the page, by its type."""
    types = _kinds(item)
    return min(map(_rank, types), default=_OTHER) != _OTHER or _SITE in types


def is_page(item: Object) -> bool:
    """Whether the dates and authors of an object can be those of the page, by its type."""
    return min(map(_rank, _kinds(item)), default=_OTHER) in (_ARTICLE, _PAGE)


def _chosen(objects: Sequence[Object], addresses: Iterable[str]) -> tuple[list[Object], list[Object]]:
    """(the objects that the page is about, the objects that are the page itself), the most important first."""
    ranks: tuple[list[Object], ...] = ([], [], [], [])
    for item in objects:
        if len(item) > 1:
            ranks[min(map(_rank, _kinds(item)), default=_OTHER)].append(item)
    articles, works, pages = (_ours(items, addresses)[:MAX_AGREEING] for items in ranks[:_OTHER])
    pages = pages or ranks[_PAGE][:1]
    return [*(articles or works), *pages], [*articles, *pages]


def _ours(items: list[Object], addresses: Iterable[str]) -> list[Object]:
    """The objects with the page's address.  If there are none: all objects, if they are one and the same."""
    if len(items) < 2:
        return items
    known = set(map(_address, addresses))
    if ours := [item for item in items if not known.isdisjoint(_addresses(item))]:
        return ours
    names = {str(item.get("headline") or item.get("name")) for item in items}
    return items if len(names) == 1 else []


def _addresses(item: Object) -> Iterator[str]:
    for key in ("url", "mainEntityOfPage", "@id"):
        value = item.get(key)
        for one in value[:MAX_VALUES] if isinstance(value, list) else (value,):
            named = (one.get("@id") or one.get("url")) if isinstance(one, dict) else one
            if isinstance(named, str):
                yield _address(named)


def _makers(items: Iterable[Object], named: Mapping[str, Object]) -> list[Any]:
    """The authors (names or objects) of the object that has most of them; of the first, if there are several."""
    best: list[Any] = []
    n_best = 0
    for item in items:
        for key in ("author", "creator"):
            makers = [_resolved(maker, named) for maker in _members(item.get(key))]
            n_makers = sum(1 for _ in islice(_texts(makers, named), MAX_VALUES)) if makers else 0
            if n_makers > n_best:
                best, n_best = makers, n_makers
            if n_makers:
                break
    return best


def _members(value: Any) -> list[Any]:
    """The values of a property that may be one value, several, or an object that lists them."""
    if isinstance(value, Mapping):
        for key in ("@list", "@set", "itemListElement"):
            if isinstance(value.get(key), list):
                value = value[key]
                break
    if not value:
        return []
    return value[:MAX_VALUES] if isinstance(value, list) else [value]


def _resolved(maker: Any, named: Mapping[str, Object]) -> Any:
    """An author's object, if the value is only its identity; the author in an object for a role."""
    if isinstance(maker, str):
        return named.get(maker, maker)
    if isinstance(maker, Mapping) and "name" not in maker:
        return maker.get("author") or maker.get("item") or maker
    return maker


def _is_organisation(item: Object) -> bool:
    return any(kind.endswith(("Organization", "Corporation")) for kind in _kinds(item))


def _values(items: Iterable[Object], keys: Sequence[str], named: Mapping[str, Object]) -> Iterator[str]:
    """The texts of these properties, object after object."""
    for item in items:
        for key in keys:
            if key in item:
                yield from _texts(item[key], named)


def _site_name(objects: Sequence[Object], pages: Sequence[Object], named: Mapping[str, Object]) -> str | None:
    sites = (item for item in objects if _SITE in _kinds(item))
    names = chain(_values(sites, ("name",), named), _values(pages, ("publisher", "isPartOf"), named))
    name = next(names, None)
    return None if name is None or "://" in name else name


def _texts(value: Any, named: Mapping[str, Object], depth: int = 0) -> Iterator[str]:
    """The texts in a property's value.  The text of an object is its name, or else its address."""
    if isinstance(value, str):
        if text := _plain(value):
            yield text
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)
    elif depth < MAX_NESTING and isinstance(value, list):
        for item in value[:MAX_VALUES]:
            yield from _texts(item, named, depth + 1)
    elif depth < MAX_NESTING and isinstance(value, dict):
        if "name" not in value and isinstance(identity := value.get("@id"), str):
            value = named.get(identity, value)
        if "name" not in value and "familyName" in value:
            parts = (" ".join(_texts(value.get(key), named, depth + 1)) for key in ("givenName", "familyName"))
            yield " ".join(filter(None, parts))
            return
        for key in ("name", "@value", "alternateName", "url", "@id"):
            if key in value:
                yield from _texts(value[key], named, depth + 1)
                return


def _plain(text: str) -> str:
    """The text without entities and tags, which do not belong in a value."""
    if "&" in text:
        text = html.unescape(text)
    if "<" in text:
        text = _TAG.sub(" ", text)
    return text.strip()
