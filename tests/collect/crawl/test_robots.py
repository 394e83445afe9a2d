import asyncio
import gzip
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from protego import Protego

from corpusmill.collect.crawl.fetch import fetching
from corpusmill.collect.crawl.robots import (
    AI,
    MAX_BYTES,
    ROBOTS,
    TDMREP,
    Policy,
    PolicyFile,
    read_policy_files,
)
from corpusmill.collect.crawl.rules import product_token
from corpusmill.reasons import Fate
from tests.collect.crawl.server import Page, redirect, serving

ORIGIN = "http://a.example"
AGENT = "corpusmill/0.1 (+https://other.example/wildbot)"


def file(path, text, **more):
    return PolicyFile(origin=ORIGIN, path=path, fetched_at=datetime.now(UTC), http_status=200, text=text, **more)


def policy(robots, **others):
    files = [file(ROBOTS, robots), *(file({"ai": AI, "tdmrep": TDMREP}[k], text) for k, text in others.items())]
    return Policy(files, AGENT)


@pytest.mark.parametrize(
    ("robots", "path", "line"),
    [
        ("", "/x", None),
        ("User-agent: *\nDisallow: /", "/x", "Disallow: /"),
        ("User-agent: *\nDisallow:", "/x", None),
        ("User-agent: *\nDisallow: /p # why\n", "/page", "Disallow: /p"),
        ("User-agent: *\nDisallow: /p\nDisallow: /page\n", "/page/1", "Disallow: /page"),
        ("User-agent: *\nDisallow: /p\nAllow: /page", "/page", None),  # the longest wins
        ("User-agent: *\nDisallow: /page\nAllow: /page", "/page", None),  # allow wins ties
        ("User-agent: *\nDisallow: /*.pdf$", "/a/b.pdf", "Disallow: /*.pdf$"),
        ("User-agent: *\nDisallow: /*.pdf$", "/a/b.pdf?x", None),
        ("User-agent: *\nDisallow: /x\nUser-agent: CorpusMill\nDisallow: /y", "/x", None),  # our own group only
        ("User-agent: *\nDisallow: /x\nUser-agent: CorpusMill\nDisallow: /y", "/y", "Disallow: /y"),
        ("User-agent: corpusmill\nDisallow: /a\n\nUser-agent: corpusmill\nDisallow: /b", "/a", "Disallow: /a"),  # merge
        ("User-agent: corpusmill\nDisallow: /a\n\nUser-agent: corpusmill\nDisallow: /b", "/b", "Disallow: /b"),
        ("User-agent: other\nUser-agent: corpusmill\nDisallow: /x", "/x", "Disallow: /x"),
        ("User-agent: wildbot\nDisallow: /", "/x", None),  # a name within our User-Agent header's comment
        ("User-agent: mill\nDisallow: /", "/x", None),
        ("User-agent: other\nDisallow: /xyz\nUser-agent: *\nDisallow: /x", "/xyz", "Disallow: /x"),  # the right group's
        ("User-agent: *\nDisallow: /x\nUser-agent: other\nDisallow: /xyz", "/xyz", "Disallow: /x"),
        ("Sitemap: /s\nUser-agent: *\nDissallow: /x", "/x", "Dissallow: /x"),
        ("<html><body>Not found</body></html>", "/x", None),
        ("User-agent: *\nDisallow: /\n", "/robots.txt", None),
        ("User-agent: other;corpusmill/0.1\nDisallow: /x", "/x", "Disallow: /x"),
        ("User-agent: 'corpusmill'\nDisallow: \"/x\"", "/x", 'Disallow: "/x"'),
        ("User-agent: <corpusmill>\nDisallow: /x", "/x", "Disallow: /x"),
        ("User-agent\uff1a*\nDisallow\uff1a/x", "/x", "Disallow:/x"),
        ("User-agent: * Disallow: /x", "/x", "Disallow: /x"),
        ("- User-agent: *\n- Disallow: /x", "/x", "Disallow: /x"),
    ],
)
def test_rules(robots, path, line):
    refusal = policy(robots).refusal(ORIGIN + path)
    assert refusal == (line and (Fate.ROBOTS_DISALLOWED, f"robots.txt: {line}"))


LINES = ["User-agent: *", "User-agent: corpusmill", "User-agent: x", "Disallow: /a", "Disallow: /ab*c", "Disallow: /"]
LINES += ["Allow: /a", "Allow: /abc", "Disallow:", "", "# Disallow: /z"]


@settings(max_examples=300)
@given(st.lists(st.sampled_from(LINES), max_size=10), st.sampled_from(["/", "/a", "/abc", "/abxc", "/z"]))
def test_refuses_what_protego_refuses_and_names_a_rule(lines, path):
    text = "\n".join(lines)
    refusal = policy(text).refusal(ORIGIN + path)
    assert (refusal is None) == Protego.parse(text).can_fetch(ORIGIN + path, "corpusmill")
    if refusal is not None:
        assert refusal[1].removeprefix("robots.txt: ") in lines


@given(st.text())
def test_any_text_is_a_robots_file(text):
    policy(text, ai=text, tdmrep=text).refusal(ORIGIN + "/x")


