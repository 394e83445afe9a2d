"""Duplicates: how similar they are, how many a document has, which sources and hosts share them, and some pairs."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from html import escape
from typing import Any

from corpusmill.reasons import Duplicate, Outcome, Reason
from corpusmill.reports import charts
from corpusmill.reports.charts import Bar, Column, Segment, compact, share
from corpusmill.reports.figures.base import MOST_BARS, Drawing, Figure, Rows
from corpusmill.scripts import WITHOUT_SPACES

MOST_SOURCES = 12  # rows and columns of the matrix
MOST_PIECES = 1_500  # of each text of a pair that are compared
CONTEXT = 12  # pieces that are shown on each side of a difference

SIMILARITY_SQL = f"""\
SELECT floor(jaccard * 100 + 1e-9)::INTEGER AS from_percent, count(*) AS documents,
       min(threshold) AS threshold
FROM ledger
WHERE rule = '{Duplicate.NEAR}'
GROUP BY from_percent
ORDER BY from_percent"""


def draw_similarity(rows: Rows) -> Drawing:
    """Near-duplicates by their similarity with the document that was kept."""
    says = (
        f"{sum(row['documents'] for row in rows):,} documents are nearly the same as one that was kept: their true "
        f"Jaccard similarity with it is {rows[0]['threshold']:g} or more."
    )
    by_percent = {row["from_percent"]: row["documents"] for row in rows}
    columns = [
        Column(f".{percent:02}" if percent < 100 else "1", (Segment(n, Outcome.DUPLICATE, f"{n:,} from {percent} %"),))
        for percent in range(min(by_percent), 101)
        for n in [by_percent.get(percent, 0)]
    ]
    unit = "Jaccard similarity with the kept document"
    return Drawing(says, charts.histogram(columns, unit=unit, name="near-duplicates by similarity"))


CLUSTERS_SQL = f"""\
SELECT l.twin_doc_id AS doc_id, any_value(p.title) AS title, any_value(p.url) AS url,
       count(*) AS copies,
       count(*) FILTER (l.rule = '{Duplicate.EXACT}') AS exact,
       round(min(l.jaccard), 3) AS least_jaccard,
       list(l.url ORDER BY l.jaccard DESC, l.doc_id)[:3] AS some_copies
FROM ledger l JOIN texts p ON p.doc_id = l.twin_doc_id AND l.twin_corpus IS NULL
WHERE l.rule IN ('{Duplicate.EXACT}', '{Duplicate.NEAR}')
GROUP BY l.twin_doc_id
ORDER BY copies DESC, l.twin_doc_id
LIMIT 12"""


def draw_clusters(rows: Rows) -> Drawing:
    """The kept documents with the most copies, each with a few of them."""
    says = (
        f"The kept documents with the most copies, up to {rows[0]['copies']:,}. Each copy was compared with the "
        "document that stays, never with another copy, so clusters do not grow by chains."
    )
    key = charts.legend([("exact", "exact duplicates", False), (Outcome.DUPLICATE, "near-duplicates", False)])
    items = "".join(_cluster(row, rows[0]["copies"]) for row in rows)
    return Drawing(says, f'{key}<ol class="clusters">{items}</ol>')


def _cluster(row: dict[str, Any], largest: int) -> str:
    copies, exact = row["copies"], row["exact"]
    near = copies - exact
    segments = (Segment(exact, "exact", f"exact: {exact:,}"), Segment(near, Outcome.DUPLICATE, f"near: {near:,}"))
    note = f"{copies:,} {'copy' if copies == 1 else 'copies'}, Jaccard ≥ {row['least_jaccard']:g}"
    some = "".join(f"<li>{escape(url)}</li>" for url in row["some_copies"] if url)
    return (
        f'<li><p class="name" dir="auto">{escape(row["title"] or row["url"] or row["doc_id"])}</p>'
        f'<p class="where">{escape(row["url"] or row["doc_id"])}</p>'
        f'{charts.bars([Bar("", segments, note)], scale=largest)}<ul class="where">{some}</ul></li>'
    )


SIZES_SQL = """\
WITH groups AS (
    SELECT group_id, count(*) AS documents, count(*) FILTER (kept) AS kept
    FROM ledger WHERE group_id IS NOT NULL GROUP BY group_id
)
SELECT (2 ** floor(log2(documents)))::BIGINT AS from_documents, count(*) AS groups,
       sum(documents)::BIGINT AS documents, sum(kept)::BIGINT AS kept, max(documents) AS largest
