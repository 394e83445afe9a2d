"""Parquet files in a model's folder: what was found about the model, for the catalog.

Each file says what it was made of: the weights, and the tokens of the corpus if they matter.  What was made of other
weights or tokens is not used again.
"""

import hashlib
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpusmill.schema import Table
from corpusmill.store import full_disk_is_a_run_error

MADE_OF = b"corpusmill.made_of"


def weights_of(folder: Path) -> str:
    """A digest of the weights."""
    with (folder / "model.safetensors").open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def read(path: Path, table: Table, made_of: str) -> pa.Table:
    """The rows of a file; none if it is missing, damaged, or made of other things."""
    try:
        found = pq.read_table(path)
    except (OSError, pa.ArrowException):
        return table.arrow.empty_table()
    if (found.schema.metadata or {}).get(MADE_OF) != made_of.encode() or found.schema.names != table.arrow.names:
        return table.arrow.empty_table()
    return found.cast(table.arrow)


def write(path: Path, rows: pa.Table, made_of: str) -> None:
    """Replace a file by renaming a new one."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    with full_disk_is_a_run_error(path.parent):
        pq.write_table(rows.replace_schema_metadata({MADE_OF: made_of}), temporary, compression="zstd")
        temporary.rename(path)


def replaced(old: pa.Table, key: str, names: Sequence[Any], new: pa.Table) -> pa.Table:
    """Rows of `new`, after those rows of `old` whose `key` is not in `names`."""
    kept = old.filter(pc.invert(pc.is_in(old[key], pa.array(names, old.schema.field(key).type))))
    return pa.concat_tables([kept, new]).combine_chunks()
