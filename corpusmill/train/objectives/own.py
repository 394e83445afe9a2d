"""The objective in a user's file."""

import importlib.util
from pathlib import Path

from corpusmill.errors import InputError, said
from corpusmill.train.objectives.base import Objective


def load_own(path: str) -> type[Objective]:
    """The class of the objective in a Python file.  InputError if the file is missing, fails, or has none."""
    spec = importlib.util.spec_from_file_location(f"corpusmill_own_{Path(path).stem}", path)
    if spec is None or spec.loader is None or not Path(path).is_file():
        raise InputError(f"train.objective.path: there is no Python file '{path}'")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # the user's code may raise anything
        raise InputError(f"{path}: fails when it is loaded: {said(error).splitlines()[0]}") from error
    classes = [
        each
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, Objective) and each.__module__ == module.__name__
    ]
    if len(classes) != 1:
        raise InputError(f"{path}: needs exactly one class that is derived from Objective; it has {len(classes)}")
    return classes[0]
