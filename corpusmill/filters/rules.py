"""Rules as SQL: whether they can be evaluated, and what they say about each page.

A rule is one DuckDB expression over signals and columns of pages.  What it says of a page must depend on that page
alone, or parts would differ with the work's division: so subqueries, aggregates, window functions and functions such
as random() and now() are refused, before any work.  Evaluation is one query for all rules in a connection of the
process, with one thread (more would not keep the rows' order) and without access to files.  Cost: 14 microseconds a
page for the default profile's 29 rules.
"""

import difflib
import json
import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpusmill import schema
from corpusmill.errors import InputError
from corpusmill.filters.profiles import BEFORE_HOST, MADE, OF_PAGES, active_rules, nearest
from corpusmill.filters.settings import FilterSettings, Rule
from corpusmill.names import identifier
from corpusmill.reasons import Reason, Status

__all__ = ["PAGE_COLUMNS", "active_rules", "check_filters", "check_rules", "judge_pages", "outcomes", "seen"]

_LOCK = threading.Lock()  # the connection and the name `signals` in it are the process's


HOST_SQL = f"lower(nullif(regexp_extract({{url}}, '{BEFORE_HOST}([^/?#]*)', 1), ''))"
"""The host of a URL, with its port."""

PAGE_COLUMNS = (
    *(column for column in schema.PAGES.columns if column.name in OF_PAGES),
    schema.Column("host", pa.string(), "host of the URL, with its port; null if the page has no URL"),
    schema.Column("page_type", pa.string(), "kind of page by the extractor: article, forum, product, ...; else null"),
)
"""What rules may read besides signals.  `metadata` is a map there: metadata['author'] is a text, or null."""


def outcomes(rules: Sequence[Rule]) -> list[str]:
    """The SQL that decides: for each rule, whether it drops a row, and the value of its signal if it has one.

    Columns drop_0, drop_1, ... (never null) and value_K, over what `seen` shows.  Verdicts and what-if both use it.
    """
    drops = [f"coalesce({rule.expression}, false) AS drop_{k}" for k, rule in enumerate(rules)]
    return drops + [f"{identifier(rule.signal)}::DOUBLE AS value_{k}" for k, rule in enumerate(rules) if rule.signal]


def seen(table: str, columns: Sequence[str]) -> str:
    """The table that rules see: one of signals and columns of pages, with what is made, and metadata as a map."""
    made = [f", {_MADE_SQL[name]} AS {name}" for name, of in MADE.items() if of in columns and name not in columns]
    metadata = f"REPLACE ({_MAP_SQL} AS metadata)" if "metadata" in columns else ""
    return f"(SELECT * {metadata}{''.join(made)} FROM {table})"


_MAP_SQL = """from_json(metadata, '"MAP(VARCHAR, VARCHAR)"')"""
_MADE_SQL = {"host": HOST_SQL.format(url="url"), "page_type": "json_extract_string(metadata, '$.page_type')"}


def check_filters(settings: FilterSettings, columns: pa.Schema) -> None:
    """InputError unless every rule and condition of a recipe can be evaluated over a table of these columns."""
    bare = [profile.model_copy(update={"when": None}) for profile in settings.profiles]
    check_rules(active_rules(settings.model_copy(update={"profiles": bare})), columns)
    with _seen(columns.empty_table()) as connection:
        for profile in settings.profiles:
            if profile.when is not None:
                _check_expression(f"recipe: profile '{profile.name}'", profile.when, columns, connection)
    active_rules(settings)


def check_rules(rules: Sequence[Rule], columns: pa.Schema) -> None:
    """InputError unless every rule can be evaluated over a table of these columns."""
    with _seen(columns.empty_table()) as connection:
        for rule in rules:
            if rule.signal is not None:
                _check_signal(rule, columns)
            for expression in (rule.sql, rule.when):
                if expression is not None:
                    _check_expression(f"recipe: rule '{rule.name}'", expression, columns, connection)


