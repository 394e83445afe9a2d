"""The page about sources has the table of kinds as the code has it."""

from corpusmill.collect.formats import FORMATS
from tools.sources import PAGE, page


def test_the_table_of_kinds_is_that_of_the_formats():
    text = PAGE.read_text("utf-8")
    assert text == page(), "run: python tools/sources.py"
    for kind in FORMATS:
        assert f"\n| `{kind}` |" in text
