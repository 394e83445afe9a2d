"""Charts as strings of HTML and inline SVG, drawn by a few small functions.

Lengths inside the SVG are percentages, and text has the page's own size.  So a chart fits a width of 400 pixels as well
as 1,200, and its labels do not shrink.  Colours are classes, which the page's style sheet fills for light, dark and
print.  Bars are rows of text with one SVG track each, so the content of a chart can be read, selected and searched.

Two other ways were tried and not kept: one SVG with a viewBox per chart, whose labels are unreadable on a phone; and
matplotlib, with 100 KB per chart.

Everything that comes from a corpus is escaped here, because pages may contain malicious text.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a bar: its length, the class that colours it, and its meaning in words."""

    value: float
    colour: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a bar chart; the segments follow each other from `start`."""

    label: str
    segments: tuple[Segment, ...]
    note: str
    start: float = 0
    code: bool = False  # whether the label is a name used in SQL
    strong: bool = False


def bars(rows: Sequence[Bar], *, scale: float | None = None) -> str:
    """Horizontal bars, each with a label before and a note after it.

    The longest bar fills its track, unless `scale` gives the length that does.
    """
    if scale is None:
        scale = max((row.start + sum(s.value for s in row.segments) for row in rows), default=0) or 1
    return f'<div class="bars">{"".join(_bar(row, scale) for row in rows)}</div>'


def _bar(row: Bar, scale: float) -> str:
    position, pieces = row.start, []
    for segment in row.segments:
        if segment.value > 0:
            pieces.append(
                f'<rect x="{_percent(position, scale)}" width="{_percent(segment.value, scale)}" height="100%" '
                f'class="{segment.colour}"><title>{escape(segment.title)}</title></rect>'
            )
        position += segment.value
    label = f"<code>{escape(row.label).replace('_', '_<wbr>')}</code>" if row.code else escape(row.label)
    return (
        f'<div class="row{" strong" if row.strong else ""}"><span class="label" dir="auto">{label}</span>'
        f'<svg class="track" role="img" aria-label="{escape(row.note)}">{"".join(pieces)}</svg>'
        f'<span class="note">{escape(row.note)}</span></div>'
    )


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a histogram: the label under its left edge, and the pieces stacked in it."""

    label: str
    segments: tuple[Segment, ...]