@contextmanager
def _seen(table: pa.Table) -> Iterator[duckdb.DuckDBPyConnection]:
    """The process's connection, in which `signals` is this table as rules see it."""
    with _LOCK:
        connection = _connection()
        connection.register("measured", table)
        try:
            connection.execute(f"CREATE OR REPLACE TEMP VIEW signals AS FROM {seen('measured', table.column_names)}")
            yield connection
        finally:
            connection.execute("DROP VIEW IF EXISTS signals")
            connection.unregister("measured")


def judge_pages(status: pa.Array, signals: pa.Table, rules: Sequence[Rule]) -> pa.Table:
    """What becomes of n pages: `schema.VERDICTS`, n rows in the same order.

    status: column of pages (n); signals: the table of signals (n rows).  InputError if a rule fails on a value.
    """
    n = signals.num_rows
    assert len(status) == n, "one row of signals a page"
    states = status.to_pylist()
    unreadable = np.array([state != Status.OK for state in states], np.bool_)
    drops, values = _evaluate(signals, rules)
    drops[:, unreadable] = False
    verdicts: dict[str, list[Any]] = {name: [] for name in schema.VERDICTS.arrow.names}
    verdicts["doc_id"] = signals["doc_id"].to_pylist()
    for row, state in enumerate(states):
        dropping = np.flatnonzero(drops[:, row]).tolist()
        rule = rules[dropping[0]] if dropping else None
        verdicts["kept"].append(rule is None and not unreadable[row])
        verdicts["stage"].append(Reason.UNREADABLE if unreadable[row] else Reason.RULE if rule else None)
        verdicts["rule"].append(state if unreadable[row] else rule.name if rule else None)
        verdicts["value"].append(float(values[dropping[0]][row]) if rule and rule.signal else None)
        verdicts["threshold"].append(rule.threshold if rule else None)
        verdicts["also_dropped_by"].append([rules[k].name for k in dropping[1:]])
    return pa.table(verdicts, schema=schema.VERDICTS.arrow)


def _evaluate(
    signals: pa.Table, rules: Sequence[Rule]
) -> tuple[npt.NDArray[np.bool_], dict[int, npt.NDArray[np.float64]]]:
    """Does each rule drop each page?  bool (rules, n); and the value of its signal by rule, if it has one."""
    if not rules:
        return np.zeros((0, signals.num_rows), np.bool_), {}
    with _seen(signals) as connection:
        try:
            found = connection.execute(f"SELECT {', '.join(outcomes(rules))} FROM signals").fetchnumpy()
        except duckdb.Error:
            raise failure(rules, connection, "signals") from None
    drops = np.array([found[f"drop_{k}"] for k in range(len(rules))], np.bool_)
    return drops, {k: found[f"value_{k}"] for k, rule in enumerate(rules) if rule.signal}


def failure(rules: Sequence[Rule], connection: duckdb.DuckDBPyConnection, table: str) -> Exception:
    """The error of the first rule that fails on a value, such as a cast of a word to a number."""
    for rule in rules:
        try:
            connection.execute(f"SELECT count(*) FILTER ({rule.expression}) FROM {table}").fetchall()
        except duckdb.Error as error:
            return InputError(f"recipe: rule '{rule.name}' fails on a page: {_first_line(error)}; guard it with 'when'")
    return AssertionError("the rules fail together, but none of them alone")


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:", config={"threads": 1, "enable_external_access": False})
    connection.execute("SET TimeZone = 'UTC'; SET lock_configuration = true")  # by default it is the machine's
    return connection


def _check_signal(rule: Rule, signals: pa.Schema) -> None:
    assert rule.signal is not None
    assert rule.threshold is not None
    if not math.isfinite(rule.threshold):
        raise InputError(f"recipe: rule '{rule.name}': the threshold must be a finite number")
    if rule.signal not in signals.names:
        raise InputError(f"recipe: rule '{rule.name}': {_unknown([rule.signal], signals)}")
    kind = signals.field(rule.signal).type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        raise InputError(f"recipe: rule '{rule.name}': signal '{rule.signal}' is no number but {kind}; use 'sql'")


