import re
from pathlib import Path

import pytest

from corpusmill.reports.query import run_sql
from corpusmill.reports.reference import INTRODUCTION, reference

PAGE = Path(__file__).parents[2] / "docs" / "catalog.md"


def test_the_committed_page_is_up_to_date():
    assert PAGE.read_text("utf-8") == reference()


@pytest.mark.parametrize("query", re.findall(r"```sql\n(.*?)```", INTRODUCTION, re.DOTALL))
def test_its_queries_run(corpus, query):
    assert len(run_sql(corpus, query, "csv").splitlines()) > 1
