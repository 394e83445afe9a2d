"""The list of stages, in order.  Everything else walks it and knows no stage by name.

    pages       records of the input, with text or the reason why there is none
    texts       the final text, after named edits
    signals-*   what is measured of a page, in groups
    verdicts    what the rules say of it
    sketches    what deduplication compares
    twins       duplicates of what the rules kept
    docs        the corpus
    tokenizer   its vocabulary
    tokens      the corpus as token ids

A stage of the user's stands after the last stage that it reads.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from corpusmill.errors import InputError
from corpusmill.extensions import OwnStage, UserModule
from corpusmill.reasons import SIGNALS
from corpusmill.stages.docs import DOCS
from corpusmill.stages.job import Job
from corpusmill.stages.own import own_stage
from corpusmill.stages.pages import PAGES
from corpusmill.stages.signals import LANGUAGE, TEXT, own_groups
from corpusmill.stages.sketches import SKETCHES
from corpusmill.stages.stage import Reading, Stage
from corpusmill.stages.texts import texts
from corpusmill.stages.tokenizer import tokenizer
from corpusmill.stages.tokens import TOKENS
from corpusmill.stages.twins import TWINS
from corpusmill.stages.verdicts import verdicts

# What a corpus has besides its stages: folders, files without their endings, and tables of the catalog.
_FILES = ("models", "logs", "raw", "plan", "tables", "catalog", "report", "recipe", "mix")
_TABLES = ("ledger", "ledger_rows", "receipts", "receipt_rows", "totals", "unusable", "stages", "stage_order")
TAKEN = {*_FILES, *_TABLES, "signals", "urls", "metrics", "catalog_state"}


def _check(module: UserModule, own: OwnStage, stages: "list[Stage]") -> None:
    """InputError unless a user's stage has a name of its own, and reads what there is."""
    where = f"recipe: module '{module.name}': stage '{own.name}'"
    taken = {_table_name(stage.name) for stage in stages} | TAKEN
    if _table_name(own.name) in taken or _table_name(own.name).startswith(_table_name(SIGNALS)):
        raise InputError(f"{where}: there is something of that name already; rename it")
    tables = {stage.name: stage.table() for stage in stages if stage.table is not None}
    for stage, columns in own.reads.items():
        if stage not in tables:
            raise InputError(f"{where} reads '{stage}', which is no stage with a table; there are: {', '.join(tables)}")
        there = [column.name for column in tables[stage].columns]
        for column in columns:
            if column not in there:
                raise InputError(f"{where} reads column '{column}' of {stage}; there are: {', '.join(there)}")


def _table_name(stage: str) -> str:
    return stage.replace("-", "_").lower()


@dataclass(frozen=True)
class Chain:
    """The stages of a job."""

    stages: tuple[Stage, ...]

    @classmethod
    def of(cls, job: Job) -> "Chain":
        """The product's own stages, and the user's."""
        groups = [LANGUAGE, TEXT, *own_groups(job)]
        stages: list[Stage] = [
            PAGES,
            texts(job),
            *groups,
            verdicts(job, groups),
            SKETCHES,
            TWINS,
            DOCS,
            tokenizer(job),
            TOKENS,
        ]
        for module, own in job.own_stages():
            _check(module, own, stages)
            names = [stage.name for stage in stages]
            stages.insert(1 + max(names.index(read) for read in own.reads), own_stage(module, own))
        return cls(tuple(stages))

    @property
    def reading(self) -> Reading:
        """The first stage."""
        first = self.stages[0]
        assert isinstance(first, Reading)
        return first

    def __iter__(self) -> Iterator[Stage]:
        return iter(self.stages)

    def __getitem__(self, name: str) -> Stage:
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Stage]:
        return {stage.name: stage for stage in self.stages}

    def until(self, name: str | None) -> "list[Stage]":
        """The stages up to one of that name; all of them without a name.  InputError if there is no such stage."""
        if name is None:
            return list(self.stages)
        names = [stage.name for stage in self.stages]
        if name not in names:
            raise InputError(f"there is no stage '{name}'; there are: {', '.join(names)}")
        return list(self.stages[: names.index(name) + 1])


def chain_of(job: Job) -> Chain:
    """The stages of a job; its modules must have been loaded."""
    if "chain" not in job.cache:
        job.cache["chain"] = Chain.of(job)
    chain: Chain = job.cache["chain"]
    return chain
