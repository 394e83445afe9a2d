"""One value of each kind of personal data, in every place that a record has: none leaves the mill."""

import json
import subprocess
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from corpusmill.filters.private.kinds import KINDS
from tests.filters.test_pii import ONE_OF_EACH
from tests.pipelines.conftest import RECIPE, TIMEOUT_S, command, documents, write_jsonl

VALUES = {
    "emails": "jane@mail.example",
    "ip_addresses": "81.2.69.142",
    "phones": "+44 20 7946 0958",
    "credit_cards": "4111 1111 1111 1111",
    "ibans": "DE89 3704 0044 0532 0130 00",
    "national_ids": "529.982.247-25",
    "credentials": "user:hunter2",
    "keys": "AKIAIOSFODNN7EXAMPLE",
}
MODULE = """
import pyarrow as pa
from corpusmill import signal

@signal("fails", pa.float64(), "fails")
def fails(pages):
    raise ValueError(f"cannot judge {pages['text'].to_pylist()}")
"""


def everything(corpus: Path) -> dict[str, str]:
    """What a corpus holds besides pages, as text."""
    found = {}
    for path in corpus.rglob("*"):
        name = str(path.relative_to(corpus))
        if not path.is_file() or name.startswith(("pages/", "plan.json")):
            continue
        if path.suffix == ".parquet":
            found[name] = repr(pq.read_table(path).to_pylist())
        elif path.suffix != ".duckdb":
            found[name] = path.read_bytes().decode("utf-8", "replace")
    return found


def ask(*arguments: str) -> str:
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=TIMEOUT_S)
    return done.stdout + done.stderr


def leaks(texts: dict[str, str]) -> list[tuple[str, str]]:
    return [(kind, name) for name, text in texts.items() for kind, value in VALUES.items() if value in text]


def test_no_value_leaves_the_mill(tmp_path):
    assert set(VALUES) == set(ONE_OF_EACH)
    assert all(VALUES[kind] in sentence for kind, sentence in ONE_OF_EACH.items())
    rows = documents(40)
    for row, sentence in zip(rows, ONE_OF_EACH.values(), strict=False):
        row["text"] = f"{row['text']}\n{sentence} once more."
        row["title"] = f"Title: {sentence}"
        row["url"] = f"https://user:hunter2@host.example/{row.get('id', 'x')}?mail=jane@mail.example&from=81.2.69.142"
        row["author"] = sentence
    write_jsonl(tmp_path / "in/a.jsonl", rows)
    with (tmp_path / "in/a.jsonl").open("a") as file:
        file.write('{"text": ' + json.dumps(" ".join(ONE_OF_EACH.values())) + ", broken\n")
    (tmp_path / "recipe.toml").write_text(RECIPE)
    run = command(tmp_path)
    said = {"run": ask(*run)}
    corpus = tmp_path / "corpus"
    base = run[: run.index("run")]
    pages = f"{corpus}/pages/*.parquet"
    doc_id = duckdb.sql(f"SELECT doc_id FROM '{pages}' WHERE text LIKE '%hunter2%'").fetchall()[0][0]
    said["why"] = ask(*base, "why", str(corpus), doc_id, "--all")
    said["why url"] = ask(*base, "why", str(corpus), "https://user:hunter2@host.example/nothing?mail=jane@mail.example")
    # The ledger's url is that of pages, unmasked: `why` finds a document by it.  docs/personal-data.md says so.
    for query in (
        "SELECT * FROM texts",
        "SELECT * FROM docs",
        "SELECT * EXCLUDE (url) FROM ledger",
        "SELECT * FROM unusable",
    ):
        said[query] = ask(*base, "sql", str(corpus), query, "--format", "json")
    assert leaks(said) == []
    assert leaks(everything(corpus)) == []
    texts = pq.read_table(corpus / "texts").to_pydict()
    for kind in KINDS:
        assert sum(n or 0 for n in texts[f"pii_{kind.setting}"]) >= 1, kind
        assert any(kind.token in (text or "") for text in texts["text"]), kind

    (tmp_path / "own.py").write_text(MODULE)
    (tmp_path / "recipe.toml").write_text(f'modules = ["own.py"]\n{RECIPE}')
    said = {"failing": ask(*run)}
    assert "cannot judge" in said["failing"]
    assert leaks(said) == []
    assert leaks(everything(corpus)) == []
