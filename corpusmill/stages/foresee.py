"""What a removal would do: `corpusmill remove --dry-run`.  Nothing is written.

Promoted documents are found by deduplication itself, on the groups of the documents that would go.  Documents of
different groups share no band, so the rest of the corpus cannot change the answer.  A group that is so large that
deduplication divides it may be divided in another way without these documents.

What other stages do is not computed, but said.  `affected` counts the pages that a stage has dropped, or of which it
has cut text, because of a page that would go.  They may come in, or get text back, unless something else drops or cuts
them.
`unforeseen` names what counts over many pages and is counted again.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from corpusmill.corpus import Corpus
from corpusmill.reasons import CAPS, REPEATED_LINES, REPEATED_TEXT, SAME_URL, SEMANTIC, Stage
from corpusmill.removals import Entry, Kind, read_removals
from corpusmill.stages.drops import is_on
from corpusmill.stages.job import Job

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

TWINS = ("doc_id", "group_id", "rule")


@dataclass(frozen=True, kw_only=True, slots=True)
class Foreseen:
    """What a removal would do."""

    pages: int  # that would be removed
    documents: int  # of these, that are in the corpus
    promoted: list[str]  # doc_ids of near-duplicates that would come into the corpus
    affected: dict[str, int]  # by stage, the other pages that were dropped or cut because of those that would go
    unforeseen: list[str]  # stages of the recipe that count again, so pages that they dropped or cut may come back
    parts: int  # page parts that would be written again
    unmatched: list[str]  # URLs and hosts, as given, that no page has
    unknown: list[str]  # doc_ids that no page has


def foresee(job: Job, given: dict[Entry, str], progress: Callable[[int, int], None] = lambda *_: None) -> Foreseen:
    """What removing these entries, with all that is on the list already, would do.  Each entry has the user's text.

    progress: called with the number of parts that were looked at, and of all.
    """
    from corpusmill.collect.takedown import ADDRESS, NOTHING, Takedown
    from corpusmill.reasons import Status

    corpus = job.corpus
    takedown = Takedown(read_removals(corpus).plus(given))
    receipts = corpus.receipts(Stage.PAGES)
    gone: dict[str, set[str]] = {}
    ids: set[str] = set()
    for number, (part, receipt) in enumerate(receipts.items(), 1):
        pages = corpus.read_columns(receipt, [*ADDRESS, "status"])
        matched = takedown.match(pages)
        ids |= matched.ids
        chosen = (matched.first != NOTHING) & (pages["status"].to_numpy() != Status.REMOVED)
        if chosen.any():
            gone[part] = set(pages["doc_id"].filter(chosen).to_pylist())
        progress(number, len(receipts))
    everything = {doc_id for doc_ids in gone.values() for doc_id in doc_ids}
    no_page = {entry: text for entry, text in given.items() if entry.id not in ids}
    return Foreseen(
        pages=len(everything),
        documents=sum(len(doc_ids & _ids(corpus, Stage.DOCS, part)) for part, doc_ids in gone.items()),
        promoted=_promoted(job, everything),
        affected=_affected(job, everything),
        unforeseen=_counted_again(job) if everything else [],
        parts=len(gone),
        unmatched=[text for entry, text in no_page.items() if entry.kind is not Kind.DOC_ID],
        unknown=[text for entry, text in no_page.items() if entry.kind is Kind.DOC_ID],
    )


def _ids(corpus: Corpus, stage: str, part: str) -> set[str]:
    receipt = corpus.receipt(stage, part)
    return set() if receipt is None else set(corpus.read_columns(receipt, ["doc_id"])["doc_id"].to_pylist())


def _affected(job: Job, gone: set[str]) -> dict[str, int]:
    """How many pages each stage after the rules, other than `twins`, has dropped or cut because of these ones."""
    found = {}
    for stage in (SAME_URL, SEMANTIC, REPEATED_TEXT):
        if is_on(job, stage):
            twin = "cuts" if stage == REPEATED_TEXT else "twin_doc_id"
            parts = job.corpus.receipts(stage).values()
            tables = (job.corpus.read_columns(receipt, ["doc_id", twin]) for receipt in parts)
            found[stage] = sum(len(_because_of(table, twin, gone) - gone) for table in tables)
    return found


def _because_of(table: "pa.Table", twin: str, gone: set[str]) -> set[str]:
    """The pages of a table that have one of these ones as a twin."""
    if twin == "twin_doc_id":
        return set(_of(table, twin, gone)["doc_id"].to_pylist())
    rows = zip(table["doc_id"].to_pylist(), table["cuts"].to_pylist(), strict=True)
    return {doc_id for doc_id, cuts in rows if any(cut["twin_doc_id"] in gone for cut in cuts)}


def _counted_again(job: Job) -> list[str]:
    """The stages of a recipe that compare counts over many pages with a limit."""
    return [REPEATED_LINES] * bool(job.recipe.dedup.lines) + [CAPS] * is_on(job, CAPS)


def _promoted(job: Job, gone: set[str]) -> list[str]:
    """The duplicates that deduplication would keep if these documents took no part."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    from corpusmill.dedup.local import find_twins
    from corpusmill.stages.twins import SKETCH_COLUMNS, as_compared

    corpus = job.corpus
    twins = {part: corpus.read_columns(each, TWINS) for part, each in corpus.receipts(Stage.TWINS).items()}
    groups = {group for table in twins.values() for group in _of(table, "doc_id", gone)["group_id"].to_pylist()}
    sketches, dropped = [], set[str]()
    for part, table in twins.items():
        members = _of(table, "group_id", groups)
        staying = set(members["doc_id"].to_pylist()) - gone
        receipt = corpus.receipt(Stage.SKETCHES, part)
        if staying and receipt is not None:
            dropped |= set(members.filter(members["rule"].is_valid())["doc_id"].to_pylist()) - gone
            table = as_compared(job, corpus.read_columns(receipt, SKETCH_COLUMNS))
            sketches.append(_of(table, "doc_id", staying).combine_chunks())
    if not dropped:
        return []
    everyone = [np.ones(len(each), np.bool_) for each in sketches]
    found = pa.concat_tables(find_twins(sketches, everyone, job.recipe.dedup, _guests(job, sketches)))
    still = set(found.filter(pc.is_valid(found["rule"]))["doc_id"].to_pylist())
    return sorted(dropped - still)