FROM groups GROUP BY from_documents ORDER BY from_documents"""


def draw_sizes(rows: Rows) -> Drawing:
    """Groups of similar documents by their size, in powers of two: documents that are kept, and duplicates."""
    groups, documents, kept = (sum(row[name] for row in rows) for name in ("groups", "documents", "kept"))
    says = (
        f"{groups:,} groups of documents that share bands, {documents:,} documents in all, of which {kept:,} are kept. "
        f"The largest group has {rows[-1]['largest']:,}."
    )
    found = []
    for row in rows:
        size, gone = row["from_documents"], row["documents"] - row["kept"]
        segments = (
            Segment(row["kept"], Outcome.KEPT, f"kept: {row['kept']:,}"),
            Segment(gone, Outcome.DUPLICATE, f"duplicates: {gone:,}"),
        )
        found.append(Bar(f"{size:,} to {2 * size - 1:,}", segments, f"{row['groups']:,} groups"))
    key = charts.legend([(Outcome.KEPT, "kept", False), (Outcome.DUPLICATE, "duplicates", False)])
    return Drawing(says, key + charts.bars(found))


SOURCES_SQL = f"""\
SELECT l.source, coalesce('corpus ' || l.twin_corpus, t.source) AS twin_source, count(*) AS documents,
       (SELECT count(*) FROM ledger a WHERE a.source = l.source) AS all_documents
FROM ledger l LEFT JOIN ledger t ON t.doc_id = l.twin_doc_id
WHERE l.stage = '{Reason.DUPLICATE}'
      AND (l.twin_corpus IS NOT NULL OR (SELECT count(DISTINCT source) FROM ledger) > 1)
GROUP BY l.source, twin_source
ORDER BY documents DESC, l.source, twin_source"""


def draw_sources(rows: Rows) -> Drawing:
    """A matrix: duplicates of a source (rows) by the source of the kept document (columns)."""
    largest = rows[0]
    says = (
        f"{largest['documents']:,} documents of {largest['source']} duplicate documents of {largest['twin_source']}. "
        "A row is the source of the dropped document, a column that of the kept one. Shares are of the row's documents."
    )
    counts = {(row["source"], row["twin_source"]): row["documents"] for row in rows}
    whole = {row["source"]: row["all_documents"] for row in rows}
    across = list(dict.fromkeys(row["twin_source"] for row in rows))[:MOST_SOURCES]
    head = "".join(f'<th scope="col" dir="auto">{escape(name)}</th>' for name in across)
    body = "".join(
        f'<tr><th scope="row" dir="auto">{escape(name)}</th>'
        + "".join(_matrix_cell(counts.get((name, other), 0), whole[name]) for other in across)
        + "</tr>"
        for name in list(whole)[:MOST_SOURCES]
    )
    return Drawing(says, f'<div class="scroll"><table class="matrix"><tr><td></td>{head}</tr>{body}</table></div>')


def _matrix_cell(n: int, whole: int) -> str:
    if not n:
        return "<td></td>"
    depth = min(9, 1 + int(9 * n / whole))
    return f'<td class="number"><span class="depth{depth}">{n:,}</span><small>{share(n, whole)}</small></td>'


HOSTS_SQL = f"""\
SELECT url_host(l.url) AS host, url_host(t.url) AS twin_host, count(*) AS documents,
       round(avg(l.jaccard), 3) AS mean_jaccard
