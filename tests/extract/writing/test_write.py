import re
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.extract.segments.segment import segment
from corpusmill.extract.writing.write import text_of
from tests.extract.soup import kept_words, soups


def written(html, *dropped):
    """The text of a page without the blocks that hold one of these words."""
    page = segment(html.encode())
    texts = [page.block_text(b) for b in range(len(page.blocks))]
    return text_of(page, np.array([not any(word in text for word in dropped) for text in texts], bool))


PARAGRAPHS = {
    "<p>one</p>two<div>three</div>": "one\n\ntwo\n\nthree",
    "<h1>A <b>big</b> one</h1><p>x": "A big one\n\nx",
    "<h1>A<br>big one</h1><p>x": "A big one\n\nx",
    "<p>un<b>believ</b>able <i>x</i>,y": "unbelievable x,y",
    "<p>one<br>two<br>three<p>four": "one\ntwo\nthree\n\nfour",
    "<p>one<br><br>two<br> <br/>three": "one\n\ntwo\n\nthree",
    "<blockquote><p>q</p>r</blockquote><figure><img><figcaption>c</figcaption></figure>": "q\n\nr\n\nc",
    "<p>中文，<br>第二行</p><p>ไทย": "中文，\n第二行\n\nไทย",
    "": "",
}
LISTS = {
    "<p>a</p><ul><li>b</li><li>c</ul><p>d": "a\n\n- b\n- c\n\nd",
    "<ul><li>b</ul><ul><li>c</ul>": "- b\n\n- c",
    "<ol><li>b<li>c</ol>": "1. b\n2. c",
    "<ol start=9><li>b<li>c</ol>": "9. b\n10. c",
    "<OL class=x START='9'><li>b</ol>": "9. b",
    "<ol reversed><li>b<li>c<li>d</ol>": "3. b\n2. c\n1. d",
    "<ol reversed start=9><li>b<li>c</ol><ol reversed start=0><li>d<li>e</ol>": "9. b\n8. c\n\n0. d\n0. e",
    "<ol data-reversed><li value=7>b<li>c<li value=x>d<li data-value=3>e</ol>": "7. b\n8. c\n9. d\n10. e",
    "<ol start=x><li>b</ol><ol start=99999999999999999999><li>c</ol>": "1. b\n\n1. c",
    "<ul><li>a<ul><li>b<ol><li>c</ol><li>d</ul><li>e</ul>": "- a\n  - b\n    1. c\n  - d\n- e",
    "<ul><li>a<p>b</p><p>c<br>d</p></li><li>e</ul>": "- a\n  b\n  c\n  d\n- e",
    "<ul><li><p>a</p><ul><li>b</ul><p>c</p></ul>": "- a\n  - b\n  c",
    "<ul><li><ul><li>b</ul></ul>": "- b",  # an item with nothing of its own has no mark
    "<ul><li><h3>a</h3><p>b</p><li><h3>c</h3></ul>": "a\n\nb\n\nc",
    "<ul><li><p>a<p>b<p>c<p>d<p>e</ul>": "a\n\nb\n\nc\n\nd\n\ne",  # more than four blocks an item
    "<ul><li><div><p>a</p></div></li></ul>": "- a",
    "<dl><dt>a<dd>b<dt>c<dd>d<p>e</dl>": "a\n  b\nc\n  d\n  e",
    "<dl><dt>a<dd>b<ul><li>c</ul></dl>": "a\n  b\n    - c",
    "<li>a<li>b": "a\n\nb",  # items of no list
}
TABLES = {
    "<p>a<table><tr><th>b<th>c<tr><td>d<td><p>e<p>f</table>g": "a\n\nb | c\nd | e f\n\ng",
    "<table><caption>a</caption><tr><td><td>b<td>c<tr><td>d<td><td>e</table>": "a\n\n| b | c\nd | | e",
    "<table><tr><td rowspan=2>a<td>b<tr><td>c<tr><td>d<td>e</table>": "a | b\n| c\nd | e",
    "<table><tr><td>a<td>b<td>c<tr><td colspan='2'>d<td>e<tr><td colspan=99>f</table>": "a | b | c\nd | | e\nf",
    "<table><tr><td colspan=2>a<td>b<tr><td colspan=2>c<td>d</table>": "a | b\nc | d",  # no wider than its longest row
    "<table><tr><th rowspan=2>a<th colspan=2>b<tr><th>c<th>d<tr><td>e<td>f<td>g</table>": "a | b\n| c | d\ne | f | g",
    "<table><tbody><tr><td rowspan=0>a<td>b<tr><td>c<tbody><tr><td>d<td>e</table>": "a | b\n| c\nd | e",
    "<table><tr><td>a<td><table><tr><td rowspan=2>b<td>c<tr><td>d</table><td>e</table>": "a\n\nb | c\n| d\n\ne",
    "<table><tr><th>a<th colspan=2>b<th>c<tr><td rowspan='2'>d<td>e<td>f<td>g<tr><td>h<td>i<td>j</table>": (
        "a | b | | c\nd | e | f | g\n| h | i | j"
    ),
    "<table><tr><td>a<td ROWSPAN=2 colspan=2>b<tr><td>c<td>d<tr><td>e<td>f</table>": "a | b\nc | d\ne | f",
    "<table><tbody><tr><td rowspan=9>a<td>b<tbody><tr><td>c<td>d</table>": "a | b\nc | d",
    "<table><tr><td data-colspan=3 class=colspan>a<td>b</table>": "a | b",
    "<table><tr><td>a<br>b<td><ul><li>c<li>d</ul></table>": "a b | c d",
    "<table><tr><td>a<tr><td>b</table>": "a\n\nb",  # one column
    "<table><tr><td><h2>a</h2><td>b</table>": "a\n\nb",
    "<table><tr><th><h4>a</h4><th><h4>b</h4><tr><td>c<td>d</table>": "a | b\nc | d",
    "<table><tr><td><pre>a</pre><td>b</table>": "a\n\nb",
    "<table><tr><td>a<td><table><tr><td>b<td>c</table></table>": "a\n\nb | c",
    f"<table><tr><td>a<td>{'b' * 601}</table>": f"a\n\n{'b' * 601}",
    f"<table><tr><td>a<td>{'<p>b' * 9}</table>": "a" + "\n\nb" * 9,
    "<ul><li>a<table><tr><td>b<td>c</table></ul>": "- a\n  b | c",
}
CODE = {
    "<p>a</p><pre>\n  b\n\n    c  d</pre>e": "a\n\n  b\n\n    c  d\n\ne",
    "<pre>\n\n\na\n</pre><pre>b\n\n</pre>": "a\n\nb",
    "<pre>a<br>  b</pre>": "a\n  b",
    "<pre><div>a {<br></div><div>  b</div><div>}</div></pre>": "a {\n  b\n}",
    "<ul><li>a<pre>b\n  c</pre>d</ul>": "- a\n\nb\n  c\n\n  d",
    "<p>a <code>b  c</code>": "a b c",
}


