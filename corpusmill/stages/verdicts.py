"""verdicts: whether the rules keep each page."""

from collections import Counter
from collections.abc import Sequence

from corpusmill.filters.profiles import active_rules, page_columns
from corpusmill.parts import Made
from corpusmill.reasons import Stage
from corpusmill.stages.job import Job
from corpusmill.stages.stage import ARROW, PerPart, Tables, in_schema, row_for_row
from corpusmill.stages.texts import count_columns


def _settings(job: Job) -> object:
    return [rule.model_dump(exclude={"source"}) for rule in active_rules(job.recipe.judging)]


def _judge(job: Job, tables: Tables) -> Made:
    import pyarrow as pa

    from corpusmill.filters.rules import judge_pages

    pages = tables[Stage.PAGES]
    columns = {name: table[name] for table in tables.values() for name in table.column_names if name != "status"}
    verdicts = judge_pages(pages["status"].combine_chunks(), pa.table(columns), active_rules(job.recipe.judging))
    dropped = Counter(rule for rule in verdicts["rule"].to_pylist() if rule is not None)
    return row_for_row(verdicts, tables, {f"dropped_{rule}": n for rule, n in dropped.items()})


def verdicts(job: Job, groups: Sequence[PerPart]) -> PerPart:
    """The stage, which reads the groups of signals and the counts of edits."""
    return PerPart(
        name=Stage.VERDICTS,
        version=1,
        libraries=(*ARROW, "duckdb"),
        settings=_settings,
        reads={
            Stage.PAGES: ("doc_id", "status", *page_columns(active_rules(job.recipe.judging))),
            Stage.TEXTS: count_columns(job),
            **{group.name: () for group in groups},
        },
        make=_judge,
        table=in_schema("VERDICTS"),
        share_of_time=0.1,
    )
