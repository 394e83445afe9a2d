"""The mix: what the recipe asks for is what the rows are, and nothing else is written."""

import errno
import json
import pickle
from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from corpusmill.belonging import TABLES
from corpusmill.errors import InputError, RunError
from corpusmill.loader import Position, open_rows
from corpusmill.loader.manifest import manifest_of
from corpusmill.loader.plan import plan
from corpusmill.mix import MixSettings
from corpusmill.store import LocalStore
from tests.loader.conftest import BOUNDARY, ask, documents, publish, write

SOURCES = ("books", "news", "web")


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """Three sources of different sizes, in three languages."""
    tables, start, rng = {}, 1, np.random.default_rng(2)
    for number, (source, n) in enumerate((("books", 900), ("news", 2500), ("web", 5200), ("books", 400))):
        sizes = rng.integers(1, 16, n)
        language = [("en", "de", None)[i % 7 % 3] for i in range(n)]
        tables[f"p{number}"] = documents(f"p{number}", sizes, start=start, source=source, language=language)
        start += int(sizes.sum())
    return write(tmp_path_factory.mktemp("mixed"), tables)


def rows_of(corpus, **options):
    return open_rows(corpus, **{"row_length": 16, "seed": 3, "window_tokens": 30_000, **options})


def facts(corpus):
    """By token, the document that has it; and by document source, language and number of tokens."""
    owner, of = {}, {}
    for part in corpus.parts("tokens"):
        for row in corpus.read("tokens", part).to_pylist():
            of[row["doc_id"]] = row
            owner |= dict.fromkeys(row["ids"], row["doc_id"])
    return owner, of


def sources_of_rows(rows, n):
    found = {}
    for piece in rows.documents(Position(), n):
        assert found.setdefault(piece.row, piece.source) == piece.source
    return np.array([found[row] for row in range(n)])


def copies(rows, corpus, n=None):
    """How often each document's tokens are predicted in the first rows: {doc_id: {counts}}."""
    owner, _ = facts(corpus)
    ids = rows.take(Position(), rows.rows_of_epoch(0) if n is None else n)
    counts = Counter(ids[:, 1:][ids[:, 1:] != BOUNDARY].tolist())
    found: dict[str, set[int]] = {}
    for token, document in owner.items():
        found.setdefault(document, set()).add(counts[token])
    return found


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    weights=st.fixed_dictionaries({}, optional=dict.fromkeys(SOURCES, st.floats(0.3, 3))),
    temperature=st.sampled_from([1.0, 1.0, 3.0]),
    tokens=st.sampled_from([None, 60_000]),
    packing=st.sampled_from(["stream", "best-fit"]),
)
def test_shares_hold_and_no_document_is_lost_or_repeated(mixed, weights, temperature, tokens, packing):
    ask(mixed, weights=weights, temperature=temperature, tokens=tokens)
    rows = rows_of(mixed, packing=packing)
    groups, n = rows.manifest.groups, rows.rows_of_epoch(0)
    of_rows = sources_of_rows(rows, n)
    for group in groups:
        seen = np.concatenate([[0], np.cumsum(of_rows == group.key.source)])
        here = seen[1000:] - seen[:-1000]
        assert np.abs(here / 1000 - group.share).max() <= 0.005
    repeats = {group.key.source: group.repeats for group in groups}
    _, of = facts(mixed)
    for document, counts in copies(rows, mixed).items():
        wanted = repeats[of[document]["source"]]
        assert min(counts) >= np.floor(wanted)
        assert max(counts) <= np.ceil(wanted)


@settings(max_examples=60, deadline=None)
@given(
    available=st.lists(st.integers(0, 10**6), min_size=1, max_size=6).filter(any),
    data=st.data(),
    temperature=st.sampled_from([0.5, 1, 2, 100]),
)
def test_a_plan_keeps_caps_and_budget(available, data, temperature):
    n = len(available)
    caps = data.draw(st.lists(st.one_of(st.none(), st.floats(0.1, 5)), min_size=n, max_size=n))
    limits = data.draw(st.lists(st.one_of(st.none(), st.integers(1, 10**6)), min_size=n, max_size=n))
    tokens = data.draw(st.one_of(st.none(), st.integers(1, 10**7)))
    rules = [{"source": str(i), "epochs": caps[i], "max_tokens": limits[i]} for i in range(n)]
    asked = plan(
        MixSettings.model_validate({"groups": rules, "temperature": temperature, "tokens": tokens}),
        available, [1.0] * n, [*range(n)],
    )  # fmt: skip
    total = tokens or sum(available)
    most = [
        min(np.inf if cap is None else cap * there, limit or np.inf)
        for cap, limit, there in zip(caps, limits, available, strict=True)
    ]
    assert asked.shares.sum() == pytest.approx(1)
    assert (asked.tokens <= np.array(most) * (1 + 1e-9)).all()
    could = sum(cap for cap, there in zip(most, available, strict=True) if there)
    assert asked.tokens.sum() == pytest.approx(min(total, could))
    free = (asked.tokens < np.array(most) * (1 - 1e-9)) & (asked.shares > 0)
    if free.any():  # those without a cap keep their proportions
        assert np.ptp(asked.tokens[free] / asked.shares[free]) <= 1e-6 * total * n


