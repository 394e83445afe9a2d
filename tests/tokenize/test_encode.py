"""Encoding is HF's, id by id, whichever library does it."""

import json
import random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors, trainers

from corpusmill import schema
from corpusmill.errors import InputError
from corpusmill.recipe import TokenizerSettings
from corpusmill.tokenize.encode import Encoder, encode_documents, tokens_schema
from corpusmill.tokenize.train import train_tokenizer

TEXTS = [
    "The quick brown fox jumps over the lazy dog, again and again and again. Banana bandana, aaaaaaaa!\n" * 3,
    "    def f(x):\n        return x + 1000\n\n\n" + "=" * 40 + "\r\n\t\t- item 1.2.3.4 <|endoftext|> | || |||\n",
    "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神相对待。" * 3,
    "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。" * 2,
    "मानव परिवार के सभी सदस्यों के जन्मजात गौरव और समान तथा अविच्छिन्न अधिकार " * 2,
    "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ " * 2,
    "يولد جميع الناس أحرارًا متساوين في الكرامة والحقوق. Все люди рождаются свободными. 👩‍👩‍👧‍👦🇺🇳",
]  # fmt: skip


@pytest.fixture(scope="module")
def definition():
    return train_tokenizer(TEXTS, TokenizerSettings(vocab_size=700, min_frequency=1))


@pytest.fixture(scope="module")
def encoder(definition):
    return Encoder(definition)


@pytest.fixture(scope="module")
def hf(definition):
    tokenizer = Tokenizer.from_str(definition)
    tokenizer.encode_special_tokens = True
    return tokenizer


def test_fast_engine_is_used(encoder):
    assert encoder.engine == "tiktoken"


SCRIPTS = "abé \n\t'12٣-._<|>中文かなกี่हि한국어\u0301\u200d\u00a0\u3000ſß🙂\u2028\u0085"
TEXT = st.one_of(
    st.text(),
    st.text(SCRIPTS),
    st.lists(st.sampled_from([word for text in TEXTS for word in text.split(" ")])).map(" ".join),
)


@settings(max_examples=400)
@given(text=TEXT)
def test_ids_are_those_of_hf(encoder, hf, text):
    assert encoder.encode(text).tolist() == hf.encode(text).ids
    assert encoder.decode(encoder.encode(text)) == text


def test_every_character_is_encoded_as_by_hf(encoder, hf):
    """Both regex engines know the same letters, digits and spaces (beyond U+20000 there are ideographs and tags)."""
    codes = [*range(0xD800), *range(0xF900, 0x20000), *range(0x2A6D0, 0x2A700), *range(0xE0000, 0xE0200)]
    text = "".join(f"a{chr(code)} {chr(code)}1" for code in codes)
    assert np.array_equal(encoder.encode(text), hf.encode(text).ids)


@settings(max_examples=30, deadline=None)
@given(texts=st.lists(st.text("abcd é"), max_size=20), probe=st.text("abcd é"), size=st.integers(261, 400))
def test_any_trained_vocabulary_is_proven(texts, probe, size):
    definition = train_tokenizer(texts, TokenizerSettings(vocab_size=size, min_frequency=1))
    encoder = Encoder(definition)
    assert encoder.engine == "tiktoken"
    for text in [*texts, probe]:
        assert encoder.encode(text).tolist() == Tokenizer.from_str(definition).encode(text).ids


@pytest.mark.parametrize(
    "text",
    ["a" * 1_000_000, "没有空格的长文本" * 40_000, " " * 1_000_000 + "x", "\n" * 300_000, "e" + "\u0301" * 200_000],
    ids=["letters", "chinese", "spaces", "newlines", "marks"],
)
def test_very_long_runs(encoder, hf, text):
    assert np.array_equal(encoder.encode(text), hf.encode(text).ids)


def test_special_tokens_in_a_document_are_text(encoder):
    ids = encoder.encode("a <|endoftext|> b <|pad|>")
    assert ids.min() >= 5
    assert encoder.decode(ids) == "a <|endoftext|> b <|pad|>"


