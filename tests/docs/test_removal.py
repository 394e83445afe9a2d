"""The page on removing documents does what it shows."""

import json
import re

import pytest

from tests.docs.markdown import blocks, page, run
from tests.pipelines.conftest import documents
from tests.pipelines.test_remove import finish
from tests.stages.plain import job_of

REMOVAL = page("docs/removal.md")
RECIPE = {"name": "site", "kind": "jsonl", "paths": ["pages.jsonl"]}


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """What each command prints."""
    folder = tmp_path_factory.mktemp("removal")
    rows = [row | {"url": f"http://host{i % 2}.example/{i}"} for i, row in enumerate(documents(20))]
    rows[3]["url"] = "http://www.spam.example/"
    (folder / "pages.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (folder / "takedown.txt").write_text("https://host1.example/1\n")
    (folder / "recipe.toml").write_text('[[sources]]\nname = "site"\nkind = "jsonl"\npaths = ["pages.jsonl"]\n')
    finish(job_of({"sources": [RECIPE]}, folder, "my-corpus"))
    commands = [line for block in blocks(REMOVAL, "console") for line in block.text.splitlines()]
    return [(command, run(command, folder)) for command in commands]


def of(printed, what):
    (found,) = (text for command, text in printed if what in command)
    return found


def test_its_commands_do_what_it_says(printed):
    assert "would remove 1 page" in of(printed, "spam.example --dry-run")
    assert "would remove 1 page" in of(printed, '"ticket 42" --dry-run')
    (_, removed) = next((c, text) for c, text in printed if c.endswith('"ticket 42"'))
    assert "1 page removed" in removed
    assert "1 page  ticket 42" in of(printed, "--list")
    assert "ticket 42" in of(printed, "FROM removals")
    assert re.search(r"[0-9a-f]{24}", of(printed, "rule = 'removed'"))
    assert "taken off the list: 0" in of(printed, "--undo")
    assert "1 taken down with 'corpusmill remove'" in of(printed, "corpusmill run")


def test_the_table_names_what_a_removed_page_keeps():
    from corpusmill.collect.takedown import KEPT

    (said,) = re.findall(r"lies in the input: (.*?)\. Everything else is null", REMOVAL, re.DOTALL)
    assert set(re.findall(r"`(\w+)`", said)) == KEPT
