"""What supervisor and driver say to each other: one request, then events, each a line of JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal, Self

CANCEL = b"cancel\n"  # what the supervisor says when the run shall end
LOST = "lost"  # name of an event's error that a new attempt may mend
SUPERVISOR = "CORPUSMILL_SUPERVISOR"  # environment variable: process id of the parent of a local run


def names_a_runner(options: Sequence[str]) -> bool:
    """Whether Beam's options send the pipeline somewhere else."""
    return any(option.split("=", 1)[0] == "--runner" for option in options)


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What the driver shall do."""

    recipe: str  # as JSON, resolved
    folder: str  # the recipe's
    corpus: str
    scratch: str  # a folder of the run's own, outside the corpus
    token: str  # of the run, which publishing compares with the corpus's
    modules: list[tuple[str, str | None, str]]  # name, source and digest of the user's modules
    workers: int
    until: str | None  # name of the last stage
    beam: list[str]  # Beam's own options
    roots: dict[str, str] | None  # of slices, by name, as they are where plan.json masks them; None: not planned yet

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
    """What the driver reports."""

    kind: Literal["crawling", "planned", "compiling", "compiled", "lost", "done", "error"]
    text: str = ""
    name: str = ""  # class of an error
    unexpected: bool = False  # an error that is not one of ours

    @classmethod
    def from_json(cls, line: bytes) -> Self:
        """Read what `to_json` wrote."""
        return cls(**json.loads(line))

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))
