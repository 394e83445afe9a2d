"""Which pages an entry of the list of removals names, and what is left of them."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmill.collect.takedown import NOTHING, Takedown, entries_of, url_hash
from corpusmill.errors import InputError
from corpusmill.reasons import Status
from corpusmill.removals import Kind, Removals
from corpusmill.schema import PAGES


def listed(kind, *texts):
    return list(entries_of(kind, texts, "given", "2026-01-02T03:04:05+00:00", "a reason"))


def takedown(*entries):
    return Takedown(Removals().plus(entries))


def table(*urls, text="words"):
    rows = [
        {
            **dict.fromkeys(PAGES.arrow.names),
            **{"doc_id": f"{i:024x}", "source": "s", "url": url, "text": text, "title": "T", "metadata": '{"a":1}'},
            **{
                "n_bytes": 7,
                "origin_path": "f",
                "origin_offset": i,
                "status": "ok",
                "licence": "CC0",
                "html_lang": "en",
            },
        }
        for i, url in enumerate(urls)
    ]
    return pa.Table.from_pylist(rows, schema=PAGES.arrow)


def named(found, *urls):
    """Which of these URLs an entry names."""
    first = found.match(table(*urls)).first
    return [url for url, place in zip(urls, first, strict=True) if place != NOTHING]


SAME = (
    "http://a.example/x/y",
    "https://a.example/x/y",
    "https://A.Example:443/x/y/",
    "http://a.example:80/x/../x/y#part",
    "  http://user:secret@a.example/x/%79",
    "a.example/x/y",
    "//a.example/x/y",
)
OTHERS = (
    "http://www.a.example/x/y",
    "http://a.example/x/Y",
    "http://a.example/x/y?z",
    "http://a.example:8080/x/y",
    "http://a.example/",
    "not a URL",
    "",
    None,
)


@pytest.mark.parametrize("given_as", SAME)
def test_all_spellings_of_a_url_are_one(given_as):
    assert named(takedown(*listed(Kind.URL, given_as)), *SAME, *OTHERS) == list(SAME)


def test_what_is_no_url_is_compared_as_it_is():
    assert named(takedown(*listed(Kind.URL, "not a URL")), "not a URL", " not a URL ", "not a url", *SAME) == [
        "not a URL",
        " not a URL ",
    ]


def test_a_host_names_what_is_below_it():
    below = ["http://a.example/", "https://b.A.example:8080/x", "http://c.b.a.example?x", "http://a.example./"]
    others = ["http://xa.example/", "http://a.example.org/", "http://example/a.example", "http://[::1]/", None, "x"]
    for name in ("a.example", "A.EXAMPLE", "*.a.example", "a.example."):
        assert named(takedown(*listed(Kind.HOST, name)), *below, *others) == below


def test_a_name_without_a_dot_names_only_itself():
    found = takedown(*listed(Kind.HOST, "example", "localhost"))
    assert named(found, "http://a.example/", "http://localhost:80/x", "http://b.localhost/") == [
        "http://localhost:80/x"
    ]


def test_a_host_in_another_script_is_that_of_dns():
    found = takedown(*listed(Kind.HOST, "müller.example"), *listed(Kind.URL, "https://例え.example/頁"))
    assert named(
        found, "http://xn--mller-kva.example/", "http://Müller.example/x", "https://例え.example/%E9%A0%81"
    ) == [
        "http://xn--mller-kva.example/",
        "http://Müller.example/x",
        "https://例え.example/%E9%A0%81",
    ]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Kind.DOC_ID, "abc"),
        (Kind.DOC_ID, "g" * 24),
        (Kind.HOST, "http://a.example/"),
        (Kind.HOST, "a.example/x"),
        (Kind.HOST, "a.example:80"),
        (Kind.HOST, "a b"),
    ],
)
def test_what_cannot_be_an_entry_is_named_with_its_line(kind, text):
    with pytest.raises(InputError, match=r"given: line 3: '.*' is no (doc_id|name of a host)"):
        listed(kind, "# a comment", "", text)


def test_a_list_without_entries_is_refused():
    with pytest.raises(InputError, match="names nothing to remove"):
        listed(Kind.URL, "# a comment", " ")


def test_the_list_holds_no_url():
    (entry,) = listed(Kind.URL, "http://a.example/the-title-of-the-page")
    assert entry.host == "a.example"
    assert "title" not in repr(entry)


def test_the_first_entry_counts_and_all_are_known_to_name_a_page():
    entries = [*listed(Kind.HOST, "b.example"), *listed(Kind.URL, "a.example/1"), *listed(Kind.HOST, "a.example")]
    entries += [*listed(Kind.DOC_ID, f"{0:024x}"), *listed(Kind.DOC_ID, f"{9:024x}")]
    found = takedown(*entries).match(table("http://a.example/1", "http://a.example/2"))
    assert found.first.tolist() == [1, 2]
    assert found.ids == {entry.id for entry in entries[1:4]}


def test_a_removed_row_keeps_its_place_in_the_input_only():
    (entry,) = listed(Kind.URL, "http://a.example/1")
    before = table("http://a.example/0", "http://a.example/1")
    after = takedown(entry)(before)
    assert after.slice(0, 1) == before.slice(0, 1)
    (row,) = after.slice(1).to_pylist()
    assert row.pop("metadata") == f'{{"removal":"{entry.id}"}}'
    assert {name: value for name, value in row.items() if value is not None} == {
        **{"doc_id": f"{1:024x}", "source": "s", "n_bytes": 7, "origin_path": "f", "origin_offset": 1},
        "status": Status.REMOVED,
    }
    assert takedown(entry)(after) == after
    assert takedown(*listed(Kind.DOC_ID, f"{1:024x}"))(after) == after  # it stays with its first entry


URLS = st.builds(
    "{}{}{}/{}".format,
    st.sampled_from(["http://", "https://", "HTTP://", "", "//"]),
    st.sampled_from(["a.example", "b.a.example", "A.Example", "c.example", "localhost"]),
    st.sampled_from(["", ":80", ":8080"]),
    st.sampled_from(["", "x", "x/", "x?y=1", "./x", "x#f"]),
)


@given(urls=st.lists(URLS | st.none(), max_size=8), wanted=st.lists(URLS, max_size=4), hosts=st.booleans())
def test_it_finds_what_a_comparison_one_by_one_finds(urls, wanted, hosts):
    entries = listed(Kind.URL, *wanted) if wanted else []
    entries += listed(Kind.HOST, "a.example") if hosts else []
    expected = [
        url
        for url in urls
        if url is not None
        and (url_hash(url) in {e.value for e in entries} or (hosts and "a.example" in url.lower().split("/x")[0]))
    ]
    assert named(takedown(*entries), *urls) == expected
