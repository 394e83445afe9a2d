"""The recipe for Wikipedia makes a corpus from a small dump of six languages' pages."""

import json
import shutil
import tomllib
from pathlib import Path

import pyarrow.parquet as pq

from tests.collect.dumps import multistream, page, plain
from tests.stages.plain import job_of, run_plainly

ROOT = Path(__file__).parents[2]
WIKIS = ROOT / "tests/extract/wikis"


def test_the_recipe_runs_on_a_small_dump(tmp_path):
    (tmp_path / "dumps").mkdir()
    articles = [page(n, path.read_text("utf-8"), path.stem) for n, path in enumerate(sorted(WIKIS.glob("*.wiki")), 1)]
    others = [
        page(91, "#REDIRECT [[en]]", "Alder", redirect="en"),
        page(92, "{{disambiguation}}", "Alder (disambiguation)"),
        page(93, "A talk.", "Diskussion:en", namespace=1),
        page(94, "A stub.", "Stub"),
    ]
    name = "xxwiki-20240501-pages-articles-multistream.xml.bz2"
    (tmp_path / "dumps" / name).write_bytes(multistream([*articles, *others], per_stream=3))
    (tmp_path / "dumps/yywiki-20240501-pages-articles.xml").write_bytes(plain([page(1, "Short.", "Other")]))
    (tmp_path / "dumps/xxwiki-20240501-pages-articles-multistream-index.txt.bz2").write_bytes(b"not read")
    shutil.copy(ROOT / "recipes/wikipedia.toml", tmp_path)
    recipe = tomllib.loads((tmp_path / "wikipedia.toml").read_text("utf-8"))
    job = job_of(recipe, tmp_path)
    run_plainly(job, until="docs")
    pages = pq.read_table(tmp_path / "corpus/pages").to_pylist()
    docs = pq.read_table(tmp_path / "corpus/docs").to_pylist()
    assert sorted(p["status"] for p in pages) == [
        "disambiguation", *["ok"] * 8, "other_namespace", "redirect",
    ]  # fmt: skip
    assert {p["title"]: json.loads(p["metadata"]).get("redirect_to") for p in pages}["Alder"] == "en"
    assert len(docs) == 6
    assert {d["licence"] for d in docs} == {"CC-BY-SA-4.0"}
    assert {d["language"] for d in docs} == {"de", "en", "fr", "ja", "ru", "zh"}
    assert all(d["url"].startswith("https://de.wikipedia.org/wiki/") for d in docs)
