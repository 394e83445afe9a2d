"""The history of one document, or of a URL without a document: every decision about it, and its reason.

    from corpusmill.reports.why import render, why
    print(render(why("my-corpus", "http://a.example/page")))

A URL can have several records (found twice, or both crawled and in a dump).  The history contains all of them, and what
the crawl did with the URL.  All data from a page (text, title, addresses) is masked here, when the history is made.

Cost: 0.8 s, nearly all of it to start.  The ledger says which part holds a document, and only that part is read: 0.3 s
    more for 10 million pages.
"""

import re
from collections.abc import Mapping, Sequence
from os import PathLike
from types import MappingProxyType
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

from corpusmill.collect.columns import encodable
from corpusmill.collect.crawl.traps import without_session
from corpusmill.collect.crawl.unfinished import known_urls
from corpusmill.collect.crawl.urls import normalise
from corpusmill.collect.takedown import NOTHING, Takedown, removal_of, url_hash
from corpusmill.corpus import Corpus, Place
from corpusmill.errors import InputError
from corpusmill.filters.personal import mask_text
from corpusmill.filters.profiles import active_rules
from corpusmill.filters.settings import Rule
from corpusmill.reasons import REPEATED_LINES, REPEATED_TEXT, SIGNALS, Reason, Stage, Status
from corpusmill.removals import Entry, Kind, Removals
from corpusmill.reports.catalog import damage_is_named, open_catalog, rows_of
from corpusmill.reports.edits import Diff, diff, edits_of, job_of
from corpusmill.reports.story import ALSO, DROPPED, PASSED, Address, Copy, Document, Removal, Ruling, Story, render
from corpusmill.reports.whatif import filters_of
from corpusmill.stages.job import Job
from corpusmill.terminal import counted

__all__ = ["render", "why"]

SNIPPET_CHARS = 300
MOST_RECORDS = 20  # records of one URL that are shown in full
MOST_COPIES = 10  # copies of a document that are listed
MOST_HINTS = 3


def why(
    corpus: Place, doc_id_or_url: str, *, with_diff: bool = False, recipe: str | PathLike[str] | None = None
) -> Story:
    """The history of a document or a URL.

    with_diff: also what each edit did to the text; `recipe`, a file, is needed for it if the recipe names modules.

    InputError if the corpus does not know it; the message names close matches.  RunError if the corpus is damaged.
    """
    asked = encodable(doc_id_or_url)
    rules = _rules(corpus)
    edits = job_of(corpus, recipe) if with_diff else None
    with damage_is_named(corpus), open_catalog(corpus) as catalog:
        named = _Named.find(catalog, asked, corpus)
        if not named.documents and not named.addresses:
            raise InputError(f"{corpus}: the corpus does not contain '{mask_text(asked)}'{_hint(catalog, asked)}")
        told = named.documents[:MOST_RECORDS]
        return Story(
            asked=mask_text(asked),
            n_documents=len(named.documents),
            documents=tuple(_document(catalog, corpus, doc_id, rules, edits) for doc_id in told),
            addresses=tuple(_address(row) for row in named.addresses),
        )


class _Named(NamedTuple):
    """What a document id or a URL refers to: ids of documents, and rows of urls."""

    documents: list[str]
    addresses: list[dict[str, Any]]

    @classmethod
    def find(cls, catalog: duckdb.DuckDBPyConnection, asked: str, corpus: Place) -> "_Named":
        if re.fullmatch("[0-9a-f]{4,24}", asked.strip()):
            found = rows_of(catalog, "FROM ledger SELECT doc_id WHERE starts_with(doc_id, ?) LIMIT 2", [asked.strip()])
            if len(found) == 1 or len(asked.strip()) == 24:  # otherwise several ids begin with it
                return cls([row["doc_id"] for row in found], [])
        urls = [_spellings(asked)]
        pages = rows_of(
            catalog, "FROM ledger SELECT doc_id WHERE url IN (SELECT unnest(?)) ORDER BY part, doc_id", urls
        )
        met = rows_of(catalog, "FROM urls WHERE url IN (SELECT unnest(?)) ORDER BY source, url, round", urls)
        if not pages and not met:  # the beginning of one address, or the path of a file
            pages = rows_of(catalog, _BEGINNING, {"asked": asked.strip()})
            if len({page["url"] for page in pages}) > 1:
                pages = []
        if not pages and not met:
            pages = rows_of(catalog, "FROM pages SELECT doc_id WHERE origin_path = ? ORDER BY origin_offset", [asked])
        if not pages and not met and not (local := Corpus(corpus)).is_remote:
            met = list(known_urls(local.folder, urls[0]))
        if not pages:  # a removed page has no URL any more
            pages = rows_of(catalog, _REMOVED_BY_URL, [url_hash(asked)])
        return cls([row["doc_id"] for row in pages], met)


