"""The committed example web: complete, consistent, and served as its manifest says."""

import http.client
import re
from collections import deque
from html import unescape
from urllib.parse import urljoin, urlsplit

import pytest

from examples.serve import WEB, serve
from examples.webgen import rights
from examples.webgen.site import Site

SEED = "http://www.library.example/"
MAX_DEPTH = 6
# what pages refer to other than by links, so that a reader's browser finds it and a crawl does not
BY_BROWSERS = {"http://www.library.example/static/library.css", "http://www.library.example/static/library.js"}


@pytest.fixture(scope="module")
def site():
    return Site.load(WEB)


@pytest.fixture(scope="module")
def serving():
    with serve() as running:
        yield running


def get(serving, url, method="GET", **headers):
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(serving.address, serving.port, timeout=10)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, headers={"Host": parts.netloc, **headers})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def links_of(answer):
    """Link targets of a page, as absolute URLs without fragments."""
    if answer.location:
        return {answer.location}
    if "html" not in answer.headers.get("Content-Type", ""):
        return set()
    found = re.findall(rb'<a\s[^>]*?href="([^"]*)"', answer.body)
    return {urljoin(answer.url, unescape(href.decode("latin-1"))).partition("#")[0] for href in found}


def test_it_is_small_enough_to_be_committed():
    assert WEB.stat().st_size <= 5_000_000


def test_it_is_a_web_of_several_hosts(site):
    assert len(site.hosts) >= 7
    assert 700 <= len(site.answers) <= 1200


def test_every_link_leads_somewhere(site):
    broken = {
        (answer.url, target)
        for answer in site.answers.values()
        for target in links_of(answer)
        if target not in site.answers and not target.startswith(tuple(site.unanswered))
    }
    assert not broken


def test_every_page_is_within_reach_of_the_seed(site):
    depth, todo = {SEED: 0}, deque([SEED])
    while todo:
        url = todo.popleft()
        for target in links_of(site.answers[url]):
            if target not in depth and target in site.answers:
                depth[target] = depth[url] + 1
                todo.append(target)
    robots = {url for url in site.answers if url.endswith("/robots.txt")}
    assert site.answers.keys() - depth.keys() == robots | BY_BROWSERS
    assert max(depth.values()) <= MAX_DEPTH


def test_no_page_leads_out_of_the_example(site):
    hosts = {urlsplit(target).netloc for answer in site.answers.values() for target in links_of(answer)}
    assert all(host.endswith(".example") for host in hosts)


def test_personal_data_is_invented(site):
    bodies = b"\n".join(answer.body for answer in site.answers.values() if "html" in answer.headers["Content-Type"])
    domains = set(re.findall(rb"[\w.+-]+@([\w-]+\.[\w.-]*\w)", bodies))
    assert domains
    assert all(domain.endswith((b"example.org", b"example.com", b"example.net")) for domain in domains)


@pytest.mark.parametrize(
    ("url", "status", "headers"),
    [
        ("http://www.library.example/", 200, {"Content-Type": "text/html; charset=utf-8"}),
        ("http://www.library.example/robots.txt", 200, {"Content-Type": "text/plain"}),
        ("http://www.library.example/pep-8", 301, {"Location": "http://www.library.example/peps/0008/"}),
        ("http://www.library.example/copies", 301, {"Location": "http://mirror.example/peps/"}),
        ("http://www.library.example/loop/a", 302, {"Location": "http://www.library.example/loop/b"}),
        ("http://www.library.example/loop/b", 302, {"Location": "http://www.library.example/loop/a"}),
        ("http://www.library.example/peps/9999/", 404, {}),
        ("http://www.library.example/no/such/page", 404, {}),
        ("http://elsewhere.example/", 404, {}),
        ("http://www.library.example/search?q=typing", 500, {}),
        ("http://www.library.example/members/answers/", 200, {"X-Robots-Tag": "noai"}),
        ("http://www.library.example/odd/empty.html", 200, {"Content-Length": "0"}),
        ("http://www.library.example/static/logo.png", 200, {"Content-Type": "image/png"}),
        ("http://www.library.example/odd/plan.pdf", 200, {"Content-Type": "application/pdf"}),
        ("http://mirror.example/robots.txt", 301, {"Location": "http://mirror.example/etc/robots.txt"}),
        ("http://drafts.example/robots.txt", 404, {}),
        ("http://vault.example/robots.txt", 503, {}),
        ("http://rights.example/zh-Hans/", 200, {"Content-Type": "text/html; charset=utf-8"}),
        ("http://rights.example/bg/", 200, {"Content-Type": "text/html; charset=windows-1251"}),
        ("http://rights.example/cs/", 200, {"Content-Type": "text/html"}),
        ("http://rights.example/old/zh-Hans-gbk.html", 200, {"Content-Type": "text/html; charset=gbk"}),
    ],
)
def test_special_answers(serving, url, status, headers):
    got_status, got_headers, _ = get(serving, url)
    assert got_status == status
    assert headers.items() <= got_headers.items()


@pytest.mark.parametrize(
    ("url", "present"),
    [
        ("http://www.library.example/robots.txt", b"Disallow: /private/"),
        ("http://shop.example/robots.txt", b"Crawl-delay: 0.05"),
        ("http://www.library.example/members/letters/", b'<meta name="robots" content="noai'),
        ("http://www.library.example/members/dead-ends/", b'<meta name="robots" content="nofollow">'),
        ("http://www.library.example/odd/", b'rel="nofollow sponsored"'),
        ("http://www.library.example/private/letters/", b"answered by hand"),
        ("http://rights.example/robots.txt", "\ufeff".encode()),
        ("http://rights.example/cs/", b"charset=iso-8859-2"),
    ],
)
def test_special_bodies(serving, url, present):
    assert present in get(serving, url)[2]


def test_the_server_keeps_connections_open_and_answers_head(serving):
    connection = http.client.HTTPConnection(serving.address, serving.port, timeout=10)
    try:
        for method in ("GET", "HEAD", "GET"):
            connection.request(method, "/", headers={"Host": "rights.example:80"})
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == 200
            assert not answer.will_close
            assert (len(body) == 0) == (method == "HEAD")
    finally:
        connection.close()


def test_a_taken_port_is_an_error_and_a_stopped_server_frees_its_own(serving):
    with pytest.raises(OSError, match="in use"), serve(serving.port):
        pass
    with serve() as first:
        port = first.port
    with serve(port) as second:
        assert second.port == port


def test_bodies_are_compressed_only_for_those_who_can_read_them(serving):
    url = "http://mirror.example/peps/"
    _, headers, packed = get(serving, url, **{"Accept-Encoding": "gzip"})
    assert headers["Content-Encoding"] == "gzip"
    _, headers, plain = get(serving, url)
    assert "Content-Encoding" not in headers
    assert len(packed) < len(plain)


def test_pages_in_legacy_charsets_hold_the_text_of_the_page_in_utf8(site):
    def text(path, codec):
        html = site.answers[rights.HOST + path].body.decode(codec)
        return unescape(re.search(r'id="text">(.*?)</div>', html, re.DOTALL)[1])

    for variant in rights.COPIES:
        tag = rights.LANGUAGES[variant.file][0]
        own = rights.ONLY_LEGACY.get(variant.file, rights.Variant(variant.file, "utf-8", "utf-8"))
        assert text(rights._copy_path(variant), variant.codec) == text(f"/{tag}/", own.codec)
