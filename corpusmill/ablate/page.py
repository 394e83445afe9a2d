"""`ablations/NAME/QUESTION.html`: an answer with charts, in the style of the corpus's report.

Each page is one file without scripts or external resources.
"""

import html
from collections.abc import Sequence
from pathlib import Path

from corpusmill import __version__
from corpusmill.ablate.compare import Comparison
from corpusmill.ablate.scaling import ScalingAnswer
from corpusmill.ablate.search import SearchAnswer
from corpusmill.ablate.settings import BASE
from corpusmill.ablate.statistics import Interval
from corpusmill.ablate.texts import interval, times
from corpusmill.corpus import Corpus
from corpusmill.reports import charts
from corpusmill.reports.charts import Bar, Line, Segment, bars, compact, line_chart, round_ticks

COLOURS = ("all", "kept", "verdicts", "twins", "caps", "pages", "exact", "shared")
GOOD, BAD, UNSURE = "kept", "caps", "pages"


def comparison_page(folder: Path, answer: Comparison) -> Path:
    """Write the page of a comparison; returns its path."""
    return write_page(folder, "compare", f"Ablation {answer.name}", _tiles(answer), _comparison(answer))


def search_page(folder: Path, answer: SearchAnswer) -> Path:
    """Write the page of a search; returns its path."""
    best = min(each.difference for each in answer.trials)
    scale = max(abs(each.difference) for each in answer.trials) or 1.0
    rows = [
        Bar(
            each.name,
            (Segment(abs(each.difference), GOOD if each.difference < 0 else BAD, each.name),),
            f"{each.difference:+.4f} with {each.seeds} seeds: "
            + ", ".join(f"{key} = {value}" for key, value in each.changes.items()),
            strong=each.chosen,
        )
        for each in answer.trials
    ]
    says = "Change the recipe" if answer.recommendation == "change" else "Keep the recipe"
    tiles = [("trials", str(len(answer.trials))), ("best difference", f"{best:+.4f}"), ("trainings", str(answer.runs))]
    trials = section(
        says,
        f"Bits per byte minus those of {BASE}, on the half that the search saw; green is better, red worse. What "
        "decides is the confirmation below, with other seeds and documents.",
        bars(rows, scale=scale),
        wide=True,
    )
    sections = [trials, *_comparison(answer.confirmation)]
    return write_page(folder, "search", f"Search {answer.name}", tiles, sections)


def scaling_page(folder: Path, answer: ScalingAnswer) -> Path:
    """Write the page of a scaling law; returns its path."""
    lines = []
    for number, each in enumerate(answer.sizes):
        colour = COLOURS[number % len(COLOURS)]
        name = f"{each.name}, {compact(each.parameters)} parameters"
        lines.append(Line(name, tuple(sorted(each.curve.items())), colour))
        lines.append(Line(f"{each.name}, by the law", tuple(sorted(each.fitted.items())), colour, dashed=True))
    law = "".join(
        f'<tr><td>{name}</td><td class="number">{each.estimate:.4g}</td>'
        f'<td class="number">{each.low:.4g} to {each.high:.4g}</td></tr>'
        for name, each in answer.law.items()
    )
    predictions = "".join(
        f'<tr><td class="number">{each.parameters:,.0f}</td><td class="number">{each.tokens:,.0f}</td>'
        f'<td class="number">{each.loss.estimate:.4f} ({each.loss.low:.4f} to {each.loss.high:.4f})</td></tr>'
        for each in answer.predictions
    )
    sections = [
        section(
            "Curves",
            "Bits per byte of the held-out documents, mean over seeds; dashed: by the law.",
            line_chart(lines, unit="training tokens", name="bits per byte by training tokens"),
            wide=True,
        ),
        section(
            "Law",
            f"Bits per byte = E + A / parameters^alpha + B / tokens^beta, with intervals of {answer.confidence:.0%}.",
            f"<table>{law}</table><ul>{_notes(answer.notes)}</ul>",
        ),
    ]
    if predictions:
        head = "".join(f'<th class="number">{name}</th>' for name in ("parameters", "tokens", "bits per byte"))
        sections.append(
            section("Predictions", "What the law says of other sizes.", f"<table><tr>{head}</tr>{predictions}</table>")
        )
    tiles = [
        ("sizes", str(len(answer.sizes))),
        ("seeds", str(len(answer.seeds))),
        ("largest error of the law", f"{answer.worst_error:.1%}"),
    ]
    return write_page(folder, "scaling", f"Scaling law {answer.name}", tiles, sections)


