"""A user's signals, edits and rules on a sample of a corpus, before anything is run.

The sample is the same each time: all readable pages of a small corpus; else 200 pages of a few parts, spread over the
corpus, in each part those with the smallest ids, which are hashes.  Signals are read as they are stored, but those of
the user's modules, and what a recipe says of edits, word lists, classifiers and other files: these are run on the
sample, so that a recipe can be tried on a corpus that was made with another one.  Nothing is written into the corpus.
Texts of pages are masked when they are told.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from corpusmill import recipe as recipes
from corpusmill.belonging import belonging
from corpusmill.corpus import Corpus, Place
from corpusmill.errors import InputError
from corpusmill.extensions import USER_COLUMNS, UserModule
from corpusmill.filters.edits import apply_edits
from corpusmill.filters.personal import mask_text
from corpusmill.filters.profiles import OF_PAGES, attributed
from corpusmill.filters.register import user_group
from corpusmill.filters.rules import PAGE_COLUMNS, check_filters, judge_pages
from corpusmill.filters.settings import LanguageSettings, Rule
from corpusmill.filters.signals import measure_own
from corpusmill.reasons import SIGNALS, Stage, Status
from corpusmill.reports.whatif import Removed, figures, filters_of, heading
from corpusmill.stages.contamination import contamination_groups
from corpusmill.stages.job import Job
from corpusmill.stages.quality import groups_of_files
from corpusmill.stages.repeated_lines import placed_lines
from corpusmill.stages.signals import LANGUAGE, TEXT, groups_on_request, rule_columns, take_files
from corpusmill.stages.stage import PerPart
from corpusmill.stages.texts import count_columns, recipe_edits, texts
from corpusmill.terminal import counted, printable

PARTS = 6  # at least, if the corpus has as many
PAGES = 200  # at most
_NO_SOURCE = {"name": "none", "kind": "text", "paths": ["none"]}  # a recipe needs one; nothing reads it


@dataclass(frozen=True, kw_only=True, slots=True)
class TriedSignal:
    """A signal of the user's, over the sample."""

    signal: str
    nulls: int
    least: Any  # null if it is no number
    median: float | None
    most: Any
    example: str | None  # URL or doc_id of a page with the largest value


@dataclass(frozen=True, kw_only=True, slots=True)
class TriedEdit:
    """An edit of the user's, over the sample."""

    edit: str
    changed: int  # texts
    characters: int  # more of them than before, or fewer if negative
    example: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class TriedRule:
    """A rule, over the sample."""

    rule: str
    profile: str | None  # None: it is the recipe's own
    test: str
    pages: Removed
    example: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """What became of the sample."""

    pages: int
    chosen: str  # how
    kept: int
    of_module: bool  # whether a module was given, not a recipe
    remarks: tuple[str, ...]
    signals: tuple[TriedSignal, ...]
    edits: tuple[TriedEdit, ...]
    rules: tuple[TriedRule, ...]


def trial(given: Path, corpus: Place) -> Trial:
    """A module, with the rules of the corpus's recipe; or a recipe with its modules; on a sample of the corpus.

    InputError if something of it is wrong: a mistake in a module names the file and the line.
    """
    opened = Corpus(corpus)
    job = _job(given, opened)
    sample, chosen = _sample(opened)
    of_module = given.suffix == MODULE_ENDING
    if not of_module:
        sample = _measured(job, sample)
    signals = job.user_signals()
    names = [signal.name for signal in signals]
    own = measure_own(sample, user_group("signals_user", signals), signals)
    table = sample.select([name for name in sample.column_names if name not in ("text", "status", *names)])
    for name in names:
        table = table.append_column(name, own[name])
    made = [(column.name, column.type) for column in PAGE_COLUMNS if column.name not in table.column_names]
    attributed_rules = attributed(job.recipe.judging)
    rules = [rule for _, rule in attributed_rules]
    if not of_module:
        _check_measured(job, rules, {*table.column_names, *(name for name, _ in made)})
    check_filters(job.recipe.judging, pa.schema([*table.schema, *made]))
    verdicts = judge_pages(sample["status"].combine_chunks(), table, rules)
    pages = [
        mask_text(url or doc_id)
        for url, doc_id in zip(*(sample[n].to_pylist() for n in ("url", "doc_id")), strict=True)
    ]
    dropping = _dropping(verdicts)
    return Trial(
        pages=sample.num_rows,
        chosen=chosen,
        kept=sum(not each for each in dropping),
        of_module=of_module,
        remarks=tuple(_remarks(job)),
        signals=tuple(_tried_signal(name, own[name], pages) for name in names),
        edits=tuple(_edits(job, sample["text"].combine_chunks(), pages)),
        rules=tuple(
            TriedRule(
                rule=rule.name,
                profile=profile,
                test=str(rule),
                pages=Removed(
                    first=sum(each[:1] == [rule.name] for each in dropping),
                    alone=sum(each == [rule.name] for each in dropping),
                    all=sum(rule.name in each for each in dropping),
                ),
                example=next((page for page, each in zip(pages, dropping, strict=True) if rule.name in each), None),
            )
            for profile, rule in attributed_rules
        ),
    )


