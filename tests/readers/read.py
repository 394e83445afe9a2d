"""Read every table of a corpus with the readers that are installed here, and compare with the expected rows.

    python read.py CORPUS EXPECTED.json READER...

It runs in environments of its own, with old versions of the readers, so it imports nothing of this project.
"""

import datetime
import decimal
import json
import math
import sys
from pathlib import Path


def plain(value):
    """A value of any reader's as JSON has it, without what readers tell differently: times, and missing values."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, datetime.datetime) or type(value).__name__ == "NaTType":
        return None
    if isinstance(value, decimal.Decimal):
        return int(value)
    if (isinstance(value, float) and math.isnan(value)) or type(value).__name__ == "NAType":
        return None
    return value.decode() if isinstance(value, bytes) else value


def rows(columns, values):
    """Rows in an order of their own: readers list files in different orders."""
    made = [dict(zip(columns, map(plain, row), strict=True)) for row in values]
    return sorted(made, key=lambda row: json.dumps(row, sort_keys=True))


def of_dicts(found):
    return rows(list(found[0]), [list(row.values()) for row in found]) if found else []


def of_pandas(frame):
    return rows(list(frame.columns), zip(*(frame[name].tolist() for name in frame.columns), strict=True))


def duckdb(folder):
    import duckdb

    found = duckdb.sql(f"FROM read_parquet('{folder}/*.parquet')")
    return rows(found.columns, found.fetchall())


def pyarrow(folder):
    import pyarrow.parquet

    files = [pyarrow.parquet.read_table(path).to_pylist() for path in sorted(folder.glob("*.parquet"))]
    return of_dicts([row for file in files for row in file])


def pyarrow_dataset(folder):
    import pyarrow.dataset

    return of_dicts(pyarrow.dataset.dataset(str(folder)).to_table().to_pylist())


def polars(folder):
    import polars

    found = polars.scan_parquet(f"{folder}/*.parquet").collect()
    return rows(found.columns, found.rows())


def fastparquet(folder):
    import fastparquet

    frame = fastparquet.ParquetFile(str(folder)).to_pandas()
    if "shingles" in frame:  # it takes the upper half of 32-bit hashes for negative numbers
        frame["shingles"] = [[value % 2**32 for value in plain(row)] for row in frame["shingles"]]
    return of_pandas(frame)


def datasets(folder):
    import datasets

    datasets.disable_progress_bars()
    cache = str(folder.parent / ".datasets")
    found = datasets.load_dataset("parquet", data_files=f"{folder}/*.parquet", split="train", cache_dir=cache)
    return of_dicts(list(found))


def spark(folder):
    from pyspark.sql import SparkSession

    session = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    session = session.config("spark.ui.showConsoleProgress", "false").getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    found = session.read.parquet(str(folder))
    return rows(found.columns, [list(row) for row in found.collect()])


READERS = (duckdb, pyarrow, pyarrow_dataset, polars, fastparquet, datasets, spark)


def catalog(path):
    """The number of rows of each view and table of the catalog, every column of which is read."""
    import duckdb

    with duckdb.connect(str(path), read_only=True) as connection:
        names = connection.execute("SELECT table_name FROM information_schema.tables").fetchall()
        return {name: len(connection.execute(f'FROM "{name}"').fetchall()) for (name,) in names}


def without_lists_of_structures(found):
    """The rows without columns that hold such lists."""
    left_out = {
        name
        for row in found
        for name, value in row.items()
        if isinstance(value, list) and any(isinstance(item, dict) for item in value)
    }
    return [{name: value for name, value in row.items() if name not in left_out} for row in found], left_out


def main(corpus, expected, names):
    wrong = 0
    known = json.loads(Path(expected).read_text("utf-8"))
    for reader in READERS:
        if reader.__name__ not in names:
            continue
        for folder, wanted in known["tables"].items():
            try:
                found = reader(Path(corpus, folder))
                if reader is fastparquet:  # it gives null for lists of structures
                    wanted, left_out = without_lists_of_structures(wanted)
                    assert all(row[name] is None for row in found for name in left_out)
                    found = [{name: row[name] for name in row if name not in left_out} for row in found]
                    wanted, found = of_dicts(wanted), of_dicts(found)
            except Exception as error:  # noqa: BLE001  # whatever a reader raises
                found = f"{type(error).__name__}: {error}"
            if found != wanted:
                wrong += 1
                print(f"{reader.__name__} {folder}: {found if isinstance(found, str) else 'other rows'}")
                if not isinstance(found, str):
                    print(
                        next(((a, b) for a, b in zip(found, wanted, strict=False) if a != b), (len(found), len(wanted)))
                    )
    if "catalog" in names:
        found = catalog(Path(corpus, "catalog.duckdb"))
        if found != known["catalog"]:
            wrong += 1
            print(f"catalog: {found}, expected {known['catalog']}")
    print(f"{', '.join(names)}: {len(known['tables'])} tables, {wrong or 'nothing'} wrong")
    return wrong


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1], sys.argv[2], sys.argv[3:]) else 0)