def _comparison(answer: Comparison) -> list[str]:
    """The sections of a comparison."""
    rows = [(each.variant if each.source is None else f"… on {each.source}", each.difference)
            for each in answer.differences]  # fmt: skip
    lines = [
        Line(each.data.variant, tuple(sorted(each.curve.items())), COLOURS[i % len(COLOURS)])
        for i, each in enumerate(answer.variants)
    ]
    needed = "".join(
        f"<li>{html.escape(each.slower or '')} needs, for the loss of "
        f"{html.escape(BASE if each.slower == each.variant else each.variant)}: {times(each.multiplier, answer)}</li>"
        for each in answer.differences
        if each.multiplier is not None
    )
    together = " together" if len(answer.variants) > 2 else ""
    return [
        section(
            f"Difference to {BASE}",
            f"Bits per byte of the variant minus those of {BASE}; left is better. The bars are intervals of "
            f"{answer.confidence:.0%}{together}, over seeds and documents.",
            intervals(rows),
            wide=True,
        ),
        section(
            "Tokens",
            "How many tokens the worse one needs to reach the better one's loss.",
            f"<ul>{needed}{_notes(answer.notes)}</ul>",
            wide=True,
        ),
        section(
            "Curves",
            "Bits per byte of the held-out documents, mean over seeds.",
            line_chart(lines, unit="training tokens", name="bits per byte by training tokens"),
            wide=True,
        ),
    ]


def _notes(notes: Sequence[str]) -> str:
    return "".join(f"<li>Note: {html.escape(note)}.</li>" for note in notes)


def _tiles(answer: Comparison) -> list[tuple[str, str]]:
    return [
        ("held-out documents", f"{answer.documents:,}"),
        ("seeds", str(len(answer.seeds))),
        ("tokens of training", compact(answer.budget)),
        *((f"bits per byte, {each.data.variant}", f"{each.bits_per_byte:.3f}") for each in answer.variants),
    ]


def section(title: str, says: str, content: str, *, wide: bool = False) -> str:
    """A section of a page; `content` is HTML."""
    width = ' class="wide"' if wide else ""
    return f'<section{width}><h2>{html.escape(title)}</h2><p class="says">{html.escape(says)}</p>{content}</section>\n'


def write_page(
    folder: Path, question: str, title: str, tiles: Sequence[tuple[str, str]], sections: Sequence[str]
) -> Path:
    """Write a page into the folder of an ablation; returns its path."""
    style = Path(charts.__file__).with_name("report.css").read_text("utf-8")
    figures = "".join(f"<div><dd>{html.escape(n)}</dd><dt>{html.escape(what)}</dt></div>" for what, n in tiles)
    text = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="corpusmill {__version__}">
<title>{html.escape(title)}</title>
<style>
{style}</style>
</head>
<body>
<header>
<p class="kind">{question}</p>
<h1>{html.escape(title)}</h1>
<dl class="tiles">{figures}</dl>
</header>
<main>
{"".join(sections)}</main>
<footer><p>The figures are tables of the corpus's catalog: <code>ablation_differences</code>,
<code>ablation_losses</code> and others. corpusmill {__version__}</p></footer>
</body>
</html>
"""
    Corpus(folder).write_text(f"{question}.html", text)
    return folder / f"{question}.html"


def intervals(rows: Sequence[tuple[str, Interval]]) -> str:
    """Intervals as bars over one axis, with zero marked: green below it, red above, grey across."""
    low, high = min(0.0, *(each.low for _, each in rows)), max(0.0, *(each.high for _, each in rows))
    margin = 0.05 * (high - low) or 1.0
    low, high = low - margin, high + margin

    def place(value: float) -> float:
        return 100 * (value - low) / (high - low)

    found = [_interval_row(label, each, place(each.low), place(each.high), place(each.estimate), place(0.0))
             for label, each in rows]  # fmt: skip
    ticks = "".join(
        f'<span style="left:{place(t):.2f}%;transform:translateX(-50%)">{t:g}</span>' for t in round_ticks(low, high)
    )
    axis = f'<div class="row"><span></span><div class="axis">{ticks}</div><span></span></div>'
    return f'<div class="bars">{"".join(found)}{axis}</div>'


def _interval_row(label: str, each: Interval, low: float, high: float, estimate: float, zero: float) -> str:
    colour = UNSURE if not each.excludes_zero else GOOD if each.estimate < 0 else BAD
    note = " ".join((interval(each)[0], f"({interval(each)[1]})"))
    return (
        f'<div class="row"><span class="label" dir="auto">{html.escape(label)}</span>'
        f'<svg class="track" role="img" aria-label="{note}">'
        f'<rect x="{low:.3f}%" width="{max(high - low, 0.2):.3f}%" y="25%" height="50%" class="{colour}">'
        f"<title>{note}</title></rect>"
        f'<rect x="{estimate - 0.2:.3f}%" width="0.4%" height="100%" class="all"/>'
        f'<rect x="{zero:.3f}%" width="1" height="100%" class="all"/></svg>'
        f'<span class="note">{note}</span></div>'
    )
