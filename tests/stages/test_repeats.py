"""What deduplication does beside the search for similar documents, in whole runs over the pages of a few hosts."""

import itertools
import json
import random

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpusmill.collect.takedown import entries_of
from corpusmill.corpus import Corpus
from corpusmill.errors import InputError
from corpusmill.recipe import dump
from corpusmill.removals import Kind, Removals, write_removals
from corpusmill.reports.catalog import open_catalog
from corpusmill.reports.why import render, why
from corpusmill.stages.chain import chain_of
from corpusmill.stages.planning import read_plan
from corpusmill.stages.stage import Snapshot
from corpusmill.stages.state import books_of
from tests.pipelines.conftest import write_jsonl

from .plain import job_of, run_plainly

MAIL = "desk@gazette-mail.com"
FOOTER = f"© {{}} The Harbour Gazette — All rights reserved. Contact: {MAIL}"
MENU = "Home | News | Sport | Weather | Subscribe now"
LICENCE = (
    "This article may be copied under the terms of the Harbour Licence. Copies must name the author and the source. "
    "Changes must be marked as such. The publisher gives no warranty of any kind for what it says."
)
COOKIES = "We use cookies to show this page.\nRead more about them in the settings."
CHINESE_FOOTER = "版权所有 未经许可不得转载 联系我们"
NOUNS = "boat harbour crane sailor captain market bridge river anchor cargo island ferry storm lamp wheel rope".split()
VERBS = "carries follows repairs watches paints measures finds leaves crosses guards lifts turns".split()


def story(seed, sentences=12):
    """Sentences that no other seed has."""
    words = random.Random(seed)
    said = (
        f"The {words.choice(NOUNS)} number {seed}{place} {words.choice(VERBS)} the {words.choice(NOUNS)} "
        f"near the {words.choice(NOUNS)} at {words.randrange(1, 12)} o'clock."
        for place in range(sentences)
    )
    return " ".join(said)


def pages():
    """Rows of the input: a newspaper with menu, notice and footer; a site in Chinese; a blog that quotes; others."""
    quoted = story(900, 8)
    rows = [
        {
            "url": f"https://gazette.example/{n}?utm_source=feed",
            "text": "\n\n".join([MENU, story(n), story(n + 100, 3), LICENCE, COOKIES, FOOTER.format(2000 + n)]),
        }
        for n in range(12)
    ]
    rows += [
        {"url": f"http://zh.example/{n}", "text": f"第{n}篇文章的正文{'海港船长' * (n + 3)}。\n\n{CHINESE_FOOTER}"}
        for n in range(6)
    ]
    rows += [
        {
            "url": f"http://blog.example/{n}",
            "text": f"{story(n + 200, 9)}\n\n{quoted}\n\n{COOKIES}\n\n{story(n + 300, 9)}",
        }
        for n in range(2)
    ]
    rows += [
        {"url": None, "text": f"{story(400)}\n\n{FOOTER.format(2024)}"},  # of no host, so its footer stays
        {"url": "http://gazette.example:80/3/#top", "text": story(500, 14)},
        {"url": None, "text": ""},
        {"url": None, "text": "One line"},
    ]
    rows.insert(12, {"url": "http://thief.example/", "text": f"Seen elsewhere. {quoted}"})  # here its doc_id is high
    return rows


DEDUP = {
    "urls": {"enabled": True, "keep": "longest"},
    "lines": [{"min_documents": 6, "min_words": 4}, {"unit": "paragraph", "scope": "corpus", "min_documents": 14}],
    "repeats": {"units": ["sentences", "substring"], "substring_words": 30},
}


def recipe(dedup, slices=3, slice_bytes=4_096):
    return {
        "sources": [{"name": "s", "kind": "jsonl", "paths": [f"in-{slices}/*.jsonl"]}],
        "filters": {"profiles": ["none"]},
        "edits": [{"kind": "white_space"}],
        "run": {"slice_bytes": slice_bytes},
        "dedup": dedup,
        "tokenizer": {"vocab_size": 400},
    }