@pytest.mark.parametrize(("html", "text"), {**PARAGRAPHS, **LISTS, **TABLES, **CODE}.items())
def test_written_as_a_reader_would_want_it(html, text):
    assert written(html) == text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>a</p><p>XX</p><p>b", "a\n\nb"),
        ("<p>a<br>XX<br>b", "a\nb"),
        ("<p>a</p>XX<br>b", "a\n\nb"),
        ("<ol><li>a<li>XX<li>b</ol>", "1. a\n3. b"),
        ("<ul><li>XX<ul><li>b</ul></ul>", "- b"),
        ("<ul><li><h2>XX</h2>a<li>b</ul>", "- a\n- b"),
        ("<table><tr><td>a<td>b<td>XX<td>c<tr><td>d<td>e<td>XX<td>f</table>", "a | b | | c\nd | e | | f"),
        ("<table><tr><td>XX<td>b<tr><td>XX<td>c</table>", "b\n\nc"),
        ("<table><tr><td rowspan=3>XX<td>XX<tr><td>XX<tr><td>b<td>c</table>", "| b | c"),
    ],
)
def test_what_is_dropped_has_no_part_in_the_structure(html, text):
    assert written(html, "XX") == text


@settings(max_examples=300, deadline=None)
@given(soups("abc def. 中文 ไทย".split()), st.randoms())
def test_every_kept_word_is_there_once_and_whole(html, random):
    page = segment(html.encode())
    keep = np.array([random.random() < 0.7 for _ in page.blocks], bool)
    text = text_of(page, keep)
    assert [word for word in text.split() if not re.fullmatch(r"-|\||\d+\.", word)] == kept_words(page, keep)
    assert text == text.strip("\n")


@pytest.mark.parametrize(
    "html",
    [
        "<ul><li>" * 100_000 + "x",
        "<ul><li>x" * 100_000,
        "<table><tr>" + "<td>x" * 200_000,
        "<table>" + "<tr><td colspan=99 rowspan=99><td>x<td>x" * 50_000,
        "<table><tr>" + "<td>" * 100_000 + "x" + "<tr><td>x<td>x" * 100_000,
        "<table><tr><td>" * 100_000 + "x",
        "x<br>" * 200_000,
        "<ol start='" + "9" * 1_000_000 + "'><li>x",
        "<ol ;" * 200_000 + "<li>x",
        "<pre><div>x" * 100_000,
    ],
)
def test_time_is_linear(html):
    page = segment(html.encode())
    keep = np.ones(len(page.blocks), bool)
    text_of(page, keep)
    started = time.perf_counter()
    assert text_of(page, keep).count("x") == html.count("x")
    assert time.perf_counter() - started < 1
