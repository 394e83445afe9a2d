"""What the kernels of `corpusmill.filters.private.scan` look up: the plain definitions as numpy arrays."""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from corpusmill.filters.characters import character_classes
from corpusmill.filters.private import checks, forms, secrets, words
from corpusmill.filters.private.domains import top_level_domains
from corpusmill.filters.private.plain import trigger_of

Integers = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.uint32]
States = npt.NDArray[np.uint16]
Steps = npt.NDArray[np.int32]


class ByteMap(NamedTuple):
    """A hash table of byte strings: slots (a power of two) hold numbers of entries, or -1."""

    slots: Integers
    starts: Integers  # n + 1
    content: Bytes


class Tables(NamedTuple):
    """What depends on more than this package's sources, or is too large to be compiled in."""

    characters: Flags
    domains: ByteMap
    phones: States  # states, 10
    step: Steps  # states of the words' automaton, classes of bytes


class Words(NamedTuple):
    """Aho and Corasick's automaton of all words."""

    byte_class: Bytes  # 256: column of `step`
    step: Steps
    ends: npt.NDArray[np.int32]  # per state, the longest word that ends there; -1
    shorter: npt.NDArray[np.int32]  # per word, the next longest that ends with it; -1
    length: Integers
    groups: Integers
    edge: Bytes  # 0: may begin and end anywhere; 1: ASCII word; 2: word in another alphabet


class Forms(NamedTuple):
    """Forms and rules."""

    leads: Bytes  # patterns before the first digit
    lead_starts: Integers
    by_length: Integers  # leads, lengths of the first block + 1: where the forms of a length start in `order`
    order: Integers
    next: Integers  # for each of `order`, the symbol behind the first block: 0 if none, 1 for X, K or a letter
    pattern: Bytes
    pattern_starts: Integers
    rule: Integers
    needs: Integers
    raw: npt.NDArray[np.bool_]
    spaced: npt.NDArray[np.bool_]
    rules: Integers  # rules, 10: kind, special, month, day, their moduli, first sum, end of sums, country code, trunk
    sums: Integers  # sums, 24: number of weights, modulus, mode, rest, weights


class Checks(NamedTuple):
    """What checks look up."""

    verhoeff: Integers  # 2, 10, 10
    letters: Bytes  # 5, 40: Spanish, Finnish and Singapore's check letters, the values of Taiwan's
    italian: Integers
    cards: Integers  # ranges, 3 + 20: first, last, digits of a prefix; for each length whether it is one
    ibans: Integers  # 676


class Secrets(NamedTuple):
    """Prefixes of keys, and names of secret arguments."""

    prefix: Bytes
    prefix_starts: Integers
    prefix_rules: Integers  # prefixes, 5: offset of the trigger, characters, least, most, dots
    by_trigger: Integers  # 257: where the prefixes of a trigger start; they are ordered so
    characters: Bytes  # 256: the sets of `secrets` to which a byte belongs
    entropy: Integers
    names: ByteMap
    name_is_secret: npt.NDArray[np.bool_]


LONGEST_BLOCK = 20


def _flat(items: Iterable[bytes]) -> tuple[Bytes, Integers]:
    listed = list(items)
    starts = np.cumsum([0, *map(len, listed)]).astype(np.int64)
    return np.frombuffer(b"".join(listed) + b"\0", np.uint8).copy(), starts


def _byte_map(entries: Sequence[bytes]) -> ByteMap:
    content, starts = _flat(entries)
    slots = np.full(1 << (2 * len(entries)).bit_length(), -1, np.int64)
    for number, entry in enumerate(entries):
        slot = hash_of(entry) % len(slots)
        while slots[slot] >= 0:
            slot = (slot + 1) % len(slots)
        slots[slot] = number
    return ByteMap(slots, starts, content)


def hash_of(content: bytes) -> int:
    """FNV-1a with 32 bits."""
    value = 2166136261
    for byte in content:
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return value


