"""The position of a block on the page, and totals of the whole page.

Distances are numbers of blocks, limited to `FAR`, which also means "there is none".  A *paragraph* here is a block with
at least twenty words outside links, and a full stop of any script.

Cost: 16 microseconds per average page.
"""

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from corpusmill.extract.content.title_overlap import Overlap, hash_name, is_in, name_hashes
from corpusmill.extract.content.tree import Sum, Tree
from corpusmill.extract.content.words import Words
from corpusmill.extract.segments.arithmetic import best_segment, f32, i64, outside, sigmoid
from corpusmill.extract.segments.lean import lean_kernel
from corpusmill.extract.segments.tables import BIT, FactKind
from corpusmill.kernels import inner_kernel

U8 = npt.NDArray[np.uint8]
I32 = npt.NDArray[np.int32]
F32 = npt.NDArray[np.float32]
Table = npt.NDArray[np.void]

FAR = 500
PARAGRAPH_WORDS = 20
TITLE_WORDS = 30  # a longer block is not a title
IN_ARTICLE = BIT["article"]
SHARE_FLAGS = np.array([BIT[name] for name in ("article", "main", "table", "item", "form")])

ITEM_DATES = name_hashes("datepublished", "datecreated")
AUTHOR = name_hashes("author")[0]


class Position(IntEnum):
    """Rows of the features of a block's position."""

    BLOCK = 0  # 0 to 1
    WORD = 1  # 0 to 1
    FROM_TITLE = 2  # the block that is most similar to the page's title
    FROM_H1 = 3
    FROM_HEADING = 4  # the last heading before it
    HEADING_LEVEL = 5
    HEADING_SCORE = 6
    FROM_BYLINE = 7  # the last time or author before it
    FROM_FIRST_PARAGRAPH = 8
    FROM_LAST_PARAGRAPH = 9
    FROM_TEXT = 10  # the best segment by the number of words outside links
    FROM_CONTENT = 11  # the best segment by the score of the linear model
    IN_BEST = 12  # is it in the best element?
    CLIMB = 13  # levels to an element that contains the best one
    IN_RECORDS = 14  # is it in the page's largest group of siblings?
    FROM_RECORDS = 15


class Total(IntEnum):
    """Totals of a page.  Shares are of its words."""

    BLOCKS = 0
    WORDS = 1
    LINK_SHARE = 2
    STOPS = 3  # per word
    IMAGES = 4
    ARTICLES = 5  # number of outermost <article> elements
    PARAGRAPHS = 6
    PARAGRAPH_SHARE = 7  # share in <p>
    ARTICLE_SHARE = 8  # share in the elements of SHARE_FLAGS, in their order
    MAIN_SHARE = 9
    TABLE_SHARE = 10
    ITEM_SHARE = 11
    FORM_SHARE = 12
    INPUTS = 13
    SCORE = 14  # mean score in the linear model
    SAID = 15  # share that the description also has
    BEST_SHARE = 16  # share in the best element
    RECORDS = 17
    RECORD_SHARE = 18
    RECORD_WORDS = 19  # mean per record
    RECORD_LINK_SHARE = 20
    RECORD_IMAGES = 21


N_TOTAL = len(Total)


@inner_kernel
def title_block(words: Words, title_overlap: F32) -> int:
    """The block that is most similar to the page's title, or -1."""
    best, most = i64(-1), f32(0)
    for i in range(len(title_overlap)):
        n = words.ptr[i + 1] - words.ptr[i]
        value = title_overlap[i] * title_overlap[i] * f32(n)
        if n <= TITLE_WORDS and value > most:
            best, most = i, value
    return best


@inner_kernel
def find_bylines(source: U8, facts: Table, nodes: Table, n_blocks: int) -> I32:
    """The number of times and authors that are named before the start of every block -> (n_blocks + 1,)."""
    bylines = np.zeros(n_blocks + 1, np.int32)
    for f in range(len(facts)):
        fact = facts[f]
        kind, node = fact["kind"], nodes[fact["node"]]
        if kind == FactKind.TIME:
            bylines[node["first_block"]] += 1
        elif kind == FactKind.ANCHOR or kind == FactKind.ITEM:
            key = hash_name(source, i64(fact["key_start"]), i64(fact["key_end"]))
            if key == AUTHOR or (kind == FactKind.ITEM and is_in(key, ITEM_DATES)):
                bylines[node["first_block"]] += 1
    return bylines


