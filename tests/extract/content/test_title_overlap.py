"""Words of blocks that the page says of itself."""

import numpy as np
import pytest

from corpusmill.extract.content.title_overlap import Overlap, collect_statements, overlap
from corpusmill.extract.content.words import hash_blocks
from corpusmill.extract.segments.segment import segment


def overlaps(html):
    page = segment(html.encode())
    words = hash_blocks(page.text, page.blocks)
    rows = np.full((len(Overlap), len(page.blocks)), -1, np.float32)
    overlap(words, collect_statements(page.source, page.facts), rows)
    return rows


def test_title_and_description():
    rows = overlaps(
        "<title>Cats of Rome</title><meta name=Description content='How cats live'>"
        "<meta property=og:title content='Roman cats'><p>Roman dogs live<p>Cats of Rome<p>nothing else"
    )
    assert rows[Overlap.TITLE] == pytest.approx([1 / 3, 1, 0])
    assert rows[Overlap.DESCRIPTION] == pytest.approx([1 / 3, 1 / 3, 0])


def test_a_page_that_says_nothing():
    assert not overlaps("<p>words</p><p>...</p>").any()