@cache
def word_tables() -> Words:
    """Aho and Corasick's automaton of all words."""
    groups: dict[bytes, int] = {}
    edges: dict[bytes, int] = {}
    for name, bit in words.GROUPS.items():
        for word in words.variants(name):
            edge = 0 if name in words.ANYWHERE or words.is_spaceless(word) else 1 if word[0] < 0x80 else 2
            assert edges.setdefault(word, edge) == edge, word
            groups[word] = groups.get(word, 0) | bit
    used = sorted(set(b"".join(groups)))
    byte_class = np.zeros(256, np.uint8)
    byte_class[used] = np.arange(1, len(used) + 1)
    byte_class[ord("A") : ord("Z") + 1] = byte_class[ord("a") : ord("z") + 1]
    children: list[dict[int, int]] = [{}]
    own = [-1]
    for number, word in enumerate(groups):
        state = 0
        for byte in word:
            if byte not in children[state]:
                children[state][byte] = len(children)
                children.append({})
                own.append(-1)
            state = children[state][byte]
        own[state] = number
    step = np.zeros((len(children), len(used) + 1), np.int32)
    ends = np.full(len(children), -1, np.int32)
    shorter = np.full(len(groups), -1, np.int32)
    queue = [(0, 0)]  # states with the state of their longest proper suffix
    for state, suffix in queue:
        if state:
            step[state] = step[suffix]
            ends[state] = ends[suffix]
        if own[state] >= 0:
            shorter[own[state]] = ends[suffix] if state else -1
            ends[state] = own[state]
        for byte, child in children[state].items():
            behind = int(step[suffix][byte_class[byte]]) if state else 0
            queue.append((child, behind))
            step[state, byte_class[byte]] = child
    return Words(
        byte_class=byte_class,
        step=step,
        ends=ends,
        shorter=shorter,
        length=np.array(list(map(len, groups)), np.int64),
        groups=np.array(list(groups.values()), np.int64),
        edge=np.array([edges[word] for word in groups], np.uint8),
    )


def _following(pattern: str, lead: str, length: int) -> int:
    symbol = pattern[len(lead) + length : len(lead) + length + 1]
    return 0 if not symbol else 1 if symbol in "XKA" else ord(symbol)


def form_tables() -> Forms:
    """Forms and rules."""
    by_beginning = forms.by_beginning()
    number = {id(form): i for i, form in enumerate(forms.FORMS)}
    leads, lead_starts = _flat(lead.encode() for lead in by_beginning)
    by_length = np.zeros((len(by_beginning), LONGEST_BLOCK + 2), np.int64)
    order: list[int] = []
    following: list[int] = []
    for row, (lead, by) in enumerate(by_beginning.items()):
        for length in range(LONGEST_BLOCK + 1):
            by_length[row, length] = len(order)
            order += [number[id(form)] for form in by.get(length, ())]
            following += [_following(form.pattern, lead, length) for form in by.get(length, ())]
        by_length[row, LONGEST_BLOCK + 1] = len(order)
    pattern, pattern_starts = _flat(form.pattern.encode() for form in forms.FORMS)
    rules: list[list[int]] = []
    sums: list[list[int]] = []
    for rule in forms.RULES:
        date = rule.date or forms.Date(-1, -1, 1, 1)
        rules.append(
            [rule.kind, rule.special, *date, len(sums), len(sums) + len(rule.sums), rule.country_code, rule.trunk]
        )
        for each in rule.sums:
            weights = [*each.weights, *[0] * (20 - len(each.weights))]
            sums.append([len(each.weights), each.modulus, each.mode, each.rest, *weights])
    return Forms(
        leads=leads,
        lead_starts=lead_starts,
        by_length=by_length,
        order=np.array(order, np.int64),
        next=np.array(following, np.int64),
        pattern=pattern,
        pattern_starts=pattern_starts,
        rule=np.array([forms.RULES.index(form.rule) for form in forms.FORMS], np.int64),
        needs=np.array([form.needs for form in forms.FORMS], np.int64),
        raw=np.array([form.is_raw for form in forms.FORMS]),
        spaced=np.array([form.is_spaced for form in forms.FORMS]),
        rules=np.array(rules, np.int64),
        sums=np.array(sums, np.int64),
    )


