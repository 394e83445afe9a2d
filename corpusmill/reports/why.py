"""The story of one document, or of a URL that never became one: every decision that was taken about it, and why.

    from corpusmill.reports.why import render, why
    print(render(why("my-corpus", "http://a.example/page")))

A URL can stand for several records (met twice, crawled and dumped): the story tells of all of them, and of what the
crawl did with the URL.  Whatever comes from a page (text, title, addresses) is masked here, when the story is made.

Cost: 0.8 s, nearly all of it to start; the ledger says which part holds a document, and only that is read: 0.3 s more
over 10 million pages.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import duckdb

from corpusmill.collect.columns import encodable
from corpusmill.collect.crawl.urls import normalise
from corpusmill.corpus import Corpus, Place
from corpusmill.errors import InputError
from corpusmill.filters.personal import mask_text
from corpusmill.filters.rules import active_rules
from corpusmill.filters.settings import FilterSettings, Rule
from corpusmill.reasons import SIGNALS, Reason, Stage
from corpusmill.reports.catalog import damage_is_named, open_catalog
from corpusmill.reports.story import ALSO, DROPPED, PASSED, Address, Copy, Document, Ruling, Story, as_json, render

__all__ = ["as_json", "render", "why"]

SNIPPET_CHARS = 300
MOST_RECORDS = 20  # of one URL that are told in full
MOST_COPIES = 10  # of a document that are listed
MOST_HINTS = 3


def why(corpus: Place, doc_id_or_url: str) -> Story:
    """The story of a document or a URL.

    InputError if the corpus never met it; the message names close matches.  RunError if the corpus is damaged.
    """
    asked = encodable(doc_id_or_url)
    rules = _rules(Corpus(corpus))
    with damage_is_named(corpus), open_catalog(corpus) as catalog:
        named = _Named.find(catalog, asked)
        if not named.documents and not named.addresses:
            raise InputError(f"{corpus}: the corpus never met '{mask_text(asked)}'{_hint(catalog, asked)}")
        told = named.documents[:MOST_RECORDS]
        return Story(
            asked=mask_text(asked),
            n_documents=len(named.documents),
            documents=tuple(_document(catalog, corpus, doc_id, rules) for doc_id in told),
            addresses=tuple(_address(row) for row in named.addresses),
        )


class _Named(NamedTuple):
    """What a document id or a URL stands for: ids of documents, and rows of urls."""

    documents: list[str]
    addresses: list[dict[str, Any]]

    @classmethod
    def find(cls, catalog: duckdb.DuckDBPyConnection, asked: str) -> "_Named":
        if re.fullmatch("[0-9a-f]{4,24}", asked.strip()):
            found = _rows(catalog, "FROM ledger SELECT doc_id WHERE starts_with(doc_id, ?) LIMIT 2", [asked.strip()])
            if len(found) == 1 or len(asked.strip()) == 24:  # else its beginning is that of several
                return cls([row["doc_id"] for row in found], [])
        urls = [_spellings(asked)]
        pages = _rows(catalog, "FROM ledger SELECT doc_id WHERE url IN (SELECT unnest(?)) ORDER BY part, doc_id", urls)
        met = _rows(catalog, "FROM urls WHERE url IN (SELECT unnest(?)) ORDER BY source, url, round", urls)
        if not pages and not met:  # the beginning of one address, or a file's path
            pages = _rows(catalog, _BEGINNING, {"asked": asked.strip()})
            if len({page["url"] for page in pages}) > 1:
                pages = []
        if not pages and not met:
            pages = _rows(catalog, "FROM pages SELECT doc_id WHERE origin_path = ? ORDER BY origin_offset", [asked])
        return cls([row["doc_id"] for row in pages], met)


_BEGINNING = """
    SELECT doc_id, url FROM ledger WHERE starts_with(url, $asked) AND length($asked) > 3
    ORDER BY url, part, doc_id LIMIT 1000"""


def _rows(
    catalog: duckdb.DuckDBPyConnection, query: str, values: Sequence[object] | Mapping[str, object] = ()
) -> list[dict[str, Any]]:
    cursor = catalog.execute(query, values)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _rules(corpus: Corpus) -> tuple[Rule, ...]:
    """The rules of the corpus's own recipe; none if that cannot be read: the story is told without their tests."""
    try:
        data = tomllib.loads(corpus.read_text("recipe.toml") or "")
        return active_rules(FilterSettings.model_validate(data.get("filters", {})))
    except (ValueError, InputError):  # not TOML, or not of this form
        return ()


def _spellings(url: str) -> list[str]:
    """The URL as given, in its normal form, with or without a slash at the end; either scheme where there is none."""
    bare = url.strip()
    urls = [bare] if "://" in bare else [f"http://{bare}", f"https://{bare}"]
    urls += [normal for each in urls if (normal := normalise(each))]
    urls += [url, bare]  # a record's own word, which may be no URL
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
    """The closest document ids or URLs, to be appended to a sentence."""
    if re.fullmatch("[0-9a-f]{4,23}", asked):
        found = _rows(catalog, _CLOSE_IDS, {"asked": asked, "most": MOST_HINTS})
    else:
        found = _rows(catalog, _CLOSE_URLS, {"asked": _spellings(asked)[0], "most": MOST_HINTS})
    if not found:
        return "; ask for a doc_id of the table pages, or a url of pages or urls"
    return "; close to it: " + ", ".join(mask_text(row["found"]) for row in found)


