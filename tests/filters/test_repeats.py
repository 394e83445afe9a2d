"""Repeated lines, paragraphs, spans of sentences and substrings, against a plain search over all documents.

The reference knows nothing of hashes, sieves or parts: it compares words as texts.  Tokens come from the plain
tokenizer of `test_tokens`.
"""

import itertools
import re
import unicodedata
from collections import defaultdict

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill import schema
from corpusmill.arrow import Utf8Column
from corpusmill.filters.characters import TERMINALS
from corpusmill.filters.repeats.counting import count_blobs, frequent, known
from corpusmill.filters.repeats.cutting import joined, without_spans
from corpusmill.filters.repeats.firsts import answers_of, firsts
from corpusmill.filters.repeats.lines import Sought, count_units, cut_units, table_of
from corpusmill.filters.repeats.texts import Repeats, candidate_blobs, count_sieves, cuts_table, without_cuts
from corpusmill.filters.repeats.units import n_words, units_of
from corpusmill.filters.settings import PiiSettings

from .test_tokens import plain_tokens

# ---- plainly -------------------------------------------------------------------------------------------------------


def closes(character):
    return unicodedata.category(character) in ("Pe", "Pf", "Pi") or character in "\"'*_"


def ends_sentence(gap):
    """Whether a sentence ends in what is between two words."""
    if "\n" in gap or any(c in TERMINALS and ord(c) >= 0x2E80 for c in gap):
        return True
    for place, character in enumerate(gap):
        if character in TERMINALS:
            rest = gap[place:].lstrip("".join({c for c in gap if c in TERMINALS or closes(c)}))
            if rest[:1].isspace():
                return True
    return False


def tail(text, stop, limit):
    """Where the punctuation after a word ends."""
    while stop < limit and not text[stop].isspace() and unicodedata.category(text[stop]) not in ("Ps", "Pi"):
        stop += 1
    return stop


def plain_units(text, kind, min_words):
    """(start, stop, words) of each unit that has enough words."""
    tokens = plain_tokens(text)
    found = []

    def add(start, stop, inside):
        if inside and sum(token[3] for token in inside) >= 4 * min_words:
            found.append((start, stop, tuple(token[0] for token in inside)))

    def ending(last):
        limit = tokens[last + 1][1] if last + 1 < len(tokens) else len(text)
        return tail(text, tokens[last][2], limit)

    if kind in ("line", "paragraph"):
        pattern = r"[^\n]+" if kind == "line" else r"(?:[^\n]*[^\s][^\n]*(?:\n|$))+"
        for match in re.finditer(pattern, text, re.ASCII):
            start, stop = match.start(), match.end() - match.group().endswith("\n")
            add(start, stop, [token for token in tokens if start <= token[1] < stop])
    elif kind == "sentences":
        ends = [i for i, (a, b) in enumerate(itertools.pairwise(tokens)) if ends_sentence(text[a[2] : b[1]])]
        bounds = [0, *(end + 1 for end in ends), len(tokens)] if tokens else []
        for first, last in zip(bounds, bounds[3:], strict=False):
            add(tokens[first][1], ending(last - 1), tokens[first:last])
    else:
        weights = [token[3] if kind == "substring" else letters(text[token[1] : token[2]]) for token in tokens]
        least = 4 * min_words if kind == "substring" else min_words
        for first in range(len(tokens)):
            for last in range(first, len(tokens)):
                if sum(weights[first : last + 1]) >= least:
                    inside = tuple(token[0] for token in tokens[first : last + 1])
                    found.append((tokens[first][1], ending(last), inside))
                    break
    return found


def letters(word):
    """The letters and digits of a word; a word has at least one."""
    return max(1, sum(unicodedata.category(character)[0] in "LN" for character in word))


def merged(spans):
    found = []
    for start, stop in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(stop, found[-1][1]))
        else:
            found.append((start, stop))
    return found


def plain_cuts(corpus, units):
    """By doc_id, the spans that go: of each unit all occurrences but the first in the smallest doc_id."""
    places = defaultdict(list)
    for doc_id in sorted(corpus):
        for kind, min_words in units:
            for start, stop, words in plain_units(corpus[doc_id] or "", kind, min_words):
                places[kind, words].append((doc_id, start, stop))
    gone = defaultdict(list)
    for occurrences in places.values():
        for doc_id, start, stop in occurrences[1:]:
            gone[doc_id].append((start, stop))
    return {doc_id: merged(spans) for doc_id, spans in gone.items()}, {of[0][0] for of in places.values() if of[1:]}


