"""signals-*: what is measured of every page, in groups; and the columns that rules may read.

Each group is a separate stage, so a new signal measures only its own group.  Each of the user's modules is a group.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from corpusmill.errors import InputError
from corpusmill.extensions import USER_COLUMNS, Signal, UserModule
from corpusmill.filters.codes import LANGUAGES, check_codes
from corpusmill.parts import Made
from corpusmill.reasons import SIGNALS, Stage
from corpusmill.stages.contamination import contamination_groups
from corpusmill.stages.files import keep_files, path_of
from corpusmill.stages.job import Job
from corpusmill.stages.quality import check_files, groups_of_files
from corpusmill.stages.stage import ARROW, PerPart, Tables, row_for_row
from corpusmill.stages.texts import texts

if TYPE_CHECKING:
    import pyarrow as pa

    from corpusmill.filters.language import Model
    from corpusmill.schema import Table


def _language_table() -> "Table":
    from corpusmill.filters.register import LANGUAGE_GROUP

    return LANGUAGE_GROUP


def _measure_languages(job: Job, tables: Tables) -> Made:
    from corpusmill.filters.signals import measure_languages

    model, by_paragraph = _language_model(job), job.recipe.filters.language.by_paragraph
    return row_for_row(measure_languages(tables[Stage.PAGES], model, by_paragraph=by_paragraph), tables)


def _language_settings(job: Job) -> object:
    settings = job.recipe.filters.language
    return [None if settings.model is None else job.files[settings.model], settings.by_paragraph]


def _language_model(job: Job) -> "Model | None":
    """The recipe's own model, or None."""
    given = job.recipe.filters.language.model
    if given is None:
        return None
    from corpusmill.filters.language import model_at

    path = path_of(job.corpus, job.files[given])
    try:
        return model_at(path)
    except InputError as error:
        raise InputError(f"recipe: filters.language.model: {given}: {str(error).removeprefix(f'{path}: ')}") from error


def check_languages(job: Job) -> None:
    """InputError unless the own language model can be read, and the model knows the languages of the recipe."""
    model = _language_model(job)
    for words in job.recipe.filters.word_lists:
        if words.language is not None:
            labels = LANGUAGES if model is None else model.labels
            check_codes([words.language], labels, f"filters.word_lists '{words.name}': language")
    if model is not None:
        import pyarrow as pa

        from corpusmill.filters.language import identify

        check_codes(job.recipe.filters.languages, model.labels)
        identify(pa.array(["a"]), model)  # compiles the kernels for its matrices, before workers start


def take_files(job: Job) -> None:
    """Copy the files that filters use into the corpus, and check that each can be used.  InputError if not."""
    keep_files(job.recipe, job.folder, job.files, job.corpus)
    check_languages(job)  # reads the copy of the model
    check_files(job)


LANGUAGE = PerPart(
    name=Stage.LANGUAGE_SIGNALS,
    version=3,
    libraries=(*ARROW, "numba"),
    settings=_language_settings,
    reads={Stage.PAGES: ("doc_id", "text")},
    make=_measure_languages,
    table=_language_table,
    share_of_time=0.05,
)


def _text_table() -> "Table":
    from corpusmill.filters.register import TEXT_GROUP

    return TEXT_GROUP


def _measure_texts(_: Job, tables: Tables) -> Made:
    from corpusmill.filters.signals import measure_texts

    languages = tables[Stage.LANGUAGE_SIGNALS]["language_code"]
    return row_for_row(measure_texts(tables[Stage.PAGES], languages), tables)


TEXT = PerPart(
    name=Stage.TEXT_SIGNALS,
    version=2,
    libraries=(*ARROW, "numba"),
    reads={Stage.PAGES: ("doc_id", "text"), Stage.LANGUAGE_SIGNALS: ("language_code",)},
    make=_measure_texts,
    table=_text_table,
    share_of_time=0.4,
)


def _on_request(stage: Stage) -> PerPart:
    name = stage.removeprefix(SIGNALS)

    def table() -> "Table":
        from corpusmill.filters.register import ON_REQUEST

        return ON_REQUEST[name]

    def measure(_: Job, tables: Tables) -> Made:
        from corpusmill.filters.signals import measure_on_request

        return row_for_row(measure_on_request(name, tables[Stage.PAGES]), tables)

    return PerPart(
        name=stage,
        version=1,
        libraries=(*ARROW, "numba"),
        reads={Stage.PAGES: ("doc_id", "text")},
        make=measure,
        table=table,
        share_of_time=0.4,
    )


ON_REQUEST = tuple(
    _on_request(stage) for stage in (Stage.DATATROVE_SIGNALS, Stage.C4_SIGNALS, Stage.CHINESEWEBTEXT_SIGNALS)
)


def groups_on_request(job: Job) -> list[PerPart]:
    """Those of ON_REQUEST that the recipe names, or one of whose signals a rule in force reads."""
    wanted: set[str] = set(job.recipe.filters.signals)
    words = _words_of_rules(job)
    if not any(word.endswith(_SUFFIXES) for word in words):  # the usual case, without pyarrow
        return [group for group in ON_REQUEST if group.name.removeprefix(SIGNALS) in wanted]
    from corpusmill.filters import register

    for name, group in register.ON_REQUEST.items():
        if any(column.name.lower() in words for column in group.columns[1:]):
            wanted.add(name)
    return [group for group in ON_REQUEST if group.name.removeprefix(SIGNALS) in wanted]


_SUFFIXES = ("_datatrove", "_tfds", "_chinesewebtext")  # of the signals of ON_REQUEST


def _words_of_rules(job: Job) -> set[str]:
    """Every word in the rules in force, in small letters: names of signals among them."""
    from corpusmill.filters.profiles import active_rules

    expressions = [rule.expression for rule in active_rules(job.recipe.judging)]
    return {word.lower() for expression in expressions for word in re.findall(r"\w+", expression)}


def own_groups(job: Job) -> list[PerPart]:
    """One group for each of the user's modules that has signals."""
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


def _check_names(job: Job, of_texts: "Table") -> None:
    """InputError if two signals have one name, or one has the name of a count of edits.  SQL sees no upper case."""
    from corpusmill.filters.rules import PAGE_COLUMNS

    seen = {column.name.lower(): of_texts.name for column in of_texts.columns} | {"part": "the catalog"}
    seen |= {column.name: "pages" for column in PAGE_COLUMNS}
    of_recipe = (*groups_on_request(job), *groups_of_files(job), *contamination_groups(job), *own_groups(job))
    for group in (LANGUAGE, TEXT, *of_recipe):
        assert group.table is not None
        for column in group.table().columns[1:]:
            if (name := column.name.lower()) in seen:
                raise InputError(
                    f"recipe: signal '{column.name}' of {group.name}: {seen[name]} has one of that name; rename it"
                )
            seen[name] = group.name


def rule_columns(job: Job) -> "pa.Schema":
    """The schema of the table that rules read."""
    import pyarrow as pa

    from corpusmill.filters.register import EDIT_COUNTS, signals_schema
    from corpusmill.filters.rules import PAGE_COLUMNS

    known = {column.name for column in EDIT_COUNTS}
    table = texts(job).table
    assert table is not None
    edits = [column for column in table().columns if column.name.startswith("edit_") and column.name not in known]
    _check_names(job, table())
    signals = signals_schema(job.user_signals(), edits)
    groups = (*groups_of_files(job), *contamination_groups(job))
    files = [column for group in groups if group.table for column in group.table().columns[1:]]
    return pa.schema([*signals, *((column.name, column.type) for column in (*files, *PAGE_COLUMNS))])
