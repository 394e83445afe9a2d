"""Docstrings and comments are plain: short sentences, rates with 'per', decimals with their zero."""

import re
from pathlib import Path

import pytest

from tests.docs.markdown import BARE_DECIMAL, MOST_WORDS, RATE, ROOT, sentences, words
from tests.docs.source import prose

FOLDERS = ("corpusmill", "bench", "tools", "examples")
SOURCES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py") if ".venv" not in str(path))
RATE_OF_A_UNIT = re.compile(r"\d (?:ms|[kKMGT]?B|s|bytes|documents|pages|words|letters|times) an? (?!time)\w+")


def faults(source: str) -> list[str]:
    found = []
    for line, paragraph in prose(source):
        if any(len(words(sentence)) > MOST_WORDS for sentence in sentences(paragraph)):
            found.append(f"{line}: more than {MOST_WORDS} words in a sentence: {paragraph}")
        if RATE.search(paragraph) or RATE_OF_A_UNIT.search(paragraph):
            found.append(f"{line}: write 'per' for a rate: {paragraph}")
        if BARE_DECIMAL.search(paragraph):
            found.append(f"{line}: write 0.5, not .5: {paragraph}")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_docstrings_and_comments_are_plain(path: Path):
    assert faults(path.read_text("utf-8")) == []


def test_the_check_finds_what_it_is_for():
    long = "word " * (MOST_WORDS + 1)
    assert len(faults(f'"""{long}."""\n# reads 7 MB a second\nx = 1  # of .5\n')) == 3
