"""What a model has to beat: a trigram model of the tokens, interpolated by Kneser-Ney.  Uses numpy only.

The model is that of Chen & Goodman (1999, section 3), with three discounts per order, as in KenLM and SRILM:

    p(w | u v) = (c(u v w) - D) / c(u v) + g(u v) p(w | v)      D: D1, D2 or D3, for counts of 1, 2, and 3 or more

For order 3, c is the count.  For orders 2 and 1 it is the number of different tokens before the n-gram.  Order 1 is
interpolated with the uniform distribution.  g is what is missing to 1.  Every document is a sequence of its own:

    START boundary token token ... boundary

An n-gram is a number of 64 bits, so counting is sorting.  A token whose context was never seen gets the probability of
the shorter context.  So a row that begins in the middle of a document needs no special case: START is in the place of
what the row does not show.

Cost of 16 M tokens with 7 M different trigrams, one core: 2.2 s and 0.9 GB.  More tokens are not counted (one window
of the loader), so the memory does not grow with the corpus.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpusmill.draws import Ints

Keys = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.float64]

LEAST_DISCOUNT = 0.1  # so that every context leaves something for tokens that were never seen in it


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """The n-grams of one order: keys and contexts are sorted."""

    grams: Keys
    parts: Numbers  # of each n-gram, (c - D) / c of its context
    contexts: Keys
    rests: Numbers  # g of each context

    @classmethod
    def of(cls, grams: Keys, counts: Ints, base: int) -> "Order":
        """The order of these n-grams, which are sorted and different."""
        context = grams // np.uint64(base)
        first = np.flatnonzero(np.diff(context, prepend=np.uint64(2**64 - 1)))
        totals = np.add.reduceat(counts, first)
        kept = counts - _discounts(counts)[np.minimum(counts, 3) - 1]
        which = np.repeat(np.arange(len(first)), np.diff(first, append=len(grams)))
        return cls(grams, kept / totals[which], context[first], 1 - np.add.reduceat(kept, first) / totals)

    def interpolated(self, grams: Keys, base: int, lower: Numbers) -> Numbers:
        """The probabilities of n-grams, given those of the shorter n-grams."""
        return _found(self.grams, self.parts, grams, 0.0) + lower * _found(
            self.contexts, self.rests, grams // np.uint64(base), 1.0
        )


@dataclass(frozen=True, slots=True, eq=False)
class Trigrams:
    """A trigram model of tokens.  `start`, the number of tokens, stands for what comes before a document or row."""

    start: int
    orders: tuple[Order, Order, Order]  # of 1, 2 and 3 tokens

    @classmethod
    def of(cls, ids: npt.NDArray[np.unsignedinteger], sizes: Ints, n_tokens: int, boundary: int) -> "Trigrams":
        """The model of documents: their ids one after another, their numbers of tokens, the size of the vocabulary."""
        base = n_tokens + 1
        assert base**3 < 2**64, "three tokens fit into a key"
        line, begins = _line(ids, sizes, n_tokens, boundary)
        key = np.uint64(base)
        shown = np.ones(len(line), np.bool_)
        shown[begins] = shown[begins + 1] = False  # START, and the first boundary, are not predicted
        at = np.flatnonzero(shown)
        three, counts = np.unique((line[at - 2] * key + line[at - 1]) * key + line[at], return_counts=True)
        two, before_two = np.unique(three % (key * key), return_counts=True)
        one, before_one = np.unique(two % key, return_counts=True)
        orders = ((one, before_one), (two, before_two), (three, counts))
        return cls(n_tokens, tuple(Order.of(grams, n, base) for grams, n in orders))  # type: ignore[arg-type]

    def losses(self, before: Ints, last: Ints, tokens: Ints) -> Numbers:
        """Nats of tokens after two others: three arrays (n) -> (n).  `before` may be START, if it is not known."""
        base = self.start + 1
        u, v, w = (each.astype(np.uint64) for each in (before, last, tokens))
        key = np.uint64(base)
        probability = np.full(len(tokens), 1 / self.start)
        for order, grams in zip(self.orders, (w, v * key + w, (u * key + v) * key + w), strict=True):
            probability = order.interpolated(grams, base, probability)
        losses: Numbers = -np.log(probability)
        return losses


def _line(
    ids: npt.NDArray[np.unsignedinteger], sizes: Ints, start: int, boundary: int
) -> tuple[Keys, npt.NDArray[np.int64]]:
    """All documents in one line, each between its boundaries and after START; and where each one begins."""
    lengths = sizes + 3
    begins = np.cumsum(lengths) - lengths
    line = np.full(int(lengths.sum()), boundary, np.uint64)
    line[begins] = start
    is_text = np.ones(len(line), np.bool_)
    is_text[begins] = is_text[begins + 1] = is_text[begins + lengths - 1] = False
    line[is_text] = ids
    return line, begins


def _discounts(counts: Ints) -> Numbers:
    """D1, D2, D3 from the number of n-grams with counts of 1 to 4."""
    n = np.bincount(np.minimum(counts, 5), minlength=6)
    if not (n[1] and n[2]):
        return np.full(3, 0.5)
    share = n[1] / (n[1] + 2 * n[2])
    wanted = [i - (i + 1) * share * n[i + 1] / n[i] if n[i] else float(share) for i in (1, 2, 3)]
    return np.clip(wanted, LEAST_DISCOUNT, (1, 2, 3))


def _found(keys: Keys, values: Numbers, wanted: Keys, missing: float) -> Numbers:
    """The value of each key that is wanted; `missing` for those that are not there.  keys: sorted."""
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    found: Numbers = np.where(keys[place] == wanted, values[place], missing)
    return found
