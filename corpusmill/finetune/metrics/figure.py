"""One figure of a fine-tuned model, and the table of them.  Imports no torch."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import fmean, stdev

import pyarrow as pa

from corpusmill import schema


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """A value of a metric, as a row of `schema.FINETUNE_METRICS`."""

    metric: str
    value: float
    n: int  # examples, spans or pairs that were counted
    class_: str | None = None  # None: all
    predicted: str | None = None  # of the confusion matrix
    baseline: float | None = None  # the same metric of a trivial model
    deviation: float | None = None  # over the folds of a cross-validation
    part: str = "test"


def over_folds(figures: Sequence[Sequence[Figure]]) -> list[Figure]:
    """The figures of each fold, and their means and standard deviations; counts of the confusion matrix are added."""
    found: list[Figure] = []
    grouped: dict[tuple[str, str | None, str | None], list[Figure]] = {}
    for number, fold in enumerate(figures, start=1):
        for figure in fold:
            found.append(replace(figure, part=f"fold {number}"))
            grouped.setdefault((figure.metric, figure.class_, figure.predicted), []).append(figure)
    for same in grouped.values():
        values, n = [figure.value for figure in same], sum(figure.n for figure in same)
        if same[0].metric == "confusion":
            found.append(replace(same[0], part="folds", value=sum(values), n=n))
            continue
        baselines = [figure.baseline for figure in same if figure.baseline is not None]
        found.append(
            replace(
                same[0],
                part="folds",
                value=fmean(values),
                n=n,
                baseline=fmean(baselines) if baselines else None,
                deviation=stdev(values) if len(values) > 1 else None,
            )
        )
    return found


def table_of(task: str, figures: Iterable[Figure]) -> pa.Table:
    """The figures as rows."""
    rows = [{**(values := asdict(figure)), "class": values.pop("class_"), "task": task} for figure in figures]
    return pa.Table.from_pylist(rows, schema=schema.FINETUNE_METRICS.arrow)


def figures_of(table: pa.Table) -> list[Figure]:
    """The figures of a table that `table_of` has made."""
    rows = table.drop_columns(["task"]).to_pylist()
    return [Figure(class_=row.pop("class"), **row) for row in rows]
