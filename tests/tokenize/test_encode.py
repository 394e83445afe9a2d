"""Encoding is HF's, id by id, whichever library does it."""

import json
import random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Regex, Tokenizer, models, pre_tokenizers, processors, trainers

from corpusmill import schema
from corpusmill.errors import InputError
from corpusmill.recipe import TokenizerSettings
from corpusmill.tokenize.alphabet import BYTE_OF
from corpusmill.tokenize.encode import Encoder, encode_documents, proof_of, tokens_schema
from corpusmill.tokenize.engines import UNICODE_17, Gigatoken
from corpusmill.tokenize.patterns import PATTERNS, byte_level
from corpusmill.tokenize.pieces import character_classes
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


@pytest.fixture(scope="module")
def all_engines(encoder):
    found = list(encoder.engines())
    assert [engine.name for engine in found] == ["gigatoken", "tiktoken", "tokenizers"]
    return found


def ids_of(engine, text, otherwise):
    """The ids of a library; `otherwise` if it leaves the text to HF."""
    try:
        return engine.encode(text).tolist()
    except ValueError:
        return list(otherwise)


def names(encoder):
    """The libraries that the encoder can use, the fastest first."""
    found = [engine.name for engine in encoder.engines()]
    assert found[0] == encoder.engine
    return found


def test_fast_engines_are_used(encoder):
    assert names(encoder) == ["gigatoken", "tiktoken", "tokenizers"]


SCRIPTS = "abé \n\t'12٣-._<|>中文かなกี่हि한국어\u0301\u200d\u00a0\u3000ſß🙂\u2028\u0085"
TEXT = st.one_of(
    st.text(),
    st.text(SCRIPTS),
    st.lists(st.sampled_from([word for text in TEXTS for word in text.split(" ")])).map(" ".join),
)


@settings(max_examples=400, deadline=None)
@given(text=TEXT)
def test_ids_are_those_of_hf(encoder, hf, all_engines, text):
    expected = hf.encode(text).ids
    for engine in all_engines:
        assert ids_of(engine, text, expected) == expected, engine.name
    assert encoder.encode(text).tolist() == expected
    assert encoder.decode(encoder.encode(text)) == text


KINDS = {
    **{split: {"split": split} for split in PATTERNS},
    "two digits": {"digits": 2},
    "characters": {"model": "bpe-characters"},
    "normalised": {"normalizer": "nfkc"},
    "special tokens": {"special_tokens_in_text": True, "special_tokens": ["<|a"]},
    "wordpiece": {"model": "wordpiece"},
    "unigram": {"model": "unigram"},
}


class Made(dict):
    """By kind, an encoder and HF's tokenizer; hypothesis writes its arguments down."""

    def __repr__(self):
        return "encoders of each kind"


@pytest.fixture(scope="module")
def of_kinds():
    made = Made()
    for kind, options in KINDS.items():
        config = TokenizerSettings(vocab_size=700, min_frequency=1, **options)
        definition = train_tokenizer(TEXTS, config)
        encoder = Encoder(definition, special_tokens_in_text=config.special_tokens_in_text)
        made[kind] = (encoder, list(encoder.engines()), Tokenizer.from_str(definition))
        made[kind][2].encode_special_tokens = not config.special_tokens_in_text
    return made


SPECIAL = st.lists(st.sampled_from(["<|endoftext|>", "<|pad|>", "<|a", "|>", "a", " ", "<", "ﬁ", "12345", "\n"])).map(
    "".join
)


@settings(max_examples=100, deadline=None)
@given(text=TEXT | SPECIAL)
def test_every_kind_of_tokenizer_is_encoded_as_by_hf(of_kinds, text):
    for kind, (encoder, engines, hf) in of_kinds.items():
        expected = hf.encode(text, add_special_tokens=False).ids
        assert encoder.engine == engines[0].name
        if kind in ("normalised", "wordpiece"):  # the engines get the normalised text
            assert encoder.encode(text).tolist() == expected
            continue
        for engine in engines:
            assert ids_of(engine, text, expected) == expected, (kind, engine.name)


def test_engines_of_each_kind(of_kinds):
    fast = ["gigatoken", "tiktoken", "tokenizers"]
    assert {kind: names(encoder) for kind, (encoder, _, _) in of_kinds.items()} == {
        **dict.fromkeys(PATTERNS, fast),
        "two digits": fast[1:],
        "characters": ["gigatoken", "tokenizers"],
        "normalised": fast,
        "special tokens": fast,
        "wordpiece": fast[2:],
        "unigram": fast[2:],
    }