def made(folder, dedup, corpus="corpus", order=1, slices=3, slice_bytes=4_096, rows=None):
    """The job of a run over the pages, in so many files."""
    rows = rows or pages()
    source = folder / f"in-{slices}"
    if not source.exists():
        source.mkdir(parents=True)
        for place in range(slices):
            write_jsonl(source / f"{place}.jsonl", rows[place::slices])
    job = job_of(recipe(dedup, slices, slice_bytes), folder, corpus)
    run_plainly(job, order=order)
    job.corpus.write_text("recipe.toml", dump(job.recipe))
    return job


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("repeats")


@pytest.fixture(scope="module")
def corpus(folder):
    return made(folder, DEDUP).corpus.folder


def rows_of(corpus, query):
    with open_catalog(corpus) as catalog:
        return catalog.execute(query).fetchall()


PLAIN = r"trim(regexp_replace(regexp_replace(lower(piece), '[0-9]+', '0', 'g'), '[^a-z0-9一-龥]+', ' ', 'g'))"
GONE = f"""
    WITH pieces AS (
        SELECT doc_id, url_host(url) AS host, piece, {PLAIN} AS words
        FROM (SELECT doc_id, url, unnest(string_split(text, $between)) AS piece FROM pages)
    ), many AS (
        SELECT if($by_host, host, '') AS host, words FROM pieces
        WHERE len(string_split(words, ' ')) >= 4 OR len(regexp_replace(words, '[^一-龥]', '', 'g')) >= 8
        GROUP BY ALL HAVING count(DISTINCT doc_id) >= $least
    )
    SELECT DISTINCT host, piece FROM pieces SEMI JOIN many
    ON many.host = if($by_host, pieces.host, '') AND many.words = pieces.words"""


def gone(corpus, between, by_host, least):
    """What DuckDB finds in enough documents, numbers aside: (host, piece) of each."""
    with open_catalog(corpus) as catalog:
        values = {"between": between, "by_host": by_host, "least": least}
        return {*catalog.execute(GONE, values).fetchall()}


def test_the_footers_of_a_host_are_cut_as_a_query_finds_them(corpus):
    lines, paragraphs = gone(corpus, "\n", True, 6), gone(corpus, "\n\n", False, 14)
    assert {MENU, LICENCE, CHINESE_FOOTER, FOOTER.format(2007)} < {line for _, line in lines}
    assert len(lines) == 5 + 12
    assert {paragraph for _, paragraph in paragraphs} == {COOKIES}
    for host, before, after, n_lines, n_chars in rows_of(
        corpus,
        "SELECT url_host(p.url), p.text, t.text, edit_repeated_lines_lines, edit_repeated_lines_chars "
        "FROM pages p JOIN texts t USING (doc_id)",
    ):
        left = [piece for piece in before.split("\n\n") if (host, piece) not in paragraphs]
        expected = [line for line in "\n".join(left).split("\n") if line and (host, line) not in lines]
        assert [line.replace("<email>", MAIL) for line in after.split("\n") if line] == expected
        assert "\n\n\n" not in after
        assert (n_lines > 0) == (n_chars > 0) == (len(expected) < len([line for line in before.split("\n") if line]))


def test_what_was_cut_is_on_record_masked(corpus):
    found = rows_of(
        corpus,
        "SELECT unit, host, any_value(documents), sum(pages)::INT, min(text) FROM repeated_lines "
        "GROUP BY unit, host, hash ORDER BY ALL",
    )
    gazette, chinese = ("line", "gazette.example", 12, 12), ("line", "zh.example", 6, 6)
    assert [row[:4] for row in found] == [*[gazette] * 5, chinese, ("paragraph", None, 14, 14)]
    texts = {row[4] for row in found}
    assert {MENU, CHINESE_FOOTER, LICENCE[:200], COOKIES, *COOKIES.split("\n")} < texts
    (footer,) = (text for text in texts if text.startswith("©"))
    assert footer == FOOTER.format(2000).replace(MAIL, "<email>")


