"""The objects in a page's JSON-LD (https://www.w3.org/TR/json-ld11/), read as leniently as search engines do.

A context is not followed: the vocabulary of schema.org is taken for granted, as everywhere on the Web.  What breaks a
strict reader and is mended, with how many of 1,711 scripts of 1,607 pages: raw control characters in strings (16), an
empty script (4), something behind the value, most often the next one (1), comments, CDATA marks and commas before a
closing bracket (2).  Of a script that stays broken (7: quotes inside of strings, missing commas), the objects before
the fault count.

Cost: 10 µs a kB, most of it Python's own JSON reader.
"""

import html
import json
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

Object = dict[str, Any]

MAX_CHARS = 1 << 20  # of a page's scripts; a live blog of a newspaper has half as many
MAX_OPENINGS = 20_000  # brackets in them, for a list costs fifty times what a character does; 752 at most in WCXB
MAX_MENDED_CHARS = 1 << 18  # of scripts that are not JSON
MAX_OBJECTS = 1000
MAX_VALUES = 1000  # one behind the other
_COMPOUND = frozenset((list, dict))
_DECODER = json.JSONDecoder(strict=False)
_SPACE = re.compile(r"[\s;,\ufeff]*")
_SOUND_OR_FAULT = re.compile(
    r"""((?:[^"/,<\]-]++|"(?:[^"\\]++|\\.?)*+"?"""  # what is sound: a string, and all that begins no fault
    r"""|/(?![/*])|,(?!\s*+[]}])|<(?!!--|!\[CDATA\[)|\](?!\]>)|-(?!->))++)"""
    r"|//[^\n]*+|/\*(?:[^*]++|\*(?!/))*+(?:\*/)?|<!--|-->|<!\[CDATA\[|\]\]>|,",  # comments, what hides scripts, commas
    re.DOTALL,
)


def objects(scripts: Iterable[str]) -> list[Object]:
    """The objects in a page's scripts that stand for themselves: at the top, in lists, in `@graph`, as main entity.

    A script with which the page would have more than MAX_CHARS or MAX_OPENINGS is passed over.
    """
    return list(islice(_standing(_values(scripts)), MAX_OBJECTS))


def _values(scripts: Iterable[str]) -> Iterator[Any]:
    n_chars = n_openings = n_mended = 0
    for script in scripts:
        openings = script.count("{") + script.count("[")
        if n_chars + len(script) > MAX_CHARS or n_openings + openings > MAX_OPENINGS:
            continue
        n_chars += len(script)
        n_openings += openings
        try:
            value = _DECODER.decode(script)
        except ValueError:
            n_mended += len(script)
            if n_mended <= MAX_MENDED_CHARS:
                yield from islice(_lenient(script), MAX_VALUES)
        except RecursionError:
            continue
        else:
            yield value


def _lenient(script: str) -> Iterator[Any]:
    """The values in a script that is not JSON, up to the first fault that can't be mended."""
    if '"' not in script and "&quot;" in script:
        script = html.unescape(script)
    script = "".join(_SOUND_OR_FAULT.findall(script))
    at = _end_of_space(script, 0)
    while at < len(script):
        try:
            value, at = _DECODER.raw_decode(script, at)
        except (ValueError, RecursionError):
            return
        yield value
        at = _end_of_space(script, at)


def _end_of_space(script: str, at: int) -> int:
    match = _SPACE.match(script, at)
    return match.end() if match else at


def _standing(values: Iterable[Any]) -> Iterator[Object]:
    for value in values:
        waiting = [value]
        while waiting:
            value = waiting.pop()
            if isinstance(value, list):
                waiting += (part for part in reversed(value) if type(part) in _COMPOUND)
            elif isinstance(value, dict):
                yield value
                waiting += [value[key] for key in ("mainEntityOfPage", "mainEntity", "@graph") if key in value]
