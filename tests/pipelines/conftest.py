"""Small corpora for the tests of the whole run."""

import hashlib
import json
import random
import sys
from pathlib import Path

import pytest

import corpusmill

WORDS = """
the of and to in is that for it as with was on be by this are from at or an which not have has but they more
when will there can about into other time some could people than first water been called who its now find long
down day did get come made may part over new sound take only little work know place years live back give most
very after things our just name good sentence man think say great where help through much before line right
too means old any same tell boy follow came want show also around form three small set put end does another
well large must big even such because turn here why ask went men read need land different home us move try
kind hand picture again change off play spell air away animal house point page letter mother answer found
study still learn should world high every near add food between own below country plant last school father
keep tree never start city earth eye light thought head under story saw left few while along might close
""".split()


def paragraph(rng: random.Random) -> str:
    sentences = []
    for _ in range(rng.randint(3, 6)):
        words = rng.choices(WORDS, k=rng.randint(8, 18))
        sentences.append(" ".join(words).capitalize() + ".")
    return " ".join(sentences)


def documents(n: int, seed: int = 1) -> list[dict[str, str]]:
    """n documents: every fifth a near copy of an earlier one, every ninth an exact copy, every eleventh too short."""
    rng, made = random.Random(seed), []
    for i in range(n):
        text = "\n\n".join(paragraph(rng) for _ in range(rng.randint(3, 8)))
        if made and i % 5 == 0:
            text = rng.choice(made)["text"] + "\n\n" + " ".join(rng.choices(WORDS, k=6)) + "."
        elif made and i % 9 == 0:
            text = rng.choice(made)["text"]
        elif i % 11 == 0:
            text = "Too short, write to someone@example.org."
        made.append({"text": text, "url": f"https://site{i % 3}.example/{i}"})
    return made


def write_jsonl(path: Path, rows: list[dict[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


RECIPE = """
[[sources]]
name = "web"
kind = "jsonl"
paths = ["in/*.jsonl"]

[run]
slice_bytes = 40000

[tokenizer]
vocab_size = 500

[split]
validation_share = 0.1
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a recipe and input of 120 documents in two files, about six slices."""
    rows = documents(120)
    write_jsonl(tmp_path / "in/a.jsonl", rows[:70])
    write_jsonl(tmp_path / "in/b.jsonl", rows[70:])
    (tmp_path / "recipe.toml").write_text(RECIPE)
    return tmp_path


def checksums(corpus: Path) -> dict[str, str]:
    """Every part of every stage, and the tokenizer."""
    paths = [*corpus.glob("*/*.parquet"), corpus / "tokenizer" / "tokenizer.json"]
    return {str(p.relative_to(corpus)): hashlib.sha256(p.read_bytes()).hexdigest() for p in paths}


TIMEOUT_S = 120  # of one run; a run that hangs is a failure and not a wait


def command(project, *options, corpus="corpus"):
    return [
        sys.executable,
        "-m",
        "corpusmill",
        "run",
        str(project / "recipe.toml"),
        "--corpus",
        str(project / corpus),
        *options,
    ]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A project that was run with one worker, and its books; not to be changed."""
    project = tmp_path_factory.mktemp("finished")
    rows = documents(120)
    write_jsonl(project / "in/a.jsonl", rows[:70])
    write_jsonl(project / "in/b.jsonl", rows[70:])
    (project / "recipe.toml").write_text(RECIPE)
    outcome = corpusmill.run(project / "recipe.toml", project / "corpus", workers=1)
    return project, outcome.books
