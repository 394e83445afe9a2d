"""What the corpus is made of: sources, languages, hosts, lengths, duplicates."""

from collections.abc import Callable
from html import escape
from typing import Any

from corpusmill.reasons import Duplicate, Outcome, Reason
from corpusmill.reports import charts
from corpusmill.reports.charts import Bar, Column, Segment, compact, share
from corpusmill.reports.figures.base import (
    COUNTS,
    MOST_BARS,
    Drawing,
    Figure,
    Rows,
    outcome_legend,
    outcome_segments,
)

TOTALS = """count(*) OVER () AS groups,
       (sum((count(*) FILTER (kept) > 0)::INTEGER) OVER ())::BIGINT AS groups_kept,
       (sum(count(*)) OVER ())::BIGINT AS all_documents"""

LANGUAGES_SQL = f"""\
SELECT language, count(*) AS documents,
       {COUNTS},
       {TOTALS}
FROM ledger JOIN signals USING (doc_id)
WHERE language IS NOT NULL
GROUP BY language
ORDER BY documents DESC, language"""

HOSTS_SQL = f"""\
SELECT url_host(url) AS host, count(*) AS documents,
       {COUNTS},
       {TOTALS}
FROM ledger
WHERE host IS NOT NULL
GROUP BY host
ORDER BY documents DESC, host
LIMIT 1000"""

SOURCES_SQL = f"""\
SELECT source, count(*) AS documents,
       {COUNTS},
       {TOTALS}
FROM ledger
GROUP BY source
QUALIFY count(*) OVER () > 1  -- of one source the funnel tells all
ORDER BY documents DESC, source"""


def draw_groups(column: str, one: str, many: str) -> Callable[[Rows], Drawing]:
    """One bar a group of pages, by what became of them; of equal length if one group dwarfs the others."""

    def draw(rows: Rows) -> Drawing:
        first, drawn = rows[0], rows[:MOST_BARS]
        says = f"{first['groups']:,} {one if first['groups'] == 1 else many}, "
        says += f"{first['groups_kept']:,} with documents kept."
        if first["groups"] > 1:
            says += f" {first[column]} has the most pages: {share(first['documents'], first['all_documents'])}."
        if first["groups"] > MOST_BARS:
            says += f" The first {MOST_BARS} are drawn."
        dwarfed = 50 * drawn[len(drawn) // 2]["documents"] < drawn[0]["documents"]
        if dwarfed:
            says += f" Each bar is the whole of its {one}."
        found = [
            Bar(
                row[column],
                outcome_segments(row, 1 / row["documents"] if dwarfed else 1),
                f"{row[Outcome.KEPT]:,} of {row['documents']:,} kept",
            )
            for row in drawn
        ]
        return Drawing(says, outcome_legend(rows) + charts.bars(found))

    return draw


LENGTHS_SQL = f"""\
SELECT (2 ** floor(log2(n_chars)))::BIGINT AS from_chars, count(*) AS documents,
       {COUNTS}
FROM sketches JOIN ledger USING (doc_id)
WHERE n_chars > 0
GROUP BY from_chars
ORDER BY from_chars"""


def draw_lengths(rows: Rows) -> Drawing:
    """Documents by length, in powers of two."""
    low = max(rows, key=lambda row: row["documents"])["from_chars"]
    says = (
        f"The most frequent length is {low:,} to {2 * low - 1:,} characters; each column is twice as wide as the last."
    )
    by_size = {row["from_chars"]: row for row in rows}
    sizes = [2**i for i in range(min(by_size).bit_length() - 1, max(by_size).bit_length())]
    columns = [Column(compact(size), outcome_segments(by_size[size]) if size in by_size else ()) for size in sizes]
    plot = charts.histogram(columns, unit="characters of the final text", name="documents by length")
    return Drawing(says, outcome_legend(rows) + plot)


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
FROM ledger l JOIN texts p ON p.doc_id = l.twin_doc_id
WHERE l.stage = '{Reason.DUPLICATE}'
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


FIGURES = (
    Figure("sources", "Sources", SOURCES_SQL, draw_groups("source", "source", "sources")),
    Figure("languages", "Languages", LANGUAGES_SQL, draw_groups("language", "language", "languages"), wide=False),
    Figure("hosts", "Hosts", HOSTS_SQL, draw_groups("host", "host", "hosts"), wide=False),
    Figure("lengths", "Document lengths", LENGTHS_SQL, draw_lengths, wide=False),
    Figure("similarity", "How similar near-duplicates are", SIMILARITY_SQL, draw_similarity, wide=False),
    Figure("clusters", "The largest clusters of duplicates", CLUSTERS_SQL, draw_clusters),
)
