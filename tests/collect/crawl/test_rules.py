"""Rules of robots.txt files: protego is the reference; no file and no URL costs more than its size."""

import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from protego import Protego

from corpusmill.collect.crawl.robots import MAX_BYTES, tdmrep_as_robots, text_of
from corpusmill.collect.crawl.rules import Rules
from corpusmill.collect.crawl.urls import MAX_URL, normalise

HOST = "http://a.example"

# names that are no tokens, records between names and paths without a slash are in suites.toml and test_rfc9309.py:
# there protego follows other rules
NAMES = ["*", "corpusmill", "CorpusMill", "mill", "other"]
PATTERNS = [
    "/",
    "/a",
    "/a/*",
    "*a",
    "/*b$",
    "/a$b",
    "/a$",
    "/%61",
    "/%2f",
    "/%2A",
    "/*?x=1",
    "/ä",
    "/%e4",
    "/a b",
    "",
]
PATTERNS += ["/index.html", "/a/index.html", "/a%3Fx", "/a?x", "/***c", "$", "*", "*$", "/a*b*c", "/=%3d"]
DIRECTIVES = ["Allow", "Disallow", "Dissallow", "disalow", "Sitemap", "Host"]
VALUES = [*NAMES, *PATTERNS, "1", "2.5", "1/10", "3/2m", "1/0", "0/1", "-1", "x"]
PATHS = [
    "/",
    "/a",
    "/ab",
    "/a/b",
    "/a/xbxc",
    "/a$b",
    "/A",
    "/%2F",
    "/*",
    "/?x=1",
    "/b?x=1",
    "/%C3%A4",
    "/a%20b",
    "/index.html",
]
PATHS += ["/a/", "/a/index.html", "/a?x", "/abc", "/=", "/robots.txt", "/robots.txt?x", "/a?"]

lines = st.one_of(
    st.tuples(st.sampled_from(["User-agent: ", "user agent:", "Useragent "]), st.sampled_from(NAMES)).map("".join),
    st.tuples(st.sampled_from(["Disallow: ", "Allow: "]), st.sampled_from(VALUES)).map("".join),
    st.tuples(st.sampled_from(DIRECTIVES), st.sampled_from([": ", ":", " ", " : "]), st.sampled_from(VALUES)).map(
        "".join
    ),
    st.sampled_from(["", "# User-agent: x", "junk", "Disallow: /a # why"]),
)


@settings(max_examples=1000)
@given(st.lists(lines, max_size=12), st.sampled_from(PATHS))
def test_forbids_what_protego_forbids_and_names_a_line(written, path):
    text = "\n".join(written)
    line = Rules(text, "corpusmill").forbids(HOST + path)
    assert (line is None) == Protego.parse(text).can_fetch(HOST + path, "corpusmill")
    if line is not None:
        assert line in [each.partition("#")[0].strip() for each in written]


delays = st.tuples(st.sampled_from(["Crawl-delay: ", "Request-rate: "]), st.sampled_from(VALUES)).map("".join)


@settings(max_examples=300)
@given(st.lists(lines, max_size=8), st.lists(delays, max_size=4))
def test_the_delay_is_protego_s(before, written):
    text = "\n".join([*before, "User-agent: *", *written])
    protego = Protego.parse(text)
    rate = protego.request_rate("corpusmill")
    asked = max(protego.crawl_delay("corpusmill") or 0, rate.seconds / rate.requests if rate else 0)
    assert Rules(text, "corpusmill").delay_s == asked


@settings(max_examples=300)
@given(
    st.text(max_size=200), st.sampled_from(["User-agent: *\nDisallow: ", "User-agent: *\nAllow: ", "User-agent:", ""])
)
def test_no_text_is_too_odd(text, start):
    assert math.isfinite(Rules(start + text + "\ud800\0", "corpusmill").delay_s)
    Rules(start + text, "corpusmill").forbids(normalise(f"{HOST}/{text}") or f"{HOST}/")