def test_every_character_is_encoded_as_by_hf(all_engines, hf):
    """Both regex engines know the same letters, digits and spaces (beyond U+20000 there are ideographs and tags)."""
    codes = [*range(0xD800), *range(0xF900, 0x20000), *range(0x2A6D0, 0x2A700), *range(0xE0000, 0xE0200)]
    characters = [chr(code) for code in codes if not UNICODE_17.match(chr(code))]
    text = "".join(f"a{c} {c}1" for c in characters)
    for engine in all_engines:
        assert np.array_equal(engine.encode(text), hf.encode(text).ids)


def test_gigatoken_classes_characters_as_hf():
    """With a vocabulary that shows where pieces end: the last byte of a character and what follows it are one token."""
    by_byte = {byte: character for character, byte in BYTE_OF.items()}
    vocabulary = {character: i for i, character in enumerate(sorted(BYTE_OF))}
    merges = [(by_byte[byte], end) for end in "a1." for byte in range(0x80, 0xC0)]
    vocabulary |= {a + b: len(vocabulary) + i for i, (a, b) in enumerate(merges)}
    tokenizer = Tokenizer(models.BPE(vocabulary, merges))
    tokenizer.pre_tokenizer = byte_level(PATTERNS["llama-3"])
    engine = Gigatoken(json.loads(tokenizer.to_str()))
    classes = character_classes()
    for code in [*range(0x80, 0xD800), *range(0xE000, 0x40000), *range(0xE0000, 0xE1000)]:
        character, bits = chr(code), int(classes[code])
        if bits & 4 or UNICODE_17.match(character):  # white space is in every probe
            continue
        size = 2 * len(character.encode())
        found = [len(engine.encode(2 * character + end)) == size for end in "a1."]
        assert found == [bool(bits & 1), bool(bits & 2), not bits & 7], hex(code)


def test_characters_of_unicode_17_are_left_to_hf(encoder, hf):
    text = "\U00018de7_b \u088f1"
    assert encoder.engine == "gigatoken"
    assert encoder.encode(text).tolist() == hf.encode(text).ids
    with pytest.raises(ValueError, match="Unicode 17"):
        encoder._now.encode(text)


@settings(max_examples=30, deadline=None)
@given(texts=st.lists(st.text("abcd é"), max_size=20), probe=st.text("abcd é"), size=st.integers(261, 400))
def test_any_trained_vocabulary_is_proven(texts, probe, size):
    definition = train_tokenizer(texts, TokenizerSettings(vocab_size=size, min_frequency=1))
    encoder = Encoder(definition)
    engines = list(encoder.engines())
    assert [engine.name for engine in engines] == ["gigatoken", "tiktoken", "tokenizers"]
    for text in [*texts, probe]:
        expected = Tokenizer.from_str(definition).encode(text).ids
        assert all(ids_of(engine, text, expected) == expected for engine in engines)


@pytest.mark.parametrize(
    "text",
    ["a" * 1_000_000, "没有空格的长文本" * 40_000, " " * 1_000_000 + "x", "\n" * 300_000, "e" + "\u0301" * 200_000],
    ids=["letters", "chinese", "spaces", "newlines", "marks"],
)
def test_very_long_runs(encoder, hf, text):
    assert encoder.engine == "gigatoken"
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


def test_what_a_tokenizer_puts_around_a_text_is_left_out():
    gpt2 = users_tokenizer(pre_tokenizers.ByteLevel(add_prefix_space=False))
    gpt2.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 0)])
    gpt2.enable_truncation(3)
    gpt2.enable_padding(length=50)
    encoder = Encoder(gpt2.to_str())
    gpt2.no_truncation()
    gpt2.no_padding()
    for text in TEXTS:
        assert encoder.encode(text).tolist() == gpt2.encode(text, add_special_tokens=False).ids


def users_unigram():
    trainer = trainers.UnigramTrainer(
        vocab_size=300, special_tokens=["<unk>", "</s>"], unk_token="<unk>", show_progress=False
    )
    return users_tokenizer(pre_tokenizers.Metaspace(), models.Unigram(), trainer)


def test_the_name_of_a_special_token_is_text_for_a_unigram_model():
    """Its model looks for the text of every entry, whatever `encode_special_tokens` says."""
    tokenizer = users_unigram()
    tokenizer.encode_special_tokens = True
    special = tokenizer.token_to_id("</s>")
    assert special in tokenizer.encode("fox </s>").ids
    encoder = Encoder(tokenizer.to_str())
    assert special not in encoder.encode("fox </s>")
    assert special in Encoder(tokenizer.to_str(), special_tokens_in_text=True).encode("fox </s>")
    for text in TEXTS[:1] + TEXTS[2:]:
        assert encoder.encode(text).tolist() == tokenizer.encode(text, add_special_tokens=False).ids


