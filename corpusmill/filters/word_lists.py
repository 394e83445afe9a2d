"""Word lists: how often the words and phrases of a list occur in a text.

An entry is a line of the file: a word or a phrase.  Text and entries are compared token by token
(`corpusmill.filters.tokens`): upper and lower case and punctuation do not matter, and a word is never found within
another one.  Where scripts have no spaces every letter is a token, so an entry is found wherever its letters stand.

The entries form a tree (trie) of token hashes in one hash table.  At each token the longest entry that begins there is
counted, and the search goes on after it.  The time grows with the text, and hardly with the list.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpusmill.arrow import Utf8Column
from corpusmill.errors import InputError
from corpusmill.filters.batches import batches
from corpusmill.filters.tokens import mixed, slot_of, tokenize
from corpusmill.kernels import inner_kernel, kernel


@dataclass(frozen=True, slots=True, eq=False)
class WordTree:
    """A list, ready to be looked for.

    keys: uint64 (slots), of (node, token), 0 where empty; nodes: int64 (slots), what follows; ends: bool (nodes),
    whether an entry ends there; entries: their number; without_words: lines that can never be found
    """

    keys: npt.NDArray[np.uint64]
    nodes: npt.NDArray[np.int64]
    ends: npt.NDArray[np.bool_]
    entries: int
    without_words: int


def read_word_list(content: bytes, where: str) -> WordTree:
    """The list in a file.  InputError if it is not UTF-8, or holds no word."""
    try:
        lines = [line for line in content.decode("utf-8-sig").splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: the file is not UTF-8: {error.reason} at byte {error.start}") from None
    tree = tree_of(lines)
    if not tree.entries:
        raise InputError(f"{where}: the file has no line with a word")
    return tree


def tree_of(entries: list[str]) -> WordTree:
    """The tree of words and phrases."""
    column = Utf8Column.of(pa.array(entries, pa.large_string()))
    tokens = tokenize(column.data, column.offsets)
    slots = 16
    while slots < 2 * len(tokens.hashes) + 2:
        slots *= 2
    keys, nodes = np.zeros(slots, np.uint64), np.zeros(slots, np.int64)
    ends = np.zeros(len(tokens.hashes) + 1, np.bool_)
    n_nodes = _grow(tokens.hashes, tokens.ends, keys, nodes, ends)
    without = int(np.count_nonzero(np.diff(tokens.ends, prepend=0) == 0))
    return WordTree(keys, nodes, ends[:n_nodes], int(ends.sum()), without)


def count_words(tree: WordTree, text: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Of n texts, how many entries occur (int64) and the share of the words that belong to them (float64).

    Both are null for null; the share is also null for a text without words.
    """
    column = Utf8Column.of(text)
    n = len(column)
    found, covered, totals = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64)
    for start, end in batches(column.offsets):
        tokens = tokenize(column.data, column.offsets[start : end + 1])
        totals[start:end] = np.diff(tokens.ends, prepend=0)
        _look(tokens.hashes, tokens.ends, tree.keys, tree.nodes, tree.ends, found[start:end], covered[start:end])
    unknown = text.is_null().to_numpy(zero_copy_only=False)
    share = covered / np.maximum(totals, 1)
    return pa.array(found, mask=unknown), pa.array(share, mask=unknown | (totals == 0))


@inner_kernel
def _key(node: int, token: np.uint64) -> np.uint64:
    return mixed(token + np.uint64(node) * np.uint64(0x9E3779B97F4A7C15)) | np.uint64(1)


@kernel
def _grow(
    hashes: npt.NDArray[np.uint64],
    row_ends: npt.NDArray[np.int64],
    keys: npt.NDArray[np.uint64],
    nodes: npt.NDArray[np.int64],
    ends: npt.NDArray[np.bool_],
) -> int:
    n_nodes, start = 1, 0
    for row in range(len(row_ends)):
        node = 0
        for i in range(start, row_ends[row]):
            key = _key(node, hashes[i])
            slot = slot_of(keys, key)
            if keys[slot] == 0:
                keys[slot] = key
                nodes[slot] = n_nodes
                n_nodes += 1
            node = nodes[slot]
        if node > 0:
            ends[node] = True
        start = row_ends[row]
    return n_nodes


@kernel
def _look(
    hashes: npt.NDArray[np.uint64],
    row_ends: npt.NDArray[np.int64],
    keys: npt.NDArray[np.uint64],
    nodes: npt.NDArray[np.int64],
    ends: npt.NDArray[np.bool_],
    found: npt.NDArray[np.int64],
    covered: npt.NDArray[np.int64],
) -> None:
    start = 0
    for row in range(len(row_ends)):
        i = start
        while i < row_ends[row]:
            node, longest = 0, 0
            for j in range(i, row_ends[row]):
                key = _key(node, hashes[j])
                slot = slot_of(keys, key)
                if keys[slot] == 0:
                    break
                node = nodes[slot]
                if ends[node]:
                    longest = j + 1 - i
            if longest > 0:
                found[row] += 1
                covered[row] += longest
                i += longest
            else:
                i += 1
        start = row_ends[row]
