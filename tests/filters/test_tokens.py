"""Tokens, word lists: kernels against plain definitions."""

import unicodedata

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.arrow import Utf8Column
from corpusmill.errors import InputError
from corpusmill.filters.tokens import INVISIBLE, tokenize, words_of
from corpusmill.filters.word_lists import count_words, read_word_list, tree_of

from .reference import category, script
from .texts import UDHR

SAMPLES = "aZéÀ\u0301 .,-'19٣中文かไทยກခក្aab\u00ad\u200d\u200c\ufeffİßﬁǅ🖕\n\0\U0001f600\U0002f800\U000e0100אبि"
texts = st.one_of(st.text(max_size=80), st.text(alphabet=SAMPLES, max_size=80))


def plain_tokens(text):
    """(token, start, stop, weight), by regular means: one character after another, with Unicode's names."""
    tokens, state = [], ""
    for place, character in enumerate(text):
        if ord(character) in INVISIBLE:
            continue
        kind = script(character) or ("word" if category(character) in "LN" else "")
        folded = unicodedata.normalize("NFD", character.lower())
        folded = character if unicodedata.name(character, "").startswith("HANGUL SYLLABLE") else folded
        if kind == "word" == state or (category(character) == "M" and state):
            tokens[-1][0] += folded
            tokens[-1][2] = place + 1
        elif kind:
            tokens.append([folded, place, place + 1, {"word": 4, "ideograph": 2, "cluster": 1}[kind]])
            state = kind
        else:
            state = ""
    return [tuple(token) for token in tokens]


def tokens_of(rows):
    """The kernel's: its hashes, and by row the tokens as (start, stop, weight) in characters."""
    column = Utf8Column.of(pa.array(rows, pa.large_string()))
    tokens = tokenize(column.data, column.offsets)
    raw, found, begin = column.data.tobytes(), [], 0
    for row, end in enumerate(tokens.ends.tolist()):
        first = int(column.offsets[row])
        spans = [
            (len(raw[first:start].decode()), len(raw[first:stop].decode()), int(weight))
            for start, stop, weight in zip(
                *(each[begin:end].tolist() for each in (tokens.starts, tokens.stops, tokens.weights)), strict=True
            )
        ]
        found.append((tokens.hashes[begin:end].tolist(), spans))
        begin = end
    return found


def known(text):
    """Characters of planes that the tables know, which Python's names know, too."""
    return "".join(c for c in text if ord(c) < 0x30000)


@settings(deadline=None)
@given(st.lists(texts.map(known), max_size=4))
def test_tokens_are_those_of_the_definition(rows):
    for text, (hashes, spans) in zip(rows, tokens_of(rows), strict=True):
        plain = plain_tokens(text)
        assert spans == [token[1:] for token in plain]
        assert words_of(text) == [token[0] for token in plain]
        alone = [tokens_of([token])[0][0] for token, *_ in plain]
        assert [[value] for value in hashes] == alone, "a hash depends on the token's text alone"


def test_of_texts_in_all_languages_and_of_a_long_line():
    rows = [*UDHR.values(), ("word 中文 " * 500_000)[:5_000_000], "x" * 5_000_000]
    found = tokens_of(rows[:-2])
    for text, (_, spans) in zip(rows[:-2], found, strict=True):
        assert spans == [token[1:] for token in plain_tokens(text)]
    column = Utf8Column.of(pa.array(rows[-2:], pa.large_string()))
    assert np.diff(tokenize(column.data, column.offsets).ends, prepend=0).tolist() == [len(words_of(rows[-2])), 1]


def test_different_words_have_different_hashes():
    words = sorted({word for text in UDHR.values() for word in words_of(text)})
    hashes = {value for values, _ in tokens_of(words) for value in values}
    assert len(hashes) == len(words)


def test_case_accents_in_one_or_two_code_points_and_joiners_make_no_other_word():
    same = ["CAFÉ", "cafe\u0301", "ca\u00adfé", "Cafe\u0301", "\ufeffcafé"]
    assert len({tuple(hashes) for hashes, _ in tokens_of(same)}) == 1
    assert tokens_of(["cafe"])[0] != tokens_of(["café"])[0]


# ---- word lists ----------------------------------------------------------------------------------------------------


def plain_count(entries, text):
    lists = {tuple(words_of(entry)) for entry in entries} - {()}
    tokens, place, count, covered = words_of(text), 0, 0, 0
    while place < len(tokens):
        lengths = [n for n in range(1, len(tokens) - place + 1) if tuple(tokens[place : place + n]) in lists]
        count += bool(lengths)
        covered += max(lengths, default=0)
        place += max(lengths, default=1)
    return count, covered / len(tokens) if tokens else None


words = st.lists(st.sampled_from(["a", "b", "ab", "中", "文", "ไ", "é"]), max_size=4).map(" ".join)


@settings(deadline=None)
@given(st.lists(words, min_size=1, max_size=6), st.lists(st.one_of(st.none(), words, texts.map(known)), max_size=4))
def test_counts_are_those_of_the_definition(entries, rows):
    counts, shares = count_words(tree_of(entries), pa.array(rows, pa.large_string()))
    expected = [(None, None) if row is None else plain_count(entries, row) for row in rows]
    assert counts.to_pylist() == [count for count, _ in expected]
    assert shares.to_pylist() == pytest.approx([share for _, share in expected])


def test_a_word_is_not_found_in_another_but_letters_are_where_no_spaces_are():
    tree = read_word_list("\ufeffass\nbad  word\r\n色情\n🖕\n\n".encode(), "list")
    assert (tree.entries, tree.without_words) == (3, 1)
    rows = ["class assess", "What an ASS!", "bad-word", "这是色情内容", "badword"]
    counts, shares = count_words(tree, pa.array(rows, pa.large_string()))
    assert counts.to_pylist() == [0, 1, 1, 1, 0]
    assert shares.to_pylist() == [0, 1 / 3, 1, 2 / 6, 0]


def test_a_list_with_many_entries_and_a_long_text_take_no_time_together():
    tree = tree_of([f"word{i} word{i + 1} end" for i in range(100_000)])
    text = "word1 word2 " * 400_000 + "word7 word8 end"
    assert count_words(tree, pa.array([text], pa.large_string()))[0].to_pylist() == [1]


@pytest.mark.parametrize(("content", "said"), [(b"\xff\xfe", "is not UTF-8"), (b"\n...\n", "no line with a word")])
def test_what_is_no_list_is_said(content, said):
    with pytest.raises(InputError, match=f"my list: the file .*{said}|my list: the file has {said}"):
        read_word_list(content, "my list")
