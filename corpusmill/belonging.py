"""Which published parts belong together, so that readers may join them.

A run that was stopped, or ended early with `--until`, leaves stale parts in later stages.  These were made from
something else than what is published now, for example tokens of an older vocabulary, or duplicates of pages that a rule
has dropped since.  Every receipt says what its part was made from, and `tables.json` says which columns each stage
reads.  So readers find stale parts without the recipe or its modules.  Readers skip a stale part or raise an error;
they never return its rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from corpusmill.corpus import RECEIPTS, Corpus, digest
from corpusmill.errors import InputError
from corpusmill.names import checked_name
from corpusmill.receipts import GROUPED, Receipt

TABLES = "tables.json"


@dataclass(frozen=True, slots=True)
class Described:
    """A stage as `tables.json` describes it."""

    stage: str
    kind: str  # "Reading", "PerPart", "Grouping" or "Singleton"
    reads: dict[str, tuple[str, ...]] = field(default_factory=dict)
    singletons: tuple[str, ...] = ()
    table: dict[str, Any] | None = None  # name, description, columns (name, type, description)


def described(corpus: Corpus) -> list[Described]:
    """The stages of the corpus's last run, in order; empty if it had no run, or the file cannot be read."""
    data = corpus.read_json(TABLES)
    try:
        return [_described(each) for each in (data or {}).get("stages", [])]
    except (KeyError, TypeError, ValueError, AttributeError):
        return []


def _described(data: Mapping[str, Any]) -> Described:
    """One stage of the file.  The file may come from anywhere, and its names become folders, tables and columns."""
    table = data["table"]
    if table is not None:
        columns = [(checked_name(name), str(kind), str(text)) for name, kind, text in table["columns"]]
        table = {"name": checked_name(table["name"]), "description": str(table["description"]), "columns": columns}
    return Described(
        stage=checked_name(data["stage"]),
        kind=data["kind"],
        reads={checked_name(stage): tuple(map(checked_name, columns)) for stage, columns in data["reads"].items()},
        singletons=tuple(map(checked_name, data["singletons"])),
        table=table,
    )


def belonging(corpus: Corpus) -> dict[str, dict[str, Receipt]]:
    """By stage, the receipts of the parts that belong to the published parts of earlier stages."""
    found: dict[str, dict[str, Receipt]] = {}
    for stage in described(corpus):
        receipts = corpus.receipts(stage.stage)
        match stage.kind:
            case "PerPart":
                receipts = {part: each for part, each in receipts.items() if _belongs(stage, part, each, found)}
            case "Grouping":
                if not _grouping_belongs(corpus, stage, found):
                    receipts = {}
        found[stage.stage] = receipts
    return found


def _made_from(stage: Described, part: str, found: Mapping[str, Mapping[str, Receipt]]) -> dict[str, str | None]:
    """By stage, the digests of what the part would be made from now."""
    now: dict[str, str | None] = {}
    for name, columns in stage.reads.items():
        receipt = found.get(name, {}).get(part)
        now[name] = receipt.digest_of(columns) if receipt is not None else None
    for name in stage.singletons:
        receipt = found.get(name, {}).get(name)
        now[name] = receipt.checksum if receipt is not None else None
    return now


def _belongs(stage: Described, part: str, receipt: Receipt, found: Mapping[str, Mapping[str, Receipt]]) -> bool:
    return receipt.made_from == _made_from(stage, part, found)


def _grouping_belongs(corpus: Corpus, stage: Described, found: Mapping[str, Mapping[str, Receipt]]) -> bool:
    record = corpus.read_json(f"{stage.stage}/{RECEIPTS}/{GROUPED}")
    parts = sorted(next((found.get(name, {}) for name in stage.reads), {}))
    return record is not None and record.get("made_from") == digest(
        [(part, _made_from(stage, part, found)) for part in parts]
    )


def digest_of_ids(receipts: Mapping[str, Receipt]) -> str:
    """A digest of all token ids, by the receipts of the parts that hold them: `vocabulary` says which it counted."""
    return digest([(part, receipts[part].digest_of(("ids",))) for part in sorted(receipts)])


def whole(corpus: Corpus, stage: str) -> dict[str, Receipt]:
    """The receipts of a stage, by part.

    InputError unless they belong to the published parts before it, and none is missing.
    """
    found = belonging(corpus)
    published = corpus.receipts(stage)
    if stage not in found:
        return published  # a corpus that was not made by a run of this version
    stale = len(published) - len(found[stage])
    first = next(iter(found.values()))
    missing = len(first.keys() - published.keys())
    if stale or missing:
        raise InputError(
            f"{corpus.place}: of its {stage} parts {stale} are stale and {missing} missing; "
            "a run was stopped or ended early, finish it with 'corpusmill run'"
        )
    return published
