"""A small corpus with something of everything, written part by part as the stages would write it."""

import json
import shutil
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpusmill import schema
from corpusmill.belonging import digest_of_ids
from corpusmill.collect.crawl.state import CrawlFolder, CrawlSummary, ShardReceipt
from corpusmill.corpus import Corpus
from corpusmill.filters.personal import mask_text
from corpusmill.parts import Made
from corpusmill.reasons import Stage
from corpusmill.recipe import TokenizerSettings
from corpusmill.reports import tables
from corpusmill.tokenize.encode import Encoder
from corpusmill.tokenize.study import count_tokens, study
from corpusmill.tokenize.study_file import written
from corpusmill.tokenize.train import train_tokenizer

RULES = """
[[sources]]
name = "web"
kind = "warc"
paths = ["*.warc.gz"]

[filters]
profiles = ["none"]

[[filters.rules]]
name = "too_short"
signal = "n_words"
comparison = "<"
threshold = 5

[[filters.rules]]
name = "digits"
signal = "digit_share"
comparison = ">"
threshold = 0.5

[[filters.rules]]
name = "shop"
sql = "language = 'en' AND n_words < 4"
"""
START = datetime(2026, 1, 2, 3, 4, 5)


@dataclass(frozen=True)
class Page:
    """One page and what became of it."""

    url: str | None
    text: str | None
    title: str | None = None
    language: str = "en"
    status: str = "ok"
    twin: int | None = None  # index of the page that it duplicates
    jaccard: float = 1.0


PAGES = (
    Page("http://a.example/", "The quick brown fox jumps over the lazy dog near the river.", "Fox"),
    Page("http://a.example/copy", "The quick brown fox jumps over the lazy dog near the river.", "Copy", twin=0),
    Page("http://b.example/near", "The quick brown fox jumps over a lazy dog near the river.", twin=0, jaccard=0.8125),
    Page("http://a.example/short", "Too short", "Short"),
    Page("http://a.example/digits", "1 2 3", "Digits"),
    Page("http://b.example/zh", "人人生而自由,在尊严和权利上一律平等。他们赋有理性和良心。", "人权", language="zh"),
    Page("http://b.example/mail?to=jane.doe@corp.example", "Please write to jane.doe@corp.example about it. " * 9,
         "Mail of jane.doe@corp.example"),
    Page("http://evil.example/<script>", "<script>alert('x')</script> & more words follow here for length",
         "<img src=x onerror=alert(1)>"),
    Page("http://a.example/gone", None, status="http_error"),
    Page("http://a.example/old", None, status="redirect"),
    Page(None, None, status="broken_record"),
    Page("http://a.example/", "The same address once more, fetched at another time, with other words.", "Fox again"),
    Page("http://evil.example/again", "<script>alert('x')</script> & more words follow here, for length",
         "<img src=x onerror=alert(1)>", twin=7, jaccard=0.9),
    Page("http://b.example/mail?cc=jane.doe@corp.example", "Please write to jane.doe@corp.example about it. " * 9,
         "Mail of jane.doe@corp.example", twin=6),
)  # fmt: skip
PARTS = {"web-0000": range(8), "web-0001": range(8, 14), "web-0002": range(0)}

URLS = (
    ("http://a.example/", "fetched", 200, None, None, None),
    ("http://a.example/old", "fetched", 301, "http://a.example/", "http://a.example/", None),
    ("http://a.example/gone", "fetched", 404, None, "http://a.example/", None),
    ("http://a.example/private", "robots_disallowed", None, None, "http://a.example/", "Disallow: /private"),
    ("http://c.example/", "failed", None, None, "http://a.example/", "timeout"),
)


def doc_id(index: int) -> str:
    """Identity of page `index`."""
    return f"{index:024x}"


def source(index: int) -> str:
    return "web" if index in PARTS["web-0000"] else "more"


def publish(corpus: Corpus, stage: Stage, part: str, rows: list[dict], columns: pa.Schema, dropped: dict | None = None):
    """Publish a part through the real door."""
    table = pa.Table.from_pylist(rows, schema=columns)
    made = Made(
        table=table, rows_in=len(rows) + sum((dropped or {}).values()), bytes_in=table.nbytes, dropped=dropped or {}
    )
    corpus.publish(stage, part, made, fingerprint=f"{stage}-{part}", started=time.time())


def n_words(page: Page) -> int:
    return len(page.text.split()) if page.language != "zh" else len(page.text) // 2


def broken_rules(page: Page) -> list[str]:
    digits = sum(c.isdigit() for c in page.text) / len(page.text)
    found = {
        "too_short": n_words(page) < 5,
        "digits": digits > 0.5,
        "shop": page.language == "en" and n_words(page) < 4,
    }
    return [name for name, broken in found.items() if broken]