_REMOVED_BY_URL = f"""
    SELECT p.doc_id FROM pages p JOIN removals r ON r.removal = json_extract_string(p.metadata, '$.removal')
    WHERE p.status = '{Status.REMOVED}' AND r.kind = '{Kind.URL}' AND r.value = ? AND r.pages > 0 ORDER BY p.doc_id"""

_BEGINNING = """
    SELECT doc_id, url FROM ledger WHERE starts_with(url, $asked) AND length($asked) > 3
    ORDER BY url, part, doc_id LIMIT 1000"""


def _rules(corpus: Place) -> tuple[Rule, ...]:
    """The rules of the corpus's own recipe.  None if it cannot be read; the history then lacks their conditions."""
    try:
        return active_rules(filters_of(corpus))
    except InputError:  # there is no recipe, or it is not TOML or of another form
        return ()


def _spellings(url: str) -> list[str]:
    """The URL as given and in its normal form, each with and without a final slash.

    A URL without a scheme is tried with http and https.
    """
    bare = url.strip()
    urls = [bare] if "://" in bare else [f"http://{bare}", f"https://{bare}"]
    urls += [normal for each in urls if (normal := normalise(each))]
    urls += [without_session(each) for each in urls if normalise(each) == each]  # as a crawl has it
    urls += [url, bare]  # the URL as the record has it, which may be invalid
    ends = [form for each in urls for form in (each, each.rstrip("/"), each.rstrip("/") + "/")]
    return list(dict.fromkeys(ends))


_CLOSE_IDS = "FROM ledger SELECT doc_id AS found WHERE starts_with(doc_id, $asked) ORDER BY doc_id LIMIT $most"
_CLOSE_URLS = """
    SELECT url AS found
    FROM (SELECT url FROM ledger UNION SELECT url FROM urls)
    WHERE url_host(url) = url_host($asked) OR jaro_winkler_similarity(url, $asked) > 0.9
    ORDER BY url_host(url) = url_host($asked) DESC, jaro_winkler_similarity(url, $asked) DESC, url
    LIMIT $most"""


def _hint(catalog: duckdb.DuckDBPyConnection, asked: str) -> str:
    """The closest document ids or URLs, as text to append to a sentence."""
    if re.fullmatch("[0-9a-f]{4,23}", asked):
        found = rows_of(catalog, _CLOSE_IDS, {"asked": asked, "most": MOST_HINTS})
    else:
        found = rows_of(catalog, _CLOSE_URLS, {"asked": _spellings(asked)[0], "most": MOST_HINTS})
    if removed := _host_was_removed(catalog, asked):
        return removed
    if not found:
        return "; ask for a doc_id of the table pages, or a url of pages or urls"
    return "; close to it: " + ", ".join(mask_text(row["found"]) for row in found)


def _host_was_removed(catalog: duckdb.DuckDBPyConnection, asked: str) -> str:
    """What to say of a URL that the corpus does not know, if a host on the list of removals names it."""
    hosts = rows_of(catalog, f"FROM removals WHERE kind = '{Kind.HOST}' ORDER BY added")
    named = Takedown(Removals(tuple(Entry(kind=Kind.HOST, value=row["value"], added="") for row in hosts)))
    first = named.match(pa.table({"doc_id": [""], "url": [asked]})).first[0]
    if first == NOTHING:
        return ""
    row = hosts[first]
    return (
        f"; its host was removed on {row['added']:%Y-%m-%d}, and removed pages have no URL: "
        f"{counted(row['pages'], 'page')} of {row['value']} in the table pages, with '{row['removal']}' in metadata"
    )


