"""A corpus of tokens for bench/loader.py: generated documents, with ids and lengths that are distributed as in text.

The ids follow Zipf's law over 32,768 entries, and lengths are log-normal with a median of 400 tokens.
"""

import json
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from corpusmill.corpus import Corpus
from corpusmill.parts import Made
from corpusmill.reasons import Stage
from corpusmill.tokenize.encode import tokens_schema
from corpusmill.tokenize.shards import write_parquet_tokens

TOKENIZER = {"model": {"vocab": {"last": 32_767}}, "added_tokens": [{"content": "<|endoftext|>", "id": 0}]}
PART_TOKENS = 1 << 22
SOURCES = ("web", "books", "code")


def make_corpus(folder: Path, n_tokens: int) -> Corpus:
    """Write the corpus, unless it is there; returns it."""
    corpus = Corpus(folder)
    if corpus.receipts(Stage.TOKENS):
        return corpus
    facts = {"fingerprint": "-", "started": time.time()}
    content = json.dumps(TOKENIZER).encode()
    corpus.publish_file(Stage.TOKENIZER, "tokenizer.json", content, rows_in=0, bytes_in=0, counts={}, **facts)
    share = 1 / np.arange(1, 32_768)
    share /= share.sum()
    for number in range(-(-n_tokens // PART_TOKENS)):
        rng = np.random.default_rng(number)
        ids = (1 + rng.choice(32_767, PART_TOKENS, p=share)).astype(np.uint16)
        sizes = np.maximum(1, rng.lognormal(np.log(400), 1, PART_TOKENS // 400)).astype(np.int64)
        sizes = sizes[np.cumsum(sizes) <= PART_TOKENS]
        fields, offsets = tokens_schema(32_768), np.concatenate([[0], np.cumsum(sizes)])
        of, n = f"part-{number:05}", len(sizes)
        columns = {
            "doc_id": [f"{number:012x}{i:012x}" for i in range(n)],
            "source": [SOURCES[number % len(SOURCES)]] * n,
            "language": ["en"] * n,
            "split": ["train"] * n,
            "n_bytes": sizes * 4,
            "n_tokens": sizes.astype(np.int32),
            "ids": pa.ListArray.from_arrays(
                pa.array(offsets, pa.int32()), pa.array(ids[: offsets[-1]]), type=fields.field("ids").type
            ),
        }
        table = pa.table(columns, schema=fields)
        made = Made(table=table, rows_in=n, bytes_in=table.nbytes)
        corpus.publish(Stage.TOKENS, of, made, write=write_parquet_tokens, **facts)
    return corpus
