import hashlib
import warnings

import numpy as np
import pyarrow as pa
import pytest
from datasketch import MinHash
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill import schema
from corpusmill.dedup.sketch import sketch_documents
from corpusmill.recipe import DedupSettings
from tests.dedup import reference

SETTINGS = DedupSettings()
TEXTS = st.text(st.sampled_from(sorted(reference.KINDS)), max_size=60)


def sketch(texts, settings=SETTINGS, type=None):
    doc_ids = pa.array([f"{row:024x}" for row in range(len(texts))])
    return sketch_documents(doc_ids, pa.array(texts, type or pa.string()), settings)


def shingles(*texts, settings=SETTINGS):
    return sketch(texts, settings)["shingles"].to_pylist()


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("One two, three four five six.", "one TWO three\n\nfour -- five six"),
        ("Un élan très naïf s'arrête là-bas", "un e\u0301lan tres nai\u0308f s\u2019arre\u0302te la bas"),
        ("ＦＵＬＬ ｗｉｄｔｈ one two three four", "full width one two three four"),
        ("hy\u00adphen and zero\u200bwidth in words here", "hyphen and zerowidth in words here"),
        ("Ёжик в тумане, ещё раз и ещё", "ежик в тумане еще раз и еще"),
        ("שָׁלוֹם עולם אחד שתיים שלוש ארבע", "שלום עולם אחד שתיים שלוש ארבע"),
        ("ｶﾀｶﾅの文章です。", "カタカナの文章です"),
        ("人人生而自由,\n在尊严和权利上一律平等。", "人人生而自由，在尊严和权利上一律平等"),
        ("य\u093cह one two three four", "यह one two three four"),
        ("- a well-known *fact* of **2020-01-05** and/or later", "a well known fact of 2020/01/05 and or later"),
        ("> two\n> three - four – five\n========\n| six | seven! |", "two three four five six seven"),
        ("x − 5 = −3 ＋ ２ and the rest", "x \u2212 5 = -3 + 2 and the rest"),
        ("这是**重点**。3月-5月～7月", "这是重点3月5月7月"),
    ],
)
def test_copies_that_differ_in_form_only_have_the_same_shingles(text, same):
    x, y = shingles(text, same)
    assert x == y


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("one two three four 5", "one two three four 6"),
        ("one two three four five", "one two three fourfive"),
        ("ก่อน", "กอน"),  # a tone mark
        ("कि", "की"),  # a vowel sign
        ("人人生而自由", "人人生而自在"),
        ("\U00020000", "\U00020001"),  # Han beyond the table
        ("a + b", "a - b"),
        ("a * b", "a / b"),
        ("a*b", "a b"),
        ("a == b", "a = b"),
        ("a != b", "a ≠ b"),
        ("if !x", "if x"),
        ("a || b", "a && b"),
        ("x < 0", "x > 0"),
        ("x ∈ y", "x ∉ y"),
        ("balance -100", "balance 100"),
        ("气温：-5度", "气温：5度"),
        ("5 $", "5 €"),
        ("5 %", "5"),
    ],
)
def test_texts_that_differ_in_a_word_differ(text, other):
    x, y = shingles(text, other)
    assert x
    assert x != y


def test_code_that_differs_in_its_operators_is_not_alike():
    code = "def f(a, b):\n    c = a {0} b\n    d = c {0} a {0} b\n    return d {1} c\n"
    plus, other, minus = (set(s) for s in shingles(*(code.format(*pair) for pair in ("+<", "*>", "-<"))))
    assert reference.jaccard(plus, other) < 0.3
    assert reference.jaccard(plus, minus) < 0.3


def test_languages_without_spaces_have_character_ngrams_and_mixed_texts_mixed_ones():
    assert len(shingles("人人生而自由在尊严")[0]) == 9 - 5 + 1
    assert len(shingles("人人生而自由 born free 在尊严")[0]) == 6 + 2 + 3 - 5 + 1
    assert len(shingles("ก่อนที่จะ")[0]) == len(["ก่", "อ", "น", "ที่", "จ", "ะ"]) - 5 + 1
    assert len(shingles("བོད་ཀྱི་སྐད་ཡིག་གི་")[0]) == 1  # Tibetan: five syllables


