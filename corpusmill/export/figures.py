"""What exports have measured: exports.parquet in the model's folder, which the catalog shows as the table `exports`."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from corpusmill.schema import EXPORTS

FILE = "exports.parquet"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of an export."""

    metric: str
    value: float
    baseline: float | None = None  # the same of the model that was exported
    source: str | None = None  # None: all sources


def add_figures(model: Path, format: str, out: Path, figures: Sequence[Figure]) -> None:
    """Add the figures of an export to those of the model's earlier exports."""
    file = model / FILE
    now = datetime.now(UTC).replace(tzinfo=None)
    place = str(out.resolve())
    rows = [
        {
            "format": format,
            "folder": place,
            "metric": each.metric,
            "source": each.source,
            "value": each.value,
            "baseline": each.baseline,
            "exported_at": now,
        }
        for each in figures
    ]
    table = pa.Table.from_pylist(rows, schema=EXPORTS.arrow)
    if file.exists():
        table = pa.concat_tables([pq.read_table(file, schema=EXPORTS.arrow), table])
    temporary = model / f".{FILE}.{uuid.uuid4().hex}.tmp"
    pq.write_table(table, temporary, compression="zstd")
    temporary.rename(file)
