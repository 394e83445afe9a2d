"""A small project with a bit of everything: several kinds of sources, a user's module, duplicates, personal data."""

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.collect.warcs import Warc
from tests.pipelines.conftest import documents, write_jsonl

MODULE = """
import pyarrow as pa
import pyarrow.compute as pc
from corpusmill import edit, extractor, signal, source, stage


@signal("shouting", pa.float64(), "'!' per page")
def shouting(pages):
    return pc.cast(pc.count_substring(pages["text"], "!"), pa.float64())


@edit("no_signature", "drops what follows a line of two dashes")
def no_signature(texts):
    return pc.replace_substring_regex(texts, "\\n-- \\n(?s:.*)", "")


@stage("first_words", "how texts begin", reads={"texts": ["text"], "verdicts": ["kept"]},
       columns={"first_word": (pa.string(), "the first word"), "kept_too": (pa.bool_(), "what the rules said")})
def first_words(tables):
    words = [text.split(" ", 1)[0] if text else None for text in tables["texts"]["text"].to_pylist()]
    return {"first_word": words, "kept_too": tables["verdicts"]["kept"]}


@source("counting")
def counting(path, options):
    with open(path) as file:
      for number, line in enumerate(file):
          yield {"text": line.strip() * options.get("times", 1), "number": number}
"""


def recipe() -> dict:
    """As plain data; a test changes what it likes."""
    return {
        "modules": ["mine.py"],
        "sources": [
            {"name": "lines", "kind": "jsonl", "paths": ["in/*.jsonl", "in/*.jsonl.gz"]},
            {"name": "rows", "kind": "parquet", "paths": ["in/*.parquet"], "columns": {"text": "body"}, "weight": 2.0},
            {"name": "web", "kind": "warc", "paths": ["in/*.warc.gz"], "licence": "CC0-1.0"},
            {"name": "tree", "kind": "markdown", "paths": ["in/tree"]},
            {"name": "own", "kind": "counting", "paths": ["in/*.count"], "options": {"times": 2}},
        ],
        "run": {"slice_bytes": 20_000},
        "filters": {"rules": [{"name": "loud", "signal": "shouting", "comparison": ">", "threshold": 3}]},
        "tokenizer": {"vocab_size": 400},
        "split": {"validation_share": 0.2},
    }  # fmt: skip


def write_project(folder: Path) -> None:
    """The module and the input."""
    (folder / "mine.py").write_text(MODULE)
    rows = documents(70)
    write_jsonl(folder / "in/a.jsonl", rows[:30])
    packed = "".join(json.dumps(row | {"text": row["text"] + "\n-- \nme@mail.example"}) + "\n" for row in rows[30:50])
    (folder / "in/b.jsonl.gz").write_bytes(gzip.compress(packed.encode(), mtime=0))
    table = pa.table({"body": [row["text"] + "!" * (i % 6) for i, row in enumerate(rows[50:])], "n": range(20)})
    pq.write_table(table, folder / "in/c.parquet", row_group_size=7)
    warc = Warc()
    for i, row in enumerate(rows[:6]):
        body = f"<title>Page {i}</title><main><p>{row['text']}</p></main>".encode()
        warc.response(f"http://a.example/{i}", body, status="404 Gone" if i == 3 else "200 OK")
    (folder / "in/d.warc.gz").write_bytes(warc.data)
    (folder / "in/tree/deep").mkdir(parents=True)
    for i in range(3):
        (folder / f"in/tree/deep/{i}.md").write_text(f"# Title {i}\n\n{rows[i + 40]['text']}\n")
    (folder / "in/e.count").write_text("one and two and three. \n" * 3 + rows[0]["text"].replace("\n", " ") + "\n")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder of the test's own."""
    write_project(tmp_path)
    return tmp_path
