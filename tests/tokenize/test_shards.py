"""Token shards are ordinary Parquet: pyarrow and DuckDB read back what was written."""

import io

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpusmill.tokenize import shards
from corpusmill.tokenize.encode import tokens_schema
from corpusmill.tokenize.shards import write_parquet_tokens


def token_table(sizes, vocab_size=1000):
    random = np.random.default_rng(1)
    ids = [random.integers(0, vocab_size, size) for size in sizes]
    columns = {
        "doc_id": [f"{i:024x}" for i in range(len(sizes))],
        "source": ["books"] * len(sizes),
        "language": ["en"] * len(sizes),
        "split": ["train"] * len(sizes),
        "n_bytes": [4 * size for size in sizes],
        "n_tokens": sizes,
        "ids": ids,
    }
    return pa.table(columns, schema=tokens_schema(vocab_size))


def written(table):
    sink = io.BytesIO()
    write_parquet_tokens(table, sink)
    return sink.getvalue()


@pytest.mark.parametrize("sizes", [[], [0], [5], [3, 0, 400, 70_000, 1]])
@pytest.mark.parametrize("vocab_size", [1000, 100_000])
def test_readers_get_the_same_rows(tmp_path, sizes, vocab_size):
    table = token_table(sizes, vocab_size)
    path = tmp_path / "part.parquet"
    path.write_bytes(written(table))
    assert pq.read_table(path).equals(table)
    with duckdb.connect() as connection:
        rows = connection.execute("SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
    assert rows == [tuple(row.values()) for row in table.to_pylist()]


def test_row_groups_hold_about_260_000_tokens():
    sizes = [75_000] * 5 + [750_000] + [10] * 4
    metadata = pq.read_metadata(io.BytesIO(written(token_table(sizes))))
    rows = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
    assert rows == [3, 2, 1, 4]


def test_ids_are_plain_and_small():
    table = token_table([shards.TOKENS_PER_ROW_GROUP // 4], vocab_size=4096)
    data = written(table)
    column = pq.read_metadata(io.BytesIO(data)).row_group(0).column(6)
    assert column.encodings == ("RLE", "PLAIN")  # which every reader of Parquet knows
    assert len(data) / table["n_tokens"][0].as_py() < 2.1  # 12 random bits a token


def test_bytes_do_not_depend_on_chunks():
    table = token_table([5, 6, 7, 8])
    assert written(table) == written(pa.concat_tables([table.slice(0, 1), table.slice(1)]))