def test_a_given_share_epochs_and_limits(mixed):
    ask(
        mixed,
        groups=[
            {"source": "books", "share": 0.5, "epochs": 2},
            {"source": "web", "language": "de", "max_tokens": 2000},
            {"language": "de", "weight": 2},
        ],
    )
    rows = rows_of(mixed)
    by_key = {(group.key.source, group.key.language): group for group in rows.manifest.groups}
    assert set(by_key) == {(source, language) for source in SOURCES for language in ("de", None)}
    assert by_key["books", None].repeats == by_key["books", "de"].repeats == 2
    assert by_key["books", "de"].capped
    limited = by_key["web", "de"]
    assert limited.repeats * (limited.tokens + limited.documents) == pytest.approx(2000)
    assert by_key["news", "de"].weight == 2 * by_key["news", None].weight
    assert rows.manifest.is_limited
    _, of = facts(mixed)
    for document, counts in copies(rows, mixed).items():
        row = of[document]
        wanted = by_key[row["source"], "de" if row["language"] == "de" else None].repeats
        assert np.floor(wanted) <= min(counts) <= max(counts) <= np.ceil(wanted)


def test_epochs_go_on_where_the_one_before_stopped(tmp_path):
    """With a weight of one half, two epochs have each document once."""
    corpus = write(tmp_path, {"p": documents("p", [7] * 400)}, weights={"books": 0.5})
    rows = rows_of(corpus)
    n = rows.rows_of_epoch(0) + rows.rows_of_epoch(1)
    assert abs(rows.rows_of_epoch(0) - rows.rows_of_epoch(1)) <= 1
    assert all(counts == {1} for counts in copies(rows, corpus, n).values())


def test_languages_are_groups(mixed):
    ask(mixed, by=["language"], temperature=1000)
    groups = rows_of(mixed).manifest.groups
    assert [group.key.language for group in groups] == ["", "de", "en"]
    assert [group.share for group in groups] == pytest.approx([1 / 3] * 3, rel=0.01)


@pytest.mark.parametrize(("order", "rising"), [("short-first", True), ("long-first", False)])
def test_a_curriculum_by_length(mixed, order, rising):
    ask(mixed, order=order, lengths=[4, 10])
    rows = rows_of(mixed)
    ranges = {}
    for piece in rows.documents(Position(), rows.rows_of_epoch(0)):
        ranges[piece.row] = int(np.searchsorted([4, 10], piece.document_tokens, side="right"))
    found = [ranges[row] for row in range(rows.rows_of_epoch(0))]
    assert found == sorted(found, reverse=not rising)
    assert set(found) == {0, 1, 2}
    assert all(counts == {1} for counts in copies(rows, mixed).values())


def with_scores(folder):
    """A corpus with a signal: every document's place among 1,000, and none for some."""
    sizes = np.random.default_rng(4).integers(1, 12, 1000)
    table = documents("p", sizes)
    corpus = write(folder, {"p": table})
    scores = pa.array([None if i % 10 == 9 else i / 1000 for i in range(1000)], pa.float64())
    signals = pa.table({"doc_id": table["doc_id"], "score": scores}).take(np.random.default_rng(5).permutation(1000))
    publish(corpus, "p", signals, stage="signals-mine", write=None)
    described = {
        "name": "signals_mine",
        "description": "",
        "columns": [["doc_id", "string", ""], ["score", "double", ""]],
    }
    stages = [{"stage": "signals-mine", "kind": "Reading", "reads": {}, "singletons": [], "table": described}]
    corpus.write_json(TABLES, {"stages": stages})
    return corpus