def _guests(job: Job, sketches: "list[pa.Table]") -> "list[tuple[int, pa.Table]]":
    """The documents of other corpora that share a band, or the whole text, with one of these pages."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    from corpusmill.stages.against import guests
    from corpusmill.stages.twins import SKETCH_COLUMNS, as_compared

    bands, texts = (np.concatenate([_flat(each, name) for each in sketches]) for name in ("bands", "content_hash"))
    found = []
    for corpus, guest in guests(job):
        table = as_compared(job, guest.read_sketches(SKETCH_COLUMNS))
        shares = np.isin(table["content_hash"].to_numpy(), texts)
        parents = pc.list_parent_indices(table["bands"].combine_chunks()).to_numpy()
        shares[parents[np.isin(_flat(table, "bands"), bands)]] = True
        shares &= np.isin(table["doc_id"].to_numpy(), guest.doc_ids().to_numpy())
        found.append((corpus, table.filter(pa.array(shares)).combine_chunks()))
    return found


def _flat(table: "pa.Table", column: str) -> "npt.NDArray[np.uint64]":
    """The values of a column, or of its lists."""
    values = table[column].combine_chunks()
    flat: npt.NDArray[np.uint64] = (values.flatten() if column == "bands" else values).to_numpy()
    return flat


def _of(table: "pa.Table", column: str, values: Iterable[str]) -> "pa.Table":
    """The rows that have one of these values."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return table.filter(pc.is_in(table[column], pa.array(list(values), pa.string())))
