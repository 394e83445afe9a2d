"""`docs/catalog.md`: the tables of the catalog, made from the same texts as the catalog's own comments.

python -c "from corpusmill.reports.reference import reference; print(reference(), end='')" > docs/catalog.md
"""

from corpusmill.reasons import Duplicate, Reason
from corpusmill.reports.tables import TABLES, plain_type
from corpusmill.schema import Table

INTRODUCTION = f"""\
# The catalog

`catalog.duckdb` is a database over a corpus. It holds views of the Parquet tables, and tables that are made from them
(`ledger`, `totals`, `receipts`). Ask it with

```sh
corpusmill sql my-corpus "SELECT rule, count(*) FROM ledger WHERE NOT kept GROUP BY rule ORDER BY ALL"
```

For programs, add `--format csv`, `json` or `parquet`. From Python, use `corpusmill.open("my-corpus").sql(...)`. Plain
`duckdb my-corpus/catalog.duckdb` works, too.

- You can ask while a run goes on. A stage without parts is an empty table. For a page that is not decided yet,
  `ledger.kept` is null.
- `corpusmill sql` renews the file when the corpus has changed or was moved. Plain DuckDB reads it as it is.
- Queries can only read.
- A connection that was opened before a run shows the corpus as it was before the run. Open it again after the run. If a
  query meets old and new parts together, it fails with a sentence that says so.
- Only parts that belong together are shown. A stopped run may leave parts of later stages that were made from data
  which has been replaced since. No table shows them, and `receipts.is_current` is false for them.
- `pages` holds text, titles and addresses as they came, with personal data. In `texts` and `docs`, texts and titles are
  masked. In the report and in `corpusmill why`, everything is masked.
- Your own stage is a table. Your own signals are columns of `signals`.

Which rules dropped pages, and how close the values were to the threshold:

```sql
SELECT rule, count(*) AS pages, min(value), max(value), any_value(threshold) AS threshold
FROM ledger WHERE stage = '{Reason.RULE}' GROUP BY rule ORDER BY pages DESC
```

Near-duplicates, each with the document that was kept instead:

```sql
SELECT l.jaccard, l.url AS dropped, p.url AS kept
FROM ledger l JOIN pages p ON p.doc_id = l.twin_doc_id AND l.twin_corpus IS NULL
WHERE l.rule = '{Duplicate.NEAR}' ORDER BY l.jaccard DESC
```

Tokens by language and host (`url_host` is a macro of the catalog):

```sql
SELECT d.language, url_host(d.url) AS host, count(*) AS documents, sum(t.n_tokens) AS tokens
FROM docs d JOIN tokens t USING (doc_id) GROUP BY ALL ORDER BY tokens DESC
```

No table and no column below will be renamed. New columns may be added. In DuckDB, the descriptions are comments:
`SELECT column_name, comment FROM duckdb_columns() WHERE table_name = 'ledger'`.
"""


def reference() -> str:
    """The page as Markdown."""
    return "\n".join([INTRODUCTION, *map(_section, TABLES)])


def _section(table: Table) -> str:
    rows = [f"| `{c.name}` | {plain_type(c.type)} | {_escaped(c.description)} |\n" for c in table.columns]
    return f"## {table.name}\n\n{_escaped(table.description)}\n\n| column | type | |\n|---|---|---|\n{''.join(rows)}"


def _escaped(text: str) -> str:
    return text.replace("|", r"\|").replace("<", "&lt;")
