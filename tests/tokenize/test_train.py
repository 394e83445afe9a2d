"""Vocabularies: deterministic, reversible, sampled fairly."""

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, pre_tokenizers, trainers

from corpusmill.errors import InputError
from corpusmill.recipe import TokenizerSettings, parse
from corpusmill.tokenize.encode import Encoder
from corpusmill.tokenize.patterns import DIGITS, PATTERNS, byte_level, pattern_of
from corpusmill.tokenize.pieces import count_pieces, cuts_of
from corpusmill.tokenize.train import SPECIAL_TOKENS, new_tokenizer, special_tokens, train_tokenizer

TEXTS = [
    "The quick brown fox jumps over the lazy dog. " * 3,
    "All human beings are born free and equal in dignity and rights.\n\n    def f(x):\n        return x + 1000\n",
    "人人生而自由，在尊严和权利上一律平等。" * 3,
    "मानव परिवार के सभी सदस्यों के जन्मजात गौरव और समान तथा अविच्छिन्न अधिकार",
    "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ",
]  # fmt: skip


CHARACTER_MODELS = ("bpe-characters", "wordpiece", "unigram")


def pieces(text, split="gpt-4o", digits=None):
    return [piece for piece, _ in byte_level(pattern_of(split, digits))[0].pre_tokenize_str(text)]


def test_pieces_of_the_default():
    assert pieces("I don't, 'student'  xY") == ["I", " don't", ",", " '", "student", "'", " ", " x", "Y"]
    assert pieces("in 20261122\n\n    go();\n") == ["in", " ", "202", "611", "22", "\n\n", "   ", " go", "();\n"]
    assert pieces("我们2个人。你好") == ["我们", "2", "个人", "。你好"]
    assert pieces("हिन्दी में") == ["हिन्दी", " में"]  # vowel signs and viramas stay with their letters
    assert pieces("e\u0301te\u0301") == ["e\u0301te\u0301"]


@pytest.mark.parametrize(
    ("split", "text", "expected"),
    [
        ("gpt-2", "I'm 2026's\n\nx", ["I", "'m", " 2026", "'s", "\n", "\n", "x"]),
        ("gpt-4", "I'M 2026's\n\n\nx", ["I", "'M", " ", "202", "6", "'s", "\n\n\n", "x"]),
        ("llama-3", "(word \n\n x", ["(word", " \n\n", " x"]),
        ("qwen", "a 2026", ["a", " ", "2", "0", "2", "6"]),
        ("qwen", "हिन्दी", ["ह", "िन", "्द", "ी"]),
        ("qwen-3.5", "हिन्दी 12", ["हिन्दी", " ", "1", "2"]),
    ],
)
def test_pieces_of_the_families(split, text, expected):
    assert pieces(text, split) == expected


@pytest.mark.parametrize("split", PATTERNS)
@pytest.mark.parametrize("digits", [0, 1, 2, 3])
def test_digits_are_what_the_recipe_says(split, digits):
    found = pieces("no 1234567 x", split, digits)
    longest = max(len(piece.strip()) for piece in found if piece.strip().isdigit())
    assert longest == (digits or 7)
    assert "".join(found) == "no 1234567 x"
    if digits == DIGITS[split]:
        assert found == pieces("no 1234567 x", split)


MIXED = "abAB é\n\r\t'ſsKldtREve12٣-._<|>/中文かなกี่हि한국어\u0301\u200d\u00a0\u3000ß🙂\u2028\u0085ǅʰ"


@pytest.mark.parametrize("split", PATTERNS)
@settings(max_examples=200, deadline=None)
@given(texts=st.lists(st.text() | st.text(MIXED), max_size=3), digits=st.sampled_from([None, 0, 1, 2]))
def test_pieces_are_counted_as_hf_cuts_them(split, texts, digits):
    expected = Counter(piece for text in texts for piece in pieces(text, split, digits))
    assert count_pieces(texts, cuts_of(split, digits)) == expected
    assert all("".join(pieces(text, split, digits)) == text for text in texts)


def test_many_pieces_are_counted():
    """More different pieces than the table of the kernel holds at first."""
    words = [f" {''.join(random.Random(i).choices('abcdefghij', k=8))}" for i in range(100_000)]
    assert count_pieces(["".join(words), "".join(words[:7])], cuts_of("gpt-2")) == Counter(words + words[:7])


