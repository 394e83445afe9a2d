"""The objects in a page's JSON-LD (https://www.w3.org/TR/json-ld11/), read as leniently as search engines read it.

Contexts are not read: the vocabulary is always taken to be that of schema.org, as is usual on the Web.  Some faults
stop a strict reader.  They are repaired here.  Among 1,711 scripts of 1,607 pages, this many had each fault:

    scripts  fault
    16       raw control characters in strings
    4        an empty script
    1        text after the value, most often the next value
    2        comments, CDATA marks, or commas before a closing bracket
    7        not repaired: quotes inside strings, missing commas; the objects before the fault count

Cost: 10 µs per kB, most of it in Python's own JSON reader.
"""

import html
import json
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

Object = dict[str, Any]

MAX_CHARS = 1 << 20  # of a page's scripts; a newspaper's live blog has half of it
MAX_OPENINGS = 20_000  # brackets in them: a list costs as much as fifty characters; WCXB has at most 752
MAX_MENDED_CHARS = 1 << 18  # of scripts that are not JSON
MAX_OBJECTS = 1000
MAX_VALUES = 1000  # one after the other in one script
_COMPOUND = frozenset((list, dict))
_DECODER = json.JSONDecoder(strict=False)
_SPACE = re.compile(r"[\s;,\ufeff]*")
_SOUND_OR_FAULT = re.compile(
    r"""((?:[^"/,<\]-]++|"(?:[^"\\]++|\\.?)*+"?"""  # text without faults: strings, and all that does not begin a fault
    r"""|/(?![/*])|,(?!\s*+[]}])|<(?!!--|!\[CDATA\[)|\](?!\]>)|-(?!->))++)"""
    r"|//[^\n]*+|/\*(?:[^*]++|\*(?!/))*+(?:\*/)?|<!--|-->|<!\[CDATA\[|\]\]>|,",  # the faults: comments, marks, commas
    re.DOTALL,
)


def objects(scripts: Iterable[str]) -> list[Object]:
    """The independent objects in a page's scripts: at the top, in lists, in `@graph`, and as main entity.

    A script is left out if the page would have more than MAX_CHARS or MAX_OPENINGS with it.
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
    """The values in a script that is not JSON, up to the first fault that cannot be repaired."""
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
