"""What happened to the input: the funnel, the reasons, each rule by itself, and samples of dropped pages."""

from html import escape
from itertools import groupby
from typing import Any

from corpusmill.reasons import Outcome, Reason
from corpusmill.reports import charts
from corpusmill.reports.charts import Bar, Segment, compact, share
from corpusmill.reports.figures.base import MOST_BARS, OUTCOMES, Drawing, Figure, Rows, outcome_legend

SNIPPET_CHARS = 180

FUNNEL_SQL = f"""\
WITH rate AS (
    SELECT sum(n_tokens) / sum(n_chars) AS tokens_a_char FROM totals WHERE n_tokens > 0
)
SELECT CASE WHEN kept THEN '{Outcome.KEPT}' ELSE coalesce(stage, '{Outcome.UNDECIDED}') END AS outcome,
       sum(documents)::BIGINT AS documents,
       sum(n_bytes)::BIGINT AS n_bytes,
       sum(n_chars)::BIGINT AS n_chars,
       -- what was dropped is never encoded: its tokens are estimated from its characters
       coalesce(sum(n_tokens), round(sum(n_chars) * any_value(tokens_a_char)))::BIGINT AS n_tokens,
       sum(n_tokens) IS NULL AS tokens_estimated
FROM totals, rate
GROUP BY outcome
ORDER BY list_position({[str(outcome) for outcome in Outcome]}, outcome)"""


def draw_funnel(rows: Rows) -> Drawing:
    """Three waterfalls: documents, bytes, tokens."""
    total = sum(row["documents"] for row in rows)
    kept = sum(row["documents"] for row in rows if row["outcome"] == Outcome.KEPT)
    undecided = sum(row["documents"] for row in rows if row["outcome"] == Outcome.UNDECIDED)
    says = f"Of {total:,} pages that came in, {kept:,} ({share(kept, total)}) are in the corpus."
    if undecided:
        says += f" {undecided:,} are not decided yet: the run has not come to them."
    if any(row["tokens_estimated"] and row["n_tokens"] for row in rows):
        says += " Dropped text is never encoded; its tokens (≈) are estimated from its characters."
    panels = [
        _waterfall("Documents", rows, "documents"),
        _waterfall("Bytes before extraction", rows, "n_bytes", unit="B"),
        _waterfall("Tokens", rows, "n_tokens"),
    ]
    return Drawing(says, f'<div class="panels">{"".join(panels)}</div>')


def _waterfall(title: str, rows: Rows, column: str, unit: str = "") -> str:
    total = sum(row[column] or 0 for row in rows)
    if not total:
        return ""
    left, steps = total, [Bar("came in", (Segment(total, "all", ""),), compact(total, unit), strong=True)]
    for row in rows:
        value, outcome = row[column] or 0, row["outcome"]
        left -= value
        about = "≈ " if column == "n_tokens" and row["tokens_estimated"] and value else ""
        note = f"{about}{compact(value, unit)} · {share(value, total)}"
        start = 0 if outcome == Outcome.KEPT else left
        steps.append(
            Bar(OUTCOMES[outcome], (Segment(value, outcome, note),), note, start, strong=outcome == Outcome.KEPT)
        )
    return f'<div class="panel"><h3>{title}</h3>{charts.bars(steps)}</div>'


REASONS_SQL = """\
SELECT stage, rule, documents, n_bytes, n_chars
FROM totals
WHERE NOT kept
ORDER BY documents DESC, stage, rule"""


def draw_reasons(rows: Rows) -> Drawing:
    """One bar per reason."""
    total = sum(row["documents"] for row in rows)
    says = f"{total:,} pages were dropped, each on record with the first reason that it met."
    if len(rows) > 1:
        says += f" {rows[0]['rule']} is the most frequent of {len(rows)}."
    found = [
        Bar(
            row["rule"],
            (Segment(row["documents"], row["stage"], OUTCOMES[row["stage"]]),),
            f"{row['documents']:,} · {share(row['documents'], total)}",
            code=True,
        )
        for row in rows[:MOST_BARS]
    ]
    return Drawing(says, outcome_legend([{row["stage"]: 1 for row in rows}]) + charts.bars(found))


ALONE_SQL = f"""\
WITH broken AS (
    SELECT rule AS first_rule, len(also_dropped_by) = 0 AS alone, unnest(list_prepend(rule, also_dropped_by)) AS rule
    FROM ledger WHERE stage = '{Reason.RULE}'
)
SELECT rule,
       count(*) AS drops,
       count(*) FILTER (alone) AS alone,
       count(*) FILTER (NOT alone AND rule = first_rule) AS first_of_several,
       count(*) FILTER (rule <> first_rule) AS after_another
FROM broken
GROUP BY rule
ORDER BY drops DESC, rule"""


