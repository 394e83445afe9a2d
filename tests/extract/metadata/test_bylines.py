import pytest

from corpusmill.extract.metadata.read import read_metadata
from corpusmill.extract.segments.segment import segment

TITLE = "<title>Of mills</title><nav><a href=/>Home</a></nav><h1>Of mills</h1>"
TEXT = "<p>" + "Stones are dressed with a bill, by hand, since 1 January 1999. " * 5


@pytest.mark.parametrize(
    ("page", "authors", "published", "updated"),
    [
        (f"{TITLE}<p>By Jane Doe<p>May 3, 2024{TEXT}", ["Jane Doe"], "2024-05-03", None),
        (f"{TITLE}<p>Posted by Jane Doe on Friday, May 3, 2024{TEXT}", ["Jane Doe"], "2024-05-03", None),
        (f"{TITLE}<p>Written by<p>Jane van Doe<p>3 May 2024 | 5 min read{TEXT}", ["Jane van Doe"], "2024-05-03", None),
        (f"{TITLE}<p>Von Anna Müller, 3. Mai 2024{TEXT}", ["Anna Müller"], "2024-05-03", None),
        (f"{TITLE}<p>作者：王小明<p>2024年5月3日{TEXT}", ["王小明"], "2024-05-03", None),
        (f"{TITLE}<p>Last updated: May 3, 2024{TEXT}", [], None, "2024-05-03"),
        (f"{TITLE}<time datetime=2024-05-03T08:00Z>Friday</time>{TEXT}", [], "2024-05-03T08:00:00+00:00", None),
        (f"<p>May 3, 2024{TITLE}{TEXT}", [], "2024-05-03", None),
        (f"{TITLE}<div class=post-author><a href=/jane>Jane Doe</a><p>Miller and writer</div>{TEXT}", ["Jane Doe"],
         None, None),
        (f"{TITLE}<div class=AuthorName>Our 12 authors</div>{TEXT}", [], None, None),
        (f"{TITLE}<p>by hand<p>a mill by the river{TEXT}", [], None, None),
        (f"{TITLE}<p>1 May 2024<p>2 May 2024<p>3 May 2024{TEXT}", [], None, None),
        (f"<title>Of mills</title><h1>Elsewhere</h1><p>By Jane Doe<p>May 3, 2024{TEXT}", [], None, None),
        (f"{TITLE}{TEXT}" + "<p>Text" * 20 + "<p>By Jane Doe<p>May 3, 2024", [], None, None),
        (f"{TITLE}<p>By Jane Doe<p>May 3, 2024<meta name=author content=Example>", ["Jane Doe"], "2024-05-03", None),
        (f"{TITLE}<p>By Jane Doe<p>May 3, 2024<meta name=author content='Joe Roe'><meta name=date content=2024-05-01>",
         ["Joe Roe"], "2024-05-01", None),
        (f"{TITLE}<p>By Jane Doe 7 min read{TEXT}", ["Jane Doe"], None, None),
        (f"{TITLE}<p><span>by</span> <a>Jane Doe</a><span>3 May 2024</span>{TEXT}", ["Jane Doe"], "2024-05-03", None),
        (f"{TITLE}<p>Written by May 3, 2024{TEXT}", [], "2024-05-03", None),
        (f"{TITLE}<p>BY JANE DOE ON MAY 3, 2024{TEXT}", ["JANE DOE"], "2024-05-03", None),
        (f"{TITLE}<p>By Jane Doe Updated May 3, 2024{TEXT}", ["Jane Doe"], None, "2024-05-03"),
        (f"{TITLE}<p>By Jane Doe, Joe Roe and Max Moe{TEXT}", ["Jane Doe", "Joe Roe", "Max Moe"], None, None),
        (f"{TITLE}<p>By Jane Doe, Lund{TEXT}", ["Jane Doe"], None, None),
        (f"{TITLE}<div class=byline><b class=author>Jane Doe</b><i>Editor</i></div>{TEXT}", ["Jane Doe"], None, None),
        (f"{TITLE}<div class=bylines><b class=author>Jane Doe</b>, <b class=author>Joe Roe</b></div>{TEXT}",
         ["Jane Doe", "Joe Roe"], None, None),
        (f"{TITLE}<a class=author><span>By</span>Jane Doe</a>{TEXT}", ["Jane Doe"], None, None),
        (f"{TITLE}<div class=comments><b class=author>Jane Doe</b></div>{TEXT}", [], None, None),
        (f"<div class=user-nav><b class=username>Jane Doe</b></div>{TITLE}{TEXT}", [], None, None),
        ("<title>Of mills</title><div class=authors-box><i>New Results</i><h1>Of mills</h1></div>" + TEXT, [], None,
         None),
        (f"{TITLE}<p>The market takes place on 3 May 2024.{TEXT}", [], None, None),
        (f"{TITLE}<p>Published 3 May 2024 | Updated 4 May 2024{TEXT}", [], "2024-05-03", "2024-05-04"),
        (f"{TITLE}<p>First published on 3 May 2024. Updated on 4 May 2024.{TEXT}", [], "2024-05-03", "2024-05-04"),
        (f"{TITLE}<time datetime=2024-05-03>3</time> <time class=updated datetime=2024-05-04>4</time>{TEXT}", [],
         "2024-05-03", "2024-05-04"),
        (f"{TITLE}<p>作者：王小明　责任编辑：李四　来源：日报{TEXT}", ["王小明"], None, None),
    ],
)  # fmt: skip
def test_bylines(page, authors, published, updated):
    metadata = read_metadata(segment(page.encode()), "https://example.org/mills")
    assert (list(metadata.authors), metadata.published, metadata.updated) == (authors, published, updated)