@inner_kernel
def describe(
    blocks: Table,
    nodes: Table,
    tree: Tree,
    sums: I32,
    scores: F32,
    bylines: I32,
    title: int,
    first: int,
    rows: F32,
) -> None:
    """The position of every block from `first` -> rows (len(Position), number of blocks)."""
    n = len(blocks)
    if n == 0:
        return
    by_text, by_score = np.empty(n, np.float32), np.empty(n, np.float32)
    h1, first_paragraph, last_paragraph = i64(-1), i64(-1), i64(-1)
    for i in range(n):
        block = blocks[i]
        words, own = block["n_words"], block["n_words"] - block["link_words"]
        by_text[i] = min(own, 60) - 8
        by_score[i] = words * (sigmoid(scores[i]) - 0.4)
        if h1 < 0 and block["heading"] == 1:
            h1 = i
        if own >= PARAGRAPH_WORDS and block["n_stops"] > 0:
            first_paragraph = i if first_paragraph < 0 else first_paragraph
            last_paragraph = i
    text_start, text_end = best_segment(by_text)
    content_start, content_end = best_segment(by_score)
    records_start, records_end = 0, 0
    if tree.records > 0:
        parent = nodes[nodes[tree.records]["parent"]]
        records_start, records_end = parent["first_block"], parent["end_block"]
    best_start, best_end = nodes[tree.best]["first_block"], nodes[tree.best]["end_block"]
    n_words, heading, byline = sums[n, Sum.WORDS], i64(-1), i64(-1)
    for i in range(first):
        if blocks[i]["heading"] > 0:
            heading = i
        if bylines[i] > 0:
            byline = i
    for k in range(rows.shape[1]):
        i = first + k
        before = sums[i, Sum.WORDS]
        rows[Position.BLOCK, k] = f32(i) / f32(n)
        rows[Position.WORD, k] = f32(before) / f32(max(1, n_words))
        rows[Position.FROM_TITLE, k] = _distance(i, title)
        rows[Position.FROM_H1, k] = _distance(i, h1)
        rows[Position.FROM_HEADING, k] = _distance(i, heading)
        rows[Position.HEADING_LEVEL, k] = blocks[heading]["heading"] if heading >= 0 else 0
        rows[Position.HEADING_SCORE, k] = scores[heading] if heading >= 0 else 0
        if bylines[i] > 0:
            byline = i
        rows[Position.FROM_BYLINE, k] = _distance(i, byline)
        rows[Position.FROM_FIRST_PARAGRAPH, k] = _distance(i, first_paragraph)
        rows[Position.FROM_LAST_PARAGRAPH, k] = _distance(i, last_paragraph)
        rows[Position.FROM_TEXT, k] = outside(i, text_start, text_end)
        rows[Position.FROM_CONTENT, k] = outside(i, content_start, content_end)
        here = tree.place[blocks[i]["leaf"]]
        rows[Position.IN_BEST, k] = best_start <= i < best_end
        rows[Position.CLIMB, k] = here["climb"]
        rows[Position.IN_RECORDS, k] = here["in_records"]
        rows[Position.FROM_RECORDS, k] = outside(i, records_start, records_end)
        if blocks[i]["heading"] > 0:
            heading = i


@lean_kernel
def _distance(i: int, other: int) -> int:
    return FAR if other < 0 else max(-FAR, min(FAR, i - other))


@inner_kernel
def total(blocks: Table, nodes: Table, tree: Tree, sums: I32, scores: F32, overlaps: F32, n_inputs: int) -> F32:
    """Totals of the whole page -> (len(Total),)."""
    n = len(blocks)
    totals = np.zeros(N_TOTAL, np.float32)
    n_words = sums[n, Sum.WORDS]
    a_word, a_block = f32(1) / f32(max(1, n_words)), f32(1) / f32(max(1, n))
    score, said = 0.0, 0.0
    for i in range(n):
        flags, words = blocks[i]["flags"], blocks[i]["n_words"]
        totals[Total.PARAGRAPHS] += words - blocks[i]["link_words"] >= PARAGRAPH_WORDS and blocks[i]["n_stops"] > 0
        for k in range(len(SHARE_FLAGS)):
            if flags & SHARE_FLAGS[k]:
                totals[Total.ARTICLE_SHARE + k] += words
        score += scores[i]
        said += words * overlaps[Overlap.DESCRIPTION, i]
    for k in range(len(SHARE_FLAGS)):
        totals[Total.ARTICLE_SHARE + k] *= a_word
    for v in range(1, len(nodes)):
        outermost = nodes[v]["flags"] & IN_ARTICLE and not nodes[nodes[v]["parent"]]["flags"] & IN_ARTICLE
        totals[Total.ARTICLES] += f32(1) if outermost else f32(0)
    totals[Total.BLOCKS] = n
    totals[Total.WORDS] = n_words
    totals[Total.LINK_SHARE] = sums[n, Sum.LINK_WORDS] * a_word
    totals[Total.STOPS] = sums[n, Sum.STOPS] * a_word
    totals[Total.IMAGES] = sums[n, Sum.IMAGES]
    totals[Total.PARAGRAPH_SHARE] = sums[n, Sum.PARAGRAPH_WORDS] * a_word
    totals[Total.INPUTS] = min(n_inputs, FAR)
    totals[Total.SCORE], totals[Total.SAID] = score * a_block, said * a_word
    if tree.best > 0:
        first, end = nodes[tree.best]["first_block"], nodes[tree.best]["end_block"]
        totals[Total.BEST_SHARE] = (sums[end, Sum.WORDS] - sums[first, Sum.WORDS]) * a_word
    if tree.records > 0:
        _total_records(nodes, tree, sums, a_word, totals)
    return totals


@lean_kernel
def _total_records(nodes: Table, tree: Tree, sums: I32, a_word: float, totals: F32) -> None:
    words, links, images = 0, 0, 0
    for v in range(tree.records, len(nodes)):
        if tree.place[v]["group"] == tree.records:
            first, end = nodes[v]["first_block"], nodes[v]["end_block"]
            words += sums[end, Sum.WORDS] - sums[first, Sum.WORDS]
            links += sums[end, Sum.LINK_WORDS] - sums[first, Sum.LINK_WORDS]
            images += sums[end, Sum.IMAGES] - sums[first, Sum.IMAGES]
    count = f32(tree.place[tree.records]["siblings"])
    totals[Total.RECORDS] = count
    totals[Total.RECORD_SHARE] = words * a_word
    totals[Total.RECORD_WORDS] = f32(words) / count
    totals[Total.RECORD_LINK_SHARE] = f32(links) / f32(max(1, words))
    totals[Total.RECORD_IMAGES] = f32(images) / count
