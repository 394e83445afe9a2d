"""The figures of the report.  Each figure is one SQL query over the catalog and a function that draws its rows.

A figure contains nothing else, so anybody can check it by running its query.  A figure without rows is left out.
"""

from corpusmill.reports.figures import content, decisions, duplicates, making, models, tokens
from corpusmill.reports.figures.base import Drawing, Figure, Rows

__all__ = ["FIGURES", "Drawing", "Figure", "Rows"]

FIGURES: tuple[Figure, ...] = (
    *decisions.FIGURES,
    *content.FIGURES,
    *duplicates.FIGURES,
    *tokens.FIGURES,
    *making.FIGURES,
    *models.FIGURES,
    decisions.SAMPLES,
)
