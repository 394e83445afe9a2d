"""Crawls of servers as they are on the web: slow, lying, hostile, with TLS; each on loopback, none simulated."""

import gzip
import socket
import ssl
import time
import zlib
from collections import Counter
from pathlib import Path

import pytest
import zstandard

from corpusmill.collect.crawl.addresses import _verifying
from corpusmill.collect.crawl.rounds import crawl_rounds
from corpusmill.collect.crawl.state import CrawlFolder
from corpusmill.errors import InputError
from corpusmill.reasons import Fate
from tests.collect.crawl.server import Page, page, redirect, serving
from tests.collect.crawl.test_rounds import rows, stored

A, B = "http://a.example/", "http://b.example/"
TLS = Path(__file__).with_name("tls")


def crawl(folder, settings):
    return crawl_rounds(CrawlFolder(folder), settings)


def fates(folder):
    return {url: (fate, error) for url, fate, error in rows(folder, "url, fate, error")}


def of_a_host(tmp_path, **answers):
    """What becomes of a host's pages, with one attempt each."""
    web = {A: page(*answers)} | {f"{A}{name}": answer for name, answer in answers.items()}
    with serving(web) as server:
        crawl(tmp_path / "web", server.settings(attempts=1, timeout_s=0.7, max_page_bytes=100_000))
        found = fates(tmp_path / "web")
    assert found.pop(A) == (Fate.FETCHED, None)
    return {url.removeprefix(A): outcome for url, outcome in found.items()}


BIG = b"<a href=/inside>" + b"x" * 3000
BROTLI = bytes.fromhex("1b1400f8a55e7c72114684494f9e2968370d0d02")  # <a href=/inside>hello


def test_slow_hanging_resetting_and_lying_servers(tmp_path):
    found = of_a_host(
        tmp_path,
        slow=Page(b"x" * 100, slow=10),
        slow_headers=Page(raw=b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100, slow=10),
        hanging=Page(delay_s=5.0),
        resetting=Page(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx"),
        nothing=Page(raw=b""),
        longer=Page(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Type: text/html\r\n\r\n12345"),
        large_headers=Page(raw=b"HTTP/1.1 200 OK\r\n" + b"X: " + b"x" * 200_000 + b"\r\n\r\n"),
        many_headers=Page(raw=b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 100_000 + b"\r\n"),
        endless=Page(
            raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + (b"ffff\r\n" + b"x" * 65535 + b"\r\n") * 5
        ),
        charset=Page("<a href=/%C3%A9>é", type="text/html; charset=utf-16"),
        both=Page(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    )
    failed = {name for name, (fate, _) in found.items() if fate == Fate.FAILED}
    assert failed == {
        "slow",
        "slow_headers",
        "hanging",
        "resetting",
        "nothing",
        "longer",  # what follows the body is no answer
        "large_headers",
        "many_headers",
        "both",
    }
    assert found["endless"] == (Fate.TOO_LARGE, "cut off at 100000 bytes")
    for name in ("slow", "slow_headers", "hanging"):
        assert found[name][1] == "no complete answer within 0.7 s"
    assert found["charset"][0] == Fate.FETCHED


def test_content_codings(tmp_path):
    coded = {"br": BROTLI, "zstd": zstandard.compress(BIG), "gzip": gzip.compress(BIG), "deflate": zlib.compress(BIG)}
    coded["gzip, zstd"] = zstandard.compress(gzip.compress(BIG))
    for name, body in coded.items():
        with serving({A: Page(body, headers={"Content-Encoding": name}), f"{A}inside": page()}) as server:
            crawl(tmp_path / name, server.settings())
        assert fates(tmp_path / name) == dict.fromkeys([A, f"{A}inside"], (Fate.FETCHED, None)), name


def test_bombs(tmp_path):
    zeros = bytes(200_000_000)
    bombs = {"gzip": gzip.compress(zeros, 1), "zstd": zstandard.compress(zeros), "deflate": zlib.compress(zeros, 1)}
    bombs["gzip, gzip"] = gzip.compress(bombs["gzip"])
    names = {f"b{i}": Page(body, headers={"Content-Encoding": name}) for i, (name, body) in enumerate(bombs.items())}
    del zeros
    web = {A: page(*names), f"{A}robots.txt": names["b1"], f"{A}.well-known/tdmrep.json": names["b0"]}
    with serving(web | {f"{A}{name}": answer for name, answer in names.items()}) as server:
        started = time.process_time()
        crawl(tmp_path / "web", server.settings(max_page_bytes=1_000_000, timeout_s=20.0))
        seconds = time.process_time() - started
    assert seconds < 20  # it takes 0.3 s; inflating all of them takes minutes
    assert set(fates(tmp_path / "web")) == {A, *(f"{A}{name}" for name in names)}


def test_redirects_that_loop_and_redirects_into_the_network(tmp_path, monkeypatch):
    monkeypatch.setattr("corpusmill.collect.crawl.addresses.is_public", lambda address: address == "127.0.0.2")
    inside = ["http://127.0.0.1/", "http://169.254.169.254/latest/", "http://[::1]/", "http://[::ffff:10.0.0.1]/"]
    inside += ["http://0x7f.1/x", "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/"]
    web = {A: page("/loop", *(f"/{i}" for i in range(len(inside)))), f"{A}loop": redirect("/pool")}
    web |= {f"{A}pool": redirect("/loop")} | {f"{A}{i}": redirect(url) for i, url in enumerate(inside)}
    with serving(web, "127.0.0.2") as server:
        crawl(tmp_path / "web", server.settings(hosts=["*"], allow_private_addresses=False))
    found = fates(tmp_path / "web")
    assert {fate for url, (fate, _) in found.items() if url.startswith(A)} == {Fate.FETCHED}
    others = {url: fate for url, (fate, _) in found.items() if not url.startswith(A)}
    assert len(others) == len(inside)
    assert set(others.values()) <= {Fate.PRIVATE_ADDRESS, Fate.ROBOTS_UNREACHABLE}
    assert Fate.PRIVATE_ADDRESS in others.values()


def test_a_name_that_is_bound_to_another_address_later(tmp_path, monkeypatch):
    """DNS rebinding: the first answer is public, the next one leads to loopback.  No connection is made there."""
    asked = Counter()

    def getaddrinfo(host, port, *rest, **more):
        asked[host] += 1
        address = "127.0.0.2" if asked[host] == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, server.port))]

    monkeypatch.setattr("corpusmill.collect.crawl.addresses.is_public", lambda address: address == "127.0.0.2")
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    web = {f"{A}{i}": page(f"/{i + 1}", text="x") for i in range(4)} | {A: page("/0")}
    with serving(web, "127.0.0.2") as server, serving({f"{A}": page()}, "127.0.0.1") as private:
        crawl(tmp_path / "web", server.settings(allow_private_addresses=False, connect_to={}))
    assert private.connections == 0
    found = fates(tmp_path / "web")
    assert found[A] == (Fate.FETCHED, None)
    assert found[f"{A}0"] == (Fate.PRIVATE_ADDRESS, "127.0.0.1 is not a public address")


