"""signals-*: what is measured of every page, in groups; and which columns rules may read.

A group is a stage of its own, so adding a signal measures only its group.  Each module of the user's is a group.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from corpusmill.extensions import Signal, UserModule
from corpusmill.parts import Made
from corpusmill.reasons import Stage
from corpusmill.stages.job import Job
from corpusmill.stages.stage import ARROW, PerPart, Tables, row_for_row
from corpusmill.stages.texts import texts

if TYPE_CHECKING:
    import pyarrow as pa

    from corpusmill.schema import Table

USER_COLUMNS = ("doc_id", "text", "url", "title", "html_lang", "metadata", "n_bytes")  # of pages, for users' signals


def _language_table() -> "Table":
    from corpusmill.filters.register import LANGUAGE_GROUP

    return LANGUAGE_GROUP


def _measure_languages(_: Job, tables: Tables) -> Made:
    from corpusmill.filters.signals import measure_languages

    return row_for_row(measure_languages(tables[Stage.PAGES]), tables)


LANGUAGE = PerPart(
    name=Stage.LANGUAGE_SIGNALS,
    version=2,
    libraries=(*ARROW, "fasttext-community"),
    reads={Stage.PAGES: ("doc_id", "text")},
    make=_measure_languages,
    table=_language_table,
    share_of_time=0.1,
)


def _text_table() -> "Table":
    from corpusmill.filters.register import TEXT_GROUP

    return TEXT_GROUP


def _measure_texts(_: Job, tables: Tables) -> Made:
    from corpusmill.filters.signals import measure_texts

    languages = tables[Stage.LANGUAGE_SIGNALS]["language"]
    return row_for_row(measure_texts(tables[Stage.PAGES], languages), tables)


TEXT = PerPart(
    name=Stage.TEXT_SIGNALS,
    version=1,
    libraries=(*ARROW, "numba"),
    reads={Stage.PAGES: ("doc_id", "text"), Stage.LANGUAGE_SIGNALS: ("language",)},
    make=_measure_texts,
    table=_text_table,
    share_of_time=0.4,
)


def own_groups(job: Job) -> list[PerPart]:
    """A group for each of the user's modules that has signals."""
    groups: list[PerPart] = []
    for module, signals in job.signals():
        if signals:
            stem = Path(module.name).stem if module.source is not None else module.name.replace(".", "-")
            name = f"signals-user-{stem}"
            taken = sum(group.name.rpartition("--")[0] == name or group.name == name for group in groups)
            groups.append(_own_group(f"{name}--{taken + 1}" if taken else name, module, signals))
    return groups


def _own_group(name: str, module: UserModule, signals: Sequence[Signal]) -> PerPart:
    def table() -> "Table":
        from corpusmill.filters.register import user_group

        return user_group(name.replace("-", "_"), signals)

    def measure(_: Job, tables: Tables) -> Made:
        from corpusmill.filters.signals import measure_own

        return row_for_row(measure_own(tables[Stage.PAGES], table(), signals), tables)

    return PerPart(
        name=name,
        version=1,
        libraries=ARROW,
        settings=lambda _: module.digest,
        reads={Stage.PAGES: USER_COLUMNS},
        make=measure,
        table=table,
        share_of_time=0.1,
    )


def rule_columns(job: Job) -> "pa.Schema":
    """The table that rules see."""
    from corpusmill.filters.register import EDIT_COUNTS, signals_schema

    known = {column.name for column in EDIT_COUNTS}
    table = texts(job).table
    assert table is not None
    edits = [column for column in table().columns if column.name.startswith("edit_") and column.name not in known]
    return signals_schema(job.user_signals(), edits)
