"""The figures of the report: each is one SQL query over the catalog and a function that draws its rows.

Nothing in a figure comes from anywhere else, so whoever doubts one can run its query.  A figure without rows is left
out.
"""

from corpusmill.reports.figures import content, decisions, making
from corpusmill.reports.figures.base import Drawing, Figure, Rows

__all__ = ["FIGURES", "Drawing", "Figure", "Rows"]

FIGURES: tuple[Figure, ...] = (*decisions.FIGURES, *content.FIGURES, *making.FIGURES, decisions.SAMPLES)
