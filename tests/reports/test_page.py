import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import duckdb
import pytest

from corpusmill.corpus import Corpus
from corpusmill.errors import InputError
from corpusmill.reports.figures import FIGURES
from corpusmill.reports.page import TABLE_ROWS, write_report
from corpusmill.reports.query import run_sql

from . import conftest
from .conftest import PAGES, write_stage

VOID = {"meta", "wbr"}

NOT_DRAWN = ("bias", "masked", "edits")  # the corpus has few pages, no personal data and no edits
DRAWN = [figure for figure in FIGURES if figure.key not in NOT_DRAWN]


class Tags(HTMLParser):
    """Every tag with its attributes; fails on tags that are not closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def text_of(page: str) -> str:
    return re.sub(r"<[^>]*>", "", page)


def test_the_report_shows_every_figure_of_a_full_corpus(corpus):
    path = Path(write_report(corpus))
    assert path == corpus / "report.html"
    sections = [attributes["id"] for tag, attributes in Tags(path.read_text("utf-8")).found if tag == "section"]
    assert sections == [figure.key for figure in DRAWN]


def test_it_is_one_file_that_loads_and_runs_nothing(corpus):
    for tag, attributes in Tags(Path(write_report(corpus)).read_text("utf-8")).found:
        assert tag not in {"script", "iframe", "link", "img", "object", "embed", "base", "form"}
        assert not {name for name in attributes if name.startswith("on") or name in ("src", "srcset", "action")}
        assert attributes.get("href", "#").startswith("#")


def test_what_pages_say_is_escaped_and_masked(corpus):
    page = Path(write_report(corpus)).read_text("utf-8")
    assert "&lt;img src=x onerror" in page
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert "jane.doe" not in page
    assert "&lt;email&gt;" in page


def test_figures_agree_with_the_corpus(corpus):
    text = text_of(Path(write_report(corpus)).read_text("utf-8"))
    kept = len(conftest.kept(range(len(PAGES))))
    assert f"Of {len(PAGES)} pages that came in, {kept} ({100 * kept / len(PAGES):.0f} %) are in the corpus." in text
    assert "1 language." not in text
    assert "en has the most pages" in text
    assert "1.250 bits per byte" in text
    assert "6.62: what guessing by frequency reaches" in text
    assert "5.25: what counting trigrams reaches" in text
    assert "0.500 (0.215 to 0.785)" in text
    assert "4.000 · 1 document" in text


def test_the_hosts_of_the_tile_are_those_of_the_figure(corpus):
    page = Path(write_report(corpus)).read_text("utf-8")
    hosts = {urlsplit(PAGES[i].url).netloc for i in conftest.kept(range(len(PAGES))) if PAGES[i].url}
    (tile,) = re.findall(r"<dd>(\d+)</dd><dt>hosts? with documents</dt>", page)
    (met, kept) = re.search(r"(\d+) hosts, (\d+) with documents kept\.", text_of(page)).groups()
    assert int(tile) == int(kept) == len(hosts)
    assert int(met) == len({urlsplit(page.url).netloc for page in PAGES if page.url})


def test_every_query_that_is_shown_gives_the_rows_that_are_shown(corpus):
    page = Path(write_report(corpus)).read_text("utf-8")
    shown = re.findall(r"<pre><code>(.*?)</code></pre>\n(.*?)</details>", page, re.DOTALL)
    assert len(shown) == len(DRAWN)
    for figure, (_, table) in zip(DRAWN, shown, strict=True):
        rows = run_sql(corpus, f"SELECT 1 FROM ({figure.sql})", "csv").splitlines()[1:]
        assert table.count("<tr>") == 1 + min(len(rows), TABLE_ROWS)


def test_the_same_corpus_gives_the_same_report(corpus):
    first, second = (re.sub("written [^<]*", "", Path(write_report(corpus)).read_text("utf-8")) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("until", [0, 1, 5, 7])
def test_a_corpus_that_is_still_growing_has_a_report(tmp_path, until):
    corpus = Corpus(tmp_path / "x")
    corpus.write_text("recipe.toml", conftest.RULES)
    for stage in list(conftest.ROWS)[:until]:
        write_stage(corpus, stage)
    page = Path(write_report(corpus.folder)).read_text("utf-8")
    Tags(page)
    assert ("not decided yet" in page) == (until in (1, 5))


def test_a_wrong_folder(tmp_path):
    with pytest.raises(InputError, match="not a corpus"):
        write_report(tmp_path)


def test_masked_data_and_edits_are_summed():
    figures = {figure.key: figure for figure in FIGURES}
    with duckdb.connect() as catalog:
        catalog.execute(
            "CREATE TABLE ledger AS FROM (VALUES ('a', true), ('b', true), ('c', false)) AS t(doc_id, kept)"
        )
        catalog.execute("""CREATE TABLE texts AS FROM (VALUES ('a', 2, 0, 3, 40), ('b', 1, 0, 0, 0), ('c', 9, 9, 1, -2))
            AS t(doc_id, pii_emails, pii_keys, edit_c4_lines, edit_c4_chars)""")
        masked, edits = (catalog.sql(figures[key].sql) for key in ("masked", "edits"))
        assert masked.fetchall() == [("emails", 3, 2)]
        assert edits.fetchall() == [("c4", 2, 4, 38)]
        rows = [dict(zip(edits.columns, row, strict=True)) for row in edits.fetchall()]
        assert "4 lines, 38 characters, in 2 pages" in figures["edits"].draw(rows).html
        rows = [dict(zip(masked.columns, row, strict=True)) for row in masked.fetchall()]
        assert "3 in 2 documents" in figures["masked"].draw(rows).html
        catalog.execute("CREATE OR REPLACE TABLE texts AS SELECT doc_id, pii_emails FROM texts")
        assert catalog.sql(figures["edits"].sql).fetchall() == []