def _remarks(job: Job) -> list[str]:
    """About modules of which nothing can be tried."""
    found = []
    for module, own in job.registered():
        others = [kind for kind, registered in own.kinds().items() if registered]
        if not others:
            found.append(f"module {module.name} registers nothing: mark your functions with @signal or @edit")
        elif not own.signals and not own.edits:
            kinds = " and ".join(f"{kind}s" for kind in others)
            found.append(f"module {module.name} has no signals and no edits; its {kinds} are not tried")
    return found


def _job(given: Path, corpus: Corpus) -> Job:
    if given.suffix == MODULE_ENDING:
        data = {"modules": [given.name], "sources": [_NO_SOURCE]}
        try:
            recipe = recipes.parse(data, where=str(given), folder=given.parent)
        except InputError as error:  # there is no recipe that names the module
            raise InputError(str(error).removeprefix("recipe: ")) from error
        recipe = recipe.model_copy(update={"filters": filters_of(corpus.place)})
    else:
        recipe = recipes.load(given)
    modules = tuple(UserModule.find(name, given.parent) for name in recipe.modules)
    return Job(recipe=recipe, corpus=corpus, folder=given.parent.absolute(), modules=modules)


MODULE_ENDING = ".py"


def _measured(job: Job, sample: pa.Table) -> pa.Table:
    """The sample with what the recipe's edits count, and with the signals that its files and its language model give.

    The files are copied into a folder for the time that this takes, because the corpus may have others.
    """
    groups: list[PerPart] = [*groups_of_files(job), *contamination_groups(job)]
    if job.recipe.filters.language != LanguageSettings():
        groups = [LANGUAGE, TEXT, *groups]
    for group in groups_on_request(job):
        assert group.table is not None
        if not {column.name for column in group.table().columns} <= set(sample.column_names):
            groups.append(group)
    with TemporaryDirectory() as folder:
        elsewhere = replace(job, corpus=Corpus(folder))
        take_files(elsewhere)
        counts = texts(elsewhere).make(elsewhere, {Stage.PAGES: sample}).table
        # which lines other documents hold, too, the sample does not say; the corpus may have it
        of_others = {*placed_lines(job).count_names()} & {*sample.column_names}
        asked = [name for name in count_columns(job) if name not in of_others]
        sample = _with(sample, counts.select(asked))
        for group in groups:
            tables: dict[str, Any] = {Stage.PAGES: sample, Stage.LANGUAGE_SIGNALS: sample}
            sample = _with(sample, group.make(elsewhere, tables).table.drop_columns(["doc_id"]))
    return sample


def _with(table: pa.Table, more: pa.Table) -> pa.Table:
    """The table with the columns of another one, which replace those of their names."""
    kept = table.select([name for name in table.column_names if name not in more.column_names])
    for name in more.column_names:
        kept = kept.append_column(name, more[name])
    return kept.combine_chunks()


def _check_measured(job: Job, rules: Sequence[Rule], there: set[str]) -> None:
    """InputError if a rule reads a signal that a run of the recipe would measure, and that the corpus has not."""
    lacking = set(rule_columns(job).names) - there
    for rule in rules:
        for name in re.findall(r"\w+", rule.expression):
            if name in lacking:
                raise InputError(
                    f"{job.corpus.place}: rule '{rule.name}' reads '{name}', which this corpus has not measured; "
                    "run the recipe first"
                )


