"""The parts of every figure, and the outcomes that most figures distinguish."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from corpusmill.reasons import Outcome, Reason
from corpusmill.reports import charts
from corpusmill.reports.charts import Segment

Rows = Sequence[dict[str, Any]]

OUTCOMES = {  # the class that colours an outcome, and its name
    Outcome.KEPT: "kept",
    Outcome.DUPLICATE: "duplicates",
    Outcome.CAP: "over the cap of their host",
    Outcome.RULE: "dropped by rules",
    Outcome.UNREADABLE: "unreadable",
    Outcome.UNDECIDED: "not decided yet",
}
MOST_BARS = 20  # per chart; the table below it has all rows


@dataclass(frozen=True, slots=True)
class Drawing:
    """The message of a figure in a sentence, and its chart as HTML."""

    says: str
    html: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: a query over the catalog, and a function that draws its rows (at least one, personal data masked)."""

    key: str
    title: str
    sql: str
    draw: Callable[[Rows], Drawing]
    wide: bool = True


COUNTS = ",\n       ".join(
    [
        f"count(*) FILTER (kept) AS {Outcome.KEPT}",
        *(f"count(*) FILTER (stage = '{reason}') AS {reason}" for reason in reversed(Reason)),
        f"count(*) FILTER (kept IS NULL) AS {Outcome.UNDECIDED}",
    ]
)


def outcome_segments(row: dict[str, Any], length: float = 1) -> tuple[Segment, ...]:
    """The pieces of a bar for a row with the columns of `COUNTS`; `length` is the length of one page."""
    return tuple(Segment(row[key] * length, key, f"{name}: {row[key]:,}") for key, name in OUTCOMES.items())


def outcome_legend(rows: Rows) -> str:
    """A legend of the outcomes that occur."""
    return charts.legend([(key, name, False) for key, name in OUTCOMES.items() if any(row.get(key) for row in rows)])
