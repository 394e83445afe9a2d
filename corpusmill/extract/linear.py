"""A linear model over hashed words: of the class and id of the elements around a block, and of the block's text.

Five families of inputs: the tokens of all elements around a block, those of the nearest three, the first 64 words of
its text, its first two words as a pair, and a short text as a whole.  Which class names go with content and which
words with boilerplate ("cookie", "share", "posted by") is most of what there is to know: this model alone has two
thirds of the trees' gain over the best fixed rule; its scores feed the trees (`extract/features.py`).

Training sees sparse rows of keys (`linear_inputs`), any 32-bit hash in its family, without collisions; the model keeps
the keys that training kept, in open-addressed tables with a 16-bit print of each: a word that training has not seen
weighs nothing, rather than what another word weighs, but for one in 65,536.  So a page in an unseen language is judged
by its structure alone, and the share of words known (`KNOWN`) says so.

Cost: 2 x 4 bytes a token, 6 a text; 40 microseconds an average page.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from corpusmill.extract.tables import Segments
from corpusmill.extract.words import PRIME, Words, hash_blocks
from corpusmill.kernels import kernel

U16 = npt.NDArray[np.uint16]
U32 = npt.NDArray[np.uint32]
I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]
Table = npt.NDArray[np.void]

N_NEAR = 3  # elements around a block whose tokens are a family of their own
N_SHORT = 10  # words of a text that counts as a whole
TOKEN_VALUE = np.float32(0.5)  # of a token in a row; a text's words share a length of 1


class Family(IntEnum):
    """Where a key comes from."""

    PATH = 0
    NEAR = 1
    WORD = 2
    PAIR = 3
    WHOLE = 4


class Linear(NamedTuple):
    """The model: tables with a print of each key that has weights; 0 is an empty slot."""

    token_prints: U16  # (slots,), a power of two
    token_weights: F32  # (slots, 2): in PATH, in NEAR
    text_prints: U16  # (slots,)
    text_weights: F32  # (slots,): WORD, PAIR, WHOLE
    bias: float


@dataclass(frozen=True)
class LinearInputs:
    """Sparse rows, one a block: row i has values[ptr[i]:ptr[i + 1]] at keys[ptr[i]:ptr[i + 1]]."""

    keys: I64  # family << 32 | hash
    values: F32
    ptr: I64  # (n_blocks + 1,)


class TextScore(IntEnum):
    """Rows of what the model says of a block's text."""

    WORDS = 0
    PAIR = 1
    WHOLE = 2
    KNOWN = 3  # share of the words that have a weight


def linear_inputs(segments: Segments) -> LinearInputs:
    """The rows that the model is trained on."""
    words = hash_blocks(segments.text, segments.blocks)
    return LinearInputs(*_inputs(segments.blocks, segments.nodes, segments.tokens, words))


def compact(keys: I64, weights: F32, bias: float) -> Linear:
    """The model of trained weights (n,) at distinct keys (n,); a weight of 0 makes a word known, too."""
    order = np.argsort(keys, kind="stable")
    keys, weights = keys[order], weights[order].astype(np.float32)
    family, low = keys >> 32, (keys & 0xFFFFFFFF).astype(np.uint32)
    of_token = family <= Family.NEAR
    tokens, place = np.unique(low[of_token], return_inverse=True)
    pairs = np.zeros((len(tokens), 2), np.float32)
    pairs[place, family[of_token]] = weights[of_token]
    token_prints, token_weights = _table(tokens, pairs)
    text_prints, text_weights = _table(low[~of_token], weights[~of_token, None])
    return Linear(token_prints, token_weights, text_prints, text_weights[:, 0].copy(), float(np.float32(bias)))


def _table(keys: U32, weights: F32) -> tuple[U16, F32]:
    """Keys (n,) with weights (n, k) as an open-addressed table, at most two thirds full."""
    slots = 16
    while slots * 2 < len(keys) * 3:
        slots *= 2
    prints, values = np.zeros(slots, np.uint16), np.zeros((slots, weights.shape[1]), np.float32)
    _insert(keys, weights, prints, values)
    return prints, values


@kernel
def _insert(keys: U32, weights: F32, prints: U16, values: F32) -> None:
    mask = len(prints) - 1
    for k in range(len(keys)):
        slot, key_print = np.int64(keys[k]) & mask, max(np.int64(keys[k]) >> 16, 1)
        while prints[slot] != 0 and prints[slot] != key_print:
            slot = (slot + 1) & mask
        prints[slot] = key_print
        for column in range(values.shape[1]):
            values[slot, column] = weights[k, column]


@kernel
def _find(prints: U16, key: np.uint32) -> np.int64:
    """The slot of a key (uint32), or -1."""
    mask = len(prints) - 1
    slot, key_print = np.int64(key) & mask, max(np.int64(key) >> 16, 1)
    while prints[slot] != 0:
        if prints[slot] == key_print:
            return slot
        slot = (slot + 1) & mask
    return np.int64(-1)


