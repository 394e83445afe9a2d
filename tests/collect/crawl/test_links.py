import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.collect.crawl.links import links_of
from tests.collect.crawl.test_answer import answer

A = "http://a.example"


def links(html, type="text/html", **headers):
    body = html if isinstance(html, bytes) else html.encode()
    return links_of(answer(body, Content_Type=type, **headers), "corpusmill", 1_000_000).links


def test_where_links_are_found():
    html = """<a href=/1>x</a><a>none</a><AREA HREF=/2><iframe src="/3"></iframe><link rel=next href=/no><img src=/no>
        <meta http-equiv=Refresh content="5; URL='/4'"><!-- <a href=/no> --><script>'<a href=/no>'</script>"""
    assert links(html) == {f"{A}/{i}": False for i in (1, 2, 3, 4)}
    assert links("<frameset><frame src=5></frameset>") == {f"{A}/5": False}


def test_relative_to_the_first_base():
    html = "<base href='//b.example/x/'><base href=/y/><a href=1><a href=http://c.example><a href='#top'>"
    assert list(links(html)) == ["http://b.example/x/1", "http://c.example/", "http://b.example/x/"]
    assert list(links("<a href=0><base href=/late/>")) == [f"{A}/late/0"]
    assert list(links("<base href='http://['><a href=1>")) == [f"{A}/1"]


def test_each_url_once_and_only_urls():
    html = "<a href=/1#a><a href=/1#b><a href='mailto:x@y'><a href='javascript:x'><a href='http://['><a href=''>"
    assert list(links(html)) == [f"{A}/1", f"{A}/"]


@pytest.mark.parametrize("rel", ["nofollow", "external NoFollow noopener", " nofollow\n"])
def test_nofollow_links(rel):
    assert links(f"<a rel='{rel}' href=/1><a rel=next href=/2>") == {f"{A}/1": True, f"{A}/2": False}


def test_a_link_that_is_there_twice_is_followed_if_one_may_be():
    assert links("<a href=/1 rel=nofollow><a href=/1>") == {f"{A}/1": False}
    assert links("<a href=/1><a href=/1 rel=nofollow>") == {f"{A}/1": False}


@pytest.mark.parametrize(
    ("content", "nofollow"),
    [("nofollow", True), ("NoIndex, NOFOLLOW", True), ("none", True), ("noindex", False), ("nofollowing", False)],
)
@pytest.mark.parametrize("name", ["robots", "ROBOTS", "CorpusMill", "otherbot"])
def test_meta_robots(name, content, nofollow):
    html = f"<a href=/1><meta name='{name}' content='{content}'>"
    assert links(html) == {f"{A}/1": nofollow and name != "otherbot"}


@pytest.mark.parametrize(
    ("header", "nofollow"),
    [
        ("nofollow", True),
        ("noindex, none", True),
        ("corpusmill: nofollow", True),
        ("*: nofollow", True),
        ("otherbot: nofollow", False),
        ("otherbot: noindex, nofollow", False),
        ("otherbot: noindex, corpusmill: nofollow", True),
        ("unavailable_after: 25 Jun 2030 15:00:00 PST, nofollow", True),
        ("max-snippet: 5, nofollow", True),
        ("noindex", False),
    ],
)
def test_x_robots_tag(header, nofollow):
    assert links("<a href=/1>", X_Robots_Tag=header) == {f"{A}/1": nofollow}


def test_the_pages_encoding():
    html = "<a href='/?q=中'>"
    assert list(links(html.encode("gb18030"), "text/html; charset=GBK")) == [f"{A}/?q=%D6%D0"]
    declared = '<meta charset="big5">' + html
    assert list(links(declared.encode("big5"))) == [f"{A}/?q=%A4%A4"]
    assert list(links(html.encode("utf-16"), "text/html; charset=utf-16")) == [f"{A}/?q=%E4%B8%AD"]
    assert list(links(html, "text/html; charset=no-such-charset")) == [f"{A}/?q=%E4%B8%AD"]


def test_only_html_pages_that_are_there():
    assert links("<a href=/1>", "application/pdf") == {}
    assert links("<a href=/1>", "application/xhtml+xml; charset=utf-8") == {f"{A}/1": False}
    assert links_of(answer(b"<a href=/1>", 404, Content_Type="text/html"), "x", 100).links == {}
    assert links("") == {}
    assert links(bytes(range(256))) == {}
    assert links(b"\0\x9f<a href=/1>", Content_Encoding="own") == {}
    assert links("<a href=/1>", Content_Encoding="own") == {f"{A}/1": False}  # the header is wrong


def test_pages_without_a_type_are_looked_at():
    assert links("<!doctype html><a href=/1>", "") == {f"{A}/1": False}
    assert links("see <a href=/1>", "") == {}
    assert links_of(answer(b"<html><a href=/1>"), "x", 100).links == {f"{A}/1": False}
    assert links("<html><a href=/1>", "application/vnd.wap.xhtml+xml") == {f"{A}/1": False}


@pytest.mark.parametrize("kind", ["text/html", "application/pdf", ""])
def test_the_header_refresh_is_a_link(kind):
    assert links("", kind, Refresh="0; URL=next page?x#y") == {f"{A}/next%20page?x": False}
    assert links("x", kind, Refresh="5; url=/1", X_Robots_Tag="nofollow") == {f"{A}/1": True}
    assert links("x", kind, Refresh="5") == {}


@settings(deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["utf-8", "utf-16", "shift_jis", "iso-2022-jp", "x-user-defined", "?"]))
def test_no_page_is_too_odd(body, charset):
    links(b"<a href='" + body + b"'>" + body, f"text/html; charset={charset}")


def test_many_links_and_deep_nesting_cost_linear_time():
    many = links("".join(f"<p><a href=/{i}>x</a>" for i in range(20_000)))
    assert len(many) == 20_000
    assert links("<div>" * 20_000 + "<a href=/1>") == {f"{A}/1": False}
