"""What other rules would keep, from what is stored: no page is read, measured or judged again.

    from corpusmill.reports.whatif import render, whatif
    print(render(whatif("my-corpus", ["too_few_words=n_words < 30"])))

The rules are evaluated over the view `judged` by the same SQL (`filters.rules.outcomes`) that decides verdicts, the
present ones and the changed ones in one pass.  What is known exactly is told as such: which pages rules keep, and how
many characters these have.  Bytes and tokens are known for the documents of the corpus.  For pages that would come in
they are estimated, from their characters and what a character of their source has.  Deduplication is not repeated: it
compares documents with each other, so what it would drop of other documents is unknown until a run.

Cost: 2 s of CPU over 1 million pages and 30 rules (`bench/whatif.py`), and 0.7 s to start.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
from pydantic import ValidationError

from corpusmill.corpus import Place
from corpusmill.errors import InputError
from corpusmill.filters.changes import changed
from corpusmill.filters.personal import mask_text
from corpusmill.filters.profiles import active_rules
from corpusmill.filters.rules import check_filters, failure, outcomes
from corpusmill.filters.settings import DecontaminateSettings, FilterSettings, Rule, with_decontamination
from corpusmill.names import identifier
from corpusmill.reasons import Status
from corpusmill.reports.catalog import damage_is_named, open_catalog, rows_of
from corpusmill.reports.kept_recipe import kept_recipe
from corpusmill.terminal import counted, printable

EXAMPLES = 10
TITLE_CHARS, URL_CHARS = 60, 100
OUT, IN = "out", "in"


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """What is kept, under one set of rules."""

    kept_by_rules: int  # pages
    characters: int  # of these pages, as extracted
    documents: int | None  # of the corpus, after deduplication; None if the corpus has no documents yet
    text_bytes: int | None  # of the documents; None without tokens
    tokens: int | None
    estimated: bool  # whether documents, bytes and tokens count pages that deduplication has not judged


@dataclass(frozen=True, slots=True)
class Removed:
    """How many pages a rule drops: of which it is the first to do so, the only one, and all."""

    first: int
    alone: int
    all: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Effect:
    """A rule, and what it drops now and then; None where it is not in force."""

    rule: str
    now_test: str | None
    then_test: str | None
    now: Removed | None
    then: Removed | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """A page that would change sides, masked."""

    doc_id: str
    way: str  # "in" or "out"
    rule: str  # that keeps it out now, or would
    value: float | None
    threshold: float | None
    url: str | None
    title: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class WhatIf:
    """The answer."""

    pages: int  # that could be read
    now: Figures
    then: Figures
    into: int  # pages that would come in
    out: int
    rules: tuple[Effect, ...]
    examples: tuple[Example, ...]
    differs_from_verdicts: int  # pages whose verdict on record is not what the recipe's rules say now


def whatif(corpus: Place, sets: Sequence[str] = (), without: Sequence[str] = (), examples: int = EXAMPLES) -> WhatIf:
    """What would be kept with other rules, from stored signals.

    sets: changes `rule=expression`, as in `filters.changes`.  without: rules that are left out.  InputError if there is
    no corpus with verdicts, or a change is no rule.
    """
    present = filters_of(corpus)
    wanted = changed(present, sets, without)
    with damage_is_named(corpus), open_catalog(corpus) as catalog:
        columns = columns_of(catalog)
        for each in (present, wanted):  # a corpus may be another's, and this connection can read and write files
            check_filters(each, columns)
        return _Question(catalog, active_rules(present), active_rules(wanted)).answer(corpus, examples)


def filters_of(corpus: Place) -> FilterSettings:
    """Where the rules of the corpus's own recipe come from, as in `Recipe.judging`.

    InputError if it has none, or of another version.
    """
    data = kept_recipe(corpus)
    try:
        filters = FilterSettings.model_validate(data.get("filters", {}))
        return with_decontamination(filters, DecontaminateSettings.model_validate(data.get("decontaminate", {})))
    except ValidationError as error:
        raise InputError(f"{corpus}: the rules in its recipe.toml cannot be read; run the recipe again") from error


def columns_of(catalog: duckdb.DuckDBPyConnection) -> pa.Schema:
    """What rules may read in this corpus."""
    found = catalog.sql("FROM judged LIMIT 0").to_arrow_table().schema
    hidden = ("status", "part", "kept_by_rules", "dropped_by")
    fields = [field for field in found if field.name not in hidden]
    return pa.schema([field.with_type(pa.string()) if field.name == "metadata" else field for field in fields])


@dataclass(frozen=True, slots=True)
class _Question:
    """Two lists of rules, over one corpus."""

    catalog: duckdb.DuckDBPyConnection
    present: Sequence[Rule]
    wanted: Sequence[Rule]

    def answer(self, corpus: Place, examples: int) -> WhatIf:
        rules = list({rule.expression: rule for rule in (*self.present, *self.wanted)}.values())
        place = {rule.expression: k for k, rule in enumerate(rules)}
        now, then = ([place[rule.expression] for rule in each] for each in (self.present, self.wanted))
        documents = next(
            (name for name in ("tokens", "docs") if rows_of(self.catalog, f"FROM {name} SELECT 1 LIMIT 1")), None
        )
        self._decide(rules, now, then, documents)
        sources = rows_of(self.catalog, _SOURCES)
        if not sources:
            raise InputError(f"{corpus}: has no verdicts yet; 'corpusmill run' makes them")
        removed = (self._removed(each, when) for each, when in ((now, "now"), (then, "then")))
        return WhatIf(
            pages=_sum(sources, "pages"),
            now=_now(sources, documents),
            then=_then(sources, documents),
            into=_sum(sources, "into"),
            out=_sum(sources, "out"),
            rules=self._effects(*removed),
            examples=self._examples(rules, examples),
            differs_from_verdicts=_sum(sources, "differs"),
        )

    def _decide(self, rules: Sequence[Rule], now: Sequence[int], then: Sequence[int], documents: str | None) -> None:
        """The table `decided`: one row per readable page, with what each rule says of it."""
        judged = f"judged WHERE status = '{Status.OK}'"
        drops = [sql for sql in outcomes(rules) if " AS drop_" in sql]
        columns = ", ".join(["doc_id", "source", "n_chars", "kept_by_rules", *drops])
        counts = ", ".join(f"{_counted(each)} AS n_{when}" for each, when in ((now, "now"), (then, "then")))
        firsts = ", ".join(f"{_first(each)} AS first_{when}" for each, when in ((now, "now"), (then, "then")))
        query = f"CREATE TEMP TABLE decided AS SELECT j.*, {counts}, {firsts}, {_MEMBERS[documents]}"
        try:
            self.catalog.execute(query.format(judged=f"SELECT {columns} FROM {judged}"))
        except (duckdb.ConversionException, duckdb.InvalidInputException, duckdb.OutOfRangeException) as error:
            raise failure(rules, self.catalog, judged) from error

    def _removed(self, places: Sequence[int], when: str) -> list[Removed]:
        """What each rule of a list drops; `when` is now or then."""
        if not places:
            return []
        columns = f"first_{when} AS k, count(*) AS first, count(*) FILTER (n_{when} = 1) AS alone"
        leading = {row["k"]: row for row in rows_of(self.catalog, f"SELECT {columns} FROM decided GROUP BY ALL")}
        sums = ", ".join(f"coalesce(sum(drop_{k}::INT), 0)::BIGINT" for k in places)
        in_all = self.catalog.execute(f"SELECT {sums} FROM decided WHERE n_{when} > 0").fetchall()[0]
        none = {"first": 0, "alone": 0}
        return [
            Removed(first=leading.get(k, none)["first"], alone=leading.get(k, none)["alone"], all=n)
            for k, n in zip(places, in_all, strict=True)
        ]

    def _effects(self, now: Sequence[Removed], then: Sequence[Removed]) -> tuple[Effect, ...]:
        before = {rule.name: (str(rule), removed) for rule, removed in zip(self.present, now, strict=True)}
        after = {rule.name: (str(rule), removed) for rule, removed in zip(self.wanted, then, strict=True)}
        nothing = (None, None)
        return tuple(
            Effect(
                rule=name,
                now_test=before.get(name, nothing)[0],
                then_test=after.get(name, nothing)[0],
                now=before.get(name, nothing)[1],
                then=after.get(name, nothing)[1],
            )
            for name in dict.fromkeys([*after, *before])
        )

    def _examples(self, rules: Sequence[Rule], most: int) -> tuple[Example, ...]:
        """Pages of both sides, those with the smallest ids, which are hashes; half of each side if there are enough."""
        rows = rows_of(self.catalog, _CHANGING, [most])
        into = [row for row in rows if row["n_now"]]
        out = [row for row in rows if row["n_then"]]
        n_into = min(len(into), max(most // 2, most - len(out)))
        chosen = [(OUT, row) for row in out[: most - n_into]] + [(IN, row) for row in into[:n_into]]
        deciding = [row["first_now" if way == IN else "first_then"] for way, row in chosen]
        signals = {signal: None for k in deciding if (signal := rules[k].signal)}
        columns = ", ".join(["doc_id", "url", "title", *map(identifier, signals)])
        ids = [row["doc_id"] for _, row in chosen]
        known = (
            rows_of(self.catalog, f"SELECT {columns} FROM judged WHERE doc_id IN (SELECT unnest(?))", [ids])
            if ids
            else []
        )
        by_id = {row["doc_id"]: row for row in known}
        names = {way: {r.expression: r.name for r in each} for way, each in ((IN, self.present), (OUT, self.wanted))}
        return tuple(
            Example(
                doc_id=row["doc_id"],
                way=way,
                rule=names[way][rules[k].expression],
                value=float(by_id[row["doc_id"]][signal]) if (signal := rules[k].signal) else None,
                threshold=rules[k].threshold,
                url=_masked(by_id[row["doc_id"]]["url"]),
                title=_masked(by_id[row["doc_id"]]["title"]),
            )
            for (way, row), k in zip(chosen, deciding, strict=True)
        )


def _counted(places: Sequence[int]) -> str:
    """How many of these rules drop a row."""
    return " + ".join([f"drop_{k}::USMALLINT" for k in places] or ["0"])


def _first(places: Sequence[int]) -> str:
    """The first of these rules that drops a row; null if none does."""
    return f"CASE {' '.join(f'WHEN drop_{k} THEN {k}' for k in places)} END::INT" if places else "NULL::INT"


# By the table that says which documents there are: columns of `decided` about them, and where from.
_MEMBERS = {
    "tokens": "t.doc_id IS NOT NULL AS in_corpus, t.n_bytes, t.n_tokens"
    " FROM ({judged}) j LEFT JOIN (SELECT doc_id, n_bytes, n_tokens FROM tokens) t USING (doc_id)",
    "docs": "t.doc_id IS NOT NULL AS in_corpus, NULL::BIGINT AS n_bytes, NULL::BIGINT AS n_tokens"
    " FROM ({judged}) j LEFT JOIN (SELECT doc_id FROM docs) t USING (doc_id)",
    None: "false AS in_corpus, NULL::BIGINT AS n_bytes, NULL::BIGINT AS n_tokens FROM ({judged}) j",
}
_SOURCES = """
    SELECT source, count(*) AS pages,
        count(*) FILTER (n_now = 0) AS kept_now, count(*) FILTER (n_then = 0) AS kept_then,
        coalesce(sum(n_chars) FILTER (n_now = 0), 0)::BIGINT AS chars_now,
        coalesce(sum(n_chars) FILTER (n_then = 0), 0)::BIGINT AS chars_then,
        count(*) FILTER (in_corpus) AS documents, count(*) FILTER (in_corpus AND n_then = 0) AS documents_left,
        coalesce(sum(n_chars) FILTER (in_corpus), 0)::BIGINT AS chars,
        coalesce(sum(n_bytes), 0)::BIGINT AS bytes, coalesce(sum(n_tokens), 0)::BIGINT AS tokens,
        coalesce(sum(n_bytes) FILTER (n_then = 0), 0)::BIGINT AS bytes_left,
        coalesce(sum(n_tokens) FILTER (n_then = 0), 0)::BIGINT AS tokens_left,
        count(*) FILTER (n_now > 0 AND n_then = 0) AS into, count(*) FILTER (n_now = 0 AND n_then > 0) AS out,
        coalesce(sum(n_chars) FILTER (n_now > 0 AND n_then = 0), 0)::BIGINT AS chars_into,
        count(*) FILTER (kept_by_rules <> (n_now = 0)) AS differs
    FROM decided GROUP BY source ORDER BY source"""
_CHANGING = """
    SELECT doc_id, n_now, n_then, first_now, first_then FROM decided WHERE (n_now = 0) <> (n_then = 0)
    QUALIFY row_number() OVER (PARTITION BY n_now = 0 ORDER BY doc_id) <= ? ORDER BY doc_id"""


def _sum(sources: Sequence[dict[str, Any]], column: str) -> int:
    return sum(int(row[column]) for row in sources)


def _now(sources: Sequence[dict[str, Any]], documents: str | None) -> Figures:
    return Figures(
        kept_by_rules=_sum(sources, "kept_now"),
        characters=_sum(sources, "chars_now"),
        documents=_sum(sources, "documents") if documents else None,
        text_bytes=_sum(sources, "bytes") if documents == "tokens" else None,
        tokens=_sum(sources, "tokens") if documents == "tokens" else None,
        estimated=False,
    )


def _then(sources: Sequence[dict[str, Any]], documents: str | None) -> Figures:
    return Figures(
        kept_by_rules=_sum(sources, "kept_then"),
        characters=_sum(sources, "chars_then"),
        documents=_sum(sources, "documents_left") + _sum(sources, "into") if documents else None,
        text_bytes=_with_newcomers(sources, "bytes") if documents == "tokens" else None,
        tokens=_with_newcomers(sources, "tokens") if documents == "tokens" else None,
        estimated=bool(documents) and _sum(sources, "into") > 0,
    )


def _with_newcomers(sources: Sequence[dict[str, Any]], unit: str) -> int:
    """What is left of bytes or tokens, and for the pages that come in their characters at the source's rate."""
    found = 0.0
    for row in sources:
        of = [row] if row["chars"] else sources  # a source without documents has the rate of all
        rate = _sum(of, unit) / max(_sum(of, "chars"), 1)
        found += row[f"{unit}_left"] + rate * row["chars_into"]
    return round(found)


