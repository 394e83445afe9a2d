"""What supervisor and driver say to each other: one request, then events, each a line of JSON."""

import json
from dataclasses import asdict, dataclass
from typing import Literal, Self

CANCEL = b"cancel\n"  # what the supervisor says when the run shall end
SUPERVISOR = "CORPUSMILL_SUPERVISOR"  # environment variable: process id of the parent of a local run


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What the driver shall do."""

    recipe: str  # as JSON, resolved
    folder: str  # the recipe's
    corpus: str
    token: str  # of the run, which publishing compares with the corpus's
    modules: list[tuple[str, str | None, str]]  # name, source and digest of the user's modules
    workers: int
    until: str | None  # name of the last stage
    beam: list[str]  # Beam's own options

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
