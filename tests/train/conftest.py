"""A tiny corpus with real tokens: short documents of a small grammar, two sources, Chinese among them."""

import os
import random
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpusmill.corpus import Corpus
from corpusmill.parts import Made
from corpusmill.reasons import Stage
from corpusmill.recipe import TokenizerSettings, TrainSettings
from corpusmill.tokenize.encode import Encoder, encode_documents
from corpusmill.tokenize.shards import write_parquet_tokens
from corpusmill.tokenize.train import train_tokenizer

os.environ.setdefault("OMP_NUM_THREADS", "1")  # for torch, before it is imported: models here are tiny


def sentence(seed):
    draw = random.Random(seed)
    if seed % 3 == 0:
        return "".join(
            draw.choice(["今天天气很好。", "我们去公园散步。", "他喜欢读书。"]) for _ in range(draw.randint(1, 12))
        )
    words = [
        f"{draw.choice(['red', 'green', 'blue'])} {draw.choice(['fox', 'owl', 'elk'])} runs home." for _ in range(20)
    ]
    return " ".join(words[: draw.randint(1, 20)])


def documents(n, *, validation_every=7, first=0):
    seeds = range(first, first + n)
    return pa.table({
        "doc_id": [f"{seed:024x}" for seed in seeds],
        "source": pa.array(["zh" if seed % 3 == 0 else "en" for seed in seeds], pa.string()),
        "split": pa.array(
            ["train" if not validation_every or seed % validation_every else "validation" for seed in seeds],
            pa.string(),
        ),
        "text": pa.array([sentence(seed) for seed in seeds], pa.large_string()),
    })  # fmt: skip


def write_tokens(folder, tables):
    """A corpus directory with token parts of these document tables; returns the tables of tokens by part."""
    corpus = Corpus(folder)
    definition = train_tokenizer([sentence(i) for i in range(60)], TokenizerSettings(vocab_size=320))
    write_tokenizer(corpus, definition)
    parts = {}
    for index, table in enumerate(tables):
        tokens = parts[f"part-{index}"] = encode_documents(table, Encoder(definition))
        made = Made(table=tokens, rows_in=tokens.num_rows, bytes_in=tokens.nbytes)
        corpus.publish(
            Stage.TOKENS, f"part-{index}", made, fingerprint="-", started=time.time(), write=write_parquet_tokens
        )
    return parts


def write_tokenizer(corpus, definition):
    """The corpus's tokenizer, through the real door."""
    corpus.publish_file(
        Stage.TOKENIZER,
        "tokenizer.json",
        definition.encode(),
        fingerprint="-",
        started=time.time(),
        rows_in=0,
        bytes_in=0,
        counts={},
    )


def token_documents(folder):
    """Every row of the corpus's tokens, as dicts."""
    return [row for path in sorted((folder / "tokens").glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    write_tokens(folder, [documents(60), documents(50, first=60), documents(0), documents(40, first=110)])
    return folder


@pytest.fixture
def settings():
    return TrainSettings(
        layers=2,
        width=32,
        heads=2,
        kv_heads=1,
        row_length=32,
        rows_per_step=4,
        steps=12,
        checkpoint_every=5,
        validate_every=6,
        validation_rows=8,
    )
