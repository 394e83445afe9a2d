"""Contamination: kernels against a plain definition, and the cases that the field's method is about."""

import gzip
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.errors import InputError
from corpusmill.filters import contamination
from corpusmill.filters.contamination import Item, cut_spans, evaluation, find_spans, read_set

from .test_tokens import plain_tokens

QUESTION = "Which of the following gases, by volume, is the most abundant one in the atmosphere of the Earth today?"
CHINESE = "下列哪一种气体按体积计算在今天的地球大气中含量最多请从四个选项里选择一个正确答案"
FILLER = "An unrelated sentence stands here, and it says nothing at all. "


def spans_of(items, texts, n=13, min_overlap=0.0):
    found = find_spans(evaluation(items, n), pa.array(texts, pa.large_string()), min_overlap)
    return [[(span.start, span.end, span.set, span.item) for span in spans] for spans in found]


def one(text, number="0"):
    return Item("quiz", number, (text,))


# ---- plainly -------------------------------------------------------------------------------------------------------


def windows(tokens, weight):
    """(start, stop) of the shortest runs that weigh so much."""
    found = []
    for start in range(len(tokens)):
        total = 0
        for stop in range(start, len(tokens)):
            total += tokens[stop][3]
            if total >= weight:
                found.append((start, stop + 1))
                break
    return found


def words(tokens, window):
    return tuple(token[0] for token in tokens[slice(*window)])


def plainly(items, text, n, min_overlap, shortest):
    grams = {}  # by weight and words: the items that hold them
    for number, item in enumerate(items):
        for each in item.texts:
            tokens = plain_tokens(each)
            total = sum(token[3] for token in tokens)
            weight = 4 * n if total >= 4 * n else total if total >= 4 * shortest else None
            for window in windows(tokens, weight) if weight else []:
                grams.setdefault((weight, words(tokens, window)), set()).add(number)
    tokens = plain_tokens(text)
    found = {
        (start, stop, weight, words(tokens, (start, stop)))
        for weight in {weight for weight, _ in grams}
        for start, stop in windows(tokens, weight)
        if (weight, words(tokens, (start, stop))) in grams
    }
    held = {(weight, gram) for *_, weight, gram in found}
    counting = {
        number
        for number in range(len(items))
        if (mine := [gram for gram, holders in grams.items() if number in holders])
        and len([gram for gram in mine if gram in held]) >= max(1, min_overlap * len(mine))
    }
    runs = []
    for start, stop, weight, gram in sorted(found):
        holders = grams[weight, gram] & counting
        if holders:
            if runs and start <= runs[-1][1]:
                runs[-1][1] = max(runs[-1][1], stop)
                runs[-1][2] += sorted(holders)
            else:
                runs.append([start, stop, sorted(holders)])
    spans = []
    for start, stop, holders in runs:
        item = items[min(set(holders), key=lambda number: (-holders.count(number), number))]
        spans.append((tokens[start][1], tokens[stop - 1][2], item.set, item.item))
    return spans


pieces = st.sampled_from(["a", "B", "c,", "é", "中", "文", "ไ", "ท", "x-y", "\U0001f600"])
texts = st.lists(pieces, max_size=14).map(" ".join)


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.lists(texts, min_size=1, max_size=2), min_size=1, max_size=4),
    st.lists(texts, min_size=1, max_size=3),
    st.sampled_from([2, 3, 4]),
    st.sampled_from([0.0, 0.5, 1.0]),
)
def test_spans_are_those_of_the_definition(sets, pages, n, min_overlap):
    items = [Item("s", str(number), tuple(each)) for number, each in enumerate(sets)]
    shortest, contamination.SHORTEST = contamination.SHORTEST, 2
    try:
        found = spans_of(items, pages, n, min_overlap)
    finally:
        contamination.SHORTEST = shortest
    assert found == [plainly(items, page, n, min_overlap, 2) for page in pages]


# ---- what it is for ------------------------------------------------------------------------------------------------


def test_a_question_is_found_in_other_case_and_punctuation_with_its_place():
    copied = QUESTION.upper().replace(",", " --")
    page = FILLER + "Quiz!\n" + copied + "\n" + FILLER
    (((start, end, name, item),),) = spans_of([one(QUESTION, "q7")], [page])
    assert (name, item) == ("quiz", "q7")
    assert page[start:end] == copied.rstrip("?")


def test_fewer_words_than_n_are_not_enough():
    twelve = " ".join(QUESTION.split()[:12])
    assert spans_of([one(QUESTION)], [twelve + " ocean"]) == [[]]
    assert len(spans_of([one(QUESTION)], [" ".join(QUESTION.split()[:13])])[0]) == 1


def test_scripts_without_spaces_use_letters():
    page = "前言。" + CHINESE[:30] + "，结束"
    assert spans_of([one(CHINESE)], [page]) == [[(3, 33, "quiz", "0")]]
    assert spans_of([one(CHINESE)], ["前言。" + CHINESE[:25] + "，结束"]) == [[]]


def test_a_short_question_is_found_as_a_whole_and_a_very_short_one_is_not_looked_for():
    eight, seven = "What is the capital city of old France", "What is the capital city of France"
    assert len(spans_of([one(eight)], [FILLER + eight])[0]) == 1
    assert spans_of([one(eight)], [eight.removesuffix(" France")]) == [[]]
    assert spans_of([one(seven)], [FILLER + seven]) == [[]]


