"""Where on the page a block stands, and what the page is as a whole.

Distances are in blocks, cut at `FAR`, which also stands for "there is none".  A *paragraph* here is a block that reads
like one: twenty words outside links, and a full stop of whatever script.

Cost: 16 microseconds an average page.
"""

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from corpusmill.extract.arithmetic import best_segment, f32, i64, outside, sigmoid
from corpusmill.extract.lean import lean_kernel
from corpusmill.extract.linear import TextScore, text_score
from corpusmill.extract.said import Overlap, hash_name, is_in, name_hashes
from corpusmill.extract.tables import BIT, FactKind
from corpusmill.extract.tree import Sum, Tree
from corpusmill.extract.words import Words
from corpusmill.kernels import inner_kernel

U8 = npt.NDArray[np.uint8]
I32 = npt.NDArray[np.int32]
F32 = npt.NDArray[np.float32]
Table = npt.NDArray[np.void]

FAR = 500
PARAGRAPH_WORDS = 20
TITLE_WORDS = 30  # a longer block is no title
IN_ARTICLE = BIT["article"]
SHARE_FLAGS = np.array([BIT[name] for name in ("article", "main", "table", "item", "preformatted", "form")])

ITEM_TEXTS = name_hashes("articlebody", "reviewbody", "description", "text")
ITEM_DATES = name_hashes("datepublished", "datecreated")
AUTHOR = name_hashes("author")[0]


class Position(IntEnum):
    """Rows of a block's position."""

    BLOCK = 0  # 0 to 1
    WORD = 1  # 0 to 1
    WORDS_BEFORE = 2
    WORDS_AFTER = 3
    FROM_TITLE = 4  # the block most like the page's title
    FROM_H1 = 5
    FROM_HEADING = 6  # the last one before
    HEADING_LEVEL = 7
    HEADING_SCORE = 8
    HEADING_TEXT_SCORE = 9
    FROM_BYLINE = 10  # the last time or author before
    FROM_FIRST_PARAGRAPH = 11
    FROM_LAST_PARAGRAPH = 12
    FROM_TEXT = 13  # the best segment by words outside links
    FROM_CONTENT = 14  # the best segment by the linear model
    IN_BEST = 15  # in the best element
    CLIMB = 16  # to an element that holds the best one
    ITEM_TEXT = 17  # in an element that microdata calls the item's text
    RECORDS = 18  # 1, 2: in the page's largest or second largest group of siblings
    FROM_RECORDS = 19  # the largest group


class Total(IntEnum):
    """What a page is as a whole; shares are of its words."""

    BLOCKS = 0
    WORDS = 1
    LINK_SHARE = 2
    STOPS = 3  # a word
    IMAGES = 4
    H1 = 5  # blocks in <h1>
    ARTICLES = 6  # outermost <article>
    PARAGRAPHS = 7
    PARAGRAPH_SHARE = 8  # in <p>
    ARTICLE_SHARE = 9  # in the elements of SHARE_FLAGS, in their order
    MAIN_SHARE = 10
    TABLE_SHARE = 11
    ITEM_SHARE = 12
    PREFORMATTED_SHARE = 13
    FORM_SHARE = 14
    INPUTS = 15
    PASSWORDS = 16
    SCORE = 17  # mean of the linear model's
    KNOWN = 18  # mean share of words known to it
    SAID = 19  # share that description or body have
    BEST_SHARE = 20  # in the best element
    RECORDS = 21
    RECORD_SHARE = 22
    RECORD_WORDS = 23  # mean of a record
    RECORD_LINK_SHARE = 24
    RECORD_IMAGES = 25
    SECOND_RECORDS = 26
    SECOND_SHARE = 27
    SECOND_WORDS = 28
    SECOND_LINK_SHARE = 29
    SECOND_IMAGES = 30


N_TOTAL = len(Total)


@inner_kernel
def last_headings(blocks: Table) -> I32:
    """The last heading before every block, or -1."""
    headings = np.empty(len(blocks), np.int32)
    last = -1
    for i in range(len(blocks)):
        headings[i] = last
        if blocks[i]["heading"] > 0:
            last = i
    return headings


@inner_kernel
def title_block(words: Words, title_overlap: F32) -> int:
    """The block most like the page's title, or -1."""
    best, most = i64(-1), f32(0)
    for i in range(len(title_overlap)):
        n = words.ptr[i + 1] - words.ptr[i]
        value = title_overlap[i] * title_overlap[i] * f32(n)
        if n <= TITLE_WORDS and value > most:
            best, most = i, value
    return best


@inner_kernel
def find_marks(source: U8, facts: Table, nodes: Table, n_blocks: int) -> tuple[I32, I32]:
    """In how many texts of microdata's items every block lies; how many times and authors are named where it begins.

    Both are (n_blocks + 1,).
    """
    item_texts, bylines = np.zeros(n_blocks + 1, np.int32), np.zeros(n_blocks + 1, np.int32)
    for f in range(len(facts)):
        fact = facts[f]
        kind, node = fact["kind"], nodes[fact["node"]]
        if kind == FactKind.TIME:
            bylines[node["first_block"]] += 1
        elif kind == FactKind.ANCHOR or kind == FactKind.ITEM:
            key = hash_name(source, i64(fact["key_start"]), i64(fact["key_end"]))
            if key == AUTHOR or (kind == FactKind.ITEM and is_in(key, ITEM_DATES)):
                bylines[node["first_block"]] += 1
            elif kind == FactKind.ITEM and fact["value_start"] == fact["value_end"] and is_in(key, ITEM_TEXTS):
                item_texts[node["first_block"]] += 1
                item_texts[node["end_block"]] -= 1
    for i in range(n_blocks):
        item_texts[i + 1] += item_texts[i]
    return item_texts, bylines


