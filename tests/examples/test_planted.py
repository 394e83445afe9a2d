"""The input of docs/ablations.md."""

from hypothesis import given
from hypothesis import strategies as st

from examples.planted import PASSAGE, passages, shuffled

PARAGRAPHS = st.lists(st.text("ab ", min_size=1, max_size=1200))


@given(PARAGRAPHS)
def test_passages_are_the_text_in_pieces_that_are_long_enough(paragraphs):
    text = "\n\n".join(paragraphs)
    found = passages(text)
    assert "\n\n".join(found) == text
    assert len(found) == 1 or all(len(passage) >= PASSAGE for passage in found)


def test_shuffling_keeps_the_bytes_of_english_and_breaks_other_characters():
    assert sorted(shuffled("some text", 1)) == sorted("some text")
    assert shuffled("some text", 1) == shuffled("some text", 1) != shuffled("some text", 2)
    assert "\ufffd" in shuffled("今天天气很好", 1)
