"""Near-duplicates in scripts without spaces: copies of documents of real letters, against a plain count."""

import json
import random
import unicodedata
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from corpusmill.dedup.curve import probability
from corpusmill.dedup.local import find_twins
from corpusmill.dedup.sketch import sketch_documents
from corpusmill.recipe import DedupSettings

SETTINGS = DedupSettings()
TEXTS = json.loads((Path(__file__).parents[1] / "filters/udhr.json").read_text("utf-8"))


def letters_of(text):
    """Letters with the marks that follow them."""
    found = []
    for character in text:
        if unicodedata.category(character)[0] == "M" and found:
            found[-1] += character
        elif unicodedata.category(character) == "Lo":
            found.append(character)
    return found


def jaccard(x, y):
    first, second = ({tuple(each[at : at + 5]) for at in range(len(each) - 4)} for each in (x, y))
    return len(first & second) / len(first | second)


def edited(letters, rng):
    copy = list(letters)
    for _ in range(rng.randint(1, 12)):
        at = rng.randrange(len(copy))
        copy[at : at + rng.randint(0, 3)] = rng.choices(letters, k=rng.randint(0, 3))
    return copy


@pytest.mark.parametrize("language", ["zh", "ja", "th"])
def test_copies_are_found_as_often_as_theory_says_and_nothing_else(language):
    """Letters are compared, so nothing has to be set; spaces and punctuation make no difference."""
    rng = random.Random(3)
    letters = letters_of(TEXTS[language])
    assert len(letters) > 100
    originals = [rng.choices(letters, k=300) for _ in range(200)]
    copies = [edited(original, rng) for original in originals]
    texts = ["".join(original) for original in originals]
    texts += ["".join(letter + rng.choice(["", "", "", " ", "，", "\n"]) for letter in copy) for copy in copies]
    table = sketch_documents(pa.array([f"{row:024}" for row in range(len(texts))]), pa.array(texts), SETTINGS)
    (found,) = find_twins([table], [np.ones(len(texts), bool)], SETTINGS)
    dropped = [row for row in found.to_pylist() if row["rule"] is not None]
    n = len(originals)
    for row in dropped:
        first, second = sorted((int(row["doc_id"]), int(row["twin_doc_id"])))
        assert second == first + n
        assert row["jaccard"] == jaccard(originals[first], copies[first]) >= SETTINGS.threshold
    truth = [jaccard(*pair) for pair in zip(originals, copies, strict=True)]
    chances = [probability(value, SETTINGS.bands, SETTINGS.rows) for value in truth if value >= SETTINGS.threshold]
    assert len(chances) > n / 3
    error = sum(chance * (1 - chance) for chance in chances) ** 0.5
    assert len(dropped) == pytest.approx(sum(chances), abs=4 * error)
