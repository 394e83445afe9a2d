"""The word F1 of the kept text of a page, as WCXB measures it."""

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from labels import words
from pages import LabelledPage


def word_f1(found: Sequence[str], gold: Sequence[str]) -> float:
    """F1 of two bags of words.  For a page without gold: 1 if nothing was found, else 0."""
    if not gold:
        return float(not found)
    return 2 * (Counter(found) & Counter(gold)).total() / (len(found) + len(gold))


def f1_of(page: LabelledPage) -> Callable[[npt.NDArray[np.bool_]], float]:
    """A function from bool (n_blocks,), a choice of the page's blocks, to its word F1; fast for many choices."""
    wanted = Counter(page.gold)
    ids = {word: index for index, word in enumerate(wanted)}
    counts = np.array(list(wanted.values()), np.int64)
    of_blocks = [words(page.segments.block_text(index)) for index in range(len(page.shares))]
    lengths = np.array([len(block) for block in of_blocks], np.int64)
    found = np.array([ids.get(word, len(ids)) for block in of_blocks for word in block], np.int64)

    def f1(keep: npt.NDArray[np.bool_]) -> float:
        n_found = int(lengths[keep].sum())
        if not page.gold:
            return float(n_found == 0)
        right = np.bincount(found[np.repeat(keep, lengths)], minlength=len(ids) + 1)[: len(ids)]
        return 2 * int(np.minimum(right, counts).sum()) / (n_found + len(page.gold))

    return f1