FROM ledger l JOIN ledger t ON t.doc_id = l.twin_doc_id AND l.twin_corpus IS NULL
WHERE l.stage = '{Reason.DUPLICATE}' AND host IS NOT NULL AND twin_host IS NOT NULL
GROUP BY host, twin_host
ORDER BY documents DESC, host, twin_host
LIMIT 1000"""


def draw_hosts(rows: Rows) -> Drawing:
    """The pairs of hosts with the most duplicates."""
    first = rows[0]
    of = "itself" if first["host"] == first["twin_host"] else first["twin_host"]
    says = f"{first['host']} duplicates {of} most: {first['documents']:,} documents."
    found = [
        Bar(
            row["host"] if row["host"] == row["twin_host"] else f"{row['host']} → {row['twin_host']}",
            (Segment(row["documents"], Outcome.DUPLICATE, f"{row['documents']:,} documents"),),
            f"{compact(row['documents'])}, mean Jaccard {row['mean_jaccard']:g}",
        )
        for row in rows[:MOST_BARS]
    ]
    return Drawing(says, charts.bars(found))


PAIRS_SQL = f"""\
WITH near AS (
    SELECT *, row_number() OVER (ORDER BY jaccard, doc_id) AS n, count(*) OVER () AS pairs
    FROM ledger WHERE rule = '{Duplicate.NEAR}' AND twin_corpus IS NULL
)
SELECT l.doc_id, l.url, l.twin_doc_id, l.jaccard, left(d.text, 20000) AS text, left(k.text, 20000) AS twin_text
FROM near l JOIN texts d ON d.doc_id = l.doc_id JOIN texts k ON k.doc_id = l.twin_doc_id
WHERE n IN (1, 2, (pairs + 3) // 4, (pairs + 1) // 2, pairs)  -- the least similar, the quarter, the middle, the last
ORDER BY n"""


def draw_pairs(rows: Rows) -> Drawing:
    """Pairs of a kept and a dropped document side by side, with their differences marked."""
    says = "What was kept (left) and dropped (right), from the least similar pair on. Differences are marked."
    return Drawing(says, "".join(map(_pair, rows)))


def _pair(row: dict[str, Any]) -> str:
    kept, dropped = differences(row["twin_text"] or "", row["text"] or "")
    return (
        f'<article class="pair"><p class="where">Jaccard {row["jaccard"]:.3f} · {escape(row["url"] or "no URL")} · '
        f"<code>{row['doc_id']}</code> duplicates <code>{row['twin_doc_id']}</code></p>"
        f'<div dir="auto">{kept}</div><div dir="auto">{dropped}</div></article>'
    )


_ALONE = "".join(f"{chr(first)}-{chr(last)}" for first, last in WITHOUT_SPACES)
_PIECE = re.compile(rf"[{_ALONE}]|\w+|[^\w\s]+|\s+")


def differences(before: str, after: str) -> tuple[str, str]:
    """Two texts as HTML, with the words marked that the other one does not have; long equal passages are cut short."""
    x, y = (_PIECE.findall(text)[:MOST_PIECES] for text in (before, after))
    left, right = [], []
    for kind, start, end, other_start, other_end in SequenceMatcher(None, x, y, autojunk=False).get_opcodes():
        if kind == "equal":
            same = escape(_shortened(x[start:end], start == 0, end == len(x)))
            left.append(same)
            right.append(same)
        else:
            left.append(_marked(x[start:end]))
            right.append(_marked(y[other_start:other_end]))
    return "".join(left), "".join(right)


def _shortened(pieces: Sequence[str], is_first: bool, is_last: bool) -> str:
    if len(pieces) <= 3 * CONTEXT:
        return "".join(pieces)
    begin = "" if is_first else "".join(pieces[:CONTEXT])
    end = "" if is_last else "".join(pieces[-CONTEXT:])
    return f"{begin} […] {end}"


def _marked(pieces: Sequence[str]) -> str:
    text = "".join(pieces)
    return f"<mark>{escape(text)}</mark>" if text.strip() else escape(text)


FIGURES = (
    Figure("similarity", "How similar near-duplicates are", SIMILARITY_SQL, draw_similarity, wide=False),
    Figure("group-sizes", "Sizes of groups of similar documents", SIZES_SQL, draw_sizes, wide=False),
    Figure("duplicate-sources", "Which sources duplicate which", SOURCES_SQL, draw_sources),
    Figure("duplicate-hosts", "Which hosts duplicate which", HOSTS_SQL, draw_hosts),
    Figure("clusters", "The largest clusters of duplicates", CLUSTERS_SQL, draw_clusters),
    Figure("pairs", "Near-duplicates side by side", PAIRS_SQL, draw_pairs),
)
