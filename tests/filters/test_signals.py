"""Signals against a plain-Python reference, on text that was written to be awkward."""

import math
import string
import unicodedata

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from corpusmill.errors import InputError
from corpusmill.extensions import Signal
from corpusmill.filters import batches, warm_up
from corpusmill.filters.characters import TERMINALS
from corpusmill.filters.register import EDIT_COUNTS, LANGUAGE_COLUMNS, ON_REQUEST_SIGNALS, SIGNALS, signals_schema
from corpusmill.filters.shape import SEED, measure_shape
from corpusmill.filters.signals import measure_pages

from .reference import SCRIPT_NAMES, n_gram_shares, signals_of

PHRASES = (
    "the cat sat on the mat",
    "It's 3.14, isn't it?",
    '"Go!" she said.',
    "foo(bar)... {x}",
    "日本語の文章です。",
    "中文没有空格，对吗？",
    "ภาษาไทยไม่มีช่องว่าง",
    "ខ្មែរ។",
    "ལ་དང་མི།",
    "e\u0301te\u0301 ﬁn ½ ２",
    "🙂❤️ 👨‍👩‍👧",
    "- item",
    "* * *",
    "• point",
    "– dash",
    "…",
    "....",
    "#tag ##",
    "Ã©tÃ© â€™ \ufffd\x85",
    "lorem IPSUM dolor",
    "الحرية؟ نعم.",
    "हिन्दी में।",
    "A B A B A B",
    "\u0301 x",
    "𝒳 𠀀𠀁",
    "3 likes",
    "1.2K Views",
    "Sign in",
    "please read more",
    "Items in cart: 3",
    "Please enable JavaScript.",
    "NASA USA",
    "2024",
    "ΑΒΓ Привет שלום 한국어는",
    "汉语 漢語",
)
PLAIN = frozenset(string.ascii_letters).union(*PHRASES)
"""Letters whose names say of which script they are; the reference goes by names, the kernel by blocks."""

BLANKS = st.sampled_from(["", " ", "  ", "\n", "\n\n", "\n \n", "\t", "\u3000", "\r\n", "\u2028", "\u00a0"])
TEXTS = st.one_of(
    st.lists(st.tuples(st.sampled_from(PHRASES), BLANKS), max_size=40).map(lambda parts: "".join(map("".join, parts))),
    st.lists(st.sampled_from("a b. \n"), max_size=200).map("".join),
    st.text(max_size=60).map(lambda text: "".join(c for c in text if not unusual(c))),
)


def unusual(character):
    """Is this of a script that the reference tells apart by name only in part?"""
    code = ord(character)
    return (code >= 0x16000 and not 0x1D400 <= code <= 0x1F9FF) or 0x1950 <= code < 0x1AB0 or 0xA9E0 <= code < 0xAAE0


def pages_of(*texts, **columns):
    ids = [str(i) for i in range(len(texts))]
    return pa.table({"doc_id": ids, "text": pa.array(texts, pa.large_string()), **columns})


def measure(*texts):
    return measure_pages(pages_of(*texts)).to_pylist()


@settings(max_examples=200, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=3))
@example([""])
@example(["\n\n \n"])
@example(['. . .\n...\n…\n "…"\n'])
@example(["a b a b a b a b a b a b a b a b a b a b a b a b"])
@example(["的" * 50])
def test_signals_equal_the_reference(texts):
    for row, text in zip(measure(*texts), texts, strict=True):
        by_blocks = any(unicodedata.category(c)[0] == "L" and c not in PLAIN for c in text)
        for name, wanted in signals_of(text, TERMINALS).items():
            got = row[name]
            if by_blocks and name.removesuffix("_share") in {*SCRIPT_NAMES, "other_script"}:
                continue
            if isinstance(wanted, float):
                assert got is not None, (name, text)
                assert math.isclose(got, wanted, rel_tol=1e-12, abs_tol=1e-12), (name, text)
            else:
                assert got == wanted, (name, text)


def test_every_signal_of_the_register_is_measured_and_described():
    table = measure_pages(pages_of("A word."))
    elsewhere = {column.name for column in (*EDIT_COUNTS, *ON_REQUEST_SIGNALS)}
    assert table.schema.equals(pa.schema([field for field in signals_schema() if field.name not in elsewhere]))
    assert table.column_names[1 + len(LANGUAGE_COLUMNS) :] == [signal.name for signal in SIGNALS]
    assert all(signal.description and len(signal.description) < 120 for signal in SIGNALS)
    assert table.schema.metadata is None