def _address(row: dict[str, Any]) -> Address:
    values = {name: row[name] for name in Address.__slots__}
    for name in ("url", "found_on", "redirect_to", "error"):
        values[name] = _masked(row[name])
    return Address(**values)


def _masked(text: str | None) -> str | None:
    return None if text is None else mask_text(text)


class _Part:
    """The part that holds a document, in every stage that is up to date."""

    def __init__(self, catalog: duckdb.DuckDBPyConnection, corpus: Place, doc_id: str) -> None:
        self.catalog, self.corpus, self.doc_id = catalog, Corpus(corpus), doc_id
        (self.entry,) = _rows(catalog, "FROM ledger WHERE doc_id = ?", [doc_id])
        current = _rows(catalog, "FROM receipts SELECT stage WHERE part = ? AND is_current", [self.entry["part"]])
        self.stages = [row["stage"] for row in current]

    def row(self, stage: str, columns: str = "*") -> dict[str, Any]:
        """The document's row of a stage, read from the one file that holds it; empty without one."""
        if stage not in self.stages:
            return {}
        path = f"{self.corpus.place}/{stage}/{self.entry['part']}.parquet"
        query = f"FROM read_parquet([$path], hive_partitioning=false) SELECT {columns} WHERE doc_id = $doc_id"
        return next(iter(_rows(self.catalog, query, {"path": path, "doc_id": self.doc_id})), {})


def _document(catalog: duckdb.DuckDBPyConnection, corpus: Place, doc_id: str, rules: Sequence[Rule]) -> Document:
    part = _Part(catalog, corpus, doc_id)
    entry, page, texts = part.entry, part.row(Stage.PAGES), part.row(Stage.TEXTS)
    signals = {
        name: value for stage in part.stages if stage.startswith(SIGNALS) for name, value in part.row(stage).items()
    }
    signals |= texts
    for name in ("doc_id", "url", "title", "text"):
        signals.pop(name, None)
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
        **{name: entry[name] for name in ("kept", "stage", "rule", "value", "threshold", "limited", "part")},
    }
    return Document(
        **values,
        snippet=None if text is None else text[:SNIPPET_CHARS] + ("…" if len(text) > SNIPPET_CHARS else ""),
        n_chars=None if text is None else len(text),
        judged=judged,
        signals=signals,
        rulings=_rulings(entry, signals, rules) if judged and entry["stage"] != Reason.UNREADABLE else (),
        twin=twins[0] if twins else None,
        n_copies=len(copies),
        copies=tuple(copies[:MOST_COPIES]),
        split=doc.get("split"),
        weight=_weight(catalog, page["source"]) if doc else None,
        n_tokens=part.row(Stage.TOKENS, "n_tokens").get("n_tokens"),
    )


def _weight(catalog: duckdb.DuckDBPyConnection, source: str) -> float:
    return float(next((row["weight"] for row in _rows(catalog, "FROM mix WHERE source = ?", [source])), 1.0))


_AS_THEY_ARE = ("doc_id", "source", "n_bytes", "content_type", "fetched_at", "origin_offset", "status")


def _copies(catalog: duckdb.DuckDBPyConnection, side: str, doc_id: str) -> list[Copy]:
    """The other documents of the pairs in which the document stands on one side, the most similar first."""
    other = {"doc_id": "twin_doc_id", "twin_doc_id": "doc_id"}[side]
    query = f"""
        SELECT t.{other} AS doc_id, p.url, t.jaccard FROM ledger t JOIN ledger p ON p.doc_id = t.{other}
        WHERE t.{side} = ? AND t.stage = '{Reason.DUPLICATE}' ORDER BY t.jaccard DESC, t.{other}"""
    return [Copy(**row | {"url": _masked(row["url"])}) for row in _rows(catalog, query, [doc_id])]


def _rulings(entry: dict[str, Any], signals: dict[str, Any], rules: Sequence[Rule]) -> tuple[Ruling, ...]:
    """Every rule of the recipe, and those on record that the recipe no longer has.  The ledger says who dropped."""
    by_name = {rule.name: rule for rule in rules}
    dropped = [entry["rule"]] if entry["stage"] == Reason.RULE else []
    also = entry["also_dropped_by"] or []
    found = []
    for name in dict.fromkeys([*dropped, *also, *by_name]):
        rule = by_name.get(name)
        value = signals.get(rule.signal) if rule and rule.signal else None
        outcome = DROPPED if name in dropped else ALSO if name in also else PASSED
        found.append(Ruling(rule=name, test=_test(rule) if rule else None, value=value, outcome=outcome))
    return tuple(found)


def _test(rule: Rule) -> str:
    test = rule.when if rule.when is not None else f"{rule.signal} {rule.comparison} {rule.threshold:g}"
    return f"{test}, where {rule.where}" if rule.where else test
