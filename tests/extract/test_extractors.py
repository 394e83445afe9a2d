import contextlib
import sys
import time

import pytest

from corpusmill.errors import InputError
from corpusmill.extensions import REGISTRY
from corpusmill.extensions import extractor as register
from corpusmill.extract.content.kinds import KINDS
from corpusmill.extract.extractors import extractor
from corpusmill.page import Page, UndecodableError
from corpusmill.reasons import Status
from corpusmill.recipe import parse

ARTICLE = "".join(
    f"<p>Paragraph {i} of the article, with words enough to be taken for main content.</p>" for i in range(5)
)
PAGE = f"""<html lang="en"><head><title>On milling</title><meta name="author" content="A. Miller">
<meta property="article:published_time" content="2026-03-01"></head><body>
<nav><ul><li><a href="/">Home</a></li><li><a href="/about">About us</a></li></ul></nav>
<article><h1>On milling</h1>{ARTICLE}<pre>for grain in sack:
    mill(grain)</pre><img alt="a stone" src="x.png"></article>
<footer>Privacy · Imprint</footer><script>var hidden = 1;</script></body></html>"""


@pytest.fixture(params=["corpusmill", "resiliparse", "trafilatura"])
def extract(request):
    if request.param == "trafilatura":
        pytest.importorskip("trafilatura")
    return extractor(request.param)


def test_main_content():
    found = extractor("resiliparse")(Page(body=PAGE.encode()))
    assert found.text.startswith("On milling\n\nParagraph 0 of")
    assert "for grain in sack:\n    mill(grain)" in found.text
    for boilerplate in ("Home", "Privacy", "hidden", "a stone"):
        assert boilerplate not in found.text
    assert (found.title, found.html_lang) == ("On milling", "en")
    assert found.metadata == {"author": "A. Miller", "published": "2026-03-01", "encoding": "utf-8"}


def test_ours():
    found = extractor("corpusmill")(Page(body=PAGE.encode()))
    assert found.status is Status.OK
    assert found.text.endswith("taken for main content.\n\nfor grain in sack:\n    mill(grain)")
    for boilerplate in ("Home", "Privacy", "hidden", "a stone"):
        assert boilerplate not in found.text
    assert (found.title, found.html_lang) == ("On milling", "en")
    assert found.metadata["author"] == "A. Miller"
    assert found.metadata["page_type"] in KINDS
    assert 1 / len(KINDS) < found.metadata["page_type_probability"] <= 1


def test_ours_in_markdown():
    found = extractor("corpusmill", "markdown")(Page(body=PAGE.encode()))
    assert found.text.endswith("taken for main content.\n\n```\nfor grain in sack:\n    mill(grain)\n```")


def test_what_others_read_is_the_same_beside_the_text():
    page = Page(body=PAGE.encode(), url="https://example.org/mills")
    ours, theirs = extractor("corpusmill")(page), extractor("resiliparse")(page)
    assert (ours.title, ours.html_lang, ours.directives) == (theirs.title, theirs.html_lang, theirs.directives)
    assert {name for name in ours.metadata if name not in theirs.metadata} == {"page_type", "page_type_probability"}
    assert {name: ours.metadata[name] for name in theirs.metadata} == theirs.metadata


def test_a_page_without_content_says_why():
    body = b"<title>404 Not Found</title><h1>Page not found</h1><p>The page that you want does not exist.</p>"
    found = extractor("corpusmill")(Page(body=body))
    assert (found.text, found.status) == ("", Status.ERROR_PAGE)
    assert found.title is not None
    assert extractor("resiliparse")(Page(body=body)).status is Status.OK


def test_the_same_page_in_another_encoding_has_the_same_text():
    extract = extractor("corpusmill")
    body = PAGE.replace("On milling", "Über Mühlen")
    expected = extract(Page(body=body.encode())).text
    for encoding in ("windows-1252", "utf-16", "macintosh"):
        data = body.encode(encoding if encoding != "macintosh" else "mac_roman")
        assert extract(Page(body=data, charset=encoding)).text == expected


def test_trafilatura():
    pytest.importorskip("trafilatura")
    found = extractor("trafilatura")(Page(body=PAGE.encode(), url="https://example.org/mills"))
    assert "Paragraph 4 of" in found.text
    assert "Privacy" not in found.text
    assert (found.title, found.metadata["author"]) == ("On milling", "A. Miller")


@pytest.mark.parametrize(
    "body", [b"", b"   ", b"<", b"<html>", b"</p></div><b><i>", b"<p" * 1000, b"<div>" * 900 + b"deep"]
)
def test_empty_and_broken_pages(extract, body):
    assert isinstance(extract(Page(body=body)).text, str)


