"""The stages that drop pages after the rules: which a recipe has, and which pages have been dropped before one.

A page is dropped by one of them at most, because each compares only what those before it have left.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from corpusmill.reasons import CAPS, REPEATED_TEXT, SAME_URL, SEMANTIC, Reason, Stage
from corpusmill.stages.job import Job

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

_READS = {  # in order; a row of the first kind is a page that was dropped, one of the second only if it has a rule
    CAPS: ("doc_id",),
    SAME_URL: ("doc_id",),
    Stage.TWINS: ("doc_id", "rule"),
    SEMANTIC: ("doc_id",),
    REPEATED_TEXT: ("doc_id", "rule"),
}
_IS_ON: dict[str, Callable[[Job], bool]] = {
    CAPS: lambda job: job.recipe.filters.max_pages_per_host is not None,
    SAME_URL: lambda job: job.recipe.dedup.urls.enabled,
    Stage.TWINS: lambda _: True,
    SEMANTIC: lambda job: job.recipe.dedup.semantic.embeddings is not None,
    REPEATED_TEXT: lambda job: bool(job.recipe.dedup.repeats.units),
}
REASONS = {stage: Reason.CAP if stage == CAPS else Reason.DUPLICATE for stage in _READS}


def is_on(job: Job, stage: str) -> bool:
    """Whether a recipe has the stage."""
    return _IS_ON[stage](job)


def reads_before(job: Job, stage: str | None = None) -> dict[str, tuple[str, ...]]:
    """The stages of a recipe that drop pages, those before `stage` or all, and the columns that say which."""
    names = list(_READS)
    before = names if stage is None else names[: names.index(stage)]
    return {name: _READS[name] for name in before if is_on(job, name)}


def dropped_in(table: "pa.Table") -> "pa.Array":
    """The doc_ids of the pages that a stage has dropped: string."""
    import pyarrow as pa

    if "rule" in table.column_names:
        table = table.filter(table["rule"].is_valid())
    ids: Any = table["doc_id"].combine_chunks()
    return ids.combine_chunks() if isinstance(ids, pa.ChunkedArray) else ids


def still_there(
    kept: "npt.NDArray[np.bool_]", doc_ids: "pa.ChunkedArray", tables: "Mapping[str, pa.Table]"
) -> "npt.NDArray[np.bool_]":
    """Which of n pages nothing has dropped.  kept: by the rules; tables: of the stages of `reads_before`."""
    import pyarrow.compute as pc

    for stage, columns in _READS.items():
        if stage in tables:
            gone = pc.is_in(doc_ids, dropped_in(tables[stage].select(columns)))
            kept = kept & ~gone.combine_chunks().to_numpy(zero_copy_only=False)
    return kept