def _sample(corpus: Corpus) -> tuple[pa.Table, str]:
    """Readable pages with their stored signals and counts of edits; and how they were chosen."""
    current = belonging(corpus)
    measured = [stage for stage in current if stage.startswith(SIGNALS)]
    stages = [stage for stage in (*measured, Stage.TEXTS) if current.get(stage)]
    parts = sorted(set.intersection(*(set(current.get(stage, {})) for stage in (Stage.PAGES, *stages))))
    if not parts:
        raise InputError(f"{corpus.place}: has no pages with signals; 'corpusmill run' makes them")
    spread = dict.fromkeys((len(parts) - 1) * number // (PARTS - 1) for number in range(PARTS))
    readable: dict[str, int] = {}
    for number, place in enumerate(dict.fromkeys([*spread, *range(len(parts))])):
        if number >= PARTS and sum(readable.values()) >= PAGES:
            break
        status = corpus.read(Stage.PAGES, parts[place], ["status"])["status"]
        readable[parts[place]] = pc.sum(pc.equal(status, Status.OK)).as_py() or 0
    quotas = _quotas(readable)
    pieces = [_sample_of(corpus, part, stages, n) for part, n in quotas.items() if n]
    if not pieces:
        raise InputError(f"{corpus.place}: none of its pages could be read, so there is nothing to try on")
    if len(readable) == len(parts) and quotas == readable:
        chosen = "all readable pages of the corpus"
    else:
        chosen = (
            f"from {len(pieces)} of {counted(len(parts), 'part')}, spread over the corpus; in each part those with the "
            "smallest ids, which are hashes"
        )
    return pa.concat_tables(pieces, promote_options="default").combine_chunks(), chosen


def _quotas(readable: dict[str, int]) -> dict[str, int]:
    """How many pages of each part: equally many, or all of a part that has fewer; in all at most PAGES."""
    left, quotas = PAGES, {}
    for number, part in enumerate(sorted(readable, key=lambda part: (readable[part], part))):
        quotas[part] = min(readable[part], left // (len(readable) - number))
        left -= quotas[part]
    return {part: quotas[part] for part in readable}


def _sample_of(corpus: Corpus, part: str, stages: Sequence[str], n: int) -> pa.Table:
    wanted = [*dict.fromkeys((*USER_COLUMNS, *OF_PAGES, "status"))]
    pages = corpus.read(Stage.PAGES, part, wanted)
    order = pc.sort_indices(pages["doc_id"])
    readable = order.filter(pc.equal(pages["status"], Status.OK).take(order))[:n]
    table = pages.take(readable)
    for stage in stages:
        found = corpus.read(stage, part, None).take(readable)
        for name in found.column_names:
            if name not in table.column_names:
                table = table.append_column(name, found[name])
    return table


def _dropping(verdicts: pa.Table) -> list[list[str]]:
    """Of each page, the rules that are true for it, in order."""
    rows = zip(verdicts["rule"].to_pylist(), verdicts["also_dropped_by"].to_pylist(), strict=True)
    return [[rule, *also] if rule is not None else [] for rule, also in rows]


def _tried_signal(name: str, values: pa.ChunkedArray, pages: Sequence[str]) -> TriedSignal:
    is_number = pa.types.is_integer(values.type) or pa.types.is_floating(values.type)
    known = [(value, page) for value, page in zip(values.to_pylist(), pages, strict=True) if value is not None]
    numbers = sorted(value for value, _ in known) if is_number else []
    return TriedSignal(
        signal=name,
        nulls=values.null_count,
        least=numbers[0] if numbers else None,
        median=float(numbers[len(numbers) // 2]) if numbers else None,
        most=numbers[-1] if numbers else None,
        example=max(known, key=lambda each: each[0])[1] if numbers else known[0][1] if known else None,
    )


def _edits(job: Job, before: pa.Array, pages: Sequence[str]) -> "list[TriedEdit]":
    """The recipe's edits and the user's in order, each on what the one before has left."""
    found = []
    for edit in recipe_edits(job):
        after, _ = apply_edits(before, [edit])
        changed = pc.fill_null(pc.not_equal(before, after), False)
        more = pc.sum(pc.subtract(pc.utf8_length(after), pc.utf8_length(before))).as_py() or 0
        example = next((page for page, is_so in zip(pages, changed.to_pylist(), strict=True) if is_so), None)
        found.append(
            TriedEdit(edit=edit.name, changed=pc.sum(changed).as_py() or 0, characters=int(more), example=example)
        )
        before = after
    return found


def render(seen: Trial) -> str:
    """The trial as plain text for a terminal."""
    lines = [f"sample: {counted(seen.pages, 'page')}, {seen.chosen}", *seen.remarks]
    for signal in seen.signals:
        numbers = (
            f"from {_n(signal.least)} to {_n(signal.most)}, median {_n(signal.median)}, "
            if signal.median is not None
            else ""
        )
        such = f"; most: {signal.example}" if signal.median is not None else ""
        lines.append(f"signal {signal.signal}: {numbers}{counted(signal.nulls, 'null')}{such}")
    for edit in seen.edits:
        such = f"; such as {edit.example}" if edit.example else ""
        how = f"{counted(abs(edit.characters), 'character')} {'more' if edit.characters > 0 else 'fewer'}"
        lines.append(f"edit {edit.edit}: changes {counted(edit.changed, 'text')}, {how}{such}")
    rules = [rule for rule in seen.rules if rule.pages.all or rule.profile is None or not seen.of_module]
    idle = len(seen.rules) - len(rules)
    lines.append(f"the rules keep {seen.kept:,} of {counted(seen.pages, 'page')}")
    width = max((len(rule.rule) for rule in rules), default=0)
    if rules:
        lines.append(heading(width))
    for rule in rules:
        such = f"; such as {rule.example}" if rule.example else ""
        lines.append(f"{figures(rule.pages)}  {rule.rule:<{width}}  {rule.test}{such}")
    if idle:
        lines.append(f"{counted(idle, 'other rule')} of the profiles would drop none of these pages")
    return printable("\n".join(lines))


def _n(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else f"{value:,}"
