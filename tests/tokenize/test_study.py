"""What is measured of a tokenizer, against counting by hand."""

import json
import math
from collections import Counter

import numpy as np
import pytest

from corpusmill.recipe import TokenizerSettings
from corpusmill.tokenize.encode import Encoder
from corpusmill.tokenize.study import OWN, TOPICS, count_tokens, study
from corpusmill.tokenize.study_file import rows_of, written
from corpusmill.tokenize.train import train_tokenizer

TEXTS = ["The fox and the dog, the fox and the dog. " * 5, "人人生而自由，在尊严和权利上一律平等。" * 3, "été 2026 🙂"]
SAMPLE = [(("web", "en"), TEXTS[0]), (("web", "zh"), TEXTS[1]), (("books", ""), TEXTS[2]), (("web", "en"), "dog")]


def masked(texts):
    return [text.replace(" fox", "MASKED") for text in texts]


@pytest.fixture(scope="module")
def encoders():
    own = Encoder(train_tokenizer(TEXTS, TokenizerSettings(vocab_size=320, special_tokens=["<|user|>"])))
    words = Encoder(train_tokenizer(TEXTS, TokenizerSettings(vocab_size=300, model="wordpiece")))
    return own, words


@pytest.fixture(scope="module")
def counts(encoders):
    return count_tokens((encoders[0].encode(text) for _, text in SAMPLE), encoders[0].vocab_size)


@pytest.fixture(scope="module")
def rows(encoders, counts):
    own, words = encoders
    return study(own, {"words.json": words}, SAMPLE, counts, masked)


def test_counts(encoders, counts):
    expected = Counter(id_ for _, text in SAMPLE for id_ in encoders[0].encode(text).tolist())
    assert {id_: n for id_, n in enumerate(counts.tolist()) if n} == expected


def test_rates_are_by_source_and_language(rows, encoders):
    own = {(row["source"], row["language"]): row for row in rows["tokenizer_rates"] if row["tokenizer"] == OWN}
    assert set(own) == {("web", "en"), ("web", "zh"), ("books", None)}
    english = own["web", "en"]
    n = len(encoders[0].encode(TEXTS[0])) + len(encoders[0].encode("dog"))
    assert (english["documents"], english["n_bytes"], english["n_tokens"]) == (2, len(TEXTS[0]) + 3, n)
    assert english["bytes_per_token"] == pytest.approx((len(TEXTS[0]) + 3) / n)
    assert own["web", "zh"]["n_chars"] == len(TEXTS[1])


def test_entropies(rows, counts):
    own, words = rows["tokenizers"]
    shares = [n / counts.sum() for n in counts.tolist() if n]
    assert own["entropy_bits"] == pytest.approx(-sum(p * math.log2(p) for p in shares), abs=1e-5)
    renyi = math.log2(sum(p**2.5 for p in shares)) / -1.5
    assert own["renyi_efficiency"] == pytest.approx(renyi / math.log2(own["vocab_size"]), abs=1e-5)
    assert own["used"] == len(shares)
    assert (own["returned"], own["documents"]) == (4, 4)
    assert words["returned"] < 4  # it loses white space


def test_bytes_of_characters_are_counted(rows, encoders):
    own = rows["tokenizers"][0]
    pieces = [encoders[0].decode([id_]) for _, text in SAMPLE for id_ in encoders[0].encode(text).tolist()]
    assert own["byte_tokens"] == sum(piece == "\ufffd" for piece in pieces)


def test_examples_put_together_are_the_text(rows):
    examples = [row for row in rows["tokenizer_examples"] if row["tokenizer"] == OWN]
    assert {row["topic"]: row["text"] for row in examples} == TOPICS
    assert all(row["n_tokens"] == len(row["pieces"]) for row in examples)
    (code,) = (row for row in examples if row["topic"] == "code")
    assert "".join(code["pieces"]) == code["text"]


def test_vocabulary(rows, counts, encoders):
    found = {row["id"]: row for row in rows["vocabulary"]}
    assert sorted(found) == list(range(encoders[0].vocab_size))
    by_text = {row["token"]: row for row in found.values()}
    assert by_text["<|user|>"]["is_special"]
    assert by_text["<|user|>"]["risk"] is None
    assert by_text["MASKED"]["n"] == 10  # what is shown is masked
    assert by_text["MASKED"]["n_bytes"] == 4
    assert by_text["人"]["n_bytes"] == 3
    assert sum(row["n"] for row in found.values()) == counts.sum()
    assert by_text["Q"]["risk"] == "unused"
    assert {row["risk"] for row in found.values()} == {None, "unused"}
    assert all(row["is_text"] == ("\ufffd" not in row["token"]) for row in found.values())


def test_a_token_that_no_text_gives_is_unreachable(encoders):
    definition = json.loads(train_tokenizer(TEXTS, TokenizerSettings(vocab_size=320)))
    definition["model"]["vocab"]["foxdog"] = len(definition["model"]["vocab"])
    encoder = Encoder(json.dumps(definition))
    found = study(encoder, {}, [], np.zeros(encoder.vocab_size, np.int64), list)
    assert {row["token"]: row["risk"] for row in found["vocabulary"]}["foxdog"] == "unreachable"
    assert found["tokenizers"][0]["entropy_bits"] is None  # of no text


def test_a_token_that_is_rare():
    encoder = Encoder(train_tokenizer(TEXTS, TokenizerSettings(vocab_size=320)))
    counts = np.full(encoder.vocab_size, 1_000_000)
    counts[300:303] = [31, 32, 1]
    found = {row["id"]: row["risk"] for row in study(encoder, {}, [], counts, list)["vocabulary"]}
    assert [found[id_] for id_ in (299, 300, 301, 302)] == [None, None, None, "rare"]


def test_bytes_of_characters_models():
    encoder = Encoder(train_tokenizer(TEXTS, TokenizerSettings(vocab_size=600, model="bpe-characters")))
    names = {name: id_ for id_, name in encoder.names().items()}
    assert encoder.bytes_of(names["<0xE4>"]) == b"\xe4"
    assert encoder.bytes_of(names["人"]) == "人".encode()


def test_figures_of_other_tokens_are_not_read(rows):
    content = written(rows, "these")
    assert rows_of(content, "these")["tokenizers"] == rows["tokenizers"]
    assert rows_of(content, "these")["vocabulary"] == rows["vocabulary"]
    assert rows_of(content, "others") == {}
