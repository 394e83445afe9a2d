"""A linear model over hashed words: of the class and id of the elements around a block, and of the block's text.

There are five families of inputs: the tokens of all elements around a block, the tokens of the nearest three, the first
32 words of its text, its first two words as a pair, and a short text as a whole.  Most of the knowledge is which class
names are typical of content, and which words are typical of boilerplate ("cookie", "share", "posted by").  The linear
model alone reaches a word F1 of 0.84.  Its scores are features for the trees (`features.py`).

For training, a block is a sparse row of keys (`linear_inputs`): the 32-bit hash and its family, without collisions.
The model contains the keys that training kept, in tables that recognise unknown keys (`buckets.py`).  So a word that is
not in the training data has no weight, not the weight of another word.  A page in an unknown language is judged by its
structure only.

Cost: 45 microseconds for an average page in the pipeline, 16 with warm caches.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from corpusmill.extract.content.buckets import build, look_up
from corpusmill.extract.content.words import MIX, Words, hash_blocks
from corpusmill.extract.segments.arithmetic import f32, i64
from corpusmill.extract.segments.lean import lean_kernel
from corpusmill.extract.segments.tables import Segments
from corpusmill.kernels import kernel

U32 = npt.NDArray[np.uint32]
I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]
Table = npt.NDArray[np.void]

N_NEAR = 3  # number of nearest elements whose tokens are a separate family
N_SHORT = 10  # most words of a text that is also used as a whole
TOKEN_VALUE = f32(0.5)  # value of a token in a row; the values of a text's words form a vector of length 1
TOKEN_SCALE, TEXT_SCALE = f32(64), f32(4096)  # scale of weights; tables hold them as integers of 8 and 15 bits


class Family(IntEnum):
    """The sources of keys."""

    PATH = 0
    NEAR = 1
    WORD = 2
    PAIR = 3
    WHOLE = 4


class Linear(NamedTuple):
    """The model: tables of `buckets`, whose numbers are the weights.  Unknown keys have weight 0."""

    tokens: U32  # by token: the weight in PATH in the upper 8 bits, the weight in NEAR in the lower 8 bits
    texts: U32  # by key of WORD, PAIR or WHOLE: its weight; the lowest bit is set for common words
    bias: float


@dataclass(frozen=True)
class LinearInputs:
    """Sparse rows, one per block: row i has values[ptr[i]:ptr[i + 1]] at keys[ptr[i]:ptr[i + 1]]."""

    keys: I64  # family << 32 | hash
    values: F32
    ptr: I64  # (n_blocks + 1,)


def linear_inputs(segments: Segments) -> LinearInputs:
    """The rows that the model is trained on."""
    words = hash_blocks(segments.text, segments.blocks)
    return LinearInputs(*_inputs(segments.blocks, segments.nodes, segments.tokens, words))


def compact(keys: I64, weights: F32, bias: float, common: npt.NDArray[np.bool_]) -> Linear:
    """The model with trained weights (n,) at distinct keys (n,); `common` marks common words."""
    family, low, weights = keys >> 32, (keys & 0xFFFFFFFF).astype(np.uint32), weights.astype(np.float32)
    of_token = family <= Family.NEAR
    tokens, place = np.unique(low[of_token], return_inverse=True)
    in_families = np.zeros((len(tokens), 2), np.float32)
    in_families[place, family[of_token]] = weights[of_token]
    path, near = _whole(in_families * TOKEN_SCALE, 8).T
    token_table = build(tokens, path << 8 | near & 0xFF, np.abs(in_families).max(axis=1, initial=0))
    texts, first = np.unique(low[~of_token], return_index=True)
    singles, is_common = weights[~of_token][first], common[~of_token][first]
    text_table = build(texts, _whole(singles * TEXT_SCALE, 15) << 1 | is_common, np.abs(singles) + is_common)
    return Linear(token_table, text_table, float(f32(bias)))


def _whole(weights: F32, n_bits: int) -> npt.NDArray[np.int64]:
    """The nearest integers that this number of bits can hold."""
    most = 1 << (n_bits - 1)
    return np.clip(np.rint(weights), -most, most - 1).astype(np.int64)


@lean_kernel
def pair_key(first: np.uint32, second: np.uint32) -> np.uint32:
    """The key of a text's first two words (uint32 hashes).  If a text has one word, the second is 0."""
    h = (np.uint64(first) * np.uint64(31) + np.uint64(second)) * MIX
    return np.uint32((h ^ np.uint64(0x5851F42D4C957F2D)) >> np.uint64(20))