def tls(monkeypatch, trusted):
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(TLS / "certificate.pem"))
    _verifying.cache_clear()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "certificate.pem", TLS / "key.pem")
    return context


def test_tls_is_verified(tmp_path, monkeypatch):
    seeds = ["https://a.example/", "https://www.a.example/", "https://b.example/"]
    web = {seed: page("/1") for seed in seeds} | {f"{seed}1": page() for seed in seeds}
    with serving(web, tls=tls(monkeypatch, trusted=True)) as server:
        crawl(tmp_path / "web", server.settings(*seeds))
    found = fates(tmp_path / "web")
    assert {url for url, (fate, _) in found.items() if fate == Fate.FETCHED} == {
        f"{seed}{name}" for seed in seeds[:2] for name in ("", "1")
    }
    fate, error = found["https://b.example/"]  # the certificate is for another host
    assert fate == Fate.ROBOTS_UNREACHABLE
    assert "certificate" in error.lower() or "TLS" in error


def test_a_certificate_that_nobody_vouches_for(tmp_path, monkeypatch):
    web = {"https://a.example/": page(), A: page("https://a.example/")}
    with (
        serving({A: page("https://a.example/x")}) as plain,
        serving(web, tls=tls(monkeypatch, trusted=False)) as server,
    ):
        to = {"a.example:80": f"127.0.0.1:{plain.port}", "a.example:443": f"127.0.0.1:{server.port}"}
        crawl(tmp_path / "web", server.settings(A, connect_to=to))
    assert fates(tmp_path / "web")["https://a.example/x"][0] == Fate.ROBOTS_UNREACHABLE
    assert server.paths == []


def sitemap(urls, tag="urlset", item="url"):
    inside = "".join(f"<{item}><loc>{url}</loc></{item}>" for url in urls)
    text = f"<?xml version='1.0'?><{tag} xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{inside}</{tag}>"
    return Page(text, type="application/xml")


