import io
import unicodedata
from collections import Counter

from hypothesis import example, given
from hypothesis import strategies as st

from corpusmill.cli.build import _summary
from corpusmill.reasons import Reason, Stage
from corpusmill.stages.state import Books
from corpusmill.terminal import broken, counted, fitted


def columns_of(text):
    """Independent of the module: as the Unicode Standard's annex 11 has it."""
    return sum(
        2 if unicodedata.east_asian_width(c) in ("W", "F") else 0 if unicodedata.combining(c) else 1 for c in text
    )


SIGNS = st.sampled_from("ab xyz  語言ü\u0301😀-✗←")


@given(st.text(SIGNS, max_size=200), st.integers(20, 60))
@example("origin  source web, a.warc.gz at 314", 20)
def test_pieces_fit_and_lose_only_white_space(line, columns):
    pieces = list(broken(line, columns))
    assert all(columns_of(piece.rstrip()) <= columns for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(line.split())


@given(st.text(SIGNS, max_size=20))
def test_what_fits_stays_as_it_is(line):
    assert list(broken(line, 60)) == [line]


def test_further_pieces_stand_under_the_text_of_the_first():
    assert list(broken("origin    source web, round-0002.warc.gz at 314", 40)) == [
        "origin    source web, round-0002.warc.gz",
        "          at 314",
    ]


def test_text_without_spaces_is_broken_anywhere():
    assert list(broken("語" * 30, 20)) == ["語" * 10] * 3


def test_what_is_no_terminal_gets_long_lines():
    line = "word " * 100
    assert fitted(line, io.StringIO()) == line


def test_one_is_singular():
    assert (counted(1, "file"), counted(2000, "file"), counted(0, "file")) == ("1 file", "2,000 files", "0 files")


def test_the_summary_of_a_run_counts_one_as_one():
    dropped = Counter({Reason.DUPLICATE: 1})
    one = Books(
        rows=Counter({Stage.PAGES: 1, Stage.DOCS: 1}), dropped=dropped, counts={Stage.PAGES: Counter(status_ok=1)}
    )
    lines = [line.strip() for line in _summary("c", one, [], None).splitlines()]
    assert lines == ["1 page in (0 bytes)", "1 duplicate", "1 document kept (0 bytes of text)", "corpus: c"]
    two = Books(rows=Counter({Stage.PAGES: 2, Stage.DOCS: 2}), counts={Stage.PAGES: Counter(status_ok=2)})
    assert "2 documents kept" in _summary("c", two, [], None)
