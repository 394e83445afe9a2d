import unicodedata

from hypothesis import given
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
