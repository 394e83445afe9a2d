"""reStructuredText and LaTeX: text as it is, and what it says of itself."""

import time

import pytest

from corpusmill.extract.extractors import extractor
from corpusmill.page import Page

RST = """\
=============
The old mill
=============

:Author: A. Miller
:License: CC-BY-4.0

It *turned* all summer.

The wheel
---------

More.
"""

LATEX = r"""
\documentclass{article} % a class
\title[short]{On \emph{Mills}\thanks{nobody} and {Wheels}}
\author{A.~Miller \\ B. Baker}
\newcommand{\x}{y}
\begin{document}
% a remark
It costs 5\% of $x \\% comment
y$.
\begin{verbatim}
100% of this stays
\end{verbatim}
\begin{comment}
not this
\end{comment}
End.
\end{document}
notes
"""


def extracted(media, text):
    return extractor("resiliparse")(Page(body=text.encode(), media=media))


def test_restructured_text():
    found = extracted("rst", RST)
    assert (found.text, found.title, found.licence) == (RST, "The old mill", "CC-BY-4.0")
    assert found.metadata == {"author": "A. Miller", "encoding": "utf-8"}
    assert extracted("rst", "No heading.\n").title is None
    assert extracted("rst", "Title\n=====\n").title == "Title"


def test_latex():
    found = extracted("latex", LATEX)
    assert (found.title, found.metadata["author"]) == ("On Mills and Wheels", "A. Miller B. Baker")
    assert "100% of this stays" in found.text
    assert "5\\% of $x \\\\y$." in found.text
    for gone in ("remark", "comment\n", "not this", "documentclass", "notes", "newcommand"):
        assert gone not in found.text
    assert found.text.endswith("End.")
    part = extracted("latex", "\\section{One} % x\nwords")
    assert part.text == "\\section{One} words"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (r"a \verb|100% of| b % gone", r"a \verb|100% of| b "),
        (r"\verb*!%! and \Verb[x=1]+%d+ % gone", r"\verb*!%! and \Verb[x=1]+%d+ "),
        (r"\url{http://a.example/%20b} % gone", r"\url{http://a.example/%20b} "),
        (r"\href{http://a.example/{x}%20b\%}{50\% of it} % gone", r"\href{http://a.example/{x}%20b\%}{50\% of it} "),
        (r"\lstinline[language=C]{printf(\"%d\")} % gone", r"\lstinline[language=C]{printf(\"%d\")} "),
        (r"\lstinline|%s| \mintinline{c}|%s| % gone", r"\lstinline|%s| \mintinline{c}|%s| "),
        (r"% \verb|%| and \url{%}", ""),
        (r"a \\verb|b % gone|", r"a \\verb|b "),
        (r"\verbatiminput{a}% gone", r"\verbatiminput{a}"),
        ("\\url{a% gone\n  b}", r"\url{ab}"),
        (r"\verb|never closed % gone", r"\verb|never closed "),
    ],
)
def test_latex_keeps_percent_signs_that_begin_no_comment(text, kept):
    assert extracted("latex", text).text == kept


def test_latex_with_many_verbs_takes_no_quadratic_time():
    started = time.process_time()
    extracted("latex", "".join(f"\\verb{chr(0x4E00 + i)}" for i in range(10_000)))
    assert time.process_time() - started < 10


@pytest.mark.parametrize("media", ["rst", "latex"])
@pytest.mark.parametrize(
    "piece",
    [
        "\\begin{verbatim}",
        "\\title{",
        "\\\\",
        "%",
        "{",
        "===\n",
        "a\n",
        "\\begin{document}",
        "\\author[",
        ":a: b\n",
        "\\verb|",
        "\\url{a",
        "\\url{{",
        "\\lstinline[",
    ],
)
def test_no_text_takes_long(media, piece):
    started = time.process_time()
    extracted(media, piece * (300_000 // len(piece)))
    assert time.process_time() - started < 10  # a pattern that goes wrong takes minutes