def _address(row: dict[str, Any]) -> Address:
    values: dict[str, Any] = {name: row.get(name) for name in Address.__slots__}
    for name in ("url", "found_on", "redirect_to", "error", "canonical"):
        values[name] = _masked(row[name])
    return Address(**values)


def _masked(text: str | None) -> str | None:
    return None if text is None else mask_text(text)


def _told(value: Any) -> Any:
    """A signal with every text in it masked: one of the user's may hold any piece of a page."""
    if isinstance(value, str | bytes):
        return mask_text(value if isinstance(value, str) else value.decode("utf-8", "replace"))
    if isinstance(value, dict):
        return {_told(key): _told(each) for key, each in value.items()}
    return [_told(each) for each in value] if isinstance(value, list | tuple) else value


class _Part:
    """The part that holds a document, in every stage that is up to date."""

    def __init__(self, catalog: duckdb.DuckDBPyConnection, corpus: Place, doc_id: str) -> None:
        self.catalog, self.corpus, self.doc_id = catalog, Corpus(corpus), doc_id
        (self.entry,) = rows_of(catalog, "FROM ledger WHERE doc_id = ?", [doc_id])
        current = rows_of(catalog, "FROM receipts SELECT stage WHERE part = ? AND is_current", [self.entry["part"]])
        self.stages = [row["stage"] for row in current]

    def row(self, stage: str, columns: str = "*") -> dict[str, Any]:
        """The document's row of a stage, read from the one file that holds it; empty if there is none."""
        return next(iter(self.rows(stage, columns, "doc_id = $doc_id", {"doc_id": self.doc_id})), {})

    def rows(
        self, stage: str, columns: str, where: str = "true", values: Mapping[str, object] = MappingProxyType({})
    ) -> list[dict[str, Any]]:
        """Rows of the part in a stage; none if the stage does not have the part."""
        if stage not in self.stages:
            return []
        path = f"{self.corpus.place}/{stage}/{self.entry['part']}.parquet"
        query = f"FROM read_parquet([$path], hive_partitioning=false) SELECT {columns} WHERE {where}"
        return rows_of(self.catalog, query, {"path": path, **values})


def _document(
    catalog: duckdb.DuckDBPyConnection,
    corpus: Place,
    doc_id: str,
    rules: Sequence[Rule],
    edits: Job | None,
) -> Document:
    part = _Part(catalog, corpus, doc_id)
    entry, page, texts = part.entry, part.row(Stage.PAGES), part.row(Stage.TEXTS)
    signals = {
        name: value for stage in part.stages if stage.startswith(SIGNALS) for name, value in part.row(stage).items()
    }
    signals |= texts
    for name in ("doc_id", "url", "title", "text"):
        signals.pop(name, None)
    signals = {name: _told(value) for name, value in signals.items()}
    judged = Stage.VERDICTS in part.stages
    final = texts or {name: _masked(page[name]) for name in ("url", "title", "text")}
    text = final["text"]
    doc = part.row(Stage.DOCS, "split")
    twins = _copies(catalog, "doc_id", doc_id) if entry["stage"] == Reason.DUPLICATE else []
    copies = _copies(catalog, "twin_doc_id", doc_id)
    values: dict[str, Any] = {
        **{name: page[name] for name in _AS_THEY_ARE},
        **{name: final[name] for name in ("url", "title")},
        **{name: _masked(page[name]) for name in ("metadata", "licence", "origin_path")},
        **{
            name: entry[name] for name in ("kept", "stage", "rule", "value", "threshold", "limited", "group_id", "part")
        },
    }
    return Document(
        **values,
        snippet=None if text is None else text[:SNIPPET_CHARS] + ("…" if len(text) > SNIPPET_CHARS else ""),
        n_chars=None if text is None else len(text),
        judged=judged,
        signals=signals,
        rulings=_rulings(entry, signals, rules) if judged and entry["stage"] != Reason.UNREADABLE else (),
        twin=twins[0] if twins else None,
        n_group=_size_of_group(catalog, entry["group_id"]),
        n_copies=len(copies),
        copies=tuple(copies[:MOST_COPIES]),
        split=doc.get("split"),
        weight=_weight(catalog, page["source"]) if doc else None,
        n_tokens=part.row(Stage.TOKENS, "n_tokens").get("n_tokens"),
        removal=_removal(catalog, page["metadata"]) if page["status"] == Status.REMOVED else None,
        diff=None if edits is None or page["text"] is None else _diff(part, page, texts, edits),
    )


