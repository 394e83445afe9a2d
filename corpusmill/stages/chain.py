"""The list of stages, in order.  All other code goes through this list, and knows no stage by name.

    pages           records of the input, with text or the reason why there is none
    repeated_lines  lines that many documents hold, if the recipe asks for them
    texts           the final text, after named edits
    signals-*       what is measured of a page, in groups
    verdicts        whether the rules keep a page
    sketches        the data that deduplication compares
    caps            pages over the cap of their host, if the recipe has a cap
    same_url        pages with one URL, if the recipe asks for them
    twins           duplicates among the pages that the rules kept
    semantic        documents with similar embeddings, if the recipe gives some
    repeated_text   pieces of text that several documents hold, if the recipe asks for them
    split           below which hash documents are for validation
    docs            the corpus
    tokenizer       its vocabulary
    tokens          the corpus as token ids
    vocabulary      what the tokenizer does with the corpus

A user's stage comes after the last stage that it reads.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from corpusmill.errors import InputError
from corpusmill.extensions import OwnStage, UserModule
from corpusmill.reasons import SIGNALS
from corpusmill.stages.caps import HOST_CAPS
from corpusmill.stages.contamination import contamination_groups
from corpusmill.stages.docs import docs
from corpusmill.stages.job import Job
from corpusmill.stages.own import own_stage
from corpusmill.stages.pages import PAGES
from corpusmill.stages.quality import groups_of_files
from corpusmill.stages.repeated_lines import repeated_lines
from corpusmill.stages.repeated_text import repeated_text
from corpusmill.stages.same_url import same_url
from corpusmill.stages.semantic import semantic
from corpusmill.stages.signals import LANGUAGE, TEXT, groups_on_request, own_groups
from corpusmill.stages.sketches import SKETCHES
from corpusmill.stages.split import split
from corpusmill.stages.stage import Reading, Stage
from corpusmill.stages.texts import text_edits, texts
from corpusmill.stages.tokenizer import tokenizer
from corpusmill.stages.tokens import TOKENS
from corpusmill.stages.twins import twins
from corpusmill.stages.verdicts import verdicts
from corpusmill.stages.vocabulary import VOCABULARY

# Names that a corpus uses besides its stages: folders, files without their endings, and tables of the catalog.
_FILES = ("models", "logs", "raw", "plan", "tables", "catalog", "report", "recipe", "mix", "files", "filters")
_TABLES = (
    "mix_groups",
    "ledger",
    "ledger_rows",
    "receipts",
    "receipt_rows",
    "totals",
    "unusable",
    "stages",
    "stage_order",
)
_OF_REMOVAL = ("removals", "removal_entries")
_OF_TOKENS = ("tokenizers", "tokenizer_rates", "tokenizer_examples", "vocabulary")
_OF_DEDUP = ("repeated_lines", "same_url", "semantic", "repeated_text")
_OF_FILTERS = ("judged", "bias", "caps", "contamination", "filter_files", "classifiers", "calibration")
_OF_MODELS = ("metrics", "document_losses", "step_documents", "evaluations", "evaluation_items", "finetune_metrics")
_OF_ABLATIONS = (
    *("ablations", "ablation_documents", "ablation_losses", "ablation_differences", "ablation_trials"),
    "ablation_scaling",
)
_MADE_LATER = (*_OF_REMOVAL, *_OF_DEDUP, *_OF_TOKENS, *_OF_MODELS, *_OF_ABLATIONS, "exports")
TAKEN = {*_FILES, *_TABLES, *_OF_FILTERS, *_MADE_LATER, "signals", "urls", "catalog_state"}


def _check(module: UserModule, own: OwnStage, stages: "list[Stage]") -> None:
    """InputError unless a user's stage has a new name, and reads tables and columns that exist."""
    where = f"recipe: module '{module.name}': stage '{own.name}'"
    taken = {_table_name(stage.name) for stage in stages} | TAKEN
    if _table_name(own.name) in taken or _table_name(own.name).startswith(_table_name(SIGNALS)):
        raise InputError(f"{where}: this name is already in use; choose another")
    tables = {stage.name: stage.table() for stage in stages if stage.table is not None}
    for stage, columns in own.reads.items():
        if stage not in tables:
            raise InputError(
                f"{where} reads '{stage}', which is not a stage with a table; stages with tables: {', '.join(tables)}"
            )
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
        """The chain of the product's own stages and the user's."""
        groups = [LANGUAGE, TEXT, *groups_on_request(job), *groups_of_files(job), *contamination_groups(job)]
        groups += own_groups(job)
        stages: list[Stage] = [
            PAGES,
            *repeated_lines(job, text_edits(job) if job.recipe.dedup.lines else []),
            texts(job),
            *groups,
            verdicts(job, groups),
            SKETCHES,
            *([HOST_CAPS] if job.recipe.filters.max_pages_per_host is not None else []),
            *same_url(job, groups),
            twins(job),
            *semantic(job),
            *repeated_text(job),
            split(job),
            docs(job),
            tokenizer(job),
            TOKENS,
            VOCABULARY,
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
        """The stages up to the one with this name, or all if there is no name.  InputError if the name is unknown."""
        if name is None:
            return list(self.stages)
        names = [stage.name for stage in self.stages]
        if name not in names:
            raise InputError(f"there is no stage '{name}'; there are: {', '.join(names)}")
        return list(self.stages[: names.index(name) + 1])


def chain_of(job: Job) -> Chain:
    """The stages of a job.  Its modules must be loaded before."""
    if "chain" not in job.cache:
        job.cache["chain"] = Chain.of(job)
    chain: Chain = job.cache["chain"]
    return chain
