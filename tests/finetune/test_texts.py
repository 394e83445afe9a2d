"""Texts as tokens and back: offsets of characters, tags, windows."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from corpusmill.finetune.examples import Span, Spans
from corpusmill.finetune.tasks.base import codec_of
from corpusmill.finetune.tasks.spans import characters, marked, reachable, runs, tags_of
from corpusmill.finetune.texts import Row, Tokens, batch_of, most_central, tokenizer_files, windows, with_han_split
from corpusmill.recipe import TokenizerSettings
from corpusmill.tokenize.train import train_tokenizer
from corpusmill.train.vocabulary import Vocabulary

SAMPLE = ["我在北京，你在上海。", "Maria lives in Oslo 😀 and in New York."] * 30


def codec(*, han):
    definition = train_tokenizer(SAMPLE, TokenizerSettings(vocab_size=400)).encode()
    vocabulary = Vocabulary.of(with_han_split(definition) if han else definition, "")
    return codec_of(vocabulary, vocabulary.files()["tokenizer.json"], 32)


MERGED, SPLIT = codec(han=False), codec(han=True)
WORDS = ["王", "北京", "Maria", "in", "😀", "👩‍👩‍👧", "é", "2026", "，", "Oslo"]


def test_tokens_of_several_bytes_have_the_span_of_their_character():
    text = "鳄 😀x"
    tokens = SPLIT.tokens(text)
    assert {span for span in tokens.spans if span[0] < span[1]} == {(0, 1), (2, 3), (3, 4)}
    assert SPLIT.text(tokens.ids) == text
    assert SPLIT.tokens("a\ud800b").spans[-1] == (2, 3)  # no character: it is read as a question mark


def test_han_characters_are_tokens_of_their_own_only_if_they_must_be():
    text = "我在北京 in Oslo"
    example = Spans(text=text, spans=(Span(start=2, end=4, label="CITY"),))
    assert MERGED.tokens(text).spans[0] == (0, 4)
    assert (reachable(MERGED, [example]), reachable(SPLIT, [example])) == (0.0, 1.0)
    assert MERGED.ids("Maria lives in Oslo 😀") == SPLIT.ids("Maria lives in Oslo 😀")
    once = with_han_split(train_tokenizer(SAMPLE, TokenizerSettings(vocab_size=300)).encode())
    assert with_han_split(once) == once


@settings(max_examples=150)
@given(st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from([None, "A", "B"])), max_size=12), st.booleans())
def test_spans_come_back_from_their_tags(parts, spaces):
    text, spans = "", []
    for word, label in parts:
        text += " " if spaces and text else ""
        if label is not None and (word not in ("Maria", "in", "Oslo", "é", "2026") or spaces):
            spans.append(Span(start=len(text), end=len(text) + len(word), label=label))
        text += word
    example = Spans(text=text, spans=tuple(spans))
    tokens = SPLIT.tokens(text)
    back = [characters(tokens, part, label) for part, label in runs(tags_of(tokens, marked(example)), tokens)]
    missed = set(marked(example)) - set(back)
    assert all(word_like(text, span) for span in missed)


def word_like(text, span):
    """A span of marks that the tokenizer may join with a neighbour."""
    return not text[span[0] : span[1]].isalpha()


def test_tags_and_runs_by_hand():
    tokens = SPLIT.tokens("in New York 北京")
    tags = tags_of(tokens, [(3, 11, "CITY"), (12, 14, "CITY")])
    outside = {span for tag, span in zip(tags, tokens.spans, strict=True) if tag == "O"}
    assert outside == {(0, 2), (12, 12)}  # `in`, and the space before the Han characters
    assert tags.count("B-CITY") == 2
    assert [characters(tokens, *run) for run in runs(tags, tokens)] == [(3, 11, "CITY"), (12, 14, "CITY")]
    plain = ["O", "I-A", "I-A", "I-B", "B-B"]
    chosen = Tokens([1, 2, 3, 4, 5], [(0, 1), (2, 3), (4, 5), (6, 7), (8, 9)])
    assert [characters(chosen, *run) for run in runs(plain, chosen)] == [(2, 5, "A"), (6, 7, "B"), (8, 9, "B")]


def test_spans_do_not_overlap_if_a_character_is_several_tokens():
    chosen = Tokens([1, 2, 3, 4, 5, 6], [(0, 1), (0, 1), (0, 1), (1, 2), (3, 4), (3, 4)])
    for tags, found in (
        (["B-A", "B-A", "O", "B-B", "O", "B-A"], [(0, 1, "A"), (1, 2, "B"), (3, 4, "A")]),
        (["B-A", "O", "B-B", "I-B", "I-A", "B-B"], [(0, 2, "A"), (3, 4, "A")]),
    ):
        assert [characters(chosen, *run) for run in runs(tags, chosen)] == found


def test_spans_lose_the_white_space_at_their_ends():
    assert marked(Spans(text=" a  b", spans=(Span(start=0, end=3, label="X"), Span(start=3, end=4, label="Y")))) == [
        (1, 2, "X")
    ]


@given(st.integers(0, 60), st.integers(1, 20), st.integers(1, 20))
def test_windows_hold_every_token(n, size, stride):
    found = windows(n, size, min(size, stride))
    assert sorted({at for part in found for at in part}) == list(range(n))
    assert all(len(part) <= size for part in found)
    assert found[-1].stop == n
    chosen = most_central(found, n)
    assert all(at in found[which] for at, which in enumerate(chosen))


def test_the_window_in_the_middle_counts():
    found = windows(12, 8, 4)
    assert found == [range(8), range(4, 12)]
    assert most_central(found, 12) == [0] * 6 + [1] * 6


def test_a_batch_is_filled_up():
    batch = batch_of([Row(ids=[1, 2, 3], targets=([0],)), Row(ids=[4], targets=([1],))], pad=9)
    assert batch.inputs.ids.tolist() == [[1, 2, 3], [4, 9, 9]]
    assert batch.inputs.documents.tolist() == [[0, 0, 0], [0, -1, -1]]
    assert batch.targets[0].tolist() == [[0], [1]]


@pytest.mark.parametrize("ends", [False, True])
def test_the_tokenizer_of_a_folder_puts_boundaries(tmp_path, ends):
    vocabulary = Vocabulary.of(train_tokenizer(SAMPLE, TokenizerSettings(vocab_size=300)).encode(), "")
    for name, content in tokenizer_files(vocabulary, ends=ends).items():
        (tmp_path / name).write_text(json.dumps(content))
    theirs = PreTrainedTokenizerFast.from_pretrained(tmp_path)
    ours, last = codec_of(vocabulary, vocabulary.files()["tokenizer.json"], 9), [0] if ends else []
    a, b = ours.ids("我 x"), ours.ids("<|endoftext|>")
    assert 0 not in b  # a special token in a text is text
    assert theirs("我 x", "<|endoftext|>")["input_ids"] == [0, *a, 0, *b, *last]
    assert theirs("我 x")["input_ids"] == [0, *a, *last]
    assert theirs.pad_token == "<|pad|>"