@inner_kernel
def describe(
    blocks: Table,
    nodes: Table,
    tree: Tree,
    sums: I32,
    texts: F32,
    scores: F32,
    headings: I32,
    item_texts: I32,
    bylines: I32,
    title: int,
    rows: F32,
) -> None:
    """The position of every block -> rows (len(Position), n_blocks)."""
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
    n_words, byline = sums[n, Sum.WORDS], i64(-1)
    for i in range(n):
        before = sums[i, Sum.WORDS]
        rows[Position.BLOCK, i] = f32(i) / f32(n)
        rows[Position.WORD, i] = f32(before) / f32(max(1, n_words))
        rows[Position.WORDS_BEFORE, i] = before
        rows[Position.WORDS_AFTER, i] = n_words - sums[i + 1, Sum.WORDS]
        rows[Position.FROM_TITLE, i] = _distance(i, title)
        rows[Position.FROM_H1, i] = _distance(i, h1)
        heading = i64(headings[i])
        rows[Position.FROM_HEADING, i] = _distance(i, heading)
        rows[Position.HEADING_LEVEL, i] = blocks[heading]["heading"] if heading >= 0 else 0
        rows[Position.HEADING_SCORE, i] = scores[heading] if heading >= 0 else 0
        rows[Position.HEADING_TEXT_SCORE, i] = text_score(texts, heading) if heading >= 0 else f32(0)
        if bylines[i] > 0:
            byline = i
        rows[Position.FROM_BYLINE, i] = _distance(i, byline)
        rows[Position.FROM_FIRST_PARAGRAPH, i] = _distance(i, first_paragraph)
        rows[Position.FROM_LAST_PARAGRAPH, i] = _distance(i, last_paragraph)
        rows[Position.FROM_TEXT, i] = outside(i, text_start, text_end)
        rows[Position.FROM_CONTENT, i] = outside(i, content_start, content_end)
        here = tree.place[blocks[i]["leaf"]]
        rows[Position.IN_BEST, i] = best_start <= i < best_end
        rows[Position.CLIMB, i] = here["climb"]
        rows[Position.ITEM_TEXT, i] = min(item_texts[i], 1)
        rows[Position.RECORDS, i] = here["records"]
        rows[Position.FROM_RECORDS, i] = outside(i, records_start, records_end)


@lean_kernel
def _distance(i: int, other: int) -> int:
    return FAR if other < 0 else max(-FAR, min(FAR, i - other))


@inner_kernel
def total(
    blocks: Table,
    nodes: Table,
    tree: Tree,
    sums: I32,
    texts: F32,
    scores: F32,
    overlaps: F32,
    n_inputs: int,
    n_passwords: int,
) -> F32:
    """The page as a whole -> (len(Total),)."""
    n = len(blocks)
    totals = np.zeros(N_TOTAL, np.float32)
    n_words = sums[n, Sum.WORDS]
    a_word, a_block = f32(1) / f32(max(1, n_words)), f32(1) / f32(max(1, n))
    score, known, said = 0.0, 0.0, 0.0
    for i in range(n):
        flags, words = blocks[i]["flags"], blocks[i]["n_words"]
        totals[Total.H1] += blocks[i]["heading"] == 1
        totals[Total.PARAGRAPHS] += words - blocks[i]["link_words"] >= PARAGRAPH_WORDS and blocks[i]["n_stops"] > 0
        for k in range(len(SHARE_FLAGS)):
            if flags & SHARE_FLAGS[k]:
                totals[Total.ARTICLE_SHARE + k] += words
        score += scores[i]
        known += texts[TextScore.KNOWN, i]
        said += words * max(overlaps[Overlap.DESCRIPTION, i], overlaps[Overlap.BODY, i])
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
    totals[Total.INPUTS], totals[Total.PASSWORDS] = min(n_inputs, FAR), min(n_passwords, FAR)
    totals[Total.SCORE], totals[Total.KNOWN], totals[Total.SAID] = score * a_block, known * a_block, said * a_word
    if tree.best > 0:
        first, end = nodes[tree.best]["first_block"], nodes[tree.best]["end_block"]
        totals[Total.BEST_SHARE] = (sums[end, Sum.WORDS] - sums[first, Sum.WORDS]) * a_word
    _total_records(nodes, tree, tree.records, sums, a_word, totals[Total.RECORDS : Total.RECORD_IMAGES + 1])
    _total_records(nodes, tree, tree.second_records, sums, a_word, totals[Total.SECOND_RECORDS :])
    return totals


@lean_kernel
def _total_records(nodes: Table, tree: Tree, group: int, sums: I32, a_word: float, totals: F32) -> None:
    """A group of siblings -> totals (5,): their number, share of the page, words, share of links, images."""
    if group == 0:
        return
    words, links, images = 0, 0, 0
    for v in range(group, len(nodes)):
        if tree.place[v]["group"] == group:
            first, end = nodes[v]["first_block"], nodes[v]["end_block"]
            words += sums[end, Sum.WORDS] - sums[first, Sum.WORDS]
            links += sums[end, Sum.LINK_WORDS] - sums[first, Sum.LINK_WORDS]
            images += sums[end, Sum.IMAGES] - sums[first, Sum.IMAGES]
    count = f32(tree.place[group]["siblings"])
    totals[0] = count
    totals[1] = words * a_word
    totals[2] = f32(words) / count
    totals[3] = f32(links) / f32(max(1, words))
    totals[4] = f32(images) / count