def _diff(part: _Part, page: dict[str, Any], texts: dict[str, Any], job: Job) -> Diff:
    """What the edits did to a page, and what was cut because other documents hold it."""
    repeated = [row["hash"] for row in part.rows(REPEATED_LINES, "hash")]
    cuts = None
    if REPEATED_TEXT in part.stages:
        cuts = [(cut["start"], cut["end"]) for cut in part.row(REPEATED_TEXT, "cuts").get("cuts", [])]
    return diff(page["text"], texts.get("text"), edits_of(job, page["url"], repeated), cuts)


def _removal(catalog: duckdb.DuckDBPyConnection, metadata: str) -> Removal | None:
    """The entry that a removed page fell to; None if it is no longer on the list."""
    query = "SELECT removal, kind, added, reason FROM removals WHERE removal = ?"
    return next((Removal(**row) for row in rows_of(catalog, query, [removal_of(metadata)])), None)


def _size_of_group(catalog: duckdb.DuckDBPyConnection, group_id: str | None) -> int:
    (found,) = rows_of(catalog, "SELECT count(*) AS n FROM ledger WHERE group_id = ?", [group_id])
    return int(found["n"])


def _weight(catalog: duckdb.DuckDBPyConnection, source: str) -> float:
    return float(next((row["weight"] for row in rows_of(catalog, "FROM mix WHERE source = ?", [source])), 1.0))


_AS_THEY_ARE = ("doc_id", "source", "n_bytes", "content_type", "fetched_at", "origin_offset", "status")


def _copies(catalog: duckdb.DuckDBPyConnection, side: str, doc_id: str) -> list[Copy]:
    """The other documents of the pairs that contain the document on the given side, the most similar first.

    Of another corpus only the name and the doc_id are known.
    """
    other, wanted = {"doc_id": ("twin_doc_id", "true"), "twin_doc_id": ("doc_id", "t.twin_corpus IS NULL")}[side]
    query = f"""
        SELECT t.{other} AS doc_id, p.url, t.jaccard, t.twin_corpus AS corpus
        FROM ledger t LEFT JOIN ledger p ON p.doc_id = t.{other} AND t.twin_corpus IS NULL
        WHERE t.{side} = ? AND t.stage = '{Reason.DUPLICATE}' AND {wanted}
        ORDER BY t.jaccard DESC NULLS LAST, t.{other}"""
    return [Copy(**row | {"url": _masked(row["url"])}) for row in rows_of(catalog, query, [doc_id])]


def _rulings(entry: dict[str, Any], signals: dict[str, Any], rules: Sequence[Rule]) -> tuple[Ruling, ...]:
    """The results of every rule of the recipe, and of recorded rules that the recipe no longer has.

    The ledger says which rules dropped the document.
    """
    by_name = {rule.name: rule for rule in rules}
    dropped = [entry["rule"]] if entry["stage"] == Reason.RULE else []
    also = entry["also_dropped_by"] or []
    found = []
    for name in dict.fromkeys([*dropped, *also, *by_name]):
        rule = by_name.get(name)
        value = signals.get(rule.signal) if rule and rule.signal else None
        outcome = DROPPED if name in dropped else ALSO if name in also else PASSED
        found.append(Ruling(rule=name, test=str(rule) if rule else None, value=value, outcome=outcome))
    return tuple(found)
