"""Open every table of the demo's corpus with the oldest and newest versions of what people read with.

    make readers                      all sets of versions
    make readers READERS=oldest       one of them

Each set of versions has an environment of its own in .venv/readers/, which a package index is enough for.  Tables are
copied first, without their largest parts, and a part without rows is added to each.  Spark needs Java and is left out
where there is none.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow.parquet as pq

from corpusmill.parts import write_parquet
from corpusmill.reasons import Stage
from corpusmill.reports.catalog import build
from corpusmill.tokenize.shards import write_parquet_tokens

from .read import catalog, of_dicts

DEMO = Path("demo/corpus")
ENVIRONMENTS = {
    "oldest": (
        ["duckdb==1.0.0", "pyarrow==14.0.1", "polars==1.0.0", "fastparquet==2024.2.0", "numpy<2", "pandas<3"],
        ["duckdb", "pyarrow", "pyarrow_dataset", "polars", "fastparquet", "catalog"],
    ),
    "between": (["duckdb==1.2.2", "polars==1.20.0"], ["duckdb", "polars", "catalog"]),
    "newest": (
        ["duckdb==1.5.0", "pyarrow==26.0.1", "polars==2.1.0", "fastparquet==2026.9.0", "datasets==5.2.0"],
        ["duckdb", "pyarrow", "pyarrow_dataset", "polars", "fastparquet", "datasets", "catalog"],
    ),
    "spark": (["pyspark==4.0.5"], ["spark"]),
}


def main() -> int:
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        corpus, expected = Path(folder, "corpus"), Path(folder, "expected.json")
        tables = {path.parent for pattern in ("*/*.parquet", "raw/*/urls/*.parquet") for path in DEMO.glob(pattern)}
        names = sorted(str(table.relative_to(DEMO)) for table in tables if not table.name.startswith("_"))
        for name in names:
            shutil.copytree(DEMO / name, corpus / name, ignore=large)
            some_part = next((corpus / name).glob("*.parquet"))
            with (corpus / name / "no-rows.parquet").open("wb") as sink:
                write = write_parquet_tokens if name == Stage.TOKENS else write_parquet
                write(pq.read_schema(some_part).empty_table(), sink)
        found = {name: rows_of(corpus / name) for name in names}
        shutil.copy(build(DEMO), corpus)
        expected.write_text(json.dumps({"tables": found, "catalog": catalog(corpus / "catalog.duckdb")}), "utf-8")
        for name in sys.argv[1:] or ENVIRONMENTS:
            packages, readers = ENVIRONMENTS[name]
            if name == "spark" and shutil.which("java") is None:
                print("spark: left out, there is no Java here")
                continue
            python = environment(name, packages)
            command = [python, Path(__file__).with_name("read.py"), corpus, expected, *readers]
            failed += subprocess.run(list(map(str, command))).returncode != 0
    return failed


def large(folder: str, names: list[str]) -> list[str]:
    """The files of a folder that are left out to save time."""
    return [name for name in names if Path(folder, name).stat().st_size > 300_000]


def rows_of(folder: Path) -> list[dict]:
    files = sorted(folder.glob("*.parquet"))
    assert files, folder
    return of_dicts([row for path in files for row in pq.ParquetFile(path).read().to_pylist()])


def environment(name: str, packages: list[str]) -> Path:
    """The Python of an environment with these packages; made once."""
    folder = Path(".venv/readers", name).absolute()
    python, stamp = folder / "bin/python", folder / "installed"
    if stamp.exists() and stamp.read_text() == "\n".join(packages):
        return python
    shutil.rmtree(folder, ignore_errors=True)
    if shutil.which("uv"):
        subprocess.run(["uv", "venv", "--quiet", "--python", sys.executable, folder], check=True)
        install = ["uv", "pip", "install", "--quiet", "--only-binary", ":all:", "--python", python]
    else:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        install = [python, "-m", "pip", "install", "--quiet", "--only-binary", ":all:"]
    if name == "spark":  # it has no wheel; it is Python and Java, so nothing is compiled
        install = [word for word in install if word not in ("--only-binary", ":all:")]
    subprocess.run([*install, *packages], check=True)
    stamp.write_text("\n".join(packages))
    return python


if __name__ == "__main__":
    sys.exit(main())