def plain_lines(corpus, hosts, sought):
    """By doc_id, the spans that go: of each unit that is in enough documents."""
    holders = defaultdict(set)
    for doc_id, text in corpus.items():
        for start, stop, words in plain_units(text or "", sought.unit, sought.min_words):
            if sought.fold_numbers:
                words = tuple("0" if all(unicodedata.category(c)[0] == "N" for c in word) else word for word in words)
            host = hosts[doc_id] if sought.scope == "host" else "everywhere"
            if host is not None:
                holders[host, words].add((doc_id, start, stop))
    gone = defaultdict(list)
    for places in holders.values():
        if len({doc_id for doc_id, *_ in places}) >= sought.min_documents:
            for doc_id, start, stop in places:
                gone[doc_id].append((start, stop))
    return {doc_id: merged(spans) for doc_id, spans in gone.items()}


# ---- in parts ------------------------------------------------------------------------------------------------------


def shuffled(parts, send, gather, destinations):
    """One round: what comes back to each part."""
    sent = [send(part) for part in parts]
    messages = defaultdict(list)
    for destination in range(destinations):
        for part, content in gather([(n, blobs[destination]) for n, blobs in enumerate(sent)]):
            messages[part].append(content)
    return [messages[n] for n in range(len(parts))]


def array(texts):
    return pa.array(texts, pa.large_string())


def cut_of(parts, repeats, destinations=1):
    """The tables of parts, each of them a list of (doc_id, text)."""
    held = [(array([text for _, text in part]), [doc_id for doc_id, _ in part]) for part in parts]
    sieves = shuffled(held, lambda p: count_blobs([count_sieves(p[0], repeats)], destinations), frequent, destinations)
    numbered = list(zip(held, sieves, strict=True))
    answers = shuffled(
        numbered, lambda p: candidate_blobs(*p[0], repeats, known(p[1]), destinations), firsts, destinations
    )
    return [cuts_table(*p, repeats, answers_of(found)) for p, found in zip(held, answers, strict=True)]


def spans_by_id(tables):
    rows = [row for table in tables for row in table.to_pylist()]
    return {row["doc_id"]: [(cut["start"], cut["end"]) for cut in row["cuts"]] for row in rows}


def doc_id(number):
    return f"{(number + 1) * 7919 % 1009:024x}"


def divided(corpus, cuts):
    items, bounds = list(corpus.items()), sorted({0, *(cut % (len(corpus) + 1) for cut in cuts), len(corpus)})
    return [items[a:b] for a, b in itertools.pairwise(bounds)] or [[]]


WORDS = (
    "a",
    "b",
    "Á",
    "x1",
    "12",
    "7",
    ".",
    "!",
    " ",
    " ",
    " ",
    "\n",
    "\n\n",
    "。",
    "中",
    "文",
    "ก",
    '."',
    "“",
    "(",
    " -",
    "",
)
TEXTS = st.one_of(
    st.none(),
    st.lists(st.sampled_from(WORDS), max_size=40).map("".join),
    st.lists(
        st.sampled_from(["a b. ", "A, B! C d.\n", "中文。", "e f g h. ", "\n\n", "1 2 ", "(x) y? "]), max_size=12
    ).map("".join),
)
CORPUS = st.lists(TEXTS, max_size=8).map(lambda texts: {doc_id(n): text for n, text in enumerate(texts)})


@pytest.mark.parametrize("kind", ["line", "paragraph", "sentences", "substring", "characters"])
@settings(max_examples=50, deadline=None)
@given(TEXTS, st.integers(1, 4))
def test_units_are_where_the_plain_definition_has_them(kind, text, min_words):
    column = Utf8Column.of(array(["before. It", text, None]))
    least = {"substring": 10, "characters": 8 * min_words + 1}.get(kind, min_words)
    units = units_of(column, kind, least)
    chosen = units.rows == 1
    raw, begin = column.data.tobytes(), int(column.offsets[1])
    spans = zip(units.starts[chosen].tolist(), units.stops[chosen].tolist(), strict=True)
    found = [(len(raw[begin:start].decode()), len(raw[begin:stop].decode())) for start, stop in spans]
    expected = plain_units(text or "", kind, least)
    assert found == [(start, stop) for start, stop, _ in expected]
    words = [words for *_, words in expected]
    for first, one in enumerate(words):
        for second, other in enumerate(words):
            assert (units.hashes[chosen][first] == units.hashes[chosen][second]) == (one == other)


