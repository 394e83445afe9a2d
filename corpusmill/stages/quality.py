"""signals-quality and signals-lists: what is measured with files that the recipe names.

Each is in the chain only if the recipe names such files.  Their digests are among the stage's settings.
"""

from typing import TYPE_CHECKING, Any

from corpusmill.parts import Made
from corpusmill.reasons import LIST_SIGNALS, QUALITY_SIGNALS, Stage
from corpusmill.stages.contamination import evaluation_of
from corpusmill.stages.files import content_of, path_of
from corpusmill.stages.job import Job
from corpusmill.stages.stage import ARROW, Columns, PerPart, Tables, row_for_row

if TYPE_CHECKING:
    from corpusmill.schema import Column, Table

_READ: dict[tuple[str, str], Any] = {}  # by kind and digest, what was read of files in this process


def _read(job: Job, kind: str, name: str, path: str) -> Any:
    """The file of an entry of `filters.KIND`, as the filter needs it; read once in a process.

    InputError if it cannot be used.
    """
    key = (kind, job.files[path])
    if key not in _READ:
        content, where = content_of(job.corpus, key[1]), f"recipe: filters.{kind} '{name}': {path}"
        if kind == "word_lists":
            from corpusmill.filters.word_lists import read_word_list

            _READ[key] = read_word_list(content, where)
        elif kind == "url_lists":
            from corpusmill.filters.url_lists import read_url_list

            _READ[key] = read_url_list(content, where)
        else:
            from corpusmill.filters.ngrams import read_models

            models = read_models(content, where)
            _READ[key] = {language: (model.tables(), model.limits) for language, model in models.items()}
    return _READ[key]


def check_files(job: Job) -> None:
    """Find out before any work whether every file can be used; the corpus has them already.  InputError if not."""
    filters = job.recipe.filters
    for model in filters.classifiers:
        from corpusmill.filters.classifiers import check_classifier

        path = path_of(job.corpus, job.files[model.model])
        check_classifier(path, model.label, f"recipe: filters.classifiers '{model.name}': {model.model}")
    for each in filters.perplexity:
        _read(job, "perplexity", each.name, each.model)
    for words in filters.word_lists:
        _read(job, "word_lists", words.name, words.path)
    for urls in filters.url_lists:
        _read(job, "url_lists", urls.name, urls.path)
    if job.recipe.decontaminate.sets:
        evaluation_of(job)


# ---- signals-quality -----------------------------------------------------------------------------------------------


def _quality_columns(job: Job) -> "list[Column]":
    import pyarrow as pa

    from corpusmill.schema import Column

    filters = job.recipe.filters
    columns = [
        Column(each.name, pa.float64(), f"probability of '{each.label}' by the fastText classifier {each.model}")
        for each in filters.classifiers
    ]
    for model in filters.perplexity:
        columns += [
            Column(model.name, pa.float64(), f"perplexity per word by {model.model}; null if it lacks the language"),
            Column(f"{model.name}_bucket", pa.string(), f"head, middle or tail: the third of {model.name} by language"),
        ]
    return columns


def _measure_quality(job: Job, tables: Tables) -> Made:
    from corpusmill.filters.classifiers import probabilities

    pages = tables[Stage.PAGES]
    columns: dict[str, Any] = {"doc_id": pages["doc_id"]}
    for each in job.recipe.filters.classifiers:
        columns[each.name] = probabilities(path_of(job.corpus, job.files[each.model]), each.label, pages["text"])
    for model in job.recipe.filters.perplexity:
        from corpusmill.filters.ngrams import measure_by_language

        languages = tables[Stage.LANGUAGE_SIGNALS]["language"].combine_chunks()
        models = _read(job, "perplexity", model.name, model.model)
        measured = measure_by_language(models, pages["text"].combine_chunks(), languages)
        columns[model.name], columns[f"{model.name}_bucket"] = measured
    return row_for_row(quality_table(job).filled(columns), tables)


def quality_table(job: Job) -> "Table":
    """The table of the group."""
    return _group("signals_quality", "One row per page: what models say of it.", _quality_columns(job))