@kernel
def pair_key(first: np.uint32, second: np.uint32) -> np.uint32:
    """Key of a text's first two words (uint32 hashes); a text of one word has 0 as its second."""
    h = (np.uint64(first) * np.uint64(31) + np.uint64(second)) * PRIME
    return np.uint32((h ^ np.uint64(0x5851F42D4C957F2D)) >> np.uint64(20))


@kernel
def whole_key(hashes: U32, start: int, end: int) -> np.uint32:
    """Key of a short text, hashes[start:end]."""
    h = np.uint64(0x14057B7EF767814F)
    for k in range(start, end):
        h = (h ^ np.uint64(hashes[k])) * PRIME
    return np.uint32((h ^ (h >> np.uint64(33))) >> np.uint64(8))


@kernel
def score_nodes(nodes: Table, tokens: U32, linear: Linear, path: F32, near: F32) -> None:
    """Weights of every element's own tokens in the two families -> path, near (n_nodes,); 0 where it has no block."""
    for v in range(len(nodes)):
        node = nodes[v]
        in_path, in_near = np.float32(0), np.float32(0)
        if node["first_block"] < node["end_block"]:
            for k in range(node["first_token"], node["end_token"]):
                slot = _find(linear.token_prints, tokens[k])
                if slot >= 0:
                    in_path += linear.token_weights[slot, 0]
                    in_near += linear.token_weights[slot, 1]
        path[v] = in_path * TOKEN_VALUE
        near[v] = in_near * TOKEN_VALUE


@kernel
def score_texts(words: Words, linear: Linear, scores: F32) -> None:
    """What the model says of every block's text -> scores (len(TextScore), n_blocks)."""
    for i in range(len(words.ptr) - 1):
        start, end = words.ptr[i], words.ptr[i + 1]
        total, known = np.float32(0), 0
        for k in range(start, end):
            slot = _find(linear.text_prints, words.hashes[k])
            if slot >= 0:
                total += linear.text_weights[slot]
                known += 1
        n = max(1, end - start)
        scores[TextScore.WORDS, i] = total / np.sqrt(np.float32(n))
        scores[TextScore.KNOWN, i] = np.float32(known) / np.float32(n)
        scores[TextScore.PAIR, i] = 0
        scores[TextScore.WHOLE, i] = 0
        if end > start:
            second = words.hashes[start + 1] if end > start + 1 else np.uint32(0)
            slot = _find(linear.text_prints, pair_key(words.hashes[start], second))
            if slot >= 0:
                scores[TextScore.PAIR, i] = linear.text_weights[slot]
            if n <= N_SHORT:
                slot = _find(linear.text_prints, whole_key(words.hashes, start, end))
                if slot >= 0:
                    scores[TextScore.WHOLE, i] = linear.text_weights[slot]


@kernel
def _inputs(blocks: Table, nodes: Table, tokens: U32, words: Words) -> tuple[I64, F32, I64]:
    n_blocks = len(blocks)
    ptr = np.zeros(n_blocks + 1, np.int64)
    on_path = np.zeros(max(1, len(nodes)), np.int64)  # tokens of an element and of those around it
    for v in range(1, len(nodes)):
        on_path[v] = on_path[nodes[v]["parent"]] + nodes[v]["end_token"] - nodes[v]["first_token"]
    for i in range(n_blocks):
        n_words = words.ptr[i + 1] - words.ptr[i]
        ptr[i + 1] = ptr[i] + 2 * on_path[blocks[i]["leaf"]] + n_words + 2
    keys, values = np.empty(ptr[n_blocks], np.int64), np.empty(ptr[n_blocks], np.float32)
    n = 0
    for i in range(n_blocks):
        v, level = blocks[i]["leaf"], 0
        while v > 0:
            for k in range(nodes[v]["first_token"], nodes[v]["end_token"]):
                keys[n], values[n] = np.int64(Family.PATH) << 32 | np.int64(tokens[k]), TOKEN_VALUE
                n += 1
                if level < N_NEAR:
                    keys[n], values[n] = np.int64(Family.NEAR) << 32 | np.int64(tokens[k]), TOKEN_VALUE
                    n += 1
            v, level = nodes[v]["parent"], level + 1
        start, end = words.ptr[i], words.ptr[i + 1]
        for k in range(start, end):
            keys[n] = np.int64(Family.WORD) << 32 | np.int64(words.hashes[k])
            values[n] = np.float32(1) / np.sqrt(np.float32(end - start))
            n += 1
        if end > start:
            second = words.hashes[start + 1] if end > start + 1 else np.uint32(0)
            keys[n] = np.int64(Family.PAIR) << 32 | np.int64(pair_key(words.hashes[start], second))
            values[n] = 1
            n += 1
            if end - start <= N_SHORT:
                keys[n] = np.int64(Family.WHOLE) << 32 | np.int64(whole_key(words.hashes, start, end))
                values[n] = 1
                n += 1
        ptr[i + 1] = n
    return keys[:n].copy(), values[:n].copy(), ptr
