"""Lists of URLs against a plain definition, in the format of UT1."""

import re
from urllib.parse import urlsplit

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.errors import InputError
from corpusmill.filters.url_lists import are_listed, read_url_list

ENTRIES = """\
example.org
FOO.com/bad
shop.example.net/a/b/
*.evil.*
b*d.net/x*
пример.рф
http://with-scheme.org/
1.2.3.4
trailing.dot.
"""
CASES = {
    "http://www.Example.org/": True,
    "https://example.org:8080/x#y": True,
    "http://notexample.org": False,
    "http://example.org.com/": False,
    "http://com/example.org": False,
    "http://foo.com/bad/x": True,
    "http://www.foo.com/BAD?x": True,
    "http://foo.com/badly": False,
    "http://foo.com/x/bad": False,
    "http://foo.com": False,
    "http://shop.example.net/a/b/c": True,
    "http://shop.example.net/a/b": False,
    "http://a.evil.com/": True,
    "http://evil.com": False,
    "http://bad.net/xyz": True,
    "http://bad.net/y": False,
    "http://xn--e1afmkfd.xn--p1ai/": True,
    "http://www.ПРИМЕР.рф/x": True,
    "http://user:p@example.org./": True,
    "http://example.org@other.com/": False,
    "ftp://with-scheme.org": True,
    "http://1.2.3.4/x": True,
    "http://trailing.dot": True,
    "http://[::1]:80/x": False,
    "nohost": None,
    "mailto:x@example.org": None,
    None: None,
}


def test_what_is_listed():
    found = are_listed(read_url_list(ENTRIES.encode(), "list"), pa.array(list(CASES), pa.string()))
    assert dict(zip(CASES, found.to_pylist(), strict=True)) == CASES


def plainly(entries, url):
    address = urlsplit(url.lower())
    host, rest = address.hostname or "", address.path + ("?" + address.query if address.query else "")
    if not host:
        return None
    labels = host.split(".")
    for name in (".".join(labels[i:]) for i in range(len(labels))):
        for entry in entries:
            whole = name + rest
            if "/" not in entry.removesuffix("/"):
                if name == entry.removesuffix("/"):
                    return True
            elif whole.startswith(entry):
                after = whole[len(entry) :]
                if not after or after[0] in "/?&;=." or entry[-1] in "/?&;=.":
                    return True
    return False


labels = st.sampled_from(["a", "b", "ab"])
hosts = st.lists(labels, min_size=1, max_size=3).map(".".join)
rests = st.lists(st.sampled_from(["/", "x", "y", "xy", "="]), max_size=5).map("".join)
entries = st.tuples(hosts, rests).map(lambda p: p[0] + (re.sub("^(?!/)", "/", p[1]) if p[1] else ""))


@settings(deadline=None)
@given(st.lists(entries, min_size=1, max_size=5), st.lists(st.tuples(hosts, rests), max_size=5))
def test_it_is_the_definition(lines, pairs):
    urls = [f"http://{host}{re.sub('^(?!/)', '/', rest) if rest else ''}" for host, rest in pairs]
    found = are_listed(read_url_list("\n".join(lines).encode(), "list"), pa.array(urls, pa.string()))
    assert found.to_pylist() == [plainly(lines, url) for url in urls]


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=30), st.text(max_size=30).map("http://".__add__)), max_size=5))
def test_no_url_is_too_strange(urls):
    urls = [url and url.encode("utf-8", "replace").decode() for url in urls]
    found = are_listed(read_url_list(ENTRIES.encode(), "list"), pa.array(urls, pa.string())).to_pylist()
    assert all(listed is None for url, listed in zip(urls, found, strict=True) if not url)


def test_hostile_urls_take_no_time():
    urls = ["http://" + "a." * 2000 + "/" * 2000, "http://x/" + "a/" * 500_000]
    assert are_listed(read_url_list(ENTRIES.encode(), "list"), pa.array(urls)).to_pylist() == [False, False]


def test_a_host_of_a_million_labels_takes_no_time():
    urls = [f"http://{'a.' * 1_000_000}{end}" for end in ("bad.example/", "good.example/")]
    assert are_listed(read_url_list(b"bad.example", "list"), pa.array(urls)).to_pylist() == [True, False]


@pytest.mark.parametrize(
    ("content", "said"), [(b"\xff", "not UTF-8"), (b"\n \n", "empty"), (b"*a\n" * 10_001, "10001")]
)
def test_what_is_no_list_is_said(content, said):
    with pytest.raises(InputError, match=f"my list: the list .*{said}"):
        read_url_list(content, "my list")