def _check_expression(who: str, expression: str, signals: pa.Schema, connection: duckdb.DuckDBPyConnection) -> None:
    """One boolean expression over the row's own columns, which DuckDB can bind."""
    where = f"{who}: '{expression}'"
    parsed = _parse(expression, connection)
    if "error_message" in parsed:
        raise InputError(f"{where} is not valid SQL: {parsed['error_message']}")
    named = []
    for node in _nodes(parsed):
        kind, path = node["class"], node.get("column_names") or [node.get("function_name", "")]
        if kind == "COLUMN_REF":
            named.append(path)
            if path[-1] in signals.names:
                continue
        if kind in _REFUSED or path[-1].lower() in _unstable(connection):
            raise InputError(
                f"{where} must depend on the page's own columns only; no subqueries, windows, random(), now()"
            )
    try:
        query = f"SELECT ({expression}) FROM signals WHERE ({expression})"  # WHERE refuses aggregates
        kind = str(connection.execute(query).description[0][1])
    except duckdb.BinderException as error:
        known = {name.lower() for name in signals.names}
        unknown = [path[0] for path in named if not {part.lower() for part in path} & known]
        said = _unknown(unknown, signals) if unknown else _first_line(error)
        raise InputError(f"{where}: {said}") from None
    except duckdb.Error as error:
        raise InputError(f"{where}: {_first_line(error)}") from None
    if kind != "BOOLEAN":
        raise InputError(f"{where} is of type {kind}; a rule's expression must be true or false")


def _unknown(columns: Sequence[str], signals: pa.Schema) -> str:
    """A sentence about the first of these columns, which are not there, with the nearest that are."""
    name = columns[0]
    if close := difflib.get_close_matches(name, signals.names, 3):
        return f"unknown column '{name}'; did you mean {' or '.join(repr(each) for each in close)}?"
    return f"unknown column '{name}'; {nearest(name, signals.names)}"


_REFUSED = frozenset({"SUBQUERY", "WINDOW", "STAR", "PARAMETER"})


def _parse(expression: str, connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """DuckDB's syntax tree of one expression; {"error_message": ...} if it is anything else."""

    def select(what: str) -> dict[str, Any]:
        serialized = connection.execute("SELECT json_serialize_sql(?)", [f"SELECT {what}"]).fetchall()[0][0]
        tree: dict[str, Any] = json.loads(serialized)
        return tree

    if not expression.strip():
        return {"error_message": "it is empty"}
    tree = select(expression)
    if not tree["error"]:
        tree = select(f"({expression})")  # as rules are evaluated
    if tree["error"]:
        return tree
    node, plain = tree["statements"][0]["node"], select("(1)")["statements"][0]["node"]
    expressions, _ = node.pop("select_list"), plain.pop("select_list")
    if len(tree["statements"]) != 1 or len(expressions) != 1 or node != plain:
        return {"error_message": "it must be one expression"}
    return dict(expressions[0])


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Every node of a syntax tree."""
    if isinstance(tree, dict):
        if "class" in tree:
            yield tree
        for value in tree.values():
            yield from _nodes(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _nodes(value)


# Without parentheses, and so columns to the parser; and functions that DuckDB calls consistent, or macros of such.
_MOMENTS = frozenset(
    {
        *("current_timestamp", "localtimestamp", "current_time", "localtime", "current_date"),
        *("current_user", "user", "session_user", "current_role", "current_catalog", "current_schema"),
        *("age", "ago", "current_localtime", "current_localtimestamp", "version"),
        *("pg_conf_load_time", "pg_postmaster_start_time"),
    }
)


@cache
def _unstable(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """What has a value that does not follow from its arguments."""
    query = "SELECT DISTINCT function_name FROM duckdb_functions() WHERE stability <> 'CONSISTENT'"
    return _MOMENTS | {name for (name,) in connection.execute(query).fetchall()}


def _first_line(error: duckdb.Error) -> str:
    return str(error).partition("\n")[0]
