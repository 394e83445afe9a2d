"""Rules as SQL: which are active, whether they can be evaluated, and what they say about each page.

A rule is one DuckDB expression over the columns of signals.  What it says of a page must depend on that page's signals
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
from functools import cache
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpusmill import schema
from corpusmill.errors import InputError
from corpusmill.filters.codes import LANGUAGES
from corpusmill.filters.profiles import PROFILES
from corpusmill.filters.settings import FilterSettings, Rule
from corpusmill.names import identifier
from corpusmill.reasons import Reason, Status

_LOCK = threading.Lock()  # the connection and the name `signals` in it are the process's


def active_rules(settings: FilterSettings) -> tuple[Rule, ...]:
    """The rules in force, in order: languages, language score, the profile's, the user's.

    A user's rule with the name of one that comes before takes its place.
    """
    rules = {rule.name: rule for rule in (*_language_rules(settings), *PROFILES[settings.profile])}
    for name in settings.disable:
        if name not in rules:
            raise InputError(f"recipe: filters.disable: there is no rule '{name}'; {_allowed(name, rules)}")
        del rules[name]
    own = [rule.name for rule in settings.rules]
    for rule in settings.rules:
        if own.count(rule.name) > 1:
            raise InputError(f"recipe: filters.rules: two rules are named '{rule.name}'; names must differ")
        rules[rule.name] = rule
    return tuple(rules.values())


def _language_rules(settings: FilterSettings) -> Iterator[Rule]:
    if settings.languages:
        for code in settings.languages:
            if code not in LANGUAGES:
                raise InputError(f"recipe: filters.languages: unknown code '{code}'; {_allowed(code, LANGUAGES)}")
        codes = ", ".join(f"'{code}'" for code in settings.languages)
        yield Rule(name="language", when=f"language IS NULL OR language NOT IN ({codes})")
    if settings.min_language_score > 0:
        yield Rule(
            name="language_score", signal="language_score", comparison="<", threshold=settings.min_language_score
        )


def check_rules(rules: Sequence[Rule], signals: pa.Schema) -> None:
    """InputError unless every rule can be evaluated over a table of signals with this schema."""
    with _LOCK:
        connection = _connection()
        connection.register("signals", signals.empty_table())
        try:
            for rule in rules:
                if rule.signal is not None:
                    _check_signal(rule, signals)
                for expression in (rule.when, rule.where):
                    if expression is not None:
                        _check_expression(rule, expression, signals, connection)
        finally:
            connection.unregister("signals")


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
    outcomes = [f"coalesce({rule.sql}, false) AS drop_{k}" for k, rule in enumerate(rules)]
    values = [f"{identifier(rule.signal)}::DOUBLE AS value_{k}" for k, rule in enumerate(rules) if rule.signal]
    with _LOCK:
        connection = _connection()
        connection.register("signals", signals)
        try:
            found = connection.execute(f"SELECT {', '.join([*outcomes, *values])} FROM signals").fetchnumpy()
        except duckdb.Error:
            raise _failure(rules, connection) from None
        finally:
            connection.unregister("signals")
    drops = np.array([found[f"drop_{k}"] for k in range(len(rules))], np.bool_)
    return drops, {k: found[f"value_{k}"] for k, rule in enumerate(rules) if rule.signal}


def _failure(rules: Sequence[Rule], connection: duckdb.DuckDBPyConnection) -> Exception:
    """The error of the first rule that fails on a value, such as a cast of a word to a number."""
    for rule in rules:
        try:
            connection.execute(f"SELECT {rule.sql} FROM signals").fetchnumpy()
        except duckdb.Error as error:
            return InputError(
                f"recipe: rule '{rule.name}' fails on a page: {_first_line(error)}; guard it with 'where'"
            )
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
        raise InputError(
            f"recipe: rule '{rule.name}': unknown signal '{rule.signal}'; {_allowed(rule.signal, signals.names)}"
        )
    kind = signals.field(rule.signal).type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        raise InputError(f"recipe: rule '{rule.name}': signal '{rule.signal}' is no number but {kind}; use 'when'")


def _check_expression(rule: Rule, expression: str, signals: pa.Schema, connection: duckdb.DuckDBPyConnection) -> None:
    """One boolean expression over the row's own columns, which DuckDB can bind."""
    where = f"recipe: rule '{rule.name}': '{expression}'"
    parsed = _parse(expression, connection)
    if "error_message" in parsed:
        raise InputError(f"{where} is not valid SQL: {parsed['error_message']}")
    for node in _nodes(parsed):
        kind, path = node["class"], node.get("column_names") or [node.get("function_name", "")]
        if kind == "COLUMN_REF" and path[-1] in signals.names:
            continue
        if kind in _REFUSED or path[-1].lower() in _unstable(connection):
            raise InputError(
                f"{where} must depend on the page's own signals only; no subqueries, windows, random(), now()"
            )
    try:
        query = f"SELECT ({expression}) FROM signals WHERE ({expression})"  # WHERE refuses aggregates
        kind = str(connection.execute(query).description[0][1])
    except duckdb.BinderException as error:
        raise InputError(f"{where}: {_first_line(error)}; signals: {', '.join(signals.names)}") from None
    except duckdb.Error as error:
        raise InputError(f"{where}: {_first_line(error)}") from None
    if kind != "BOOLEAN":
        raise InputError(f"{where} is of type {kind}; a rule's expression must be true or false")


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


def _allowed(name: str, names: Sequence[str] | dict[str, Rule]) -> str:
    close = difflib.get_close_matches(name, names, 1)
    hint = f"did you mean '{close[0]}'? " if close else ""
    return f"{hint}allowed: {', '.join(sorted(names))}"
