"""Words of blocks that the page says of itself."""

import json

import numpy as np
import pytest

from corpusmill.extract.said import Overlap, collect_statements, overlap
from corpusmill.extract.segment import segment
from corpusmill.extract.words import hash_blocks


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
    assert rows[Overlap.RUN] == pytest.approx([1 / 3, 1 / 3, 0])


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("text", ['Katzen leben "hier"\nund dort', "кошки живут здесь", "猫在这里生活", "قطط روما"])
def test_json_in_any_script_and_escaping(text, ascii_only):
    data = json.dumps({"@type": "Article", "articleBody": text, "url": "elsewhere"}, ensure_ascii=ascii_only)
    rows = overlaps(f"<script type=application/ld+json>{data}</script><p>{text}</p><p>elsewhere article</p>")
    assert rows[Overlap.BODY].tolist() == [1, 0]
    assert rows[Overlap.RUN].tolist() == [1, 0]


def test_json_names_lists_and_nesting():
    data = {"name": "Tool", "offers": {"price": "12", "name": ["Hammer", "Saw"]}, "brand": {"@id": "x", "logo": "Nail"}}
    rows = overlaps(f"<script type=application/ld+json>{json.dumps(data)}</script><p>Tool Hammer Saw Nail 12</p>")
    assert rows[Overlap.NAME] == pytest.approx([3 / 5])


@pytest.mark.parametrize(
    "data", ['{"articleBody": "open', '"', '{"text": "\\', '{"text": "\\u12', '{"name":"\\ud83d"}', ""]
)
def test_broken_json_is_read_as_far_as_it_goes(data):
    assert overlaps(f"<script type=application/ld+json>{data}</script><p>open text</p>").shape == (len(Overlap), 1)


def test_a_page_that_says_nothing():
    assert not overlaps("<p>words</p><p>...</p>").any()