def trained_by_hf(texts, config):
    tokenizer = new_tokenizer(config)
    trainer = trainers.BpeTrainer(
        vocab_size=config.vocab_size,
        min_frequency=config.min_frequency,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        special_tokens=special_tokens(config),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer.to_str(pretty=True)


@settings(max_examples=100, deadline=None)
@given(
    texts=st.lists(st.text("ab ") | st.text("aab") | st.text(MIXED), max_size=20),
    size=st.integers(261, 400),
    min_frequency=st.integers(1, 3),
    split=st.sampled_from(list(PATTERNS)),
)
def test_trained_as_by_hf(texts, size, min_frequency, split):
    """The same file, byte by byte: equal counts, overlapping pairs, tokens that two pairs make."""
    config = TokenizerSettings(vocab_size=size, min_frequency=min_frequency, split=split)
    assert train_tokenizer(texts, config) == trained_by_hf(texts, config)


def test_real_texts_are_trained_as_by_hf():
    texts = list(json.loads((Path(__file__).parents[1] / "filters/udhr.json").read_text("utf-8")).values())
    config = TokenizerSettings(vocab_size=4000, normalizer="nfkc", special_tokens=["<|user|>"])
    assert train_tokenizer(texts, config) == trained_by_hf(texts, config)


@pytest.mark.parametrize("model", ["bpe", *CHARACTER_MODELS])
def test_vocabulary_does_not_depend_on_the_order_of_texts(model):
    config = TokenizerSettings(model=model, vocab_size=500)
    shuffled = random.Random(1).sample(TEXTS, len(TEXTS))
    assert train_tokenizer(TEXTS, config) == train_tokenizer(shuffled, config)


def test_vocabularies_do_not_depend_on_threads():
    script = (
        "import sys; from corpusmill.tokenize.train import *;"
        "texts = [f'word{i % 97} and {i * i} ' * 3 for i in range(600)];"
        "models = ('bpe', 'bpe-characters', 'wordpiece', 'unigram');"
        "made = [train_tokenizer(texts, TokenizerSettings(vocab_size=500, model=model)) for model in models];"
        "sys.stdout.write('\\n'.join(made))"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", script], env={**os.environ, **env}, capture_output=True, check=True
        ).stdout
        for env in ({"TOKENIZERS_PARALLELISM": "false"}, {"TOKENIZERS_PARALLELISM": "true", "RAYON_NUM_THREADS": "5"})
    ]
    assert outputs[0] == outputs[1]


def test_special_tokens_and_bytes_come_first():
    definition = train_tokenizer([], TokenizerSettings(vocab_size=1000))
    vocabulary = json.loads(definition)["model"]["vocab"]
    assert len(vocabulary) == len(SPECIAL_TOKENS) + 256  # too small a corpus: a smaller vocabulary, no failure
    assert [vocabulary[token] for token in SPECIAL_TOKENS] == list(range(len(SPECIAL_TOKENS)))


@settings(max_examples=50)
@given(st.text())
def test_decoding_gives_the_text_back(text):
    tokenizer = _tokenizer()
    assert tokenizer.decode(tokenizer.encode(text).ids, skip_special_tokens=False) == text


def _tokenizer(cache=[]):  # noqa: B006  # trained once
    if not cache:
        cache.append(Tokenizer.from_str(train_tokenizer(TEXTS, TokenizerSettings(vocab_size=500))))
        cache[0].encode_special_tokens = True
    return cache[0]


@pytest.mark.parametrize("model", CHARACTER_MODELS)
def test_models_over_characters(model):
    settings = TokenizerSettings(model=model, vocab_size=600, special_tokens=["<|user|>"])
    definition = json.loads(train_tokenizer(TEXTS * 20, settings))
    unknown = "[UNK]" if model == "wordpiece" else "<unk>"
    special = [token["content"] for token in definition["added_tokens"]]
    assert special == [*SPECIAL_TOKENS, "<|user|>", unknown]
    assert [token["id"] for token in definition["added_tokens"]] == list(range(len(special)))
    encoder = Encoder(json.dumps(definition))
    assert encoder.vocab_size <= 600
    text = "The fox 123 ~ <|user|> 人 ☃ <0x41>\n  free"
    ids = encoder.encode(text)
    if model == "wordpiece":
        assert encoder.decode(ids).replace(" ", "").startswith("Thefox123")
    else:
        assert encoder.decode(ids) == text  # what has no token is bytes
        assert not set(ids.tolist()) & set(range(len(special)))  # the name of a special token is text


@pytest.mark.parametrize("model", ["bpe-characters", "unigram"])
def test_without_byte_fallback_a_character_is_unknown(model):
    settings = TokenizerSettings(model=model, vocab_size=400, byte_fallback=False)
    encoder = Encoder(train_tokenizer(TEXTS * 20, settings))
    assert encoder.decode(encoder.encode("fox ☃")) == "fox <unk>"


def test_normalizers():
    text = "Ａ ﬁ e\u0301 X"
    expected = {"none": text, "nfc": "Ａ ﬁ é X", "nfkc": "A fi é X", "lowercase": "a fi é x"}
    for normalizer, normal in expected.items():
        settings = TokenizerSettings(vocab_size=300, normalizer=normalizer)
        encoder = Encoder(train_tokenizer(TEXTS, settings))
        assert encoder.decode(encoder.encode(text)) == normal


@pytest.mark.parametrize(
    ("tokens", "message"),
    [(["<|a|>", "<|a|>"], "'<|a|>' is there twice"), (["<|pad|>"], "'<|pad|>' is there twice"), ([""], "be empty")],
)
def test_special_tokens_must_differ(tokens, message):
    source = {"name": "a", "kind": "text", "paths": ["a"]}
    with pytest.raises(InputError, match=message.replace("|", "[|]")):
        parse({"sources": [source], "tokenizer": {"special_tokens": tokens}})


def test_time_does_not_grow_with_the_square_of_a_run():
    runs = [" " * 300_000, "ab" * 150_000, "!?" * 150_000, "\n" * 300_000, "中文" * 50_000]
    started = time.process_time()
    definition = json.loads(train_tokenizer([*TEXTS, *runs], TokenizerSettings(vocab_size=300)))
    assert time.process_time() - started < 20  # 1 s; it was minutes
    assert definition["pre_tokenizer"]["pretokenizers"][0]["pattern"] == {"Regex": PATTERNS["gpt-4o"]}
