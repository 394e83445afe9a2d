import pytest

from corpusmill.collect.optout import opted_out, product

WANTED = {"noai", "noindex", "none", "tdm-reservation"}
AGENTS = {"corpusmill", "ourbot"}


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("robots", "noindex, nofollow", "robots: noindex"),
        ("robots", "NoFollow , NOAI", "robots: noai"),
        ("robots", "none", "robots: none"),
        ("robots", "index, follow, max-snippet:-1", None),
        ("robots", "nofollow, noarchive", None),
        ("corpusmill", "noindex", "corpusmill: noindex"),
        ("googlebot", "noindex", None),
        ("description", "noindex", None),
        ("x-robots-tag", "noindex", "x-robots-tag: noindex"),
        ("x-robots-tag", "otherbot: noindex, noai", None),
        ("x-robots-tag", "OurBot: noindex", "x-robots-tag: noindex"),
        ("x-robots-tag", "otherbot: noindex, ourbot: nofollow, noai", "x-robots-tag: noai"),
        ("x-robots-tag", "unavailable_after: 25 Jun 2030 15:00:00 PST, noai", "x-robots-tag: noai"),
        ("x-robots-tag", "max-image-preview:large, noindex", "x-robots-tag: noindex"),
        ("tdm-reservation", " 1 ", "tdm-reservation: 1"),
        ("tdm-reservation", "0", None),
        ("robots", "", None),
    ],
)
def test_directives(name, content, expected):
    assert opted_out([(name, content)], WANTED, AGENTS) == expected


def test_several_and_only_those_that_are_obeyed():
    directives = [("x-robots-tag", "otherbot: noindex"), ("x-robots-tag", "noai")]
    assert opted_out(directives, WANTED, AGENTS) == "x-robots-tag: noai"
    assert opted_out(directives, {"noindex"}, AGENTS) is None
    assert opted_out([("tdm-reservation", "1")], {"noai"}, AGENTS) is None


def test_product():
    assert product("CorpusMill/0.1 (+https://mill.example/bot)") == "corpusmill"
    assert product("Mozilla/5.0 (compatible; MyBot/2.0; +https://mill.example/bot)") == "mybot"
    assert product("Mozilla/5.0 (X11)") == "mozilla"