@settings(max_examples=50, deadline=None)
@given(
    CORPUS,
    st.sampled_from(["line", "paragraph", "sentences"]),
    st.integers(1, 3),
    st.lists(st.integers(0, 20), max_size=3),
    st.integers(1, 3),
)
def test_of_repeated_units_the_first_stays(corpus, kind, min_words, cuts, destinations):
    repeats = Repeats(units=((kind, min_words), ("substring", 10), ("characters", 15)), min_words_left=3)
    tables = cut_of(divided(corpus, cuts), repeats, destinations)
    expected, keepers = plain_cuts(corpus, repeats.units)
    assert spans_by_id(tables) == expected
    assert all(table.schema.equals(schema.REPEATED_TEXT.arrow) for table in tables)
    for row in (row for table in tables for row in table.to_pylist()):
        left = without_spans(corpus[row["doc_id"]], expected[row["doc_id"]])
        words = sum(token[3] for token in plain_tokens(left)) / 4
        assert row["words_left"] == words
        assert (row["rule"] == "repeated_text") == (words < 3 and row["doc_id"] not in keepers)
        assert row["cut_chars"] == sum(end - start for start, end in expected[row["doc_id"]])
        for cut in row["cuts"]:
            assert cut["text"] == corpus[row["doc_id"]][cut["start"] : cut["end"]][:200]
            assert cut["documents"] >= 1
            assert cut["twin_doc_id"] <= row["doc_id"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 3), max_size=60), min_size=1, max_size=5), st.integers(10, 14), st.integers(1, 3)
)
def test_no_repeated_substring_is_missed(numbers, words, destinations):
    """Few different words make many overlapping repetitions, also within one document."""
    corpus = {doc_id(n): " ".join("w" * number + "x" for number in each) for n, each in enumerate(numbers)}
    for unit in (("substring", words), ("characters", 2 * words)):
        repeats = Repeats(units=(unit,), min_words_left=0)
        tables = cut_of([[item] for item in corpus.items()], repeats, destinations)
        assert spans_by_id(tables) == plain_cuts(corpus, repeats.units)[0]


def test_letters_are_counted_alike_in_every_normal_form():
    """Windows of characters must begin and end at the same words, however a text is encoded."""
    text = "Élan naïve façade. " * 6 + "Ελλάδα πόλη ξέρω και άλλα. " * 4
    forms = [unicodedata.normalize(form, text) for form in ("NFC", "NFD")]
    forms.append(forms[0].replace("la", "l\u00ada"))  # soft hyphens
    units = [units_of(Utf8Column.of(array([form])), "characters", 60) for form in forms]
    assert len(units[0]) > 10
    for other in units[1:]:
        assert other.hashes.tolist() == units[0].hashes.tolist()


SOUGHT = st.builds(
    Sought,
    unit=st.sampled_from(["line", "paragraph"]),
    scope=st.sampled_from(["host", "corpus"]),
    min_documents=st.integers(2, 3),
    min_words=st.integers(1, 2),
    fold_numbers=st.booleans(),
)
HOSTS = (None, "http://a.example/1", "http://b.example/2?x")


