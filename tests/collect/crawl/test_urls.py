from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from corpusmill.collect.crawl.urls import HostPatterns, host_of, in_scope, normalise, origin_of, scope_of


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("HTTP://ExAmple.org:80/a/../b c?q=ä&x=%2f#f", "http://example.org/b%20c?q=%C3%A4&x=%2F"),
        ("https://h:443", "https://h/"),
        ("http://h:8080?q", "http://h:8080/?q"),
        ("http://bücher.example/ü", "http://xn--bcher-kva.example/%C3%BC"),
        ("http://h/%7Ea/%2e%2e/b//c/./d/..", "http://h/b//c/"),
        ("http://h/..", "http://h/"),
        ("http://h/a?b=1&a=2&&c&d=/../", "http://h/a?b=1&a=2&&c&d=/../"),
        ("http://h\\a\\b", "http://h/a/b"),
        (" \n http://h/a\n b ", "http://h/a%20b"),
        ("http://user:secret@h/", "http://h/"),
        ("http://h/https://other/x", "http://h/https://other/x"),
        ("ftp://h/x", "ftp://h/x"),
        ("http:///x", "http://x/"),
        ("http:x", "http://x/"),
        ("http:\\\\a.test\\back", "http://a.test/back"),
        ("http://%6c%6f/", "http://lo/"),
        ("https://www.0251-sachverst%c3%a4ndiger.de/", "https://www.xn--0251-sachverstndiger-ozb.de/"),
        ("http://faß.de/", "http://xn--fa-hia.de/"),  # another owner than fass.de
        ("http://FASS.de/", "http://fass.de/"),
        ("http://βόλος.com/", "http://xn--nxasmm1c.com/"),
        ("http://a.test/\ud800", "http://a.test/%EF%BF%BD"),
        ("http://%31%32%37.1/", "http://127.0.0.1/"),
        # hosts that a resolver would take for 127.0.0.1
        ("http://127.1/", "http://127.0.0.1/"),
        ("http://2130706433/", "http://127.0.0.1/"),
        ("http://0x7f.1/", "http://127.0.0.1/"),
        ("http://0177.0.0.1/", "http://127.0.0.1/"),
        ("http://127。0。0。1/", "http://127.0.0.1/"),
        ("http://１２７.0.0.1/", "http://127.0.0.1/"),
        ("http://[::0:1]:8/", "http://[::1]:8/"),
        # no URLs of pages
        ("mailto:a@b.example", None),
        ("javascript:void(0)", None),
        ("data:text/html,x", None),
        ("file:///etc/passwd", None),
        ("", None),
        ("/relative", None),
        ("http://a b/", None),
        ("http://a..b/", None),
        ("http://-a.example/", None),
        ("http://h:99999/", None),
        ("http://h:x/", None),
        ("http://1.2.3.4.5/", None),
        ("http://256.1.1.1/", None),
        ("http://[::1", None),
        ("http://[fe80::1%25eth0]/", None),
    ],
)
def test_normal_form(url, normal):
    assert normalise(url) == normal


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("b.html", "http://h/a/b.html"),
        ("../b?x#y", "http://h/b?x"),
        ("?x", "http://h/a/page?x"),
        ("#top", "http://h/a/page"),
        ("//other/x", "http://other/x"),
        ("https:secure", "https://secure/"),
        ("\\\\other\\x", "http://other/x"),
        ("http:b", "http://h/a/b"),
        ("  /x\ny ", "http://h/xy"),
    ],
)
def test_relative(link, url):
    assert normalise(link, "http://h/a/page") == url


def test_arguments_are_written_in_the_pages_encoding_as_browsers_do():
    assert normalise("/ä?q=ä", "http://h/", "windows-1251") == "http://h/%C3%A4?q=%26%23228%3B"  # it has no ä
    assert normalise("/?q=ä#ä", "http://h/", "iso-8859-1") == "http://h/?q=%E4"
    assert normalise("/?q=ä", "http://h/", "rot13") == "http://h/?q=%C3%A4"
    assert normalise("/ä?q=ä", "http://h/", "iso-8859-1") == "http://h/%C3%A4?q=%E4"
    assert normalise("/?q=中", "http://h/", "gb18030") == "http://h/?q=%D6%D0"


@given(st.text(max_size=40))
def test_never_raises_and_is_stable(text):
    for url in (text, f"http://{text}", f"http://h.example/{text}"):
        normal = normalise(url)
        if normal is not None:
            assert normalise(normal) == normal
            assert normal.isascii()
            assert host_of(normal)


SEGMENTS = st.lists(st.sampled_from(["a", "b", ".", "..", "", "c%20d", "%41", "%2F", "é"]), max_size=8)


@given(SEGMENTS)
def test_dot_segments_as_yarl(segments):
    path = "/" + "/".join(segments)
    assert normalise(f"http://h{path}") == str(URL(f"http://h{path}"))


@given(SEGMENTS, SEGMENTS)
def test_joining_as_the_standard_library(base, link):
    base, link = "http://h/" + "/".join(filter(None, base)), "/".join(filter(None, link))  # it merges slashes
    assert normalise(link, base) == normalise(urljoin(normalise(base) or "", link))


def test_host_and_origin():
    assert host_of("https://h.example:8443/x") == "h.example:8443"
    assert origin_of("https://h.example:8443/x?y") == "https://h.example:8443"


def test_patterns():
    assert HostPatterns(["*.bücher.example"]).first("www.xn--bcher-kva.example") == 0
    assert HostPatterns(["*.ü" * 99]).first("x") is None
    patterns = HostPatterns(["*.example.org", "Plain.example", "port.example:81", "[::1]", "a.b*"])
    matching = ["x.example.org", "y.x.example.org", "y.example.org:8080", "plain.example", "plain.example:80"]
    matching += ["port.example:81", "[::1]", "[::1]:8080", "a.b.example"]
    assert [host for host in matching if patterns.first(host) is None] == []
    others = ["example.org", "xexample.org", "x.example.org.evil", "port.example", "port.example:82", "axb.example"]
    assert [host for host in others if patterns.first(host) is not None] == []
    assert patterns.first("plain.example") == 1


def test_scope_without_hosts_is_the_seeds_with_and_without_www():
    scope = scope_of([], ["http://www.a.example/", "http://b.example:8080/x"])
    inside = ["http://www.a.example/y", "https://a.example/", "http://b.example:8080/", "http://www.b.example:8080/"]
    assert all(in_scope(url, scope) for url in inside)
    outside = ["http://c.example/", "http://b.example/", "ftp://a.example/", "http://x.a.example/"]
    assert not any(in_scope(url, scope) for url in outside)


def test_scope_with_hosts():
    scope = scope_of(["*.a.example"], ["http://a.example/"])
    assert in_scope("http://x.a.example/", scope)
    assert not in_scope("http://a.example/", scope)
    assert urlsplit("http://a.example/").netloc == "a.example"