def page_rows(indices: range) -> list[dict]:
    return [
        {
            "doc_id": doc_id(i),
            "source": source(i),
            "url": PAGES[i].url,
            "fetched_at": START + timedelta(minutes=i),
            "title": PAGES[i].title,
            "text": PAGES[i].text,
            "html_lang": PAGES[i].language,
            "content_type": "text/html",
            "licence": None,
            "metadata": json.dumps({"http_status": 200, "n": i}),
            "n_bytes": 1000 + i,
            "origin_path": "crawl.warc.gz",
            "origin_offset": 4096 * i,
            "status": PAGES[i].status,
        }
        for i in indices
    ]


def text_rows(indices: range) -> list[dict]:
    masked = {i: {name: getattr(PAGES[i], name) for name in ("url", "title", "text")} for i in indices}
    return [
        {"doc_id": doc_id(i), "pii_emails": 0 if PAGES[i].text is not None else None}
        | {name: value and mask_text(value) for name, value in masked[i].items()}
        for i in indices
    ]


def language_rows(indices: range) -> list[dict]:
    readable = [i for i in indices if PAGES[i].text is not None]
    said = {i: {"language": PAGES[i].language, "language_score": 0.9} for i in readable}
    return [{"doc_id": doc_id(i), **said.get(i, {})} for i in indices]


def signal_rows(indices: range) -> list[dict]:
    rows = []
    for i in indices:
        page = PAGES[i]
        row = {"doc_id": doc_id(i)}
        if page.text is not None:
            row |= {"n_words": n_words(page), "digit_share": sum(c.isdigit() for c in page.text) / len(page.text)}
        rows.append(row)
    return rows


def verdict_rows(indices: range) -> list[dict]:
    rows = []
    for i in indices:
        row = {"doc_id": doc_id(i), "kept": True, "also_dropped_by": []}
        if PAGES[i].status != "ok":
            row |= {"kept": False, "stage": "pages", "rule": PAGES[i].status}
        elif broken := broken_rules(PAGES[i]):
            row |= {"kept": False, "stage": "verdicts", "rule": broken[0], "also_dropped_by": broken[1:]}
            row |= {"value": float(n_words(PAGES[i])), "threshold": 5.0}
        rows.append(row)
    return rows


def rule_of(page: Page) -> str | None:
    if page.twin is None:
        return None
    return "exact_duplicate" if page.jaccard == 1 else "near_duplicate"


def twin_rows(indices: range) -> list[dict]:
    groups: dict[int, list[int]] = {}
    for i, page in enumerate(PAGES):
        if page.twin is not None:
            groups.setdefault(page.twin, [page.twin]).append(i)
    group_of = {i: min(map(doc_id, members)) for members in groups.values() for i in members}
    return [
        {
            "doc_id": doc_id(i),
            "group_id": group_of[i],
            "rule": rule_of(PAGES[i]),
            "twin_doc_id": None if PAGES[i].twin is None else doc_id(PAGES[i].twin),
            "jaccard": None if PAGES[i].twin is None else PAGES[i].jaccard,
            "threshold": 0.75,
            "limited": i == 1,
        }
        for i in indices
        if i in group_of
    ]


def sketch_rows(indices: range) -> list[dict]:
    return [
        {"doc_id": doc_id(i), "content_hash": i, "n_chars": len(PAGES[i].text or ""), "bands": [1], "shingles": [2]}
        for i in indices
    ]


def kept(indices: range) -> list[int]:
    return [i for i in indices if PAGES[i].twin is None and PAGES[i].status == "ok" and not broken_rules(PAGES[i])]


def doc_rows(indices: range) -> list[dict]:
    return [
        {
            "doc_id": doc_id(i),
            "source": source(i),
            "url": PAGES[i].url,
            "language": PAGES[i].language,
            "licence": None,
            "title": PAGES[i].title,
            "text": PAGES[i].text,
            "split": "train",
        }
        for i in kept(indices)
    ]


def token_rows(indices: range) -> list[dict]:
    return [
        {
            "doc_id": doc_id(i),
            "source": source(i),
            "language": PAGES[i].language,
            "split": "train",
            "n_bytes": len(PAGES[i].text.encode()),
            "n_tokens": 10 + i,
            "ids": list(range(10 + i)),
        }
        for i in kept(indices)
    ]


ROWS = {
    Stage.PAGES: page_rows,
    Stage.TEXTS: text_rows,
    Stage.LANGUAGE_SIGNALS: language_rows,
    Stage.TEXT_SIGNALS: signal_rows,
    Stage.VERDICTS: verdict_rows,
    Stage.SKETCHES: sketch_rows,
    Stage.TWINS: twin_rows,
    Stage.DOCS: doc_rows,
    Stage.TOKENS: token_rows,
}


def columns_of(stage: Stage) -> pa.Schema:
    return tables.OWN_TABLES[stage].arrow


def write_stage(corpus: Corpus, stage: Stage, parts: dict[str, range] = PARTS) -> None:
    for part, indices in parts.items():
        publish(corpus, stage, part, ROWS[stage](indices), columns_of(stage))


