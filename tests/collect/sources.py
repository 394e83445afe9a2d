"""Sources for tests, by the model of their kind."""

from typing import Any

from corpusmill.collect.settings import Source
from corpusmill.recipe import source_of


def a_source(**keys: Any) -> Source:
    """A source as a recipe would have it."""
    made = source_of(keys)
    assert isinstance(made, Source)
    return made