def test_the_quote_stays_once_and_the_thief_goes(corpus):
    query = "SELECT count(*) FROM {} WHERE contains(text, ?)"
    sentence = story(900, 8).split(". ")[4]
    with open_catalog(corpus) as catalog:
        assert catalog.execute(query.format("texts"), [sentence]).fetchall() == [(3,)]
        assert catalog.execute(query.format("docs"), [sentence]).fetchall() == [(1,)]
    query = "SELECT kept, stage, rule, value, threshold, twin_doc_id FROM ledger WHERE url LIKE '%thief%'"
    assert rows_of(corpus, query) == [(False, "twins", "repeated_text", 2.0, 20.0, None)]
    assert "which leaves 2 words, threshold 20" in render(why(corpus, "http://thief.example/"))


def test_every_word_that_was_cut_stands_in_the_corpus(corpus):
    cuts = rows_of(
        corpus,
        "SELECT doc_id, cut.unit, cut.documents, cut.twin_doc_id, cut.text, "
        "substr(t.text, cut.start + 1, cut.end - cut.start) "
        "FROM (SELECT doc_id, unnest(cuts) AS cut FROM repeated_text) JOIN texts t USING (doc_id)",
    )
    docs = " ".join(text for (text,) in rows_of(corpus, "SELECT text FROM docs"))
    kept = {doc_id for (doc_id,) in rows_of(corpus, "SELECT doc_id FROM docs")}
    assert cuts
    for doc_id, unit, documents, twin, text, place in cuts:
        assert text == place[:200]
        assert set(place.split()) <= set(docs.split())
        assert (unit, documents) == ("sentences", 3) or documents >= 2
        assert twin in kept
        assert twin < doc_id


def test_pages_of_one_url_keep_the_longest(corpus):
    ((_, rule, url, other),) = rows_of(
        corpus,
        "SELECT l.doc_id, l.rule, l.url, t.url FROM ledger l JOIN ledger t ON t.doc_id = l.twin_doc_id "
        "WHERE l.rule = 'url_duplicate'",
    )
    urls = {"https://gazette.example/3?utm_source=feed", "http://gazette.example:80/3/#top"}
    assert (rule, {url, other}) == ("url_duplicate", urls)
    by_length = rows_of(
        corpus,
        "SELECT p.url FROM sketches JOIN pages p USING (doc_id) WHERE p.url LIKE '%gazette.example%/3%' "
        "ORDER BY n_chars",
    )
    assert by_length == [(url,), (other,)]
    assert "dropped as url_duplicate" in render(why(corpus, url))


def test_the_books_balance_and_the_ledger_has_every_drop(folder, corpus):
    job = made(folder, DEDUP)
    books = books_of(job, read_plan(job.corpus), None, Snapshot(job.corpus))
    dropped = dict(rows_of(corpus, "SELECT stage, count(*) FROM ledger WHERE NOT kept GROUP BY stage"))
    assert {str(reason): n for reason, n in books.dropped.items()} == dropped
    assert books.pages == books.docs + sum(dropped.values())
    assert rows_of(corpus, "SELECT count(*) FROM ledger WHERE kept") == [(books.docs,)]


def contents(job, stage, columns):
    tables = [pq.read_table(job.corpus.path(stage, part), columns=columns) for part in job.corpus.parts(stage)]
    return sorted(map(repr, pa.concat_tables(tables).to_pylist()))


def test_order_and_division_into_parts_change_nothing(folder, corpus):
    job = made(folder, DEDUP)
    backwards = made(folder, DEDUP, "backwards", order=-1)
    for stage, part in itertools.product(
        ("repeated_lines", "same_url", "repeated_text", "docs"), job.corpus.parts("docs")
    ):
        assert job.corpus.receipt(stage, part).checksum == backwards.corpus.receipt(stage, part).checksum
    whole = made(folder, DEDUP, "whole", slices=1, slice_bytes=1_000_000)
    assert len(whole.corpus.parts("docs")) == 1
    text = ["text"]  # doc_ids depend on the files
    assert contents(whole, "texts", text) == contents(job, "texts", text)


