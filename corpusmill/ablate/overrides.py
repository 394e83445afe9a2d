"""A recipe with the changes of a variant.

A key is that of the recipe with dots.  An item of a list is given by its name: `sources.web.weight`,
`filters.rules.too_short.threshold`, `edits.citations.MARKS`.  A rule that a profile gives is copied into the recipe's
own rules, where it replaces the profile's, and is changed there; to remove it is to disable it.
"""

import copy
from typing import Any

from corpusmill.ablate.settings import Variant
from corpusmill.errors import InputError
from corpusmill.filters.profiles import attributed, meant, nearest
from corpusmill.recipe import Recipe

RULES = "filters.rules"
LISTS = ("sources", "edits", RULES)  # whose items have names


def varied(data: dict[str, Any], recipe: Recipe, variant: Variant, where: str) -> dict[str, Any]:
    """The base recipe with the changes of a variant, as plain data.  `data` and `recipe` are the same base recipe.

    InputError, which begins with `where`, for a key or an item that is not there.
    """
    data = copy.deepcopy(data)
    for path in variant.remove:
        _remove(data, recipe, path, where)
    for path, items in variant.add.items():
        _list_at(data, path, where).extend(copy.deepcopy(items))
    for path, value in variant.set.items():
        _set(data, recipe, path, value, where)
    return data


def _set(data: dict[str, Any], recipe: Recipe, path: str, value: Any, where: str) -> None:
    *way, last = path.split(".")
    table: Any = data
    for depth, key in enumerate(way):
        place = ".".join(way[:depth])
        if isinstance(table, list):
            table = _item(table, recipe, key, place, where)
        else:
            table = table.setdefault(key, [] if ".".join(way[: depth + 1]) in LISTS else {})
        if not isinstance(table, dict | list):
            raise InputError(f"{where}: '{path}': '{key}' is no table")
    if not isinstance(table, dict):
        raise InputError(f"{where}: '{path}' is an item of a list; name the key of it that is to be set: '{path}.KEY'")
    table[last] = value


def _item(items: list[Any], recipe: Recipe, name: str, path: str, where: str) -> dict[str, Any]:
    """The item of that name; a rule of a profile is copied into the list first."""
    found = _named(items, name)
    if found is not None:
        return found
    if path == RULES and (rules := meant(recipe.filters, name)):
        _, rule = rules[0]
        items.append(rule.model_dump(mode="json", exclude_none=True) | {"name": name})
        added: dict[str, Any] = items[-1]
        return added
    raise _missing(f"{path}.{name}", items, recipe, where)


def _named(items: list[Any], name: str) -> dict[str, Any] | None:
    return next((item for item in items if isinstance(item, dict) and _name(item) == name), None)


def _name(item: dict[str, Any]) -> str:
    """The name of an item; an edit without a name has that of its kind."""
    return str(item.get("name", item.get("kind", "")))


def _list_at(data: dict[str, Any], path: str, where: str) -> list[Any]:
    """The list at a path, which is made if it is not there."""
    *way, last = path.split(".")
    table: Any = data
    for key in way:
        table = table.setdefault(key, {}) if isinstance(table, dict) else None
    items = table.setdefault(last, []) if isinstance(table, dict) else None
    if not isinstance(items, list):
        raise InputError(f"{where}: '{path}' is no list of the recipe; lists are {', '.join(LISTS)}")
    return items


def _remove(data: dict[str, Any], recipe: Recipe, path: str, where: str) -> None:
    place, _, name = path.rpartition(".")
    items = _list_at(data, place, where) if place else []
    found = _named(items, name)
    if found is not None:
        items.remove(found)
        return
    if place == RULES and meant(recipe.filters, name):
        _list_at(data, "filters.disable", where).append(name)
        return
    raise _missing(path, items, recipe, where)


def _missing(path: str, items: list[Any], recipe: Recipe, where: str) -> InputError:
    """The error for an item that is not there."""
    place, _, name = path.rpartition(".")
    names = [_name(item) for item in items if isinstance(item, dict)]
    if place == RULES:
        names += [rule.name for _, rule in attributed(recipe.filters)]
    return InputError(f"{where}: there is no '{path}'; {nearest(name, set(names))}")
