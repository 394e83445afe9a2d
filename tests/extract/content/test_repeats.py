"""Texts that are on a page more than once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.extract.content.classify import kept
from corpusmill.extract.content.features import FEATURES, features_of, measure
from corpusmill.extract.content.repeats import MANY_WORDS, REACH, SOME_WORDS, Copy
from corpusmill.extract.segments.segment import segment
from tests.extract.pages import LISTING, linear_of

LINEAR = linear_of(segment(LISTING))[0]
LONG = "a text of thirteen words that is long enough to be kept once"
FIRST = FEATURES.index("copy_blocks")


def page_of(texts):
    return segment("".join(f"<p>{text}</p>" for text in texts).encode())


def described(page):
    rows = features_of(page, measure(page, LINEAR))[FIRST : FIRST + len(Copy)]
    return dict(zip(Copy, rows.tolist(), strict=True))


@settings(deadline=None)
@given(st.lists(st.sampled_from([LONG, "three words here", "some four words here", "year 2019", "year 2020"])))
def test_copies_are_counted(texts):
    rows = described(page_of(texts))
    same = [text.replace("2019", "2020") for text in texts]
    words = [len(text.split()) for text in texts]
    places = range(len(texts))
    assert rows[Copy.BLOCKS] == [same.count(text) for text in same]
    assert rows[Copy.BEFORE] == [same[:i].count(same[i]) for i in places]
    assert rows[Copy.SINCE] == [next((d for d in range(1, i + 1) if same[i - d] == same[i]), -1) for i in places]
    assert rows[Copy.UNTIL] == [
        next((d for d in range(1, len(same) - i) if same[i + d] == same[i]), -1) for i in places
    ]
    long = [n * (n >= SOME_WORDS) for n in words]
    repeated = [n * (same[i] in same[:i]) for i, n in enumerate(long)]
    coming = [n * (same[i] in same[i + 1 :]) for i, n in enumerate(long)]
    near = [slice(max(0, i - REACH), i + REACH + 1) for i in places]
    assert rows[Copy.REPEATED] == pytest.approx([sum(repeated[part]) / sum(words[part]) for part in near])
    assert rows[Copy.COMING] == pytest.approx([sum(coming[part]) / sum(words[part]) for part in near])
    assert rows[Copy.PAGE_REPEATED] == pytest.approx([sum(repeated) / max(1, sum(words))] * len(texts))


def what_is_kept(source):
    page = segment(source.encode())
    keep = kept(page.text, page.blocks, measure(page, LINEAR).texts, np.ones(len(page.blocks), np.float32), 0.5)
    return [page.block_text(i) for i in np.flatnonzero(keep)]


def test_a_long_text_is_kept_once():
    other = LONG.replace("once", "here")
    assert what_is_kept(f"<p>{LONG}<p>{other}<p>{LONG}<div>{LONG}</div><blockquote>{LONG}</blockquote>") == [
        LONG,
        other,
    ]


def test_a_passage_of_short_texts_is_kept_once():
    passage = [f"the {number} item of a list" for number in ("first", "second", "third")]
    first, second, third = passage
    parted = "<p>new".join(f"<li>{text}" for text in [*passage, "else", *passage])
    assert what_is_kept(parted) == [first, "new", second, "new", third, "new", "else", "new", "new", third]
    assert what_is_kept("".join(f"<li>{text}" for text in [*passage, "else", *passage])) == [*passage, "else"]
    assert what_is_kept("".join(f"<li>{text}" for text in [*passage, "else", *reversed(passage)])) == [
        *passage,
        "else",
        *reversed(passage),
    ]
    broken = [*passage, "else", passage[0], passage[1], "new", passage[2]]
    assert what_is_kept("".join(f"<li>{text}" for text in broken)) == [*passage, "else", "new", passage[2]]


def test_short_texts_cells_code_and_other_figures_are_kept():
    short = " ".join(LONG.split()[: MANY_WORDS - 1])
    assert what_is_kept(f"<p>{short}<p>new<p>{short}") == [short, "new", short]
    assert what_is_kept(f"<table><tr><td>{LONG}<tr><td>{LONG}</table>") == [LONG, LONG]
    assert what_is_kept(f"<pre>{LONG}</pre><p>new<pre>{LONG}</pre>") == [LONG, "new", LONG]
    assert what_is_kept(f"<p>{LONG} 2019<p>{LONG} 2020") == [f"{LONG} 2019", f"{LONG} 2020"]


@settings(deadline=None)
@given(st.lists(st.sampled_from([LONG, "seven words that are here in order", "two words", "new"]), max_size=30))
def test_nothing_is_lost_with_copies(texts):
    assert set(what_is_kept("".join(f"<p>{text}" for text in texts))) == set(texts)
