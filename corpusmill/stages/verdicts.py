"""verdicts: what the rules say of every page."""

from collections import Counter
from collections.abc import Sequence

from corpusmill.parts import Made
from corpusmill.reasons import Stage
from corpusmill.stages.job import Job
from corpusmill.stages.stage import ARROW, PerPart, Tables, in_schema, row_for_row
from corpusmill.stages.texts import count_columns


def _settings(job: Job) -> object:
    from corpusmill.filters.profiles import PROFILES

    settings = job.recipe.filters
    return [settings.model_dump(), [rule.model_dump() for rule in PROFILES[settings.profile]]]


def _judge(job: Job, tables: Tables) -> Made:
    import pyarrow as pa

    from corpusmill.filters.rules import active_rules, judge_pages

    pages = tables[Stage.PAGES]
    measured = [table for stage, table in tables.items() if stage != Stage.PAGES]
    columns = {name: table[name] for table in measured for name in table.column_names if name != "doc_id"}
    signals = pa.table({"doc_id": pages["doc_id"], **columns})
    verdicts = judge_pages(pages["status"].combine_chunks(), signals, active_rules(job.recipe.filters))
    dropped = Counter(rule for rule in verdicts["rule"].to_pylist() if rule is not None)
    return row_for_row(verdicts, tables, {f"dropped_{rule}": n for rule, n in dropped.items()})


def verdicts(job: Job, groups: Sequence[PerPart]) -> PerPart:
    """The stage, over the groups of signals and the counts of edits."""
    return PerPart(
        name=Stage.VERDICTS,
        version=1,
        libraries=(*ARROW, "duckdb"),
        settings=_settings,
        reads={
            Stage.PAGES: ("doc_id", "status"),
            Stage.TEXTS: count_columns(job),
            **{group.name: () for group in groups},
        },
        make=_judge,
        table=in_schema("VERDICTS"),
        share_of_time=0.1,
    )
