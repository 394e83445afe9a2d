"""The whole of deduplication: sketches in, twins out, against every pair compared in plain Python."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill import schema
from corpusmill.dedup.group import assignments, band_blobs, components, member_blobs, spanning_edges
from corpusmill.dedup.local import find_twins
from corpusmill.dedup.sketch import sketch_documents
from corpusmill.dedup.verify import twins_table, verify_task
from corpusmill.errors import BalanceError
from corpusmill.recipe import DedupSettings
from tests.dedup import reference

SURE = DedupSettings(ngram=2, bands=64, rows=1)  # at J >= .6 a pair without a common band has a chance of 1e-25
WORDS = ["one ", "two ", "three ", "four ", "中", "文", "字", "ก", ". ", "\n"]


def doc_id(number):
    return f"{number:024x}"


def sketch(texts, settings):
    """texts: {doc_id: text}"""
    return sketch_documents(pa.array(list(texts), pa.string()), pa.array(list(texts.values()), pa.string()), settings)


def everything(tables):
    return [np.ones(len(table), bool) for table in tables]


def as_dict(tables):
    """The dropped documents."""
    rows = [row for table in tables for row in table.to_pylist() if row["rule"] is not None]
    return {row["doc_id"]: (row["rule"], row["twin_doc_id"], row["jaccard"]) for row in rows}


def groups_of(tables):
    return {row["doc_id"]: row["group_id"] for table in tables for row in table.to_pylist()}


def pages(count, seed, edits=6, length=60):
    """Random texts with edited and exact copies, English and Chinese, by doc_id in random order."""
    rng = np.random.default_rng(seed)
    vocabulary = [f"w{n} " for n in range(300)] + [chr(0x4E00 + n) for n in range(300)]
    originals = [rng.choice(vocabulary, rng.integers(5, length)).tolist() for _ in range(count // 4)]
    texts = []
    for _ in range(count):
        words = list(originals[rng.integers(len(originals))])
        for place in rng.integers(0, len(words), rng.integers(0, edits)):
            words[place] = vocabulary[rng.integers(600)]
        texts.append("".join(words))
    return {doc_id(number): text for number, text in zip(rng.permutation(count).tolist(), texts, strict=True)}


def sets_of(texts, ngram):
    def tokens(text):
        spaced = "".join(f" {char} " if char >= "\u0e00" else char for char in text)
        return spaced.replace(".", " ").split()

    return {doc: reference.shingles(tokens(text), ngram) for doc, text in texts.items()}


@settings(deadline=None)  # kernels may be compiled
@given(
    st.lists(st.lists(st.sampled_from(WORDS), max_size=12).map("".join), min_size=1, max_size=12),
    st.sampled_from([0.6, 0.75, 1.0]),
    st.randoms(use_true_random=False),
)
def test_small_corpora_lose_what_comparing_every_pair_loses(texts, threshold, random):
    numbers = list(range(len(texts)))
    random.shuffle(numbers)
    corpus = {doc_id(number): text for number, text in zip(numbers, texts, strict=True)}
    chosen = SURE.model_copy(update={"threshold": threshold})
    found = find_twins([sketch(corpus, chosen)], [np.ones(len(corpus), bool)], chosen)
    assert as_dict(found) == reference.twins(corpus, sets_of(corpus, 2), threshold)


@settings(deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(WORDS), max_size=10).map("".join), min_size=1, max_size=10),
    st.lists(st.lists(st.sampled_from(WORDS), max_size=10).map("".join), max_size=10),
    st.integers(1, 3),
    st.integers(1, 3),
    st.randoms(use_true_random=False),
)
def test_documents_of_other_corpora_are_kept_and_come_first(own, theirs, parts, guests, random):
    """They are dropped against in any division into parts, and never compared with each other."""
    numbers = list(range(len(own) + len(theirs)))
    random.shuffle(numbers)
    corpus = {doc_id(number): text for number, text in zip(numbers, own, strict=False)}
    other = {doc_id(number): text for number, text in zip(numbers[len(own) :], theirs, strict=True)}
    against = [{"corpus": "x", "name": f"x{at}"} for at in range(guests)]
    chosen = DedupSettings.model_validate({**SURE.model_dump(), "threshold": 0.6, "against": against})
    tables = [sketch({name: corpus[name] for name in [*corpus][part::parts]}, chosen) for part in range(parts)]
    invited = [(at, sketch({name: other[name] for name in [*other][at::guests]}, chosen)) for at in range(guests)]
    found = find_twins(tables, everything(tables), chosen, invited)
    both = corpus | other
    assert as_dict(found) == reference.twins(both, sets_of(both, 2), 0.6, [*other])
    corpus_of = {name: f"x{at}" for at in range(guests) for name in [*other][at::guests]}
    for row in (row for table in found for row in table.to_pylist()):
        assert row["twin_corpus"] == corpus_of.get(row["twin_doc_id"])
        assert row["group_id"] in corpus


@pytest.mark.parametrize("seed", range(3))
def test_larger_corpora_in_parts_lose_what_comparing_every_pair_loses(seed):
    corpus = pages(200, seed)
    chosen = SURE.model_copy(update={"threshold": 0.6, "ngram": 3})
    names = list(corpus)
    tables = [sketch({name: corpus[name] for name in names[part::3]}, chosen) for part in range(3)]
    expected = reference.twins(corpus, sets_of(corpus, 3), 0.6)
    assert len({rule for rule, _, _ in expected.values()}) == 2
    assert as_dict(find_twins(tables, everything(tables), chosen)) == expected


def test_with_the_default_bands_every_dropped_document_has_a_kept_twin():
    chosen = DedupSettings()
    corpus = pages(600, 7, length=300)
    sets = sets_of(corpus, chosen.ngram)
    table = sketch(corpus, chosen)
    found = as_dict(find_twins([table], everything([table]), chosen))
    assert len(found) > 100
    for doc, (_, twin, similarity) in found.items():
        assert twin not in found
        assert similarity == reference.jaccard(sets[doc], sets[twin]) >= chosen.threshold
        assert (len(corpus[twin]), doc) >= (len(corpus[doc]), twin)


@pytest.mark.parametrize(("similarity", "shared", "own"), [(0.8, 80, 10), (0.85, 170, 15)])
def test_candidates_are_found_as_often_as_theory_says(similarity, shared, own):
    chosen = DedupSettings(ngram=1)
    pairs = 1000
    words = iter(f"w{number}" for number in range(10**7))
    corpus = {}
    for pair in range(pairs):
        common = [next(words) for _ in range(shared)]
        for copy in range(2):
            corpus[doc_id(2 * pair + copy)] = " ".join(common + [next(words) for _ in range(own)])
    table = sketch(corpus, chosen)
    found = find_twins([table], everything([table]), chosen)[0]["jaccard"].drop_null()
    assert set(found.to_pylist()) == {similarity}
    expected = 1 - (1 - similarity**chosen.rows) ** chosen.bands
    assert len(found) / pairs == pytest.approx(expected, abs=4 * (expected * (1 - expected) / pairs) ** 0.5)


def by_hand(tables, kept, chosen, partitions, documents_per_task, rng):
    """The chain of the pipeline, with everything that a runner may reorder in random order."""

    def shuffled(items):
        return [items[i] for i in rng.permutation(len(items))]

    blobs = [band_blobs(table, kept[part], part, partitions) for part, table in enumerate(tables)]
    assert {len(of_part) for of_part in blobs} == {partitions}
    edges = [spanning_edges(shuffled(list(received))) for received in zip(*blobs, strict=True)]
    tasks = {}
    for part, members in shuffled(assignments(components(shuffled(edges)), documents_per_task, len(tables))):
        for task, _, blob in member_blobs({part: tables[part]}, members):
            tasks.setdefault(task, []).append((part, blob))
    records = [[] for _ in tables]
    for received in shuffled(list(tasks.values())):
        for part, found in verify_task(shuffled(received), chosen, len(tables)):
            records[part].append(found)
    return [twins_table(shuffled(found), chosen) for found in records]


@pytest.mark.parametrize("partitions", [1, 2, 7, 64])
@pytest.mark.parametrize("documents_per_task", [1, 50, 10**6])
def test_partitions_tasks_and_order_change_nothing(partitions, documents_per_task):
    chosen = DedupSettings(ngram=3)
    corpus = pages(200, 11)
    names = list(corpus)
    tables = [sketch({name: corpus[name] for name in names[part::4]}, chosen) for part in range(4)]
    rng = np.random.default_rng(partitions)
    kept = [rng.random(len(table)) < 0.9 for table in tables]
    expected = find_twins(tables, kept, chosen)
    assert sum(map(len, expected)) > 5
    assert by_hand(tables, kept, chosen, partitions, documents_per_task, rng) == expected


def test_how_documents_are_divided_into_parts_changes_nothing():
    chosen = DedupSettings(ngram=3)
    corpus = pages(200, 13)
    whole = sketch(corpus, chosen)
    slices = [whole[:50], whole[50:51], whole[51:51], whole[51:]]
    assert as_dict(find_twins(slices, everything(slices), chosen)) == as_dict(
        find_twins([whole], everything([whole]), chosen)
    )


def test_documents_that_the_rules_dropped_take_no_part():
    chosen = DedupSettings()
    table = sketch({doc_id(n): "one two three four five six seven" for n in range(3)}, chosen)
    (found,) = find_twins([table], [np.array([False, True, True])], chosen)
    assert as_dict([found]) == {doc_id(2): ("exact_duplicate", doc_id(1), 1.0)}


def test_the_longest_copy_is_kept_and_of_equals_the_least_id():
    chosen = DedupSettings()
    text = "one two three four five six seven"
    corpus = {doc_id(1): text, doc_id(3): text + "!", doc_id(2): text + "."}
    table = sketch(corpus, chosen)
    near = ("near_duplicate", doc_id(2), 1.0)
    assert as_dict(find_twins([table], everything([table]), chosen)) == {doc_id(1): near, doc_id(3): near}


def test_the_twin_is_the_most_similar_kept_document():
    chosen = SURE.model_copy(update={"ngram": 1, "threshold": 0.6})
    text = [f"w{n}" for n in range(10)]
    corpus = {
        doc_id(0): " ".join([*text, *(f"x{n}" for n in range(7))]),  # visited first, and kept
        doc_id(1): " ".join([*text, *(f"y{n}" for n in range(5))]),  # kept: 10 of 22 in common
        doc_id(2): " ".join(text),  # 10 of 17 with the first, 10 of 15 with the second
        doc_id(3): " ".join(text),
    }
    table = sketch(corpus, chosen)
    near = ("near_duplicate", doc_id(1), 10 / 15)
    assert as_dict(find_twins([table], everything([table]), chosen)) == {doc_id(2): near, doc_id(3): near}


@settings(deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(WORDS), max_size=12).map("".join), min_size=1, max_size=30),
    st.lists(st.booleans(), min_size=30, max_size=30),
    st.integers(1, 4),
    st.randoms(use_true_random=False),
)
def test_groups_are_the_connected_components_of_shared_bands(texts, chosen, parts, random):
    """Against a plain search; documents that share no band with another are in no group."""
    some = DedupSettings(ngram=2, bands=4, rows=2)
    numbers = list(range(len(texts)))
    random.shuffle(numbers)
    corpus = {doc_id(number): text for number, text in zip(numbers, texts, strict=True)}
    names = list(corpus)
    tables = [sketch({name: corpus[name] for name in names[part::parts]}, some) for part in range(parts)]
    kept = {name: chosen[at] for at, name in enumerate(names)}
    masks = [np.array([kept[name] for name in table["doc_id"].to_pylist()], bool) for table in tables]
    keys = {}
    for row in (row for table in tables for row in table.to_pylist() if kept[row["doc_id"]]):
        content = [("text", row["content_hash"])] if row["content_hash"] else []
        keys[row["doc_id"]] = {*content, *enumerate(row["bands"])}
    expected = {}
    for name in sorted(keys):
        reached, new = {name}, [name]
        while new:
            of = keys[new.pop()]
            more = [other for other in keys if other not in reached and keys[other] & of]
            reached |= {*more}
            new += more
        if len(reached) > 1:
            expected[name] = min(reached)
    assert groups_of(find_twins(tables, masks, some)) == expected


def test_no_chains():
    chosen = SURE.model_copy(update={"ngram": 1, "threshold": 0.75})
    words = [f"w{n:02}" for n in range(14)]
    corpus = {doc_id(n): " ".join(words[n : n + 12]) for n in range(3)}  # 11 of 13 with the next, 10 of 14 beyond
    table = sketch(corpus, chosen)
    assert as_dict(find_twins([table], everything([table]), chosen)) == {
        doc_id(1): ("near_duplicate", doc_id(0), 11 / 13)
    }


def test_text_without_words_can_only_be_an_exact_duplicate_and_missing_text_none():
    chosen = DedupSettings()
    corpus = {doc_id(n): text for n, text in enumerate(["???", "???", "!!!", "", "", None, None])}
    table = sketch(corpus, chosen)
    (found,) = find_twins([table], everything([table]), chosen)
    assert as_dict([found]) == {doc_id(1): ("exact_duplicate", doc_id(0), 1.0)}


def test_an_empty_corpus_and_empty_parts():
    empty = sketch({}, DedupSettings())
    assert find_twins([], [], DedupSettings()) == []
    (found,) = find_twins([empty], everything([empty]), DedupSettings())
    assert found.schema.equals(schema.TWINS.arrow, check_metadata=True)


def test_many_copies_keep_one():
    corpus = pages(4, 1, edits=1, length=200)
    text = max(corpus.values(), key=len)
    copies = {doc_id(n): f"{text} {n}" for n in range(2000)} | {doc_id(n): text for n in range(2000, 4000)}
    table = sketch(copies, DedupSettings())
    (found,) = find_twins([table], everything([table]), DedupSettings())
    assert (len(found), len(as_dict([found]))) == (4000, 3999)
    assert {twin for _, twin, _ in as_dict([found]).values()} == {doc_id(1000)}  # of the longest the least id
    assert set(groups_of([found]).values()) == {doc_id(0)}


def test_where_the_work_is_capped_the_documents_are_on_record():
    chosen = DedupSettings(ngram=1, bands=2, rows=1)
    template = [f"t{n}" for n in range(16)]
    corpus = {doc_id(n): " ".join([*template, *(f"p{n}x{k}" for k in range(4))]) for n in range(1800)}
    table = sketch(corpus, chosen)
    (found,) = find_twins([table], everything([table]), chosen)
    assert set(found["rule"].to_pylist()) == {None}  # 16 of 24 in common: all of them are kept
    assert 0 < sum(found["limited"].to_pylist()) < 800
    assert set(found["twin_doc_id"].to_pylist()) == set(found["jaccard"].to_pylist()) == {None}


@pytest.mark.parametrize("n", [5_000, 20_000])
def test_copies_are_found_among_many_pages_of_one_template(n):
    """Nearly all are in one group, and the cap leaves most pairs out: 200 million comparisons would take a minute.

    A document is compared with those that share most bands with it.  So the few true copies are found.
    """
    chosen = DedupSettings(ngram=1)
    template = " ".join(f"t{k}" for k in range(49))
    corpus = {doc_id(n + page): f"{template} " + " ".join(f"p{page}x{k}" for k in range(11)) for page in range(n)}
    copied = range(7, n, 50)  # 9 of the 11 words of the page, so J = 58 / 62; of the pages, 49 / 71
    for page in copied:
        corpus[doc_id(page)] = f"{template} " + " ".join(f"p{page}x{k if k < 9 else k + 2}" for k in range(11))
    table = sketch(corpus, chosen)
    (found,) = find_twins([table], everything([table]), chosen)
    ((_, largest),) = Counter(groups_of([found]).values()).most_common(1)
    assert largest > 0.99 * n
    assert sum(found["limited"].to_pylist()) > n / 2
    dropped = {(doc, twin) for doc, (_, twin, similarity) in as_dict([found]).items() if similarity == 58 / 62}
    assert len(dropped) == len(as_dict([found])) == len(copied)
    assert {frozenset(pair) for pair in dropped} == {frozenset((doc_id(p), doc_id(n + p))) for p in copied}


@pytest.mark.parametrize("n", [5_000, 20_000])
def test_of_many_near_copies_of_one_page_few_stay(n):
    """They are compared with those that stayed only, so the work grows with their number."""
    chosen = DedupSettings(ngram=1)
    template = " ".join(f"t{k}" for k in range(58))
    corpus = {doc_id(page): f"{template} p{page}x0 p{page}x1" for page in range(n)}
    table = sketch(corpus, chosen)
    (found,) = find_twins([table], everything([table]), chosen)
    assert len(as_dict([found])) == n - 1
    assert not any(found["limited"].to_pylist())


@pytest.mark.parametrize("parts", [1, 3])
def test_a_component_that_is_too_large_is_divided_and_on_record(parts):
    """Every dropped document still has a kept twin; the smallest shingle decides who meets whom."""
    chosen = DedupSettings(ngram=2, bands=32, rows=2, threshold=0.6)
    corpus = pages(400, 5) | {doc_id(1000): "", doc_id(1001): "?!", doc_id(1002): "?!"}
    names = list(corpus)
    tables = [sketch({name: corpus[name] for name in names[part::parts]}, chosen) for part in range(parts)]
    whole = find_twins(tables, everything(tables), chosen)
    found = find_twins(tables, everything(tables), chosen, largest_component=4)
    group_of = groups_of(whole)
    sizes = Counter(group_of.values())
    assert max(sizes.values()) > 8
    limited = {row["doc_id"] for table in found for row in table.to_pylist() if row["limited"]}
    assert limited == {name for name, group in group_of.items() if sizes[group] > 4}
    smallest = {row["doc_id"]: min(row["shingles"], default=0) for table in tables for row in table.to_pylist()}
    sets, dropped, in_whole = sets_of(corpus, 2), as_dict(found), as_dict(whole)
    assert groups_of(found).keys() == group_of.keys()
    for name, (_, twin, similarity) in dropped.items():
        assert twin not in dropped
        assert similarity == reference.jaccard(sets[name], sets[twin]) or corpus[name] == corpus[twin]
        pieces = -(-sizes[group_of[name]] // 4)
        assert pieces == 1 or smallest[name] * pieces >> 32 == smallest[twin] * pieces >> 32
    for name in group_of.keys() - limited:
        assert dropped.get(name) == in_whole.get(name)
    assert len(dropped) > 0.7 * len(in_whole)


def test_a_document_cannot_be_dropped_twice():
    chosen = DedupSettings()
    table = sketch({doc_id(n): "one two three four five" for n in range(2)}, chosen)
    ((_, members),) = assignments(components([spanning_edges(band_blobs(table, np.ones(2, bool), 0, 1))]), 10, 1)
    ((_, _, blob),) = member_blobs({0: table}, members)
    ((_, records),) = verify_task([(0, blob)], chosen, 1)
    with pytest.raises(BalanceError, match="twice"):
        twins_table([records, records], chosen)
