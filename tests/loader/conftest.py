"""Small corpora of tokens whose documents are known by their tokens."""

import json
import time

import numpy as np
import pyarrow as pa
import pytest

from corpusmill.corpus import Corpus
from corpusmill.mix import MixSettings, write_mix
from corpusmill.parts import Made
from corpusmill.reasons import Stage
from corpusmill.tokenize.encode import tokens_schema
from corpusmill.tokenize.shards import write_parquet_tokens

BOUNDARY = 0
ADDED = [{"content": "<|endoftext|>", "id": BOUNDARY}]


def documents(name, sizes, *, start=1, source="books", language="en", splits=("train",)):
    """A table of tokens.  The tokens of all documents are different: `start`, `start` + 1, ..."""
    ends = np.cumsum(sizes) + start
    n = len(sizes)
    columns = {
        "doc_id": [f"{name}-{i}" for i in range(n)],
        "source": [source] * n if isinstance(source, str) else source,
        "language": [language] * n if isinstance(language, str | None) else language,
        "split": [splits[i % len(splits)] for i in range(n)],
        "n_bytes": [3 * size for size in sizes],
        "n_tokens": sizes,
        "ids": [np.arange(end - size, end) for size, end in zip(sizes, ends, strict=True)],
    }
    return pa.table(columns, schema=tokens_schema(100_000))


def write(folder, tables, *, mix=None, weights=None, vocab_size=100_000):
    """A corpus of these token parts."""
    corpus = Corpus(folder)
    tokenizer = {"model": {"vocab": {"last": vocab_size - 1}}, "added_tokens": ADDED}
    corpus.publish_file(
        Stage.TOKENIZER, "tokenizer.json", json.dumps(tokenizer).encode(), fingerprint="-", started=time.time(),
        rows_in=0, bytes_in=0, counts={},
    )  # fmt: skip
    for name, table in tables.items():
        publish(corpus, name, table)
    write_mix(corpus, weights or {}, MixSettings.model_validate(mix or {}))
    return corpus


def publish(corpus, name, table, stage=Stage.TOKENS, **options):
    made = Made(table=table, rows_in=table.num_rows, bytes_in=table.nbytes)
    options = {"write": write_parquet_tokens, **options}
    corpus.publish(stage, name, made, fingerprint="-", started=time.time(), **options)


def ask(corpus, **changes):
    """Another mix of the corpus."""
    write_mix(corpus, changes.pop("weights", {}), MixSettings.model_validate(changes))


@pytest.fixture
def small_row_groups(monkeypatch):
    monkeypatch.setattr("corpusmill.tokenize.shards.TOKENS_PER_ROW_GROUP", 60)


@pytest.fixture
def corpus(tmp_path, small_row_groups):
    """Two sources in three parts and many row groups."""
    rng = np.random.default_rng(5)
    tables, start = {}, 1
    for name, source, n in (("a", "books", 40), ("b", "news", 25), ("c", "books", 30)):
        sizes = rng.integers(0, 40, n)
        tables[name] = documents(name, sizes, start=start, source=source)
        start += int(sizes.sum())
    return write(tmp_path, tables)
