"""The messages between supervisor and driver: one request, then events, each a line of JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal, Self

CANCEL = b"cancel\n"  # the supervisor's message to end the run
LOST = "lost"  # name of an error that a new attempt may repair
SUPERVISOR = "CORPUSMILL_SUPERVISOR"  # environment variable: process id of the parent of a local run


def names_a_runner(options: Sequence[str]) -> bool:
    """Whether Beam's options name another runner than the local one."""
    return any(option.split("=", 1)[0] == "--runner" for option in options)


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What the driver is to do."""

    recipe: str  # as JSON, resolved
    folder: str  # the folder of the recipe
    corpus: str
    scratch: str  # a folder for this run only, outside the corpus
    token: str  # the run's token; publishing compares it with the corpus's token
    modules: list[tuple[str, str | None, str]]  # name, source and digest of each user module
    workers: int
    until: str | None  # name of the last stage
    beam: list[str]  # Beam's own options
    # by name of a slice, the true root that `plan.json` masks.  None: there is no plan yet
    roots: dict[str, str] | None
    # digests of the files that filters use, by path, if the corpus's own copies are used; None: they are copied first
    files: dict[str, str] | None = None

    @classmethod
    def from_json(cls, line: str) -> Self:
        """Read what `to_json` wrote."""
        data = json.loads(line)
        data["modules"] = [tuple(module) for module in data["modules"]]
        return cls(**data)

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """A message from the driver."""

    kind: Literal["crawling", "note", "planned", "compiling", "compiled", "lost", "done", "error"]
    text: str = ""
    name: str = ""  # the class of an error
    unexpected: bool = False  # whether the error is not one of ours

    @classmethod
    def from_json(cls, line: bytes) -> Self:
        """Read what `to_json` wrote."""
        return cls(**json.loads(line))

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))
