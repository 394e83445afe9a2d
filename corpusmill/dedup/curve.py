"""How likely MinHash finds a pair of documents, for a choice of bands and rows; plain arithmetic, without numpy.

A pair with Jaccard similarity J shares a band with probability 1 - (1 - J^rows)^bands.  Every pair that shares a band
is compared exactly, so precision does not depend on the choice.  Two things do: the misses, pairs above the threshold
that share no band; and the work, pairs below the threshold that are compared for nothing.

Both are means over all similarities on their side of the threshold, each as frequent as any other.  Real pairs above
the threshold are more often close to 1, so the true share of misses is lower.  `missed` estimates it from pairs that
were found.
"""

from collections.abc import Iterable
from dataclasses import dataclass

STEPS = 200  # of the integrals


@dataclass(frozen=True, slots=True)
class Choice:
    """What a number of bands and rows does at a threshold."""

    bands: int
    rows: int
    at_threshold: float  # probability to find a pair exactly at the threshold
    misses: float  # mean probability not to find a pair above the threshold
    work: float  # mean probability to compare a pair below the threshold

    @property
    def values(self) -> int:
        """The number of MinHash values of a document."""
        return self.bands * self.rows


def probability(jaccard: float, bands: int, rows: int) -> float:
    """The probability that two documents share a band."""
    return float(1 - (1 - jaccard**rows) ** bands)


def choice(threshold: float, bands: int, rows: int) -> Choice:
    """What bands and rows do at a threshold; by the midpoint rule."""
    above = [threshold + (1 - threshold) * (step + 0.5) / STEPS for step in range(STEPS)]
    below = [threshold * (step + 0.5) / STEPS for step in range(STEPS)]
    return Choice(
        bands,
        rows,
        probability(threshold, bands, rows),
        sum(1 - probability(jaccard, bands, rows) for jaccard in above) / STEPS,
        sum(probability(jaccard, bands, rows) for jaccard in below) / STEPS,
    )


def choices(threshold: float, values: int, most_bands: int = 64) -> list[Choice]:
    """The choices with at most `values` MinHash values, one for each number of rows; the fewest rows come first.

    Left out are those that miss more than half of what is above the threshold, or compare more than half of the rest.
    """
    found = [choice(threshold, min(values // rows, most_bands), rows) for rows in range(1, min(values, 64) + 1)]
    return [each for each in found if each.work <= 0.5 and each.misses <= 0.5]


def best(found: Iterable[Choice], misses: float) -> Choice | None:
    """The choice with the least work among those that miss at most a share of the pairs; None if there is none."""
    return min((each for each in found if each.misses <= misses), key=lambda each: each.work, default=None)


def missed(jaccards: Iterable[float], bands: int, rows: int) -> float:
    """The estimated number of pairs that were not found, from the similarities of those that were.

    A pair that was found with probability p stands for 1 / p pairs (Horvitz and Thompson 1952).  Pairs are taken to be
    independent, so it is too high for clusters, whose documents have several chances.
    """
    return sum(1 / probability(jaccard, bands, rows) - 1 for jaccard in jaccards)
