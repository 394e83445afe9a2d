"""`docs/catalog.md`: the tables of the catalog, written from the same lines as the catalog's own comments.

python -c "from corpusmill.reports.reference import reference; print(reference(), end='')" > docs/catalog.md
"""

from corpusmill.reasons import Duplicate, Reason
from corpusmill.reports.tables import TABLES, duckdb_type
from corpusmill.schema import Table

INTRODUCTION = f"""\
# The catalog

`catalog.duckdb` lies over a corpus: views over its Parquet tables, and tables made from them (`ledger`, `totals`,
`receipts`). Ask it with

```sh
corpusmill sql my-corpus "SELECT rule, count(*) FROM ledger WHERE NOT kept GROUP BY rule ORDER BY ALL"
```

(`--format csv`, `json` or `parquet` for programs), from Python with `corpusmill.open("my-corpus").sql(...)`, or with
plain `duckdb my-corpus/catalog.duckdb`. It is there from the first part on, while a run goes on, too: a stage without
parts is an empty table, and pages that are not decided yet have a null in `ledger.kept`. `corpusmill sql` renews the
file when the corpus has changed or was moved; plain DuckDB reads it as it is. Queries can read and can't change
anything. A connection that was open before a run tells of the corpus as it was before: open it again after a run. A
query that meets parts of both says so and fails.

Only parts that belong together are shown. A run that was stopped leaves parts of later stages that were made from
something else than what is published now; these are not in any table, and `receipts.is_current` is false for them.

`pages` holds text, titles and addresses as they came, with personal data in them. In `texts` and `docs` they are
masked; in the report and in `corpusmill why` everything is. A user's stage is a table of its own, and the signals of a
user's module are columns of `signals`.

What dropped a page, by rule, and how close it was:

```sql
SELECT rule, count(*) AS pages, min(value), max(value), any_value(threshold) AS threshold
FROM ledger WHERE stage = '{Reason.RULE}' GROUP BY rule ORDER BY pages DESC
```

Near-duplicates, each beside the document that was kept instead:

```sql
SELECT l.jaccard, l.url AS dropped, p.url AS kept
FROM ledger l JOIN pages p ON p.doc_id = l.twin_doc_id
WHERE l.rule = '{Duplicate.NEAR}' ORDER BY l.jaccard DESC
```

Tokens by language and host (`url_host` is a macro of the catalog):

```sql
SELECT d.language, url_host(d.url) AS host, count(*) AS documents, sum(t.n_tokens) AS tokens
FROM docs d JOIN tokens t USING (doc_id) GROUP BY ALL ORDER BY tokens DESC
```

The tables and columns below stay: columns are added, none is renamed. In DuckDB the descriptions are comments:
`SELECT column_name, comment FROM duckdb_columns() WHERE table_name = 'ledger'`.
"""


def reference() -> str:
    """The page as Markdown."""
    return "\n".join([INTRODUCTION, *map(_section, TABLES)])


def _section(table: Table) -> str:
    rows = [f"| `{c.name}` | {duckdb_type(c.type)} | {_escaped(c.description)} |\n" for c in table.columns]
    return f"## {table.name}\n\n{_escaped(table.description)}\n\n| column | type | |\n|---|---|---|\n{''.join(rows)}"


def _escaped(text: str) -> str:
    return text.replace("|", r"\|").replace("<", "&lt;")
