"""Pages that came in pieces."""

import numpy as np
import pytest

from corpusmill.extract.segments.scan import PADDING
from corpusmill.extract.segments.segment import segment
from corpusmill.extract.segments.streamed import in_place
from corpusmill.extract.segments.tables import BIT


def whole(page):
    data = page.encode()
    return in_place(data, np.frombuffer(data + bytes(PADDING), np.uint8).copy(), 0).decode()


def place(name, fallback="Loading"):
    return f'<!--$?--><template id="B:{name}"></template>{fallback}<!--/$-->'


def piece(name, content):
    return f'<div hidden id="S:{name}">{content}</div>'


def test_pieces_are_read_in_their_places_and_are_not_hidden():
    page = segment(
        f"<title>t</title><main><p>one</p>{place(0)}{place('a')}<p hidden>four</p></main><footer>five</footer>"
        f"{piece('a', '<p>three')}<script>$RC('B:a','S:a')</script>{piece(0, '<div>two</div>')}".encode()
    )
    assert [page.block_text(i) for i in range(len(page.blocks))] == ["one", "two", "three", "four", "five"]
    assert [int(flags & BIT["hidden"] != 0) for flags in page.blocks["flags"]] == [0, 0, 0, 1, 0]
    assert [int(flags & BIT["main"] != 0) for flags in page.blocks["flags"]] == [1, 1, 1, 1, 0]


def test_offsets_are_those_of_the_page_put_together():
    page = segment(f"<p>one</p>{place(0)}{piece(0, '<p>two</p>')}".encode())
    assert [page.span(*span) for span in page.blocks[["source_start", "source_end"]].tolist()] == ["one", "two"]


def test_a_page_that_only_holds_places_is_read_as_it_is():
    page = segment(f"<title>t</title><p>one</p>{place(0)}<p>two</p>".encode())
    assert [page.block_text(i) for i in range(len(page.blocks))] == ["one", "Loading", "two"]
    assert page.span(int(page.facts["value_start"][0]), int(page.facts["value_end"][0])) == "t"


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        # The place of a segment is its template alone; pieces hold places in their turn.
        (
            f"a{place(0)}z" + piece(0, 'b<template id="P:1"></template>d') + piece(1, "c"),
            "a<!--$?-->bcd<!--/$-->z",
        ),
        # What stands there meanwhile may hold what isn't pending, and places of its own.
        (f"a{place(0, 'x<!--$-->x<!--/$-->x' + place(1))}b{piece(0, 'c')}", "a<!--$?-->c<!--/$-->b"),
        (f"a{place(0, '$ <!--/$ -->$')}b{piece(0, 'c')}", "a<!--$?-->c<!--/$-->b"),
        # Elements within a piece, and what only looks like them.
        (
            "".join(
                [place(0), piece(0, "<div><DIV >b</div><!-- </div> --><script>'</div>'</SCRIPT><divan></div>c"), "d"]
            ),
            "<!--$?--><div><DIV >b</div><!-- </div> --><script>'</div>'</SCRIPT><divan></div>c<!--/$-->d",
        ),
        # An archive without comments: what stood there stays.
        ('a<template id="B:0"></template>Loading<div hidden="" id="S:0">b</div>c', "abLoadingc"),
        # Of two with one name the first counts.
        (
            f"{place(0)}{place(0)}{piece(0, 'one')}{piece(0, 'two')}",
            f"<!--$?-->one<!--/$-->{place(0)}{piece(0, 'two')}",
        ),
        # Without end, what is pending is its place alone.
        (f'<!--$?--><template id="B:0"></template>a{piece(0, "b")}', "<!--$?-->ba"),
    ],
)
def test_pieces_come_in_their_places(page, expected):
    assert whole(page) == expected


@pytest.mark.parametrize(
    "page",
    [
        "",
        place(0),
        piece(0, "x"),
        place(0) + piece(1, "x"),
        f"{place(0)}<div hidden id='S:0'>x",
        f'{place(0)}<div hidden id="S:0"><div>never closed</div>',
        f'{place(0)}<div hidden id="S:0"><!-- never closed</div>',
        f'{place(0)}<div hidden id="S:0"><script>never closed</div>',
        piece(0, place(0)),  # each within itself
        piece(0, place(1)) + piece(1, place(0)),
    ],
)
def test_what_fits_nowhere_stays_where_it_is(page):
    assert whole(page) == page


@pytest.mark.parametrize(
    "repeated",
    [
        place(0),
        '<!--$?--><template id="B:0"></template>',
        '<template id="P:1"></template>',
        '<div hidden id="S:0">',
        '<div hidden id="S:0"></div>',
        '<div hidden id="S:0"><!--',
        '<div hidden id="S:0"><script>',
        "<!--$?-->",
    ],
)
def test_what_is_repeated_without_end_takes_no_longer_than_reading_it(repeated):
    page = place(0) + repeated * (2_000_000 // len(repeated))
    assert len(whole(page)) <= len(page)  # in a blink; what is quadratic takes minutes