def draw_alone(rows: Rows) -> Drawing:
    """The pages that each rule removes alone, and those that other rules remove, too."""
    alone = sum(row["alone"] for row in rows)
    total = alone + sum(row["first_of_several"] for row in rows)
    says = (
        f"Every rule is asked about every page. Of the {total:,} pages that rules dropped, {alone:,} break one rule "
        "only: without that rule they would have gone on."
    )
    found = [
        Bar(
            row["rule"],
            (
                Segment(row["alone"], Outcome.RULE, f"this rule alone: {row['alone']:,}"),
                Segment(row["drops"] - row["alone"], "shared", f"other rules, too: {row['drops'] - row['alone']:,}"),
            ),
            f"{row['drops']:,} · alone {row['alone']:,}",
            code=True,
        )
        for row in rows[:MOST_BARS]
    ]
    key = charts.legend([(Outcome.RULE, "broken by this rule alone", False), ("shared", "other rules, too", False)])
    return Drawing(says, key + charts.bars(found))


BIAS_SQL = """\
SELECT rule, kind, of_group, pages, removed, share, low, high, elsewhere
FROM bias
WHERE differs AND NOT (kind = 'language' AND rule IN ('language', 'language_score'))  -- they are meant to
ORDER BY kind = 'length', abs(share - elsewhere) DESC, rule, kind, of_group"""


def draw_bias(rows: Rows) -> Drawing:
    """The groups of which a rule removes clearly more, or less, than of all other pages."""
    says = (
        f"Of {len(rows):,} groups of pages, a rule removes clearly another share than of all other pages: the Wilson "
        "intervals of both shares do not overlap, also when all comparisons are considered, and the shares differ by "
        "0.02 and 1.5 times at least. Pages of one host resemble each other, so a small group may show its host."
    )
    found = [
        Bar(
            f"{row['rule']} · {row['kind']} {row['of_group']}",
            (Segment(row["share"], Outcome.RULE, f"{row['removed']:,} of {row['pages']:,} pages"),),
            f"{row['share']:.3f} ({row['low']:.3f} to {row['high']:.3f}) · elsewhere {row['elsewhere']:.3f}",
        )
        for row in rows[:MOST_BARS]
    ]
    return Drawing(says, charts.bars(found, scale=1))


SAMPLES_SQL = """\
WITH sample AS (
    SELECT *, row_number() OVER (PARTITION BY stage, rule ORDER BY doc_id) AS n,
           count(*) OVER (PARTITION BY stage, rule) AS documents
    FROM ledger WHERE NOT kept
)
SELECT s.stage, s.rule, s.documents, s.doc_id, s.url, s.value, s.threshold, s.twin_doc_id, p.title,
       left(p.text, 1000) AS text  -- of texts, where personal data is masked
FROM sample s LEFT JOIN texts p ON p.doc_id = s.doc_id
WHERE n <= 2
ORDER BY s.documents DESC, s.stage, s.rule, n
LIMIT 100"""


def draw_samples(rows: Rows) -> Drawing:
    """For each reason, two pages that it dropped."""
    cards = []
    for (stage, rule), group in groupby(rows, lambda row: (row["stage"], row["rule"])):
        found = list(group)
        quotes = "".join(map(_quote, found))
        cards.append(
            f'<article class="card"><h3><svg class="key" aria-hidden="true"><rect class="{stage}" width="100%" '
            f'height="100%"/></svg><code>{escape(rule)}</code> <small>{found[0]["documents"]:,}</small></h3>{quotes}'
            "</article>"
        )
    says = "Two pages for each reason, those with the lowest document ids; e-mail and IP addresses are masked."
    return Drawing(says, f'<div class="cards">{"".join(cards)}</div>')


def _quote(row: dict[str, Any]) -> str:
    text = " ".join((row["text"] or row["title"] or "(no text)").split())
    cut = text[:SNIPPET_CHARS] + ("…" if len(text) > SNIPPET_CHARS else "")
    value = "" if row["value"] is None else f" · {row['value']:.3g}, threshold {row['threshold']:g}"
    return (
        f'<blockquote dir="auto">{escape(cut)}</blockquote>'
        f'<p class="where">{escape(row["url"] or "no URL")} · <code>{row["doc_id"]}</code>{value}</p>'
    )


FIGURES = (
    Figure("funnel", "From pages to the corpus", FUNNEL_SQL, draw_funnel),
    Figure("reasons", "Why pages were dropped", REASONS_SQL, draw_reasons, wide=False),
    Figure("rules", "What each rule removes", ALONE_SQL, draw_alone, wide=False),
    Figure("bias", "Groups that a rule treats differently", BIAS_SQL, draw_bias),
)
SAMPLES = Figure("samples", "What was dropped, by reason", SAMPLES_SQL, draw_samples)
