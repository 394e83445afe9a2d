"""HF datasets: Parquet files by split, and a card that names them, so `datasets.load_dataset("FOLDER")` reads them."""

import pyarrow as pa
import pyarrow.parquet as pq

from corpusmill.export.documents import SPLITS, Documents
from corpusmill.export.formats import Request, Written
from corpusmill.schema import TOKENS

CARD = """\
---
configs:
- config_name: default
  data_files:
{files}---

# Token ids of documents

{columns}
The ids have no special tokens. The tokenizer is in `tokenizer.json`.
"""


def write(request: Request) -> Written:
    """Write one file for each part and split, and the card."""
    documents = Documents(request)
    numbers = dict.fromkeys(SPLITS, 0)
    (request.out / "data").mkdir()
    for split, table in documents.tables():
        path = request.out / "data" / f"{split}-{numbers[split]:05}.parquet"
        pq.write_table(_without_split(table), path, compression="zstd", row_group_size=10_000)
        numbers[split] += 1
    files = "".join(f"  - split: {split}\n    path: data/{split}-*.parquet\n" for split in SPLITS if numbers[split])
    columns = "".join(f"- `{each.name}`: {each.description}\n" for each in TOKENS.columns if each.name != "split")
    (request.out / "README.md").write_text(CARD.format(files=files, columns=columns), "utf-8")
    return documents.written(files=numbers)


def _without_split(table: pa.Table) -> pa.Table:
    """The columns but one that is the same everywhere, and is the name of the split."""
    return table.drop_columns(["split"])