@settings(deadline=None)  # kernels may be compiled
@given(TEXTS, TEXTS, st.integers(1, 6))
def test_similarity_is_that_of_sets_of_token_ngrams(text, other, ngram):
    x, y = map(set, shingles(text, other, settings=DedupSettings(ngram=ngram)))
    expected_x, expected_y = (reference.shingles(reference.tokens(t), ngram) for t in (text, other))
    assert (len(x), len(y), len(x & y)) == (len(expected_x), len(expected_y), len(expected_x & expected_y))


@settings(deadline=None)  # kernels may be compiled
@given(st.text())
def test_any_text_can_be_sketched(text):
    row = sketch([text]).to_pylist()[0]
    assert row["n_chars"] == len(text)
    assert row["shingles"] == sorted(set(row["shingles"]))
    assert len(row["bands"]) == (SETTINGS.bands if row["shingles"] else 0)


@settings(deadline=None)  # kernels may be compiled
@given(st.lists(TEXTS, min_size=1, max_size=4), st.integers(1, 64), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_bands_hold_the_minima_of_datasketch(texts, bands, rows, seed):
    settings = DedupSettings(bands=bands, rows=rows, seed=seed, ngram=2)
    for row in sketch(texts, settings).to_pylist():
        if not row["shingles"]:
            assert row["bands"] == []
            continue
        minhash = MinHash(num_perm=bands * rows, seed=seed, hashfunc=int, scheme="affine32")
        minhash.update_batch(row["shingles"])
        assert row["bands"] == band_hashes(minhash.hashvalues.tolist(), bands, rows)


def band_hashes(minima, bands, rows):
    hashes = []
    for band in range(bands):
        mixed = band
        for minimum in minima[band * rows : (band + 1) * rows]:
            mixed = ((mixed ^ minimum) * 0x9E3779B97F4A7C15) % 2**64
            mixed ^= mixed >> 32
        hashes.append(mixed)
    return hashes


def test_long_documents_have_datasketchs_minima_too():
    words = np.random.default_rng(5).integers(0, 10**6, 3000)
    row = sketch([" ".join(map(str, words))]).to_pylist()[0]
    minhash = MinHash(num_perm=112, hashfunc=int)
    minhash.update_batch(row["shingles"])
    assert row["bands"] == band_hashes(minhash.hashvalues.tolist(), 14, 8)


def test_a_text_of_fewer_words_than_an_ngram_is_one_shingle():
    (one,), (same,), (other,) = shingles("only three words", "Only three... words!", "only three")
    assert one == same != other


def test_what_has_no_text_or_no_words_has_no_bands():
    rows = sketch([None, "", "?! ...", "word"]).to_pylist()
    assert [len(row["bands"]) for row in rows] == [0, 0, 0, 14]
    assert [row["content_hash"] > 0 for row in rows] == [False, False, True, True]
    assert [row["n_chars"] for row in rows] == [0, 0, 6, 4]


def test_content_hash_is_blake2b_of_the_exact_text():
    text = "Größe 中文 😀"
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    assert sketch([text])["content_hash"].to_pylist() == [int.from_bytes(digest, "little")]


@pytest.mark.parametrize("type", [pa.string(), pa.large_string()])
def test_every_row_is_its_own_whatever_lies_around_it(type):
    texts = ["one two three four five six", None, "人人生而自由在尊严", "", "x", "...", "one two three four five six"]
    alone = pa.concat_tables([sketch([text]) for text in texts]).drop_columns("doc_id")
    whole = sketch(texts, type=type)
    assert whole.schema.equals(schema.SKETCHES.arrow, check_metadata=True)
    assert whole.drop_columns("doc_id").to_pylist() == alone.to_pylist()
    doc_ids, column = whole["doc_id"].combine_chunks(), pa.array(texts, type)
    assert sketch_documents(doc_ids[2:5], column[2:5], SETTINGS).equals(whole[2:5])
    assert len(sketch([], type=type)) == 0


def test_chunked_text_is_taken_too():
    text = pa.chunked_array([["one two"], ["three four five six seven"]])
    doc_ids = pa.array([f"{row:024x}" for row in range(2)])
    assert sketch_documents(doc_ids, text, SETTINGS).equals(sketch(text.to_pylist()))


def test_nothing_warns():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sketch(["some words"])
