"""The page on quality does what it shows."""

import json

import pytest

from tests.docs.markdown import blocks, page, run, write_file
from tests.pipelines.conftest import documents
from tests.stages.test_models import BAD, GOOD, prose, write_lines

QUALITY = page("docs/quality.md")
QUESTION = "Which of the following gases is the most abundant one in the atmosphere of the Earth by volume?"


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """What each command prints."""
    folder = tmp_path_factory.mktemp("quality")
    write_lines(folder / "reference.jsonl", prose(GOOD, 60, 1))
    write_lines(folder / "random.jsonl", prose(BAD, 90, 2))
    pages = [*prose(GOOD, 3, 3), *prose(BAD, 3, 4), *(row["text"] for row in documents(20))]
    rows = [{"text": text, "url": f"https://page{i}.example/"} for i, text in enumerate(pages)]
    rows += [{"text": f"A quiz. {QUESTION}", "url": "https://www.adult.example/"}]
    (folder / "pages.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (folder / "adult.txt").write_text("free offer\n")
    (folder / "ut1/adult").mkdir(parents=True)
    (folder / "ut1/adult/domains").write_text("adult.example\n")
    (folder / "quiz.jsonl").write_text(json.dumps({"id": "q1", "question": QUESTION}))
    write_file(blocks(QUALITY, "toml")[0], folder)
    (console,) = blocks(QUALITY, "console")
    found = {command: run(command, folder) for command in console.text.splitlines()}
    (query,) = blocks(QUALITY, "sql")
    return found | {"query": run(f'corpusmill sql checked "{query.text}"', folder)}


def of(printed, what):
    (found,) = (text for command, text in printed.items() if what in command)
    return found


def test_models_are_trained_and_their_figures_told(printed):
    assert "held out: 6 and 6; AUC 1.0000" in of(printed, "quality train")
    assert "en: 54 texts" in of(printed, "perplexity train")
    assert "quality" in of(printed, "FROM classifiers")


def test_signals_and_spans_are_in_the_catalog(printed):
    assert "tail" in of(printed, "perplexity_bucket")
    assert "q1" in of(printed, "recursive")
    assert "q1" in printed["query"]
