"""Tags of pages: a parser that builds the standard's tree is the reference where no tree is needed."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from resiliparse.parse.html import HTMLTree

from corpusmill.collect.crawl.markup import tags

WANTED = ("a", "area", "iframe", "base", "meta")
NAMES = ("href", "src", "rel", "name", "content", "x")

values = st.sampled_from(
    [
        "",
        "/1",
        "a=b",
        "?a=1&b=2",
        "?a&amp;b",
        "&copy=1",
        "&copy;",
        "&copy x",
        "&#65;&#x42",
        "&#0065;",
        "&notit;",
        "&x;",
        "a>b",
        "<a href=/no>",
        "-->",
        "it's",
        "&#xFFFFFFFFFF;",
        "&",
        "&#;",
        "&lt",
        "/2/",
    ]
)
attributes = st.one_of(
    st.builds('{}="{}"'.format, st.sampled_from(NAMES), values),
    st.builds("{} = '{}'".format, st.sampled_from(NAMES), values.filter(lambda v: "'" not in v)),
    st.builds("{}={} ".format, st.sampled_from(NAMES), st.sampled_from(["/1", "a=b", 'q"x"', "/2/", "&amp;", "x'y"])),
    st.sampled_from(["x", "HREF=/3 ", "href", "/", "href=/4 href=/5 ", '"x', "href= >", "href=\n/6\n"]),
)
elements = st.builds(
    lambda name, inner: f"<{name} {' '.join(inner)}>",
    st.sampled_from(["a", "A", "area", "p", "div", "img", "meta"]),
    st.lists(attributes, max_size=4),
)
others = st.sampled_from(
    [
        "text",
        "</a>",
        "</p>",
        "<!-- <a href=/no> -->",
        "<!-->",
        "<!--->",
        "<!-- x --!>",
        "<!x <a href=/no>",
        "<?x <a href=/no>",
        "</3 <a href=/no>",
        "<script>'<a href=/no>'</script>",
        "<style><a href=/no></style >",
        "<title><a href=/no></TITLE>",
        "<textarea><a href=/no></textarea>",
        "<iframe src=/7><a href=/no></iframe>",
        "< a href=/no>",
        "<script></scripty></script/>",
        "<!doctype html>",
        "&lt;a href=/no>",
        "<",
        "<a/href=/8>",
        "<b/>",
        "<noscript><a href=/9></noscript>",
    ]
)


def distinct(found):
    """What was found, each once: a tree holds copies of links that were not closed."""
    return {(tag, *sorted((name, value) for name, value in own.items() if name in NAMES)) for tag, own in found}


def reference(page):
    for node in HTMLTree.parse(f"<body>{page}").document:
        if node.tag in WANTED:
            yield node.tag, {name: node.getattr(name) or "" for name in NAMES if node.hasattr(name)}


@settings(max_examples=1000)
@given(st.lists(st.one_of(elements, others), max_size=8).map("".join))
def test_tags_are_those_of_the_standard_s_parser(page):
    assert distinct(tags(page, WANTED)) == distinct(reference(page))


@settings(max_examples=500)
@given(st.text("<>!-/='\"& ax#;\n\0\ud800", max_size=60) | st.text())
def test_no_page_is_too_odd(page):
    for _, own in tags(page, WANTED):
        assert all(isinstance(value, str) for value in own.values())


def test_what_never_ends_is_no_markup():
    for page in (
        "<a href=/1",
        "<a href='/1>",
        "<!-- <a href=/1>",
        "<script><a href=/1>",
        "<plaintext><a href=/1>",
        "<a =",
    ):
        assert list(tags(page, WANTED)) == []


def test_references_to_no_character():
    page = f"<a href='&#{'9' * 5000};&#x{'0' * 5000}41;&#x{'f' * 5000}'>"
    assert list(tags(page, WANTED)) == [("a", {"href": "\ufffdA\ufffd"})]


@pytest.mark.parametrize(
    "piece",
    [
        "<a href=a{i}>",
        "<font size={i}><a href={i}><p>",
        "<a ",
        "<a x={i} ",
        "<!--",
        "<script>",
        "</script",
        "<!",
        "<a href='",
        "&#9",
        "<a href=\"{i}'",
        "<a href='&amp'",
        "=",
        "='\"",
        "<title>",
        "<iframe src={i}>",
        "--!",
        "<svg><a><b>",
        "<a " + "=" * 50,
    ],
)
def test_any_page_takes_linear_time(piece):
    n = 2_000_000 // len(piece)
    started = time.process_time()
    for _ in tags("".join(piece.replace("{i}", str(i)) for i in range(n)), WANTED):
        pass
    assert time.process_time() - started < 10  # at most 0.5 s; a tree of the second takes hours
