"""The split goes by groups of near-duplicates, stays when data is added, and has a floor."""

import json
import random
from collections import Counter, defaultdict

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.stages import split
from corpusmill.stages.split import HASHES
from tests.stages.plain import job_of, run_plainly

WORDS = [f"{a}{b}{c}" for a in "bdfgklm" for b in "aeiou" for c in "nrst"]


def text(seed, changed=0):
    """200 words; of one seed, those with few changed words are near-duplicates of each other."""
    words = random.Random(seed).choices(WORDS, k=200)
    for place in random.Random(f"{seed} {changed}").sample(range(200), changed):
        words[place] = f"other{changed}x{place}"
    return " ".join(words) + "."


def recipe(**of_split):
    return {
        "sources": [{"name": "made", "kind": "jsonl", "paths": ["in/*.jsonl"]}],
        "filters": {"profiles": ["none"]},
        "run": {"slice_bytes": 40_000},
        "dedup": {"threshold": 0.95},  # so that near-duplicates below it are kept
        "split": {"validation_share": 0.2, "min_validation_documents": 1, **of_split},
    }


def add(folder, name, texts):
    (folder / "in").mkdir(exist_ok=True)
    lines = [json.dumps({"id": f"{name} {i}", "text": each}) for i, each in enumerate(texts)]
    (folder / f"in/{name}.jsonl").write_text("\n".join(lines))


def splits(folder, data):
    job = job_of(data, folder)
    run_plainly(job, until="docs")
    docs = pq.read_table(job.corpus.folder / "docs", columns=["doc_id", "split", "text"]).to_pylist()
    twins = pq.read_table(job.corpus.folder / "twins", columns=["doc_id", "group_id"]).to_pylist()
    return {row["doc_id"]: row["split"] for row in docs}, {row["doc_id"]: row["group_id"] for row in twins}


def test_no_group_crosses_the_split_and_it_stays_when_data_is_added(tmp_path):
    families = [text(seed, changed) for seed in range(40) for changed in (0, 3, 6)]
    alone = [text(seed) for seed in range(1000, 1100)]
    add(tmp_path, "a", [*families[::2], *alone])
    add(tmp_path, "b", families[1::2])
    before, groups = splits(tmp_path, recipe())
    sides, kept_members = defaultdict(set), Counter()
    for doc_id, side in before.items():
        if doc_id in groups:
            sides[groups[doc_id]].add(side)
            kept_members[groups[doc_id]] += 1
    assert sum(n > 1 for n in kept_members.values()) > 10, "near-duplicates that are kept make the test one"
    assert all(len(side) == 1 for side in sides.values())
    counts = Counter(before.values())
    assert 0.1 < counts["validation"] / counts.total() < 0.32

    add(tmp_path, "c", [text(seed) for seed in range(5000, 5060)])
    after, new_groups = splits(tmp_path, recipe())
    stay = {doc_id for doc_id in before if groups.get(doc_id) == new_groups.get(doc_id)}
    assert len(stay) == len(before)
    assert {doc_id: after[doc_id] for doc_id in stay} == before


def test_groups_that_merge_take_one_split(tmp_path):
    """A new document between two groups joins them; both take the split of the smallest doc_id."""
    one, other = text(1), text(2)
    add(tmp_path, "a", [one, other, *(text(seed) for seed in range(10, 40))])
    before, _ = splits(tmp_path, recipe(validation_share=0.5))
    half = one.split()[:150] + other.split()[:150]  # shares bands with both, but few shingles
    add(tmp_path, "b", [" ".join(half) + "."] * 1)
    data = recipe(validation_share=0.5)
    data["dedup"] |= {"bands": 60, "rows": 1}
    after, groups = splits(tmp_path, data)
    largest, n = Counter(groups.values()).most_common(1)[0]
    assert n >= 3
    assert len({after[doc_id] for doc_id, group in groups.items() if group == largest and doc_id in after}) == 1
    assert before.keys() < after.keys()


@pytest.mark.parametrize(
    ("documents", "share", "least", "wanted"),
    [(30, 0.01, 10, 3), (5, 0.01, 10, 1), (200, 0.0, 10, 0), (1, 0.5, 1, None)],
)
def test_a_small_corpus_has_a_validation_split(tmp_path, documents, share, least, wanted):
    add(tmp_path, "a", [text(seed) for seed in range(documents)])
    found, _ = splits(tmp_path, recipe(validation_share=share, min_validation_documents=least))
    counts = Counter(found.values())
    if wanted is None:
        assert counts.total() == 1
    elif share == 0:
        assert counts == {"train": documents}
    else:
        assert counts["validation"] >= wanted
        assert counts["train"] > counts["validation"]


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(st.integers(0, HASHES - 1), st.integers(1, 9), max_size=30), st.integers(1, 12))
def test_the_floor(groups, wanted):
    documents = Counter(groups)
    bound = split._floor(documents, wanted)
    below = sum(n for group, n in groups.items() if group < bound)
    assert 2 * below <= documents.total()
    if below < min(wanted, max(1, documents.total() // 10)) and groups:
        (following,) = [n for group, n in sorted(groups.items()) if group >= bound][:1]
        assert 2 * (below + following) > documents.total()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, HASHES - 1), min_size=1, max_size=60, unique=True), st.integers(1, 5))
def test_the_floor_falls_when_documents_are_added(hashes, wanted):
    """So by the floor alone, no document of train comes into validation."""
    of_few, of_all = Counter(hashes[: len(hashes) // 2 or 1]), Counter(hashes)
    few = [h for h in of_few if h < split._floor(of_few, wanted)]
    if len(few) == min(wanted, max(1, of_few.total() // 10)) == min(wanted, max(1, of_all.total() // 10)):
        assert split._floor(of_all, wanted) <= split._floor(of_few, wanted)