def test_why_shows_what_was_cut(corpus):
    story_of = why(corpus, "https://gazette.example/5?utm_source=feed", with_diff=True)
    (document,) = story_of.documents
    steps = {step.edit: step for step in document.diff.steps}
    assert [*steps] == ["white_space", "repeated_lines", "repeated_text"]
    assert document.diff.agrees
    assert [line.text for line in steps["repeated_lines"].changes if line.text][:2] == [MENU, LICENCE]
    (quoted,) = rows_of(corpus, "SELECT doc_id FROM repeated_text WHERE rule IS NULL AND cut_chars > 300 LIMIT 1")
    (document,) = why(corpus, quoted[0], with_diff=True).documents
    step = document.diff.steps[-1]
    assert step.edit == "repeated_text"
    assert step.n_chars > 300
    assert "repeated_text: " in render(why(corpus, quoted[0], with_diff=True))


def test_a_changed_threshold_renews_only_what_changes(folder):
    """Counts move when pages are added, but texts are made again only where another line is cut."""
    job = made(folder, DEDUP, "renewed")
    before = {part: job.corpus.receipt("texts", part) for part in job.corpus.parts("texts")}
    more = DEDUP | {"lines": [{"min_documents": 5, "min_words": 4}, DEDUP["lines"][1]]}
    made(folder, more, "renewed")
    assert {part: job.corpus.receipt("texts", part).checksum for part in before} == {
        part: receipt.checksum for part, receipt in before.items()
    }


def checksums(job):
    return {
        (stage.name, part): receipt.checksum
        for stage in chain_of(job)
        for part, receipt in job.corpus.receipts(stage.name).items()
    }


def test_a_removal_equals_a_rebuild_and_gives_the_text_back(folder):
    """Without the blog, the quote stands in one document only."""
    names = ["http://blog.example/0", "http://blog.example/1", "https://gazette.example/7?utm_source=feed"]
    entries = entries_of(Kind.URL, names, "given", "2026-01-02T03:04:05+00:00", "a reason")
    for corpus in ("removed", "rebuilt"):
        if corpus == "removed":
            made(folder, DEDUP, corpus)
        write_removals(Corpus(folder / corpus), Removals().plus(entries))
        made(folder, DEDUP, corpus)
    removed, rebuilt = (job_of(recipe(DEDUP), folder, corpus) for corpus in ("removed", "rebuilt"))
    assert checksums(removed) == checksums(rebuilt)
    query = "SELECT kept FROM ledger WHERE url LIKE '%thief%'"
    assert rows_of(folder / "removed", query) == [(True,)]
    assert rows_of(folder / "removed", "SELECT DISTINCT documents FROM repeated_lines WHERE host LIKE 'gazette%'") == [
        (11,)
    ]


# ---- other kinds ---------------------------------------------------------------------------------------------------

TEXT = "One good text about the harbour, which is long enough to be compared with others of its kind."


@pytest.mark.parametrize(
    ("dedup", "kept"),
    [
        ({"near": False}, {"a", "c", "d", "e"}),
        ({"near": False, "exact": "normalised"}, {"a", "d", "e"}),
        ({}, {"e"}),
        ({"enabled": False}, {"a", "b", "c", "d", "e"}),
    ],
)
def test_exact_duplicates_alone(tmp_path, dedup, kept):
    texts = {
        "a": TEXT,
        "b": TEXT,
        "c": f"  {TEXT.upper()}\n".replace(" ", "\u00a0 "),
        "d": f"{TEXT}!",
        "e": f"{TEXT} " * 2,
    }
    rows = [{"text": text, "url": f"http://x.example/{name}"} for name, text in texts.items()]
    job = made(tmp_path, dedup, rows=rows)
    found = rows_of(job.corpus.folder, "SELECT url FROM ledger WHERE kept")
    names = {url[-1] for (url,) in found}
    assert len(names) == len(kept)
    assert {"a" if name in "ab" and "b" not in kept else name for name in names} - {"c", "a"} == kept - {"c", "a"}
    rules = {rule for (rule,) in rows_of(job.corpus.folder, "SELECT rule FROM ledger WHERE NOT kept")}
    assert rules <= ({"exact_duplicate"} if "near" in dedup else {"exact_duplicate", "near_duplicate"})


