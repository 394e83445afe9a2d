"""A tiny corpus with real tokens: short documents of a small grammar, two sources, Chinese among them."""

import random
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file

from corpusmill.corpus import Corpus
from corpusmill.parts import Made
from corpusmill.reasons import Stage
from corpusmill.recipe import TokenizerSettings, TrainSettings
from corpusmill.tokenize.encode import Encoder, encode_documents
from corpusmill.tokenize.shards import write_parquet_tokens
from corpusmill.tokenize.train import train_tokenizer


def sentence(seed, *, end=" "):
    draw = random.Random(seed)
    if seed % 3 == 0:
        return "".join(
            draw.choice(["今天天气很好。", "我们去公园散步。", "他喜欢读书。"]) for _ in range(draw.randint(1, 12))
        )
    words = [
        f"{draw.choice(['red', 'green', 'blue'])} {draw.choice(['fox', 'owl', 'elk'])} runs home." for _ in range(20)
    ]
    return end.join(words[: draw.randint(1, 20)])


def documents(n, *, validation_every=7, first=0, end=" "):
    seeds = range(first, first + n)
    return pa.table({
        "doc_id": [f"{seed:024x}" for seed in seeds],
        "source": pa.array(["zh" if seed % 3 == 0 else "en" for seed in seeds], pa.string()),
        "split": pa.array(
            ["train" if not validation_every or seed % validation_every else "validation" for seed in seeds],
            pa.string(),
        ),
        "language": pa.array(["zh" if seed % 3 == 0 else "en" for seed in seeds], pa.string()),
        "text": pa.array([sentence(seed, end=end) for seed in seeds], pa.large_string()),
    })  # fmt: skip


def write_tokens(folder, tables, *, vocab_size=320, sample=None):
    """A corpus directory with token parts of these document tables; returns the tables of tokens by part."""
    corpus = Corpus(folder)
    sample = [sentence(i) for i in range(60)] if sample is None else sample
    definition = train_tokenizer(sample, TokenizerSettings(vocab_size=vocab_size))
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


class KilledError(Exception):
    """Stands for a crash between two steps."""


def weights(model):
    return load_file(model / "model.safetensors")


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def metrics(model, *names):
    rows = pq.read_table(model / "metrics.parquet").to_pylist()
    return [(row["step"], row["metric"], row["source"], row["value"]) for row in rows if row["metric"] in names]


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    write_tokens(folder, [documents(60), documents(50, first=60), documents(0), documents(40, first=110)])
    return folder


@pytest.fixture(scope="session")
def lines(tmp_path_factory):
    """A corpus whose documents have lines."""
    folder = tmp_path_factory.mktemp("lines")
    write_tokens(folder, [documents(90, end="\n")])
    return folder


def small(**tables):
    """Settings of a training that takes a second."""
    return TrainSettings.model_validate({
        "row_length": 32, "rows_per_step": 4, "steps": 12, "checkpoint_every": 5, "validate_every": 6,
        "validation_rows": 8, **tables,
    })  # fmt: skip


SHAPE = {"layers": 2, "width": 32, "heads": 2}
GROUPED = {**SHAPE, "kv_heads": 1}
LONGER = {"row_length": 64}
KINDS = {
    "decoder": small(model=GROUPED),
    "decoder, dropout": small(model=GROUPED | {"dropout": 0.2, "tied_embeddings": False}, rows_per_pass=2),
    "encoder": small(model=SHAPE | {"kind": "encoder", "window": 8, "global_every": 2}),
    "encoder, sentence-order": small(
        model=SHAPE | {"kind": "encoder"}, objective={"order": "sentence-order"}, **LONGER
    ),
    "encoder, next-sentence": small(model=SHAPE | {"kind": "encoder"}, objective={"order": "next-sentence"}, **LONGER),
    "encoder-decoder": small(model=GROUPED | {"kind": "encoder-decoder"}),
    "lstm": small(model={"kind": "lstm", "width": 32, "dropout": 0.1}),
    "lstm, attention": small(model={"kind": "lstm", "width": 32, "attention": True}),
}


@pytest.fixture
def settings():
    return KINDS["decoder"]
