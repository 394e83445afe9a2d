"""Vocabularies: deterministic, reversible, sampled fairly."""

import json
import os
import random
import subprocess
import sys
import time

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from corpusmill.recipe import TokenizerSettings
from corpusmill.tokenize.train import PATTERN, SPECIAL_TOKENS, DocsPart, new_tokenizer, sample_texts, train_tokenizer

TEXTS = [
    "The quick brown fox jumps over the lazy dog. " * 3,
    "All human beings are born free and equal in dignity and rights.\n\n    def f(x):\n        return x + 1000\n",
    "人人生而自由，在尊严和权利上一律平等。" * 3,
    "मानव परिवार के सभी सदस्यों के जन्मजात गौरव और समान तथा अविच्छिन्न अधिकार",
    "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ",
]  # fmt: skip


def pieces(text):
    return [piece for piece, _ in new_tokenizer().pre_tokenizer[0].pre_tokenize_str(text)]


def test_pieces():
    assert pieces("I don't, 'student'  x") == ["I", " don", "'t", ",", " '", "student", "'", " ", " x"]
    assert pieces("in 20261122\n\n    go();\n") == ["in", " ", "202", "611", "22", "\n\n", "   ", " go", "();\n"]
    assert pieces("我们2个人。你好") == ["我们", "2", "个人", "。你好"]
    assert pieces("हिन्दी में") == ["हिन्दी", " में"]  # vowel signs and viramas stay with their letters
    assert pieces("e\u0301te\u0301") == ["e\u0301te\u0301"]


@given(st.text())
def test_pieces_are_the_text(text):
    assert "".join(pieces(text)) == text


def test_vocabulary_does_not_depend_on_the_order_of_texts():
    config = TokenizerSettings(vocab_size=400)
    shuffled = random.Random(1).sample(TEXTS, len(TEXTS))
    assert train_tokenizer(TEXTS, config) == train_tokenizer(shuffled, config)


def test_vocabulary_does_not_depend_on_threads():
    script = (
        "import sys; from corpusmill.tokenize.train import *;"
        "texts = [f'word{i % 97} and {i * i} ' * 3 for i in range(3000)];"
        "sys.stdout.write(train_tokenizer(texts, TokenizerSettings(vocab_size=500)))"
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


def docs_part(name, n, size=100):
    ids = [f"{name}-{random.Random(f'{name}{i}').getrandbits(64):016x}" for i in range(n)]
    texts = [f"{name} {i} ".ljust(size, "é")[: size - 10].ljust(size, "x") for i in range(n)]
    split = ["validation" if i % 5 == 0 else "train" for i in range(n)]
    return pa.table({"doc_id": ids, "text": pa.array(texts, pa.large_string()), "split": split})


@pytest.fixture(scope="module")
def corpus():
    tables = {f"part-{i}": docs_part(f"part-{i}", n) for i, n in enumerate([40, 0, 7, 90, 1, 300])}
    parts = [
        DocsPart(name=name, n_bytes=sum(len(text.encode()) for text in table["text"].to_pylist()))
        for name, table in tables.items()
    ]
    return parts, tables


def train_texts(tables):
    rows = [row for table in tables.values() for row in table.to_pylist()]
    return sorted(row["text"] for row in rows if row["split"] == "train")


def test_sample_of_what_fits_is_every_training_document(corpus):
    parts, tables = corpus
    assert sorted(sample_texts(parts, tables.__getitem__, 10**9)) == train_texts(tables)


@pytest.mark.parametrize("sample_bytes", [1, 500, 5_000, 20_000, 40_000])
def test_sample_is_of_the_size_asked_for_and_has_no_document_twice(corpus, sample_bytes):
    parts, tables = corpus
    sample = list(sample_texts(parts, tables.__getitem__, sample_bytes))
    size = sum(len(text.encode()) for text in sample)
    assert len(set(sample)) == len(sample)
    assert set(sample) <= set(train_texts(tables))
    assert sample_bytes <= size < sample_bytes + 200


def test_sample_does_not_depend_on_the_order_of_parts(corpus):
    parts, tables = corpus
    forward = list(sample_texts(parts, tables.__getitem__, 5_000))
    assert forward == list(sample_texts(parts[::-1], tables.__getitem__, 5_000))


def test_sample_takes_from_many_parts(corpus):
    parts, tables = corpus
    sample = sample_texts(parts, tables.__getitem__, 5_000)
    assert len({text.split()[0] for text in sample}) >= 4


def test_sample_of_nothing():
    assert list(sample_texts([], lambda name: pytest.fail(name), 100)) == []


def test_time_does_not_grow_with_the_square_of_a_run():
    runs = [" " * 300_000, "ab" * 150_000, "!?" * 150_000, "\n" * 300_000, "中文" * 50_000]
    started = time.process_time()
    definition = json.loads(train_tokenizer([*TEXTS, *runs], TokenizerSettings(vocab_size=300)))
    assert time.process_time() - started < 20  # 1 s; it was minutes
    assert definition["pre_tokenizer"]["pretokenizers"][0]["pattern"] == {"Regex": PATTERN}