def test_pages_without_text_are_null_and_without_words_have_no_ratios():
    unreadable, empty, dots = measure(None, "", "...")
    assert all(value is None for name, value in unreadable.items() if name != "doc_id")
    assert empty["n_chars"] == empty["n_words"] == empty["n_lines"] == 0
    assert empty["language"] is None
    assert empty["duplicate_line_share"] is None
    assert dots["n_lines"] == 1
    assert dots["ellipsis_line_share"] == 1
    assert dots["symbol_word_ratio"] is None


def test_no_pages():
    assert measure_pages(pages_of()).num_rows == 0


def test_words_of_chinese_japanese_and_thai_are_estimated():
    chinese, thai, mixed = measure("人人生而自由，在尊严和权利上一律平等。", "มนุษย์ทั้งหลายเกิดมามีอิสระ", "用 Python 写的")
    assert chinese["n_words"] == 9  # 17 ideographs
    assert thai["n_words"] == 5  # 20 letters, marks not counted
    assert mixed["n_words"] == 1 + 2
    assert chinese["mean_word_length"] is None
    assert chinese["alphabetic_word_share"] is None
    assert chinese["spaceless_share"] == 1
    assert chinese["terminal_punctuation_line_share"] == 1


def test_repetition_is_seen_in_chinese_as_in_english():
    english = "All human beings are born free and equal in dignity and rights. " * 3
    chinese = "人人生而自由，在尊严和权利上一律平等。" * 3
    rows = measure(english, chinese)
    for row in rows:
        assert row["duplicate_5_gram_char_share"] == pytest.approx(2 / 3, abs=0.02)
        assert row["duplicate_10_gram_char_share"] == pytest.approx(2 / 3, abs=0.02)


def test_stop_words_are_counted_once_in_any_case_and_form():
    english = "The THE the and of with other words that people use in the course of an ordinary sentence."
    vietnamese = "Mọi người đều được hưởng các quyền và tự do của mình, không phân biệt chủng tộc hay màu da."
    decomposed = unicodedata.normalize("NFD", vietnamese)
    rows = measure(english, vietnamese, decomposed, "தமிழ் ஒரு பழமையான மொழி ஆகும்.")
    assert [row["language"] for row in rows] == ["en", "vi", "vi", "ta"]
    assert [row["stop_word_count"] for row in rows] == [5, 6, 6, None]
    assert rows[0]["stop_word_ratio"] == 9 / 18
    assert rows[3]["stop_word_ratio"] is None


def test_stop_words_without_spaces_and_korean_endings():
    thai, korean = measure(
        "ทุกคนมีสิทธิและเสรีภาพในการแสดงออก", "모든 사람은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다."
    )
    assert (thai["language"], thai["stop_word_count"]) == ("th", 4)  # มี และ ใน การ
    assert (korean["language"], korean["stop_word_count"]) == ("ko", 4)  # 은 과 에 다
    assert korean["hangul_share"] == thai["thai_share"] == 1


def test_traditional_and_simplified_chinese():
    simplified, traditional, both = measure("中华人民共和国的语言", "中華民國的語言", "中文")
    assert simplified["traditional_share"] == 0
    assert traditional["traditional_share"] == 1
    assert both["traditional_share"] is None


@settings(max_examples=100, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=3))
def test_every_value_is_in_its_signals_range(texts):
    for row in measure(*texts):
        for signal in SIGNALS:
            value = row[signal.name]
            if value is not None and signal.least is not None:
                assert signal.least <= value, signal.name
                assert signal.most is None or value <= signal.most, signal.name


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from("abc"), max_size=60))
def test_duplicate_n_grams_lie_between_datatroves_and_all(words):
    """datatrove counts a greedy, non-overlapping choice of the repeats; the union of them can only be more."""
    (row,) = measure(" ".join(words))
    for n in range(5, 11):
        share = row[f"duplicate_{n}_gram_char_share"]
        if not words:
            assert share is None
            continue
        assert datatrove_duplicate_chars(words, n) / len(words) <= share + 1e-12
        assert share <= 1
        if n > 5:
            assert share <= row[f"duplicate_{n - 1}_gram_char_share"]