@lean_kernel
def whole_key(hashes: U32, start: int, end: int) -> np.uint32:
    """The key of a short text, hashes[start:end]."""
    h = np.uint64(0x14057B7EF767814F)
    for k in range(start, end):
        h = (h ^ np.uint64(hashes[k])) * MIX
    return np.uint32((h ^ (h >> np.uint64(33))) >> np.uint64(8))


@lean_kernel
def signed(number: int, n_bits: int) -> int:
    """The signed number in this number of bits (two's complement)."""
    sign = 1 << (n_bits - 1)
    return (number ^ sign) - sign


@lean_kernel
def score_nodes(nodes: Table, tokens: U32, linear: Linear, path: F32, near: F32) -> None:
    """Weights of each element's own tokens in both families -> path, near (n_nodes,); 0 for those without a block."""
    for v in range(len(nodes)):
        node = nodes[v]
        in_path, in_near = i64(0), i64(0)
        if node["first_block"] < node["end_block"]:
            for k in range(node["first_token"], node["end_token"]):
                number = i64(look_up(linear.tokens, tokens[k]))
                in_path += signed(number >> 8, 8)
                in_near += signed(number & 0xFF, 8)
        path[v] = f32(in_path) * (TOKEN_VALUE / TOKEN_SCALE)
        near[v] = f32(in_near) * (TOKEN_VALUE / TOKEN_SCALE)


@lean_kernel
def _of_text(linear: Linear, key: np.uint32) -> float:
    """The scaled weight of a key of PAIR or WHOLE."""
    return f32(signed(i64(look_up(linear.texts, key)) >> 1, 15))


@lean_kernel
def score_texts(words: Words, linear: Linear, scores: F32) -> int:
    """The score of every block's text -> scores (n_blocks,), and the number of common words."""
    n_common = i64(0)
    for i in range(len(words.ptr) - 1):
        start, end = words.ptr[i], words.ptr[i + 1]
        if start == end:
            scores[i] = f32(0)
            continue
        total = i64(0)
        for k in range(start, end):
            number = i64(look_up(linear.texts, words.hashes[k]))
            n_common += number & 1
            total += signed(number >> 1, 15)
        score = f32(total) / np.sqrt(f32(end - start))
        second = words.hashes[start + 1] if end > start + 1 else np.uint32(0)
        score += _of_text(linear, pair_key(words.hashes[start], second))
        if end - start <= N_SHORT:
            score += _of_text(linear, whole_key(words.hashes, start, end))
        score /= TEXT_SCALE
        scores[i] = score
    return n_common


@kernel
def _inputs(blocks: Table, nodes: Table, tokens: U32, words: Words) -> tuple[I64, F32, I64]:
    n_blocks = len(blocks)
    ptr = np.zeros(n_blocks + 1, np.int64)
    on_path = np.zeros(max(1, len(nodes)), np.int64)  # number of tokens of an element and of those around it
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
                keys[n], values[n] = i64(Family.PATH) << 32 | i64(tokens[k]), TOKEN_VALUE
                n += 1
                if level < N_NEAR:
                    keys[n], values[n] = i64(Family.NEAR) << 32 | i64(tokens[k]), TOKEN_VALUE
                    n += 1
            v, level = nodes[v]["parent"], level + 1
        start, end = words.ptr[i], words.ptr[i + 1]
        for k in range(start, end):
            keys[n] = i64(Family.WORD) << 32 | i64(words.hashes[k])
            values[n] = f32(1) / np.sqrt(f32(end - start))
            n += 1
        if end > start:
            second = words.hashes[start + 1] if end > start + 1 else np.uint32(0)
            keys[n] = i64(Family.PAIR) << 32 | i64(pair_key(words.hashes[start], second))
            values[n] = 1
            n += 1
            if end - start <= N_SHORT:
                keys[n] = i64(Family.WHOLE) << 32 | i64(whole_key(words.hashes, start, end))
                values[n] = 1
                n += 1
        ptr[i + 1] = n
    return keys[:n].copy(), values[:n].copy(), ptr
