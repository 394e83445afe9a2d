"""Words are runs of letters; in scripts without spaces, pairs of characters."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.extract.content.words import MAX_WORDS, hash_blocks, hash_words
from corpusmill.extract.segments.segment import segment
from tests.extract.pages import texts

UNSPACED = re.compile("[\u4e00-\u9fff\u0e00-\u0e7f]+")  # of the scripts in these tests


def hashes_of(text):
    data = np.frombuffer(text.encode(), np.uint8).copy()
    hashes = np.zeros(len(data) + 1, np.uint32)
    return hashes[: hash_words(data, 0, len(data), len(hashes), hashes, 0)].tolist()


def words_of(text):
    """The words, by regular expressions."""
    words = []
    for piece in re.findall(r"[\u4e00-\u9fff\u0e00-\u0e7f]+|[^\W_\u4e00-\u9fff\u0e00-\u0e7f]+", text):
        if UNSPACED.match(piece):
            words += [piece[i : i + 2] for i in range(len(piece) - 1)] or [piece]
        else:
            words.append("".join(c.lower() if c.isascii() else c for c in re.sub("[0-9]", "0", piece)))
    return words


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("", 0),
        (" -- ... !", 0),
        ("one", 1),
        ("Hello, world", 2),
        ("don't", 2),
        ("Straße Größe", 2),
        ("привет, мир", 2),
        ("γειά σου", 2),
        ("مرحبا بالعالم؟", 2),
        ("한국어 문장", 2),
        ("中", 1),
        ("中文", 1),
        ("中文网页", 3),
        ("中文。网页", 2),
        ("ภาษาไทย", 6),
        ("2026年11月", 4),
        ("a中b", 3),
        ("wide １２ ＡＢ", 3),
        ("emoji 🎉 party", 2),
    ],
)
def test_numbers_of_words(text, n):
    assert len(hashes_of(text)) == n


def test_equal_words_are_equal():
    assert hashes_of("Cat CAT cat") == hashes_of("cat") * 3
    assert hashes_of("1999 2026") == hashes_of("0000") * 2
    assert hashes_of("page2") != hashes_of("page")
    assert hashes_of("tac") != hashes_of("cat")
    assert hashes_of("中文") != hashes_of("文中")


@settings(deadline=None)
@given(texts)
def test_words_are_those_of_regular_expressions(text):
    words, hashes = words_of(text), hashes_of(text)
    assert len(words) == len(hashes)
    assert len(set(words)) == len(set(hashes)) == len(set(zip(words, hashes, strict=True)))


@settings(deadline=None)
@given(texts)
def test_words_are_the_same_where_more_text_follows(text):
    data = np.frombuffer(text.encode() + b"x" * 100, np.uint8)
    hashes = np.zeros(len(data) + 1, np.uint32)
    n = hash_words(data, 0, len(text.encode()), len(hashes), hashes, 0)
    assert hashes[:n].tolist() == hashes_of(text)


@pytest.mark.parametrize("size", [1, 7, 8, 9, 16, 17, 31, 32, 33, 63, 64, 65, 128, 129, 1000])
@pytest.mark.parametrize("before", [0, 1, 30, 63, 64])
def test_words_of_every_length_are_one(size, before):
    one, *others = hashes_of("." * before + "ab"[:size].ljust(size, "c") + " end")
    assert [one] == hashes_of("AB"[:size].ljust(size, "C"))
    assert others == hashes_of("end")
    assert len(hashes_of("." * before + "é" * size + " end")) == len(hashes_of("a" * size + "é end")) == 2


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_safe(data):
    array = np.frombuffer(data, np.uint8).copy()
    hashes = np.zeros(len(array) + 1, np.uint32)
    assert hash_words(array, 0, len(array), len(hashes), hashes, 0) <= (len(array) + 1) // 2


def test_a_block_has_its_first_words():
    page = segment(b"<p>" + b" ".join(b"w%s" % bytes([97 + k % 26]) for k in range(100)) + b"<p>two words")
    words = hash_blocks(page.text, page.blocks)
    assert np.diff(words.ptr).tolist() == [MAX_WORDS, 2]
    assert words.hashes[-2:].tolist() == hashes_of("two words")