def write_crawl(folder: Path) -> None:
    rows = [
        {"source": "web", "url": url, "host": url.split("/")[2], "round": 1 if found_on is None else 2,
         "depth": 0 if found_on is None else 1, "found_on": found_on, "fate": fate, "http_status": status,
         "redirect_to": target, "error": error, "fetched_at": START, "warc_file": "web/round-0001-0.warc.gz"}
        for url, fate, status, target, found_on, error in URLS
    ]  # fmt: skip
    crawl = CrawlFolder(folder / "raw" / "web")
    for path, chosen in ((crawl.file("urls", 1, 0), rows[:3]), (crawl.path / "urls" / "unfetched.parquet", rows[3:])):
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(chosen, schema=schema.URLS.arrow), path)
    crawl.write_shard_receipt(1, 0, ShardReceipt(urls=3, pages=3, bytes=1, seconds=1.0, finished_at=1.0))
    crawl.close(
        CrawlSummary(fingerprint="", rounds=1, urls=5, pages=3, bytes=1, fates={}, seconds=1.0, finished_at=1.0)
    )


def write_metrics(folder: Path, model: str = "small") -> None:
    levels = {"unigram_entropy": 6.5, "unigram_validation_loss": 6.625, "trigram_validation_loss": 5.25}
    rows = [{"step": 0, "seconds": 0.0, "tokens": 0, "metric": name, "value": value} for name, value in levels.items()]
    for step in range(0, 101, 20):
        done = {"step": step, "seconds": step / 10, "tokens": 1000 * step}
        rows.append(done | {"metric": "validation_loss", "value": 8.0 - step / 25})
        bits = {"metric": "validation_bits_per_byte", "value": 2.5 - step / 80}
        rows += [done | bits | {"source": name} for name in (None, "web", "more")]
    path = folder / "models" / model / "metrics.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=schema.METRICS.arrow), path)


def write_evaluations(folder: Path, model: str = "small") -> None:
    counts = {"split": "train", "n_tokens": 10, "n_targets": 10, "n_bytes": 40, "bits_per_byte": 1.5}
    losses = [
        {
            **{name: row[name] for name in ("doc_id", "source", "language")},
            **counts,
            "loss": 3.0 + (row["language"] == "zh"),
        }
        for row in doc_rows(range(len(PAGES)))
    ]
    figures = [
        {
            "evaluation": "quiz",
            "kind": "choices",
            "metric": metric,
            "items": 8,
            "value": value,
            "low": low,
            "high": high,
        }
        for metric, value, low, high in (("accuracy", 0.5, 0.215, 0.785), ("chance", 0.25, None, None))
    ]
    for file, table, rows in (
        ("losses", schema.DOCUMENT_LOSSES, losses),
        ("evaluations", schema.EVALUATIONS, figures),
    ):
        path = folder / "models" / model / f"{file}.parquet"
        pq.write_table(pa.Table.from_pylist(rows, schema=table.arrow), path)


def write_finetune_metrics(folder: Path, model: str = "tuned") -> None:
    figure = {"task": "classification", "part": "test", "metric": "f1_macro", "value": 0.9, "baseline": 0.4, "n": 40}
    label = figure | {"metric": "f1", "class": "<b>good</b>"}
    path = folder / "models" / model / "finetune_metrics.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist([figure, label], schema=schema.FINETUNE_METRICS.arrow), path)


def write_vocabulary(corpus: Corpus) -> None:
    texts = [row["text"] for row in doc_rows(range(len(PAGES)))]
    own = Encoder(train_tokenizer(texts, TokenizerSettings(vocab_size=300)))
    sample = [(("web", "en"), text) for text in texts]
    counts = count_tokens((own.encode(text) for text in texts), own.vocab_size)
    rows = study(own, {}, sample, counts, lambda tokens: [mask_text(token) for token in tokens])
    content = written(rows, digest_of_ids(corpus.receipts(Stage.TOKENS)))
    done = {"fingerprint": "f", "started": time.time(), "rows_in": len(texts), "bytes_in": 1, "counts": {}}
    corpus.publish_file(Stage.VOCABULARY, "vocabulary.json", content, **done)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished corpus to read, in a folder whose name SQL and globbing could trip over."""
    folder = tmp_path_factory.mktemp("reports") / "my [corpus] 'x'"
    made = Corpus(folder)
    made.write_text("recipe.toml", RULES)
    for stage in ROWS:
        write_stage(made, stage)
    write_vocabulary(made)
    write_crawl(folder)
    write_metrics(folder)
    write_evaluations(folder)
    write_finetune_metrics(folder)
    return folder


@pytest.fixture
def own_corpus(corpus: Path, tmp_path: Path) -> Path:
    """The same to be changed, in a folder of the test's own."""
    return Path(shutil.copytree(corpus, tmp_path / "own [corpus] 'x'"))