def _masked(text: str | None) -> str | None:
    return None if text is None else mask_text(text)


def render(answer: WhatIf) -> str:
    """The answer as plain text for a terminal."""
    blocks = [_figures(answer), _rules_told(answer)]
    if answer.examples:
        blocks.append(_examples_told(answer))
    blocks.append(_notes(answer))
    return printable("\n\n".join(block for block in blocks if block))


def _figures(answer: WhatIf) -> str:
    lines = [f"{'':<22}{'now':>16}{'then':>16}{'change':>16}"]
    about = "~" if answer.then.estimated else ""
    for label, name, mark in (
        ("kept by the rules", "kept_by_rules", ""),
        ("  characters", "characters", ""),
        ("documents", "documents", about),
        ("  bytes of text", "text_bytes", about),
        ("  tokens", "tokens", about),
    ):
        now, then = getattr(answer.now, name), getattr(answer.then, name)
        if now is not None:
            lines.append(f"{label:<22}{now:>16,}{f'{mark}{then:,}':>16}{f'{mark}{then - now:+,}':>16}")
    lines.append(f"of {counted(answer.pages, 'page')}: {answer.into:,} would come in, {answer.out:,} would go out")
    return "\n".join(lines)


def heading(width: int) -> str:
    """The first line of a table of rules whose names have at most `width` columns."""
    return f"{'first':>10}{'alone':>10}{'all':>10}  {'rule':<{width}}  drops a page if"