def test_an_item_counts_from_a_share_on():
    half = " ".join(QUESTION.split()[:15])
    whole = len(QUESTION.split()) - 12
    assert len(spans_of([one(QUESTION)], [half], min_overlap=3 / whole)[0]) == 1
    assert spans_of([one(QUESTION)], [half], min_overlap=3.1 / whole) == [[]]


def test_the_item_with_most_n_grams_is_named_and_places_are_characters():
    items = [one(" ".join(QUESTION.split()[:14]), "part"), one(QUESTION, "whole")]
    page = "\U0001f600é中 " + QUESTION
    assert spans_of(items, [page, None, ""]) == [[(4, len(page) - 1, "quiz", "whole")], [], []]


def test_a_hash_that_lies_is_not_believed(monkeypatch):
    sets = evaluation([one(QUESTION)], 13)
    sets.words[0] = ["another"] * 30
    assert find_spans(sets, pa.array([QUESTION], pa.large_string()), 0.0) == [[]]


def test_a_long_line_and_many_pages():
    page = FILLER * 80_000
    found = spans_of([one(QUESTION)], [page + QUESTION, *["x"] * 1000, page])
    assert [len(spans) for spans in found] == [1, *[0] * 1001]
    assert found[0][0][0] == len(page)


def test_a_phrase_of_all_items_takes_no_time_on_a_page_that_repeats_it():
    phrase = "Answer the following multiple choice question by giving only the letter of the right option below"
    items = [one(f"{phrase} {QUESTION} {number}", str(number)) for number in range(20_000)]
    page = f"{phrase} xyz. " * 1_000 + f"{phrase} {QUESTION} 7"
    found = spans_of(items, [page])
    assert len(found[0]) == 1_001
    assert found[0][0][-1] == "0"
    assert found[0][-1][-1] == "7"


def test_cutting_takes_lines():
    text = f"one\n{FILLER}{QUESTION} more\r\n\nlast {QUESTION}"
    (spans,) = find_spans(evaluation([one(QUESTION)], 13), pa.array([text], pa.large_string()), 0.0)
    after, lines, characters = cut_spans(text, spans)
    assert (after, lines) == ("one\n\n", 2)
    assert characters == len(text) - len(after)


def test_cutting_takes_every_line_that_a_span_touches():
    text = "\n".join(["before", *QUESTION.split(), "after"])
    (spans,) = find_spans(evaluation([one(QUESTION)], 13), pa.array([text], pa.large_string()), 0.0)
    assert cut_spans(text, spans)[0] == "before\nafter"


def test_cutting_has_the_lines_of_every_edit():
    text = f"one\x0c{QUESTION}\u2028two\nafter"
    (spans,) = find_spans(evaluation([one(QUESTION)], 13), pa.array([text], pa.large_string()), 0.0)
    assert cut_spans(text, spans) == ("after", 1, len(text) - len("after"))


# ---- reading sets --------------------------------------------------------------------------------------------------


def test_an_id_with_half_a_character_can_be_put_on_record():
    (item,) = read_set(b'{"id": "\\ud800x", "q": "one"}', "x.jsonl", "s", ["q"], "w")
    assert pa.array([item.item]).to_pylist() == ["?x"]


def test_sets_are_read_from_json_lines_and_parquet():
    rows = [{"id": "a", "q": "one", "choices": {"text": ["two", "three"], "n": [1]}}, {"q": "four", "other": None}]
    lines = "\ufeff" + "\n\n".join(json.dumps(row) for row in rows)
    expected = [Item("s", "a", ("a", "one", "two", "three")), Item("s", "1", ("four",))]
    assert read_set(lines.encode(), "x.jsonl", "s", [], "w") == expected
    assert read_set(gzip.compress(lines.encode()), "x.jsonl.gz", "s", [], "w") == expected
    chosen = read_set(lines.encode(), "x.jsonl", "s", ["choices"], "w")
    assert [item.texts for item in chosen] == [("two", "three"), ()]
    sink = io.BytesIO()
    pq.write_table(pa.table({"id": [7, 8], "q": ["one", None], "choices": [["two"], []]}), sink)
    assert read_set(sink.getvalue(), "x.parquet", "s", [], "w") == [Item("s", "7", ("one", "two")), Item("s", "8", ())]


@pytest.mark.parametrize(
    ("content", "path", "fields", "said"),
    [
        (b"{}\nnot json", "x.jsonl", [], "line 2 is no JSON"),
        (b"[1]", "x.jsonl", [], "line 1 is no JSON object"),
        (b"\xff\xfe", "x.jsonl", [], "cannot be read as JSON lines"),
        (b"\x1f\x8bxxxxxxxxxxxxxx", "x.jsonl.gz", [], "cannot be read as JSON lines"),
        (b"PAR1", "x.parquet", [], "is no Parquet file"),
        (b'{"q": "x"}', "x.jsonl", ["question"], "no item has a field 'question'; there are: q"),
        (b'{"q": 1}', "x.jsonl", [], "no item with text"),
        (b'{"q": ' + b"[" * 100_000, "x.jsonl", [], "line 1 is no JSON"),
    ],
)
def test_what_is_no_set_is_said(content, path, fields, said):
    with pytest.raises(InputError, match=f"recipe: x: .*{said}"):
        read_set(content, path, "s", fields, "recipe: x")
