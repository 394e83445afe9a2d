"""Kernels that look at many bytes at a time against Python, a byte at a time."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.extract.segments import lanes
from corpusmill.extract.segments.attributes import MAX_WORDS, NUMBER, PRIME, SEED
from corpusmill.extract.segments.scan import PADDING
from corpusmill.extract.segments.segment import segment
from corpusmill.extract.segments.tags import name_key
from corpusmill.kernels import kernel

BYTES = st.lists(st.sampled_from([*(bytes([byte]) for byte in b"azmAZM -_=/>09\n\0`{@["), "é".encode()]), max_size=90)
LONG = st.tuples(
    st.integers(0, 70), st.integers(0, 70), BYTES
)  # letters, capitals, others: runs about as long as lanes


def joined(parts):
    n_small, n_capitals, others = parts
    return b"k" * n_small + b"K" * n_capitals + b"".join(others)


@kernel
def copied(source, text):
    return lanes.copy_letters(source, 0, text, 0)


@kernel
def name_length(source):
    return lanes.name_length(source, 0)


@kernel
def key_of(source, n, n_capitals):
    return lanes.key_of(source, 0, n, n_capitals)


@kernel
def word_bytes(text):
    return lanes.word_bytes(text, 0)


@kernel
def folded(text, n):
    return lanes.folded(text, 0, n)


def padded(content):
    return np.frombuffer(content + bytes(PADDING), np.uint8)


@settings(deadline=None)
@given(LONG.map(joined))
def test_runs_of_letters_and_spaces_are_copied(content):
    text = np.zeros(lanes.RUN, np.uint8)
    length, n_spaces = copied(padded(content), text)
    run = re.match(rb"(?:[a-z]| (?=[a-z]))*", content).group()[: lanes.RUN]
    assert (length, n_spaces) == (len(run), run.count(b" "))
    assert text[:length].tobytes() == run


@settings(deadline=None)
@given(LONG.map(joined))
def test_names_end_at_what_is_no_part_of_them(content):
    assert name_length(padded(content)) == len(re.match(rb"[^\0-\x20/=>A-Z]*", content).group()[: lanes.NAME])


@settings(deadline=None)
@given(st.integers(0, 20), st.text("abcdefghijklmnopqrstuvwxyz-:", max_size=20))
def test_keys_are_those_of_names(n_capitals, rest):
    name = "XYZ"[n_capitals % 3] * n_capitals + rest
    if name:
        key = key_of(padded(name.encode()), len(name), n_capitals)
        assert key == name_key(name[:n_capitals].lower() + name[n_capitals:])


@pytest.mark.parametrize("gap", ["", " ", "-", " " * 70])
@settings(deadline=None)
@given(parts=st.lists(LONG.map(joined), max_size=4))
def test_tokens_are_hashes_of_words(parts, gap):
    value = gap.encode().join(parts).replace(b">", b"").replace(b"\0", b"").decode("utf-8", "ignore")
    words = re.findall(rb"[A-Z]*[a-z\x80-\xff]*", value.encode())
    if any(len(word) >= lanes.WIDEST for word in words):
        return  # no words, and where they end depends on what is before them
    keys = [key_of(padded(word), len(word), len(re.match(rb"[A-Z]*", word).group())) for word in words if len(word) > 1]
    assert segment(f'<p class="{value}">'.encode()).tokens.tolist() == [token(key) for key in keys[:MAX_WORDS]]


def token(key):
    with np.errstate(over="ignore"):
        mixed = (key ^ SEED[NUMBER["class"]]) * PRIME
        return int(np.uint32((mixed ^ mixed >> np.uint64(32)) * PRIME >> np.uint64(32)))


def test_words_beyond_all_bytes_that_are_looked_at_end():
    assert len(segment(b"<p class='%s one'>" % (b"x" * 10_000)).tokens) <= 2


@settings(deadline=None)
@given(LONG.map(joined))
def test_bytes_of_words_are_letters_and_digits_or_beyond_ascii(content):
    of_ascii, beyond = word_bytes(padded(content))
    seen = [(of_ascii >> k & 1, beyond >> k & 1) for k in range(min(len(content), lanes.WIDEST))]
    assert seen == [(bytes([byte]).isalnum(), byte >= 0x80) for byte in content[: lanes.WIDEST]]


@settings(deadline=None)
@given(LONG.map(joined), st.integers(0, lanes.NAME))
def test_bytes_are_folded_as_letters_are(content, n):
    small = re.sub(b"[0-9]", b"0", content.lower())[:n].ljust(lanes.NAME, b"\0")
    assert folded(padded(content), min(n, len(content))) == (
        int.from_bytes(small[: lanes.PACKED], "little"),
        int.from_bytes(small[lanes.PACKED :], "little"),
    )
