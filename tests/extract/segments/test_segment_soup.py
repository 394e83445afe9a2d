"""The segmenter against an HTML5 parser on tag soup, and what holds of its tables for any bytes."""

from html import escape

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from corpusmill.extract.segments.segment import segment
from corpusmill.extract.segments.tables import MAX_DEPTH, FactKind
from tests.extract.lexbor import blocks_of

INLINE = "a b i em code font u span".split()
BLOCK = "div p ul ol li dl dt dd h1 h2 h3 blockquote section pre article address form button".split()
TABLE = "table tr td th tbody thead caption colgroup col".split()
RAW = "select option svg math title desc foreignObject mi script style textarea template noscript iframe xmp".split()
OTHER = "br hr img input wbr meta link html head body base object marquee".split()
WORDS = ["x", "yy ", " z", "q", " ", "&amp;", "é", "中"]


def soups(names):
    """Any run of start tags, end tags and words."""
    tags = [*(f"<{name}>" for name in names), *(f"</{name}>" for name in names)]
    return st.lists(st.sampled_from([*tags, *WORDS * (1 + len(tags) // 16)]), max_size=30).map("".join)


def segmented(html):
    page = segment(html.encode())
    return [page.block_text(index) for index in range(len(page.blocks))]


@settings(max_examples=400, deadline=None, derandomize=True)
@given(soups([*INLINE, *BLOCK, *RAW, *OTHER]))
@example("<select><section></select> x")
@example("<svg><desc></svg>x")
@example("<i><h3><svg></i>q")
def test_soup_without_tables_is_the_trees_text(html):
    assert segmented(html) == blocks_of(html)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(
    soups(
        [
            *INLINE,
            *[name for name in BLOCK if name != "pre"],
            *TABLE,
            "select",
            "svg",
            "template",
            "noscript",
            "br",
            "img",
        ]
    )
)
@example("a<table>b<tr><td>c</table>d")
def test_soup_with_tables_has_the_trees_characters(html):
    """In another order where a tree moves misplaced text, and parted where a tree ignores a misplaced cell."""
    ours, theirs = ("".join(sorted("".join(blocks).replace(" ", ""))) for blocks in (segmented(html), blocks_of(html)))
    assert ours == theirs


def check_tables(data):
    """What others rely on."""
    page = segment(data)
    n_text, n_blocks, n_nodes = page.text.size, len(page.blocks), len(page.nodes)
    page.text.tobytes().decode("utf-8")
    assert page.source[len(page.data) :].tolist() == [0] * 64
    blocks, nodes, facts = page.blocks, page.nodes, page.facts

    starts, ends = blocks["start"], blocks["end"]
    assert starts.tolist() == [0, *(ends[:-1] + 1)][:n_blocks]
    assert n_text == (ends[-1] if n_blocks else 0)
    assert (page.text[ends[:-1]] == ord("\n")).all()
    assert (starts < ends).all()
    assert (blocks["source_start"] < blocks["source_end"]).all()
    assert (blocks["source_end"] <= len(page.data)).all()
    assert (np.diff(blocks["source_start"]) > 0).all()
    for block, start, end in zip(blocks, starts, ends, strict=True):
        text = page.text[start:end].tobytes().decode()
        assert text.strip()
        assert block["n_chars"] == len(text)
        assert 0 <= block["link_chars"] <= block["n_chars"]
        assert 0 <= block["link_words"] <= block["n_words"] <= block["n_chars"]
        assert nodes["text_start"][block["leaf"]] <= start
    assert (blocks["depth"] < MAX_DEPTH).all()
    assert (blocks["leaf"] < n_nodes).all()
    assert (blocks["box"] <= blocks["leaf"]).all()

    parents = nodes["parent"]
    assert parents[0] == -1
    assert (parents[1:] < np.arange(1, n_nodes)).all()
    assert (parents[1:] >= 0).all()
    open_ = [0]  # preorder: a node's parent is the node before it, or around that
    for index, parent in enumerate(parents[1:].tolist(), 1):
        while open_[-1] != parent:
            open_.pop()
        open_.append(index)
    for first, end in (("text_start", "text_end"), ("first_block", "end_block"), ("first_token", "end_token")):
        assert (nodes[first] <= nodes[end]).all()
    inner = np.arange(1, n_nodes)
    for first, end in (("text_start", "text_end"), ("first_block", "end_block")):
        assert (nodes[first][parents[inner]] <= nodes[first][inner]).all()
        full = inner[nodes[first][inner] < nodes[end][inner]]  # an empty one stands where its text would have begun
        assert (nodes[end][full] <= nodes[end][parents[full]]).all()
    assert (nodes["end_token"] <= len(page.tokens)).all()
    assert (nodes["first_token"][1:] >= nodes["end_token"][:-1]).all()
    assert (nodes["source"] < max(1, len(page.data))).all()
    assert (
        (nodes["flags"][parents[inner]] & ~nodes["flags"][inner] == 0).all() or b"</" in data or b"<a" in data.lower()
    )

    assert {int(kind) for kind in facts["kind"]} <= set(FactKind)
    for name in ("key", "value", "extra"):
        assert (facts[f"{name}_start"] <= facts[f"{name}_end"]).all()
        assert (facts[f"{name}_end"] <= len(page.data)).all()
    assert (facts["node"] < n_nodes).all()


FRAGMENTS = [
    b"<", b">", b'"', b"'", b"=", b"/", b"&", b"&#x", b"&amp", b";", b"<!--", b"-->", b"--!>", b"<![CDATA[", b"]]>",
    b"\0", b"\xff", b"\xe4\xb8", b"\xc2\xa0", b"\xc2\xad", b"\xf0\x9f\x98\x80", b"\r\n", b"<script>", b"</script>",
    b"<title>", b"<a ", b" class='aB-c d'", b" itemprop=x", b" style='display:none'", b" rel=tag", b"<time>", b"<pre>",
    b"<meta name=a content=b>", b"<p>", b"</p>", b"<td>", b"<table>", b"</a>", b"<b>", b"</b>", b"<svg>", b"<template>",
    b"<br>", b"word ",
]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.binary(max_size=4)), max_size=60).map(b"".join))
def test_any_bytes_make_sound_tables(data):
    check_tables(data)


@settings(max_examples=200, deadline=None)
@given(
    soups([*INLINE, *BLOCK, *TABLE, *RAW, *OTHER, "time itemprop=x", "div class='big Card'", "xmp class=Raw", "x-y"])
)
@example("<li>x<div><li>x")
def test_tag_soup_makes_sound_tables(html):
    check_tables(html.encode())


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(blacklist_categories=["Cs", "Cc", "Cf", "Zs", "Zl", "Zp"]), min_size=1, max_size=30))
def test_escaped_text_is_itself(text):
    assert segmented(f"<p>{escape(text)}</p>") == [text]


@settings(max_examples=100, deadline=None)
@given(st.text("ab <>&;\n\t éß中\u00a0", max_size=40))
def test_preformatted_text_is_itself(text):
    blocks = segmented(f"<pre>\n{escape(text)}</pre>")
    assert blocks == ([text.replace("\u00a0", " ")] if text.strip() else [])
