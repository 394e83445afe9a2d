"""Tables and lists are not torn, and gaps in the text are closed."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmill.extract.content.classify import classify
from corpusmill.extract.content.model import shipped_model
from corpusmill.extract.segments.segment import segment
from corpusmill.extract.whole import whole
from corpusmill.extract.writing.write import text_of
from tests.extract.soup import soups

THRESHOLD = 0.8
KEPT, LIKELY, HALF, UNLIKELY, COPY, NEVER, FORMULA = "Abhcdn$"  # the first letter of a block says how it is judged
PROBABILITIES = {KEPT: 0.9, LIKELY: 0.6, HALF: 0.45, UNLIKELY: 0.2, COPY: 0.9, NEVER: 0.01, FORMULA: 0.2}


def settled(html):
    """The text of a page whose blocks are judged by their first letters."""
    page = segment(html.encode())
    letters = [page.block_text(b)[0] for b in range(len(page.blocks))]
    judged = dataclasses.replace(
        classify(page, shipped_model()),
        probabilities=np.array([PROBABILITIES[letter] for letter in letters], np.float32),
        keep=np.array([letter == KEPT for letter in letters], bool),
        threshold=THRESHOLD,
    )
    return text_of(page, whole(page, judged))


def table(rows):
    return "<table>" + "".join("<tr>" + "".join(f"<td>{cell}" for cell in row.split()) for row in rows) + "</table>"


def items(texts):
    return "<ul>" + "".join(f"<li>{text}" for text in texts.split()) + "</ul>"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>A1<p>b2<p>b3<p>A4", "A1\n\nb2\n\nb3\n\nA4"),
        ("<p>A1<p>b2<p>c3<p>A4", "A1\n\nA4"),
        ("<p>A1<p>h2<p>b3<p>A4", "A1\n\nh2\n\nb3\n\nA4"),
        ("<p>A1<p>h2<p>A4", "A1\n\nA4"),
        ("<div>" + items("A1 " * 300) + "<p>b2<p>c3</div>", "- A1\n" * 300 + "\nb2"),
        ("<div>" + items("A1 " * 200) + items("c1 " * 100) + "<p>b2<p>c3</div>", "- A1\n" * 199 + "- A1"),
        ("<div>" + items("A1 " * 100) + "<p>b2<p>c3</div>", "- A1\n" * 99 + "- A1"),
        (table(["A1 h2", *["h3 b4"] * 4]), "A1 | h2" + "\nh3 | b4" * 4),
        (items("A1 h2 h3 h4 h5 b6 b7"), "- A1\n- h2\n- h3\n- h4\n- h5\n- b6\n- b7"),
        (items("h1 h2 b3 b4"), ""),
        ("<blockquote><p>A1</p><footer>n2</footer></blockquote>", "A1\n\nn2"),
        ("<blockquote><p>A1</p><p>n2</p></blockquote>", "A1"),
        ("<blockquote><p>c1</p><footer>n2</footer></blockquote>", ""),
        ("<figure>" + table(["A1 A2", "A3 A4"]) + "<figcaption>n5</figcaption></figure>", "A1 | A2\nA3 | A4\n\nn5"),
        ("<figure><img><figcaption>n5</figcaption></figure><p>A1", "A1"),
        ("<p>b1<p>A2<p>b3", "A2"),
        ("<p>A1<p>$x$<p>A4", "A1\n\n$x$\n\nA4"),
        ("<p>A1<p>$10<p>A4<p>$x$", "A1\n\nA4"),
        ("<p>A1<p>d2<h2>b3</h2><p>A4", "A1\n\nb3\n\nA4"),
        (table(["A1 A2", "A3 c4"]), "A1 | A2\nA3 | c4"),
        (table(["A1 c2", *["c3 c4"] * 5]), ""),
        (table(["A1 A2", "c3 c4", "c5 c6", "A7 c8"]), "A1 | A2\nc3 | c4\nc5 | c6\nA7 | c8"),
        (table(["A1 A2", *["c3 c4"] * 8, *["A5 A6"] * 4]), "\n".join(["A1 | A2"] + ["A5 | A6"] * 4)),
        ("<p>A1" + table(["c2 c3", "c4 c5"]) + "<p>A6", "A1\n\nc2 | c3\nc4 | c5\n\nA6"),
        ("<p>A1" + table(["n2 n3", "n4 n5"]) + "<p>A6", "A1\n\nA6"),
        ("<p>A1" + table(["d2 c3", "c4 c5"]) + "<p>A6", "A1\n\nd2 | c3\nc4 | c5\n\nA6"),
        ("<p>A1" + table(["c2 c3", "c4 c5"]) + "<p>c6<p>A7", "A1\n\nA7"),
        ("<p>A1" + table(["c2 c3", "c4 c5"]), "A1"),
        ("<p>A1" + items("c2 c3") + "<p>A4", "A1\n\nA4"),
        (items("A1 A2 c3"), "- A1\n- A2\n- c3"),
        (items("A1 c2 c3"), "- A1"),
        (items("A1 c2 c3 c4 c5 c6"), ""),
        ("<ul><li>A1<p>c2<p>c3<p>c4<li>c5<p>c6<p>A7<p>c8</ul>", "- A1\n- A7"),
        ("<div><h3>c0</h3>" + items("A1 A2 A3") + "</div>", "- A1\n- A2\n- A3"),
        ("<table><caption>c0<tr><td>A1<td>A2<tr><td>A3<td>A4</table>", "c0\n\nA1 | A2\nA3 | A4"),
        ("<table><tr><td><p>A1<h2>c2</h2><td>c3<tr><td>c4</table>", "A1"),
    ],
)
def test_what_is_kept(html, text):
    assert settled(html) == text


@given(soups("Ab cd. 中文 ไทย".split()), st.randoms(use_true_random=False))
def test_any_page(html, random):
    page = segment(html.encode())
    judged = classify(page, shipped_model())
    keep = np.array([random.random() < 0.5 for _ in range(len(page.blocks))], bool)
    settled_once = dataclasses.replace(judged, keep=keep)
    kept = whole(page, settled_once)
    assert kept.dtype == bool
    assert len(kept) == len(keep)
    assert keep.any() or not kept.any()
