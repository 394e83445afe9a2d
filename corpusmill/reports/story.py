"""The history of a document as data, and its output in a terminal.

All texts from a page are masked before.  Control characters, which a page could use to overwrite the terminal, are
removed here.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from corpusmill.reasons import STATUSES, Duplicate, Fate, Reason, Status
from corpusmill.reports.edits import REMOVED, ChangedLine, Diff, Step
from corpusmill.terminal import counted, printable, visible

METADATA_CHARS = 300
MOST_CHANGES = 20  # lines of an edit that are shown unless all are asked for
LINE_CHARS = 68  # beside the column of labels, on a terminal of 80 columns
DROPPED, ALSO, PASSED = "dropped it", "would have dropped it, too", "passed"

FATES = {
    Fate.FETCHED: "fetched",
    Fate.UNCHANGED: "fetched: the same as in the earlier crawl",
    Fate.ROBOTS_DISALLOWED: "not fetched: robots.txt forbids it",
    Fate.ROBOTS_UNREACHABLE: "not fetched: robots.txt could not be read, so everything on the host is forbidden",
    Fate.OUT_OF_SCOPE: "not fetched: outside the hosts and schemes that the recipe crawls",
    Fate.TRAP: "not fetched: it looks like one of endless addresses",
    Fate.TOO_DEEP: "not fetched: more links away from a seed than the recipe's max_depth",
    Fate.PAGE_LIMIT: "not fetched: the recipe's max_pages or max_pages_per_host was reached first",
    Fate.NOFOLLOW: "not fetched: only met on pages or links that ask not to be followed",
    Fate.PRIVATE_ADDRESS: "not fetched: the host's address is not public; allow_private_addresses = true allows it",
    Fate.TOO_LARGE: "fetched in part: larger than the recipe's max_page_bytes",
    Fate.FAILED: "not fetched: no answer",
    Fate.OPTED_OUT: "not fetched: the host's tdmrep.json or ai.txt reserves it",
    Fate.REDIRECT_LIMIT: "not fetched: too many redirects in a row",
    Fate.WAITING: "not fetched yet: the crawl is not finished",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """What a crawl did with a URL: a row of the table urls, masked."""

    source: str
    url: str
    fate: str
    round: int
    depth: int
    found_on: str | None
    http_status: int | None
    redirect_to: str | None
    error: str | None
    fetched_at: datetime | None
    warc_file: str | None
    attempts: int | None  # the last three are unknown in corpora of earlier versions
    canonical: str | None
    opt_out: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Ruling:
    """The result of one rule for the document."""

    rule: str
    test: str | None  # the condition under which the rule drops a page; None if the recipe no longer has the rule
    value: float | str | None  # value of the rule's signal
    outcome: str  # DROPPED, ALSO or PASSED


@dataclass(frozen=True, kw_only=True, slots=True)
class Copy:
    """Another document with the same text, or nearly the same, or the same URL."""

    doc_id: str
    url: str | None
    jaccard: float | None  # None if texts were not compared
    corpus: str | None = None  # name of the other corpus that has it


@dataclass(frozen=True, kw_only=True, slots=True)
class Removal:
    """Why a document was taken down: a row of the table removals."""

    removal: str  # id of the entry
    kind: str
    added: datetime
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """One record of the input and what happened to it, masked."""

    doc_id: str
    source: str
    url: str | None
    title: str | None
    snippet: str | None
    n_chars: int | None
    n_bytes: int
    content_type: str | None
    fetched_at: datetime | None
    origin_path: str
    origin_offset: int
    licence: str | None
    metadata: str | None
    status: str
    part: str
    kept: bool | None
    stage: str | None
    rule: str | None
    value: float | None  # as recorded; so is the threshold
    threshold: float | None
    limited: bool | None  # whether deduplication skipped some candidates of it
    judged: bool  # whether it has a verdict
    signals: dict[str, Any]
    rulings: tuple[Ruling, ...]
    twin: Copy | None  # the kept document that it is a duplicate of
    group_id: str | None  # of its group, if it has one
    n_group: int  # number of documents of the group, itself included
    n_copies: int  # number of documents that were dropped as its duplicates
    copies: tuple[Copy, ...]  # the most similar of these
    split: str | None
    weight: float | None
    n_tokens: int | None
    diff: Diff | None = None  # what each edit did, if that was asked for
    removal: Removal | None = None  # if it was taken down


@dataclass(frozen=True, kw_only=True, slots=True)
class Story:
    """All that the corpus knows about a document or a URL."""

    asked: str
    n_documents: int
    documents: tuple[Document, ...]
    addresses: tuple[Address, ...]


def render(story: Story, *, everything: bool = True) -> str:
    """The history as plain text for a terminal.

    Without `everything`, only the decision, and how to see the rest.
    """
    blocks = [_tell_address(address) for address in story.addresses]
    blocks += [_tell_document(document, everything) for document in story.documents]
    if story.n_documents > len(story.documents):
        blocks.append(f"and {story.n_documents - len(story.documents):,} more records of this URL, in the table pages")
    return "\n\n".join(printable(block) for block in blocks)


def _tell_address(address: Address) -> str:
    met = f"{counted(address.depth, 'link')} from a seed, met on {address.found_on}" if address.found_on else "a seed"
    fate = FATES[Fate(address.fate)]
    lines = [("url", address.url), ("crawl", f"{fate}{f' ({address.error})' if address.error else ''}")]
    lines.append(("", f"round {address.round}, {met}"))
    if address.http_status is not None:
        when = f", {address.fetched_at:%Y-%m-%d %H:%M:%S} UTC" if address.fetched_at else ""
        lines.append(("", f"HTTP {address.http_status}{when}, in raw/{address.warc_file}"))
    if address.redirect_to:
        lines.append(("", f"redirects to {address.redirect_to}, which has a story of its own"))
    if address.attempts and address.attempts > 1:
        lines.append(("", f"it was tried in {counted(address.attempts, 'round')}"))
    if address.canonical:
        lines.append(("", f"the page says that its own URL is {address.canonical}"))
    if address.opt_out:
        lines.append(("", f"the page reserves itself: {address.opt_out}"))
    return _aligned(lines)


def _tell_document(document: Document, everything: bool) -> str:
    return _aligned(
        [
            ("document", document.doc_id),
            ("", _outcome(document)),
            *_origin(document),
            *_content(document),
            *_edits_told(document, everything),
            *_twins(document),
            *_corpus(document),
            *_rules_told(document, everything),
            *(_signals_told(document) if everything else []),
        ]
    )


_NAMED = {"doc_id": "named by its doc_id", "url": "named by its URL", "host": "of a host that was named"}


def _outcome(document: Document) -> str:
    if document.status == Status.REMOVED:
        removal = document.removal
        if removal is None:
            return "dropped, removed: taken down with 'corpusmill remove'; its entry is no longer on the list"
        why = f": {removal.reason}" if removal.reason else ""
        return f"dropped, removed: taken down, {_NAMED[removal.kind]} on {removal.added:%Y-%m-%d %H:%M} UTC{why}"
    if document.status != Status.OK:
        return f"dropped, could not be used: {document.status} ({STATUSES[Status(document.status)]})"
    if document.stage == Reason.RULE:
        test = next((f": {r.test}" for r in document.rulings if r.rule == document.rule and r.test), "")
        value = (
            ""
            if document.value is None
            else f"; here {_number(document.value)}, threshold {_number(document.threshold)}"
        )
        return f"dropped by rule {document.rule}{test}{value}"
    if document.stage == Reason.CAP:
        pages = _number(document.value)
        return (
            f"dropped by {document.rule}: the rules keep {pages} pages of its host, {_number(document.threshold)} stay"
        )
    if document.rule == Duplicate.REPEATED:
        words = f"{_number(document.value)} words, threshold {_number(document.threshold)}"
        return f"dropped as {document.rule}: what other documents hold was cut, which leaves {words}"
    if document.stage == Reason.DUPLICATE:
        return f"dropped as {document.rule}"
    if document.kept:
        return "kept"
    waiting = "deduplication has" if document.judged else "the rules have"
    return f"not decided yet: {waiting} not come to it; run the recipe on"


def _origin(document: Document) -> list[tuple[str, str]]:
    where = f"{document.origin_path} at {document.origin_offset:,}" if document.origin_offset else document.origin_path
    when = f", fetched {document.fetched_at:%Y-%m-%d %H:%M:%S} UTC" if document.fetched_at else ""
    kind = f"{document.content_type or 'no content type'}, {counted(document.n_bytes, 'byte')}"
    lines = [("origin", f"source {document.source}, {where}{when}"), ("", f"{kind}, part {document.part}")]
    if document.url:
        lines.insert(0, ("url", document.url))
    if document.licence:
        lines.append(("licence", document.licence))
    if document.status not in (Status.OK, Status.REMOVED) and document.metadata not in (None, "{}"):
        lines.append(("metadata", str(document.metadata)[:METADATA_CHARS]))
    return lines


def _content(document: Document) -> list[tuple[str, str]]:
    lines = [("title", " ".join(document.title.split()))] if document.title else []
    if document.snippet is not None:
        language = document.signals.get("language")
        score = document.signals.get("language_score")
        said = f", language {language} ({_number(score)})" if language else ""
        lines.append(("text", f"{counted(document.n_chars or 0, 'character')}{said}"))
        lines += _wrapped("", " ".join(document.snippet.split()))
        counts = {name[4:]: n for name, n in document.signals.items() if name.startswith("pii_") and n}
        if counts:
            said = ", ".join(f"{name.replace('_', ' ')} {n:,}" for name, n in counts.items())
            lines.append(("masked", f"{counted(sum(counts.values()), 'piece')} of personal data: {said}"))
    return lines


def _twins(document: Document) -> list[tuple[str, str]]:
    lines = []
    if document.twin:
        lines.append(("twin", f"kept instead: {_copy(document.twin)}{_compared(document)}"))
    if document.limited:
        lines.append(("", "it shares bands with more kept documents than it was compared with"))
    if document.group_id is not None:
        lines.append(
            ("group", f"{document.group_id}: {counted(document.n_group, 'similar document')}, itself included")
        )
    if document.n_copies:
        lines.append(("copies", f"{counted(document.n_copies, 'document')} dropped in favour of this one"))
        lines += [("", _copy(copy)) for copy in document.copies]
    return lines


def _compared(document: Document) -> str:
    if document.threshold is None:
        return ""
    cosine = f", cosine similarity {_number(document.value)}" if document.rule == Duplicate.SEMANTIC else ""
    return f"{cosine}, threshold {_number(document.threshold)}"


def _copy(copy: Copy) -> str:
    where = copy.url or "(no URL)" if copy.corpus is None else f"in the corpus '{copy.corpus}'"
    similarity = "" if copy.jaccard is None else f", Jaccard similarity {_number(copy.jaccard)}"
    return f"{copy.doc_id} {where}{similarity}"


def _corpus(document: Document) -> list[tuple[str, str]]:
    if document.split is None:
        return []
    tokens = "not encoded yet" if document.n_tokens is None else counted(document.n_tokens, "token")
    return [("corpus", f"split {document.split}, weight {_number(document.weight)}, {tokens}")]


def _rules_told(document: Document, everything: bool) -> list[tuple[str, str]]:
    rulings = [ruling for ruling in document.rulings if everything or ruling.outcome != PASSED]
    if not rulings:
        passed = f"it passed all {counted(len(document.rulings), 'rule')}; --all shows them with its values"
        return [("rules", passed)] if document.rulings else []
    width = max(len(ruling.rule) for ruling in rulings)
    said = f"{counted(len(rulings), 'rule')}, each with the page's value; a page is dropped if the test is true"
    if not everything:
        others = len(document.rulings) - len(rulings)
        said = (
            f"{len(rulings)} of {counted(len(document.rulings), 'rule')} would drop it; --all shows the other {others}"
        )
    lines = [("rules", said)]
    for ruling in rulings:
        value = "" if ruling.value is None else _number(ruling.value)
        said = f"  ← {DROPPED}" if ruling.outcome == DROPPED else ""
        mark = "✓" if ruling.outcome == PASSED else "✗"
        lines.append(("", f"{mark} {ruling.rule:<{width}} {value:>8}  {ruling.test or 'not in the recipe now'}{said}"))
    return lines


def _signals_told(document: Document) -> list[tuple[str, str]]:
    values = {n: v for n, v in document.signals.items() if v is not None and n not in ("language", "language_score")}
    return _wrapped("signals", "  ".join(f"{name}={_number(value)}" for name, value in values.items()))


def _edits_told(document: Document, everything: bool) -> list[tuple[str, str]]:
    """What each edit did, line by line."""
    if document.diff is None:
        return []
    lines = []
    for step in document.diff.steps:
        lines.append(("", f"{step.edit}: {_extent(step)}"))
        shown = step.changes if everything else step.changes[:MOST_CHANGES]
        lines += [("", _changed_line(line, other)) for line, other in zip(shown, _others(step), strict=False)]
        if more := len(step.changes) - len(shown):
            lines.append(("", f"  and {counted(more, 'line')} more; --all shows them"))
    if not document.diff.agrees:
        lines.append(
            ("", "the corpus has another text: the recipe, a module or a library has changed since it was made")
        )
    return _labelled("edits", lines or [("", "the recipe has none, but for the masking of personal data")])


def _extent(step: Step) -> str:
    if not (step.n_lines or step.n_chars or step.changes):
        return "changed nothing"
    how = "shorter" if step.n_chars >= 0 else "longer"
    return f"{counted(step.n_lines, 'line')} removed or changed, {counted(abs(step.n_chars), 'character')} {how}"


def _others(step: Step) -> list[str]:
    """For each changed line, the line that stands in its place; '' without one."""
    removed = [line for line in step.changes if line.sign == REMOVED]
    added = [line for line in step.changes if line.sign != REMOVED]
    if len(removed) != len(added):
        return [""] * len(step.changes)
    pairs = {id(one): other.text for one, other in zip([*removed, *added], [*added, *removed], strict=True)}
    return [pairs[id(line)] for line in step.changes]


def _changed_line(line: ChangedLine, other: str) -> str:
    """A line with its sign and number; of a long one, the piece around what differs from the other line."""
    start = next((i for i, (a, b) in enumerate(zip(line.text, other, strict=False)) if a != b), 0) if other else 0
    start = max(0, start - LINE_CHARS // 3)
    text = ("…" if start else "") + line.text[start : start + LINE_CHARS]
    more = "…" if len(line.text) > start + LINE_CHARS else ""
    return f"{line.sign} {line.number:>5,}  {' '.join(visible(text).split())}{more}"


def _labelled(label: str, lines: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(label if i == 0 else "", line) for i, (_, line) in enumerate(lines)]


def _wrapped(label: str, text: str) -> list[tuple[str, str]]:
    lines = textwrap.wrap(text, LINE_CHARS)
    return [(label if i == 0 else "", line) for i, line in enumerate(lines)]


def _number(value: object) -> str:
    """A figure with four significant digits."""
    return f"{value:.4g}" if isinstance(value, float) else f"{value:,}" if type(value) is int else str(value)


def _aligned(lines: Sequence[tuple[str, str]]) -> str:
    """Lines with their labels in one column."""
    return "\n".join(f"{label:<10}{text}".rstrip() for label, text in lines)
