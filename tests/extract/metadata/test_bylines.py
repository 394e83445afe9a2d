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
    ],
)  # fmt: skip
def test_bylines(page, authors, published, updated):
    metadata = read_metadata(segment(page.encode()), "https://example.org/mills")
    assert (list(metadata.authors), metadata.published, metadata.updated) == (authors, published, updated)
