"""How much of each group an epoch of the mix takes.

A group's natural amount is its tokens, with boundaries, times its weight.  Shares are in proportion to the natural
amounts, each raised to 1 / temperature.  Groups with a share in the recipe have that share, and the others divide the
rest.  An epoch of the mix has `mix.tokens` tokens, by default as many as the natural amounts.

A group takes no more than its cap: `epochs` times its tokens, or `max_tokens`.  What it cannot take goes to the groups
without a cap, in proportion to their shares.  If all groups are at their caps, the epoch is smaller than asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpusmill.errors import InputError
from corpusmill.mix import MixRule, MixSettings

Floats = npt.NDArray[np.float64]
Name = str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What the mix asks of each group (n)."""

    weights: Floats  # of the source, times that of the rule
    shares: Floats  # of the rows, before caps
    tokens: Floats  # that an epoch takes, after caps


def rule_of(settings: MixSettings, source: Name, language: Name, bucket: Name) -> int | None:
    """The number of the first rule that fits a group; None if none does."""
    for number, rule in enumerate(settings.groups):
        if rule.source in (None, source) and rule.language in (None, language) and rule.bucket in (None, bucket):
            return number
    return None


def plan(
    settings: MixSettings, available: Sequence[int], source_weights: Sequence[float], rules: Sequence[int | None]
) -> Asked:
    """What is asked of groups with these tokens.  rules: the number of each group's rule."""
    there = np.array(available, np.float64)
    found = [settings.groups[number] if number is not None else MixRule() for number in rules]
    weights = np.array(source_weights, np.float64) * [rule.weight for rule in found]
    natural = there * weights
    shares = _shares(settings, natural, rules)
    total = float(settings.tokens or natural.sum())
    return Asked(weights, shares, _within(shares, _caps(settings, there, rules), total))


def _shares(settings: MixSettings, natural: Floats, rules: Sequence[int | None]) -> Floats:
    flat = (natural / max(natural.max(initial=0), 1.0)) ** (1 / settings.temperature)
    flat[natural == 0] = 0
    shares, open_ = np.zeros(len(flat)), np.ones(len(flat), np.bool_)
    left = 1.0
    for number, rule in enumerate(settings.groups):
        if rule.share is None:
            continue
        chosen = np.array([each == number for each in rules], np.bool_)
        if not flat[chosen].sum():
            raise InputError(f"mix: group {number + 1} of the recipe has a share, but no documents")
        shares[chosen] = rule.share * flat[chosen] / flat[chosen].sum()
        open_ &= ~chosen
        left -= rule.share
    rest = flat[open_].sum()
    if rest and left > 1e-9:
        shares[open_] = left * flat[open_] / rest
    shares /= max(shares.sum(), 1e-300)
    return shares


def _caps(settings: MixSettings, there: Floats, rules: Sequence[int | None]) -> Floats:
    caps = np.full(len(there), np.inf)
    for number, rule in enumerate(settings.groups):
        chosen = np.array([each == number for each in rules], np.bool_)
        if rule.epochs is not None:
            caps[chosen] = rule.epochs * there[chosen]
        if rule.max_tokens is not None and chosen.any():
            caps[chosen] = np.minimum(caps[chosen], rule.max_tokens * there[chosen] / max(there[chosen].sum(), 1))
    return caps


def _within(shares: Floats, caps: Floats, total: float) -> Floats:
    """The tokens of each group: as the shares say, but not above the caps."""
    tokens, free = np.zeros(len(shares)), shares > 0
    while free.any():
        left = total - tokens[~free].sum()
        wanted = left * shares / shares[free].sum()
        over = free & (wanted > caps)
        if not over.any():
            tokens[free] = wanted[free]
            break
        tokens[over], free = caps[over], free & ~over
    return tokens