def histogram(columns: Sequence[Column], *, unit: str, name: str) -> str:
    """Stacked columns side by side; `unit` names the x axis, `name` is the text for screen readers."""
    scale = max((sum(s.value for s in column.segments) for column in columns), default=0) or 1
    width = 100 / max(len(columns), 1)
    every = math.ceil(len(columns) / 10)
    shapes = []
    for i, column in enumerate(columns):
        top = 100.0
        for segment in column.segments:
            height = 100 * segment.value / scale
            top -= height
            if segment.value > 0:
                shapes.append(
                    f'<rect x="{i * width + 0.08 * width:.3f}%" y="{top:.3f}%" width="{0.84 * width:.3f}%" '
                    f'height="{height:.3f}%" class="{segment.colour}"><title>{escape(segment.title)}</title></rect>'
                )
    labels = [
        f'<span style="left:{i * width:.3f}%">{escape(column.label)}</span>'
        for i, column in enumerate(columns)
        if i % every == 0
    ]
    return (
        f'<div class="plot"><span class="peak">{escape(compact(scale))}</span>'
        f'<svg class="columns" role="img" aria-label="{escape(name)}">{"".join(shapes)}</svg>'
        f'<div class="axis">{"".join(labels)}</div><div class="unit">{escape(unit)}</div></div>'
    )


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a line chart: (x, y) points in order of x.  A dashed line is a level for comparison."""

    name: str
    points: tuple[tuple[float, float], ...]
    colour: str
    dashed: bool = False


def line_chart(lines: Sequence[Line], *, unit: str, name: str) -> str:
    """Lines over one x axis, with round numbers at the y axis and a legend."""
    xs = [x for line in lines for x, _ in line.points]
    ys = [y for line in lines for _, y in line.points]
    if not xs:
        return ""
    ticks = round_ticks(min(ys), max(ys))
    low, high = min(ticks + ys), max(ticks + ys)
    left, width = min(xs), (max(xs) - min(xs)) or 1
    height = (high - low) or 1

    def place(point: tuple[float, float]) -> str:
        return f"{1000 * (point[0] - left) / width:.2f},{1000 * (high - point[1]) / height:.2f}"

    paths = [
        f'<polyline class="line {line.colour}{" dashed" if line.dashed else ""}" '
        f'points="{" ".join(map(place, line.points))}"><title>{escape(line.name)}</title></polyline>'
        for line in lines
    ]
    grid = [
        f'<line class="grid" x2="1000" y1="{y:.2f}" y2="{y:.2f}"/>' for y in (1000 * (high - t) / height for t in ticks)
    ]
    scale = [f'<span style="top:{100 * (high - t) / height:.2f}%">{t:g}</span>' for t in ticks]
    steps = round_ticks(left, left + width)
    axis = [f'<span style="left:{100 * (t - left) / width:.2f}%">{_plain(t)}</span>' for t in steps if left <= t]
    return (
        f"{legend([(line.colour, line.name, line.dashed) for line in lines])}"
        f'<div class="plot lines"><div class="scale">{"".join(scale)}</div>'
        f'<svg class="canvas" viewBox="0 0 1000 1000" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(name)}">{"".join(grid + paths)}</svg>'
        f'<div class="axis">{"".join(axis)}</div><div class="unit">{escape(unit)}</div></div>'
    )


def legend(entries: Sequence[tuple[str, str, bool]]) -> str:
    """A legend from (colour's class, name, dashed) for each kind of bar or line in a chart."""
    keys = [
        f'<li><svg class="key" aria-hidden="true"><rect class="{colour}{" thin" if dashed else ""}" width="100%" '
        f'height="100%"/></svg>{escape(name)}</li>'
        for colour, name, dashed in entries
    ]
    return f'<ul class="legend">{"".join(keys)}</ul>'


def round_ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Round numbers from `low` to `high`: multiples of 1, 2 or 5, times powers of ten; `low` if both are equal."""
    span = high - low
    if span <= 1e-9 * max(abs(low), abs(high), 1e-3):
        return [low]
    power = 10.0 ** math.floor(math.log10(span / about))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= 0.999 * span / about)
    first, last = math.ceil(low / step - 1e-6), math.floor(high / step + 1e-6)
    return [round(i * step, 12) for i in range(first, last + 1)]


def compact(number: float, unit: str = "") -> str:
    """A figure with three significant digits, k, M, G or T, and its unit."""
    for power, prefix in ((12, "T"), (9, "G"), (6, "M"), (3, "k")):
        if abs(number) >= (10**power if power > 3 else 10_000):
            return f"{_three(number / 10**power)} {prefix}{unit}"
    return f"{number:,.0f} {unit}".rstrip() if float(number).is_integer() else f"{_three(number)} {unit}".rstrip()


def _three(number: float) -> str:
    digits = max(0, 2 - math.floor(math.log10(abs(number)))) if number else 0
    return f"{number:,.{min(digits, 4)}f}"


def _plain(number: float) -> str:
    """The same for a round number, without zeros after the decimal point."""
    if abs(number) < 10_000:
        return f"{number:,g}"
    figure, _, unit = compact(number).partition(" ")
    return f"{figure.rstrip('0').rstrip('.') if '.' in figure else figure} {unit}"


def share(part: float, whole: float) -> str:
    """A percentage.  It reads 0 % only for nothing and 100 % only for everything."""
    if not whole:
        return "–"
    percent = 100 * part / whole
    if 0 < percent < 0.1:
        return "<0.1 %"
    if 99.9 < percent < 100:
        return ">99.9 %"
    return f"{percent:.1f} %" if 0 < percent < 10 or 99 < percent < 100 else f"{percent:.0f} %"


def _percent(value: float, scale: float) -> str:
    return f"{100 * value / scale:.3f}%"
