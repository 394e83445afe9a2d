"""Language identification: the right codes, on short, long, broken and absent text."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.filters.codes import LANGUAGES
from corpusmill.filters.language import SAMPLE_BYTES, _model, _sample, identify
from corpusmill.filters.stop_words import STOP_WORDS

from .texts import ARTICLE_1


def test_codes_are_the_model_s():
    assert tuple(sorted(label.removeprefix("__label__") for label in _model().get_labels())) == LANGUAGES
    assert set(STOP_WORDS) <= set(LANGUAGES)


def test_languages_of_one_article():
    languages, scores = identify(pa.array(ARTICLE_1.values(), pa.large_string()))
    wrong = [code for code, found in zip(ARTICLE_1, languages.to_pylist(), strict=True) if found != code]
    assert wrong == ["gl", "sk", "sw"]  # a sentence or two in a language that has a close relative
    assert all(0 < score <= 1 for score in scores.to_pylist())


def test_text_without_letters_has_no_language():
    languages, scores = identify(pa.array([None, "", " \n\t", "12:30 … 🙂", "a"]))
    assert languages.to_pylist()[:4] == scores.to_pylist()[:4] == [None] * 4
    assert languages[4].is_valid
    assert languages.type == pa.string()
    assert scores.type == pa.float64()
    assert [len(column) for column in identify(pa.array([], pa.large_string()))] == [0, 0]


def test_newlines_and_chunks_change_nothing():
    text = ARTICLE_1["fr"]
    chunked = pa.chunked_array([pa.array([text]), pa.array([text.replace(" ", "\n"), text.replace(" ", " \r\n\0")])])
    languages, scores = identify(chunked)
    assert languages.to_pylist() == ["fr"] * 3
    assert len(set(scores.to_pylist())) == 1


@pytest.mark.parametrize("code", ["en", "zh", "ru", "th"])
def test_a_long_text_is_judged_by_pieces_from_all_over(code):
    cookies = "We use cookies to improve your experience. " * 20
    (language,), _ = identify(pa.array([cookies + "\n".join([ARTICLE_1[code]] * 200)]))
    assert language.as_py() == code


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from("aé中🙂 \n"), max_size=1500))
def test_a_sample_is_short_valid_and_in_one_line(text):
    sample = _sample(memoryview(text.encode()))
    assert len(sample.encode()) <= SAMPLE_BYTES + 8
    assert "\n" not in sample
    assert set(sample) <= set(text) | {" "}
    if len(text.encode()) <= SAMPLE_BYTES:
        assert sample == " ".join(text.split())


@pytest.mark.parametrize("code", ["en", "fr", "de", "ru", "tr", "el", "vi"])
@pytest.mark.parametrize("times", [1, 20])
def test_text_in_capitals_has_the_language_of_the_same_text_as_it_is_written(code, times):
    text = " ".join([ARTICLE_1[code]] * times)
    capitals = (text.replace("i", "İ") if code == "tr" else text).upper()
    languages, scores = identify(pa.array([text, capitals, text + " " + capitals]))
    assert languages.to_pylist() == [code] * 3
    assert scores[1].as_py() > 0.5


def test_short_text_in_capitals():
    texts = [
        "MY FRIEND IS A BIRD",
        "LE CONSEIL A DÉCIDÉ MARDI QUE LE PONT SERA CONSTRUIT",
        "DER RAT HAT ES BESCHLOSSEN",
    ]
    assert identify(pa.array(texts))[0].to_pylist() == ["en", "fr", "de"]


def test_only_what_is_mostly_capitals_is_read_in_small_letters():
    kept = ["A few CAPITALS in a sentence", "ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ", "名前はABCです", "Ünïcödé ÀÉ"]
    assert [_sample(memoryview(text.encode())) for text in kept] == kept
    assert _sample(memoryview("ISTANBUL'DA İKİ IŞIK".encode())) == "ıstanbul'da iki ışık"
    assert _sample(memoryview("ΟΔΟΣ ᲗᲑᲘᲚᲘᲡᲘ".encode())) == "οδος თბილისი"
