"""The kernels of the edits agree with definitions in plain Python on generated texts."""

import pyarrow as pa
import pytest
from ftfy.badness import MOJIBAKE_CATEGORIES, is_bad
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from corpusmill.filters.edits import apply_edits
from corpusmill.filters.edits.c4_lines import C4Lines
from corpusmill.filters.edits.counting import changed_lines
from corpusmill.filters.edits.kernels.lines import Lines
from corpusmill.filters.edits.kernels.unicode import suspects
from corpusmill.filters.edits.white_space import WhiteSpace
from tests.filters.edits import reference

PIECES = (
    *("\n", "\n\n", " ", "\t", "\r\n", "\r", "\u00a0", "\u2009", "\u3000", "\u2028", "\x85", "\0", "\x1f", "\x0c"),
    *("```", "````", "```py", "> ```", "|", "| a | b |", "~~~", "`x`", "- ", "# ", "a[1]", "[1]", "[]", "[edit]"),
    *("[citation needed]", "[2", "JavaScript", "privacy policy", "use cookies", "one two three four five", "..."),
    *(
        "end.",
        'end?"',
        "end!’",
        "(end.)",
        "…",
        "end…",
        "'",
        "」",
        "。",
        "这是一个句子。",
        "ภาษาไทย",
        "ລາວ",
        "བོད་",
        "सत्य।",
    ),
    *("שלום", "مرحبا؟", "👩\u200d💻", "e\u0301", "\u200b", "\U0010ffff", "\ud7ff", "𐏕", "½", "A", "b", "7"),
)
TEXTS = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=4)), max_size=40).map("".join)
QUICK = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def edited(texts, edit):
    return apply_edits(pa.array(texts, pa.large_string()), [edit])[0].to_pylist()


def lines_of(texts):
    return Lines.of(pa.array(texts, pa.large_string()))


@QUICK
@given(st.lists(TEXTS, max_size=3))
def test_lines_and_blocks(texts):
    lines = lines_of(texts)
    expected = [line for text in texts for line in text.split("\n")]
    assert [lines.data[a:b].tobytes().decode() for a, b in zip(lines.starts, lines.ends, strict=True)] == expected
    assert lines.blocks().tolist() == [block for text in texts for block in reference.blocks_of(text.split("\n"))]


@QUICK
@given(TEXTS, st.randoms(use_true_random=False))
def test_lines_put_together(text, random):
    lines = lines_of([text])
    parts = text.split("\n")
    keep = [reference.is_blank(line) or random.random() < 0.6 for line in parts]
    array = pa.array([text], pa.large_string())
    found = lines.joined(pa.array(keep).to_numpy(zero_copy_only=False), array)
    assert found.to_pylist() == [reference.joined(parts, keep)]


@QUICK
@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=3))
@example([("a\na\n", ""), ("", "a"), ("a", "b\na")])
def test_changed_lines(pairs):
    before, after = (pa.array(texts, pa.large_string()) for texts in zip(*pairs, strict=True)) if pairs else ([], [])
    if pairs:
        assert changed_lines(before, after).to_pylist() == [reference.changed_lines(*pair) for pair in pairs]


@QUICK
@given(st.lists(TEXTS, max_size=3))
@example(["word " * 4 + "[citation needed] [1] end.", "a b c d e [1].", "a b c [1] d.", "x" * 1001 + " a b c d."])
def test_c4_as_its_code_has_it(texts):
    def expected(min_words, marks, with_marks):
        return [reference.c4_of_source(text, min_words, marks, words_with_marks=with_marks) for text in texts]

    assert edited(texts, C4Lines(variant="tfds")) == expected(5, '.?!"', False)
    assert edited(texts, C4Lines(variant="datatrove")) == expected(3, ".?!\"'", True)


@QUICK
@given(st.lists(TEXTS, max_size=3))
def test_c4_in_every_script(texts):
    only = C4Lines(min_words=2, citations=False, javascript=False, policies=False, max_word_length=10**6)
    for text, found in zip(texts, edited(texts, only), strict=True):
        lines = text.split("\n")
        keep = [
            block or reference.is_blank(line) or (reference.n_words(line) >= 2 and reference.ends_sentence(line))
            for line, block in zip(lines, reference.blocks_of(lines), strict=True)
        ]
        assert found == reference.joined(lines, keep)


@QUICK
@given(st.lists(TEXTS, max_size=3), st.booleans(), st.booleans(), st.booleans(), st.integers(0, 3))
def test_white_space(texts, line_breaks, spaces, trailing, most):
    wanted = {"line_breaks": line_breaks, "spaces": spaces, "trailing": trailing, "max_blank_lines": most}
    assert edited(texts, WhiteSpace(**wanted)) == [reference.tidy(text, **wanted) for text in texts]


def characters(ranges: str) -> list[str]:
    found = []
    for i, character in enumerate(ranges):
        if character == "-" and 0 < i < len(ranges) - 1:
            found += [chr(code) for code in range(ord(ranges[i - 1]), ord(ranges[i + 1]))]
        found.append(character)
    return found


@settings(max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.one_of(
            st.sampled_from([c for each in MOJIBAKE_CATEGORIES.values() for c in characters(each)]),
            st.sampled_from(["a", "Z", " ", "1", ".", "\u00ad", "Ђ", "ў", "中", "€", "’"]),
            st.characters(codec="utf-8"),
        ),
        max_size=6,
    ).map("".join)
)
def test_every_line_that_ftfy_finds_bad_is_suspected(line):
    line = line.replace("\n", " ")
    if is_bad(line):
        assert suspects(lines_of([line])).tolist() == [True]


@pytest.mark.parametrize("text", ["", "\n", "\n\n\n", " ", "\0", "a", "\n a"])
def test_short_texts(text):
    assert edited([text, None, text], C4Lines(terminal_punctuation=False, min_words=0)) == [text, None, text]
