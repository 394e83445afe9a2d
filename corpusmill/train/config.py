"""Training settings from a TOML file with a table [train], such as a recipe."""

from pathlib import Path

from corpusmill import recipe
from corpusmill.errors import InputError
from corpusmill.recipe import TrainSettings

_SOURCE = {"name": "none", "kind": "text", "paths": ["none"]}  # a recipe needs one; training does not


def load_config(path: str | Path) -> TrainSettings:
    """The [train] table of a TOML file, checked (else InputError, one sentence).

    The file may be a whole recipe, or hold nothing but [train]; a misspelt key anywhere in it is an error.
    """
    path = Path(path)
    data = recipe.read_toml(path, "file with training settings")
    others = {key: value for key, value in data.items() if key not in ("modules", "sources")}
    settings = recipe.parse({**others, "sources": [_SOURCE]}, where=str(path)).train
    if "train" not in data:
        raise InputError(f"{path}: has no table [train] with training settings")
    return settings
