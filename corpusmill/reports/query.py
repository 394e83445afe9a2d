"""One query over a corpus, answered as a table for people or as CSV, JSON or Parquet for programs.

A query can read the catalog and any file that DuckDB can read, and can change nothing.  The catalog is attached
read-only.  Only a query that may stand in parentheses after FROM is run, so COPY, ATTACH, SET and similar statements
are refused.  (The output formats replace COPY.)  The table `pages` has the text as it was read, with personal data.
The text in `docs` is masked.
"""

import contextlib
import io
import json
import math
import re
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from decimal import Decimal
from itertools import count, pairwise
from pathlib import Path
from typing import Any, Literal, get_args

import duckdb

from corpusmill.collect.columns import encodable
from corpusmill.corpus import Place
from corpusmill.errors import InputError
from corpusmill.reports.catalog import open_catalog, told

Format = Literal["table", "csv", "json", "parquet"]
ROWS_SHOWN = 100  # in a table for people; if there are more, the first half and the last half are shown


def run_sql(corpus: Place, query: str, format: Format = "table") -> bytes:
    """The answer to one DuckDB query over the corpus's catalog, as bytes for the output.

    table: as wide as the terminal, text in UTF-8.  csv: with a header.  json: an array, one object per line.
    InputError if there is no corpus, or the query is wrong or would change something.
    """
    if format not in get_args(Format):
        raise InputError(f"unknown format '{format}'; allowed: {', '.join(get_args(Format))}")
    with open_catalog(corpus) as connection, ThreadPoolExecutor(1) as pool:
        try:
            _check(query)
            # in a thread, because a signal would have to wait while DuckDB works
            return pool.submit(lambda: _WRITERS[format](connection.sql(query))).result()
        except duckdb.Error as error:
            raise InputError(f"the query fails: {told(error)}") from error
        except BaseException:
            connection.interrupt()
            raise


def _check(query: str) -> None:
    """Accept a query that only reads; InputError for others, duckdb.Error for text that is not SQL."""
    if query != encodable(query):
        raise InputError("the query is not UTF-8")
    statements = duckdb.extract_statements(query)
    if len(statements) == 1 and statements[0].type in _READING and not _changes(query):
        with contextlib.suppress(duckdb.ParserException):
            duckdb.extract_statements(f"FROM (\n{query.rstrip().rstrip(';')}\n)")
            return
    raise InputError("give one query that only reads, such as SELECT, FROM, DESCRIBE or SUMMARIZE")


_READING = (duckdb.StatementType.SELECT, duckdb.StatementType.MULTI)  # MULTI: a PIVOT


CHANGING = frozenset(
    {
        *("checkpoint", "force_checkpoint", "enable_logging", "disable_logging", "truncate_duckdb_logs"),
        *("enable_profiling", "disable_profiling", "create_external_resource", "destroy_external_resource"),
        *("register_external_resource", "deregister_external_resource", "register_external_resource_type"),
        *("query", "json_execute_serialized_sql"),  # these run the SQL in a text
    }
)


# the first token of a text: a name in quotes, a name, another character
_WORD = re.compile(rb'"(?:[^"]|"")*"|\w+|.', re.DOTALL)


def _changes(query: str) -> bool:
    """Whether a part of the query is COPY, which DuckDB allows in WITH, or calls a function that changes something."""
    content = query.encode()
    starts = [start for start, kind in duckdb.tokenize(query) if kind != duckdb.token_type.comment]
    words = [_WORD.match(content, start)[0].strip(b'"').decode().lower() for start in starts]  # type: ignore[index]
    return any(
        (first == "(" and second == "copy") or (first in CHANGING and second == "(")
        for first, second in pairwise(words)
    )


def _table(answer: duckdb.DuckDBPyRelation) -> bytes:
    width = shutil.get_terminal_size((160, 24)).columns
    with contextlib.redirect_stdout(io.StringIO()) as text:
        answer.show(max_width=width, max_rows=ROWS_SHOWN)
    table = text.getvalue().rstrip()
    if table.endswith("shown)"):  # DuckDB's last line counts what it has left out
        table += "\n  --format csv shows all of it"
    return f"{table}\n".encode()


def _json(answer: duckdb.DuckDBPyRelation) -> bytes:
    names = _distinct(answer.columns)
    lines = [_written(dict(zip(names, row, strict=True))) for row in answer.fetchall()]
    return ("[" + ",\n ".join(lines) + "]\n").encode()


def _written(value: Any) -> str:
    """A value of DuckDB in JSON.  Numbers keep all their digits; NaN and infinity become null."""
    if isinstance(value, Decimal):
        return f"{value:f}"  # a float would keep 17 of up to 38 digits
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_quoted(str(key))}: {_written(item)}' for key, item in value.items())}}}"
    if isinstance(value, float) and not math.isfinite(value):
        return "null"
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value)
    if isinstance(value, date | datetime):
        return _quoted(value.isoformat())
    return _quoted(value.hex() if isinstance(value, bytes) else str(value))


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _distinct(names: list[str]) -> list[str]:
    """Column names, with a number added to each name that was there before."""
    distinct: list[str] = []
    for name in names:
        numbered = (f"{name}_{number}" for number in count(1))
        distinct.append(name if name not in distinct else next(each for each in numbered if each not in distinct))
    return distinct


def _csv(answer: duckdb.DuckDBPyRelation) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answer.csv"
        answer.write_csv(str(path), header=True)
        return path.read_bytes()


def _parquet(answer: duckdb.DuckDBPyRelation) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answer.parquet"
        answer.write_parquet(str(path), compression="zstd")
        return path.read_bytes()


_WRITERS = {"table": _table, "csv": _csv, "json": _json, "parquet": _parquet}
