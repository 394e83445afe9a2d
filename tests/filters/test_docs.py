"""docs/signals.md lists every signal and rule as the code has them.  `python -m tests.filters.test_docs` renews it."""

import doctest
import re
import tomllib
from pathlib import Path

import pytest

from corpusmill.filters.profiles import built_in
from corpusmill.filters.register import EDIT_COUNTS, LANGUAGE_COLUMNS, ON_REQUEST_SIGNALS, SIGNALS
from corpusmill.filters.stop_words import STOP_WORDS
from corpusmill.reports.tables import plain_type

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "signals.md"
CONFORMANCE = ROOT / "docs" / "conformance.md"
PROFILE_FILES = sorted((ROOT / "corpusmill" / "filters" / "profiles").glob("*.toml"))


def row(signal):
    unit, range_ = getattr(signal, "unit", ""), getattr(signal, "range", "")
    of_fasttext = signal.name in ("language", "language_score", "languages")
    origin = getattr(signal, "origin", "fastText" if of_fasttext else "corpusmill")
    kind = plain_type(signal.type) if "list" in str(signal.type) else signal.type
    return f"| `{signal.name}` | {kind} | {unit} | {range_} | {signal.description} | {origin} |"


def signals_table(columns=(*LANGUAGE_COLUMNS, *SIGNALS, *EDIT_COUNTS)):
    header = ["| signal | type | unit | range | what it is | origin |", "|---|---|---|---|---|---|"]
    return "\n".join([*header, *map(row, columns)])


def rules_table():
    rows = []
    for rule in built_in("default").rules:
        test = rule.sql or f"{rule.signal} {rule.comparison} {rule.threshold:g}"
        rows.append(f"| `{rule.name}` | `{test}` | {f'`{rule.when}`' if rule.when else ''} |")
    return "\n".join(["| rule | drops a page if | only where |", "|---|---|---|", *rows])


def published():
    profiles = [(path.stem, tomllib.loads(path.read_text("utf-8"))) for path in PROFILE_FILES]
    return [(name, profile) for name, profile in profiles if "@" in name or name in ("chinesewebtext", "redpajama2")]


def profiles_table():
    return "\n".join(f"| `{name}` | {p['title']} | {p['source']} |" for name, p in published())


def thresholds_table():
    rows = ["| profile | rule | drops a page if | section |", "|---|---|---|---|"]
    for name, profile in published():
        for rule in profile["rules"]:
            if "source" in rule:
                test = rule.get("sql") or f"{rule['signal']} {rule['comparison']} {rule['threshold']:g}"
                rows.append(f"| `{name}` | `{rule['name']}` | `{test}` | {rule['source']} |")
    return "\n".join(rows)


TABLES = {
    PAGE: {"signals": signals_table, "on request": lambda: signals_table(ON_REQUEST_SIGNALS), "rules": rules_table},
    CONFORMANCE: {"profiles": profiles_table, "thresholds": thresholds_table},
}


def renewed(path):
    page = path.read_text("utf-8")
    for name, make in TABLES[path].items():
        before, mark, rest = re.split(rf"(<!-- {name}: .*? -->\n)", page)
        page = f"{before}{mark}{make()}\n{rest[rest.index('<!-- end -->') :]}"
    return page


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.name)
def test_the_tables_are_the_code_s(path):
    assert renewed(path) == path.read_text("utf-8"), "run python -m tests.filters.test_docs"


def test_the_lists_are_counted_right():
    assert f"function words for {len(STOP_WORDS) - 1} other languages" in PAGE.read_text("utf-8")


def test_the_example_runs():
    assert doctest.testfile(str(PAGE), module_relative=False).failed == 0


if __name__ == "__main__":
    for path in TABLES:
        path.write_text(renewed(path), "utf-8")
