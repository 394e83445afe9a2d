"""What objects of schema.org say of the page that they are in; JSON-LD and microdata alike.

A page has many objects: breadcrumbs, the publisher, articles that it recommends.  Which one is the page?  An article
comes before another work (a recipe, a product), that before a mere WebPage; within a rank, the one whose address is
the page's.  Without such an address a rank counts only if it has one object (or several that agree on their name): a
list of articles is not one of them.  Where the first object leaves something open, a WebPage may fill it in, for both
are the page; a product, an organisation or a film has dates and makers of its own, which are not.
"""

import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

Object = Mapping[str, Any]

MAX_NESTING = 4  # of lists and objects in the value of a property
MAX_VALUES = 50
MAX_OBJECTS = 1000
MAX_TYPE_CHARS = 100

_ARTICLES = (  # with authors and dates of their own, beside all that end in "article" or "posting"
    "report review recipe howto question dataset course chapter thesis claimreview podcastepisode blog"
)
_WORKS = (  # whose makers and dates aren't the page's
    "product productgroup book event movie softwareapplication mobileapplication webapplication videoobject game "
    "videogame musicalbum musicrecording tvseries tvepisode podcastseries"
)
_ARTICLE, _WORK, _PAGE = range(3)
_RANKS = {kind: rank for rank, names in ((_ARTICLE, _ARTICLES), (_WORK, _WORKS)) for kind in names.split()}
_TAG = re.compile(r"<[^<>]*>")
_START = re.compile(r"(?:https?:)?//(?:www\.)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What the objects say, as they say it: not yet cleaned or normalised; lists are in the objects' order."""

    types: tuple[str, ...] = ()
    title: str | None = None
    authors: tuple[str, ...] = ()
    has_person: bool = False  # among the authors; organisations alone are often just the publisher
    published: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()
    description: str | None = None
    site_name: str | None = None


def describe(objects: Sequence[Object], addresses: AbstractSet[str]) -> Described:
    """What is said of the page.

    objects: in the page's order; a value that is only an `@id` stands for the object of that name among them
    addresses: the page's own, as `address` writes them
    """
    objects = objects[:MAX_OBJECTS]
    if not objects:
        return Described()
    named = {
        identity: item for item in reversed(objects) if isinstance(identity := item.get("@id"), str) and len(item) > 1
    }
    chosen, pages = _chosen(objects, addresses)
    makers = _makers(pages)
    return Described(
        types=tuple(dict.fromkeys(kind for item in chosen for kind in kinds(item))),
        title=_first(chosen, ("headline", "name"), named),
        authors=tuple(_texts(makers, named)),
        has_person=not all(isinstance(maker, dict) and _is_organisation(maker) for maker in makers),
        published=_all(pages, ("datePublished", "dateCreated", "datePosted", "uploadDate"), named),
        updated=_all(pages, ("dateModified",), named),
        languages=_all(pages, ("inLanguage",), named),
        licences=_all(pages, ("license",), named),
        description=_first(chosen, ("description",), named),
        site_name=_site_name(objects, pages, named),
    )


def address(url: str) -> str:
    """A URL for comparison: without scheme, "www.", fragment and a slash at the end."""
    start = _START.match(url)
    return url[start.end() if start else 0 :].partition("#")[0].rstrip("/").lower()


def _rank(item: Object) -> int | None:
    """_ARTICLE, _WORK or _PAGE; None for what no page is."""
    ranks = [rank for kind in kinds(item) if (rank := _rank_of(kind)) is not None]
    return min(ranks, default=None)


@lru_cache(maxsize=1024)
def _rank_of(kind: str) -> int | None:
    kind = kind.lower()
    if kind.endswith(("article", "posting")):
        return _ARTICLE
    return _PAGE if kind.endswith("page") else _RANKS.get(kind)


def kinds(item: Object) -> list[str]:
    """An object's types, without the vocabulary's address."""
    types = item.get("@type")
    listed = types[:MAX_VALUES] if isinstance(types, list) else [types]
    return [_bare(kind[:MAX_TYPE_CHARS]) for kind in listed if isinstance(kind, str)]


@lru_cache(maxsize=1024)
def _bare(kind: str) -> str:
    return kind.rstrip("/").rpartition("/")[2].rpartition(":")[2]


def _chosen(objects: Sequence[Object], addresses: AbstractSet[str]) -> tuple[list[Object], list[Object]]:
    """(the objects that the page is about, those that are the page itself), the most telling first."""
    ranks: tuple[list[Object], ...] = ([], [], [])
    for item in objects:
        if len(item) > 1 and (rank := _rank(item)) is not None:
            ranks[rank].append(item)
    articles, works, pages = (_ours(items, addresses) for items in ranks)
    pages = pages or ranks[_PAGE][:1]
    return [*(articles or works), *pages], [*articles, *pages]


def _ours(items: list[Object], addresses: AbstractSet[str]) -> list[Object]:
    """Those with the page's address; without any, all if they are one."""
    ours = [item for item in items if not addresses.isdisjoint(_addresses(item))]
    if ours or len(items) < 2:
        return ours or items
    names = {str(item.get("headline") or item.get("name")) for item in items}
    return items if len(names) == 1 else []


def _addresses(item: Object) -> Iterator[str]:
    for key in ("url", "mainEntityOfPage", "@id"):
        value = item.get(key)
        for one in value[:MAX_VALUES] if isinstance(value, list) else (value,):
            named = (one.get("@id") or one.get("url")) if isinstance(one, dict) else one
            if isinstance(named, str):
                yield address(named)


def _first(items: Iterable[Object], keys: Sequence[str], named: Mapping[str, Object]) -> str | None:
    return next((text for item in items for key in keys for text in _texts(item.get(key), named)), None)


def _makers(items: Iterable[Object]) -> list[Any]:
    """The authors, names or objects, of the first object that has some."""
    for item in items:
        if makers := item.get("author") or item.get("creator"):
            return makers[:MAX_VALUES] if isinstance(makers, list) else [makers]
    return []


def _is_organisation(item: Object) -> bool:
    return any(kind.endswith(("Organization", "Corporation")) for kind in kinds(item))


def _all(items: Iterable[Object], keys: Sequence[str], named: Mapping[str, Object]) -> tuple[str, ...]:
    return tuple(text for item in items for key in keys for text in _texts(item.get(key), named))


def _site_name(objects: Sequence[Object], pages: Sequence[Object], named: Mapping[str, Object]) -> str | None:
    sites = [item for item in objects if "WebSite" in kinds(item)]
    name = _first(sites, ("name",), named) or _first(pages, ("publisher", "isPartOf"), named)
    return None if name is None or "://" in name else name


def _texts(value: Any, named: Mapping[str, Object], depth: int = 0) -> Iterator[str]:
    """The texts that a property's value comes to: an object's is its name, or else its address."""
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
        for key in ("name", "@value", "alternateName", "url", "@id"):
            if key in value:
                yield from _texts(value[key], named, depth + 1)
                return


def _plain(text: str) -> str:
    """Without entities and tags, which have no business in a value."""
    if "&" in text:
        text = html.unescape(text)
    if "<" in text:
        text = _TAG.sub(" ", text)
    return text.strip()
