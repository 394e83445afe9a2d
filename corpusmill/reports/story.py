"""What a story is made of, and how it is told in a terminal.

Everything in a story that comes from a page is masked already; control characters, with which a page could write over
the terminal, are taken out here.
"""

import json
import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from corpusmill.reasons import Fate, Reason, Status
from corpusmill.terminal import printable

METADATA_CHARS = 300
LINE_CHARS = 100
DROPPED, ALSO, PASSED = "dropped it", "would have dropped it, too", "passed"

FATES = {
    Fate.FETCHED: "fetched",
    Fate.ROBOTS_DISALLOWED: "not fetched: robots.txt forbids it",
    Fate.ROBOTS_UNREACHABLE: "not fetched: robots.txt could not be read, so everything on the host is forbidden",
    Fate.OUT_OF_SCOPE: "not fetched: outside the hosts and schemes that the recipe crawls",
    Fate.TOO_DEEP: "not fetched: more links away from a seed than the recipe's max_depth",
    Fate.PAGE_LIMIT: "not fetched: the recipe's max_pages or max_pages_per_host was reached first",
    Fate.NOFOLLOW: "not fetched: only met on pages or links that ask not to be followed",
    Fate.PRIVATE_ADDRESS: "not fetched: the host's address is not public; allow_private_addresses = true allows it",
    Fate.TOO_LARGE: "fetched in part: larger than the recipe's max_page_bytes",
    Fate.FAILED: "not fetched: no answer",
    Fate.OPTED_OUT: "not fetched: the host's tdmrep.json or ai.txt reserves it",
    Fate.REDIRECT_LIMIT: "not fetched: too many redirects in a row",
}
STATUSES = {
    Status.HTTP_ERROR: "the server answered with an error",
    Status.REDIRECT: "the server answered with a redirect; its target is a record of its own",
    Status.CONTENT_TYPE: "not a type of content that the recipe's extractor reads",
    Status.TOO_LARGE: "larger than the recipe's max_page_bytes",
    Status.OPTED_OUT: "the page or its headers ask not to be used",
    Status.UNDECODABLE: "its bytes are no text in any charset that was declared or detected",
    Status.EXTRACTOR_FAILED: "the extractor raised an error on it",
    Status.BROKEN_RECORD: "the file is damaged here",
    Status.NO_TEXT_FIELD: "it has no text field",
    Status.ERROR_PAGE: "it is an error page",
    Status.LOGIN_PAGE: "it asks to log in or to sign up",
    Status.BOT_CHALLENGE: "it asks for a proof that a person is reading, or blocks robots",
    Status.CONSENT_WALL: "it asks for consent or for an age before it shows anything",
    Status.PARKED_DOMAIN: "there is no site yet: the domain is for sale, parked or new",
    Status.JAVASCRIPT_SHELL: "its content is written by scripts, which are not run",
    Status.NO_MAIN_CONTENT: "it has no main content",
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Ruling:
    """What one rule said to the document."""

    rule: str
    test: str | None  # what is true of a page that the rule drops; None if the recipe no longer has it
    value: float | str | None  # of the rule's signal
    outcome: str  # DROPPED, ALSO or PASSED


@dataclass(frozen=True, kw_only=True, slots=True)
class Copy:
    """Another document that holds the same text, or nearly."""

    doc_id: str
    url: str | None
    jaccard: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """One record of the input and what became of it, masked."""

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
    value: float | None  # on record, as the threshold is
    threshold: float | None
    limited: bool | None  # whether deduplication has not compared it with every candidate
    judged: bool  # whether its verdict is there
    signals: dict[str, Any]
    rulings: tuple[Ruling, ...]
    twin: Copy | None  # the kept document that it duplicates
    n_copies: int  # documents that were dropped in favour of this one
    copies: tuple[Copy, ...]  # the most similar of them
    split: str | None
    weight: float | None
    n_tokens: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Story:
    """All that the corpus knows of a document or a URL."""

    asked: str
    n_documents: int
    documents: tuple[Document, ...]
    addresses: tuple[Address, ...]


def render(story: Story, *, everything: bool = True) -> str:
    """The story as plain text for a terminal; without `everything` only what decided, and where to find the rest."""
    blocks = [_tell_address(address) for address in story.addresses]
    blocks += [_tell_document(document, everything) for document in story.documents]
    if story.n_documents > len(story.documents):
        blocks.append(f"and {story.n_documents - len(story.documents):,} more records of this URL, in the table pages")
    return "\n\n".join(printable(block) for block in blocks)


def as_json(story: Story) -> str:
    """The whole story as one JSON object."""
    return json.dumps(asdict(story), ensure_ascii=False, default=str, indent=1)


def _tell_address(address: Address) -> str:
    met = f"{_count(address.depth, 'link')} from a seed, met on {address.found_on}" if address.found_on else "a seed"
    fate = FATES[Fate(address.fate)]
    lines = [("url", address.url), ("crawl", f"{fate}{f' ({address.error})' if address.error else ''}")]
    lines.append(("", f"round {address.round}, {met}"))
    if address.http_status is not None:
        when = f", {address.fetched_at:%Y-%m-%d %H:%M:%S} UTC" if address.fetched_at else ""
        lines.append(("", f"HTTP {address.http_status}{when}, in raw/{address.warc_file}"))
    if address.redirect_to:
        lines.append(("", f"redirects to {address.redirect_to}, which has a story of its own"))
    return _aligned(lines)


def _tell_document(document: Document, everything: bool) -> str:
    return _aligned(
        [
            ("document", document.doc_id),
            ("", _outcome(document)),
            *_origin(document),
            *_content(document),
            *_twins(document),
            *_corpus(document),
            *_rules_told(document, everything),
            *(_signals_told(document) if everything else []),
        ]
    )


def _outcome(document: Document) -> str:
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
    if document.stage == Reason.DUPLICATE:
        return f"dropped as {document.rule}"
    if document.kept:
        return "kept"
    waiting = "deduplication has" if document.judged else "the rules have"
    return f"not decided yet: {waiting} not come to it; run the recipe on"


def _origin(document: Document) -> list[tuple[str, str]]:
    where = f"{document.origin_path} at {document.origin_offset:,}" if document.origin_offset else document.origin_path
    when = f", fetched {document.fetched_at:%Y-%m-%d %H:%M:%S} UTC" if document.fetched_at else ""
    kind = f"{document.content_type or 'no content type'}, {_count(document.n_bytes, 'byte')}"
    lines = [("origin", f"source {document.source}, {where}{when}"), ("", f"{kind}, part {document.part}")]
    if document.url:
        lines.insert(0, ("url", document.url))
    if document.licence:
        lines.append(("licence", document.licence))
    if document.status != Status.OK and document.metadata not in (None, "{}"):
        lines.append(("metadata", str(document.metadata)[:METADATA_CHARS]))
    return lines


def _content(document: Document) -> list[tuple[str, str]]:
    lines = [("title", " ".join(document.title.split()))] if document.title else []
    if document.snippet is not None:
        language = document.signals.get("language")
        score = document.signals.get("language_score")
        said = f", language {language} ({_number(score)})" if language else ""
        lines.append(("text", f"{_count(document.n_chars or 0, 'character')}{said}"))
        lines += _wrapped("", " ".join(document.snippet.split()))
    return lines


def _twins(document: Document) -> list[tuple[str, str]]:
    lines = []
    if document.twin:
        lines.append(("twin", f"kept instead: {_copy(document.twin)}, threshold {_number(document.threshold)}"))
    if document.limited:
        lines.append(("", "it shares bands with more kept documents than it was compared with"))
    if document.n_copies:
        lines.append(("copies", f"{_count(document.n_copies, 'document')} dropped in favour of this one"))
        lines += [("", _copy(copy)) for copy in document.copies]
    return lines


def _copy(copy: Copy) -> str:
    return f"{copy.doc_id} {copy.url or '(no URL)'}, Jaccard similarity {_number(copy.jaccard)}"


def _corpus(document: Document) -> list[tuple[str, str]]:
    if document.split is None:
        return []
    tokens = "not encoded yet" if document.n_tokens is None else _count(document.n_tokens, "token")
    return [("corpus", f"split {document.split}, weight {_number(document.weight)}, {tokens}")]


def _rules_told(document: Document, everything: bool) -> list[tuple[str, str]]:
    rulings = [ruling for ruling in document.rulings if everything or ruling.outcome != PASSED]
    if not rulings:
        passed = f"it passed all {_count(len(document.rulings), 'rule')}; --all shows them with its values"
        return [("rules", passed)] if document.rulings else []
    width = max(len(ruling.rule) for ruling in rulings)
    said = f"{_count(len(rulings), 'rule')}, each with the page's value; a page is dropped if the test is true"
    if not everything:
        others = len(document.rulings) - len(rulings)
        said = (
            f"{len(rulings)} of {_count(len(document.rulings), 'rule')} would drop it; --all shows the other {others}"
        )
    lines = [("rules", said)]
    for ruling in rulings:
        value = "" if ruling.value is None else _number(ruling.value)
        said = f"  ← {ruling.outcome}" if ruling.outcome != PASSED else ""
        mark = "✓" if ruling.outcome == PASSED else "✗"
        lines.append(("", f"{mark} {ruling.rule:<{width}} {value:>8}  {ruling.test or 'not in the recipe now'}{said}"))
    return lines


def _signals_told(document: Document) -> list[tuple[str, str]]:
    values = {n: v for n, v in document.signals.items() if v is not None and n not in ("language", "language_score")}
    return _wrapped("signals", "  ".join(f"{name}={_number(value)}" for name, value in values.items()))


def _wrapped(label: str, text: str) -> list[tuple[str, str]]:
    lines = textwrap.wrap(text, LINE_CHARS)
    return [(label if i == 0 else "", line) for i, line in enumerate(lines)]


def _number(value: object) -> str:
    """A figure with four digits that count."""
    return f"{value:.4g}" if isinstance(value, float) else f"{value:,}" if type(value) is int else str(value)


def _count(n: int, unit: str) -> str:
    return f"{n:,} {unit}{'' if n == 1 else 's'}"


def _aligned(lines: Sequence[tuple[str, str]]) -> str:
    """Labels in a column of their own."""
    return "\n".join(f"{label:<10}{text}".rstrip() for label, text in lines)