def users_tokenizer(pre_tokenizer, model=None, trainer=None):
    tokenizer = Tokenizer(model or models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainer or trainers.BpeTrainer(
        vocab_size=400, initial_alphabet=alphabet, show_progress=False, special_tokens=["</s>"]
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    return tokenizer


def test_tokenizers_of_other_kinds_are_run_by_hf():
    gpt2 = users_tokenizer(pre_tokenizers.ByteLevel(add_prefix_space=False))
    gpt2.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 0)])
    gpt2.enable_truncation(3)
    gpt2.enable_padding(length=50)
    unigram = users_tokenizer(
        pre_tokenizers.Metaspace(),
        models.Unigram(),
        trainers.UnigramTrainer(
            vocab_size=300, special_tokens=["<unk>", "</s>"], unk_token="<unk>", show_progress=False
        ),
    )
    for tokenizer in (gpt2, unigram):
        encoder = Encoder(tokenizer.to_str())
        tokenizer.no_truncation()
        tokenizer.no_padding()
        assert encoder.engine == "tokenizers"
        for text in TEXTS[:1] + TEXTS[2:]:
            assert encoder.encode(text).tolist() == tokenizer.encode(text, add_special_tokens=False).ids


def test_a_vocabulary_on_which_the_engines_differ_is_run_by_hf(definition):
    """An unreachable token, and merges out of order: tiktoken would give other ids."""
    changed = json.loads(definition)
    vocabulary = changed["model"]["vocab"]
    vocabulary["foxquick"] = len(vocabulary)
    assert Encoder(json.dumps(changed)).engine == "tokenizers"
    changed["model"]["merges"].append(["fox", "quick"])
    for token in ("fox", "quick"):
        vocabulary.setdefault(token, len(vocabulary))
    encoder = Encoder(json.dumps(changed))
    assert encoder.engine == "tokenizers"
    swapped = json.loads(definition)
    swapped["model"]["merges"][3:5] = swapped["model"]["merges"][3:5][::-1]
    assert Encoder(json.dumps(swapped)).engine == "tokenizers"


def test_other_pattern_is_run_by_hf():
    split = pre_tokenizers.Split(Regex(r"\w+|\s+|[^\w\s]+"), "isolated")
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer = users_tokenizer(pre_tokenizers.Sequence([split, byte_level]))
    assert Encoder(tokenizer.to_str()).engine == "tokenizers"


def docs(texts):
    n = len(texts)
    return pa.table({
        "doc_id": [f"{i:024x}" for i in range(n)],
        "source": pa.array(["books"] * n, pa.string()),
        "split": pa.array(["train"] * n, pa.string()),
        "weight": pa.array([2.0] * n, pa.float64()),
        "text": pa.array(texts, pa.large_string()),
    })  # fmt: skip


def test_encode_documents(encoder):
    texts = [*TEXTS, "", "é"]
    tokens = encode_documents(docs(texts), encoder)
    assert tokens.schema == schema.TOKENS.arrow
    assert [encoder.decode(ids) for ids in tokens["ids"].to_pylist()] == texts
    assert tokens["n_bytes"].to_pylist() == [len(text.encode()) for text in texts]
    assert tokens["n_tokens"].to_pylist() == [len(ids) for ids in tokens["ids"].to_pylist()]


def test_encode_no_documents(encoder):
    tokens = encode_documents(docs([]), encoder)
    assert (tokens.num_rows, tokens.schema) == (0, schema.TOKENS.arrow)


def test_documents_in_chunks_give_the_same_table(encoder):
    table = docs(TEXTS)
    chunked = pa.concat_tables([table.slice(0, 3), table.slice(3)])
    assert encode_documents(chunked, encoder).equals(encode_documents(table, encoder))


def test_large_vocabularies_have_wide_ids():
    words = [f"w{random.Random(i).getrandbits(40):x}" for i in range(70_000)]
    tokenizer = Tokenizer(models.WordLevel({"<unk>": 0} | {word: i + 1 for i, word in enumerate(words)}, "<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokens = encode_documents(docs([words[-1], "?"]), Encoder(tokenizer.to_str()))
    assert tokens.schema == tokens_schema(70_001)
    assert tokens["ids"].type == pa.list_(pa.uint32())
    assert tokens["ids"].to_pylist() == [[70_000], [0]]


def test_what_is_no_tokenizer_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match=r"missing\.json: cannot be read"):
        Encoder.load(tmp_path / "missing.json")
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(InputError, match=r"bad\.json: not a tokenizer\.json"):
        Encoder.load(tmp_path / "bad.json")
