"""docs/signals.md lists every signal and rule as the code has them.  `python -m tests.filters.test_docs` renews it."""

import doctest
import re
from pathlib import Path

from corpusmill.filters.profiles import PROFILES
from corpusmill.filters.register import EDIT_COUNTS, LANGUAGE_COLUMNS, SIGNALS
from corpusmill.filters.stop_words import STOP_WORDS

PAGE = Path(__file__).parents[2] / "docs" / "signals.md"


def signals_table():
    rows = [f"| `{column.name}` | {column.type} | {column.description} | fastText |" for column in LANGUAGE_COLUMNS]
    rows += [f"| `{signal.name}` | {signal.type} | {signal.description} | {signal.origin} |" for signal in SIGNALS]
    rows += [f"| `{column.name}` | {column.type} | {column.description} | corpusmill |" for column in EDIT_COUNTS]
    return "\n".join(["| signal | type | what it is | origin |", "|---|---|---|---|", *rows])


def rules_table():
    rows = []
    for rule in PROFILES["default"]:
        test = rule.when or f"{rule.signal} {rule.comparison} {rule.threshold:g}"
        rows.append(f"| `{rule.name}` | `{test}` | {f'`{rule.where}`' if rule.where else ''} |")
    return "\n".join(["| rule | drops a page if | only where |", "|---|---|---|", *rows])


def renewed(page):
    for name, table in (("signals", signals_table()), ("rules", rules_table())):
        page, n = re.subn(
            rf"(<!-- {name}: .*? -->\n).*?(?=<!-- end -->)", lambda m, t=table: f"{m[1]}{t}\n", page, flags=re.S
        )
        assert n == 1
    return page


def test_the_tables_are_the_code_s():
    page = PAGE.read_text("utf-8")
    assert renewed(page) == page, "run python -m tests.filters.test_docs"
    assert f"function words for {len(STOP_WORDS) - 1} other languages" in page


def test_the_example_runs():
    assert doctest.testfile(str(PAGE), module_relative=False).failed == 0


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text("utf-8")), "utf-8")