@pytest.mark.parametrize(
    "body",
    [
        b"<div>" * 20_000 + b"deep",
        b"<div>" * 20_000 + b"deep" + b"</div>" * 20_000,
        b"</div>" * 20_000 + b"<div>" * 20_000 + b"deep",
        b"<TABLE><tr><td>" * 5000,
        b"".join(b"<font color=%d><p>a" % i for i in range(20_000)),
        b"".join(b"<font color=%d>" % i for i in range(400)) + b"<p>a" * 100_000,
    ],
)
@pytest.mark.parametrize("name", ["corpusmill", "resiliparse", "trafilatura"])
def test_pages_that_explode_take_no_time(name, body):
    if name == "trafilatura":
        pytest.importorskip("trafilatura")
    extract = extractor(name)
    start = time.perf_counter()
    with contextlib.nullcontext() if name == "corpusmill" else pytest.raises(ValueError, match="nested too deeply"):
        extract(Page(body=body))
    assert time.perf_counter() - start < 2


def test_long_pages_are_not_taken_for_deep_ones():
    extract = extractor("resiliparse")
    body = b"<p>text <img src=a><br><b>bold</b> <a href=b>c</a>" * 5000
    assert extract(Page(body=b"<article>" + body)).text.count("bold") == 5000


def test_unclosed_tags_lose_nothing():
    extract = extractor("resiliparse")
    found = extract(Page(body=b"<html><body><div><p>First <b>bold<p>second<table><tr><td>cell"))
    assert found.text.split() == ["First", "bold", "second", "cell"]


def test_text_is_kept_as_it_is():
    extract = extractor("resiliparse")
    text = "  indented\n\n\n\n<b>not markup</b>  \n"
    assert extract(Page(body=text.encode(), media="text")).text == text
    assert extract(Page(body="Müller".encode("cp1252"), media="text", charset="latin1")).text == "Müller"


def test_markdown():
    extract = extractor("resiliparse")
    body = (
        "---\ntitle: 'On mills'\nAuthor: A. Miller\ntags: [a, b]\nlicense: CC0-1.0\nlang: de\n---\n# Heading #\n\nText"
    )
    found = extract(Page(body=body.encode(), media="markdown"))
    assert found.text == "# Heading #\n\nText"
    assert (found.title, found.licence, found.html_lang, found.metadata) == (
        "On mills", "CC0-1.0", "de", {"author": "A. Miller", "encoding": "utf-8"},
    )  # fmt: skip
    plain = extract(Page(body=b"Intro\n\n# Heading #\r\n---\nx: y\n---\n", media="markdown"))
    assert (plain.text, plain.title, plain.metadata) == (
        "Intro\n\n# Heading #\r\n---\nx: y\n---\n",
        "Heading",
        {"encoding": "utf-8"},
    )


def test_binary_is_undecodable(extract):
    with pytest.raises(UndecodableError):
        extract(Page(body=b"\0\1\2\3" * 100))


def test_an_extractor_of_the_users():
    @register("tests-first-line")
    def first_line(html, url):
        return f"{url}: {html.splitlines()[0]}"

    try:
        found = extractor("tests-first-line")(Page(body=PAGE.encode(), url="u"))
        assert (
            found.text == 'u: <html lang="en"><head><title>On milling</title><meta name="author" content="A. Miller">'
        )
        assert found.title == "On milling"
    finally:
        del REGISTRY.extractors["tests-first-line"]


def test_damage_is_counted():
    body = PAGE.encode().replace(b"Paragraph 0", "dÃ©jÃ\u00a0vu ".encode() + b"\xff")
    found = extractor("resiliparse")(Page(body=body))
    assert found.metadata["decoding_errors"] == 1
    assert found.metadata["mojibake"] == 3
    found = extractor("resiliparse")(Page(body="Привет".encode("koi8-r"), media="text", charset="koi8-r"))
    assert (found.text, found.metadata) == ("Привет", {"encoding": "koi8-r"})


def test_an_extractor_may_return_what_utf8_cannot_hold():
    register("tests-surrogate")(lambda html, url: "a\ud800")
    try:
        assert extractor("tests-surrogate")(Page(body=b"x")).text == "a\ud800"
    finally:
        del REGISTRY.extractors["tests-surrogate"]


def test_an_unknown_extractor_is_one_sentence():
    with pytest.raises(InputError, match=r"there is no extractor 'x'; there are: corpusmill, resiliparse, trafilatura"):
        extractor("x")


def test_an_extractor_that_is_not_installed_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "trafilatura", None)
    with pytest.raises(InputError, match=r"not installed; run: pip install 'corpusmill\[trafilatura\]'"):
        extractor("trafilatura")


def test_markdown_is_ours_alone():
    with pytest.raises(InputError, match="format 'markdown' needs extractor 'corpusmill'"):
        parse({"sources": [{"name": "a", "kind": "warc", "paths": ["x"]}],
               "extract": {"extractor": "resiliparse", "format": "markdown"}})  # fmt: skip
