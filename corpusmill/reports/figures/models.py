"""How good models are, and on what: evaluations, and losses by language and source of documents."""

from html import escape

from corpusmill.reasons import Outcome
from corpusmill.reports import charts
from corpusmill.reports.charts import Bar, Segment
from corpusmill.reports.figures.base import MOST_BARS, Drawing, Figure, Rows
from corpusmill.terminal import counted

EVALUATIONS_SQL = """\
SELECT model, evaluation, kind, metric, items, value, low, high
FROM evaluations
WHERE source IS NULL AND language IS NULL AND metric <> 'perplexity'
ORDER BY evaluation, kind, metric, model"""


def draw_evaluations(rows: Rows) -> Drawing:
    """One list of bars per evaluation: bits per byte of documents, shares of right answers."""
    says = "What 'corpusmill evaluate' found; the range in brackets is the 95 % interval."
    names = list(dict.fromkeys((row["evaluation"], row["kind"]) for row in rows))
    panels = [
        _panel(name, kind, [row for row in rows if (row["evaluation"], row["kind"]) == (name, kind)])
        for name, kind in names[:MOST_BARS]
    ]
    return Drawing(says, f'<div class="panels">{"".join(panels)}</div>')


def _panel(name: str, kind: str, rows: Rows) -> str:
    if kind == "documents":
        metric = "bits_per_byte" if any(row["metric"] == "bits_per_byte" for row in rows) else "loss"
        shown, scale = [row for row in rows if row["metric"] == metric], None
    else:
        shown, scale = [row for row in rows if row["metric"] == "chance" or row["metric"].startswith("accuracy")], 1.0
    models = len({row["model"] for row in rows})
    found = [
        Bar(
            f"{row['metric']} · {row['model']}" if models > 1 else row["metric"],
            (Segment(row["value"], Outcome.KEPT, row["metric"]),),
            _with_interval(row["value"], row["low"], row["high"]),
        )
        for row in shown
    ]
    title = escape(f"{name}: {rows[0]['items']:,} {'documents' if kind == 'documents' else 'items'}")
    return f'<div class="panel"><h3>{title}</h3>{charts.bars(found, scale=scale)}</div>'


def _with_interval(value: float, low: float | None, high: float | None) -> str:
    return f"{value:.3f}" + (f" ({low:.3f} to {high:.3f})" if low is not None and high is not None else "")


LOSSES_SQL = """\
SELECT model, split, source, language, count(*) AS documents,
       sum(loss * n_targets) / sum(n_targets) AS loss
FROM document_losses
WHERE loss IS NOT NULL
GROUP BY model, split, source, language
QUALIFY count(*) OVER (PARTITION BY model, split) > 1
ORDER BY loss DESC, model, split, source, language"""


def draw_losses(rows: Rows) -> Drawing:
    """The groups of documents that are predicted worst."""
    says = "Loss in nats per token of the documents that 'corpusmill explain' measured: the highest first."
    if len(rows) > MOST_BARS:
        says += f" The first {MOST_BARS} of {len(rows):,} groups are drawn."
    several = {name: len({row[name] for row in rows}) > 1 for name in ("model", "split", "source", "language")}
    found = [
        Bar(
            " · ".join(row[name] or "unknown" for name, is_shown in several.items() if is_shown),
            (Segment(row["loss"], Outcome.KEPT, counted(row["documents"], "document")),),
            f"{row['loss']:.3f} · {counted(row['documents'], 'document')}",
        )
        for row in rows[:MOST_BARS]
    ]
    return Drawing(says, charts.bars(found))


FIGURES = (
    Figure("evaluations", "Evaluations of models", EVALUATIONS_SQL, draw_evaluations),
    Figure("losses", "What models find hard", LOSSES_SQL, draw_losses),
)
