import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings

from corpusmill.extract.overlay import overlay

from .inspections import inspected
from .soup import soups

OURS = {"html", "head", "meta", "title", "style", "body", "header", "dl", "dt", "dd", "p", "mark", "span", "label"}
OURS |= {"input", "div", "br"}


class Read(HTMLParser):
    """What a parser finds in an overlay: elements, and the marked runs of text in the page."""

    def __init__(self, overlaid):
        super().__init__()
        self.tags, self.attributes, self.runs, self.policy = set(), set(), [], ""
        self.in_page = False
        self.mark = None
        self.feed(overlaid)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.tags.add(tag)
        self.in_page |= values.get("id") == "page"
        if tag == "meta" and "http-equiv" in values:
            self.policy = values["content"]
        if self.in_page:
            self.attributes |= set(values)
            self.mark = values if tag == "mark" else self.mark

    def handle_endtag(self, tag):
        self.mark = None if tag == "mark" else self.mark

    def handle_data(self, data):
        if self.mark:
            self.runs.append((data, self.mark["class"], self.mark["title"]))


def overlaid(html, change=lambda blocks: blocks):
    page = inspected(html)
    return Read(overlay(page, change(list(page.blocks())), [("title", "<b>T</b> & co")]))


def test_runs_are_tinted_and_told():
    assert overlaid("<div class=a><p>one <a href=/x>two</a></p><p>XX &lt;i&gt;").runs == [
        ("one", "p8 kept", "p 0.875, kept: html > body > div.a > p"),
        (" two", "p8 kept", "p 0.875, kept: html > body > div.a > p"),
        ("XX <i>", "p1", "p 0.125, dropped: html > body > div.a > p"),
    ]


def test_of_a_masked_block_only_the_masked_text_is_there():
    def masked(blocks):
        return [block._replace(text=block.text.replace("@b.example", "***")) for block in blocks]

    read = overlaid("<p>write to a<b>@</b>b.example now</p><p>then", masked)
    assert "".join(text for text, *_ in read.runs) == "write to a*** nowthen"


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script><p onclick='alert(1)' style='background:url(//x.example)'>a<img src=x onerror=b()>",
        "<p>&lt;script&gt;alert(1)&lt;/script&gt;<a href='javascript:x()'>a</a><iframe src=//x.example></iframe>",
        "<meta http-equiv=refresh content='0;url=//x.example'><base href=//x.example><link rel=stylesheet href=x><p>a",
        "<style>@import '//x.example';</style><form action=//x.example><button>a</button><input></form>",
        "<svg><script>alert(1)</script></svg><math><mi>a</mi></math><object data=x>a</object><x-y onclick=z>a</x-y>",
        "<p dir='rtl\" onclick=\"x' lang='\"><script>'>a<p class='\"><script>x</script>' id='\"><img src=x>'>a",
        "<div></div></div></body></html><!-- <p>a --><p>a</p><plaintext></body><script>",
    ],
)
def test_nothing_of_the_page_runs_or_loads(html):
    read = overlaid(html)
    assert read.policy == "default-src 'none'; style-src 'unsafe-inline'"
    assert {tag for tag in read.tags if not tag.startswith("x-")} <= OURS
    assert read.attributes <= {"id", "class", "title", "dir", "lang"}
    assert any("a" in text for text, *_ in read.runs)


@settings(max_examples=200, deadline=None)
@given(soups("abc 中文 &lt;b> XX &quot; &amp;lt;".split()))
def test_all_text_is_there_in_order(html):
    page = inspected(html)
    runs = Read(overlay(page, list(page.blocks()), [])).runs
    shown = "".join(text for text, *_ in runs)
    assert re.sub(r"\s", "", shown) == re.sub(r"\s", "", "".join(block.text for block in page.blocks()))
