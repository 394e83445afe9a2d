"""The recipe that a corpus keeps, as tables of TOML, for questions that need a part of it."""

import tomllib
from typing import Any

from corpusmill.corpus import Corpus, Place
from corpusmill.errors import InputError


def kept_recipe(corpus: Place) -> dict[str, Any]:
    """The tables of a corpus's recipe.toml.  InputError if there is none, or if it is damaged."""
    opened = Corpus(corpus)
    text = opened.read_text("recipe.toml")
    if text is None:
        raise InputError(f"{opened.place}: not a corpus directory (there is no recipe.toml in it)")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{opened.place}: recipe.toml is damaged: {error}") from None