def test_the_best_page_of_a_url_by_a_signal(tmp_path):
    rows = [{"text": f"{TEXT} {'wow! ' * n}", "url": f"http://x.example/?b={n // 3}&a=1"} for n in range(6)]
    job = made(tmp_path, {"urls": {"enabled": True, "keep": "best", "signal": "n_words"}, "enabled": False}, rows=rows)
    made(tmp_path, {"urls": {"enabled": True, "keep": "longest"}, "enabled": False}, "longest", rows=rows)
    query = "SELECT url, n_words FROM ledger JOIN signals USING (doc_id) WHERE kept ORDER BY ALL"
    assert rows_of(tmp_path / "longest", query) == rows_of(job.corpus.folder, query)
    kept = rows_of(job.corpus.folder, "SELECT n_words FROM ledger JOIN signals USING (doc_id) WHERE kept ORDER BY 1")
    most = rows_of(
        job.corpus.folder, "SELECT max(n_words) FROM ledger JOIN signals USING (doc_id) GROUP BY url ORDER BY 1"
    )
    assert kept == most
    with pytest.raises(InputError, match="there is no signal 'n_word' with numbers; did you mean 'n_words'"):
        made(tmp_path, {"urls": {"enabled": True, "keep": "best", "signal": "n_word"}}, "other", rows=rows)


def test_the_newest_page_of_a_url(tmp_path):
    from tests.collect.warcs import Warc

    warc = Warc()
    for day in (2, 9, 4):
        body = f"<title>Page</title><main><p>{story(day, 20)}</p></main>".encode()
        url = "http://x.example/a/" if day == 4 else "http://X.example:80/a?fbclid=1"
        warc.response(url, body, date=f"2024-05-0{day}T00:00:00Z")
    (tmp_path / "in.warc.gz").write_bytes(warc.data)
    given = {
        "sources": [{"name": "s", "kind": "warc", "paths": ["in.warc.gz"]}],
        "filters": {"profiles": ["none"]},
        "dedup": {"urls": {"enabled": True}},
        "tokenizer": {"vocab_size": 300},
    }
    job = job_of(given, tmp_path)
    run_plainly(job)
    assert rows_of(job.corpus.folder, "SELECT day(fetched_at) FROM ledger JOIN pages USING (doc_id) WHERE kept") == [
        (9,)
    ]


def test_embeddings_of_the_users_own(tmp_path):
    """A document goes only for a kept one whose vector is near, and chains do not count."""
    rows = [{"text": story(n, 10 - n), "url": f"http://x.example/{n}"} for n in range(6)]
    job = made(tmp_path, {}, rows=rows)
    ids = dict(rows_of(job.corpus.folder, "SELECT url[-1:]::INT, doc_id FROM docs"))
    angles = {0: 0.0, 1: 0.2, 2: 0.4, 3: 2.0, 4: 2.05}  # the longest first; 5 has no vector
    vectors = [[float(np.cos(angle)), float(np.sin(angle)), 0.0] for angle in angles.values()]
    pq.write_table(pa.table({"doc_id": [ids[n] for n in angles], "vector": vectors}), tmp_path / "vectors.parquet")
    job = made(tmp_path, {"semantic": {"embeddings": "vectors.parquet", "threshold": 0.97}}, rows=rows)
    gone = rows_of(
        job.corpus.folder,
        "SELECT l.url[-1:]::INT, t.url[-1:]::INT, l.rule, round(l.value, 4), l.threshold, t.kept "
        "FROM ledger l JOIN ledger t ON t.doc_id = l.twin_doc_id ORDER BY ALL",
    )
    assert gone == [
        (1, 0, "semantic_duplicate", round(float(np.cos(0.2)), 4), 0.97, True),
        (4, 3, "semantic_duplicate", round(float(np.cos(0.05)), 4), 0.97, True),
    ]
    told = render(why(job.corpus.folder, ids[1]))
    assert "dropped as semantic_duplicate" in told
    assert "cosine similarity 0.9801, threshold 0.97" in told
    pq.write_table(pa.table({"doc_id": ["f" * 24], "vector": [[1.0]]}), tmp_path / "vectors.parquet")
    with pytest.raises(InputError, match="has a vector for none of the documents"):
        made(tmp_path, {"semantic": {"embeddings": "vectors.parquet"}}, rows=rows)