def figures(pages: Removed) -> str:
    """The pages that a rule drops, in columns."""
    return f"{pages.first:>10,}{pages.alone:>10,}{pages.all:>10,}"


def _rules_told(answer: WhatIf) -> str:
    """What changed rules drop, and every rule whose pages change."""
    told = [each for each in answer.rules if each.now != each.then or each.now_test != each.then_test]
    if not told:
        return "every rule drops what it drops now"
    width = max(len(each.rule) for each in told)
    lines = [f"{'':<4}{heading(width)}"]
    for each in told:
        rows = [("now", each.now, each.now_test), ("then", each.then, each.then_test)]
        for place, (when, removed, test) in enumerate(row for row in rows if row[1] is not None):
            assert removed is not None
            said = f"{each.rule:<{width}}  {test}" if place == 0 else f"{'':<{width}}  {test}"
            if place and each.now_test == each.then_test:
                said = ""
            lines.append(f"{when:<4}{figures(removed)}  {said}".rstrip())
        if each.now is None or each.then is None:
            lines.append(f"{'then' if each.then is None else 'now':<4}  not in force")
    return "\n".join(lines)


def _examples_told(answer: WhatIf) -> str:
    lines = ["pages that would change sides ('corpusmill why' tells all of a page):"]
    for each in answer.examples:
        value = f" ({each.value:.4g}, threshold {each.threshold:.4g})" if each.value is not None else ""
        by = "now dropped by" if each.way == IN else "would be dropped by"
        title = " ".join((each.title or "").split())[:TITLE_CHARS]
        lines.append(f"  {each.way:<3}  {each.doc_id}  {by} {each.rule}{value}")
        lines.append(f"       {' '.join((each.url or '(no URL)').split())[:URL_CHARS]}  {title}".rstrip())
    return "\n".join(lines)


def _notes(answer: WhatIf) -> str:
    notes = []
    if answer.then.estimated:
        notes.append(
            "~ is an estimate: pages that come in are counted as documents, with the bytes and tokens that their "
            "characters have on average in their source."
        )
    if answer.now.documents is not None and (answer.into or answer.out):
        notes.append(
            "Deduplication and the cap of hosts are not repeated: they may drop some of the pages that come in, and a "
            "duplicate of a document that goes out may take its place. A run decides."
        )
    if answer.differs_from_verdicts:
        differing = counted(answer.differs_from_verdicts, "page")
        notes.append(
            f"The verdicts on record differ from the recipe's rules for {differing}: "
            "they were made by other rules. Run the recipe again; 'now' is what the rules say."
        )
    return "\n".join(notes)
