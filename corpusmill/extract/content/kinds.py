"""The kind of a page (article, forum, product and so on): features of the whole page, for the forest that decides it.

They are the totals of the page (`position.Total`), the composition of its probable content by the blocks'
probabilities, and what the page declares (`declared.py`).

Cost: 5 microseconds per average page.
"""

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from corpusmill.extract.content.declared import N_DECLARED, Declared
from corpusmill.extract.content.features import Measured
from corpusmill.extract.content.position import N_TOTAL, Total
from corpusmill.extract.segments.arithmetic import f32
from corpusmill.extract.segments.lean import lean_kernel
from corpusmill.extract.segments.tables import BIT
from corpusmill.kernels import kernel

F32 = npt.NDArray[np.float32]
Table = npt.NDArray[np.void]

KINDS = ("article", "collection", "documentation", "forum", "listing", "product", "service")


class Content(IntEnum):
    """The composition of the probable content: means over blocks, or shares of words, weighted by p."""

    WORDS = 0  # sum
    SHARE = 1  # share of the page's words
    BLOCKS = 2  # sum
    WORDS_PER_BLOCK = 3
    LINK_SHARE = 4
    STOPS = 5  # per word
    DIGITS = 6  # share of characters
    IMAGES = 7  # per block
    HEADINGS = 8  # share of blocks
    PARAGRAPHS = 9
    ITEMS = 10
    CELLS = 11
    PREFORMATTED = 12
    QUOTES = 13
    TIMES = 14
    BUTTONS = 15
    CLUSTERS = 16  # share of blocks that are the first of their cluster


N_CONTENT = len(Content)
PAGE_FEATURES: tuple[str, ...] = (
    *(f"page_{row.name.lower()}" for row in Total),
    *(f"content_{row.name.lower()}" for row in Content),
    *(f"declared_{row.name.lower()}" for row in Declared),
)
N_PAGE = len(PAGE_FEATURES)

FIRST_FLAG = Content.HEADINGS
FLAGS = np.array(
    [BIT[name] for name in ["heading", "paragraph", "item", "cell", "preformatted", "quote", "time", "button"]]
)


@kernel
def page_features(blocks: Table, measured: Measured, p: F32) -> F32:
    """Features of the whole page, (N_PAGE,), with names as in `PAGE_FEATURES`; p (n_blocks,) is for its blocks."""
    features = np.zeros(N_PAGE, np.float32)
    for k in range(N_TOTAL):
        features[k] = measured.totals[k]
    _describe_content(blocks, measured, p, features[N_TOTAL : N_TOTAL + N_CONTENT])
    for k in range(N_DECLARED):
        features[N_TOTAL + N_CONTENT + k] = measured.declared[k]
    return features


@lean_kernel
def _describe_content(blocks: Table, measured: Measured, p: F32, content: F32) -> None:
    words, chars, total = 0.0, 0.0, 0.0
    for i in range(len(blocks)):
        block = blocks[i]
        words += p[i] * block["n_words"]
        chars += p[i] * block["n_chars"]
        total += p[i]
        content[Content.LINK_SHARE] += p[i] * block["link_words"]
        content[Content.STOPS] += p[i] * block["n_stops"]
        content[Content.DIGITS] += p[i] * block["n_digits"]
        content[Content.IMAGES] += p[i] * block["n_images"]
        if measured.clusters[i] == i:
            content[Content.CLUSTERS] += p[i]
        for k in range(len(FLAGS)):
            if block["flags"] & FLAGS[k]:
                content[FIRST_FLAG + k] += p[i]
    a_word, a_char, a_block = 1 / max(words, 1.0), 1 / max(chars, 1.0), 1 / max(total, 1.0)
    content[Content.WORDS] = words
    content[Content.SHARE] = words / max(measured.totals[Total.WORDS], f32(1))
    content[Content.BLOCKS] = total
    content[Content.WORDS_PER_BLOCK] = words * a_block
    content[Content.LINK_SHARE] *= a_word
    content[Content.STOPS] *= a_word
    content[Content.DIGITS] *= a_char
    content[Content.IMAGES] *= a_block
    for k in range(Content.HEADINGS, N_CONTENT):
        content[k] *= a_block
