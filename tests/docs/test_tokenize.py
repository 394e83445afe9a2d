"""The page on tokenizers does what it shows."""

import json

import pytest

from corpusmill.recipe import TokenizerSettings
from corpusmill.tokenize.train import train_tokenizer
from tests.docs.markdown import blocks, page, run, write_file
from tests.pipelines.conftest import documents

PAGE = page("docs/tokenize.md")


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """What each command prints, and the report."""
    folder = tmp_path_factory.mktemp("tokenize")
    texts = [row["text"] for row in documents(40)]
    (folder / "pages.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in texts))
    (folder / "other.json").write_text(train_tokenizer(texts[:3], TokenizerSettings(vocab_size=300)))
    (toml,) = blocks(PAGE, "toml")
    write_file(toml, folder)
    (console,) = blocks(PAGE, "console")
    found = {command: run(command, folder) for command in console.text.splitlines()}
    (query,) = blocks(PAGE, "sql")
    found["receipts"] = run(f'corpusmill sql my-corpus "{query.text}"', folder)
    return found | {"report.html": (folder / "my-corpus/report.html").read_text("utf-8")}


def of(printed, what):
    (found,) = (text for command, text in printed.items() if what in command)
    return found


def test_tables_compare_tokenizers(printed):
    for what in ("tokenizer_rates", "FROM tokenizers", "topic = 'numbers'"):
        assert "corpus" in of(printed, what)
        assert "other.json" in of(printed, what)


def test_receipts_name_the_library(printed):
    assert "encoded_by_gigatoken" in of(printed, "receipts")
    assert "compared_texts" in of(printed, "receipts")
    assert "different_" not in of(printed, "receipts")


def test_the_report_has_the_part(printed):
    report = of(printed, "report.html")
    for title in (
        "Bytes per token",
        "Use of the vocabulary",
        "Longest tokens and glitch-prone tokens",
        "How text is split",
    ):
        assert title in report
    assert "other.json" in report
    assert "def·mean" in report.replace("</bdi>", "").replace("<bdi>", "")
