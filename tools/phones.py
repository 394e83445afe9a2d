"""Make `corpusmill/filters/private/phones.bin`: which digits are a telephone number, from libphonenumber's metadata.

    python tools/phones.py          needs the package `phonenumbers`

libphonenumber says by regular expressions, for each country, which numbers of each type (fixed line, mobile, ...) are
in use.  Here all of them become one automaton over the digits of the international form, without `+`.  A number is
valid if the automaton accepts it; that is `phonenumbers.is_valid_number`, without the regular expressions.

The file is compressed by zlib.  It holds little-endian uint16: rows of ten, one per state, each the next state for the
digits 0 to 9.  State 0 accepts nothing more, and its own row says what the others mean: its first number is the first
accepting state, and all later ones accept, too.  State 1 is the start.
"""

import re._constants as form
import re._parser as parser
import sys
import zlib
from array import array
from pathlib import Path
from typing import Any

import phonenumbers
from phonenumbers.phonemetadata import PhoneMetadata

TARGET = Path(__file__).parents[1] / "corpusmill/filters/private/phones.bin"
TYPES = (
    *("fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number", "voip", "pager", "uan"),
    "voicemail",
)


class Machine:
    """A non-deterministic automaton over digits."""

    def __init__(self) -> None:
        self.free: list[list[int]] = []  # transitions that read nothing
        self.read: list[list[tuple[frozenset[int], int]]] = []

    def state(self) -> int:
        """A new state."""
        self.free.append([])
        self.read.append([])
        return len(self.free) - 1

    def add(self, items: Any, start: int) -> int:
        """Add a parsed expression behind a state; returns the state behind it."""
        for kind, value in items:
            start = self._add_one(kind, value, start)
        return start

    def _add_one(self, kind: Any, value: Any, start: int) -> int:
        end = self.state()
        if kind is form.LITERAL:
            self.read[start].append((frozenset({int(chr(value))}), end))
        elif kind is form.IN:
            self.read[start].append((_digits(value), end))
        elif kind is form.SUBPATTERN:
            self.free[self.add(value[3], start)].append(end)
        elif kind is form.BRANCH:
            for branch in value[1]:
                self.free[self.add(branch, start)].append(end)
        elif kind is form.MAX_REPEAT:
            least, most, body = value
            for turn in range(int(most)):
                if turn >= least:
                    self.free[start].append(end)
                start = self.add(body, start)
            self.free[start].append(end)
        else:
            raise ValueError(f"{kind} in a pattern of libphonenumber is new; teach tools/phones.py what it means")
        return end

    def closure(self, states: frozenset[int]) -> frozenset[int]:
        """These states, and all that can be reached from them without a digit."""
        seen, todo = set(states), list(states)
        while todo:
            for target in self.free[todo.pop()]:
                if target not in seen:
                    seen.add(target)
                    todo.append(target)
        return frozenset(seen)


def _digits(ranges: Any) -> frozenset[int]:
    found: set[int] = set()
    for kind, value in ranges:
        if kind is form.LITERAL:
            found.add(int(chr(value)))
        elif kind is form.RANGE:
            found |= set(range(int(chr(value[0])), int(chr(value[1])) + 1))
        else:
            assert kind is form.CATEGORY, kind
            assert value is form.CATEGORY_DIGIT, value
            found |= set(range(10))
    return frozenset(found)


class Words:
    """Minimal acyclic automata, which share their states."""

    def __init__(self) -> None:
        self.known: dict[tuple[bool, tuple[int, ...]], int] = {(False, (0,) * 10): 0}

    def of(self, machine: Machine, states: frozenset[int], accepting: int, done: dict[frozenset[int], int]) -> int:
        """The state that accepts what a machine accepts from a set of its states on."""
        if states not in done:
            targets = []
            for digit in range(10):
                after = frozenset(to for state in states for digits, to in machine.read[state] if digit in digits)
                targets.append(self.of(machine, machine.closure(after), accepting, done) if after else 0)
            done[states] = self.get(accepting in states, tuple(targets))
        return done[states]

    def get(self, accepts: bool, targets: tuple[int, ...]) -> int:
        """The state with these targets."""
        return self.known.setdefault((accepts, targets), len(self.known))


def automaton() -> bytes:
    """The file's content before compression."""
    words = Words()
    roots: dict[str, int] = {}
    for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        machine = Machine()
        start, end = machine.state(), machine.state()
        for region in regions:
            data = (
                PhoneMetadata.metadata_for_nongeo_region(code)
                if region == "001"
                else PhoneMetadata.metadata_for_region(region)
            )
            for name in TYPES:
                of_type = getattr(data, name)
                if of_type is not None and of_type.national_number_pattern:
                    machine.free[machine.add(parser.parse(of_type.national_number_pattern), start)].append(end)
        roots[str(code)] = words.of(machine, machine.closure(frozenset({start})), end, {})

    def join(prefix: str) -> int:
        if prefix in roots:
            return roots[prefix]
        longer = any(code.startswith(prefix) for code in roots)
        return words.get(False, tuple(join(f"{prefix}{digit}") for digit in range(10))) if longer else 0

    first = join("")
    states = sorted(words.known.items(), key=lambda item: item[1])
    order = [0, first]
    order += [i for (accepts, _), i in states if not accepts and i not in (0, first)]
    n_refusing = len(order)
    order += [i for (accepts, _), i in states if accepts]
    number = {old: new for new, old in enumerate(order)}
    rows = array("H")
    for old in order:
        rows.extend(number[target] for target in states[old][0][1])
    rows[0] = n_refusing
    if sys.byteorder == "big":
        rows.byteswap()
    return rows.tobytes()


if __name__ == "__main__":
    content = automaton()
    TARGET.write_bytes(zlib.compress(content, 9))
    print(f"{len(content) // 20} states, {TARGET.stat().st_size} bytes, from phonenumbers {phonenumbers.__version__}")
