"""How the corpus was made and used: the crawl, the work of the stages, training."""

from html import escape
from itertools import groupby

from corpusmill.reasons import Fate, Outcome
from corpusmill.reports import charts
from corpusmill.reports.charts import Bar, Line, Segment, compact
from corpusmill.reports.figures.base import MOST_BARS, Drawing, Figure, Rows

CRAWL_SQL = """\
SELECT fate, http_status, count(*) AS urls
FROM urls
GROUP BY fate, http_status
ORDER BY urls DESC, fate, http_status"""

_FATES = {  # with the colours of outcomes
    Outcome.KEPT: "fetched",
    Outcome.UNREADABLE: "other answers",
    Outcome.UNDECIDED: "not asked for",
    Outcome.RULE: "failed",
}


def draw_crawl(rows: Rows) -> Drawing:
    """One bar per fate and HTTP status."""
    total = sum(row["urls"] for row in rows)
    answered = sum(row["urls"] for row in rows if row["http_status"] is not None)
    says = f"The crawl met {total:,} URLs and had an answer for {answered:,}; the fate of each is in the table urls."
    colours = [_fate_colour(row["fate"], row["http_status"]) for row in rows]
    found = [
        Bar(
            f"{row['fate']} {row['http_status'] or ''}".rstrip(),
            (Segment(row["urls"], colour, _FATES[colour]),),
            f"{row['urls']:,} · {charts.share(row['urls'], total)}",
            code=True,
        )
        for row, colour in list(zip(rows, colours, strict=True))[:MOST_BARS]
    ]
    key = charts.legend([(colour, name, False) for colour, name in _FATES.items() if colour in colours])
    return Drawing(says, key + charts.bars(found))


HOSTS_SQL = """\
SELECT host, fate, http_status, count(*) AS urls, sum(count(*)) OVER (PARTITION BY host) AS of_host
FROM urls
WHERE fate <> 'out_of_scope'
GROUP BY host, fate, http_status
ORDER BY of_host DESC, host, urls DESC, fate, http_status"""


def draw_hosts(rows: Rows) -> Drawing:
    """One bar per host: its URLs by what became of them."""
    hosts = [(host, list(group)) for host, group in groupby(rows, key=lambda row: row["host"])]
    says = f"{len(hosts):,} hosts within the scope; the words beside a bar say what became of its URLs."
    found = []
    for host, group in hosts[:MOST_BARS]:
        colours = [_fate_colour(row["fate"], row["http_status"]) for row in group]
        segments = [Segment(row["urls"], colour, row["fate"]) for row, colour in zip(group, colours, strict=True)]
        told = ", ".join(f"{row['urls']:,} {row['fate']} {row['http_status'] or ''}".rstrip() for row in group)
        found.append(Bar(host, tuple(segments), told, code=True))
    return Drawing(says, charts.bars(found))


def _fate_colour(fate: str, http_status: int | None) -> Outcome:
    if http_status is not None:
        return Outcome.KEPT if 200 <= http_status < 300 else Outcome.UNREADABLE
    return Outcome.RULE if fate in (Fate.FAILED, Fate.ROBOTS_UNREACHABLE) else Outcome.UNDECIDED


WORK_SQL = """\
SELECT stage, parts, rows_in, rows_out, bytes_in, bytes, seconds
FROM stages
ORDER BY place"""


def draw_work(rows: Rows) -> Drawing:
    """Seconds of work by stage."""
    total = sum(row["seconds"] for row in rows)
    says = f"{compact(total)} seconds of work on {max(row['parts'] for row in rows):,} parts, all workers added up."
    found = [
        Bar(
            row["stage"],
            (Segment(row["seconds"], Outcome.UNREADABLE, f"{row['rows_in']:,} rows in"),),
            f"{compact(row['seconds'], 's')} · {compact(row['rows_in'] / max(row['seconds'], 0.001))} rows/s",
            code=True,
        )
        for row in rows
    ]
    return Drawing(says, charts.bars(found))


TRAINING_SQL = """\
WITH curve AS (
    SELECT *, max(step) OVER (PARTITION BY model) AS last_step
    FROM metrics
    WHERE source IS NULL AND metric IN ('loss', 'validation_loss', 'validation_bits_per_byte', 'unigram_entropy',
          'unigram_validation_loss', 'trigram_validation_loss')
)
SELECT model, metric, max(step) AS step, max(tokens) AS tokens, round(avg(value), 4) AS value
FROM curve
GROUP BY model, metric, floor(300 * step / greatest(last_step, 1))  -- at most 300 points a line
ORDER BY model, metric, step"""