@settings(max_examples=50, deadline=None)
@given(
    CORPUS, st.lists(st.sampled_from(HOSTS), min_size=8, max_size=8), SOUGHT, st.lists(st.integers(0, 20), max_size=3)
)
def test_lines_of_many_documents_are_cut_everywhere(corpus, urls, sought, cuts):
    urls = dict(zip(corpus, urls, strict=False))
    hosts = {each: url and url.split("/")[2] for each, url in urls.items()}
    expected = plain_lines(corpus, hosts, sought)
    parts = [
        (array([text for _, text in part]), pa.array([urls[each] for each, _ in part], pa.string()))
        for part in divided(corpus, cuts)
    ]
    messages = shuffled(parts, lambda p: count_blobs(count_units(*p, [sought]), 2), frequent, 2)
    tables = [table_of(*p, [sought], known(m), PiiSettings()) for p, m in zip(parts, messages, strict=True)]
    after = [
        text
        for part, table in zip(parts, tables, strict=True)
        for text in cut_units(*part, [sought], np.unique(table["hash"].to_numpy())).to_pylist()
    ]
    assert after == [
        text if text is None else without_spans(text, expected.get(each, [])) for each, text in corpus.items()
    ]
    for table in tables:
        assert table.schema.equals(schema.REPEATED_LINES.arrow)
        assert all(row["documents"] >= max(row["pages"], sought.min_documents) for row in table.to_pylist())
        assert {row["host"] is None for row in table.to_pylist()} <= {sought.scope == "corpus"}


@settings(max_examples=200, deadline=None)
@given(TEXTS.map(lambda text: text or ""), st.lists(st.integers(0, 60), max_size=6))
def test_what_is_not_cut_stays_and_lines_stay_apart(text, places):
    places = sorted({place for place in places if place <= len(text)})
    spans = list(zip(places[::2], places[1::2], strict=False))
    after = without_spans(text, spans)
    left = "".join(c for i, c in enumerate(text) if not any(start <= i < end for start, end in spans))
    assert "".join(after.split()) == "".join(left.split())
    assert without_spans(text, []) == text


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (["a\n", "\nb"], "a\nb"),
        (["a\n\n", "\nb"], "a\n\nb"),
        (["a\n", "\n\n    b"], "a\n\n    b"),
        (["a ", " b"], "a b"),
        (["a. ", "\n\nb"], "a. \n\nb".replace(" ", "")),
        (["a\n", " b"], "a\nb"),
        (["甲。", "乙"], "甲。乙"),
        (["a ", "(b"], "a (b"),
        (["", "\n\nb\n"], "b\n"),
        (["a\n\n", ""], "a"),
        (["a\n", "\n", "\n\n", "\nb"], "a\n\nb"),
        ([" a "], " a "),
        (["", ""], ""),
    ],
)
def test_the_gap_that_a_cut_leaves(pieces, expected):
    assert joined(pieces) == expected


def test_code_and_tables_of_markdown_are_no_lines():
    text = "A line here\n\n```\nreturn the value\n```\n\n| a cell | b cell |\nThe last line"
    units = units_of(Utf8Column.of(array([text])), "line", 2)
    assert len(units) == 2
    assert len(units_of(Utf8Column.of(array([text])), "paragraph", 2)) == 1  # the last one has a table


def test_chinese_pages():
    notice = "本网站所有内容版权归本公司所有。未经许可不得转载。如有问题请联系管理员。"
    pages = [f"第{n}页的正文内容在这里结束。{notice}后面还有一句话{n}。" for n in "一二三"]
    corpus = {f"{n:024x}": page for n, page in enumerate(pages)}
    (table,) = cut_of([list(corpus.items())], Repeats(units=(("sentences", 10),), min_words_left=0))
    after, changed = without_cuts(array(pages), pa.chunked_array([list(corpus)]), table)
    assert changed.tolist() == [False, True, True]
    assert after.to_pylist() == [
        pages[0],
        "第二页的正文内容在这里结束。后面还有一句话二。",
        "第三页的正文内容在这里结束。后面还有一句话三。",
    ]
    footers = [f"正文{n}。\n{notice}" for n in "一二三"]
    sought = [Sought(unit="line", scope="corpus", min_documents=3, min_words=5, fold_numbers=True)]
    urls = pa.nulls(3, pa.string())
    (messages,) = shuffled([0], lambda _: count_blobs(count_units(array(footers), urls, sought), 1), frequent, 1)
    assert cut_units(array(footers), urls, sought, known(messages)["hash"]).to_pylist() == [
        "正文一。",
        "正文二。",
        "正文三。",
    ]


def test_words_of_texts():
    assert n_words(Utf8Column.of(array(["one two", None, "", "中文", "- !"]))).tolist() == [2, 0, 0, 1, 0]
