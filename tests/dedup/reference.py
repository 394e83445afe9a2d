"""Deduplication once more, in plain Python: every pair is compared, on sets of tuples of strings.

`KINDS` says by hand what some characters are; texts of the property tests are made of these characters.
"""

import itertools
from collections.abc import Sequence

WORD, ALONE, MARK, SKIPPED, SEPARATOR, OPERATOR = range(6)

KINDS = {
    "a": (WORD, "a"),
    "B": (WORD, "b"),
    "é": (WORD, "e"),
    "\u0301": (SKIPPED, ""),  # combining acute
    "Ｚ": (WORD, "z"),  # full width
    "ß": (WORD, "ß"),
    "7": (WORD, "7"),
    "ς": (WORD, "σ"),
    "ё": (WORD, "е"),
    "ש": (WORD, "ש"),
    "\u05b8": (SKIPPED, ""),  # Hebrew point
    "हि"[0]: (WORD, "ह"),
    "हि"[1]: (MARK, "ि"),
    "한": (WORD, "한"),
    "中": (ALONE, "中"),
    "か": (ALONE, "か"),
    "ｶ": (ALONE, "カ"),  # half width
    "ก": (ALONE, "ก"),
    "\u0e48": (MARK, "\u0e48"),  # Thai tone mark
    "\U00020000": (ALONE, "\U00020000"),  # Han, extension B
    "\u00ad": (SKIPPED, ""),  # soft hyphen
    "\u200b": (SKIPPED, ""),  # zero width space
    "\U000e0101": (SKIPPED, ""),  # variation selector
    " ": (SEPARATOR, ""),
    "\n": (SEPARATOR, ""),
    "-": (OPERATOR, "-"),
    "–": (OPERATOR, "-"),
    "\u2212": (OPERATOR, "-"),
    "+": (OPERATOR, "+"),
    "=": (OPERATOR, "="),
    "*": (OPERATOR, "*"),
    "/": (OPERATOR, "/"),
    "|": (OPERATOR, "|"),
    "!": (OPERATOR, "!"),
    "€": (OPERATOR, "€"),
    "≠": (OPERATOR, "≠"),
    "(": (SEPARATOR, ""),
    ")": (SEPARATOR, ""),
    "。": (SEPARATOR, ""),
    "\u0f0b": (SEPARATOR, ""),  # Tibetan syllable mark
    "😀": (SEPARATOR, ""),
}


def tokens(text: str) -> list[str]:
    found: list[str] = []
    current = ""  # the token in the making
    alone = False
    at = 0
    for char, group in itertools.groupby(text):
        run = len(list(group))
        before, after = text[:at], text[at + run :]
        at += run
        kind, letter = KINDS[char]
        if kind == SKIPPED:
            continue
        if kind == OPERATOR:
            found += [current] * bool(current) + [letter] * n_operators(before, char, run, after)
            current = ""
            continue
        for _ in range(run):
            if current and (kind in (SEPARATOR, ALONE) or (alone and kind == WORD)):
                found.append(current)
                current = ""
            if kind != SEPARATOR:
                alone = kind == ALONE if not current else alone
                current += letter
    return [*found, current] if current else found


def n_operators(before: str, char: str, run: int, after: str) -> int:
    """How many operators a run of one character is, by what is before and after it."""
    follows_operand = bool(before) and (before[-1] == ")" or KINDS[before[-1]][0] in (WORD, ALONE, MARK))
    if char == "–":  # not ASCII: each by itself
        return int(after[:1] == "7" and (run > 1 or not (follows_operand or before[-1:] == "-")))
    if char in "\u2212≠€":
        return run
    space_before, space_after = before[-1:] in ("", " ", "\n"), after[:1] in ("", " ", "\n")
    line = before.rpartition("\n")[2]
    if run > 3 or (space_after and all(c == " " or (c.isascii() and KINDS[c][0] == OPERATOR) for c in line)):
        return 0
    left, right = before[-1:] in ("a", "B", "7", ")"), after[:1] in ("a", "B", "7", "(")
    match char:
        case "-":
            return int(run == 1 and not follows_operand and after[:1] == "7")
        case "!":
            return run if after[:1] == "=" or (right and not follows_operand) else 0
        case "*":
            return run if (space_before and space_after) or (left and right) else 0
        case "|":
            return run if (space_before and space_after and run == 2) or (left and right) else 0
        case "/":
            beside = not space_before and not space_after and (before[-1:] == ")" or after[:1] == "(")
            return run if (space_before and space_after) or beside else 0
    return run


def shingles(words: Sequence[str], ngram: int) -> set[tuple[str, ...]]:
    if len(words) <= ngram:
        return {tuple(words)} if words else set()
    return {tuple(words[i : i + ngram]) for i in range(len(words) - ngram + 1)}


def jaccard(x: set, y: set) -> float:
    return len(x & y) / len(x | y) if x and y else 0.0


def twins(
    texts: dict[str, str], sets: dict[str, set], threshold: float, given: Sequence[str] = ()
) -> dict[str, tuple[str, str, float]]:
    """doc_id -> (rule, twin, similarity) of every document that greedy deduplication of all pairs drops.

    given: documents that are kept whatever they are like, and that come first.
    """
    texts = {**{i: texts[i] for i in given}, **texts}
    first = {text: min((i not in given, i) for i in texts if texts[i] == text)[1] for text in texts.values()}
    kept: list[str] = []
    dropped: dict[str, tuple[str, str, float]] = {}

    def turn(i: str) -> tuple:
        return (first[texts[i]] not in given, -len(texts[i]), first[texts[i]], i)

    for doc in sorted(texts, key=turn):
        leader = first[texts[doc]]
        if not texts[doc]:
            continue
        if doc in given:
            kept += [doc] * (leader == doc)
            continue
        if leader != doc:
            dropped[doc] = dropped.get(leader, ("exact_duplicate", leader, 1.0))
            continue
        similar = [(jaccard(sets[doc], sets[other]), other) for other in kept]
        best = max(similar, key=lambda pair: pair[0], default=(0.0, ""))  # of equals the one that was visited first
        if best[0] >= threshold:
            dropped[doc] = ("near_duplicate", best[1], best[0])
        else:
            kept.append(doc)
    return dropped
