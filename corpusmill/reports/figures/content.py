"""The content of the corpus: personal data, edits, sources, languages, hosts, lengths."""

from collections.abc import Callable

from corpusmill.reasons import Outcome
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
    """One bar per group of pages, divided by outcome.  All bars have the same length if one group is much larger."""

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


MASKED_SQL = """\
WITH kept AS (SELECT COLUMNS('^pii_') FROM texts SEMI JOIN (FROM ledger WHERE kept) USING (doc_id))
SELECT substr(kind, 5) AS kind, sum(n)::BIGINT AS masked, count(*) FILTER (n > 0) AS documents
FROM (UNPIVOT kept ON COLUMNS(*) INTO NAME kind VALUE n)
GROUP BY kind
HAVING masked > 0
ORDER BY masked DESC, kind"""


def draw_masked(rows: Rows) -> Drawing:
    """One bar per kind of personal data."""
    total = sum(row["masked"] for row in rows)
    says = f"{total:,} pieces of personal data are masked in the texts of documents that are kept."
    found = [
        Bar(
            row["kind"].replace("_", " "),
            (Segment(row["masked"], Outcome.KEPT, f"{row['masked']:,}"),),
            f"{row['masked']:,} in {row['documents']:,} documents",
        )
        for row in rows
    ]
    return Drawing(says, charts.bars(found))


EDITS_SQL = """\
WITH counts AS (  -- pii_emails is in every corpus, so there is a column also without edits
    SELECT doc_id, COLUMNS('^edit_.*_(lines|chars)$|^pii_emails$')::BIGINT FROM texts
), long AS (
    SELECT doc_id, regexp_extract(name, '^edit_(.*)_(lines|chars)$', ['edit', 'unit']) AS named, n
    FROM (UNPIVOT counts ON COLUMNS(* EXCLUDE doc_id) INTO NAME name VALUE n)
    WHERE name <> 'pii_emails'
)
SELECT named.edit AS edit,
       count(DISTINCT doc_id) FILTER (n <> 0) AS pages,
       coalesce(sum(n) FILTER (named.unit = 'lines'), 0)::BIGINT AS lines,
       coalesce(sum(n) FILTER (named.unit = 'chars'), 0)::BIGINT AS chars
FROM long
GROUP BY edit
ORDER BY lines DESC, edit"""


def draw_edits(rows: Rows) -> Drawing:
    """One bar per edit: the lines that it removed or changed."""
    says = "Lines that each edit removed or changed, and characters by which it made the texts shorter."
    found = [
        Bar(
            row["edit"],
            (Segment(row["lines"], Outcome.RULE, f"{row['lines']:,} lines"),),
            f"{row['lines']:,} lines, {row['chars']:,} characters, in {row['pages']:,} pages",
            code=True,
        )
        for row in rows[:MOST_BARS]
    ]
    return Drawing(says, charts.bars(found))


FIGURES = (
    Figure("masked", "Personal data that is masked", MASKED_SQL, draw_masked, wide=False),
    Figure("edits", "What edits changed", EDITS_SQL, draw_edits, wide=False),
    Figure("sources", "Sources", SOURCES_SQL, draw_groups("source", "source", "sources")),
    Figure("languages", "Languages", LANGUAGES_SQL, draw_groups("language", "language", "languages"), wide=False),
    Figure("hosts", "Hosts", HOSTS_SQL, draw_groups("host", "host", "hosts"), wide=False),
    Figure("lengths", "Document lengths", LENGTHS_SQL, draw_lengths, wide=False),
)