def test_sitemaps(tmp_path):
    web = {
        f"{A}robots.txt": Page(
            "Sitemap: /index.xml\nSitemap: http://a.example/list-sitemap.txt\nSitemap: /all.txt\nSitemap: //x.test/"
        ),
        A: page(),
        f"{A}index.xml": sitemap([f"{A}1.xml.gz", f"{A}2.xml"], "sitemapindex", "sitemap"),
        f"{A}1.xml.gz": Page(gzip.compress(sitemap([f"{A}one?a=1&amp;b=2"]).body.encode()), type="application/x-gzip"),
        f"{A}2.xml": sitemap([f"{A}two", "http://elsewhere.test/", "mailto:x"]),
        f"{A}list-sitemap.txt": Page(f"{A}three\nnothing\n", type="text/plain"),
        f"{A}all.txt": Page(f"{A}four\n\n", type="text/plain"),
        f"{A}evil": Page(
            f'<?xml version="1.0"?><!DOCTYPE urlset [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
            f"<urlset><url><loc>{A}&x;</loc></url></urlset>",
            type="application/xml",
        ),
        f"{A}cut": Page(f"<urlset><url><loc>{A}before</loc></url><url><loc>{A}aft", type="text/xml"),
    }
    web[f"{A}two"] = page("/evil", "/cut")
    with serving(web) as server:
        crawl(tmp_path / "web", server.settings())
        asked = Counter(server.paths)
    found = fates(tmp_path / "web")
    assert {f"{A}one?a=1&b=2", f"{A}two", f"{A}three", f"{A}four", f"{A}before"} <= found.keys()
    assert found["http://elsewhere.test/"][0] == found["http://x.test/"][0] == Fate.OUT_OF_SCOPE
    assert not [url for url in found if "passwd" in url or "root:" in url or url.endswith("aft")]
    assert max(asked.values()) == 1
    with serving(web) as server:
        crawl(tmp_path / "without", server.settings(sitemaps=False))
    assert set(fates(tmp_path / "without")) == {A}


def test_a_sitemap_of_100_000_urls(tmp_path):
    web = {
        f"{A}robots.txt": Page("Sitemap: /map.xml"),
        A: page(),
        f"{A}map.xml": sitemap(f"{A}{i}" for i in range(100_001)),
    }
    with serving(web) as server:
        summary = crawl(tmp_path / "web", server.settings(max_pages=5))
    assert summary.urls == 100_002  # the root, the sitemap and its first 100,000 URLs
    assert summary.fates == {"fetched": 5, "page_limit": 99_997}


def test_an_endless_calendar(tmp_path):
    """Each month has a link to the next one and the one before, and is also there in many orders."""

    class Calendar(dict):
        def get(self, url, default=None):
            path = url.removeprefix(A)
            if "?" in path:
                return page(*(f"/list?sort={i}&from={path[-3:]}" for i in range(40)))
            if not path.startswith("20"):
                return super().get(url, default)
            year, month = map(int, path.strip("/").split("/"))
            n = year * 12 + month - 1
            return page(*(f"/{m // 12}/{m % 12 + 1:02}/" for m in (n - 1, n + 1)), f"/list?sort=1&from={n}")

    with serving(Calendar({A: page("/2026/11/")})) as server:
        summary = crawl(tmp_path / "web", server.settings(max_pages=1000, max_depth=10_000, max_variants=30))
    assert summary.fates["trap"] > 10
    assert summary.pages < 100
    errors = " ".join(error for fate, error in fates(tmp_path / "web").values() if fate == Fate.TRAP)
    assert "it names the year" in errors or "URLs like http://a.example/#" in errors
    assert "URLs like http://a.example/list?from&sort" in errors


def test_session_ids_are_no_part_of_a_page(tmp_path):
    web = {
        A: lambda n: page(f"/x;jsessionid=ABCDEF{n}", f"/x?PHPSESSID={n}", "/x"),
        f"{A}x": page(f"/x?sessionid={'9' * 20}"),
    }
    with serving(web) as server:
        summary = crawl(tmp_path / "web", server.settings())
    assert summary.fates == {"fetched": 2}


def test_canonical_links_and_opt_outs_are_on_record(tmp_path):
    web = {
        A: page("/print", "/header", "/no", "/tdm"),
        f"{A}print": Page("<link rel=canonical href=/article>"),
        f"{A}header": Page(
            "x", headers={"Link": '<http://a.example/article2>; rel="canonical"'}, type="application/pdf"
        ),
        f"{A}no": Page("<meta name=robots content='index, noai'>", headers={"X-Robots-Tag": "otherbot: noindex"}),
        f"{A}tdm": Page("<a href=/x>", headers={"TDM-Reservation": "1"}),
    }
    with serving(web) as server:
        crawl(tmp_path / "web", server.settings())
    found = {url: rest for url, *rest in rows(tmp_path / "web", "url, canonical, opt_out, n_bytes, attempts")}
    assert found[f"{A}print"][:2] == [f"{A}article", None]
    assert found[f"{A}header"][:2] == [f"{A}article2", None]
    assert found[f"{A}no"][:2] == [None, "robots: noai"]
    assert found[f"{A}tdm"][:2] == [None, "tdm-reservation: 1"]
    assert found[f"{A}article"] == [None, None, 0, 1]  # a 404: it was followed like a link


