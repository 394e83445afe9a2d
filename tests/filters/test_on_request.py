"""Groups of signals on request against plain-Python references; and the profiles that read them."""

import math

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from corpusmill.filters.chinesewebtext import measure_chinesewebtext
from corpusmill.filters.datatrove import measure_c4, measure_datatrove, tokens_of
from corpusmill.filters.profiles import built_in, names
from corpusmill.filters.register import ON_REQUEST
from corpusmill.filters.rules import check_filters
from corpusmill.filters.settings import FilterSettings, Profile
from corpusmill.filters.signals import measure_on_request, signals_schema

from . import reference_datatrove as reference
from .test_signals import BLANKS, PHRASES

MORE = (
    'He said: "Don\'t go... (e.g. to the U.S.)!"', "it's 5km, $10.50", "www.example.com/x?y", "a@b.org", "10pm",
    "I'm", "and/or", "end.Next", "well-known", "3+4", ":-)", "foo–bar", "a--b", "x=y", "A.B.", "°C.", "cannot",
    "US$5", "+1", "'", "’s", "……", "....", "- one", "• two", "[1] This is a line, and it ends.",
    "See [citation needed] that it is so.", "Please turn on JavaScript to see this.", "This is our privacy policy.",
    "Lorem ipsum dolor sit amet.", "{ a b c }.", "One. Two! Three?  Four.", "a b c d e f g",
    "人人生而自由，在尊严和权利上一律平等。",
    "漢語", "127.0.0.1", "1.2.3.4",
    "http://a.b/c", "go('https://a.bc/d-e=f", "10.0.0.1/a=b", "8.8.8.8/a=b",
    "x" * 1001 + " y z.", "the be to of and that have with",
)  # fmt: skip
TEXTS = st.one_of(
    st.lists(st.tuples(st.sampled_from(PHRASES + MORE), BLANKS | st.just(" ")), max_size=40).map(
        lambda parts: "".join(map("".join, parts))
    ),
    st.lists(st.sampled_from("ab. \n'-"), max_size=150).map("".join),
    st.text(max_size=80),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=80),
)


def compare(measure, wanted, texts):
    columns = measure(pa.array(texts, pa.large_string()))
    for i, text in enumerate(texts):
        for name, value in wanted(text).items():
            got = columns[name][i].as_py()
            if isinstance(value, float):
                assert got is not None and math.isclose(got, value, rel_tol=1e-12), (name, text)  # noqa: PT018
            else:
                assert got == value, (name, text)


@settings(max_examples=300, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=3))
@example([""])
@example(["a b a b a b a b a b a b a b a b a b"])
@example(["ab c a bc x y ab c a bc x y", "\n\na\n\na\n"])
def test_datatrove_equals_the_reference(texts):
    for text in texts:
        assert tokens_of(text) == reference.tokens_of(text)
    compare(measure_datatrove, reference.datatrove_of, texts)


@settings(max_examples=150, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=3))
@example(["人人生而自由，在尊严和权利上一律平等。" * 3])
def test_chinesewebtext_equals_the_reference(texts):
    kept = [text.replace("\u0130", "i") for text in texts]  # the one letter whose small form is two in Python
    compare(measure_chinesewebtext, reference.chinesewebtext_of, kept)


def test_c4_of_tfds_wants_five_words_to_a_line_and_no_apostrophe():
    text = "This line has five words. It has two sentences.\nOnly four words here.\nMr. J. Smith has one sentence."
    columns = measure_c4(pa.array([text, "It is a line that ends with 'one'", None], pa.large_string()))
    assert columns["c4_lines_n_sentences_tfds"].to_pylist() == [3, 0, None]
    more = ["This is a page of lorem ipsum.", "This is a page with { in it."]
    columns = measure_c4(pa.array(more, pa.large_string()))
    assert columns["c4_lines_lorem_ipsum_tfds"].to_pylist() == [True, False]
    assert columns["c4_lines_curly_bracket_tfds"].to_pylist() == [False, True]


@pytest.mark.parametrize("unit", ["word ", "的", "a", ". ", "!", "(", "-", "\n", "a-", "😀"])
def test_a_line_of_five_megabytes(unit):
    text = unit * (5_000_000 // len(unit.encode()))
    columns = measure_datatrove(pa.array([text], pa.large_string()))
    assert columns["n_words_datatrove"][0].as_py() is not None
    assert measure_chinesewebtext(pa.array([text], pa.large_string()))["han_share_chinesewebtext"][0].is_valid


@pytest.mark.parametrize("name", ON_REQUEST)
def test_a_group_has_the_columns_of_the_register(name):
    pages = pa.table({"doc_id": ["0", "1"], "text": pa.array(["A text.", None], pa.large_string())})
    table = measure_on_request(name, pages)
    assert table.schema == ON_REQUEST[name].arrow
    assert all(value is None for key, value in table.to_pylist()[1].items() if key != "doc_id")
    for column in ON_REQUEST[name].columns[1:]:
        value = table[column.name][0].as_py()
        assert value is None or column.least is None or column.least <= value <= (column.most or math.inf)


@pytest.mark.parametrize("name", [name for name in names() if name != "none"])
def test_a_profile_can_be_evaluated_and_names_its_source(name):
    profile = built_in(name)
    assert profile.source
    assert profile.title
    assert profile.rules
    check_filters(FilterSettings(profiles=[Profile(name=name)]), signals_schema())
