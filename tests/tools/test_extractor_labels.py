"""What the extractor is trained on: labels, pages in other scripts, shortened ones, scores of choices."""

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[2] / "tools" / "extractor"))
from labels import label, words
from pages import LabelledPage
from rewrite import SCRIPTS, rewrite
from scores import f1_of, word_f1
from shorten import MOST_LEFT, shortened

from corpusmill.extract.content.kinds import KINDS
from corpusmill.extract.segments.segment import segment

PAGE = b"""<html lang=en><head><title>The mill</title><meta name=description content="A mill by the river">
<script>var menu = 'Home';</script></head><body><nav class=menu><a href=/>Home</a> <a href=/about>About us</a></nav>
<h1>The mill</h1><p>It grinds <b>slowly</b>, but it grinds &amp; grinds.<p>Nothing is lost.<ul><li>Flour<li>Bran</ul>
<footer>All rights reserved</footer>"""


def test_a_long_run_counts_rather_than_the_same_words_elsewhere():
    blocks = ["Home News Contact", "the news of the day is good", "Contact us", "news"]
    shares, counts = label(blocks, "The news of the day is good.")
    assert shares.tolist() == [0, 1, 0, 0]
    assert counts.tolist() == [3, 7, 2, 1]


def test_what_the_gold_has_in_another_order_is_found():
    blocks = ["written by Ada Lovelace in London", "a story of five words", "menu"]
    shares, _ = label(blocks, "A story of five words. Written by Ada Lovelace in London.")
    assert shares.tolist() == [1, 1, 0]


def test_a_share_is_of_the_words_of_a_block():
    shares, _ = label(["one two three four five six", "seven"], "one two three")
    assert shares.tolist() == [0.5, 0]


@pytest.mark.parametrize("gold", ["", "nothing of it"])
def test_without_gold_nothing_is_wanted(gold: str):
    shares, counts = label(["a page", "", "with words"], gold)
    assert not shares.any()
    assert counts.tolist() == [2, 0, 2]


@given(st.lists(st.lists(st.sampled_from("abcdefg"), max_size=6), max_size=8), st.data())
def test_blocks_that_are_the_gold_are_found_whole(blocks: list[list[str]], data: st.DataObject):
    """Gold made of whole blocks is explained as well as can be: as many of its words are found as it has."""
    chosen = [block for block in blocks if data.draw(st.booleans())]
    shares, counts = label([" ".join(block) for block in blocks], " ".join(word for block in chosen for word in block))
    assert ((shares >= 0) & (shares <= 1)).all()
    assert round(float((shares * counts).sum())) <= max(sum(map(len, chosen)), int(counts.sum()))
    if chosen == blocks:
        assert np.array_equal(shares[counts > 0], np.ones((counts > 0).sum(), np.float32))


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_page_in_another_script_has_the_same_blocks(script: str):
    original = segment(PAGE)
    blocks = [original.block_text(i) for i in range(len(original.blocks))]
    other = segment(rewrite(PAGE, script))
    rewritten = [other.block_text(i) for i in range(len(other.blocks))]
    assert len(rewritten) == len(blocks)
    assert blocks.index("The mill") == rewritten.index(rewritten[blocks.index("The mill")])
    if script == "same":
        assert rewritten == blocks
    else:
        assert not set(words(" ".join(rewritten))) & set(words(" ".join(blocks)))


def test_the_same_word_is_the_same_in_another_script():
    page = rewrite(b"<p>mill<p>a mill, the mill", "han").decode()
    mill = page.split("<p>")[1]
    assert page.count(mill) == 3


def test_scripts_and_markup():
    page = rewrite(b"<p class='mill big'>a<script>let mill</script> b &eacute; <!-- mill -->c", "cyrillic").decode()
    assert "class='mill big'" in page
    assert "<!-- mill -->" in page
    assert "&eacute;" in page
    assert "let" not in page


STORY = "".join(f"<p>Paragraph {k} of the story has exactly ten words.</p>" for k in range(10)).encode()
NEWS = (
    b"<ul>" + b"<li>A headline of another story</li>" * 30 + b"</ul><main>" + STORY + b"</main><p>All rights reserved"
)


def labelled(source: bytes, kind: str, name: str = "1") -> LabelledPage:
    segments = segment(source)
    texts = [segments.block_text(i) for i in range(len(segments.blocks))]
    shares, counts = label(texts, " ".join(text for text in texts if "Paragraph" in text))
    return LabelledPage(
        name=name, kind=KINDS.index(kind), domain="a.org", segments=segments, shares=shares, counts=counts, gold=()
    )


@pytest.mark.parametrize("name", [str(k) for k in range(8)])
def test_a_shortened_article_keeps_its_first_paragraphs_and_all_else(name: str):
    page = labelled(NEWS, "article", name)
    short = shortened(page, 0)
    assert short is not None
    blocks, nodes = short.segments.blocks, short.segments.nodes
    texts = [short.segments.block_text(i) for i in range(len(blocks))]
    left = sum("Paragraph" in text for text in texts)
    assert 1 <= left <= MOST_LEFT
    assert [text for text in texts if "Paragraph" in text] == [
        f"Paragraph {k} of the story has exactly ten words." for k in range(left)
    ]
    assert len(texts) == 31 + left
    assert len(short.shares) == len(short.counts) == len(texts)
    assert (nodes["first_block"][0], nodes["end_block"][0]) == (0, len(texts))
    assert all(
        first <= i < end
        for i, (first, end) in enumerate(
            zip(nodes["first_block"][blocks["leaf"]], nodes["end_block"][blocks["leaf"]], strict=True)
        )
    )
    assert len(page.segments.blocks) == 41, "the page itself stays as it was"


def test_only_articles_of_some_length_are_shortened():
    assert shortened(labelled(NEWS, "listing"), 0) is None
    assert shortened(labelled(NEWS.replace(STORY, STORY[:200]), "article"), 0) is None


@given(st.text("abc ", max_size=40), st.lists(st.booleans(), min_size=4, max_size=4))
def test_the_score_of_a_choice_of_blocks(gold, keep):
    blocks = ["a b", "a c c", "b d", "c"]
    page = LabelledPage(
        name="page",
        kind=0,
        domain="a.org",
        segments=segment("".join(f"<p>{text}</p>" for text in blocks).encode()),
        shares=np.zeros(4, np.float32),
        counts=np.zeros(4, np.int64),
        gold=tuple(words(gold)),
    )
    found = [word for text, is_kept in zip(blocks, keep, strict=True) if is_kept for word in words(text)]
    assert f1_of(page)(np.array(keep)) == pytest.approx(word_f1(found, page.gold))
    assert word_f1(words("a b c"), words("c b a")) == 1
    assert word_f1(words("a b c d"), words("a b x y")) == 0.5