def datatrove_duplicate_chars(words, n):
    """`find_all_duplicate` of datatrove's Gopher repetition filter."""
    unique, repeated, i = set(), 0, 0
    while i < len(words) - n + 1:
        gram = "".join(words[i : i + n])
        if gram in unique:
            repeated += len(gram)
            i += n
        else:
            unique.add(gram)
            i += 1
    return repeated


def test_a_page_s_signals_do_not_depend_on_its_neighbours(monkeypatch):
    texts = ["A first text.\n\nOf lines.", "", "第二个文本。", None, "the end " * 50, "x"]
    together = measure(*texts)
    apart = [measure(text)[0] | {"doc_id": row["doc_id"]} for text, row in zip(texts, together, strict=True)]
    monkeypatch.setattr(batches, "BATCH_BYTES", 1)
    assert together == apart == measure(*texts)


def test_long_documents_and_chunked_columns():
    words = [f"w{i % 700}" for i in range(20_000)]
    text = " ".join(words)
    column = pa.chunked_array([pa.array(["a"], pa.large_string()), pa.array([text], pa.large_string())])
    table = measure_pages(pa.table({"doc_id": ["0", "1"], "text": column}))
    row = table.to_pylist()[1]
    top, duplicate = n_gram_shares(words[:2000], 1)
    assert row["n_words"] == 20_000
    assert row["unique_word_share"] == 700 / 20_000
    assert row["word_entropy"] == pytest.approx(math.log(700), abs=1e-3)
    assert duplicate[10] == pytest.approx(1 - 700 / 2000, abs=0.01)
    assert row["duplicate_10_gram_char_share"] == pytest.approx(1 - 700 / 20_000, abs=0.01)
    assert top[2] == pytest.approx(row["top_2_gram_char_share"], abs=0.01)
    assert all(table.column(i).num_chunks == 1 for i in range(table.num_columns))


def test_invalid_utf8_does_no_harm():
    data = np.frombuffer(b"ab \xff\xc3 \xe6\x97", np.uint8)
    shape = measure_shape(data, np.array([0, 5, len(data)]))
    assert shape.units.ends[-1] <= len(data)
    assert shape.units.hashes[0] != SEED


def test_a_user_s_signal_is_a_column():
    def loud(pages):
        assert pages.column_names == ["doc_id", "url", "text"]
        return [text.count("!") if text else 7 for text in pages["text"].to_pylist()]

    def marks(pages):
        return pc.count_substring(pages["text"], "!")

    def first_marks(pages):
        return marks(pages).combine_chunks()

    user = [
        Signal("loudness", pa.float64(), "marks", loud),
        Signal("marks", pa.int64(), "the same, chunked", marks),
        Signal("first_marks", pa.int32(), "the same, as an array", first_marks),
    ]
    table = measure_pages(pages_of("a!!", None, url=["u", "v"], secret=[1, 2]), user)
    assert table.schema.names[-3:] == ["first_marks", "loudness", "marks"]
    assert [table[name].to_pylist() for name in table.schema.names[-3:]] == [[2, None]] * 3
    assert table.schema.field("loudness").type == pa.float64()


@pytest.mark.parametrize(
    ("measure_wrongly", "says"),
    [
        (lambda pages: 1 / 0, "ZeroDivisionError"),
        (lambda pages: [1.0], "returns 1 values"),
        (lambda pages: ["no", "number"], "fails"),
        (lambda pages: None, "fails"),
    ],
)
def test_a_user_s_signal_that_fails_is_named(measure_wrongly, says):
    wrong = Signal("mine", pa.float64(), "wrong", measure_wrongly)
    with pytest.raises(InputError, match=f"signal 'mine'.*2 pages.*{says}"):
        measure_pages(pages_of("a", "b"), [wrong])


def test_a_user_s_signal_cannot_take_a_built_in_name():
    with pytest.raises(InputError, match="signal 'n_words'"):
        signals_schema([Signal("n_words", pa.float64(), "mine", len)])


def test_warm_up_compiles_everything():
    warm_up()


def test_a_user_s_nan_is_null_so_that_it_never_drops():
    own = Signal("tests_share", pa.float64(), "zero by zero", lambda pages: pa.array([float("nan"), 0.5]))
    pages = pa.table({"doc_id": ["a", "b"], "text": pa.array(["", "text"], pa.large_string())})
    assert measure_pages(pages, [own])["tests_share"].to_pylist() == [None, 0.5]