def added(token):
    tokenizer = users_tokenizer(pre_tokenizers.ByteLevel(add_prefix_space=False))
    tokenizer.add_tokens([token])
    return tokenizer


@pytest.mark.parametrize(
    "make",
    [
        lambda: users_tokenizer(pre_tokenizers.ByteLevel(add_prefix_space=True)),
        lambda: users_tokenizer(
            pre_tokenizers.Sequence([
                pre_tokenizers.Split(Regex(r"\w+|\s+|[^\w\s]+"), "isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ])
        ),
        lambda: added(AddedToken("fox", single_word=True)),
        lambda: added(AddedToken("fox", lstrip=True, special=True)),
        lambda: added("qu"),
        users_unigram,
    ],
    ids=["space before", "own pattern", "whole word", "strips", "added", "unigram"],
)  # fmt: skip
def test_other_tokenizers_are_run_by_hf(make):
    tokenizer = make()
    encoder = Encoder(tokenizer.to_str())
    assert names(encoder) == ["tokenizers"]
    tokenizer.encode_special_tokens = True
    for text in TEXTS[:1] + TEXTS[2:]:
        assert encoder.encode(text).tolist() == tokenizer.encode(text, add_special_tokens=False).ids


def test_a_vocabulary_on_which_tiktoken_differs(definition):
    """An unreachable token, and merges out of order: tiktoken would give other ids, gigatoken gives HF's."""
    unreachable = json.loads(definition)
    vocabulary = unreachable["model"]["vocab"]
    vocabulary["foxquick"] = len(vocabulary)
    merged = json.loads(json.dumps(unreachable))
    merged["model"]["merges"].append(["fox", "quick"])
    for token in ("fox", "quick"):
        merged["model"]["vocab"].setdefault(token, len(merged["model"]["vocab"]))
    swapped = json.loads(definition)
    swapped["model"]["merges"][3:5] = swapped["model"]["merges"][3:5][::-1]
    for changed in (unreachable, merged, swapped):
        encoder = Encoder(json.dumps(changed))
        assert names(encoder) == ["gigatoken", "tokenizers"]
        assert encoder.differences([*TEXTS, "foxquick fox quick"]) == 0


class Wrong:
    """A library that gives other ids for a text with a Z."""

    name = "wrong"

    def __init__(self, engine):
        self.engine = engine

    def encode(self, text):
        return self.engine.encode(text.replace("Z", "z"))


def test_a_library_that_differs_is_given_up_and_put_on_record(definition):
    encoder, right = Encoder(definition), Encoder(definition)
    assert encoder.engine == "gigatoken"
    encoder._now, encoder._others = Wrong(encoder._now), encoder.engines()
    texts = [f"document {i} " * 9 for i in range(100)]
    assert proof_of(docs(texts), encoder).counts() == {"encoded_by_wrong": 1, "compared_texts": 48}
    texts[0] = texts[99] = "Z" * 50
    proof = proof_of(docs(texts), encoder)
    assert proof.counts() == {"encoded_by_gigatoken": 1, "compared_texts": 48, "different_wrong": 2}
    assert encode_documents(docs(texts), encoder).equals(encode_documents(docs(texts), right))
    assert proof_of(docs([]), encoder).counts() == {"encoded_by_gigatoken": 1, "compared_texts": 0}


def test_memory_of_gigatoken_is_bounded(definition, hf):
    """Texts in which every word is new: what the library keeps is dropped when it has grown."""
    plain = json.loads(definition) | {"added_tokens": []}
    engine = Gigatoken(plain, cache_bytes=-1, check_chars=1 << 18)  # less than any growth
    first = engine._encode
    number = random.Random(1)
    texts = [" ".join("".join(number.choices("abcdefghij", k=12)) for _ in range(8_000)) for _ in range(20)]
    grown = []
    for text in texts:
        assert engine.encode(text).tolist() == hf.encode(text).ids
        grown.append(engine._encode is not first)
    assert any(grown)


def docs(texts):
    n = len(texts)
    return pa.table({
        "doc_id": [f"{i:024x}" for i in range(n)],
        "source": pa.array(["books"] * n, pa.string()),
        "language": pa.array(["en"] * n, pa.string()),
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
    assert tokens["ids"].type.value_type == pa.uint32()
    assert tokens["ids"].to_pylist() == [[70_000], [0]]


def test_what_is_no_tokenizer_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match=r"missing\.json: cannot be read"):
        Encoder.load(tmp_path / "missing.json")
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(InputError, match=r"bad\.json: not a tokenizer\.json"):
        Encoder.load(tmp_path / "bad.json")