def test_without_any_of_it_nothing_is_there(tmp_path):
    job = made(tmp_path, {})
    folder = job.corpus.folder
    assert not {"repeated_lines", "same_url", "semantic", "repeated_text"} & {path.name for path in folder.iterdir()}
    for table in ("repeated_lines", "same_url", "semantic", "repeated_text"):
        assert rows_of(folder, f"FROM {table}") == []
    stages = [stage["stage"] for stage in json.loads((folder / "tables.json").read_text())["stages"]]
    assert "repeated_lines" not in stages
    assert duckdb.connect(folder / "catalog.duckdb", read_only=True).execute("SELECT count(*) FROM ledger").fetchall()


ALL = DEDUP | {"semantic": {"embeddings": "vectors.parquet"}}
RENEWED = [
    ({"urls": {"enabled": True, "keep": "newest"}}, {"same_url"}),
    ({"urls": {"enabled": True, "keep": "longest", "ignore": []}}, {"same_url"}),
    ({"lines": [{"min_documents": 7, "min_words": 4}]}, {"repeated_lines", "texts"}),
    ({"lines": [{"fold_numbers": False}]}, {"repeated_lines", "texts"}),
    ({"repeats": {"units": ["sentences"]}}, {"repeated_text"}),
    ({"repeats": DEDUP["repeats"] | {"substring_words": 31}}, {"repeated_text"}),
    ({"repeats": DEDUP["repeats"] | {"min_words": 11}}, {"repeated_text"}),
    ({"repeats": DEDUP["repeats"] | {"min_words_left": 0}}, {"repeated_text"}),
    ({"semantic": {"embeddings": "vectors.parquet", "threshold": 0.9}}, {"semantic"}),
    ({"semantic": {"embeddings": "others.parquet"}}, {"semantic"}),
    ({"near": False}, {"sketches", "twins"}),
    ({"near": False, "exact": "normalised"}, {"sketches", "twins"}),
]


@pytest.mark.parametrize(
    ("change", "expected"), RENEWED, ids=lambda value: str(sorted(value) if isinstance(value, set) else value)
)
def test_a_setting_moves_the_stages_that_read_it(tmp_path, change, expected):
    for name in ("vectors", "others"):
        (tmp_path / f"{name}.parquet").write_bytes(name.encode())
    source = {"name": "s", "kind": "jsonl", "paths": ["none.jsonl"]}
    before, after = (job_of({"sources": [source], "dedup": dedup}, tmp_path) for dedup in (ALL, ALL | change))
    assert moved(before, after) == expected


def moved(before, after):
    stages = chain_of(after)
    return {stage.name for stage in chain_of(before) if stage.prefix(before) != stages[stage.name].prefix(after)}


def test_edits_and_masking_move_what_reads_texts_as_they_leave_them(tmp_path):
    (tmp_path / "vectors.parquet").write_bytes(b"vectors")
    given = {"sources": [{"name": "s", "kind": "jsonl", "paths": ["none.jsonl"]}], "dedup": ALL}
    before = job_of(given, tmp_path)
    edits = job_of(given | {"edits": [{"kind": "white_space"}]}, tmp_path)
    assert moved(before, edits) == {"repeated_lines", "texts"}
    pii = job_of(given | {"pii": {"emails": False}}, tmp_path)
    assert moved(before, pii) == {"repeated_lines", "texts", "docs"}


@pytest.mark.parametrize(
    ("dedup", "says"),
    [
        ({"exact": "normalised"}, "needs near = false"),
        ({"urls": {"keep": "best"}}, "needs the name of a signal"),
        ({"urls": {"signal": "n_words"}}, "needs the name of a signal"),
        ({"lines": [{}, {"min_words": 2}]}, "two have the same unit and the same scope"),
        ({"repeats": {"units": ["line", "line"]}}, "a unit is named twice"),
        ({"repeats": {"units": ["word"]}}, "dedup.repeats.units.0"),
        ({"semantic": {"embeddings": "none.parquet"}}, "none.parquet cannot be read"),
    ],
)
def test_a_wrong_recipe_is_one_sentence(tmp_path, dedup, says):
    with pytest.raises(InputError, match=says) as caught:
        made(tmp_path, dedup)
    assert "\n" not in str(caught.value)