def check_tables() -> Checks:
    """What checks look up."""
    verhoeff = np.zeros((2, 10, 10), np.int64)
    verhoeff[0] = [list(map(int, row)) for row in checks.VERHOEFF_PRODUCT]
    verhoeff[1, :8] = [list(map(int, row)) for row in checks.VERHOEFF_TURN]
    letters = np.zeros((5, 40), np.uint8)
    rows = (checks.SPANISH_LETTERS, checks.FINNISH_LETTERS, checks.NRIC_LETTERS["S"], checks.NRIC_LETTERS["F"])
    for row, text in enumerate(rows):
        letters[row, : len(text)] = list(text.encode())
    letters[4, [ord(c) - ord("A") for c in checks.TAIWAN_LETTERS]] = range(10, 36)  # the value of each letter
    cards = np.zeros((len(forms.CARD_RANGES), 23), np.int64)
    for row, ((first, last), lengths) in enumerate(forms.CARD_RANGES):
        cards[row, :3] = first, last, len(str(first))
        cards[row, [3 + length for length in lengths]] = 1
    ibans = np.zeros(676, np.int64)
    for country, length in forms.IBAN_LENGTHS.items():
        ibans[(ord(country[0]) - 65) * 26 + ord(country[1]) - 65] = length
    return Checks(
        verhoeff=verhoeff,
        letters=letters,
        italian=np.array(checks.ITALIAN_ODD, np.int64),
        cards=cards,
        ibans=ibans,
    )


def secret_tables() -> Secrets:
    """Prefixes and names."""
    ordered = sorted(secrets.PREFIXES, key=lambda prefix: prefix.text[trigger_of(prefix.text)])
    prefix, prefix_starts = _flat(each.text for each in ordered)
    triggers = [each.text[trigger_of(each.text)] for each in ordered]
    sets = {secrets.UPPER: "[0-9A-Z]", secrets.ALNUM: "[0-9A-Za-z]", secrets.WORD: "[0-9A-Za-z_-]"}
    sets |= {secrets.DOTTED: "[0-9A-Za-z_.-]", secrets.HEX: "[0-9a-f]"}
    names = sorted(secrets.SECRET_NAMES | secrets.VAGUE_NAMES)
    member = np.zeros(256, np.uint8)
    for flag, expression in sets.items():
        member[[i for i in range(128) if re.match(expression, chr(i))]] |= flag
    return Secrets(
        prefix=prefix,
        prefix_starts=prefix_starts,
        prefix_rules=np.array([[trigger_of(p.text), p.characters, p.least, p.most, p.dots] for p in ordered], np.int64),
        by_trigger=np.searchsorted(triggers, np.arange(257)).astype(np.int64),
        characters=member,
        entropy=np.array(secrets.ENTROPY, np.int64),
        names=_byte_map(names),
        name_is_secret=np.array([name in secrets.SECRET_NAMES for name in names]),
    )


def triggers() -> npt.NDArray[np.bool_]:
    """At which of the 256 bytes something may be."""
    found = np.zeros(256, np.bool_)
    found[[*b"@:=+0123456789", *secrets.TRIGGERS, 0xEF, 0xD9, 0xDB]] = True
    return found


@cache
def tables() -> Tables:
    """What kernels are called with; made in 0.3 s, for the list of domains and the characters."""
    return Tables(
        characters=character_classes(),
        domains=_byte_map(sorted(top_level_domains())),
        phones=np.array(checks.automaton(), np.uint16).reshape(-1, 10),
        step=word_tables().step,
    )