def draw_training(rows: Rows) -> Drawing:
    """One chart per model: training and validation loss over tokens, with what counting tokens reaches."""
    panels, says = [], []
    for model, group in groupby(rows, lambda row: row["model"]):
        curves = {name: list(points) for name, points in groupby(group, lambda row: row["metric"])}
        bits = curves.get("validation_bits_per_byte")
        if bits:
            best = min(row["value"] for row in bits)
            says.append(f"{model} comes to {best:.3f} bits per byte of validation text.")
        curve = _curves(curves)
        if any(len(line.points) > 1 and not line.dashed for line in curve):
            chart = charts.line_chart(curve, unit="training tokens", name=f"loss of {model}")
        else:
            chart = '<p class="says">Training has only begun.</p>'
        per = "per token" if "unigram_entropy" in curves else "per label or token"  # of a fine-tuned model
        panels.append(f'<div class="panel"><h3>{escape(model)}: loss, nats {per}</h3>{chart}</div>')
    return Drawing(" ".join(says), f'<div class="panels training">{"".join(panels)}</div>')


def _curves(curves: dict[str, list[dict[str, float]]]) -> list[Line]:
    last = max(row["tokens"] for rows in curves.values() for row in rows)
    lines = [
        Line(name, tuple((row["tokens"], row["value"]) for row in curves[metric]), colour)
        for metric, name, colour in (
            ("loss", "training", Outcome.UNREADABLE),
            ("validation_loss", "validation", Outcome.KEPT),
        )
        if metric in curves
    ]
    unigrams = "unigram_validation_loss" if "unigram_validation_loss" in curves else "unigram_entropy"
    for metric, name, colour in (
        (unigrams, "what guessing by frequency reaches", Outcome.RULE),
        ("trigram_validation_loss", "what counting trigrams reaches", Outcome.DUPLICATE),
    ):
        if metric in curves:
            level = curves[metric][-1]["value"]
            lines.append(Line(f"{level:.2f}: {name}", ((0, level), (last, level)), colour, dashed=True))
    return lines


BY_SOURCE_SQL = """\
SELECT model, source, arg_max(value, step) AS bits_per_byte
FROM metrics
WHERE source IS NOT NULL AND metric = 'validation_bits_per_byte'
GROUP BY model, source
QUALIFY count(*) OVER (PARTITION BY model) > 1
ORDER BY model, source"""


def draw_by_source(rows: Rows) -> Drawing:
    """The last validation of each model, by source."""
    says = "Bits per byte of validation text at the last validation, by source: lower is better predicted."
    models = len({row["model"] for row in rows})
    found = [
        Bar(
            f"{row['model']} · {row['source']}" if models > 1 else row["source"],
            (Segment(row["bits_per_byte"], Outcome.KEPT, row["source"]),),
            f"{row['bits_per_byte']:.3f}",
        )
        for row in rows[:MOST_BARS]
    ]
    return Drawing(says, charts.bars(found))


TUNED_SQL = """\
SELECT model, task, metric, round(value, 4) AS value, round(baseline, 4) AS baseline, n
FROM finetune_metrics
WHERE part = 'test' AND class IS NULL AND baseline IS NOT NULL
  AND metric IN ('accuracy', 'f1_macro', 'f1_micro', 'roc_auc_macro', 'exact_match', 'f1', 'chrf', 'rouge_l', 'mrr',
                 'ndcg_at_10')
ORDER BY model, metric"""


def draw_tuned(rows: Rows) -> Drawing:
    """The main figures of each fine-tuned model, beside those of its baseline."""
    says = "Figures on examples that the model was not trained on. The baseline is a trivial model of the task."
    found = [
        Bar(
            f"{row['model']} · {row['metric']}",
            (Segment(row["value"] / (100 if row["metric"] == "chrf" else 1), Outcome.KEPT, row["task"]),),
            f"{row['value']:.3f} · baseline {row['baseline']:.3f} · n = {row['n']:,}",
        )
        for row in rows[:MOST_BARS]
    ]
    return Drawing(says, charts.bars(found))


FIGURES = (
    Figure("crawl", "What the crawl met", CRAWL_SQL, draw_crawl, wide=False),
    Figure("hosts", "What became of each host's URLs", HOSTS_SQL, draw_hosts),
    Figure("work", "Where the time went", WORK_SQL, draw_work, wide=False),
    Figure("training", "Training", TRAINING_SQL, draw_training),
    Figure("validation", "Validation by source", BY_SOURCE_SQL, draw_by_source),
    Figure("tuned", "Fine-tuned models", TUNED_SQL, draw_tuned),
)
