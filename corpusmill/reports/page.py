"""`report.html`: what came in, what was dropped and why, what is left, what was trained, on one page.

One file without scripts or anything to load, so it can be mailed and kept.  Under each figure lie its rows and the
SQL that gave them.  Pages are hostile: every text is escaped, personal data is masked as soon as a query has answered,
and the page's own policy forbids browsers to load or run anything.

Cost: 2.5 s of CPU over 100,000 pages, and 2.5 s to start (numba, for masking).
"""

import html
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from corpusmill import __version__
from corpusmill.corpus import Corpus, Place
from corpusmill.filters.personal import mask_text
from corpusmill.reasons import Reason
from corpusmill.reports.catalog import damage_is_named, open_catalog
from corpusmill.reports.charts import compact, share
from corpusmill.reports.figures import FIGURES, Figure, Rows

FILE = "report.html"
TABLE_ROWS = 100  # that are shown; the SQL gives them all
CELL_CHARS = 160

SUMMARY_SQL = f"""\
SELECT (SELECT count(*) FROM pages) AS pages,
       (SELECT count(*) FROM ledger WHERE kept) AS documents,
       (SELECT count(*) FROM ledger WHERE stage = '{Reason.DUPLICATE}') AS duplicates,
       (SELECT sum(n_bytes)::BIGINT FROM tokens) AS text_bytes,
       (SELECT sum(n_tokens)::BIGINT FROM tokens) AS tokens,
       (SELECT count(DISTINCT language) FROM docs) AS languages,
       (SELECT count(DISTINCT url_host(url)) FROM ledger WHERE kept) AS hosts"""


def write_report(corpus: Place) -> str:
    """Write the corpus's report and return its path or URL.  InputError if there is no corpus."""
    with damage_is_named(corpus), open_catalog(corpus) as catalog:
        (summary,) = _answer(catalog, SUMMARY_SQL)
        sections = [(figure, rows) for figure in FIGURES if (rows := _answer(catalog, figure.sql))]
    written = Corpus(corpus)
    written.write_text(FILE, _page(written.place.rpartition("/")[2], summary, sections))
    return f"{written.place}/{FILE}"


def _answer(catalog: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    """A query's rows, personal data masked."""
    cursor = catalog.execute(sql)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, map(_masked, row), strict=True)) for row in cursor.fetchall()]


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return mask_text(value)
    return [_masked(item) for item in value] if isinstance(value, list) else value


def _page(name: str, summary: dict[str, Any], sections: list[tuple[Figure, list[dict[str, Any]]]]) -> str:
    style = Path(__file__).with_name("report.css").read_text("utf-8")
    links = "".join(f'<a href="#{figure.key}">{figure.title}</a>' for figure, _ in sections)
    title = html.escape(name)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="corpusmill {__version__}">
<title>{title} · corpus report</title>
<style>
{style}</style>
</head>
<body>
<header>
<p class="kind">Corpus report</p>
<h1 dir="auto">{title}</h1>
{_tiles(summary)}
<nav aria-label="Figures">{links}</nav>
</header>
<main>
{"".join(_section(figure, rows) for figure, rows in sections)}</main>
<footer>
<p>Every figure is a query over this corpus's <code>catalog.duckdb</code>: open “rows and SQL” under it, and run it with
<code>corpusmill sql {title} "…"</code> or plain <code>duckdb</code>. The story of one page:
<code>corpusmill why {title} URL</code>.</p>
<p>corpusmill {__version__} · written {datetime.now(UTC):%Y-%m-%d %H:%M} UTC</p>
</footer>
</body>
</html>
"""


def _tiles(summary: dict[str, Any]) -> str:
    figures = [
        ("pages came in", f"{summary['pages']:,}"),
        (f"documents kept, {share(summary['documents'], summary['pages'])}", f"{summary['documents']:,}"),
        ("duplicates found", f"{summary['duplicates']:,}"),
        ("of text", compact(summary["text_bytes"], "B") if summary["text_bytes"] else "–"),
        ("tokens", compact(summary["tokens"]) if summary["tokens"] else "–"),
        (f"language{'' if summary['languages'] == 1 else 's'} kept", f"{summary['languages']:,}"),
        (f"host{'' if summary['hosts'] == 1 else 's'} with documents", f"{summary['hosts']:,}"),
    ]
    return f'<dl class="tiles">{"".join(f"<div><dd>{n}</dd><dt>{what}</dt></div>" for what, n in figures)}</dl>'


def _section(figure: Figure, rows: Rows) -> str:
    drawing = figure.draw(rows)
    return f"""<section id="{figure.key}"{' class="wide"' if figure.wide else ""}>
<h2>{figure.title}</h2>
<p class="says">{html.escape(drawing.says)}</p>
{drawing.html}
<details><summary>rows and SQL</summary>
<pre><code>{html.escape(figure.sql)}</code></pre>
{_table(rows)}</details>
</section>
"""


def _table(rows: Rows) -> str:
    head = "".join(_head(name, value) for name, value in rows[0].items())
    body = "".join(f"<tr>{''.join(map(_cell, row.values()))}</tr>\n" for row in rows[:TABLE_ROWS])
    more = f"<p>The first {TABLE_ROWS} of {len(rows):,} rows.</p>" if len(rows) > TABLE_ROWS else ""
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table></div>{more}'


def _head(name: str, value: Any) -> str:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return f'<th scope="col" class="{"number" if number else "text"}">{html.escape(name)}</th>'


def _cell(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return f"<td>{'–' if value is None else str(value).lower()}</td>"
    if isinstance(value, int | float):
        whole = isinstance(value, int) or not math.isfinite(value)
        return f'<td class="number">{f"{value:,}" if whole else f"{value:,.6g}"}</td>'
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    text = " ".join(text[: 4 * CELL_CHARS].split())
    return f'<td dir="auto">{html.escape(text[:CELL_CHARS] + ("…" if len(text) > CELL_CHARS else ""))}</td>'
