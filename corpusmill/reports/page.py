"""`report.html`: what was read, what was kept, what to check, what to do next, and charts of all of it.

It is one file without scripts or external resources, so it can be sent by mail and stored.  Under each figure are its
rows and the SQL that returned them.  Pages may contain malicious text: every text is escaped, personal data is masked
directly after each query, and the page's own policy forbids browsers to load or run anything.

Cost: 2.5 s of CPU over 100,000 pages, and 2.5 s to start (numba, for masking).
"""

import html
import math
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from corpusmill import __version__
from corpusmill.corpus import Corpus, Place
from corpusmill.filters.personal import mask_text
from corpusmill.reasons import Reason
from corpusmill.reports.catalog import damage_is_named, open_catalog, rows_of
from corpusmill.reports.charts import compact, share
from corpusmill.reports.figures import FIGURES, Figure, Rows
from corpusmill.reports.findings import Finding, Step, findings, next_steps

FILE = "report.html"
TABLE_ROWS = 100  # most rows that are shown; the SQL returns all of them
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
    written = Corpus(corpus)
    name = written.place.rpartition("/")[2]
    with damage_is_named(corpus), open_catalog(corpus) as catalog:
        ask = partial(_answer, catalog)
        (summary,) = ask(SUMMARY_SQL)
        opening = _opening(findings(ask), next_steps(ask, name))
        sections = [(figure, rows) for figure in FIGURES if (rows := ask(figure.sql))]
    written.write_text(FILE, _page(name, summary, opening, sections))
    return f"{written.place}/{FILE}"


def _answer(catalog: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    """A query's rows, with personal data masked."""
    return [{name: _masked(value) for name, value in row.items()} for row in rows_of(catalog, sql)]


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return mask_text(value)
    return [_masked(item) for item in value] if isinstance(value, list) else value


def _page(name: str, summary: dict[str, Any], opening: str, sections: list[tuple[Figure, list[dict[str, Any]]]]) -> str:
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
{opening}
<nav aria-label="Figures">{links}</nav>
</header>
<main>
{"".join(_section(figure, rows) for figure, rows in sections)}</main>
<footer>
<p>Every figure is a query over <code>catalog.duckdb</code> of this corpus. Open “rows and SQL” under a figure, and run
the query with <code>corpusmill sql {title} "…"</code> or with <code>duckdb</code>.
<code>corpusmill why {title} URL</code> shows what became of one page.</p>
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


def _opening(found: list[Finding], steps: list[Step]) -> str:
    """The findings and the next steps, as HTML."""
    looks = "".join(
        f"<li>{html.escape(each.says)}<details><summary>SQL</summary><pre><code>{html.escape(each.sql)}</code></pre>"
        "</details></li>"
        for each in found
    )
    if not found:
        looks = "<li>Nothing stands out.</li>"
    does = "".join(f"<li>{html.escape(step.says)}<code>{html.escape(step.command)}</code></li>" for step in steps)
    return (
        f'<div class="opening"><div><h2>What to look at</h2><ul>{looks}</ul></div>'
        f"<div><h2>What to do next</h2><ul>{does}</ul>"
        "<p>The commands run in the folder that holds the corpus.</p></div></div>"
    )


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
