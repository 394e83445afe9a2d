import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmill.reports.charts import (
    Bar,
    Column,
    Line,
    Segment,
    bars,
    compact,
    histogram,
    line_chart,
    round_ticks,
    share,
)


def widths(svg: str, name: str) -> list[float]:
    return [float(value) for value in re.findall(rf' {name}="([-0-9.]+)%"', svg)]


@given(st.lists(st.lists(st.integers(0, 10**9), min_size=1, max_size=5), min_size=1, max_size=8))
def test_bars_are_to_scale(values):
    drawn = bars([Bar(str(i), tuple(Segment(v, "kept") for v in row), "") for i, row in enumerate(values)])
    scale = max(map(sum, values)) or 1
    assert widths(drawn, "width") == pytest.approx([100 * v / scale for row in values for v in row if v], abs=0.001)


@given(st.lists(st.lists(st.integers(0, 10**9), min_size=1, max_size=5), min_size=1, max_size=40))
def test_columns_are_to_scale_and_stand_on_the_axis(values):
    columns = [Column(str(i), tuple(Segment(v, "kept") for v in column)) for i, column in enumerate(values)]
    drawn = histogram(columns, unit="", name="")
    scale = max(map(sum, values)) or 1
    heights = [100 * v / scale for column in values for v in column if v]
    assert widths(drawn, "height") == pytest.approx(heights, abs=0.001)
    for top, height in zip(widths(drawn, "y"), widths(drawn, "height"), strict=True):
        assert -0.01 <= top <= top + height <= 100.01


points = st.lists(st.tuples(st.floats(0, 1e12), st.floats(-1e6, 1e6)), min_size=1, max_size=30)


@given(points)
def test_lines_stay_inside(found):
    drawn = line_chart([Line("x", tuple(sorted(found)), "kept")], unit="", name="")
    for x, y in re.findall(r"(-?[0-9.]+),(-?[0-9.]+)", drawn):
        assert -0.01 <= float(x) <= 1000.01
        assert -0.01 <= float(y) <= 1000.01


def test_no_line_is_no_chart():
    assert line_chart([], unit="", name="") == ""


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_ticks_are_few_and_within(a, b):
    low, high = sorted((a, b))
    ticks = round_ticks(low, high)
    assert 0 <= len(ticks) <= 6
    nearly = 1e-5 * (high - low) + 1e-9
    assert all(low - nearly <= tick <= high + nearly for tick in ticks)


def test_everything_is_escaped():
    hostile = "<script>\"'&"
    drawn = bars([Bar(hostile, (Segment(1, "kept", hostile),), hostile)])
    drawn += histogram([Column(hostile, (Segment(1, "kept", hostile),))], unit=hostile, name=hostile)
    drawn += line_chart([Line(hostile, ((0, 0), (1, 1)), "kept")], unit=hostile, name=hostile)
    assert "<script" not in drawn
    assert re.search(r'="[^"]*<', drawn) is None


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0"),
        (9876, "9,876"),
        (12345, "12.3 k"),
        (1_234_567, "1.23 M"),
        (5e9, "5.00 G"),
        (0.0531, "0.0531"),
        (2.5, "2.50"),
    ],
)
def test_compact(number, words):
    assert compact(number) == words


@pytest.mark.parametrize("last", [3, 2_000, 20_000, 200_000, 250_000, 1_000_000, 3_000_000, 200_000_000, 5e9, 4e11])
def test_the_axis_says_where_its_labels_stand(last):
    drawn = line_chart([Line("x", ((0, 0), (last, 1)), "kept")], unit="", name="")
    axis = re.findall(r'<span style="left:([0-9.]+)%">([^<]*)', drawn)
    assert len(axis) > 2
    for place, label in axis:
        digits, _, prefix = label.replace(",", "").partition(" ")
        says = float(digits) * 1000 ** " kMGT".index(prefix or " ")
        assert says == pytest.approx(float(place) / 100 * last, rel=0.001)


def test_compact_with_a_unit():
    assert (compact(0, "B"), compact(614e6, "B"), compact(0.25, "s")) == ("0 B", "614 MB", "0.250 s")


@pytest.mark.parametrize(
    ("part", "whole", "words"),
    [
        (0, 5, "0 %"),
        (5, 5, "100 %"),
        (1, 10**6, "<0.1 %"),
        (10**6 - 1, 10**6, ">99.9 %"),
        (1, 3, "33 %"),
        (1, 30, "3.3 %"),
        (0, 0, "–"),
    ],
)
def test_share(part, whole, words):
    assert share(part, whole) == words
