"""What share of each group of pages a rule removes: the view `bias`.

A rule that silently removes a group (a language, a host, short pages) shows here.  Counted are the pages for which the
rule is true, whichever rule came first.  `low` and `high` are Wilson's interval of the share at 95 % (E. B. Wilson,
Probable inference, JASA 22, 1927).

`differs` tells a group whose share differs clearly from that of all other pages.  Many shares are compared at once, so
some differ by chance.  Both intervals, the group's and that of the others, are therefore made wider: with the normal
quantile z = sqrt(2 ln(40 m)) for m comparisons.  As P(|Z| > z) <= exp(-z^2 / 2), the chance that any of the 2 m
intervals misses its share is at most 0.05 (Bonferroni's bound).  A group differs if the two do not overlap, if its
share is at least 0.02 away from that of the others, and if the larger share is at least 1.5 times the smaller one.

The intervals take pages as independent of each other.  Pages of one host are not: a language that one host has written
shows the host.
"""

import pyarrow as pa

from corpusmill.reasons import Status
from corpusmill.schema import Column, Table

LEAST_PAGES = 30  # of a group with a line of its own
MOST_GROUPS = 200  # of each kind
OTHERS, NONE = "(others)", "(none)"
KINDS = ("language", "host", "source", "length", "page_type")

BIAS = Table("bias", "One row per rule and group of pages: the share of the group that the rule removes.", (
    Column("rule", pa.string(), "name of the rule"),
    Column("kind", pa.string(), f"what the pages are grouped by: {', '.join(KINDS)}"),
    Column("of_group", pa.string(), f"the group; {OTHERS}: those with fewer than {LEAST_PAGES} pages or after the "
           f"{MOST_GROUPS} largest; {NONE}: pages without a value"),
    Column("pages", pa.int64(), "number of readable pages of the group"),
    Column("removed", pa.int64(), "number of them for which the rule is true, whichever rule came first"),
    Column("share", pa.float64(), "removed per page"),
    Column("low", pa.float64(), "lower end of the share's Wilson interval, 95 %"),
    Column("high", pa.float64(), "upper end of it"),
    Column("elsewhere", pa.float64(), "share of all other pages that the rule removes; null if there are none"),
    Column("differs", pa.bool_(), "whether the share clearly differs from that elsewhere, all comparisons considered"),
))  # fmt: skip

LENGTHS = (500, 2_000, 8_000, 32_000)  # characters
_FROM = (0, *LENGTHS)
_LENGTH = " ".join(
    f"WHEN n_chars < {end} THEN '{start:,} to {end - 1:,}'" for start, end in zip(_FROM, LENGTHS, strict=False)
)
LENGTH_SQL = f"CASE {_LENGTH} WHEN n_chars IS NOT NULL THEN '{LENGTHS[-1]:,} or more' END"


def _wilson(share: str, n: str, z: str, sign: str) -> str:
    """An end of Wilson's interval."""
    root = f"sqrt({share} * (1 - {share}) / {n} + ({z})**2 / (4 * {n}**2))"
    return f"(({share} + ({z})**2 / (2 * {n}) {sign} ({z}) * {root}) / (1 + ({z})**2 / {n}))"


def _ends(share: str, n: str, z: str) -> tuple[str, str]:
    """Both ends, within 0 and 1."""
    return f"greatest(0, {_wilson(share, n, z, '-')})", f"least(1, {_wilson(share, n, z, '+')})"


_WIDE = "sqrt(2 * ln(40 * count(*) OVER ()))"
_GROUPED = " UNION ALL ".join(
    f"SELECT '{kind}' AS kind, coalesce({kind}, '{NONE}') AS of_group, rules FROM pages_seen" for kind in KINDS
)
_LOW, _HIGH = _ends("share", "pages", "1.959964")
_GROUP_LOW, _GROUP_HIGH = _ends("share", "pages", "z")
_ELSE_LOW, _ELSE_HIGH = _ends("elsewhere", "other_pages", "z")

BIAS_SQL = f"""
    WITH pages_seen AS MATERIALIZED (
        SELECT language, host, source, {LENGTH_SQL} AS length, page_type, dropped_by AS rules
        FROM judged WHERE status = '{Status.OK}'),
    rules AS (SELECT DISTINCT unnest(rules) AS rule FROM pages_seen),
    grouped AS ({_GROUPED}),
    sizes AS (SELECT kind, of_group, count(*) AS pages FROM grouped GROUP BY ALL),
    named AS (
        SELECT kind, of_group, CASE WHEN pages >= {LEAST_PAGES} AND row_number() OVER (
            PARTITION BY kind ORDER BY pages DESC, of_group) <= {MOST_GROUPS} THEN of_group ELSE '{OTHERS}' END AS name,
            pages FROM sizes),
    groups AS (SELECT kind, name, sum(pages)::BIGINT AS pages FROM named GROUP BY ALL),
    dropped AS (
        SELECT kind, of_group, unnest(rules) AS rule, 1 AS n FROM grouped WHERE len(rules) > 0),
    drops AS (
        SELECT kind, name, rule, sum(n)::BIGINT AS removed FROM dropped JOIN named USING (kind, of_group) GROUP BY ALL),
    counted AS (
        SELECT rule, kind, name AS of_group, pages, coalesce(removed, 0) AS removed,
            sum(pages) OVER (PARTITION BY rule, kind) - pages AS other_pages,
            sum(coalesce(removed, 0)) OVER (PARTITION BY rule, kind) - coalesce(removed, 0) AS other_removed
        FROM groups CROSS JOIN rules LEFT JOIN drops USING (kind, name, rule)),
    shares AS (
        SELECT *, removed / pages AS share, other_removed / nullif(other_pages, 0) AS elsewhere, {_WIDE} AS z
        FROM counted)
    SELECT rule, kind, of_group, pages, removed, share, {_LOW} AS low, {_HIGH} AS high, elsewhere,
        coalesce(({_GROUP_LOW} > {_ELSE_HIGH} OR {_GROUP_HIGH} < {_ELSE_LOW}) AND abs(share - elsewhere) >= 0.02
            AND greatest(share, elsewhere) >= 1.5 * least(share, elsewhere), false) AS differs
    FROM shares ORDER BY rule, kind, pages DESC, of_group"""