SAME = {"ETag": '"v1"'}


def test_a_second_crawl_asks_only_for_what_has_changed(tmp_path):
    first = {
        A: Page("<a href=/etag><a href=/date><a href=/plain><a href=/new><a href=/gone>", headers=SAME),
        f"{A}etag": Page("<a href=/deep>", headers=SAME),
        f"{A}date": Page("old", headers={"Last-Modified": "Sun, 29 Nov 2026 10:00:00 GMT"}),
        f"{A}plain": Page("always the same"),
        f"{A}new": Page("before", headers=SAME),
        f"{A}gone": Page("here"),
        f"{A}deep": Page("deep"),
    }
    second = first | {f"{A}new": Page("after", headers={"ETag": '"v2"'}), f"{A}gone": Page(status=410)}
    with serving(first) as server:
        crawl(tmp_path / "one", server.settings())
    with serving(second) as server:
        summary = crawl(tmp_path / "two", server.settings(previous="one"))
        sent = {request.path: request.headers for request in server.requests}
    assert summary.fates == {"fetched": 2, "unchanged": 5}
    assert sent["/etag"]["if-none-match"] == '"v1"'
    assert sent["/date"]["if-modified-since"] == "Sun, 29 Nov 2026 10:00:00 GMT"
    assert "if-none-match" not in sent["/plain"]
    assert {url: fate for url, (fate, _) in fates(tmp_path / "two").items() if fate == "fetched"}.keys() == {
        f"{A}new", f"{A}gone",
    }  # fmt: skip
    assert stored(tmp_path / "two") == [f"{A}gone", f"{A}new"]
    with serving(second) as server:
        assert crawl(tmp_path / "three", server.settings(previous="two")).fates == {"fetched": 1, "unchanged": 6}


def test_an_earlier_crawl_that_is_not_there(tmp_path):
    with serving({A: page()}) as server:
        for name in ("none", "web"):
            with pytest.raises(InputError, match=f"previous = '{name}' names no finished crawl"):
                crawl(tmp_path / "web", server.settings(previous=name))
    assert server.paths == []


def test_a_crawl_without_a_contact_is_refused(tmp_path):
    with serving({A: page()}) as server:
        with pytest.raises(InputError, match="set contact in "):
            crawl(tmp_path / "web", server.settings(contact=None))
        for bad in ("a\nb", "ä", "\x00"):
            with pytest.raises(InputError, match="one line of ASCII"):
                crawl(tmp_path / "web", server.settings(user_agent=bad))
        assert server.requests == []
        crawl(tmp_path / "web", server.settings(contact=None, user_agent="mill/1 (+https://mill.example/bot)"))
    assert {request.headers["user-agent"] for request in server.requests} == {"mill/1 (+https://mill.example/bot)"}


def test_redirects_that_lead_to_no_url(tmp_path):
    web = {A: page("/none", "/data", "/bad"), f"{A}none": Page(status=301), f"{A}data": redirect("data:text/html,x")}
    web |= {f"{A}bad": redirect("http://[bad\x1b[31m", 302)}
    with serving(web) as server:
        crawl(tmp_path / "web", server.settings())
    errors = {url: error for url, (fate, error) in fates(tmp_path / "web").items() if fate == Fate.FETCHED}
    assert errors == {
        A: None,
        f"{A}none": None,
        f"{A}data": "it redirects to 'data:text/html,x', which is no URL that can be fetched",
        f"{A}bad": "it redirects to 'http://[bad\ufffd[31m', which is no URL that can be fetched",
    }


def test_what_was_to_be_tried_again_says_why_it_was_not(tmp_path):
    busy = Page(status=429, headers={"Retry-After": "3600"})
    with serving({A: page("/broken", "/late"), f"{A}broken": Page(status=500), f"{A}late": busy}) as server:
        crawl(tmp_path / "web", server.settings())
    why = "the host wants no more requests (HTTP status 429)"
    found = fates(tmp_path / "web")
    assert found[f"{A}broken"] == (Fate.FAILED, f"HTTP status 500; then not asked: {why}")
    assert found[f"{A}late"] == (Fate.FAILED, why)


def test_cookies_are_not_sent_back(tmp_path):
    with serving({A: Page("<a href=/1>", headers={"Set-Cookie": "a=b; Path=/"}), f"{A}1": page()}) as server:
        crawl(tmp_path / "web", server.settings())
    assert not [request for request in server.requests if "cookie" in request.headers]
