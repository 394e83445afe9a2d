import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmill.collect.crawl.traps import family, trap, without_session
from corpusmill.collect.crawl.urls import normalise

A = "http://a.example:42249"


@pytest.mark.parametrize(
    ("url", "without"),
    [
        ("/a;jsessionid=AB12?x=1", "/a?x=1"),
        ("/?PHPSESSID=abc&x=1", "/?x=1"),
        ("/x?sessionid=1", "/x"),
        ("/x?a=1&session_id=1&b=2", "/x?a=1&b=2"),
        ("/?sid=a8f5f167f44f4964e6c998dee827110c", "/"),
        ("/(S(abcdefghij0123456789abcd))/x.aspx", "/x.aspx"),
        # no sessions
        ("/?sid=5", "/?sid=5"),
        ("/?sid=programming-language", "/?sid=programming-language"),
        ("/x?", "/x?"),
        ("/x?session=5&side=left", "/x?session=5&side=left"),
        ("/a;v=1/b", "/a;v=1/b"),
        ("/f(x)/y", "/f(x)/y"),
    ],
)
def test_sessions(url, without):
    assert without_session(A + url) == A + without


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/a/b/a/b/a/b", "its path repeats 'a/b'"),
        ("/x/en/en/en/en/", "its path repeats 'en'"),
        ("/" + "/".join(map(str, range(30))), "its path has more than 24 segments"),
        ("/cal/2031/05", "a calendar: it names the year 2031"),
        ("/cal/2031-05-01/", "a calendar: it names the year 2031"),
        ("/i/20310512", "a calendar: it names the year 2031"),
        ("/cal?year=2040&m=1", "a calendar: it names the year 2040"),
        ("/c?date=2033-01", "a calendar: it names the year 2033"),
        # no traps
        ("/1/1/1", None),
        ("/a/b/a/b", None),
        ("/news/2026/05", None),
        ("/2028/12/31", None),
        ("/1/10", None),  # after the port
        ("/item/20311", None),
        ("/item/422491", None),
        ("/2031/05/some-title", None),
        ("/c?id=2031", None),
        ("/", None),
    ],
)
def test_traps(path, why):
    assert trap(A + path, 2026) == why


@pytest.mark.parametrize(
    ("urls", "of"),
    [
        (["/cal/2031/05", "/cal/2031-06-01/"], "/cal/#"),
        (["/list?sort=up&page=1", "/list?page=2&sort=down"], "/list?page&sort"),
        (["/search?q=a", "/search?q=b"], "/search?q"),
        (["/7?q=a", "/8?q=b"], "/#?q"),
        (["/c?y=2026&m=1", "/c?m=2&y=2027"], "/c?m&y"),
        (["/topic?id=5", "/topic?f=1&t=2", "/page/7", "/", "/item/20311"], None),
    ],
)
def test_families(urls, of):
    assert {family(A + url) for url in urls} == {of and A + of}


@given(st.text(max_size=60))
def test_any_url(text):
    url = normalise(f"{A}/{text}")
    if url is not None:
        shorter = without_session(url)
        assert without_session(shorter) == shorter or ";" in shorter
        assert normalise(shorter) == shorter
        trap(url, 2026)
        family(url)
