"""No change of a stage's output without another version: the content of each stage on a fixed input is on record.

The input is a quarter of the example web and the Universal Declaration of Human Rights in 60 languages.  If this test
fails, either the change of the output was not meant, or the stage's `version` (in `corpusmill/stages/`) must be raised,
so that old parts do not pass as current; then `python -m tests.stages.test_golden` renews the record.
"""

import hashlib
import json
import unicodedata
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpusmill.reasons import Stage
from corpusmill.stages.chain import chain_of
from corpusmill.stages.stage import Singleton
from examples.serve import WEB
from examples.webgen.site import Site

from .plain import job_of, run_plainly

RECORD = Path(__file__).with_name("golden.json")
UDHR = Path(__file__).parents[1] / "filters/udhr.json"
LIBRARIES = ("pyarrow", "numba", "tldextract", "datasketch", "tokenizers", "gigatoken", "duckdb")
RECIPE = {
    "sources": [
        {"name": "web", "kind": "html", "paths": ["web"]},
        {"name": "rights", "kind": "jsonl", "paths": ["rights.jsonl"]},
    ],
    "run": {"slice_bytes": 1_000_000},
    "filters": {"signals": ["datatrove", "c4", "chinesewebtext"]},
    "tokenizer": {"vocab_size": 1000},
}


def write_input(folder: Path) -> None:
    (folder / "web").mkdir()
    answers = sorted(Site.load(WEB).answers.values(), key=lambda answer: answer.url)
    for number, answer in enumerate(answers[::4]):
        (folder / f"web/{number:03}.html").write_bytes(answer.body)
    texts = json.loads(UDHR.read_text("utf-8"))
    lines = [json.dumps({"text": text, "language": code}) for code, text in sorted(texts.items())]
    (folder / "rights.jsonl").write_text("\n".join(lines))


def environment() -> list[str]:
    """What else decides the output: other versions may give another one without any change of ours."""
    return [unicodedata.unidata_version, *(f"{name} {version(name)}" for name in LIBRARIES)]


def contents(folder: Path) -> dict[str, dict[str, Any]]:
    """By stage, its version and a digest of its content: rows as Python values, floats to six digits."""
    write_input(folder)
    job = job_of(RECIPE, folder)
    parts = run_plainly(job)
    found = {}
    for stage in chain_of(job):
        if isinstance(stage, Singleton):
            content = (job.corpus.folder / stage.name / stage.file).read_bytes()
        else:
            tables = [pq.read_table(job.corpus.path(stage.name, part)) for part in parts]
            content = repr([table.schema.names for table in tables[:1]] + [plain(table) for table in tables]).encode()
        digest = hashlib.sha256(content).hexdigest()
        found[str(stage.name)] = {
            "version": stage.version,
            "reads": [*stage.reads, *stage.singletons],
            "content": digest,
        }
    return found


def plain(table: pa.Table) -> list[list[Any]]:
    return [[rounded(value, name) for value in table[name].to_pylist()] for name in table.column_names]


def rounded(value: Any, column: str) -> Any:
    if column == "metadata" and value is not None:  # probabilities may differ in the last digit between processors
        return {k: v for k, v in json.loads(value).items() if "probability" not in k}
    if column == "language_score" and value is not None:
        return round(value, 2)
    return f"{value:.6g}" if isinstance(value, float) else value


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return contents(tmp_path_factory.mktemp("golden"))


@pytest.mark.parametrize("stage", [str(stage) for stage in Stage])
def test_the_output_of_a_stage_moves_its_version(made, stage):
    record = json.loads(RECORD.read_text("utf-8"))
    if record["environment"] != environment():
        pytest.skip(f"the record was made with {record['environment']}, which constraints.txt pins")
    before, now = record["stages"][stage], made[stage]
    if all(record["stages"][name]["content"] == made[name]["content"] for name in now["reads"]):
        changed = before["content"] != now["content"] and before["version"] == now["version"]
        assert not changed, f"the output of {stage} has changed: raise its version"
    assert before == now, f"{stage} or what it reads has moved on: python -m tests.stages.test_golden renews the record"


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as temporary:
        stages = contents(Path(temporary))
    RECORD.write_text(json.dumps({"environment": environment(), "stages": stages}, indent=1) + "\n", "utf-8")