@pytest.mark.parametrize("order", ["low-first", "high-first"])
def test_buckets_of_a_signal(tmp_path, order):
    corpus = with_scores(tmp_path)
    buckets = {"signal": "score", "edges": [0.3, 0.6], "names": ["low", "middle", "high"]}
    ask(corpus, buckets=buckets, groups=[{"bucket": "high", "weight": 2}], order=order)
    rows = rows_of(corpus)
    found = {group.key.bucket: group for group in rows.manifest.groups}
    assert {name: group.documents for name, group in found.items()} == {
        "low": 270, "middle": 270, "high": 360, "unknown": 100,
    }  # fmt: skip
    assert found["high"].repeats == 2
    assert found["low"].repeats == 1
    seen, scores = [], dict(zip([f"p-{i}" for i in range(1000)], range(1000), strict=True))
    for piece in rows.documents(Position(), rows.rows_of_epoch(0)):
        place = scores[piece.doc_id]
        seen.append(-1 if place % 10 == 9 else (place >= 300) + (place >= 600))
    assert seen == sorted(seen, reverse=order == "high-first")
    again = pickle.loads(pickle.dumps(rows))
    for document, counts in copies(again, corpus).items():
        place = scores[document]
        assert counts == {2 if place >= 600 and place % 10 != 9 else 1}
    corpus.store.write("_mix/buckets.parquet", b"PAR1")  # damaged: it is made again
    assert np.array_equal(rows_of(corpus).take(Position(), 50), rows.take(Position(), 50))
    assert len(corpus.store.read("_mix/buckets.parquet")) > 100


def test_a_signal_that_is_not_there(mixed):
    ask(mixed, by=["bucket"], buckets={"signal": "score", "edges": [1]})
    with pytest.raises(InputError, match=r"mix.buckets.signal: the corpus has no signal 'score' with numbers"):
        manifest_of(mixed)


@pytest.mark.parametrize(
    ("mix", "message"),
    [
        ({"by": ["bucket"]}, "buckets are used; say of which signal"),
        ({"groups": [{"share": 0.6}, {"share": 0.5}]}, "the shares of groups are more than 1 together"),
        ({"buckets": {"signal": "s", "edges": [1, 1]}}, "edges must rise"),
        ({"buckets": {"signal": "s", "edges": [1], "names": ["a"]}}, "1 edges make 2 buckets; give as many names"),
        ({"buckets": {"signal": "s", "edges": [1]}, "groups": [{"bucket": "2"}]}, "there is no bucket '2'"),
        ({"lengths": []}, "lengths must be above 0 and rise"),
    ],
)
def test_wrong_settings(mix, message):
    with pytest.raises(ValidationError, match=message):
        MixSettings.model_validate(mix)


def test_a_share_without_documents(mixed):
    ask(mixed, groups=[{"source": "letters", "share": 0.2}])
    with pytest.raises(InputError, match="group 1 of the recipe has a share, but no documents"):
        manifest_of(mixed)


def test_another_mix_rewrites_no_part_and_is_made_once(mixed):
    def parts():
        return {path: path.stat().st_mtime_ns for path in mixed.folder.glob("tokens/**/*")}

    before = parts()
    ask(mixed, weights={"news": 2.0})
    first = manifest_of(mixed)
    written = (mixed.folder / "_mix/manifest.json").stat().st_mtime_ns
    assert manifest_of(mixed).fingerprint == first.fingerprint
    assert (mixed.folder / "_mix/manifest.json").stat().st_mtime_ns == written
    ask(mixed, weights={"news": 3.0})
    assert manifest_of(mixed).fingerprint != first.fingerprint
    ask(mixed, weights={"news": 2.0})
    assert manifest_of(mixed).fingerprint == first.fingerprint
    assert parts() == before


@pytest.mark.parametrize(("number", "is_kept"), [(errno.EROFS, True), (errno.EACCES, True), (errno.EIO, False)])
def test_a_corpus_that_may_only_be_read(mixed, monkeypatch, number, is_kept):
    ask(mixed, weights={"news": 2.0 + number})

    def write(store, key, content):
        raise RunError(f"{key}: cannot be written") from OSError(number, "no")

    monkeypatch.setattr(LocalStore, "write", write)
    if is_kept:
        assert manifest_of(mixed).groups
    else:
        with pytest.raises(RunError, match="cannot be written"):
            manifest_of(mixed)


def test_the_manifest_agrees_with_the_shards(mixed):
    ask(mixed)
    manifest = manifest_of(mixed)
    table = pa.concat_tables(pq.read_table(path) for path in sorted((mixed.folder / "tokens").glob("*.parquet")))
    for group in manifest.groups:
        of = table.filter(pc.equal(table["source"], group.key.source))
        assert (group.documents, group.tokens) == (len(of), pc.sum(of["n_tokens"]).as_py())
    assert sum(manifest.index["tokens"].to_pylist()) == pc.sum(table["n_tokens"]).as_py()
    data = json.loads((mixed.folder / "_mix/manifest.json").read_text())
    assert data["fingerprint"] == manifest.fingerprint


def test_rows_by_group_counts_them(mixed):
    ask(mixed, weights={"books": 2.0})
    rows = rows_of(mixed)
    n = rows.rows_of_epoch(0) + 500
    seen = Counter(sources_of_rows(rows, n).tolist())
    counted = dict(
        zip([group.key.source for group in rows.manifest.groups], rows.rows_by_group(n).tolist(), strict=True)
    )
    assert counted == seen
