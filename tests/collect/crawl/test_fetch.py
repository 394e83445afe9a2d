import asyncio
import time

import pytest

from corpusmill.collect.crawl.fetch import FetchError, fetching
from corpusmill.reasons import Fate
from tests.collect.crawl.server import Page, page, serving

A, B = "http://a.example/", "http://b.example/"
TOLERANCE_S = 0.005


def fetch(settings, *lanes, max_bytes=1000, idle_s=1000.0):
    """Answers of several lists of URLs, each list in order, the lists side by side."""

    async def run():
        async with fetching(settings, idle_s) as fetcher:

            async def lane(urls):
                return [await fetcher.get(url, max_bytes) for url in urls]

            return await asyncio.gather(*map(lane, lanes))

    return asyncio.run(run())


def failure(settings, url=A, max_bytes=1000):
    with pytest.raises(FetchError) as caught:
        fetch(settings, [url], max_bytes=max_bytes)
    return caught.value


def test_an_answer_holds_what_was_received_and_sent():
    web = {A: Page("<p>é", headers={"X-Odd": "caf\udce9"}, gzipped=True)}
    with serving(web) as server:
        ((answer,),) = fetch(server.settings(user_agent="mill/9", contact="me@mill.example"), [A])
    assert (answer.status, answer.reason, answer.version) == (200, "Words", "1.1")
    assert dict(answer.headers)[b"X-Odd"] == b"caf\xe9"
    assert answer.body[:2] == b"\x1f\x8b"
    assert answer.decoded(100).content == "<p>é".encode()
    sent = {name.decode().lower(): value.decode() for name, value in answer.request_headers}
    assert sent == {k: v for k, v in server.requests[0].headers.items() if k in sent}
    assert (sent["host"], sent["user-agent"], sent["accept-encoding"]) == (
        "a.example",
        "mill/9 (+me@mill.example)",
        "gzip, deflate",
    )


def test_the_path_is_sent_as_it_is():
    path = "/a%2Fb//c;d/%E4?x=%20y&z&&q='"
    with serving({f"http://a.example{path}": page()}) as server:
        assert fetch(server.settings(), [f"http://a.example{path}"])[0][0].status == 200


def test_no_cookies():
    with serving({A: Page(headers={"Set-Cookie": "a=b"})}) as server:
        fetch(server.settings(), [A, A])
    assert all("cookie" not in request.headers for request in server.requests)


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(("size", "kept", "cut"), [(999, 999, False), (1000, 1000, False), (1001, 1000, True)])
def test_bodies_are_cut_off_at_the_limit(chunked, size, kept, cut):
    with serving({A: Page(b"x" * size, chunked=chunked)}) as server:
        ((answer,),) = fetch(server.settings(), [A])
    assert (len(answer.body), answer.truncated) == (kept, cut)


def test_an_endless_body_is_cut_off_and_the_next_request_is_answered():
    with serving({A: Page(b"x" * 20_000_000), f"{A}next": page()}) as server:
        ((first, second),) = fetch(server.settings(), [A, f"{A}next"])
    assert (len(first.body), first.truncated, second.status) == (1000, True, 200)


@pytest.mark.parametrize(
    ("answer", "message", "status"),
    [
        (Page(b"x" * 500, cut=100), "the server closed the connection in the middle of the body", 200),
        (Page(b"x" * 500, cut=100, chunked=True), "the server closed the connection in the middle of the body", 200),
        (Page(delay_s=3), "no complete answer within 0.5 s", None),
        (Page(raw=b""), "the server closed the connection without an answer", None),
        (Page(raw=b"SSH-2.0-OpenSSH\r\n\r\n"), "the answer is not valid HTTP", None),
        (Page(headers={"X": "y" * 70_000}), "the answer is not valid HTTP", None),
    ],
)
def test_failures_in_words(answer, message, status):
    with serving({A: answer}) as server:
        failed = failure(server.settings(timeout_s=0.5))
    assert failed.fate is Fate.FAILED
    assert failed.message.startswith(message)
    assert "\n" not in failed.message
    assert failed.status == status


def test_no_connection():
    with serving({}) as server:
        settings = server.settings()
    assert failure(settings).message.startswith("no connection: ")


def test_a_name_that_cannot_be_one():
    with serving({}) as server:
        settings = server.settings(connect_to={})
    assert failure(settings, f"http://{'a' * 64}.invalid/").message


def test_no_tls():
    with serving({A: Page()}) as server:
        failed = failure(server.settings(timeout_s=0.3), "https://a.example/")
    assert failed.message == "no complete answer within 0.3 s"


def test_politeness_to_each_host():
    urls = [f"/{i}" for i in range(5)]
    web = {f"http://{h}.example{u}": Page(delay_s=0.02) for h in "ab" for u in urls}
    with serving(web) as server:
        a, b = ([f"http://{host}.example{u}" for u in urls] for host in "ab")
        started = time.monotonic()
        fetch(server.settings(delay_s=0.1), a[:3], a[3:], b)  # two lists ask the same host at once
        seconds = time.monotonic() - started
    for host in ("a.example", "b.example"):
        assert len(server.gaps(host)) == 4
        assert min(server.gaps(host)) >= 0.1 - TOLERANCE_S
        assert server.most_open[host] == 1
    assert seconds < 1.1  # hosts side by side: one after the other they would take 1.2 s


def test_the_first_request_waits_for_what_is_left_of_the_delay():
    with serving({A: page()}) as server:
        started = time.monotonic()
        fetch(server.settings(delay_s=0.3), [A], idle_s=0.1)
        assert time.monotonic() - started >= 0.2 - TOLERANCE_S
        started = time.monotonic()
        fetch(server.settings(delay_s=5.0), [A], idle_s=10.0)
        assert time.monotonic() - started < 5.0


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(status):
    def busy(before):
        return page() if before == 1 else Page(status=status, headers={"Retry-After": "1"})

    with serving({A: busy}) as server:
        ((answer,),) = fetch(server.settings(max_delay_s=1.0), [A])
    assert answer.status == 200
    assert min(server.gaps("a.example")) >= 1.0 - TOLERANCE_S


def test_asked_again_twice_at_most():
    with serving({A: Page(status=429)}) as server:
        ((answer,),) = fetch(server.settings(max_delay_s=0.05), [A])
    assert (answer.status, len(server.requests)) == (429, 3)


@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_beyond_the_limit_is_not_waited_for(status):
    with serving({A: Page(status=status, headers={"Retry-After": "3600"})}) as server:
        ((answer,),) = fetch(server.settings(max_delay_s=0.05), [A])
    assert (answer.status, len(server.requests)) == (status, 1)


def test_a_503_without_retry_after_is_an_answer():
    with serving({A: Page(status=503)}) as server:
        ((answer,),) = fetch(server.settings(), [A])
    assert (answer.status, len(server.requests)) == (503, 1)


def test_connections_are_kept_and_closed():
    with serving({A: page()}) as server:
        fetch(server.settings(), [A, A, A])
        assert server.connections == 1
        time.sleep(0.05)
        assert server.open == {"a.example": 0}