# ---- signals-lists -------------------------------------------------------------------------------------------------


def _list_columns(job: Job) -> "list[Column]":
    import pyarrow as pa

    from corpusmill.schema import Column

    columns: list[Column] = []
    for words in job.recipe.filters.word_lists:
        where = f"the list {words.path}" + (f" (pages in '{words.language}' only)" if words.language else "")
        columns += [
            Column(f"{words.name}_count", pa.int64(), f"occurrences of words of {where}"),
            Column(f"{words.name}_share", pa.float64(), f"share of the words that belong to {where}"),
        ]
    for urls in job.recipe.filters.url_lists:
        columns.append(Column(urls.name, pa.bool_(), f"whether the URL is on the list {urls.path}"))
    return columns


def _measure_lists(job: Job, tables: Tables) -> Made:
    import pyarrow as pa
    import pyarrow.compute as pc

    from corpusmill.filters.url_lists import are_listed
    from corpusmill.filters.word_lists import count_words

    pages = tables[Stage.PAGES]
    text = pages["text"].combine_chunks()
    columns: dict[str, Any] = {"doc_id": pages["doc_id"]}
    for words in job.recipe.filters.word_lists:
        chosen = text
        if words.language is not None:
            is_wanted = pc.equal(tables[Stage.LANGUAGE_SIGNALS]["language"].combine_chunks(), words.language)
            chosen = pc.if_else(is_wanted, text, pa.scalar(None, text.type))
        tree = _read(job, "word_lists", words.name, words.path)
        columns[f"{words.name}_count"], columns[f"{words.name}_share"] = count_words(tree, chosen)
    for urls in job.recipe.filters.url_lists:
        listed = _read(job, "url_lists", urls.name, urls.path)
        columns[urls.name] = are_listed(listed, pages["url"].combine_chunks())
    return row_for_row(lists_table(job).filled(columns), tables)


def lists_table(job: Job) -> "Table":
    """The table of the group."""
    return _group("signals_lists", "One row per page: what lists of words and URLs say of it.", _list_columns(job))


# ---- both ----------------------------------------------------------------------------------------------------------


def _group(name: str, description: str, columns: "list[Column]") -> "Table":
    from corpusmill.schema import DOC_ID, Table

    return Table(name, f"{description} Null for unreadable pages.", (DOC_ID, *columns))


def _quality_settings(job: Job) -> object:
    filters = job.recipe.filters
    return [
        [[each.name, each.label, job.files[each.model]] for each in filters.classifiers],
        [[each.name, job.files[each.model]] for each in filters.perplexity],
    ]


def _list_settings(job: Job) -> object:
    filters = job.recipe.filters
    return [
        [[each.name, each.language, job.files[each.path]] for each in filters.word_lists],
        [[each.name, job.files[each.path]] for each in filters.url_lists],
    ]


def groups_of_files(job: Job) -> list[PerPart]:
    """The groups that the recipe's files ask for."""
    filters, groups = job.recipe.filters, []
    with_language: dict[str, Columns] = {Stage.LANGUAGE_SIGNALS: ("language",)}
    if filters.classifiers or filters.perplexity:
        groups.append(
            PerPart(
                name=QUALITY_SIGNALS,
                version=1,
                libraries=(*ARROW, "numba"),
                settings=_quality_settings,
                reads={Stage.PAGES: ("doc_id", "text"), **(with_language if filters.perplexity else {})},
                make=_measure_quality,
                table=lambda: quality_table(job),
                share_of_time=0.4,
            )
        )
    if filters.word_lists or filters.url_lists:
        of_language = any(each.language is not None for each in filters.word_lists)
        groups.append(
            PerPart(
                name=LIST_SIGNALS,
                version=2,
                libraries=(*ARROW, "numba"),
                settings=_list_settings,
                reads={Stage.PAGES: ("doc_id", "url", "text"), **(with_language if of_language else {})},
                make=_measure_lists,
                table=lambda: lists_table(job),
                share_of_time=0.1,
            )
        )
    return groups