def test_many_rules_are_obeyed_and_named():
    many = "User-agent: *\n" + "".join(f"Disallow: /{i}/\n" for i in range(20_000))
    assert policy(many).refusal(ORIGIN + "/19999/x") == (Fate.ROBOTS_DISALLOWED, "robots.txt: Disallow: /19999/")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("User-agent: *\nCrawl-delay: 2.5", 2.5),
        ("User-agent: *\nRequest-rate: 1/10", 10.0),
        ("User-agent: *\nCrawl-delay: -1", 0.0),
        ("User-agent: *\nCrawl-delay: inf", 0.0),
        ("User-agent: other\nCrawl-delay: 9", 0.0),
    ],
)
def test_delay(text, seconds):
    assert policy(text).crawl_delay_s == seconds


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("corpusmill/0.1", "corpusmill"),
        ("Mozilla/5.0 (compatible; MyBot/2.0; +https://x)", "mybot"),
        ("My_Bot-X", "my_bot-x"),
        ("123", "123"),
        ("MJ12bot/v1.4.8", "mj12bot"),
        ("360Spider", "360spider"),
        ("(none)", "*"),
        ("", "*"),
    ],
)
def test_product_token(header, token):
    assert product_token(header) == token


@pytest.mark.parametrize(
    ("text", "path", "refused"),
    [
        ('[{"location": "/", "tdm-reservation": 1}]', "/x", "Disallow: /"),
        ('[{"location": "/", "tdm-reservation": 0}]', "/x", None),
        ('[{"location": "/a/*.html", "tdm-reservation": 1}]', "/a/b.html", "Disallow: /a/*.html"),
        ('[{"location": "/a/*.html", "tdm-reservation": 1}]', "/b/b.html", None),
        ('{"location": "/a", "tdm-reservation": "1"}', "/a", "Disallow: /a"),
        ('[{"location": "/a\\nAllow: /a/b", "tdm-reservation": 1}]', "/a/b", None),
        ('[1, null, {"location": 5}, "x"]', "/x", None),
        ("not json", "/x", None),
        ("[" * 100_000, "/x", None),
    ],
)
def test_tdmrep(text, path, refused):
    refusal = policy("", tdmrep=text).refusal(ORIGIN + path)
    assert refusal == (refused and (Fate.OPTED_OUT, f".well-known/tdmrep.json: {refused}"))


def test_ai_txt():
    reserved = policy("", ai="User-Agent: *\nDisallow: *.html\nAllow: *.txt")
    assert reserved.refusal(ORIGIN + "/x.html") == (Fate.OPTED_OUT, "ai.txt: Disallow: *.html")
    assert reserved.refusal(ORIGIN + "/x.txt") is None


def read(server, **changes):
    chosen = server.settings(**changes)

    async def run():
        async with fetching(chosen, 0.0) as fetcher:
            files = read_policy_files(
                lambda url: fetcher.get(url, MAX_BYTES), ORIGIN, chosen.user_agent, chosen.max_redirects
            )
            return [file async for file in files]

    files = asyncio.run(run())
    return Policy(files, chosen.user_agent), files


FORBIDS = "User-agent: *\nDisallow: /x"


def hops(n, end):
    """A chain of n redirects, over two hosts, that ends in a page."""
    chain = [f"http://{'ab'[i % 2]}.example/{i or 'robots.txt'}" for i in range(n + 1)]
    web = {url: redirect(target) for url, target in pairwise(chain)}
    return web | {chain[-1]: end}


@pytest.mark.parametrize(
    ("robots", "fate"),
    [
        (Page(FORBIDS, type="text/plain"), Fate.ROBOTS_DISALLOWED),
        (Page(FORBIDS, type="text/html"), Fate.ROBOTS_DISALLOWED),
        (Page(b"\xef\xbb\xbf" + FORBIDS.encode()), Fate.ROBOTS_DISALLOWED),  # a byte order mark
        (Page(FORBIDS, gzipped=True), Fate.ROBOTS_DISALLOWED),
        (Page(FORBIDS, chunked=True), Fate.ROBOTS_DISALLOWED),
        (Page(FORBIDS.replace("\n", "\r")), Fate.ROBOTS_DISALLOWED),
        (Page(b"\xff\xfe\0\x80\n" + FORBIDS.encode()), Fate.ROBOTS_DISALLOWED),
        (Page(""), None),
        (Page(FORBIDS, status=404), None),
        (Page(FORBIDS, status=403), None),
        (Page(FORBIDS, status=410), None),
        (Page(FORBIDS, status=429), Fate.ROBOTS_UNREACHABLE),
        (Page("", status=500), Fate.ROBOTS_UNREACHABLE),
        (Page("", status=503), Fate.ROBOTS_UNREACHABLE),
        (Page("", status=304), Fate.ROBOTS_UNREACHABLE),
        (redirect("", 302), Fate.ROBOTS_UNREACHABLE),
        (Page("", delay_s=5), Fate.ROBOTS_UNREACHABLE),
        (Page(raw=b""), Fate.ROBOTS_UNREACHABLE),
        (Page(raw=b"\x16\x03\x01\x00"), Fate.ROBOTS_UNREACHABLE),
        (Page(FORBIDS, cut=5), Fate.ROBOTS_UNREACHABLE),
        (Page(FORBIDS, headers={"Content-Encoding": "br"}), Fate.ROBOTS_DISALLOWED),  # it is not in brotli
        (Page(FORBIDS, headers={"Content-Encoding": "own"}), Fate.ROBOTS_UNREACHABLE),
        (Page(b"\x1f\x8b" + bytes(40), headers={"Content-Encoding": "gzip"}), Fate.ROBOTS_UNREACHABLE),
        (Page(b"\0\x9f" + FORBIDS.encode(), headers={"Content-Encoding": "br"}), Fate.ROBOTS_UNREACHABLE),
        (Page(gzip.compress(FORBIDS.encode())[:-20], headers={"Content-Encoding": "gzip"}), Fate.ROBOTS_UNREACHABLE),
        (redirect("/robots.txt"), Fate.ROBOTS_UNREACHABLE),  # for ever
        (redirect("http://127.0.0.1:1/"), Fate.ROBOTS_UNREACHABLE),
    ],
)
def test_answers_for_robots_txt(robots, fate):
    with serving({f"{ORIGIN}/robots.txt": robots}) as server:
        refusal = read(server, timeout_s=1.0, max_delay_s=0.0)[0].refusal(f"{ORIGIN}/x")
    assert (refusal and refusal[0]) == fate