@pytest.mark.parametrize("directive", ["Crawl-delay", "Request-rate", "Visit-time"])
@given(number=st.integers(0, 10**30) | st.just(10**400) | st.floats() | st.text("0123456789./smhdeE-_+ ¼٣"))
def test_no_number_is_too_odd(directive, number):
    for value in (f"{number}", f"1/{number}", f"{number}/1", f"{number}/{number}d"):
        delay_s = Rules(f"User-agent: *\n{directive}: {value}", "corpusmill").delay_s
        assert math.isfinite(delay_s)
        assert delay_s >= 0


PIECES = [b"User-agent: ", b"Disallow: ", b"Allow: ", b"Crawl-delay: ", b"Sitemap: ", b"*", b"/", b"$", b"%", b"\0"]
PIECES += [
    b"\n",
    b"\r\n",
    b"\r",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"corpusmill",
    b"<br>",
    b"#",
    b":",
    b"%2F",
    b"\xe4",
    b",",
]
PIECES += [b"/a", b".html", b"mozilla/5.0 (compatible; ", b" ", b"\xed\xa0\x80"]


@settings(max_examples=500)
@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=8), max_size=60).map(b"".join), st.booleans())
def test_no_bytes_are_too_odd(body, cut):
    rules = Rules(text_of(body, cut=cut), "corpusmill")
    assert math.isfinite(rules.delay_s)
    rules.forbids(f"{HOST}/a/b.html")
    Rules(tdmrep_as_robots(text_of(body, cut=cut)), "corpusmill")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"])
@given(written=st.lists(st.sampled_from(["Disallow: /a", "Disallow: /b\u00e4", "Allow: /a/b", "# why"]), max_size=5))
def test_every_encoding_says_the_same(encoding, written):
    text = "\n".join(["User-agent: *", *written])
    for path in ("/a", "/a/b", "/b%C3%A4", "/c"):
        expected = Rules(text, "corpusmill").forbids(HOST + path) is None
        rules = Rules(text_of(text.encode(encoding), cut=False), "corpusmill")
        assert (rules.forbids(HOST + path) is None) == expected


RULES = b"User-agent: *\nDisallow: /a\n"


@pytest.mark.parametrize(
    ("body", "cut"),
    [
        (b"\xef\xbb\xbf" * 2 + RULES, False),
        (b"\xff\xfe" + RULES, False),
        (b"\xfe\xff" + RULES, False),
        (RULES.replace(b"D", b"\xe2\x80\x8bD"), False),
        ((RULES.decode() + "Disallow: /b").encode("utf-16-be")[:-3], True),
    ],
)
def test_marks_that_are_wrong(body, cut):
    assert Rules(text_of(body, cut=cut), "corpusmill").forbids(f"{HOST}/a") is not None


@pytest.mark.parametrize(
    "pattern", ["/" + "*a" * 2000 + "$", "/" + "*" * 200_000, "/" + "*a*a*b" * 500, "/" + "$" * 4000]
)
def test_a_pattern_on_which_backtracking_never_ends(pattern):
    assert Rules(f"User-agent: *\nDisallow: /{pattern}x", "corpusmill").forbids(f"{HOST}/" + "a" * 8000) is None


@pytest.mark.parametrize(
    "line",
    [
        "Disallow: /{i:060}*x*y*z*\n",
        "Disallow: /*{i:x}b\n",
        "Disallow: /" + "*a" * 300 + "{i}\n",
        "Disallow: /*" + "a" * 40 + "{i}\n",
        "User-agent: x{i}\n",
        "User-agent: corpusmill\nUser-agent: c{i}\nDisallow: /{i}\n",
        "Disallow" + " " * 1000 + "\n",
        "Allow: /%%%2{i}$$$\n",
    ],
)
def test_a_file_of_full_size_and_a_url_of_full_length_take_bounded_time(line):
    text = "User-agent: *\n"
    text += "".join(line.replace("{i:060}", f"{i:060}").replace("{i:x}", f"{i:x}").replace("{i}", str(i))
                    for i in range(MAX_BYTES // len(line)))[:MAX_BYTES]  # fmt: skip
    started = time.process_time()
    rules = Rules(text, "corpusmill")
    rules.forbids(f"{HOST}/" + "a" * (MAX_URL - 30))
    rules.forbids(f"{HOST}/" + "ab/" * (MAX_URL // 3 - 30))
    assert time.process_time() - started < 10  # it takes 0.1 to 1.5 s; what is not linear takes minutes
