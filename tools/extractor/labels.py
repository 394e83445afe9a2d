"""Find which words of a page are in its gold text.  These labels are what the extractor learns from.

A gold text does not say where its words were on the page, and a word may be on the page ten times.  So the words of the
page are aligned with those of the gold in order, as in a comparison of two files.  One long run of words is worth more
than the same words in many places of a menu: each beginning of a run costs `START` matches.  At the beginning of a
block it costs less.

Some text has another order in the gold than on the page, for example a byline below the text.  It is found in a second
step, by runs of words that are still free on both sides.  The label of a block is the share of its words that were
found.

Cost: one byte of memory and about 2 ns per pair of words.  Above `MAX_CELLS` pairs, only the second step is made.
"""

import re
from collections import defaultdict
from collections.abc import Sequence

import numba
import numpy as np
import numpy.typing as npt

START = 2.0  # number of matches that the beginning of a run costs
START_AT_BLOCK = 0.3
MAX_CELLS = 1_500_000_000
SEED_WORDS = 3  # a run out of order begins with so many equal words
MIN_RUN = 5  # the run must be so long, or the whole block
MAX_CANDIDATES = 60
MATCHED = 0.4  # the second step skips blocks with a larger share found in order
MISSING = -1  # a word of the gold that is not on the page

_WORD = re.compile(r"\w+")


def words(text: str) -> list[str]:
    r"""The words of a text as WCXB's measure counts them: `\w+`, in lower case."""
    return _WORD.findall(text.lower())


def label(blocks: Sequence[str], gold: str) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """For each block, the share of its words that are in the gold, and the number of its words."""
    ids: dict[str, int] = {}
    page: list[int] = []
    counts = np.zeros(len(blocks), np.int64)
    for index, text in enumerate(blocks):
        found = words(text)
        counts[index] = len(found)
        page += [ids.setdefault(word, len(ids)) for word in found]
    wanted = np.array([ids.get(word, MISSING) for word in words(gold)], np.int32)
    shares = np.zeros(len(blocks), np.float32)
    if not page or not len(wanted):
        return shares, counts
    starts = np.concatenate([[0], np.cumsum(counts)])
    at_block = np.zeros(len(page) + 1, np.bool_)
    at_block[starts] = True
    on_page = np.array(page, np.int32)
    matches = np.full(len(page), -1, np.int64)
    if len(page) * len(wanted) <= MAX_CELLS:
        _align(on_page, at_block, wanted, matches)
    hits = np.add.reduceat(np.append(matches >= 0, False), np.minimum(starts[:-1], len(page))) * (counts > 0)
    shares = (hits / np.maximum(counts, 1)).astype(np.float32)
    free = np.ones(len(wanted), np.bool_)
    free[matches[matches >= 0]] = False
    _add_runs(page, starts, wanted.tolist(), free, shares)
    return shares, counts


@numba.njit(nogil=True, cache=True)
def _align(
    page: npt.NDArray[np.int32],
    at_block: npt.NDArray[np.bool_],
    gold: npt.NDArray[np.int32],
    matches: npt.NDArray[np.int64],
) -> None:
    """The best alignment with affine costs of starts (Gotoh 1982); matches[i] is the index in gold, or -1."""
    n, m = len(page), len(gold)
    never = np.float32(-1e9)
    trace = np.zeros((n + 1, m + 1), np.uint8)  # bit 0: a match continues; bits 1-2: where a gap comes from
    gap_before, gap = np.zeros(m + 1, np.float32), np.zeros(m + 1, np.float32)
    match_before, match = np.full(m + 1, never, np.float32), np.full(m + 1, never, np.float32)
    for i in range(1, n + 1):
        start = np.float32(START_AT_BLOCK if at_block[i - 1] else START)
        word = page[i - 1]
        gap[0], match[0] = 0, never
        for j in range(1, m + 1):
            step = np.uint8(0)
            if word == gold[j - 1]:
                going_on = match_before[j - 1] + np.float32(1)
                starting = gap_before[j - 1] + np.float32(1) - start
                if going_on >= starting:
                    match[j] = going_on
                    step = np.uint8(1)
                else:
                    match[j] = starting
            else:
                match[j] = never
            best, origin = gap_before[j], np.uint8(0)
            if match_before[j] > best:
                best, origin = match_before[j], np.uint8(1)
            if gap[j - 1] > best:
                best, origin = gap[j - 1], np.uint8(2)
            if match[j - 1] > best:
                best, origin = match[j - 1], np.uint8(3)
            gap[j] = best
            trace[i, j] = step | (origin << 1)
        gap_before, gap = gap, gap_before
        match_before, match = match, match_before
    i, j = n, m
    in_match = match_before[m] > gap_before[m]
    while i > 0 and j > 0:
        step = trace[i, j]
        if in_match:
            matches[i - 1] = j - 1
            in_match = step & 1 == 1
            i, j = i - 1, j - 1
        else:
            origin = step >> 1
            if origin < 2:
                i -= 1
            else:
                j -= 1
            in_match = origin & 1 == 1


def _add_runs(
    page: list[int], starts: npt.NDArray[np.int64], gold: list[int], free: npt.NDArray[np.bool_], shares: npt.NDArray
) -> None:
    """Raise the shares of blocks whose words are elsewhere in the gold, in runs of words that are free there."""
    seeds: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for j in range(len(gold) - SEED_WORDS + 1):
        seeds[tuple(gold[j : j + SEED_WORDS])].append(j)
    for block in range(len(shares)):
        start, end = int(starts[block]), int(starts[block + 1])
        if end - start < SEED_WORDS or shares[block] > MATCHED:
            continue
        found, i = 0, start
        while i <= end - SEED_WORDS:
            length, at = 0, 0
            for j in seeds.get(tuple(page[i : i + SEED_WORDS]), ())[:MAX_CANDIDATES]:
                k = 0
                while i + k < end and j + k < len(gold) and page[i + k] == gold[j + k] and free[j + k]:
                    k += 1
                if k > length:
                    length, at = k, j
            if length >= min(MIN_RUN, end - start):
                free[at : at + length] = False
                found += length
                i += length
            else:
                i += 1
        shares[block] = max(shares[block], found / (end - start))