def test_redirects_are_followed_over_hosts_as_far_as_the_recipe_says():
    with serving(hops(5, Page(FORBIDS))) as server:
        assert read(server, max_redirects=5)[0].refusal(f"{ORIGIN}/x") == (
            Fate.ROBOTS_DISALLOWED, "robots.txt: Disallow: /x",
        )  # fmt: skip
    with serving(hops(6, Page(FORBIDS))) as server:
        assert read(server, max_redirects=5)[0].refusal(f"{ORIGIN}/y") == (
            Fate.ROBOTS_UNREACHABLE, "robots.txt: more than 5 redirects",
        )  # fmt: skip


def test_a_huge_file_is_read_to_the_last_whole_line_within_the_limit():
    line = "Disallow: /" + "y" * 52 + "\n"
    filler = "User-agent: *\nDisallow: /x\n" + line * (500 * 1024 // len(line))
    text = filler + "Disallow: /within\n" + "#" * 40_000 + "\nDisallow: /beyond\n"
    assert 500 * 1024 < text.index("/within") < MAX_BYTES < text.index("/beyond")
    with serving({f"{ORIGIN}/robots.txt": Page(text)}) as server:
        rules, files = read(server)
    assert rules.refusal(f"{ORIGIN}/within") is not None
    assert rules.refusal(f"{ORIGIN}/beyond") is None
    assert files[0].text.endswith("Disallow: /within\n")


def test_a_rule_that_the_limit_cuts_in_two_does_not_count():
    start = "User-agent: *\nDisallow: /x\n"
    text = start + "#" * (MAX_BYTES - len(start) - len("\nDisallow: /")) + "\nDisallow: /secret\n"
    with serving({f"{ORIGIN}/robots.txt": Page(text)}) as server:
        rules = read(server)[0]
    assert rules.refusal(f"{ORIGIN}/x") is not None
    assert rules.refusal(f"{ORIGIN}/open") is None


def test_opt_out_files_are_read_unless_robots_txt_forbids_that():
    web = {
        f"{ORIGIN}/robots.txt": Page("User-agent: *\nDisallow: /ai.txt"),
        f"{ORIGIN}/ai.txt": Page("User-agent: *\nDisallow: /"),
        f"{ORIGIN}/.well-known/tdmrep.json": Page('[{"location": "/mine", "tdm-reservation": 1}]'),
    }
    with serving(web) as server:
        rules, files = read(server)
    assert [f.path for f in files] == [ROBOTS, TDMREP]
    assert rules.refusal(f"{ORIGIN}/mine/x") == (Fate.OPTED_OUT, ".well-known/tdmrep.json: Disallow: /mine")
    assert rules.refusal(f"{ORIGIN}/yours") is None


def test_a_broken_opt_out_file_reserves_nothing():
    web = {f"{ORIGIN}/robots.txt": Page(""), f"{ORIGIN}/ai.txt": Page(status=500), f"{ORIGIN}{TDMREP}": Page(raw=b"")}
    with serving(web) as server:
        rules, files = read(server)
    assert rules.refusal(f"{ORIGIN}/x") is None
    assert [f.http_status for f in files] == [200, 500, None]


def test_a_private_address_is_said_to_be_one():
    with serving({}) as server:
        rules = read(server, allow_private_addresses=False)[0]
    assert rules.refusal(f"{ORIGIN}/x")[0] == Fate.PRIVATE_ADDRESS


def test_files_are_good_for_a_day():
    found = file(ROBOTS, "")
    assert found.is_fresh(found.fetched_at + timedelta(hours=23, minutes=59))
    assert not found.is_fresh(found.fetched_at + timedelta(hours=24))
