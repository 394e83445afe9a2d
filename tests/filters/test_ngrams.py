"""The n-gram model against plain Kneser-Ney in dictionaries, and what the signal is for."""

import math
from collections import Counter, defaultdict

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.errors import InputError
from corpusmill.filters import ngrams
from corpusmill.filters.ngrams import (
    ORDER,
    bucket_of,
    measure_by_language,
    perplexities,
    read_models,
    train_ngrams,
    write_models,
)
from corpusmill.filters.tokens import words_of

from .texts import UDHR


class Plain:
    """Interpolated Kneser-Ney from its definition, on words as they are."""

    def __init__(self, texts):
        texts = [words_of(text) for text in texts]
        counts = Counter(word for text in texts for word in text)
        self.vocabulary = {word for word, n in counts.items() if n > 1}
        self.unknown = 1 + len(counts) - len(self.vocabulary)
        lines = [["<s>", *(self.known(word) for word in text)] for text in texts]
        self.parts, self.rests = {}, {}
        for order in range(1, ORDER + 1):
            raw = Counter(gram for line in lines for gram in self.grams(line, order))
            longer = {gram for line in lines for gram in self.grams(line, order + 1)}
            before = Counter(gram[1:] for gram in longer)
            adjusted = {
                gram: n if order == ORDER or (order > 1 and gram[0] == "<s>") else before[gram]
                for gram, n in raw.items()
            }
            once, twice = (list(adjusted.values()).count(n) for n in (1, 2))
            discount = once / (once + 2 * twice) if once and twice else 0.5
            totals = Counter()
            for gram, n in adjusted.items():
                totals[gram[:-1]] += n
            given = defaultdict(float)
            for gram, n in adjusted.items():
                if order <= 2 or n > 1:
                    self.parts[gram] = (n - discount) / totals[gram[:-1]]
                    given[gram[:-1]] += self.parts[gram]
            self.rests |= {context: 1 - share for context, share in given.items()}

    def known(self, word):
        return word if word in self.vocabulary else "<unk>"

    @staticmethod
    def grams(line, order):
        found = [tuple(line[i : i + order]) for i in range(len(line) - order + 1)]
        return [gram for gram in found if gram != ("<s>",)]

    def probability(self, history, word):
        value = 1 / (len(self.vocabulary) + 1)
        for j in range(min(len(history), ORDER - 1) + 1):
            context = tuple(history[len(history) - j :])
            if context in self.rests:
                value = self.rests[context] * value + self.parts.get((*context, word), 0.0)
        return value

    def perplexity(self, text):
        words, total = words_of(text), 0.0
        history = ["<s>"]
        for word in words:
            known = self.known(word)
            total += math.log(self.probability(history, known)) - (math.log(self.unknown) if known == "<unk>" else 0)
            history.append(known)
        return math.exp(-total / len(words)) if words else None


texts = st.lists(st.sampled_from(["a", "b", "c", "d", "中", "文", "x!"]), max_size=12).map(" ".join)


@settings(deadline=None)
@given(st.lists(texts, min_size=1, max_size=8), st.lists(st.one_of(st.none(), texts), max_size=4))
def test_it_is_kneser_ney(sample, pages):
    sample = [*sample, "a a b"]
    plain, model = Plain(sample), train_ngrams(sample)
    found = perplexities(model.tables(), pa.array(pages, pa.large_string())).to_pylist()
    expected = [None if page is None else plain.perplexity(page) for page in pages]
    assert found == [None if value is None else pytest.approx(value, rel=1e-4) for value in expected]


def test_of_real_text_and_its_probabilities_sum_to_one():
    sample = [text for code, text in UDHR.items() if code in ("en", "de", "zh", "th")] * 2
    plain, model = Plain(sample), train_ngrams(sample)
    pages = [UDHR["en"][:500], UDHR["zh"][:300], "quite another text of the people", "zxcv qwer"]
    found = perplexities(model.tables(), pa.array(pages, pa.large_string())).to_pylist()
    assert found == pytest.approx([plain.perplexity(page) for page in pages], rel=1e-3)
    for history in (["<s>"], ["the", "right"], ["right", "to", "the"], ["nobody", "knows"], ["人", "人"]):
        total = sum(plain.probability(history, word) for word in (*plain.vocabulary, "<unk>"))
        assert total == pytest.approx(1)
    assert np.all(model.parts > 0)


def test_prose_is_no_surprise_and_word_salad_is():
    rng = np.random.default_rng(1)
    lines = [line for line in UDHR["en"].split("\n") if line]
    model = train_ngrams(lines)
    prose = lines[3]
    salad = " ".join(rng.permutation(prose.split()))
    strange = " ".join("".join(rng.permutation(list(word))) + "q" for word in prose.split())
    values = perplexities(model.tables(), pa.array([prose, salad, strange], pa.large_string())).to_pylist()
    assert min(values[1:]) > 1.5 * values[0]


def test_a_long_line_and_texts_without_words():
    model = train_ngrams(["one two one two"])
    pages = ["one two " * 700_000, "", "...", None, "one"]
    values = perplexities(model.tables(), pa.array(pages, pa.large_string())).to_pylist()
    assert [value is None for value in values] == [False, True, True, True, False]


def test_models_are_written_and_read_and_buckets_are_theirs():
    models = {"en": train_ngrams([UDHR["en"]]), "zh": train_ngrams([UDHR["zh"]])}
    content = write_models(models)
    assert content == write_models(dict(reversed(models.items())))
    read = read_models(content, "w")
    assert {language: (m.uniform, m.unknown, m.limits) for language, m in read.items()} == {
        language: (m.uniform, m.unknown, m.limits) for language, m in models.items()
    }
    assert np.array_equal(read["zh"].grams, models["zh"].grams)
    tables = {language: (model.tables(), (5.0, 1e9)) for language, model in read.items()}
    pages = pa.array([UDHR["en"], UDHR["zh"], UDHR["de"], None, ""], pa.large_string())
    values, buckets = measure_by_language(tables, pages, pa.array(["en", "zh", "de", "en", "en"]))
    assert [value is None for value in values.to_pylist()] == [False, False, True, True, True]
    assert buckets.to_pylist()[2:] == [None, None, None]
    assert set(buckets.to_pylist()[:2]) <= {"head", "middle"}
    assert [bucket_of(x, (2.0, 3.0)) for x in (2.0, 2.5, 3.0, 3.5)] == ["head", "middle", "middle", "tail"]


@pytest.mark.parametrize(
    "change",
    [lambda c: b"", lambda c: c[:-1], lambda c: c + b"x", lambda c: c[:30], lambda c: ngrams.MAGIC + b"[]\n"],
)
def test_what_is_no_model_is_said(change):
    content = write_models({"en": train_ngrams(["one one two"])})
    with pytest.raises(InputError, match="w: the file is no model"):
        read_models(change(content), "w")
