"""Whole characters, and stop strings that begin in one piece and end in another."""

from hypothesis import given
from hypothesis import strategies as st

from corpusmill.generate.writer import StopStrings, Writer

LETTERS = st.text(alphabet="ab<", max_size=20)


def written(pieces, stops):
    found = StopStrings(stops)
    text = ""
    for piece in pieces:
        text += found.add(piece)
        if found.found:
            return text, True
    return text + found.rest(), False


def by_definition(text, stops):
    """Read one character after another; stop as soon as a stop string is complete."""
    for end in range(len(text) + 1):
        complete = [each for each in stops if text[:end].endswith(each)]
        if complete:
            return text[: end - max(map(len, complete))], True
    return text, False


@given(st.lists(LETTERS, max_size=8), st.lists(st.text(alphabet="ab<", min_size=1, max_size=5), max_size=3))
def test_the_result_does_not_depend_on_the_pieces(pieces, stops):
    assert written(pieces, stops) == by_definition("".join(pieces), stops)


@given(st.lists(LETTERS, max_size=8), st.text(alphabet="ab<", min_size=1, max_size=5))
def test_nothing_is_held_back_that_cannot_begin_a_stop_string(pieces, stop):
    found = StopStrings([stop])
    shown = "".join(found.add(piece) for piece in pieces)
    if not found.found:
        held = "".join(pieces)[len(shown) :]
        assert stop.startswith(held)
        assert held != stop


def test_a_character_of_several_tokens_comes_when_it_is_complete(loaded):
    trained = loaded("decoder")
    ids = [trained.tokenizer.token_to_id(token) for token in trained.tokenizer.encode("學 a").tokens]
    assert len(ids) > 3  # the character is not in the corpus, so each byte is a token
    writer = Writer(trained.tokenizer, [], [], shows_special=False)
    pieces = list(map(writer.add, ids))
    assert next(filter(None, pieces)) == "學"
    assert "".join(pieces) == "學 a"
    writer = Writer(trained.tokenizer, [], ["學"], shows_special=False)
    assert "".join(map(writer.add, ids[:3])) == ""
    assert writer.stopped


def test_an_incomplete_character_at_the_end_is_left_out(loaded):
    trained = loaded("decoder")
    ids = trained.tokenizer.encode("a學").ids[:-1]
    writer = Writer(trained.tokenizer, [], ["zzz"], shows_special=False)
    assert "".join(map(writer.add, ids)) + writer.rest() == "a"
