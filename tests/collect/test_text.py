import time
import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st

from corpusmill.collect.text import normalise, one_line


def test_line_ends_and_controls():
    assert normalise("a\r\nb\rc\x0bd\x0ce\x85f\u2028g\u2029h\x1ei") == "a\nb\nc\nd\ne\nf\ng\nh\ni"
    assert normalise("a\0b\x08c\x7fd\ufeffe\ufffff") == "abcdef"
    assert normalise("one\x1ftwo\tthree") == "one two\tthree"
    assert normalise("Silben\xadtren\xadnung") == "Silbentrennung"


def test_what_means_something_stays():
    for text in ("می\u200cخواهم", "क्\u200dष", "👩\u200d🔬", "ភាសា\u200bខ្មែរ", "10\xa0km", "\u200fعربي\u200e", "𠮷野家"):
        assert normalise(text) == text


def test_equivalent_texts_become_the_same():
    for text in ("Tiếng Việt", "한국어", "Ọ̀rúnmìlà", "é"):
        assert normalise(unicodedata.normalize("NFD", text)) == unicodedata.normalize("NFC", text)


@given(st.text(st.characters()))
def test_normal_form_is_stable_and_encodable(text):
    once = normalise(text)
    assert normalise(once) == once
    assert once.encode().decode() == once
    assert unicodedata.is_normalized("NFC", once)
    assert not any(unicodedata.category(c) in ("Cc", "Cs") for c in once if c not in "\t\n")


def test_lone_surrogates():
    assert normalise("a\ud800b") == "a\ufffdb"
    assert one_line("x\udfff") == "x\ufffd"


def test_one_line():
    assert one_line("  A\n title\t\xa0 here ") == "A title here"
    assert one_line(" \0 ") is None
    assert one_line(None) is None


@given(
    st.text(
        st.sampled_from("ae\u00e9\u1ec7\u0301\u0323\u0344\u0345\u0308\u093c\u05b8\u1100\u1161\u302a\U0001d165"),
        max_size=200,
    )
)
@example("e" + "\u0301\u0323" * 40 + "\u00e9" + "\u0344\u0345" * 40)
def test_any_number_of_marks_is_in_nfc(text):
    assert normalise(text) == unicodedata.normalize("NFC", text)


def test_time_does_not_grow_with_the_square_of_the_marks_on_a_letter():
    text = "e" + "\u0301\u0323" * 100_000
    started = time.process_time()
    assert normalise(text) == "\u1eb9" + "\u0323" * 99_999 + "\u0301" * 100_000
    assert time.process_time() - started < 3  # .06 s; by the library alone, 30 s
